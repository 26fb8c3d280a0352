"""The page of what was earned: figures counted by hand, periods, tables, and what arrives live."""

import csv
import io
import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.histories import HISTORY, with_history
from tests.browser.reading import go, is_live, violations_in_both_schemes
from tests.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

UTC = {"timezone_id": "UTC"}
PHONE = {"viewport": {"width": 390, "height": 844}}
# {figure: (what it says, the line below)}, counted by hand from HISTORY.
# Slippage: 10 - 25 + 2, of 38,302.
USD = {
    "realised": ("+$314.00", "3 trips"),
    "unrealised": ("$0.00", "held now"),
    "trips": ("3", "2 won, 1 lost"),
    "win_rate": ("67 %", "2 of 3 trips"),
    "profit_factor": ("4.14", "3 trips"),
    "average_win": ("+$207.00", "2 trips"),
    "average_loss": ("−$100.00", "1 trip"),
    "expectancy": ("+$104.67", "3 trips"),
    "drawdown": ("−$100.00", "3 Nov 16:00 – 11 Nov 15:00"),
    "median_held_s": ("24 h", "3 trips"),
    "slip": ("−$13.00", "−3.4 bp · 7 signals"),
    "commission_est": ("$10.00", "estimate, in no other figure"),
}
EUR = {
    "realised": ("+€100.00", "1 trip"),
    "win_rate": ("100 %", "1 of 1 trip"),
    "profit_factor": ("–", "no loss in 1 trip"),
    "drawdown": ("–", "never below a high"),
    "median_held_s": ("24 h", "1 trip"),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The module's server, with HISTORY; SAP is traded in euro."""
    desk = Desk(with_history(tmp_path_factory.mktemp("desk") / "desk.db")).start()
    desk.ask("PUT", "/v3/regticker", {"symbol": "SAP", "currency": "EUR", "active": 1})
    yield desk
    desk.stop()


@pytest.fixture
def desk_with(tmp_path):
    """Starts a server of the test with a history of its own."""
    desks = []

    def start(history):
        database = with_history(tmp_path / f"{len(desks)}.db", history)
        desks.append(Desk(database).start())
        return desks[-1]

    yield start
    for desk in desks:
        desk.stop()


def tile(page, key, code="USD"):
    return page.locator(f'.result[data-code="{code}"] [data-figure="{key}"]')


def value(page, key, code="USD"):
    return tile(page, key, code).locator(".value")


def shown(page, keys, code="USD"):
    """{figure: (what it says, the line below)}; a missing value is the dash of the style sheet."""
    tiles = {key: tile(page, key, code).locator("dd").all_inner_texts() for key in keys}
    return {key: (text or "–", below) for key, (text, below) in tiles.items()}


def rows(page, sheet):
    """The rows of a table, each as {column: text}."""
    script = """trs => trs.map(tr => Object.fromEntries(
      [...tr.cells].map(cell => [cell.dataset.key, cell.textContent.trim()])))"""
    return page.locator(f"#{sheet} tbody tr").evaluate_all(script)


def column(page, sheet, key):
    return [row[key] for row in rows(page, sheet)]


def saved(page, button):
    """The rows of the file that a click saves."""
    with page.expect_download() as download:
        button.click()
    raw = download.value.path().read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(raw, newline="")))


def choose(page, first="", last="", ticker=""):
    """Chooses two days and a ticker as a reader does, and waits for the answer."""
    page.get_by_label("From").fill(first)
    page.get_by_label("To", exact=True).fill(last)
    page.get_by_label("Pair or ticker").fill(ticker)
    page.keyboard.press("Enter")


# --- figures ---------------------------------------------------------------------------------


def test_the_figures_are_those_counted_by_hand(desk, visit):
    page = visit(**UTC)
    go(page, "/performance")
    assert shown(page, USD) == USD
    assert shown(page, EUR, "EUR") == EUR
    expect(page.locator("#incomplete")).to_have_text(re.compile("^1 trip began before the records"))


