"""What becomes of an alert before it trades: its kind, modes, age, hours, limits and losses."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import guards, statuses
from trading.alerts import signed
from trading.guards import (
    ASK,
    ENTERING,
    ENTRY,
    EXIT,
    EXITS,
    MODES,
    NO_LIMITS,
    NO_RULES,
    NOTHING,
    OFF,
    ON,
    REVERSAL,
    SYNC,
    Limits,
    Loss,
    Policy,
    Today,
)
from trading.hours import Hours

NEW_YORK = "America/New_York"


def at(text):
    """A UTC time as Unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOW = at("2026-11-24 15:30:00")
SIDES = {-1: "short", 0: "flat", 1: "long"}


def row(before, after, **fields):
    """An alert of a strategy that goes from one signed size to another."""
    change = after - before
    return {
        "order_action": "buy" if change > 0 else "sell",
        "order_contracts": abs(change),
        "order_price": None,
        "stk_ticker2": None,
        "pre_mar_pos": SIDES[(before > 0) - (before < 0)],
        "pre_mar_pos_size": abs(before),
        "mar_pos": SIDES[(after > 0) - (after < 0)],
        "mar_pos_size": abs(after),
        "order_status": "waiting",
        "status_msg": None,
        "order_comment": "Enter Long",
        "alert_time": None,
        "strategy_pos": None,
        "expires": None,
    } | fields


def decide(alert, mode=ON, policy=NO_RULES, limits=NO_LIMITS, today=NOTHING, now=NOW):
    return guards.decide(alert, mode, policy, limits, today, now)


def outcome(decision):
    """(status, message) that a decision sets."""
    return decision.fields.get("order_status"), decision.fields.get("status_msg")


def change_of(alert):
    """What an order does to a position."""
    return alert["order_contracts"] * (1 if alert["order_action"] == "buy" else -1)


def before_and_after(alert):
    """The signed positions that an alert carries."""
    return (
        signed(alert["pre_mar_pos"], alert["pre_mar_pos_size"]),
        signed(alert["mar_pos"], alert["mar_pos_size"]),
    )


# --- kinds -------------------------------------------------------------------------------

MOVES = [
    (0, 10, ENTRY),
    (0, -10, ENTRY),
    (10, 15, ENTRY),
    (-10, -10.5, ENTRY),
    (10, 0, EXIT),
    (-10, 0, EXIT),
    (10, 4, EXIT),
    (-10, -0.5, EXIT),
    (0.5, 0.25, EXIT),
    (10, -10, REVERSAL),
    (-10, 10, REVERSAL),
    (10, -1, REVERSAL),
    (-0.5, 0.25, REVERSAL),
    (0, 0, ENTRY),
    (10, 10, ENTRY),
]


@pytest.mark.parametrize(("before", "after", "kind"), MOVES)
def test_the_positions_before_and_after_tell_the_kind_of_an_alert(before, after, kind):
    assert guards.kind_of(row(before, after)) == kind


WITHOUT_SIZES = [
    # (position before, after), both with size 0, because the alert sends none
    ("long", "flat", EXIT),
    ("short", "flat", EXIT),
    ("long", "short", REVERSAL),
    ("short", "long", REVERSAL),
    ("flat", "long", ENTRY),
    ("long", "long", ENTRY),
    ("flat", "flat", ENTRY),
    (None, None, ENTRY),
    (None, "flat", ENTRY),
    (None, "long", ENTRY),
    ("long", None, ENTRY),
]


@pytest.mark.parametrize(("before", "after", "kind"), WITHOUT_SIZES)
def test_without_sizes_the_words_alone_tell_the_kind(before, after, kind):
    sizes = {"pre_mar_pos_size": 0.0, "mar_pos_size": 0.0}
    assert guards.kind_of(row(0, 1) | {"pre_mar_pos": before, "mar_pos": after} | sizes) == kind


@pytest.mark.parametrize(
    "fields", [{"status_msg": "created due to sync"}, {"order_comment": "Enter Short due to sync"}]
)
def test_the_bridges_own_order_is_a_kind_of_its_own_whatever_it_does(fields):
    assert {guards.kind_of(row(*move, **fields)) for *move, _ in MOVES} == {SYNC}


