"""Token buckets and growing delays, with a clock that the test moves."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.gate import Bucket, Failures, Rarely


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_bucket_gives_its_burst_and_then_its_rate():
    clock = Clock()
    bucket = Bucket(rate=2.0, burst=3, clock=clock)
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take("b") == 0, "another sender has a bucket of its own"
    clock.now = 0.4
    assert round(bucket.take("a"), 9) == 0.1
    clock.now = 0.5
    assert [bucket.take("a") > 0 for _ in range(2)] == [False, True]
    clock.now = 1000
    assert [bucket.take("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_a_token_can_be_given_back_but_never_more_than_the_burst():
    bucket = Bucket(rate=1.0, burst=2, clock=Clock())
    bucket.take("a")
    for _ in range(5):
        bucket.give_back("a")
    assert [bucket.take("a") > 0 for _ in range(3)] == [False, False, True]
    bucket.give_back("nobody")


@given(st.lists(st.floats(0, 5), max_size=60))
def test_over_any_time_no_more_passes_than_burst_and_rate_allow(pauses):
    clock = Clock()
    bucket = Bucket(rate=3.0, burst=4, clock=clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += bucket.take("a") == 0
    assert passed <= 4 + 3.0 * clock.now + 1e-6


def test_keys_are_bounded_and_the_quietest_goes_first():
    bucket = Bucket(rate=0.001, burst=1, clock=Clock(), most=3)
    for key in "abcad":
        bucket.take(key)
    assert bucket.take("a") > 0, "it was heard of since"
    assert bucket.take("b") == 0, "it was forgotten"


def test_failures_under_a_name_delay_more_and_more_but_never_refuse():
    failures = Failures()
    delays = []
    for _ in range(40):
        delays.append(failures.delay("admin"))
        failures.failed("admin")
    assert delays[:5] == [0] * 5
    assert delays[5:10] == [0.25, 0.5, 1, 2, 4]
    assert set(delays[10:]) == {4}
    assert failures.delay("user1") == 0
    failures.succeeded("admin")
    assert failures.delay("admin") == 0


def test_names_that_failed_are_bounded():
    failures, names = Failures(most=5), [f"name{number}" for number in range(20)]
    for name in names:
        for _ in range(Failures.FREE):
            failures.failed(name)
    assert [name for name in names if failures.delay(name)] == names[-5:]


def test_what_is_done_rarely_is_due_again_when_its_time_is_over():
    clock = Clock()
    rarely = Rarely(60, clock, most=2)
    assert [rarely.due(key) for key in "aab"] == [True, False, True]
    clock.now = 59.9
    assert not rarely.due("a")
    clock.now = 60
    assert [rarely.due(key) for key in "aa"] == [True, False]
    assert [rarely.due(key) for key in "cda"] == [True, True, True], "keys are bounded"
