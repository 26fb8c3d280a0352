"""Fills, partial fills and cancels: the two forms of a report, races and repeats."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import statuses
from trading.fills import Order, cancel, matches, price_leg, quantities, report

PAIR = Order("buy", 10, 2.3, "NMFC", "ROIC", 0.72, "created", "")
SINGLE = Order("buy", 10, 50, "AAPL", None, None, "created", "")
SPREAD = Order("buy", 20, -2.0, "MA", "V", 3.0, "created", "")
EVERY_STATUS = [*statuses.KNOWN, "sent by hand"]


def state(order):
    """What a client sees of a report's outcome."""
    return order.order_status, order.status_msg


def reports(order, *calls):
    """The order after several (leg, price, quantity)."""
    for call in calls:
        order = report(order, *call)
    return order


# Prices alone


@pytest.mark.parametrize("order_of_calls", [((1, 300.1), (2, 100.756)), ((2, 100.756), (1, 300.1))])
def test_prices_of_both_legs_fill_a_pair(order_of_calls):
    first, second = order_of_calls
    half = price_leg(SPREAD, *first)
    assert (half.order_status, half.fill_price, half.slip) == ("filled(...)", None, None)
    order = price_leg(half, *second)
    assert (order.order_status, order.fill_price, order.slip) == ("filled", -2.168, 0.168)
    assert (order.stk_price1, order.stk_price2, order.status_msg) == (300.1, 100.756, "")


@pytest.mark.parametrize(
    ("action", "order_price", "price", "slippage"),
    [
        ("buy", 50, 50.25, -0.25),
        ("buy", 50, 49.75, 0.25),
        ("sell", 50, 50.25, 0.25),
        ("sell", 50, 49.75, -0.25),
        ("buy", 50, 50, 0),
        ("buy", 0, 0.5, -0.5),
        ("buy", 0, -37.63, 37.63),
        ("sell", 1.1, 1.123456, 0.0235),
        ("buy", None, 50.25, None),
    ],
)
def test_a_price_fills_a_single(action, order_price, price, slippage):
    order = price_leg(replace(SINGLE, order_action=action, order_price=order_price), 1, price)
    assert (order.order_status, order.fill_price, order.slip) == ("filled", price, slippage)


def test_nothing_is_minus_zero():
    flat = replace(SPREAD, order_price=0, hedge_param=1.0, order_action="sell")
    order = price_leg(price_leg(flat, 1, 7.00001), 2, 7.00002)
    assert [math.copysign(1, number) for number in (order.fill_price, order.slip)] == [1, 1]
    assert report(PAIR, 1, 1, 10 + 1e-12).status_msg == "remained(NMFC): 0.0"


def test_a_price_can_be_corrected_until_the_order_is_filled():
    assert price_leg(price_leg(SPREAD, 1, 300), 1, 301).stk_price1 == 301
    filled = price_leg(SINGLE, 1, 50)
    assert price_leg(filled, 1, 51) == filled


# Partial fills


@pytest.mark.parametrize(
    ("contracts", "remaining", "message"),
    [
        (10, 4, "canceled amount: 6"),
        (10.0, 2.5, "canceled amount: 7.5"),
        (0.3, 0.1, "canceled amount: 0.2"),
        (10, 10, "canceled amount: 0"),
        (10, 12, "canceled amount: -2"),
    ],
)
def test_a_partial_fill_sets_the_contracts(contracts, remaining, message):
    order = price_leg(replace(SINGLE, order_contracts=contracts), 1, 50.5, contracts=remaining)
    assert (order.order_contracts, *state(order)) == (remaining, "part.filled", message)
    assert (order.fill_price, order.slip) == (50.5, -0.5)
    assert price_leg(order, 1, 50.5, contracts=remaining) == order


def test_a_partial_fill_of_a_pair():
    order = price_leg(SPREAD, 1, 300.1, contracts=5)
    assert (*state(order), order.fill_price) == ("part.filled", "canceled amount: 15", None)
    order = price_leg(order, 2, 100.756, contracts=5)
    assert (*state(order), order.fill_price) == ("part.filled", "canceled amount: 15", -2.168)
    assert price_leg(order, 2, 100.756).order_status == "filled"