def test_the_figures_are_those_of_the_api_and_the_page_asks_for_nothing(desk, visit):
    page = visit(**UTC)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, "/performance")
    told = desk.get("/v3/performance")
    assert list(told["currencies"]) == ["EUR", "USD"]
    for code, sign in (("EUR", "€"), ("USD", "$")):
        for key in ("realised", "unrealised", "expectancy", "average_win"):
            amount = told["currencies"][code][key]
            text = f"{'+' if amount > 0 else ''}{sign}{amount:,.2f}"
            expect(value(page, key, code)).to_have_text(text)
    found = {row["ticker"]: row["realised"] for row in rows(page, "tickers")}
    for record in told["pairs"]:
        amount = sum(record["realised"].values())
        assert (f"{amount:,.2f}" in found.get(record["ticker"], "0.00")) or not amount
    assert not [url for url in asked if "/v3/" in url]


def test_each_figure_says_one_click_away_what_it_means(desk, visit):
    page = visit()
    go(page, "/performance")
    for key in USD:
        term = tile(page, key).get_by_role("button")
        meaning = page.locator(f"#means-{key}")
        expect(meaning).to_be_hidden()
        term.click()
        expect(meaning).to_be_visible()
        expect(meaning).to_contain_text(term.inner_text())
        assert len(meaning.inner_text()) > 50
        page.keyboard.press("Escape")
        expect(meaning).to_be_hidden()


def test_a_rate_of_fewer_than_ten_trips_is_muted(desk_with, visit):
    def trips(count):
        return [
            (f"2026-11-{day:02} {hour}:00:00", "AAPL", action, 10, price, None, 0, before)
            for day in range(1, count + 1)
            for hour, action, price, before in ((14, "buy", 10.0, 0), (15, "sell", 11.0, 10))
        ]

    colours = {}
    for count in (9, 10):
        page = visit(at=desk_with(trips(count)))
        go(page, "/performance")
        expect(tile(page, "win_rate").locator(".below")).to_have_text(f"{count} of {count} trips")
        colours[count] = value(page, "win_rate").evaluate("node => getComputedStyle(node).color")
        muted = page.locator("#results dt").first.evaluate("node => getComputedStyle(node).color")
        assert (colours[count] == muted) is (count < 10)
    assert colours[9] != colours[10]


# --- period and ticker -----------------------------------------------------------------------


def test_period_and_ticker_stand_in_the_url_and_survive_a_reload(desk, visit):
    page = visit(**UTC)
    go(page, "/performance")
    choose(page, "2026-11-10", "2026-11-13")
    expect(value(page, "realised")).to_have_text("−$86.00")
    expect(page).to_have_url(re.compile(r"\?start_date=2026-11-10&end_date=2026-11-13$"))
    choose(page, "2026-11-10", "2026-11-13", "aapl")
    expect(value(page, "realised")).to_have_text("−$100.00")
    expect(page.locator(".result")).to_have_count(1)
    page.reload()
    is_live(page)
    expect(page.get_by_label("Pair or ticker")).to_have_value("AAPL")
    expect(page.get_by_label("From")).to_have_value("2026-11-10")
    expect(value(page, "realised")).to_have_text("−$100.00")
    assert column(page, "trips", "ticker") == ["AAPL", "AAPL"]  # the second is open
    page.go_back()
    expect(value(page, "realised")).to_have_text("−$86.00")
    page.locator("#clear").click()
    expect(value(page, "realised")).to_have_text("+$314.00")
    assert page.url == f"{desk.url}/performance"


def test_a_button_chooses_a_period_and_shows_that_it_did(desk, visit):
    page = visit(**UTC)
    go(page, "/performance")
    buttons = page.get_by_role("group", name="Period").get_by_role("button")
    expect(buttons).to_have_text(["Today", "Week", "Month", "Year", "All"])
    for name in ("Today", "Year", "All"):
        buttons.get_by_text(name, exact=True).click()
        expect(page.locator('#period [aria-pressed="true"]', has_text=name)).to_have_count(1)
        now = page.evaluate("new Date().toISOString().slice(0, 10)")
        first = {"Today": now, "Year": f"{now[:4]}-01-01", "All": ""}[name]
        expect(page.get_by_label("From")).to_have_value(first)
    expect(value(page, "realised")).to_have_text("+$314.00")


def test_a_period_without_fills_leads_to_all_of_them(desk, visit):
    page = visit(**UTC)
    go(page, "/performance?start_date=2026-10-01&end_date=2026-10-02")
    expect(page.locator("#nothing")).to_contain_text("Nothing was filled in this period")
    assert column(page, "trips", "closed") == ["open"]
    page.locator("#nothing").get_by_role("button").click()
    expect(value(page, "realised", "EUR")).to_have_text("+€100.00")
    expect(page.locator("#nothing")).to_be_hidden()


