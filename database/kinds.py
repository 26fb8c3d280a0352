"""The two kinds of database: an SQLite file for one process, PostgreSQL for several."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import peewee

CHANNEL = "pairs"
EVENT = "event"  # the topic for committed events; the text is the id of the last one
LONGEST_TEXT = 4000  # bytes of topic and text; PostgreSQL takes at most 8000
WRITE_LOCK = int.from_bytes(b"pairsapi", "big")
_START_LOCK = WRITE_LOCK + 1
# READ COMMITTED: each statement sees what was committed before it began, so the statements after
# the lock see everything that other processes wrote before they released it.
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL jit = off; "
    f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"
)
_TELL_LAST_EVENT = f"SELECT pg_notify('{CHANNEL}', '{EVENT} ' || COALESCE(MAX(id), 0)) FROM event"  # noqa: S608
# A process that hangs must not stop the others from writing. TradingView waits only 3 s for its
# answer, and an alert may wait twice: for the batch before its own, too.
LIMITS = "SET lock_timeout = '1200ms'; SET idle_in_transaction_session_timeout = '5s'"
# Options of each connection, so that a dead one is noticed within seconds. The options in the URL
# replace them.
CONNECTION = {
    "application_name": "pairs-api",
    "client_encoding": "utf8",
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# The driver raises these if the database cannot be reached, and also for some other errors.
AWAY = (peewee.OperationalError, peewee.InterfaceError)


def refuse_long(topic: str, text: str) -> None:
    """Raises ValueError if the topic and the text are too long to announce."""
    if len(topic.encode()) + len(text.encode()) > LONGEST_TEXT:
        raise ValueError("too long to be announced")


def cause(error: BaseException) -> BaseException:
    """The first database error of the chain that led to this one.

    If a rollback fails too, its error ("cannot rollback") hides the first one ("disk is full").
    """
    first = earlier = error
    while isinstance(error, AWAY) and earlier:
        if isinstance(earlier, AWAY):
            first = earlier
        earlier = earlier.__context__
    return first


class Shared(peewee.PostgresqlDatabase):
    """PostgreSQL: any number of processes write to it, one transaction at a time.

    Event ids rise in the order of commits, over all processes. A transaction that writes takes an
    advisory lock first, and only then draws ids from the sequence (its CACHE is 1, so no process
    keeps ids for later). PostgreSQL releases the lock after the transaction has become visible. So
    when the second of two writers draws its ids, the rows of the first can already be read: a
    client that has read up to an id never sees a lower id appear. An id that was rolled back stays
    unused. The lock also makes "look, then insert" safe, as on SQLite, because each statement after
    it sees everything that other processes have committed. The lock costs little, because many
    writes share one transaction.
    """

    tells_events = False  # true as soon as there is a table of events

    def _initialize_connection(self, conn: Any) -> None:
        self._state.reads = self._state.writes = False
        conn.cursor().execute(LIMITS)

    def only_read(self) -> None:
        """Makes this thread's connection read-only: a write on it fails."""
        self.execute_sql("SET default_transaction_read_only = on")
        self._state.reads = True

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Runs a statement. If a read-only connection was lost, it connects and tries again."""
        try:
            return super().execute_sql(sql, params or ())
        except AWAY:
            if not self.lost() or not self._state.reads or self.in_transaction():
                raise
        self.close()
        self.connect()
        self.only_read()
        return super().execute_sql(sql, params or ())

    def begin(self, isolation_level: str | None = None) -> None:
        """Begins a transaction: one that writes, or with an isolation level one that reads."""
        if isolation_level is None:
            self.execute_sql(_BEGIN)
            self._state.writes = True
        else:  # `execute_sql` connects again if the connection was lost
            self.execute_sql(f"BEGIN ISOLATION LEVEL {isolation_level}")

    def commit(self) -> None:
        """Commits, and tells all processes the id of the newest event."""
        if self.tells_events and self._state.writes:
            self.execute_sql(f"{_TELL_LAST_EVENT}; COMMIT")
        else:
            super().commit()
        self._state.writes = False

    def rollback(self) -> None:
        """Undoes what the transaction wrote."""
        self._state.writes = False
        super().rollback()

    def draw_ids(self, keys: dict[str, str], count: int) -> list[tuple[int, ...]]:
        """The next ids of the tables in {table: key}: `count` tuples with one id for each table.

        Call it in a transaction that writes, which holds the write lock.
        """
        drawn = ", ".join(f"nextval('{table}_{key}_seq')" for table, key in keys.items())
        sql = f"SELECT {drawn} FROM generate_series(1, %s)"  # noqa: S608 our own tables
        return self.execute_sql(sql, (count,)).fetchall()

    def insert_all(self, *tables: tuple[str, list[str], list]) -> None:
        """Stores rows of several tables, each given as (table, columns, rows), in one round trip.

        The rows are sent as JSON, which PostgreSQL reads faster than a long statement.
        """
        statements, values = [], []
        for table, columns, rows in tables:
            if rows:
                names = ", ".join([f'"{column}"' for column in columns])
                statements.append(
                    f'INSERT INTO "{table}" ({names}) '  # noqa: S608 our own tables
                    f'SELECT {names} FROM json_populate_recordset(NULL::"{table}", %s)'
                )
                named = [dict(zip(columns, row, strict=True)) for row in rows]
                values.append(orjson.dumps(named).decode())
        if statements:
            self.execute_sql("; ".join(statements), values)

    def still_writes(self) -> bool:
        """Whether the running transaction can continue after one of its statements has failed."""
        return not self.lost()

    # --- processes -------------------------------------------------------------------

    def announce(self, topic: str, text: str) -> None:
        """Tells all processes, also this one, as soon as the running transaction is committed.

        Raises ValueError if the topic and the text are too long.
        """
        refuse_long(topic, text)
        self.execute_sql("SELECT pg_notify(%s, %s)", (CHANNEL, f"{topic} {text}"))

    def lost(self) -> bool:
        """Whether this thread's connection is known to be broken."""
        return not self.is_closed() and bool(self._state.conn.closed)

    def listening(self) -> Any:
        """A new connection that receives the announcements. Raises psycopg2.Error."""
        connection = self._connect()
        connection.cursor().execute(f"LISTEN {CHANNEL}")
        return connection

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """A block in which migrations run. Other processes wait for its end, without a limit."""
        self.execute_sql("SET lock_timeout = 0")
        self.execute_sql(f"SELECT pg_advisory_lock({_START_LOCK})")
        try:
            yield
        finally:
            self.execute_sql(f"SELECT pg_advisory_unlock({_START_LOCK}); {LIMITS}")


