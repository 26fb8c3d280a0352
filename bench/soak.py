"""A long run of everything at once; now and then a server process is killed or stopped.

`python -m bench.soak 30` (minutes) runs two server processes on one PostgreSQL, senders that repeat
what was not stored, the bridge's polls and reports, and browsers that connect again. The report
says what was lost, doubled, out of order or refused, and how memory and open files changed. With
`--sqlite` there is one process.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import signal
import statistics
import sys
import time
from datetime import UTC, datetime

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from bench import data, report
from bench.load import ALERT, PASSPHRASE, token
from bench.processes import scratch
from tests.several import Servers

SENDERS, PER_SECOND, BROWSERS = 8, 12, 50
EVENT = re.compile(r'"event":(\d+)')
RESTARTS = 6
SAMPLE = 10.0
WRONG = "browsers that saw anything but each event once in order"
AWAY = (OSError, HTTPClientError, asyncio.TimeoutError)


class Soak:
    """The clients of the run, and what they did and saw."""

    def __init__(self, servers: Servers, seconds: float):
        self.servers = servers
        self.ends = time.monotonic() + seconds
        self.sent: dict[str, int] = {}
        self.faults: list[str] = []
        self.again = self.polls = self.reports = self.restarts = 0
        self.samples: list[tuple[int, float, float, int]] = []
        self._client = AsyncHTTPClient(force_instance=True, max_clients=200)
        self._random = random.Random(7)

    async def call(self, method: str, path: str, body=None, token="") -> tuple:
        """Calls one of the servers; returns (status, JSON), with status 0 if there is no answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self._random.choice(self.servers.ports)}{path}"
        sent = None if body is None else json.dumps(body)
        request = HTTPRequest(url, method, headers, sent, request_timeout=20)
        try:
            answer = await self._client.fetch(request, raise_error=False)
        except AWAY:
            return 0, None
        if answer.code == 599:
            return 0, None
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        if answer.code >= 500 and answer.code != 503:
            self.faults.append(f"{method} {path}: {answer.code}")
        return answer.code, json.loads(answer.body) if is_json else None

    async def send(self, number: int) -> None:
        """A sender: it sends each alert until it is answered as stored, then the next one."""
        count = 0
        while time.monotonic() < self.ends:
            alert_id = f"{number}-{count}"
            while True:
                alert = ALERT | {"alert_id": alert_id}
                status, answer = await self.call("POST", "/v3/webhook", alert)
                if status in (200, 201):
                    self.sent[alert_id] = answer["rowid"]
                    break
                if status not in (0, 503):
                    self.faults.append(f"alert {alert_id}: {status}")
                self.again += 1
                await asyncio.sleep(0.2)
            count += 1
            await asyncio.sleep(SENDERS / PER_SECOND * 2 * self._random.random())

    async def bridge(self) -> None:
        """The bridge: it polls, places orders for waiting signals, and reports the fills."""
        order = 1000
        while time.monotonic() < self.ends:
            status, answer = await self.call("GET", "/v3/signals/status/waiting/0")
            self.polls += 1
            for signal_ in answer["signals"] if status == 200 else ():
                order += 2
                await self._trade(signal_, order)
            await asyncio.sleep(0.2)

    async def _trade(self, waiting: dict, order: int) -> None:
        legs = [(order, "NMFC", 12.5, 10.0), (order + 1, "ROIC", 14.2, 7.0)]
        placed = {"order_status": "created", "order_id1": order, "order_id2": order + 1}
        calls = [("/v3/webhook", {**waiting, **placed})]
        for order_id, symbol, price, quantity in legs:
            fill = {"order_id": str(order_id), "symbol": symbol, "price": price}
            calls.append(("/v3/signal/updateorder", {**fill, "filled_qty": quantity}))
        for path, body in calls:
            body["passphrase"] = PASSPHRASE
            await self._put(path, body)

    async def _put(self, path: str, body: dict) -> None:
        while time.monotonic() < self.ends:
            if (await self.call("PUT", path, body))[0] == 200:
                self.reports += 1
                return
            await asyncio.sleep(0.2)

    async def browse(self, port: int, token: str, seen: list[int]) -> None:
        """A browser: it notes the ids of the events it sees, and connects again until the end."""
        headers = {"Authorization": f"Bearer {token}"}
        while True:
            url = f"ws://127.0.0.1:{port}/ws/signals?after={seen[-1] if seen else 0}"
            try:
                socket = await websocket_connect(HTTPRequest(url, headers=headers))
                await socket.read_message()  # hello, which is no event
                while (text := await socket.read_message()) is not None:
                    if found := EVENT.search(text):
                        seen.append(int(found[1]))
                    elif '"resync"' in text:
                        self.faults.append("a browser was told to resync")
            except AWAY:
                await asyncio.sleep(0.3)

    async def restart(self, pause: float) -> None:
        """Restarts one process after the other; kills it first, or stops it, in turn."""
        for number in range(RESTARTS - 1):
            await asyncio.sleep(pause)
            port = self.servers.ports[number % len(self.servers.ports)]
            kind = signal.SIGKILL if number % 2 == 0 else signal.SIGTERM
            await asyncio.to_thread(self.servers.restart, port, kind)
            self.restarts += 1

    async def sample(self) -> None:
        """Notes memory (MB) and open files of each process."""
        while time.monotonic() < self.ends:
            for process in list(self.servers._processes.values()):
                try:
                    files = len(os.listdir(f"/proc/{process.pid}/fd"))
                    row = (process.pid, time.monotonic(), process.memory(), files)
                except (OSError, TypeError):
                    continue  # the process has just ended
                self.samples.append(row)
            await asyncio.sleep(SAMPLE)

    def figures(self, stored: set[int]) -> dict:
        """The report, made with the rowids that are stored."""
        return {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "alerts answered": len(self.sent),
            "signals stored": len(stored),
            "lost": sum(rowid not in stored for rowid in self.sent.values()),
            "doubled": len(stored) - len(set(self.sent.values())),
            "sent again": self.again,
            "polls": self.polls,
            "reports": self.reports,
            "restarts": self.restarts,
            "browsers": BROWSERS,
            "faults": self.faults[:20],
            "tracebacks in the logs": self.servers.logs().count("Traceback"),
            "growth": self.growth(),
        }

    def growth(self) -> list[str]:
        """A line for each process that ran long enough: medians of its first and last third."""
        lines = []
        for pid in dict.fromkeys(row[0] for row in self.samples):
            rows = [row for row in self.samples if row[0] == pid][2:]
            third = len(rows) // 3
            if third:
                parts = [
                    f"{name} {statistics.median(r[at] for r in rows[:third]):.0f} to "
                    f"{statistics.median(r[at] for r in rows[-third:]):.0f}"
                    for at, name in ((2, "memory (MB)"), (3, "open files"))
                ]
                lines.append(f"process of {10 * len(rows) / 60:.0f} min: " + ", ".join(parts))
        return lines


