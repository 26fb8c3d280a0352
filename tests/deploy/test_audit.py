"""The look-up of known vulnerabilities: what fails make lint, and what is only told."""

import importlib.util
import subprocess
import sys

import pytest

from bench.processes import ROOT, clean_environment
from tests.ports import free_port

# By its path, for these tests' own folder has the other one's name.
SPEC = importlib.util.spec_from_file_location("audit", ROOT / "deploy/audit_packages.py")
audit = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

GOOD = {"name": "tornado", "version": "6.6.1", "vulns": []}
BAD = {
    "name": "jinja2",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": [], "description": "..."}],
}
UNKNOWN = {"name": "orjson", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([GOOD], 0, ["Vulnerabilities: none is known; 1 of 1 packages were looked up."]),
        ([GOOD, BAD, UNKNOWN], 1, ["jinja2 2.0: PYSEC-1, mended in 2.1"]),
        ([GOOD, UNKNOWN], 0, ["Vulnerabilities: none is known; 1 of 2 packages were looked up."]),
        ([BAD | {"vulns": [{"id": "X", "fix_versions": []}]}], 1, None),
    ],
)
def test_a_known_vulnerability_fails_and_nothing_else(packages, code, words):
    told = audit.judge({"dependencies": packages})
    assert told[0] == code
    assert words is None or told[1] == words


def test_what_the_requirements_bring_is_looked_at_and_nothing_else():
    found = audit.installed(audit.named(ROOT / "requirements-dev.txt"))
    assert {"tornado", "pydantic", "pydantic-core", "pytest", "pip-audit"} <= set(found)
    assert not {"pip", "flask"} & set(found)
    assert all(found.values())


@pytest.mark.slow
def test_where_the_network_is_closed_one_line_says_so_and_nobody_waits():
    closed = f"http://127.0.0.1:{free_port()}"
    done = subprocess.run(
        [sys.executable, ROOT / "deploy/audit_packages.py"],
        env=clean_environment(HTTPS_PROXY=closed, https_proxy=closed, NO_PROXY="", no_proxy=""),
        capture_output=True,
        text=True,
        timeout=60,  # pip-audit itself would try for minutes
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert "not looked up" in done.stdout
