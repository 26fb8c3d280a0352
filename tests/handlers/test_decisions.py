"""What the server decides before the bridge trades: modes, approval, age, limits and losses."""

import asyncio
from itertools import product

import orjson
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

import models
from services import decisions, signals
from tests.conftest import PATIENCE, alert
from tests.handlers.conftest import ACCOUNT, PASS, step
from trading import guards, instants

pytestmark = [pytest.mark.gen_test(timeout=60), pytest.mark.usefixtures("desk")]

WAITING = "/v3/signals/status/waiting/0"
PAIR = "NMFC-0.72*NASDAQ:ROIC"
SYNC = {
    "ticker": "ROIC",
    "status_msg": "created due to sync",
    "order_comment": "Enter Short due to sync",
    "bypass_ticker_status": True,
    "order_price": None,
}
HELD = ("held", "held for approval")
CUT = ("waiting", "reversal cut to its exit")
ENTRIES_OFF = ("canceled", "entries are off")
TRADING_OFF = ("canceled", "trading is off")
WAITS = ("waiting", None)


def with_settings(**settings):
    """Settings of one test."""
    return pytest.mark.parametrize("overrides", [settings], indirect=True)


@pytest.fixture
def desk_of(api, admin):
    return Desk(api, admin)


class Desk:
    """What a test does again and again, as an administrator."""

    def __init__(self, api, token):
        self.api, self.token = api, token

    async def mode(self, mode, **more):
        """Sets the mode for all; the answer's JSON."""
        answer = await self.api.put("/v3/trading", {"mode": mode, **more}, token=self.token)
        assert answer.status == 200, answer.text
        return answer.json

    async def mode_of(self, name, mode):
        """Sets the mode of a pair or stock; the answer's JSON."""
        path, key = ("/v3/regpair", "name") if "-" in name else ("/v3/regticker", "symbol")
        answer = await self.api.put(path, {key: name, "mode": mode}, token=self.token)
        assert answer.status == 200, answer.text
        return answer.json

    async def limits(self, **limits):
        answer = await self.api.put("/v3/limits", limits, token=self.token)
        assert answer.status == 200, answer.text
        return answer.json

    async def state(self):
        return (await self.api.get("/v3/trading", token=self.token)).json

    async def alert(self, before, after, **fields):
        """An alert of AAPL from one signed size to another; the answer's JSON."""
        answer = await self.api.alert(**{"ticker": "AAPL"} | step(before, after) | fields)
        assert answer.status in (200, 201), answer.text
        return answer.json

    async def signal(self, rowid):
        return (await self.api.get(f"/v3/signal/{rowid}")).json

    async def status(self, rowid):
        """(status, message) of a signal."""
        signal = await self.signal(rowid)
        return signal["order_status"], signal["status_msg"]

    async def waiting(self):
        """The rowids that the bridge is offered."""
        return [each["rowid"] for each in (await self.api.get(WAITING)).json["signals"]]

    async def history(self, rowid):
        answer = await self.api.get(f"/v3/signal/{rowid}/events", token=self.token)
        return answer.json["events"]

    async def act(self, rowid, act, token=None):
        return await self.api.post(f"/v3/signal/{rowid}/{act}", {}, token=token or self.token)

    async def events(self, kind):
        """The stored events of a type."""
        told = (await self.api.get("/v3/events?limit=1000", token=self.token)).json["events"]
        return [each for each in told if each["type"].startswith(kind)]


# --- modes -------------------------------------------------------------------------------

KINDS = {  # one alert of each kind, each of a ticker of its own
    guards.ENTRY: {"ticker": "AAPL", **step(0, 10)},
    guards.EXIT: {"ticker": "MA-3*V", **step(-10, -4)},
    guards.REVERSAL: {"ticker": PAIR, **step(10, -6)},
    guards.SYNC: step(0, -7) | SYNC,
}
BY_MODE = {
    "on": (WAITS, WAITS, WAITS, ("waiting", "created due to sync")),
    "ask": (HELD, WAITS, HELD, ("waiting", "created due to sync")),
    "exits": (ENTRIES_OFF, WAITS, CUT, ("waiting", "created due to sync")),
    "off": (TRADING_OFF,) * 4,
}
DONE = {  # what the answer tells of those that wait already
    "on": {"canceled": 0, "cut": 0, "at_broker": 2, "held": 0},
    "ask": {"canceled": 0, "cut": 0, "at_broker": 2, "held": 2},
    "exits": {"canceled": 1, "cut": 1, "at_broker": 2, "held": 0},
    "off": {"canceled": 4, "cut": 0, "at_broker": 2, "held": 0},
}


@pytest.mark.parametrize("mode", guards.MODES)
async def test_a_mode_decides_about_what_arrives(desk_of, mode):
    await desk_of.mode(mode)
    for rowid, (fields, expected) in enumerate(
        zip(KINDS.values(), BY_MODE[mode], strict=True), start=1
    ):
        told = (await desk_of.api.alert(**fields)).json
        assert told["rowid"] == rowid
        assert told["message"] == "Signal created successfully."
        ruled = expected not in (WAITS, BY_MODE["on"][3])
        assert told.get("reason") == (expected[1] if ruled else None)
        assert await desk_of.status(rowid) == expected
    offered = [n for n, (status, _) in enumerate(BY_MODE[mode], 1) if status == "waiting"]
    assert await desk_of.waiting() == offered[::-1]


@pytest.mark.parametrize("mode", guards.MODES)
async def test_a_mode_decides_about_what_waits_already(desk_of, mode):
    for fields in KINDS.values():
        await desk_of.api.alert(**fields)
    await desk_of.alert(0, 5, ticker="NYSE:BF.B", order_status="created", order_id1=7)
    await desk_of.alert(0, 5, ticker="EUR.USD", order_status="part.filled", order_id1=8)
    await desk_of.alert(0, 5, ticker="BTC.USD", order_status="filled", order_id1=9)
    told = await desk_of.mode(mode, reason="Fed at 20:00")
    assert {key: told[key] for key in DONE[mode]} == DONE[mode]
    assert (told["mode"], told["by"], told["reason"]) == (mode, "admin", "Fed at 20:00")
    for rowid, expected in enumerate(BY_MODE[mode], 1):
        assert await desk_of.status(rowid) == expected
    assert [(await desk_of.signal(rowid))["order_status"] for rowid in (5, 6, 7)] == [
        *("created", "part.filled", "filled")
    ]
    again = await desk_of.mode(mode)
    assert (again["canceled"], again["cut"]) == (0, 0)


