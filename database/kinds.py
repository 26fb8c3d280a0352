"""The two kinds of database: a file that one process serves, a server that many share."""

import contextlib
from collections.abc import Callable, Iterator

import peewee

from database.shared import Shared, refuse_long


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

    def draw_ids(self, keys: dict[str, str], count: int) -> list[tuple[int, ...]]:
        """The next ids of {table: key}, `count` tuples of one id each; in a writing transaction."""
        last = dict(self.execute_sql("SELECT name, seq FROM sqlite_sequence").fetchall())
        return [
            tuple(last.get(table, 0) + number for table in keys) for number in range(1, count + 1)
        ]

    def still_writes(self) -> bool:
        """Whether the running transaction can go on after a statement of it has failed.

        A full disk, for one, makes SQLite roll back everything by itself.
        """
        return self._state.conn.in_transaction

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


@contextlib.contextmanager
def undoable(database: peewee.Database) -> Iterator[None]:
    """Takes back what was written and announced in it, and nothing else, where it raises."""
    announced = database._state.commit_callbacks
    before = len(announced)
    # Peewee's own savepoint has a new name, and so is a new statement to compile, each time.
    database.execute_sql("SAVEPOINT job")
    try:
        yield
    except Exception:
        del announced[before:]
        database.execute_sql("ROLLBACK TO SAVEPOINT job")
        raise
    database.execute_sql("RELEASE SAVEPOINT job")
