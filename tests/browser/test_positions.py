"""The positions page: the account's tiles, the pairs with their hedges, and the charts."""

import csv
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.reading import go, is_live, toast, violations_in_both_schemes
from tests.deploy.places import copy_project
from trading import instants

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NEW_YORK = {"timezone_id": "America/New_York"}
UNKNOWN = 1.7976931348623157e308
# legs, hedge, positions, side, what the mark says, the ratio, what is unhedged
PAIRS = [
    (("NMFC", "ROIC"), 0.72, (100, -72), "Long", "Hedged", "0.72", ""),
    (("MA", "V"), 3, (100, -310), "Long", "Off by 3.3 %", "3.1 for 3", ""),
    (
        *(("KO", "PEP"), 0.5, (-40, 36)),
        *("Short", "Wrong", "0.9 for 0.5", "16 PEP long unhedged, $200"),
    ),
    (
        *(("GDX", "GLD"), 0.25, (-20, 0)),
        *("Short", "GLD missing", "0.25", "20 GDX short unhedged, $250"),
    ),
    (
        *(("XOM", "CVX"), 1.5, (0, 30)),
        *("", "XOM missing", "1.5", "30 CVX long unhedged, $375"),
    ),
]
FLAT = ("EWA", "EWC", 0.8)


@pytest.fixture(scope="module", autouse=True)
def held(desk):
    """Each mark once, two single positions in two currencies, three account records."""
    desk.pair(*FLAT)
    for (leg1, leg2), hedge, positions, *_ in PAIRS:
        if leg1 not in ("NMFC", "MA", "KO"):
            desk.pair(leg1, leg2, hedge)
        for leg, position, pnl in zip((leg1, leg2), positions, (120, -1345), strict=True):
            desk.hold(leg, position, 12.5, pnl if position else 0)
    fields = {"symbol": "SAP", "currency": "EUR", "active": 1}
    desk.ask("PUT", "/v3/regticker", fields)
    desk.hold("SAP", -40, 178.22, 64)
    desk.hold("AAPL", 1500, 187.345, 0)
    for net in (98_000.0, 101_000.0, 100_000.0):
        desk.account(NetLiquidation=net)


def tile(page, key):
    """The value of one of the account's tiles."""
    return page.locator(f'#account [data-tile="{key}"] .value')


def line(page, name):
    """The row of a pair, a single position or a currency."""
    return page.locator(f'.held tr[data-name="{name}"]')


def cell(page, name, field):
    return line(page, name).locator(f'[data-field="{field}"]')


def charted(page, chart="account-chart"):
    """Waits until a chart has its records and stands there."""
    expect(page.locator(f"#{chart}")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator(f"#{chart} canvas").first).to_be_visible()


FRAMES = "() => new Promise(tell => requestAnimationFrame(() => requestAnimationFrame(tell)))"


# --- tiles and rows --------------------------------------------------------------------------


def test_the_marks_and_figures_of_each_pair_are_told_in_words(desk, visit):
    page = visit()
    go(page, "/positions")
    for (leg1, leg2), _, positions, side, words, ratio, unhedged in PAIRS:
        name = f"{leg1}-{leg2}"
        expect(line(page, name).locator(".pill")).to_have_text(words)
        expect(line(page, name).locator(".ratio")).to_have_text(ratio)
        expect(line(page, name).locator(".message")).to_have_text(unhedged)
        since = re.compile(rf"^{side} since \d\d:\d\d, " if side else "^$")
        expect(cell(page, name, "since")).to_have_text(since)
        for n, position in enumerate(positions, 1):
            expect(cell(page, name, f"position{n}")).to_have_text(str(position).replace("-", "−"))
            expect(cell(page, name, f"cost{n}")).to_have_text("12.50" if position else "")
    expect(cell(page, "NMFC-ROIC", "pnl")).to_have_text("−$1,225")
    expect(cell(page, "NMFC-ROIC", "pnl")).to_have_attribute("data-favour", "against")
    expect(cell(page, "NMFC-ROIC", "pnl1")).to_have_text("+$120")
    expect(cell(page, "NMFC-ROIC", "now1")).to_have_text("13.70")
    expect(cell(page, "NMFC-ROIC", "now2")).to_have_text("31.18")
    expect(cell(page, "NMFC-ROIC", "spread")).to_have_text("−8.75")
    expect(cell(page, "NMFC-ROIC", "entry")).to_have_text("from 3.50")
    expect(page.locator("#pairs-title")).to_have_text(
        re.compile(r"Pairs\s+5 held\s+3 unhedged\s+1 off\s*$")
    )


