"""Positions that do not match, judged by the surveyor after each report, on a real database."""

import time
from types import SimpleNamespace

import pytest

import models
from services import alarms, events, positions, registry
from services.survey import Surveyor
from tests.receiving import receive_one
from trading import instants

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

    def alert(self, ticker, before, after, **fields):
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
        return receive_one(alert | fields, "webhook").rowid

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
