"""The two kinds of database: a file that one process serves, a server that many share."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import peewee

CHANNEL = "pairs"
EVENT = "event"  # the topic of committed events; the text is the last one's id
LONGEST_TEXT = 4000  # bytes; PostgreSQL takes 8000 with the topic
WRITE_LOCK = int.from_bytes(b"pairsapi", "big")
_START_LOCK = WRITE_LOCK + 1
_TELL_LAST_EVENT = f"SELECT pg_notify('{CHANNEL}', '{EVENT} ' || COALESCE(MAX(id), 0)) FROM event"  # noqa: S608
# A process that hangs or a machine that vanished must not keep the others from writing, and
# TradingView waits 3 s for its answer.
LIMITS = "SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '5s'"
# A line that is dead without a word is found out in seconds; the URL's own options go first.
LINE = {
    "application_name": "pairs-api",
    "client_encoding": "utf8",
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def _refuse_long(topic: str, text: str) -> None:
    if len(topic.encode()) + len(text.encode()) > LONGEST_TEXT:
        raise ValueError("too long to be announced")


class OneProcess(peewee.SqliteDatabase):
    """An SQLite file: what is announced is heard by this process alone.

    Transactions begin IMMEDIATE, so they hold the file's one write lock from their first statement.
    """

    hear: Callable[[str, str], None] = staticmethod(lambda topic, text: None)

    def announce(self, topic: str, text: str) -> None:
        """Tells this process once the running transaction is committed."""
        _refuse_long(topic, text)
        self.after_commit(lambda: self.hear(topic, text))

    def only_read(self) -> None:
        """From now on a write on this thread's connection fails."""
        self.execute_sql("PRAGMA query_only = 1")

    def run(self, *calls: tuple[str, tuple]) -> Any:
        """Runs statements (SQL, values): the last one's cursor."""
        for sql, values in calls:
            cursor = self.execute_sql(sql, values)
        return cursor

    def begin_job(self) -> None:
        """What is written from here on can be undone alone."""
        self.execute_sql("SAVEPOINT job")

    def keep_job(self) -> None:
        """Nothing of it will be undone."""
        self.execute_sql("RELEASE SAVEPOINT job")

    def undo_job(self) -> None:
        """Takes back what was written since the job began."""
        self.execute_sql("ROLLBACK TO SAVEPOINT job")

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """For as long as the migrations run.

        A step and its row in the history are one transaction, and the row's name is unique: of two
        processes that start at once the second finds the step taken, undoes its own and refuses.
        """
        yield

    def lost(self) -> bool:
        """Whether this thread's connection may be broken; a new one costs nothing."""
        return True


