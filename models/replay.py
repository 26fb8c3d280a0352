"""The table of events is the outbox: what follows an event, as it was told when it happened."""

from database import snapshot
from models.base import EventRow
from models.retention import is_pruned
from models.statements import compiled

Outgoing = tuple[int, str, str, str]  # id, type, and as JSON the record and the changes


def told_after(event_id: int, most: int) -> list[Outgoing]:
    """The next events that any process has committed, oldest first."""
    return compiled.events_after(event_id, most)


def missed_since(event_id: int, limit: int) -> list[Outgoing] | None:
    """What was told after an event, oldest first.

    None if that is more than `limit`, or some of it is gone, or the event is unknown.
    """
    with snapshot(EventRow._meta.database):
        rows = compiled.events_after(event_id, limit + 1)
        if len(rows) > limit or event_id > EventRow.last_id() or is_pruned(event_id):
            return None
    return rows


def feed(event_id: int, limit: int) -> tuple[list[EventRow], bool]:
    """The events that follow, oldest first, and whether some between were pruned."""
    with snapshot(EventRow._meta.database):
        return EventRow.after(event_id, limit), is_pruned(event_id)
