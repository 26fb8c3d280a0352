"""The demo as the end-to-end test: a day on the real server, against the demo's own books."""

import contextlib
import itertools
import re
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import models
from bench.processes import ROOT, clean_environment, running, server
from database import opening
from demo.__main__ import main
from demo.client import Client
from demo.day import Play, write_past
from demo.desk import register
from demo.market import ASKED, CHARTS, EXITING, LISTINGS, PAIRS, PAUSED, WRONG_HEDGE
from demo.rules import Closed
from services import books
from tests.conftest import PATIENCE
from tests.ports import free_port

pytestmark = pytest.mark.slow

STATUSES = {"filled", "part.filled", "canceled", "error", "critical err"}
REASONS = {
    *("unknown ticker", "passive ticker", "wrong hedge", "problematic ticker!"),
    *("duplicate order", "pyramiding", "position size mismatch", "insufficient funds"),
}


def begin(process, seed=5):
    """A play on this server before its first step: (play, client, lines shown)."""
    client, lines = Client(f"http://127.0.0.1:{process.port}"), []
    register(client)
    play = Play(client, client, seed, lines.append)
    play.open()
    return play, client, lines


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A whole day that was played, and a function that reads the server's records of it."""
    file = tmp_path_factory.mktemp("demo") / "day.db"
    with running(server(file)) as process:
        play, client, lines = begin(process)
        while not play.is_over:
            play.step()
        login = client.post("/v3/login", {"username": "admin", "password": "123"})
        token = login.json["access_token"]
        yield SimpleNamespace(
            entries=play.ledger.entries,
            account=play.gateway.account,
            database=f"sqlite:///{file}",
            price=play.gateway.account.price,
            rejected=play.ledger.rejected,
            client=client,
            token=token,
            lines=lines,
            log=process.log,
            read=lambda path: client.get(path, token).json,
        )


def test_every_signal_is_what_the_books_say(day):
    expected = {rowid: entry.record() for rowid, entry in day.entries.items()}
    stored = {row["rowid"]: row for row in day.read("/v3/signals/0")["signals"]}
    assert len(expected) > 50
    found = {
        rowid: {key: stored[rowid][key] for key in expected[rowid]}
        for rowid in stored.keys() & expected.keys()
    }
    assert stored.keys() == expected.keys()
    assert found == expected


def test_the_day_has_something_of_everything(day):
    stored = day.read("/v3/signals/0")["signals"]
    messages = " ".join(row["status_msg"] or "" for row in stored)
    assert {row["order_status"] for row in stored} >= STATUSES
    assert {reason for reason in REASONS if reason in messages} == REASONS
    assert re.search(r"remained", messages), "a fill that stays partial"
    assert re.search(r"\+synced\(\d+->\d+\)", messages)
    assert re.search(r"\(\*\)part\.filled", messages), "a cancel of what was filled in part"
    assert any("1147/399" in (row["error_msg"] or "") for row in stored)
    assert any("left over" in line for line in day.lines)
    assert any(" rerouted " in line for line in day.lines)
    assert any(row["ticker2"] and row["fill_price"] for row in stored)
    assert any(row["ticker1"] == "USD.CAD" and row["fill_price"] for row in stored)
    assert any(row["ticker1"] == "BF B" and row["fill_price"] for row in stored)
    slips = [row["slip"] for row in stored if row["slip"] is not None]
    assert min(slips) < 0 < max(slips)


def test_a_fill_that_came_before_its_cancel_is_found_again(day):
    revived = [each for each in day.entries.values() if each.canceled not in (None, each.reports)]
    assert revived
    assert {each.state()[0] for each in revived} <= {"filled", "part.filled"}


def test_what_cannot_be_read_is_kept_without_the_passphrase(day):
    kept = day.read("/v3/rejected/0")
    assert len(kept["rejected"]) == day.rejected == 2
    assert "***" in kept["rejected"][-1]["body"]
    assert "webhook" not in "".join(row["body"] for row in kept["rejected"])


def test_the_positions_are_those_of_the_books(day):
    held = day.account.positions
    expected = dict.fromkeys(LISTINGS, (0, 0, 0))
    for symbol, position in held.items():
        pnl = int(day.account.pnl(symbol))
        expected[symbol] = (position.quantity, round(position.cost, 3), pnl)
    tickers = day.read("/v3/tickers/0")["tickers"]
    fields = ("active_pos", "active_cost", "active_pnl")
    assert {row["symbol"]: tuple(row[key] for key in fields) for row in tickers} == expected
    assert sum(position.quantity != 0 for position in held.values()) > 4
    assert held["USD.CAD"].quantity