def test_a_day_that_is_none_is_said(desk, visit):
    page = visit()
    go(page, "/performance?start_date=yesterday")
    expect(page.locator("#problem-start_date")).to_be_visible()
    expect(value(page, "trips")).to_have_text("3")


def test_visitors_are_led_to_the_login(desk, visit):
    page = visit(None)
    page.goto("/performance?ticker=AAPL")
    assert page.url == f"{desk.url}/login?next=%2Fperformance%3Fticker%3DAAPL"


# --- the line, the days, the tables ----------------------------------------------------------


def test_the_line_and_the_days_are_of_one_currency_that_the_reader_chooses(desk, visit):
    page = visit(**UTC)
    go(page, "/performance")
    expect(page.locator("#equity canvas").first).to_be_visible()
    legend = page.locator("#equity .legend dd")
    expect(legend).to_have_text(["13 Nov 2026", "+$314.00", "−$86.00", "+$14.00"])
    days = page.locator("#calendar td[data-favour]")
    expect(days).to_have_text(["3+400", "11−100", "13+14"])
    expect(page.locator("#calendar caption")).to_have_text("November 2026+$314")
    page.get_by_role("group", name="Currency").get_by_role("button", name="EUR").click()
    expect(days).to_have_text(["17+100"])
    expect(legend.nth(1)).to_have_text("+€100.00")
    page.locator("#equity").get_by_role("button", name="Table").click()
    expect(page.locator("#equity .sheet tbody tr").first).to_contain_text("17 Nov 2026")


def test_one_day_has_a_point_for_each_hour(desk, visit):
    page = visit(**UTC)
    go(page, "/performance?start_date=2026-11-11&end_date=2026-11-11")
    expect(page.locator("#equity .legend dd").first).to_have_text("11 Nov 2026, 15:00 UTC")


def test_without_the_library_the_figures_stand_as_a_table(desk, visit):
    page = visit(**UTC)
    page.route("**/vendor/lightweight-charts.mjs", lambda route: route.abort())
    go(page, "/performance")
    chart = page.locator("#equity")
    expect(chart).to_contain_text("Charts need the library lightweight-charts")
    expect(chart.locator(".sheet tbody tr").first).to_have_text(
        re.compile(r"13 Nov 2026\s*\+\$14\.00\s*\+\$314\.00\s*−\$86\.00")
    )


def test_the_tables_show_what_was_counted_by_hand(desk, visit):
    page = visit(**UTC)
    go(page, "/performance")
    assert column(page, "tickers", "ticker") == ["AAPL", "SAP", "NMFC-ROIC"]
    assert column(page, "tickers", "win") == ["1 of 2, 50 %", "1 of 1, 100 %", "1 of 1, 100 %"]
    assert column(page, "trips", "pnl") == ["", "", "+€100.00", "+$14.00", "−$100.00", "+$400.00"]
    trip = rows(page, "trips")[-1]
    assert (trip["entry"], trip["exit"], trip["held"]) == ("100.00", "104.00", "25 h")
    assert (trip["slip"], trip["commission"], trip["signals"]) == ("+$10.00", "$2.00", "1 2")
    assert rows(page, "trips")[0]["side"] == "Long, incomplete"
    sides = [(row["side"], row["currency"], row["realised"]) for row in rows(page, "sides")]
    assert sides == [("Long", "EUR", "+€100.00"), ("Long", "USD", "+$314.00")]
    kinds = {(row["name"], row["currency"]): row["money"] for row in rows(page, "slip-kinds")}
    assert kinds["Entries", "USD"] == "−$13.00"
    assert kinds["Buys", "USD"] == "−$13.00"
    assert kinds["Exits", "USD"] == "$0.00"
    assert kinds["RELATIVE", "EUR"] == "€0.00"
    assert column(page, "worst", "money") == ["−$25.00"]
    hours = {(row["name"], row["currency"]): row["realised"] for row in rows(page, "hours")}
    assert hours["16:00", "USD"] == "+$400.00"
    assert rows(page, "outcomes") == [{"name": "Filled", "count": "10", "share": "100 %"}]
    expect(page.locator("#latency")).to_contain_text("polls every 10 s")


