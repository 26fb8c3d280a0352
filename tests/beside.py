"""Keeps tests out of the project's directory: a test that writes or starts a program there fails.

So files that are already there, such as the `data.db` of a server, cannot change a test's result.
"""

import contextlib
import os
import sys
from pathlib import Path

from bench.processes import ROOT

PLACE = f"{ROOT}{os.sep}"
# Directories that Python, pytest, npm and git use; these are allowed.
KEPT = {"__pycache__", ".venv", "node_modules", ".git"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Trespass(Exception):
    """A test touched the project's directory."""


def _inside(path) -> bool:
    path = os.path.abspath(os.fsdecode(path))
    return f"{path}{os.sep}".startswith(PLACE) and not KEPT & {*Path(path).parts}


def _touched(event: str, arguments: tuple):
    """The path that an audit event of Python writes, connects to or runs in; None for others."""
    match event, arguments:
        case "open", (str() | bytes() as path, _, int(flags)) if flags & WRITING:
            return path
        case "sqlite3.connect", (str() | os.PathLike() as path,):
            return os.fspath(path).removeprefix("file:").partition("?")[0]
        case (("os.mkdir" | "os.rename" | "os.remove"), (str() | os.PathLike() as path, *_)):
            return path
        case "subprocess.Popen", (_, _, where, _):
            return where or os.getcwd()
    return None


@contextlib.contextmanager
def watched():
    """A block in which Trespass is raised, by the line that touches the directory."""
    on = True

    def hook(event, arguments):
        if on and (touched := _touched(event, arguments)) and _inside(touched):
            raise Trespass(f"{event}: {touched!r}")

    sys.addaudithook(hook)
    try:
        yield
    finally:
        on = False
