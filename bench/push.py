"""Push: from the first byte of an alert's POST to its message in a websocket client."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from bench import data
from bench.load import Connection, Load, percentile
from bench.processes import ROOT, Process, clean_environment, running, server

SECONDS = 8.0
CASES = ((1, 10, "10"), (100, 50, "60"), (1000, 200, "100"))
HEAD = (
    "| clients | alerts/s | push p50 ms | push p99 ms | target p99 | POST p50 ms | POST p99 ms |\n"
    "|---|---|---|---|---|---|---|"
)


async def post(port: int, rate: int, seconds: float) -> list[float]:
    """Posts at a steady rate, whatever the answers take: the POSTs' latencies in ms."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(16):
        free.put_nowait(await Connection(port).open())
    latencies: list[float] = []

    async def one() -> None:
        connection = await free.get()
        stamp = time.monotonic_ns()
        body = json.dumps({**data.ALERT, "order_comment": str(stamp)})
        status, _ = await connection.ask(Load(port, 1, 0, "POST", "/v3/webhook", body).request(0))
        latencies.append((time.monotonic_ns() - stamp) / 1e6)
        free.put_nowait(connection)
        if status != 201:
            raise RuntimeError(f"an alert was answered {status}")

    begin = time.monotonic()
    tasks = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    return latencies


def measure(process: Process, clients: int, rate: int, target: str) -> str:
    """One row of the table."""
    listeners = subprocess.Popen(
        [sys.executable, "-m", "bench.listen"],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    asked = {"port": process.port, "clients": clients, "seconds": SECONDS + 2}
    listeners.stdin.write(json.dumps(asked) + "\n")
    listeners.stdin.flush()
    if listeners.stdout.readline() != "ready\n":
        raise RuntimeError("the clients could not connect")
    posted = sorted(asyncio.run(post(process.port, rate, SECONDS)))
    pushed = sorted(json.loads(listeners.communicate(timeout=60)[0]))
    readers = len(range(0, clients, max(1, clients // 20)))
    if len(pushed) != readers * len(posted):
        raise RuntimeError(f"{len(pushed)} messages came, {readers * len(posted)} were sent")
    return (
        f"| {clients:,} | {rate} | {percentile(pushed, 0.5):.1f} | {percentile(pushed, 0.99):.1f} "
        f"| {target} | {percentile(posted, 0.5):.1f} | {percentile(posted, 0.99):.1f} |"
    )


def run(folder: Path) -> None:
    """Prints the table."""
    print("\n### Push\n\n" + HEAD)
    with running(server(data.make(folder / "push.db", 0))) as process:
        for case in CASES:
            print(measure(process, *case), flush=True)
        print(f"\n- Memory after that: {process.memory():.0f} MB.", flush=True)