def by_symbol(day):
    """{symbol: (position, realised PnL, open PnL at the last price)} as the fills tell them."""
    with contextlib.closing(opening.open_database(day.database)):
        pairs = {pair.name: (pair.ticker1, pair.ticker2) for pair in models.Pair.select()}
        with books.read(books.Rates()) as read:
            by_name = dict(read.by_name)
    found = {}
    for name, book in by_name.items():
        for number, symbol in enumerate(pairs.get(name, (name,))):
            held, cost = book.legs[number].position, book.legs[number].cost
            realised = sum(trip.legs[number].realised for trip in book.trips)
            known = found.get(symbol, (0, 0, 0))
            now = (held, realised, held * (day.price(symbol) - cost))
            found[symbol] = tuple(map(sum, zip(known, now, strict=True)))
    return found


def test_trips_hold_what_the_books_hold_and_earned_what_they_earned(day):
    """To the cent: the bridge tells prices with six digits, the books know each execution."""
    told, account = by_symbol(day), day.account
    traded = {symbol for symbol, position in account.positions.items()}
    assert {s for s, (held, *_) in told.items() if held} <= traded
    for symbol in traded:
        position = account.positions[symbol]
        held, realised, left = told[symbol]
        assert held == position.quantity, symbol
        earned = position.realized + position.unrealized(day.price(symbol))
        assert realised + left == pytest.approx(earned, abs=0.01), symbol


def test_performance_adds_up_what_the_trips_earned_in_each_currency(day):
    told, figures = by_symbol(day), day.read("/v3/performance")
    sums = {"USD": 0.0, "CAD": 0.0}
    for symbol, (_, realised, _) in told.items():
        sums["CAD" if symbol == "USD.CAD" else "USD"] += realised
    shown = {currency: each["realised"] for currency, each in figures["currencies"].items()}
    assert shown == pytest.approx(sums, abs=0.01)
    assert figures["incomplete"] == 0
    trips = day.read("/v3/trips/0")["trips"]
    assert sum(trip["closed"] is not None for trip in trips) > 10
    assert {trip["side"] for trip in trips} == {"long", "short"}
    closed = [trip for trip in trips if trip["closed"] and trip["currency"] == "USD"]
    assert figures["currencies"]["USD"]["trips"] == len(closed)
    assert figures["outcomes"]["filled"] > 30


def test_the_positions_page_shows_what_is_held(day):
    positions = day.read("/v3/positions")
    legs = {leg["symbol"]: leg["active_pos"] for row in positions["pairs"] for leg in row["legs"]}
    quantity = day.account.quantity
    pairs = (*PAIRS, WRONG_HEDGE, PAUSED, ASKED, EXITING)
    assert legs == {leg.symbol: quantity(leg.symbol) for chart in pairs for leg in chart.legs}
    singles = {row["symbol"]: row["active_pos"] for row in positions["singles"]}
    alone = {chart.leg1.symbol for chart in CHARTS if chart.leg2 is None}
    assert singles == {symbol: quantity(symbol) for symbol in alone if quantity(symbol)}
    dollars = {symbol for symbol in day.account.positions if symbol != "USD.CAD"}
    total = next(row for row in positions["totals"] if row["currency"] == "USD")
    assert total["active_pnl"] == sum(int(day.account.pnl(symbol)) for symbol in dollars)


PLANTED = {
    "error": ["+crit. err"],
    "not_traded": [
        *("unknown ticker", "wrong hedge", "problematic ticker!", "pyramiding"),
        *("position size mismatch", "insufficient funds"),
    ],
}


HELD_BACK = {
    "age": "expired after 15 min",
    "limit": "limit: 6 of 6 entries of this ticker today",
}


def alarms_of(day, query=""):
    """All alarms of the day, read when the last alert of the day has its own alarm."""
    while True:
        found = day.read(f"/v3/alarms{query}")["alarms"]
        if any("ENDS" in each["what"] for each in found):
            return [each for each in found if "ENDS" not in each["what"]]


def test_a_day_has_no_alarm_but_those_that_its_script_plants(day):
    refused = len(PLANTED["not_traded"]) + len(HELD_BACK)
    assert day.read("/v3/figures")["not_traded"] == refused
    end = {"passphrase": "webhook", "ticker": "ENDS", "order_action": "buy", "order_contracts": 1}
    rowid = day.client.post("/v3/webhook", end).json["rowid"]
    alarms = alarms_of(day)
    kinds = [kind for kind, reasons in PLANTED.items() for _ in reasons]
    kinds += ["rejected", "rejected", *("refused" for _ in HELD_BACK)]
    assert sorted(each["kind"] for each in alarms) == sorted(kinds)
    ruled = {each["subject"]: each["number"] for each in alarms if each["kind"] == "refused"}
    assert ruled == dict.fromkeys(HELD_BACK, 1), "one alarm for each rule"
    for kind, reasons in PLANTED.items():
        subjects = [each["subject"] for each in alarms if each["kind"] == kind]
        told = [day.read(f"/v3/signal/{subject}")["status_msg"] for subject in subjects]
        assert sorted(told) == sorted(reasons)
    # An order that was placed with a message may have had an alarm until it was filled, and a held
    # signal until it was decided.
    for each in alarms_of(day, "?all=1"):
        if each["closed"]:
            assert each["kind"] in ("error", "held")
            ended = day.read(f"/v3/signal/{each['subject']}")["order_status"]
            assert ended == "filled" or each["kind"] == "held"
    day.client.call("DELETE", f"/v3/signal/{rowid}", token=day.token)


