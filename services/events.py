"""Changes rows and writes an event for each change, in the same transaction.

Everything that clients are told, live or later, is read from the table of events.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import peewee

from database.opening import proxy, snapshot
from models import EventRow, Fact, Record, RejectedAlert, Told, record_of
from trading import instants

PRUNED_EVENT = "pruned_event"  # name of the fact with the id of the last event that was pruned
CHUNK = 1000  # rows that `prune` deletes in one transaction, so that other writes wait only briefly


def tell(type: str, subject: str, source: str, changes: dict, columns: Record) -> int:
    """Writes an event in the running transaction and returns its id.

    `changes` is {column: (old, new)}; `columns` is {column: value} of the row after the change.
    """
    event = EventRow.create(
        time=instants.now(),
        type=type,
        subject=subject,
        source=source,
        changes=orjson.dumps(changes).decode(),
        record=orjson.dumps(record_of(type.partition(".")[0], columns)).decode(),
    )
    return event.id


def add(table: type[Told], source: str, **fields: Any) -> Any:
    """Stores a new row with its event, and returns the row."""
    row = table.create(**fields)
    tell_of(row, source)
    return row


def tell_of(row: Told, source: str) -> int:
    """Writes the event of a row that was just stored, and returns its id."""
    created = {name: (None, new) for name, new in row.filled().items()}
    return tell(f"{row.noun}.created", row.subject(), source, created, row.columns())


def change(row: Told, source: str, fields: Record, noun: str = "") -> int | None:
    """Sets these fields and returns the id of the event; None if no value changes.

    `noun` begins the event's type if it is not the table's own, as `position` for a stock.
    """
    old = row.columns()
    changes = {name: (old[name], new) for name, new in fields.items() if not same(old[name], new)}
    if not changes:
        return None
    for name, (_, new) in changes.items():
        setattr(row, name, new)
    row.save(only=list(changes))
    type = f"{noun or row.noun}.updated"
    return tell(type, row.subject(), source, changes, old | fields)


def remove(row: Told, source: str) -> int:
    """Deletes the row and returns the id of the event; earlier events stay."""
    gone = {name: (old, None) for name, old in row.filled().items()}
    row.delete_instance()
    return tell(f"{row.noun}.deleted", row.subject(), source, gone, row.columns())


def written_by(verb: Callable[[], Any], most: int) -> tuple[Any, list[EventRow]]:
    """What a verb returns, and at most so many of the events that it writes."""
    before = EventRow.last_id()
    result = verb()
    return result, EventRow.after(before, most)


def same(old: Any, new: Any) -> bool:
    """Whether a stored value and a sent one are equal; null is equal only to null."""
    return old == new and (old is None) == (new is None)


# --- reading events -------------------------------------------------------------------


def missed_since(event_id: int, limit: int) -> list[tuple[int, str, str, str]] | None:
    """The events after this one, oldest first, as tuples of `EventRow.told_after`.

    None if there are more than `limit`, if some were pruned, or if the id was never used.
    """
    with snapshot(EventRow._meta.database):
        rows = EventRow.told_after(event_id, limit + 1)
        if len(rows) > limit or event_id > EventRow.last_id() or is_pruned(event_id):
            return None
    return rows


def following(event_id: int, limit: int) -> tuple[list[EventRow], bool]:
    """The events after this one, oldest first, at most `limit`; and `is_pruned` of this one."""
    with snapshot(EventRow._meta.database):
        return EventRow.after(event_id, limit), is_pruned(event_id)


def is_pruned(after: int) -> bool:
    """Whether events after this one were pruned."""
    return after < int(Fact.of(PRUNED_EVENT) or 0)


# --- pruning: events and rejected alerts, never signals, alert ids or the audit ----------


def first_kept(since: str) -> int:
    """The id of the first event to keep; older ones may be deleted.

    The newest event is always kept, because the next id must be higher.
    """
    kept = EventRow.select(EventRow.id).where(EventRow.time >= since)
    return kept.order_by(EventRow.id).limit(1).scalar() or EventRow.last_id()


def old_rows(since: str) -> tuple[int, int]:
    """(number of events, number of rejected alerts) that are older than `since`."""
    events = EventRow.select().where(EventRow.id < first_kept(since))
    rejected = RejectedAlert.select().where(RejectedAlert.timestamp < since)
    return events.count(), rejected.count()


def prune(since: str) -> Iterator[int]:
    """Deletes events and rejected alerts older than `since`, CHUNK rows in each transaction.

    Yields the number of rows of each transaction.
    """
    first = first_kept(since)
    while taken := _take(EventRow, EventRow.id < first):
        yield taken
    while taken := _take(RejectedAlert, RejectedAlert.timestamp < since):
        yield taken


def _take(table: type[peewee.Model], old: peewee.Expression) -> int:
    with proxy.atomic():
        chosen = table.select(table.id).where(old).order_by(table.id).limit(CHUNK)
        ids = [row.id for row in chosen]
        if ids and table is EventRow:
            note(PRUNED_EVENT, str(ids[-1]))
        return table.delete().where(table.id.in_(ids)).execute() if ids else 0


# --- facts: what the server knows about itself -------------------------------------------

LAST_BACKUP = "last_backup"  # a time, as text


def note(name: str, value: str) -> None:
    """Stores a fact; replaces its earlier value."""
    Fact.insert(name=name, value=value).on_conflict(
        conflict_target=[Fact.name], preserve=[Fact.value]
    ).execute()
