"""PostgreSQL: one database for any number of processes, written to in whole batches."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import peewee

CHANNEL = "pairs"
EVENT = "event"  # the topic of committed events; the text is the last one's id
LONGEST_TEXT = 4000  # bytes; PostgreSQL takes 8000 with the topic
WRITE_LOCK = int.from_bytes(b"pairsapi", "big")
_START_LOCK = WRITE_LOCK + 1
# Each statement sees what was committed before it, so those after the lock see all that others
# wrote. And no plan that is kept walks a table, which may have been small when it was made; what
# has to be walked nevertheless looks so dear to older versions then that they would compile it.
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL enable_seqscan = off; SET LOCAL jit = off; "
    "SET LOCAL plan_cache_mode = force_generic_plan; "
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
Call = tuple[str, tuple]  # a statement and its values
# What the driver raises while the database cannot be reached, among others.
AWAY = (peewee.OperationalError, peewee.InterfaceError)


class Entangled(Exception):
    """Work of several jobs failed together: it is not known whose; do them one by one."""


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


@dataclass
class _Line:
    """What is known about one connection."""

    reads: bool = False  # and nothing else
    writes: bool = False  # the running transaction holds the write lock
    prepared: dict[str, str] = field(default_factory=dict)
    jobs: int = 0
    savepoint: str = ""  # of the running job, where it was not sent yet
    together: bool = False  # the running job may be done again, with its neighbours
    unsent: list[Call] = field(default_factory=list)
    mark: int = 0  # how many of them are of the jobs before
    found: dict[Call, Any] = field(default_factory=dict)  # by reading, under the write lock
    ahead: tuple[Call, Callable] | None = None  # what the next transaction asks as it begins

    def transaction(self, writes: bool = False) -> None:
        """A transaction begins or ends."""
        self.writes, self.together, self.mark, self.savepoint = writes, False, 0, ""
        self.unsent, self.found = [], {}

    def outgoing(self, *calls: Call) -> tuple[str, list[Any]]:
        """What goes out with these statements, in this order."""
        savepoint = [(self.savepoint, ())] if self.savepoint else []
        calls = [*self.unsent[: self.mark], *savepoint, *self.unsent[self.mark :], *calls]
        return "; ".join(sql for sql, _ in calls), [v for _, values in calls for v in values]

    def sent(self) -> None:
        """All of it has gone out."""
        self.savepoint, self.unsent, self.mark = "", [], 0


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
        self._state.line = _Line()
        conn.cursor().execute(LIMITS)

    @property
    def _line(self) -> _Line:
        self.connect(reuse_if_open=True)
        return self._state.line

    def only_read(self) -> None:
        """From now on a write on this thread's connection fails."""
        self.execute_sql("SET default_transaction_read_only = on")
        self._line.reads = True

    # --- statements ------------------------------------------------------------------

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Runs a statement; one that only reads is asked again where the old line had broken."""
        self._forget()
        return self._insist(lambda: self._execute((sql, params or ())))

    def run(self, *calls: Call) -> Any:
        """Runs statements that the server compiles once: the last one's cursor.

        They go out together: a round trip costs as much as an insert.
        """
        self._forget()
        return self._compiled(calls)

    def look_up(self, sql: str, values: tuple = ()) -> tuple | None:
        """The first row of a compiled statement that only reads.

        While this connection holds the write lock nobody else changes it, so it is asked once for
        all jobs, until a statement that may change it or the end of the transaction.
        """
        call, line = (sql, values), self._line
        if call in line.found:
            return line.found[call]
        row = self._compiled((call,)).fetchone()
        if line.writes:
            line.found[call] = row
        return row

    def ask_ahead(self, call: Call, answers: Callable[[list], dict[Call, Any]]) -> None:
        """Runs a compiled statement as the next transaction that writes begins.

        `answers` makes of its rows what `look_up` would find by many questions.
        """
        self._line.ahead = call, answers

    def expect(self, found: dict[Call, Any]) -> None:
        """What `look_up` finds from here on, for `later` writes it."""
        self._line.found |= found

    def later(self, *calls: Call) -> None:
        """Writes as `run` does, without an answer: all goes out with the next statement.

        That is the commit at the latest. Only where `together` says so.
        """
        self._line.unsent += [self._prepared(call) for call in calls]

    @property
    def together(self) -> bool:
        """Whether statements may be sent `later`, for if they fail the job is done again."""
        return self._line.together

    @together.setter
    def together(self, together: bool) -> None:
        self._line.together = together

    def _forget(self) -> None:
        if not self.is_closed():
            self._state.line.found.clear()

    def _insist(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except AWAY:
            if not self.lost() or not self._state.line.reads or self.in_transaction():
                raise
        self.close()
        self.connect()
        self.only_read()
        return work()

    def _compiled(self, calls: tuple[Call, ...]) -> Any:
        return self._insist(lambda: self._execute(*map(self._prepared, calls)))

    def _prepared(self, call: Call) -> Call:
        sql, values = call
        known = self._line.prepared
        if sql not in known:
            name, first, *parts = f"run{len(known)}", *sql.split("%s")
            numbered = first + "".join(f"${n}{part}" for n, part in enumerate(parts, 1))
            super().execute_sql(f"PREPARE {name} AS {numbered}")
            known[sql] = f"EXECUTE {name} ({', '.join(['%s'] * len(parts))})".replace("()", "")
        return known[sql], values

    def _execute(self, *calls: Call) -> Any:
        line = self._line
        try:
            cursor = super().execute_sql(*line.outgoing(*calls))
        except Exception as error:
            # What the driver could not even send has changed nothing.
            if not self.is_connection_usable():
                unsent = line.unsent
                line.sent()
                if unsent and not self.lost():
                    raise Entangled from error
            raise
        line.sent()
        return cursor

    # --- transactions and jobs -------------------------------------------------------

    def begin(self, isolation_level: str | None = None) -> None:
        """Begins to write; with an isolation level it is a reading transaction."""
        writes = isolation_level is None
        if writes:
            self._begin_to_write()
        else:
            self._insist(lambda: super(Shared, self).begin(isolation_level))
            self._line.transaction()

    def _begin_to_write(self) -> None:
        line, calls = self._line, [(_BEGIN, ())]
        question, answers = line.ahead or (None, None)
        line.ahead = None
        if question:
            calls.append(self._prepared(question))
        cursor = self._execute(*calls)
        line.transaction(writes=True)
        if question:
            line.found = answers(cursor.fetchall())

    def commit(self) -> None:
        """Commits and tells all processes up to which id events are there."""
        if self.tells_events and self._line.writes:
            self._execute(self._prepared((_TELL_LAST_EVENT, ())), ("COMMIT", ()))
        else:
            super().commit()
        self._line.transaction()

    def rollback(self) -> None:
        """Takes back what the transaction wrote."""
        if not self.is_closed():
            self._state.line.transaction()
        super().rollback()

    def begin_job(self, alone: bool) -> None:
        """What is written from here on can be undone alone.

        The savepoint goes out with the job's first statement. Each has a name of its own: if it
        were not there after all, nothing of the neighbours could be undone in its place.
        """
        line = self._line
        line.jobs += 1
        line.together, line.mark = not alone, len(line.unsent)
        line.savepoint = f"SAVEPOINT job{line.jobs}"

    def keep_job(self) -> None:
        """Nothing of it will be undone alone; its end is that of the transaction."""
        self._line.savepoint = ""

    def undo_job(self) -> None:
        """Takes back what was written since the job began; raises Entangled."""
        line = self._line
        if len(line.unsent) > line.mark:
            raise Entangled
        if not line.savepoint:
            self.execute_sql(f"ROLLBACK TO SAVEPOINT job{line.jobs}")
        line.savepoint = ""

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
