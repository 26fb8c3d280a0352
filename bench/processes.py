"""Starts and ends server processes, for the benchmarks and the tests."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SERVER = ROOT / "server.py"
# Starts the browser, as `chromium.launch(**CHROMIUM)`.
CHROMIUM = {
    "executable_path": "/usr/bin/chromium",
    "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
}
LISTENS = re.compile(r"listens at http://[\d.]+:(\d+)/")


def clean_environment(**more: str) -> dict[str, str]:
    """The environment variables without any settings, plus `more`."""
    # With PYTHONDONTWRITEBYTECODE each start would compile all modules again.
    ours = ("PORT", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PAIRS_") and k not in ours}
    return kept | {"PYTHONUNBUFFERED": "1"} | more


class Process:
    """A Python process that serves. It already listens when the constructor returns.

    Its stderr is appended to the file `log`.
    """

    def __init__(
        self, arguments: list, log: Path, environment: dict[str, str] | None = None, **more: Any
    ):
        self.log = log
        begun = time.perf_counter()
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                env=environment or clean_environment(),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                **more,
            )
        self.port = self.wait_until_it_listens()
        self.start_seconds = time.perf_counter() - begun

    def wait_until_it_listens(self) -> int:
        """Waits until the process listens and returns the port. Raises RuntimeError if it ends."""
        line = self._process.stdout.readline()
        found = LISTENS.search(line)
        if not found:
            self.end(signal.SIGKILL)
            raise RuntimeError(f"it did not start: {line}{self.log.read_text()}")
        return int(found[1])

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, number: int) -> None:
        """Sends a signal to the process and does not wait."""
        self._process.send_signal(number)

    def wait(self, seconds: float = 15) -> int:
        """Waits for the end and returns the exit code. Raises subprocess.TimeoutExpired."""
        self._process.communicate(timeout=seconds)
        return self._process.returncode

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal, waits for the end and returns the exit code. Kills it after 15 s."""
        with contextlib.suppress(ProcessLookupError):
            self.send(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self.wait()

    def memory(self) -> float:
        """The resident memory in megabytes (Linux only)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def server(
    database: Path | str,
    *arguments: str,
    environment: dict[str, str] | None = None,
    log: Path | None = None,
    tree: Path = ROOT,
) -> Process:
    """Starts the server of a source tree in demo mode on this SQLite file or URL.

    It listens on a free port unless the arguments name one. Without `log`, the log is a file beside
    the SQLite file.
    """
    url = f"sqlite:///{database}" if isinstance(database, Path) else database
    command = [tree / "server.py", "--port", "0", "--database", url, *arguments]
    return Process(command, log or database.with_suffix(".log"), environment)


@contextlib.contextmanager
def running(process: Process):
    """Ends the process at the end of the block."""
    try:
        yield process
    finally:
        process.end()


def compiled(folder: Path, name: str) -> Path:
    """The library that gcc makes of `bench/NAME.c` in this folder, for LD_PRELOAD."""
    library = folder / f"{name}.so"
    command = ["gcc", "-shared", "-fPIC", "-o", library, ROOT / f"bench/{name}.c", "-ldl"]
    subprocess.run(command, check=True)
    return library


@contextlib.contextmanager
def scratch():
    """A temporary directory for the block."""
    with tempfile.TemporaryDirectory(prefix="pairs-bench-") as name:
        yield Path(name)