def test_the_tables_lead_to_pairs_and_signals(desk, visit):
    page = visit(**UTC)
    go(page, "/performance")
    page.locator("#worst").get_by_role("link", name="3", exact=True).click()
    expect(page.locator("#panel")).to_contain_text("row 3")
    page.go_back()
    page.locator("#tickers").get_by_role("link", name="NMFC-ROIC").click()
    expect(page.get_by_role("heading", name="NMFC-ROIC", exact=True)).to_be_visible()


def test_alerts_that_were_not_traded_have_their_reasons(desk_with, visit):
    own = desk_with(HISTORY[:2])
    own.alert(ticker="NOSUCH", order_contracts=5)
    page = visit(at=own)
    go(page, "/performance")
    found = {row["name"]: row["count"] for row in rows(page, "outcomes")}
    assert found["Filled"] == "2"
    assert found["Not traded"] == "1"
    reasons = own.get("/v3/performance")["outcomes"]["reasons"]
    assert [found[reason] for reason in reasons] == ["1"]


def test_the_trips_are_the_newest_fifty_until_all_are_asked_for(desk_with, visit):
    many = [
        (f"2026-11-{day:02} {hour:02}:{minute}:00", "AAPL", action, 10, 10.0, None, 0, before)
        for day in range(1, 13)
        for hour in range(10, 15)
        for minute, action, before in (("00", "buy", 0), ("30", "sell", 10))
    ]
    own = desk_with(many)
    page = visit(at=own, **UTC)
    go(page, "/performance")
    expect(page.locator("#trips tbody tr")).to_have_count(50)
    page.locator("#trips").get_by_role("button", name="Show all").click()
    expect(page.locator("#trips tbody tr")).to_have_count(60)
    expect(page.locator("#trips h2")).to_contain_text("60 trips")
    rowid = own.alert(ticker="AAPL", order_contracts=10, mar_pos="long", mar_pos_size=10)
    own.revise(rowid, order_status="filled", stk_price1=12.0)
    expect(page.locator("#trips tbody tr")).to_have_count(61)


def test_the_accounts_own_figures_stand_beside_those_of_the_fills(desk_with, visit):
    own = desk_with(HISTORY[:6])
    own.hold("AAPL", -20, 120.0, 64)
    own.account(DailyPnL=70.5, RealizedPnL=10.25, UnrealizedPnL=60)
    page = visit(at=own, **UTC)
    go(page, "/performance")
    found = rows(page, "account-sheet")
    assert [(row["fills"], row["account"], row["differ"]) for row in found] == [
        ("$0.00", "+$10.25", "+$10.25"),
        ("+$64.00", "+$60.00", "−$4.00"),
        ("", "+$70.50", ""),
    ]
    choose(page, ticker="AAPL")
    expect(page.locator("#account-sheet")).to_contain_text("clear the ticker to compare")
    expect(page.locator("#account-sheet tbody tr")).to_have_count(0)


# --- files -----------------------------------------------------------------------------------


def test_the_file_of_trips_has_the_filters_of_the_page(desk, visit):
    page = visit(**UTC)
    go(page, "/performance?start_date=2026-11-10&ticker=AAPL")
    found = saved(page, page.locator("#trips").get_by_role("link", name="CSV"))
    assert [(row["ticker"], row["pnl"]) for row in found] == [("AAPL", "0"), ("AAPL", "-100")]


def test_a_file_has_plain_numbers_and_no_cell_that_a_spreadsheet_runs(desk_with, visit):
    hostile = ("=1+1", "<img src=x onerror=window.hacked=1>", 'a "quoted", name')
    trips = [
        (f"2026-11-0{day} {hour}:00:00", name, action, 10, price, None, 0.5, before)
        for day, name in enumerate(hostile, 2)
        for hour, action, price, before in ((14, "buy", 10.0, 0), (15, "sell", 8.0, 10))
    ]
    page = visit(at=desk_with(trips))
    go(page, "/performance")
    found = saved(page, page.locator("#tickers").get_by_role("button", name="CSV"))
    assert sorted(row["Ticker"] for row in found) == sorted(["'=1+1", *hostile[1:]])
    assert {(row["Currency"], row["Realised"], row["Trips"]) for row in found} == {
        ("USD", "-20", "1")
    }
    days = saved(page, page.locator("#equity").get_by_role("button", name="CSV"))
    assert [row["Sum"] for row in days] == ["-20", "-40", "-60"]
    assert page.evaluate("window.hacked") is None


