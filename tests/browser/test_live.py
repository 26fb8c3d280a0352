"""What the server pushes appears on open pages: rows, fills, the registry, the end of a session."""

import contextlib
import re
import sqlite3

import pytest
from playwright.sync_api import expect

from tests.browser.reading import WATCH_SHIFTS, below, cell, figure, go, is_live, row, rowids, rows

pytestmark = [pytest.mark.browser, pytest.mark.slow]

UNTOUCHED = "window.untouched === true"


@pytest.fixture(scope="module")
def stored():
    return 30


def stay(page):
    """Marks the document, so that a reload would be noticed."""
    page.evaluate("window.untouched = true")


def placed(desk, contracts=10, ticker="MA-3*V", price=-2.0, orders=(None, None), **fields):
    """A signal whose orders are at the broker: its rowid."""
    rowid = desk.alert(ticker=ticker, order_contracts=contracts, order_price=price, **fields)
    desk.revise(rowid, order_status="created", order_id1=orders[0], order_id2=orders[1])
    return rowid


def test_one_alert_appears_in_two_browsers_without_a_reload(desk, visit, start_browser):
    other = start_browser()
    pages = [visit(), visit("user1", within=other)]
    for page in pages:
        go(page, "/dashboard")
        stay(page)
    rowid = desk.alert(ticker="AAPL", order_comment="seen by both", order_contracts=1500)
    for page in pages:
        expect(cell(page, rowid, "comment")).to_have_text("seen by both")
        expect(cell(page, rowid, "quantity")).to_have_text("1,500")
        assert rowids(page)[0] == rowid
        assert page.evaluate(UNTOUCHED)
    other.close()


def test_a_partial_fill_turns_the_rows_status_and_slippage_live(desk, visit):
    page = visit()
    go(page, "/dashboard")
    stay(page)
    rowid = placed(desk, orders=(7001, 7002))
    pill = row(page, rowid).locator(".pill")
    expect(pill).to_have_text("created")
    expect(cell(page, rowid, "slip").locator(".share")).to_be_empty()
    desk.report(order_id=7002, symbol="V", price=100.756, filled_qty=30)
    expect(pill).to_have_text("filled(...)")
    desk.report(order_id=7001, symbol="MA", price=300.1, filled_qty=6)
    expect(pill).to_have_text("6 of 10")
    expect(pill).to_have_attribute("data-kind", "part")
    expect(row(page, rowid).locator(".message")).to_have_text("4 of MA not filled yet")
    expect(cell(page, rowid, "fill")).to_have_text("−2.168")
    expect(cell(page, rowid, "slip").locator(".share")).to_have_text("+0.1680")
    expect(cell(page, rowid, "slip").locator(".money")).to_have_text("+$1.68")
    expect(cell(page, rowid, "slip")).to_have_attribute("data-favour", "for")
    desk.report(order_id=7001, symbol="MA", price=300.4, filled_qty=10)
    expect(pill).to_have_text("filled")
    assert page.evaluate(UNTOUCHED)


def test_slippage_against_the_trader_is_told_by_sign_and_in_the_tickers_currency(desk, visit):
    desk.stock("SAP")
    with contextlib.closing(sqlite3.connect(desk.database)) as database, database:
        database.execute("UPDATE stock SET currency = 'EUR' WHERE symbol = 'SAP'")
    page = visit()
    go(page, "/dashboard")
    rowid = placed(desk, 100, "SAP", 120.5, (7011, None))
    desk.report(order_id=7011, stk_price=120.75)
    slip = cell(page, rowid, "slip")
    expect(slip.locator(".share")).to_have_text("−0.2500")
    expect(slip.locator(".money")).to_have_text("−€25.00")
    expect(slip).to_have_attribute("data-favour", "against")


def test_a_deleted_signal_leaves_every_open_page(desk, visit):
    page = visit()
    go(page, "/dashboard")
    rowid = desk.alert(ticker="AAPL")
    expect(row(page, rowid)).to_be_visible()
    desk.ask("DELETE", f"/v3/signal/{rowid}")
    expect(row(page, rowid)).to_have_count(0)


def test_changes_of_the_registry_appear_on_the_open_setup_page(desk, visit):
    page = visit()
    go(page, "/setup#pairs")
    expect(page.locator('#pairs-table tr[data-name="MA-V"]')).to_be_visible()
    desk.pair("GOOG", "GOOGL", 1.05, notes="two classes")
    line = page.locator('#pairs-table tr[data-name="GOOG-GOOGL"]')
    expect(line).to_contain_text("two classes")
    expect(line.locator(".switch-word")).to_have_text("Active")
    desk.ask("PUT", "/v3/regpair", {"name": "GOOG-GOOGL", "status": 0})
    expect(line.locator(".switch-word")).to_have_text("Paused")
    expect(page.locator('#stocks-table tr[data-name="GOOG"]')).to_be_visible()
    desk.stock("NVDA")
    expect(page.locator('#stocks-table tr[data-name="NVDA"]')).to_contain_text("Active")
    desk.ask("DELETE", "/v3/stock/NVDA")
    expect(page.locator('#stocks-table tr[data-name="NVDA"]')).to_have_count(0)


