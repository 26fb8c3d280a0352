"""A person's own trades: where their positions come from, closing by hand, and double clicks."""

import asyncio
from itertools import product

import pytest

from models import EventRow, Signal, Stock
from tests.handlers.conftest import ACCOUNT, PASS, hold, step
from trading import guards, instants

pytestmark = [pytest.mark.gen_test(timeout=60), pytest.mark.usefixtures("desk")]

WAITING = "/v3/signals/status/waiting/0"
UPDATE = "/v3/signal/updateorder"
PAIR = "NMFC-0.72*ROIC"
POSITIONS = ("pre_mar_pos", "pre_mar_pos_size", "mar_pos", "mar_pos_size")


@pytest.fixture
def hand(api, app, plain_user, admin):
    return Hand(api, app, plain_user, admin)


class Hand:
    """A user who trades by hand, and what the strategy, the bridge and the owner do meanwhile."""

    def __init__(self, api, app, token, admin):
        self.api, self.app, self.token, self.admin = api, app, token, admin

    async def order(self, ticker, action, contracts, **fields):
        body = {"ticker": ticker, "order_action": action, "order_contracts": contracts, **fields}
        return await self.api.post("/v3/order", body, token=self.token)

    async def close(self, name, **fields):
        return await self.api.post("/v3/order", {"close": name, **fields}, token=self.token)

    async def signal(self, rowid):
        return (await self.api.get(f"/v3/signal/{rowid}")).json

    async def newest(self):
        return (await self.api.get("/v3/signals/1")).json["signals"][0]

    async def positions(self):
        """The positions of the newest signal."""
        signal = await self.newest()
        return tuple(signal[key] for key in POSITIONS)

    async def alert(self, ticker, before, after, **fields):
        return (await self.api.alert(ticker=ticker, **step(before, after) | fields)).json["rowid"]

    async def report(self, **held):
        """Reports of the bridge, which came after all that is stored so far."""
        for symbol, position in held.items():
            await hold(self.api, symbol.replace("_", " "), position)
        later = instants.ago(-5)
        await self.app.writer.submit(lambda: Stock.update(reported=later).execute())

    async def put(self, rowid, **fields):
        """A change by the owner."""
        answer = await self.api.put("/v3/webhook", {"rowid": rowid, **fields}, token=self.admin)
        assert answer.status == 200, answer.text

    async def mode(self, mode):
        answer = await self.api.put("/v3/trading", {"mode": mode}, token=self.admin)
        assert answer.status == 200


# --- positions of an order -----------------------------------------------------------------