# --- live ------------------------------------------------------------------------------------


def test_a_new_fill_changes_the_figures_and_nothing_jumps(desk_with, visit):
    own = desk_with(HISTORY)
    page = visit(at=own, **UTC)
    go(page, "/performance")
    expect(value(page, "realised")).to_have_text("+$414.00")  # SAP counts in dollars here
    page.locator("#trips tbody tr").last.get_by_role("link").first.focus()
    page.evaluate("window.focused = document.activeElement")
    page.evaluate("document.querySelector('#main').scrollTop = 100")
    top = "document.querySelector('#equity').getBoundingClientRect().top"
    before = page.evaluate(top)
    rowid = own.alert(ticker="AAPL", order_action="buy", order_contracts=20, mar_pos="flat")
    own.revise(rowid, order_status="filled", stk_price1=115.0)
    expect(value(page, "realised")).to_have_text("+$514.00")  # 20 × (120 − 115)
    expect(value(page, "trips")).to_have_text("5")
    assert page.evaluate("document.activeElement === focused && focused.isConnected")
    assert page.evaluate("document.querySelector('#main').scrollTop") == 100
    assert page.evaluate(top) == before


# When the page asked for its figures, in milliseconds of the browser's clock.
ASKED = """performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("/v3/performance")).map(({ startTime }) => startTime)"""


def test_reports_of_positions_are_asked_for_at_most_once_a_second(desk_with, visit):
    own = desk_with(HISTORY)
    page = visit(at=own, **UTC)
    go(page, "/performance")
    until = time.monotonic() + PATIENCE
    reports, asked = 0, []
    while (len(asked) < 3 or reports < 7) and time.monotonic() < until:
        reports += 1
        own.hold("AAPL", -20, 120.0, reports)
        asked = page.evaluate(ASKED)
    assert len(asked) >= 3
    gaps = [late - early for early, late in zip(asked, asked[1:], strict=False)]
    assert min(gaps) > 990, "milliseconds; a timer may end a little early"
    expect(value(page, "unrealised")).to_have_text(f"+${reports}.00")


# --- looks -----------------------------------------------------------------------------------


def test_the_empty_page_teaches(desk_with, visit):
    own = desk_with([])
    page = visit(at=own)
    go(page, "/performance")
    teach = page.locator("#teach")
    expect(teach).to_contain_text("No fill yet")
    hrefs = teach.get_by_role("link").evaluate_all("links => links.map(a => a.hash)")
    assert hrefs == ["#registry", "#bridge", "#template", "#simulator"]
    expect(page.locator("#trips")).to_be_hidden()
    rowid = own.alert(ticker="AAPL", order_contracts=10, mar_pos="long", mar_pos_size=10)
    own.revise(rowid, order_status="filled", stk_price1=12.0)
    expect(teach).to_be_hidden()
    expect(page.locator("#trips tbody tr")).to_have_count(1)


@pytest.mark.parametrize("path", ["/performance", "/performance?start_date=2026-11-11"])
def test_a_phone_scrolls_in_one_direction_only(desk, visit, path):
    page = visit(**PHONE)
    go(page, path)
    expect(page.locator("#equity canvas").first).to_be_visible()
    for part in ("document.documentElement", "document.querySelector('#main')"):
        assert page.evaluate(f"{part}.scrollWidth - {part}.clientWidth") == 0
    assert page.evaluate("document.documentElement.scrollHeight") == 844


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1440, 844, "light"), (390, 844, "dark"), (720, 450, "light")]
)
def test_the_page_has_no_accessibility_fault(desk, visit, width, height, scheme):
    options = {"color_scheme": scheme, "bypass_csp": True, "reduced_motion": "reduce"}
    page = visit(viewport={"width": width, "height": height}, **options)
    go(page, "/performance")
    page.wait_for_load_state("networkidle")
    assert violations_in_both_schemes(page) == []
    page.locator("#equity").get_by_role("button", name="Table").click()
    tile(page, "slip").get_by_role("button").click()
    assert violations_in_both_schemes(page) == []


def test_the_empty_page_has_no_accessibility_fault(desk_with, visit):
    page = visit(at=desk_with([]), bypass_csp=True, reduced_motion="reduce")
    go(page, "/performance")
    assert violations_in_both_schemes(page) == []