async def run(servers: Servers, minutes: float, token: str) -> dict:
    """Runs everything for some minutes; returns the report."""
    soak, ports = Soak(servers, 60 * minutes), servers.ports
    browsers: list[list[int]] = [[] for _ in range(BROWSERS)]
    watching = [
        asyncio.create_task(soak.browse(ports[number % len(ports)], token, seen))
        for number, seen in enumerate(browsers)
    ]
    work = [soak.send(number) for number in range(SENDERS)]
    work += [soak.bridge(), soak.restart(60 * minutes / RESTARTS), soak.sample()]
    await asyncio.gather(*work)
    _, answer = await soak.call("GET", "/v3/signals/0", token=token)
    stored = {each["rowid"] for each in answer["signals"]}
    events = await _events(soak, token)
    await _until_all_came(browsers, events[-1])
    for task in watching:
        task.cancel()
    wrong = sum(seen != events for seen in browsers)
    return {"minutes": minutes, **soak.figures(stored), "events": len(events), WRONG: wrong}


async def _events(soak: Soak, token: str) -> list[int]:
    ids = []
    while True:
        after = ids[-1] if ids else 0
        _, answer = await soak.call("GET", f"/v3/events?after={after}&limit=1000", token=token)
        if not answer["events"]:
            return ids
        ids += [event["id"] for event in answer["events"]]


async def _until_all_came(browsers: list[list[int]], last: int) -> None:
    for _ in range(150):
        if all(seen and seen[-1] == last for seen in browsers):
            return
        await asyncio.sleep(0.2)


def main(arguments: list[str]) -> int:
    """Prints the report and stores it. Returns 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=30)
    parser.add_argument("--sqlite", action="store_true", help="one process on an SQLite file")
    given = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(scratch())
        store = data.Sqlite(folder) if given.sqlite else stack.enter_context(data.postgres())
        servers = Servers(store.make(), folder, 1 if given.sqlite else 2)
        stack.callback(servers.end)
        found = asyncio.run(run(servers, given.minutes, token(servers.ports[0])))
    found["database"] = store.name
    report.write(found, f"soak-{store.name.lower()}")
    for name, value in found.items():
        print(f"- {name}: {'; '.join(value) or 'none' if isinstance(value, list) else value}")
    bad = ("lost", "doubled", "faults", "tracebacks in the logs", WRONG)
    return int(any(found[name] for name in bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
