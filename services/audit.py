"""The audit: who changed users, keys or the registry, from where, and who was refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import peewee

from models import Audit, EventRow, newest
from trading import instants

REGISTRY = ("stock", "pair")
WINDOW = 60  # seconds in which equal refusals share a row


class Trace(NamedTuple):
    """Who does something, and from which address."""

    who: str
    address: str


@dataclass(frozen=True)
class AuditFilters:
    """Which rows: a user or address, a kind or group of kinds, a time."""

    who: str | None = None
    what: str | None = None
    since: str | None = None
    until: str | None = None


def note(kind: str, trace: Trace, most: int, subject: str = "", event: int | None = None) -> None:
    """Writes an act in the running transaction, and drops the oldest of its kind beyond `most`.

    Each kind is bounded apart, so that neither a flood of refusals nor a busy user pushes out what
    else was done. A change of the registry names its event, which says what changed.
    """
    fields = {"who": trace.who[:80], "address": trace.address, "subject": subject[:400]}
    Audit.create(time=instants.now(), kind=kind, refused=False, event=event, **fields)
    _bound(kind, most)


def note_refusals(rows: list[dict[str, Any]], most: int) -> None:
    """Writes counted refusals (time, kind, who, address, count); a minute's share a row."""
    for row in rows:
        same = (Audit.kind == row["kind"]) & (Audit.address == row["address"])
        last = Audit.select().where(same).order_by(Audit.id.desc()).first()
        if last and last.time > instants.ago(WINDOW):
            last.count += row["count"]
            last.who = last.who if last.who == row["who"] else ""
            last.save(only=["count", "who"])
        else:
            Audit.create(subject="", refused=True, **row)
    for kind in {row["kind"] for row in rows}:
        _bound(kind, most)


def _bound(kind: str, most: int) -> None:
    mine = Audit.kind == kind
    # A tenth more may gather: counting is quick, finding the last one to keep is not.
    if Audit.select().where(mine).count() > most + most // 10:
        last = Audit.select(Audit.id).where(mine).order_by(Audit.id.desc()).limit(1).offset(most)
        Audit.delete().where(mine, Audit.id <= last).execute()


def page(filters: AuditFilters, limit: int, before: int | None = None) -> peewee.ModelSelect:
    """The newest rows that pass, each with its event as `told`; 0 means all."""
    rows = Audit.select(Audit, EventRow).join(
        EventRow, peewee.JOIN.LEFT_OUTER, on=(Audit.event == EventRow.id), attr="told"
    )
    return newest(rows.where(*_conditions(filters)), limit, before)


def _conditions(filters: AuditFilters) -> Iterator[Any]:
    yield Audit.id > 0
    if filters.who is not None:
        yield (Audit.who == filters.who) | (Audit.address == filters.who)
    if filters.what is not None:
        groups = REGISTRY if filters.what == "registry" else (filters.what,)
        kinds = Audit.kind == filters.what
        for group in groups:
            kinds |= Audit.kind.startswith(f"{group}.")
        yield kinds
    if filters.since is not None:
        yield Audit.time >= filters.since
    if filters.until is not None:
        yield Audit.time <= filters.until
