"""What every table shares: errors, the event of a change, rows whose changes are told."""

from typing import Any

import orjson
import peewee
from peewee import CharField, TextField

from database import RowId, proxy
from models.records import text_of
from models.statements import compiled
from trading import instants


class Missing(Exception):
    """What was asked for is not there."""


class Ended(Missing):
    """The session or API token of whoever asks is over."""


class Refused(Exception):
    """The change is not allowed; the text, or the reason for each field, is for the caller."""

    def __init__(self, reason: str | dict[str, str]):
        super().__init__(reason)
        self.reason = reason


def tell(type: str, subject: str, source: str, changes: dict, record: dict) -> int:
    """Writes an event in the running transaction: its id.

    `changes` is {column: (old, new)}, `record` the row's columns after it.
    """
    told = text_of(type.partition(".")[0], record)
    return compiled.insert_event((instants.now(), type, subject, source, text(changes), told))


def text(changes: dict[str, tuple[Any, Any]]) -> str:
    """The changes as the table keeps them."""
    return orjson.dumps(changes).decode()


class Base(peewee.Model):
    """A table of ours."""

    class Meta:
        database = proxy
        legacy_table_names = False


class Told(Base):
    """A table whose changes clients hear of."""

    noun: str

    def subject(self) -> str:
        """How events name this row."""
        return str(self.get_id())

    def record(self) -> dict[str, Any]:
        """The row as {column: value}."""
        return {name: self.__data__.get(name) for name in self._meta.sorted_field_names}

    def _tell(self, verb: str, source: str, changes: dict, noun: str = "") -> None:
        tell(f"{noun or self.noun}.{verb}", self.subject(), source, changes, self.record())

    @classmethod
    def add(cls, source: str, **fields: Any) -> None:
        """Stores a new row."""
        row = cls.create(**fields)
        key = cls._meta.primary_key.name
        created = {k: (None, v) for k, v in row.record().items() if v is not None and k != key}
        row._tell("created", source, created)

    def change(self, source: str, fields: dict[str, Any], noun: str = "") -> None:
        """Sets these fields; one event, or none where nothing differs.

        `noun` is what the event is about, where that is but a part of the row.
        """
        old = self.record()
        changes = {k: (old[k], v) for k, v in fields.items() if not same(old[k], v)}
        if not changes:
            return
        for name, (_, value) in changes.items():
            setattr(self, name, value)
        self.save(only=list(changes))
        self._tell("updated", source, changes, noun)

    def remove(self, source: str) -> None:
        """Deletes the row."""
        key = self._meta.primary_key.name
        gone = {k: (v, None) for k, v in self.record().items() if v is not None and k != key}
        self.delete_instance()
        self._tell("deleted", source, gone)


def same(old: Any, new: Any) -> bool:
    """Whether a stored value and a sent one are equal; null equals null only."""
    return old == new and (old is None) == (new is None)


def newest(rows: peewee.ModelSelect, limit: int, before: int | None = None) -> peewee.ModelSelect:
    """The newest rows first, from before an id on; a limit of 0 means all."""
    key = rows.model._meta.primary_key
    if before is not None:
        rows = rows.where(key < before)
    rows = rows.order_by(key.desc())
    return rows.limit(limit) if limit else rows


class EventRow(Base):
    """The append-only table of all changes; ids rise in commit order, across all processes."""

    id = RowId()
    time = CharField(19)
    type = CharField(40)
    subject = CharField(200)
    source = CharField(80)
    changes = TextField()
    record = TextField()

    class Meta:
        table_name = "event"
        indexes = ((("subject", "id"), False),)

    @classmethod
    def last_id(cls) -> int:
        """The id of the newest event, 0 before the first."""
        return compiled.last_event() or 0

    @classmethod
    def after(cls, event_id: int, limit: int) -> list["EventRow"]:
        """The events that follow, oldest first."""
        return list(cls.select().where(cls.id > event_id).order_by(cls.id).limit(limit))

    @classmethod
    def of(cls, noun: str, subject: str) -> list["EventRow"]:
        """One subject's history, oldest first."""
        mine = (cls.subject == subject) & (cls.type.startswith(f"{noun}."))
        return list(cls.select().where(mine).order_by(cls.id))

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """What changed, as {column: [old, new]}."""
        return orjson.loads(self.changes)
