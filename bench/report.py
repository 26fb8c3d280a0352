"""The plan of a run, its rows of figures with their targets, and the tables made of them.

`python -m bench.report bench/results/FILE.json` prints the tables of a stored result. With
`--readme` they are as in the README, with the growth of the routes in one line.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.load import Failed
from bench.processes import ROOT, Process, clean_environment, server

RESULTS = ROOT / "bench" / "results"
PACKAGES = ("tornado", "peewee", "psycopg2-binary", "orjson", "pydantic", "argon2-cffi")
TITLES = {
    "ceilings": "Ceilings of this machine",
    "requests": "Requests",
    "bursts": "Bursts",
    "tails": "Posts while something else goes on",
    "books": "Trips and performance",
    "push": "Push",
    "weight": "Memory and start",
    "growth": "Growth from 1,000 signals to {many:,}",
    "pages": "Pages, {paged:,} signals",
    "kill": "Killed under load",
}


@dataclass(frozen=True)
class Plan:
    """The size of each benchmark. Seconds of load are whole numbers, as wrk needs it."""

    slices: int  # slices of each row, with slices of the echo between them
    seconds: int  # seconds of a slice
    many: int  # signals in a large database, where the number should not matter
    listed: int  # signals of the long list
    paged: int  # signals stored when pages are measured
    posted: int  # signals posted before memory is measured
    pushing: int  # seconds of each push row
    growing: float  # seconds for the growth of each route
    rounds: int  # rounds that these seconds are divided into
    kills: int
    only_posts: tuple[str, ...]  # databases on which lists, pages and growth are left out
    starts: int


FULL = Plan(4, 2, 1_000_000, 200_000, 100_000, 100_000, 8, 1.5, 5, 20, (), 5)
QUICK = Plan(1, 1, 20_000, 10_000, 10_000, 3_000, 2, 0.1, 1, 3, ("PostgreSQL",), 1)


@dataclass
class Row:
    """A measurement: its figures, and targets of some of them as (`<=` or `>=`, limit)."""

    table: str
    scenario: str
    database: str
    figures: dict[str, float]
    targets: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        """Whether all targets are met; None if there is no target."""
        kept = [
            self.figures[name] <= limit if sign == "<=" else self.figures[name] >= limit
            for name, (sign, limit) in self.targets.items()
        ]
        return all(kept) if kept else None

    def cells(self, names: list[str]) -> list[str]:
        """The cells of a table's row with these figures."""
        figures = [
            shown(name, self.figures[name]) if name in self.figures else "" for name in names
        ]
        bounds = [
            f"{name} {'≤' if sign == '<=' else '≥'} {shown(name, limit)}"
            for name, (sign, limit) in self.targets.items()
        ]
        verdict = {True: "yes", False: "**no**", None: ""}[self.holds]
        return [self.scenario, self.database, *figures, "; ".join(bounds), verdict]


@dataclass
class Run:
    """One run of the benchmarks."""

    plan: Plan
    folder: Path
    echo_port: int = 0
    only: Sequence[str] = ()  # names of the parts to run; empty: all
    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def add(self, *arguments, **named) -> None:
        """Adds a row and prints it on stderr."""
        row = Row(*arguments, **named)
        self.rows.append(row)
        print(f"| {' | '.join(row.cells(list(row.figures)))} |", file=sys.stderr, flush=True)

    def measure(self, part: Callable, store, *more) -> None:
        """Runs one part. If it fails, the failure is stored and the run continues."""
        if self.only and part.__name__ not in self.only:
            return
        name, begun = f"{store.name}: {part.__name__.replace('_', ' ')}", time.monotonic()
        try:
            part(self, store, *more)
        except (Failed, OSError, subprocess.SubprocessError) as failure:
            self.failures.append(f"{name}: {failure!r}")
            print(f"FAILED {name}: {failure!r}", file=sys.stderr, flush=True)
        print(f"  {name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)

    def serve(self, url: str, **settings: str) -> Process:
        """Starts a server on this database, with its own log and these settings."""
        given = {f"PAIRS_{name.upper()}": value for name, value in settings.items()}
        log = self.folder / f"server{next(self._numbers)}.log"
        return server(url, environment=clean_environment(**given), log=log)

    def outcome(self) -> dict:
        """The plan, the rows and the failures, for the result file."""
        rows = [asdict(row) | {"holds": row.holds} for row in self.rows]
        return {"plan": asdict(self.plan), "rows": rows, "failures": self.failures}


def facts() -> dict:
    """When and on what the figures were measured: date, commit, machine, versions."""
    cpus = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()) + " UTC",
        "commit": _git("rev-parse", "HEAD") + "+" * bool(_git("status", "--porcelain", "-uno")),
        "machine": {
            "cores": os.cpu_count(),
            "cpu": cpus[0] if cpus else platform.machine(),
            "kernel": f"{platform.system()} {platform.release()}",
            "memory GB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "load before": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "Python": platform.python_version(),
            "SQLite": sqlite3.sqlite_version,
            **{name: version(name) for name in PACKAGES},
            "load": "wrk" if shutil.which("wrk") else "asyncio",
        },
    }