def test_a_rejected_alert_raises_the_count_beside_its_section(desk, visit):
    page = visit()
    go(page, "/setup")
    expect(page.locator("#registry")).to_be_visible()
    answer = desk.call("POST", "/v3/webhook", {"passphrase": "webhook", "ticker": "AAPL"}, token="")
    assert answer.status == 400
    expect(page.locator("#rejected-count")).to_have_text("1")


def test_a_logout_in_one_tab_closes_the_other(desk, visit):
    first = visit("user1")
    second = first.context.new_page()
    go(first, "/dashboard")
    go(second, "/list")
    first.bring_to_front()
    first.locator("#user summary").click()
    first.get_by_role("button", name="Log out").click()
    first.wait_for_url("**/login")
    second.wait_for_url("**/login?next=%2Flist")
    expect(second.get_by_role("button", name="Log in", exact=True)).to_be_visible()


def test_the_end_of_a_session_from_outside_closes_its_pages(desk, visit):
    page = visit("user1")
    go(page, "/dashboard?status=filled")
    for session in desk.get("/v3/sessions/user1")["sessions"]:
        desk.ask("DELETE", f"/v3/session/{session['id']}")
    page.wait_for_url("**/login?next=%2Fdashboard%3Fstatus%3Dfilled")


def test_visitors_see_five_rows_also_after_new_ones(desk, visit):
    page = visit(None)
    go(page, "/dashboard")
    assert len(rowids(page)) == 5
    more = page.get_by_role("link", name="Log in to see more")
    expect(more).to_be_visible()
    rowid = desk.alert(ticker="AAPL", order_comment="for visitors too")
    expect(cell(page, rowid, "comment")).to_have_text("for visitors too")
    assert rowids(page) == [s["rowid"] for s in desk.signals()[:5]]
    expect(page.get_by_role("button", name="Load older")).to_have_count(0)
    more.click()
    page.wait_for_url("**/login?next=/dashboard")


def test_logged_in_users_see_the_newest_fifty(open_desk, visit):
    own = open_desk(stored=60)
    page = visit("user1", at=own, viewport={"width": 1440, "height": 3600})
    go(page, "/dashboard")
    assert rowids(page) == [s["rowid"] for s in own.signals()[:50]]
    expect(page.get_by_role("link", name="Log in to see more")).to_have_count(0)


def test_where_visitors_may_not_read_they_get_no_rows_and_no_line(open_desk, visit):
    closed = open_desk(anonymous_reads="false", stored=3)
    page = visit(None, at=closed)
    page.goto("/dashboard?status=filled")
    assert page.url == f"{closed.url}/login?next=%2Fdashboard%3Fstatus%3Dfilled"
    refused = page.evaluate(
        """() => new Promise(tell => {
             const line = new WebSocket(`${location.origin.replace("http", "ws")}/ws/signals`)
             line.onopen = () => tell(false)
             line.onerror = () => tell(true) })"""
    )
    assert refused


def test_a_live_row_that_does_not_pass_the_filters_stays_out(desk, visit):
    page = visit()
    go(page, "/dashboard?q=needle")
    expect(page.get_by_role("heading", name="No signal matches")).to_be_visible()
    desk.alert(ticker="AAPL", order_comment="hay")
    inside = desk.alert(ticker="AAPL", order_comment="a NEEDLE in the hay")
    expect(row(page, inside)).to_be_visible()
    assert rowids(page) == [inside]
    expect(page.get_by_role("heading", name="No signal matches")).to_be_hidden()


def test_a_row_that_no_longer_passes_the_filters_leaves(desk, visit):
    page = visit()
    rowid = desk.alert(ticker="AAPL", order_comment="leaver")
    go(page, "/dashboard?status=waiting&q=leaver")
    expect(row(page, rowid)).to_be_visible()
    desk.revise(rowid, order_status="canceled")
    expect(row(page, rowid)).to_have_count(0)


def test_the_open_panel_follows_its_signal(desk, visit):
    rowid = placed(desk, 5, "AAPL", 400.2, (7021, None))
    page = visit()
    go(page, f"/dashboard?signal={rowid}")
    panel = page.locator("#panel")
    expect(panel.locator(".state .pill")).to_have_text("created")
    desk.report(order_id=7021, stk_price=400.1)
    expect(panel.locator(".state .pill")).to_have_text("filled")
    expect(panel.locator('[data-show="money"]')).to_have_text("+$0.50")
    expect(panel.locator("#timeline > li").last).to_contain_text("Now filled")
    desk.ask("DELETE", f"/v3/signal/{rowid}")
    expect(panel.get_by_role("alert")).to_contain_text(f"The signal of row {rowid} was deleted")


