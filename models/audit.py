"""The audit: who changed what that opens doors, from where, and who was refused."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import peewee
from peewee import BigIntegerField, BooleanField, CharField, IntegerField

from database import RowId
from models.base import Base, EventRow, newest
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


class Audit(Base):
    """One act, or equal refusals of a minute with their number.

    A change of the registry names its event, which says what changed. Each kind is bounded apart,
    so that neither a flood of refusals nor a busy user pushes out what else was done.
    """

    id = RowId()
    time = CharField(19)
    kind = CharField(40)
    who = CharField(80)
    address = CharField(64)
    subject = CharField(400)
    count = IntegerField(default=1)
    event = BigIntegerField(null=True)
    refused = BooleanField()

    class Meta:
        indexes = ((("refused", "id"), False), (("kind", "address", "id"), False))

    @classmethod
    def note(
        cls, kind: str, trace: Trace, most: int, subject: str = "", event: int | None = None
    ) -> None:
        """Writes an act in the running transaction and drops its kind's oldest beyond `most`."""
        fields = {"who": trace.who[:80], "address": trace.address, "subject": subject[:400]}
        cls.create(time=instants.now(), kind=kind, refused=False, event=event, **fields)
        cls._bound(kind, most)

    @classmethod
    def note_refusals(cls, rows: list[dict[str, Any]], most: int) -> None:
        """Writes counted refusals (time, kind, who, address, count); a minute's share a row."""
        for row in rows:
            same = (cls.kind == row["kind"]) & (cls.address == row["address"])
            last = cls.select().where(same).order_by(cls.id.desc()).first()
            if last and last.time > instants.ago(WINDOW):
                last.count += row["count"]
                last.who = last.who if last.who == row["who"] else ""
                last.save(only=["count", "who"])
            else:
                cls.create(subject="", refused=True, **row)
        for kind in {row["kind"] for row in rows}:
            cls._bound(kind, most)

    @classmethod
    def _bound(cls, kind: str, most: int) -> None:
        mine = cls.kind == kind
        # A tenth more may gather: counting is quick, finding the last one to keep is not.
        if cls.select().where(mine).count() > most + most // 10:
            last = cls.select(cls.id).where(mine).order_by(cls.id.desc()).limit(1).offset(most)
            cls.delete().where(mine, cls.id <= last).execute()

    @classmethod
    def page(
        cls, filters: AuditFilters, limit: int, before: int | None = None
    ) -> peewee.ModelSelect:
        """The newest rows that pass, each with its event as `told`; 0 means all."""
        rows = cls.select(cls, EventRow).join(
            EventRow, peewee.JOIN.LEFT_OUTER, on=(cls.event == EventRow.id), attr="told"
        )
        return newest(rows.where(*cls._conditions(filters)), limit, before)

    @classmethod
    def _conditions(cls, filters: AuditFilters):
        yield cls.id > 0
        if filters.who is not None:
            yield (cls.who == filters.who) | (cls.address == filters.who)
        if filters.what is not None:
            groups = REGISTRY if filters.what == "registry" else (filters.what,)
            kinds = cls.kind == filters.what
            for group in groups:
                kinds |= cls.kind.startswith(f"{group}.")
            yield kinds
        if filters.since is not None:
            yield cls.time >= filters.since
        if filters.until is not None:
            yield cls.time <= filters.until
