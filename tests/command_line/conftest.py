"""Commands run within this process: as the command line does it, without the cost of a start."""

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