class OneProcess(peewee.SqliteDatabase):
    """An SQLite file, which one process serves; only this process hears its announcements.

    A transaction begins IMMEDIATE, so it holds the file's write lock from its first statement.
    """

    hear: Callable[[str, str], None] = staticmethod(lambda topic, text: None)

    def announce(self, topic: str, text: str) -> None:
        """Tells this process as soon as the running transaction is committed.

        Raises ValueError if the topic and the text are too long.
        """
        refuse_long(topic, text)
        self.after_commit(lambda: self.hear(topic, text))

    def only_read(self) -> None:
        """Makes this thread's connection read-only: a write on it fails."""
        self.execute_sql("PRAGMA query_only = 1")

    def draw_ids(self, keys: dict[str, str], count: int) -> list[tuple[int, ...]]:
        """The next ids of the tables in {table: key}: `count` tuples with one id for each table.

        Call it in a transaction that writes.
        """
        last = dict(self.execute_sql("SELECT name, seq FROM sqlite_sequence").fetchall())
        return [
            tuple(last.get(table, 0) + number for table in keys) for number in range(1, count + 1)
        ]

    def insert_all(self, *tables: tuple[str, list[str], list]) -> None:
        """Stores rows of several tables, each given as (table, columns, rows)."""
        for table, columns, rows in tables:
            if rows:
                names = ", ".join([f'"{column}"' for column in columns])
                row = f"({', '.join('?' * len(columns))})"
                sql = f'INSERT INTO "{table}" ({names}) VALUES {", ".join([row] * len(rows))}'  # noqa: S608
                self.execute_sql(sql, [value for each in rows for value in each])

    def still_writes(self) -> bool:
        """Whether the running transaction can continue after one of its statements has failed.

        SQLite rolls the whole transaction back by itself if, for example, the disk is full.
        """
        return self._state.conn.in_transaction

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """A block in which migrations run; no lock is needed.

        A step and its row in the history are one transaction, and the row's name is unique. If two
        processes start at once, the second finds that the step is done, undoes its own, and fails.
        """
        yield

    def lost(self) -> bool:
        """Whether this thread's connection may be broken: always, as a new one costs nothing."""
        return True


def is_sqlite(database: peewee.Database | peewee.DatabaseProxy) -> bool:
    """Whether this is SQLite. Also takes the proxy, through which the models reach the database."""
    return isinstance(getattr(database, "obj", database), peewee.SqliteDatabase)


def is_shared(database: peewee.Database | peewee.DatabaseProxy) -> bool:
    """Whether this is PostgreSQL, to which other processes may write too."""
    return isinstance(getattr(database, "obj", database), Shared)


@contextlib.contextmanager
def undoable(database: peewee.Database) -> Iterator[None]:
    """A block whose writes and announcements are undone if it raises; earlier ones stay."""
    announced = database._state.commit_callbacks
    before = len(announced)
    # Peewee's own savepoint has a new name each time, so the statement would be compiled each time.
    database.execute_sql("SAVEPOINT job")
    try:
        yield
    except Exception:
        del announced[before:]
        database.execute_sql("ROLLBACK TO SAVEPOINT job")
        raise
    database.execute_sql("RELEASE SAVEPOINT job")