async def test_the_stricter_of_both_modes_holds(desk_of):
    for everywhere, own in product(guards.MODES, guards.MODES):
        await desk_of.mode(everywhere)
        await desk_of.mode_of("AAPL", own)
        await desk_of.mode_of("NMFC-ROIC", own)
        expected = BY_MODE[guards.stricter(everywhere, own)][0]
        for ticker in ("AAPL", PAIR):
            rowid = (await desk_of.alert(0, 10, ticker=ticker))["rowid"]
            assert await desk_of.status(rowid) == expected, (everywhere, own)
        others = (await desk_of.alert(0, 10, ticker="MA-3*V"))["rowid"]
        assert await desk_of.status(others) == BY_MODE[everywhere][0]


async def test_a_tickers_own_mode_takes_hold_of_what_waits_of_it_and_leaves_it_active(desk_of):
    for ticker in ("AAPL", PAIR, "MA-3*V"):
        await desk_of.alert(0, 10, ticker=ticker)
    assert (await desk_of.mode_of("NMFC-ROIC", "off"))["status"] == 1
    assert (await desk_of.mode_of("AAPL", "ask"))["active"] == 1
    assert [await desk_of.status(rowid) for rowid in (1, 2, 3)] == [HELD, TRADING_OFF, WAITS]
    assert (await desk_of.state())["tickers"] == {"AAPL": "ask", "NMFC-ROIC": "off"}
    assert (await desk_of.state())["mode"] == "on"
    body = {"name": "NMFC-ROIC", "status": 1, "notes": "still off"}
    await desk_of.api.put("/v3/regpair", body, token=desk_of.token)
    assert (await desk_of.state())["tickers"]["NMFC-ROIC"] == "off", "what is not sent stays"
    await desk_of.mode_of("NMFC-ROIC", "on")
    assert (await desk_of.state())["tickers"] == {"AAPL": "ask"}
    assert await desk_of.status(2) == TRADING_OFF, "nothing comes back by itself"


async def test_a_mode_stays_with_what_a_paused_ticker_gets(desk_of):
    for mode in guards.MODES:
        await desk_of.mode_of("KO-PEP", mode)
        rowid = (await desk_of.alert(0, 10, ticker="KO-PEP"))["rowid"]
        assert await desk_of.status(rowid) == ("canceled", "passive ticker")


@pytest.mark.parametrize(
    "body",
    [{}, {"mode": "paused"}, {"mode": None}, {"mode": ["on"]}, {"mode": "on", "reason": "x" * 201}],
)
async def test_what_is_no_mode_changes_nothing(desk_of, body):
    await desk_of.mode("exits")
    answer = await desk_of.api.put("/v3/trading", body, token=desk_of.token)
    assert answer.status == 400
    assert (await desk_of.state())["mode"] == "exits"


async def test_a_stricter_mode_is_told_in_the_history_and_a_cut_shows_what_was_sent(desk_of):
    await desk_of.mode("exits")
    await desk_of.alert(10, -6)
    [created] = await desk_of.history(1)
    changes = created["changes"]
    assert changes["order_contracts"] == [16, 10]
    assert changes["mar_pos"] == ["short", "flat"]
    assert changes["mar_pos_size"] == [6, 0]
    assert changes["status_msg"] == [None, "reversal cut to its exit"]
    await desk_of.mode("on")
    await desk_of.alert(-6, 9, ticker="MA-3*V")
    await desk_of.mode("exits")
    _, cut = await desk_of.history(2)
    assert cut["source"] == "admin"
    assert cut["changes"] == {
        "order_contracts": [15, 6],
        "mar_pos": ["long", "flat"],
        "mar_pos_size": [9, 0],
        "status_msg": [None, "reversal cut to its exit"],
        "strategy_pos": [None, 9],
        "expires": [cut["changes"]["expires"][0], None],
    }


@pytest.mark.parametrize("mode", ["on", "ask", "exits", "off"])
async def test_an_alert_that_repeats_one_stays_a_repeat_in_every_mode(desk_of, mode):
    await desk_of.alert(10, -10, alert_id="a")
    await desk_of.mode("exits")
    await desk_of.alert(10, -10, alert_id="b", ticker="MA-3*V")
    await desk_of.mode(mode)
    for alert_id, ticker, rowid in (("a", "AAPL", 1), ("b", "MA-3*V", 2)):
        same = [desk_of.alert(10, -10, alert_id=alert_id, ticker=ticker) for _ in range(4)]
        for told in await asyncio.gather(*same):
            assert told == {"message": "Signal already recorded.", "rowid": rowid}


async def in_one_batch(app, moves):
    """Alerts that wait together for the writer: (ticker, signed sizes before and after)."""
    sent = [{"source": "webhook", "ticker": ticker, **step(*move)} for ticker, move in moves]
    await app.writer.submit(lambda: signals.receive(sent, app.policy))


# --- approval ----------------------------------------------------------------------------


async def test_an_approved_signal_is_offered_and_a_refused_one_is_canceled(desk_of, plain_user):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10)
    await desk_of.alert(10, -6, ticker=PAIR)
    assert (await desk_of.waiting(), (await desk_of.state())["held"]) == ([], 2)
    answer = await desk_of.act(1, "approve", plain_user)
    assert (answer.status, answer.json["order_status"]) == (200, "waiting")
    answer = await desk_of.act(2, "refuse", plain_user)
    assert (answer.status, answer.json["status_msg"]) == (200, "refused by user1")
    assert (await desk_of.waiting(), (await desk_of.state())["held"]) == ([1], 0)
    assert await desk_of.status(2) == ("canceled", "refused by user1")
    assert [(await desk_of.history(rowid))[-1]["source"] for rowid in (1, 2)] == ["user1"] * 2