def test_flat_pairs_are_folded_to_one_line_each(desk, visit):
    page = visit()
    go(page, "/positions")
    row = page.locator('#flat tr[data-name="EWA-EWC"]')
    expect(row).to_be_hidden()
    page.get_by_text("1 flat pair", exact=True).click()
    expect(row).to_be_visible()
    expect(row.locator('[data-field="ratio"]')).to_have_text("0.8")
    expect(page.locator("#pairs tbody tr")).to_have_count(len(PAIRS))


def test_single_positions_and_totals_come_in_their_own_currency(desk, visit):
    page = visit()
    go(page, "/positions")
    singles = page.locator("#singles tbody tr").all_inner_texts()
    assert [each.partition("\t\n")[0] for each in singles] == [  # without its acts
        "AAPL\t1,500\t187.35\t187.35\t$0",
        "SAP\t−40\t178.22\t176.62\t+€64",
    ]
    totals = {each["currency"]: each for each in desk.get("/v3/positions")["totals"]}
    expect(cell(page, "EUR", "short")).to_have_text("−€7,128.80")
    expect(cell(page, "EUR", "long")).to_have_text("€0")
    assert totals["USD"]["active_pnl"] == 3 * (120 - 1345) + 120 - 1345
    expect(cell(page, "USD", "pnl")).to_have_text("−$4,900")
    expect(cell(page, "USD", "long")).to_have_text(
        f"${totals['USD']['long']:,.2f}".removesuffix(".00")
    )


def test_the_page_paints_from_the_records_that_it_carries(desk, visit):
    page = visit()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, "/positions?pair=MA-V")
    expect(page.locator("#pairs tbody tr")).to_have_count(len(PAIRS))
    expect(line(page, "MA-V")).to_have_attribute("aria-current", "true")
    expect(tile(page, "NetLiquidation")).to_have_text("100,000")
    assert not [url for url in asked if url.endswith(("/v3/positions", "/v3/pnl/1"))]


def test_tiles_follow_the_bridges_reports(open_desk, visit):
    own = open_desk()
    page = visit(at=own)
    go(page, "/positions")
    expect(tile(page, "age")).to_have_text("never")
    expect(page.get_by_role("heading", name="Nothing reported yet")).to_be_visible()
    page.evaluate("window.untouched = true")
    own.account()
    expect(tile(page, "NetLiquidation")).to_have_text("100,000")
    expect(tile(page, "DailyPnL")).to_have_text("+12.30")
    expect(page.locator('[data-tile="DailyPnL"] .more')).to_have_text("+0.01 %")
    expect(page.locator('[data-tile="MaintMarginReq"] .more')).to_have_text("5 % of net")
    expect(tile(page, "UnrealizedPnL")).to_have_text("−56.80")
    expect(page.locator('[data-tile="UnrealizedPnL"]')).to_have_attribute("data-favour", "against")
    expect(tile(page, "BuyingPower")).to_have_text("320,001")
    expect(tile(page, "age")).to_have_text("now")
    expect(page.get_by_role("heading", name="Nothing reported yet")).to_be_hidden()
    unknown = dict.fromkeys(("DailyPnL", "RealizedPnL", "UnrealizedPnL"), -1.0)
    own.account(1, NetLiquidation=123_456.0, MaintMarginReq=UNKNOWN, **unknown)
    expect(tile(page, "NetLiquidation")).to_have_text("123,456")
    for key in (*unknown, "MaintMarginReq"):
        expect(tile(page, key)).to_be_empty()
    own.account(1, **unknown | {"DailyPnL": -1.0, "RealizedPnL": 5.0})
    expect(tile(page, "DailyPnL")).to_have_text("−1.00")
    old = instants.ago(20 * 60)
    own.account(1, timestamp=old)
    expect(tile(page, "age")).to_have_text("20 min")
    expect(page.locator('[data-tile="age"]')).to_have_attribute("data-late", "amber")
    expect(page.locator('[data-tile="age"] dt')).to_have_text("Old report")
    assert page.evaluate("untouched")
    page.reload()
    expect(tile(page, "age")).to_have_text("20 min")
    expect(page.locator('[data-tile="age"]')).to_have_attribute("data-late", "amber")


