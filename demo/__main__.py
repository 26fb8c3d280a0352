"""The command line: `python -m demo` starts a server on a new database and plays a day on it."""

import argparse
import contextlib
import math
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from demo.client import Client, Unreachable
from demo.day import Play, write_past
from demo.desk import Refused, register
from demo.faults import FAULTS, FaultyDay, fault_settings
from demo.market import DAY
from demo.rules import Closed

ROOT = Path(__file__).parent.parent
PORT = 5000
SLOW = 1200  # seconds for each day after the first: a few alerts per minute
_LISTENS = re.compile(r"listens at (http://\S+?)/?\s*$")
_GRACE = 15  # seconds that the server has to end
_SPARE = 60  # seconds that the first day may take longer than planned
_ENTRY_MINUTES = 15  # of trading time, and at least of real time


class NotStarted(Exception):
    """The server could not be started. The text says why."""


def read_command_line(arguments: list[str]) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Plays a trading day on Pairs-API v3, as TradingView and the bridge would.",
    )
    add = parser.add_argument
    add("--url", type=_address, help="a demo server that runs already; else one is started")
    add("--port", type=_port, default=PORT, help="of the server that is started")
    length = "seconds for a day (300); 0: as fast as it goes"
    add("--pace", type=_seconds, default=300.0, help=length)
    add("--seed", type=int, default=5, help="another number is another day")
    add("--once", action="store_true", help="end after the day")
    fault = "play a short day on which this goes wrong; may be given again"
    add("--fault", action="append", default=[], choices=FAULTS, help=fault)
    add("--bridge-key", default="", help="what the bridge shows where it must")
    return parser.parse_args(arguments)


def _address(text: str) -> str:
    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return text.rstrip("/")
    raise argparse.ArgumentTypeError("must be like http://127.0.0.1:5000")


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("must be from 0 to 86400")
    return seconds


@contextlib.contextmanager
def serving(port: int, settings: dict[str, str]) -> Iterator[str]:
    """Runs a server on a new database for the block; gives its address. Raises NotStarted."""
    _refuse_taken(port)
    # Each port has its own files, so that two demos do not use the same database.
    name = "demo" if port == PORT else f"demo-{port}"
    database, log = Path(f"{name}.db").resolve(), Path(f"{name}.log").resolve()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    command = [sys.executable, "server.py", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--database", f"sqlite:///{database}"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(settings),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        found = _LISTENS.search(process.stdout.readline())
        if not found:
            _end(process)
            raise NotStarted(log.read_text().strip())
        yield found[1]
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not stop the clean-up
        _end(process)


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _refuse_taken(port: int) -> None:
    with socket.socket() as connection:
        connection.settimeout(5)
        if port and connection.connect_ex(("127.0.0.1", port)) == 0:
            raise NotStarted(
                f"Port {port} is taken; stop what runs there, or take another: "
                "python -m demo --port 5001"
            )


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """The environment with only these settings, so that a demo is the same everywhere."""
    others = ("PORT", "DATABASE_URL")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PAIRS_") and k not in others}
    ours = {f"PAIRS_{name.upper()}": value for name, value in settings.items()}
    return kept | ours | {"PYTHONUNBUFFERED": "1"}


def show(line: str) -> None:
    """Prints a line without delay."""
    print(line, flush=True)


def greet(url: str, asked: argparse.Namespace) -> None:
    """Prints what is played, and where to see it."""
    show(f"The dashboard: {url}/  (users admin/123 and user1/123, passphrase webhook)")
    if asked.fault:
        show(f"A short day on which this goes wrong: {', '.join(asked.fault)}.")
    else:
        length = f"about {asked.pace:.0f} seconds" if asked.pace else "no time"
        played = f"14 pairs and 8 singles, made-up prices, seed {asked.seed}"
        show(f"A trading day in {length}: {played}.")
    if not asked.once:
        show("Then it goes on slowly. Ctrl-C ends it.")


def settings_of(asked: argparse.Namespace, closed: Closed) -> dict[str, str]:
    """The server's settings: times that are of trading time must fit the pace."""
    if asked.fault:
        return fault_settings(asked.pace)
    minutes = math.ceil(_ENTRY_MINUTES * max(1.0, asked.pace / DAY))
    return {"entry_minutes": str(minutes), "entry_hours": closed.entry_hours}


def play(url: str, asked: argparse.Namespace, closed: Closed) -> None:
    """Plays the day, and then further days slowly until it is stopped, unless it plays only one."""
    sender, bridge = Client(url), Client(url, asked.bridge_key)
    register(sender)
    if not asked.url:
        write_past(sender, asked.seed)
    if asked.fault:
        day = FaultyDay(sender, bridge, asked.seed, show, asked.fault)
    else:
        day = Play(sender, bridge, asked.seed, show)
    closes = None if asked.url or asked.fault else closed
    day.open()
    day.run(asked.pace, closes)
    if closes and not asked.once:
        day.evening(closes)
    while not asked.once:
        day.next_day()
        day.run(max(asked.pace, SLOW), closes)


def main(arguments: list[str]) -> int:
    """Does what the command line says; returns the exit code."""
    asked = read_command_line(arguments)
    # Also SIGINT, because a process that was started in the background ignores it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    closed = Closed.after(asked.pace + _SPARE)
    served = serving(asked.port, settings_of(asked, closed))
    place = contextlib.nullcontext(asked.url) if asked.url else served
    try:
        with place as url:
            greet(url, asked)
            play(url, asked, closed)
    except KeyboardInterrupt:
        show("\nStopped.")
    except (NotStarted, Refused) as problem:
        print(problem, file=sys.stderr)
        return 1
    except Unreachable as problem:
        print(f"The server does not answer: {problem}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
