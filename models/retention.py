"""Forgetting what is old: events and rejected alerts, never signals, alert ids or the audit."""

from collections.abc import Iterator

import peewee

from database import proxy
from models.base import EventRow
from models.facts import PRUNED_EVENT, Fact
from models.rejected import RejectedAlert

CHUNK = 1000  # rows of one transaction, so that nobody waits long


def first_kept(since: str) -> int:
    """The id of the first event to keep: what is gone must be a whole beginning.

    The newest event always stays, for it tells where the ids go on.
    """
    kept = EventRow.select(EventRow.id).where(EventRow.time >= since)
    return kept.order_by(EventRow.id).limit(1).scalar() or EventRow.last_id()


def old_rows(since: str) -> tuple[int, int]:
    """How many events and rejected alerts are older than an instant."""
    events = EventRow.select().where(EventRow.id < first_kept(since))
    rejected = RejectedAlert.select().where(RejectedAlert.timestamp < since)
    return events.count(), rejected.count()


def prune(since: str) -> Iterator[int]:
    """Deletes them, a chunk in each transaction: how many rows each took."""
    first = first_kept(since)
    while taken := _take(EventRow, EventRow.id < first):
        yield taken
    while taken := _take(RejectedAlert, RejectedAlert.timestamp < since):
        yield taken


def _take(model: type[peewee.Model], old: peewee.Expression) -> int:
    with proxy.atomic():
        chosen = model.select(model.id).where(old).order_by(model.id).limit(CHUNK)
        ids = [row.id for row in chosen]
        if ids and model is EventRow:
            Fact.note(PRUNED_EVENT, str(ids[-1]))
        return model.delete().where(model.id.in_(ids)).execute() if ids else 0


def is_pruned(after: int) -> bool:
    """Whether events that followed this one are gone."""
    return after < int(Fact.of(PRUNED_EVENT) or 0)
