"""A migration that is killed before any of its statements is done by the next start."""

import contextlib
import os
import signal

import pytest

from database.kinds import OneProcess, Shared
from database.opening import MIGRATIONS, open_database
from tests.test_database import schema

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows kills in another way"),
]
STEPS = sorted(file.stem for file in MIGRATIONS.glob("0*.py"))
PAIR = "INSERT INTO pair (name, ticker1, ticker2, hedge, status) VALUES ('A-B', 'A', 'B', 1, 1)"


def die_before(number):
    """Lets this process kill itself before its `number`th statement or commit."""
    left = iter(range(number - 1, -1, -1))

    def counted(method):
        def call(*args, **more):
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*args, **more)

        return call

    for kind in (OneProcess, Shared):
        kind.execute_sql = counted(kind.execute_sql)
        kind.commit = counted(kind.commit)


def killed(url, number):
    """Opens the database in a process that is killed before its `number`th statement.

    False if it has no such statement: then it has opened and migrated the database.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or status == 0, "it failed"
        return os.WIFSIGNALED(status)
    # Never return from here: this is a copy of the process that runs the tests.
    try:
        die_before(number)
        open_database(url)
    except BaseException as problem:  # noqa: BLE001
        os.write(2, f"{problem!r}\n".encode())
        os._exit(1)
    os._exit(0)


@pytest.fixture
def ask(storage):
    """Runs SQL on a database; returns the rows, none if there is no such table."""

    def run(url, sql):
        with contextlib.closing(storage.outside(url)) as connection:
            cursor = connection.cursor()
            try:
                cursor.execute(sql)
            except Exception as problem:  # noqa: BLE001 two drivers
                assert "schema_migration" in str(problem)
                return []
            return cursor.fetchall() if cursor.description else []

    return run


def test_a_migration_that_is_killed_at_any_statement_is_done_by_the_next_start(
    storage, ask, tmp_path
):
    def done():
        return [name for (name,) in ask(url, "SELECT name FROM schema_migration ORDER BY name")]

    with storage.empty(tmp_path) as url:
        number, kills, before = 1, 0, []
        while killed(url, number):
            kills += 1
            assert done() in (before, STEPS[: len(before) + 1]), "a step is done whole or not"
            if done() == before:
                number += 1
                continue
            number, before = 1, done()
            if len(before) == 1:
                ask(url, PAIR)
        assert done() == STEPS
        assert kills > 50
        assert ask(url, "SELECT name, mode FROM pair") == [("A-B", "on")]
        found = schema(storage, url)
    (tmp_path / "at once").mkdir()
    with storage.empty(tmp_path / "at once") as url:
        open_database(url).close()
        assert found == schema(storage, url)
