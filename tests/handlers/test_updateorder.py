"""Fills, partial fills and cancels over HTTP, in the seed's form and in the bridge's."""

import asyncio
from itertools import permutations

import pytest

from services.original import Takeover, original_signal
from tests.conftest import ON_SQLITE

pytestmark = pytest.mark.gen_test(timeout=60)

UPDATE = "/v3/signal/updateorder"
NOT_FOUND = {"message": "item not found."}
SHOWN = ("order_status", "status_msg", "stk_price1", "stk_price2", "fill_price", "slip")


async def pair(api, **more):
    """A pair with orders at the broker: 10 of NMFC (order 1010), 7 of ROIC (order 1011)."""
    fields = {"order_contracts": 10, "order_price": 2.3, "order_status": "created"}
    return await api.alert(**fields | {"order_id1": 1010, "order_id2": 1011} | more)


async def single(api, ticker="AAPL", **more):
    """10 of a single stock, order 1092, at 50."""
    fields = {"ticker": ticker, "order_contracts": 10, "order_price": 50, "order_id1": 1092}
    return await api.alert(**fields | {"order_status": "created"} | more)


async def seed(api, order_id, price, method="POST", path=UPDATE, **more):
    """The seed's form of an update."""
    body = {"passphrase": "webhook", "order_id": order_id, "stk_price": price, **more}
    return await api.call(method, path, body)


async def bridge(api, order_id, symbol, price, quantity, **more):
    """The bridge's report: price and filled quantity of an order so far."""
    body = {"passphrase": "webhook", "order_id": str(order_id), "symbol": symbol, "price": price}
    return await api.put(UPDATE, body | {"filled_qty": quantity} | more)


async def seed_cancel(api, order_id):
    return await seed(api, order_id, 0, cancel=True)


async def bridge_cancel(api, order_id, symbol):
    """The bridge's cancel: the id a number, price and quantity meaningless."""
    body = {"passphrase": "webhook", "symbol": symbol, "order_id": order_id, "cancel": True}
    return await api.put(UPDATE, body | {"price": -1, "filled_qty": -1})


async def record_of(api, rowid=1):
    return (await api.get(f"/v3/signal/{rowid}")).json


async def shown(api, rowid=1):
    """What an update may change."""
    record = await record_of(api, rowid)
    return [record[key] for key in SHOWN]


async def count_events(api, token, rowid=1):
    return len((await api.get(f"/v3/signal/{rowid}/events", token=token)).json["events"])


# Prices, the seed's form


LEGS = [(944, 300.1), (945, 100.756)]


@ON_SQLITE
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", [UPDATE, "/v3/price"])
@pytest.mark.parametrize("order", list(permutations(LEGS)))
async def test_the_seeds_example_fills_as_the_seed_shows_it(api, desk, method, path, order):
    ids = {"order_id1": 944, "order_id2": 945, "order_status": "created"}
    await api.alert(ticker="MA-3*V", order_contracts=20, order_price=-2.0, **ids)
    first, second = order
    answer = await seed(api, *first, method, path)
    assert (answer.status, answer.json["order_status"]) == (200, "filled(...)")
    assert (answer.json["fill_price"], answer.json["slip"]) == (None, None)
    more = {"cancel": False, "partial": False, "order_contracts": 0}
    answer = await seed(api, *second, method, path, **more)
    expected = {
        "order_status": "filled",
        "order_contracts": 20,
        "stk_price1": 300.1,
        "stk_price2": 100.756,
        "fill_price": -2.168,
        "slip": 0.168,
        "error_msg": None,
    }
    assert answer.status == 200
    assert {key: answer.json[key] for key in expected} == expected
    record = await record_of(api)
    del record["timestamp"]
    assert answer.json == record


@pytest.mark.parametrize(
    ("action", "order_price", "price", "slip"),
    [
        ("buy", 50, 50.25, -0.25),
        ("sell", 50, 50.25, 0.25),
        ("buy", 0, 0.5, -0.5),
        ("sell", 0, 0.5, 0.5),
        ("buy", 0, -37.63, 37.63),
        ("sell", 1.1, 1.123456, 0.0235),
        ("buy", None, 50.25, None),
        ("buy", "", 50.25, None),
    ],
)
async def test_a_single_is_filled_by_one_price_and_slips_by_its_side(
    api, desk, action, order_price, price, slip
):
    await single(api, order_action=action, order_price=order_price)
    answer = await seed(api, 1092, price)
    assert answer.json["order_status"] == "filled"
    assert (answer.json["fill_price"], answer.json["slip"]) == (price, slip)


