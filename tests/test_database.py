"""The one writer, the readers and the migrations."""

import asyncio
import contextlib
import sqlite3
import sys
import threading

import peewee
import pytest
from playhouse import db_url
from playhouse.schema_diff import diff_models

import server
from database import opening
from database.kinds import is_sqlite
from database.opening import DatabaseRefused, proxy, read_only
from database.reader import Reader
from database.writer import Overloaded, Writer
from models import (
    TABLES,
    Pair,
    Secret,
    Session,
)
from services import events, registry, signals
from tests.conftest import ON_POSTGRESQL, ON_SQLITE

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


def add(name):
    """A job that stores a secret with this name."""
    return lambda: Secret.create(name=name, value="x").name


class Gate:
    """A job that keeps the writer busy, so that all jobs submitted during it become one batch."""

    def __init__(self, writer):
        self._entered, self._open = threading.Event(), threading.Event()
        self.done = writer.submit(self._wait)
        assert self._entered.wait(10)

    def _wait(self):
        self._entered.set()
        assert self._open.wait(10)

    def open(self):
        self._open.set()


@contextlib.contextmanager
def waiting_behind(writer):
    """A block during which the writer is busy; all jobs submitted in it become one batch."""
    gate = Gate(writer)
    try:
        yield gate
    finally:
        gate.open()


@pytest.fixture
def outside(storage, database_url):
    """Another connection to the same database: it sees only what is committed."""
    with contextlib.closing(storage.outside(database_url)) as connection:

        def column(sql):
            cursor = connection.cursor()
            cursor.execute(sql)
            return [row[0] for row in cursor.fetchall()]

        yield column


@pytest.fixture
def stored(outside):
    """The names of the committed secrets, as another connection sees them."""
    return lambda: set(outside("SELECT name FROM secret"))


@pytest.fixture
def make_writer(io_loop, store):
    """Makes writers that the test starts, and closes them afterwards."""
    writers = []

    def make(limit=2000):
        writers.append(Writer(store, signals.receive, limit))
        return writers[-1]

    yield make
    for writer in writers:
        if writer._thread.is_alive():
            io_loop.run_sync(writer.close)


@pytest.fixture
def writer(io_loop, make_writer):
    """A running writer."""
    made = make_writer()

    async def start():
        made.start()

    io_loop.run_sync(start)
    return made


# --- the writer -------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_lone_job_is_answered_with_what_it_returns_and_is_on_disk(writer, stored):
    assert await writer.submit(add("one")) == "one"
    assert stored() == {"one"}


@pytest.mark.gen_test
async def test_a_failing_job_leaves_its_neighbours_in_the_batch_intact(writer, stored):
    def fail():
        raise ValueError("mine alone")

    with waiting_behind(writer):
        first, failing, last = map(writer.submit, (add("first"), fail, add("last")))
    with pytest.raises(ValueError, match="mine alone"):
        await failing
    assert (await first, await last) == ("first", "last")
    assert stored() == {"first", "last"}
    assert writer.commits == 2


@pytest.mark.gen_test
async def test_a_job_that_fails_after_it_has_written_is_undone_alone(writer, stored):
    def write_then_fail():
        add("half")()
        raise KeyError

    def write_twice():
        add("again")()
        add("first")()  # a unique key that another job of the batch has just used

    with waiting_behind(writer):
        jobs = (add("first"), write_then_fail, add("middle"), write_twice, add("last"))
        futures = [writer.submit(job) for job in jobs]
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert outcomes[0::2] == ["first", "middle", "last"]
    assert [type(each) for each in outcomes[1::2]] == [KeyError, peewee.IntegrityError]
    assert stored() == {"first", "middle", "last"}


@pytest.mark.gen_test
async def test_a_job_that_the_driver_cannot_even_send_is_undone_alone(writer, stored):
    def write_then_fail():
        add("half")()
        add("\ud800")()

    with waiting_behind(writer):
        jobs = (add("before"), add("\ud800"), add("between"), write_then_fail, add("after"))
        futures = [writer.submit(job) for job in jobs]
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert outcomes[0::2] == ["before", "between", "after"]
    assert [type(each) for each in outcomes[1::2]] == [UnicodeEncodeError] * 2
    assert stored() == {"before", "between", "after"}


