"""Starting and ending the processes that are measured."""

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
LISTENS = re.compile(r"listens at http://[\d.]+:(\d+)/")
PASSPHRASE = "webhook"


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without settings of whoever runs this."""
    # Without Python's own, each start would compile all modules again.
    ours = ("PORT", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PAIRS_") and k not in ours}
    return kept | {"PYTHONUNBUFFERED": "1"} | more


class Process:
    """A server of ours in a process of its own, listening once this is made.

    What it writes to stderr goes to the file `log`; `out` holds what it wrote to stdout at its end.
    """

    def __init__(
        self,
        arguments: list,
        log: Path,
        environment: dict[str, str] | None = None,
        **more: Any,
    ):
        self.log, self.out = log, ""
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
        """The port, once it says that it listens; raises RuntimeError where it ends instead."""
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
        """Sends a signal and does not wait."""
        self._process.send_signal(number)

    def wait(self, seconds: float = 15) -> int:
        """The exit code; raises subprocess.TimeoutExpired."""
        out, _ = self._process.communicate(timeout=seconds)
        self.out += out or ""
        return self._process.returncode

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ends the process: its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.send(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self.wait()

    def memory(self) -> float:
        """Megabytes of memory in use (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def serving(url: str, log: Path, *arguments, environment=None, script=(SERVER,)) -> Process:
    """The real server in demo mode on this database, on a free port unless one is given."""
    command = [*script, "--port", "0", "--database", url, *arguments]
    return Process(command, log, environment)


def counting(url: str, log: Path) -> Process:
    """The same application, telling its number of commits in `out` when it ends."""
    environment = clean_environment(PYTHONPATH=str(ROOT))
    return serving(url, log, environment=environment, script=("-m", "bench.counting"))


def server(
    database: Path | str,
    *arguments: str,
    environment: dict[str, str] | None = None,
    log: Path | None = None,
    tree: Path = ROOT,
) -> Process:
    """The server of a source tree on this SQLite file or URL; a file has its log beside it."""
    url = f"sqlite:///{database}" if isinstance(database, Path) else database
    log = log or database.with_suffix(".log")
    return serving(url, log, *arguments, environment=environment, script=(tree / "server.py",))


@contextlib.contextmanager
def running(process: Process):
    """Ends the process with the block."""
    try:
        yield process
    finally:
        process.end()


@contextlib.contextmanager
def scratch():
    """A directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pairs-bench-") as name:
        yield Path(name)