LARGEST = 1.7976931348623157e308
NO_PRICE = [0, 0.0, "0", None, "", LARGEST, -LARGEST, 1.1e12, "1e13", 2**200, str(2**200)]


async def test_what_is_no_price_yet_changes_nothing_and_makes_no_event(api, desk, admin):
    await pair(api)
    await bridge(api, 1010, "NMFC", 12.5, 4)
    before = await record_of(api)
    for price in NO_PRICE:
        for answer in (
            await bridge(api, 1010, "NMFC", price, 10),
            await bridge(api, 1011, "ROIC", price, 7),
            await seed(api, 1011, price),
            await seed(api, 1011, price, partial=True, order_contracts=4),
            await seed(api, 1011, price, path="/v3/price"),
        ):
            assert answer.status == 200, price
    assert await record_of(api) == before
    assert await count_events(api, admin) == 2


async def test_a_gateway_that_says_zero_for_not_yet_spoils_no_fill(api, desk):
    await single(api, order_contracts=124, order_price=119.6)
    for price, quantity in ((119.59, 24), (0.0, 124), (119.59, 124)):
        answer = await bridge(api, 1092, "AAPL", price, quantity)
    assert answer.json["order_status"] == "filled"
    assert (answer.json["fill_price"], answer.json["slip"]) == (119.59, 0.01)


async def test_a_leg_too_small_for_one_share_is_not_waited_for(api, desk):
    await api.register_pair("CL", "NG", 0.5)
    ids = {"order_id1": 5, "order_id2": 6, "order_status": "created"}
    await api.alert(ticker="CL-0.5*NG", order_contracts=1, order_price=20, **ids)
    answer = await bridge(api, 5, "CL", 60, 1)
    shown = [answer.json[key] for key in SHOWN]
    assert shown == ["filled", "", 60, None, None, None]


@pytest.mark.parametrize("quantity", [{}, {"filled_qty": None}, {"filled_qty": LARGEST}])
async def test_a_quantity_that_is_not_known_stays_what_it_was(api, desk, quantity):
    body = {"passphrase": "webhook", "order_id": "1092", "symbol": "AAPL", "price": 50.5}
    await single(api)
    await bridge(api, 1092, "AAPL", 50.25, 4)
    answer = await api.put(UPDATE, body | quantity)
    assert (answer.status, answer.json["fill_price"]) == (200, 50.5)
    assert answer.json["status_msg"] == "remained: 6.0"
    await single(api)
    assert (await api.put(UPDATE, body | quantity)).json["order_status"] == "filled"


async def test_numbers_may_come_as_text_and_the_price_under_either_name(api, desk):
    await pair(api)
    assert (await seed(api, "1010", "12.5")).json["stk_price1"] == 12.5
    body = {"passphrase": "webhook", "order_id": "1011", "price": "14.2"}
    assert (await api.post(UPDATE, body)).json["order_status"] == "filled"


async def test_a_partial_fill_of_the_seed_sets_the_contracts(api, desk, admin):
    await single(api)
    for _ in range(2):
        answer = await seed(api, 1092, 50.25, partial=True, order_contracts=4)
        assert answer.status == 200
        assert answer.json["order_contracts"] == 4
        assert answer.json["order_status"] == "part.filled"
        assert answer.json["status_msg"] == "canceled amount: 6"
        assert answer.json["fill_price"] == 50.25
    assert await count_events(api, admin) == 2


@ON_SQLITE
@pytest.mark.parametrize("partial", [True, "true", 1, "TRUE"])
@pytest.mark.parametrize(
    "contracts", [{}, *({"order_contracts": bad} for bad in (0, -1, None, "x"))]
)
async def test_a_partial_fill_needs_an_amount(api, desk, partial, contracts):
    await single(api)
    answer = await seed(api, 1092, 50.25, partial=partial, **contracts)
    expected = {"message": "missing contract amount to update partial fill"}
    assert (answer.status, answer.json) == (400, expected)
    assert (await record_of(api))["order_status"] == "created"


@pytest.mark.parametrize("contracts", [0, -5, None, "many", True, [1]])
async def test_the_amount_is_looked_at_only_with_partial(api, desk, contracts):
    await single(api)
    answer = await seed(api, 1092, 50.25, partial=False, order_contracts=contracts)
    assert (answer.status, answer.json["order_status"]) == (200, "filled")
    assert answer.json["order_contracts"] == 10


