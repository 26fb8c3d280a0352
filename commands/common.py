"""Helpers that several commands and the server use."""

import argparse
import contextlib
import getpass
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import models
from database import opening
from database.opening import DatabaseRefused, be_patient, is_there, proxy, reach_database, steps
from network import has_bare_signs
from schemas.values import BadFields, check
from services import audit
from settings import ENCODE, Settings, SettingsError

BRIDGE_REFUSED = (
    "The bridge will be refused: visitors may not read and there are no bridge_keys; "
    "set one of them, or anonymous_reads."
)
PERCENT = (
    "A passphrase holds %, which the bridge's config_private.ini takes for something else: "
    "write %% for it there, or take another passphrase."
)
CONSOLE = audit.Trace("command line", "")


class Failed(Exception):
    """The command failed. The text is one sentence for the user."""


def breaks_bridges_file(passphrases: list[str]) -> bool:
    """Whether one of the passphrases has a `%`: written plainly, it stops the bridge's start."""
    return any("%" in each for each in passphrases)


def check_settings(conf: Settings) -> None:
    """Checks the settings as far as possible without the database. Raises SettingsError."""
    if not is_there(conf.database):
        refuse_unguarded(conf, bool(conf.passphrases), bool(conf.admin_password))


def refuse_unguarded(conf: Settings, has_passphrase: bool, has_admin: bool) -> None:
    """Raises SettingsError if a production server has no passphrase or no administrator."""
    if conf.demo:
        return
    for key, there in (("passphrases", has_passphrase), ("admin_password", has_admin)):
        if not there:
            raise SettingsError(
                f"settings: {key} must be set in production, for example as PAIRS_{key.upper()}."
            )


@contextlib.contextmanager
def opened(conf: Settings, *, makes: bool = False) -> Iterator:
    """Opens the settings' database for the models; with `makes` it may be made if it is missing.

    Raises DatabaseRefused or Failed, also if the database must be migrated first: only the command
    `migrate` and the start of the server do that.
    """
    _refuse_old(conf.database, makes=makes)
    database = opening.open_database(conf.database, conf.synchronous)
    try:
        be_patient(database)
        yield database
    finally:
        proxy.close()


def _refuse_old(url: str, *, makes: bool) -> None:
    """Raises DatabaseRefused or Failed unless the database is there and up to date, or new."""
    if makes and not is_there(url):
        return
    with contextlib.closing(reach_database(url)) as database:
        applied, lacking = steps(database)
    if not applied and not makes:
        raise DatabaseRefused("The database is empty; the first start of the server fills it.")
    if applied and lacking:
        raise Failed(
            f"The database lacks the step {lacking[0]} of this release: "
            "make a backup, then run python server.py migrate."
        )


def check_url(url: str) -> None:
    """Raises Failed if the URL's password has characters that must be encoded."""
    if has_bare_signs(url) and not url.startswith("sqlite"):
        raise Failed(f"The database's URL cannot be read: {ENCODE}.")


def is_known(model: type, name: str) -> bool:
    """Whether the model, such as User or Pair, has a row with this name."""
    try:
        model.find(name)
    except models.Missing:
        return False
    return True


def read_password(of: str, from_stdin: bool) -> str:
    """Reads a secret: typed twice and not shown, or the first line of stdin. Raises Failed."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Failed("There is no terminal to ask at; give it with --stdin, as its first line.")
    first = getpass.getpass(f"{of}: ")
    if getpass.getpass(f"{of}, again: ") != first:
        raise Failed("The two are not the same; nothing was changed.")
    return first


def checked(form: type, values: dict[str, Any]) -> Any:
    """The form with these values. Raises Failed for the first value that is wrong."""
    try:
        return check(form, values)
    except BadFields as bad:
        key, reason = next(iter(bad.reasons.items()))
        raise Failed(f"The {key} {reason}.") from None


def act(conf: Settings, kind: str, subject: str, verb: Callable, *args: Any, **named: Any) -> None:
    """Calls `verb(*args, **named)` and writes an entry of the audit, in one transaction."""
    with proxy.atomic():
        verb(*args, **named)
        audit.note(kind, CONSOLE, conf.audit_kept, subject)


def add_action(
    actions, text: str, name: str, summary: str, run: Callable
) -> argparse.ArgumentParser:
    """Adds an action of a command, such as `add`. Its examples come from the command's text."""
    examples = text.partition("\nexamples:\n")[2].splitlines()
    mine = [each for each in examples if f" {name}" in each]
    parser = actions.add_parser(
        name, help=summary, description=f"{summary}.", epilog="\n".join(("examples:", *mine))
    )
    parser.set_defaults(run=run)
    return parser


class Progress:
    """Prints on stderr how far a long task is: in one line on a terminal, else a line every 10 s.

    Use it in a `with` statement.
    """

    def __init__(self, what: str, total: int | None = None):
        self._what = what
        self._of = f" of {total:,}" if total else ""
        self.done = 0
        self._terminal = sys.stderr.isatty()
        self._pause = 0.2 if self._terminal else 10.0  # seconds from one line to the next
        self._next = time.monotonic() + self._pause
        self._told = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._told and self._terminal:  # what is printed next replaces the line
            print(" " * 60, file=sys.stderr, end="\r", flush=True)

    def add(self, count: int) -> None:
        """Adds `count` rows to those that are done, and prints if it is time."""
        self.done += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._pause
            self._told = True
            text = f"{self._what}: {self.done:,}{self._of} rows"
            print(text, file=sys.stderr, end="\r" if self._terminal else "\n", flush=True)
