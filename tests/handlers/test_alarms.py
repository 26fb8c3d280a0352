"""Alarms on the real server: they begin, are mailed, acknowledged and end, each once."""

import asyncio
import logging
import time
from math import inf

import orjson
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

import models
from services import alarms, watchman
from services.teller import Place
from tests.conftest import ON_SQLITE, PATIENCE, alert
from tests.mails import PASSWORD, receiving
from trading.alarms import Case

pytestmark = [pytest.mark.gen_test(timeout=60), pytest.mark.usefixtures("desk")]

WAITING = "/v3/signals/status/waiting/0"
PAIR = "NMFC-0.72*ROIC"


@pytest.fixture
def mail_server():
    """A test's own: what an earlier test has on its way must not arrive here."""
    with receiving() as mails:
        yield mails


@pytest.fixture
def mails(mail_server):
    return mail_server


@pytest.fixture
def overrides(request, mail_server):
    """Alarms by mail, without a pause between two, and what the test wants."""
    usual = {"alarm_urls": [mail_server.address()], "alarm_pause_seconds": 0}
    return usual | getattr(request, "param", {})


@pytest.fixture(autouse=True)
def restless(monkeypatch):
    """Lets the watchman look again at once, where it would rest for up to 2 s."""
    monkeypatch.setattr(watchman, "LONGEST_EASE", 0.01)


def with_settings(**settings):
    """Settings of one test."""
    return pytest.mark.parametrize("overrides", [settings], indirect=True)


class Desk:
    """What somebody who is logged in sees of the alarms, live."""

    def __init__(self, api, token, line):
        self._api, self._token, self._line = api, token, line

    async def all(self, query=""):
        """The list."""
        return (await self._api.get(f"/v3/alarms{query}", token=self._token)).json["alarms"]

    async def until(self, *kinds):
        """The open alarms, once they are of these kinds (newest first)."""
        found = await self.all()
        while [each["kind"] for each in found] != list(kinds):
            message = {}
            while message.get("type") != "alarms":
                text = await asyncio.wait_for(self._line.read_message(), PATIENCE)
                message = orjson.loads(text)
            found = await self.all()
        return found


@pytest.fixture
def look(api, admin, io_loop):
    """The desk of an admin."""

    async def connect():
        address = api.base_url.replace("http", "ws") + "/ws/signals"
        token = {"Authorization": f"Bearer {admin}"}
        return await websocket_connect(HTTPRequest(address, headers=token))

    line = io_loop.run_sync(connect)
    yield Desk(api, admin, line)
    line.close()


async def make_due(app):
    """Time goes by: whatever is to be told some time is to be told now."""
    await app.writer.submit(lambda: models.Alarm.update(due=1.0).execute())
    app.watchman.teller.wake()


# --- what has happened -------------------------------------------------------------------


async def test_a_failed_signal_is_told_once_and_is_over_when_somebody_has_seen_it(
    api, app, admin, plain_user, mails, look
):
    await api.alert(ticker="NOPE")
    [alarm] = await look.until("not_traded")
    assert alarm["what"] == "Signal 1, NOPE: the ticker is not registered"
    assert alarm["title"] == "An alert was not traded"
    assert "set the signal to waiting" in alarm["advice"]
    subject, text = await mails.next()
    assert subject == "Pairs-API: An alert was not traded"
    assert alarm["what"] in text
    assert alarm["advice"] in " ".join(text.split())
    await until_told(app, alarm)
    answer = await api.post(f"/v3/alarm/{alarm['id']}/acknowledge", {}, token=plain_user)
    assert (answer.status, answer.json["acknowledged_by"]) == (200, "user1")
    assert await look.all() == []
    [seen] = await look.all("?all=1")
    assert seen == answer.json
    assert seen["closed"] == seen["acknowledged"]
    await make_due(app)
    await api.alert(ticker="NEITHER")
    _, text = await mails.next()
    assert "NEITHER" in text
    assert "NOPE" not in text
    answer = await api.post(f"/v3/alarm/{alarm['id']}/acknowledge", {}, token=admin)
    assert answer.json == seen, "who was first stays"