@pytest.mark.gen_test
async def test_a_lone_job_that_fails_after_it_has_written_is_undone(writer, stored):
    def write_then_fail():
        add("half")()
        raise KeyError

    with pytest.raises(KeyError):
        await writer.submit(write_then_fail)
    assert stored() == set()
    assert await writer.submit(add("next")) == "next"


@pytest.mark.gen_test
async def test_callers_are_answered_only_after_the_commit(writer, stored):
    seen = {}

    def note(name, future):
        seen[name] = name in stored()

    def look_before_the_commit():
        return stored()

    with waiting_behind(writer):
        futures = {name: writer.submit(add(name)) for name in ("a", "b", "c")}
        before = writer.submit(look_before_the_commit)
        for name, future in futures.items():
            future.add_done_callback(lambda done, name=name: note(name, done))
    assert await before == set(), "what was written was seen before its commit"
    await asyncio.gather(*futures.values())
    await asyncio.sleep(0)
    assert seen == {"a": True, "b": True, "c": True}


@pytest.mark.gen_test
async def test_many_concurrent_jobs_share_few_commits(writer, stored):
    names = [f"job{number}" for number in range(1000)]
    await asyncio.gather(*(writer.submit(add(name)) for name in names))
    assert stored() == set(names)
    assert writer.commits <= 1000 / 8


@pytest.mark.gen_test
async def test_whatever_waits_is_one_commit(writer):
    with waiting_behind(writer):
        futures = [writer.submit(add(f"job{number}")) for number in range(100)]
    await asyncio.gather(*futures)
    assert writer.commits == 2


@pytest.mark.gen_test
async def test_jobs_run_in_the_order_they_were_handed_in(writer):
    order = []
    with waiting_behind(writer):
        futures = [writer.submit(lambda n=number: order.append(n)) for number in range(1200)]
    await asyncio.gather(*futures)
    assert order == list(range(1200))


class Alert(dict):
    """An alert as the webhook hands it to the writer."""


def alert(number, **columns):
    """An alert whose comment is its number."""
    sent = {
        "ticker": "A-0.72*B",
        "order_action": "buy",
        "order_contracts": 1.0,
        "order_comment": str(number),
    }
    return Alert(sent | columns, source="webhook")


def submit(writer, job):
    """Hands in an alert or other work."""
    return writer.submit(job) if isinstance(job, Alert) else writer.submit(job)


@pytest.fixture
def told(outside):
    """The committed signals, events and alert ids, as another connection sees them."""

    def look():
        return (
            list(zip(outside("SELECT rowid FROM signal ORDER BY rowid"), comments(), strict=True)),
            outside("SELECT subject FROM event WHERE type = 'signal.created' ORDER BY id"),
            dict(
                zip(
                    outside("SELECT alert_id FROM alert_id ORDER BY id"),
                    outside("SELECT signal FROM alert_id ORDER BY id"),
                    strict=True,
                )
            ),
        )

    def comments():
        return outside("SELECT order_comment FROM signal ORDER BY rowid")

    return look


@pytest.mark.gen_test
async def test_alerts_of_one_batch_are_numbered_in_their_order_and_repeats_are_known(writer, told):
    jobs = [alert(n, alert_id=f"id{n % 5}" if n % 2 else None) for n in range(20)]
    with waiting_behind(writer):
        futures = [submit(writer, job) for job in jobs]
    receipts = await asyncio.gather(*futures)
    signals, subjects, alert_ids = told()
    new = [receipt for receipt in receipts if receipt.verdict != "duplicate"]
    assert [receipt.rowid for receipt in new] == list(range(1, len(new) + 1))
    assert subjects == [str(receipt.rowid) for receipt in new]
    assert sorted(alert_ids) == [f"id{n}" for n in range(5)]
    for number, receipt in enumerate(receipts):
        stored = dict(signals)[receipt.rowid]
        assert stored == str(number) or receipt.verdict == "duplicate"
        assert number % 2 == 0 or alert_ids[f"id{number % 5}"] == receipt.rowid


@pytest.mark.gen_test
async def test_a_batch_asks_and_writes_as_often_as_a_single_alert(writer, caplog):
    def jobs(count):
        return [alert(n, alert_id=f"id{count}-{n}", ticker="A-2*B") for n in range(count)]

    caplog.set_level("DEBUG", "peewee")
    sent = []
    for count in (1, 40):
        gate = Gate(writer)
        futures = [writer.submit(job) for job in jobs(count)]
        caplog.clear()
        gate.open()
        await asyncio.gather(*futures)
        sent.append(len(caplog.records))
    assert sent[1] == sent[0]


