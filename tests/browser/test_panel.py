"""What can be done about a signal in its panel, and what the panel explains."""

import pytest
from playwright.sync_api import expect

from tests.browser.reading import confirm, go, row, toast

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def panel(page):
    return page.locator("#panel")


def pill(page):
    return page.locator("#panel .state .pill")


def act(page, label):
    panel(page).get_by_role("button", name=label, exact=True).click()


def opened(visit, rowid, user="admin"):
    """The dashboard with this signal's panel, opened by a click on its row."""
    page = visit(user)
    go(page, "/dashboard")
    row(page, rowid).click()
    expect(panel(page)).to_be_visible()
    return page


@pytest.mark.parametrize(
    ("ticker", "label", "path", "registered"),
    [
        ("PLTR", "Register PLTR and offer again", "/v3/ticker/PLTR", {"active": 1}),
        (
            "XOM-1.5*CVX",
            "Register XOM-CVX and offer again",
            "/v3/pair/XOM-CVX",
            {"hedge": 1.5, "status": 1},
        ),
        ("IBM", "Activate IBM and offer again", "/v3/ticker/IBM", {"active": 1}),
        ("GM-F", "Activate GM-F and offer again", "/v3/pair/GM-F", {"status": 1}),
        ("MA-2.5*V", "Set MA-V to 2.5 and offer again", "/v3/pair/MA-V", {"hedge": 2.5}),
    ],
)
def test_one_click_mends_the_reason_and_offers_again(desk, visit, ticker, label, path, registered):
    desk.stock("IBM", active=0)
    if ticker == "GM-F":
        desk.pair("GM", "F", status=0)
    page = opened(visit, desk.alert(ticker=ticker))
    act(page, label)
    expect(pill(page)).to_have_text("waiting")
    expect(panel(page).locator("[data-show=message]")).to_be_empty()
    assert desk.get(path).items() >= registered.items()
    expect(panel(page).get_by_role("button", name="Cancel", exact=True)).to_be_visible()


def test_an_old_alert_says_its_age_before_it_is_traded(desk, visit):
    rowid = desk.alert(ticker="AAPL", order_status="error", timestamp="2024-01-15 03:04:05")
    page = opened(visit, rowid)
    act(page, "Offer again")
    dialog = page.locator("#confirm")
    expect(dialog).to_contain_text("Trade an alert that is")
    dialog.get_by_role("button", name="Cancel").click()
    expect(pill(page)).to_have_text("error")
    act(page, "Offer again")
    confirm(page, "Offer again")
    expect(pill(page)).to_have_text("waiting")


def test_an_offer_can_be_taken_back(desk, visit):
    rowid = desk.alert(ticker="AAPL", order_status="critical err", status_msg="| 3/201 - rejected")
    page = opened(visit, rowid)
    expect(panel(page)).to_contain_text("The broker says: rejected (code 201)")
    expect(panel(page).locator(".original")).to_have_text("| 3/201 - rejected")
    act(page, "Offer again")
    expect(toast(page)).to_contain_text("is offered to the bridge")
    page.get_by_role("button", name="Undo").click()
    expect(pill(page)).to_have_text("critical err")
    expect(panel(page).locator(".original")).to_have_text("| 3/201 - rejected")


def test_what_waits_can_be_canceled_and_what_works_cannot(desk, visit):
    rowid = desk.alert(ticker="AAPL")
    page = opened(visit, rowid)
    act(page, "Cancel")
    expect(pill(page)).to_have_text("canceled")
    other = desk.alert(ticker="AAPL")
    desk.revise(other, order_status="created", order_id1=41)
    row(page, other).click()
    expect(pill(page)).to_have_text("created")
    acts = panel(page).locator("#panel-acts").get_by_role("button")
    expect(acts).to_have_text(["Edit"])


@pytest.mark.parametrize("ticker", ["A/B", "EURONEXT:AAPL"])
def test_a_ticker_that_no_registry_helps_is_only_edited(desk, visit, ticker):
    page = opened(visit, desk.alert(ticker=ticker))
    acts = panel(page).locator("#panel-acts").get_by_role("button")
    expect(acts).to_have_text(["Cancel", "Edit"])
    act(page, "Edit")
    page.locator("#edit [name=ticker]").fill("AAPL")
    page.get_by_role("button", name="Save signal").click()
    expect(page.locator("#edit")).to_be_hidden()
    expect(panel(page).locator(".equation")).to_have_text("AAPL")


def test_an_edit_sends_only_what_was_changed(desk, visit):
    rowid = desk.alert(ticker="AAPL", order_contracts=10)
    desk.revise(rowid, order_status="created", order_id1=51)
    page = opened(visit, rowid)
    act(page, "Edit")
    desk.report(order_id=51, symbol="AAPL", price=400, filled_qty=10)
    page.locator("#edit [name=order_comment]").fill("by hand")
    page.get_by_role("button", name="Save signal").click()
    expect(page.locator("#edit")).to_be_hidden()
    record = desk.get(f"/v3/signal/{rowid}")
    assert (record["order_comment"], record["order_status"]) == ("by hand", "filled")
    expect(panel(page).locator("#timeline > li").last).to_contain_text("by admin")