def test_rows_and_marks_follow_positions_and_the_registry(open_desk, visit):
    own = open_desk()
    page = visit(at=own)
    go(page, "/positions")
    pill = line(page, "NMFC-ROIC").locator(".pill")
    expect(page.locator("#flat summary")).to_have_text("3 flat pairs")
    page.evaluate("window.untouched = true")
    own.hold("NMFC", 100, 12.5, 10)
    expect(pill).to_have_text("ROIC missing")
    expect(line(page, "NMFC-ROIC").locator(".message")).to_have_text(
        "100 NMFC long unhedged, $1,250"
    )
    own.hold("ROIC", -72, 14.2, -3)
    expect(pill).to_have_text("Hedged")
    expect(cell(page, "NMFC-ROIC", "pnl")).to_have_text("+$7")
    own.ask("PUT", "/v3/regpair", {"name": "NMFC-ROIC", "hedge": 0.75})
    expect(pill).to_have_text("Off by 4 %")
    own.ask("PUT", "/v3/regpair", {"name": "MA-V", "status": 0})
    expect(page.locator("#flat summary")).to_have_text("2 flat pairs, 1 paused")
    own.hold("AAPL", 5, 100)
    expect(cell(page, "AAPL", "position1")).to_have_text("5")
    own.hold("AAPL", 0, 0)
    expect(line(page, "AAPL")).to_have_count(0)
    expect(page.locator("#others")).to_be_hidden()
    assert page.evaluate("untouched")


def test_an_order_at_work_and_what_alerts_expect_are_told(open_desk, visit):
    own = open_desk()
    for leg in ("NMFC", "ROIC"):
        own.hold(leg, 0)
    page = visit(at=own)
    go(page, "/positions")
    row = line(page, "NMFC-ROIC")
    rowid = own.alert(order_contracts=90, mar_pos_size=90)
    expect(row.locator(".pill")).to_have_text("Flat")
    expect(row.locator(".differs")).to_have_text("The alerts say 90 NMFC and −64 ROIC")
    own.revise(rowid, order_status="created", order_id1=7, order_id2=8)
    own.report(order_id=7, symbol="NMFC", price=12.5, filled_qty=54)
    own.hold("NMFC", 54, 12.5)
    expect(row.locator(".pill")).to_have_text("Filling 54 of 90")
    expect(row.locator(".message")).to_be_empty()
    expect(row.locator(".differs")).to_be_empty()
    expect(page.locator('[data-count="filling"]')).to_have_text("1 filling")
    row.locator(".order").click()
    page.wait_for_url(re.compile(rf"/dashboard\?signal={rowid}$"))
    page.go_back()
    own.report(order_id=7, symbol="NMFC", price=12.5, filled_qty=90)
    expect(row.locator(".pill")).to_have_text("Filling 0 of 64")
    expect(row.locator(".order")).to_contain_text("ROIC order")
    own.report(order_id=8, symbol="ROIC", price=14.5, filled_qty=64)
    own.hold("NMFC", 90, 12.5)
    own.hold("ROIC", -64, 14.5)
    expect(row.locator(".pill")).to_have_text("Hedged")
    expect(cell(page, "NMFC-ROIC", "since")).to_contain_text("Long since")


def test_a_leg_that_the_alerts_want_flat_is_left_over(open_desk, visit):
    own = open_desk()
    flat = {"mar_pos": "flat", "mar_pos_size": 0, "pre_mar_pos": "long", "pre_mar_pos_size": 100}
    own.alert(order_action="sell", order_contracts=100, **flat)
    own.hold("ROIC", -72)
    page = visit(at=own)
    go(page, "/positions")
    row = page.locator('#pairs tr[data-name="NMFC-ROIC"]')
    expect(row.locator(".pill")).to_have_text("ROIC left over")


def test_an_order_that_hangs_hides_no_missing_leg(open_desk, visit):
    own = open_desk(alarm_minutes=0.0001)  # every order hangs
    rowid = own.alert(order_contracts=90, mar_pos_size=90)
    own.revise(rowid, order_status="created", order_id1=7, order_id2=8)
    own.hold("NMFC", 54, 12.5)
    own.hold("ROIC", 0)
    page = visit(at=own)
    go(page, "/positions")
    row = line(page, "NMFC-ROIC")
    expect(row.locator(".pill")).to_have_text("ROIC missing")
    expect(row.locator(".message")).to_have_text("54 NMFC long unhedged, $675")
    expect(row.locator(".order")).to_contain_text("NMFC order")
    expect(page.locator('[data-count="bad"]')).to_have_text("1 unhedged")
    expect(page.locator('[data-count="filling"]')).to_be_empty()