def stories(day, name):
    """The signals of a ticker, oldest first: (comment, status, message) of each."""
    rows = day.read(f"/v3/signals/ticker/{name}/0")["signals"][::-1]
    return [(row["order_comment"], row["order_status"], row["status_msg"]) for row in rows]


def test_a_person_decides_about_the_entries_of_one_pair_and_closes_it_by_hand(day):
    assert stories(day, "WMT-COST") == [
        ("Enter Long", "filled", ""),
        ("Close by hand", "filled", ""),
        ("Exit Long", "canceled", "+synced(300->0)"),
        ("Enter Short", "canceled", "refused by user1"),
        ("Exit Short", "canceled", "+synced(300->0)"),
    ]
    approved = day.read("/v3/signals/ticker/WMT-COST/0")["signals"][-1]
    told = day.read(f"/v3/signal/{approved['rowid']}/events")["events"]
    statuses = [each["changes"].get("order_status", ("", ""))[1] for each in told]
    assert [*dict.fromkeys(filter(None, statuses))][:3] == ["held", "waiting", "created"]


def test_a_pair_of_which_only_exits_are_traded_is_flat_after_its_reversal(day):
    assert stories(day, "MCD-YUM") == [
        ("Enter Long", "filled", ""),
        ("Reverse to Short", "filled", ""),
        ("Exit Short", "canceled", "+synced(80->0)"),
    ]
    reversal = day.read("/v3/signals/ticker/MCD-YUM/0")["signals"][1]
    assert reversal["order_contracts"] == 80
    [created, *_] = day.read(f"/v3/signal/{reversal['rowid']}/events")["events"]
    assert created["changes"]["order_contracts"] == [160, 80]
    assert created["changes"]["status_msg"][1] == "reversal cut to its exit"


def test_an_entry_is_refused_that_comes_too_late_or_beyond_the_limit_of_its_ticker(day):
    assert stories(day, "NFLX") == [("Enter Long", "canceled", HELD_BACK["age"])]
    told = stories(day, "AMZN")
    traded = [comment for comment, status, _ in told if status == "filled"]
    assert traded == ["Enter Long", "Exit Long"] * 6
    assert told[-2:] == [
        ("Enter Long", "canceled", HELD_BACK["limit"]),
        ("Exit Long", "canceled", "+synced(50->0)"),
    ]
    state = day.read("/v3/trading")
    assert state["limits"]["ticker_entries"] == 6
    assert max(state["today"]["ticker_entries"].values()) == 6


def test_the_account_is_that_of_the_books(day):
    newest = day.read("/v3/pnl/1")["signals"][0]
    expected = day.account.figures()
    assert {key: newest[key] for key in expected} == expected
    assert abs(expected["DailyPnL"]) > 1
    hours = day.read("/v3/pnl/0")["signals"]
    assert len(hours) == 7, "a record at the start and for each full hour"


def test_the_bridge_was_seen_and_nothing_waits(day):
    bridge = day.read("/v3/bridge")
    assert bridge["last_seen"]
    assert bridge["waiting"] == 0


def test_nothing_went_wrong_in_the_server(day):
    assert day.client.statuses.keys() <= {200, 201, 400}
    assert day.client.statuses[400] == day.rejected
    assert not [line for line in day.lines if " trouble " in line]
    log = day.log.read_text()
    assert "Traceback" not in log
    assert "level=error" not in log
    assert "status=5" not in log


def morning(folder, seed):
    """The lines of the first hour, played on a new server."""
    with running(server(folder / f"{seed}.db")) as process:
        play, _, lines = begin(process, seed)
        for _ in range(360):
            play.step()
        return lines


def test_the_same_seed_decides_the_same(day, tmp_path):
    again = morning(tmp_path, 5)
    assert len(again) > 20
    assert again == day.lines[: len(again)]
    assert morning(tmp_path, 6) != again


