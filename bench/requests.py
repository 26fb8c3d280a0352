"""Measures requests: compared with a bare echo, while alerts come in, with few and many signals."""

import asyncio
import contextlib
import itertools
import json
import re
import time
from dataclasses import replace
from datetime import datetime
from statistics import mean, median
from zoneinfo import ZoneInfo

import holidays

from bench import load
from bench.data import RECENT, moment
from bench.load import NUMBER, PASSPHRASE, Connection, Failed, Load, percentile, request, token
from bench.processes import Process, running
from bench.report import Plan, Run

BATCH = 64
SENDERS = (1, 16, 64)
POST_TARGETS = {
    ("SQLite", 1): {"p50 ms": ("<=", 1.5)},
    ("SQLite", 16): {"share of echo": (">=", 0.5), "p99 ms": ("<=", 15)},
    ("SQLite", 64): {"share of echo": (">=", 0.5), "signals a commit": (">=", 8)},
    ("PostgreSQL", 16): {"share of echo": (">=", 0.35)},
    ("PostgreSQL", 64): {"signals a commit": (">=", 8)},
}
NO_RULES = {"entry_minutes": "0"}
MANY = 10**6 - 1  # more than a run sends
LIMITS = {
    **dict.fromkeys(("entries", "ticker_entries", "open"), MANY),
    **dict.fromkeys(("contracts", "value", "loss", "drawdown"), MANY),
}
# Name, address, whether a token is sent, and the least share of the echo on each database.
LISTS = (
    (
        "waiting list (20)",
        "/v3/signals/status/waiting/0",
        False,
        {"SQLite": 0.5, "PostgreSQL": 0.4},
    ),
    ("newest 50", "/v3/signals/50", True, {"SQLite": 0.35, "PostgreSQL": 0.3}),
)
AHEAD = 10**6  # numbers of alerts reserved for each slice
PAGES = (
    ("dashboard, first page", "/dashboard", 300),
    ("dashboard, one status", "/dashboard?status=error", 300),
    ("dashboard, one pair", "/dashboard?ticker_webhook=MA-V", 300),
    ("list of one pair", "/list?ticker_webhook=MA-V", 300),
    ("filter: status", "/v3/signals/200?status=canceled", 200),
    ("filter: type", "/v3/signals/200?type=single", 200),
    ("filter: text, found often", "/v3/signals/200?q=Long", 200),
    ("filter: text, found nowhere", "/v3/signals/200?q=nowhere", 200),
    ("load older, from the middle", "/v3/signals/200?before={half}", 200),
    ("figures", "/v3/figures", 200),
)
FILLS = 20_000
BOOKS = (
    ("performance", "/v3/performance", 500),
    ("performance of one pair", "/v3/performance?ticker=MA-V", 250),
    ("series of one pair, a third of all", "/v3/pair/MA-V/series", 250),
)
FEW = 1000
LEAST = 3  # requests to each server in a round of growth, even if they are slow
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
    *(
        "/dashboard",
        "/dashboard?status=error",
        "/dashboard?ticker_webhook=MA-V",
        "/dashboard?q=nowhere",
    ),
    *("/list", "/list?ticker_webhook=MA-V", "/list?start_date={day}", "/setup", "/login"),
)
FILL = {"symbol": "MA", "price": 300.1, "filled_qty": 100.0}
# Calls of the bridge that change nothing the second time; the last one adds signals.
WRITES = (
    ("PUT", "/v3/webhook", {"rowid": "{half}", "order_comment": "seen"}),
    ("PUT", "/v3/signal/updateorder", {"order_id": "{order}", **FILL}),
    ("POST", "/v3/webhook", load.ALERT),
)


def bare_commits(run: Run, store) -> float:
    """Measures the bare driver; returns its commits per second of one row each."""
    with contextlib.closing(store.connect()) as connection:
        connection.cursor().execute("CREATE TABLE plain (id INTEGER, text VARCHAR(200))")
        single = commits(connection, 1, run.plan.seconds)
        many = commits(connection, BATCH, run.plan.seconds)
    figures = {"commits/s": single, f"rows/s in commits of {BATCH}": BATCH * many}
    run.add("ceilings", "bare driver, durable", store.name, figures)
    return single


