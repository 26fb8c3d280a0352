"""The bridge's poll: which signals it holds, in which order, and each of their fields."""

import pytest

pytestmark = pytest.mark.gen_test(timeout=60)

WAITING = "/v3/signals/status/waiting/0"


async def poll(api):
    """What the bridge trades from."""
    return (await api.get(WAITING)).json["signals"]


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
