"""Opening and migrating the database that a URL names."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import peewee
from playhouse import db_url
from playhouse.migrations import Runner

from database.kinds import LINE, OneProcess, Shared, is_shared, is_sqlite

MIGRATIONS = Path(__file__).parent.parent / "migrations"

proxy = peewee.DatabaseProxy()


class DatabaseRefused(Exception):
    """The database cannot be used; the text is one sentence for whoever starts the server."""


class RowId(peewee.BigAutoField):
    """A rowid that is never given out twice, not even after a delete."""

    def ddl(self, ctx):
        nodes = super().ddl(ctx)
        if is_sqlite(self.model._meta.database):
            return peewee.NodeList((nodes, peewee.SQL("AUTOINCREMENT")))
        return nodes


def open_database(url: str, synchronous: str = "FULL") -> peewee.Database:
    """The database of this URL, migrated and bound to the models; raises DatabaseRefused."""
    try:
        database = _describe(url, synchronous)
    except ValueError:  # its text may hold the password
        raise DatabaseRefused("The database setting is not a URL that can be read.") from None
    proxy.initialize(database)
    try:
        database.connect()
        _refuse_encoding(database)
        with database.starting():
            _migrate(database)
    except TypeError:  # an option in the URL that the driver does not know
        raise DatabaseRefused(f"The options of {_shown(url)} are not known.") from None
    except peewee.PeeweeException as error:
        raise refusal(url, error) from None
    if is_shared(database):
        database.tells_events = True
    return database


def refusal(url: str, error: peewee.PeeweeException) -> DatabaseRefused:
    """Why the database of this URL cannot be used, in one sentence."""
    return DatabaseRefused(f"The database {_shown(url)} cannot be used: {_line(error)}.")


def _describe(url: str, synchronous: str) -> peewee.Database:
    options = db_url.parse(url, unquote_user=True, unquote_password=True)
    if not url.startswith("sqlite"):
        return Shared(**{**LINE, **options})
    pragmas = {
        "journal_mode": "wal",
        "synchronous": synchronous,
        "foreign_keys": 1,
        "busy_timeout": 1000,  # TradingView waits 3 s for its answer
    }
    # IMMEDIATE: a deferred transaction fails at once when another process writes.
    return OneProcess(**options, pragmas=pragmas, lock_type="IMMEDIATE")


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def _line(error: Exception) -> str:
    # PostgreSQL's driver goes on for lines with what may be the cause.
    first = str(error).strip().split("\n", 1)[0]
    return " ".join(first.split()).rstrip(".")


def _refuse_encoding(database: peewee.Database) -> None:
    if is_sqlite(database):
        return
    encoding = database.execute_sql("SHOW server_encoding").fetchone()[0]
    if encoding != "UTF8":
        raise DatabaseRefused(f"The database must have the encoding UTF8, not {encoding}.")


def _migrate(database: peewee.Database) -> None:
    runner = Runner(database, str(MIGRATIONS))
    unknown = [step.name for step in runner.status() if step.path is None]
    if unknown:
        raise DatabaseRefused(
            f"The database is newer than this server: it knows the step {unknown[-1]}; "
            "start the newer release."
        )
    runner.up()


def read_only(database: peewee.Database) -> None:
    """Connects this thread for reading; a write on this connection fails."""
    database.connect(reuse_if_open=True)
    database.only_read()


def close_if_broken(database: peewee.Database) -> None:
    """Lets this thread's next query begin on a new connection, where the present one is lost."""
    if database.lost():
        database.close()


def snapshot(database: peewee.Database):
    """A context in which all reads see the same moment."""
    return database.atomic("DEFERRED" if is_sqlite(database) else "REPEATABLE READ")


def announce(topic: str, text: str = "") -> None:
    """Tells every process that serves this database, once the running transaction is committed.

    For what is no event: sessions that ended, a bridge that was seen. A process that was cut off
    hears none of it and is told to look for itself, so the text may only be a hint.
    """
    proxy.announce(topic, text)


def contains(column: peewee.Field, text: str) -> Any:
    """Whether the column holds the text, letters A to Z in any case.

    PostgreSQL would fold all alphabets or none, as the database's locale has it.
    """
    if is_sqlite(proxy):
        return column.contains(text)
    return column.collate('"C"').contains(text)


def total(column: peewee.Field) -> Any:
    """The column's sum; PostgreSQL refuses one of doubles that no double can hold."""
    return peewee.fn.SUM(column if is_sqlite(proxy) else column.cast("numeric"))