async def test_the_log_has_the_open_alarms_and_then_those_that_ended_last(
    app, look, monkeypatch, admin
):
    monkeypatch.setattr(models, "MOST_CLOSED", 3)
    # (kind, when it ended), by id
    told = [("error", 5), ("missed", None), ("error", 9), ("error", 1), ("error", 7), ("error", 9)]
    told.append(("unhedged", None))

    def store():
        for number, (kind, ended) in enumerate(told, 1):
            moment = "2026-11-24 15:00:00"
            models.Alarm.create(
                key=f"{kind} {number}",
                kind=kind,
                subject=str(number),
                what="x",
                since=moment,
                opened=moment,
                closed=ended and f"2026-11-24 16:00:0{ended}",
            )

    await app.writer.submit(store)
    assert [each["id"] for each in await look.all()] == [7, 2]
    assert [each["id"] for each in await look.all("?all=1")] == [7, 2, 6, 3, 5]


async def test_a_rejected_alert_is_told_without_what_it_carried(api, admin, mails, look):
    await api.post("/v3/webhook", alert(ticker="", order_price="x" * 500))
    await api.post("/v3/webhook", raw=b"[]")  # a stranger's is no alarm
    [alarm] = await look.until("rejected")
    assert "ticker: " in alarm["what"]
    assert len(alarm["what"]) <= 200
    _, text = await mails.next()
    assert "webhook" not in text.lower()
    await api.delete("/v3/rejected/1", token=admin)
    await api.alert(ticker="NOPE")  # makes it look again
    await look.until("not_traded")


async def test_a_failed_signal_that_goes_on_is_no_alarm_any_more(api, look):
    await api.alert(ticker="AAPL")
    error = {"passphrase": "webhook", "rowid": 1, "order_status": "error", "error_msg": "| 201 no"}
    await api.put("/v3/webhook", error)
    [alarm] = await look.until("error")
    assert alarm["what"] == "Signal 1, AAPL: | 201 no"
    await api.put("/v3/webhook", {**error, "order_status": "filled", "error_msg": ""})
    await look.until()


MOVES = {
    "fits": [("flat", 0, "long", 100), ("long", 100, "flat", 0)],
    "says nothing": [("flat", 0, "long", 100), (None, None, "long", 100)],
}


async def strategy(api, *moves, ticker="AAPL"):
    """Alerts of one strategy: (position before, its size, position after, its size)."""
    for before, before_size, after, after_size in moves:
        move = {"mar_pos": after, "mar_pos_size": after_size}
        move |= {"pre_mar_pos": before, "pre_mar_pos_size": before_size}
        assert (await api.alert(ticker=ticker, **move)).status == 201


async def test_a_missed_alert_shows_in_the_next_of_its_ticker(api, look):
    await strategy(api, ("flat", 0, "long", 100), (None, None, "long", 100))
    await strategy(api, ("flat", 0, "short", 50), ticker=PAIR)
    await strategy(api, ("long", 100, "flat", 0))
    await strategy(api, ("short", 50, "long", 50), ticker="NMFC-0.72*NASDAQ:ROIC")
    await strategy(api, ("short", 100, "flat", 0))
    [alarm] = await look.until("missed")
    assert alarm["what"] == (
        "AAPL: signal 6 starts from short 100, but signal 4 before it ended at flat."
    )


@with_settings(alarm_missed_seconds=3600)
async def test_an_alert_that_was_overtaken_is_none_that_is_missing(api, mails, look):
    first, second, third = ("flat", 0, "long", 9), ("long", 9, "flat", 0), ("flat", 0, "short", 9)
    await strategy(api, first, third)
    await look.until("missed")
    await strategy(api, second)
    await look.until()
    await api.alert(ticker="NOPE")
    _, text = await mails.next()
    assert "NOPE" in text
    assert mails.is_empty


# --- what lasts --------------------------------------------------------------------------


@pytest.mark.slow
@with_settings(alarm_bridge_minutes=0.02, alarm_minutes=0.05)
async def test_a_silent_bridge_is_told_until_it_is_back(api, mails, look):
    await api.get(WAITING)
    await api.alert(ticker="AAPL")
    [alarm] = await look.until("bridge")  # and none for the signal that waits because of it
    assert alarm["what"] == "1 signal waits, and nobody asks for them."
    subject, _ = await mails.next()
    assert subject == "Pairs-API: The bridge is silent"
    await api.get(WAITING)
    await look.until()


@pytest.mark.slow
@with_settings(alarm_minutes=0.001)
async def test_a_signal_that_the_bridge_does_not_take_is_told_until_it_is_taken(api, mails, look):
    await api.get(WAITING)
    await api.alert(ticker=PAIR)
    [alarm] = await look.until("waiting")
    assert alarm["what"] == "Signal 1, NMFC-ROIC."
    subject, _ = await mails.next()
    assert subject == "Pairs-API: A signal waits too long"
    await api.put("/v3/webhook", {"passphrase": "webhook", "rowid": 1, "order_status": "created"})
    await look.until()


