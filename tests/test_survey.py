"""Positions that do not match, judged by the surveyor after each report, on a real database."""

import time
from types import SimpleNamespace

import pytest

import models
from services import account, alarms, decisions, events, positions, registry
from services.survey import Surveyor
from tests.receiving import receive_one
from trading import guards, instants
from trading.guards import Policy

START = 1_000_000_000.0  # long ago, so that rows written now are later than all reports
EVERY = 300.0  # seconds between two reports


@pytest.fixture
def desk(store):
    """A registry: two pairs with a leg in common, one paused pair, a single."""
    for name, hedge, active in (("A-B", 0.72, 1), ("A-C", 0.5, 1), ("T-VZ", 0.5, 0)):
        leg1, leg2 = name.split("-")
        pair = {"ticker1": leg1, "ticker2": leg2, "hedge": hedge, "status": active}
        registry.register_pair(pair, "test")
    registry.register_stock({"symbol": "S", "active": 1}, "test")
    alarms.begin_watch()
    return Desk()


class Desk:
    """Sends what the bridge and TradingView send, and looks for alarms after each."""

    def __init__(self):
        self.conf = SimpleNamespace(
            alarm_bridge_minutes=9e9,
            alarm_minutes=9e9,
            alarm_leg_seconds=9e9,
            alarm_missed_seconds=0,
            alarm_report_seconds=240,
            alarms_off=(),
        )
        self.surveyor = Surveyor(self.conf, time.time())
        self.at = START

    def report(self, after=EVERY, **held):
        """Reports positions, and looks; returns {key: words} of the open alarms."""
        self.at += after
        for symbol, position in held.items():
            registry.hold(symbol, {"active_pos": position, "active_cost": 10.0}, "bridge")
            moment = instants.from_epoch(self.at)
            models.Stock.update(reported=moment).where(models.Stock.symbol == symbol).execute()
        return self.look()

    def look(self):
        """Looks once and stores the result; returns {key: words} of open alarms of positions."""
        found = self.surveyor.look(time.time())
        settle = alarms.settle
        if found.changes:
            assert settle(found.base, found.reached, found.begun, found.over)
        rows = models.Alarm.open_ones()
        return {row.key: row.what for row in rows if row.kind in ("unhedged", "expected", "leg")}

    def alert(self, ticker, before, after, policy=guards.NO_RULES, **fields):
        """Stores an alert of a strategy that goes from one signed size to another; its rowid."""

        def side(size):
            return "long" if size > 0 else "short" if size < 0 else "flat"

        change = after - before
        alert = {
            "ticker": ticker,
            "order_action": "buy" if change > 0 else "sell",
            "order_contracts": abs(change),
            "pre_mar_pos": side(before),
            "pre_mar_pos_size": abs(before),
            "mar_pos": side(after),
            "mar_pos_size": abs(after),
        }
        return receive_one(alert | fields, "webhook", policy).rowid

    def set(self, rowid, **fields):
        """Changes a signal as the bridge does."""
        events.change(models.Signal.find(rowid), "bridge", fields)


BROKEN = "A-B: 100 A unhedged, 1,000.00 USD. A is a leg of other pairs, too."


def test_a_pair_without_its_second_leg_is_told_after_two_reports_until_it_matches(desk):
    registry.delete_pair("A-C", "test")
    words = {"unhedged:A-B": "A-B: 100 A unhedged, 1,000.00 USD."}
    assert desk.report(A=100, B=0) == {}
    assert desk.look() == {}
    assert desk.report(A=100) == words, "a position that is flat may not be reported any more"
    assert desk.report(A=100, B=-40) == {"unhedged:A-B": "A-B: 44 A unhedged, 440.00 USD."}
    assert desk.report(A=100, B=-70) == {}, "within 5 %"


def test_reports_that_are_closer_are_one(desk):
    desk.report(S=0, T=50)
    assert desk.report(after=100, T=50) == {}
    assert desk.report(after=139, T=50) == {}
    told = desk.report(after=1, T=50)
    assert told == {"unhedged:T-VZ": "T-VZ: 50 T unhedged, 500.00 USD. The pair is paused."}


def test_what_matches_between_two_reports_begins_anew(desk):
    desk.report(T=50)
    desk.report(T=50, VZ=-25)
    assert desk.report(VZ=0) == {}
    assert list(desk.report(T=50)) == ["unhedged:T-VZ"]