sizes = st.one_of(
    st.integers(-1000, 1000),
    st.floats(-1e6, 1e6, allow_nan=False).filter(lambda size: size == 0 or abs(size) > 1e-6),
)


@given(sizes, sizes)
def test_what_is_mirrored_is_of_the_same_kind(before, after):
    assert guards.kind_of(row(before, after)) == guards.kind_of(row(-before, -after))


@given(sizes, sizes)
def test_an_exit_is_what_ends_nearer_to_flat_on_its_side_and_a_reversal_on_the_other(before, after):
    kind = guards.kind_of(row(before, after))
    assert (kind == REVERSAL) == (before * after < 0)
    assert (kind == EXIT) == (before != 0 and before * after >= 0 and abs(after) < abs(before))


# --- modes -------------------------------------------------------------------------------

HELD = ("held", "held for approval")
CUT = ("waiting", "reversal cut to its exit")
ENTRIES_OFF = ("canceled", "entries are off")
TRADING_OFF = ("canceled", "trading is off")
AS_IT_IS = (None, None)
BY_MODE = {
    ON: dict.fromkeys(guards.KINDS, AS_IT_IS),
    ASK: {ENTRY: HELD, EXIT: AS_IT_IS, REVERSAL: HELD, SYNC: AS_IT_IS},
    EXITS: {ENTRY: ENTRIES_OFF, EXIT: AS_IT_IS, REVERSAL: CUT, SYNC: AS_IT_IS},
    OFF: dict.fromkeys(guards.KINDS, TRADING_OFF),
}
OF_KIND = {
    ENTRY: row(0, 10),
    EXIT: row(10, 4),
    REVERSAL: row(10, -6),
    SYNC: row(0, -7, status_msg="created due to sync"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", guards.KINDS)
def test_each_mode_decides_about_each_kind(mode, kind):
    expected = BY_MODE[mode][kind]
    assert outcome(guards.by_mode(OF_KIND[kind], mode)) == expected
    decision = decide(OF_KIND[kind], mode)
    assert outcome(decision) == expected
    rule = {AS_IT_IS: None, HELD: "ask"}.get(expected, "mode")
    assert decision.rule == rule
    assert rule is None or guards.rule_of(expected[1]) == rule


CUTS = [
    (10, -10, {"order_contracts": 10, "order_action": "sell", "strategy_pos": -10}),
    (10, -1, {"order_contracts": 10, "order_action": "sell", "strategy_pos": -1}),
    (-4, 10, {"order_contracts": 4, "order_action": "buy", "strategy_pos": 10}),
    (-0.5, 0.25, {"order_contracts": 0.5, "order_action": "buy", "strategy_pos": 0.25}),
]


@pytest.mark.parametrize(("before", "after", "expected"), CUTS)
def test_a_cut_reversal_closes_what_is_held_and_remembers_where_the_strategy_is(
    before, after, expected
):
    alert = row(before, after)
    cut = alert | decide(alert, EXITS).fields
    flat = {"mar_pos": "flat", "mar_pos_size": 0}
    assert {key: cut[key] for key in (*expected, *flat)} == expected | flat
    assert (cut["pre_mar_pos"], cut["pre_mar_pos_size"]) == (alert["pre_mar_pos"], abs(before))


reversals = st.tuples(sizes, sizes).filter(lambda move: move[0] * move[1] < 0)
OUTSIDE = Policy(0, Hours(["10:00-10:01"], (), ""))
RULES_THAT_CUT = [
    {"mode": EXITS},
    {"mode": ON, "policy": OUTSIDE},
    {"mode": ASK, "policy": OUTSIDE},
    {"mode": ON, "limits": Limits(entries=0)},
    {"mode": ASK, "limits": Limits(entries=0)},
]


@pytest.mark.parametrize("rules", RULES_THAT_CUT)
@given(reversals)
def test_the_sizes_of_a_cut_reversal_add_up_and_it_enlarges_nothing(rules, move):
    alert = row(*move)
    cut = alert | decide(alert, **rules).fields
    before, after = before_and_after(cut)
    assert (cut["order_status"], after) == ("waiting", 0)
    assert before + change_of(cut) == 0
    assert cut["order_contracts"] == cut["pre_mar_pos_size"] > 0
    assert guards.kind_of(cut) == EXIT
    assert decide(cut, **rules) == guards.PASSED, "what was cut is not cut again"


@pytest.mark.parametrize("rules", RULES_THAT_CUT)
@given(reversals, st.floats(1e-9, 1e12))
def test_no_rule_makes_an_order_larger_also_where_its_sizes_do_not_add_up(rules, move, contracts):
    alert = row(*move, order_contracts=contracts)
    cut = alert | decide(alert, **rules).fields
    assert cut["order_contracts"] == min(contracts, alert["pre_mar_pos_size"])


@pytest.mark.parametrize("mode", [EXITS, ASK, ON])
def test_a_reversal_that_does_not_say_what_it_leaves_cannot_be_cut(mode):
    unsized = row(10, -10, pre_mar_pos_size=0.0, mar_pos_size=0.0)
    decision = decide(unsized, mode, limits=Limits(entries=0))
    assert decision.fields["order_status"] == "canceled"
    assert guards.suppresses_exit(unsized | decision.fields)


@pytest.mark.parametrize("number", range(1, 4))
def test_the_stricter_mode_holds(number):
    for mode in MODES[:number]:
        assert guards.stricter(mode, MODES[number]) == MODES[number]
        assert guards.stricter(MODES[number], mode, ON) == MODES[number]


# --- age ---------------------------------------------------------------------------------

AGES = [
    # minutes, when it was sent, the first second in which it is not offered any more
    (15, None, "2026-11-24 15:45:00"),
    (15, "2026-11-24 15:29:00", "2026-11-24 15:44:00"),
    (15, "2026-11-24 15:31:00", "2026-11-24 15:45:00"),  # the sender's clock is ahead
    (0.5, None, "2026-11-24 15:30:30"),
    (0.01, None, "2026-11-24 15:30:01"),
    (4.1, None, "2026-11-24 15:34:06"),
    (1440, None, "2026-11-25 15:30:00"),
    (0, None, None),
    (0, "2026-11-20 15:29:00", None),
]


@pytest.mark.parametrize(("minutes", "sent", "expected"), AGES)
def test_an_entry_expires_so_many_minutes_after_it_was_sent_or_came(minutes, sent, expected):
    assert Policy(minutes).expires(sent, NOW + 0.9) == expected
    for kind in ENTERING:
        decision = decide(OF_KIND[kind] | {"alert_time": sent}, policy=Policy(minutes))
        assert decision == ({"expires": expected}, None)


AT_ARRIVAL = [
    ("2026-11-24 15:15:01", None),
    ("2026-11-24 15:15:00", "expired after 15 min"),
    ("2026-11-24 15:14:59", "expired after 15 min"),
    ("2026-11-20 00:00:00", "expired after 15 min"),
]


@pytest.mark.parametrize(("sent", "message"), AT_ARRIVAL)
@pytest.mark.parametrize("mode", [ON, ASK])
@pytest.mark.parametrize("kind", ENTERING)
def test_an_entry_that_comes_too_late_is_canceled_in_the_very_second(sent, message, mode, kind):
    decision = decide(OF_KIND[kind] | {"alert_time": sent}, mode, Policy(15))
    assert (decision.rule == "age") == (message is not None)
    if message:
        assert outcome(decision) == ("canceled", message)


@pytest.mark.parametrize("kind", [EXIT, SYNC])
@pytest.mark.parametrize("mode", [ON, ASK, EXITS])
def test_what_leaves_a_position_never_expires(kind, mode):
    alert = OF_KIND[kind] | {"alert_time": "2020-01-01 00:00:00"}
    assert decide(alert, mode, Policy(0.01)) == guards.PASSED


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(15, "expired after 15 min"), (0.5, "expired after 0.5 min"), (90.0, "expired after 90 min")],
)
def test_the_message_says_how_long_an_entry_may_wait(minutes, words):
    assert Policy(minutes).expired == words
    assert guards.rule_of(words) == "age"


