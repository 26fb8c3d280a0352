"""The page of a pair or single: what is held, its chart, trips, signals, registry and alert."""

import json
import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.histories import HISTORY, with_history
from tests.browser.reading import go, row, violations_in_both_schemes
from tests.browser.test_performance import UTC, rows, saved

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OPENED = "2026-11-26 15:00:00"
ENTRY = (OPENED, "NMFC-ROIC", "sell", 2000, 12.5, 14.0, -0.01, 0)  # at a spread of 2.42


def reports(count, last=12.4):
    """Reports of both legs, one a minute; NMFC stands at 12.4 and 12.6 by turns, then at `last`."""
    found = []
    for n in range(count):
        time = datetime.fromisoformat(OPENED) + timedelta(minutes=n + 1)
        price = (12.6, 12.4)[n % 2] if n < count - 1 else last
        found += [
            (f"{time}", "NMFC", -2000, 12.5, price),
            (f"{time}", "ROIC", 1440, 14.0, 14.0),
        ]
    return found


@pytest.fixture
def desk_of(tmp_path):
    """Starts a server of the test with the open trip and this many reports of it."""
    desks = []

    def start(count, history=(*HISTORY, ENTRY)):
        database = tmp_path / f"{len(desks)}.db"
        with_history(database, history, reports(count))
        desks.append(Desk(database).start())
        return desks[-1]

    yield start
    for desk in desks:
        desk.stop()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The module's server: a pair that is held, with 30 reports, and a trip that ended."""
    file = tmp_path_factory.mktemp("desk") / "desk.db"
    desk = Desk(with_history(file, [*HISTORY, ENTRY], reports(30))).start()
    yield desk
    desk.stop()


def tile(page, key):
    """What a figure says, and the line below it."""
    return page.locator(f'.tiles [data-figure="{key}"] dd')


def legend(page, key):
    return page.locator(f'#spread .legend [data-key="{key}"] dd')


# --- what is held ----------------------------------------------------------------------------


def test_one_sentence_says_what_is_held(desk, visit):
    page = visit(**UTC)
    go(page, "/pair/NMFC-ROIC")
    expect(page.locator("#sentence")).to_have_text(
        re.compile(r"^Short 2,000 NMFC, long 1,440 ROIC since 26 Nov \(\d+ (h|d)\), hedged\.$")
    )
    expect(page.locator("#registered")).to_have_text(
        "Registered as NMFC-0.72*ROIC: 0.72 ROIC for each NMFC, active."
    )
    assert [(leg["symbol"], leg["position"]) for leg in rows(page, "legs")] == [
        ("NMFC", "−2,000"),
        ("ROIC", "1,440"),
    ]


def test_the_figures_are_those_counted_by_hand(desk, visit):
    page = visit(**UTC)
    go(page, "/pair/NMFC-ROIC")
    expect(tile(page, "now")).to_have_text(["+$200.00", "unrealised"])  # 2,000 × (12.5 − 12.4)
    expect(tile(page, "all")).to_have_text(["+$14.00", "1 trip"])
    expect(tile(page, "today").last).to_have_text("0 trips")
    expect(tile(page, "trips")).to_have_text(["1 of 1", "100 % of 1 trip"])
    expect(tile(page, "held").last).to_have_text("median 24 h of 1 trip")
    expect(tile(page, "moves")).to_have_text(["+0.1000", "best +0.1000, worst −0.1000, entry 2.42"])


@pytest.mark.parametrize(("count", "mean", "range_"), [(29, "–", "–"), (30, "2.42", "0.2034")])
def test_mean_and_range_are_told_from_thirty_reports_on(desk_of, visit, count, mean, range_):
    page = visit(at=desk_of(count), **UTC)
    go(page, "/pair/NMFC-ROIC")
    expect(page.locator("#spread canvas").first).to_be_visible()
    expect(legend(page, "entry")).to_have_text("2.42")
    found = [legend(page, key).inner_text() or "–" for key in ("mean", "range")]
    assert found == [mean, range_]


