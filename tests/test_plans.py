"""The plan of every query on SQLite: it uses an index, and does not sort or scan a table."""

import contextlib
import itertools
import logging

import pytest

import models
import server
from models import (
    SIGNAL_KEYS,
    AlertId,
    EventRow,
    Pair,
    Passphrase,
    RejectedAlert,
    Session,
    Signal,
    Stock,
    User,
)
from services import access, positions, search, signals
from services.search import Filters, sums
from tests.conftest import ON_SQLITE

pytestmark = ON_SQLITE


@pytest.fixture
def plans(store, conf):
    """Runs some code; returns the plan of each query that it sent, as [(sql, lines)]."""
    server.prepare_store(conf)
    log, sent = logging.getLogger("peewee"), []
    handler = logging.Handler()
    handler.emit = lambda record: sent.append(record.msg)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)

    def run(work):
        sent.clear()
        with contextlib.suppress(models.Missing):
            work()
        queries = [each for each in sent if each[0].startswith(("SELECT", "DELETE", "UPDATE"))]
        explained = []
        for sql, values in queries:
            plan = store.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            explained.append((sql, [line[3] for line in plan]))
        assert explained, "no query was sent"
        return explained

    yield run
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


def faults(explained, *, sorts=False, walks=False):
    """The lines of the plan that scan a table or sort; a scan by rowid is the order of a list."""
    return [
        f"{line}: {sql}"
        for sql, lines in explained
        for line in lines
        if (line.startswith("SCAN t") and "USING" not in line and not walks)
        or ("USE TEMP B-TREE" in line and not sorts)
    ]


FILTERS = {
    "status": "filled",
    "name": "NMFC-ROIC",
    "kind": "pair",
    "since": "2026-01-01 00:00:00",
    "until": "2026-12-31 23:59:59",
    "before": 1000,
}
SHOWN = SIGNAL_KEYS


def combinations():
    """Every set of filters; the status may also be the word for two statuses."""
    for count in range(1, len(FILTERS) + 1):
        for names in itertools.combinations(FILTERS, count):
            chosen = {name: FILTERS[name] for name in names}
            yield Filters(**chosen)
            if "status" in chosen:
                yield Filters(**chosen | {"status": "waiting"})


def test_every_filtered_list_of_signals_is_an_index_scan_without_sorting(plans):
    for filters in combinations():
        assert not faults(plans(lambda f=filters: search.newest(f, SHOWN, 20))), filters


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(status="waiting"), "signal_offered"),
        (Filters(status="waiting", before=9), "signal_offered"),
        (Filters(status="waiting", kind="pair"), "signal_offered"),
        (Filters(status="filled"), "signal_order_status_rowid"),
        (Filters(status="filled", kind="pair"), "signal_order_status_rowid"),
        (Filters(kind="pair"), "signal_ticker_type_rowid"),
        (Filters(name="NMFC-ROIC"), "signal_stk_ticker1_stk_ticker2_rowid"),
        (Filters(name="AAPL"), "signal_stk_ticker1_stk_ticker2_rowid"),
        (
            Filters(name="AAPL", status="filled", kind="single"),
            "signal_stk_ticker1_stk_ticker2_rowid",
        ),
        (Filters(name="AAPL", status="waiting"), "signal_stk_ticker1_stk_ticker2_rowid"),
        (Filters(before=9), "PRIMARY KEY"),
    ],
)
def test_the_narrowest_filter_leads_to_the_index(plans, filters, index):
    [(_, [line])] = plans(lambda: search.newest(filters, SHOWN, 20))
    assert index in line


def test_the_newest_signals_are_read_in_the_order_of_the_key(plans):
    [(sql, lines)] = plans(lambda: search.newest(Filters(), SHOWN, 20))
    assert lines == ["SCAN t1"]
    assert sql.endswith('ORDER BY "t1"."rowid" DESC LIMIT ?')