MOVES = [
    # what the account holds; the order; the positions before and after it
    (0, "buy", 10, ("flat", 0, "long", 10)),
    (0, "sell", 2.5, ("flat", 0, "short", 2.5)),
    (30, "buy", 10, ("long", 30, "long", 40)),
    (30, "sell", 10, ("long", 30, "long", 20)),
    (30, "sell", 30, ("long", 30, "flat", 0)),
    (30, "sell", 45, ("long", 30, "short", 15)),
    (-30, "buy", 30, ("short", 30, "flat", 0)),
    (-30, "sell", 0.5, ("short", 30, "short", 30.5)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("held", "action", "contracts", "expected"), MOVES)
@pytest.mark.parametrize("ticker", ["AAPL", PAIR])
async def test_an_order_starts_from_what_the_account_reports(
    hand, held, action, contracts, expected, ticker
):
    await hand.report(AAPL=held, NMFC=held, ROIC=round(-0.72 * held))
    answer = await hand.order(ticker, action, contracts)
    assert (answer.status, answer.json["message"]) == (201, "Signal created successfully.")
    signal = await hand.signal(answer.json["rowid"])
    assert tuple(signal[key] for key in POSITIONS) == expected
    assert (signal["order_action"], signal["order_contracts"]) == (action, contracts)
    assert (signal["order_status"], signal["order_price"]) == ("waiting", None)


async def test_sizes_that_floats_cannot_hold_still_end_flat(hand):
    await hand.order("AAPL", "buy", 0.1)
    await hand.put(1, order_status="filled")
    await hand.order("AAPL", "buy", 0.2)
    await hand.put(2, order_status="filled")
    await hand.order("AAPL", "sell", 0.3)
    assert await hand.positions() == ("long", 0.3, "flat", 0)


async def test_what_an_order_carries_itself_is_taken_and_the_rest_is_told_by_the_books(hand):
    await hand.report(AAPL=30)
    for fields, expected in [
        (step(5, 15), ("long", 5, "long", 15)),
        ({"pre_mar_pos": "short", "pre_mar_pos_size": 4}, ("short", 4, "long", 6)),
        ({"pre_mar_pos": "short", "pre_mar_pos_size": -4}, ("short", 4, "long", 6)),
        ({"mar_pos": "long", "mar_pos_size": 40}, None),
    ]:
        answer = await hand.order("AAPL", "buy", 10, **fields | {"order_price": 5})
        assert answer.status == 201
        pre, pre_size, *after = await hand.positions()
        assert expected in (None, (pre, pre_size, *after))
        assert pre is not None, "the bridge cannot read a signal without it"
        assert (await hand.newest())["order_price"] == 5


async def test_an_order_starts_from_a_signal_that_was_filled_after_the_report(hand):
    await hand.report(AAPL=30)
    rowid = await hand.alert("AAPL", 0, 50)
    await hand.put(rowid, order_status="filled")
    await hand.order("AAPL", "sell", 10)
    assert await hand.positions() == ("long", 30, "long", 20), "reported later than it was filled"


async def test_an_order_starts_from_the_newest_fill_until_the_next_report(hand):
    await hold(hand.api, "AAPL", 30)
    await hand.app.writer.submit(
        lambda: Stock.update(reported="2026-01-01 00:00:00").where(Stock.symbol == "AAPL").execute()
    )
    rowid = await hand.alert("AAPL", 0, 50, order_id1=7)
    await hand.api.put("/v3/webhook", PASS | {"rowid": rowid, "order_status": "created"})
    fill = {"order_id": "7", "symbol": "AAPL", "price": 10.0, "filled_qty": 50.0}
    assert (await hand.api.put(UPDATE, fill | PASS)).status == 200
    await hand.order("AAPL", "sell", 10)
    assert await hand.positions() == ("long", 50, "long", 40)
    await hand.put(2, order_status="canceled")
    await hand.report(AAPL=48)
    await hand.order("AAPL", "sell", 10)
    assert await hand.positions() == ("long", 48, "long", 38)


async def test_while_a_signal_is_open_an_order_starts_from_where_it_leads(hand):
    await hand.report(AAPL=30)
    for status in ("waiting", "rerouted", "created", "part.filled", "filled(...)"):
        rowid = await hand.alert("AAPL", 30, 50)
        await hand.put(rowid, order_status=status)
        await hand.order("AAPL", "sell", 10)
        assert await hand.positions() == ("long", 50, "long", 40), status
        for ended in (rowid, rowid + 1):
            await hand.put(ended, order_status="canceled")


NOT_TRADED = [
    {"order_status": "canceled", "status_msg": ""},
    {"order_status": "canceled", "status_msg": "limit: 3 of 3 entries today"},
    {"order_status": "canceled", "status_msg": "insufficient funds"},
    {"order_status": "canceled", "status_msg": "refused by admin"},
    {"order_status": "critical err", "status_msg": "+crit. err"},
    {"order_status": "error", "status_msg": "unknown ticker"},
    {"order_status": "held", "status_msg": "held for approval"},
]


@pytest.mark.parametrize("ended", NOT_TRADED, ids=lambda each: each["status_msg"] or "by hand")
async def test_a_newer_signal_that_was_not_traded_moves_nothing(hand, ended):
    await hold(hand.api, "AAPL", 30)
    await hand.app.writer.submit(lambda: Stock.update(reported="2026-01-01 00:00:00").execute())
    rowid = await hand.alert("AAPL", 0, 50)
    await hand.put(rowid, **ended)
    await hand.order("AAPL", "sell", 10)
    assert await hand.positions() == ("long", 30, "long", 20)


async def test_a_part_that_was_filled_before_its_cancel_counts(hand):
    await hand.alert("AAPL", 0, 50, order_id1=7, order_status="created")
    fill = {"order_id": "7", "symbol": "AAPL", "price": 10.0, "filled_qty": 20.0}
    await hand.api.put(UPDATE, fill | PASS)
    cancel = {"order_id": 7, "symbol": "AAPL", "cancel": True, "price": -1, "filled_qty": -1}
    await hand.api.put(UPDATE, cancel | PASS)
    assert (await hand.close("AAPL")).status == 201
    assert await hand.positions() == ("long", 20, "flat", 0)


async def test_events_of_other_rows_with_the_same_number_do_not_count(hand):
    """Signal 1 and account record 1 are told apart."""
    rowid = await hand.alert("AAPL", 0, 50)
    await hand.put(rowid, order_status="filled")
    await hand.report(AAPL=0)
    await hand.api.post("/v3/regpnl", ACCOUNT | PASS)
    await hand.api.put("/v3/regpnl", PASS | {"rowid": 1, "NetLiquidation": 5.0})
    later = instants.ago(-60)
    await hand.app.writer.submit(
        lambda: EventRow.update(time=later).where(EventRow.type == "account.updated").execute()
    )
    answer = await hand.close("AAPL")
    assert (answer.status, answer.json["message"]) == (400, "nothing is held of AAPL.")


@pytest.mark.parametrize("ticker", ["A/B", "A-B-C", "1.5*A-B", ""])
async def test_an_order_of_what_cannot_be_read_is_refused(hand, ticker):
    assert (await hand.order(ticker, "buy", 1)).status == 400
    assert Signal.select().count() == 0


async def test_where_the_last_fill_tells_no_position_an_order_must_tell_it(hand):
    rowid = await hand.alert("AAPL", 0, 50, mar_pos=None, pre_mar_pos=None)
    await hand.put(rowid, order_status="filled")
    answer = await hand.order("AAPL", "buy", 1)
    assert answer.status == 400
    assert "is not known; send pre_mar_pos and mar_pos" in answer.json["message"]
    answer = await hand.close("AAPL")
    assert (answer.status, "is not known" in answer.json["message"]) == (400, True)
    assert (await hand.order("AAPL", "buy", 1, **step(0, 1))).status == 201


# --- closing -------------------------------------------------------------------------------

CLOSES = [
    # name, reported positions, the order
    ("AAPL", {"AAPL": 30}, ("AAPL", "sell", 30, "long")),
    ("AAPL", {"AAPL": -30}, ("AAPL", "buy", 30, "short")),
    ("BF B", {"BF_B": 0.5}, ("BF B", "sell", 0.5, "long")),
    ("BF.B", {"BF_B": 7}, ("BF B", "sell", 7, "long")),
    ("NMFC-ROIC", {"NMFC": 100, "ROIC": -72}, ("NMFC-0.72*ROIC", "sell", 100, "long")),
    ("MA-V", {"MA": -10, "V": 30}, ("MA-3*V", "buy", 10, "short")),
    ("KO-PEP", {"KO": 5, "PEP": -5}, ("KO-1*PEP", "sell", 5, "long")),  # paused
    ("IBM", {"IBM": -1}, ("IBM", "buy", 1, "short")),  # paused
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "held", "expected"), CLOSES)
@pytest.mark.parametrize("mode", guards.MODES)
async def test_what_is_held_can_be_closed_in_every_mode_and_beyond_every_limit(
    hand, name, held, expected, mode
):
    await hand.report(**held)
    none = {"entries": 0, "ticker_entries": 0, "contracts": 0.1, "value": 0.1, "open": 0}
    assert (await hand.api.put("/v3/limits", none, token=hand.admin)).status == 200
    await hand.mode(mode)
    answer = await hand.close(name)
    assert answer.status == 201, answer.text
    assert answer.json == {"message": "Signal created successfully.", "rowid": 1}
    [signal] = (await hand.api.get(WAITING)).json["signals"]
    ticker, action, contracts, side = expected
    assert (signal["ticker"], signal["order_action"]) == (ticker, action)
    assert signal["order_contracts"] == contracts
    assert tuple(signal[key] for key in POSITIONS) == (side, contracts, "flat", 0)
    assert Signal.get_by_id(1).expires is None