def test_while_an_order_of_a_leg_is_open_nothing_is_told_and_nothing_ends(desk):
    rowid = desk.alert("A-0.72*B", 0, 100, order_status="created", order_id1=1, order_id2=2)
    for _ in range(3):
        assert desk.report(A=100, B=-30) == {}
    desk.set(rowid, order_status="canceled", status_msg="mult.act.orders")
    assert desk.report(A=100, B=-30) == {}
    found = desk.report(A=100, B=-30)
    assert list(found) == ["unhedged:A-B", "expected:B"]
    again = desk.alert("A-0.72*B", 0, 100, order_status="created", order_id1=3, order_id2=4)
    desk.set(again, order_status="created")
    assert list(desk.look()) == ["unhedged:A-B", "expected:B"]
    assert desk.report(A=100, B=-72) == {}


def test_an_order_of_which_nobody_has_heard_for_a_day_is_not_open(desk):
    old = instants.ago(100_000)
    desk.alert("A-0.72*B", 0, 100, order_status="created", order_id1=1, order_id2=2, timestamp=old)
    desk.report(A=100, B=0)
    assert list(desk.report(A=100, B=0)) == ["unhedged:A-B", "expected:B"]


def test_a_canceled_signal_does_not_end_the_alarm_of_its_half_filled_pair(desk):
    desk.conf.alarm_leg_seconds = -9e9
    rowid = desk.alert("A-0.72*B", 0, 100, order_status="created", order_id1=1, order_id2=2)
    desk.set(rowid, order_status="filled(...)", stk_price1=10.0, filled_qty1=100.0)
    desk.at = time.time()
    assert list(desk.report(A=100, B=0)) == [f"leg:{rowid}"]
    desk.set(rowid, order_status="canceled")
    assert list(desk.look()) == [f"leg:{rowid}"]
    assert list(desk.report(A=100)) == [f"leg:{rowid}"]
    found = desk.report(A=100)
    assert found["unhedged:A-B"] == BROKEN
    assert f"leg:{rowid}" not in desk.look()
    assert "unhedged:A-B" in desk.report(A=100)


def test_a_leg_of_two_pairs_is_shared_out(desk):
    for _ in range(3):
        assert desk.report(A=300, B=-72, C=-100) == {}
    desk.report(A=200, B=-72, C=-100)
    [(key, words)] = desk.report(A=200, B=-72, C=-100).items()
    assert key.startswith("unhedged:A-")
    assert words.endswith("A is a leg of other pairs, too.")


def test_one_share_left_by_rounding_is_no_alarm(desk):
    for _ in range(3):
        assert desk.report(A=0, B=-1) == {}


def test_expected_is_the_sum_over_all_tickers_of_what_was_not_refused(desk):
    desk.alert("A-0.72*B", 0, 100, order_status="filled")
    desk.alert("A-0.5*C", 0, -40, order_status="filled")
    desk.alert("A-0.5*C", -40, 0)
    desk.set(3, order_status="canceled", status_msg="insufficient funds")
    desk.alert("S", 0, 10, order_status="filled")
    assert desk.report(A=60, B=-72, C=20, S=10) == {}
    assert desk.report(A=60, B=-72, C=20, S=10) == {}
    expected = {each.symbol: each.expected for each in positions.positions_now().expected}
    assert expected == {"A": 60, "B": -72, "C": 20, "S": 10}
    desk.report(S=12)
    words = "S: the alerts say long 10, the account holds long 12."
    assert desk.report(S=12) == {"expected:S": words}
    assert desk.report(S=11) == {}, "one share is none"


@pytest.mark.parametrize("symbol", ["700", "9" * 20])
def test_a_symbol_of_digits_is_no_rowid(desk, symbol):
    registry.register_stock({"symbol": symbol, "active": 1}, "test")
    desk.alert(f"HKEX:{symbol}", 0, 10, order_status="filled")
    desk.report(**{symbol: 12})
    words = f"{symbol}: the alerts say long 10, the account holds long 12."
    assert desk.report(**{symbol: 12}) == {f"expected:{symbol}": words}
    assert desk.report(**{symbol: 12}) == {f"expected:{symbol}": words}
    assert desk.report(**{symbol: 10}) == {}


NOT_COUNTED = [
    ("canceled", "overtaken by 1"),
    ("canceled", "duplicate order"),
    ("canceled", "wrong hedge"),
    ("critical err", "+crit. err"),
]


