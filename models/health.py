"""What tells whether the database is well."""

import secrets

import peewee

import security
from database import is_sqlite
from models.base import EventRow
from models.facts import Fact
from models.users import User

ROOM = 64 * 1024  # bytes, as much as the longest alert that is kept


def try_to_write() -> None:
    """Writes in the running transaction as alerts do, and deletes what it wrote.

    The transaction must be committed: SQLite writes nothing to the disk before.
    """
    Fact.note("room", secrets.token_hex(ROOM // 2))  # PostgreSQL would compress what repeats
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
        return _broken_file(database)
    except peewee.DatabaseError as error:  # too broken to be checked
        return str(error)


def _broken_file(database: peewee.Database) -> str | None:
    found = [row[0] for row in database.execute_sql("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        return " ".join(found[0].split())
    strays = database.execute_sql("PRAGMA foreign_key_check").fetchall()
    return f"a row of {strays[0][0]} refers to nothing" if strays else None


def newest_event() -> str | None:
    """The instant of the last change."""
    return EventRow.select(EventRow.time).order_by(EventRow.id.desc()).limit(1).scalar()


def with_password(names: list[str], password: str) -> list[str]:
    """Which of these users have this password."""
    users = User.select().where(User.username.in_(names)).order_by(User.id)
    return [
        user.username for user in users if security.verify_password(password, user.password_hash)
    ]
