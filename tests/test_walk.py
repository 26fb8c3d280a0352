"""How deep the house is, counted by a profiler from the first byte to the last socket."""

import re
import subprocess
import sys

import pytest

from bench.processes import ROOT, clean_environment

MOST_FUNCTIONS, MOST_FILES = 76, 21


@pytest.fixture(scope="module")
def walks(tmp_path_factory):
    """{"alert" or "fill": (functions, files)}."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.walk"],
        env=clean_environment(PYTHONPATH=str(ROOT)),
        cwd=tmp_path_factory.mktemp("walk"),
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"^(\w+): (\d+) functions in (\d+) files$", done.stdout, re.M)
    return {name: (int(functions), int(files)) for name, functions, files in found}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["alert", "fill"])
def test_an_alert_and_a_fill_enter_few_functions_in_few_files(walks, what):
    functions, files = walks[what]
    assert functions <= MOST_FUNCTIONS
    assert files <= MOST_FILES