def test_a_pair_is_paused_where_its_row_is_with_an_undo(open_desk, visit):
    own = open_desk()
    own.hold("NMFC", 100)
    own.hold("ROIC", -72)
    page = visit(at=own)
    go(page, "/positions")
    row = line(page, "NMFC-ROIC")
    row.get_by_role("button", name="Pause pair NMFC-ROIC").click()
    expect(toast(page)).to_have_text("Pair NMFC-ROIC is paused.")
    expect(row.locator(".paused")).to_be_visible()
    assert own.get("/v3/pair/NMFC-ROIC")["status"] == 0
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(toast(page)).to_have_text("Pair NMFC-ROIC is active.")
    expect(row.get_by_role("button", name="Pause pair NMFC-ROIC")).to_be_visible()
    own.stock("MA", active=0)
    own.ask("PUT", "/v3/regpair", {"name": "MA-V", "status": 0})
    own.stock("MA", active=1)  # traded alone, so the pair cannot be activated
    page.locator("#flat summary").click()
    page.get_by_role("button", name="Activate pair MA-V").click()
    expect(toast(page)).to_have_text(re.compile("MA-V was not activated. .*already active"))
    stranger = visit(None, at=own)
    go(stranger, "/positions")
    expect(line(stranger, "NMFC-ROIC")).to_be_visible()
    expect(stranger.locator('[data-act="turn"]:visible')).to_have_count(0)


def test_a_page_that_fell_too_far_behind_asks_for_everything_again(open_desk, visit, wire_to):
    own = open_desk(replay_limit=2)
    wire = wire_to(own)
    page = visit(at=wire)
    go(page, "/positions")
    wire.cut()
    expect(page.locator("#light")).to_have_attribute("data-state", "reconnecting")
    expect(page.locator("#stale")).to_contain_text("Not live")
    own.hold("MA", 10, 300, 77)
    for net in (1.0, 2.0, 3.0, 4.0):
        own.account(NetLiquidation=net)
    wire.mend()
    is_live(page)
    expect(tile(page, "NetLiquidation")).to_have_text("4")
    expect(cell(page, "MA-V", "pnl")).to_have_text("+$77")
    expect(page.locator('#account-chart .legend [data-key="net"] dd')).to_have_text("4")


def test_an_error_is_said_and_leaves_with_the_next_answer(open_desk, visit):
    own = open_desk()
    page = visit(at=own)
    go(page, "/positions")
    page.route("**/v3/positions", lambda route: route.abort())
    own.hold("MA", 10)
    expect(page.locator("#held-problem")).to_contain_text("The server did not answer")
    page.unroute_all()
    own.hold("MA", 11)
    expect(page.locator("#held-problem")).to_be_hidden()
    expect(cell(page, "MA-V", "position1")).to_have_text("11")


def test_without_a_pair_the_page_teaches(open_desk, visit):
    own = open_desk()
    for name in ("NMFC-ROIC", "MA-V", "KO-PEP"):
        own.ask("DELETE", f"/v3/pair/{name}")
    page = visit(at=own)
    go(page, "/positions")
    link = page.locator("#teach").get_by_role("link", name="Setup has its file ready to copy")
    expect(link).to_have_attribute("href", "/setup#bridge")
    expect(page.locator("#no-pairs")).to_be_visible()
    expect(page.locator("#account-chart")).to_contain_text("No account record yet")
    expect(page.locator("#pair-chart")).to_contain_text("No pair and no position to show")
    expect(page.locator("#pair-chart").get_by_role("link", name="CSV")).to_be_hidden()
    own.pair("GOOG", "GOOGL", 1.05)
    expect(page.locator("#flat summary")).to_have_text("1 flat pair")
    expect(page.locator("#no-pairs")).to_be_hidden()


# --- charts ----------------------------------------------------------------------------------

# [x, how many pixels] of each column of a chart that has the colour of a token, as the browser
# itself mixes it; from the left.
COLOURED = """([chart, token]) => {
  const probe = document.body.appendChild(document.createElement("i"))
  probe.style.color = `var(--${token})`
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
  const one = pixel.getContext("2d")
  one.fillStyle = getComputedStyle(probe).color
  one.fillRect(0, 0, 1, 1)
  const wanted = one.getImageData(0, 0, 1, 1).data
  probe.remove()
  const columns = new Map()
  for (const canvas of document.querySelectorAll(`#${chart} canvas`)) {
    if (!canvas.width || !canvas.height) continue
    const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    for (let i = 0; i < data.length; i += 4) {
      const same = data[i + 3] > 250 && [0, 1, 2].every(k => Math.abs(data[i + k] - wanted[k]) < 3)
      if (same) columns.set(i / 4 % width, (columns.get(i / 4 % width) ?? 0) + 1)
    }
  }
  return [...columns].sort(([a], [b]) => a - b) }"""