def test_the_chart_has_each_report_and_each_fill_as_a_table_too(desk, visit):
    page = visit(**UTC)
    go(page, "/pair/NMFC-ROIC")
    label = page.locator("#spread .canvas").get_attribute("aria-label")
    assert label == ("NMFC-ROIC: 3 fills, 30 reports of the open position; the spread is 2.32")
    page.locator("#spread").get_by_role("button", name="Table").click()
    lines = page.locator("#spread .sheet tbody tr")
    expect(lines).to_have_count(33)
    expect(lines.nth(30)).to_contain_text("Sell 2,000, signal 11")
    expect(lines.last).to_contain_text("Buy 100, signal 5")
    found = saved(page, page.locator("#spread").get_by_role("button", name="CSV"))
    assert (found[0]["Time"], found[0]["Fill"]) == ("2026-11-12T15:00:00Z", "2.42")
    assert {each["Spread"] for each in found} == {"", "2.52", "2.32"}


def test_trips_and_signals_lead_to_the_panel(desk, visit):
    page = visit(**UTC)
    go(page, "/pair/NMFC-ROIC")
    assert [(trip["side"], trip["pnl"]) for trip in rows(page, "trips")] == [
        ("Short", ""),
        ("Long", "+$14.00"),
    ]
    assert [signal["row"] for signal in rows(page, "signals-of")] == ["11", "6", "5"]
    page.locator("#signals-of").get_by_role("link", name="6", exact=True).click()
    expect(page.locator("#panel")).to_contain_text("row 6")
    page.locator("#panel").get_by_role("link", name="Chart, trips and figures of").click()
    expect(page.locator("#sentence")).to_be_visible()
    assert page.url == f"{desk.url}/pair/NMFC-ROIC"


def test_a_single_has_its_page_too(desk, visit):
    page = visit(**UTC)
    go(page, "/pair/AAPL")
    expect(page.locator("#sentence")).to_have_text(
        re.compile(r"^The fills say short 20 since 18 Nov \(\d+ d\); the bridge has not reported")
    )
    expect(page.locator("#registered")).to_have_text(
        "Registered as Stock, USD, SMART/ISLAND, RELATIVE, active."
    )
    expect(tile(page, "all").first).to_have_text("+$300.00")
    expect(page.locator("#spread-title bdi")).to_have_text("Price")
    expect(page.locator("#equation")).to_have_text("AAPL")


def test_a_name_that_nobody_registered_is_not_found(desk, visit):
    page = visit()
    answer = page.goto("/pair/NO-SUCH")
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_visitors_are_led_to_the_login(desk, visit):
    page = visit(None)
    page.goto("/pair/NMFC-ROIC")
    assert page.url == f"{desk.url}/login?next=%2Fpair%2FNMFC-ROIC"


def test_names_on_the_positions_lead_here_and_rows_show_their_chart(desk, visit):
    page = visit(**UTC)
    go(page, "/positions?pair=AAPL")
    line = page.locator('.held tr[data-name="NMFC-ROIC"]')
    line.locator('[data-field="since"]').click()
    expect(page.locator("#pair-chart-title")).to_contain_text("NMFC-ROIC")
    line.get_by_role("link").click()
    expect(page.locator("#sentence")).to_be_visible()


# --- live ------------------------------------------------------------------------------------


