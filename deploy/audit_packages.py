"""Looks up known vulnerabilities of the required packages, as a part of `make lint`.

It fails if one is known. If the index does not answer, it prints a line and does not fail.
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
# Shows whether the index answers. A mirror may have the packages, but not their vulnerabilities.
PROBE = f"https://pypi.org/pypi/tornado/{version('tornado')}/json"
NOT_OURS = "pip"  # left out, because it comes with Python
ANSWER_TIMEOUT, TIMEOUT = 3, 90  # seconds for one answer, and for all together


def named(file: Path) -> Iterator[str]:
    """The names of the packages in a requirements file and in the files that it includes."""
    for line in file.read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from named(file.parent / text.removeprefix("-r "))
        elif text:
            yield Requirement(text).name


def installed(names: Iterator[str]) -> dict[str, str]:
    """{name: version} of these packages and of all packages that they require."""
    found: dict[str, str] = {}
    left = list(names)
    while left:
        name = canonicalize_name(left.pop())
        if name in found or name == NOT_OURS:
            continue
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # it belongs to an extra or to another system
            continue
        needed = map(Requirement, requires(name) or [])
        left += [r.name for r in needed if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def unreachable() -> str | None:
    """The reason why the index does not answer; None if it answers."""
    try:
        with urllib.request.urlopen(PROBE, timeout=ANSWER_TIMEOUT):  # noqa: S310
            return None
    except OSError as error:
        return str(getattr(error, "reason", error))


def ask(packages: dict[str, str]) -> dict | None:
    """The report of pip-audit; None if it could not make one."""
    with tempfile.TemporaryDirectory(prefix="pairs-audit-") as folder:
        pins = Path(folder, "pins.txt")
        pins.write_text("".join(f"{name}=={each}\n" for name, each in packages.items()), "utf-8")
        command = [sys.executable, "-m", "pip_audit", "-r", pins, "--no-deps", "--disable-pip"]
        command += ["--format", "json", "--progress-spinner", "off"]
        command += ["--timeout", str(ANSWER_TIMEOUT)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
            return json.loads(done.stdout)
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None


def judge(report: dict) -> tuple[int, list[str]]:
    """The exit code and the lines to print for a report."""
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
    """Prints the known vulnerabilities; returns the exit code."""
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
