"""Trips from fills: tables of histories, and that no cent is lost or made over any of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.trips import Deal, Fill, follow


def fill(number, leg1, leg2=None, hedge=None, before=None, **more):
    """The fill of signal `number`; a leg is (quantity, price) or None."""
    deals = [deal and Deal(*deal) for deal in (leg1, leg2)]
    return Fill(number, f"2026-11-24 15:{number:02}:00", *deals, hedge, before, **more)


def single(*deals):
    """The book of a single after (quantity, price) ..."""
    return follow(fill(number, deal) for number, deal in enumerate(deals, 1))


def told(book):
    """(side, contracts, PnL of leg 1, entry, exit, closed, signals) of each trip."""
    return [
        (
            *(trip.side, trip.contracts, round(trip.legs[0].realised, 6)),
            *(trip.entry, trip.exit, trip.closed is not None, trip.signals),
        )
        for trip in book.trips
    ]


SINGLES = [
    ("nothing", [], []),
    ("long and out", [(10, 5), (-10, 7)], [(1, 10, 20, 5, 7, True, [1, 2])]),
    ("short and out", [(-10, 5), (10, 7)], [(-1, 10, -20, 5, 7, True, [1, 2])]),
    ("open", [(10, 5)], [(1, 10, 0, 5, None, False, [1])]),
    (
        "adding averages the cost",
        [(10, 5), (30, 9), (-40, 9)],
        [(1, 40, 40, 8, 9, True, [1, 2, 3])],
    ),
    (
        "shrinking realises a part",
        [(10, 5), (-4, 7), (-6, 8)],
        [(1, 10, 26, 5, 7.6, True, [1, 2, 3])],
    ),
    (
        "shrinking and still open",
        [(10, 5), (-4, 7)],
        [(1, 10, 8, 5, 7, False, [1, 2])],
    ),
    (
        "a reversal closes one trip and opens the next at the same fill",
        [(10, 5), (-25, 7), (15, 6)],
        [(1, 10, 20, 5, 7, True, [1, 2]), (-1, 15, 15, 7, 6, True, [2, 3])],
    ),
    (
        "fractions end flat",
        [(0.1, 5), (0.2, 5), (-0.3, 6)],
        [(1, 0.3, 0.3, 5, 6, True, [1, 2, 3])],
    ),
]


@pytest.mark.parametrize(
    ("deals", "trips"), [row[1:] for row in SINGLES], ids=[r[0] for r in SINGLES]
)
def test_a_single_goes_from_flat_to_flat_at_average_cost(deals, trips):
    found = told(single(*deals))
    assert [each[:3] for each in found] == [each[:3] for each in trips]
    for each, expected in zip(found, trips, strict=True):
        assert each[3] == pytest.approx(expected[3])
        assert (each[4] is None) == (expected[4] is None)
        assert each[4] is None or each[4] == pytest.approx(expected[4])
        assert each[5:] == expected[5:]


def test_a_pair_has_its_own_prices_and_quantities_for_each_leg():
    book = follow(
        [
            fill(1, (100, 12.5), (-72, 14.25), 0.72),
            fill(2, (-100, 13.0), (72, 14.0), 0.72),
        ]
    )
    [trip] = book.trips
    assert (trip.side, trip.contracts, trip.closed is not None) == (1, 100, True)
    assert [leg.realised for leg in trip.legs] == [50.0, 18.0]
    assert trip.entry == pytest.approx(12.5 - 0.72 * 14.25)
    assert trip.exit == pytest.approx(13.0 - 0.72 * 14.0)


def test_a_share_that_rounding_leaves_ends_the_trip_and_is_carried_into_the_next():
    book = follow(
        [
            fill(1, (5, 10), (-2, 20), 0.5),
            fill(2, (5, 10), (-2, 20), 0.5),
            fill(3, (-10, 11), (5, 19), 0.5),
            fill(4, (10, 10), (-5, 21), 0.5),
        ]
    )
    first, second = book.trips
    assert (first.closed is not None, first.left_over) == (True, 1)
    assert second.legs[1].realised == pytest.approx(2)  # the share was bought at 19, sold at 21
    assert second.entry == pytest.approx(10 - 0.5 * 21)
    assert book.legs[1].position == -4


def test_rounding_that_adds_up_over_reversals_keeps_no_trip_open():
    sides = [(100, -41), (-200, 83), (200, -83), (-200, 83), (200, -83), (-100, 41)]
    fills = [
        fill(n, (first, 10), (second, 20), 0.415) for n, (first, second) in enumerate(sides, 1)
    ]
    book = follow(fills)
    assert [trip.closed is not None for trip in book.trips] == [True] * 5
    hanging = follow([*fills[:-1], fill(6, (-100, 10), None, 0.415)])
    assert hanging.open is not None


def test_a_leg_that_hangs_keeps_the_trip_open():
    book = follow([fill(1, (100, 10), None, 0.5), fill(2, (-100, 11), (-50, 20), 0.5)])
    [trip] = book.trips
    assert trip.closed is None
    assert [held.position for held in book.legs] == [0, -50]


def test_what_began_before_the_records_is_incomplete_and_realises_nothing():
    book = follow([fill(1, (-100, 12), (72, 14), 0.72, before=100.0), fill(2, (10, 5), None, 0.72)])
    first, second = book.trips
    assert (first.incomplete, first.closed is not None, first.entry) == (True, True, None)
    assert book.realised == []
    assert not second.incomplete


def test_slippage_and_commission_of_a_reversal_count_once():
    fills = [fill(1, (10, 5), slip_money=1.0, commission=1.0)]
    fills += [fill(2, (-20, 6), slip_money=-3.0, commission=2.0), fill(3, (10, 6))]
    trips = follow(fills).trips
    assert [trip.slip_money for trip in trips] == [-2.0, None]
    assert [trip.commission for trip in trips] == [3.0, 0.0]


quantities = st.integers(-50, 50).filter(bool)
prices = st.integers(1, 10_000).map(lambda cents: cents / 100)
deals = st.builds(Deal, quantities, prices)
histories = st.lists(st.tuples(st.none() | deals, st.none() | deals).filter(any), max_size=30)


@given(histories, prices, prices)
def test_no_cent_is_lost_or_made(history, last1, last2):
    """Realised and open profit are what the cash and the positions at the last price are worth."""
    fills = [Fill(n, str(n), *legs, 0.5) for n, legs in enumerate(history)]
    book = follow(fills)
    for number, last in enumerate((last1, last2)):
        held = book.legs[number]
        cash = -sum(f[2 + number].quantity * f[2 + number].price for f in fills if f[2 + number])
        realised = sum(trip.legs[number].realised for trip in book.trips)
        dated = sum(each.amount for each in book.realised if each.leg == number)
        open_value = held.position * (last - held.cost)
        assert math.isclose(realised + open_value, cash + held.position * last, abs_tol=1e-6)
        assert math.isclose(realised, dated, abs_tol=1e-6)
        assert held.position == sum(f[2 + number].quantity for f in fills if f[2 + number])


@given(histories)
def test_trips_follow_each_other_and_only_the_last_may_be_open(history):
    book = follow(Fill(n, f"{n:03}", *legs, 0.5) for n, legs in enumerate(history))
    assert all(trip.closed for trip in book.trips[:-1])
    for trip, following in zip(book.trips, book.trips[1:], strict=False):
        assert trip.opened <= trip.closed <= following.opened
    is_flat = not book.legs[0].position and not book.legs[1].position
    assert book.open is None or not is_flat
    assert book.open is not None or not book.legs[0].position
