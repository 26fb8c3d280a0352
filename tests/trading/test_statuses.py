"""What became of an alert: one table of statuses and messages."""

import re

import pytest

from trading import statuses

OUTCOMES = [
    # status, message, outcome, whether nothing can have been ordered
    ("filled", "", "traded", False),
    ("filled", "+synced(10->4)", "traded", False),
    ("canceled", "(*)part.filled | remained: 6.0", "traded", False),
    ("waiting", None, "working", False),
    ("rerouted", "+route", "working", False),
    ("created", "", "working", False),
    ("filled(...)", "remained(NMFC): 0.0", "working", False),
    ("part.filled", "remained: 6.0", "working", False),
    ("a word of a client's own", None, "working", False),
    ("canceled", "duplicate order", "not needed", True),
    ("canceled", "+synced(10->0)", "not needed", False),
    ("canceled", "overtaken by 7", "not needed", True),
    ("canceled", "mult.act.orders", "not needed", False),
    ("canceled", "multiple active orders", "not needed", False),
    ("canceled", "passive ticker", "not needed", True),
    ("canceled", None, "not needed", False),
    ("canceled", "unknown ticker", "not traded", True),
    ("error", "wrong hedge", "not traded", True),
    ("critical err", "unknown ticker", "failed", True),
    ("canceled", "wrong hedge", "not traded", True),
    ("canceled", "insufficient funds", "not traded", True),
    ("canceled", "position size mismatch", "not traded", True),
    ("canceled", "missing position size", "not traded", True),
    ("canceled", "pyramiding", "not traded", True),
    ("canceled", "crypto in pairs", "not traded", True),
    ("error", "unknown ticker", "not traded", True),
    ("error", "problematic ticker!", "not traded", True),
    ("error", "currency mismatch!", "not traded", True),
    ("error", "exchange mismatch!", "not traded", True),
    ("held", "held for approval", "working", False),
    ("canceled", "entries are off", "not traded", True),
    ("canceled", "trading is off", "not traded", True),
    ("canceled", "outside entry hours", "not traded", True),
    ("canceled", "expired after 15 min", "not traded", True),
    ("canceled", "limit: 3 of 3 entries today", "not traded", True),
    ("canceled", "LIMIT: 3 of 3 entries today", "not needed", False),
    ("canceled", "refused by admin", "not needed", True),
    ("canceled", "reversal cut to its exit", "not needed", False),
    ("error", "+err", "failed", False),
    ("critical err", "+crit. err", "failed", True),
]


@pytest.mark.parametrize(("status", "message", "outcome", "refused"), OUTCOMES)
def test_what_became_of_an_alert(status, message, outcome, refused):
    assert statuses.classify(status, message) == outcome
    assert statuses.is_refused(status, message) == refused


@pytest.mark.parametrize("meaning", statuses.MEANINGS, ids=lambda meaning: meaning.example)
def test_the_table_of_messages_says_what_became_of_the_alert(meaning):
    if meaning.outcome:
        assert statuses.classify(statuses.CANCELED, meaning.example) == meaning.outcome
    else:
        assert meaning.example not in statuses.REASONS


def test_a_reason_is_a_plain_text_that_a_database_can_compare():
    assert not [each for each in statuses.REASONS if re.search(r"[\\^$.|?*+()\[\]{}]", each)]


def test_every_status_has_an_outcome():
    named = {status for status, *_ in OUTCOMES}
    assert set(statuses.KNOWN) <= named
