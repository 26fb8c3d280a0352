"""Opening and migrating the database that a URL names."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import peewee
from playhouse import db_url
from playhouse.migrations import Runner

from database.kinds import OneProcess, is_shared, is_sqlite
from database.shared import LINE, Shared, cause

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
    database = _describe(url, synchronous)
    proxy.initialize(database)
    _make_private(url)
    with _refusing(url):
        _connect(database)
        with database.starting():
            _migrate(database)
    if is_shared(database):
        database.tells_events = True
    return database


def reach_database(url: str, synchronous: str = "FULL") -> peewee.Database:
    """The database of this URL as it is: neither made nor migrated, and not bound to the models.

    Raises DatabaseRefused, also where there is none.
    """
    database = _describe(url, synchronous)
    if not is_there(url):
        raise DatabaseRefused(f"There is no database at {_shown(url)}.")
    with _refusing(url):
        _connect(database)
        _refuse_newer(Runner(database, str(MIGRATIONS)))
    return database


def is_there(url: str) -> bool:
    """Whether there is an SQLite file of this URL; a server's databases always count as there."""
    file = sqlite_file(url)
    return file is None or file.is_file()


def sqlite_file(url: str) -> Path | None:
    """The file that an SQLite URL names."""
    if not url.startswith("sqlite"):
        return None
    return Path(db_url.parse(url)["database"])


def steps(database: peewee.Database) -> tuple[list[str], list[str]]:
    """The names of the migrations that this database has seen, and of those it still lacks."""
    known = Runner(database, str(MIGRATIONS)).status()
    applied = [step.name for step in known if step.applied]
    return applied, [step.name for step in known if not step.applied]


def be_patient(database: peewee.Database) -> None:
    """Lets this connection wait for others and take its time, as no request may."""
    if is_sqlite(database):
        database.execute_sql("PRAGMA busy_timeout = 60000")
    else:
        database.execute_sql(
            "SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0"
        )


def refusal(url: str, error: Exception) -> DatabaseRefused:
    """Why the database of this URL cannot be used, in one sentence."""
    return DatabaseRefused(f"The database {_shown(url)} cannot be used: {_line(cause(error))}.")


@contextlib.contextmanager
def _refusing(url: str) -> Iterator[None]:
    try:
        yield
    except TypeError:  # an option in the URL that the driver does not know
        raise DatabaseRefused(f"The options of {_shown(url)} are not known.") from None
    except peewee.PeeweeException as error:
        raise refusal(url, error) from None


def _make_private(url: str) -> None:
    """Makes the file of a new SQLite database, for its owner's eyes alone."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        with contextlib.suppress(OSError):  # SQLite will say why
            file.touch(mode=0o600)


def _connect(database: peewee.Database) -> None:
    database.connect()
    _refuse_encoding(database)


def _describe(url: str, synchronous: str) -> peewee.Database:
    try:
        options = db_url.parse(url, unquote_user=True, unquote_password=True)
    except ValueError:  # its text may hold the password
        raise DatabaseRefused("The database setting is not a URL that can be read.") from None
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
    _refuse_newer(runner)
    runner.up()


def _refuse_newer(runner: Runner) -> None:
    unknown = [step.name for step in runner.status() if step.path is None]
    if unknown:
        raise DatabaseRefused(
            f"The database is newer than this server: it knows the step {unknown[-1]}; "
            "start the newer release."
        )


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
