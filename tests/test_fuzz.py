"""Schemathesis and mutated requests against a running server: a bounded number of each."""

import pytest

from bench import fuzz, mutants
from tests.conftest import tries

# The phase of edges alone makes thousands of cases; the whole is `python -m bench.fuzz`.
FEW = ("--phases", "examples,fuzzing,stateful", "--generation-deterministic")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("caller", ["visitor", "admin"])
def test_no_call_breaks_what_the_document_says(tmp_path, caller):
    found = fuzz.run(tmp_path, tries(4), *FEW, caller=caller)
    assert found.code == 0, found.text
    assert found.cases > 250
    log = tmp_path / "server.log"
    assert fuzz.traceback_of(log) == ""
    assert " status=500 " not in log.read_text()


def test_no_mutated_request_breaks_the_server_or_loses_an_alert(tmp_path, database_url):
    found = mutants.piece(tmp_path, database_url, tries(400), "test")
    assert found.faults == []
    assert found.signals
    assert found.refused
    assert found.frames


def test_an_alert_that_was_answered_and_is_not_stored_is_found(database_url):
    found = mutants.Outcome(signals=[7, 7], refused=2)
    mutants.compare(database_url, found)
    assert found.faults == [
        "a rowid was answered twice",
        "signals that were answered and are not stored: [7]",
        "0 rejected alerts of 2 are kept",
    ]
