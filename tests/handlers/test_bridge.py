"""The bridge's calls word for word: its poll, each outcome it puts back, its own signals."""

import pytest

from tests.conftest import alert

pytestmark = pytest.mark.gen_test(timeout=60)

WAITING = "/v3/signals/status/waiting/0"
# Changed fields of each outcome, as recorded.
OUTCOMES = {
    "order placed": {
        "order_status": "created",
        "status_msg": "",
        "order_id1": 1010,
        "order_id2": 1011,
        "error_msg": "",
    },
    "order placed after a sync": {
        "order_status": "created",
        "status_msg": "+synced(10->-4)",
        "order_contracts": 4,
        "order_id1": 1010,
        "order_id2": 1011,
        "error_msg": "",
    },
    "placed with a message": {
        "order_status": "error",
        "status_msg": "+synced(new order)+err",
        "order_id1": 1010,
        "error_msg": "| 1147/399 - text  ",
    },
    "contract not found": {"order_status": "rerouted", "status_msg": "+route", "error_msg": ""},
    "rejected": {
        "order_status": "critical err",
        "status_msg": "+crit. err",
        "error_msg": "| 1147/201 - Order rejected  ",
    },
    "older duplicate": {"order_status": "canceled", "status_msg": "duplicate order"},
    "sizes do not add up": {"order_status": "canceled", "status_msg": "position size mismatch"},
    "adding to a position": {"order_status": "canceled", "status_msg": "pyramiding"},
    "sizes missing": {"order_status": "canceled", "status_msg": "missing position size"},
    "nothing left after sync": {"order_status": "canceled", "status_msg": "+synced(10->0)"},
    "too little money": {"order_status": ["canceled"], "status_msg": "insufficient funds"},
    "crypto in a pair": {"order_status": ["canceled"], "status_msg": "crypto in pairs"},
}


async def poll(api):
    """What the bridge trades from."""
    return (await api.get(WAITING)).json["signals"]


async def test_an_empty_poll_holds_the_empty_list(api):
    answer = await api.get(WAITING)
    assert (answer.status, answer.json) == (200, {"signals": []})


async def test_the_poll_gives_each_field_in_the_type_the_bridge_needs(api, desk):
    await api.alert(
        ticker="NMFC-0.72*NYSE:ROIC",
        order_contracts="10",
        order_price=2.3,
        mar_pos_size=None,
        pre_mar_pos_size=None,
    )
    await api.alert(ticker="NYSE:BF.B", order_action="SELL", order_price=None)
    single, pair = await poll(api)
    assert pair | {"timestamp": ""} == {
        "rowid": 1,
        "timestamp": "",
        "ticker": "NMFC-0.72*NYSE:ROIC",
        "order_action": "buy",
        "order_contracts": 10,
        "order_price": 2.3,
        "mar_pos": "long",
        "mar_pos_size": 0,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long",
        "order_status": "waiting",
        "ticker_type": "pair",
        "stk_ticker1": "NMFC",
        "stk_ticker2": "ROIC",
        "ticker1": "NMFC",
        "ticker2": "ROIC",
        "hedge_param": 0.72,
        "order_id1": None,
        "order_id2": None,
        "stk_price1": None,
        "stk_price2": None,
        "price1": None,
        "price2": None,
        "fill_price": None,
        "slip": None,
        "error_msg": None,
        "status_msg": None,
    }
    assert (single["ticker"], single["ticker1"], single["ticker2"]) == ("NYSE:BF.B", "BF B", None)
    assert (single["ticker_type"], single["order_action"]) == ("single", "sell")
    assert single["order_price"] is None


async def test_the_poll_holds_waiting_and_rerouted_newest_first(api, desk):
    states = ["waiting", "created", "rerouted", "waiting", "filled", "canceled", "rerouted"]
    for state in states:
        await api.alert(order_status=state)
    await api.alert(ticker="MSFT")
    await api.alert(ticker="A/B")
    offered = await poll(api)
    assert [signal["rowid"] for signal in offered] == [7, 4, 3, 1]


async def test_the_poll_gives_twenty_without_a_token(api, desk):
    for _ in range(22):
        await api.alert()
    assert [signal["rowid"] for signal in await poll(api)] == list(range(22, 2, -1))


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_each_outcome_put_back_whole_is_stored_and_nothing_else_changes(api, desk, outcome):
    await api.alert(order_contracts=10)
    (signal,) = await poll(api)
    answer = await api.put("/v3/webhook", signal | OUTCOMES[outcome] | {"passphrase": "webhook"})
    assert answer.status == 200
    status = OUTCOMES[outcome]["order_status"]
    status = status[0] if isinstance(status, list) else status
    expected = signal | OUTCOMES[outcome] | {"order_status": status}
    assert (await api.get("/v3/signal/1")).json == expected
    assert len(await poll(api)) == (status == "rerouted")


