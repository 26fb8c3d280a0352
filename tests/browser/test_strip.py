"""The bridge on the dashboard's strip: when it was last heard, and whether that is long ago."""

import contextlib
import re
import sqlite3

import pytest
from playwright.sync_api import expect

from tests.browser.reading import figure, go
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
    expect(box).not_to_have_attribute("data-late", re.compile("."))
    own.alert(ticker="AAPL")
    expect(box).to_have_attribute("data-late", "amber")
    expect(box.locator("dt")).to_have_text("Bridge silent")
    own.poll()
    expect(figure(page, "bridge")).to_have_text(re.compile(r"^\d s$"))
    expect(box).not_to_have_attribute("data-late", re.compile("."))
    expect(box.locator("dt")).to_have_text("Bridge")


@pytest.mark.parametrize(
    ("seconds", "told", "late"),
    [(30, r"3\d s", None), (150, "2 min", "amber"), (3700, "1 h", "red")],
)
def test_the_bridges_silence_is_painted_by_the_server_and_kept_by_the_browser(
    open_desk, visit, seconds, told, late
):
    own = open_desk()
    own.alert(ticker="AAPL")
    heard(own, seconds)
    pages = [visit(at=own, java_script_enabled=False), visit(at=own)]
    pages[0].goto("/dashboard")
    go(pages[1], "/dashboard")
    for page in pages:
        expect(figure(page, "bridge")).to_have_text(re.compile(f"^{told}$"))
        words = page.locator('[data-figure="bridge"] dt')
        expect(words).to_have_text("Bridge silent" if late else "Bridge")
        assert page.locator('[data-figure="bridge"]').get_attribute("data-late") == late


def test_visitors_have_no_bridge_on_their_strip(desk, visit):
    page = visit(None)
    go(page, "/dashboard")
    expect(page.locator('[data-figure="bridge"]')).to_have_count(0)
    desk.poll()


@pytest.mark.parametrize("width", [1440, 1024, 768, 390])
def test_the_strip_fits(desk, visit, width):
    page = visit(viewport={"width": width, "height": 844})
    go(page, "/dashboard")
    cut = page.evaluate(
        """() => [...document.querySelectorAll("#figures :is(dt, dd)")]
          .filter(each => each.scrollWidth > each.clientWidth).map(each => each.textContent)"""
    )
    assert [text for text in cut if "today" not in text] == []
