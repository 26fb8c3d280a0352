"""Measures what could be reached at most: a commit alone, the writer alone, HTTP alone."""

import asyncio
import contextlib
import time

from bench import load
from bench.load import Load
from bench.processes import Process, running
from bench.report import Run
from bench.requests import SENDERS, beside_echo
from database import opening
from database.writer import Writer
from services.signals import receive

ALERT = {k: v for k, v in load.ALERT.items() if k != "passphrase"} | {"source": "webhook"}


def group_commit(run: Run, store) -> None:
    """Measures the writer alone: it judges alerts and commits those that wait together."""
    for callers in SENDERS:
        with contextlib.closing(opening.open_database(store.make())) as database:
            figures = asyncio.run(_write(database, callers, run.plan.seconds))
        name = f"group commit without HTTP, {callers} callers"
        run.add("ceilings", name, store.name, figures)


async def _write(database, callers: int, seconds: float) -> dict[str, float]:
    """The figures of callers that each hand over the next alert when theirs is stored."""
    database.close()  # the writer's thread has a connection of its own
    writer, stored, begin = Writer(database, receive), 0, time.perf_counter()
    writer.start()

    async def send() -> None:
        nonlocal stored
        while time.perf_counter() - begin < seconds:
            await writer.submit(dict(ALERT))
            stored += 1

    await asyncio.gather(*(send() for _ in range(callers)))
    elapsed = time.perf_counter() - begin
    await writer.close()
    return {
        "commits/s": writer.commits / elapsed,
        "signals/s": stored / elapsed,
        "signals a commit": stored / writer.commits,
    }


def starlette(run: Run, _) -> None:
    """Measures a bare handler of Starlette beside that of Tornado."""
    with running(Process(["-m", "bench.echo", "starlette"], run.folder / "starlette")) as other:
        for senders in SENDERS:
            figures = beside_echo(run, Load(other.port, senders, 1, load.alert()))
            run.add("ceilings", f"Starlette on uvicorn, {senders} senders", "none", figures)
