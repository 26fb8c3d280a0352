"""Memory at rest, after many alerts and with many clients; how long a start takes."""

from statistics import median

from bench import data, load, push
from bench.processes import running, serving
from bench.requests import refuse_failures
from bench.run import Run

SENDERS = 64


def push_and_memory(run: Run, store) -> None:
    """The push rows, the last with all the clients after many alerts, and the memory around."""
    *small, largest = push.CASES
    with running(run.serve(store.make(), command=serving)) as ours:
        _memory(run, store, "memory, idle", ours, 60)
        for case in small:
            with push.listening(ours.port, case[0]) as listeners:
                push.measure(run, store, listeners, ours.port, case)
        _post(ours.port, run.plan.posted, run.plan.seconds)
        after = f"memory, {run.plan.posted:,} alerts posted"
        _memory(run, store, after, ours)
        with push.listening(ours.port, largest[0]) as listeners:
            push.measure(run, store, listeners, ours.port, largest)
            _memory(run, store, f"{after}, {largest[0]:,} clients", ours, 100)


def _memory(run: Run, store, name: str, process, limit: int = 0) -> None:
    targets = {"MB": ("<=", limit)} if limit else {}
    run.add("weight", name, store.name, {"MB": process.memory()}, targets)


def _post(port: int, count: int, seconds: int) -> None:
    posted = 0
    while posted < count:
        sent = load.run(data.webhook(port, senders=SENDERS, seconds=seconds))
        posted += refuse_failures("alerts posted", sent).count


def starts(run: Run, store, many: str) -> None:
    """From the command to listening."""
    seconds = []
    for _ in range(run.plan.starts):
        with running(run.serve(many, command=serving)) as ours:
            seconds.append(ours.start_seconds)
    name = f"start, {run.plan.many:,} signals stored"
    run.add("weight", name, store.name, {"start s": median(seconds)}, {"start s": ("<=", 1)})