class Shared(peewee.PostgresqlDatabase):
    """PostgreSQL: any number of processes write to it, one transaction after the other.

    Event ids rise in commit order, for all processes together. A transaction that writes first
    takes one advisory lock, and only then draws ids from the sequence (CACHE 1: no process holds
    some back). PostgreSQL gives the lock up after the transaction has become visible. So of two
    writers the second draws its ids when the first one's are there to be read: whoever has read up
    to an id will never see a lower one appear. An id that was rolled back is a gap for ever, not an
    event that comes late. The lock also makes "look, then insert" safe, as on SQLite: no statement
    after it can miss what another process has committed. Group commit keeps it cheap.
    """

    tells_events = False  # once there is a table of events

    def _initialize_connection(self, conn: Any) -> None:
        self._state.reads, self._state.savepoint, self._state.jobs = False, "", 0
        self._state.prepared = {}
        conn.cursor().execute(LIMITS)

    def only_read(self) -> None:
        """From now on a write on this thread's connection fails."""
        self.execute_sql("SET default_transaction_read_only = on")
        self._state.reads = True

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Runs a statement; one that only reads is asked again where the old line had broken."""
        return self._insist(lambda: self._execute(sql, params))

    def run(self, *calls: tuple[str, tuple]) -> Any:
        """Runs statements (SQL, values) that the server compiles once: the last one's cursor.

        They go out together: a round trip costs as much as an insert.
        """
        return self._insist(lambda: self._run(calls))

    def _insist(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (peewee.OperationalError, peewee.InterfaceError):
            if not self.lost() or not self._state.reads or self.in_transaction():
                raise
        self.close()
        self.connect()
        self.only_read()
        return work()

    def _run(self, calls: tuple[tuple[str, tuple], ...]) -> Any:
        sql = "; ".join(self._prepared(text) for text, _ in calls)
        return self._execute(sql, [value for _, values in calls for value in values])

    def _prepared(self, sql: str) -> str:
        self.connect(reuse_if_open=True)
        known = self._state.prepared
        if sql not in known:
            name, first, *parts = f"run{len(known)}", *sql.split("%s")
            numbered = first + "".join(f"${n}{part}" for n, part in enumerate(parts, 1))
            super().execute_sql(f"PREPARE {name} AS {numbered}")
            known[sql] = f"EXECUTE {name} ({', '.join(['%s'] * len(parts))})".replace("()", "")
        return known[sql]

    def _execute(self, sql: str, params: Any) -> Any:
        if self.is_closed() or not self._state.savepoint:
            return super().execute_sql(sql, params)
        try:
            cursor = super().execute_sql(self._state.savepoint + sql, params)
        except Exception:
            # What the driver could not even send has made no savepoint.
            if not self.is_connection_usable():
                self._state.savepoint = ""
            raise
        self._state.savepoint = ""
        return cursor

    def begin(self, isolation_level: str | None = None) -> None:
        """Begins to write; with an isolation level it is a reading transaction."""
        self._state.writes = isolation_level is None
        if self._state.writes:
            self.execute_sql(f"BEGIN; SELECT pg_advisory_xact_lock({WRITE_LOCK})")
        else:
            super().begin(isolation_level)

    def begin_job(self) -> None:
        """What is written from here on can be undone alone.

        The savepoint goes out with the job's first statement. Each has a name of its own: if it
        were not there after all, nothing of the neighbours could be undone in its place.
        """
        self._state.jobs += 1
        self._state.savepoint = f"SAVEPOINT job{self._state.jobs}; "

    def keep_job(self) -> None:
        """Nothing of it will be undone alone; its end is that of the transaction."""
        self._state.savepoint = ""

    def undo_job(self) -> None:
        """Takes back what was written since the job began."""
        if not self._state.savepoint:
            self.execute_sql(f"ROLLBACK TO SAVEPOINT job{self._state.jobs}")
        self._state.savepoint = ""

    def commit(self) -> None:
        """Commits and tells all processes up to which id events are there."""
        if self.tells_events and self._state.writes:
            self.execute_sql(f"{_TELL_LAST_EVENT}; COMMIT")
        else:
            super().commit()

    def announce(self, topic: str, text: str) -> None:
        """Tells all processes, this one too, once the running transaction is committed."""
        _refuse_long(topic, text)
        self.execute_sql("SELECT pg_notify(%s, %s)", (CHANNEL, f"{topic} {text}"))

    def lost(self) -> bool:
        """Whether this thread's connection is known to be broken."""
        return not self.is_closed() and bool(self._state.conn.closed)

    def listening(self) -> Any:
        """A connection of its own that hears what is announced; raises psycopg2.Error."""
        connection = self._connect()
        connection.cursor().execute(f"LISTEN {CHANNEL}")
        return connection

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """For as long as the migrations run: one process after the other, however long it takes."""
        self.execute_sql("SET lock_timeout = 0")
        self.execute_sql(f"SELECT pg_advisory_lock({_START_LOCK})")
        try:
            yield
        finally:
            self.execute_sql(f"SELECT pg_advisory_unlock({_START_LOCK}); {LIMITS}")


def is_sqlite(database: peewee.Database | peewee.DatabaseProxy) -> bool:
    """Whether this is SQLite; the models know their database through the proxy only."""
    return isinstance(getattr(database, "obj", database), peewee.SqliteDatabase)


def is_shared(database: peewee.Database | peewee.DatabaseProxy) -> bool:
    """Whether other processes may write to it."""
    return isinstance(getattr(database, "obj", database), Shared)


def inserted_id(database: peewee.Database, cursor: Any) -> int:
    """The rowid that a compiled INSERT has just made."""
    if is_sqlite(database):
        return cursor.lastrowid
    return cursor.fetchone()[0]
