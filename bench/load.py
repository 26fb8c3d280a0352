"""A load generator: each connection sends its next request after it has an answer.

`wrk` sends the load if it is installed, else `python -m bench.load`, which reads a Load as JSON
from stdin and writes its Result as JSON to stdout.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field

from bench.processes import ROOT, clean_environment

NUMBER = "0" * 9  # in the text of a request; it is replaced by the number of the request
PASSPHRASE = "webhook"
ALERT = {
    "passphrase": PASSPHRASE,
    "ticker": "NMFC-0.72*NASDAQ:ROIC",
    "order_action": "buy",
    "order_contracts": 100,
    "order_price": -0.01,
    "mar_pos": "long",
    "mar_pos_size": 100,
    "pre_mar_pos": "flat",
    "pre_mar_pos_size": 0,
    "order_comment": f"Enter Long {NUMBER}",
}
LAST_CHUNK = b"0\r\n\r\n"
SCRIPT = """
local parts, number = {{{parts}}}, {first}
request = function()
  number = number + 1
  return table.concat(parts, string.format("%09d", number))
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{{"seconds":%f,"count":%d,"failed":%d,"p50":%f,"p99":%f,"worst":%f}}',
    summary.duration / 1e6, summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
"""


class Failed(RuntimeError):
    """A server gave a wrong answer, or something was lost. The exit code of the run is not 0."""


def request(method: str, path: str, body: dict | None = None, token: str = "", **headers) -> str:
    """The text of an HTTP request. A `_` in the name of a header is sent as `-`."""
    text = json.dumps(body) if body else ""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
    return "\r\n".join([*lines, "", text])


def alert(**fields) -> str:
    """The request that sends an alert of a registered pair."""
    return request("POST", "/v3/webhook", ALERT | fields)


@dataclass
class Load:
    """What to send, from how many senders, and for how many seconds (whole, as wrk needs it)."""

    port: int
    senders: int
    seconds: float
    request: str
    pause: float = 0.0  # seconds between an answer and the next request; wrk ignores it
    first: int = 0  # number of the first request
    anew: bool = False  # a connection for each request, which the sender closes, as TradingView


@dataclass
class Result:
    """Requests per second, latencies in milliseconds, and how many answers had each status."""

    rate: float
    p50: float
    p99: float
    worst: float
    count: int
    statuses: dict[str, int] = field(default_factory=dict)


class Connection(asyncio.Protocol):
    """A keep-alive connection with one request after the other."""

    def __init__(self):
        self._answer: asyncio.Future | None = None
        self._forget()

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connects; raises OSError."""
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(cls, "127.0.0.1", port))[1]

    async def ask(self, request: str) -> tuple[int, bytes]:
        """Sends a request; returns (status, body) of the answer. A chunked body is left out.

        Raises ConnectionError if there is no answer.
        """
        if self._transport.is_closing():
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request.encode())
        return await self._answer

    def close(self) -> None:
        """Closes the connection."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._status and not self._read_head():
            return
        if self._chunked:
            self._buffer = self._buffer[-5:]
        if self._buffer == LAST_CHUNK if self._chunked else len(self._buffer) >= self._length:
            if not self._answer.done():
                self._answer.set_result((self._status, b"" if self._chunked else self._buffer))
            self._forget()

    def _read_head(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        head, self._buffer = head.lower(), rest
        self._status, self._chunked = int(head[9:12]), b"chunked" in head
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        self._length = int(length or 0)
        return True

    def _forget(self) -> None:
        self._buffer, self._status, self._length, self._chunked = b"", 0, 0, False


def ask(port: int, asked: str) -> tuple[int, bytes]:
    """Sends one request on a connection of its own; returns as `Connection.ask`."""

    async def sent() -> tuple[int, bytes]:
        connection = await Connection.open(port)
        return await connection.ask(asked)

    return asyncio.run(sent())


def token(port: int) -> str:
    """An access token of the demo's administrator."""
    login = {"username": "admin", "password": "123", "expire": 1440}
    status, answer = ask(port, request("POST", "/v3/login", login))
    if status != 200:
        raise Failed(f"the login was answered {status}")
    return json.loads(answer)["access_token"]


def percentile(values: list[float], share: float) -> float:
    """The percentile of sorted values; a share of 0.99 is the p99. Returns 0 for an empty list."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


async def generate(load: Load) -> Result:
    """Sends a load; returns the result of all answers that came after a tenth of the time."""
    clock, latencies, statuses = time.perf_counter, [], {}
    parts, numbers = load.request.split(NUMBER), iter(range(load.first, 10**9))
    begin = clock() + load.seconds / 10
    end = clock() + load.seconds

    async def send() -> None:
        connection = None
        while (started := clock()) < end:
            connection = connection or await Connection.open(load.port)
            status, _ = await connection.ask(f"{next(numbers):09}".join(parts))
            now = clock()
            if load.anew:
                connection.close()
                connection = None
            if now >= begin:
                latencies.append(1000 * (now - started))
                statuses[str(status)] = statuses.get(str(status), 0) + 1
            if load.pause:
                await asyncio.sleep(load.pause)
        if connection:
            connection.close()

    await asyncio.gather(*(send() for _ in range(load.senders)))
    elapsed, count = clock() - begin, len(latencies)
    latencies.sort()
    p50, p99, worst = (percentile(latencies, share) for share in (0.5, 0.99, 1))
    return Result(count / elapsed, p50, p99, worst, count, statuses)


def with_wrk(load: Load) -> Result:
    """Sends a load with wrk, which needs less of the processor; returns the result."""
    parts = [
        "".join(f"\\{byte:03}" for byte in each.encode()) for each in load.request.split(NUMBER)
    ]
    script = SCRIPT.format(parts=", ".join(f'"{each}"' for each in parts), first=load.first)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        connections, seconds = str(load.senders), f"{load.seconds:.0f}s"
        command = ["wrk", "-t1", "-c", connections, "-d", seconds, "--timeout", "30s"]
        command += ["-s", file.name, f"http://127.0.0.1:{load.port}/"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    count, failed = told["count"], told.pop("failed")
    statuses = {"2xx": count - failed} | ({"failed": failed} if failed else {})
    return Result(rate=count / told.pop("seconds"), statuses=statuses, **told)


def start(load: Load) -> subprocess.Popen:
    """Starts a load in a process of its own; `finish` waits for it."""
    process = helper("bench.load")
    process.stdin.write(json.dumps(asdict(load)))
    process.stdin.close()
    return process


def helper(module: str) -> subprocess.Popen:
    """Runs a module of the benchmarks as a process, with pipes to its stdin and stdout."""
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> Result:
    """Waits for a load and returns its result. Raises Failed if a status is not 200 or 201."""
    answer = process.stdout.read()
    if process.wait(30):
        raise ConnectionError("the load broke off: an answer did not come")
    return _checked(Result(**json.loads(answer)))


def run(load: Load) -> Result:
    """Sends a load and returns its result. Raises Failed if a status is not 200 or 201."""
    has_wrk = shutil.which("wrk") and not load.anew
    return _checked(with_wrk(load)) if has_wrk else finish(start(load))


def _checked(result: Result) -> Result:
    if set(result.statuses) - {"200", "201", "2xx"} or not result.count:
        raise Failed(f"a load was answered {result.statuses}")
    return result


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(generate(Load(**json.load(sys.stdin)))))))