# --- hours -------------------------------------------------------------------------------

HOURS = [
    # New York sets its clocks at 2026-03-08 and 2026-11-01.
    ("2026-03-06 14:29:59", False),
    ("2026-03-06 14:30:00", True),
    ("2026-03-09 13:29:59", False),
    ("2026-03-09 13:30:00", True),
    ("2026-03-09 19:44:59", True),
    ("2026-03-09 19:45:00", False),
    ("2026-10-30 13:30:00", True),
    ("2026-11-02 13:30:00", False),
    ("2026-11-02 14:30:00", True),
    ("2026-11-02 20:44:59", True),
    ("2026-11-02 20:45:00", False),
    ("2026-11-22 15:00:00", False),  # a Sunday
    ("2026-11-26 15:00:00", False),  # Thanksgiving
    ("2026-11-27 15:00:00", True),
    ("2026-07-03 15:00:00", False),  # Independence Day is a Saturday
    ("2026-12-25 15:00:00", False),
    ("2027-01-01 15:00:00", False),
]
EXCHANGE = Policy(0, Hours([f"{NEW_YORK} 09:30-15:45 mon-fri"], (), "Europe/Berlin", "NYSE"))


@pytest.mark.parametrize(("moment", "allowed"), HOURS)
def test_entries_are_traded_in_the_exchanges_hours_on_its_own_clocks(moment, allowed):
    outside = {
        ENTRY: ("canceled", "outside entry hours"),
        REVERSAL: ("waiting", "reversal cut to its exit, outside entry hours"),
    }
    for kind, alert in OF_KIND.items():
        decision = decide(alert, policy=EXCHANGE, now=at(moment))
        expected = AS_IT_IS if allowed else outside.get(kind, AS_IT_IS)
        assert outcome(decision) == expected, kind
        assert decision.rule == (None if expected == AS_IT_IS else "hours")


