"""How the legs of a pair fit its hedge ratio, and sums by currency."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.positions import TOLERANCE, Hedge, Holding, Total, hedge, totals


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
    (100, -76, 0.72, Hedge("wrong", 0.76)),
    (100, -68, 0.72, Hedge("wrong", 0.68)),
    (100, 72, 0.72, Hedge("wrong", -0.72)),
    (-100, -72, 0.72, Hedge("wrong", -0.72)),
    (100, 0, 0.72, Hedge("leg missing", 0.0, 100, 1000.0)),
    (-100, 0, 0.72, Hedge("leg missing", 0.0, -100, -1000.0)),
    (0, -72, 0.72, Hedge("left over", None, -72, -1440.0)),
    (0, 5, 0.72, Hedge("left over", None, 5, 100.0)),
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
    assert (there.unhedged, there.amount) == (-back.unhedged, -back.amount)


@given(st.integers(1, 10**6), ratios)
def test_what_the_bridge_would_order_is_fine(shares, ratio):
    found = hedge(held(float(shares)), held(-float(math.floor(shares * ratio))), ratio)
    assert found.mark == "fine"


@given(quantities, quantities, ratios)
def test_a_mark_says_how_far_the_actual_ratio_is_from_the_registered(first, second, ratio):
    found = hedge(held(first), held(second), ratio)
    away = None if found.actual is None else abs(found.actual - ratio) / ratio
    if found.mark == "off":
        assert away <= TOLERANCE + 1e-9
    if found.mark == "wrong":
        assert away > TOLERANCE
    assert (found.unhedged != 0) == (found.mark in ("leg missing", "left over"))


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
