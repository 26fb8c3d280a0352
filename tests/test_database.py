"""The one writer, the readers, the migrations, and the statements that are compiled once."""

import asyncio
import contextlib
import itertools
import sqlite3
import threading

import peewee
import pytest
from playhouse import db_url
from playhouse.schema_diff import diff_models

import models
import schemas
import server
from database import DatabaseRefused, Overloaded, Reader, Writer, is_sqlite, proxy, read_only
from handlers.signals import ShortLists, json_records
from models import (
    TABLES,
    AlertId,
    EventRow,
    Filters,
    Pair,
    Passphrase,
    Secret,
    Session,
    Signal,
    Stock,
    User,
)
from models.statements import compiled
from tests.conftest import ON_SQLITE
from trading import fills

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


def add(name):
    """A job that stores a secret of this name."""
    return lambda: Secret.create(name=name, value="x").name


class Gate:
    """A job that keeps the writer busy, so that whatever is submitted meanwhile is one batch."""

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
    """While this block runs the writer is busy; what is submitted in it becomes one batch."""
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
    """The committed secrets' names, as another connection sees them."""
    return lambda: set(outside("SELECT name FROM secret"))


@pytest.fixture
def make_writer(io_loop, store):
    """Makes writers, to be started by the test, and closes them afterwards."""
    writers = []

    def make(limit=2000):
        writers.append(Writer(store, limit))
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
        add("first")()  # a unique key that a neighbour has just taken

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


def violate_at_commit():
    """Breaks a foreign key in a way that only the commit finds out."""
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
    """Closes the connection under the writer's feet."""
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


# --- migrations -------------------------------------------------------------------------------