async def test_a_rerouted_signal_comes_again_and_can_then_be_placed(api, desk):
    await api.alert()
    for outcome in ("contract not found", "order placed"):
        (signal,) = await poll(api)
        body = signal | OUTCOMES[outcome] | {"passphrase": "webhook"}
        assert (await api.put("/v3/webhook", body)).status == 200
    assert await poll(api) == []


async def test_the_recorded_put_of_release_3_3_is_taken_as_it_is(api, desk):
    await api.alert(ticker="NMFC-0.72*NYSE:ROIC", timestamp="2026-11-22 09:40:13")
    body = {
        "rowid": 1,
        "timestamp": "2026-11-22 09:40:13",
        "ticker": "NMFC-0.72*NYSE:ROIC",
        "order_action": "buy",
        "order_contracts": 10,
        "order_price": 2.3,
        "mar_pos": "long",
        "mar_pos_size": 10,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long",
        "order_status": "created",
        "ticker_type": "pair",
        "ticker1": "NMFC",
        "ticker2": "ROIC",
        "hedge_param": 0.72,
        "order_id1": 1010,
        "order_id2": 1011,
        "price1": None,
        "price2": None,
        "fill_price": None,
        "slip": None,
        "error_msg": "",
        "status_msg": "",
        "passphrase": "webhook",
    }
    answer = await api.put("/v3/webhook", body)
    assert answer.status == 200
    record = (await api.get("/v3/signal/1")).json
    del body["passphrase"]
    assert {key: record[key] for key in body} == body


async def test_duplicates_are_read_one_by_one_and_canceled(api, desk):
    for _ in range(3):
        await api.alert()
    for rowid in (1, 2):
        signal = (await api.get(f"/v3/signal/{rowid}")).json
        body = signal | OUTCOMES["older duplicate"] | {"passphrase": "webhook"}
        assert (await api.put("/v3/webhook", body)).status == 200
    assert [signal["rowid"] for signal in await poll(api)] == [3]


SYNC = {
    "passphrase": "webhook",
    "bypass_ticker_status": True,
    "order_action": "sell",
    "order_contracts": 7,
    "mar_pos": "short",
    "mar_pos_size": 7,
    "pre_mar_pos": "flat",
    "pre_mar_pos_size": 0,
    "order_comment": "Enter Short due to sync",
    "order_status": "waiting",
    "ticker": "ROIC",
    "status_msg": "created due to sync",
}


async def test_the_bridges_own_signal_waits_although_its_ticker_is_a_leg(api, desk):
    answer = await api.post("/v3/webhook", SYNC)
    assert answer.status == 201
    (signal,) = await poll(api)
    assert (signal["order_status"], signal["status_msg"]) == ("waiting", "created due to sync")
    assert (signal["ticker1"], signal["order_price"], signal["slip"]) == ("ROIC", None, None)
    body = signal | OUTCOMES["order placed"] | {"passphrase": "webhook"}
    answer = await api.put("/v3/webhook", body | {"bypass_ticker_status": True})
    assert (answer.status, answer.json["order_status"]) == (200, "created")


@pytest.mark.parametrize("ticker", ["BF B", "EUR.USD"])
async def test_the_bridges_own_signal_names_the_ticker_as_the_gateway_does(api, desk, ticker):
    await api.post("/v3/webhook", SYNC | {"ticker": ticker})
    (signal,) = await poll(api)
    assert (signal["ticker"], signal["ticker1"]) == (ticker, ticker)


async def test_a_day_of_the_bridge_ends_filled_and_stays_so(api, desk, admin):
    await api.post("/v3/webhook", alert(order_contracts=10, order_price=2.3))
    (signal,) = await poll(api)
    body = signal | OUTCOMES["order placed"] | {"passphrase": "webhook"}
    await api.put("/v3/webhook", body)
    fills = [("1011", "ROIC", 14.2, 7.0), ("1010", "NMFC", 12.5, 10.0), ("77", "SPY", 1.0, 1.0)]
    for _ in range(3):
        for order_id, symbol, price, quantity in fills:
            body = {"passphrase": "webhook", "price": price, "order_id": order_id}
            body |= {"symbol": symbol, "filled_qty": quantity}
            answer = await api.put("/v3/signal/updateorder", body)
            assert answer.status == (404 if symbol == "SPY" else 200)
    record = (await api.get("/v3/signal/1")).json
    assert (record["order_status"], record["status_msg"]) == ("filled", "")
    assert (record["fill_price"], record["slip"]) == (2.276, 0.024)
    events = (await api.get("/v3/signal/1/events", token=admin)).json["events"]
    assert len(events) == 4
    assert [event["source"] for event in events] == ["webhook", "bridge", "bridge", "bridge"]
