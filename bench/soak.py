"""A long run of everything at once, with a process that is killed or stopped now and then.

`python -m bench.soak 30` (minutes): two server processes on one PostgreSQL, senders that send again
as TradingView does, the bridge's polls and reports, browsers that come back. It ends with what was
lost, doubled, out of order, refused, and how memory and files went. `--sqlite`: one process.
"""

import argparse
import asyncio
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

from bench.processes import PASSPHRASE, ROOT, scratch
from tests.several import Servers
from tests.storage import EmbeddedServer

SENDERS, PER_SECOND, BROWSERS = 8, 12, 50
EVENT = re.compile(r'"event":(\d+)')
RESTARTS = 6
SAMPLE = 10.0
AWAY = (OSError, HTTPClientError, asyncio.TimeoutError)
PAIR = {"ticker1": "NMFC", "ticker2": "ROIC", "hedge": 0.72, "status": 1}


class Soak:
    """What was done, what was answered, and what each browser saw."""

    def __init__(self, servers: Servers, seconds: float):
        self.servers = servers
        self.ends = time.monotonic() + seconds
        self.sent: dict[str, int] = {}
        self.faults: list[str] = []
        self.again = self.polls = self.reports = self.restarts = 0
        self.samples: list[tuple[int, float, float, int]] = []
        self._client = AsyncHTTPClient(force_instance=True, max_clients=200)
        self._random = random.Random(7)

    @property
    def going(self) -> bool:
        """Whether the time is not over."""
        return time.monotonic() < self.ends

    async def call(self, port: int, method: str, path: str, body=None, token="") -> tuple:
        """(status, JSON); status 0 where nobody answered."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body)
        url = f"http://127.0.0.1:{port}{path}"
        request = HTTPRequest(url, method, headers, data, request_timeout=20)
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

    def port(self) -> int:
        """A server to ask."""
        return self._random.choice(self.servers.ports)

    async def send(self, number: int) -> None:
        """One sender: an alert, again until it is answered as stored, then the next."""
        count = 0
        while self.going:
            alert_id = f"{number}-{count}"
            body = {
                "passphrase": PASSPHRASE,
                "ticker": "NMFC-0.72*NASDAQ:ROIC",
                "order_action": "buy",
                "order_contracts": 10,
                "order_price": 2.3,
                "mar_pos": "long",
                "mar_pos_size": 10,
                "alert_id": alert_id,
            }
            while True:
                status, answer = await self.call(self.port(), "POST", "/v3/webhook", body)
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
        """Polls, places orders for what waits, reports both legs' fills."""
        order = 1000
        while self.going:
            waiting = "/v3/signals/status/waiting/0"
            status, answer = await self.call(self.port(), "GET", waiting)
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
        while self.going:
            if (await self.call(self.port(), "PUT", path, body))[0] == 200:
                self.reports += 1
                return
            await asyncio.sleep(0.2)

    async def browse(self, port: int, token: str, seen: list[int]) -> None:
        """One browser, for as long as the servers run: notes the events it sees."""
        headers = {"Authorization": f"Bearer {token}"}
        while True:
            url = f"ws://127.0.0.1:{port}/ws/signals?after={seen[-1] if seen else 0}"
            try:
                line = await websocket_connect(HTTPRequest(url, headers=headers))
                await line.read_message()  # hello names an event that it does not bring
                while (text := await line.read_message()) is not None:
                    if found := EVENT.search(text):
                        seen.append(int(found[1]))
                    elif '"resync"' in text:
                        self.faults.append("a browser was told to resync")
            except AWAY:
                await asyncio.sleep(0.3)

    async def restart(self, pause: float) -> None:
        """Kills one process after the other, then stops one, in turn."""
        for number in range(RESTARTS - 1):
            await asyncio.sleep(pause)
            port = self.servers.ports[number % len(self.servers.ports)]
            kind = signal.SIGKILL if number % 2 == 0 else signal.SIGTERM
            await asyncio.to_thread(self.servers.restart, port, kind)
            self.restarts += 1

    async def sample(self) -> None:
        """Notes memory (MB) and open files of each process."""
        while self.going:
            for process in list(self.servers._processes.values()):
                try:
                    files = len(os.listdir(f"/proc/{process.pid}/fd"))
                    row = (process.pid, time.monotonic(), process.memory(), files)
                except (OSError, TypeError):
                    continue  # it has just ended
                self.samples.append(row)
            await asyncio.sleep(SAMPLE)

    def growth(self) -> list[str]:
        """For each process that lived long enough: its first and last third's medians."""
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


