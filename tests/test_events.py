"""Events: a replay gives each record, and a listener gets later exactly the events it missed."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import EventRow, Missing, Pair, Refused, RejectedAlert, Signal, Stock, record_of
from services import registry, signals
from services.events import missed_since
from tests.conftest import tries
from tests.receiving import receive_one
from trading import fills

ALERT = {"ticker": "AAPL", "order_action": "buy", "order_contracts": 1.0}
SUBJECTS = 4  # signals, stocks or pairs that one sequence plays with
ORDERS = (11, 12, 21, 22)

numbers = st.sampled_from([0.0, 1.0, 0.5, 100.0, 400.2, -2.0, 1e15, 2.0**53])
sizes = st.sampled_from([0.0, 1.0, 2.5, 72.0, 100.0])
texts = st.sampled_from(["", "Enter Long", "a'b\"c\\", "<b>é\U0001f680", "x" * 300])
order_ids = st.none() | st.sampled_from(ORDERS)
statuses = st.sampled_from(["waiting", "rerouted", "created", "part.filled", "filled", "canceled"])
tickers = st.sampled_from(["AAPL", "A-0.5*B", "B-A", "A-2*B", "nonsense-", "NYSE:AAPL"])

alerts = st.fixed_dictionaries(
    {"ticker": tickers, "order_action": st.sampled_from(["buy", "sell"]), "order_contracts": sizes},
    optional={
        "order_price": st.none() | numbers,
        "order_comment": st.none() | texts,
        "order_status": statuses,
        "order_id1": order_ids,
        "order_id2": order_ids,
        "timestamp": st.just("2026-01-02 03:04:05"),
        "bypass": st.booleans(),
    },
)
revisions = st.dictionaries(
    st.sampled_from(
        [
            "ticker",
            "order_contracts",
            "order_price",
            "order_comment",
            "order_status",
            "order_id1",
            "stk_price1",
        ]
    ),
    st.none(),
).flatmap(
    lambda names: st.fixed_dictionaries(
        {name: st.lists(REVISED[name], min_size=1, max_size=2).map(tuple) for name in names}
    )
)
REVISED = {
    "ticker": tickers,
    "order_contracts": sizes,
    "order_price": st.none() | numbers,
    "order_comment": st.none() | texts,
    "order_status": statuses,
    "order_id1": order_ids,
    "stk_price1": st.none() | numbers,
}
sizes_of_parts = st.integers(1, 12)
rowids = st.integers(1, SUBJECTS + 1)


def priced(price, contracts):
    return lambda order, leg: fills.price_leg(order, leg, price, contracts)


def reported(price, quantity):
    return lambda order, leg: fills.report(order, leg, price, quantity)


def canceled(bridge):
    return lambda order, leg: fills.cancel(order, bridge)


updates = st.one_of(
    st.builds(priced, numbers, st.none() | st.sampled_from([1.0, 40.0])),
    st.builds(reported, numbers, sizes),
    st.builds(canceled, st.booleans()),
)

receive = st.builds(lambda alert: lambda: receive_one(alert, "webhook"), alerts)
revise = st.builds(
    lambda rowid, sent, bypass, owner: (
        lambda: signals.revise(rowid, sent, "bridge", bypass=bypass, owner=owner)
    ),
    *(rowids, revisions, st.booleans(), st.booleans()),
)
update = st.builds(
    lambda order_id, apply: lambda: signals.report(order_id, None, apply, "bridge"),
    *(st.sampled_from(ORDERS), updates),
)
drop = st.builds(lambda rowid: lambda: signals.delete(rowid, "admin"), rowids)
put_stock = st.builds(
    lambda symbol, active: (
        lambda: registry.put_stock({"symbol": symbol, "active": active}, "admin")
    ),
    *(st.sampled_from(["A", "B", "AAPL"]), st.integers(0, 1)),
)
drop_stock = st.builds(
    lambda symbol: lambda: registry.delete_stock(symbol, "admin"),
    st.sampled_from(["A", "B", "AAPL"]),
)
add_pair = st.builds(
    lambda active: (
        lambda: registry.register_pair(
            {"ticker1": "A", "ticker2": "B", "hedge": 0.5, "status": active}, "admin"
        )
    ),
    st.integers(0, 1),
)
put_pair = st.builds(
    lambda hedge, notes: (
        lambda: registry.change_pair("A-B", {"hedge": hedge, "notes": notes}, "admin")
    ),
    *(st.sampled_from([0.5, 2.0]), st.none() | texts),
)
drop_pair = st.just(lambda: registry.delete_pair("A-B", "admin"))
reject = st.builds(
    lambda known, body: (
        lambda: signals.keep_rejected(
            {"address": "::1", "size": 9, "reasons": "{}", "body": body, "known": known}, most=2
        )
    ),
    *(st.booleans(), st.none() | texts),
)
signal_verbs = st.one_of(receive, receive, revise, update, drop)
registry_verbs = st.one_of(put_stock, drop_stock, add_pair, put_pair, drop_pair, reject)


TABLES = {"signal": Signal, "stock": Stock, "pair": Pair, "rejected": RejectedAlert}


def play(verbs):
    """Calls the verbs one after the other; returns the events that they wrote.

    Each event must have the record of its row right after the verb.
    """
    told = []
    for verb in verbs:
        before = EventRow.last_id()
        try:
            verb()
        except (Missing, Refused):
            assert EventRow.last_id() == before
        rows = {event.subject: event for event in EventRow.after(before, 100)}
        for event in rows.values():
            noun, _, happened = event.type.partition(".")
            table = TABLES[noun]
            found = [row for row in table.select() if row.subject() == event.subject]
            assert (happened == "deleted") == (not found)
            assert all(
                orjson.loads(event.record) == record_of(noun, row.columns()) for row in found
            )
        told += rows.values()
    return told


@pytest.fixture
def sequence(store):
    """Plays sequences of verbs, each on the same empty tables, and checks what they left."""

    def run(verbs, check):
        with store.atomic() as everything:
            published = play(verbs)
            check(published)
            everything.rollback()

    return run


def checks(count):
    """Random sequences; the tables are emptied after each, so the fixture may serve them all."""
    return settings(
        max_examples=tries(count),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def replay(rows):
    """A record, made only from its events; None after it was deleted."""
    record = dict.fromkeys(Signal._meta.sorted_field_names)
    for row in rows:
        assert {name: old for name, (old, _) in row.changed.items()} == {
            name: record[name] for name in row.changed
        }, "an event's old values are not the record before it"
        record |= {name: new for name, (_, new) in row.changed.items()}
        record["rowid"] = int(row.subject)
    gone = rows[-1].type == "signal.deleted"
    assert not gone or set(record.values()) == {None, record["rowid"]}
    return None if gone else record


@checks(75)
@given(verbs=st.lists(signal_verbs, min_size=1, max_size=25))
def test_replaying_a_signals_events_gives_its_current_record(sequence, verbs):
    def check(published):
        for subject in {event.subject for event in published}:
            signal = Signal.get_or_none(Signal.rowid == int(subject))
            rebuilt = replay(EventRow.of("signal", subject))
            assert rebuilt == (signal and signal.columns())

    sequence(verbs, check)


def rows(events):
    """Events as they are read for listeners."""
    return [(each.id, each.type, each.record, each.changes) for each in events]


@checks(75)
@given(verbs=st.lists(signal_verbs | registry_verbs, min_size=1, max_size=25))
def test_what_was_missed_is_exactly_what_was_published(sequence, verbs):
    def check(published):
        start = published[0].id - 1 if published else EventRow.last_id()
        for position in range(start, EventRow.last_id() + 1):
            missed = missed_since(position, 1000)
            live = [event for event in published if event.id > position]
            assert missed == rows(live)

    sequence(verbs, check)


@checks(50)
@given(verbs=st.lists(signal_verbs | registry_verbs, min_size=1, max_size=25), size=sizes_of_parts)
def test_what_is_read_in_parts_is_exactly_what_was_published(sequence, verbs, size):
    def check(published):
        position, read = (published[0].id if published else EventRow.last_id() + 1) - 1, []
        while part := EventRow.told_after(position, size):
            assert len(part) <= size
            read += part
            position = part[-1][0]
        assert read == rows(published)

    sequence(verbs, check)


@checks(50)
@given(verbs=st.lists(signal_verbs | registry_verbs, max_size=25))
def test_event_ids_rise_and_every_change_has_one(sequence, verbs):
    def check(published):
        ids = [event.id for event in published]
        assert ids == sorted(set(ids))
        assert [row.id for row in EventRow.after(0, 1000)] == ids

    sequence(verbs, check)


@checks(50)
@given(verbs=st.lists(receive | update, min_size=2, max_size=12), limit=st.integers(1, 12))
def test_more_than_the_limit_missed_is_none(sequence, verbs, limit):
    def check(published):
        last = EventRow.last_id()
        for position in range(last - len(published), last + 1):
            missed = missed_since(position, limit)
            assert (missed is None) == (last - position > limit)

    sequence(verbs, check)


def test_an_event_that_is_not_there_yet_was_not_missed(store):
    receive_one(ALERT)
    last = EventRow.last_id()
    assert missed_since(last, 10) == []
    assert missed_since(last + 1, 10) is None


def test_a_repeat_or_an_empty_change_makes_no_event(store):
    alert = {
        "ticker": "AAPL",
        "order_action": "buy",
        "order_contracts": 1.0,
        "order_id1": 11,
        "alert_id": "x",
    }
    registry.put_stock({"symbol": "AAPL", "active": 1}, "admin")
    for _ in range(2):
        receive_one(alert, "webhook")
        signals.report(11, None, reported(5.0, 1.0), "bridge")
        signals.revise(1, {"order_comment": (None,)}, "x", bypass=False, owner=True)
        registry.put_stock({"symbol": "AAPL", "active": 1}, "admin")
        told = [event.type for event in EventRow.after(0, 100)]
        assert told == ["stock.created", "signal.created", "signal.updated"]


def test_a_deleted_signals_events_tell_what_it_was(store):
    rowid = receive_one(ALERT, "x").rowid
    signals.delete(rowid, "admin")
    created, deleted = EventRow.of("signal", str(rowid))
    assert [created.type, deleted.type] == ["signal.created", "signal.deleted"]
    assert deleted.record == created.record
    assert deleted.source == "admin"


def test_an_event_of_a_failed_change_is_undone_with_it(store, conf):
    def failing():
        with store.atomic():
            receive_one(ALERT)
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 our own
        failing()
    assert EventRow.last_id() == 0
    assert Signal.select().count() == 0


def test_many_missed_events_are_all_there(store):
    count = 1200
    with store.atomic():
        signals.receive([{**ALERT, "source": "x"}] * count)
    assert [event for event, *_ in missed_since(0, count)] == list(range(1, count + 1))
