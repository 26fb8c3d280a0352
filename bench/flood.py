"""Floods a server with wrong passphrases and logins from one address; another one sends alerts.

`python -m bench.flood` sends 10,000 wrong passphrases and 1,000 logins in a minute. `python -m
bench.flood 0.1` sends a tenth of them in a tenth of the time. The addresses are sent in the header
that a trusted proxy sets.
"""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.data import make
from bench.load import ALERT, Connection, percentile, request
from bench.processes import clean_environment, running, scratch, server

PASSPHRASES, LOGINS, SECONDS = 10_000, 1_000, 60.0
FLOODER, SENDER = "198.51.100.66", "203.0.113.9"
WRONG = ALERT | {"passphrase": "a guess"}
LOGIN = {"username": "admin", "password": "a guess"}


@dataclass
class Outcome:
    """The statuses of the answers, the times of the alerts (ms), the database's growth (bytes)."""

    flood: Counter = field(default_factory=Counter)
    alerts: Counter = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    grown: int = 0


async def _repeat(port: int, raw: str, count: int, seconds: float, answered: Counter) -> None:
    """Sends a request `count` times, evenly over `seconds`, and counts the answers by status."""
    connection = await Connection.open(port)
    begun = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + seconds * number / count - time.monotonic()))
        status, _ = await connection.ask(raw)
        answered[status] += 1
    connection.close()


async def _logins(port: int, raw: str, count: int, seconds: float, answered: Counter) -> None:
    """Sends logins in parallel, because each failed login delays the answer to the next."""

    async def login(number: int) -> None:
        await asyncio.sleep(seconds * number / count)
        await _repeat(port, raw, 1, 0, answered)

    await asyncio.gather(*map(login, range(count)))


async def _alerts(port: int, seconds: float, outcome: Outcome) -> None:
    """Sends correct alerts, at most twenty per second."""
    connection = await Connection.open(port)
    raw = request("POST", "/v3/webhook", ALERT, X_Forwarded_For=SENDER)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        begun = time.monotonic()
        status, _ = await connection.ask(raw)
        outcome.latencies.append(1000 * (time.monotonic() - begun))
        outcome.alerts[status] += 1
        await asyncio.sleep(0.05)
    connection.close()


async def _flood(port: int, share: float) -> Outcome:
    outcome, seconds = Outcome(), SECONDS * share
    wrong = request("POST", "/v3/webhook", WRONG, X_Forwarded_For=FLOODER)
    login = request("POST", "/v3/login", LOGIN, X_Forwarded_For=FLOODER)
    count = int(PASSPHRASES * share) // 10
    floods = [_repeat(port, wrong, count, seconds, outcome.flood) for _ in range(10)]
    floods.append(_logins(port, login, int(LOGINS * share), seconds, outcome.flood))
    await asyncio.gather(_alerts(port, seconds, outcome), *floods)
    return outcome


def _size(database: Path) -> int:
    files = (database, database.with_name(database.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def run(folder: Path, share: float = 1.0) -> Outcome:
    """The outcome of a share of the flood. The growth does not include the correct alerts."""
    quiet = _grown(make(folder / "quiet.db", 0), share, flooded=False)
    outcome = _grown(make(folder / "flooded.db", 0), share, flooded=True)
    outcome.grown -= quiet.grown
    return outcome


def _grown(database: Path, share: float, *, flooded: bool) -> Outcome:
    environment = clean_environment(PAIRS_TRUSTED_PROXIES="127.0.0.1")
    with running(server(database, environment=environment)) as process:
        before = _size(database)
        if flooded:
            outcome = asyncio.run(_flood(process.port, share))
        else:
            outcome = Outcome()
            asyncio.run(_alerts(process.port, SECONDS * share, outcome))
    outcome.grown = _size(database) - before  # the server has stopped, so the WAL is in the file
    return outcome


def main(share: float) -> int:
    """Prints the outcome. Returns 1 if a promise was broken."""
    with scratch() as folder:
        found = run(folder, share)
    latencies = sorted(found.latencies)
    p99 = percentile(latencies, 0.99)
    print(f"- Flood answered: {dict(found.flood)}; alerts beside it: {dict(found.alerts)}.")
    print(f"- Alerts p50 {percentile(latencies, 0.5):.1f} ms, p99 {p99:.1f} ms (at most 100).")
    print(f"- The flood made the database grow by {found.grown / 1e6:.2f} MB (at most 1).")
    return int(set(found.alerts) != {201} or p99 > 100 or found.grown > 1e6)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