def test_the_accounts_past_is_dated_back(tmp_path):
    with running(server(tmp_path / "history.db")) as process:
        client = Client(f"http://127.0.0.1:{process.port}")
        write_past(client, 1)
        login = client.post("/v3/login", {"username": "admin", "password": "123"})
        rows = client.get("/v3/pnl/0", login.json["access_token"]).json["signals"]
    moments = [row["timestamp"] for row in rows]
    assert len(set(moments)) == len(moments) == 105
    assert moments == sorted(moments, reverse=True)
    assert len({moment[:10] for moment in moments}) == 15
    assert rows[0]["NetLiquidation"] == 500_000


def test_an_entry_after_the_close_is_refused_and_the_next_day_is_not(tmp_path):
    now = int(time.time())
    hours = f"UTC {clock(now + 600)}-{clock(now - 60)}"
    environment = clean_environment(PAIRS_ENTRY_HOURS=hours)
    with running(server(tmp_path / "evening.db", environment=environment)) as process:
        play, client, lines = begin(process)
        closed = Closed(int(time.time()), int(time.time()) + 2)
        play.evening(closed)
        [late] = client.get("/v3/signals/0").json["signals"]
    assert time.time() >= closed.ends
    assert (late["order_status"], late["status_msg"]) == ("canceled", "outside entry hours")
    assert not [line for line in lines if " trouble " in line]


def clock(instant):
    """A Unix time as the settings write it."""
    return time.strftime("%H:%M", time.gmtime(instant))


def test_the_closed_minute_begins_after_the_day_and_is_the_only_one(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_000_000_030.0)  # 01:47:10
    closed = Closed.after(300)
    assert closed == (1_000_000_380, 1_000_000_440)
    assert closed.entry_hours == "UTC 01:54-01:53"
    for moment, is_now in ((379, False), (380, True), (439, True), (440, False)):
        for day in (0, 86_400):
            monkeypatch.setattr(time, "time", lambda at=moment + day: 1_000_000_000.0 + at)
            assert closed.is_now() == is_now


# --- the command line --------------------------------------------------------------------


def demo(folder, *arguments):
    """Runs `python -m demo` in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "demo", *map(str, arguments)],
        cwd=folder,
        env=clean_environment(PYTHONPATH=str(ROOT), PAIRS_PORT="1", PAIRS_MODE="production"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_starts_a_server_on_a_new_database_and_ends_with_it(tmp_path, number):
    port = free_port()
    database = tmp_path / f"demo-{port}.db"
    database.write_text("what an earlier demo left behind")
    play = demo(tmp_path, "--port", port, "--pace", 86_400)
    told = list(itertools.takewhile(lambda line: " account " not in line, play.stdout))
    assert f"http://127.0.0.1:{port}/" in told[0]
    assert database.read_bytes().startswith(b"SQLite format 3")
    play.send_signal(number)
    out, errors = play.communicate(timeout=PATIENCE)
    assert (play.returncode, errors, out.splitlines()[-1]) == (0, "", "Stopped.")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def test_a_demo_leaves_a_taken_port_and_its_database_alone(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        database = tmp_path / f"demo-{port}.db"
        database.write_text("in use")
        play = demo(tmp_path, "--port", port)
        out, errors = play.communicate(timeout=PATIENCE)
    assert (play.returncode, out) == (1, "")
    assert errors.startswith(f"Port {port} is taken; ")
    assert "Traceback" not in errors
    assert database.read_text() == "in use"


def test_a_demo_needs_a_server_that_answers(tmp_path):
    play = demo(tmp_path, "--url", f"http://127.0.0.1:{free_port()}")
    _, errors = play.communicate(timeout=PATIENCE)
    assert play.returncode == 1
    assert errors.startswith("The server does not answer: ")


WRONG = [
    (["--url", "nowhere"], "must be like http://127.0.0.1:5000"),
    (["--url", "ftp://127.0.0.1/"], "must be like http://127.0.0.1:5000"),
    (["--port", "70000"], "must be from 0 to 65535"),
    (["--pace", "-1"], "must be from 0 to 86400"),
    (["--pace", "nan"], "must be from 0 to 86400"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_a_wrong_argument_is_named(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_a_demo_does_not_play_on_a_production_server(tmp_path):
    secrets = {"PAIRS_PASSPHRASES": "a-passphrase", "PAIRS_ADMIN_PASSWORD": "a-long-password"}
    environment = clean_environment(PAIRS_MODE="production", **secrets)
    with running(server(tmp_path / "real.db", environment=environment)) as process:
        play = demo(tmp_path, "--url", f"http://127.0.0.1:{process.port}", "--once")
        _, errors = play.communicate(timeout=PATIENCE)
    assert play.returncode == 1
    assert errors == "The demo plays on a demo server only: its user admin could not log in.\n"
