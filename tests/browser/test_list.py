"""The list: a pair or ticker and a range of dates, its totals, and its file."""

import csv
import io
import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.reading import go, is_live, rowids, rows, wait_for_rows

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TALL = {"width": 1440, "height": 2000}
# (equation, action, contracts, price, fill, day)
SENT = [
    ("MA-3*V", "buy", 10, -2.0, (300.1, 100.756), "2024-03-01 10:00:00"),
    ("MA-3*V", "sell", 20, -2.0, (300.1, 100.8), "2024-03-02 10:00:00"),
    ("MA-3*V", "sell", 40, -2.0, None, "2024-03-03 10:00:00"),
    ("AAPL", "buy", 0.5, 400.0, (399.5,), "2024-03-02 12:00:00"),
    ("AAPL", "buy", 7, 400.0, None, "2024-03-03 23:59:59"),
    ("NOT*KNOWN", "buy", 1, None, None, "2024-03-02 13:00:00"),
]


@pytest.fixture(scope="module")
def sent(desk):
    """The signals of SENT, newest first."""
    desk.stock("IBM", active=0)
    for number, (ticker, action, contracts, price, fills, time) in enumerate(SENT):
        rowid = desk.alert(
            ticker=ticker,
            order_action=action,
            order_contracts=contracts,
            order_price=price,
            timestamp=time,
            order_comment=f'said "{number}", twice\r\nand once more',
        )
        if fills:
            orders = [100 * (number + 1) + leg for leg in (1, 2)]
            desk.revise(rowid, order_status="created", order_id1=orders[0], order_id2=orders[1])
            for order, price in zip(orders, fills, strict=False):
                desk.report(order_id=order, stk_price=price)
    return desk.signals()


def choose(page, **values):
    """Chooses filters, and waits until the list shows what they choose."""
    for name, value in values.items():
        field = page.locator(f"#filters [name={name}]")
        with page.expect_response("**/v3/totals?*"):
            if name == "tradetype":
                field.select_option(value)
            else:
                field.fill(value)
    expect(page.locator("#signals")).not_to_have_attribute("aria-busy", "true")


def totals(page):
    """What stands above the list: {count, quantity, all, buy, sell, by status}."""
    cells = {
        name: page.locator(f'[data-total="{name}"] dd').inner_text()
        for name in ("count", "quantity", "all", "buy", "sell")
    }
    statuses = page.locator("#by-status span").all_inner_texts()
    return cells | {"statuses": {k: int(v) for k, v in (each.rsplit(" ", 1) for each in statuses)}}


def test_the_field_of_the_ticker_suggests_pairs_and_stocks(desk, visit, sent):
    page = visit()
    go(page, "/list")
    page.get_by_label("Pair or ticker").focus()
    names = page.locator("#names option")
    expect(names.first).to_be_attached()
    values = names.evaluate_all("options => options.map(option => option.value)")
    assert {"MA-V", "AAPL", "IBM", "MA"} <= set(values)


def test_a_pair_is_listed_with_its_totals(desk, visit, sent):
    page = visit(viewport=TALL)
    go(page, "/list")
    assert rowids(page) == [s["rowid"] for s in sent]
    choose(page, ticker_webhook="MA-V")
    assert rowids(page) == [3, 2, 1]
    assert totals(page) == {
        "count": "3",
        "quantity": "70",
        "all": "−$4.32 −2.4 bp",  # 10 * 0.168 - 20 * 0.3
        "buy": "+$1.68 +2.8 bp",
        "sell": "−$6.00 −5.0 bp",
        "statuses": {"filled": 2, "waiting": 1},
    }
    for total, favour in {"buy": "for", "sell": "against", "all": "against"}.items():
        money = page.locator(f'[data-total="{total}"] dd span')
        expect(money).to_have_attribute("data-favour", favour)
    expect(page.get_by_label("Pair or ticker")).to_have_value("MA-V")


def test_a_range_of_dates_holds_whole_days(desk, visit, sent):
    page = visit(viewport=TALL)
    go(page, "/list")
    choose(page, start_date="2024-03-02", end_date="2024-03-03")
    assert rowids(page) == [6, 5, 4, 3, 2]
    choose(page, tradetype="single")
    assert rowids(page) == [5, 4]
    found = totals(page)
    assert (found["count"], found["quantity"], found["all"]) == ("2", "7.5", "+$0.25 +12.5 bp")
    assert (found["buy"], found["sell"]) == ("+$0.25 +12.5 bp", "")
    expect(page.locator('[data-total="sell"] dd')).to_be_empty()
    choose(page, end_date="2024-03-02")
    assert rowids(page) == [4]
    assert re.search(r"start_date=2024-03-02", page.url)
    page.reload()
    is_live(page)
    assert rowids(page) == [4]
    assert totals(page)["count"] == "1"


def days_of(preset, today):
    """The first and last day that a preset chooses; "" for no end."""
    monday = today - timedelta(days=today.weekday())
    first, last = {
        "Today": (today, ""),
        "Week": (monday, ""),
        "Month": (today.replace(day=1), ""),
        "Last week": (monday - timedelta(days=7), monday - timedelta(days=1)),
    }[preset]
    return str(first), str(last)


