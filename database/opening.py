"""Opens and migrates the database of a URL; one server at a time may use an SQLite file."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import peewee
from playhouse import db_url
from playhouse.migrations import Runner

from database.kinds import CONNECTION, OneProcess, Shared, cause, is_shared, is_sqlite

MIGRATIONS = Path(__file__).parent / "migrations"
HANDED_ON = "LOCK_OF_PAIRS_API"  # environment variable: the lock's descriptor across a restart

proxy = peewee.DatabaseProxy()


class DatabaseRefused(Exception):
    """The database cannot be used. The text is a sentence for the person who starts the server."""


class RowId(peewee.BigAutoField):
    """A rowid that is never used twice, not even after its row was deleted."""

    def ddl(self, ctx):
        nodes = super().ddl(ctx)
        if is_sqlite(self.model._meta.database):
            return peewee.NodeList((nodes, peewee.SQL("AUTOINCREMENT")))
        return nodes


def open_database(url: str, synchronous: str = "FULL") -> peewee.Database:
    """Opens, migrates and returns the database of this URL, which the models use from now on.

    Raises DatabaseRefused.
    """
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
    """Opens the database of this URL without changing it: it is neither made nor migrated.

    The models do not use it. Raises DatabaseRefused, also if the database does not exist.
    """
    database = _describe(url, synchronous)
    if not is_there(url):
        raise DatabaseRefused(f"There is no database at {_shown(url)}.")
    with _refusing(url):
        _connect(database)
        _refuse_newer(Runner(database, str(MIGRATIONS)))
    return database


def is_there(url: str) -> bool:
    """Whether the SQLite file of this URL exists; always true for PostgreSQL."""
    file = sqlite_file(url)
    return file is None or file.is_file()


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for PostgreSQL."""
    if not url.startswith("sqlite"):
        return None
    return Path(db_url.parse(url)["database"])


def steps(database: peewee.Database) -> tuple[list[str], list[str]]:
    """The names of the migrations: (those that this database has had, those that it lacks)."""
    known = Runner(database, str(MIGRATIONS)).status()
    applied = [step.name for step in known if step.applied]
    return applied, [step.name for step in known if not step.applied]


def be_patient(database: peewee.Database) -> None:
    """Lets this thread's connection wait up to 60 s for locks; a request waits 1 or 1.2 s."""
    if is_sqlite(database):
        database.execute_sql("PRAGMA busy_timeout = 60000")
    else:
        database.execute_sql(
            "SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0"
        )


def refusal(url: str, error: Exception) -> DatabaseRefused:
    """The DatabaseRefused that says in one sentence why this database cannot be used."""
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
    """Makes the file of a new SQLite database, which only its owner can read."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        with contextlib.suppress(OSError):  # SQLite reports the reason when it opens the file
            file.touch(mode=0o600)


def _connect(database: peewee.Database) -> None:
    database.connect()
    _refuse_encoding(database)


def _describe(url: str, synchronous: str) -> peewee.Database:
    try:
        options = db_url.parse(url, unquote_user=True, unquote_password=True)
    except ValueError:  # its text is not shown, because it may contain the password
        raise DatabaseRefused("The database setting is not a URL that can be read.") from None
    if not url.startswith("sqlite"):
        return Shared(**{**CONNECTION, **options})
    pragmas = {
        "journal_mode": "wal",
        "synchronous": synchronous,
        "foreign_keys": 1,
        "busy_timeout": 1000,  # TradingView waits 3 s for its answer
    }
    # IMMEDIATE: a DEFERRED transaction fails at once if another process writes.
    return OneProcess(**options, pragmas=pragmas, lock_type="IMMEDIATE")


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def _line(error: Exception) -> str:
    # PostgreSQL's driver adds lines with hints; the first line says what is wrong.
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
            f"The database knows the step {unknown[-1]}, which this version does not: it is of a "
            "newer release, or of a version before 3.0.0 (docs/install.md, section 5)."
        )


def read_only(database: peewee.Database) -> None:
    """Connects this thread to the database for reading only: a write fails."""
    database.connect(reuse_if_open=True)
    database.only_read()


def close_if_broken(database: peewee.Database) -> None:
    """Closes this thread's connection if it was lost, so that the next query opens a new one."""
    if database.lost():
        database.close()


def snapshot(database: peewee.Database):
    """A block in which all reads see the database at the same moment."""
    return database.atomic("DEFERRED" if is_sqlite(database) else "REPEATABLE READ")


def announce(topic: str, text: str = "") -> None:
    """Tells every process that serves this database, after the running transaction is committed.

    It is for news that are no events: a session ended, the bridge polled. A process that has lost
    its connection misses announcements; when it is back, it reads the database again. So the text
    may only be a hint. Raises ValueError if the topic and the text are too long.
    """
    proxy.announce(topic, text)


def contains(column: peewee.Field, text: str) -> Any:
    """A condition: the column contains the text; upper and lower case of A to Z are the same.

    The collation "C" makes PostgreSQL do as SQLite does, whatever the database's locale is.
    """
    if is_sqlite(proxy):
        return column.contains(text)
    return column.collate('"C"').contains(text)


def numeric(column: Any) -> Any:
    """The column to sum or multiply: on PostgreSQL a numeric, as doubles raise if too large."""
    return column if is_sqlite(proxy) else column.cast("numeric")


# --- one server for each SQLite file ----------------------------------------------------


def claim(url: str) -> int | None:
    """Locks this SQLite file against other servers until the process ends.

    Returns the file descriptor of the lock, for `hand_on`; None for PostgreSQL, which needs no
    lock. Raises DatabaseRefused if another server has locked it. Commands do not use this lock.
    """
    file = sqlite_file(url)
    if file is None:
        return None
    # A file of its own: if this process closes the database file, SQLite loses its locks on it.
    place = Path(f"{file.resolve()}-lock")
    try:
        lock = _handed_on(place) or os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(lock)
    except BlockingIOError:
        raise DatabaseRefused(
            f"The database {file} is served by another server: "
            "stop that one, or give this one a database of its own."
        ) from None
    except OSError as error:
        raise refusal(url, OSError(error.strerror)) from None
    return lock


def hand_on(lock: int | None) -> None:
    """Passes the lock to the program that replaces this process (`os.execve`) at a restart."""
    if lock is not None:
        os.set_inheritable(lock, True)
        os.environ[HANDED_ON] = str(lock)


def _handed_on(place: Path) -> int | None:
    lock = int(os.environ.pop(HANDED_ON, 0))
    if not lock:
        return None
    if place.exists() and os.path.samestat(os.fstat(lock), place.stat()):
        os.set_inheritable(lock, False)
        return lock
    os.close(lock)  # the settings were changed: they name another database now
    return None


def _lock(number: int) -> None:
    """Locks the file, or closes it and raises OSError (BlockingIOError if it is locked already)."""
    try:
        _lock_or_fail(number)
    except OSError:
        os.close(number)
        raise


def _lock_or_fail(number: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None
    else:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
