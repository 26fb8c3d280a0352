"""What the commands share: failing in one sentence, opening the database, progress."""

import argparse
import contextlib
import getpass
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import models
from database import (
    DatabaseRefused,
    be_patient,
    is_there,
    proxy,
    reach_database,
    steps,
)
from network import has_bare_signs
from settings import ENCODE, Settings

CONSOLE = models.Trace("command line", "")


class Failed(Exception):
    """The command cannot be done; the text is one sentence for whoever asked for it."""


@contextlib.contextmanager
def opened(conf: Settings, *, makes: bool = False) -> Iterator:
    """The settings' database, as the models use it; `makes`: a new one where there is none.

    One that needs migrating is refused: a newer release must not change it by the way.
    """
    refuse_old(conf.database, makes=makes)
    database = models.open_store(conf.database, conf.synchronous)
    try:
        be_patient(database)
        yield database
    finally:
        proxy.close()


def check_url(url: str) -> None:
    """Raises Failed for a URL whose password ends too early."""
    if has_bare_signs(url) and not url.startswith("sqlite"):
        raise Failed(f"The database's URL cannot be read: {ENCODE}.")


def refuse_old(url: str, *, makes: bool) -> None:
    """Raises DatabaseRefused or Failed unless the database is there and up to date, or new."""
    if makes and not is_there(url):
        return
    database = reach_database(url)
    try:
        applied, lacking = steps(database)
    finally:
        database.close()
    if not applied and not makes:
        raise DatabaseRefused("The database is empty; the first start of the server fills it.")
    if applied and lacking:
        raise Failed(
            f"The database lacks the step {lacking[0]} of this release: "
            "make a backup, then run python server.py migrate."
        )


def read_password(of: str, from_stdin: bool) -> str:
    """A secret, typed twice without being shown, or the first line of stdin; raises Failed."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Failed("There is no terminal to ask at; give it with --stdin, as its first line.")
    first = getpass.getpass(f"{of}: ")
    if getpass.getpass(f"{of}, again: ") != first:
        raise Failed("The two are not the same; nothing was changed.")
    return first


def act(conf: Settings, kind: str, subject: str, verb: Callable, *args: Any, **named: Any) -> None:
    """Does what opens or shuts doors, in one transaction with its row in the audit."""
    with proxy.atomic():
        verb(*args, **named)
        models.Audit.note(kind, CONSOLE, conf.audit_kept, subject)


def add_action(actions, examples: str, name: str, text: str) -> argparse.ArgumentParser:
    """A part of a command, such as `add`, with those of the command's examples that show it."""
    mine = [each for each in examples.splitlines() if f" {name}" in each]
    return actions.add_parser(
        name, help=text, description=f"{text}.", epilog="\n".join(("examples:", *mine))
    )


class Progress:
    """How far long work is, on stderr: in place on a terminal, else a line now and then."""

    SECONDS = {True: 0.2, False: 10.0}  # between two words, on a terminal or not

    def __init__(self, what: str, total: int | None = None):
        self._what = what
        self._total = total
        self.done = 0
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + self.SECONDS[self._terminal]
        self._told = False

    def add(self, count: int) -> None:
        """So many more are done."""
        self.done += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.SECONDS[self._terminal]
            self._tell()

    def _tell(self) -> None:
        of = f" of {self._total:,}" if self._total else ""
        text = f"{self._what}: {self.done:,}{of} rows"
        print(text, file=sys.stderr, end="\r" if self._terminal else "\n", flush=True)
        self._told = True

    def end(self) -> None:
        """Leaves the line to what comes next."""
        if self._told and self._terminal:
            print(" " * 60, file=sys.stderr, end="\r", flush=True)


@contextlib.contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Progress]:
    """Progress for as long as the work takes."""
    shown = Progress(what, total)
    try:
        yield shown
    finally:
        shown.end()
