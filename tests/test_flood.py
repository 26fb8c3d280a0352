"""A flood from one address neither disturbs a sender at another one nor fills the disk."""

import pytest

from bench import flood


@pytest.mark.slow
def test_a_tenth_of_the_flood_refuses_no_right_alert_and_leaves_no_trace(tmp_path):
    outcome = flood.run(tmp_path, 0.1)
    assert set(outcome.alerts) == {201}
    assert sum(outcome.flood.values()) == 1100
    # Where a password takes long to hash, logins are told to come back: 503.
    assert set(outcome.flood) - {503} == {400, 401, 429}
    assert outcome.flood[429] > 900, "thirty at once and a few more as time goes by"
    assert outcome.grown < 1_000_000