async def test_a_close_waits_on_while_a_mode_is_set_again(hand):
    await hand.report(AAPL=30)
    await hand.mode("off")
    await hand.close("AAPL")
    await hand.mode("off")
    assert (await hand.signal(1))["order_status"] == "waiting"


async def test_a_close_is_never_taken_for_an_alert_that_came_too_late(hand):
    """Although it fills a gap between two alerts of the strategy."""
    await hand.alert("AAPL", 0, 10, order_status="filled")
    await hand.alert("AAPL", 0, 10, order_status="filled")
    for answer in (await hand.close("AAPL"), await hand.order("AAPL", "buy", 10)):
        assert answer.status == 201
        signal = await hand.signal(answer.json["rowid"])
        assert (signal["order_status"], signal["status_msg"]) == ("waiting", None)


@pytest.mark.parametrize("name", ["AAPL", "NMFC-ROIC"])
async def test_where_nothing_is_held_there_is_nothing_to_close(hand, name):
    answer = await hand.close(name)
    assert (answer.status, answer.json["message"]) == (400, f"nothing is held of {name}.")
    await hand.report(AAPL=0, NMFC=0, ROIC=0)
    assert (await hand.close(name)).status == 400
    assert Signal.select().count() == 0


@pytest.mark.parametrize("name", ["NOPE", "NOPE-V", "V-MA", "MA-3*V", "*"])
async def test_what_is_not_registered_cannot_be_closed(hand, name):
    assert (await hand.close(name)).status == 404