@pytest.mark.parametrize(("status", "message"), NOT_COUNTED)
def test_what_was_refused_or_overtaken_is_not_expected(desk, status, message):
    desk.alert("S", 0, 10, order_status="filled")
    desk.set(desk.alert("S", 10, 0), order_status=status, status_msg=message)
    desk.report(S=10)
    assert desk.report(S=10) == {}


def test_the_bridges_own_signals_are_not_expected(desk):
    desk.alert("S", 0, 10, order_status="filled")
    desk.alert("S", 0, -7, status_msg="created due to sync", bypass=True)
    models.Signal.update(order_status="filled").execute()
    desk.report(S=10)
    assert desk.report(S=10) == {}


def test_a_symbol_that_no_alert_has_told_of_is_not_compared(desk):
    desk.report(S=70)
    assert desk.report(S=70) == {}
    desk.alert("S", 0, 10, mar_pos=None, pre_mar_pos=None, order_status="filled")
    desk.report(S=70)
    assert desk.report(S=70) == {}


def test_a_signal_that_waits_is_not_yet_expected_to_be_held(desk):
    desk.alert("S", 0, 10)
    desk.report(S=0)
    assert desk.report(S=0) == {}


def test_a_paused_ticker_that_its_owner_has_closed_expects_nothing(desk):
    desk.alert("S", 0, 10, order_status="filled")
    events.change(models.Stock.find("S"), "admin", {"active": 0})
    desk.report(S=10)
    assert desk.report(S=10) == {}
    desk.report(S=0)
    assert desk.report(S=0) == {}


# --- order ids and alert ids -------------------------------------------------------------


def keys(desk):
    """The keys of all open alarms, in the order in which they are shown."""
    desk.look()
    return [row.key for row in models.Alarm.open_ones()]


def test_an_order_id_that_is_given_out_again_is_told_until_the_older_order_is_done(desk):
    desk.alert("S", 0, 10, order_status="created", order_id1=7)
    desk.alert("A-0.72*B", 0, 10, order_status="created", order_id1=7, order_id2=8)
    assert keys(desk) == [], "another symbol"
    newer = desk.alert("S", 0, 10)
    desk.set(newer, order_status="created", order_id1=7)
    assert keys(desk) == ["order_id:1"]
    [alarm] = models.Alarm.open_ones()
    assert alarm.what == (
        "Signal 1, S: its order 7 is open since before signal 3, which got the same id and its "
        "reports."
    )
    desk.set(1, order_status="filled")
    assert keys(desk) == []


def test_an_alert_id_that_another_alert_had_is_told(desk):
    desk.alert("S", 0, 10, alert_id="x")
    assert keys(desk) == []
    rowid = desk.alert("S", 10, 20, alert_id="x")
    warning = "alert_id was used before by another alert"
    assert keys(desk) == [f"alert_id:{rowid}"]
    assert models.Alarm.open_ones()[0].what == f"Signal {rowid}, S: {warning}"


# --- what the rules have decided ----------------------------------------------------------


def told(desk, *kinds):
    """{key: words} of the open alarms of these kinds, after a look."""
    desk.look()
    return {row.key: row.what for row in models.Alarm.open_ones() if row.kind in kinds}


def set_mode(mode, by="admin", reason=None):
    return decisions.set_mode(mode, reason, by, by)


def test_entries_that_the_server_has_stopped_are_told_until_somebody_has_seen_it(desk):
    decisions.set_limits({"loss": 50.0}, "admin")
    account.keep({"DailyPnL": -60.0}, "bridge")
    words = {"stopped:trading": "Daily loss 60.00, at most 50.00."}
    assert told(desk, "stopped") == words
    account.keep({"DailyPnL": -70.0}, "bridge")
    set_mode("on")
    assert told(desk, "stopped") == words, "a person must see it"
    alarms.acknowledge(models.Alarm.get().id, "admin")
    assert told(desk, "stopped") == {}
    account.keep({"DailyPnL": -80.0}, "bridge")
    assert told(desk, "stopped") == {"stopped:trading": "Daily loss 80.00, at most 50.00."}