@pytest.mark.parametrize("act", ["approve", "refuse"])
async def test_what_is_not_held_any_more_cannot_be_approved_or_refused(desk_of, act):
    for mode, move in (("on", (0, 10)), ("exits", (0, 10)), ("on", (10, 0))):
        await desk_of.mode(mode)
        rowid = (await desk_of.alert(*move))["rowid"]
        before = await desk_of.signal(rowid)
        answer = await desk_of.act(rowid, act)
        assert answer.status == 400
        assert answer.json["message"].endswith("by now; nothing was changed.")
        assert await desk_of.signal(rowid) == before
    assert (await desk_of.act(99, act)).status == 404


async def test_of_many_who_decide_at_once_one_does(desk_of):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10)
    acts = ["approve", "refuse"] * 5
    answers = await asyncio.gather(*(desk_of.act(1, act) for act in acts))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 9
    assert len(await desk_of.history(1)) == 2


@pytest.mark.parametrize(
    ("ticker", "path", "change", "reason"),
    [
        ("AAPL", "/v3/regticker", {"symbol": "AAPL", "active": 0}, "the ticker is paused"),
        (PAIR, "/v3/regpair", {"name": "NMFC-ROIC", "status": 0}, "the ticker is paused"),
        (
            *(PAIR, "/v3/regpair", {"name": "NMFC-ROIC", "hedge": 2}),
            "another hedge ratio is registered for this pair",
        ),
    ],
)
async def test_what_was_paused_meanwhile_cannot_be_approved(desk_of, ticker, path, change, reason):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10, ticker=ticker)
    assert (await desk_of.api.put(path, change, token=desk_of.token)).status == 200
    answer = await desk_of.act(1, "approve")
    assert (answer.status, answer.json["message"]) == (400, f"{reason}; nothing was changed.")
    assert await desk_of.status(1) == HELD
    assert (await desk_of.act(1, "refuse")).status == 200


async def test_what_has_expired_cannot_be_approved_also_before_it_is_canceled(
    desk_of, app, monkeypatch
):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10, alert_time=instants.ago(880))
    row = models.Signal.get_by_id(1)
    monkeypatch.setattr(instants, "now", lambda: row.expires)
    for _ in range(2):
        assert (await desk_of.act(1, "approve")).status == 400
        await app.expire()
    assert await desk_of.status(1) == ("canceled", "expired after 15 min")


@pytest.mark.parametrize("mode", ["exits", "off"])
async def test_an_approval_does_not_go_round_the_mode(desk_of, mode):
    """A sender, or an owner, may also set a signal to held."""
    await desk_of.alert(0, 10, order_status="created")
    held = {"rowid": 1, "order_status": "held"}
    await desk_of.mode(mode)
    assert (await desk_of.api.put("/v3/webhook", held, token=desk_of.token)).status == 200
    answer = await desk_of.act(1, "approve")
    assert answer.status == 400
    assert await desk_of.waiting() == []


async def test_an_alert_that_is_sent_as_held_is_decided_about_like_any_other(desk_of):
    await desk_of.alert(0, 10, order_status="held")
    assert models.Signal.get_by_id(1).expires is not None
    await desk_of.mode("off")
    await desk_of.alert(0, 10, order_status="held", ticker=PAIR)
    assert [await desk_of.status(rowid) for rowid in (1, 2)] == [TRADING_OFF] * 2
    await desk_of.mode("on")
    await desk_of.limits(entries=1)
    told = await desk_of.alert(0, 10, order_status="held")
    assert told["reason"] == "limit: 1 of 1 entries today"


@pytest.mark.parametrize(
    "set_again",
    [
        lambda desk: desk.mode("ask", reason="again"),
        lambda desk: desk.mode_of("MA-V", "exits"),
        lambda desk: desk.mode_of("AAPL", "ask"),
    ],
    ids=["the same mode", "another ticker's", "its own, no stricter"],
)
async def test_what_was_approved_stays_approved_until_a_stricter_mode(desk_of, set_again):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10)
    await desk_of.act(1, "approve")
    await set_again(desk_of)
    assert await desk_of.waiting() == [1]
    await desk_of.mode_of("AAPL", "exits")
    assert await desk_of.status(1) == ENTRIES_OFF


@pytest.mark.parametrize("ticker", ["AAPL", PAIR])
async def test_a_newer_alert_of_its_ticker_ends_a_held_one(desk_of, ticker):
    await desk_of.mode("ask")
    await desk_of.alert(0, 3, ticker="MA-3*V")
    for move in [(0, 10), (10, 25), (25, 0)]:
        await desk_of.alert(*move, ticker=ticker)
    assert [await desk_of.status(rowid) for rowid in range(1, 5)] == [
        *(HELD, ("canceled", "overtaken by 3"), ("canceled", "overtaken by 4"), WAITS)
    ]
    assert await desk_of.waiting() == [4]
    assert (await desk_of.history(2))[-1]["source"] == "system"


async def test_of_alerts_that_come_at_once_only_the_newest_of_each_ticker_is_held(desk_of):
    await desk_of.mode("ask")
    await asyncio.gather(*(desk_of.alert(0, 10, ticker=each) for each in ["AAPL", PAIR] * 10))
    rows = (await desk_of.api.get("/v3/signals/0", token=desk_of.token)).json["signals"]
    for leg in ("AAPL", "NMFC"):
        newest, *older = [each for each in rows if each["ticker1"] == leg]
        assert newest["order_status"] == "held"
        later = [newest, *older]
        for each, after in zip(older, later, strict=False):
            assert each["status_msg"] == f"overtaken by {after['rowid']}"
    assert (await desk_of.state())["held"] == 2