async def test_the_price_route_takes_a_price_and_nothing_else(api, desk):
    await single(api)
    more = {"cancel": True, "partial": True, "order_contracts": 3, "symbol": "MSFT"}
    answer = await seed(api, 1092, 50.25, path="/v3/price", **more)
    assert (answer.status, answer.json["order_status"]) == (200, "filled")
    assert answer.json["order_contracts"] == 10


# Reports, the bridge's form


REPORTS = [
    # legs reported, in this order; status, message, fill price and slip after each
    (
        [(1, 12.5, 10.0), (2, 14.2, 7.0)],
        [
            ("filled(...)", "remained(NMFC): 0.0", None, None),
            ("filled", "", 2.276, 0.024),
        ],
    ),
    (
        [(2, 14.2, 7.0), (1, 12.5, 10.0)],
        [("filled(...)", None, None, None), ("filled", "", 2.276, 0.024)],
    ),
    (
        [(1, 12.5, 4.0), (2, 14.2, 3.0)],
        [
            ("filled(...)", "remained(NMFC): 6.0", None, None),
            ("part.filled", "remained(NMFC): 6.0", 2.276, 0.024),
        ],
    ),
    (
        [(2, 14.2, 3.0), (1, 12.5, 4.0)],
        [
            ("filled(...)", None, None, None),
            ("part.filled", "remained(NMFC): 6.0", 2.276, 0.024),
        ],
    ),
    (
        [(1, 12.5, 10.0), (2, 14.2, 6.0), (2, 14.2, 7.0)],
        [
            ("filled(...)", "remained(NMFC): 0.0", None, None),
            ("part.filled", "remained(ROIC): 1.0", 2.276, 0.024),
            ("filled", "", 2.276, 0.024),
        ],
    ),
    (
        [(1, 12.5, 8.0), (2, 14.2, 6.0), (1, 12.6, 10.0), (2, 14.2, 7.0)],
        [
            ("filled(...)", "remained(NMFC): 2.0", None, None),
            ("part.filled", "remained(NMFC): 2.0", 2.276, 0.024),
            ("part.filled", "remained(ROIC): 1.0", 2.376, -0.076),
            ("filled", "", 2.376, -0.076),
        ],
    ),
]


@ON_SQLITE
@pytest.mark.parametrize(("calls", "states"), REPORTS)
async def test_both_legs_decide_whether_a_pair_is_filled(api, desk, admin, calls, states):
    await pair(api)
    for number, ((leg, price, quantity), expected) in enumerate(zip(calls, states, strict=True), 2):
        order_id, symbol = {1: (1010, "NMFC"), 2: (1011, "ROIC")}[leg]
        for _ in range(2):  # a repeat changes nothing
            answer = await bridge(api, order_id, symbol, price, quantity)
            assert answer.status == 200
            found = await shown(api)
            assert (found[0], found[1], found[4], found[5]) == expected
            assert answer.json[f"stk_price{leg}"] == price
            assert await count_events(api, admin) == number


@pytest.mark.parametrize(
    ("contracts", "quantity", "status", "message"),
    [
        (10, 4.0, "part.filled", "remained: 6.0"),
        (10, 10.0, "filled", ""),
        (10, 11.0, "filled", ""),
        (10, 0, "part.filled", "remained: 10.0"),
        (0.5, 0.2, "part.filled", "remained: 0.3"),
        (0.5, 0.5, "filled", ""),
    ],
)
async def test_a_report_of_a_single(api, desk, contracts, quantity, status, message):
    await single(api, order_contracts=contracts)
    answer = await bridge(api, 1092, "AAPL", 50.25, quantity)
    assert (answer.json["order_status"], answer.json["status_msg"]) == (status, message)
    assert (answer.json["fill_price"], answer.json["order_contracts"]) == (50.25, contracts)


async def test_a_smaller_quantity_than_is_known_changes_nothing(api, desk, admin):
    await single(api)
    await bridge(api, 1092, "AAPL", 50.25, 6)
    before = await record_of(api)
    answer = await bridge(api, 1092, "AAPL", 49, 5)
    assert answer.status == 200
    assert await record_of(api) == before
    assert await count_events(api, admin) == 2