# --- limits ------------------------------------------------------------------------------

LIMITS = [
    # what is set, what was let through; signed sizes, other fields; the reason or None
    (Limits(entries=3), Today(2), (0, 10), {}, None),
    (Limits(entries=3), Today(3), (0, 10), {}, "3 of 3 entries today"),
    (Limits(entries=3), Today(7), (0, 10), {}, "7 of 3 entries today"),
    (Limits(entries=0), Today(0), (0, 10), {}, "0 of 0 entries today"),
    (Limits(ticker_entries=2), Today(9, 1), (0, 10), {}, None),
    (Limits(ticker_entries=2), Today(9, 2), (0, 10), {}, "2 of 2 entries of this ticker today"),
    (Limits(contracts=10), NOTHING, (0, 10), {}, None),
    (Limits(contracts=10), NOTHING, (0, 10.5), {}, "10.5 contracts, at most 10"),
    (Limits(contracts=5000), NOTHING, (0, 12000), {}, "12,000 contracts, at most 5,000"),
    (Limits(contracts=0.5), NOTHING, (0, -0.75), {}, "0.75 contracts, at most 0.5"),
    (Limits(value=1000), NOTHING, (0, 10), {"order_price": 100.0}, None),
    (
        *(Limits(value=1000), NOTHING, (0, -10), {"order_price": 100.01}),
        "worth 1,000.10, at most 1,000.00",
    ),
    (
        *(Limits(value=1000), NOTHING, (0, 10), {"order_price": -100.01}),
        "worth 1,000.10, at most 1,000.00",
    ),
    (Limits(value=1000), NOTHING, (0, 1e9), {"order_price": None}, None),
    (Limits(value=1000), NOTHING, (0, 1e9), {"order_price": 0.0}, None),
    # The price of a pair is a spread, which says nothing of its value.
    (Limits(value=1000), NOTHING, (0, 1e9), {"order_price": 100.0, "stk_ticker2": "V"}, None),
    (Limits(open=2), Today(open=1), (0, 10), {}, None),
    (Limits(open=2), Today(open=2), (0, 10), {}, "2 of 2 tickers open"),
    (Limits(open=2), Today(open=2, is_open=True), (10, 15), {}, None),
    (Limits(open=0), NOTHING, (0, 10), {}, "0 of 0 tickers open"),
    (Limits(loss=1, drawdown=1), Today(9, 9, 9), (0, 10), {}, None),
]


