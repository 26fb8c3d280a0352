"""How the cost of each route grows with the signals stored.

Two servers, one with few and one with many signals, are asked in turns on one connection each, so
that whatever else the machine does meets both. Before each request something changes that is no
signal, so that no list comes from memory.
"""

import asyncio
import itertools
import json
import time
from statistics import median

from bench import data
from bench.load import Connection, Load, percentile
from bench.processes import PASSPHRASE, Process, running, serving
from bench.run import Failed, Plan, Run
from bench.stores import NOW

FEW = 1000
LEAST = 3  # requests to each server in a round, however slow
PATHS = (
    *("/v3/signals/50", "/v3/signals/200", "/v3/signals/50?before={half}"),
    *("/v3/signals/status/waiting/0", "/v3/signals/status/filled/50"),
    *("/v3/signals/ticker/MA-V/50", "/v3/signals/ticker/AAPL/50"),
    *("/v3/signals/200?status=canceled", "/v3/signals/100?type=single"),
    *("/v3/signals/200?since={recent}", "/v3/signals/200?q=Long", "/v3/signals/200?q=nowhere"),
    *("/v3/signals/50.csv", "/v3/signal/{half}", "/v3/signal/{half}/events"),
    *("/v3/events?after={half}&limit=100", "/v3/figures", "/v3/totals", "/v3/totals?ticker=MA-V"),
    *("/v3/totals?since={recent}", "/v3/positions", "/v3/bridge", "/v3/pnl/5", "/v3/rejected/50"),
    *("/v3/stocks/0", "/v3/stock/AAPL", "/v3/tickers/0", "/v3/ticker/AAPL"),
    *("/v3/pairs/0", "/v3/pair/MA-V", "/v3/users/0", "/v3/user/user1", "/v3/session"),
    *("/v3/sessions/admin", "/v3/passphrases", "/v3/template"),
    *("/dashboard", "/dashboard?status=error", "/dashboard?ticker=MA-V", "/dashboard?q=nowhere"),
    *("/list", "/list?ticker_webhook=MA-V", "/list?start_date={day}", "/setup", "/login"),
)
FILL = {"symbol": "MA", "price": 300.1, "filled_qty": 100.0}
# The bridge's calls that change nothing the second time, and last the one that adds signals.
WRITES = (
    ("PUT", "/v3/webhook", {"rowid": "{half}", "order_comment": "seen"}),
    ("PUT", "/v3/signal/updateorder", {"order_id": "{order}", **FILL}),
    ("POST", "/v3/webhook", data.ALERT),
)


class Side:
    """One of the two servers: asked, and timed in milliseconds."""

    def __init__(self, process: Process, count: int, token: str):
        self.process, self._token = process, token
        pair = next(n for n in range(count // 2, count) if n % 3 == 1 and n % 10)  # of MA-V
        self._places = {
            "half": count // 2,
            "order": 10 * pair,
            "recent": data.moment(count - data.RECENT // 2, count, NOW).replace(" ", "T"),
            "day": data.moment(count - data.RECENT // 2, count, NOW)[:10],
        }
        self._changes = itertools.count(1)

    async def open(self) -> "Side":
        """Connects."""
        self._connection = await Connection(self.process.port).open()
        return self

    async def ask(self, method: str, path: str, body: dict | None = None) -> float:
        """One request; raises Failed unless it was answered 200 or 201."""
        body = json.dumps(_filled(body, self._places)) if body else ""
        path, token = path.format(**self._places), "" if body else self._token
        load = Load(self.process.port, 1, 0, method, path, body, token=token)
        begun = time.perf_counter()
        status, _ = await self._connection.ask(load.request(0))
        if status not in (200, 201):
            raise Failed(f"{method} {path} was answered {status}")
        return 1000 * (time.perf_counter() - begun)

    async def change(self) -> None:
        """Changes something that is no signal."""
        pnl = {"symbol": "AAPL", "active_pnl": next(self._changes), "active_pos": 1}
        body = {"passphrase": PASSPHRASE, "active_cost": 1.0, **pnl}
        await self.ask("PUT", "/v3/ticker/updatepnl", body)

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()


def _filled(body: dict, places: dict) -> dict:
    named = {"{half}": places["half"], "{order}": places["order"]}
    return {"passphrase": PASSPHRASE} | {key: named.get(v, v) for key, v in body.items()}


async def turns(sides: list[Side], request: tuple, seconds: float) -> list[list[float]]:
    """The latencies of each side, asked in turns for that long."""
    latencies: list[list[float]] = [[] for _ in sides]
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(latencies[0]) < LEAST:
        for side, mine in zip(sides, latencies, strict=True):
            await side.change()
            mine.append(await side.ask(*request))
        # Whoever comes second finds the caches warm.
        sides, latencies = sides[::-1], latencies[::-1]
    return latencies if len(latencies[0]) % 2 == 0 else latencies[::-1]


async def grow(plan: Plan, sides: list[Side], request: tuple) -> dict[str, float]:
    """The figures of a route: medians of several rounds."""
    seconds = plan.growing / plan.rounds
    for side in sides:
        await side.ask(*request)
    rounds = [await turns(sides, request, seconds) for _ in range(plan.rounds)]
    few, many = ([median(part[side]) for part in rounds] for side in (0, 1))
    slow = sorted(itertools.chain.from_iterable(part[1] for part in rounds))
    return {
        "few p50 ms": median(few),
        "many p50 ms": median(many),
        "many p99 ms": percentile(slow, 0.99),
        "growth": median(m / f - 1 for f, m in zip(few, many, strict=True)),
    }


async def _all(run: Run, store, servers: list[tuple]) -> None:
    sides = [await Side(*server).open() for server in servers]
    requests = [("GET", path) for path in PATHS] + list(WRITES)
    for request in requests:
        name = f"{request[0]} {request[1]}"
        figures = await grow(run.plan, sides, request)
        run.add("growth", name, store.name, figures, {"growth": ("<=", 0.15)})
    for side in sides:
        side.close()


def measure(run: Run, store, many: str) -> None:
    """Adds a row for each route."""
    with (
        running(run.serve(store.make(FEW), command=serving)) as small,
        running(run.serve(many, command=serving)) as large,
    ):
        both = [(small, FEW, data.token(small)), (large, run.plan.many, data.token(large))]
        asyncio.run(_all(run, store, both))