@pytest.mark.slow
@with_settings(alarm_leg_seconds=0.5)
async def test_a_leg_that_hangs_is_told_until_it_is_filled(api, admin, mails, look):
    await api.alert(ticker=PAIR, order_id1=7, order_id2=8)
    fill = {"passphrase": "webhook", "order_id": 7, "symbol": "NMFC", "price": 5, "filled_qty": 100}
    await api.put("/v3/signal/updateorder", fill)
    [alarm] = await look.until("leg")
    assert alarm["what"] == "Signal 1, NMFC-ROIC: ROIC is not filled."
    await mails.next()  # of what has been seen nobody is told
    answer = await api.post(f"/v3/alarm/{alarm['id']}/acknowledge", {}, token=admin)
    assert answer.json["closed"] is None, "it is still true"
    await look.until("leg")
    fill |= {"order_id": 8, "symbol": "ROIC", "filled_qty": 72}
    await api.put("/v3/signal/updateorder", fill)
    await look.until()


@with_settings(alarms_off=["not_traded", "rejected"])
async def test_kinds_that_nobody_wants_are_no_alarms(api, look):
    await api.alert(ticker="NOPE")
    await api.post("/v3/webhook", alert(ticker=""))
    await strategy(api, ("flat", 0, "long", 1), ("flat", 0, "long", 2))
    await look.until("missed")


async def test_beyond_so_many_of_one_kind_one_alarm_stands_for_all(api, admin, look, monkeypatch):
    monkeypatch.setattr("services.look.MOST_OPEN", 2)
    for number in range(5):
        await api.alert(ticker="NOPE", alert_id=str(number))
    await api.post("/v3/webhook", alert(ticker=""))
    kinds = ["not_traded", "not_traded", "not_traded", "rejected"]
    found = await look.until(*kinds)
    last = "Signal 5, NOPE: the ticker is not registered"
    while (more := found[0])["what"] != f"3 more. The last: {last}":
        found = await look.until(*kinds)
    assert more["subject"] == "more"
    newest = max(each["id"] for each in found)
    answer = await api.post("/v3/alarms/acknowledge", {"last": newest}, token=admin)
    assert answer.json == {"message": "4 acknowledged."}
    await look.until()
    await api.alert(ticker="LATER")
    [alarm] = await look.until("not_traded")
    assert "LATER" in alarm["what"]


# --- what the rules have decided ----------------------------------------------------------


async def set_mode(api, admin, mode):
    assert (await api.put("/v3/trading", {"mode": mode}, token=admin)).status == 200


async def lose(api, admin):
    await api.put("/v3/limits", {"loss": 50}, token=admin)
    await api.post("/v3/regpnl", {"passphrase": "webhook", "DailyPnL": -60})


async def stop_an_exit(api, admin):
    await set_mode(api, admin, "off")
    await strategy(api, ("long", 10, "flat", 0))


async def hold_back(api, admin):
    await set_mode(api, admin, "ask")
    await strategy(api, ("flat", 0, "long", 10))


async def go_beyond_a_limit(api, admin):
    await api.put("/v3/limits", {"entries": 0}, token=admin)
    await strategy(api, ("flat", 0, "long", 10))


DECIDED = [
    ("stopped", lose, "The server has stopped entries", "/setup#limits"),
    ("exit", stop_an_exit, "An exit was not traded", "/dashboard?signal=1"),
    ("held", hold_back, "A signal waits for approval", "/dashboard?signal=1"),
    ("refused", go_beyond_a_limit, "A rule has held alerts back", "/list?status=not_traded"),
]


@with_settings(url="http://pairs.example.com")
@pytest.mark.parametrize(("kind", "cause", "title", "page"), DECIDED)
async def test_what_was_decided_is_told_with_the_page_where_a_person_acts(
    api, admin, mails, look, kind, cause, title, page
):
    await cause(api, admin)
    [alarm] = await look.until(kind)
    subject, text = await mails.next()
    assert (alarm["title"], subject) == (title, f"Pairs-API: {title}")
    assert alarm["what"] in text
    assert f"http://pairs.example.com{page}" in text.split("\n")


