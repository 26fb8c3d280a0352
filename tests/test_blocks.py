"""Sums and texts of old signals: whatever happens, what is read is what a plain scan finds."""

import contextlib
import logging
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import models
from database import Writer, is_sqlite
from handlers.base import Summing
from models import (
    DERIVED,
    BlockGram,
    BlockSum,
    Filters,
    Signal,
    StaleBlock,
    Summed,
    summarise,
    summarise_all,
    totals,
)
from models.archive import dump
from models.blocks import BLOCK, FAN, Blocks, grams, larger, spans
from models.filters import SEARCHED
from models.loading import load
from models.statements import compiled
from tests.conftest import ON_POSTGRESQL, ON_SQLITE, tries

SUMMED = {"kind", "leg1", "leg2", "status", "action", "contracts", "slippage"}
TEXTS = [None, "Enter Long 17", "enter LONG 9", "Grüße", "50%_", "Order 201: no", "nowhere " * 150]
legs = st.sampled_from([("pair", "MA", "V"), ("single", "AAPL", None), (None, None, None)])
texts = st.sampled_from(TEXTS)
columns = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["filled", "waiting", "error"]),
        "action": st.sampled_from(["buy", "sell"]),
        "contracts": st.sampled_from([0.1, 0.5, 1.0, 100.0, 1.7e308]),
        "slippage": st.sampled_from([None, 0.25, -1.5]),
        "comment": texts,
        "error_message": texts,
        "ticker": st.sampled_from(["MA-3*NYSE:V", "AAPL"]),
    }
)
# A hole of a million blocks, and ends of blocks: an import may bring any rowids.
distances = st.sampled_from([1, 1, 1, 998, 999, 1000, 3000, 64_000, 10**9])
picks = st.integers(0, 30)
steps = st.one_of(
    st.tuples(st.just("store"), distances, legs, columns),
    st.tuples(st.just("store"), distances, legs, columns),
    st.tuples(st.just("change"), picks, columns),
    st.tuples(st.just("drop"), picks),
    st.tuples(st.just("sum up"), st.integers(1, 20)),
)
filters = st.builds(
    Filters,
    status=st.sampled_from([None, None, "filled", "waiting"]),
    name=st.sampled_from([None, None, "MA-V", "AAPL"]),
    kind=st.sampled_from([None, None, "pair"]),
)
sought = st.sampled_from(
    ["long", "NG 1", "ng 17", "grüße", "ÜSS", "%_", "nowhere", "201", "absent"]
)
questions = st.tuples(
    filters, sought, st.integers(1, 4), st.sampled_from([None, 900, 5000, 70_000])
)


def fold(text):
    """The text in lower case as far as searches take it so."""
    return text.encode().lower()


def passes(row, wanted):
    """Whether a row is one that the filters mean."""
    names = {"MA-V": ("MA", "V"), "AAPL": ("AAPL", None)}
    found = [fold(row[name]) for name in SEARCHED if row[name]]
    return (
        wanted.status in (None, row["status"])
        and wanted.kind in (None, row["kind"])
        and (wanted.name is None or names[wanted.name] == (row["leg1"], row["leg2"]))
        and (wanted.text is None or any(fold(wanted.text) in each for each in found))
        and (wanted.before is None or row["id"] < wanted.before)
    )


def scan(rows, wanted):
    """The totals of these rows that pass."""
    rows = [row for row in rows if passes(row, wanted)]
    by_status = {row["status"]: 0 for row in rows}
    for row in rows:
        by_status[row["status"]] += 1
    average = {}
    for side, actions in {"all": ("buy", "sell"), "buy": ("buy",), "sell": ("sell",)}.items():
        slipped = [row["slippage"] for row in rows if row["action"] in actions]
        slipped = [each for each in slipped if each is not None]
        average[side] = round(sum(slipped) / len(slipped), 4) if slipped else None
    quantity = round(sum(row["contracts"] for row in rows), 8)
    return {
        **{"count": len(rows), "quantity": quantity, "by_status": by_status},
        "average_slippage": average,
    }


def play(step, last):
    """Does one step: the highest rowid so far."""
    what, *how = step
    if what == "store":
        distance, (kind, leg1, leg2), more = how
        last += distance
        row = {**compiled.blank, "timestamp": "", **more, "kind": kind, "leg1": leg1, "leg2": leg2}
        Signal.insert(id=last, **row).execute()
    elif what == "sum up":
        for _ in range(*how):
            summarise()
    else:
        ids = [row.id for row in Signal.select(Signal.id).order_by(Signal.id)]
        signal = ids and Signal.find(ids[how[0] % len(ids)])
        if signal and what == "change":
            signal.change("test", how[1])
        elif signal:
            signal.remove("test")
    return last


