"""Checks of the database: can it write, and is the stored data whole?"""

import secrets

import peewee

from database.kinds import is_sqlite
from models import Fact
from services import events

ROOM = 64 * 1024  # bytes, as much as the longest alert that is kept


def try_to_write() -> None:
    """Writes in the running transaction as alerts do, and deletes what it wrote.

    The transaction must be committed: SQLite writes nothing to the disk before.
    """
    events.note("room", secrets.token_hex(ROOM // 2))  # PostgreSQL would compress what repeats
    Fact.delete().where(Fact.name == "room").execute()


def broken(database: peewee.Database) -> str | None:
    """What is wrong with the stored data, None where nothing is found.

    SQLite checks every page; of PostgreSQL, which checks its own, all rows are read once.
    """
    if not is_sqlite(database):
        for table in database.get_tables():
            database.execute_sql(f'SELECT COUNT(t) FROM "{table}" t')  # noqa: S608 its own names
        return None
    try:
        found = database.execute_sql("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            return " ".join(found.split())
        stray = database.execute_sql("PRAGMA foreign_key_check").fetchone()
    except peewee.DatabaseError as error:  # too broken to be checked
        return str(error)
    return f"a row of {stray[0]} refers to nothing" if stray else None
