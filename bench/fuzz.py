"""Schemathesis against a running server: python -m bench.fuzz [examples for each call].

All checks, with and without a login, all phases; 20,000 cases and more by default.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from bench.processes import ROOT, SERVER, Process, clean_environment

EXAMPLES = 120
CONFIG = ROOT / "bench/schemathesis.toml"
_CASES = re.compile(r"(\d[\d,]*) generated")


class Result(NamedTuple):
    """What a run found: its exit code (0: no failure), how many cases it made, what it said."""

    code: int
    cases: int
    text: str


def run(folder: Path, examples: int, *arguments: str, logged_in: bool) -> Result:
    """One run against a new demo server."""
    settings = folder / "fuzz.toml"
    settings.write_text("wrong_passphrases = 1000000\nlogin_attempts = 1000000\n")
    database = folder / f"fuzz-{logged_in}.db"
    server = Process(
        [SERVER, "--port", 0, "--settings", settings, "--database", f"sqlite:///{database}"],
        folder / "server.log",
    )
    try:
        return _schemathesis(folder, server.port, examples, *arguments, logged_in=logged_in)
    finally:
        server.end()


def _schemathesis(folder: Path, port: int, examples: int, *more: str, logged_in: bool) -> Result:
    site = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG]
    command += ["run", f"{site}/v3/openapi.json", "--checks", "all", "-n", str(examples)]
    environment = clean_environment(SCHEMATHESIS_HOOKS=str(ROOT / "bench/fuzz_hooks.py"))
    if logged_in:
        environment["FUZZ_LOGIN"] = "admin"
    done = subprocess.run(
        [*command, *more],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = _CASES.search(done.stdout)
    return Result(done.returncode, int(found[1].replace(",", "")) if found else 0, done.stdout)


def main() -> int:
    """Both runs: 0 where neither found anything."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    cases, failed = 0, False
    with tempfile.TemporaryDirectory() as folder:
        for logged_in in (False, True):
            found = run(Path(folder), examples, *sys.argv[2:], logged_in=logged_in)
            print(found.text)
            cases, failed = cases + found.cases, failed or found.code != 0
        if "Traceback" in (Path(folder) / "server.log").read_text():
            print("The server logged a traceback.")
            failed = True
    print(f"{cases:,} cases, {'with' if failed else 'no'} failures")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
