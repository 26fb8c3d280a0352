"""Runs commands in this process, as the command line does, but without the time of a start."""

import io
import sys
from types import SimpleNamespace

import pytest

import server


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs `python server.py ...`; returns its .code, .out (stdout) and .said (stderr)."""

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
