"""A newer version in the place of the one that runs, without refusing a single alert: make upgrade.

Backup, git fetch and merge, packages, check, migrations, and a restart that keeps the socket open.
What fails before the migrations is undone; the server that runs goes on in any case.
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
PATIENCE = 60  # seconds for the new version to answer in


class Failed(Exception):
    """A step that did not succeed; the text is for the person who upgrades."""


def step(says: str, *command: object) -> str:
    """Runs a command of the upgrade: what it wrote; raises Failed."""
    print(f"{says} ...", flush=True)
    done = subprocess.run(
        [*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise Failed(f"{says} failed:\n{done.stdout.strip()}")
    return done.stdout.strip()


def server(says: str, *command: object) -> None:
    """Runs a command of server.py with this installation's settings."""
    own = ("--settings", OWN.name) if OWN.exists() else ()
    step(says, sys.executable, "server.py", *own, *command)


def fetch() -> str:
    """Brings the newest version into the folder: the commit that was there before."""
    before = step("Looking at the version that runs", "git", "rev-parse", "HEAD")
    (ROOT / "backups").mkdir(mode=0o700, exist_ok=True)
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{before[:8]}.jsonl.gz"
    server(f"Backing up to backups/{name}", "backup", f"backups/{name}")
    step("Fetching", "git", "fetch", "--quiet")
    step("Merging", "git", "merge", "--ff-only", "--quiet", "@{upstream}")
    return before


def prepare(before: str) -> None:
    """Packages and settings of the new version; puts the old one back where they do not do."""
    try:
        step("Installing its packages", "make", "-s", "packages")
        server("Checking the settings", "--check")
    except Failed:
        step("Putting the old version back", "git", "reset", "--keep", before)
        step("Installing its packages", "make", "-s", "packages")
        raise


def restart(command: str | None) -> bool:
    """Restarts the server: whether somebody could be told to."""
    if command:
        step("Restarting", *shlex.split(command))
        return True
    if not (ROOT / "supervisor.sock").exists():
        return False
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    control = shutil.which("supervisorctl", path=places) or "supervisorctl"
    step("Restarting", control, "-c", "supervisord.conf", "signal", "USR2", "pairs-api:*")
    return True


def wait_for_answer() -> float:
    """Seconds until the server answered again; raises Failed."""
    sys.path.insert(0, str(ROOT))
    from settings import load

    conf = load({}, os.environ, str(OWN) if OWN.exists() else None)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(conf.host, conf.host)  # noqa: S104
    begun = time.monotonic()
    while time.monotonic() < begun + PATIENCE:
        time.sleep(0.1)
        try:
            with urllib.request.urlopen(f"http://{host}:{conf.port}/login", timeout=PATIENCE):
                return time.monotonic() - begun
        except urllib.error.HTTPError:
            return time.monotonic() - begun
        except OSError:
            continue
    raise Failed("The new version does not answer; see pairs-api.log.")


def main(arguments: list[str]) -> int:
    """Upgrades: the exit code."""
    parser = argparse.ArgumentParser(prog="make upgrade", description=__doc__)
    parser.add_argument("--restart", metavar="COMMAND", help="where supervisord.conf is not used")
    given = parser.parse_args(arguments)
    try:
        prepare(fetch())
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