def commits(connection, batch: int, seconds: float) -> float:
    """Transactions per second, each with `batch` rows of 200 bytes."""
    cursor = connection.cursor()
    mark = "?" if type(connection).__module__ == "sqlite3" else "%s"
    insert, row = f"INSERT INTO plain VALUES ({mark}, {mark})", (1, "x" * 200)  # noqa: S608
    count, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        cursor.execute("BEGIN")
        for _ in range(batch):
            cursor.execute(insert, row)
        cursor.execute("COMMIT")
        count += 1
    return count / elapsed


def beside_echo(run: Run, measured: Load) -> dict[str, float]:
    """The median figures of a load and of the echo, whose slices alternate."""
    echo = replace(measured, port=run.echo_port, seconds=1, request=load.alert())
    return beside(run, measured, echo, "echo")


def beside(run: Run, measured: Load, other: Load, name: str) -> dict[str, float]:
    """The median figures of a load and of another one, called `name`, whose slices alternate."""
    others, slices = [load.run(other).rate], []
    for number in range(run.plan.slices):
        part = replace(measured, seconds=run.plan.seconds, first=AHEAD * number)
        slices.append(load.run(part))
        others.append(load.run(replace(other, first=AHEAD * (number + 1))).rate)
    between = map(mean, itertools.pairwise(others))
    shares = [ours.rate / theirs for ours, theirs in zip(slices, between, strict=True)]
    return {
        "requests/s": median(each.rate for each in slices),
        f"{name}/s": median(others),
        f"share of {name}": median(shares),
        "p50 ms": median(each.p50 for each in slices),
        "p99 ms": median(each.p99 for each in slices),
    }


def posts(run: Run, store) -> None:
    """Measures POST webhook at each number of senders, and how many signals share a commit."""
    bare = bare_commits(run, store)
    for senders in SENDERS:
        targets = POST_TARGETS.get((store.name, senders), {})
        with running(run.serve(store.make())) as ours:
            figures = beside_echo(run, Load(ours.port, senders, 1, load.alert()))
            figures["share of bare commits"] = figures["requests/s"] / bare
            figures["signals a commit"] = _batch_size(ours.port)
        run.add("requests", f"POST webhook, {senders} senders", store.name, figures, targets)


def closing(run: Run, store) -> None:
    """Measures POST webhook, and the echo, of senders that close their connection each time."""
    with running(run.serve(store.make())) as ours:
        figures = beside_echo(run, Load(ours.port, 16, 1, load.alert(), anew=True))
    targets = {"share of echo": (">=", 0.4), "p99 ms": ("<=", 25)}
    run.add("requests", "POST webhook, 16 senders that close", store.name, figures, targets)


def alert_ids(run: Run, store) -> None:
    """Measures POST webhook with an `alert_id` beside the same without."""
    own_id = {"alert_id": f"NASDAQ:NMFC|5|{NUMBER}|Long|buy|100"}  # as the shipped template has it
    with running(run.serve(store.make())) as ours, running(run.serve(store.make())) as plain:
        _beside_plain(run, store, ours, plain, "POST webhook with `alert_id`", 0.9, **own_id)


def rules(run: Run, store) -> None:
    """Measures POST webhook with all rules that decide before a trade, beside none of them."""
    with (
        running(run.serve(store.make(), **_all_rules())) as ours,
        running(run.serve(store.make(), **NO_RULES)) as plain,
    ):
        status, _ = load.ask(ours.port, request("PUT", "/v3/limits", LIMITS, token(ours.port)))
        if status != 200:
            raise Failed(f"the limits were answered {status}")
        _beside_plain(run, store, ours, plain, "POST webhook, all rules on", 0.95)