@pytest.mark.parametrize("kind", ["pair", "single"])
async def test_a_filled_signal_stays_filled(api, desk, admin, kind):
    if kind == "pair":
        await pair(api)
        await bridge(api, 1011, "ROIC", 14.2, 7)
        await bridge(api, 1010, "NMFC", 12.5, 10)
        order_id, symbol = 1010, "NMFC"
    else:
        await single(api)
        await bridge(api, 1092, "AAPL", 50, 10)
        order_id, symbol = 1092, "AAPL"
    before = await record_of(api)
    events = await count_events(api, admin)
    assert before["order_status"] == "filled"
    for answer in (
        await bridge_cancel(api, order_id, symbol),
        await seed_cancel(api, order_id),
        await bridge(api, order_id, symbol, 99, 99),
        await bridge(api, order_id, symbol, 99, 1),
        await seed(api, order_id, 99),
        await seed(api, order_id, 99, partial=True, order_contracts=1),
        await seed(api, order_id, 99, path="/v3/price"),
    ):
        assert (answer.status, answer.json["order_status"]) == (200, "filled")
    assert await record_of(api) == before
    assert await count_events(api, admin) == events


# Cancels


async def test_a_cancel_in_the_seeds_form(api, desk, admin):
    await single(api)
    for _ in range(2):
        answer = await seed_cancel(api, 1092)
        assert (answer.status, answer.json["order_status"]) == (200, "canceled")
        assert answer.json["status_msg"] == "multiple active orders"
        assert answer.json["stk_price1"] is None
    assert await count_events(api, admin) == 2


async def test_a_cancel_in_the_bridges_form(api, desk, admin):
    await pair(api)
    for _ in range(2):
        answer = await bridge_cancel(api, 1010, "NMFC")
        assert answer.status == 200
        assert await shown(api) == ["canceled", "mult.act.orders", None, None, None, None]
    assert await count_events(api, admin) == 2


async def test_a_cancel_of_a_part_filled_signal_keeps_what_it_had(api, desk, admin):
    await single(api)
    await bridge(api, 1092, "AAPL", 50.25, 4)
    for _ in range(2):
        await bridge_cancel(api, 1092, "AAPL")
        expected = ["canceled", "(*)part.filled | remained: 6.0", 50.25, None, 50.25, -0.25]
        assert await shown(api) == expected
    assert await count_events(api, admin) == 3


@ON_SQLITE
@pytest.mark.parametrize("cancel", [True, "true", 1])
@pytest.mark.parametrize(
    "junk", [{"stk_price": "x"}, {"price": None, "filled_qty": "?"}, {"partial": "?"}, {}]
)
async def test_a_cancel_looks_at_nothing_else(api, desk, cancel, junk):
    await single(api)
    body = {"passphrase": "webhook", "order_id": 1092, "cancel": cancel, **junk}
    answer = await api.post(UPDATE, body)
    assert (answer.status, answer.json["order_status"]) == (200, "canceled")


@pytest.mark.parametrize(
    ("later", "status", "message"),
    [
        (10, "filled", ""),
        (5, "part.filled", "remained: 5.0"),
        (4, "canceled", "(*)part.filled | remained: 6.0"),
        (3, "canceled", "(*)part.filled | remained: 6.0"),
    ],
)
async def test_only_more_than_was_known_revives_a_canceled_signal(
    api, desk, later, status, message
):
    await single(api)
    await bridge(api, 1092, "AAPL", 50.25, 4)
    await bridge_cancel(api, 1092, "AAPL")
    answer = await bridge(api, 1092, "AAPL", 50.25, later)
    assert answer.status == 200
    assert (answer.json["order_status"], answer.json["status_msg"]) == (status, message)


@pytest.mark.parametrize("form", ["bridge", "seed"])
async def test_the_first_price_of_a_leg_revives_a_canceled_signal(api, desk, form):
    await pair(api)
    if form == "bridge":
        await bridge_cancel(api, 1010, "NMFC")
        await bridge(api, 1010, "NMFC", 12.5, 10)
        answer = await bridge(api, 1011, "ROIC", 14.2, 7)
    else:
        await seed_cancel(api, 1010)
        await seed(api, 1010, 12.5)
        answer = await seed(api, 1011, 14.2)
    assert answer.json["order_status"] == "filled"
    assert answer.json["fill_price"] == 2.276


# Half filled when it came from the original