SCHEMA = {
    "sqlite": "SELECT name, sql FROM sqlite_master",
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
    """{name: SQL} of all that a database holds, but for the migrations' own table."""
    with contextlib.closing(storage.outside(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(SCHEMA[storage.name])
        return {name: sql for name, sql in cursor.fetchall() if "schema_migration" not in name}


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
            assert schema(storage, database_url) == schema(storage, made) != {}
    finally:
        proxy.initialize(store)


@ON_SQLITE
def test_a_second_start_changes_nothing(conf, store, tmp_path):
    server.prepare_store(conf)
    store.close()
    first = dump(tmp_path / "test.db")
    again = models.open_store(conf.database, conf.synchronous)
    server.prepare_store(conf)
    again.close()
    assert dump(tmp_path / "test.db") == first


def test_a_newer_database_is_refused_in_one_sentence(conf, store, capsys):
    store.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES ('9999_from_the_future', '2099-01-01')"
    )
    store.close()
    with pytest.raises(DatabaseRefused) as refused:
        models.open_store(conf.database, conf.synchronous)
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


SHOWN = schemas.SIGNAL_COLUMNS


# --- compiled statements ----------------------------------------------------------------------


def full_row():
    """A signal with every column set to a value of its own."""
    row = {}
    for number, name in enumerate(compiled.blank, 1):
        text = isinstance(getattr(Signal, name), peewee.CharField | peewee.TextField)
        row[name] = f"t{number}"[:4] if text else number
    return row


def test_the_compiled_insert_stores_what_the_model_reads(store):
    row = full_row()
    rowid = compiled.insert_signal(row)
    assert Signal.find(rowid).record() == {"id": rowid, **row}


def test_a_blank_signal_is_the_models_defaults(store):
    required = {"timestamp": "t", "ticker": "T", "action": "buy", "contracts": 1, "status": "s"}
    mine = compiled.insert_signal({**compiled.blank, **required})
    theirs = Signal.create(**required).id
    assert Signal.find(mine).record() | {"id": 0} == Signal.find(theirs).record() | {"id": 0}


def test_the_compiled_event_is_the_models(store):
    event_id = compiled.insert_event(("2026-01-01 00:00:00", "signal.created", "7", "me", "{}"))
    row = EventRow.get_by_id(event_id)
    stored = (row.time, row.type, row.subject, row.source, row.changes)
    assert stored == ("2026-01-01 00:00:00", "signal.created", "7", "me", "{}")


@pytest.mark.parametrize("alert_id", [None, "x"])
def test_a_signal_is_stored_with_its_event_and_its_alert_id(store, alert_id):
    for _ in range(2):
        Signal.create(**full_row())
    told = ("2026-01-01 00:00:00", "signal.created", "me", "{}")
    with store.atomic():
        rowid, event_id = compiled.store_signal(full_row(), alert_id, told)
    assert Signal.find(rowid).record() == {"id": rowid, **full_row()}
    assert rowid == 3
    row = EventRow.get_by_id(event_id)
    assert (row.time, row.type, row.source, row.changes) == told
    assert row.subject == "3"
    assert [each.signal for each in AlertId.select()] == [3] * bool(alert_id)


def test_the_compiled_lookups_agree_with_the_models(store):
    Stock.create(symbol="AAPL", active=1)
    Pair.create(name="A-B", leg1="A", leg2="B", hedge=0.72, active=1)
    AlertId.create(alert_id="x", signal=7)
    in_use = Passphrase.create(label="one", value="v", last_used="2026-01-01 00:00:00")
    Passphrase.create(label="two", value="w", retired="2026-01-01 00:00:00")
    assert compiled.stock("AAPL") == (1, "STK", "USD")
    assert compiled.stock("MSFT") is None
    assert compiled.pair("A-B") == (1, 0.72)
    assert compiled.pair("B-A") is None
    assert compiled.signal_of_alert("x") == 7
    assert compiled.signal_of_alert("y") is None
    assert compiled.passphrases() == [(in_use.id, "v", "2026-01-01 00:00:00")]


def test_the_compiled_session_is_the_models(store, conf):
    server.prepare_store(conf)
    user = User.find("admin")
    made = Session.start(user, minutes=10, days=1, cookie="c")
    for found in (Session.by_id(made.id), Session.by_cookie("c")):
        assert found.__data__ == Session.get_by_id(made.id).__data__
        assert found.user.__data__ == User.find("admin").__data__
        assert found.user.admin is True
    assert Session.by_id("x") is None
    assert Session.by_cookie("x") is None


@pytest.mark.parametrize("column", ["expires", "cookie_expires"])
def test_a_session_whose_time_is_over_is_not_found(store, conf, column):
    server.prepare_store(conf)
    made = Session.start(User.find("admin"), minutes=10, days=1, cookie="c")
    Session.update({column: 1}).execute()
    assert Session.by_cookie("c") is None
    assert (Session.by_id(made.id) is None) == (column == "expires")


def test_the_last_event_is_the_models(store):
    assert EventRow.last_id() == 0
    for _ in range(3):
        compiled.insert_event(("2026-01-01 00:00:00", "signal.created", "7", "me", "{}"))
    assert EventRow.last_id() == EventRow.select(peewee.fn.MAX(EventRow.id)).scalar() == 3


def test_a_short_list_that_is_kept_is_never_out_of_date(store):
    kept, waiting = ShortLists(), Filters(status="waiting")

    def check():
        for filters, limit in itertools.product((Filters(), waiting), (1, 5)):
            rows = Signal.newest(filters, SHOWN, limit)
            for _ in range(2):
                assert kept.read(filters, limit) == json_records(rows)

    Stock.put({"symbol": "AAPL", "active": 1}, "me")
    alert = {"ticker": "AAPL", "action": "buy", "contracts": 1.0, "order_id1": 7}
    check()
    for _ in range(3):
        Signal.receive(alert, "me")
        check()
    Signal.revise(2, {"comment": ("new",)}, "me", bypass=False, owner=True)
    check()
    Signal.update_order(7, None, lambda order, leg: fills.cancel(order, bridge=False), "me")
    check()
    Signal.drop(1, "me")
    check()


def test_short_lists_are_kept_in_a_bounded_number(store):
    kept = ShortLists()
    for before in range(1, 500):
        kept.read(Filters(before=before), 100)
    assert len(kept._lists) <= ShortLists.MOST


def test_the_compiled_lists_agree_with_the_models(store):
    states = ("waiting", "filled", "rerouted", "error", "canceled", "created")
    for number in range(60):
        compiled.insert_signal({**full_row(), "status": states[number % len(states)]})
    columns = [getattr(Signal, name) for name in SHOWN]
    every = Signal.select(*columns).order_by(Signal.id.desc())
    offered = every.where(Signal.status.in_(["waiting", "rerouted"]))
    for limit in (1, 7, 100):
        assert Signal.newest(Filters(), SHOWN, limit) == list(every.limit(limit).tuples())
        expected = list(offered.limit(limit).tuples())
        assert Signal.newest(Filters(status="waiting"), SHOWN, limit) == expected


def test_a_list_of_a_time_holds_exactly_the_signals_of_that_time(store):
    # Rowids do not follow the times here: senders may bring their own.
    hours = [5, 1, 9, 3, 3, 7, 2, 8, 0, 6]
    for hour in hours:
        compiled.insert_signal({**full_row(), "timestamp": f"2026-01-01 0{hour}:00:00"})
    for low, high, before in itertools.product((None, 0, 3, 9), (None, 0, 3, 9), (None, 0, 4, 99)):
        filters = Filters(
            since=None if low is None else f"2026-01-01 0{low}:00:00",
            until=None if high is None else f"2026-01-01 0{high}:00:00",
            before=before,
        )
        expected = [
            rowid
            for rowid in range(len(hours), 0, -1)
            if (0 if low is None else low) <= hours[rowid - 1] <= (9 if high is None else high)
            and (before is None or rowid < before)
        ]
        assert [row[0] for row in Signal.newest(filters, ("id",), 100)] == expected, filters