def _all_rules() -> dict[str, str]:
    """Settings with which every rule looks at an alert, and none refuses it."""
    zone = "America/New_York"
    today = datetime.now(ZoneInfo(zone)).date()
    open_now = (m for m in ("NYSE", "ECB") if today not in holidays.financial_holidays(m))
    return {
        "entry_minutes": "60",
        "entry_hours": f"{zone} 00:00-24:00 mon-sun",
        "holidays": next(open_now, ""),
    }


def _beside_plain(
    run: Run, store, ours: Process, plain: Process, name: str, least: float, **fields
) -> None:
    """Adds a row of the load of 16 senders, compared with plain alerts on the other server."""
    measured = Load(ours.port, 16, 1, load.alert(**fields))
    figures = beside(run, measured, Load(plain.port, 16, 1, load.alert()), "plain")
    figures["signals a commit"] = _batch_size(ours.port)
    _expect_all_wait(ours)
    targets = {"share of plain": (">=", least)}
    run.add("requests", f"{name}, 16 senders", store.name, figures, targets)


def _expect_all_wait(ours: Process) -> None:
    """Raises Failed if a rule has refused an alert: then something else was measured."""
    refused = request("GET", "/v3/signals/status/canceled/1", token=token(ours.port))
    _, answer = load.ask(ours.port, refused)
    if json.loads(answer)["signals"]:
        raise Failed("a rule has refused an alert")


def _batch_size(port: int) -> float:
    """How many writes a server has committed together since its start, on average."""
    _, text = load.ask(port, request("GET", "/metrics"))
    found = re.findall(r"^pairs_writer_batch_size_(sum|count) (\S+)$", text.decode(), re.M)
    told = {name: float(value) for name, value in found}
    return told["sum"] / told["count"]


def lists(run: Run, store, many: str) -> None:
    """Measures the two lists that clients ask for all day, alone and while alerts come in."""
    with running(run.serve(many)) as ours:
        admin = token(ours.port)
        alone = [
            (name, Load(ours.port, 16, 1, request("GET", path, token=admin if asks else "")), share)
            for name, path, asks, share in LISTS
        ]
        for name, measured, share in alone:
            scenario = f"{name}, {run.plan.many:,} signals, 16 clients"
            targets = {"share of echo": (">=", share[store.name])}
            run.add("requests", scenario, store.name, beside_echo(run, measured), targets)
        # The server keeps a list until the next event; here there is an event every 20 ms.
        seconds = 2 * run.plan.slices * (run.plan.seconds + 2) + 4
        alerts = load.start(Load(ours.port, 1, seconds, load.alert(), pause=0.02))
        for name, measured, _ in alone:
            scenario = f"{name}, some 45 alerts/s come in"
            run.add("requests", scenario, store.name, beside_echo(run, measured))
        load.finish(alerts)