async def run(servers: Servers, minutes: float) -> dict:
    """The report as numbers and lines."""
    port = servers.ports[0]
    soak = Soak(servers, 60 * minutes)
    login = {"username": "admin", "password": "123", "expire": 1440}
    token = (await soak.call(port, "POST", "/v3/login", login))[1]["access_token"]
    await soak.call(port, "POST", "/v3/regpair", PAIR, token)
    browsers: list[list[int]] = [[] for _ in range(BROWSERS)]
    watching = [
        asyncio.create_task(soak.browse(servers.ports[n % len(servers.ports)], token, seen))
        for n, seen in enumerate(browsers)
    ]
    work = [soak.send(n) for n in range(SENDERS)]
    work += [soak.bridge(), soak.restart(60 * minutes / RESTARTS), soak.sample()]
    await asyncio.gather(*work)
    stored = await _signals(soak, token)
    events = await _events(soak, token)
    await _until_all_came(browsers, events[-1])
    for task in watching:
        task.cancel()
    wrong = sum(seen != events for seen in browsers)
    lost = sum(rowid not in stored for rowid in soak.sent.values())
    return {
        "minutes": minutes,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "alerts answered": len(soak.sent),
        "signals stored": len(stored),
        "lost": lost,
        "doubled": len(stored) - len(set(soak.sent.values())),
        "sent again": soak.again,
        "polls": soak.polls,
        "reports": soak.reports,
        "restarts": soak.restarts,
        "events": len(events),
        "browsers": BROWSERS,
        "browsers that saw anything but each event once in order": wrong,
        "faults": soak.faults[:20],
        "tracebacks in the logs": servers.logs().count("Traceback"),
        "growth": soak.growth(),
    }


async def _until_all_came(browsers: list[list[int]], last: int) -> None:
    for _ in range(150):
        if all(seen and seen[-1] == last for seen in browsers):
            return
        await asyncio.sleep(0.2)


async def _signals(soak: Soak, token: str) -> set[int]:
    _, answer = await soak.call(soak.servers.ports[0], "GET", "/v3/signals/0", token=token)
    return {each["rowid"] for each in answer["signals"]}


async def _events(soak: Soak, token: str) -> list[int]:
    ids, after = [], 0
    while True:
        path = f"/v3/events?after={after}&limit=1000"
        _, answer = await soak.call(soak.servers.ports[0], "GET", path, token=token)
        if not answer["events"]:
            return ids
        ids += [event["id"] for event in answer["events"]]
        after = ids[-1]


def main(arguments: list[str]) -> int:
    """Prints the report and keeps it; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=30)
    parser.add_argument("--sqlite", action="store_true", help="one process on an SQLite file")
    given = parser.parse_args(arguments)
    with scratch() as folder:
        embedded = None if given.sqlite else EmbeddedServer()
        url = f"sqlite:///{folder}/soak.db" if given.sqlite else embedded.url
        servers = Servers(url, folder, 1 if given.sqlite else 2)
        try:
            report = asyncio.run(run(servers, given.minutes))
        finally:
            servers.end()
            if embedded:
                embedded.close()
    report["database"] = "SQLite" if given.sqlite else "PostgreSQL"
    kept = ROOT / "bench" / "results" / f"soak-{report['database'].lower()}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(report, indent=1) + "\n")
    for name, value in report.items():
        print(f"- {name}: {'; '.join(value) or 'none' if isinstance(value, list) else value}")
    bad = ("lost", "doubled", "faults", "tracebacks in the logs")
    bad += ("browsers that saw anything but each event once in order",)
    return 1 if any(report[name] for name in bad) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