@pytest.mark.parametrize("preset", ["Today", "Week", "Month", "Last week"])
def test_presets_choose_days_and_let_go_of_them(desk, visit, sent, preset):
    page = visit()
    go(page, "/list")
    now = page.evaluate("JSON.parse(document.querySelector('#page').textContent).now")
    first, last = days_of(preset, date.fromisoformat(now[:10]))
    button = page.get_by_role("button", name=preset, exact=True)
    with page.expect_response("**/v3/totals?*"):
        button.click()
    expect(page.get_by_label("From")).to_have_value(first)
    expect(page.get_by_label("To", exact=True)).to_have_value(last)
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(page.get_by_label("From")).to_have_value("")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_days_begin_and_end_in_the_viewers_zone(desk, visit, sent):
    page = visit(timezone_id="Asia/Tokyo")
    go(page, "/list")
    choose(page, start_date="2024-03-04", end_date="2024-03-04")
    assert rowids(page) == [5]


def test_a_date_that_is_none_is_explained_at_its_field(desk, visit, sent):
    page = visit()
    go(page, "/list?start_date=2024-02-31")
    field = page.get_by_label("From")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#problem-start_date")).to_be_visible()
    expect(page.locator("#problem-start_date")).not_to_be_empty()


def test_what_is_chosen_is_asked_for_once(desk, visit, sent):
    page = visit()
    page.clock.install()
    go(page, "/list")
    asked = []
    page.on("request", lambda request: "/v3/signals/" in request.url and asked.append(request))
    page.get_by_label("Status").first.select_option("filled")
    page.clock.run_for(1000)
    assert len(asked) == 1
    page.locator("#filters [name=q]").fill("said")
    page.keyboard.press("Tab")
    page.clock.run_for(1000)
    assert len(asked) == 2


def test_a_range_without_signals_says_so(desk, visit, sent):
    page = visit()
    go(page, "/list?start_date=2020-01-01&end_date=2020-12-31")
    expect(page.get_by_role("heading", name="No signals in this range")).to_be_visible()
    assert totals(page)["count"] == "0"
    page.get_by_role("link", name="Show every signal").click()
    wait_for_rows(page, len(SENT))
    expect(page.locator('[data-total="count"] dd')).to_have_text(str(len(SENT)))


# The bridge's second spelling of four fields, which a table needs once only.
TWINS = ("ticker1", "ticker2", "price1", "price2")


MONEY = ["filled_qty1", "filled_qty2", "slip_money", "currency"]  # what the file has besides


def exported(page, name="signals.csv"):
    """The exported file's lines, a dict for each."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename == name
    raw = download.value.path().read_bytes().decode()
    assert raw.count("\r\n") >= 1
    return list(csv.DictReader(io.StringIO(raw, newline="")))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "signals.csv"),
        ("?sort=-slip", "signals.csv"),
        ("?ticker_webhook=MA-V&sort=order_contracts", "signals-MA-V.csv"),
        ("?start_date=2024-03-02&end_date=2024-03-03", "signals-2024-03-02-to-2024-03-03.csv"),
    ],
)
def test_the_export_is_exactly_what_is_shown(desk, visit, sent, query, name):
    page = visit(viewport=TALL)
    go(page, "/list" + query)
    told = {s["rowid"]: s for s in sent}
    lines = exported(page, name)
    assert [int(line["rowid"]) for line in lines] == rowids(page)
    for line in lines:
        record = told[int(line["rowid"])]
        assert list(line) == [*(key for key in record if key not in TWINS), *MONEY]
        assert line["timestamp"] == record["timestamp"].replace(" ", "T") + "Z"
        assert line["order_comment"] == record["order_comment"]
        for key in ("order_contracts", "slip", "fill_price"):
            assert line[key] == ("" if record[key] is None else str(record[key]))
        slip = record["slip"]
        money = "" if slip is None else slip * record["order_contracts"]
        assert line["slip_money"] == "" or float(line["slip_money"]) == pytest.approx(money)
        assert (line["slip_money"] == "") == (slip is None)
        assert line["currency"] == ("USD" if record["stk_ticker1"] else "")


def test_visitors_export_the_five_that_they_see(desk, visit, sent):
    page = visit(None)
    go(page, "/list")
    assert [int(line["rowid"]) for line in exported(page)] == rowids(page)
    assert len(rowids(page)) == 5


def test_new_signals_and_totals_follow_live_where_they_belong_to_the_range(open_desk, visit):
    own = open_desk()
    page = visit(at=own)
    go(page, "/list?ticker_webhook=AAPL&start_date=2024-03-01")
    page.evaluate("window.untouched = true")
    own.alert(ticker="MA-3*V")
    own.alert(ticker="AAPL", timestamp="2024-02-28 10:00:00")
    rowid = own.alert(ticker="AAPL", order_contracts=12)
    wait_for_rows(page, 1)
    assert rowids(page) == [rowid]
    expect(page.locator('[data-total="count"] dd')).to_have_text("1")
    expect(page.locator('[data-total="quantity"] dd')).to_have_text("12")
    own.revise(rowid, order_status="created", order_id1=1)
    own.report(order_id=1, stk_price=-0.02)
    expect(page.locator('[data-total="all"] dd')).to_have_text("+$0.12 +5,000.0 bp")
    expect(page.locator("#by-status")).to_contain_text("filled 1")
    assert page.evaluate("untouched")


def test_the_list_opens_the_panel_too(desk, visit, sent):
    page = visit()
    go(page, "/list?ticker_webhook=MA-V")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_contain_text("MA-V")
    assert "ticker_webhook=MA-V" in page.url
    page.reload()
    is_live(page)
    expect(page.locator("#panel-title")).to_contain_text("MA-V")
    assert [each["ticker"].split()[0] for each in rows(page)] == ["MA-V"] * 3
