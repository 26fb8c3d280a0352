"""A load generator: raw keep-alive connections, each sending its next request when answered.

As a process it reads a Load as JSON from stdin and writes a Result as JSON to stdout.
"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field

from bench import wrk
from bench.processes import ROOT, clean_environment


@dataclass
class Load:
    """What to send, from how many senders, for how long; `{n}` in the body counts, 9 digits."""

    port: int
    senders: int
    seconds: float
    method: str = "GET"
    path: str = "/"
    body: str = ""
    token: str = ""
    pause: float = 0.0  # seconds between an answer and the next request
    first: int = 0  # where {n} begins

    def request(self, number: int) -> bytes:
        """The bytes of the request with this number."""
        body = self.body.replace("{n}", f"{number:09}").encode()
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        if self.method != "GET":
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Result:
    """Requests per second, latencies in milliseconds, and how often each status was answered."""

    rate: float
    p50: float
    p99: float
    worst: float
    count: int
    statuses: dict[str, int] = field(default_factory=dict)


class Sender(asyncio.Protocol):
    """One connection; tells `answered(status, body)` and is told what to send by `send`."""

    def __init__(self, answered):
        self._answered = answered
        self._buffer = b""
        self._expected: int | None = None
        self._chunked = False
        self._tail = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def send(self, request: bytes) -> None:
        """Sends a request; the one before must have been answered."""
        self._transport.write(request)

    def close(self) -> None:
        """Hangs up."""
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._answered(0, b"")

    def data_received(self, data: bytes) -> None:
        if self._chunked:
            self._end_of_chunks(data)
            return
        self._buffer += data
        if self._expected is None and not self._read_head():
            return
        if not self._chunked and len(self._buffer) >= self._expected:
            body, self._buffer, self._expected = self._buffer, b"", None
            self._answered(self._status, body)

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head, self._buffer = self._buffer[:end].lower(), self._buffer[end + 4 :]
        self._status = int(head[9:12])
        place = head.find(b"content-length:")
        if place >= 0:
            self._expected = int(head[place + 15 :].split(b"\r\n", 1)[0])
            return True
        self._chunked, self._expected = b"chunked" in head, 0
        self._end_of_chunks(self._buffer)
        return True

    def _end_of_chunks(self, data: bytes) -> None:
        self._tail = (self._tail + data)[-5:]
        if self._tail == b"0\r\n\r\n":
            self._buffer, self._tail, self._expected, self._chunked = b"", b"", None, False
            self._answered(self._status, b"")


class Connection:
    """A keep-alive connection with one request after the other."""

    def __init__(self, port: int):
        self._port = port
        self._sender: Sender | None = None
        self._answer: asyncio.Future | None = None

    async def open(self) -> "Connection":
        """Connects; raises OSError."""
        loop = asyncio.get_running_loop()
        _, self._sender = await loop.create_connection(
            lambda: Sender(self._take), "127.0.0.1", self._port
        )
        return self

    def _take(self, status: int, body: bytes) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result((status, body))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """(status, body) of the answer; raises ConnectionError when there is none."""
        self._answer = asyncio.get_running_loop().create_future()
        self._sender.send(request)
        status, body = await self._answer
        if status == 0:
            raise ConnectionResetError
        return status, body

    def close(self) -> None:
        """Hangs up."""
        self._sender.close()


def percentile(values: list[float], share: float) -> float:
    """The value that this share of the sorted values stays below."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


async def generate(load: Load) -> Result:
    """Runs a load to its end; the first tenth of the time is not counted."""
    clock, latencies, statuses = time.perf_counter, [], {}
    numbers = iter(range(load.first, 10**9))
    begin = clock() + load.seconds / 10
    end = clock() + load.seconds

    async def send() -> None:
        connection = await Connection(load.port).open()
        while (started := clock()) < end:
            status, _ = await connection.ask(load.request(next(numbers)))
            now = clock()
            if started >= begin:
                latencies.append(1000 * (now - started))
                statuses[str(status)] = statuses.get(str(status), 0) + 1
            if load.pause:
                await asyncio.sleep(load.pause)
        connection.close()

    await asyncio.gather(*(send() for _ in range(load.senders)))
    elapsed, latencies = clock() - begin, sorted(latencies)
    return Result(
        rate=len(latencies) / elapsed,
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        worst=latencies[-1] if latencies else 0.0,
        count=len(latencies),
        statuses=statuses,
    )


def start(load: Load) -> subprocess.Popen:
    """Begins a load in a process of its own; `finish` waits for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(json.dumps(asdict(load)))
    process.stdin.close()
    return process


def finish(process: subprocess.Popen) -> Result:
    """The result of a load that was started."""
    answer = process.stdout.read()
    if process.wait(30):
        raise ConnectionError("the load broke off: an answer did not come")
    return Result(**json.loads(answer))


def run(load: Load) -> Result:
    """A load's result, from a process of its own: wrk where it is installed."""
    return Result(**wrk.run(load)) if wrk.installed() else finish(start(load))


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(generate(Load(**json.load(sys.stdin)))))))
