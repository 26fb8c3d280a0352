"""Looks up known vulnerabilities of what the requirements bring; a part of make lint.

Fails where one is known. Where the index cannot be asked it says so in one line and fails nobody.
"""

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
# Tells whether the index answers: a mirror may have the packages and nothing to say of them.
PROBE = f"https://pypi.org/pypi/tornado/{version('tornado')}/json"
NOT_OURS = "pip"  # it comes with Python
ANSWERS, WHOLE = 3, 90  # seconds for one answer, and for all


def named(file: Path) -> Iterator[str]:
    """The names that a requirements file and those it includes ask for."""
    for line in file.read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from named(file.parent / text.removeprefix("-r "))
        elif text:
            yield Requirement(text).name


def installed(names: Iterator[str]) -> dict[str, str]:
    """{name: version} of these packages and all that they bring."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found or name == NOT_OURS:
            continue
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an extra's, or another system's
            continue
        needed = map(Requirement, requires(name) or [])
        waiting += [r.name for r in needed if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def unreachable() -> str | None:
    """Why the index cannot be asked, None if it can."""
    try:
        with urllib.request.urlopen(PROBE, timeout=ANSWERS):  # noqa: S310
            return None
    except OSError as error:
        return str(getattr(error, "reason", error))


def ask(packages: dict[str, str]) -> dict | None:
    """pip-audit's report, None where it could make none."""
    with tempfile.TemporaryDirectory(prefix="pairs-audit-") as folder:
        pins = Path(folder, "pins.txt")
        pins.write_text("".join(f"{name}=={each}\n" for name, each in packages.items()), "utf-8")
        command = [sys.executable, "-m", "pip_audit", "-r", pins, "--no-deps", "--disable-pip"]
        options = ["--format", "json", "--progress-spinner", "off", "--timeout", str(ANSWERS)]
        try:
            done = subprocess.run(
                [*command, *options], capture_output=True, text=True, timeout=WHOLE, check=False
            )
            return json.loads(done.stdout)
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None


def judge(report: dict) -> tuple[int, list[str]]:
    """The exit code, and what to say of a report."""
    packages = report["dependencies"]
    known = [
        f"{each['name']} {each['version']}: {found['id']}, "
        f"mended in {', '.join(found['fix_versions']) or 'no version yet'}"
        for each in packages
        for found in each.get("vulns", [])
    ]
    if known:
        return 1, known
    looked_up = [each for each in packages if "skip_reason" not in each]
    of = f"{len(looked_up)} of {len(packages)} packages"
    return 0, [f"Vulnerabilities: none is known; {of} were looked up."]


def main() -> int:
    """Says what is known: the exit code."""
    if reason := unreachable():
        print(f"Vulnerabilities: not looked up, for the index cannot be asked ({reason}).")
        return 0
    report = ask(installed(named(ROOT / "requirements-dev.txt")))
    if report is None:
        print("Vulnerabilities: not looked up, for the index did not answer in time.")
        return 0
    code, lines = judge(report)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
