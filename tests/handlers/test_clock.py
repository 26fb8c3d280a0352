"""The machine's clock is set forward or back by an hour while the server runs."""

import time
from datetime import datetime
from functools import partial

import jwt.api_jwt
import pytest

import models
from services import alarms
from tests.handlers.conftest import step
from trading import instants

pytestmark = [pytest.mark.gen_test(timeout=60), pytest.mark.usefixtures("desk")]

WAITING = "/v3/signals/status/waiting/0"
HOUR = 3600


class Clock:
    """What the clock shows: the time, and by how many seconds it is wrong."""

    def __init__(self):
        self.wrong = 0
        self._right = time.time

    def __call__(self):
        return self._right() + self.wrong


@pytest.fixture
def clock(monkeypatch):
    """A clock that can be set."""
    made = Clock()
    monkeypatch.setattr(time, "time", made)

    class Datetime(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(made(), tz)

    monkeypatch.setattr(jwt.api_jwt, "datetime", Datetime)
    return made


@pytest.fixture
def overrides(request):
    return {"entry_minutes": 15} | getattr(request, "param", {})


async def enter(api, number):
    """Sends an entry that nobody has sent before; it is recorded."""
    answer = await api.alert(ticker="AAPL", alert_id=str(number), **step(0, 10))
    assert answer.status == 201


async def waiting(api):
    """The rowids of the signals that the bridge is offered."""
    return [each["rowid"] for each in (await api.get(WAITING)).json["signals"]]


async def test_an_entry_is_offered_no_longer_than_it_may_although_the_clock_is_set_back(
    api, app, clock
):
    clock.wrong = HOUR
    await enter(api, 1)
    await api.alert(ticker="AAPL", **step(10, 0))
    clock.wrong = 0
    await app.expire()
    assert await waiting(api) == [2], "an exit is offered at any age"
    signal = (await api.get("/v3/signal/1")).json
    assert (signal["order_status"], signal["status_msg"]) == ("canceled", "expired after 15 min")
    await enter(api, 2)
    await app.expire()
    assert await waiting(api) == [3, 2]


async def test_clocks_of_two_machines_may_differ_by_seconds(api, app, clock):
    clock.wrong = 20
    await enter(api, 1)
    clock.wrong = 0
    await app.expire()
    assert await waiting(api) == [1]


async def test_an_entry_is_too_old_when_the_clock_is_set_forward(api, app, clock):
    await enter(api, 1)
    clock.wrong = HOUR
    assert await waiting(api) == []
    await enter(api, 2)
    assert await waiting(api) == [2], "an alert that comes now is as new as ever"


@pytest.mark.parametrize("overrides", [{"entry_minutes": 0}], indirect=True)
async def test_without_an_age_no_clock_ends_a_signal(api, app, clock):
    clock.wrong = HOUR
    await enter(api, 1)
    clock.wrong = 0
    await app.expire()
    assert await waiting(api) == [1]


async def test_ids_lists_and_pushes_keep_the_order_in_which_things_happened(
    api, admin, clock, greeted
):
    for number, clock.wrong in enumerate((0, HOUR, 0, -HOUR)):
        await enter(api, number)
    clock.wrong = 0
    listed = (await api.get("/v3/signals/0", token=admin)).json["signals"]
    assert [each["rowid"] for each in listed] == [4, 3, 2, 1]
    times = [each["timestamp"] for each in listed]
    assert times[0] < min(times[1], times[3]) <= max(times[1], times[3]) < times[2]
    events = [
        event
        for event in (await api.get("/v3/events?limit=1000", token=admin)).json["events"]
        if event["type"] == "signal.created"
    ]
    assert [event["subject"] for event in events] == ["1", "2", "3", "4"]
    ids = [event["id"] for event in events]
    assert ids == sorted(ids)
    told = await (await greeted(after=ids[0] - 1, token=admin)).take(len(ids))
    assert [message["event"] for message in told] == ids


async def test_a_login_ends_by_the_clock_and_one_of_the_future_is_none(api, clock):
    before = await api.login(expire=30)
    clock.wrong = HOUR
    answer = await api.get("/v3/events", token=before["access_token"])
    assert answer.json["error"] == "token_expired"
    anew = (await api.post("/v3/refresh", token=before["refresh_token"])).json["access_token"]
    assert (await api.get("/v3/events", token=anew)).status == 200
    clock.wrong = 0
    other = await api.post("/v3/refresh", token=anew)
    assert (other.status, other.json["error"]) == (401, "token_invalid")
    assert (await api.get("/v3/events", token=await api.token())).status == 200


async def test_the_watch_is_free_at_once_if_who_held_it_is_gone_and_the_clock_is_set_back(
    app, clock
):
    def take(name):
        return alarms.take_watch(name, 30)

    await app.writer.submit(lambda: models.AlarmWatch.update(until=0).execute())
    clock.wrong = HOUR
    assert await app.writer.submit(partial(take, "gone"))
    clock.wrong = 0
    assert await app.writer.submit(partial(take, "next"))
    assert not await app.writer.submit(partial(take, "third"))


async def test_the_bridge_was_not_here_in_the_future(app, clock):
    for clock.wrong in (HOUR, 0):
        app.hear("bridge", instants.now())
    clock.wrong = 600
    assert app.polls.last() < time.time() - 500, "else its silence would be no alarm for an hour"
