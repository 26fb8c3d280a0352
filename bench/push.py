"""Measures the time from an alert's POST to its message in a websocket client, and memory.

`python -m bench.push` is the process of the clients. It reads {"port", "clients"} from stdin and
prints `ready`. Then it reads how many alerts were sent, and prints {"readers", "latencies"} when
all of them have arrived, or ten seconds later.
"""

import asyncio
import base64
import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator

from bench import load
from bench.load import Connection, Failed, Load, percentile
from bench.processes import running
from bench.report import Run

CASES = ((1, 10, 10), (100, 50, 60), (1000, 200, 100))  # clients, alerts/s, most ms of the p99
BURST = 1000
LINES = 16
LOGINS = 200
READERS = 20  # clients that read their messages; with all, this process would be the slow part
PATIENCE = 10.0  # seconds to wait for messages that are still on their way
LOOK = 0.05
STAMP = re.compile(rb'"order_comment":"(\d+)"')


class Listeners:
    """Websocket clients in a process of their own."""

    def __init__(self, port: int, clients: int):
        self._process = load.helper("bench.push")
        self._tell({"port": port, "clients": clients})
        if self._process.stdout.readline() != "ready\n":
            raise Failed("the websocket clients could not connect")

    def _tell(self, what) -> None:
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def latencies(self, alerts: int) -> list[float]:
        """The times in ms that each alert took to each reader, sorted. Failed if one is missing."""
        self._tell(alerts)
        told = json.loads(self._process.stdout.readline())
        if len(told["latencies"]) != told["readers"] * alerts:
            raise Failed(
                f"{told['readers']} clients read {len(told['latencies'])} of {alerts} each"
            )
        return sorted(told["latencies"])

    def close(self) -> None:
        """Closes the connections and ends the process."""
        self._process.communicate(timeout=60)


@contextlib.contextmanager
def listening(port: int, clients: int) -> Iterator[Listeners]:
    """Listeners that are closed at the end of the block."""
    listeners = Listeners(port, clients)
    try:
        yield listeners
    finally:
        listeners.close()


async def post(port: int, rate: int, seconds: float, *, anew: bool = False) -> list[float]:
    """Sends alerts at a steady rate, even if answers are late. Returns sorted latencies in ms.

    A latency begins when the alert was due. With `anew`, each alert has a connection of its own, as
    TradingView's alerts have.
    """
    free: asyncio.Queue[Connection] | None = None if anew else asyncio.Queue()
    for _ in range(0 if anew else LINES):
        free.put_nowait(await Connection.open(port))
    begin = time.monotonic()
    tasks = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(_post_one(port, free)))
    return sorted(await asyncio.gather(*tasks))


async def _post_one(port: int, free: asyncio.Queue[Connection] | None) -> float:
    due = time.monotonic_ns()
    connection = await (Connection.open(port) if free is None else free.get())
    stamp = due if free is None else time.monotonic_ns()
    status, _ = await connection.ask(load.alert(order_comment=str(stamp)))
    latency = (time.monotonic_ns() - due) / 1e6
    if free is None:
        connection.close()
    else:
        free.put_nowait(connection)
    if status != 201:
        raise Failed(f"an alert was answered {status}")
    return latency


def burst(run: Run, store) -> None:
    """A bar closes: BURST alerts in one second, each on a new connection, with browsers open."""
    with running(run.serve(store.make())) as ours, listening(ours.port, 100) as listeners:
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
    run.add("bursts", name, store.name, figures, {"slowest ms": ("<=", 250)})


def push_and_memory(run: Run, store) -> None:
    """Measures the push, and memory: at rest, after many alerts, and then with all clients."""
    *small, largest = CASES
    with running(run.serve(store.make())) as ours:
        _memory(run, store, "memory, idle", ours, 60)
        for case in small:
            with listening(ours.port, case[0]) as listeners:
                _push(run, store, listeners, ours.port, case)
        posted = 0
        while posted < run.plan.posted:
            posted += load.run(Load(ours.port, 64, run.plan.seconds, load.alert())).count
        after = f"memory, {run.plan.posted:,} alerts posted"
        _memory(run, store, after, ours)
        with listening(ours.port, largest[0]) as listeners:
            _push(run, store, listeners, ours.port, largest)
            _memory(run, store, f"{after}, {largest[0]:,} clients", ours, 100)


def logins(run: Run, store) -> None:
    """Measures the memory after logins; the hash of each password takes 19 MiB for a moment."""
    with running(run.serve(store.make())) as ours:
        before = ours.memory()
        for _ in range(LOGINS):
            load.token(ours.port)
        after = ours.memory()
    figures = {"MB": after, "grown MB": after - before}
    name = f"memory, {LOGINS} logins"
    run.add("weight", name, store.name, figures, {"grown MB": ("<=", 5)})


def _push(run: Run, store, listeners: Listeners, port: int, case: tuple[int, int, int]) -> None:
    clients, rate, limit = case
    seconds = run.plan.pushing * max(1, 25 / rate)  # longer at a low rate: a p99 needs many values
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


def _memory(run: Run, store, name: str, process, limit: int = 0) -> None:
    targets = {"MB": ("<=", limit)} if limit else {}
    run.add("weight", name, store.name, {"MB": process.memory()}, targets)


class Client(asyncio.Protocol):
    """A websocket client. A reader notes how long each alert took, from the time in its comment."""

    def __init__(self, latencies: list[float] | None, opened: asyncio.Future):
        self._latencies, self._opened = latencies, opened
        self._rest = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
        asked = load.request("GET", "/ws/signals", **upgrade, Sec_WebSocket_Key=key)
        transport.write(asked.encode())

    def data_received(self, data: bytes) -> None:
        if not self._opened.done():
            self._opened.set_result(b" 101 " in data[:20])
        if self._latencies is None:
            return
        now = time.monotonic_ns()
        self._rest += data
        last = 0
        for found in STAMP.finditer(self._rest):
            self._latencies.append((now - int(found[1])) / 1e6)
            last = found.end()
        # The next stamp may be cut in two, so what follows the last whole one is kept.
        self._rest = self._rest[last:][-4096:]


async def listen() -> None:
    """Connects the clients, prints `ready`, waits for the alerts, and prints the latencies."""
    asked = json.loads(sys.stdin.readline())
    loop, latencies, readers = asyncio.get_running_loop(), [], 0
    for number in range(asked["clients"]):
        opened = loop.create_future()
        reads = number % max(1, asked["clients"] // READERS) == 0
        readers += reads
        client = Client(latencies if reads else None, opened)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", asked["port"])
        if not await opened:
            raise RuntimeError("the websocket was refused")
    print("ready", flush=True)
    told = await asyncio.to_thread(sys.stdin.readline)
    if not told:  # nobody asks for the latencies
        return
    sent = int(told)
    for _ in range(int(PATIENCE / LOOK)):
        if len(latencies) >= readers * sent:
            break
        await asyncio.sleep(LOOK)
    print(json.dumps({"readers": readers, "latencies": latencies}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(listen())
