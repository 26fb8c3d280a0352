"""Backup, restore and copy with the real command line, and what they refuse."""

import pytest

import models
from bench.data import make
from database import opening
from tests.receiving import receive_one
from tests.shell import shell

pytestmark = pytest.mark.slow


def command(*arguments):
    """Runs `python server.py ...`; returns (exit code, stdout, stderr)."""
    done = shell(*arguments)
    return done.returncode, done.stdout, done.stderr


def rows(url):
    """All rows of all tables."""
    store = opening.open_database(url)
    found = {table.__name__: list(table.select().tuples()) for table in models.TABLES}
    store.close()
    return found


@pytest.fixture
def full(tmp_path):
    """The URL of a database with signals, pairs and users."""
    return f"sqlite:///{make(tmp_path / 'full.db', 300)}"


def test_a_backup_restores_as_it_was_and_ids_go_on(tmp_path, full):
    file, target = tmp_path / "b.jsonl.gz", f"sqlite:///{tmp_path}/new.db"
    assert command("backup", file, "--database", full)[0] == 0
    assert file.stat().st_mode & 0o077 == 0
    assert command("restore", file, "--database", target)[0] == 0
    mine, theirs = rows(full), rows(target)
    assert {k: v for k, v in mine.items() if k != "Fact"} == {
        k: v for k, v in theirs.items() if k != "Fact"
    }
    last = max(row[0] for row in mine["Signal"])
    store = opening.open_database(target)
    models.Signal.get_by_id(last).delete_instance()
    alert = {"ticker": "NMFC-0.72*ROIC", "order_action": "buy", "order_contracts": 1.0}
    assert receive_one(alert, "test").rowid == last + 1
    store.close()


def test_a_database_that_is_not_empty_is_not_overwritten(tmp_path, full):
    file = tmp_path / "b.jsonl"
    command("backup", file, "--database", full)
    before = rows(full)
    code, _, words = command("restore", file, "--database", full)
    assert (code, len(words.strip().splitlines())) == (1, 1)
    assert rows(full) == before


@pytest.mark.parametrize("harm", ["cut off", "a digit"])
def test_a_damaged_archive_is_refused_and_nothing_is_written(tmp_path, full, harm):
    file, target = tmp_path / "b.jsonl", tmp_path / "new.db"
    command("backup", file, "--database", full)
    text = file.read_text()
    text = text[: len(text) // 2] if harm == "cut off" else text.replace(",100.0,", ",900.0,", 1)
    assert text != file.read_text()
    file.write_text(text)
    code, _, words = command("restore", file, "--database", f"sqlite:///{target}")
    assert code == 1, words
    assert rows(f"sqlite:///{target}")["Signal"] == []
