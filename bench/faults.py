"""Does to a running server what happens to machines; says what is promised and what was seen.

`python -m bench.faults` does all of it, `python -m bench.faults locked clock` only these. A fault
comes while alerts are sent and a browser listens; an alert that was not stored is sent again. At
the end every alert must be stored once, with the rowid of its answer, and the browser must have
heard of every event once and in order. With QUICK=1 a minute lasts 5 s.
The exit code is 1 if a promise was broken. File systems that fill up or turn read-only need root,
the clock needs a C compiler; without them these faults are left out.
"""

import asyncio
import contextlib
import http.client
import json
import logging
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from unittest import mock

from bench import data
from bench.kill import stored
from bench.load import ALERT
from bench.processes import SERVER, Process, compiled, running, scratch
from database.kinds import WRITE_LOCK
from tests.deploy import places
from tests.several import Browser, Senders, Servers, apis
from tests.shell import shell
from tests.storage import EmbeddedServer, PostgresServer

QUICK = bool(os.environ.get("QUICK"))
MINUTE = 5 if QUICK else 60
ALERTS = 60  # answered before and after each fault
SOCKETS = 2_000 if QUICK else 10_000
LEFT = {  # what is sent on them
    "nothing": b"",
    "half a head": b"POST /v3/webhook HTTP/1.1\r\nHost: x\r\n",
    "half a body": b"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
}
HOUR = 3600
AGE = 15  # minutes that an entry may wait
MOST_LEFT = 60 * AGE + 60  # seconds; the clocks of several machines may differ by a minute
READS = ("/v3/signals/5", "/v3/signals/0", "/v3/signals/status/waiting/0", "/healthz")


class Left(Exception):
    """The fault cannot be made here; the text says why."""


class Desk:
    """A server, those who send it alerts, and a browser that listens to it."""

    def __init__(self, folder: Path, url: str, **settings):
        self.servers = Servers(url, folder, 1, **settings)
        [self.port] = self.servers.ports
        [self.api] = apis([self.port])
        self.reads: Counter[int] = Counter()  # statuses of reads

    async def begin(self) -> None:
        """Sends and listens from now on."""
        await self.api.register_stock("AAPL")
        self.token = await self.api.token()
        self._browser = Browser(self.port, self.token)
        line = await self._browser.connect()
        self._first = self._browser.hello["event"]
        self._tasks = [
            asyncio.ensure_future(self._browser.stay(line)),
            asyncio.ensure_future(self._read()),
        ]
        self.senders = Senders([self.api])
        await self.senders.until(ALERTS)

    async def _read(self) -> None:
        while True:
            for path in READS:
                with contextlib.suppress(OSError):
                    self.reads[(await self.api.get(path, token=self.token)).status] += 1
                await asyncio.sleep(0.05)

    async def until(self, *statuses: int) -> float:
        """Waits until an alert is answered with one of these; returns the seconds."""
        begun, last = time.monotonic(), None
        while last not in statuses:
            await asyncio.wait_for(self.senders.until(1), 60)
            assert time.monotonic() < begun + 120, f"no alert was answered {statuses}"
            last = self.senders.answers[-1][0]
        return time.monotonic() - begun

    async def end(self) -> str:
        """Stops, and says what was stored. Raises AssertionError if a promise was broken."""
        await self.senders.until(ALERTS)
        await self.senders.stop()
        answer = await self.api.get("/v3/signals/0", token=await self.api.token())
        self.senders.check(answer.json["signals"])
        events = await self._events()
        await self._browser.until(events[-1])
        assert self._browser.events == events, "the browser did not hear each event once in order"
        for task in self._tasks:
            task.cancel()
        assert await asyncio.to_thread(self.servers.end) == [0], "it did not stop as it should"
        assert "Traceback" not in self.servers.logs(), self.servers.logs()[-3000:]
        refused = sum(status == 503 for status, *_ in self.senders.answers)
        return f"{self.senders.count:,} alerts stored once, {refused:,} times 503 before"

    async def _events(self) -> list[int]:
        ids, token = [self._first], await self.api.token()
        while True:
            path = f"/v3/events?after={ids[-1]}&limit=1000"
            found = (await self.api.get(path, token=token)).json["events"]
            if not found:
                return ids[1:]
            ids += [event["id"] for event in found]

    async def ready(self) -> str:
        """What /readyz says, once what it said a moment ago is forgotten."""
        await asyncio.sleep(2)
        answer = await self.api.get("/readyz")
        return answer.json.get("status") or answer.json["message"]


