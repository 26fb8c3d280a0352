"""Trips and performance over HTTP, from whatever is stored."""

import pytest

pytestmark = [pytest.mark.gen_test(timeout=60), pytest.mark.usefixtures("desk")]

SHOWN = (
    *("/v3/trips/0", "/v3/trips/0.csv", "/v3/performance", "/v3/pair/NMFC-ROIC/series"),
    *("/v3/messages", "/performance", "/pair/NMFC-ROIC", "/positions"),
)
# Signals with a price where nothing can have been traded.
NOTHING = {
    "a price of leg 2 where rounding leaves no share": {"order_contracts": 1, "stk_price2": 5},
    "a price of leg 2 of a single": {"ticker": "EURUSD", "stk_price2": 5},
    "a price where no ticker could be read": {"ticker": "A/B", "stk_price1": 5, "stk_price2": 5},
}


@pytest.mark.parametrize("name", NOTHING)
async def test_a_price_where_nothing_was_traded_is_no_trip(api, admin, name):
    alert = await api.alert(**NOTHING[name])
    assert alert.status == 201, alert.text
    for path in SHOWN:
        answer = await api.get(path, token=admin)
        assert answer.status == 200, (path, answer.text)
    assert (await api.get("/v3/trips/0", token=admin)).json == {"trips": []}


async def test_a_leg_that_was_traded_beside_one_that_was_not_opens_a_trip(api, admin):
    await api.alert(order_contracts=1, stk_price2=5)
    await api.alert(order_contracts=100, stk_price2=5)
    (trip,) = (await api.get("/v3/trips/0", token=admin)).json["trips"]
    assert trip["signals"] == [2]