async def test_in_one_batch_the_newer_alert_ends_the_held_one(desk_of, app):
    await desk_of.mode("ask")
    moves = [("AAPL", (0, 10)), (PAIR, (0, 7)), ("AAPL", (10, 15)), (PAIR, (7, 0))]
    await in_one_batch(app, moves)
    assert [await desk_of.status(rowid) for rowid in range(1, 5)] == [
        *(("canceled", "overtaken by 3"), ("canceled", "overtaken by 4"), HELD, WAITS)
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {**SYNC, "ticker": "AAPL", "bypass_ticker_status": True},
        {"ticker": "MA-3*V"},
        {"alert_id": "same"},
    ],
    ids=["the bridge's own", "another ticker's", "a repeat"],
)
async def test_what_is_no_newer_alert_of_its_strategy_ends_nothing(desk_of, fields):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10, alert_id="same")
    await desk_of.alert(0, 10, **fields)
    assert await desk_of.status(1) == HELD


async def test_an_entry_after_the_exit_that_ended_a_held_one_is_not_too_late(desk_of):
    """The positions of a held signal that was ended count like those of any other."""
    await desk_of.alert(10, 0)
    await desk_of.mode("ask")
    await desk_of.alert(0, 10)
    await desk_of.alert(10, 0)
    await desk_of.alert(0, 10)
    assert await desk_of.status(2) == ("canceled", "overtaken by 3")
    assert await desk_of.status(4) == HELD


async def test_what_follows_a_cut_reversal_is_in_the_strategys_order(desk_of):
    await desk_of.mode("exits")
    for move in [(10, -10), (-10, 10), (10, 0), (0, 5)]:
        await desk_of.alert(*move)
    assert [await desk_of.status(rowid) for rowid in range(1, 5)] == [CUT, CUT, WAITS, ENTRIES_OFF]


# --- age ---------------------------------------------------------------------------------


async def test_the_waiting_list_never_offers_what_has_expired(desk_of, app, monkeypatch):
    await desk_of.alert(0, 10, alert_time=instants.ago(880))
    await desk_of.alert(0, 10, ticker=PAIR, alert_time=instants.ago(600))
    await desk_of.alert(10, 0, ticker="MA-3*V", alert_time=instants.ago(100_000))
    expires = models.Signal.get_by_id(1).expires
    last = instants.from_epoch(instants.unix(expires) - 1)
    paths = (WAITING, "/v3/signals/0?status=waiting", WAITING + "?since=2020-01-01")
    paths += ("/v3/signals/status/rerouted/0", WAITING + "?sort=rowid")

    async def offered(token=None):
        answers = [await desk_of.api.get(path, token=token) for path in paths for _ in range(2)]
        return {each["rowid"] for answer in answers for each in answer.json["signals"]}

    await desk_of.api.put("/v3/webhook", {**PASS, "rowid": 1, "order_status": "rerouted"})
    for token in (None, desk_of.token):
        monkeypatch.setattr(instants, "now", lambda: last)
        assert await offered(token) == {1, 2, 3}
        assert (await desk_of.state())["waiting"] == 3
        monkeypatch.setattr(instants, "now", lambda: expires)
        assert await offered(token) == {2, 3}
        assert (await desk_of.state())["waiting"] == 2
    # The bridge reads a signal that it has seen in the list, whatever became of it.
    assert (await desk_of.signal(1))["order_status"] == "rerouted"
    await app.expire()
    assert await offered() == {2, 3}
    assert await desk_of.status(1) == ("canceled", "expired after 15 min")
    assert (await desk_of.history(1))[-1]["source"] == "system"
    monkeypatch.setattr(instants, "now", lambda: "2099-01-01 00:00:00")
    await app.expire()
    assert await offered() == {3}, "an exit never expires"


async def test_an_alert_that_is_too_old_when_it_comes_is_never_offered(desk_of):
    told = await desk_of.alert(0, 10, alert_time=instants.ago(901))
    assert told["reason"] == "expired after 15 min"
    assert await desk_of.status(told["rowid"]) == ("canceled", "expired after 15 min")
    told = await desk_of.alert(10, -10, alert_time=instants.ago(901))
    assert await desk_of.status(told["rowid"]) == ("canceled", "expired after 15 min")
    await desk_of.alert(-10, 0, alert_time=instants.ago(901))
    assert await desk_of.waiting() == [3]


@with_settings(entry_minutes=0)
async def test_without_an_age_nothing_expires(desk_of, app, monkeypatch):
    await desk_of.alert(0, 10, alert_time=instants.ago(100_000))
    monkeypatch.setattr(instants, "now", lambda: "2099-01-01 00:00:00")
    await app.expire()
    assert await desk_of.waiting() == [1]


async def test_a_held_signal_expires_too(desk_of, app, monkeypatch):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10)
    monkeypatch.setattr(instants, "now", lambda: "2099-01-01 00:00:00")
    await app.expire()
    assert await desk_of.status(1) == ("canceled", "expired after 15 min")


@with_settings(entry_hours=["03:00-03:01 sun", "Asia/Tokyo 03:00-03:01 sun"])
async def test_outside_the_entry_hours_only_exits_are_traded(desk_of, monkeypatch):
    monkeypatch.setattr(decisions.time, "time", lambda: instants.unix("2026-11-24 15:30:00"))
    for fields in KINDS.values():
        await desk_of.api.alert(**fields)
    assert [await desk_of.status(rowid) for rowid in (1, 2, 3, 4)] == [
        ("canceled", "outside entry hours"),
        WAITS,
        ("waiting", "reversal cut to its exit, outside entry hours"),
        ("waiting", "created due to sync"),
    ]


# --- what comes back ---------------------------------------------------------------------


async def by_mode(desk, app):
    await desk.mode("exits")
    await desk.alert(0, 10)
    await desk.mode("on")


async def by_a_mode_that_came_later(desk, app):
    await desk.alert(0, 10)
    await desk.mode("off")
    await desk.mode("on")


async def by_age(desk, app):
    await desk.alert(0, 10, alert_time=instants.ago(900))


async def by_a_limit(desk, app):
    await desk.limits(entries=0)
    await desk.alert(0, 10)
    await desk.limits(entries=None)


async def by_a_person(desk, app):
    await desk.mode("ask")
    await desk.alert(0, 10)
    await desk.act(1, "refuse")
    await desk.mode("on")


