"""SQLite or PostgreSQL: opening it, the one writer, the readers, and what is announced."""

from database.ear import Ear
from database.kinds import EVENT, OneProcess, Shared, inserted_id, is_shared, is_sqlite
from database.opening import (
    DatabaseRefused,
    RowId,
    announce,
    close_if_broken,
    contains,
    open_database,
    proxy,
    read_only,
    refusal,
    snapshot,
    total,
)
from database.reader import Reader
from database.writer import Overloaded, Writer

__all__ = [
    "EVENT",
    "DatabaseRefused",
    "Ear",
    "OneProcess",
    "Overloaded",
    "Reader",
    "RowId",
    "Shared",
    "Writer",
    "announce",
    "close_if_broken",
    "contains",
    "inserted_id",
    "is_shared",
    "is_sqlite",
    "open_database",
    "proxy",
    "read_only",
    "refusal",
    "snapshot",
    "total",
]