@contextlib.contextmanager
def mounted(folder: Path, *what: str) -> Iterator[Path]:
    """A file system for the block: `what` are the arguments of mount."""
    if os.geteuid():
        raise Left("only root can mount")
    place = folder / "disk"
    place.mkdir()
    run("mount", *what, str(place))
    try:
        yield place
    finally:
        run("umount", str(place))


def run(*command: str, fails: int = 1) -> str:
    """Runs a command; returns its output. Raises Left if its exit code is `fails` or more."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode >= fails:
        raise Left(f"{command[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


# --- disks ---------------------------------------------------------------------------------


def fill(file: Path) -> None:
    """Fills the file system of this file."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as rest:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    rest.write(b"x" * size)


async def full(folder: Path) -> str:
    """A disk that is full: 503 with Retry-After, reads go on; free again: all goes on by itself."""
    with mounted(folder, "-t", "tmpfs", "-o", "size=24m", "none") as disk:
        desk = Desk(disk, f"sqlite:///{disk}/pairs.db")  # its log fills the disk too
        await desk.begin()
        took = []
        for _ in range(2):
            fill(disk / "rest")
            await desk.until(503)
            assert "cannot be written" in (told := await desk.ready())
            backup = shell("backup", disk / "b.jsonl", "--database", f"sqlite:///{disk}/pairs.db")
            assert (backup.returncode, backup.stderr.count("\n")) == (1, 1), backup.stderr
            (disk / "rest").unlink()
            took.append(await desk.until(200, 201))
            await desk.senders.until(ALERTS)
        assert not list(disk.glob("b.jsonl*")), "half a backup was left"
        assert set(desk.reads) == {200}, desk.reads
        end = await desk.end()
    return f"twice; {end}; stored again {max(took):.1f} s after; /readyz: {told}"


async def full_postgresql(folder: Path) -> str:
    """PostgreSQL's disk is full, and free again: as above."""
    with mounted(folder, "-t", "tmpfs", "-o", "size=150m", "none") as disk:
        with mock.patch("tempfile.tempdir", str(disk)):
            embedded = EmbeddedServer()
        try:
            with PostgresServer(embedded.url).empty() as url:
                desk = Desk(folder, url)
                await desk.begin()
                fill(disk / "rest")
                await desk.until(503)
                (disk / "rest").unlink()
                took = await desk.until(200, 201)
                end = await desk.end()
        finally:
            embedded.close()
    return f"{end}; stored again {took:.1f} s after"


async def read_only(folder: Path) -> str:
    """A disk that turns read-only: 503, reads go on; mended and mounted: nothing is lost."""
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(48 << 20)
    run("mkfs.ext4", "-q", str(image))
    with contextlib.ExitStack() as disks:
        disk = disks.enter_context(mounted(folder, "-o", "loop", str(image)))
        desk = Desk(folder, f"sqlite:///{disk}/pairs.db")
        await desk.begin()
        run("mount", "-o", "remount,abort", str(disk))  # what ext4 does after an error
        await desk.until(503)
        told, reads = await desk.ready(), dict(desk.reads)
        code = await asyncio.to_thread(desk.servers.stop, desk.port, signal.SIGTERM)
        check = shell("--port", "0", "--database", f"sqlite:///{disk}/pairs.db")
        assert (check.returncode, check.stderr.count("cannot be used")) == (2, 1), check.stderr
        run("umount", str(disk))
        run("e2fsck", "-fy", str(image), fails=4)  # 1 and 2 say that it was mended
        run("mount", "-o", "loop", str(image), str(disk))
        await asyncio.to_thread(desk.servers.start, desk.port)
        await desk.until(200, 201)
        end = await desk.end()
    assert set(reads) == {200}, reads
    return f"{end}; exit code {code}; /readyz: {told}; a start on it: one sentence"


# --- the database ----------------------------------------------------------------------------


async def locked(folder: Path) -> str:
    """The database is locked for a minute: 503 with Retry-After within 3 s, reads go on."""
    file = folder / "locked.db"
    desk = Desk(folder, f"sqlite:///{file}")
    await desk.begin()
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        return await _hold(desk, lambda: other.execute("ROLLBACK"))


async def locked_postgresql(folder: Path) -> str:
    """The same on PostgreSQL."""
    with data.postgres() as store:
        desk = Desk(folder, url := store.new())
        await desk.begin()
        with contextlib.closing(store._server.outside(url)) as other:
            other.cursor().execute(f"BEGIN; SELECT pg_advisory_xact_lock({WRITE_LOCK})")
            return await _hold(desk, lambda: other.cursor().execute("ROLLBACK"))


