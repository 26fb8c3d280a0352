"""Schemathesis against a running server: all checks, all phases, a bounded number of cases."""

import pytest

from bench import fuzz
from tests.conftest import tries

# The phase of edges alone makes thousands of cases; the whole is `python -m bench.fuzz`.
FEW = ("--phases", "examples,fuzzing,stateful", "--generation-deterministic")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("logged_in", [False, True], ids=["a visitor", "an admin"])
def test_no_call_breaks_what_the_document_says(tmp_path, logged_in):
    found = fuzz.run(tmp_path, tries(4), *FEW, logged_in=logged_in)
    assert found.code == 0, found.text
    assert found.cases > 250
    log = (tmp_path / "server.log").read_text()
    assert "Traceback" not in log
    assert "status=500" not in log