INK = f"given => ({COLOURED})(given).reduce((sum, [, pixels]) => sum + pixels, 0)"
PICTURE = """chart => [...document.querySelectorAll(`#${chart} canvas`)]
  .map(canvas => canvas.width && canvas.height ? canvas.toDataURL() : "").join()"""


def ink(page, token, chart="account-chart"):
    return page.evaluate(INK, [chart, token])


def has_ink(page, token, chart="account-chart"):
    """Waits until the chart shows a token's colour."""
    page.wait_for_function(f"given => ({INK})(given) > 20", arg=[chart, token])


def changes(page, before, chart="account-chart"):
    """Waits until the chart looks otherwise."""
    page.wait_for_function(
        f"([chart, before]) => ({PICTURE})(chart) !== before", arg=[chart, before]
    )


def key(page, name, chart="account-chart"):
    """What the legend says under a key."""
    return page.locator(f'#{chart} .legend [data-key="{name}"] dd')


def point(page, chart, share):
    """Moves the mouse over a chart, at this share of its width."""
    page.locator(f"#{chart} .canvas").scroll_into_view_if_needed()
    box = page.locator(f"#{chart} .canvas").bounding_box()
    page.mouse.move(box["x"] + share * box["width"], box["y"] + 80, steps=4)


@pytest.fixture(scope="module")
def signals(desk):
    """Signals of NMFC-ROIC, three of them in one second; two are filled. Newest first."""
    sent = [
        ("buy", 2.0, (14.4, 17.25), "2026-03-02 14:00:00"),  # fill 1.98, slippage +0.02
        ("sell", 2.1, (14.4, 17.25), "2026-03-02 15:00:00"),  # fill 1.98, slippage -0.12
        ("buy", 2.2, None, "2026-03-02 15:00:00"),
        ("sell", None, None, "2026-03-02 15:00:00"),
    ]
    for number, (action, price, fills, time) in enumerate(sent):
        rowid = desk.alert(order_action=action, order_price=price, timestamp=time)
        if fills:
            orders = (800 + 2 * number, 801 + 2 * number)
            desk.revise(rowid, order_status="created", order_id1=orders[0], order_id2=orders[1])
            for order, leg, fill, size in zip(
                orders, ("NMFC", "ROIC"), fills, (100, 72), strict=True
            ):
                desk.report(order_id=order, symbol=leg, price=fill, filled_qty=size)
    return desk.get("/v3/signals/ticker/NMFC-ROIC/0")["signals"]


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_charts_are_drawn_in_the_themes_colours_and_follow_a_switch(
    desk, visit, signals, scheme, other
):
    page = visit(color_scheme=scheme)
    go(page, "/positions?pair=NMFC-ROIC")
    wanted = [
        *(("account-chart", "accent"), ("account-chart", "favour"), ("account-chart", "page")),
        *(("pair-chart", "accent"), ("pair-chart", "violet-ink"), ("pair-chart", "page")),
    ]
    for chart, token in wanted:
        has_ink(page, token, chart)
    before = page.evaluate(PICTURE, "pair-chart")
    page.get_by_label("Theme").select_option(other)
    changes(page, before, "pair-chart")
    for chart, token in wanted:
        has_ink(page, token, chart)
    page.get_by_label("Theme").select_option("")
    page.emulate_media(color_scheme=other)
    page.evaluate(FRAMES)
    before = page.evaluate(PICTURE, "account-chart")
    page.emulate_media(color_scheme=scheme)
    changes(page, before)
    has_ink(page, "accent")


def test_the_account_chart_follows_new_and_changed_records(open_desk, visit):
    own = open_desk()
    for net in (100.0, 140.0):
        own.account(NetLiquidation=net, DailyPnL=5.0)
    page = visit(at=own)
    go(page, "/positions")
    has_ink(page, "accent")
    assert ink(page, "against") == 0
    before = page.evaluate(PICTURE, "account-chart")
    own.account(NetLiquidation=90.0, DailyPnL=-40.0)
    changes(page, before)
    has_ink(page, "against")
    expect(key(page, "net")).to_have_text("90")
    expect(key(page, "daily")).to_have_text("−40.00")
    before = page.evaluate(PICTURE, "account-chart")
    own.account(3, NetLiquidation=120.0, DailyPnL=20.0, timestamp=instants.now())
    changes(page, before)
    expect(key(page, "net")).to_have_text("120")
    own.account(3, NetLiquidation=UNKNOWN, DailyPnL=-1.0, RealizedPnL=-1.0, UnrealizedPnL=-1.0)
    expect(key(page, "net")).to_be_empty()
    own.ask("DELETE", "/v3/pnl/3")
    expect(key(page, "net")).to_have_text("140")
    expect(tile(page, "NetLiquidation")).to_have_text("140")


