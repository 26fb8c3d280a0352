"""A day with planned faults: each makes one alarm within its time, and there are no others."""

import pytest

from bench.processes import clean_environment, running, server
from demo.client import Client
from demo.day import FAULTS, FaultyDay, alarm_settings, register
from tests.mails import receiving
from trading import instants

pytestmark = pytest.mark.slow

PACE = 90  # seconds for the 23,400 of a day; the faulty one is shorter
SUBJECTS = {
    "Pairs-API: One leg is filled, the other is not",
    "Pairs-API: An alert is missing",
    "Pairs-API: The bridge is silent",
    "Pairs-API: A pair is not hedged, and 1 more",
}
LATE = 4  # seconds; it includes the fraction that stored times lack


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """(the alarms of a day with all faults, the mails, the limits)."""
    limits = alarm_settings(PACE)
    with receiving() as mails:
        environment = clean_environment(
            PAIRS_ALARM_URLS=mails.address(),
            **{f"PAIRS_{name.upper()}": value for name, value in limits.items()},
        )
        database = tmp_path_factory.mktemp("faults") / "day.db"
        with running(server(database, environment=environment)) as process:
            client = Client(f"http://127.0.0.1:{process.port}")
            register(client)
            play = FaultyDay(client, client, 5, lambda _: None, FAULTS)
            play.open()
            play.run(PACE)
            told = [mails.take() for _ in SUBJECTS]
            login = client.post("/v3/login", {"username": "admin", "password": "123"})
            token = login.json["access_token"]
            alarms = client.get("/v3/alarms?all=1", token).json["alarms"]
            assert "level=error" not in process.log.read_text()
        assert mails.is_empty
        yield {each["kind"]: each for each in alarms}, told, len(alarms), limits


def test_each_fault_is_an_alarm_once_and_nothing_else_is(day):
    alarms, told, count, _ = day
    assert sorted(alarms) == ["bridge", "expected", "leg", "missed", "unhedged"]
    assert count == 5
    assert {subject for subject, _ in told} == SUBJECTS
    assert all(alarm["notified"] for alarm in alarms.values())


def test_each_is_told_within_its_time(day):
    alarms, _, _, limits = day
    seconds = {
        "bridge": float(limits["alarm_bridge_minutes"]) * 60,
        "leg": float(limits["alarm_leg_seconds"]),
        "missed": 0,
    }
    for kind, limit in seconds.items():
        begun = instants.unix(alarms[kind]["since"])
        assert limit - 1 <= instants.unix(alarms[kind]["opened"]) - begun <= limit + LATE, kind


def test_each_ends_with_its_cause(day):
    alarms, *_ = day
    assert alarms["bridge"]["closed"]
    assert alarms["leg"]["closed"]
    assert alarms["missed"]["closed"] is None, "until somebody has seen it"
    assert "MA-V" in alarms["missed"]["what"]
    assert "CVX is not filled" in alarms["leg"]["what"]
    assert "87 CVX unhedged" in alarms["unhedged"]["what"]
    assert "CVX: the alerts say flat" in alarms["expected"]["what"]
    assert not alarms["unhedged"]["closed"], "until the legs match"
