"""The command trading: the mode and the limits from a terminal."""

import pytest

import models
import server
import settings
from database import opening
from database.opening import proxy
from services import registry
from tests.receiving import receive_one

ENTRY = {"ticker": "AAPL", "order_action": "buy", "order_contracts": 5.0}
EXIT = ENTRY | {"order_action": "sell", "pre_mar_pos": "long", "pre_mar_pos_size": 5.0}
EXIT |= {"mar_pos": "flat", "mar_pos_size": 0.0}


@pytest.fixture
def trading(command, database_url):
    """Runs `python server.py trading ...` on a demo with one stock."""
    store = opening.open_database(database_url)
    server.prepare_store(settings.load({"database": database_url}, {}))
    registry.register_stock({"symbol": "AAPL", "active": 1}, "test")
    yield lambda *words: command("trading", *words, "--database", database_url)
    proxy.close()
    store.close()


def test_it_shows_the_mode_and_what_waits(trading):
    receive_one(ENTRY)
    shown = trading()
    assert shown.code == 0
    assert shown.out.splitlines() == [
        "Mode on. Every alert is traded.",
        "Waiting: 1. Held: 0. At the broker: 0.",
    ]


def test_a_mode_takes_hold_of_what_waits_and_is_in_the_audit(trading):
    entry, exit = receive_one(ENTRY).rowid, receive_one(EXIT).rowid
    shown = trading("exits", "--reason", "Fed at 20:00")
    assert shown.code == 0
    assert "1 of the signals that waited: canceled." in shown.out
    assert ", by command line: Fed at 20:00." in shown.out
    assert models.Signal.find(entry).status_msg == "entries are off"
    assert models.Signal.find(exit).order_status == "waiting"
    noted = models.Audit.select().order_by(models.Audit.id.desc()).get()
    assert (noted.kind, noted.who, noted.subject) == ("trading.mode", "command line", "exits")


def test_limits_are_set_shown_and_removed(trading):
    assert trading("limits", "entries=20", "loss=2500.5").code == 0
    shown = trading("limits", "entries=none").out.splitlines()
    assert shown[0] == "entries: none, now 0 (entries a day)"
    assert "loss: 2,500.5 (loss of a day)" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["limits", "entries=x"], "The entries must be a whole number."),
        (["limits", "loss=0"], "The loss must be above 0."),
        (["limits", "mode=on"], "mode=on is no limit; allowed are entries,"),
        (["limits", "entries"], "entries is no limit; allowed are entries,"),
        (["exits", "entries=3"], "Numbers go with the word limits"),
        (["limits", "--reason", "x"], "A reason goes with a mode"),
    ],
)
def test_a_mistake_changes_nothing_and_is_told(trading, words, said):
    shown = trading(*words)
    assert shown.code == 1
    assert said in shown.said
    assert models.Trading.select().count() == 0


def test_an_unknown_mode_is_a_mistake_of_the_command_line(trading):
    shown = trading("maybe")
    assert shown.code == 2
    assert "'on', 'ask', 'exits', 'off', 'limits'" in shown.said