def test_a_mistake_in_an_edit_is_said_at_its_field(desk, visit):
    page = opened(visit, desk.alert(ticker="AAPL"))
    act(page, "Edit")
    page.locator("#edit [name=order_contracts]").fill("-3")
    page.get_by_role("button", name="Save signal").click()
    expect(page.locator("#edit [name=order_contracts]")).to_have_attribute("aria-invalid", "true")
    page.locator("#edit [name=order_contracts]").fill("3")
    page.locator("#edit [name=order_price]").fill("many")
    page.get_by_role("button", name="Save signal").click()
    expect(page.locator("#edit [name=order_price]")).to_have_attribute("aria-invalid", "true")


def test_only_an_admin_deletes_and_visitors_do_nothing(desk, visit):
    rowid = desk.alert(ticker="AAPL")
    user = opened(visit, rowid, "user1")
    act(user, "Edit")
    expect(user.get_by_role("button", name="Delete signal")).to_be_hidden()
    stranger = opened(visit, rowid, None)
    expect(stranger.locator("#panel-acts")).to_be_hidden()
    page = opened(visit, rowid)
    act(page, "Edit")
    page.get_by_role("button", name="Delete signal").click()
    confirm(page, "Delete signal")
    expect(row(page, rowid)).to_have_count(0)
    assert desk.call("GET", f"/v3/signal/{rowid}").status == 404


def test_the_history_says_who_and_why_in_plain_words(desk, visit):
    rowid = desk.alert(ticker="AAPL")
    desk.revise(rowid, order_status="canceled", status_msg="+synced(330->0)")
    page = opened(visit, rowid)
    moments = panel(page).locator("#timeline > li")
    expect(moments.first).to_contain_text("Received by an alert")
    expect(moments.last).to_contain_text("Now canceled by the bridge")
    expect(moments.last).to_contain_text("Nothing left to trade: the account holds it already")
    expect(row(page, rowid).locator(".pill")).to_have_attribute("data-kind", "canceled")
    desk.revise(rowid, status_msg="insufficient funds")
    expect(row(page, rowid).locator(".pill")).to_have_attribute("data-kind", "refused")
    expect(row(page, rowid).locator(".pill")).to_have_text("not traded")


def test_a_signal_with_a_fill_is_never_offered_again(desk, visit):
    rowid = desk.alert(order_contracts=100)
    desk.revise(rowid, order_status="created", order_id1=61, order_id2=62)
    desk.report(order_id=61, symbol="NMFC", price=12.5, filled_qty=100)
    desk.report(order_id=62, symbol="ROIC", cancel=True, price=-1, filled_qty=-1)
    page = opened(visit, rowid)
    expect(pill(page)).to_have_text("canceled")
    acts = panel(page).locator("#panel-acts").get_by_role("button")
    expect(acts).to_have_text(["Edit"])
    answer = desk.call("PUT", "/v3/webhook", {"rowid": rowid, "order_status": "waiting"})
    assert answer.status == 400
    assert "traded twice" in answer.text


def test_activating_a_pair_leaves_its_hedge_alone(desk, visit):
    desk.pair("KMI", "WMB", 1.3, status=0)
    page = opened(visit, desk.alert(ticker="KMI-1.5*WMB"))
    act(page, "Activate KMI-WMB and offer again")
    expect(pill(page)).to_have_text("waiting")
    assert desk.get("/v3/pair/KMI-WMB").items() >= {"hedge": 1.3, "status": 1}.items()


@pytest.mark.parametrize("ticker", ["LSE:VOD", "BINANCE:ETHUSDT", "EURGBP"])
def test_what_may_be_no_us_stock_is_registered_in_setup_only(desk, visit, ticker):
    rowid = desk.alert(ticker=ticker)
    page = opened(visit, rowid)
    panel(page).locator("#panel-acts .primary").click()
    page.wait_for_url("**/setup?register=*")
    assert desk.get(f"/v3/signal/{rowid}")["order_status"] == "error"
    assert desk.call("GET", f"/v3/ticker/{ticker.partition(':')[2] or ticker}").status == 404


def test_an_offer_that_the_bridge_took_meanwhile_is_not_taken_back(desk, visit):
    rowid = desk.alert(ticker="AAPL", order_status="error")
    page = opened(visit, rowid)
    act(page, "Offer again")
    expect(pill(page)).to_have_text("waiting")
    desk.revise(rowid, order_status="created", order_id1=71)
    expect(pill(page)).to_have_text("created")
    page.get_by_role("button", name="Undo").click()
    expect(toast(page)).to_contain_text("the signal is created by now")
    assert desk.get(f"/v3/signal/{rowid}")["order_status"] == "created"


@pytest.mark.parametrize(
    "message", ["overtaken by 3", "duplicate order", "+synced(10->0)", "pyramiding"]
)
def test_what_need_or_must_not_be_traded_is_not_offered(desk, visit, message):
    rowid = desk.alert(ticker="AAPL")
    desk.revise(rowid, order_status="canceled", status_msg=message)
    page = opened(visit, rowid)
    expect(panel(page).locator("#panel-acts").get_by_role("button")).to_have_text(["Edit"])
