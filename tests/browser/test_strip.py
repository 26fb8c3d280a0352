"""The dashboard's strip: profit, hedge, the bridge, and that it fits."""

import contextlib
import re
import sqlite3

import pytest
from playwright.sync_api import expect

from tests.browser.reading import below, figure, go
from trading import instants

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def heard(desk, seconds):
    """Writes down that the bridge polled so long ago."""
    with contextlib.closing(sqlite3.connect(desk.database)) as database, database:
        database.execute("DELETE FROM bridge")
        row = ("bridge", instants.ago(seconds))
        database.execute("INSERT INTO bridge (name, last_seen) VALUES (?, ?)", row)


def test_the_strip_tells_when_the_bridge_was_last_heard(open_desk, visit):
    own = open_desk()
    page = visit(at=own)
    go(page, "/dashboard")
    box = page.locator('[data-figure="bridge"]')
    expect(figure(page, "bridge")).to_have_text("never")
    expect(box).not_to_have_attribute("data-state", re.compile("."))
    own.alert(ticker="AAPL")
    expect(box).to_have_attribute("data-state", "amber")
    expect(below(page, "bridge")).to_contain_text("silent")
    own.poll()
    expect(figure(page, "bridge")).to_have_text(re.compile(r"^\d s$"))
    expect(box).not_to_have_attribute("data-state", re.compile("."))
    expect(below(page, "bridge")).not_to_contain_text("silent")


@pytest.mark.parametrize(
    ("seconds", "told", "state"),
    [(30, r"3\d s", None), (150, "2 min", "amber"), (3700, "1 h", "red")],
)
def test_a_bridge_that_is_silent_while_a_signal_waits_stands_out(
    open_desk, visit, seconds, told, state
):
    own = open_desk()
    own.alert(ticker="AAPL")
    heard(own, seconds)
    page = visit(at=own)
    go(page, "/dashboard")
    expect(figure(page, "bridge")).to_have_text(re.compile(f"^{told}$"))
    assert page.locator('[data-figure="bridge"]').get_attribute("data-state") == state


def test_visitors_have_no_bridge_on_their_strip(desk, visit):
    page = visit(None)
    go(page, "/dashboard")
    expect(page.locator('[data-figure="bridge"]')).to_have_count(0)
    expect(page.locator("#figures > div")).to_have_count(7)


def test_the_strip_says_what_the_day_brought_and_the_tab_repeats_it(open_desk, visit):
    own = open_desk(alarms_off="bridge,waiting")
    page = visit(at=own)
    go(page, "/dashboard")
    expect(below(page, "today")).to_have_text("not reported yet")
    own.account(NetLiquidation=100_500, DailyPnL=500.4, RealizedPnL=-20, UnrealizedPnL=520.4)
    expect(figure(page, "today")).to_have_text("+500")
    expect(figure(page, "today")).to_have_attribute("data-favour", "for")
    expect(below(page, "today")).to_have_text("−20 realised · +520 unrealised")
    expect(figure(page, "account")).to_have_text("100,500")
    expect(below(page, "account")).to_contain_text("+0.5 %")
    expect(page).to_have_title("+500 · Dashboard · Pairs-API")
    own.alert(ticker="NOPE")
    expect(page).to_have_title("(1) +500 · Dashboard · Pairs-API")


def test_the_strip_says_whether_what_is_held_is_hedged(open_desk, visit):
    own = open_desk()
    page = visit(at=own)
    go(page, "/dashboard")
    expect(below(page, "hedge")).to_have_text("not reported yet")
    own.account()
    expect(figure(page, "hedge")).to_have_text("Flat")
    own.hold("NMFC", 100)
    own.hold("ROIC", -72)
    expect(figure(page, "hedge")).to_have_text("1 hedged")
    own.hold("ROIC", 0)
    expect(figure(page, "hedge")).to_have_text("1 unhedged")
    expect(below(page, "hedge")).to_have_text("$1,000")
    rowid = own.alert(order_contracts=100)
    own.revise(rowid, order_status="created", order_id1=1, order_id2=2)
    expect(figure(page, "hedge")).to_have_text("1 filling")
    expect(below(page, "hedge")).to_have_text(re.compile(r"^\d:\d\d$"))


@pytest.mark.parametrize("width", [1440, 1024, 768, 390])
def test_the_strip_fits(desk, visit, width):
    page = visit(viewport={"width": width, "height": 844})
    go(page, "/dashboard")
    cut = page.evaluate(
        """() => [...document.querySelectorAll("#figures :is(dt, dd:not(.below))")]
          .filter(each => each.scrollWidth > each.clientWidth).map(each => each.textContent)"""
    )
    assert cut == []