def test_the_same_reason_again_is_told_again(desk):
    decisions.set_limits({"loss": 50.0}, "admin")
    account.keep({"DailyPnL": -60.0}, "bridge")
    assert len(told(desk, "stopped")) == 1
    alarms.acknowledge(models.Alarm.get().id, "admin")
    set_mode("on", reason=models.Trading.get().reason)
    account.keep({"DailyPnL": -60.0}, "bridge")
    assert told(desk, "stopped") == {"stopped:trading": "Daily loss 60.00, at most 50.00."}


@pytest.mark.parametrize("mode", guards.MODES)
def test_a_mode_that_a_person_sets_is_no_alarm(desk, mode):
    set_mode(mode, reason="Fed at 20:00")
    assert told(desk, "stopped") == {}


def test_an_exit_that_was_not_traded_is_told_until_it_is_offered_again(desk):
    set_mode("off")
    desk.alert("S", 0, 10)
    assert told(desk, "exit", "not_traded", "refused") == {}, "a person wanted it so"
    exit = desk.alert("S", 10, 0)
    reversal = desk.alert("A-0.72*B", -10, 10)
    own = {"status_msg": "created due to sync", "order_comment": "Enter Short due to sync"}
    sync = desk.alert("B", 0, -7, bypass=True, **own)
    assert told(desk, "exit") == {
        f"exit:{exit}": f"Signal {exit}, S: trading was off",
        f"exit:{reversal}": f"Signal {reversal}, A-B: trading was off",
        f"exit:{sync}": f"Signal {sync}, B: trading was off",
    }
    set_mode("on")
    assert len(told(desk, "exit")) == 3
    desk.set(exit, order_status="waiting")
    assert list(told(desk, "exit")) == [f"exit:{sync}", f"exit:{reversal}"]
    [row] = models.Alarm.select().where(models.Alarm.subject == str(sync))
    alarms.acknowledge(row.id, "admin")
    assert list(told(desk, "exit")) == [f"exit:{reversal}"]


def by_approval(rowid):
    decisions.approve(rowid, "admin")


def by_refusal(rowid):
    decisions.refuse(rowid, "admin", "admin")


def by_a_mode(rowid):
    set_mode("exits")


def by_time(rowid):
    models.Signal.update(expires="2020-01-01 00:00:00").execute()
    decisions.expire(Policy(15))


def by_deletion(rowid):
    events.remove(models.Signal.find(rowid), "admin")


@pytest.mark.parametrize("end", [by_approval, by_refusal, by_a_mode, by_time, by_deletion])
def test_a_held_signal_is_told_until_it_is_decided(desk, end):
    set_mode("ask")
    rowid = desk.alert("A-0.72*B", 0, 10)
    for _ in range(2):
        assert told(desk, "held") == {f"held:{rowid}": f"Signal {rowid}, A-B."}
    end(rowid)
    assert told(desk, "held") == {}


def test_a_newer_alert_takes_over_the_alarm_of_a_held_one(desk):
    set_mode("ask")
    desk.alert("S", 0, 10)
    assert list(told(desk, "held")) == ["held:1"]
    desk.alert("S", 10, 25)
    assert list(told(desk, "held")) == ["held:2"]
    desk.alert("S", 25, 0)
    assert told(desk, "held", "not_traded", "error", "missed") == {}


def test_what_a_rule_refuses_adds_up_and_is_told_once(desk):
    decisions.set_limits({"entries": 0}, "admin")

    def refuse(count):
        """So many more; whether they are to be told, as nobody has been told of them since."""
        models.Alarm.update(due=None).execute()
        rowids = [desk.alert("S", 0, 10) for _ in range(count)]
        desk.look()
        [row] = models.Alarm.open_ones()
        assert row.key == "refused:limit"
        last = f"Signal {rowids[-1]}, S: beyond a limit: 0 of 0 entries today."
        return row.number, row.what.removesuffix(last), row.due is not None

    assert refuse(1) == (1, "", True)
    assert refuse(1) == (2, "2 alerts. The last: ", False)
    assert refuse(30) == (32, "32 alerts. The last: ", False)
    assert told(desk, "refused", "not_traded", "exit").keys() == {"refused:limit"}
    alarms.acknowledge(models.Alarm.get().id, "admin")
    assert refuse(3) == (3, "3 alerts. The last: ", True), "what was seen is not counted again"


