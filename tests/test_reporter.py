"""Messages beside the alarms: trips that closed, refused entries, a summary a day."""

import time

import pytest

import server
import settings
from database import opening
from database.opening import proxy
from models import Fact, Signal
from services import events, registry, reporter, signals
from services.decisions import policy_of, set_limits
from tests.receiving import receive_one
from trading import fills

ALERT = {"ticker": "AAPL", "order_action": "buy", "order_contracts": 10.0, "order_price": 5.0}
IN = {"pre_mar_pos": "flat", "mar_pos": "long", "mar_pos_size": 10.0}
OUT = {"order_action": "sell", "pre_mar_pos": "long", "pre_mar_pos_size": 10.0, "mar_pos": "flat"}


@pytest.fixture
def conf(database_url):
    """The settings of a demo with one active stock, with all messages on."""
    told = {"messages": ["trips", "refused", "summary"], "summary_time": "00:00"}
    conf = settings.load({"database": database_url, "url": "https://pairs.example.com"} | told, {})
    store = opening.open_database(database_url)
    server.prepare_store(conf)
    registry.register_stock({"symbol": "AAPL", "active": 1}, "test")
    yield conf
    proxy.close()
    store.close()


def look(conf, now=None):
    """What a look tells, after which it counts as told: the (title, text) of each message."""
    news = reporter.look(conf, now or time.time())
    for name, value in news.facts.items():
        events.note(name, value)
    return news.messages


def trade(price, **fields):
    """An alert that is ordered and filled at a price; returns its rowid."""
    rowid = receive_one(ALERT | fields).rowid
    signals.revise(
        rowid,
        {"order_status": ("created",), "order_id1": (rowid,)},
        "bridge",
        bypass=False,
        owner=False,
    )
    signals.report(rowid, None, lambda order, leg: fills.price_leg(order, leg, price), "bridge")
    return rowid


def test_the_first_look_tells_nothing_of_the_past(conf):
    trade(5.0, **IN)
    trade(7.0, **OUT)
    assert look(conf) == []
    assert look(conf) == []


def test_a_trip_that_closed_is_told_once_with_its_money_and_a_link(conf):
    look(conf)
    trade(5.0, **IN)
    assert look(conf) == []
    trade(7.5, **OUT)
    [(title, text)] = look(conf)
    assert title == "Pairs-API: Trip closed"
    line, link = text.splitlines()
    assert line.startswith("AAPL long 10: +25.00 USD, held 0 min, slippage +25.00")
    assert link == "https://pairs.example.com/performance"
    assert look(conf) == []


def test_entries_that_a_rule_refused_are_told_together(conf):
    look(conf)
    set_limits({"entries": 0}, "test")
    alerts = [ALERT | IN | {"source": "webhook"} for _ in range(3)]
    signals.receive(alerts, policy_of(conf))
    [(title, text)] = look(conf)
    assert title == "Pairs-API: 3 entries refused"
    assert text.count("0 of 0 entries today") == 3
    assert Signal.select().count() == 3


def test_each_kind_has_its_own_switch(conf):
    quiet = conf.model_copy(update={"messages": []})
    look(quiet)
    set_limits({"entries": 0}, "test")
    signals.receive([ALERT | IN | {"source": "webhook"}], policy_of(conf))
    trade(5.0, **IN, order_status="waiting")
    assert look(quiet) == []


def test_a_day_with_trades_is_summed_up_once_and_a_day_without_only_if_asked(conf):
    look(conf)
    trade(5.0, **IN)
    trade(7.0, **OUT)
    look(conf)
    tomorrow = time.time() + 86_400
    events.note(reporter.SUMMED, "2026-01-01")
    [(title, text)] = look(conf)
    assert title == "Pairs-API: the day"
    assert "USD realised +20.00" in text and "1 trips, 1 won" in text and "2 filled" in text
    assert look(conf) == []
    assert look(conf, tomorrow + 86_400) == []
    always = conf.model_copy(update={"summary_always": True})
    assert "0 filled" in look(always, tomorrow + 2 * 86_400)[0][1]


@pytest.mark.parametrize("kind", reporter.MESSAGES)
def test_a_preview_shows_each_kind_also_where_nothing_happened(conf, kind):
    title, text = reporter.preview(conf, kind)
    assert title.startswith("Pairs-API: ")
    assert text


def test_the_summary_waits_for_its_time_on_the_clocks_of_its_zone(conf):
    at_ten = conf.model_copy(update={"summary_time": "America/New_York 16:30"})
    look(at_ten)
    trade(5.0, **IN)
    trade(7.0, **OUT)
    look(at_ten)
    events.note(reporter.SUMMED, "2026-01-01")
    noon = 1_796_000_400 - 1_796_000_400 % 86_400 + 12 * 3600  # 07:00 in New York
    assert [title for title, _ in look(at_ten, noon)] == []
    assert Fact.of(reporter.SUMMED) == "2026-01-01"