def _git(*arguments: str) -> str:
    command = ["git", *arguments]  # noqa: S607
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip()


def shown(name: str, value: float) -> str:
    """A figure as a table shows it; its name tells the unit."""
    if name.startswith(("share", "growth")):
        return f"{value:+.0%}" if name == "growth" else f"{value:.0%}"
    if name.endswith(("ms", "a commit")):
        return f"{value:,.1f}"
    if name.endswith(" s"):
        return f"{value:.2f}"
    return f"{value:,.0f}"


def table(rows: list[Row]) -> list[str]:
    """The lines of a Markdown table."""
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    head = ["scenario", "database", *names, "target", "holds"]
    lines = [head, ["---"] * len(head), *(row.cells(names) for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def summed_up(rows: list[Row]) -> list[str]:
    """A line for each database: how much the routes grow, and which grow too much."""
    lines = []
    for database in dict.fromkeys(row.database for row in rows):
        mine = [row for row in rows if row.database == database]
        middle = median(row.figures["growth"] for row in mine)
        over = [
            f"`{row.scenario}` {row.figures['growth']:+.0%} ({row.figures['many p50 ms']:.1f} ms)"
            for row in mine
            if row.holds is False
        ]
        beyond = f"Beyond 15 %: {', '.join(over)}." if over else "None beyond 15 %."
        lines.append(f"- {database}: {len(mine)} routes, median {middle:+.0%}. {beyond}")
    return lines


def markdown(result: dict, readme: bool = False) -> str:
    """The tables of a result as Markdown."""
    rows = [Row(**{k: v for k, v in row.items() if k != "holds"}) for row in result["rows"]]
    machine, versions = result["machine"], result["versions"]
    lines = [
        f"{result['date']}, commit {result['commit'][:10]}{'+' * result['commit'].endswith('+')}, "
        f"{machine['cores']} cores ({machine['cpu']}), {machine['kernel']}, "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + f"; {result['seconds'] / 60:.0f} minutes{'; QUICK' * result['quick']}."
    ]
    for name, title in TITLES.items():
        if mine := [row for row in rows if row.table == name]:
            folded = readme and name == "growth"
            shown_as = summed_up(mine) if folded else table(mine)
            lines += ["", f"### {title.format(**result['plan'])}", "", *shown_as]
    missed = [
        f"{row.scenario} ({row.database})"
        for row in rows
        if row.holds is False and not (readme and row.table == "growth")
    ]
    lines += ["", f"Targets missed: {', '.join(missed) or 'none'}."]
    lines += [f"FAILED: {failure}" for failure in result["failures"]]
    return "\n".join(lines)


def write(result: dict, name: str) -> Path:
    """Writes a result as JSON and returns the file."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(result, indent=1) + "\n")
    return file


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.report")
    parser.add_argument("file", type=Path, help="a result, as JSON")
    parser.add_argument("--readme", action="store_true", help="sum up the growth of the routes")
    given = parser.parse_args()
    print(markdown(json.loads(given.file.read_text()), given.readme))