def pages(run: Run, store) -> None:
    """Measures the requests of the pages, one after the other."""
    with running(run.serve(store.make(run.plan.paged))) as ours:
        admin = token(ours.port)
        for name, path, limit in PAGES:
            asked = request("GET", path.format(half=run.plan.paged // 2), token=admin)
            result = load.run(Load(ours.port, 1, run.plan.seconds, asked))
            figures = {"p50 ms": result.p50, "p99 ms": result.p99}
            run.add("pages", name, store.name, figures, {"p99 ms": ("<=", limit)})


def books(run: Run, store) -> None:
    """Measures the performance over 20,000 fills."""
    with running(run.serve(store.make(2 * FILLS))) as ours:  # about half of them are filled
        admin = token(ours.port)
        for name, path, most in BOOKS:
            asked = request("GET", path, token=admin)
            result = load.run(Load(ours.port, 1, 2 * run.plan.seconds, asked))
            figures = {"p50 ms": result.p50, "p99 ms": result.p99}
            run.add(
                "books", f"{name}, {FILLS:,} fills", store.name, figures, {"p50 ms": ("<=", most)}
            )


def starts(run: Run, store, many: str) -> None:
    """Measures the time from the command until the server listens."""
    seconds = []
    for _ in range(run.plan.starts):
        with running(run.serve(many)) as ours:
            seconds.append(ours.start_seconds)
    name = f"start, {run.plan.many:,} signals stored"
    run.add("weight", name, store.name, {"start s": median(seconds)}, {"start s": ("<=", 1)})


class Side:
    """One of the two servers whose routes are compared."""

    def __init__(self, process: Process, count: int):
        self._port, self._token = process.port, token(process.port)
        pair = next(n for n in range(count // 2, count) if n % 3 == 1 and n % 10)  # of MA-V
        recent = moment(count - RECENT // 2, count).replace(" ", "T")
        self._places = {"half": count // 2, "order": 10 * pair}
        self._places |= {"recent": recent, "day": recent[:10]}
        self._changes = itertools.count(1)

    async def open(self) -> None:
        """Connects."""
        self._connection = await Connection.open(self._port)

    async def ask(self, method: str, path: str, body: dict | None = None) -> float:
        """Sends a request and returns its time in ms. Raises Failed unless it gets 200 or 201."""
        places = {f"{{{name}}}": value for name, value in self._places.items()}
        filled = body and {"passphrase": PASSPHRASE} | {
            k: places.get(v, v) for k, v in body.items()
        }
        raw = request(method, path.format(**self._places), filled, "" if body else self._token)
        begun = time.perf_counter()
        status, _ = await self._connection.ask(raw)
        if status not in (200, 201):
            raise Failed(f"{method} {path} was answered {status}")
        return 1000 * (time.perf_counter() - begun)

    async def change(self) -> None:
        """Changes a position, so that the server does not answer lists from memory."""
        pnl = {"symbol": "AAPL", "active_pnl": next(self._changes), "active_pos": 1}
        await self.ask("PUT", "/v3/ticker/updatepnl", {"active_cost": 1.0, **pnl})


def growth(run: Run, store, many: str) -> None:
    """Measures how the cost of each route grows from few to many signals, with two servers.

    The servers are asked in turns, on one connection each, so that other work of the machine
    disturbs both equally.
    """
    with running(run.serve(store.make(FEW))) as small, running(run.serve(many)) as large:
        asyncio.run(_grow_all(run, store, [Side(small, FEW), Side(large, run.plan.many)]))


async def _grow_all(run: Run, store, sides: list[Side]) -> None:
    for side in sides:
        await side.open()
    for asked in [*(("GET", path) for path in PATHS), *WRITES]:
        figures = await grow(run.plan, sides, asked)
        targets = {"growth": ("<=", 0.15)}
        run.add("growth", f"{asked[0]} {asked[1]}", store.name, figures, targets)


async def grow(plan: Plan, sides: list[Side], asked: tuple) -> dict[str, float]:
    """The figures of a route, as medians of several rounds."""
    for side in sides:
        await side.ask(*asked)
    rounds = [await turns(sides, asked, plan.growing / plan.rounds) for _ in range(plan.rounds)]
    few, many = ([median(part[side]) for part in rounds] for side in (0, 1))
    slow = sorted(itertools.chain.from_iterable(part[1] for part in rounds))
    return {
        "few p50 ms": median(few),
        "many p50 ms": median(many),
        "many p99 ms": percentile(slow, 0.99),
        "growth": median(m / f - 1 for f, m in zip(few, many, strict=True)),
    }


async def turns(sides: list[Side], asked: tuple, seconds: float) -> list[list[float]]:
    """The latencies in ms of each side, when both are asked in turns for `seconds`."""
    latencies: list[list[float]] = [[] for _ in sides]
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(latencies[0]) < LEAST:
        for side, mine in zip(sides, latencies, strict=True):
            await side.change()
            mine.append(await side.ask(*asked))
        # The order changes each time, because the second side finds warm caches.
        sides, latencies = sides[::-1], latencies[::-1]
    return latencies if len(latencies[0]) % 2 == 0 else latencies[::-1]
