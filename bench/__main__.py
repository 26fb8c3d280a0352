"""All benchmarks, one after the other (`make bench`; QUICK=1 for a short look)."""

import logging
import os
import sys
import time
from dataclasses import asdict

from bench import ceilings, growth, kill, machine, pages, push, report, requests, stores, weight
from bench.processes import Process, running, scratch
from bench.run import FULL, QUICK, Run


def measure(run: Run, store) -> None:
    """Everything on one kind of database, or what concerns alerts coming in."""
    commits = 0.0
    with run.part(f"{store.name}: ceilings"):
        commits = ceilings.measure(run, store)
    with run.part(f"{store.name}: alerts"):
        requests.posts(run, store, commits)
    with run.part(f"{store.name}: burst"):
        push.burst(run, store)
    with run.part(f"{store.name}: push and memory"):
        weight.push_and_memory(run, store)
    if store.name not in run.plan.only_posts:
        measure_stored(run, store)


def measure_stored(run: Run, store) -> None:
    """What depends on the signals stored."""
    with run.part(f"{store.name}: beside a long list"):
        requests.beside_long_lists(run, store)
    with run.part(f"{store.name}: pages"):
        pages.measure(run, store)
    many = store.make(run.plan.many)
    with run.part(f"{store.name}: start"):
        weight.starts(run, store, many)
    with run.part(f"{store.name}: growth"):
        growth.measure(run, store, many)
    with run.part(f"{store.name}: lists"):  # last: the alerts of this part go on waiting
        requests.lists(run, store, many)


def main() -> int:
    """Prints the tables and keeps them as JSON; 1 if an answer failed."""
    quick, begun = bool(os.environ.get("QUICK")), time.monotonic()
    logging.getLogger("pairs").setLevel(logging.ERROR)  # that it is a demo, for each database
    result = machine.facts()
    with scratch() as folder, running(Process(["-m", "bench.echo"], folder / "echo.log")) as echo:
        run = Run(QUICK if quick else FULL, folder, echo)
        measure(run, stores.Sqlite(folder))
        with stores.postgres() as postgres:
            result["versions"]["PostgreSQL"] = postgres.version()
            measure(run, postgres)
        with run.part("kill"):
            kill.measure(run)
    result |= {
        "quick": quick,
        "seconds": round(time.monotonic() - begun),
        "plan": asdict(run.plan),
        "rows": [row.as_json() for row in run.rows],
        "failures": run.failures,
    }
    file = report.write(result, "quick" if quick else "bench")
    print(report.markdown(result))
    print(f"kept in {file}", file=sys.stderr)
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
