"""The real server in a process of its own, on a database that is new."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PORT = 5000
_LISTENS = re.compile(r"listens at (http://\S+?)/?\s*$")
_GRACE = 15  # seconds


class NotStarted(Exception):
    """The server could not be started; the text says why."""


class Server:
    """A demo server that was started; `url` waits until it listens."""

    def __init__(self, port: int = PORT, settings: dict[str, str] | None = None):
        refuse_taken(port)
        # Each port has files of its own: a demo that runs beside this one keeps its database.
        name = "demo" if port == PORT else f"demo-{port}"
        database, self.log = Path(f"{name}.db").resolve(), Path(f"{name}.log").resolve()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{database}{suffix}").unlink(missing_ok=True)
        command = [sys.executable, "server.py", "--host", "127.0.0.1", "--port", str(port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--database", f"sqlite:///{database}"],
                cwd=ROOT,
                env=_environment(settings or {}),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def url(self) -> str:
        """Its address, once it listens; raises NotStarted."""
        found = _LISTENS.search(self._process.stdout.readline())
        if not found:
            self.end()
            raise NotStarted(self.log.read_text().strip())
        return found[1]

    def end(self) -> None:
        """Stops the server and waits until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def refuse_taken(port: int) -> None:
    """Raises NotStarted where somebody listens at the port already."""
    with socket.socket() as line:
        line.settimeout(5)
        if port and line.connect_ex(("127.0.0.1", port)) == 0:
            raise NotStarted(
                f"Port {port} is taken; stop what runs there, or take another: "
                "python -m demo --port 5001"
            )


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """The environment without anybody's settings but these: a demo is the same everywhere."""
    ours = ("PORT", "DATABASE_URL")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PAIRS_") and k not in ours}
    ours = {f"PAIRS_{name.upper()}": value for name, value in settings.items()}
    return kept | ours | {"PYTHONUNBUFFERED": "1"}
