"""Statements that are compiled once agree with the models, and so do lists in memory."""

import itertools

import peewee
import pytest

import server
from handlers.signals import ShortLists, json_records
from models import SIGNAL_KEYS, AlertId, EventRow, Pair, Passphrase, Session, Signal, Stock, User
from services import access, events, registry, search, signals
from services.search import Filters
from services.signals import BLANK
from tests.receiving import receive_one
from trading import fills

SHOWN = SIGNAL_KEYS


def full_row():
    """A signal with every column set to a value of its own."""
    row = {}
    for number, name in enumerate(BLANK, 1):
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
    mine = Signal.insert(**{**BLANK, **required}).execute()
    theirs = Signal.create(**required).rowid
    assert Signal.find(mine).columns() | {"rowid": 0} == Signal.find(theirs).columns() | {
        "rowid": 0
    }


def test_the_compiled_event_is_the_models(store):
    told = ("2026-01-01 00:00:00", "signal.created", "7", "me", '{"a":[1,2]}', '{"a":2}')
    names = ("time", "type", "subject", "source", "changes", "record")
    event_id = EventRow.create(**dict(zip(names, told, strict=True))).id
    assert EventRow.told_after(event_id - 1, 5) == [(event_id, told[1], told[5], told[4])]
    assert EventRow.told_after(event_id, 5) == []


def test_signals_are_stored_with_their_events_and_alert_ids(store):
    Signal.create(**full_row())
    signals = [(rowid, *full_row().values()) for rowid in (2, 3)]
    told = ("2026-01-01 00:00:00", "signal.created", "7", "me", "{}", "{}")
    events = [(n, *told) for n in (2, 3)]
    with store.atomic():
        assert store.draw_ids({"signal": "rowid", "event": "id"}, 2) == [(2, 1), (3, 2)]
        store.insert_all(
            ("signal", Signal._meta.sorted_field_names, signals),
            ("event", EventRow._meta.sorted_field_names, events),
            ("alert_id", ["alert_id", "fingerprint", "signal"], [("x", "told", 3)]),
        )
    assert Signal.find(3).columns() == {"rowid": 3, **full_row()}
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
    assert Stock.judged(["AAPL", "MSFT"]) == {"AAPL": (1, "STK", "USD", "on")}
    assert Pair.judged(["A-B", "B-A"]) == {"A-B": (1, 0.72, "on")}
    assert AlertId.known(["x", "y"]) == [("x", "told", 7)]
    assert Passphrase.valid_values() == [(in_use.id, "v", "2026-01-01 00:00:00")]


def test_the_compiled_session_is_the_models(store, conf):
    server.prepare_store(conf)
    user = User.find("admin")
    made = access.start_session(user, minutes=10, days=1, cookie="c")
    for found in (Session.by_id(made.id), Session.by_cookie("c")):
        assert found.__data__ == Session.get_by_id(made.id).__data__
        assert found.user.__data__ == User.find("admin").__data__
        assert found.user.admin is True
    assert Session.by_id("x") is None
    assert Session.by_cookie("x") is None


@pytest.mark.parametrize("column", ["expires", "cookie_expires"])
def test_a_session_whose_time_is_over_is_not_found(store, conf, column):
    server.prepare_store(conf)
    made = access.start_session(User.find("admin"), minutes=10, days=1, cookie="c")
    Session.update({column: 1}).execute()
    assert Session.by_cookie("c") is None
    assert (Session.by_id(made.id) is None) == (column == "expires")


def test_the_last_event_is_the_models(store):
    assert EventRow.last_id() == 0
    for _ in range(3):
        events.tell("pair.updated", "7", "me", {}, dict.fromkeys(Pair._meta.sorted_field_names))
    assert EventRow.last_id() == EventRow.select(peewee.fn.MAX(EventRow.id)).scalar() == 3


def test_a_short_list_that_is_kept_is_never_out_of_date(store):
    kept, waiting = ShortLists(EventRow.last_id), Filters(status="waiting")

    def check():
        for filters, limit in itertools.product((Filters(), waiting), (1, 5)):
            rows = search.newest(filters, SHOWN, limit)
            for _ in range(2):
                assert kept.read(filters, limit) == json_records(rows)

    registry.put_stock({"symbol": "AAPL", "active": 1}, "me")
    alert = {"ticker": "AAPL", "order_action": "buy", "order_contracts": 1.0, "order_id1": 7}
    check()
    for _ in range(3):
        receive_one(alert, "me")
        check()
    signals.revise(2, {"order_comment": ("new",)}, "me", bypass=False, owner=True)
    check()
    signals.report(7, None, lambda order, leg: fills.cancel(order, bridge=False), "me")
    check()
    signals.delete(1, "me")
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
        assert search.newest(Filters(), SHOWN, limit) == list(every.limit(limit).tuples())
        expected = list(offered.limit(limit).tuples())
        assert search.newest(Filters(status="waiting"), SHOWN, limit) == expected


def test_a_list_of_a_time_holds_exactly_the_signals_of_that_time(store):
    # The rowids are not in the order of the times, because senders may send a time.
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
        assert [row[0] for row in search.newest(filters, ("rowid",), 100)] == expected, filters


def test_the_columns_of_a_signal_begin_with_the_fields_of_its_record():
    assert tuple(Signal._meta.sorted_field_names[: len(SHOWN)]) == SHOWN
