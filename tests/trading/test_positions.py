"""How the legs of a pair fit its hedge ratio, and sums by currency."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.positions import (
    TOLERANCE,
    Claim,
    Hedge,
    Holding,
    Total,
    began,
    hedge,
    opposite,
    share_out,
    spread,
    totals,
)


def held(position, cost=10.0, symbol="A", currency="USD", pnl=0.0):
    return Holding(symbol, position, cost, pnl, currency)


# Positions of leg 1 and 2, the registered ratio, and what is said of them.
HEDGES = [
    (0, 0, 0.72, Hedge("flat")),
    (100, -72, 0.72, Hedge("fine", 0.72)),
    (-100, 72, 0.72, Hedge("fine", 0.72)),
    (10, -7, 0.72, Hedge("fine", 0.7)),  # 7.2 shares cannot be had
    (1, 0, 0.72, Hedge("fine", 0.0)),  # nor a part of one
    (100, -75, 0.72, Hedge("off", 0.75)),
    (100, -69, 0.72, Hedge("off", 0.69)),
    (100, -210, 2.0, Hedge("off", 2.1)),  # 5 % exactly
    (10, -6, 0.72, Hedge("off", 0.6)),  # one share is what rounding leaves
    (10, -8, 0.72, Hedge("off", 0.8)),
    (100, -76, 0.72, Hedge("wrong", 0.76, 2, -4, -80.0)),
    (100, -68, 0.72, Hedge("wrong", 0.68, 1, 5, 50.0)),
    (100, 72, 0.72, Hedge("wrong", -0.72, 1, 100, 1000.0)),
    (-100, -72, 0.72, Hedge("wrong", -0.72, 1, -100, -1000.0)),
    (120, 0, 0.72, Hedge("leg missing", 0.0, 1, 120, 1200.0)),
    (2, 0, 0.72, Hedge("leg missing", 0.0, 1, 2, 20.0)),
    (-100, 0, 0.72, Hedge("leg missing", 0.0, 1, -100, -1000.0)),
    (0, -72, 0.72, Hedge("left over", None, 2, -72, -1440.0)),
    (0, 5, 0.72, Hedge("left over", None, 2, 5, 100.0)),
]


@pytest.mark.parametrize(("first", "second", "ratio", "expected"), HEDGES)
def test_a_hedge_is_marked(first, second, ratio, expected):
    assert hedge(held(first), held(second, 20.0), ratio) == expected


quantities = st.integers(-(10**6), 10**6).map(float)
ratios = st.floats(0.01, 100)


@given(quantities, quantities, ratios)
def test_a_hedge_is_the_same_for_the_opposite_positions(first, second, ratio):
    there, back = (hedge(held(s * first), held(s * second), ratio) for s in (1, -1))
    assert (there.mark, there.actual) == (back.mark, back.actual)
    assert (there.leg, there.unhedged, there.amount) == (back.leg, -back.unhedged, -back.amount)


@given(st.integers(1, 10**6), ratios)
def test_what_the_bridge_would_order_is_fine(shares, ratio):
    found = hedge(held(float(shares)), held(-float(math.floor(shares * ratio))), ratio)
    assert found.mark == "fine"


@given(quantities, quantities, ratios)
def test_a_mark_says_how_far_the_actual_ratio_is_from_the_registered(first, second, ratio):
    found = hedge(held(first), held(second), ratio)
    away = None if found.actual is None else abs(found.actual - ratio) / ratio
    beside = abs(second - opposite(first, ratio))
    if found.mark == "off":
        assert away <= TOLERANCE + 1e-9 or beside <= 1
    if found.mark == "wrong":
        assert away > TOLERANCE
        assert beside > 1
    assert (found.unhedged != 0) == (found.mark in ("wrong", "leg missing", "left over"))
    assert abs(found.unhedged) <= abs((first, second)[(found.leg or 1) - 1])


BROKEN = [
    (100, -72, False),
    (100, -75, False),
    (100, -60, True),
    (100, 0, True),
    (2, 0, True),
    (1, 0, False),  # 0.72 shares cannot be had
    (0, -72, True),
    (0, -1, False),  # left by rounding
    (3, -1, False),
    (0, 0, False),
]


@pytest.mark.parametrize(("first", "second", "broken"), BROKEN)
def test_a_hedge_is_broken_by_more_than_rounding(first, second, broken):
    for sign in (1, -1):
        assert hedge(held(sign * first), held(sign * second), 0.72).is_broken == broken


# --- prices, and since when --------------------------------------------------------------

PRICES = [
    # position, cost, PnL; then the price now
    (100, 12.5, 30, 12.8),
    (-72, 14.0, -36, 14.5),  # short: it loses as the price rises
    (-72, 14.0, 36, 13.5),
    (0, 14.0, 36, None),
    (100, None, 30, None),
    (100, 12.5, None, None),
    (5e-324, 12.5, 1e308, None),
    (1e-9, 12.5, 1e12, None),  # no price lies beyond 1e12
    (1e-9, 12.5, 1e2, 1e11),
]


@pytest.mark.parametrize(("position", "cost", "pnl", "price"), PRICES)
def test_the_price_now_follows_from_cost_and_profit(position, cost, pnl, price):
    assert held(position, cost, pnl=pnl).mark == (price if price is None else pytest.approx(price))


@given(quantities, st.floats(0.01, 1e4), st.floats(0.01, 1e4))
def test_the_price_now_is_the_one_that_made_the_profit(position, cost, price):
    found = held(position, cost, pnl=position * (price - cost)).mark
    assert found == (pytest.approx(price, abs=1e-6) if position else None)


def test_the_spread_is_that_of_the_chart_or_not_known():
    assert spread(12.5, 14.25, 0.72) == pytest.approx(2.24)
    assert spread(None, 14.25, 0.72) is spread(12.5, None, 0.72) is None
    assert spread(0.0, 1e308, 1e10) is None


BEGINNINGS = [
    # the position; (before, after) of the alerts, newest first; the alert that began it
    (10, [(0, 10)], 0),
    (15, [(10, 15), (0, 10), (5, 0), (0, 5)], 1),
    (-10, [(10, -10), (0, 10)], 0),  # turned around
    (10, [(10, 0), (0, 10)], 1),  # the alert that closes it still works
    (10, [(0, -10), (10, 0)], None),  # nobody told of this side
    (10, [(10, 20)], None),  # it is older than what is known
    (10, [(None, 10), (0, 10)], None),
    (10, [], None),
]


@pytest.mark.parametrize(("position", "alerts", "which"), BEGINNINGS)
def test_a_position_began_with_the_alert_that_came_from_another_side(position, alerts, which):
    moves = [(*each, f"2026-11-2{9 - i} 15:30:00") for i, each in enumerate(alerts)]
    assert began(position, moves) == (None if which is None else moves[which][2])


# --- pairs that share a leg --------------------------------------------------------------


def claim(name, ratio=1.0, size=None, active=True):
    return Claim(name, *name.split("-"), ratio, active, size)


SHARES = [
    # pairs, what is held, what is traded alone; then what each pair holds
    ([claim("A-B")], {"A": 10, "B": -10}, (), {"A-B": (10, -10)}),
    ([claim("A-B")], {"A": 10}, (), {"A-B": (10, 0)}),
    (
        [claim("A-B"), claim("A-C", 2.0)],
        {"A": 30, "B": -10, "C": -40},
        (),
        {"A-B": (10, -10), "A-C": (20, -40)},
    ),
    (  # what nobody's other leg explains is with the largest
        [claim("A-B"), claim("A-C")],
        {"A": 30, "B": -10, "C": 0},
        (),
        {"A-B": (30, -10), "A-C": (0, 0)},
    ),
    (  # as second leg of one and first of the other
        [claim("A-B", 2.0), claim("B-C")],
        {"A": 10, "B": -15, "C": -5},
        (),
        {"A-B": (10, -20), "B-C": (5, -5)},
    ),
    (  # a paused pair that holds nothing
        [claim("A-B"), claim("A-C", active=False)],
        {"A": 10, "B": -10},
        (),
        {"A-B": (10, -10), "A-C": (0, 0)},
    ),
    ([claim("A-B", active=False)], {"A": 10}, (), {"A-B": (10, 0)}),
    ([claim("A-B", active=False)], {"A": 10}, ("A",), {"A-B": (0, 0)}),
    (  # a triangle: the strategies say
        [claim("A-B", size=10), claim("A-C", size=5), claim("B-C", size=0)],
        {"A": 15, "B": -10, "C": -5},
        (),
        {"A-B": (10, -10), "A-C": (5, -5), "B-C": (0, 0)},
    ),
    (  # 3 of leg 1 ask for 2 of leg 2, and so do 2.8: the strategy says
        [claim("A-B", 0.72, size=3), claim("A-C", 0.72, size=4)],
        {"A": 7, "B": -2, "C": -2},
        (),
        {"A-B": (3, -2), "A-C": (4, -2)},
    ),
]


@pytest.mark.parametrize(("claims", "held_of", "alone", "expected"), SHARES)
def test_pairs_share_a_leg(claims, held_of, alone, expected):
    assert share_out(claims, held_of, alone) == expected


@given(st.dictionaries(st.sampled_from("ABCD"), st.integers(-99, 99).map(float)), st.booleans())
def test_shares_add_up_to_what_is_held(held_of, active):
    pairs = [claim("A-B"), claim("A-C", 0.5), claim("D-B", 2.0, active=active)]
    shares = share_out(pairs, held_of)
    for leg in "ABCD":
        mine = sum(
            shares[each.name][leg == each.leg2] for each in pairs if leg in (each.leg1, each.leg2)
        )
        assert mine == pytest.approx(held_of.get(leg, 0.0)) or not active


def test_the_largest_numbers_are_marked_too():
    assert hedge(held(1e308), held(-1e308), 10.0).mark == "wrong"
    assert hedge(held(5e-324), held(1e308), 1.0).mark == "wrong"


def test_totals_count_each_instrument_once_by_currency():
    first = held(100, 12.5, "A", pnl=3.0)
    holdings = [first, first, held(-10, 20.0, "B", pnl=-1.0), held(0, 5.0, "C", pnl=0.5)]
    holdings.append(held(-4, 2.5, "D", "EUR", 7.0))
    assert totals(holdings) == [
        Total("EUR", 7.0, 0, -10.0),
        Total("USD", 2.5, 1250.0, -200.0),
    ]
    assert totals([]) == []
