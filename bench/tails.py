"""Measures the slowest posts of 16 senders while the server has something else to do."""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from bench import load
from bench.load import Failed, Load, Result, request, token
from bench.processes import SERVER, Process, clean_environment, compiled, running
from bench.push import listening
from bench.report import Run
from bench.requests import FILLS

SENDERS = 16
BROWSERS = 100
SLOWER = 5  # ms that slow_sync.c adds to each fsync
LISTS = ("/v3/signals/0",)
PERFORMANCE = ("/v3/performance",)
SEARCHES = ("/v3/totals", "/v3/signals/200?q=nowhere")


def beside_long_lists(run: Run, store) -> None:
    """Measures posts while one client asks for all signals again and again."""
    with running(run.serve(store.make(run.plan.listed))) as ours:
        sent, [listed] = beside_reads(run, ours, LISTS)
    figures = {"one of it takes s": listed.p50 / 1000}
    add(run, store, f"a client loops over all {run.plan.listed:,}", sent, **figures)


def beside_performance(run: Run, store) -> None:
    """Measures posts while one client asks for the performance again and again."""
    with running(run.serve(store.make(2 * FILLS))) as ours:  # about half of them are filled
        sent, [computed] = beside_reads(run, ours, PERFORMANCE)
    figures = {"one of it takes s": computed.p50 / 1000}
    add(run, store, f"a client loops over performance of {FILLS:,} fills", sent, **figures)


def beside_searches(run: Run, store, many: str) -> None:
    """Measures posts while one client asks for the sums of all signals, and one for a text."""
    with running(run.serve(many)) as ours:
        sent, answered = beside_reads(run, ours, SEARCHES)
    figures = {"one of it takes s": max(each.p50 for each in answered) / 1000}
    add(run, store, f"sums and searches loop over {run.plan.many:,}", sent, **figures)


def beside_backups(run: Run, store) -> None:
    """Measures posts while backups are made, one after the other."""
    url, file = store.make(run.plan.paged), run.folder / f"{store.name}.jsonl.gz"
    command = [sys.executable, SERVER, "backup", file, "--database", url]
    how = {"env": clean_environment(), "capture_output": True, "check": True}
    again = looping(lambda: subprocess.run(command, **how))
    with running(run.serve(url)) as ours, again as seconds:
        sent = posts(run, ours)
    figures = {"one of it takes s": median(seconds)}
    add(run, store, f"backups of {run.plan.paged:,} are made", sent, **figures)


def beside_browsers(run: Run, store) -> None:
    """Measures posts while browsers listen."""
    with running(run.serve(store.make())) as ours, listening(ours.port, BROWSERS):
        sent = posts(run, ours)
        _, metrics = load.ask(ours.port, request("GET", "/metrics"))
    if f'pairs_websockets{{logged_in="no"}} {BROWSERS}.0\n' not in metrics.decode():
        raise Failed("a browser was hung up on")
    add(run, store, f"{BROWSERS} browsers listen", sent)


def slow_disk(run: Run, store) -> None:
    """Measures posts while each fsync of the database takes some ms more, as on a slow disk."""
    name = f"each fsync takes {SLOWER} ms more"
    theirs = store.name == "PostgreSQL" and "TEST_DATABASE_URL" in os.environ
    if theirs or not shutil.which("gcc"):
        why = "PostgreSQL is not ours" if theirs else "gcc is missing"
        run.add("tails", f"POST, {name}: not measured, because {why}", store.name, {})
        return
    with slow_sync(run.folder), store.another() as slow, running(run.serve(slow.make())) as ours:
        sent = posts(run, ours)
    if sent.p50 < SLOWER:
        raise Failed(f"an alert was answered after {sent.p50} ms, so the disk was not slower")
    add(run, store, name, sent, most=50)


def posts(run: Run, ours: Process) -> Result:
    """Sends alerts from 16 senders for the time of all slices of a row."""
    seconds = run.plan.slices * run.plan.seconds
    return load.run(Load(ours.port, SENDERS, seconds, load.alert()))


def beside_reads(run: Run, ours: Process, paths: tuple[str, ...]) -> tuple[Result, list[Result]]:
    """The result of `posts` while one client for each path asks again and again, and theirs."""
    admin, seconds = token(ours.port), run.plan.slices * run.plan.seconds + 2
    asked = [request("GET", path, token=admin) for path in paths]
    loads = [load.start(Load(ours.port, 1, seconds, each)) for each in asked]
    sent = posts(run, ours)
    return sent, [load.finish(each) for each in loads]


def add(run: Run, store, name: str, sent: Result, most: float = 35, **more: float) -> None:
    """Adds a row; `most` is the target of its p99 in ms."""
    figures = {"requests/s": sent.rate, "p50 ms": sent.p50, "p99 ms": sent.p99}
    figures |= {"slowest ms": sent.worst, **more}
    scenario = f"POST, {SENDERS} senders, {name}"
    run.add("tails", scenario, store.name, figures, {"p99 ms": ("<=", most)})


@contextlib.contextmanager
def looping(work: Callable[[], object]) -> Iterator[list[float]]:
    """Calls a function again and again until the block ends; gives the seconds of each call."""
    ended, seconds = threading.Event(), []

    def loop() -> None:
        while not ended.is_set():
            begun = time.monotonic()
            work()
            seconds.append(time.monotonic() - begun)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(loop)
        try:
            yield seconds
        finally:
            ended.set()
        done.result()


@contextlib.contextmanager
def slow_sync(folder: Path) -> Iterator[None]:
    """Processes that are started in the block need some ms more for each fsync."""
    folder.chmod(0o711)  # because PostgreSQL may run as another user
    os.environ["LD_PRELOAD"] = str(compiled(folder, "slow_sync"))
    try:
        yield
    finally:
        del os.environ["LD_PRELOAD"]