MOVED = {
    **{"rowid": 7, "timestamp": "2023-01-05 15:00:00", "order_action": "buy", "order_price": 2.3},
    **{"ticker": "NMFC-0.72*NASDAQ:ROIC", "order_contracts": 100, "order_status": "filled(...)"},
    **{"ticker_type": "pair", "ticker1": "NMFC", "ticker2": "ROIC", "hedge_param": 0.72},
    **{"order_id1": 1010, "order_id2": 1011, "price1": 12.5},
}
ALONE = {"ticker": "AAPL", "ticker_type": "single", "ticker1": "AAPL", "hedge_param": None}
ALONE |= {"ticker2": None, "order_id1": 1092, "order_contracts": 10, "order_id2": None}
MOVES = [
    (
        {"status_msg": "remained(NMFC): 60.0"},
        [
            ((1011, "ROIC", 14.2, 72), "part.filled", "remained(NMFC): 60.0"),
            ((1010, "NMFC", 12.5, 100), "filled", ""),
        ],
    ),
    (
        {"status_msg": "remained(ROIC): 42.0", "order_status": "part.filled", "price2": 14.2},
        [
            ((1010, "NMFC", 12.5, 100), "part.filled", "remained(ROIC): 42.0"),
            ((1011, "ROIC", 14.2, 72), "filled", ""),
        ],
    ),
    (
        {"status_msg": "(*)part.filled | remained(NMFC): 60.0", "order_status": "canceled"},
        [
            ((1010, "NMFC", 12.5, 40), "canceled", "(*)part.filled | remained(NMFC): 60.0"),
            ((1010, "NMFC", 12.5, 41), "filled(...)", "remained(NMFC): 59.0"),
        ],
    ),
    (
        {**ALONE, "status_msg": "remained: 6.0", "order_status": "part.filled"},
        [
            ((1092, "AAPL", 12.5, 3), "part.filled", "remained: 6.0"),
            ((1092, "AAPL", 12.5, 5), "part.filled", "remained: 5.0"),
        ],
    ),
    (
        {**ALONE, "status_msg": "(*)part.filled | remained: 6.0", "order_status": "canceled"},
        [
            ((1092, "AAPL", 12.5, 4), "canceled", "(*)part.filled | remained: 6.0"),
            ((1092, "AAPL", 12.5, 10), "filled", ""),
        ],
    ),
]


@pytest.mark.parametrize(("row", "calls"), MOVES)
async def test_an_order_half_filled_at_the_move_goes_on_where_it_was(api, app, desk, row, calls):
    moved = original_signal(MOVED | row)
    await app.writer.submit(lambda: Takeover().take(moved))
    for call, status, message in calls:
        answer = await bridge(api, *call)
        assert answer.json["rowid"] == 7
        assert (answer.json["order_status"], answer.json["status_msg"]) == (status, message)


# Which signal


@pytest.mark.parametrize("order_id", [1092, "1092", " 1092 ", 1092.0])
async def test_an_order_id_may_be_text_of_digits(api, desk, order_id):
    await single(api)
    assert (await seed(api, order_id, 50)).status == 200


@pytest.mark.parametrize("form", ["bridge", "seed"])
async def test_of_several_with_the_same_id_the_newest_is_meant(api, desk, form):
    for _ in range(3):
        await single(api)
    await api.alert(ticker="BF B", order_id1=5)
    await (bridge(api, 1092, "AAPL", 50, 10) if form == "bridge" else seed(api, 1092, 50))
    states = [(await record_of(api, rowid))["order_status"] for rowid in (1, 2, 3)]
    assert states == ["created", "created", "filled"]


async def test_with_a_symbol_the_newest_whose_leg_has_it_is_meant(api, desk):
    await pair(api)  # 1: NMFC by 1010, ROIC by 1011
    await single(api, "BF B", order_id1=1010)  # 2
    await pair(api, ticker="MA-3*V", order_id1=1011, order_id2=1010)  # 3: V by 1010
    for symbol, rowid, leg in (("NMFC", 1, 1), ("BF B", 2, 1), ("V", 3, 2)):
        answer = await bridge(api, 1010, symbol, 5, 1)
        assert (answer.status, answer.json["rowid"]) == (200, rowid)
        assert answer.json[f"stk_price{leg}"] == 5
    answer = await bridge(api, 1010, "MA", 5, 1)
    assert (answer.status, answer.json) == (404, NOT_FOUND)
    assert (await seed(api, 1010, 6)).json["rowid"] == 3


