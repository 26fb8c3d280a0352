"""The two kinds of database: a file that one process serves, a server that many share."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import peewee

from database.shared import Call, Entangled, Shared, refuse_long


class OneProcess(peewee.SqliteDatabase):
    """An SQLite file: what is announced is heard by this process alone.

    Transactions begin IMMEDIATE, so they hold the file's one write lock from their first statement.
    """

    hear: Callable[[str, str], None] = staticmethod(lambda topic, text: None)

    def announce(self, topic: str, text: str) -> None:
        """Tells this process once the running transaction is committed."""
        refuse_long(topic, text)
        self.after_commit(lambda: self.hear(topic, text))

    def only_read(self) -> None:
        """From now on a write on this thread's connection fails."""
        self.execute_sql("PRAGMA query_only = 1")

    def run(self, *calls: Call) -> Any:
        """Runs statements: the last one's cursor."""
        for sql, values in calls:
            cursor = self.execute_sql(sql, values)
        return cursor

    def look_up(self, sql: str, values: tuple = ()) -> tuple | None:
        """The first row of a statement that only reads."""
        return self.execute_sql(sql, values).fetchone()

    def begin_job(self, alone: bool) -> None:
        """What is written from here on can be undone; surely so only where it is `alone`.

        A savepoint for each alert costs a tenth of storing it, and few jobs fail after they wrote.
        """
        self._state.alone = alone
        if alone:
            self.execute_sql("SAVEPOINT job")
        else:
            self._state.before = self._state.conn.total_changes

    def keep_job(self) -> None:
        """Nothing of it will be undone."""
        if self._state.alone:
            self.execute_sql("RELEASE SAVEPOINT job")

    def undo_job(self) -> None:
        """Takes back what was written since the job began; raises Entangled."""
        line = self._state.conn
        if self._state.alone:
            self.execute_sql("ROLLBACK TO SAVEPOINT job")
        # A full disk, for one, makes SQLite roll back everything by itself.
        elif line.total_changes != self._state.before or not line.in_transaction:
            raise Entangled

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
