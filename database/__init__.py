"""SQLite or PostgreSQL: opening it, the one writer, the readers, and what is announced."""

from database.bulk import chunks, columns_of, insert_rows, last_id, set_last_id
from database.claim import claim, hand_on
from database.ear import Ear
from database.kinds import OneProcess, is_shared, is_sqlite
from database.opening import (
    DatabaseRefused,
    RowId,
    announce,
    be_patient,
    close_if_broken,
    contains,
    is_there,
    open_database,
    proxy,
    reach_database,
    read_only,
    refusal,
    snapshot,
    sqlite_file,
    steps,
    total,
)
from database.reader import Reader
from database.shared import AWAY, EVENT, Shared
from database.writer import UNANSWERED, Overloaded, Writer

__all__ = [
    "AWAY",
    "EVENT",
    "UNANSWERED",
    "DatabaseRefused",
    "Ear",
    "OneProcess",
    "Overloaded",
    "Reader",
    "RowId",
    "Shared",
    "Writer",
    "announce",
    "be_patient",
    "chunks",
    "claim",
    "close_if_broken",
    "columns_of",
    "contains",
    "hand_on",
    "insert_rows",
    "is_shared",
    "is_sqlite",
    "is_there",
    "last_id",
    "open_database",
    "proxy",
    "reach_database",
    "read_only",
    "refusal",
    "set_last_id",
    "snapshot",
    "sqlite_file",
    "steps",
    "total",
]