# Quantities


@pytest.mark.parametrize(
    ("calls", "status", "message"),
    [
        ([(1, 12.5, 10)], "filled(...)", "remained(NMFC): 0.0"),
        ([(1, 12.5, 4)], "filled(...)", "remained(NMFC): 6.0"),
        ([(2, 14.2, 7)], "filled(...)", ""),
        ([(2, 14.2, 3)], "filled(...)", ""),
        ([(1, 12.5, 4), (2, 14.2, 7)], "part.filled", "remained(NMFC): 6.0"),
        ([(1, 12.5, 4), (2, 14.2, 3)], "part.filled", "remained(NMFC): 6.0"),
        ([(1, 12.5, 10), (2, 14.2, 3)], "part.filled", "remained(ROIC): 4.0"),
        ([(1, 12.5, 8), (2, 14.2, 6)], "part.filled", "remained(NMFC): 2.0"),
        ([(1, 12.5, 10), (2, 14.2, 7)], "filled", ""),
        ([(1, 12.5, 11), (2, 14.2, 8)], "filled", ""),
        ([(1, 12.5, 10), (2, -14.2, 7)], "filled", ""),
    ],
)
def test_both_legs_decide_in_either_order(calls, status, message):
    assert state(reports(PAIR, *calls)) == (status, message)
    assert state(reports(PAIR, *reversed(calls))) == (status, message)


def test_a_pair_fills_bit_by_bit():
    order = reports(PAIR, (2, 14.0, 3), (1, 12.0, 4))
    assert (order.fill_price, order.slip) == (1.92, 0.38)
    order = reports(order, (1, 12.5, 10), (2, 14.2, 7))
    assert (*state(order), order.filled_qty1, order.filled_qty2) == ("filled", "", 10, 7)
    assert (order.fill_price, order.slip) == (2.276, 0.024)


@pytest.mark.parametrize(
    ("contracts", "quantity", "status", "message"),
    [
        (10, 4, "part.filled", "remained: 6.0"),
        (10, 10, "filled", ""),
        (10, 0, "part.filled", "remained: 10.0"),
        (0.3, 0.1, "part.filled", "remained: 0.2"),
        (0.3, 0.1 * 3, "filled", ""),
        (0.1 * 3, 0.3, "filled", ""),
    ],
)
def test_a_single_fills(contracts, quantity, status, message):
    order = report(replace(SINGLE, order_contracts=contracts), 1, 50.5, quantity)
    assert state(order) == (status, message)
    assert (order.filled_qty1, order.fill_price, order.slip) == (quantity, 50.5, -0.5)


def test_a_smaller_quantity_changes_nothing():
    order = report(SINGLE, 1, 50.5, 4)
    assert report(order, 1, 51, 3) == order
    assert report(order, 1, 51, -1) == order


def test_a_price_without_quantity_stands_for_the_whole_leg():
    assert state(report(price_leg(PAIR, 1, 12.5), 2, 14.2, 7)) == ("filled", "")
    assert state(report(price_leg(PAIR, 2, 14.2), 1, 12.5, 4)) == (
        "part.filled",
        "remained(NMFC): 6.0",
    )


def test_a_single_has_no_second_leg():
    assert report(SINGLE, 2, 50, 10) == price_leg(SINGLE, 2, 50) == SINGLE


@pytest.mark.parametrize("price", [0, 0.0, None])
@pytest.mark.parametrize("status", [*EVERY_STATUS, "priced"])
def test_no_price_yet_changes_nothing(price, status):
    for order in (PAIR, SINGLE):
        order = (
            report(order, 1, 9, 2) if status == "priced" else replace(order, order_status=status)
        )
        for leg in (1, 2):
            assert report(order, leg, price, 124) == order
            assert price_leg(order, leg, price) == price_leg(order, leg, price, 4) == order


