"""What two alerts are to each other, from what they say alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import instants
from trading.alerts import SAME_BAR, Move, came_late, fingerprint, is_strategys, overtaken_by

NOON = "2026-11-27 12:00:00"
TOLD = {
    "ticker": "MA-3*V",
    "order_action": "buy",
    "order_contracts": 100.0,
    "order_price": -2.0,
    "mar_pos": "long",
    "mar_pos_size": 100.0,
    "pre_mar_pos": "flat",
    "pre_mar_pos_size": 0.0,
}


def move(rowid, before, after, alert_time=None, seconds=0):
    """An alert from one position to another, some seconds after noon."""
    arrived = instants.from_epoch(instants.unix(NOON) + seconds)
    return Move(rowid, before, after, alert_time, arrived, 5.0)


FLAT = move(1, 50.0, 0.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((100.0, 0.0), (0.0, 100.0)),  # an exit before its entry
        ((-72.0, 0.0), (0.0, -72.0)),
        ((100.0, -100.0), (0.0, 100.0)),  # a reversal before the entry
        ((100.0, 150.0), (0.0, 100.0)),  # adding before the entry
        ((0.3, 0.0), (0.0, 0.1 + 0.2)),  # sizes that differ in their last bit
    ],
)
def test_positions_prove_that_two_alerts_were_swapped(first, second):
    assert overtaken_by(move(3, *second, seconds=2), [move(2, *first), FLAT]) == 2


@pytest.mark.parametrize(
    ("new", "earlier"),
    [
        (move(2, 0.0, 100.0), []),  # nothing came before
        (move(2, 0.0, 100.0), [move(1, 100.0, 0.0)]),  # it is not known where that one began
        (move(3, 0.0, 100.0), [move(2, 0.0, 0.0), FLAT]),  # no gap
        (move(3, 0.0, 100.0), [move(2, 0.0, 100.0), FLAT]),  # the same again
        (move(3, 100.0, 0.0), [move(2, 0.0, 100.0), FLAT]),  # in their order
        (move(3, 0.0, 90.0), [move(2, 100.0, 0.0), FLAT]),  # fills a part of the gap only
        (move(3, 50.0, 100.0), [move(2, 100.0, 0.0), FLAT]),  # begins elsewhere
        # an entry that came twice, and then its exit
        (move(3, 100.0, 0.0), [move(2, 0.0, 100.0), move(1, 0.0, 100.0)]),
        (move(3, None, None), [move(2, 100.0, 0.0), FLAT]),
        (move(3, 0.0, 100.0), [move(2, None, None), FLAT]),
        (move(3, 0.0, 100.0), [move(2, 100.0, 0.0), move(1, None, None)]),
        (move(3, 0.0, 100.0, seconds=SAME_BAR + 1), [move(2, 100.0, 0.0), FLAT]),  # a new entry
    ],
)
def test_what_is_not_proven_was_not_overtaken(new, earlier):
    assert overtaken_by(new, earlier) is None


@pytest.mark.parametrize(
    ("new", "last", "overtaken"),
    [
        ("2026-11-27 12:00:00", "2026-11-27 12:00:01", True),
        ("2026-11-27 12:00:02", "2026-11-27 12:00:01", False),
        ("2026-11-27 12:00:01", "2026-11-27 12:00:01", True),  # then positions decide
        (None, "2026-11-27 12:00:01", True),
        ("2026-11-27 12:00:01", None, True),
    ],
)
def test_times_decide_where_both_alerts_have_one(new, last, overtaken):
    earlier = [move(2, 100.0, 0.0, last), FLAT]
    assert overtaken_by(move(3, 0.0, 100.0, new), earlier) == (2 if overtaken else None)


def test_an_older_time_proves_it_whatever_the_positions():
    earlier = [move(2, None, None, "2026-11-27 12:00:01")]
    assert overtaken_by(move(3, None, None, NOON), earlier) == 2


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=8))
def test_alerts_in_their_order_overtake_nobody(positions):
    moves = [
        move(n, float(before), float(after))
        for n, (before, after) in enumerate(zip(positions, positions[1:], strict=False))
    ]
    for number, new in enumerate(moves):
        assert overtaken_by(new, moves[:number][::-1]) is None


@pytest.mark.parametrize(
    ("message", "comment", "expected"),
    [
        (None, None, True),
        ("", "Enter Long", True),
        ("created due to sync", "", False),
        ("+synced(10->0)", "Enter Short due to sync", False),
        ("overtaken by 7", "Enter Long", False),
    ],
)
def test_the_bridges_own_signals_are_no_strategys(message, comment, expected):
    assert is_strategys({"status_msg": message, "order_comment": comment}) is expected


@pytest.mark.parametrize(
    ("rowid", "message", "expected"),
    [
        (8, "overtaken by 7", True),
        (None, "overtaken by 7", True),  # it is not stored yet
        (6, "overtaken by 7", False),  # it was held until the newer one came
        (8, "overtaken by", False),
        (8, "entries are off", False),
        (8, None, False),
    ],
)
def test_only_what_came_after_a_later_alert_came_late(rowid, message, expected):
    assert came_late(rowid, message) is expected
    row = {"rowid": rowid, "status_msg": message, "order_comment": "Enter Long"}
    assert is_strategys(row) is not expected


@pytest.mark.parametrize("name", TOLD)
def test_another_value_of_any_of_these_makes_another_alert(name):
    other = "sell" if isinstance(TOLD[name], str) else TOLD[name] + 1
    assert fingerprint(TOLD | {name: other}) != fingerprint(TOLD)


def test_what_else_a_repeat_says_does_not_matter():
    assert fingerprint(TOLD | {"order_comment": "x", "timestamp": NOON}) == fingerprint(TOLD)
