"""Makes copies of the project, and runs the real supervisord in them."""

import contextlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.processes import ROOT, clean_environment
from tests.ports import free_port

COMMIT = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com", "commit", "-q", "-a")


def project_files():
    """The names of the project's files: tracked by git, or new and not ignored."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy_project(place):
    """Copies the project's files to this directory."""
    for name in project_files():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name)


def furnish(place, **settings):
    """Gives a copy our Python packages and settings with a port of its own; returns the port."""
    (place / ".venv").symlink_to(sys.prefix)
    port = free_port()
    lines = [f"port = {port}", *(f"{key} = {value}" for key, value in settings.items())]
    (place / "settings.local.toml").write_text("\n".join(lines))
    return port


def git(place, *command):
    """What git says in this folder."""
    done = subprocess.run(["git", *command], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_repository(place):
    """Makes a repository of the project as it is in this directory, which must not exist."""
    place.mkdir()
    copy_project(place)
    git(place, "init", "-q", "-b", "main")
    git(place, "add", "-A")
    git(place, *COMMIT, "-m", "Release")


def clone(origin, place):
    """Clones a repository, and furnishes the clone; returns its port."""
    git(origin, "clone", "-q", str(origin), str(place))
    return furnish(place)


def upgrading(place, errors=subprocess.PIPE):
    """make upgrade, which runs in a process group of its own."""
    return subprocess.Popen(
        ["make", "upgrade", f"PYTHON={sys.executable}"],
        cwd=place,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )


class Supervised:
    """supervisord -c supervisord.conf in a copy of the project."""

    def __init__(self, place: Path, port: int):
        self.place, self.port = place, port
        self.environment = clean_environment()
        self._out = (place / "out.log").open("wb")
        self._process = subprocess.Popen(
            [Path(sys.prefix, "bin/supervisord"), "-n", "-c", "supervisord.conf"],
            cwd=place,
            env=self.environment,
            stdout=self._out,
            stderr=self._out,
        )

    def control(self, *command):
        """Runs supervisorctl; returns its output."""
        done = subprocess.run(
            [Path(sys.prefix, "bin/supervisorctl"), "-c", "supervisord.conf", *command],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout

    def wait_for_log(self, text, times=1, seconds=60):
        """Waits until the log contains the text `times` times. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.log().count(text) >= times:
                return
            assert self._process.poll() is None, self.log()
            time.sleep(0.02)
        raise TimeoutError(self.log())

    def log(self):
        """The text of all logs, of the server and of supervisord."""
        return "".join(path.read_text() for path in sorted(self.place.glob("*.log")))

    def pid(self):
        """The process id of the server."""
        return int(self.control("pid", "pairs-api"))

    def close(self):
        """Stops supervisord, which stops the server."""
        self._process.terminate()
        self._process.wait(40)
        self._out.close()


@contextlib.contextmanager
def supervised(place, port):
    """Runs supervisord in this directory for the block, which begins when the server listens."""
    running = Supervised(place, port)
    try:
        running.wait_for_log("listens at")
        yield running
    finally:
        running.close()
