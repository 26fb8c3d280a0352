"""The statements that are compiled once agree with the models, and so do the lists kept."""

import itertools

import peewee
import pytest

import schemas
import server
from handlers.signals import ShortLists, json_records
from models import (
    AlertId,
    EventRow,
    Filters,
    Pair,
    Passphrase,
    Session,
    Signal,
    Stock,
    User,
)
from models.statements import compiled
from tests.receiving import receive_one
from trading import fills

SHOWN = schemas.SIGNAL_KEYS


def full_row():
    """A signal with every column set to a value of its own."""
    row = {}
    for number, name in enumerate(compiled.blank, 1):
        text = isinstance(getattr(Signal, name), peewee.CharField | peewee.TextField)
        row[name] = f"t{number}"[:4] if text else number
    return row


def test_a_blank_signal_is_the_models_defaults(store):
    required = {
        "timestamp": "t",
        "ticker": "T",
        "order_action": "buy",
        "order_contracts": 1,
        "order_status": "s",
    }
    mine = Signal.insert(**{**compiled.blank, **required}).execute()
    theirs = Signal.create(**required).rowid
    assert Signal.find(mine).record() | {"rowid": 0} == Signal.find(theirs).record() | {"rowid": 0}


def test_the_compiled_event_is_the_models(store):
    told = ("2026-01-01 00:00:00", "signal.created", "7", "me", '{"a":[1,2]}', '{"a":2}')
    event_id = compiled.insert_event(told)
    row = EventRow.get_by_id(event_id)
    assert (row.time, row.type, row.subject, row.source, row.changes, row.record) == told
    assert compiled.events_after(event_id - 1, 5) == [(event_id, told[1], told[5], told[4])]
    assert compiled.events_after(event_id, 5) == []


def test_signals_are_stored_with_their_events_and_alert_ids(store):
    Signal.create(**full_row())
    signals = [(rowid, *full_row().values()) for rowid in (2, 3)]
    told = ("2026-01-01 00:00:00", "signal.created", "7", "me", "{}", "{}")
    events = [(n, *told) for n in (2, 3)]
    with store.atomic():
        assert compiled.draw_ids(2) == [(2, 1), (3, 2)]
        compiled.store_signals(signals, events, [("x", "told", 3)])
    assert Signal.find(3).record() == {"rowid": 3, **full_row()}
    columns = EventRow.select().order_by(EventRow.id).tuples()
    assert list(columns) == events
    assert list(AlertId.select(AlertId.alert_id, AlertId.fingerprint, AlertId.signal).tuples()) == [
        ("x", "told", 3)
    ]


def test_the_compiled_lookups_agree_with_the_models(store):
    Stock.create(symbol="AAPL", active=1)
    Pair.create(name="A-B", ticker1="A", ticker2="B", hedge=0.72, status=1)
    AlertId.create(alert_id="x", fingerprint="told", signal=7)
    in_use = Passphrase.create(label="one", value="v", last_used="2026-01-01 00:00:00")
    Passphrase.create(label="two", value="w", retired="2026-01-01 00:00:00")
    assert compiled.stock("AAPL") == (1, "STK", "USD")
    assert compiled.stock("MSFT") is None
    assert compiled.pair("A-B") == (1, 0.72)
    assert compiled.pair("B-A") is None
    assert compiled.signals_of_alerts(["x", "y"]) == [("x", "told", 7)]
    assert compiled.passphrases() == [(in_use.id, "v", "2026-01-01 00:00:00")]


def test_the_compiled_session_is_the_models(store, conf):
    server.prepare_store(conf)
    user = User.find("admin")
    made = Session.start(user, minutes=10, days=1, cookie="c")
    for found in (Session.by_id(made.id), Session.by_cookie("c")):
        assert found.__data__ == Session.get_by_id(made.id).__data__
        assert found.user.__data__ == User.find("admin").__data__
        assert found.user.admin is True
    assert Session.by_id("x") is None
    assert Session.by_cookie("x") is None


@pytest.mark.parametrize("column", ["expires", "cookie_expires"])
def test_a_session_whose_time_is_over_is_not_found(store, conf, column):
    server.prepare_store(conf)
    made = Session.start(User.find("admin"), minutes=10, days=1, cookie="c")
    Session.update({column: 1}).execute()
    assert Session.by_cookie("c") is None
    assert (Session.by_id(made.id) is None) == (column == "expires")


def test_the_last_event_is_the_models(store):
    assert EventRow.last_id() == 0
    for _ in range(3):
        compiled.insert_event(("2026-01-01 00:00:00", "signal.created", "7", "me", "{}", "{}"))
    assert EventRow.last_id() == EventRow.select(peewee.fn.MAX(EventRow.id)).scalar() == 3


def test_a_short_list_that_is_kept_is_never_out_of_date(store):
    kept, waiting = ShortLists(EventRow.last_id), Filters(status="waiting")

    def check():
        for filters, limit in itertools.product((Filters(), waiting), (1, 5)):
            rows = Signal.newest(filters, SHOWN, limit)
            for _ in range(2):
                assert kept.read(filters, limit) == json_records(rows)

    Stock.put({"symbol": "AAPL", "active": 1}, "me")
    alert = {"ticker": "AAPL", "order_action": "buy", "order_contracts": 1.0, "order_id1": 7}
    check()
    for _ in range(3):
        receive_one(alert, "me")
        check()
    Signal.revise(2, {"order_comment": ("new",)}, "me", bypass=False, owner=True)
    check()
    Signal.update_order(7, None, lambda order, leg: fills.cancel(order, bridge=False), "me")
    check()
    Signal.drop(1, "me")
    check()


def test_short_lists_are_kept_in_a_bounded_number(store):
    kept = ShortLists(EventRow.last_id)
    for before in range(1, 500):
        kept.read(Filters(before=before), 100)
    assert len(kept._lists) <= ShortLists.MOST


def test_the_compiled_lists_agree_with_the_models(store):
    states = ("waiting", "filled", "rerouted", "error", "canceled", "created")
    for number in range(60):
        Signal.create(**{**full_row(), "order_status": states[number % len(states)]})
    columns = [getattr(Signal, name) for name in SHOWN]
    every = Signal.select(*columns).order_by(Signal.rowid.desc())
    offered = every.where(Signal.order_status.in_(["waiting", "rerouted"]))
    for limit in (1, 7, 100):
        assert Signal.newest(Filters(), SHOWN, limit) == list(every.limit(limit).tuples())
        expected = list(offered.limit(limit).tuples())
        assert Signal.newest(Filters(status="waiting"), SHOWN, limit) == expected


def test_a_list_of_a_time_holds_exactly_the_signals_of_that_time(store):
    # Rowids do not follow the times here: senders may bring their own.
    hours = [5, 1, 9, 3, 3, 7, 2, 8, 0, 6]
    for hour in hours:
        Signal.create(**{**full_row(), "timestamp": f"2026-01-01 0{hour}:00:00"})
    for low, high, before in itertools.product((None, 0, 3, 9), (None, 0, 3, 9), (None, 0, 4, 99)):
        filters = Filters(
            since=None if low is None else f"2026-01-01 0{low}:00:00",
            until=None if high is None else f"2026-01-01 0{high}:00:00",
            before=before,
        )
        expected = [
            rowid
            for rowid in range(len(hours), 0, -1)
            if (0 if low is None else low) <= hours[rowid - 1] <= (9 if high is None else high)
            and (before is None or rowid < before)
        ]
        assert [row[0] for row in Signal.newest(filters, ("rowid",), 100)] == expected, filters
