"""The account as the bridge reports it, and when the bridge was last here."""

from typing import Any

import peewee
from peewee import CharField, DoubleField

from database import RowId, announce
from models.base import Base, Missing, Told, newest
from trading import instants

BRIDGE = "bridge"  # announced: the bridge was seen, and when


class AccountRecord(Told):
    """What the bridge reports of the account: money in the account's currency."""

    noun = "account"

    rowid = RowId()
    timestamp = CharField(19)
    AvailableFunds = DoubleField(null=True)
    BuyingPower = DoubleField(null=True)
    GrossPositionValue = DoubleField(null=True)
    MaintMarginReq = DoubleField(null=True)
    NetLiquidation = DoubleField(null=True)
    DailyPnL = DoubleField(null=True)
    RealizedPnL = DoubleField(null=True)
    UnrealizedPnL = DoubleField(null=True)

    @classmethod
    def find(cls, rowid: int) -> "AccountRecord":
        """The record of this rowid; raises Missing."""
        if record := cls.get_or_none(cls.rowid == rowid):
            return record
        raise Missing

    @classmethod
    def keep(cls, fields: dict[str, Any], source: str) -> None:
        """Stores a new record of the present instant."""
        cls.add(source, timestamp=instants.now(), **fields)

    @classmethod
    def replace_one(cls, rowid: int, fields: dict[str, Any], source: str) -> "AccountRecord":
        """Sets the fields of a record, its time among them; raises Missing."""
        record = cls.find(rowid)
        record.change(source, fields)
        return record

    @classmethod
    def drop(cls, rowid: int, source: str) -> None:
        """Deletes a record."""
        cls.find(rowid).remove(source)

    @classmethod
    def page(cls, limit: int, before: int | None = None) -> peewee.ModelSelect:
        """The newest records first; 0 means all."""
        return newest(cls.select(), limit, before)


class Bridge(Base):
    """The bridge's last poll, written now and then."""

    name = CharField(40, primary_key=True)
    last_seen = CharField(19)

    @classmethod
    def seen(cls) -> str | None:
        """The instant of the last poll that was written down."""
        return cls.select(cls.last_seen).scalar()

    @classmethod
    def saw(cls, moment: str, stores: bool) -> None:
        """Tells all processes of a poll, and writes it down if asked to."""
        announce(BRIDGE, moment)
        if stores:
            cls.insert(name="bridge", last_seen=moment).on_conflict(
                conflict_target=[cls.name], preserve=[cls.last_seen]
            ).execute()