async def by_holding(desk, app):
    await desk.mode("ask")
    await desk.alert(0, 10)
    await desk.mode("on")


async def by_a_newer_alert(desk, app):
    await by_holding(desk, app)
    await desk.alert(0, 10)


ENDED = [by_mode, by_a_mode_that_came_later, by_age, by_a_limit, by_a_person, by_holding]
ENDED += [by_a_newer_alert]


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDED)
@pytest.mark.parametrize("status", ["waiting", "rerouted"])
async def test_the_bridge_never_brings_back_what_was_decided(desk_of, app, end, status):
    """It had read the signal before, and sends the whole record back."""
    await end(desk_of, app)
    before = await desk_of.signal(1)
    body = before | PASS | {"order_status": status, "status_msg": "+route", "error_msg": ""}
    answer = await desk_of.api.put("/v3/webhook", body)
    assert answer.status == 200
    assert await desk_of.status(1) == (before["order_status"], before["status_msg"])
    assert 1 not in await desk_of.waiting()


@pytest.mark.parametrize("end", ENDED)
async def test_what_the_bridge_has_ordered_meanwhile_is_taken_down(desk_of, app, end):
    await end(desk_of, app)
    body = (await desk_of.signal(1)) | PASS
    body |= {"order_status": "created", "status_msg": "", "order_id1": 1010}
    assert (await desk_of.api.put("/v3/webhook", body)).status == 200
    assert await desk_of.status(1) == ("created", "")


@pytest.mark.parametrize("mode_then", ["exits", "on"])
async def test_the_bridge_does_not_undo_a_cut(desk_of, mode_then):
    await desk_of.alert(10, -10)
    [read] = (await desk_of.api.get(WAITING)).json["signals"]
    await desk_of.mode("exits")
    await desk_of.mode(mode_then)
    body = read | PASS | {"order_status": "rerouted", "status_msg": "+route", "error_msg": ""}
    await desk_of.api.put("/v3/webhook", body)
    [offered] = (await desk_of.api.get(WAITING)).json["signals"]
    assert (offered["order_contracts"], offered["mar_pos"], offered["mar_pos_size"]) == (
        *(10, "flat", 0),
    )
    placed = read | PASS | {"order_status": "created", "status_msg": "", "order_id1": 5}
    await desk_of.api.put("/v3/webhook", placed)
    signal = await desk_of.signal(1)
    assert (signal["order_status"], signal["order_contracts"]) == ("created", 20)


async def test_an_edit_by_passphrase_does_not_go_round_a_mode(desk_of):
    await desk_of.mode("exits")
    await desk_of.alert(10, 0)
    larger = PASS | {"rowid": 1, "order_status": "waiting"} | step(10, -10)
    await desk_of.api.put("/v3/webhook", larger)
    signal = await desk_of.signal(1)
    assert (signal["order_contracts"], signal["mar_pos"]) == (10, "flat")
    await desk_of.mode_of("MA-V", "off")
    await desk_of.api.put("/v3/webhook", PASS | {"rowid": 1, "ticker": "MA-3*V"})
    assert await desk_of.waiting() == []


async def test_an_approved_signal_may_be_rerouted_by_the_bridge(desk_of):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10)
    await desk_of.act(1, "approve")
    expires = models.Signal.get_by_id(1).expires
    body = (await desk_of.signal(1)) | PASS | {"order_status": "rerouted", "status_msg": "+route"}
    await desk_of.api.put("/v3/webhook", body)
    assert await desk_of.status(1) == ("rerouted", "+route")
    assert models.Signal.get_by_id(1).expires == expires, "its time goes on"


@pytest.mark.parametrize("end", ENDED[:-2])
async def test_the_owner_may_offer_it_again_and_its_time_begins_anew(desk_of, app, end):
    await end(desk_of, app)
    body = {"rowid": 1, "order_status": "waiting", "status_msg": ""}
    least = instants.from_epoch(instants.epoch() + 900)
    answer = await desk_of.api.put("/v3/webhook", body, token=desk_of.token)
    assert answer.status == 200
    assert await desk_of.waiting() == [1]
    assert models.Signal.get_by_id(1).expires >= least
    assert "signal.offered" in await audited(desk_of)


OFFERS = [
    # the mode and what it decides, and whether the owner may offer an entry, a reversal, an exit
    ("on", (True, True, True), ""),
    ("ask", (True, True, True), ""),
    ("exits", (False, False, True), "entries were off; change the mode first"),
    ("off", (False, False, False), "trading was off; change the mode first"),
]


@pytest.mark.parametrize(("mode", "expected", "reason"), OFFERS)
@pytest.mark.parametrize("ticker", ["AAPL", PAIR])
async def test_what_a_mode_forbids_its_owner_cannot_offer_again(
    desk_of, mode, expected, reason, ticker
):
    await desk_of.mode("off")
    for move in ((0, 10), (10, -10), (10, 0)):
        await desk_of.alert(*move, ticker=ticker)
    await desk_of.mode("on")
    await desk_of.mode_of("NMFC-ROIC" if "-" in ticker else ticker, mode)
    for rowid, allowed in enumerate(expected, 1):
        body = {"rowid": rowid, "order_status": "waiting"}
        answer = await desk_of.api.put("/v3/webhook", body, token=desk_of.token)
        assert answer.status == (200 if allowed else 400), answer.text
        if not allowed and rowid == 1:
            assert answer.json["message"] == {"order_status": reason}
        assert ((await desk_of.signal(rowid))["order_status"] == "waiting") == allowed


async def test_an_exit_that_was_made_of_an_entry_does_not_expire(desk_of, app, monkeypatch):
    await desk_of.alert(0, 10)
    body = {"rowid": 1, **step(10, 0)}
    assert (await desk_of.api.put("/v3/webhook", body, token=desk_of.token)).status == 200
    await desk_of.alert(10, 0, ticker=PAIR)
    body = {"rowid": 2, **step(0, 10)}
    assert (await desk_of.api.put("/v3/webhook", body, token=desk_of.token)).status == 200
    monkeypatch.setattr(instants, "now", lambda: "2099-01-01 00:00:00")
    await app.expire()
    assert await desk_of.waiting() == [1]


