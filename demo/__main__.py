"""The command line: `python -m demo` starts a server on a new database and plays a day on it."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator

from demo import history, registry
from demo.client import Client, Unreachable, is_address
from demo.day import Play
from demo.faults import FAULTS, FaultyDay, alarm_settings
from demo.pace import SLOW, Pace
from demo.process import PORT, NotStarted, Server


def read_command_line(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Plays a trading day on Pairs-API v3, as TradingView and the bridge would.",
    )
    parser.add_argument(
        "--url", type=_address, help="a demo server that runs already; else one is started"
    )
    parser.add_argument("--port", type=_port, default=PORT, help="of the server that is started")
    length = "seconds for a day (300); 0: as fast as it goes"
    parser.add_argument("--pace", type=_seconds, default=300.0, help=length)
    parser.add_argument("--seed", type=int, default=5, help="another number is another day")
    parser.add_argument("--once", action="store_true", help="end after the day")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        choices=FAULTS,
        help="play a short day on which this goes wrong; may be given again",
    )
    parser.add_argument("--bridge-key", default="", help="what the bridge shows where it must")
    return parser.parse_args(arguments)


def _address(text: str) -> str:
    if not is_address(text):
        raise argparse.ArgumentTypeError("must be like http://127.0.0.1:5000")
    return text.rstrip("/")


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("must be from 0 to 86400")
    return seconds


def show(line: str) -> None:
    """Prints a line at once."""
    print(line, flush=True)


@contextlib.contextmanager
def serving(asked: argparse.Namespace) -> Iterator[str]:
    """The address of the server to play on; one that was started ends with the block."""
    if asked.url:
        yield asked.url
        return
    server = Server(asked.port, alarm_settings(asked.pace) if asked.fault else None)
    try:
        yield server.url()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # impatience must not leave it running
        server.end()


def play(asked: argparse.Namespace, url: str) -> None:
    """Plays the day, and unless it is once only, further ones slowly until it is stopped."""
    sender = Client(url)
    registry.register(sender)
    if not asked.url:
        history.write(sender, asked.seed)
    bridge = Client(url, asked.bridge_key)
    if asked.fault:
        day = FaultyDay(sender, bridge, asked.seed, show, asked.fault)
    else:
        day = Play(sender, bridge, asked.seed, show)
    day.open()
    _run(day, Pace(asked.pace))
    while not asked.once:
        day.next_day()
        _run(day, Pace(max(asked.pace, SLOW)))


def _run(day: Play, pace: Pace) -> None:
    while not day.is_over:
        pace.wait()
        day.step()


def greet(url: str, asked: argparse.Namespace, say: Callable[[str], None] = show) -> None:
    """Says what is played, and where to look."""
    length = f"about {asked.pace:.0f} seconds" if asked.pace else "no time"
    say(f"The dashboard: {url}/  (users admin/123 and user1/123, passphrase webhook)")
    if asked.fault:
        say(f"A short day on which this goes wrong: {', '.join(asked.fault)}.")
    else:
        say(
            f"A trading day in {length}: 12 pairs and 6 singles, made-up prices, seed {asked.seed}."
        )
    if not asked.once:
        say("Then it goes on slowly. Ctrl-C ends it.")


def main(arguments: list[str]) -> int:
    """Plays: the exit code."""
    asked = read_command_line(arguments)
    # Said of both: whoever starts it in the background has SIGINT ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        with serving(asked) as url:
            greet(url, asked)
            play(asked, url)
    except KeyboardInterrupt:
        show("\nStopped.")
    except (NotStarted, registry.Refused) as problem:
        print(problem, file=sys.stderr)
        return 1
    except Unreachable as problem:
        print(f"The server does not answer: {problem}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