@pytest.mark.gen_test
async def test_other_work_between_alerts_keeps_the_events_in_their_order(writer, told, outside):
    def registers():
        registry.register_stock({"symbol": "A", "active": 1}, "me")

    jobs = [alert(0), alert(1), registers, alert(2), lambda: signals.delete(1, "me"), alert(3)]
    with waiting_behind(writer):
        futures = [submit(writer, job) for job in jobs]
    await asyncio.gather(*futures)
    assert outside("SELECT subject FROM event ORDER BY id") == ["1", "2", "A", "3", "1", "4"]
    assert outside("SELECT id FROM event ORDER BY id") == list(range(1, 7))
    assert told()[0] == [(2, "1"), (3, "2"), (4, "3")]


@pytest.mark.gen_test
async def test_a_pair_that_a_neighbour_changes_is_judged_as_it_is_by_then(writer):
    def pair(active):
        terms = {"ticker1": "A", "ticker2": "B", "hedge": 0.72, "status": active}
        return lambda: (
            registry.register_pair(terms, "me")
            if active
            else events.change(Pair.find("A-B"), "me", terms)
        )

    with waiting_behind(writer):
        futures = [submit(writer, job) for job in (alert(0), pair(1), alert(1), pair(0), alert(2))]
    results = await asyncio.gather(*futures)
    assert [results[n].verdict for n in (0, 2, 4)] == ["refused", "recorded", "refused"]


@pytest.mark.gen_test
@pytest.mark.parametrize("place", [0, 2, 4])
async def test_an_alert_that_the_database_refuses_fails_alone(writer, told, place):
    jobs = [alert(number, alert_id=f"id{number}") for number in range(4)]
    jobs.insert(place, alert("none", order_action=None))
    with waiting_behind(writer):
        futures = [submit(writer, job) for job in jobs]
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(outcomes.pop(place), peewee.IntegrityError)
    signals, subjects, alert_ids = told()
    stored = [(receipt.rowid, str(number)) for number, receipt in enumerate(outcomes)]
    assert signals == stored
    assert subjects == [str(rowid) for rowid, _ in stored]
    assert alert_ids == {f"id{number}": rowid for rowid, number in stored}


@ON_POSTGRESQL
@pytest.mark.gen_test
async def test_an_id_that_somebody_else_has_taken_is_not_given_out(writer, storage, database_url):
    """An insert by hand, without the lock, makes a batch try again, but loses no alert."""
    with contextlib.closing(storage.outside(database_url)) as other:
        other.cursor().execute(
            "INSERT INTO signal (rowid, timestamp, ticker, order_action, order_contracts, "
            "order_status, mar_pos_size, pre_mar_pos_size) "
            "VALUES (2, '2026-01-01 00:00:00', 'A', 'buy', 1, 'x', 0, 0)"
        )
        with waiting_behind(writer):
            futures = [writer.submit(alert(number)) for number in range(6)]
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        kept = [each for each in outcomes if not isinstance(each, Exception)]
        cursor = other.cursor()
        cursor.execute(
            "SELECT rowid, order_comment FROM signal WHERE order_comment IS NOT NULL ORDER BY rowid"
        )
        stored = dict(cursor.fetchall())
    assert len(kept) >= 5
    assert {each.rowid: str(outcomes.index(each)) for each in kept} == stored


def violate_at_commit():
    """Breaks a foreign key in a way that only the commit notices."""
    if is_sqlite(proxy):
        proxy.execute_sql("PRAGMA defer_foreign_keys = 1")
    else:
        late = "ALTER CONSTRAINT session_user_id_fkey DEFERRABLE INITIALLY DEFERRED"
        proxy.execute_sql(f"ALTER TABLE session {late}")
    days = {"started": 0, "cookie_expires": 0, "expires": 0, "minutes": 1}
    Session.insert(id="s", user=99, cookie_digest="c", refresh_id="r", **days).execute()


@pytest.mark.gen_test
async def test_a_commit_that_fails_raises_in_all_its_callers(writer, stored):
    with waiting_behind(writer):
        jobs = (add("before"), violate_at_commit, add("after"))
        futures = [writer.submit(job) for job in jobs]
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(each) for each in outcomes] == [peewee.IntegrityError] * 3
    assert stored() == set()
    assert await writer.submit(add("next")) == "next"
    assert stored() == {"next"}


