"""The dashboard's table and panel: filters, order, older rows, the keyboard, what is remembered."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.reading import below, cell, figure, go, is_live, row, rowids, rows, wait_for_rows

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STORED = 1000
TALL = {"width": 1440, "height": 3600}  # every row is in the document
FIRST = 50  # rows that a page carries


@pytest.fixture(scope="module")
def stored():
    return STORED


@pytest.fixture(scope="module")
def signals(desk):
    """All signals as REST tells them, newest first."""
    return desk.signals()


def search(page):
    return page.get_by_role("searchbox", name="Search")


def focused(page):
    """The rowid of the row that has the focus."""
    return page.evaluate("+document.activeElement.closest('tr')?.dataset.rowid || null")


def test_the_columns_are_the_originals(desk, visit):
    page = visit()
    go(page, "/dashboard")
    heads = page.locator("#signals").get_by_role("columnheader").all_inner_texts()
    assert [re.sub(r"\W+$", "", head) for head in heads] == [
        *("Row", "Time", "Ticker", "Comment", "Action"),
        *("Quantity", "Price", "Status", "Fill price", "Slippage"),
    ]


# --- filters ---------------------------------------------------------------------------------


def test_filters_stand_in_the_url_and_survive_a_reload(desk, visit, signals):
    page = visit(viewport=TALL)
    go(page, "/dashboard")
    page.get_by_label("Status", exact=True).select_option("canceled")
    page.get_by_label("Type", exact=True).select_option("single")
    search(page).fill("long 7")
    page.wait_for_url("**/dashboard?*q=long+7*")
    assert set(page.url.partition("?")[2].split("&")) == {
        *("status=canceled", "tradetype=single", "q=long+7")
    }
    wanted = [
        s["rowid"]
        for s in signals
        if s["order_status"] == "canceled"
        and s["ticker_type"] == "single"
        and "long 7" in s["order_comment"].lower()
    ]
    assert 0 < len(wanted) < 20
    wait_for_rows(page, len(wanted))
    assert rowids(page) == wanted
    page.reload()
    is_live(page)
    assert rowids(page) == wanted
    expect(page.get_by_label("Status", exact=True)).to_have_value("canceled")
    expect(page.get_by_label("Type", exact=True)).to_have_value("single")
    expect(search(page)).to_have_value("long 7")


def test_going_away_and_back_keeps_the_filters(desk, visit):
    page = visit()
    go(page, "/dashboard")
    page.get_by_label("Status", exact=True).select_option("error")
    page.wait_for_url("**/dashboard?status=error")
    page.get_by_role("link", name="List", exact=True).click()
    page.wait_for_url("**/list")
    page.go_back()
    page.wait_for_url("**/dashboard?status=error")
    is_live(page)
    expect(page.get_by_label("Status", exact=True)).to_have_value("error")
    assert {each["status"] for each in rows(page)} == {"error"}


def test_clear_takes_all_filters_out(desk, visit, signals):
    page = visit(viewport=TALL)
    go(page, "/dashboard?status=filled&tradetype=pair&q=long&ticker_webhook=MA-V")
    expect(page.get_by_label("Pair or ticker")).to_have_value("MA-V")
    page.get_by_role("link", name="Clear", exact=True).click()
    page.wait_for_url("**/dashboard")
    expect(page.get_by_label("Pair or ticker")).to_have_value("")
    expect(page.get_by_role("link", name="Clear", exact=True)).to_be_hidden()
    expect(row(page, signals[0]["rowid"])).to_be_visible()
    wait_for_rows(page, FIRST)
    assert rowids(page) == [s["rowid"] for s in signals[:FIRST]]


def test_a_filter_by_ticker_can_be_taken_out_alone(desk, visit):
    page = visit()
    go(page, "/dashboard?ticker_webhook=MA-V&status=filled")
    assert {each["ticker"].split()[0] for each in rows(page)} == {"MA-V"}
    page.get_by_label("Pair or ticker").fill("")
    page.wait_for_url("**/dashboard?status=filled")
    expect(page.locator("#signals .symbol", has_text="NMFC-ROIC").first).to_be_visible()


@pytest.mark.parametrize("text", ["KO-0.5", "enter long 98", "PROBLEMATIC"])
def test_the_search_looks_in_ticker_comment_and_message(desk, visit, signals, text):
    wanted = [
        s["rowid"]
        for s in signals
        if text.lower() in f"{s['ticker']}\n{s['order_comment']}\n{s['status_msg']}".lower()
    ]
    page = visit(viewport=TALL)
    go(page, "/dashboard")
    page.keyboard.press("/")
    expect(search(page)).to_be_focused()
    page.keyboard.type(text)
    expect(row(page, wanted[0])).to_have_attribute("aria-rowindex", "2")
    assert rowids(page) == wanted[:FIRST]
    page.keyboard.press("Escape")
    expect(search(page)).not_to_be_focused()
    expect(search(page)).to_have_value(text)


def test_a_search_without_a_match_says_so_and_offers_a_way_back(desk, visit):
    page = visit(viewport=TALL)
    go(page, "/dashboard?q=nothing-like-this")
    expect(page.get_by_role("heading", name="No signal matches")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()
    wait_for_rows(page, FIRST)


def test_the_figures_lead_to_their_rows(desk, visit):
    page = visit()
    go(page, "/dashboard")
    expect(below(page, "working")).to_contain_text("30 waiting")
    page.get_by_role("link", name="Working").click()
    page.wait_for_url("**/dashboard?status=open")
    is_live(page)
    assert {each["status"] for each in rows(page)} <= {"waiting", "created", "filled(...)"}


# --- order -----------------------------------------------------------------------------------

SORTS = {
    "row": lambda s: s["rowid"],
    "time": lambda s: s["timestamp"],
    "ticker": lambda s: f"{s['stk_ticker1']}-{s['stk_ticker2']}".removesuffix("-None").lower(),
    "comment": lambda s: s["order_comment"].lower(),
    "action": lambda s: s["order_action"],
    "quantity": lambda s: s["order_contracts"],
    "price": lambda s: s["order_price"],
    "status": lambda s: s["order_status"],
    "fill": lambda s: s["fill_price"],
    "slip": lambda s: s["slip"],
}


def in_order(signals, column, *, down):
    """The rowids sorted; what is missing comes last, equal ones keep the newest first."""
    key = SORTS[column]
    newest = sorted(signals, key=lambda s: -s["rowid"])
    known = sorted([s for s in newest if key(s) is not None], key=key, reverse=down)
    return [s["rowid"] for s in known + [s for s in newest if key(s) is None]]


def test_every_column_sorts_both_ways_and_the_url_remembers_it(desk, visit, signals):
    page = visit(viewport=TALL)
    go(page, "/dashboard")
    for column in SORTS:
        head = page.locator(f'#signals th[data-field="{column}"]')
        seen = set()
        for _ in range(2):
            head.get_by_role("button").click()
            down = head.get_attribute("aria-sort") == "descending"
            seen.add(down)
            expected = in_order(signals, column, down=down)[:FIRST]
            expect(row(page, expected[0])).to_have_attribute("aria-rowindex", "2")
            expect(page.locator("#signals")).not_to_have_attribute("aria-busy", "true")
            assert rowids(page) == expected, column
            expect(page.locator("#signals th[aria-sort]")).to_have_count(1)
        assert seen == {True, False}
    shown = rowids(page)
    page.reload()
    is_live(page)
    assert rowids(page) == shown == in_order(signals, column, down=down)[:FIRST]


def test_an_alert_that_arrives_in_a_sorted_table_takes_its_place(open_desk, visit):
    own = open_desk()
    for contracts in (30, 10):
        own.alert(ticker="AAPL", order_contracts=contracts)
    page = visit(at=own)
    go(page, "/dashboard?sort=order_contracts")
    own.alert(ticker="AAPL", order_contracts=20)
    wait_for_rows(page, 3)
    assert [each["quantity"] for each in rows(page)] == ["10", "20", "30"]


# --- older rows ------------------------------------------------------------------------------

SCROLL = """() => { const view = document.querySelector("#scroller")
  view.scrollTop += view.clientHeight
  return new Promise(tell => requestAnimationFrame(() => requestAnimationFrame(() =>
    tell([view.scrollTop, view.scrollHeight - view.clientHeight])))) }"""


def test_load_older_goes_on_to_the_end_and_shows_every_row_once(desk, visit, signals):
    page = visit(viewport={"width": 1440, "height": 2400})
    go(page, "/dashboard")
    expect(page.locator("#count")).to_have_text("The first 50")
    page.get_by_role("button", name="Load older").click()
    expect(page.locator("#count")).not_to_have_text("The first 50")
    seen = {}
    while True:
        shown = rows(page)
        now = {each["rowid"]: each["comment"] for each in shown}
        assert len(now) == len(shown) < 150
        seen |= now
        place, end = page.evaluate(SCROLL)
        if place >= end - 1:
            if page.get_by_role("button", name="Load older").is_hidden():
                break
            page.wait_for_function(
                "end => { const view = document.querySelector('#scroller')\n"
                "return view.scrollHeight - view.clientHeight > end\n"
                "|| document.querySelector('#older').hidden }",
                arg=end,
            )
    seen |= {each["rowid"]: each["comment"] for each in rows(page)}
    expect(page.locator("#count")).to_have_text(f"{STORED:,} signals, none older")
    assert seen == {s["rowid"]: s["order_comment"] for s in signals}


def test_load_older_keeps_to_the_filters(desk, visit, signals):
    wanted = [s["rowid"] for s in signals if s["order_status"] == "error"]
    page = visit()
    go(page, "/dashboard?status=error")
    page.get_by_role("button", name="Load older").click()
    expect(page.locator("#count")).to_have_text(f"{len(wanted)} signals, all that match")
    page.locator("#signals th[data-field=row] button").click()
    expect(page.locator('#signals th[aria-sort="ascending"]')).to_have_count(1)
    assert rowids(page)[0] == wanted[-1]


def test_an_error_on_the_way_to_older_rows_is_said_and_can_be_repeated(desk, visit):
    page = visit()
    go(page, "/dashboard")
    page.route("**/v3/signals/200?**", lambda route: route.abort())
    page.get_by_role("button", name="Load older").click()
    expect(page.locator("#count")).to_contain_text("The server did not answer")
    page.unroute_all()
    page.get_by_role("button", name="Load older").click()
    expect(page.locator("#count")).to_have_text("The first 250")


# --- the panel -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(desk):
    """A pair that was filled, with its whole history: its rowid."""
    rowid = desk.alert(
        ticker="NYSE:MA-3*NYSE:V", order_price=-2.0, order_contracts=10, order_comment="Panel"
    )
    desk.revise(rowid, order_status="created", order_id1=9001, order_id2=9002)
    desk.report(order_id=9002, symbol="V", price=100.756, filled_qty=30)
    desk.report(order_id=9001, symbol="MA", price=300.1, filled_qty=10)
    return rowid


def test_the_panel_shows_every_field_both_legs_the_timeline_and_the_raw_equation(
    desk, visit, filled
):
    page = visit()
    go(page, "/dashboard")
    cell(page, filled, "comment").click()
    panel = page.get_by_role("complementary", name="MA-V")
    expect(panel).to_be_visible()
    assert page.url.endswith(f"?signal={filled}")
    expect(panel.locator(".equation")).to_have_text("NYSE:MA-3*NYSE:V")
    expect(panel.locator(".state .pill")).to_have_text("filled")
    facts = panel.locator(".facts dd").all_inner_texts()
    assert facts == ["Buy", "10", "−2.00", "−2.168", "+0.1680", "+$1.68"]
    legs = [leg.split("\t") for leg in panel.locator(".legs tbody tr").all_inner_texts()]
    assert legs == [
        ["MA", "Buy", "10", "9001", "300.10"],
        ["V", "Sell", "30", "9002", "100.756"],
    ]
    panel.get_by_text("All fields").click()
    record = desk.get(f"/v3/signal/{filled}")
    fields = dict(
        zip(
            panel.locator(".fields dt").all_inner_texts(),
            panel.locator(".fields dd").all_text_contents(),
            strict=True,
        )
    )
    twins = ("ticker1", "ticker2", "price1", "price2")
    assert fields == {
        name: "" if value is None else str(value).removesuffix(".0")
        for name, value in record.items()
        if name not in twins
    }
    moments = panel.locator("#timeline > li")
    events = desk.get(f"/v3/signal/{filled}/events")["events"]
    expect(moments).to_have_count(len(events))
    expect(moments.first).to_contain_text("Received")
    expect(moments.nth(1)).to_contain_text("Now created")
    expect(moments.nth(1)).to_contain_text("9001")
    expect(moments.nth(2)).to_contain_text("Now filled(...)")
    expect(moments.last).to_contain_text("Now filled")
    expect(moments.last).to_contain_text("300.1")


def test_the_panel_keeps_the_table_usable(desk, visit, filled):
    page = visit()
    go(page, f"/dashboard?signal={filled}")
    other = rowids(page)[3]
    cell(page, other, "status").click()
    expect(page.locator("#panel-title")).to_contain_text(f"row {other}")
    page.get_by_label("Status", exact=True).select_option("error")
    page.wait_for_url(re.compile(f"(?=.*status=error)(?=.*signal={other})"))
    expect(page.locator("#panel")).to_be_visible()


def test_the_address_of_an_open_panel_can_be_shared_and_back_closes_it(desk, visit, filled):
    page = visit()
    go(page, "/dashboard")
    cell(page, filled, "comment").click()
    expect(page.locator("#panel")).to_be_visible()
    other = page.context.new_page()
    go(other, page.url)
    expect(other.locator("#panel-title")).to_contain_text(f"row {filled}")
    page.bring_to_front()
    page.go_back()
    expect(page.locator("#panel")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#panel")).to_be_visible()


def test_a_panel_of_an_old_signal_opens_though_its_row_is_not_loaded(desk, visit):
    page = visit()
    go(page, "/dashboard?signal=5")
    expect(page.locator("#panel-title")).to_contain_text("row 5")
    expect(page.locator("#panel .fields")).to_contain_text("Enter Long 4")


def test_a_panel_of_a_signal_that_is_not_there_says_so(desk, visit):
    page = visit()
    go(page, "/dashboard?signal=999999")
    expect(page.locator("#panel")).to_contain_text("There is no signal in row 999999 any more.")


def test_visitors_are_told_that_the_history_needs_a_login(desk, visit):
    page = visit(None)
    go(page, "/dashboard")
    row(page, rowids(page)[0]).click()
    expect(page.locator("#timeline-note")).to_contain_text("for logged-in users")
    expect(page.locator("#timeline-note").get_by_role("link", name="Log in")).to_be_visible()


def test_on_a_phone_the_panel_fills_the_screen_and_takes_the_focus(desk, visit, filled):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    go(page, "/dashboard")
    row(page, filled).click()
    expect(page.locator("#panel-title")).to_be_focused()
    box = page.locator("#panel").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    page.get_by_role("button", name="Close the panel").click()
    expect(page.locator("#panel")).to_be_hidden()


# --- the keyboard ----------------------------------------------------------------------------


def test_j_and_k_walk_the_rows_enter_opens_and_escape_closes(desk, visit):
    page = visit()
    go(page, "/dashboard")
    order = rowids(page)
    for key, place in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        assert focused(page) == order[place]
        expect(row(page, order[place])).to_have_attribute("aria-current", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_contain_text(f"row {order[1]}")
    page.keyboard.press("j")
    expect(page.locator("#panel-title")).to_contain_text(f"row {order[2]}")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    assert focused(page) == order[2]
    assert "signal=" not in page.url


def test_walking_scrolls_the_row_into_view(desk, visit):
    page = visit(viewport={"width": 1024, "height": 500})
    go(page, "/dashboard")
    order = rowids(page)
    for _ in order:
        page.keyboard.press("j")
    expect(row(page, order[-1])).to_be_in_viewport(ratio=1)
    for _ in order:
        page.keyboard.press("k")
    expect(row(page, order[0])).to_be_in_viewport(ratio=1)


def test_a_question_mark_shows_the_keys_but_not_while_typing(desk, visit):
    page = visit()
    go(page, "/dashboard")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    for key in ("/", "j", "k", "Enter", "Esc", "?"):
        expect(keys.get_by_text(key, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("?jk")
    expect(search(page)).to_have_value("?jk")
    expect(keys).to_be_hidden()


FOCUS = """() => {
  const at = document.activeElement
  const { outlineStyle, outlineWidth } = getComputedStyle(at)
  const name = at.id || at.className || at.textContent.trim()
  return [name, outlineStyle !== "none" && parseFloat(outlineWidth) >= 1] }"""


def test_the_focus_is_seen_wherever_the_tabulator_goes(desk, visit):
    page = visit()
    go(page, "/dashboard")
    seen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(FOCUS)
        seen.append(name)
        assert outline, f"{name} does not show that it has the focus"
    assert seen[0] == "skip"
    assert "theme" in seen


# --- what is remembered, times, states -------------------------------------------------------


def test_the_theme_follows_the_system_until_one_is_chosen_and_is_remembered(desk, visit):
    page = visit(color_scheme="dark")
    go(page, "/dashboard")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ground)
    assert dark != light
    page.get_by_label("Theme").select_option("dark")
    assert page.evaluate(ground) == dark
    page.goto("/login")
    assert page.evaluate(ground) == dark
    expect(page.get_by_label("Theme")).to_have_value("dark")
    page.get_by_label("Theme").select_option("")
    assert page.evaluate(ground) == light


def test_the_rows_height_is_chosen_and_remembered(desk, visit):
    page = visit()
    go(page, "/dashboard")

    def height():
        return page.evaluate("document.querySelector('#signals tbody tr').offsetHeight")

    assert height() == 32
    page.locator("#density").select_option("compact")
    page.wait_for_function("() => document.querySelector('#signals tbody tr').offsetHeight === 28")
    go(page, "/list")
    assert height() == 28
    page.locator("#density").select_option("comfortable")
    page.wait_for_function("() => document.querySelector('#signals tbody tr').offsetHeight === 40")


def test_times_show_in_the_viewers_zone_named_once_with_the_age_of_open_ones(open_desk, visit):
    own = open_desk()
    rowid = own.alert(ticker="AAPL", timestamp="2024-01-15 03:04:05")
    for zone, shown, exact in (
        ("Asia/Tokyo", "15 Jan 24 12:04", "2024-01-15 12:04:05"),
        ("America/New_York", "14 Jan 24 22:04", "2024-01-14 22:04:05"),
    ):
        page = visit(at=own, timezone_id=zone)
        go(page, "/dashboard")
        moment = cell(page, rowid, "time").locator("time")
        expect(moment).to_have_text(shown)
        expect(moment).to_have_attribute("title", exact)
        expect(moment).to_have_attribute("datetime", "2024-01-15T03:04:05Z")
        expect(cell(page, rowid, "time").locator(".age")).to_have_text(re.compile(r"^\d+ d$"))
        expect(page.locator("#zone")).to_have_text(zone)


def test_the_zone_of_the_settings_goes_before_the_viewers(open_desk, visit):
    own = open_desk(zone="Europe/Berlin")
    rowid = own.alert(ticker="AAPL", timestamp="2024-07-15 22:30:00")
    page = visit(at=own, timezone_id="Asia/Tokyo")
    go(page, "/dashboard")
    expect(cell(page, rowid, "time").locator("time")).to_have_text("16 Jul 24 00:30")
    expect(page.locator("#zone")).to_have_text("Europe/Berlin")


def test_the_rows_of_today_are_marked(open_desk, visit):
    own = open_desk()
    old = own.alert(ticker="AAPL", timestamp="2024-01-15 03:04:05")
    new = own.alert(ticker="AAPL")
    page = visit(at=own)
    go(page, "/dashboard")
    expect(row(page, new)).to_have_attribute("data-today", "")
    expect(row(page, old)).not_to_have_attribute("data-today", "")


def test_a_signal_that_waits_too_long_turns_amber_on_the_open_page(open_desk, visit):
    own = open_desk(alarm_minutes=2)
    page = visit(at=own)
    page.clock.install()
    go(page, "/dashboard")
    sent = datetime.now(UTC) - timedelta(seconds=100)
    rowid = own.alert(ticker="AAPL", timestamp=f"{sent:%Y-%m-%d %H:%M:%S}")
    pill = row(page, rowid).locator(".pill")
    expect(pill).to_have_text("waiting 1 min")
    expect(pill).not_to_have_attribute("data-late", "")
    page.clock.run_for(24_000)  # less than the silence that makes the page ask the server
    expect(pill).to_have_attribute("data-late", "")
    expect(pill).to_have_text("waiting 2 min")
    expect(figure(page, "last")).to_have_text(re.compile("^[0-9]+ s$"))


STATUSES = {
    **{"waiting": "waiting", "rerouted": "waiting", "created": "working", "filled(...)": "working"},
    **{"part.filled": "part", "filled": "filled", "canceled": "canceled"},
    **{"error": "error", "critical err": "error", "something new": "other"},
}


def test_each_status_has_its_colour_and_its_message_beside_it(open_desk, visit):
    own = open_desk()
    made = {status: own.alert(ticker="AAPL") for status in STATUSES}
    for status, rowid in made.items():
        own.revise(rowid, order_status=status, status_msg=f"why {status}")
    page = visit(at=own)
    go(page, "/dashboard")
    for status, rowid in made.items():
        pill = row(page, rowid).locator(".pill")
        expect(pill).to_have_attribute("data-kind", STATUSES[status])
        expect(pill).to_have_text(status)
        expect(row(page, rowid).locator(".message")).to_have_text(f"why {status}")
        expect(row(page, rowid).locator(".message")).to_be_visible()


def test_the_empty_dashboard_teaches_how_to_send_the_first_alert(open_desk, visit):
    own = open_desk()
    page = visit(at=own)
    go(page, "/dashboard")
    empty = page.locator("#empty")
    expect(empty.get_by_text(f"{own.url}/v3/webhook", exact=True)).to_be_visible()
    empty.get_by_text("Or send one from a terminal").click()
    command = empty.locator("pre").inner_text()
    body = json.loads(re.search(r"-d '(.*)'", command)[1]) | {"passphrase": "webhook"}
    own.ask("POST", "/v3/webhook", body, token="")
    wait_for_rows(page, 1)
    expect(empty).to_be_hidden()
    own.ask("DELETE", f"/v3/signal/{rowids(page)[0]}")
    expect(empty).to_be_visible()
    empty.get_by_role("link", name="simulator").click()
    expect(page.get_by_role("heading", name="Webhook simulator")).to_be_visible()


WIDER = """() => [document.documentElement, document.querySelector("main")]
  .map(part => part.scrollWidth - part.clientWidth)"""


@pytest.mark.parametrize("path", ["/dashboard", "/list", "/setup", "/login"])
def test_no_page_is_wider_than_the_screen(desk, visit, path):
    page = visit()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    for width in (360, 390, 768, 1024, 1440, 2560):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(WIDER) == [0, 0], width
