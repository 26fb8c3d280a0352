"""Replaces the running version with a newer one and refuses no alert: `make upgrade`.

It makes a backup, fetches and merges, installs packages, checks the settings and whether the new
version can use the database, migrates, and restarts on the same socket. A failure before the
migrations is undone; the old server still runs.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
OWN = ROOT / "settings.local.toml"
# The version that runs, from the merge until the new one is checked. If an upgrade is killed
# between, the next one puts that version back first.
MARK = "refs/upgrade/before"
TIMEOUT = 60  # seconds in which the new version must answer


class Failed(Exception):
    """A step failed. The text says which one, and has its output."""


def step(says: str, *command: object) -> str:
    """Runs the command of a step and returns its output. Raises Failed."""
    print(f"{says} ...", flush=True)
    done = subprocess.run(
        [*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise Failed(f"{says} failed:\n{done.stdout.strip()}")
    return done.stdout.strip()


def server(says: str, *command: object) -> None:
    """Runs a command of server.py with this installation's settings. Raises Failed."""
    own = ("--settings", OWN.name) if OWN.exists() else ()
    step(says, sys.executable, "server.py", *own, *command)


def fetch() -> None:
    """Makes a backup, marks the version that runs, and merges the newest one."""
    if step("Looking for an upgrade that was killed", "git", "for-each-ref", MARK):
        put_back()
    before = step("Looking at the version that runs", "git", "rev-parse", "HEAD")
    (ROOT / "backups").mkdir(mode=0o700, exist_ok=True)
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{before[:8]}.jsonl.gz"
    server(f"Backing up to backups/{name}", "backup", f"backups/{name}")
    step("Fetching", "git", "fetch", "--quiet")
    step("Marking the version that runs", "git", "update-ref", MARK, before)
    step("Merging", "git", "merge", "--ff-only", "--quiet", "@{upstream}")


def put_back() -> None:
    """Undoes the merge, and installs the packages of the version that was marked."""
    step("Putting the old version back", "git", "reset", "--keep", MARK)
    step("Installing its packages", "make", "-s", "packages")
    forget_old()


def forget_old() -> None:
    """Removes the mark from the old version."""
    step("Removing its mark", "git", "update-ref", "-d", MARK)


def prepare() -> None:
    """Installs the packages and checks the settings. On failure it undoes the merge and raises."""
    try:
        step("Installing its packages", "make", "-s", "packages")
        server("Checking the settings", "--check")
    except Failed:
        put_back()
        raise
    forget_old()


def restart(command: str | None) -> bool:
    """Restarts the server. Returns False if it does not know what runs the server."""
    if command:
        step("Restarting", *shlex.split(command))
        return True
    if not (ROOT / "supervisor.sock").exists():
        return False
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    control = shutil.which("supervisorctl", path=path) or "supervisorctl"
    step("Restarting", control, "-c", "supervisord.conf", "signal", "USR2", "pairs-api:*")
    return True


def wait_for_answer() -> float:
    """Waits until the server answers; returns the seconds. Raises Failed."""
    sys.path.insert(0, str(ROOT))
    from settings import load

    conf = load({}, os.environ, str(OWN) if OWN.exists() else None)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(conf.host, conf.host)  # noqa: S104
    begun = time.monotonic()
    while time.monotonic() < begun + TIMEOUT:
        time.sleep(0.1)
        try:
            urllib.request.urlopen(f"http://{host}:{conf.port}/login", timeout=TIMEOUT).close()
        except urllib.error.HTTPError:
            pass  # an error status is an answer too
        except OSError:
            continue
        return time.monotonic() - begun
    raise Failed("The new version does not answer; see pairs-api.log.")


def main(arguments: list[str]) -> int:
    """Does the upgrade; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make upgrade", description=__doc__)
    parser.add_argument("--restart", metavar="COMMAND", help="where supervisord.conf is not used")
    given = parser.parse_args(arguments)
    try:
        fetch()
        prepare()
        server("Migrating the database", "migrate")
        if not restart(given.restart):
            print("No supervisord of this folder runs: restart the server by hand.")
            return 0
        seconds = wait_for_answer()
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"The new version answers, {seconds:.1f} s after the restart began.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