@pytest.mark.gen_test
async def test_a_full_queue_refuses_and_takes_more_once_it_has_emptied(make_writer, stored):
    writer = make_writer(limit=3)
    writer.start()
    with waiting_behind(writer) as gate:
        futures = [gate.done, writer.submit(add("a")), writer.submit(add("b"))]
        with pytest.raises(Overloaded):
            writer.submit(add("refused"))
    await asyncio.gather(*futures)
    await asyncio.gather(*(writer.submit(add(name)) for name in "cde"))
    assert stored() == set("abcde")


@pytest.mark.gen_test
async def test_failed_jobs_give_their_place_in_the_queue_back(make_writer):
    writer = make_writer(limit=2)
    writer.start()
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            await writer.submit(lambda: 1 / 0)
        with pytest.raises(peewee.IntegrityError):
            await writer.submit(violate_at_commit)
    assert await writer.submit(add("last")) == "last"


@pytest.mark.gen_test
async def test_closing_writes_everything_that_waits(writer, stored):
    with waiting_behind(writer):
        futures = [writer.submit(add(f"job{number}")) for number in range(700)]
        closing = asyncio.ensure_future(writer.close())
    await closing
    assert all(future.done() for future in futures)
    assert len(stored()) == 700


@pytest.mark.gen_test
async def test_a_caller_that_gave_up_disturbs_nobody(writer, stored):
    with waiting_behind(writer):
        gone, staying = writer.submit(add("gone")), writer.submit(add("staying"))
        gone.cancel()
    assert await staying == "staying"
    assert stored() == {"gone", "staying"}


def break_connection():
    """Closes the writer's connection while it uses it."""
    proxy.connection().close()
    Secret.create(name="lost", value="x")


@pytest.mark.gen_test
async def test_the_writer_recovers_after_its_connection_broke(writer, stored):
    with pytest.raises(peewee.PeeweeException):
        await writer.submit(break_connection)
    assert await writer.submit(add("next")) == "next"
    assert stored() == {"next"}


@pytest.mark.gen_test
async def test_a_connection_that_breaks_fails_its_whole_batch_and_no_more(writer, stored):
    with waiting_behind(writer):
        jobs = (add("before"), break_connection, add("after"))
        futures = [writer.submit(job) for job in jobs]
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert all(isinstance(each, peewee.PeeweeException) for each in outcomes)
    assert await writer.submit(add("next")) == "next"
    assert stored() == {"next"}


def fill_disk():
    """Writes more than the file may hold."""
    Secret.create(name="huge", value="x" * 10_000_000)


@ON_SQLITE
@pytest.mark.gen_test
async def test_a_full_disk_fails_the_writes_that_need_room_and_heals(writer, stored):
    pages = await writer.submit(lambda: proxy.execute_sql("PRAGMA page_count").fetchone()[0])
    limit = f"PRAGMA max_page_count = {pages + 20}"
    await writer.submit(lambda: proxy.execute_sql(limit).fetchone())
    with waiting_behind(writer):
        futures = [writer.submit(job) for job in (add("before"), fill_disk, add("after"))]
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(outcomes[1], peewee.OperationalError)
    kept = {each for each in outcomes if isinstance(each, str)}
    assert stored() == kept, "what was answered and what is stored differ"
    await writer.submit(lambda: proxy.execute_sql("PRAGMA max_page_count = 1000000").fetchone())
    assert await writer.submit(add("next")) == "next"


@ON_SQLITE
@pytest.mark.parametrize("overrides", [{"synchronous": "FULL"}], indirect=True)
@pytest.mark.gen_test
async def test_a_commit_is_synced_to_disk_in_write_ahead_mode(writer):
    def pragma(name):
        return lambda: proxy.execute_sql(f"PRAGMA {name}").fetchone()[0]

    assert await writer.submit(pragma("journal_mode")) == "wal"
    assert await writer.submit(pragma("synchronous")) == 2
    assert await writer.submit(pragma("foreign_keys")) == 1


# --- readers ----------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_readers_connection_refuses_writes(writer, store):
    reader = Reader(store)
    try:
        with pytest.raises(peewee.PeeweeException, match="readonly|read-only"):
            await reader.run(add("never"))
        await writer.submit(add("one"))
        assert await reader.run(lambda: [row.name for row in Secret.select()]) == ["one"]
    finally:
        reader.close()


