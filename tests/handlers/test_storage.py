"""A storage that is away: 503 and when to come back, nothing lost, and all well afterwards."""

import asyncio
import contextlib
import gc

import pytest

pytestmark = pytest.mark.gen_test(timeout=60)

LISTS = [
    ("/v3/signals/5", 1),
    ("/v3/signals/0", 1),
    ("/v3/signals/status/waiting/0", 1),
    ("/v3/signals/ticker/AAPL/3", 0),
]


def check_unavailable(answer):
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert isinstance(answer.json["message"], str)


@pytest.fixture
def lock(storage, database_url):
    """`with lock(write) as connection`: another connection keeps the storage, or all of it."""
    sqlite = {"writing": "BEGIN EXCLUSIVE"}
    postgresql = {
        "writing": "BEGIN; LOCK signal IN EXCLUSIVE MODE",
        "all": "BEGIN; LOCK signal IN ACCESS EXCLUSIVE MODE",
    }

    @contextlib.contextmanager
    def locked(what):
        statement = (sqlite if storage.name == "sqlite" else postgresql)[what]
        with contextlib.closing(storage.outside(database_url)) as other:
            other.cursor().execute(statement)
            yield
            other.cursor().execute("ROLLBACK")

    return locked


@pytest.mark.slow
async def test_while_another_process_locks_the_storage_writes_are_503_and_reads_go_on(
    api, desk, lock
):
    await api.alert(alert_id="before")
    with lock("writing"):
        check_unavailable(await api.alert(alert_id="x"))
        assert len((await api.get("/v3/signals/0")).json["signals"]) == 1
    answer = await api.alert(alert_id="x")
    assert (answer.status, answer.json["rowid"] > 1) == (201, True)


@pytest.mark.slow
async def test_nothing_that_waits_for_a_locked_storage_ends_in_a_traceback(
    api, app, desk, admin, lock, monkeypatch, caplog
):
    monkeypatch.setattr("handlers.health.PATIENCE", 0.05)  # it gives up before the database does
    with lock("writing"):
        requests = [
            api.get("/readyz"),
            api.alert(),
            api.post("/v3/webhook", {"passphrase": "wrong"}),
            api.post("/v3/login", {"username": "admin", "password": "123"}),
            api.post("/v3/tokens", {"name": "x", "scope": "read"}, token=admin),
            api.get("/v3/signals/status/waiting/0"),
        ]
        answers, _ = await asyncio.gather(asyncio.gather(*requests), app.sweep())
        await asyncio.gather(app.writer.submit(bool), return_exceptions=True)  # all is answered
    for answer in answers:
        assert answer.status in (200, 201, 400, 503), answer.text
    gc.collect()  # what was dropped is told of now
    told = [each.getMessage() for each in caplog.records if each.levelname in ("ERROR", "CRITICAL")]
    assert told == []
    assert "Traceback" not in caplog.text


@pytest.fixture
def hidden(storage, database_url, lock):
    """`with hidden()`: the signals cannot be read."""

    @contextlib.contextmanager
    def away():
        if storage.name == "postgresql":
            with lock("all"):
                yield
            return
        with contextlib.closing(storage.outside(database_url)) as other:
            other.execute("ALTER TABLE signal RENAME TO elsewhere")
            yield
            other.execute("ALTER TABLE elsewhere RENAME TO signal")

    return away


@pytest.mark.parametrize(("path", "count"), LISTS)
async def test_a_list_that_cannot_be_read_is_503_with_the_empty_list(
    api, desk, hidden, path, count
):
    await api.alert()
    with hidden():
        refused, answer = await asyncio.gather(api.alert(), api.get(path))
        check_unavailable(refused)
        check_unavailable(answer)
        assert answer.json["signals"] == []
    assert len((await api.get(path)).json["signals"]) == count
    assert (await api.alert()).status == 201
