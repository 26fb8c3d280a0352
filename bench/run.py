"""What a run measures with, how much of everything, and the rows that come of it."""

import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import Process
from bench.report import Row


class Failed(RuntimeError):
    """A server answered wrongly, or something was lost: the run's exit code is not 0."""


@dataclass(frozen=True)
class Plan:
    """How much of everything; seconds of load are whole, for wrk."""

    slices: int  # of each row, with the echo between them
    seconds: int  # of a slice
    many: int  # signals stored where it should not matter
    listed: int  # signals of the long list
    paged: int  # signals stored where pages are measured
    posted: int  # signals posted before memory is looked at
    pushing: int  # seconds of each push row
    growing: float  # seconds of each route's growth
    rounds: int  # that they are cut into
    kills: int
    only_posts: tuple[str, ...]  # databases on which lists, pages and growth are left out
    starts: int


FULL = Plan(4, 2, 1_000_000, 200_000, 100_000, 100_000, 8, 1.5, 5, 20, (), 5)
QUICK = Plan(1, 1, 20_000, 10_000, 10_000, 3_000, 2, 0.1, 1, 3, ("PostgreSQL",), 1)


@dataclass
class Run:
    """One run of the benchmarks."""

    plan: Plan
    folder: Path
    echo: Process
    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def add(self, *arguments, **named) -> None:
        """Keeps a row and shows it on stderr."""
        row = Row(*arguments, **named)
        self.rows.append(row)
        print(f"| {' | '.join(row.cells(list(row.figures)))} |", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def part(self, name: str):
        """Something that may fail without keeping the rest from being measured."""
        begun = time.monotonic()
        try:
            yield
        except (Failed, OSError, subprocess.SubprocessError) as failure:
            self.failures.append(f"{name}: {failure!r}")
            print(f"FAILED {name}: {failure!r}", file=sys.stderr, flush=True)
        print(f"  {name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)

    def serve(self, url: str, *, command: Callable) -> Process:
        """A server process on this database with a log of its own."""
        return command(url, self.folder / f"server{next(self._numbers)}.log")
