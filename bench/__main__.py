"""Runs all benchmarks, one after the other: `make bench`; with QUICK=1 a short run.

`python -m bench rules kill` runs only these parts, which are functions of the benchmarks.
"""

import logging
import os
import sys
import time

from bench import ceilings, data, kill, push, report, requests, tails
from bench.processes import Process, running, scratch
from bench.report import FULL, QUICK, Run


def measure(run: Run, store) -> None:
    """Runs the benchmarks on one kind of database: all, or only those of incoming alerts."""
    run.measure(ceilings.group_commit, store)
    run.measure(requests.posts, store)
    run.measure(requests.closing, store)
    run.measure(requests.alert_ids, store)
    run.measure(requests.rules, store)
    run.measure(push.burst, store)
    run.measure(push.push_and_memory, store)
    run.measure(push.logins, store)
    run.measure(tails.beside_browsers, store)
    run.measure(tails.slow_disk, store)
    if store.name in run.plan.only_posts and not run.only:
        return
    run.measure(tails.beside_long_lists, store)
    run.measure(tails.beside_performance, store)
    run.measure(tails.beside_backups, store)
    run.measure(requests.pages, store)
    run.measure(requests.books, store)
    many = store.make(run.plan.many)
    run.measure(requests.starts, store, many)
    run.measure(requests.growth, store, many)
    # The last two, because their alerts stay waiting.
    run.measure(requests.lists, store, many)
    run.measure(tails.beside_searches, store, many)


def main() -> int:
    """Prints the tables and stores them as JSON. Returns 1 if a part failed."""
    quick, begun = bool(os.environ.get("QUICK")), time.monotonic()
    logging.getLogger("pairs").setLevel(logging.ERROR)  # no warning "demo" for each new database
    result = report.facts()
    with (
        scratch() as folder,
        running(Process(["-m", "bench.echo", "tornado"], folder / "log")) as echo,
    ):
        run = Run(QUICK if quick else FULL, folder, echo.port, sys.argv[1:])
        sqlite = data.Sqlite(folder)
        run.measure(ceilings.starlette, sqlite)
        measure(run, sqlite)
        with data.postgres() as postgres:
            result["versions"]["PostgreSQL"] = postgres.version()
            measure(run, postgres)
        run.measure(kill.kill, sqlite)
    result |= {"quick": quick, "seconds": round(time.monotonic() - begun), **run.outcome()}
    moment = result["date"][:19].replace(" ", "-").replace(":", "")
    file = report.write(result, f"{'quick' if quick else 'bench'}-{moment}")
    print(report.markdown(result))
    print(f"kept in {file}", file=sys.stderr)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