def ask(question):
    """Holds sums and a search against all rows."""
    plain, text, limit, before = question
    rows = list(Signal.select().order_by(Signal.id.desc()).dicts())
    for wanted in (Filters(), plain, Filters(plain.status, plain.name, plain.kind, text=text)):
        assert totals(wanted) == scan(rows, wanted), (wanted, Blocks.now())
    search = Filters(plain.status, plain.name, plain.kind, text=text, before=before)
    expected = [(row["id"],) for row in rows if passes(row, search)][:limit]
    assert Signal.newest(search, ("id",), limit) == expected, (search, Blocks.now())


def test_sums_and_searches_are_those_of_a_plain_scan(store):
    @settings(
        max_examples=tries(75 if is_sqlite(store) else 15),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.tuples(steps, questions), max_size=25))
    def check(played):
        with store.atomic() as transaction:
            last = 0
            for step, question in played:
                last = play(step, last)
                ask(question)
            transaction.rollback()

    check()


@given(st.integers(0, 300), st.integers(0, 300))
def test_larger_blocks_are_few_and_cover_each_small_one_once(low, more):
    found = list(larger(low, low + more))
    covered = [n for level, at in found for n in range(at * FAN**level, (at + 1) * FAN**level)]
    assert sorted(covered) == list(range(low, low + more))
    assert len(found) <= 2 * FAN * 5


