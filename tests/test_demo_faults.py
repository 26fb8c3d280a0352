"""A day with planned faults: each strikes once, is told once, and nothing else is stopped."""

import time
from types import SimpleNamespace

import pytest

from bench.processes import clean_environment, running, server
from demo.client import Client
from demo.desk import register
from demo.faults import ENTRIES, FAULTS, FaultyDay, fault_settings
from tests.conftest import PATIENCE
from tests.mails import receiving
from trading import instants
from trading.alarms import WORDS

pytestmark = pytest.mark.slow

PACE = 90  # seconds for the 23,400 of a day; the faulty one is shorter
ALARMS = {
    ("bridge", "bridge"),
    ("expected", "CVX"),
    ("expected", "LOW"),
    ("missed", "MA-V"),
    ("leg", "XOM-CVX"),
    ("refused", "age"),
    ("refused", "limit"),
    ("stopped", "trading"),
    ("unhedged", "HD-LOW"),
    ("unhedged", "XOM-CVX"),
}
LATE = 4  # seconds; it includes the fraction that stored times lack


def names_of(signals, alarm):
    """What an alarm is about: its subject, or the ticker of the signal that is its subject."""
    if not alarm["subject"].isdigit():
        return alarm["kind"], alarm["subject"]
    row = signals[int(alarm["subject"])]
    return alarm["kind"], "-".join(filter(None, (row["ticker1"], row["ticker2"])))


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A day with all faults: its books, and what the server says and has sent of it."""
    limits = fault_settings(PACE)
    with receiving() as mails:
        environment = clean_environment(
            PAIRS_ALARM_URLS=mails.address(),
            **{f"PAIRS_{name.upper()}": value for name, value in limits.items()},
        )
        database = tmp_path_factory.mktemp("faults") / "day.db"
        with running(server(database, environment=environment)) as process:
            client, lines = Client(f"http://127.0.0.1:{process.port}"), []
            register(client)
            play = FaultyDay(client, client, 5, lines.append, FAULTS)
            play.open()
            play.run(PACE)
            login = client.post("/v3/login", {"username": "admin", "password": "123"})
            token = login.json["access_token"]

            def read(path):
                return client.get(path, token).json

            told = when_told(read)
            signals = {row["rowid"]: row for row in read("/v3/signals/0")["signals"]}
            texts = []
            while not mails.is_empty:
                texts.append(mails.take()[1])
            yield SimpleNamespace(
                entries=play.ledger.entries,
                account=play.gateway.account,
                lines=lines,
                limits=limits,
                signals=signals,
                listed=told,
                alarms={names_of(signals, each): each for each in told},
                mail="\n".join(texts),
                trading=read("/v3/trading"),
                events=read("/v3/events?limit=1000")["events"],
            )
            assert "level=error" not in process.log.read_text()


def when_told(read):
    """All alarms, once each of them is told."""
    end = time.monotonic() + PATIENCE
    while True:
        alarms = read("/v3/alarms?all=1")["alarms"]
        if all(each["notified"] for each in alarms):
            return alarms
        assert time.monotonic() < end, "an alarm is not told"
        time.sleep(0.1)


def outcomes(day, *legs):
    """(comment, status, message) of a ticker's signals, oldest first."""
    rows = [each for _, each in sorted(day.signals.items())]
    mine = [row for row in rows if tuple(filter(None, (row["ticker1"], row["ticker2"]))) == legs]
    return [(row["order_comment"], row["order_status"], row["status_msg"]) for row in mine]


def test_each_fault_is_an_alarm_once_and_nothing_else_is(day):
    assert day.alarms.keys() == ALARMS
    assert len(day.listed) == len(ALARMS)


def test_each_alarm_is_in_one_message(day):
    for kind in {kind for kind, _ in ALARMS}:
        mine = [each for (name, _), each in day.alarms.items() if name == kind]
        lines = day.mail.splitlines()
        titles = [line for line in lines if line.startswith(WORDS[kind].title)]
        told = sum(int(line[-2]) if line.endswith(")") else 1 for line in titles)
        assert told == len(mine), kind
    assert "Still open." not in day.mail


