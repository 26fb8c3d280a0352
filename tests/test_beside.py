"""Tests run outside the project's directory: they neither read its files nor add any."""

import os
import sqlite3
import subprocess

import pytest

from bench.processes import ROOT
from tests.beside import Trespass

FILE = ROOT / "left.txt"


def connect():
    sqlite3.connect(ROOT / "data.db").close()


def run():
    subprocess.run(["true"], check=True, cwd=ROOT)


TRESPASSES = {
    "writing a file": lambda: FILE.write_text("x"),
    "making a directory": (ROOT / "backups").mkdir,
    "opening a database": connect,
    "running a program there": run,
}


@pytest.mark.parametrize("what", TRESPASSES)
def test_a_test_that_touches_the_projects_directory_fails(what):
    with pytest.raises(Trespass):
        TRESPASSES[what]()


def test_nobodys_settings_are_in_the_environment():
    assert [name for name in os.environ if name.startswith("PAIRS_")] == []
    assert not {"PORT", "DATABASE_URL"} & set(os.environ)