def test_the_crosshair_tells_the_record_it_is_at(desk, visit, signals):
    page = visit(**NEW_YORK)
    go(page, "/positions?pair=NMFC-ROIC")
    charted(page, "pair-chart")
    newest = signals[0]
    expect(key(page, "what", "pair-chart")).to_have_text(f"Sell 100, {newest['order_status']}")
    expect(key(page, "order", "pair-chart")).to_be_empty()
    expect(key(page, "average", "pair-chart")).to_have_text("−0.0500")
    point(page, "pair-chart", 0.08)
    expect(key(page, "what", "pair-chart")).to_have_text("Buy 100, filled")
    here = datetime.fromisoformat("2026-03-02 14:00:00+00:00").astimezone(
        ZoneInfo("America/New_York")
    )
    expect(key(page, "time", "pair-chart")).to_have_text(f"{here:%Y-%m-%d %H:%M:%S}")
    expect(key(page, "order", "pair-chart")).to_have_text("2.00")
    expect(key(page, "fill", "pair-chart")).to_have_text("1.98")
    expect(key(page, "slip", "pair-chart")).to_have_text("+0.0200")
    expect(key(page, "slip", "pair-chart")).to_have_attribute("data-favour", "for")
    point(page, "account-chart", 0.08)
    expect(key(page, "net")).to_have_text("98,000")
    expect(key(page, "what", "pair-chart")).to_have_text(f"Sell 100, {newest['order_status']}")


def test_signals_of_one_second_stand_side_by_side(desk, visit, signals):
    page = visit(timezone_id="UTC")
    go(page, "/positions?pair=NMFC-ROIC")
    charted(page, "pair-chart")
    times, told = set(), set()
    for step in range(60):
        point(page, "pair-chart", 0.06 + step / 80)
        page.evaluate(FRAMES)
        told.add(
            key(page, "what", "pair-chart").inner_text()
            + key(page, "order", "pair-chart").inner_text()
        )
        times.add(key(page, "time", "pair-chart").inner_text())
    assert times == {"2026-03-02 14:00:00", "2026-03-02 15:00:00"}
    assert len(told) == 4


def test_wheel_and_drag_zoom_and_move_and_a_range_comes_back(desk, visit, signals):
    page = visit(viewport={"width": 1440, "height": 900})
    go(page, "/positions?pair=NMFC-ROIC")
    has_ink(page, "accent")
    point(page, "account-chart", 0.3)
    page.mouse.move(5, 5)
    page.evaluate(FRAMES)
    whole = page.evaluate(PICTURE, "account-chart")
    point(page, "account-chart", 0.3)
    page.mouse.wheel(0, -400)
    page.mouse.move(5, 5)
    changes(page, whole)
    page.evaluate(FRAMES)
    zoomed = page.evaluate(PICTURE, "account-chart")
    point(page, "account-chart", 0.3)
    page.mouse.down()
    point(page, "account-chart", 0.1)
    page.mouse.up()
    page.mouse.move(5, 5)
    changes(page, zoomed)
    expect(range_of(page, "account-chart")).to_have_count(0)
    page.locator("#account-chart").get_by_role("button", name="All").click()
    expect(range_of(page, "account-chart")).to_have_text("All")
    page.mouse.move(5, 5)
    page.wait_for_function(
        f"([chart, whole]) => ({PICTURE})(chart) === whole", arg=["account-chart", whole]
    )


def range_of(page, chart):
    """The button of the range that a chart shows."""
    return page.locator(f'#{chart} .ranges [aria-pressed="true"]')


def bars(page, chart="account-chart"):
    """[left edge, width] of each green bar, from the left."""
    found = []
    for x, _ in page.evaluate(COLOURED, [chart, "favour"]):
        if found and x == sum(found[-1]):
            found[-1][1] += 1
        else:
            found.append([x, 1])
    return found


