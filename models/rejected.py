"""Alerts that could not become signals, kept until somebody looks at them."""

from typing import Any

import peewee
from peewee import BooleanField, CharField, IntegerField, TextField

from database import RowId
from models.base import Missing, Told, newest
from models.receiving import Receipt, receive
from trading import instants


class RejectedAlert(Told):
    """A body that could not become a signal; `known`: it carried a valid passphrase."""

    noun = "rejected"

    id = RowId()
    timestamp = CharField(19)
    address = CharField(64)
    size = IntegerField()
    reasons = TextField()
    body = TextField(null=True)
    known = BooleanField()

    class Meta:
        indexes = ((("known", "id"), False),)

    @classmethod
    def keep(cls, fields: dict[str, Any], most: int) -> None:
        """Stores a rejected alert and drops the oldest of its sort beyond `most`.

        Strangers' make no event: a flood of them must not grow the disk.
        """
        row = cls.create(timestamp=instants.now(), **fields)
        same_sort = cls.known == fields["known"]
        last = cls.select(cls.id).where(same_sort).order_by(cls.id.desc()).limit(1).offset(most)
        cls.delete().where(same_sort, cls.id <= last).execute()
        if not fields["known"]:
            return
        created = {k: (None, v) for k, v in row.record().items() if v is not None and k != "id"}
        row._tell("created", "webhook", created)

    @classmethod
    def find(cls, rowid: int) -> "RejectedAlert":
        """The rejected alert of this id; raises Missing."""
        if row := cls.get_or_none(cls.id == rowid):
            return row
        raise Missing

    @classmethod
    def resubmit(cls, rowid: int, alert: dict[str, Any], source: str) -> Receipt:
        """Turns a rejected alert into a signal; both in one transaction."""
        cls.find(rowid).delete_instance()
        return receive([{**alert, "source": source}])[0]

    @classmethod
    def dismiss(cls, rowid: int) -> None:
        """Deletes a rejected alert that nobody needs; raises Missing."""
        cls.find(rowid).delete_instance()

    @classmethod
    def count_by_sender(cls) -> list[tuple[bool, int]]:
        """(whether they carried a valid passphrase, how many)."""
        return list(cls.select(cls.known, peewee.fn.COUNT(cls.id)).group_by(cls.known).tuples())

    @classmethod
    def page(cls, limit: int, before: int | None = None) -> peewee.ModelSelect:
        """The newest rejected alerts first; 0 means all."""
        return newest(cls.select(), limit, before)
