"""Missed events with the records as they were then, rebuilt from today's rows."""

from typing import Any, NamedTuple

from database import snapshot
from models.account import AccountRecord
from models.base import EventRow, Told
from models.registry import Pair, Stock
from models.rejected import RejectedAlert
from models.retention import is_pruned
from models.signals import Signal

_TABLES: dict[str, tuple[type[Told], str]] = {
    "signal": (Signal, "rowid"),
    "stock": (Stock, "symbol"),
    "pair": (Pair, "name"),
    "rejected": (RejectedAlert, "id"),
    "account": (AccountRecord, "rowid"),
    "position": (Stock, "symbol"),
}


class Missed(NamedTuple):
    """One event as it was published: the subject's columns after it and what had changed."""

    type: str
    id: int
    record: dict[str, Any]
    changed: list[str]


def missed_since(event_id: int, limit: int) -> list[Missed] | None:
    """What was published after an event, oldest first.

    None if that is more than `limit`, or some of it is gone, or the event is unknown.
    """
    with snapshot(EventRow._meta.database):
        rows = EventRow.after(event_id, limit + 1)
        if len(rows) > limit or event_id > EventRow.last_id() or is_pruned(event_id):
            return None
        records = _present(rows)
    return _walk_back(rows, records)


def feed(event_id: int, limit: int) -> tuple[list[EventRow], bool]:
    """The events that follow, oldest first, and whether some between were pruned."""
    with snapshot(EventRow._meta.database):
        return EventRow.after(event_id, limit), is_pruned(event_id)


def events_after(event_id: int, most: int) -> list[Missed]:
    """The next events that any process has committed, oldest first."""
    with snapshot(EventRow._meta.database):
        rows = EventRow.after(event_id, most)
        later = []
        if len(rows) == most:
            for chunk in _chunks(sorted({row.subject for row in rows if not _creates(row)}), 500):
                later += EventRow.later(rows[-1].id, chunk)
        rows += sorted(later, key=lambda row: row.id)
        records = _present(rows)
    return _walk_back(rows, records)[:most]


def _walk_back(rows: list[EventRow], records: dict) -> list[Missed]:
    # Walking back from today's rows undoes one change after the other.
    missed = [_undo(row, records) for row in reversed(rows)]
    return missed[::-1]


def _creates(row: EventRow) -> bool:
    return row.type.endswith(".created")


def _present(rows: list[EventRow]) -> dict[tuple[type[Told], str], dict[str, Any]]:
    subjects: dict[tuple[type[Told], str], set[str]] = {}
    for row in rows:
        if not _creates(row):  # what was created is known from its event
            subjects.setdefault(_TABLES[row.type.partition(".")[0]], set()).add(row.subject)
    records = {}
    for (model, key), names in subjects.items():
        for chunk in _chunks(sorted(names), 500):
            values = [int(name) for name in chunk] if key in ("id", "rowid") else chunk
            for found in model.select().where(getattr(model, key).in_(values)):
                records[model, found.subject()] = found.record()
    return records


def _chunks(items: list, size: int):
    return (items[start : start + size] for start in range(0, len(items), size))


def _undo(row: EventRow, records: dict) -> Missed:
    noun, _, verb = row.type.partition(".")
    model, key = _TABLES[noun]
    blank = dict.fromkeys(model._meta.sorted_field_names)
    after = records.get((model, row.subject)) or blank
    changes = row.changed
    before = after | {column: old for column, (old, _) in changes.items()}
    if verb == "created":
        after = blank | {column: new for column, (_, new) in changes.items()}
    elif verb == "deleted":
        after = before
    if key in ("id", "rowid"):
        after = after | {key: int(row.subject)}
    records[model, row.subject] = before
    return Missed(row.type, row.id, after, list(changes))