def test_the_pnl_of_a_day_is_one_bar_as_wide_as_its_records(open_desk, visit):
    own = open_desk()
    days = ("2026-11-23", "2026-11-24", "2026-11-25")
    for day in days:
        for hour in range(14, 20):
            own.account()
            rowid = own.get("/v3/pnl/1")["signals"][0]["rowid"]
            own.account(rowid, DailyPnL=float(hour), timestamp=f"{day} {hour}:00:00")
    page = visit(at=own, viewport={"width": 1440, "height": 900}, timezone_id="UTC")
    go(page, "/positions")
    has_ink(page, "favour")
    assert len(bars(page)) == len(days)
    before = page.evaluate(PICTURE, "account-chart")
    page.locator("#account-chart").get_by_role("button", name="1D").click()
    changes(page, before)
    assert len(bars(page)) == 2, "the last day, and the end of the one before"
    expect(range_of(page, "account-chart")).to_have_text("1D")


def test_a_pair_is_chosen_by_its_row_and_its_signals_arrive_live(desk, visit, signals):
    page = visit()
    go(page, "/positions?pair=NMFC-ROIC")
    has_ink(page, "accent", "pair-chart")
    cell(page, "KO-PEP", "since").click()
    assert page.url.endswith("/positions?pair=KO-PEP")
    expect(page.locator("#pair-chart-title")).to_contain_text("KO-PEP")
    expect(line(page, "KO-PEP")).to_have_attribute("aria-current", "true")
    expect(page.locator("#pair-chart")).to_contain_text("No signal of KO-PEP yet")
    desk.alert(ticker="MA-3*V", order_price=7.0)
    desk.alert(ticker="KO-0.5*PEP", order_price=3.25, order_contracts=11)
    expect(key(page, "what", "pair-chart")).to_have_text("Buy 11, waiting")
    expect(key(page, "order", "pair-chart")).to_have_text("3.25")
    has_ink(page, "accent", "pair-chart")  # its mark
    label = page.locator("#pair-chart .canvas").get_attribute("aria-label")
    assert label.startswith("KO-PEP: 1 signal, the last ")
    page.go_back()
    expect(page.locator("#pair-chart-title")).to_contain_text("NMFC-ROIC")
    expect(key(page, "average", "pair-chart")).to_have_text("−0.0500")
    for rowid in [s["rowid"] for s in desk.get("/v3/signals/ticker/KO-PEP/0")["signals"]]:
        desk.ask("DELETE", f"/v3/signal/{rowid}")


def test_a_chart_that_cannot_load_says_so_and_shows_nothing_of_another_pair(desk, visit, signals):
    page = visit()
    go(page, "/positions?pair=NMFC-ROIC")
    charted(page, "pair-chart")
    page.route("**/v3/signals/ticker/MA-V/*", lambda route: route.abort())
    cell(page, "MA-V", "since").click()
    chart = page.locator("#pair-chart")
    expect(chart.get_by_role("alert")).to_contain_text("The server did not answer")
    expect(chart.locator(".canvas")).to_be_hidden()
    page.unroute_all()
    cell(page, "MA-V", "since").click()
    expect(chart.get_by_role("alert")).to_be_hidden()
    cell(page, "NMFC-ROIC", "since").click()
    expect(key(page, "average", "pair-chart")).to_have_text("−0.0500")


def sheet(page, chart):
    """The lines of a chart's table: its cells, newest first."""
    return [text.split("\t") for text in page.locator(f"#{chart} tbody tr").all_inner_texts()]


def test_each_chart_can_be_read_as_a_table_and_had_as_csv(desk, visit, signals):
    page = visit(timezone_id="UTC")
    go(page, "/positions?pair=NMFC-ROIC")
    charted(page, "pair-chart")
    chart = page.locator("#pair-chart")
    chart.get_by_role("button", name="Table").click()
    expect(chart.locator(".canvas")).to_be_hidden()
    lines = sheet(page, "pair-chart")
    assert [each[0] for each in lines] == [s["timestamp"] for s in signals]
    assert lines[2][1:] == ["Sell 100, filled", "2.10", "1.98", "−0.1200", "−0.0500"]
    assert lines[3][1:] == ["Buy 100, filled", "2.00", "1.98", "+0.0200", "+0.0200"]
    chart.get_by_role("button", name="Table").click()
    expect(chart.locator(".canvas")).to_be_visible()
    for chart, records in (
        ("account-chart", desk.get("/v3/pnl/0")),
        ("pair-chart", {"signals": signals}),
    ):
        with page.expect_download() as download:
            page.locator(f"#{chart}").get_by_role("link", name="CSV").click()
        found = list(csv.DictReader(download.value.path().open(encoding="utf-8", newline="")))
        assert [int(each["rowid"]) for each in found] == [s["rowid"] for s in records["signals"]]


