"""The rules of the alarms, each as a table of what is known and what follows."""

import pytest

from trading import alarms, alerts, positions
from trading.missed import Alert, Strategy, follow

# --- the bridge --------------------------------------------------------------------------

SILENCE = [
    # last poll, start, waiting, since when an alarm is open; now, limit; since when it is silent
    (100.0, 0.0, 1, None, 280.0, 180.0, None),
    (100.0, 0.0, 1, None, 280.1, 180.0, 100.0),
    (0.0, 50.0, 2, None, 240.0, 180.0, 50.0),  # nobody could poll before the start
    (0.0, 200.0, 2, None, 240.0, 180.0, None),
    (100.0, 0.0, 0, None, 999.0, 180.0, None),  # nothing waits
    (100.0, 0.0, 1, 100.0, 400.0, 180.0, 100.0),
    (100.9, 0.0, 1, 100.0, 400.0, 180.0, 100.0),  # a stored instant is cut off
    (102.0, 0.0, 1, 100.0, 400.0, 180.0, 100.0),  # another process knows it less exactly
    (100.0, 390.0, 1, 100.0, 400.0, 180.0, 100.0),  # a new start alone ends nothing
    (390.0, 0.0, 1, 100.0, 400.0, 180.0, None),
    (100.0, 0.0, 0, 100.0, 400.0, 180.0, None),
]


@pytest.mark.parametrize(
    ("polled", "started", "waiting", "since", "now", "limit", "expected"), SILENCE
)
def test_a_silent_bridge(polled, started, waiting, since, now, limit, expected):
    case = alarms.silent_bridge(polled, started, waiting, since, now, limit)
    assert (case and case.since) == expected
    if case:
        assert case.key == "bridge:bridge"
        assert case.what.startswith("1 signal waits" if waiting == 1 else f"{waiting} signals wait")


# --- signals -----------------------------------------------------------------------------

HELD = {"rowid": 7, "stk_ticker1": "NMFC", "stk_ticker2": "ROIC"}


@pytest.mark.parametrize(
    ("back", "now", "expected"),
    [
        (0.0, 401.0, False),
        (0.0, 401.1, True),
        (300.0, 401.1, False),  # the bridge has just come back, and may need its time
        (300.0, 601.1, True),
    ],
)
def test_a_signal_that_waits(back, now, expected):
    case = alarms.late(HELD, 100.0, back, now, 300.0)
    assert (case is not None) == expected
    if case:
        assert (case.key, case.since) == ("waiting:7", 100.0)
        assert "NMFC-ROIC" in case.what


def order(**changes):
    """A signal's row of a pair: 100 of leg 1, 72 of leg 2."""
    row = dict.fromkeys(
        (
            "status_msg",
            "stk_price1",
            "stk_price2",
            "filled_qty1",
            "filled_qty2",
            "fill_price",
            "slip",
        )
    )
    row |= {
        "order_action": "buy",
        "order_contracts": 100.0,
        "order_price": 1.0,
        "stk_ticker1": "NMFC",
        "stk_ticker2": "ROIC",
    }
    return row | {"hedge_param": 0.72, "order_status": "part.filled"} | changes


BOTH = {"stk_price1": 5.0, "stk_price2": 6.0}
LEGS = [
    ({"stk_price1": 5.0, "filled_qty1": 100.0, "order_status": "filled(...)"}, 2),
    (
        {"stk_price1": 5.0, "order_status": "filled(...)"},
        2,
    ),  # a price without a quantity is all of it
    ({"stk_price2": 6.0, "filled_qty2": 72.0, "order_status": "filled(...)"}, 1),
    ({**BOTH, "filled_qty1": 100.0, "filled_qty2": 30.0}, 2),
    ({**BOTH, "filled_qty1": 99.0, "filled_qty2": 72.0}, 1),
    ({"stk_price1": 5.0, "filled_qty1": 60.0, "order_status": "filled(...)"}, None),  # neither is
    ({**BOTH, "filled_qty1": 60.0, "filled_qty2": 30.0}, None),
    ({**BOTH, "filled_qty1": 100.0, "filled_qty2": 72.0, "order_status": "filled"}, None),
    (
        {"stk_price1": 5.0, "filled_qty1": 100.0, "order_status": "canceled"},
        None,
    ),  # somebody has decided
    ({"stk_price1": 5.0, "filled_qty1": 100.0, "order_status": "created"}, None),
    ({"stk_price1": 5.0, "stk_ticker2": None, "hedge_param": None, "filled_qty1": 5.0}, None),
    (
        {
            "stk_price1": 5.0,
            "filled_qty1": 1.0,
            "order_contracts": 1.0,
            "order_status": "filled(...)",
        },
        None,
    ),  # 0 of leg 2
    ({"stk_price1": 5.0, "filled_qty1": 100.0, "hedge_param": None}, None),
    ({"stk_price1": 5.0, "filled_qty1": 100.0, "order_contracts": float("inf")}, None),
]


@pytest.mark.parametrize(("changes", "expected"), LEGS)
def test_the_leg_that_is_not_filled_while_the_other_is(changes, expected):
    assert alarms.lagging_leg(order(**changes)) == expected


def test_one_leg_may_hang_for_a_while():
    assert alarms.one_legged(HELD, 2, 100.0, 701.0, 600.0) is None
    case = alarms.one_legged(HELD, 2, 100.0, 701.1, 600.0)
    assert (case.key, case.since) == ("leg:7", 100.0)
    assert case.what == "Signal 7, NMFC-ROIC: ROIC is not filled."


