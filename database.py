"""Opening SQLite or PostgreSQL, the migrations, and the one writer."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import peewee
from playhouse import db_url
from playhouse.migrations import Runner

MIGRATIONS = Path(__file__).with_name("migrations")
BATCH = 500

proxy = peewee.DatabaseProxy()


class DatabaseRefused(Exception):
    """The database cannot be used; the text is one sentence for whoever starts the server."""


class Overloaded(Exception):
    """More writes wait than the queue holds; nothing was taken in."""


def is_sqlite(database: peewee.Database | peewee.DatabaseProxy) -> bool:
    """Whether this is SQLite; the models know their database through the proxy only."""
    return isinstance(getattr(database, "obj", database), peewee.SqliteDatabase)


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
        _migrate(database)
    except TypeError:  # an option in the URL that the driver does not know
        raise DatabaseRefused(f"The options of {_shown(url)} are not known.") from None
    except peewee.PeeweeException as error:
        raise DatabaseRefused(
            f"The database {_shown(url)} cannot be used: {_line(error)}."
        ) from None
    return database


def _describe(url: str, synchronous: str) -> peewee.Database:
    if not url.startswith("sqlite"):
        return db_url.connect(url, unquote_user=True, unquote_password=True)
    pragmas = {
        "journal_mode": "wal",
        "synchronous": synchronous,
        "foreign_keys": 1,
        "busy_timeout": 1000,  # TradingView waits 3 s for its answer
    }
    # IMMEDIATE: a deferred transaction fails at once when another process writes.
    return db_url.connect(url, pragmas=pragmas, lock_type="IMMEDIATE")


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


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
    if is_sqlite(database):
        database.execute_sql("PRAGMA query_only = 1")
    else:
        database.execute_sql("SET default_transaction_read_only = on")


def snapshot(database: peewee.Database):
    """A context in which all reads see the same moment."""
    return database.atomic("DEFERRED" if is_sqlite(database) else "REPEATABLE READ")


def inserted_id(database: peewee.Database, cursor: Any) -> int:
    """The rowid that a compiled INSERT has just made."""
    if is_sqlite(database):
        return cursor.lastrowid
    return cursor.fetchone()[0]


class Reader:
    """One thread with a reading connection, for lists too long for the event loop."""

    def __init__(self, database: peewee.Database, limit: int = 500):
        self._database = database
        self._limit = limit
        self._waiting = 0
        self._pool = ThreadPoolExecutor(1, "reader")

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """What the function returns, computed on the reading thread; raises Overloaded."""
        if self._waiting >= self._limit:
            raise Overloaded
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._read, work, args)
        finally:
            self._waiting -= 1

    def _read(self, work: Callable[..., Any], args: tuple) -> Any:
        if self._database.is_closed():
            read_only(self._database)
        try:
            return work(*args)
        except (peewee.OperationalError, peewee.InterfaceError):
            self._database.close()  # the next call starts on a new connection
            raise

    def close(self) -> None:
        """Finishes what runs and closes the connection."""
        self._pool.submit(self._database.close)
        self._pool.shutdown()


class _Job(NamedTuple):
    work: Callable[[], Any]
    future: asyncio.Future


class Writer:
    """One thread that owns the writing connection and commits whatever waits together.

    A function handed to it runs inside a transaction with its neighbours; its caller is answered
    after the commit. A function that raises is undone alone (a savepoint) and fails alone; a commit
    that fails raises in all of them.
    """

    def __init__(self, database: peewee.Database, limit: int = 2000):
        self.commits = 0
        self._database = database
        self._limit = limit
        self._waiting = 0
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="writer")

    def start(self) -> None:
        """Starts the thread; call it on the event loop that will await the results."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def submit(self, work: Callable[[], Any]) -> asyncio.Future:
        """A future of what the function returns, done once it is on disk; raises Overloaded."""
        if self._waiting >= self._limit:
            raise Overloaded
        self._waiting += 1
        future = self._loop.create_future()
        self._queue.put(_Job(work, future))
        return future

    async def close(self) -> None:
        """Writes all that waits, then ends the thread."""
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._take()
            if batch:
                outcomes = self._commit(batch)
                self._loop.call_soon_threadsafe(self._deliver, batch, outcomes)
        self._database.close()

    def _take(self) -> tuple[list[_Job], bool]:
        batch, job = [], self._queue.get()
        while job is not None:
            batch.append(job)
            if len(batch) == BATCH or self._queue.empty():
                return batch, False
            job = self._queue.get()
        return batch, True

    def _commit(self, batch: list[_Job]) -> list[tuple[Any, Exception | None]]:
        # Whatever a job or the commit raises goes to the callers: nothing is swallowed here.
        try:
            self._database.connect(reuse_if_open=True)
            with self._database.atomic():
                if len(batch) == 1:
                    outcomes = [(batch[0].work(), None)]
                else:
                    outcomes = [self._attempt(job.work) for job in batch]
            self.commits += 1
            return outcomes
        except Exception as error:  # noqa: BLE001
            if isinstance(error, peewee.PeeweeException):
                with contextlib.suppress(peewee.PeeweeException):
                    self._database.close()  # the next batch starts on a new connection
            # A rollback that fails too hides why it was needed.
            cause = error.__context__
            error = cause if isinstance(cause, peewee.PeeweeException) else error
            return [(None, error)] * len(batch)

    def _attempt(self, work: Callable[[], Any]) -> tuple[Any, Exception | None]:
        execute = self._database.execute_sql
        execute("SAVEPOINT job")
        try:
            result = work()
        except Exception as error:  # noqa: BLE001
            execute("ROLLBACK TO SAVEPOINT job")
            return None, error
        execute("RELEASE SAVEPOINT job")
        return result, None

    def _deliver(self, batch: list[_Job], outcomes: list[tuple[Any, Exception | None]]) -> None:
        self._waiting -= len(batch)
        for job, (result, error) in zip(batch, outcomes, strict=True):
            if job.future.done():
                continue
            if error is not None:
                job.future.set_exception(error)
            else:
                job.future.set_result(result)
