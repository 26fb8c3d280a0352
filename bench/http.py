"""Requests per second and latencies, each beside a bare echo measured just before and after it."""

import json
from pathlib import Path

from bench import data, load
from bench.load import Load, Result
from bench.processes import Process, counting_server, running, server

SENDERS = (1, 16, 64)
SECONDS = 4.0
SIGNALS = 100_000
MANY = 200_000
HEAD = "| scenario | requests/s | echo/s | share | p50 ms | p99 ms |\n|---|---|---|---|---|---|"


def echo_load(port: int, senders: int) -> Load:
    """The ceiling's load: the same body, nothing done with it."""
    return Load(port, senders, SECONDS / 2, "POST", "/v3/webhook", json.dumps(data.ALERT))


def beside_echo(name: str, ceiling: Process, measured: Load) -> str:
    """A row of the table: the load between two runs of the echo."""
    before = load.run(echo_load(ceiling.port, measured.senders))
    ours = load.run(measured)
    after = load.run(echo_load(ceiling.port, measured.senders))
    refuse_failures(name, ours)
    echo = (before.rate + after.rate) / 2
    share = f"{ours.rate / echo:.0%}"
    return (
        f"| {name} | {ours.rate:,.0f} | {echo:,.0f} | {share} | {ours.p50:.1f} | {ours.p99:.1f} |"
    )


def refuse_failures(name: str, result: Result) -> None:
    """Raises RuntimeError when an answer was neither 200 nor 201."""
    if set(result.statuses) - {"200", "201"} or not result.count:
        raise RuntimeError(f"{name}: {result.statuses}")


def posts(folder: Path, ceiling: Process, empty: Path) -> list[str]:
    """POST webhook at each number of senders, and the commits it took."""
    rows = []
    for senders in SENDERS:
        with running(server(data.grow(empty, folder / f"post{senders}.db"))) as ours:
            measured = data.webhook(ours.port, senders=senders, seconds=SECONDS)
            rows.append(beside_echo(f"POST webhook, {senders} senders", ceiling, measured))
    with running(server(data.grow(empty, folder / "ids.db"))) as ours:
        measured = data.webhook(ours.port, senders=16, seconds=SECONDS, alert_id=True)
        rows.append(beside_echo("POST webhook with `alert_id`, 16 senders", ceiling, measured))
    return rows


def commits(folder: Path, empty: Path) -> str:
    """How many signals share a commit at 64 senders."""
    process = counting_server(data.grow(empty, folder / "commits.db"))
    result = load.run(data.webhook(process.port, senders=64, seconds=SECONDS))
    refuse_failures("commits", result)
    process.end()
    made = int(process.out.rpartition("commits=")[2])
    # The load's first tenth is stored, too, but not counted.
    return f"{result.count / 0.9 / made:.1f} signals share a commit at 64 senders."


def lists(ceiling: Process, full: Path) -> list[str]:
    """The two lists that are asked for all day, with 100,000 signals stored."""
    with running(server(full)) as ours:
        waiting = Load(ours.port, 16, SECONDS, path="/v3/signals/status/waiting/0")
        newest = Load(ours.port, 16, SECONDS, path="/v3/signals/50", token=data.token(ours))
        rows = [
            beside_echo("waiting list (20), 16 clients", ceiling, waiting),
            beside_echo("newest 50, 16 clients", ceiling, newest),
        ]
        # A list is kept until the next event; here there is one every 20 ms.
        coming_in = data.webhook(ours.port, senders=1, seconds=5 * SECONDS, pause=0.02)
        alerts = load.start(coming_in)
        rows.append(beside_echo("waiting list, some 45 alerts/s come in", ceiling, waiting))
        rows.append(beside_echo("newest 50, some 45 alerts/s come in", ceiling, newest))
        refuse_failures("alerts beside lists", load.finish(alerts))
        return rows


def beside_long_lists(folder: Path) -> list[str]:
    """POST while one client asks for all of 200,000 signals again and again; start and memory."""
    with running(server(data.make(folder / "many.db", MANY))) as ours:
        idle, started = ours.memory(), ours.start_seconds
        all_of_them = Load(ours.port, 1, 2 * SECONDS, path="/v3/signals/0", token=data.token(ours))
        looping = load.start(all_of_them)
        result = load.run(data.webhook(ours.port, senders=4, seconds=SECONDS))
        lists_done = load.finish(looping)
        refuse_failures("POST beside long lists", result)
        return [
            f"- POST by 4 senders while one client loops over {MANY:,} signals: "
            f"p50 {result.p50:.1f} ms, p99 {result.p99:.1f} ms, slowest {result.worst:.0f} ms "
            f"(a list takes {lists_done.p50 / 1000:.1f} s).",
            f"- Start to listening with {MANY:,} signals stored: {started:.2f} s.",
            f"- Memory: {idle:.0f} MB idle, {ours.memory():.0f} MB after that load.",
        ]


def run(folder: Path) -> None:
    """Prints the tables."""
    empty = data.make(folder / "empty.db", 0)
    full = data.make(folder / "full.db", SIGNALS)
    with running(Process(["-m", "bench.echo"], folder / "echo.log")) as ceiling:
        print("### Requests\n\n" + HEAD)
        for row in posts(folder, ceiling, empty) + lists(ceiling, full):
            print(row, flush=True)
    print("\n- " + commits(folder, empty))
    print("\n".join(beside_long_lists(folder)), flush=True)