def test_the_figures_follow_the_signals(open_desk, visit):
    own = open_desk()
    page = visit(at=own)
    go(page, "/dashboard")
    for name in ("working", "traded"):
        expect(figure(page, name)).to_have_text("0")
    expect(below(page, "working")).to_have_text("nothing waits")
    expect(below(page, "slippage")).to_have_text("nothing filled yet")
    expect(figure(page, "last")).to_be_empty()
    own.alert(ticker="AAPL")
    own.alert(ticker="A/B")
    placed(own, ticker="AAPL", orders=(1, None))
    for order, fill in ((2, 9.9), (3, 10.5)):
        placed(own, ticker="AAPL", price=10, orders=(order, None))
        own.report(order_id=order, stk_price=fill)
    own.revise(own.alert(ticker="AAPL"), order_status="critical err")

    def told():
        expect(figure(page, "working")).to_have_text("2")
        expect(below(page, "working")).to_have_text("oldest now · 1 waiting")
        expect(figure(page, "traded")).to_have_text("2")
        expect(below(page, "traded")).to_have_text("1 not traded · 1 failed")
        expect(figure(page, "slippage")).to_have_text("−$4.00")
        expect(figure(page, "slippage")).to_have_attribute("data-favour", "against")
        expect(below(page, "slippage")).to_have_text("−196.1 bp")
        expect(below(page, "last")).to_have_text("Buy AAPL critical err")
        expect(figure(page, "last")).to_have_text(re.compile(r"^\d+ s$"))

    told()
    page.reload()
    told()
    page.get_by_role("link", name="1 failed").click()
    is_live(page)
    assert [each["status"] for each in rows(page)] == ["critical err"]
    page.get_by_role("link", name="1 not traded").click()
    is_live(page)
    assert [each["message"] for each in rows(page)] == ["The ticker cannot be understood"]


WATCH_MARKS = """() => {
  window.marked = []
  new MutationObserver(changes => {
    for (const { target } of changes) {
      if (target.hasAttribute("data-fresh")) window.marked.push(+target.dataset.rowid)
    }
  }).observe(document.querySelector("#signals tbody"),
    { subtree: true, attributes: true, attributeFilter: ["data-fresh"] })
}"""


def test_new_and_changed_rows_are_marked_for_a_moment(desk, visit):
    page = visit()
    go(page, "/dashboard")
    page.evaluate(WATCH_MARKS)
    rowid = desk.alert(ticker="AAPL")
    page.wait_for_function("rowid => marked.includes(rowid)", arg=rowid)
    expect(row(page, rowid)).not_to_have_attribute("data-fresh", "")
    page.evaluate("marked.length = 0")
    desk.revise(rowid, order_status="canceled")
    page.wait_for_function("rowid => marked.includes(rowid)", arg=rowid)
    expect(row(page, rowid)).not_to_have_attribute("data-fresh", "")
    assert set(page.evaluate("marked")) == {rowid}


FRAME = ["header.bar", "#figures", "#filters", "#scroller", "#signals thead", "#panel", ".foot"]
BOXES = """names => names.map(name => {
  const { x, y, width, height } = document.querySelector(name).getBoundingClientRect()
  return [x, y, width, height] })"""
FRAMES = "() => new Promise(tell => requestAnimationFrame(() => requestAnimationFrame(tell)))"


@pytest.mark.parametrize("width", [1440, 390])
def test_arriving_rows_move_nothing_around_them(desk, visit, width):
    page = visit(viewport={"width": width, "height": 900})
    shown = desk.signals()[0]["rowid"]
    go(page, f"/dashboard?signal={shown}" if width > 1000 else "/dashboard")
    if width > 1000:
        expect(page.locator("#timeline li")).not_to_have_count(0)
    page.evaluate(FRAMES)
    before = page.evaluate(BOXES, FRAME)
    page.evaluate(WATCH_SHIFTS, False)
    for n in range(5):
        rowid = desk.alert(ticker="AAPL", order_comment=f"mover {n}", order_contracts=10**n)
    expect(row(page, rowid)).to_be_visible()
    page.evaluate(FRAMES)
    assert page.evaluate("shift") == 0
    desk.revise(rowid, order_status="error", status_msg="a long message " * 20)
    expect(row(page, rowid).locator(".message")).to_contain_text("a long message")
    page.evaluate(FRAMES)
    assert page.evaluate(BOXES, FRAME) == before


def test_rows_that_arrive_above_leave_a_scrolled_table_where_it_is(desk, visit):
    page = visit(viewport={"width": 1440, "height": 500})
    go(page, "/dashboard")
    page.evaluate("document.querySelector('#scroller').scrollTop = 320")
    page.evaluate(FRAMES)
    kept = rowids(page)[12]
    expect(page.locator("#fresh")).to_be_hidden()
    top = row(page, kept).bounding_box()["y"]
    place = int(row(page, kept).get_attribute("aria-rowindex"))
    for _ in range(3):
        desk.alert(ticker="AAPL")
    expect(row(page, kept)).to_have_attribute("aria-rowindex", str(place + 3))
    assert row(page, kept).bounding_box()["y"] == top
    expect(page.locator("#fresh")).to_have_text("3 new rows above")
    page.locator("#fresh").click()
    expect(page.locator("#fresh")).to_be_hidden()
    expect(row(page, desk.signals()[0]["rowid"])).to_be_in_viewport()
