"""Push: from the first byte of an alert's POST to its message in a websocket client."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator

from bench import data
from bench.load import Connection, Load, percentile
from bench.processes import ROOT, clean_environment, running, serving
from bench.run import Failed, Run

CASES = ((1, 10, 10), (100, 50, 60), (1000, 200, 100))
BURST = 1000
LINES = 16


class Listeners:
    """Websocket clients in a process of their own."""

    def __init__(self, port: int, clients: int):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.listen"],
            cwd=ROOT,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell({"port": port, "clients": clients})
        if self._process.stdout.readline() != "ready\n":
            raise Failed("the websocket clients could not connect")

    def _tell(self, what) -> None:
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def latencies(self, alerts: int) -> list[float]:
        """How long each alert took to each client that reads, in ms; raises Failed if any lacks."""
        self._tell(alerts)
        told = json.loads(self._process.stdout.readline())
        if len(told["latencies"]) != told["readers"] * alerts:
            raise Failed(
                f"{told['readers']} clients read {len(told['latencies'])} of {alerts} each"
            )
        return sorted(told["latencies"])

    def close(self) -> None:
        """Hangs up."""
        self._process.communicate(timeout=60)


@contextlib.contextmanager
def listening(port: int, clients: int) -> Iterator[Listeners]:
    """Listeners for the block."""
    listeners = Listeners(port, clients)
    try:
        yield listeners
    finally:
        listeners.close()


async def post(port: int, rate: int, seconds: float, *, anew: bool = False) -> list[float]:
    """Posts at a steady rate, whatever the answers take: the POSTs' latencies in ms, sorted.

    They count from when each was due. `anew`: each on a connection of its own, as strangers come.
    """
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(LINES):
        free.put_nowait(await Connection(port).open())
    latencies: list[float] = []

    async def one() -> None:
        due = stamp = time.monotonic_ns()
        connection = await (Connection(port).open() if anew else free.get())
        if not anew:
            stamp = time.monotonic_ns()
        body = json.dumps({**data.ALERT, "order_comment": str(stamp)})
        status, _ = await connection.ask(Load(port, 1, 0, "POST", "/v3/webhook", body).request(0))
        latencies.append((time.monotonic_ns() - due) / 1e6)
        if anew:
            connection.close()
        else:
            free.put_nowait(connection)
        if status != 201:
            raise Failed(f"an alert was answered {status}")

    begin = time.monotonic()
    tasks = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    return sorted(latencies)


def measure(run: Run, store, listeners: Listeners, port: int, case: tuple[int, int, int]) -> None:
    """Adds one row of the table."""
    clients, rate, limit = case
    seconds = run.plan.pushing * max(1, 25 / rate)  # the p99 of few is the worst of them
    posted = asyncio.run(post(port, rate, seconds))
    pushed = listeners.latencies(len(posted))
    figures = {
        "push p50 ms": percentile(pushed, 0.5),
        "push p99 ms": percentile(pushed, 0.99),
        "POST p50 ms": percentile(posted, 0.5),
        "POST p99 ms": percentile(posted, 0.99),
    }
    name = f"{clients:,} clients, {rate} alerts/s"
    run.add("push", name, store.name, figures, {"push p99 ms": ("<=", limit)})


def burst(run: Run, store) -> None:
    """A bar closes: all alerts within one second, each on a new connection, browsers connected."""
    with (
        running(run.serve(store.make(), command=serving)) as ours,
        listening(ours.port, 100) as listeners,
    ):
        posted = asyncio.run(post(ours.port, BURST, 1, anew=True))
        pushed = listeners.latencies(BURST)
        figures = {
            "alerts": len(posted),
            "p50 ms": percentile(posted, 0.5),
            "p99 ms": percentile(posted, 0.99),
            "slowest ms": posted[-1],
            "push p99 ms": percentile(pushed, 0.99),
        }
        name = f"{BURST:,} alerts in one second, 100 clients"
        run.add("bursts", name, store.name, figures, {"slowest ms": ("<=", 1000)})