HISTORY = [
    # newest first: (when, what changed)
    (50.0, {"order_comment": ("a", "b")}),
    (40.0, {"order_status": ("created", "waiting")}),
    (30.0, {"order_status": ("waiting", "created")}),
    (20.0, {"order_status": (None, "waiting")}),
]


@pytest.mark.parametrize(
    ("history", "since"),
    [(HISTORY, 40.0), (HISTORY[:1], 50.0), ([], None), (HISTORY[3:], 20.0)],
)
def test_since_when_something_holds_without_a_break(history, since):
    row = {"order_status": "waiting", "order_comment": "b"}
    assert alarms.held_since(row, history, alarms.is_offered) == since


# --- missed alerts -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "size", "expected"),
    [("long", 5.0, 5.0), ("short", 5.0, -5.0), ("flat", 0.0, 0.0), ("flat", 9.0, 0.0)]
    + [(None, 5.0, None), ("", 5.0, None)],
)
def test_a_signed_position(position, size, expected):
    assert alerts.signed(position, size) == expected


def told(*moves):
    """What each alert of a strategy leads to: the rowid of a missed one, -rowid of one found."""
    known, results = None, []
    for rowid, (before, after, *owner) in enumerate(moves, 1):
        known, result = follow(known, Alert(rowid, "AAPL", before, after, bool(owner)))
        results.append(-result if isinstance(result, int) else result and int(result.subject))
    return results


MOVES = [
    ([(0, 100), (100, 0), (0, -50)], [None, None, None]),
    ([(500, 100), (100, 0)], [None, None]),  # the first one tells where it stands
    ([(0, 100), (0, -50)], [None, 2]),
    ([(0, 100), (-100, 0)], [None, 2]),  # the sign counts
    ([(0, 100), (0, -50), (-50, 0)], [None, 2, None]),  # once, and it goes on from there
    ([(0, 100), (200, 0), (0, 50), (70, 0)], [None, 2, None, 4]),
    ([(0, 100), (0, 100), (100, 0)], [None, None, None]),  # the same twice
    ([(0, 100), (None, 100), (100, 0)], [None, None, None]),  # carries no positions
    ([(0, 100), (100, None), (100, 0)], [None, None, None]),
    ([(0, 100), (0, -50), (100, 0), (-50, 0)], [None, 2, -2, None]),  # overtaken on its way
    ([(0, 100), (0, -50), (100, 0, "by hand"), (-50, 0)], [None, 2, -2, None]),
    ([(0, 100), (100, 40, "by hand"), (40, 0)], [None, None, None]),
    ([(0, 0.1), (0.1, 0.3), (0.30000000000000004, 0)], [None, None, None]),
]


@pytest.mark.parametrize(("moves", "expected"), MOVES)
def test_a_missed_alert_shows_in_the_next_one(moves, expected):
    assert told(*moves) == expected


def test_a_missed_alert_is_told_in_words():
    known, _ = follow(None, Alert(1, "NMFC-ROIC", 0, 100))
    after, case = follow(known, Alert(4, "NMFC-ROIC", -50, 0))
    assert case.key == "missed:4"
    assert case.what == (
        "NMFC-ROIC: signal 4 starts from short 50, but signal 1 before it ended at long 100."
    )
    assert isinstance(after, Strategy)


SIGNAL = "/dashboard?signal=7"
# {kind: (subject, the page where a person acts on it)}
PAGES = {
    "unhedged": ("BF B-DEO", "/positions?pair=BF%20B-DEO"),
    "expected": ("DEO", "/positions"),
    "stopped": ("trading", "/setup#limits"),
    "bridge": ("bridge", "/setup#bridge"),
    "refused": ("limit", "/list?status=not_traded"),
    "rejected": ("7", "/setup#rejected"),
    **dict.fromkeys(("leg", "exit", "missed", "error", "not_traded"), ("7", SIGNAL)),
    **dict.fromkeys(("held", "waiting", "order_id", "alert_id"), ("7", SIGNAL)),
}


@pytest.mark.parametrize("kind", alarms.KINDS)
def test_every_alarm_leads_to_the_page_where_a_person_acts(kind):
    subject, page = PAGES[kind]
    assert alarms.page_of(kind, subject) == page
    assert alarms.page_of(kind, alarms.MORE) == page.partition("?signal")[0].partition("?pair")[0]


def test_an_alarm_of_an_older_release_leads_nowhere():
    assert alarms.page_of("left_out_since", "7") == ""


def test_every_kind_says_what_it_is_and_what_to_do():
    assert all(kind.title and kind.advice for kind in alarms.WORDS.values())
    assert set(alarms.WORDS) == set(alarms.KINDS)
    assert set(alarms.HAPPENINGS) < set(alarms.KINDS)


@pytest.mark.parametrize(
    ("leg1", "leg2", "words"),
    [
        ((100, 10.0), (0, 10.0), "A-B: 100 A unhedged, 1,000.00 USD."),
        ((100, None), (0, 10.0), "A-B: 100 A unhedged."),
        ((100, 10.0), (-90, None), "A-B: 18 B unhedged."),
        ((0, 10.0), (-90, None), "A-B: 90 B unhedged."),
    ],
)
def test_an_unhedged_pair_is_told_with_its_money_where_that_is_known(leg1, leg2, words):
    legs = [
        positions.Holding(symbol, position, cost, None, "USD")
        for symbol, (position, cost) in (("A", leg1), ("B", leg2))
    ]
    hedge = positions.hedge(*legs, 0.72)
    assert hedge.is_broken
    assert alarms.unhedged("A-B", "AB"[hedge.leg - 1], hedge, "USD").what == words
