"""Commands run within this process: as the command line does it, without the cost of a start."""

import contextlib
import io
import sys
from types import SimpleNamespace

import pytest

import server


@pytest.fixture
def command(capsys, monkeypatch):
    """`python server.py ...`: an answer with .code, .out and .said."""

    def run(*arguments, text=None):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text or ""))
        capsys.readouterr()
        try:
            code = server.main([*map(str, arguments)])
        except SystemExit as end:
            code = end.code
        out, said = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, said=said)

    return run


@pytest.fixture(autouse=True)
def no_settings_of_whoever_runs_this(monkeypatch):
    """The environment's settings are not the tests'."""
    with contextlib.suppress(KeyError):
        monkeypatch.delenv("DATABASE_URL")
