"""The plans of frequent queries on PostgreSQL, with so many rows that the planner must choose."""

import contextlib
import logging

import pytest

import models
from database import opening
from models import SIGNAL_KEYS, AlertId, EventRow, Session, Signal
from services import access, search
from services.search import Filters, sums

pytestmark = pytest.mark.postgresql

ROWS = 60_000
SHOWN = SIGNAL_KEYS
# One in a thousand waits; a hundred pairs and singles; ids in the order of time.
FILL = f"""
INSERT INTO signal (timestamp, ticker, order_action, order_contracts, mar_pos_size,
    pre_mar_pos_size, order_status, ticker_type, stk_ticker1, stk_ticker2, order_id1, order_id2)
SELECT to_char(timestamp '2026-01-01' + n * interval '1 minute', 'YYYY-MM-DD HH24:MI:SS'),
    'AAPL', 'buy', 100, 0, 0,
    CASE WHEN n %% 1000 = 0 THEN 'waiting' WHEN n %% 1001 = 0 THEN 'rerouted'
        WHEN n %% 10 = 0 THEN 'canceled' ELSE 'filled' END,
    CASE WHEN n %% 3 = 0 THEN 'pair' ELSE 'single' END, 'A' || n %% 100,
    CASE WHEN n %% 3 = 0 THEN 'B' || n %% 100 END, n, CASE WHEN n %% 3 = 0 THEN n + 1000000 END
FROM generate_series(1, {ROWS}) n;
INSERT INTO event (time, type, subject, source, changes, record)
SELECT '2026-01-01 00:00:00', 'signal.created', n::text, 'webhook', '{{}}', '{{}}'
FROM generate_series(1, {ROWS}) n;
INSERT INTO alert_id (alert_id, fingerprint, signal)
SELECT 'id' || n, '', n FROM generate_series(1, {ROWS}) n;
INSERT INTO "user" (username, password_hash, admin) VALUES ('admin', '', true);
INSERT INTO session (id, user_id, cookie_digest, refresh_id, minutes, started, cookie_expires,
    expires) SELECT 's' || n, 1, 'c' || n, '', 1, 0, 9999999999, 9999999999
FROM generate_series(1, 5000) n;
ANALYZE;
"""  # noqa: S608


@pytest.fixture(scope="module")
def full(postgresql):
    """A database with many rows."""
    with postgresql.empty() as url:
        store = opening.open_database(url)
        store.execute_sql(FILL)
        yield store
        store.close()


@pytest.fixture
def plan(full):
    """Runs some code; returns the plans of the queries that it sent, as one text."""
    log, sent = logging.getLogger("peewee"), []
    handler = logging.Handler()
    handler.emit = lambda record: sent.append(record.msg)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)

    def run(work):
        sent.clear()
        with contextlib.suppress(models.Missing):
            work()
        queries = [each for each in sent if each[0].startswith(("SELECT", "EXECUTE"))]
        lines = []
        for sql, values in queries:
            lines += full.execute_sql(f"EXPLAIN {sql}", values).fetchall()
        assert lines, "no query was sent"
        return "\n".join(line for (line,) in lines)

    yield run
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(), "signal_pkey"),
        (Filters(before=9000), "signal_pkey"),
        (Filters(status="waiting"), "signal_offered"),
        (Filters(status="waiting", before=9000), "signal_offered"),
        (Filters(status="waiting", kind="pair"), "signal_offered"),
        (Filters(status="error"), "signal_order_status_rowid"),
        (Filters(status="canceled", before=50), "signal_"),
        (Filters(name="A3-B3"), "signal_stk_ticker1_stk_ticker2_rowid"),
        (Filters(name="A4"), "signal_"),
        (Filters(name="A4", status="waiting"), "signal_"),
        (Filters(since="2026-01-02 00:00:00", until="2026-01-02 09:00:00"), "signal_timestamp"),
    ],
)
def test_a_list_is_read_by_an_index(plan, filters, index):
    text = plan(lambda: search.newest(filters, SHOWN, 20))
    assert index in text
    assert "Seq Scan" not in text


@pytest.mark.parametrize("filters", [Filters(), Filters(status="filled"), Filters(kind="single")])
def test_what_is_most_of_the_table_is_read_in_its_order(plan, filters):
    assert "Sort" not in plan(lambda: search.newest(filters, SHOWN, 20))


LOOKUPS = {
    "how many wait": (Signal.count_offered, "signal_offered"),
    "how many are held": (Signal.count_held, "signal_order_status_rowid"),
    "how many are open": (Signal.count_open, "signal_order_status_rowid"),
    "the oldest that is open": (Signal.oldest_open, "signal_order_status_rowid"),
    "the newest alert": (Signal.last_alert, "signal_pkey"),
    "an order's signal": (lambda: Signal.of_order(5000, None), "signal_order_id1"),
    "an order's second leg": (lambda: Signal.of_order(1000003, None), "signal_order_id2"),
    "an alert id": (lambda: AlertId.known(["id77"]), "alert_id_alert_id"),
    "the last event": (EventRow.last_id, "event_pkey"),
    "the last event of a signal": (EventRow.last_of_signals, "event_of_signal"),
    "the next events": (lambda: EventRow.after(ROWS - 50, 20), "event_pkey"),
    "a signal's events": (lambda: EventRow.of("signal", "77"), "event_subject_id"),
    "a session": (lambda: Session.by_id("s77"), "session_pkey"),
    "a cookie's session": (lambda: Session.by_cookie("c"), "session_cookie_digest"),
    "the sockets' sessions": (lambda: access.watching({"s1": True, "s2": True}), "session_pkey"),
    "the newest signals of some pairs": (
        lambda: Signal.newest_of_each([("A3", "B3"), ("A6", "B6")], 6),
        "signal_stk_ticker1_stk_ticker2_rowid",
    ),
    "the newest signals of some singles": (
        lambda: Signal.newest_of_each([("A1", None), ("A2", None)], 6),
        "signal_stk_ticker1_stk_ticker2_rowid",
    ),
    "the newest events of some symbols": (
        lambda: EventRow.newest_of_each({"77", "78"}, 9),
        "event_subject_id",
    ),
    "today's figures": (
        lambda: sums(Filters(since="2026-02-11 00:00:00")),
        "signal_timestamp",
    ),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_a_lookup_is_served_by_its_index(plan, name):
    work, index = LOOKUPS[name]
    text = plan(work)
    assert index in text, text
    assert not [line for line in text.splitlines() if "Seq Scan" in line and "user" not in line]
