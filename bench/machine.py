"""What a figure was measured on: machine, versions, commit, date."""

import os
import platform
import shutil
import sqlite3
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from bench.processes import ROOT

PACKAGES = ("tornado", "peewee", "psycopg2-binary", "orjson", "pydantic", "argon2-cffi")


def facts() -> dict:
    """The facts of this run, for its result file."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()) + " UTC",
        "commit": _git("rev-parse", "HEAD")
        + ("+" if _git("status", "--porcelain", "-uno") else ""),
        "machine": {
            "cores": os.cpu_count(),
            "cpu": _cpu(),
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


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