@pytest.mark.parametrize(
    ("ticker", "symbol", "status"),
    [
        ("EUR.USD", "EUR", 200),
        ("EUR.USD", "EUR.USD", 200),
        ("EUR.USD", "USD", 404),
        ("EUR.USD", "EU", 404),
        ("EUR.USD", "GBP", 404),
        ("BTC.USD", "BTC", 200),
        ("BF B", "BF B", 200),
        ("BF B", "BF", 404),
        ("AAPL", "A", 404),
        ("AAPL", "aapl", 404),
    ],
)
async def test_the_brokers_short_symbol_means_the_currency_pair(api, desk, ticker, symbol, status):
    await single(api, ticker)
    assert (await bridge(api, 1092, symbol, 1.1, 10)).status == status
    filled = (await record_of(api))["order_status"] == "filled"
    assert filled == (status == 200)


@pytest.mark.parametrize("path", [UPDATE, "/v3/price"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_order_nobody_knows_is_404(api, desk, path, method):
    await single(api)
    for order_id in (1, "1", 0, -1, 2**62):
        answer = await seed(api, order_id, 5, method, path)
        assert (answer.status, answer.json) == (404, NOT_FOUND)
    assert (await bridge_cancel(api, 1, "AAPL")).status == 404


BAD = [
    ({}, {"order_id", "stk_price"}),
    ({"order_id": 1}, {"stk_price"}),
    ({"stk_price": 1}, {"order_id"}),
    *(({"order_id": bad, "stk_price": 1}, {"order_id"}) for bad in ("x", 1.5, True, None, [1])),
    ({"order_id": 2**63, "stk_price": 1}, {"order_id"}),
    *(({"order_id": 1, "stk_price": bad}, {"stk_price"}) for bad in ("x", True, "nan", [1])),
    *(({"order_id": 1, "stk_price": 1, "cancel": bad}, {"cancel"}) for bad in ("x", 2, "", [])),
    *(({"order_id": 1, "stk_price": 1, "partial": bad}, {"partial"}) for bad in ("yes", -1, "")),
    ({"order_id": 1, "symbol": "AAPL"}, {"price"}),
    *(
        ({"order_id": 1, "symbol": "AAPL", "price": 1, "filled_qty": bad}, {"filled_qty"})
        for bad in ("x", -1, 1.1e12, 2**200, str(2**200))
    ),
    *(
        (
            {"order_id": 1, "stk_price": 1, "partial": True, "order_contracts": bad},
            {"order_contracts"},
        )
        for bad in (1.1e12, 2**200, str(2**200))
    ),
    ({"order_id": 1, "symbol": "AAPL", "price": "x", "filled_qty": -1}, {"price", "filled_qty"}),
    ({"order_id": 1, "symbol": ["AAPL"], "price": 1, "filled_qty": 1}, {"symbol"}),
    ({"order_id": "x", "cancel": True}, {"order_id"}),
]


async def test_all_faulty_fields_of_an_update_are_named_at_once(api, desk):
    await single(api, order_id1=1)
    for body, fields in BAD:
        answer = await api.put(UPDATE, body | {"passphrase": "webhook"})
        assert answer.status == 400, body
        assert set(answer.json["message"]) == fields, body
    assert (await record_of(api))["order_status"] == "created"


@pytest.mark.parametrize("word", ["false", "False", 0, False, None])
async def test_a_cancel_that_says_false_cancels_nothing(api, desk, word):
    await single(api)
    answer = await seed(api, 1092, 50, cancel=word)
    assert (answer.status, answer.json["order_status"]) == (200, "filled")


async def test_reports_of_both_legs_at_the_same_instant_fill_the_pair(api, desk):
    await pair(api)
    calls = [bridge(api, 1010, "NMFC", 12.5, 10), bridge(api, 1011, "ROIC", 14.2, 7)]
    calls += [bridge(api, 1010, "NMFC", 12.5, 10) for _ in range(5)]
    answers = await asyncio.gather(*calls)
    assert {answer.status for answer in answers} == {200}
    assert await shown(api) == ["filled", "", 12.5, 14.2, 2.276, 0.024]


async def test_the_source_of_an_update_is_who_sent_it(api, desk, admin):
    await single(api)
    await bridge(api, 1092, "AAPL", 50, 4)
    await api.post(UPDATE, {"order_id": 1092, "cancel": True}, token=admin)
    events = (await api.get("/v3/signal/1/events", token=admin)).json["events"]
    assert [event["source"] for event in events] == ["webhook", "bridge", "admin"]
    assert events[2]["changes"] == {
        "order_status": ["part.filled", "canceled"],
        "status_msg": ["remained: 6.0", "multiple active orders"],
    }