@pytest.mark.parametrize(
    "status", ["waiting", "rerouted", "held", "created", "part.filled", "filled(...)", "error"]
)
async def test_while_an_order_is_not_finished_nothing_is_closed(hand, status):
    await hand.report(AAPL=30)
    rowid = await hand.alert("AAPL", 30, 50)
    taken = {"order_id1": 1010} if status == "error" else {}  # the broker took it, with a message
    await hand.put(rowid, order_status=status, **taken)
    answer = await hand.close("AAPL")
    assert answer.status == 400
    assert answer.json["message"] == (
        f"signal {rowid} of AAPL is {status}: wait until it is finished, or cancel it."
    )
    await hand.put(rowid, order_status="canceled")
    assert (await hand.close("AAPL")).status == 201


# --- double clicks -------------------------------------------------------------------------


@pytest.mark.parametrize("in_header", [False, True])
@pytest.mark.parametrize("kind", ["close", "order"])
async def test_a_double_click_is_one_order(hand, kind, in_header):
    await hand.report(AAPL=30)
    body = {"close": "AAPL"}
    if kind == "order":
        body = {"ticker": "AAPL", "order_action": "sell", "order_contracts": 45}
        await hand.mode("exits")  # its repeats are known also where it was cut
    more = {"headers": {"Idempotency-Key": "click"}} if in_header else {}
    body |= {} if in_header else {"alert_id": "click"}
    clicks = [hand.api.post("/v3/order", body, token=hand.token, **more) for _ in range(8)]
    answers = [*await asyncio.gather(*clicks)]
    answers.append(await hand.api.post("/v3/order", body, token=hand.token, **more))
    assert sorted(answer.status for answer in answers) == [200] * 8 + [201]
    assert {answer.json["rowid"] for answer in answers} == {1}
    assert Signal.select().count() == 1
    rows = (await hand.api.get("/v3/audit/0", token=hand.admin)).json["audit"]
    whats = [each["what"] for each in rows]
    assert (whats.count("order.placed"), whats.count("order.repeated")) == (1, 8)


@pytest.mark.parametrize("body", [{"close": "AAPL"}, None])
async def test_an_id_in_the_header_is_bound_like_one_in_the_body(hand, body):
    await hand.report(AAPL=30)
    body = body or {"ticker": "AAPL", "order_action": "buy", "order_contracts": 1}
    for sent, header in [({}, "k" * 201), ({"alert_id": "k" * 201}, "")]:
        headers = {"Idempotency-Key": header}
        answer = await hand.api.post("/v3/order", body | sent, token=hand.token, headers=headers)
        expected = {"alert_id": "must have at most 200 characters"}
        assert (answer.status, answer.json["message"]) == (400, expected)
    headers = {"Idempotency-Key": "k" * 201}
    own = body | {"alert_id": "k" * 200}
    assert (await hand.api.post("/v3/order", own, token=hand.token, headers=headers)).status == 201