@given(st.sets(st.integers(0, 30)))
def test_spans_are_the_blocks_newest_first_and_neighbours_are_one(numbers):
    found = spans(numbers)
    assert {n for first, before in found for n in range(first // BLOCK, before // BLOCK)} == numbers
    assert all(later[0] > earlier[1] for later, earlier in zip(found, found[1:], strict=False))


def test_grams_fold_ascii_and_digits_and_a_short_text_has_none():
    assert grams("LoNG 17") == {"lon", "ong", "ng ", "g 0", " 00"}
    assert grams("ÜBer", "ab") == {"Übe", "ber"}


def store_rows(*ids, **more):
    """Signals with these rowids."""
    row = {**compiled.blank, "timestamp": "2026-01-01 00:00:00", "ticker": "AAPL"}
    row |= {"action": "buy", "contracts": 2.0, "status": "filled", "leg1": "AAPL"} | more
    Signal.insert_many([{"id": each, **row} for each in ids]).execute()


def test_nothing_is_missed_or_read_twice_at_the_ends_of_blocks(store):
    ids = [1, 999, 1000, 1999, 2000, 2999, 3000, 3001]
    store_rows(*ids, comment="On the edge")
    summarise_all(store)
    for now in (Blocks(2000, []), Blocks(2000, [0]), Blocks(2000, [0, 1])):
        assert Blocks.now() == now
        assert totals(Filters())["count"] == totals(Filters(text="edge"))["count"] == len(ids)
        found = Signal.newest(Filters(text="THE EDGE"), ("id",), 20)
        assert [rowid for (rowid,) in found] == ids[::-1]
        changed = 1 if now.stale else 0
        Signal.update(comment="On an edge, the edge").where(Signal.id == 999 + changed).execute()


def stale():
    return [row.number for row in StaleBlock.select().order_by(StaleBlock.number)]


def test_a_trigger_notes_each_change_that_a_sum_or_a_search_depends_on(store):
    store_rows(5, 1500, 2500, 9999)
    summarise_all(store)
    assert Blocks.now() == Blocks(3000, [])
    store_rows(10_000)
    for name in compiled.blank:
        value = getattr(Signal.get_by_id(5), name)
        Signal.update({name: value}).where(Signal.id == 1500).execute()
        assert stale() == ([1] if name in {*SUMMED, *SEARCHED} else []), name
        summarise_all(store)
        Signal.update({name: value}).where(Signal.id == 9999).execute()
    Signal.delete().where(Signal.id.in_([5, 2500, 9999])).execute()
    assert stale() == [0, 2]
    assert totals(Filters())["count"] == 2


def test_storing_an_alert_has_nothing_to_do_with_it(store, storage, database_url):
    store_rows(5, 1500, 9999)
    summarise_all(store)
    sent, log = [], logging.getLogger("peewee")
    handler = logging.Handler()
    handler.emit = lambda record: sent.append(record.msg[0])
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        with store.atomic():
            models.Signal.receive({"ticker": "AAPL", "action": "buy", "contracts": 1.0}, "test")
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
    assert any("INSERT" in sql for sql in sent)
    assert not [sql for sql in sent if "block" in sql or "summed" in sql]
    triggers = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE sql LIKE '%TRIGGER%INSERT ON%'",
        "postgresql": """SELECT trigger_name FROM information_schema.triggers
            WHERE event_manipulation = 'INSERT'""",
    }
    with contextlib.closing(storage.outside(database_url)) as connection:
        cursor = connection.cursor()
        cursor.execute(triggers[storage.name])
        assert cursor.fetchall() == []


def test_a_block_with_too_much_text_is_always_looked_through(store):
    store_rows(1, comment="x" * 999 + "needle")
    store_rows(*range(1001, 1201), comment="y" * 990)
    store_rows(9999)
    Signal.update(comment=Signal.comment.concat(Signal.id.cast("text"))).where(
        Signal.id.between(1001, 1200)
    ).execute()
    summarise_all(store)
    assert Blocks.now().until == 2000
    assert Signal.newest(Filters(text="NEEDLE"), ("id",), 5) == [(1,)]
    assert Signal.newest(Filters(text="y1007"), ("id",), 5) == [(1007,)]
    assert {row.gram for row in BlockGram.select()} == {""}


def undo_the_step(store):
    """Puts a database back to what it was before there were blocks."""
    if is_sqlite(store):
        for name in ("changed", "deleted"):
            store.execute_sql(f"DROP TRIGGER signal_{name}")
    else:
        store.execute_sql("DROP FUNCTION note_stale_block CASCADE")
    store.drop_tables(DERIVED)
    store.execute_sql("DELETE FROM schema_migration WHERE name = '0006_blocks'")


def test_a_database_with_signals_is_migrated(storage, tmp_path):
    with storage.empty(tmp_path) as url:
        first = models.open_store(url)
        undo_the_step(first)
        store_rows(1, 1500, 9999)
        first.close()
        store = models.open_store(url)
        before = totals(Filters())
        summarise_all(store)
        assert Summed.get().until == 2000
        assert totals(Filters()) == before
        Signal.update(contracts=5).where(Signal.id == 1).execute()
        assert totals(Filters())["quantity"] == before["quantity"] + 3
        store.close()


@ON_POSTGRESQL
def test_two_that_sum_up_at_once_leave_what_one_would(store):
    store_rows(*range(1, 40_000, 250))
    begin = threading.Barrier(2)

    def run():
        begin.wait(10)
        more = True
        while more:
            with store.atomic():
                more = summarise()
        store.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    together = sorted(BlockSum.select().tuples())
    for model in DERIVED:
        model.delete().execute()
    summarise_all(store)
    assert sorted(BlockSum.select().tuples()) == together
    assert len(together) == 38 + 9 + 2


def test_a_restored_database_begins_without_any(store):
    lines = list(dump(store, {}, lambda rows: None))
    Summed.create(id=1, until=9000)
    StaleBlock.create(number=3)
    load(store, lines, lambda rows: None)
    assert [model.select().count() for model in DERIVED] == [0, 0, 0, 0]


async def settle(app):
    """Returns once nothing is being summed up."""
    while app.summing._runs:
        await app.writer.submit(lambda: None)


@pytest.mark.gen_test(timeout=60)
async def test_a_request_has_old_signals_summed_up_and_a_late_fill_shows_at_once(api, app):
    await api.register_stock("AAPL")
    more = {"kind": "single", "price": 10.0, "status": "created"}
    await app.writer.submit(lambda: store_rows(7, order_id1=70, **more))
    await app.writer.submit(lambda: store_rows(*range(8, 12_000, 400), **more))
    assert (await api.get("/v3/totals")).json["by_status"] == {"created": 31}
    await settle(app)
    assert await app.writer.submit(Blocks.now) == Blocks(10_000, [])

    fill = {"passphrase": "webhook", "order_id": 70, "symbol": "AAPL", "price": 10.5}
    answer = await api.put("/v3/signal/updateorder", fill | {"filled_qty": 2})
    assert answer.status == 200, answer.text
    sums = (await api.get("/v3/totals?ticker=AAPL")).json
    assert sums["by_status"] == {"created": 30, "filled": 1}
    assert sums["average_slippage"]["all"] is not None
    change = {"passphrase": "webhook", "rowid": 7, "order_comment": "Late news"}
    assert (await api.put("/v3/webhook", change)).status == 200
    token = await api.token()
    for path in ("/v3/signals/200?q=LATE", "/v3/signals/200?q=late news&status=filled"):
        found = (await api.get(path.replace(" ", "%20"), token=token)).json["signals"]
        assert [signal["rowid"] for signal in found] == [7]
    assert (await api.get("/v3/totals?q=late", token=token)).json["count"] == 1
    await api.delete("/v3/signal/7", token=token)
    assert (await api.get("/v3/totals")).json["count"] == 30


@ON_SQLITE
def test_a_writer_that_is_busy_is_asked_again_later(store):
    summing = Summing(Writer(store, limit=0))
    summing.wake()
    assert not summing._runs