# --- limits ------------------------------------------------------------------------------


async def statuses(desk):
    rows = (await desk.api.get("/v3/signals/0", token=desk.token)).json["signals"]
    return [(each["order_status"], each["status_msg"]) for each in rows]


@pytest.mark.parametrize("mode", ["on", "ask"])
async def test_of_many_alerts_at_once_exactly_so_many_entries_pass(desk_of, mode):
    await desk_of.limits(entries=3)
    await desk_of.mode(mode)
    tickers = ["AAPL", PAIR, "MA-3*V", "EUR.USD", "NYSE:BF.B"] * 10
    sent = [desk_of.alert(0, 10, ticker=ticker) for ticker in tickers]
    await asyncio.gather(*sent)
    found = await statuses(desk_of)
    refused = found.count(("canceled", "limit: 3 of 3 entries today"))
    assert (len(found), refused) == (50, 47)
    state = await desk_of.state()
    assert (state["today"]["entries"], state["limits"]["entries"]) == (3, 3)


async def test_of_many_alerts_at_once_so_many_entries_of_each_ticker_pass(desk_of):
    await desk_of.limits(ticker_entries=2)
    sent = [desk_of.alert(0, 10, ticker=ticker) for ticker in ["AAPL", PAIR, "NASDAQ:AAPL"] * 17]
    await asyncio.gather(*sent)
    today = (await desk_of.state())["today"]
    assert today["ticker_entries"] == {"AAPL": 2, "NMFC-ROIC": 2}
    refused = ("canceled", "limit: 2 of 2 entries of this ticker today")
    assert (await statuses(desk_of)).count(refused) == 51 - 4


async def test_of_many_alerts_at_once_so_many_tickers_open(desk_of):
    await desk_of.limits(open=2)
    tickers = ["AAPL", PAIR, "MA-3*V", "EUR.USD", "NYSE:BF.B"] * 4
    await asyncio.gather(*(desk_of.alert(0, 10, ticker=ticker) for ticker in tickers))
    waiting = (await desk_of.api.get(WAITING, token=desk_of.token)).json["signals"]
    assert len({(each["ticker1"], each["ticker2"]) for each in waiting}) == 2
    assert (await desk_of.state())["today"]["open"] == 2


async def test_an_exit_frees_the_place_of_a_ticker_that_is_open(desk_of):
    await desk_of.limits(open=1)
    for ticker, move, passes in [
        (PAIR, (0, 10), True),
        ("AAPL", (0, 10), False),
        ("AAPL", (5, -5), True),  # cut to its exit
        (PAIR, (10, 15), True),
        (PAIR, (15, 5), True),
        ("MA-3*V", (0, 10), False),
        (PAIR, (5, 0), True),
        ("MA-3*V", (0, 10), True),
        (PAIR, (0, 10), False),
    ]:
        told = await desk_of.alert(*move, ticker=ticker)
        status, message = await desk_of.status(told["rowid"])
        assert (status == "waiting") == passes, (ticker, move)
        if move == (5, -5):
            assert message == "reversal cut to its exit, limit: 1 of 1 tickers open"


async def test_in_one_batch_each_alert_counts_for_the_next_one(desk_of, app):
    await desk_of.limits(open=1, entries=3)
    await desk_of.alert(0, 10)
    moves = [("AAPL", (10, 0)), (PAIR, (0, 10)), ("MA-3*V", (0, 10)), (PAIR, (10, 15))]
    await in_one_batch(app, [*moves, (PAIR, (15, 20)), (PAIR, (20, -5))])
    assert [await desk_of.status(rowid) for rowid in range(2, 8)] == [
        *(WAITS, WAITS, ("canceled", "limit: 1 of 1 tickers open"), WAITS),
        ("canceled", "limit: 3 of 3 entries today"),
        ("waiting", "reversal cut to its exit, limit: 3 of 3 entries today"),
    ]


async def test_entries_count_for_the_day_on_which_they_come(desk_of, app, monkeypatch):
    await desk_of.limits(entries=1, ticker_entries=1)
    await app.writer.submit(lambda: models.Entered.add("2020-01-01", {"AAPL": 9}))
    await desk_of.alert(0, 10)
    assert (await desk_of.alert(0, 10, ticker=PAIR))["reason"] == "limit: 1 of 1 entries today"
    monkeypatch.setattr(decisions, "day_of", lambda moment, zone: "2099-01-01")
    await desk_of.alert(0, 10, ticker=PAIR)
    assert await desk_of.waiting() == [3, 1]
    today = (await desk_of.state())["today"]
    assert (today["day"], today["entries"]) == ("2099-01-01", 1)


DAYS = [
    ("2026-11-24 15:30:00", "", "2026-11-24"),
    ("2026-11-24 23:59:59", "", "2026-11-24"),
    ("2026-11-25 04:59:59", "America/New_York", "2026-11-24"),
    ("2026-11-25 05:00:00", "America/New_York", "2026-11-25"),
    ("2026-07-25 03:59:59", "America/New_York", "2026-07-24"),
    ("2026-07-25 04:00:00", "America/New_York", "2026-07-25"),
    ("2026-11-24 15:00:00", "Asia/Tokyo", "2026-11-25"),
]


@pytest.mark.parametrize(("moment", "zone", "day"), DAYS)
def test_a_day_ends_at_midnight_in_the_zone_of_the_settings(moment, zone, day):
    assert decisions.day_of(instants.unix(moment), zone) == day


async def test_what_is_not_let_through_is_no_entry(desk_of):
    await desk_of.limits(entries=9)
    await desk_of.alert(10, 0)
    await desk_of.alert(0, 10, ticker="NOPE")
    await desk_of.alert(0, 10, ticker="IBM")
    await desk_of.alert(0, 10, alert_time=instants.ago(901))
    await desk_of.mode("exits")
    await desk_of.alert(10, -10)
    await desk_of.mode("on")
    await desk_of.alert(0, -7, **SYNC)
    await desk_of.alert(0, 10, alert_id="x", ticker=PAIR)
    await desk_of.alert(0, 10, alert_id="x", ticker=PAIR)
    assert (await desk_of.state())["today"]["ticker_entries"] == {"NMFC-ROIC": 1}