def test_a_fill_and_a_report_change_the_page_without_a_reload(desk_of, visit):
    own = desk_of(30)
    page = visit(at=own, **UTC)
    go(page, "/pair/NMFC-ROIC")
    page.evaluate("window.kept = document.querySelector('#trips tbody tr:last-child')")
    alert = {"ticker": "NMFC-0.72*ROIC", "order_action": "buy", "order_contracts": 2000}
    rowid = own.alert(**alert, order_price=2.4, mar_pos="flat", mar_pos_size=0)
    expect(page.locator("#signals-of tbody tr").first).to_contain_text("waiting")
    own.revise(rowid, order_status="filled", stk_price1=12.4, stk_price2=14.0)
    own.hold("NMFC", 0, 0)
    own.hold("ROIC", 0, 0)
    expect(page.locator("#sentence")).to_have_text(
        re.compile(r"^Flat since \d\d:\d\d \(now\)\. The last trip brought \+\$200\.00\.$")
    )
    expect(tile(page, "all").first).to_have_text("+$214.00")
    expect(tile(page, "today").first).to_have_text("+$200.00")
    expect(page.locator("#signals-of tbody tr").first).to_contain_text("filled")
    expect(page.locator("#trips tbody tr").first).to_contain_text("+$200.00")
    assert page.evaluate("kept === document.querySelector('#trips tbody tr:last-child')")


def test_a_change_in_the_registry_is_shown_at_once(desk_of, visit):
    own = desk_of(1)
    page = visit(at=own, **UTC)
    go(page, "/pair/NMFC-ROIC")
    hostile = "<img src=x onerror=window.hacked=1>"
    own.ask("PUT", "/v3/regpair", {"name": "NMFC-ROIC", "status": 0, "notes": hostile})
    expect(page.locator("#registered")).to_contain_text("paused")
    expect(page.locator("#notes")).to_have_text(hostile)
    assert page.evaluate("window.hacked") is None
    go(page, "/pair/AAPL")
    own.ask("PUT", "/v3/regticker", {"symbol": "AAPL", "order_type": "MARKET", "active": 0})
    expect(page.locator("#registered")).to_contain_text("MARKET, paused")


# --- the alert -------------------------------------------------------------------------------


def test_the_alerts_text_is_shown_with_its_passphrase_masked(desk, visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    go(page, "/pair/NMFC-ROIC")
    expect(page.locator("#equation")).to_have_text("NMFC-0.72*ROIC")
    page.get_by_text("The alert's message", exact=True).click()
    expect(page.locator("#template-text")).to_contain_text('"***"')
    page.get_by_role("button", name="Copy message").click()
    expect(page.locator("#toasts")).to_contain_text("copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(re.sub(r"(?<!\")\{\{.*?\}\}(?!\")", "0", copied))["passphrase"] == "webhook"


# --- looks -----------------------------------------------------------------------------------


def test_a_phone_scrolls_in_one_direction_only(desk, visit):
    page = visit(viewport={"width": 390, "height": 844})
    go(page, "/pair/NMFC-ROIC")
    expect(page.locator("#spread canvas").first).to_be_visible()
    for part in ("document.documentElement", "document.querySelector('#main')"):
        assert page.evaluate(f"{part}.scrollWidth - {part}.clientWidth") == 0
    assert page.evaluate("document.documentElement.scrollHeight") == 844


def test_a_pair_without_a_fill_says_so(desk, visit):
    page = visit()
    go(page, "/pair/MA-V")
    expect(page.locator("#sentence")).to_have_text("Flat; nothing was traded yet.")
    expect(page.locator("#spread")).to_contain_text("No fill yet.")
    expect(page.locator("#trips")).to_contain_text("No trip yet")


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1440, 844, "light"), (390, 844, "dark"), (720, 450, "light")]
)
def test_the_page_has_no_accessibility_fault(desk, visit, width, height, scheme):
    options = {"color_scheme": scheme, "bypass_csp": True, "reduced_motion": "reduce"}
    page = visit(viewport={"width": width, "height": height}, **options)
    for path in ("/pair/NMFC-ROIC", "/pair/MA-V", "/pair/AAPL"):
        go(page, path)
        page.wait_for_load_state("networkidle")
        assert violations_in_both_schemes(page) == [], path
    go(page, "/dashboard")
    row(page, 6).click()
    expect(page.locator("#panel-pair")).to_be_visible()
