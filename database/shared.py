"""PostgreSQL: one database for any number of processes, written to in whole batches."""

import contextlib
from collections.abc import Iterator
from typing import Any

import peewee

CHANNEL = "pairs"
EVENT = "event"  # the topic of committed events; the text is the last one's id
LONGEST_TEXT = 4000  # bytes; PostgreSQL takes 8000 with the topic
WRITE_LOCK = int.from_bytes(b"pairsapi", "big")
_START_LOCK = WRITE_LOCK + 1
# Each statement sees what was committed before it, so those after the lock see all that others
# wrote.
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL jit = off; "
    f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"
)
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
# What the driver raises while the database cannot be reached, among others.
AWAY = (peewee.OperationalError, peewee.InterfaceError)


def refuse_long(topic: str, text: str) -> None:
    """Raises ValueError for what is too long to be announced."""
    if len(topic.encode()) + len(text.encode()) > LONGEST_TEXT:
        raise ValueError("too long to be announced")


def cause(error: BaseException) -> BaseException:
    """The first of the database's errors that led to this one.

    A rollback that fails too ("cannot rollback") hides why it was needed ("disk is full").
    """
    first = earlier = error
    while isinstance(error, AWAY) and earlier:
        if isinstance(earlier, AWAY):
            first = earlier
        earlier = earlier.__context__
    return first


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
        self._state.reads = self._state.writes = False
        conn.cursor().execute(LIMITS)

    def only_read(self) -> None:
        """From now on a write on this thread's connection fails."""
        self.execute_sql("SET default_transaction_read_only = on")
        self._state.reads = True

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Runs a statement; one that only reads is asked again where the connection had broken."""
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
        """Begins to write; with an isolation level it is a reading transaction."""
        if isolation_level is None:
            self.execute_sql(_BEGIN)
            self._state.writes = True
        else:  # by our own `execute_sql`, which knows what to do on a broken connection
            self.execute_sql(f"BEGIN ISOLATION LEVEL {isolation_level}")

    def commit(self) -> None:
        """Commits and tells all processes up to which id events are there."""
        if self.tells_events and self._state.writes:
            self.execute_sql(f"{_TELL_LAST_EVENT}; COMMIT")
        else:
            super().commit()
        self._state.writes = False

    def rollback(self) -> None:
        """Takes back what the transaction wrote."""
        self._state.writes = False
        super().rollback()

    def draw_ids(self, keys: dict[str, str], count: int) -> list[tuple[int, ...]]:
        """The next ids of {table: key}, `count` tuples of one id each; under the write lock."""
        drawn = ", ".join(f"nextval('{table}_{key}_seq')" for table, key in keys.items())
        sql = f"SELECT {drawn} FROM generate_series(1, %s)"  # noqa: S608 our own tables
        return self.execute_sql(sql, (count,)).fetchall()

    def still_writes(self) -> bool:
        """Whether the running transaction can go on after a statement of it has failed."""
        return not self.lost()

    # --- processes -------------------------------------------------------------------

    def announce(self, topic: str, text: str) -> None:
        """Tells all processes, this one too, once the running transaction is committed."""
        refuse_long(topic, text)
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
