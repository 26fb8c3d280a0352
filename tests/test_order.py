"""Event ids rise in commit order for all processes: no lower id appears after a higher one."""

import contextlib
import random
import threading

import pytest

from database.kinds import WRITE_LOCK
from models import EventRow
from services import registry
from tests.conftest import ON_POSTGRESQL

pytestmark = ON_POSTGRESQL

WRITERS = 4
ROUNDS = 25
INSERT = (
    "INSERT INTO event (time, type, subject, source, changes, record) "
    "VALUES ('2026-01-01 00:00:00', 'stock.created', 'X', 'x', '{}', '{}') RETURNING id"
)


@pytest.fixture
def connect(storage, database_url):
    """Opens further connections to the database."""
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(contextlib.closing(storage.outside(database_url)))


def ids(connection):
    """The ids of the committed events, as a reader sees them."""
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM event ORDER BY id")
    return [row[0] for row in cursor.fetchall()]


def test_without_the_lock_a_lower_id_appears_after_a_higher_one(connect):
    """Shows the race: a transaction must not draw ids before it has the lock."""
    slow, fast, reader = connect(), connect(), connect()
    first, second = slow.cursor(), fast.cursor()
    first.execute("BEGIN")
    first.execute(INSERT)
    second.execute("BEGIN; " + INSERT)
    second.execute("COMMIT")
    assert ids(reader) == [2], "a listener that follows has now passed event 1"
    first.execute("COMMIT")
    assert ids(reader) == [1, 2]


class Holder(threading.Thread):
    """A writer that has stored an event and waits for permission to commit."""

    def __init__(self, store, symbol):
        super().__init__()
        self.stored, self.may_commit = threading.Event(), threading.Event()
        self._store, self._symbol = store, symbol

    def run(self):
        with self._store.atomic():
            registry.put_stock({"symbol": self._symbol}, "x")
            self.stored.set()
            assert self.may_commit.wait(10)
        self._store.close()


def waiting(connection):
    """How many transactions wait for the lock."""
    cursor = connection.cursor()
    cursor.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
        "AND (classid::bigint << 32) + objid::bigint = %s",
        (WRITE_LOCK,),
    )
    return cursor.fetchone()[0]


def test_a_second_writer_draws_its_ids_once_the_first_has_committed(store, connect):
    reader = connect()
    slow, fast = Holder(store, "SLOW"), Holder(store, "FAST")
    fast.may_commit.set()
    slow.start()
    assert slow.stored.wait(10)
    fast.start()
    while not waiting(reader):
        assert fast.is_alive()
    assert not fast.stored.is_set()
    assert ids(reader) == []
    slow.may_commit.set()
    slow.join()
    fast.join()
    assert [row.subject for row in EventRow.after(0, 10)] == ["SLOW", "FAST"]


def test_a_gap_that_was_rolled_back_never_fills(store):
    for symbol in ("ONE", "GONE", "TWO"):
        with store.atomic() as transaction:
            registry.put_stock({"symbol": symbol}, "x")
            if symbol == "GONE":
                transaction.rollback()
    assert [row.id for row in EventRow.after(0, 10)] == [1, 3]


class Follower(threading.Thread):
    """Reads the events after the last id that it has seen, as fast as it can."""

    def __init__(self, connection, seen_enough):
        super().__init__()
        self.seen = []
        self._connection, self._seen_enough = connection, seen_enough

    def run(self):
        cursor = self._connection.cursor()
        while len(self.seen) < self._seen_enough:
            last = self.seen[-1] if self.seen else 0
            cursor.execute("SELECT id FROM event WHERE id > %s ORDER BY id LIMIT 3", (last,))
            self.seen += [row[0] for row in cursor.fetchall()]


def write(store, name):
    """Transactions of one to three events, some of them rolled back."""
    chance = random.Random(name)
    for number in range(ROUNDS):
        with store.atomic() as transaction:
            for part in range(chance.randint(1, 3)):
                registry.put_stock({"symbol": f"{name}.{number}.{part}"}, "x")
            if chance.random() < 0.2:
                transaction.rollback()
    store.close()


def test_whoever_follows_while_many_write_misses_nothing(store, connect):
    writers = [threading.Thread(target=write, args=(store, f"W{n}")) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    follower = Follower(connect(), seen_enough=WRITERS * ROUNDS)
    follower.start()
    for thread in (*writers, follower):
        thread.join(60)
    stored = ids(connect())
    assert follower.seen == stored[: len(follower.seen)]
    assert len(stored) > len(follower.seen) >= WRITERS * ROUNDS
