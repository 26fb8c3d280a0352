"""Requests per second and latencies, each beside a bare echo measured between its slices."""

import json
import math
from dataclasses import replace
from statistics import mean, median

from bench import data, load
from bench.load import Load, Result
from bench.processes import counting, running, serving
from bench.run import Failed, Run

SENDERS = (1, 16, 64)
POST_TARGETS = {
    ("SQLite", 1): {"p50 ms": ("<=", 1.5)},
    ("SQLite", 16): {"share of echo": (">=", 0.5), "p99 ms": ("<=", 15)},
    ("SQLite", 64): {"share of echo": (">=", 0.5), "signals a commit": (">=", 8)},
    ("PostgreSQL", 16): {"share of echo": (">=", 0.35)},
    ("PostgreSQL", 64): {"signals a commit": (">=", 8)},
}
LISTS = (
    ("waiting list (20)", "/v3/signals/status/waiting/0", False, 0.5),
    ("newest 50", "/v3/signals/50", True, 0.35),
)
AHEAD = 10**6  # numbers of alerts kept for each slice


def refuse_failures(name: str, result: Result) -> Result:
    """The result; raises Failed when an answer was neither 200 nor 201."""
    if set(result.statuses) - {"200", "201", "2xx"} or not result.count:
        raise Failed(f"{name}: {result.statuses}")
    return result


def beside_echo(run: Run, name: str, measured: Load) -> dict[str, float]:
    """The figures of a load whose slices lie between slices of the echo: their medians."""
    body = json.dumps(data.ALERT)
    echo = Load(run.echo.port, measured.senders, 1, "POST", "/v3/webhook", body)
    ceilings, slices = [load.run(echo).rate], []
    for number in range(run.plan.slices):
        part = replace(measured, seconds=run.plan.seconds, first=AHEAD * number)
        slices.append(refuse_failures(name, load.run(part)))
        ceilings.append(load.run(echo).rate)
    between = [mean(pair) for pair in zip(ceilings, ceilings[1:], strict=False)]
    shares = [ours.rate / echo for ours, echo in zip(slices, between, strict=True)]
    return {
        "requests/s": median(each.rate for each in slices),
        "echo/s": median(ceilings),
        "share of echo": median(shares),
        "p50 ms": median(each.p50 for each in slices),
        "p99 ms": median(each.p99 for each in slices),
        "count": sum(each.count for each in slices),
    }


def posts(run: Run, store, commits: float) -> None:
    """POST webhook at each number of senders, and how many signals shared a commit."""
    for senders in SENDERS:
        targets = POST_TARGETS.get((store.name, senders), {})
        _post(run, store, commits, f"POST webhook, {senders} senders", senders, targets)
    _post(run, store, commits, "POST webhook with `alert_id`, 16 senders", 16, {}, alert_id=True)


def _post(run, store, commits: float, name: str, senders: int, targets, alert_id=False) -> None:
    process = run.serve(store.make(), command=counting)
    try:
        measured = data.webhook(process.port, alert_id=alert_id, senders=senders, seconds=1)
        figures = beside_echo(run, name, measured)
    finally:
        process.end()
    made = int(process.out.rpartition("commits=")[2])
    figures["share of bare commits"] = figures["requests/s"] / commits if commits else math.nan
    figures["signals a commit"] = figures.pop("count") / made
    run.add("requests", name, store.name, figures, targets)


def lists(run: Run, store, many: str) -> None:
    """The two lists that are asked for all day, alone and while alerts come in."""
    with running(run.serve(many, command=serving)) as ours:
        token = data.token(ours)
        alone = [
            (Load(ours.port, 16, 1, path=path, token=token if asks else ""), name, share)
            for name, path, asks, share in LISTS
        ]
        for measured, name, share in alone:
            targets = {"share of echo": (">=", share)}
            _list(run, store, f"{name}, {run.plan.many:,} signals, 16 clients", measured, targets)
        # A list is kept until the next event; here there is one every 20 ms.
        seconds = 2 * run.plan.slices * (run.plan.seconds + 2) + 4
        alerts = load.start(data.webhook(ours.port, senders=1, seconds=seconds, pause=0.02))
        for measured, name, _ in alone:
            _list(run, store, f"{name}, some 45 alerts/s come in", measured, {})
        refuse_failures("alerts beside lists", load.finish(alerts))


def _list(run: Run, store, name: str, measured: Load, targets: dict) -> None:
    figures = beside_echo(run, name, measured)
    del figures["count"]
    run.add("requests", name, store.name, figures, targets)


def beside_long_lists(run: Run, store) -> None:
    """POST while one client asks for all signals again and again."""
    with running(run.serve(store.make(run.plan.listed), command=serving)) as ours:
        seconds = run.plan.slices * run.plan.seconds
        all_of_them = Load(ours.port, 1, seconds + 2, path="/v3/signals/0", token=data.token(ours))
        looping = load.start(all_of_them)
        sent = load.run(data.webhook(ours.port, senders=4, seconds=seconds))
        refuse_failures("POST beside long lists", sent)
        listed = refuse_failures("long lists", load.finish(looping))
        figures = {
            "alerts": sent.count,
            "p50 ms": sent.p50,
            "p99 ms": sent.p99,
            "slowest ms": sent.worst,
            "one list takes s": listed.p50 / 1000,
        }
        name = f"POST, 4 senders, one client loops over all {run.plan.listed:,}"
        run.add("bursts", name, store.name, figures, {"p99 ms": ("<=", 50)})