async def test_a_held_signal_is_over_once_somebody_has_decided(api, admin, mails, look):
    await hold_back(api, admin)
    [alarm] = await look.until("held")
    assert alarm["what"] == "Signal 1, AAPL."
    answer = await api.post(f"/v3/alarm/{alarm['id']}/acknowledge", {}, token=admin)
    assert answer.json["closed"] is None, "it still waits"
    await api.post("/v3/signal/1/approve", {}, token=admin)
    await look.until()
    await strategy(api, ("long", 10, "short", 10))
    [alarm] = await look.until("held")
    await api.post("/v3/signal/2/refuse", {}, token=admin)
    await look.until()


async def test_an_exit_is_over_once_it_is_offered_again(api, admin, mails, look):
    await stop_an_exit(api, admin)
    await look.until("exit")
    await set_mode(api, admin, "on")
    body = {"rowid": 1, "order_status": "waiting"}
    assert (await api.put("/v3/webhook", body, token=admin)).status == 200
    await look.until()


async def test_many_alerts_beyond_a_limit_are_told_in_one_message(api, app, admin, mails, look):
    await go_beyond_a_limit(api, admin)
    [alarm] = await look.until("refused")
    await mails.next()
    await until_told(app, alarm)
    await strategy(api, *[("flat", 0, "long", 10)] * 7)
    while alarm["number"] != 8:
        [alarm] = await look.all()
    assert alarm["what"].startswith("8 alerts. The last: Signal 8, AAPL: ")
    await api.alert(ticker="NOPE")
    subject, _ = await mails.next()
    assert subject == "Pairs-API: An alert was not traded", "and nothing of the others again"
    assert mails.is_empty


@pytest.mark.parametrize(("kind", "cause", "title", "page"), DECIDED)
@with_settings(alarms_off=["stopped", "exit", "held", "refused"])
async def test_what_was_decided_is_no_alarm_if_nobody_wants_that(
    api, admin, look, kind, cause, title, page
):
    await cause(api, admin)
    await set_mode(api, admin, "on")
    await api.alert(ticker="NOPE")
    await look.until("not_traded")


# --- telling -----------------------------------------------------------------------------


async def test_what_nobody_acknowledges_is_told_again(api, app, admin, mails, look):
    await api.alert(ticker="NOPE")
    [alarm] = await look.until("not_traded")
    await mails.next()
    await until_told(app, alarm)
    await make_due(app)
    subject, text = await mails.next()
    assert subject == "Pairs-API: An alert was not traded"
    assert text.startswith("Still open. An alert was not traded")


async def until_told(app, alarm):
    """Returns once the database knows that all places know of an alarm: its row."""
    while not (row := await app.reader.run(models.Alarm.get_by_id, alarm["id"])).notified:
        pass
    return row


async def until_tried(app, times):
    """Returns once it was tried so often to tell of the one alarm: its row."""
    while (row := await app.reader.run(models.Alarm.get)).tries != times:
        pass
    return row


async def test_what_was_not_taken_is_sent_again_at_growing_intervals(api, app, mails, look):
    mails.refusals = 5
    await api.alert(ticker="NOPE")
    await look.until("not_traded")
    for tries, pause in enumerate((5, 300, 1800, 7200, 3600), 1):
        row = await until_tried(app, tries)
        assert pause - 10 < row.due - time.time() <= pause
        assert mails.is_empty
        await make_due(app)
    assert "NOPE" in (await mails.next())[1]


async def test_only_those_who_were_not_reached_are_sent_it_again(
    app, api, mails, mail_server, look
):
    # The teller's second place does not take anything.
    app.watchman.teller.places.append(Place(2, mail_server.nowhere()))
    await api.alert(ticker="NOPE")
    await mails.next()
    await until_tried(app, 1)
    await make_due(app)
    await until_tried(app, 2)
    assert mails.is_empty


@with_settings(quiet_times=["00:00-24:00"], alarm_missed_seconds=0)
async def test_in_quiet_times_alarms_are_shown_and_not_sent(api, app, admin, mails, look):
    await api.alert(ticker="NOPE")
    await look.until("not_traded")
    await make_due(app)
    answer = await api.post("/v3/alarms/test", {}, token=admin)
    assert answer.json["places"] == [{"place": 1, "kind": "mailto", "sent": True, "why": None}]
    assert (await mails.next())[0] == "Pairs-API: a test"
    assert mails.is_empty