def test_visitors_see_the_newest_five_and_how_to_see_more(desk, visit):
    for number in range(6):
        desk.alert(ticker="MA-3*V", order_price=number)
    page = visit(None)
    go(page, "/positions?pair=MA-V")
    charted(page, "pair-chart")
    page.locator("#pair-chart").get_by_role("button", name="Table").click()
    assert len(sheet(page, "pair-chart")) == 5
    desk.alert(ticker="MA-3*V", order_price=77)
    expect(page.locator("#pair-chart tbody tr").first).to_contain_text("77.00")
    assert len(sheet(page, "pair-chart")) == 5
    note = page.locator("#pair-chart .foot-line")
    expect(note).to_contain_text("Visitors see the newest 5")
    note.get_by_role("link", name="Log in").click()
    page.wait_for_url(re.compile(r"/login\?next=/positions%3Fpair%3DMA-V$"))


# --- without the library ---------------------------------------------------------------------


def stands_in_a_table(page, net):
    """The page says how to get charts and shows their figures."""
    chart = page.locator("#account-chart")
    expect(chart.locator('[data-part="missing"]')).to_contain_text("npm ci")
    expect(chart.locator("tbody tr").first).to_contain_text(net)
    for part in (".canvas", ".legend", ".ranges", '[data-act="table"]'):
        expect(chart.locator(part)).to_be_hidden()
    expect(chart.get_by_role("link", name="CSV")).to_be_visible()


def test_where_the_library_does_not_load_the_figures_stand_in_a_table(desk, visit):
    page = visit(new=True)
    page.route("**/static/*/vendor/**", lambda route: route.abort())
    go(page, "/positions")
    stands_in_a_table(page, "100,000")
    desk.account(NetLiquidation=100_001.0)
    expect(page.locator("#account-chart tbody tr").first).to_contain_text("100,001")
    desk.account(NetLiquidation=100_000.0)


@pytest.fixture
def unequipped(tmp_path, open_desk):
    """A server from a source tree where npm was never run."""
    copy_project(tmp_path / "tree")
    return open_desk(tree=tmp_path / "tree")


def test_where_npm_was_never_run_the_page_works_without_charts(unequipped, visit):
    unequipped.account()
    page = visit(at=unequipped)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, "/positions")
    stands_in_a_table(page, "100,000")
    assert not [url for url in asked if "vendor" in url]
    answer = unequipped.call("GET", "/static/vendor/lightweight-charts.mjs", token="")
    assert (answer.status, answer.text) == (404, "There is no such file.\n")


def test_the_library_is_a_lasting_file_that_only_this_page_loads(desk, visit):
    page = visit()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, "/dashboard")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "vendor" in url]
    go(page, "/positions")
    charted(page)
    [url] = {url for url in asked if "vendor" in url}
    answer = desk.call("GET", url.removeprefix(desk.url), token="")
    assert "javascript" in answer.headers["Content-Type"]
    assert "immutable" in answer.headers["Cache-Control"]
    expect(page.get_by_role("link", name="tradingview.com")).to_have_attribute(
        "href", "https://www.tradingview.com/"
    )


# --- how it looks ----------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1024, "dark"), (390, "light")])
def test_the_page_has_no_accessibility_fault_and_no_sideways_scrolling(
    desk, visit, signals, width, scheme
):
    size = {"width": width, "height": 844}
    page = visit(viewport=size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    go(page, "/positions?pair=NMFC-ROIC")
    has_ink(page, "accent", "pair-chart")
    assert violations_in_both_schemes(page) == []
    assert page.evaluate("document.querySelector('main').scrollWidth") <= width
    for chart in ("account-chart", "pair-chart"):
        page.locator(f"#{chart}").get_by_role("button", name="Table").click()
    assert violations_in_both_schemes(page) == []


def test_on_phones_a_pair_takes_three_lines_and_one_for_its_acts(desk, visit):
    page = visit(viewport={"width": 390, "height": 844})
    go(page, "/positions")
    for name, lines in (("NMFC-ROIC", 4), ("GDX-GLD", 5)):  # one says what is unhedged
        rows = line(page, name).evaluate("tr => getComputedStyle(tr).gridTemplateRows")
        assert len(rows.split()) == lines
    sections = page.get_by_role("navigation", name="Sections").get_by_role("link")
    expect(sections).to_have_count(5)
    for each in sections.all():
        expect(each).to_be_in_viewport(ratio=1)