async def test_limits_are_set_one_by_one_and_removed_with_null(desk_of, plain_user):
    nothing = dict.fromkeys(guards.Limits._fields)
    answer = await desk_of.api.get("/v3/limits", token=desk_of.token)
    assert answer.json == nothing
    assert await desk_of.limits(entries=3, value=1000.5) == nothing | {
        "entries": 3,
        "value": 1000.5,
    }
    assert await desk_of.limits(value=None, open=0) == nothing | {"entries": 3, "open": 0}
    for body in ({"entries": -1}, {"entries": 1.5}, {"value": 0}, {"loss": "x"}, {"open": True}):
        answer = await desk_of.api.put("/v3/limits", body, token=desk_of.token)
        assert answer.status == 400, body
    assert (await desk_of.api.get("/v3/limits", token=plain_user)).status == 403
    assert (await desk_of.api.put("/v3/limits", {}, token=plain_user)).status == 403
    assert (await desk_of.state())["limits"] == nothing | {"entries": 3, "open": 0}


async def test_the_size_and_the_value_of_an_entry_are_limited(desk_of):
    await desk_of.limits(contracts=100, value=5000)
    for fields, reason in [
        ({"order_contracts": 101}, "limit: 101 contracts, at most 100"),
        ({"order_contracts": 100, "order_price": 50.01}, "limit: worth 5,001.00, at most 5,000.00"),
        ({"order_contracts": 100, "order_price": 50}, None),
        ({"order_contracts": 100, "order_price": None}, None),
        ({"order_contracts": 100, "order_price": 99, "ticker": PAIR}, None),
        ({"order_contracts": 101, "ticker": PAIR}, "limit: 101 contracts, at most 100"),
    ]:
        told = await desk_of.alert(0, 100, **fields)
        assert told.get("reason") == reason


# --- losses ------------------------------------------------------------------------------


async def report(desk, **figures):
    """A new account record of the bridge."""
    answer = await desk.api.post("/v3/regpnl", ACCOUNT | PASS | figures)
    assert answer.status == 201


async def test_a_loss_beyond_its_limit_stops_entries_once_until_a_person_sets_it_back(desk_of):
    await desk_of.limits(loss=2500)
    await desk_of.alert(0, 10)
    await report(desk_of, DailyPnL=-2500.0)
    assert (await desk_of.state())["mode"] == "on"
    await report(desk_of, DailyPnL=-2500.5)
    state = await desk_of.state()
    assert (state["mode"], state["by"]) == ("exits", "system")
    assert state["reason"] == "daily loss 2,500.50, at most 2,500.00"
    assert state["today"]["loss"] == 2500.5
    assert await desk_of.status(1) == ENTRIES_OFF
    told = len(await desk_of.events("trading."))
    await report(desk_of, DailyPnL=-9000.0)
    assert len(await desk_of.events("trading.")) == told
    await report(desk_of, DailyPnL=0.0)
    assert (await desk_of.state())["mode"] == "exits", "only a person sets it back"
    await desk_of.mode("on")
    assert (await desk_of.state())["by"] == "admin"
    await report(desk_of, DailyPnL=-3000.0)
    assert (await desk_of.state())["mode"] == "exits"


@pytest.mark.parametrize("mode", ["exits", "off"])
async def test_a_loss_does_not_loosen_a_mode_nor_take_it_over(desk_of, mode):
    await desk_of.limits(loss=1)
    before = await desk_of.mode(mode, reason="holiday")
    await report(desk_of, DailyPnL=-2.0)
    state = await desk_of.state()
    assert [state[key] for key in ("mode", "by", "reason")] == [mode, "admin", "holiday"]
    assert state["since"] == before["since"]


async def test_a_drawdown_counts_from_the_highest_value_since_its_limit_was_set(desk_of):
    await report(desk_of, NetLiquidation=200_000.0)
    await report(desk_of, NetLiquidation=100_000.0)
    await desk_of.limits(drawdown=1000)
    for net, drawdown in [(99_500.0, 500), (100_400.0, 0), (99_400.0, 1000)]:
        await report(desk_of, NetLiquidation=net)
        state = await desk_of.state()
        assert (state["mode"], state["today"]["drawdown"]) == ("on", drawdown)
    await report(desk_of, NetLiquidation=99_399.0)
    state = await desk_of.state()
    assert (state["mode"], state["by"]) == ("exits", "system")
    assert state["reason"] == "drawdown 1,001.00, at most 1,000.00"
    await desk_of.limits(drawdown=500)
    await desk_of.mode("on")
    await report(desk_of, NetLiquidation=99_000.0)
    state = await desk_of.state()
    assert (state["mode"], state["today"]["drawdown"]) == ("on", 399), "a new limit begins anew"


async def test_a_limit_below_the_present_loss_stops_entries_at_once(desk_of):
    await report(desk_of, DailyPnL=-100.0)
    await desk_of.limits(loss=200)
    assert (await desk_of.state())["mode"] == "on"
    await desk_of.limits(loss=50)
    assert (await desk_of.state())["mode"] == "exits"


@pytest.mark.parametrize(("age", "stops"), [(880, True), (901, False), (100_000, False)])
async def test_an_old_record_says_nothing(desk_of, age, stops):
    await desk_of.limits(loss=50, drawdown=50)
    await report(desk_of, DailyPnL=0.0)
    record = {"rowid": 1, "timestamp": instants.ago(age), "DailyPnL": -100.0}
    record["NetLiquidation"] = 1000.0
    assert (await desk_of.api.put("/v3/regpnl", PASS | record)).status == 200
    state = await desk_of.state()
    assert state["mode"] == ("exits" if stops else "on")
    known = (state["today"]["loss"], state["today"]["drawdown"])
    assert known == ((100, 99_000) if stops else (None, None))


UNKNOWN = [
    {"DailyPnL": -1.0, "RealizedPnL": -1.0, "UnrealizedPnL": -1.0},
    {"DailyPnL": 1.7976931348623157e308, "NetLiquidation": 1.7976931348623157e308},
]