def test_a_stored_price_of_zero_is_none():
    order = replace(PAIR, stk_price1=0, stk_price2=0.0)
    assert report(order, 1, 12.5, 10).fill_price is None
    assert state(reports(order, (1, 12.5, 10), (2, 14.2, 7))) == ("filled", "")
    assert state(report(cancel(order, bridge=True), 1, 12.5, 10))[0] == "filled(...)"


def test_a_gateway_that_says_zero_for_not_yet_spoils_no_fill():
    order = replace(SINGLE, order_price=119.6, order_contracts=124)
    order = reports(order, (1, 119.59, 24), (1, 0.0, 124), (1, 119.59, 124))
    assert (order.order_status, order.fill_price, order.slip) == ("filled", 119.59, 0.01)


@pytest.mark.parametrize(
    ("known", "status", "message"),
    [([], "filled", ""), ([(1, 50, 4)], "part.filled", "remained: 6.0")],
)
def test_a_quantity_that_is_not_known_stays_what_it_was(known, status, message):
    order = report(reports(SINGLE, *known), 1, 50.5, None)
    assert (*state(order), order.fill_price) == (status, message, 50.5)
    assert order.filled_qty1 == (known[0][2] if known else None)


TOO_SMALL = Order("buy", 1, -20, "KO", "PEP", 0.5, "created", "")


def test_a_leg_too_small_for_one_share_is_not_waited_for():
    for order in (report(TOO_SMALL, 1, 60, 1), price_leg(TOO_SMALL, 1, 60)):
        assert (*state(order), order.stk_price1) == ("filled", "", 60)
        assert (order.fill_price, order.slip) == (None, None)
    assert report(TOO_SMALL, 2, 30, 0) == price_leg(TOO_SMALL, 2, 30) == TOO_SMALL
    half = report(replace(TOO_SMALL, order_contracts=1.5), 1, 60, 1)
    assert (*state(half), half.fill_price) == ("part.filled", "remained(KO): 0.5", None)
    assert state(report(half, 1, 60, 1.5)) == ("filled", "")
    revived = report(cancel(TOO_SMALL, bridge=True), 1, 60, 1)
    assert state(revived) == ("filled", "")


# What a message tells


@pytest.mark.parametrize(
    ("order", "message", "expected"),
    [
        (replace(PAIR, order_contracts=100), "remained(NMFC): 60.0", (40, None)),
        (replace(PAIR, order_contracts=100), "(*)part.filled | remained(NMFC): 60.0", (40, None)),
        (PAIR, "remained(NMFC): 0.0", (10, None)),
        (PAIR, "remained(NMFC): -1.0", (11, None)),
        (PAIR, "remained(ROIC): 3.0", (None, 4)),
        (PAIR, "(*)part.filled | remained(ROIC): 7", (None, 0)),
        (PAIR, "remained(ROIC): 9.0", (None, 0)),
        (PAIR, "remained: 3.0", (None, None)),
        (PAIR, "remained(V): 3.0", (None, None)),
        (SINGLE, "remained: 6.0", (4, None)),
        (SINGLE, "(*)part.filled | remained: 6.0", (4, None)),
        (SINGLE, "remained(AAPL): 6.0", (4, None)),
        (SINGLE, "canceled amount: 6", (None, None)),
        (SINGLE, "it remained: 6.0 o'clock", (None, None)),
        (SINGLE, "", (None, None)),
        (SINGLE, None, (None, None)),
    ],
)
def test_what_remained_tells_what_was_filled(order, message, expected):
    assert quantities(replace(order, status_msg=message)) == expected


def test_what_is_left_of_an_order_is_read_back_from_its_own_message():
    for reported in [(1, 12.5, 4)], [(2, 14.2, 7), (1, 12.5, 4)], [(1, 12.5, 10), (2, 14.2, 3)]:
        order = reports(PAIR, *reported)
        for told in (order, cancel(replace(order, order_status="part.filled"), bridge=True)):
            filled_qty1, filled_qty2 = quantities(told)
            assert filled_qty1 in (None, order.filled_qty1)
            assert filled_qty2 in (None, order.filled_qty2)
            assert (filled_qty1, filled_qty2) != (None, None)