@with_settings(alarm_pause_seconds=3600)
async def test_what_begins_within_a_pause_goes_into_one_message(api, app, mails, look):
    await api.alert(ticker="NOPE")
    await mails.next()
    for ticker in ("ONE", "TWO"):
        await api.alert(ticker=ticker)
    await look.until(*["not_traded"] * 3)
    assert mails.is_empty
    app.watchman.teller._told_at = -inf  # the pause is over
    app.watchman.teller.wake()
    subject, text = await mails.next()
    assert subject == "Pairs-API: An alert was not traded, and 1 more"
    assert "ONE" in text
    assert "TWO" in text


async def test_an_alarm_is_told_at_once_although_the_clock_was_set_back(
    api, mails, look, monkeypatch
):
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + 3600)
    await api.alert(ticker="NOPE")
    await mails.next()
    monkeypatch.setattr(time, "time", right)
    await api.alert(ticker="ONE")
    _, text = await mails.next()
    assert "ONE" in text


NOBODY = "nothing listens at that host and port"
UNREADABLE = "apprise does not understand the address; see how it is written for this service"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((PASSWORD, "wrong"), "it refused the user name, password or token"),
        (("127.0.0.1", "nosuch.invalid"), "the name of its host is unknown; see its spelling"),
        (
            ("mailto://", "mailtos://"),
            "the encryption does not fit: see the port, or its certificate",
        ),
    ],
)
@ON_SQLITE
async def test_a_failed_test_says_why_in_plain_words(api, app, admin, mail_server, change, why):
    app.watchman.teller.places[:] = [Place(1, mail_server.address().replace(*change))]
    answer = await api.post("/v3/alarms/test", {}, token=admin)
    assert [each["why"] for each in answer.json["places"]] == [why]


@ON_SQLITE
async def test_a_mail_that_is_refused_says_so(api, app, admin, mails, mail_server):
    mail_server.refusals = 1
    answer = await api.post("/v3/alarms/test", {}, token=admin)
    assert "mail server" in answer.json["places"][0]["why"]


@ON_SQLITE
async def test_a_test_names_who_took_it_and_never_an_address(
    api, app, admin, mails, mail_server, caplog
):
    caplog.set_level(logging.DEBUG)
    for url in (mail_server.nowhere(), "nosuch://s3cret-token/x"):
        app.watchman.teller.places.append(Place(len(app.watchman.teller.places) + 1, url))
    answer = await api.post("/v3/alarms/test", {}, token=admin)
    assert answer.json == {
        "message": "1 of 3 took the message.",
        "places": [
            {"place": 1, "kind": "mailto", "sent": True, "why": None},
            {"place": 2, "kind": "mailto", "sent": False, "why": NOBODY},
            {"place": 3, "kind": "nosuch", "sent": False, "why": UNREADABLE},
        ],
    }
    told = "\n".join(each.getMessage() for each in caplog.records if each.name != "mail.log")
    assert f"place 2 (mailto) took no message: {NOBODY}" in told
    assert f"place 3 (nosuch) took no message: {UNREADABLE}" in told
    for secret in (PASSWORD, "s3cret-token", "owner@example.com"):
        assert secret not in told


@with_settings(alarm_urls=[])
async def test_a_test_without_places_says_so(api, admin):
    answer = await api.post("/v3/alarms/test", {}, token=admin)
    assert answer.status == 400
    assert "alarm_urls" in answer.json["message"]


@ON_SQLITE
async def test_a_new_start_tells_nothing_twice(serve, mails):
    async with serve() as api:
        await api.alert(ticker="NOPE")
        assert "NOPE" in (await mails.next())[1]
    async with serve() as api:
        token = await api.token()
        assert [each["kind"] for each in (await api.get("/v3/alarms", token=token)).json["alarms"]]
        await api.alert(ticker="LATER")
        _, text = await mails.next()
    assert "LATER" in text
    assert "NOPE" not in text


# --- one of several ----------------------------------------------------------------------


async def test_one_process_looks_until_it_says_that_it_does_not(app):
    def took(*names):
        return [alarms.take_watch(name, 30) for name in names]

    def try_all():
        models.AlarmWatch.update(until=0).execute()
        first = took("a", "b", "a")
        alarms.release_watch("b")
        second = took("b")
        alarms.release_watch("a")
        return first, second, took("b", "a")

    first, second, third = await app.writer.submit(try_all)
    assert first == [True, False, True]
    assert second == [False]
    assert third == [True, False]


async def test_what_is_due_is_given_to_one(app):
    def work():
        alarms.begin([(Case("error", "1", 0.0, "x"), 1.0)])
        return [len(alarms.claim(time.time())) for _ in range(2)]

    app.watchman.teller.places.clear()
    assert await app.writer.submit(work) == [1, 0]