def test_each_rule_that_refuses_has_an_alarm_and_a_persons_word_has_none(desk):
    policy = Policy(15)
    old = instants.ago(901)
    desk.alert("S", 0, 10)
    desk.set(1, order_status="canceled", status_msg="outside entry hours")
    set_mode("ask")
    decisions.refuse(desk.alert("S", 0, 10), "user1", "user1")
    set_mode("exits")
    desk.alert("S", 0, 10)
    set_mode("on")
    desk.alert("S", 0, 10, policy=policy, alert_time=old)
    desk.alert("S", 10, -10, policy=policy, alert_time=old)
    assert told(desk, *models.KINDS) == {
        "refused:hours": "Signal 1, S: it came outside the entry hours.",
        "refused:age": (
            "2 alerts. The last: Signal 5, S: too old to enter: nobody had traded it within 15 min."
        ),
        "exit:5": "Signal 5, S: too old to enter: nobody had traded it within 15 min",
    }


def forget(desk):
    """The surveyor starts anew, and has looked at all that is stored so far."""
    models.AlarmWatch.update(position=models.EventRow.last_id()).execute()
    desk.surveyor = Surveyor(desk.conf, time.time())


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("later", [False, True])
def test_after_a_cut_the_next_alert_starts_from_where_the_strategy_is(desk, forgets, later):
    desk.alert("S", 0, 10)
    if later:  # it was cut when it waited already
        desk.alert("S", 10, -10)
        set_mode("exits")
    else:
        set_mode("exits")
        desk.alert("S", 10, -10)
    assert models.Signal.get_by_id(2).mar_pos == "flat"
    desk.look()
    if forgets:
        forget(desk)
    desk.alert("S", -10, 0)
    assert told(desk, "missed") == {}
    desk.alert("S", 5, 0)
    assert told(desk, "missed") == {
        "missed:4": "S: signal 4 starts from long 5, but signal 3 before it ended at flat."
    }


@pytest.mark.parametrize("forgets", [False, True])
def test_a_held_signal_that_a_newer_one_has_ended_is_not_missing(desk, forgets):
    desk.alert("S", 10, 0)
    set_mode("ask")
    desk.alert("S", 0, 10)
    desk.look()
    if forgets:
        forget(desk)
    desk.alert("S", 10, 0)
    assert models.Signal.get_by_id(2).status_msg == "overtaken by 3"
    assert told(desk, "missed") == {}
    if forgets:
        forget(desk)
    desk.alert("S", 0, 7)
    assert told(desk, "missed") == {}


def test_after_a_cut_the_account_is_expected_to_be_flat(desk):
    desk.alert("S", 0, 10, order_status="filled")
    set_mode("exits")
    desk.alert("S", 10, -10)
    desk.set(2, order_status="filled")
    for held in (0, 0):
        assert desk.report(S=held) == {}
    desk.report(S=-10)
    words = "S: the alerts say flat, the account holds short 10."
    assert desk.report(S=-10) == {"expected:S": words}


# --- many of a kind, and their order -----------------------------------------------------


def test_the_gravest_comes_first_and_what_has_been_seen_last_of_its_kind(desk):
    desk.report(T=50)
    desk.alert("NOPE", 0, 1)
    desk.report(T=50)
    desk.alert("NEITHER", 0, 1)
    assert keys(desk) == ["unhedged:T-VZ", "not_traded:2", "not_traded:1"]
    alarms.acknowledge(models.Alarm.get(kind="unhedged").id, "admin")
    desk.look()
    [first, *_] = models.Alarm.shown()
    assert (first.kind, first.acknowledged_by) == ("unhedged", "admin")


def test_a_number_that_doubles_is_told_again_and_a_few_more_are_not(desk):
    desk.conf.alarm_bridge_minutes = -1 / 60

    def silence(waiting):
        models.Signal.update(order_status="canceled").execute()
        for size in range(waiting):
            desk.alert("S", 0, size + 1, alert_id=f"{waiting}|{size}")
        desk.surveyor.look(0.0)
        found = desk.surveyor.look(1.0)
        alarms.settle(found.base, found.reached, found.begun, found.over)
        row = models.Alarm.get(kind="bridge")
        was_due, seen = row.due, row.acknowledged
        models.Alarm.update(due=None, acknowledged="2026-01-01 00:00:00").where(
            models.Alarm.kind == "bridge"
        ).execute()
        return row.what.split()[0], was_due is not None, seen is None

    assert silence(40) == ("40", True, True)
    assert silence(41) == ("40", False, False)
    assert silence(60) == ("60", False, False)
    assert silence(80) == ("80", True, True)