async def test_without_an_id_the_second_click_finds_the_first_order(hand):
    await hand.report(AAPL=30)
    answers = await asyncio.gather(*(hand.close("AAPL") for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201] + [400] * 4
    assert Signal.select().count() == 1


OTHERS = [
    {"close": "NMFC-ROIC"},
    {"ticker": "NMFC-0.72*ROIC", "order_action": "buy", "order_contracts": 10},
    {"ticker": "AAPL", "order_action": "sell", "order_contracts": 10},
    {"ticker": "AAPL", "order_action": "buy", "order_contracts": 11},
    {"close": "AAPL"},
]


@pytest.mark.parametrize("other", OTHERS)
async def test_another_order_under_a_used_id_is_refused_and_not_taken_for_a_repeat(hand, other):
    await hand.report(AAPL=30, NMFC=100, ROIC=-72)
    assert (await hand.order("AAPL", "buy", 10, alert_id="x")).status == 201
    answer = await hand.api.post("/v3/order", other | {"alert_id": "x"}, token=hand.token)
    assert (answer.status, answer.json["message"]) == (
        *(400, "this alert_id was used before by another order."),
    )
    assert Signal.select().count() == 1


async def test_an_order_stays_known_after_the_bridge_has_changed_its_size(hand):
    await hand.order("AAPL", "buy", 10, alert_id="x")
    synced = {"rowid": 1, "order_status": "created", "order_contracts": 4, "order_id1": 5}
    await hand.api.put("/v3/webhook", PASS | synced)
    answer = await hand.order("AAPL", "buy", 10, alert_id="x")
    assert (answer.status, answer.json["rowid"]) == (200, 1)


# --- the same door as an alert -------------------------------------------------------------


async def test_modes_hold_for_own_trades(hand):
    await hand.report(AAPL=10)
    expected = {
        "on": ["waiting"] * 3,
        "ask": ["held", "held", "waiting"],
        "exits": ["canceled", "waiting", "waiting"],
        "off": ["canceled"] * 3,
    }
    orders = [("buy", 5), ("sell", 25), ("sell", 4)]
    for mode, (number, order) in product(guards.MODES, enumerate(orders)):
        await hand.mode(mode)
        answer = await hand.order("AAPL", *order)
        signal = await hand.signal(answer.json["rowid"])
        assert signal["order_status"] == expected[mode][number], (mode, order)
        assert (answer.json.get("reason") is None) == (signal["status_msg"] is None)
        if (mode, number) == ("exits", 1):
            assert (signal["order_contracts"], signal["mar_pos"]) == (10, "flat")
        await hand.put(signal["rowid"], order_status="canceled")


async def test_limits_hold_for_own_trades_and_count_them(hand):
    limits = {"entries": 2, "contracts": 100}
    await hand.api.put("/v3/limits", limits, token=hand.admin)
    answers = [await hand.order("AAPL", "buy", 101)]
    answers += [await hand.order(ticker, "buy", 1) for ticker in ("AAPL", "MA-3*V", "EUR.USD")]
    assert [answer.json.get("reason") for answer in answers] == [
        *("limit: 101 contracts, at most 100", None, None, "limit: 2 of 2 entries today")
    ]
    state = (await hand.api.get("/v3/trading", token=hand.token)).json
    assert state["today"]["ticker_entries"] == {"AAPL": 1, "MA-V": 1}


async def test_the_source_of_an_own_trade_is_its_user(hand):
    await hand.report(AAPL=30)
    await hand.order("MA-3*V", "buy", 10)
    await hand.close("AAPL")
    for rowid in (1, 2):
        path = f"/v3/signal/{rowid}/events"
        [created] = (await hand.api.get(path, token=hand.token)).json["events"]
        assert (created["type"], created["source"]) == ("signal.created", "user1")
    assert (await hand.signal(2))["order_comment"] == "Close by hand"
    rows = (await hand.api.get("/v3/audit/0", token=hand.admin)).json["audit"]
    assert [(each["who"], each["what"], each["subject"]) for each in rows[:2]] == [
        ("user1", "order.placed", "close AAPL"),
        ("user1", "order.placed", "MA-3*V"),
    ]


@pytest.mark.parametrize(
    ("ticker", "expected"),
    [
        ("NOPE", ("error", "unknown ticker")),
        ("IBM", ("canceled", "passive ticker")),
        ("MA-2*V", ("canceled", "wrong hedge")),
    ],
)
async def test_the_registry_judges_own_trades_too(hand, ticker, expected):
    answer = await hand.order(ticker, "buy", 10)
    assert answer.status == 201
    assert answer.json["message"] == "recorded with unknown or passive ticker!"
    signal = await hand.signal(1)
    assert (signal["order_status"], signal["status_msg"]) == expected


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ticker": "AAPL"},
        {"ticker": "AAPL", "order_action": "hold", "order_contracts": 1},
        {"ticker": "AAPL", "order_action": "buy", "order_contracts": 0},
        {"ticker": "AAPL", "order_action": "buy", "order_contracts": -1},
        {"ticker": "AAPL", "order_action": "buy", "order_contracts": 1, "mar_pos": "up"},
        {"close": ""},
        {"close": ["AAPL"]},
    ],
)
async def test_what_is_no_order_is_refused_and_stored_nowhere(hand, body):
    assert (await hand.api.post("/v3/order", body, token=hand.token)).status == 400
    assert Signal.select().count() == 0


async def test_a_passphrase_is_not_enough_to_trade_by_hand(hand):
    body = PASS | {"ticker": "AAPL", "order_action": "buy", "order_contracts": 1}
    assert (await hand.api.post("/v3/order", body)).status == 401
    assert Signal.select().count() == 0
