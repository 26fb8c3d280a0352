"""The command line: one module for each command, which says what it takes and does it.

A module has a docstring (its first line is the help), EXAMPLES, `arguments(parser)` and
`run(line)`, which returns the exit code. Exit codes: 0 done, 1 it failed, 2 the command line, a
setting or the database's address is wrong.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from functools import cached_property
from types import ModuleType
from typing import Any, NoReturn

from commands import (
    backup,
    check,
    copy,
    doctor,
    import_v3,
    migrate,
    passphrase,
    prune,
    restore,
    serve,
    user,
)
from commands.common import Failed
from settings import Settings, load

__all__ = ["COMMANDS", "Failed", "Line", "read_line"]

COMMANDS: dict[str, ModuleType] = {
    "serve": serve,
    "check": check,
    "doctor": doctor,
    "migrate": migrate,
    "user": user,
    "passphrase": passphrase,
    "backup": backup,
    "restore": restore,
    "copy": copy,
    "import-v3": import_v3,
    "prune": prune,
}
SETTINGS = ("host", "port", "listen_fds", "database")
FLAGS = (
    ("--settings", "FILE", "laid over settings.toml"),
    ("--host", "HOST", "the address to listen on"),
    ("--port", "PORT", "the port to listen on"),
    ("--listen-fds", "FDS", "inherited sockets to listen on, such as 3"),
    ("--database", "URL", "sqlite:///FILE or postgresql://..."),
)
OVERVIEW = """\
examples:
  python server.py                                    serve, with the settings as they are
  python server.py --settings settings.local.toml     serve, with your own over them
  python server.py check                              are the settings in order?
  python server.py doctor                             is everything in order?
  python server.py user add mary --admin              asks for her password
  python server.py backup backups/today.jsonl.gz      while the server runs
  python server.py backup --help                      more of one command
"""


class Arguments(argparse.ArgumentParser):
    """A command line, or a command's part of it; a mistake is one sentence.

    The settings' flags may stand before a command and behind it.
    """

    def __init__(self, **options: Any):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        absent = argparse.SUPPRESS  # a default would overwrite what stands before the command
        for flag, metavar, text in FLAGS:
            self.add_argument(flag, metavar=metavar, default=absent, help=text)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"command line: {' '.join(message.split()).rstrip('.')}.\n")


class Line:
    """A command line that was read: its command, what was given, and the settings in force."""

    def __init__(self, given: dict[str, Any]):
        self.command: str = given.pop("command", None) or "serve"
        if given.pop("check", False):
            self.command = "check"
        self.overlay: str | None = given.pop("settings", None)
        self._flags = {name: given.pop(name) for name in SETTINGS if name in given}
        if "listen_fds" in self._flags:
            self._flags["listen_fds"] = self._flags["listen_fds"].split(",")
        self.given = argparse.Namespace(**given)

    @cached_property
    def conf(self) -> Settings:
        """The settings; raises SettingsError."""
        return load(self._flags, os.environ, self.overlay)

    @property
    def names_database(self) -> bool:
        """Whether the command line itself names the database."""
        return "database" in self._flags

    def told(self, sentence: str) -> str:
        """A sentence with its `python server.py ...` as whoever typed this line must type it."""
        return sentence.replace("python server.py", self._program())

    def _program(self) -> str:
        python = os.path.relpath(sys.executable)
        words = [sys.executable if python.startswith("..") else python, "server.py"]
        if self.overlay:
            words += ["--settings", self.overlay]
        database = self._flags.get("database", "")
        if database:  # another's may hold a password
            words += ["--database", database if database.startswith("sqlite") else "URL"]
        return shlex.join(words)

    @property
    def run(self) -> Callable[["Line"], int] | None:
        """What does the command; None for the server itself."""
        return getattr(COMMANDS[self.command], "run", None)


def read_line(arguments: list[str]) -> Line:
    """Reads the command line; a mistake in it ends the process."""
    parser = Arguments(
        prog="server.py",
        description="Pairs-API v3. Without a command it serves.",
        epilog=OVERVIEW,
    )
    parser.add_argument(
        "--check", action="store_true", help="the same as the command check", default=False
    )
    several = parser.add_subparsers(dest="command", metavar="command", title="commands")
    for name, module in COMMANDS.items():
        described = module.__doc__.strip()
        each = several.add_parser(
            name,
            help=described.splitlines()[0].rstrip("."),
            description=described,
            epilog=f"examples:\n{module.EXAMPLES}",
        )
        module.arguments(each)
    return Line(vars(parser.parse_args(arguments)))