@pytest.mark.parametrize(("limits", "today", "move", "fields", "reason"), LIMITS)
@pytest.mark.parametrize("mode", [ON, ASK])
def test_an_entry_beyond_a_limit_is_canceled_with_its_figures(
    limits, today, move, fields, reason, mode
):
    decision = decide(row(*move, **fields), mode, limits=limits, today=today)
    if reason is None:
        assert decision.rule == (None if mode == ON else "ask")
    else:
        assert outcome(decision) == ("canceled", f"limit: {reason}")
        assert decision.rule == "limit"


def test_a_reversal_beyond_a_limit_is_cut_with_the_figures():
    decision = decide(row(10, -10), limits=Limits(contracts=15))
    message = "reversal cut to its exit, limit: 20 contracts, at most 15"
    assert outcome(decision) == ("waiting", message)
    assert (decision.rule, guards.rule_of(message)) == ("limit", "limit")


@pytest.mark.parametrize("kind", [EXIT, SYNC])
def test_no_limit_holds_back_what_leaves_a_position(kind):
    none = Limits(*[0] * len(Limits._fields))
    assert decide(OF_KIND[kind], limits=none, today=Today(9, 9, 9)) == guards.PASSED


# --- properties --------------------------------------------------------------------------

policies = st.builds(
    Policy,
    st.sampled_from([0, 0.01, 15]),
    st.sampled_from([Hours((), (), ""), Hours(["10:00-10:01"], (), ""), EXCHANGE.hours]),
)
counts = st.none() | st.integers(0, 3)
limits_set = st.builds(Limits, counts, counts, st.none() | sizes.map(abs), counts, counts)
days = st.builds(Today, st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.booleans())
arrivals = st.sampled_from([None, "2026-11-24 15:29:00", "2026-11-24 15:00:00"])
rules = st.tuples(policies, limits_set, days)


@given(st.tuples(sizes, sizes), arrivals, st.sampled_from([ON, ASK, EXITS]), rules)
def test_nothing_but_the_mode_off_ever_holds_back_an_exit(move, sent, mode, given_rules):
    alert = row(*move, alert_time=sent)
    if guards.kind_of(alert) == EXIT:
        assert decide(alert, mode, *given_rules) == guards.PASSED


def enters(alert, decision):
    """How much of a position an alert may open, at once (True) or after approval."""
    result = alert | decision.fields
    before, after = before_and_after(result)
    if result["order_status"] == "canceled":
        return 0, False
    opened = abs(after) if before * after < 0 else max(0, abs(after) - abs(before))
    return opened, result["order_status"] == "waiting" and opened > 0


@given(st.tuples(sizes, sizes), arrivals, rules)
def test_a_stricter_mode_never_lets_more_in(move, sent, given_rules):
    alert = row(*move, alert_time=sent)
    let_in = [enters(alert, decide(alert, mode, *given_rules)) for mode in MODES]
    assert let_in == sorted(let_in, reverse=True)


@given(st.tuples(sizes, sizes), arrivals, st.sampled_from(MODES), rules)
def test_no_decision_lets_in_more_than_was_sent(move, sent, mode, given_rules):
    alert = row(*move, alert_time=sent)
    result = alert | decide(alert, mode, *given_rules).fields
    assert result["order_contracts"] <= alert["order_contracts"]
    before, after = before_and_after(result)
    if result != alert | {"expires": result["expires"]} and result["order_status"] == "waiting":
        assert (before + change_of(result), after) == (0, 0)


@given(st.tuples(sizes, sizes), arrivals, st.sampled_from(MODES), rules)
def test_a_decision_that_changes_an_alert_names_its_rule_in_its_message(
    move, sent, mode, given_rules
):
    decision = decide(row(*move, alert_time=sent), mode, *given_rules)
    changes = decision.fields.keys() - {"expires"}
    assert bool(changes) == (decision.rule is not None)
    assert guards.rule_of(decision.fields.get("status_msg")) == decision.rule


# --- messages ----------------------------------------------------------------------------

