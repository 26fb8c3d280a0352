"""Reads the command line.

Each module that MODULES names has a function `register(add)`, which adds its commands: name, help
text, function and arguments. The function of a command takes a `Line` and returns the exit code:
0 done, 1 failed, 2 if the command line, a setting or the database's address is wrong.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from functools import cached_property, partial
from importlib import import_module
from typing import Any, NoReturn

from settings import Settings, load

# {module: its commands}. A module is imported only if the command line names one of its commands,
# because the server does not need it in memory.
MODULES = {
    "doctor": ("check", "doctor"),
    "migrate": ("migrate",),
    "user": ("user",),
    "passphrase": ("passphrase",),
    "trading": ("trading",),
    "export": ("export",),
    "backup": ("backup", "restore", "copy"),
    "import_v3": ("import-v3",),
    "prune": ("prune",),
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
  python server.py trading exits --reason Fed         trade exits only from now on
  python server.py backup backups/today.jsonl.gz      while the server runs
  python server.py backup --help                      more of one command
"""
SERVE = """Serve, until a signal stops it; this is what happens without a command, too.

examples:
  python server.py
  python server.py serve --settings settings.local.toml
  python server.py serve --host 127.0.0.1 --port 5001
"""


class Arguments(argparse.ArgumentParser):
    """The parser of a command line or of a command; a mistake is reported in one sentence.

    The flags of settings may stand before a command or after it.
    """

    def __init__(self, **options: Any):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        absent = argparse.SUPPRESS  # a default would replace a flag that stands before the command
        for flag, metavar, text in FLAGS:
            self.add_argument(flag, metavar=metavar, default=absent, help=text)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"command line: {' '.join(message.split()).rstrip('.')}.\n")


class Line:
    """A command line that was read: `given` has its arguments, `run` is its command's function.

    `run` is None if the server is to serve.
    """

    def __init__(self, given: argparse.Namespace):
        self.given = given
        self.run: Callable[[Line], int] | None = given.run
        self.overlay: str | None = getattr(given, "settings", None)
        self._flags = {name: getattr(given, name) for name in SETTINGS if name in given}
        if "listen_fds" in self._flags:
            self._flags["listen_fds"] = self._flags["listen_fds"].split(",")

    @cached_property
    def conf(self) -> Settings:
        """The settings. Raises SettingsError."""
        return load(self._flags, os.environ, self.overlay)

    @property
    def names_database(self) -> bool:
        """Whether the command line itself names the database."""
        return "database" in self._flags

    def told(self, sentence: str) -> str:
        """The sentence with `python server.py` replaced by the program and flags of this line."""
        return sentence.replace("python server.py", self._program())

    def _program(self) -> str:
        python = os.path.relpath(sys.executable)
        words = [sys.executable if python.startswith("..") else python, "server.py"]
        if self.overlay:
            words += ["--settings", self.overlay]
        database = self._flags.get("database", "")
        if database:  # a URL of PostgreSQL may contain a password
            words += ["--database", database if database.startswith("sqlite") else "URL"]
        return shlex.join(words)


def read_line(arguments: list[str]) -> Line:
    """Reads the command line. A mistake in it ends the process with exit code 2."""
    parser = Arguments(
        prog="server.py",
        description="Pairs-API v3. Without a command it serves.",
        epilog=OVERVIEW,
    )
    parser.set_defaults(run=None)
    parser.add_argument("--check", action="store_true", help="the same as the command check")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    add = partial(_add, commands)
    add("serve", SERVE)
    shows_all = any(each.startswith(("-h", "--he")) for each in arguments)
    for module, names in MODULES.items():
        if shows_all or not set(names).isdisjoint(arguments):
            import_module(f"commands.{module}").register(add)
        else:
            for name in names:
                commands.add_parser(name)
    given = parser.parse_args(arguments)
    if given.check:
        return read_line([*(each for each in arguments if not "--check".startswith(each)), "check"])
    return Line(given)


def _add(
    commands: Any, name: str, text: str, run: Callable[[Line], int] | None = None
) -> argparse.ArgumentParser:
    """Adds a command and returns its parser. The text is the help; it ends with the examples."""
    described, _, examples = text.partition("\nexamples:\n")
    parser = commands.add_parser(
        name,
        help=described.splitlines()[0].rstrip("."),
        description=described.strip(),
        epilog=f"examples:\n{examples}",
    )
    parser.set_defaults(run=run)
    return parser
