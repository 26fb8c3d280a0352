"""How long a caller waits while the server restarts on its socket, with posts coming all the time.

`python -m bench.restart` restarts a server ten times and prints JSON; `python -m bench.restart 3
100000` three times, with as many signals stored. Fails where a post was refused or lost.
"""

import asyncio
import contextlib
import json
import sqlite3
import statistics
import sys
import time

from bench import data
from bench.load import Connection, Load
from bench.machine import facts
from bench.processes import Process, running, scratch, server
from listening import RESTART

ROUNDS, STORED = 10, 1000
SENDERS = 4
PAUSE = 0.005  # seconds between two posts of a sender
QUIET = 40  # answers before a restart and after it
MOST = 2.0  # seconds that nobody may wait longer than


class Posts:
    """Posts one after the other, each on a connection of its own, as TradingView's are."""

    def __init__(self, process: Process):
        self._process = process
        self._answered = asyncio.Condition()
        self.waits: list[float] = []  # seconds of each post that was answered
        self.rowids: list[int] = []  # as they were answered
        self.refused: list[str] = []
        self._stop = False

    async def send(self, sender: int) -> None:
        """Posts until `end`."""
        while not self._stop:
            number = sender * 10**6 + len(self.waits)
            body = {**data.ALERT, "alert_id": str(number), "order_comment": str(number)}
            raw = Load(self._process.port, 1, 0, "POST", "/v3/webhook", json.dumps(body)).request(0)
            begun = time.perf_counter()
            try:
                connection = await Connection(self._process.port).open()
                status, answer = await connection.ask(raw)
                connection.close()
            except OSError as problem:
                status, answer = 0, repr(problem).encode()
            async with self._answered:
                self.waits.append(time.perf_counter() - begun)
                if status == 201:
                    self.rowids.append(json.loads(answer)["rowid"])
                else:
                    self.refused.append(f"{status} {answer[:80]!r}")
                self._answered.notify_all()
            await asyncio.sleep(PAUSE)

    async def more(self) -> None:
        """Returns once so many more are answered."""
        goal = len(self.waits) + QUIET
        async with self._answered:
            await self._answered.wait_for(lambda: len(self.waits) >= goal)

    def end(self) -> None:
        """No more posts."""
        self._stop = True


async def measure(process: Process, rounds: int) -> tuple[list[float], list[float], Posts]:
    """Longest waits (s) of each restart, how long until it listened again, and all posts."""
    posts, longest, starts = Posts(process), [], []
    senders = [asyncio.create_task(posts.send(number)) for number in range(SENDERS)]
    for _ in range(rounds):
        await posts.more()
        first, begun = len(posts.waits), time.perf_counter()
        process.send(RESTART)
        await asyncio.to_thread(process.wait_until_it_listens)
        starts.append(time.perf_counter() - begun)
        await posts.more()
        longest.append(max(posts.waits[first:]))
    posts.end()
    await asyncio.gather(*senders)
    return longest, starts, posts


def run(rounds: int, signals: int) -> dict:
    """The figures, as printed."""
    with scratch() as folder:
        database = data.make(folder / "restart.db", signals)
        with running(server(database)) as process:
            longest, starts, posts = asyncio.run(measure(process, rounds))
        with contextlib.closing(sqlite3.connect(database)) as opened:
            kept = {rowid for (rowid,) in opened.execute("SELECT rowid FROM signal")}
    return {
        **facts(),
        "restarts": rounds,
        "signals stored": signals,
        "posts answered": len(posts.rowids),
        "refused": posts.refused,
        "lost": len(set(posts.rowids) - kept),
        "longest wait s": round(max(longest), 3),
        "longest wait of each restart, median s": round(statistics.median(longest), 3),
        "until it listens again, median s": round(statistics.median(starts), 3),
        "a first start s": round(process.start_seconds, 3),
    }


def main(rounds: int = ROUNDS, signals: int = STORED) -> int:
    """Prints the figures; 1 where a promise was broken."""
    found = run(rounds, signals)
    print(json.dumps(found, indent=2))
    return int(bool(found["refused"]) or found["lost"] > 0 or found["longest wait s"] >= MOST)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