async def _hold(desk: Desk, release) -> str:
    await desk.until(503)
    desk.reads.clear()
    waits, until = [], time.monotonic() + MINUTE
    while time.monotonic() < until:
        begun = time.monotonic()
        assert (await desk.api.alert(ticker="AAPL", alert_id="one more")).status == 503
        waits.append(time.monotonic() - begun)
    reads = desk.reads.copy()
    release()
    took = await desk.until(200, 201)
    end = await desk.end()
    assert set(reads) == {200}, reads
    # The slowest also depends on what else the machine does; it is shown.
    assert median(waits) < 3, "TradingView waits 3 s"
    return (
        f"{MINUTE} s; {end}; refused within {max(waits):.1f} s; {reads.total():,} reads "
        f"meanwhile, all 200; stored again {took:.1f} s after"
    )


class Gate:
    """A port in front of PostgreSQL: while it is closed, nobody listens there."""

    def __init__(self, path: str):
        self.port = 0
        self._path, self._writers = path, []

    async def open(self) -> None:
        """Listens, from the second time on at the same port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Cuts all connections and listens no more."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, near, answer) -> None:
        far, ask = await asyncio.open_unix_connection(self._path)
        self._writers += [answer, ask]
        await asyncio.gather(_carry(near, ask), _carry(far, answer))


async def _carry(reader, writer) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def failover(folder: Path) -> str:
    """PostgreSQL goes to an empty port and comes back, twice: 503, then all goes on by itself."""
    embedded = EmbeddedServer()
    gate = Gate(embedded.socket)
    await gate.open()
    try:
        commands = PostgresServer(embedded.url)
        name = commands.create()
        url = f"postgresql://postgres@127.0.0.1:{gate.port}/{name}"
        desk = await asyncio.to_thread(Desk, folder, url)
        await desk.begin()
        took, waits = [], []
        for _ in range(2):
            gate.close()
            waits.append(await desk.until(503))
            await asyncio.sleep(MINUTE / 4)
            await gate.open()
            took.append(await desk.until(200, 201))
            await desk.senders.until(ALERTS)
        end = await desk.end()
    finally:
        gate.close()
        embedded.close()
    return f"{end}; the first 503 after {max(waits):.1f} s, stored {max(took):.1f} s after"


# --- the clock ------------------------------------------------------------------------------


class Clock:
    """The clock of processes that are started within `with`: it is wrong by `shift` seconds."""

    def __init__(self, folder: Path):
        if not shutil.which("gcc"):
            raise Left("gcc is missing")
        self._file, library = folder / "shift", compiled(folder, "shifted_clock")
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "SHIFT": str(self._file)}

    def set(self, shift: int) -> None:
        """Sets it, also for processes that run."""
        with self._file.open("r+b" if self._file.exists() else "wb", buffering=0) as file:
            file.write(shift.to_bytes(8, sys.byteorder, signed=True))


async def clock(folder: Path) -> str:
    """The clock is an hour ahead, right, behind, right: order holds, no entry waits too long."""
    shifted = Clock(folder)
    with mock.patch.dict(os.environ, shifted.environment):
        desk = Desk(folder, f"sqlite:///{folder}/clock.db", entry_minutes=AGE)
    await desk.begin()
    took, logins = [], []
    for wrong in (HOUR, 0, -HOUR, 0):
        shifted.set(wrong)
        begun = time.monotonic()
        while not all(0 < left <= MOST_LEFT for left in _left(folder / "clock.db", wrong)):
            assert time.monotonic() < begun + 60, "an entry may be traded for too long"
            await asyncio.sleep(0.2)
        took.append(time.monotonic() - begun)
        answer = await desk.api.get("/v3/events?limit=1", token=desk.token)
        logins.append(f"{wrong // 60:+} min {answer.json.get('error', 'valid')}")
        await desk.senders.until(ALERTS)
    end = await desk.end()
    return f"{end}; entries canceled within {max(took):.1f} s; first login: {', '.join(logins)}"


def _left(file: Path, wrong: int) -> list[float]:
    """For how many seconds the signals that wait are still offered."""
    with contextlib.closing(sqlite3.connect(file)) as opened:
        found = opened.execute("SELECT expires FROM signal WHERE order_status = 'waiting'")
        ends = [datetime.fromisoformat(f"{expires}+00:00").timestamp() for (expires,) in found]
    return [end - time.time() - wrong for end in ends]


# --- sockets ---------------------------------------------------------------------------------


async def sockets(folder: Path) -> str:
    """10,000 sockets (QUICK: 2,000) are opened and left, with room and without: alerts go on."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < SOCKETS + 1000:
        raise Left(f"this user may open {most:,} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    told = []
    for files in (most, 1024):

        def bound(files: int = files) -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        for what, sent in LEFT.items():
            database = data.make(folder / f"{files}-{len(sent)}.db", 0)
            command = [SERVER, "--port", 0, "--database", f"sqlite:///{database}"]
            with running(Process(command, folder / "log", preexec_fn=bound)) as process:
                before = process.memory()
                left, slowest = await asyncio.to_thread(_leave, process.port, sent)
                grown = process.memory() - before
                for each in left:
                    each.close()
            assert slowest < 3, "TradingView waits 3 s"
            assert len(stored(database)) == SOCKETS // 100
            told.append(
                f"room for {files:,}, {what} sent: slowest {slowest:.2f} s, {grown:+.0f} MB"
            )
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    return f"{SOCKETS // 100} alerts each. " + "; ".join(told)


def _leave(port: int, sent: bytes) -> tuple[list[socket.socket], float]:
    """Opens sockets; after each hundredth sends an alert on a connection of its own."""
    left, slowest = [], 0.0
    for number in range(1, SOCKETS + 1):
        left.append(socket.create_connection(("127.0.0.1", port)))
        with contextlib.suppress(OSError):
            left[-1].sendall(sent)
        if number % 100 == 0:
            begun = time.monotonic()
            while not _stored(port):
                pass
            slowest = max(slowest, time.monotonic() - begun)
    return left, slowest


def _stored(port: int) -> bool:
    """Sends an alert: whether it was stored. False if the connection was closed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("POST", "/v3/webhook", json.dumps(ALERT))
        return connection.getresponse().status == 201
    return False


# --- an upgrade --------------------------------------------------------------------------------


async def upgrade(folder: Path) -> str:
    """`kill -9` in the middle of each step of `make upgrade`: alerts go on; run again, it ends."""
    origin, place = folder / "origin", folder / "site"
    places.make_repository(origin)
    port = places.clone(origin, place)
    with places.supervised(place, port):
        [api] = apis([port])
        await api.register_stock("AAPL")
        senders = Senders([api], 1)
        release(origin, 0)
        steps = await asyncio.to_thread(run_upgrade, place)
        told = []
        for number in range(0, len(steps), 6 if QUICK else 1):
            release(origin, number + 1)
            await asyncio.to_thread(run_upgrade, place, number, steps[number][1] / 2)
            await senders.until(ALERTS)
            await asyncio.to_thread(run_upgrade, place)
            at = [places.git(each, "rev-parse", "HEAD") for each in (place, origin)]
            assert at[0] == at[1]
            await senders.until(ALERTS)
            told.append(steps[number][0])
        await senders.stop()
        answer = await api.get("/v3/signals/0", token=await api.token())
        senders.check(answer.json["signals"])
    assert not list((place / "backups").glob("*.part")), "half a backup was left"
    return f"{senders.count:,} alerts stored once; killed in: {', '.join(told)}"


def release(origin: Path, number: int) -> None:
    """Commits a next version."""
    with (origin / "CHANGELOG.md").open("a") as file:
        file.write(f"\n{number}\n")
    places.git(origin, *places.COMMIT, "-m", f"Release {number}")


def run_upgrade(
    place: Path, until: int | None = None, pause: float = 0.0
) -> list[tuple[str, float]]:
    """Runs `make upgrade`; returns (what it says, seconds) of each step.

    With `until` it is killed `pause` seconds after it begins the step with this number.
    """
    process = places.upgrading(place, errors=subprocess.STDOUT)
    begun: list[tuple[str, float]] = []
    said = ""
    for line in process.stdout:
        said += line
        if line.endswith("...\n"):
            begun.append((line.removesuffix(" ...\n"), time.monotonic()))
            if len(begun) - 1 == until:
                time.sleep(pause)
                os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    assert (code == 0) is (until is None), said
    ends = [moment for _, moment in begun[1:]] + [time.monotonic()]
    return [(what, end - moment) for (what, moment), end in zip(begun, ends, strict=True)]


FAULTS = (
    *(full, full_postgresql, read_only, locked, locked_postgresql, failover),
    *(clock, sockets, upgrade),
)


def main(names: list[str]) -> int:
    """Prints the table. Returns 1 if a promise was broken."""
    logging.getLogger("pairs").setLevel(logging.ERROR)  # no warning "demo" for each new database
    broken = 0
    print("| fault | promised | seen |\n|---|---|---|")
    for fault in FAULTS:
        if names and fault.__name__ not in names:
            continue
        promised = fault.__doc__.strip()
        with scratch() as folder:
            try:
                seen = asyncio.run(fault(folder))
            except Left as why:
                seen = f"left out: {why}"
            except Exception as problem:  # noqa: BLE001 the others are tried too
                traceback.print_exc()
                seen, broken = f"**BROKEN**: {problem!r}", 1
        print(f"| `{fault.__name__}` | {promised} | {seen} |", flush=True)
    return broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