def test_a_list_of_a_time_walks_no_further_than_its_rowids(plans):
    during = Filters(since="2026-01-01 00:00:00")
    ends, rows = plans(lambda: search.newest(during, SHOWN, 20))
    assert "signal_timestamp" in ends[1][0]
    assert rows[1] == ["SEARCH t1 USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]


def test_a_text_search_may_walk_but_never_sorts(plans):
    for filters in (
        Filters(text="x"),
        Filters(text="x", status="error"),
        Filters(text="x", name="A"),
    ):
        assert not faults(plans(lambda f=filters: search.newest(f, SHOWN, 20)), walks=True)


SIGNAL_LOOKUPS = {
    "one signal": lambda: Signal.find(1),
    "those of an open symbol": lambda: Signal.has_open("AAPL"),
    "how many wait": Signal.count_offered,
    "how many are open": Signal.count_open,
    "the oldest that is open": Signal.oldest_open,
    "those whose orders are at the broker": positions.orders_at_work,
    "what the newest alerts want": lambda: positions.wanted(
        [("NMFC", "ROIC"), ("USD.CAD", "BF B"), ("AAPL", None)]
    ),
}


@pytest.mark.parametrize("name", SIGNAL_LOOKUPS)
def test_a_lookup_of_signals_is_an_index_scan(plans, name):
    assert not faults(plans(SIGNAL_LOOKUPS[name]))


def test_the_signal_of_an_order_is_found_by_two_indexes(plans):
    # It sorts the few signals with this order id.
    [(_, lines)] = plans(lambda: Signal.of_order(5, None))
    assert not faults([("", lines)], sorts=True)
    assert any("signal_order_id1" in line for line in lines)
    assert any("signal_order_id2" in line for line in lines)


def test_the_figures_of_today_read_todays_signals_only(plans):
    [(_, lines)] = plans(lambda: sums(Filters(since="2026-01-01 00:00:00")))
    assert "signal_timestamp" in lines[0]


def test_the_totals_of_a_pair_read_that_pairs_signals_only(plans):
    [(_, lines)] = plans(lambda: sums(Filters(name="NMFC-ROIC", kind="pair")))
    assert "signal_stk_ticker1_stk_ticker2_rowid" in lines[0]


OTHER_LOOKUPS = {
    "an alert id": lambda: AlertId.known(["x", "y"]),
    "an alert id by the model": lambda: AlertId.get_or_none(AlertId.alert_id == "x"),
    "events after one": lambda: EventRow.after(3, 10),
    "a signal's events": lambda: EventRow.of("signal", "3"),
    "the last event": EventRow.last_id,
    "the last event of a signal": EventRow.last_of_signals,
    "the newest events of some symbols": lambda: EventRow.newest_of_each({"MA", "V"}, 9),
    "a stock": lambda: Stock.find("AAPL"),
    "a stock, compiled": lambda: Stock.judged(["AAPL"]),
    "a pair": lambda: Pair.find("A-B"),
    "a pair, compiled": lambda: Pair.judged(["A-B"]),
    "a leg's pairs": lambda: list(Pair.with_leg("AAPL")),
    "a rejected alert": lambda: RejectedAlert.find(1),
    "a user": lambda: User.find("nobody"),
    "a token's session": lambda: Session.by_id("x"),
    "a cookie's session": lambda: Session.by_cookie("x"),
    "the sockets' sessions": lambda: access.watching({"x": True, "y": False}),
    "sessions whose time is over": access.sweep_sessions,
}


@pytest.mark.parametrize("name", OTHER_LOOKUPS)
def test_a_lookup_is_an_index_scan(plans, name):
    assert not faults(plans(OTHER_LOOKUPS[name]))


def test_the_log_of_alarms_reads_no_more_than_it_shows(plans):
    explained = plans(lambda: models.Alarm.shown(closed_too=True))
    [closed] = [each for each in explained if "IS NOT NULL" in each[0]]
    assert not faults([closed])
    assert "alarm_closed" in closed[1][0]


def test_a_users_sessions_are_found_by_index(plans):
    # It sorts the few rows of a user.
    assert not faults(plans(lambda: Session.of("admin")), sorts=True)


@pytest.mark.parametrize("model", [Stock, Pair, User, RejectedAlert])
@pytest.mark.parametrize("limit", [0, 20])
def test_unfiltered_pages_are_read_in_the_order_of_the_key(plans, model, limit):
    [(sql, lines)] = plans(lambda: list(model.page(limit)))
    assert lines == ["SCAN t1"]
    assert "WHERE" not in sql


def test_passphrases_in_use_are_read_without_sorting(plans):
    # The only table that is scanned; it has very few rows.
    assert not faults(plans(lambda: (Passphrase.valid(), Passphrase.valid_values())), walks=True)


@pytest.mark.parametrize("known", [True, False])
def test_pruning_rejected_alerts_goes_by_index(plans, known):
    fields = {"address": "", "size": 1, "reasons": "{}", "body": None, "known": known}
    explained = plans(lambda: signals.keep_rejected(fields, 3))
    [(_, lines)] = [each for each in explained if each[0].startswith("DELETE")]
    assert len(lines) == 3
    assert [line for line in lines if "rejected_alert_known_id" in line] == [lines[0], lines[2]]