@pytest.mark.parametrize("figures", UNKNOWN)
async def test_a_figure_that_is_not_known_is_no_loss(desk_of, figures):
    await desk_of.limits(loss=0.5, drawdown=0.5)
    await report(desk_of)
    await report(desk_of, **figures)
    state = await desk_of.state()
    assert (state["mode"], state["today"]["loss"]) == ("on", None)


# --- who hears of it ---------------------------------------------------------------------


async def audited(desk):
    """What the audit tells, the newest first."""
    rows = (await desk.api.get("/v3/audit/0", token=desk.token)).json["audit"]
    return [each["what"] for each in rows]


async def test_each_act_of_a_person_is_in_the_audit_with_what_it_was_about(desk_of, plain_user):
    await desk_of.mode("ask")
    await desk_of.alert(0, 10)
    await desk_of.alert(0, 10, ticker=PAIR)
    await desk_of.limits(entries=3, loss=None)
    await desk_of.act(1, "approve", plain_user)
    await desk_of.act(2, "refuse", plain_user)
    await desk_of.act(2, "refuse", plain_user)
    rows = (await desk_of.api.get("/v3/audit/0", token=desk_of.token)).json["audit"]
    assert [(each["who"], each["what"], each["subject"]) for each in rows] == [
        ("user1", "signal.refused", "signal 2"),
        ("user1", "signal.approved", "signal 1"),
        ("admin", "trading.limits", "entries 3, no loss"),
        ("admin", "trading.mode", "ask"),
    ]


async def test_visitors_hear_nothing_of_modes_and_limits(desk_of):
    address = desk_of.api.base_url.replace("http", "ws") + "/ws/signals"
    visitor = await websocket_connect(HTTPRequest(address))
    headers = {"Authorization": f"Bearer {desk_of.token}"}
    user = await websocket_connect(HTTPRequest(address, headers=headers))

    async def types(line, count):
        found = []
        while len(found) < count:
            message = orjson.loads(await asyncio.wait_for(line.read_message(), PATIENCE))
            if "event" in message and message["type"] != "hello":
                found.append(message["type"])
        return found

    await desk_of.mode("ask")
    await desk_of.limits(entries=3)
    await desk_of.mode_of("MA-V", "off")
    await desk_of.alert(0, 10)
    assert await types(user, 4) == [
        *("trading.created", "trading.updated", "pair.updated", "signal.created")
    ]
    assert await types(visitor, 2) == ["pair.updated", "signal.created"]
    told = (await desk_of.api.get("/ws/signals?after=0")).json["messages"]
    if told[0]["type"] != "resync":
        assert not any(each["type"].startswith("trading") for each in told)
    for line in (visitor, user):
        line.close()


@pytest.mark.parametrize("path", ["/v3/trading", "/v3/limits"])
async def test_modes_and_limits_are_for_those_who_are_logged_in(api, path):
    assert (await api.get(path)).status == 401
    assert (await api.put(path, {"mode": "on"} | PASS)).status == 401


async def figures(api):
    """{series: value} of the server's metrics about decisions."""
    lines = (await api.get("/metrics")).text.splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    names = ("pairs_trading_mode", "pairs_held_back", "pairs_loss")
    return {key: float(value) for key, value in told.items() if key.startswith(names)}


async def test_the_metrics_tell_the_mode_the_loss_and_how_often_each_rule_decided(desk_of, app):
    found = await figures(desk_of.api)
    assert found == {
        **{f'pairs_trading_mode{{mode="{each}"}}': float(each == "on") for each in guards.MODES},
        **{f'pairs_held_back_signals_total{{rule="{each}"}}': 0.0 for each in guards.RULES},
    }
    await report(desk_of, DailyPnL=-12.5)
    await desk_of.alert(0, 10)
    await desk_of.alert(10, -10, ticker=PAIR)
    await desk_of.mode("ask")  # holds two
    await desk_of.act(1, "refuse")
    await desk_of.mode("exits")  # cuts one
    await desk_of.alert(0, 10)
    await desk_of.mode("on")
    await desk_of.alert(0, 10, alert_time=instants.ago(901))
    await desk_of.limits(entries=0)
    await desk_of.alert(0, 10)
    await desk_of.alert(10, 0)
    await desk_of.mode("exits")
    found = await figures(desk_of.api)
    counted = {"mode": 2, "ask": 2, "age": 1, "hours": 0, "limit": 1, "person": 1}
    assert found == {
        **{f'pairs_trading_mode{{mode="{each}"}}': float(each == "exits") for each in guards.MODES},
        **{f'pairs_held_back_signals_total{{rule="{k}"}}': float(n) for k, n in counted.items()},
        "pairs_loss_today": 12.5,
    }


# --- dry ---------------------------------------------------------------------------------

DRY = [
    ({"mode": "off"}, {}, "trading is off", "canceled"),
    ({"mode": "exits"}, {}, "entries are off", "canceled"),
    ({"mode": "ask"}, {}, "held for approval", "held"),
    ({"mode": "on"}, {"entries": 0}, "limit: 0 of 0 entries today", "canceled"),
    ({"mode": "on"}, {"entries": 1}, None, "waiting"),
]


@pytest.mark.parametrize(("mode", "limits", "reason", "status"), DRY)
async def test_a_dry_alert_tells_the_rule_and_counts_as_nothing(
    desk_of, mode, limits, reason, status
):
    await desk_of.mode(**mode)
    await desk_of.limits(**limits)
    before = await desk_of.state(), await figures(desk_of.api), await desk_of.events("")
    for _ in range(3):
        body = alert(ticker="AAPL", **step(0, 10))
        told = (await desk_of.api.post("/v3/webhook?dry=1", body)).json
        assert told.get("reason") == reason
        assert told["message"] == f"Nothing was stored; its status would be {status}."
        assert told["signal"]["order_status"] == status
    assert (await desk_of.state(), await figures(desk_of.api), await desk_of.events("")) == before
    assert models.Entered.select().count() == 0
