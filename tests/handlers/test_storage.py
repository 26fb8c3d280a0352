"""A storage that is away: 503 and when to come back, nothing lost, and all well afterwards."""

import sqlite3

import pytest

pytestmark = pytest.mark.gen_test(timeout=60)


def check_unavailable(answer):
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert isinstance(answer.json["message"], str)


@pytest.mark.slow
async def test_while_another_process_locks_the_file_writes_are_503_and_reads_go_on(
    api, desk, database_url
):
    await api.alert(alert_id="before")
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        check_unavailable(await api.alert(alert_id="x"))
        assert len((await api.get("/v3/signals/0")).json["signals"]) == 1
    finally:
        other.execute("ROLLBACK")
        other.close()
    answer = await api.alert(alert_id="x")
    assert (answer.status, answer.json["rowid"]) == (201, 2)


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/v3/signals/5", 1),
        ("/v3/signals/0", 1),
        ("/v3/signals/status/waiting/0", 1),
        ("/v3/signals/ticker/AAPL/3", 0),
    ],
)
async def test_a_list_that_cannot_be_read_is_503_with_the_empty_list(
    api, desk, database_url, path, count
):
    await api.alert()
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    other.execute("ALTER TABLE signal RENAME TO elsewhere")
    check_unavailable(await api.alert())
    answer = await api.get(path)
    check_unavailable(answer)
    assert answer.json["signals"] == []
    other.execute("ALTER TABLE elsewhere RENAME TO signal")
    other.close()
    assert len((await api.get(path)).json["signals"]) == count
    assert (await api.alert()).status == 201