MESSAGES = [
    ("entries are off", "mode"),
    ("trading is off", "mode"),
    ("reversal cut to its exit", "mode"),
    ("held for approval", "ask"),
    ("expired after 15 min", "age"),
    ("outside entry hours", "hours"),
    ("limit: 3 of 3 entries today", "limit"),
    ("reversal cut to its exit, limit: 3 of 3 entries today", "limit"),
    ("reversal cut to its exit, outside entry hours", "hours"),
    ("refused by user1", "person"),
    (None, None),
    ("", None),
    ("passive ticker", None),
    ("overtaken by 7", None),
    ("created due to sync", None),
    ("+synced(10->0)", None),
    ("insufficient funds", None),
]


@pytest.mark.parametrize(("message", "rule"), MESSAGES)
def test_a_message_tells_the_rule_that_decided(message, rule):
    assert guards.rule_of(message) == rule
    assert rule is None or rule in guards.RULES


def test_each_message_of_a_rule_is_understood():
    for message, rule in MESSAGES:
        if rule:
            assert statuses.meaning(message) != message


SUPPRESSED = [
    ((10, 0), "canceled", "trading is off", True),
    ((10, -10), "canceled", "trading is off", True),
    ((10, -10), "canceled", "expired after 15 min", True),
    ((10, -10), "canceled", "refused by admin", False),
    ((10, -10), "canceled", "overtaken by 8", False),
    ((10, -10), "held", "held for approval", False),
    ((10, -10), "waiting", "reversal cut to its exit", False),
    ((0, 10), "canceled", "trading is off", False),
    ((0, 10), "canceled", "limit: 3 of 3 entries today", False),
    ((10, 0), "canceled", "insufficient funds", False),
    ((10, 0), "canceled", None, False),
    ((10, 0), "waiting", None, False),
]


@pytest.mark.parametrize(("move", "status", "message", "expected"), SUPPRESSED)
def test_an_exit_that_a_rule_has_stopped_is_told_from_all_else(move, status, message, expected):
    ended = row(*move, order_status=status, status_msg=message)
    assert guards.suppresses_exit(ended) == expected


# --- losses ------------------------------------------------------------------------------


def record(age, pnl=-100.0, net=9000.0):
    """An account record of so many seconds ago."""
    moment = datetime.fromtimestamp(NOW - age, UTC)
    return {"timestamp": f"{moment:%Y-%m-%d %H:%M:%S}", "DailyPnL": pnl, "NetLiquidation": net}


LOSSES = [
    (record(0), 10000.0, Loss(100.0, 1000.0)),
    (record(14 * 60 + 59), 10000.0, Loss(100.0, 1000.0)),
    (record(15 * 60), 10000.0, Loss(100.0, 1000.0)),
    (record(15 * 60 + 1), 10000.0, Loss(None, None)),
    (record(15 * 60 + 1), None, Loss(None, None)),
    (record(0), None, Loss(100.0, None)),
    (record(0, pnl=None), 10000.0, Loss(None, 1000.0)),
    (record(0, net=None), 10000.0, Loss(100.0, None)),
    (record(0, pnl=50.0, net=11000.0), 10000.0, Loss(0.0, 0.0)),
    (record(0, pnl=0.0, net=10000.0), 10000.0, Loss(0.0, 0.0)),
    (None, 10000.0, Loss(None, None)),
]


@pytest.mark.parametrize(("newest", "peak", "expected"), LOSSES)
def test_a_loss_is_what_a_recent_record_tells(newest, peak, expected):
    assert guards.loss_of(newest, peak, NOW) == expected


BEYOND = [
    (Loss(100.0, 1000.0), Limits(), None),
    (Loss(100.0, 1000.0), Limits(loss=100, drawdown=1000), None),
    (Loss(100.01, 0.0), Limits(loss=100), "daily loss 100.01, at most 100.00"),
    (Loss(0.0, 1000.5), Limits(drawdown=1000), "drawdown 1,000.50, at most 1,000.00"),
    (Loss(2.0, 2.0), Limits(loss=1, drawdown=1), "daily loss 2.00, at most 1.00"),
    (Loss(None, None), Limits(loss=0, drawdown=0), None),
    (Loss(None, 2.0), Limits(loss=1, drawdown=1), "drawdown 2.00, at most 1.00"),
]


@pytest.mark.parametrize(("loss", "limits", "reason"), BEYOND)
def test_a_loss_beyond_its_limit_is_told_with_both_figures(loss, limits, reason):
    assert loss.beyond(limits) == reason
