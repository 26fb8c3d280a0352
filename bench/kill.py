"""Kills or restarts a server while alerts come in: every alert that was answered must be stored.

`python -m bench.kill 1000` kills a server with kill -9 a thousand times (20 by default).
`python -m bench.kill --restart 5 --stored 200000` restarts a server with 200,000 stored signals
five times (10 by default) on the same socket, and shows how long senders wait. Both print JSON. The
exit code is 1 if an alert was lost, stored twice or refused, or if a sender waited too long.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sqlite3
import statistics
import sys
import time
from pathlib import Path

from bench import data
from bench.load import Connection, Failed, alert
from bench.processes import Process, running, scratch, server
from bench.report import Run, facts
from listening import RESTART

SENDERS, ANSWERS = 8, 300  # in each round the server is killed after ANSWERS answers
POSTERS = 4  # senders while the server restarts
PAUSE = 0.005  # seconds between two posts of a sender
QUIET = 40  # answers without a restart, before and after each
MOST = 2.0  # seconds that a sender may wait at most


async def round_of(process: Process, numbers: list[int], answered: dict[int, int]) -> None:
    """Sends alerts until the server is killed; the next round sends an unanswered one again."""
    goal = len(answered) + ANSWERS

    async def send(sender: int) -> None:
        connection = await Connection.open(process.port)
        while True:
            number = sender * 10**6 + numbers[sender]
            try:
                status, answer = await connection.ask(numbered(number))
            except OSError:
                return
            if status not in (200, 201):
                raise Failed(f"an alert was answered {status}")
            answered[number] = json.loads(answer)["rowid"]
            numbers[sender] += 1
            if len(answered) == goal:
                process.send(signal.SIGKILL)

    await asyncio.gather(*(send(sender) for sender in range(SENDERS)))


def numbered(number: int) -> str:
    """The request that sends the alert with this number."""
    return alert(alert_id=str(number), order_comment=str(number))


def stored(database: Path) -> dict[int, str]:
    """{rowid: number of the alert as text} of all signals in the database."""
    with contextlib.closing(sqlite3.connect(database)) as opened:
        return dict(opened.execute("SELECT rowid, order_comment FROM signal"))


def killed(folder: Path, rounds: int) -> dict[str, int]:
    """Kills a server `rounds` times; returns how many alerts were answered, lost and doubled."""
    database = data.make(folder / "kill.db", 0)
    answered: dict[int, int] = {}
    numbers = [0] * SENDERS
    for _ in range(rounds):
        process = server(database)
        asyncio.run(round_of(process, numbers, answered))
        process.end(signal.SIGKILL)
    with running(server(database)):
        found = stored(database)
    lost = sum(found.get(rowid) != str(number) for number, rowid in answered.items())
    doubled = len(found) - len(set(found.values()))
    return {"alerts answered": len(answered), "lost": lost, "doubled": doubled}


def kill(run: Run, store) -> None:
    """Adds the row of this benchmark. Raises Failed if an alert was lost or doubled."""
    figures = killed(run.folder, run.plan.kills)
    name = f"{run.plan.kills} times kill -9, {SENDERS} senders"
    run.add("kill", name, store.name, figures, {"lost": ("<=", 0), "doubled": ("<=", 0)})
    if figures["lost"] or figures["doubled"]:
        raise Failed("an answered alert was lost or doubled")


class Posts:
    """Sends alerts, each on a connection of its own, as TradingView does."""

    def __init__(self, port: int):
        self._port = port
        self._answered = asyncio.Condition()
        self.waits: list[float] = []  # seconds until each answer
        self.rowids: list[int] = []  # of the answers, in their order
        self.refused: list[str] = []
        self.stopped = False

    async def send(self, sender: int) -> None:
        """Sends alerts, one after the other, until `stopped` is set."""
        while not self.stopped:
            raw = numbered(sender * 10**6 + len(self.waits))
            begun = time.perf_counter()
            try:
                connection = await Connection.open(self._port)
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
        """Waits until QUIET more alerts are answered."""
        goal = len(self.waits) + QUIET
        async with self._answered:
            await self._answered.wait_for(lambda: len(self.waits) >= goal)


async def restart(process: Process, rounds: int) -> tuple[list[float], list[float], Posts]:
    """(longest wait of each restart in s, time in s until each start listened again, all posts)."""
    posts, longest, starts = Posts(process.port), [], []
    senders = [asyncio.create_task(posts.send(number)) for number in range(POSTERS)]
    for _ in range(rounds):
        await posts.more()
        first, begun = len(posts.waits), time.perf_counter()
        process.send(RESTART)
        await asyncio.to_thread(process.wait_until_it_listens)
        starts.append(time.perf_counter() - begun)
        await posts.more()
        longest.append(max(posts.waits[first:]))
    posts.stopped = True
    await asyncio.gather(*senders)
    return longest, starts, posts


def restarted(folder: Path, rounds: int, signals: int) -> dict:
    """The figures of the restarts, as they are printed."""
    database = data.make(folder / "restart.db", signals)
    with running(server(database)) as process:
        longest, starts, posts = asyncio.run(restart(process, rounds))
    return {
        **facts(),
        "restarts": rounds,
        "signals stored": signals,
        "posts answered": len(posts.rowids),
        "refused": posts.refused,
        "lost": len(set(posts.rowids) - set(stored(database))),
        "longest wait s": round(max(longest), 3),
        "longest wait of each restart, median s": round(statistics.median(longest), 3),
        "until it listens again, median s": round(statistics.median(starts), 3),
        "a first start s": round(process.start_seconds, 3),
    }


def main(arguments: list[str]) -> int:
    """Prints the figures. Returns 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.kill", description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", help="how often")
    parser.add_argument("--restart", action="store_true", help="restart it instead of killing it")
    parser.add_argument("--stored", type=int, default=1000, help="signals before the restarts")
    given = parser.parse_args(arguments)
    with scratch() as folder:
        if given.restart:
            found = restarted(folder, given.rounds or 10, given.stored)
        else:
            found = killed(folder, given.rounds or 20)
    print(json.dumps(found, indent=2))
    faults = [found["lost"], found.get("doubled"), found.get("refused")]
    return int(any(faults) or found.get("longest wait s", 0) >= MOST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