def test_the_event_loops_connection_refuses_writes(store):
    read_only(store)
    with pytest.raises(peewee.PeeweeException, match="readonly|read-only"):
        add("never")()


@pytest.mark.gen_test
async def test_a_read_never_waits_for_a_writer(writer, store):
    written = threading.Event()

    def write_and_wait():
        add("open")()
        written.set()
        assert gate.wait(10)

    gate = threading.Event()
    reader = Reader(store)
    pending = writer.submit(write_and_wait)
    try:
        await asyncio.get_running_loop().run_in_executor(None, written.wait, 10)
        assert await reader.run(Secret.select().count) == 0
        assert not pending.done()
    finally:
        gate.set()
        await pending
        reader.close()


@pytest.mark.gen_test
async def test_threads_take_turns_more_often_as_long_as_any_reader_reads(store):
    usual, began = sys.getswitchinterval(), threading.Barrier(3, timeout=10)
    ends, readers = [threading.Event(), threading.Event()], [Reader(store), Reader(store)]

    def read(end):
        began.wait()
        assert end.wait(10)

    try:
        running = [reader.run(read, end) for reader, end in zip(readers, ends, strict=True)]
        running = [asyncio.ensure_future(each) for each in running]
        await asyncio.get_running_loop().run_in_executor(None, began.wait)
        for number, (end, each) in enumerate(zip(ends, running, strict=True)):
            assert sys.getswitchinterval() < usual, number
            end.set()
            await each
        assert sys.getswitchinterval() == usual
    finally:
        for reader in readers:
            reader.close()


# --- migrations -------------------------------------------------------------------------------


SCHEMA = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type <> 'trigger'",
    "postgresql": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace UNION
        SELECT table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable,
            character_maximum_length, column_default)
            FROM information_schema.columns WHERE table_schema = 'public'
    """,
}


def schema(storage, url):
    """(name, SQL) of everything in a database, except the table of the migrations."""
    with contextlib.closing(storage.outside(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(SCHEMA[storage.name])
        return {row for row in cursor.fetchall() if "schema_migration" not in row[0]}


def dump(file):
    """The whole database as SQL."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def made_by_models(url):
    """Fills a database with the models' own tables."""
    made = type(proxy.obj)(**db_url.parse(url))
    proxy.initialize(made)
    made.create_tables(TABLES)
    made.close()


def test_the_migrated_schema_is_that_of_the_models(store, storage, database_url, tmp_path):
    assert not diff_models(store, TABLES), str(diff_models(store, TABLES))
    store.close()
    (tmp_path / "made").mkdir()
    try:
        with storage.empty(tmp_path / "made") as made:
            made_by_models(made)
            assert schema(storage, database_url) == schema(storage, made) != set()
    finally:
        proxy.initialize(store)


@ON_SQLITE
def test_a_second_start_changes_nothing(conf, store, tmp_path):
    server.prepare_store(conf)
    store.close()
    first = dump(tmp_path / "test.db")
    again = opening.open_database(conf.database, conf.synchronous)
    server.prepare_store(conf)
    again.close()
    assert dump(tmp_path / "test.db") == first


def test_a_newer_database_is_refused_in_one_sentence(conf, store, capsys):
    store.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES ('9999_from_the_future', '2099-01-01')"
    )
    store.close()
    with pytest.raises(DatabaseRefused) as refused:
        opening.open_database(conf.database, conf.synchronous)
    proxy.close()
    sentence = str(refused.value)
    assert "newer" in sentence
    assert "9999_from_the_future" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert server.main(["--database", conf.database, "--port", "0"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == sentence


def sample(field):
    """A value that this field takes."""
    return "x" if isinstance(field, peewee.CharField | peewee.TextField) else 1


@pytest.mark.parametrize(
    "model", [each for each in TABLES if "id" in each._meta.fields and not each._meta.refs]
)
def test_the_id_of_a_deleted_newest_row_is_not_given_out_again(store, model):
    fields = {each.name: sample(each) for each in model._meta.sorted_fields if each.name != "id"}
    first = model.create(**fields).id
    model.delete().where(model.id == first).execute()
    assert model.create(**fields).id == first + 1