# Cancels


@pytest.mark.parametrize("status", EVERY_STATUS)
@pytest.mark.parametrize("bridge", [True, False])
def test_cancel(status, bridge):
    order = replace(PAIR, order_status=status, status_msg="remained(NMFC): 6.0")
    canceled = cancel(order, bridge)
    if status in ("filled", "canceled"):
        assert canceled == order
    elif not bridge:
        assert state(canceled) == ("canceled", "multiple active orders")
    elif status == "part.filled":
        assert state(canceled) == ("canceled", "(*)part.filled | remained(NMFC): 6.0")
    else:
        assert state(canceled) == ("canceled", "mult.act.orders")


def test_cancel_keeps_prices_and_repeats_keep_the_message():
    order = report(SINGLE, 1, 50.5, 4)
    canceled = cancel(order, bridge=True)
    message = "(*)part.filled | remained: 6.0"
    assert canceled == replace(order, order_status="canceled", status_msg=message)
    assert cancel(canceled, bridge=True) == cancel(canceled, bridge=False) == canceled


def test_cancel_without_an_old_message():
    order = replace(SINGLE, order_status="part.filled", status_msg=None)
    assert cancel(order, bridge=True).status_msg == "(*)part.filled | "


def test_a_fill_that_raced_a_cancel_revives():
    canceled = cancel(report(SINGLE, 1, 50.5, 4), bridge=True)
    assert report(canceled, 1, 50.5, 4) == report(canceled, 1, 60, 4) == canceled
    assert report(canceled, 1, 50.5, 3) == price_leg(canceled, 1, 50.5) == canceled
    assert state(report(canceled, 1, 50.5, 6)) == ("part.filled", "remained: 4.0")
    assert state(report(canceled, 1, 50.5, 10)) == ("filled", "")


def test_a_first_price_revives_and_drops_the_message_of_the_cancel():
    canceled = cancel(PAIR, bridge=False)
    assert state(price_leg(canceled, 1, 12.5)) == ("filled(...)", "")
    assert state(report(canceled, 2, 14.2, 7)) == ("filled(...)", "")
    assert state(report(canceled, 1, 12.5, 4)) == ("filled(...)", "remained(NMFC): 6.0")
    assert state(price_leg(cancel(SINGLE, bridge=False), 1, 50)) == ("filled", "")
    partial = price_leg(cancel(SINGLE, bridge=False), 1, 50, contracts=4)
    assert state(partial) == ("part.filled", "canceled amount: 6")


def test_a_canceled_leg_priced_without_quantity_has_nothing_left_to_bring():
    canceled = cancel(price_leg(PAIR, 1, 12.5), bridge=True)
    assert report(canceled, 1, 12.5, 10) == price_leg(canceled, 1, 12.6) == canceled


# Out of range


@pytest.mark.parametrize(
    "call",
    [
        lambda order: report(report(order, 1, 1, 10), 2, 1e308, 7),
        lambda order: price_leg(price_leg(order, 1, 1), 2, 1e308),
        lambda order: price_leg(order, 1, math.inf),
        lambda order: price_leg(order, 1, 1, contracts=math.nan),
        lambda order: report(order, 1, math.nan, 1),
        lambda order: report(order, 1, 1, math.inf),
        lambda order: reports(replace(order, order_contracts=1e308), (1, 1, 1e308), (2, 1, 1)),
    ],
)
def test_out_of_range(call):
    with pytest.raises(ValueError, match="out of range"):
        call(replace(PAIR, hedge_param=20.0))


def test_a_pair_without_hedge_has_no_fill_price():
    with pytest.raises(ValueError, match="hedge"):
        reports(replace(PAIR, hedge_param=None), (1, 1, 1), (2, 1, 1))


# Symbols