def test_each_is_told_within_its_time(day):
    seconds = {
        ("bridge", "bridge"): float(day.limits["alarm_bridge_minutes"]) * 60,
        ("leg", "XOM-CVX"): float(day.limits["alarm_leg_seconds"]),
        ("missed", "MA-V"): 0,
    }
    for name, limit in seconds.items():
        alarm = day.alarms[name]
        begun = instants.unix(alarm["since"])
        assert limit - 1 <= instants.unix(alarm["opened"]) - begun <= limit + LATE, name


def test_each_ends_with_its_cause(day):
    closed = {name for name, alarm in day.alarms.items() if alarm["closed"]}
    assert closed == {("bridge", "bridge"), ("leg", "XOM-CVX")}
    what = {name: alarm["what"] for name, alarm in day.alarms.items()}
    assert "CVX is not filled" in what["leg", "XOM-CVX"]
    assert "87 CVX unhedged" in what["unhedged", "XOM-CVX"]
    assert "CVX: the alerts say flat" in what["expected", "CVX"]


def test_every_signal_is_what_the_books_say(day):
    expected = {rowid: entry.record() for rowid, entry in day.entries.items()}
    found = {
        rowid: {key: day.signals[rowid][key] for key in expected[rowid]}
        for rowid in day.signals.keys() & expected.keys()
    }
    assert day.signals.keys() == expected.keys()
    assert found == expected
    assert not [line for line in day.lines if " trouble " in line]


def test_while_the_bridge_is_away_old_entries_expire_and_exits_wait_for_it(day):
    limit = f"{float(day.limits['entry_minutes']):g}"
    assert outcomes(day, "KO", "PEP") == [
        ("Enter Long", "canceled", f"expired after {limit} min"),
        ("Exit Long", "canceled", "+synced(400->0)"),
    ]
    assert outcomes(day, "NMFC", "ROIC") == [
        ("Enter Long", "filled", ""),
        ("Exit Long", "filled", ""),
    ]
    assert outcomes(day, "HD", "LOW") == [("Enter Long", "filled", "")], "a young entry is traded"
    assert day.alarms["refused", "age"]["number"] == 1


def test_a_runaway_strategy_is_let_through_as_often_as_the_limit_says(day):
    sent = outcomes(day, "AAPL")
    refused = [each for each in sent if each[2].startswith("limit: ")]
    assert (len(sent), len(refused)) == (200, 200 - ENTRIES)
    assert {message for _, _, message in refused} == {
        f"limit: {ENTRIES} of {ENTRIES} entries of this ticker today"
    }
    assert day.trading["today"]["ticker_entries"]["AAPL"] == ENTRIES
    assert day.account.quantity("AAPL") == 100, "traded once; the others were repeats of it"
    assert day.alarms["refused", "limit"]["number"] == 200 - ENTRIES
    # Another single entered meanwhile.
    assert outcomes(day, "MSFT")[0] == ("Enter Long", "filled", "")


def test_a_loss_beyond_its_limit_stops_entries_and_lets_exits_trade(day):
    trading = day.trading
    assert (trading["mode"], trading["by"]) == ("exits", "system")
    assert trading["reason"].startswith("daily loss ")
    assert trading["reason"].endswith("at most 5,000.00")
    assert trading["today"]["loss"] > trading["limits"]["loss"]
    set_modes = [
        each for each in day.events if "mode" in (each["changes"] or {}) and is_trading(each)
    ]
    assert [each["changes"]["mode"][1] for each in set_modes] == ["exits"], "set once"
    assert outcomes(day, "UPS", "FDX") == [("Enter Long", "canceled", "entries are off")]
    assert outcomes(day, "MSFT")[1] == ("Exit Long", "filled", "")
    assert day.account.quantity("MSFT") == 0


def is_trading(event):
    return event["type"] == "trading.updated"


def test_a_position_that_the_broker_lost_is_found(day):
    assert (day.account.quantity("HD"), day.account.quantity("LOW")) == (70, 0)
    what = {name: alarm["what"] for name, alarm in day.alarms.items()}
    assert "LOW: the alerts say short 101, the account holds flat" in what["expected", "LOW"]
    assert "70 HD unhedged" in what["unhedged", "HD-LOW"]
    assert not day.alarms["unhedged", "HD-LOW"]["closed"], "until the legs match"