@pytest.mark.parametrize(
    ("symbol", "leg", "same"),
    [
        ("AAPL", "AAPL", True),
        ("BF B", "BF B", True),
        ("EUR.USD", "EUR.USD", True),
        ("EUR", "EUR.USD", True),
        ("BTC", "BTC.USD", True),
        ("A", "A.B.C", True),
        ("EU", "EUR.USD", False),
        ("USD", "EUR.USD", False),
        ("EUR.USD", "EUR", False),
        ("A.B", "A.B.C", False),
        ("BF", "BF B", False),
        ("AAPL", "AAPLX", False),
        ("", "EUR.USD", False),
    ],
)
def test_matches(symbol, leg, same):
    assert matches(symbol, leg) is same


# Properties

numbers = st.floats(-1e9, 1e9)
prices = numbers.filter(bool)
anything = st.floats(allow_nan=False, allow_infinity=False)
sizes = st.floats(0, 1e6) | st.integers(0, 100)
orders = st.builds(
    Order,
    order_action=st.sampled_from(["buy", "sell"]),
    order_contracts=st.floats(1e-6, 1e6) | st.integers(1, 100),
    order_price=st.none() | numbers,
    stk_ticker1=st.just("NMFC"),
    stk_ticker2=st.sampled_from([None, "ROIC"]),
    hedge_param=st.floats(1e-6, 1e3),
    order_status=st.sampled_from(EVERY_STATUS),
    status_msg=st.sampled_from([None, "", "+synced(10->-4)"]),
)
legs = st.sampled_from([1, 2])
calls = st.one_of(
    st.tuples(st.just(cancel), st.tuples(st.booleans())),
    st.tuples(st.just(price_leg), st.tuples(legs, numbers)),
    st.tuples(st.just(price_leg), st.tuples(legs, numbers, st.floats(1e-6, 1e6))),
    st.tuples(st.just(report), st.tuples(legs, numbers | st.none(), sizes | st.none())),
)


@given(orders, st.lists(calls, max_size=6))
def test_a_repeated_call_changes_nothing(order, history):
    for function, arguments in history:
        order = function(order, *arguments)
        assert function(order, *arguments) == order


@given(orders, st.lists(calls, min_size=1, max_size=6))
def test_a_filled_order_never_changes(order, history):
    filled = order = replace(order, order_status="filled")
    for function, arguments in history:
        order = function(order, *arguments)
    assert order == filled


@given(orders, prices, prices, sizes, sizes)
def test_the_order_of_two_legs_does_not_matter(order, price1, price2, quantity1, quantity2):
    order = replace(order, stk_ticker2="ROIC")
    one, two = (1, price1, quantity1), (2, price2, quantity2)
    assert reports(order, one, two) == reports(order, two, one)
    one, two = one[:2], two[:2]
    assert price_leg(price_leg(order, *one), *two) == price_leg(price_leg(order, *two), *one)


@given(st.data(), st.integers(1, 50), st.floats(0.1, 5))
def test_the_order_of_all_reports_does_not_matter(data, contracts, hedge):
    order = replace(PAIR, order_contracts=contracts, hedge_param=hedge)
    per_leg = []
    for leg, size in ((1, contracts), (2, math.floor(contracts * hedge))):
        quantities = sorted(data.draw(st.sets(st.integers(0, size), min_size=1, max_size=3)))
        per_leg.append([(leg, data.draw(prices), quantity) for quantity in quantities])
    turns = data.draw(st.permutations([leg for queue in per_leg for leg, *_ in queue]))
    queues = [iter(queue) for queue in per_leg]
    mixed = [next(queues[leg - 1]) for leg in turns]
    assert reports(order, *mixed) == reports(order, *per_leg[0], *per_leg[1])


@given(orders, st.lists(st.tuples(legs, anything, anything), max_size=4), anything)
def test_results_are_finite_or_refused(order, history, contracts):
    try:
        order = price_leg(reports(order, *history), 1, 1.0, contracts)
    except ValueError as error:
        assert str(error) == "out of range"
        return
    values = (
        order.order_contracts,
        order.stk_price1,
        order.stk_price2,
        order.fill_price,
        order.slip,
    )
    assert all(value is None or math.isfinite(value) for value in values)
    assert "nan" not in (order.status_msg or "") and "inf" not in (order.status_msg or "")
