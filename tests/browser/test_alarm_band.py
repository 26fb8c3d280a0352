"""Alarms on the dashboard, live and acknowledged there; the test of them in Setup."""

import pytest
from playwright.sync_api import expect

from tests.browser.reading import go, violations
from tests.mails import receiving

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def mails():
    with receiving() as mails:
        yield mails


@pytest.fixture(scope="module")
def server_settings(mails):
    sooner = {"alarm_leg_seconds": 0.2, "alarm_pause_seconds": 0}
    return {"alarm_urls": mails.address(), "alarms_off": "bridge,waiting", **sooner}


def band(page):
    return page.locator("#alarms")


@pytest.fixture
def begun(desk):
    """A failed signal, a rejected alert and a leg that hangs; afterwards all have been seen."""
    desk.alert(ticker="NOPE", order_comment="<b>bold</b>")
    desk.call("POST", "/v3/webhook", {"passphrase": "webhook", "ticker": ""}, token="")
    rowid = desk.alert(order_id1=1, order_id2=2)
    desk.report(order_id=1, symbol="NMFC", price=5, filled_qty=100)
    yield rowid
    desk.report(order_id=2, symbol="ROIC", price=5, filled_qty=72)
    desk.ask("POST", "/v3/alarms/acknowledge", {"last": 10**6})


def test_alarms_appear_live_are_acknowledged_and_go(desk, visit):
    page, fetched = visit(), []
    page.on("request", lambda request: fetched.append(request.url.partition("?")[0]))
    go(page, "/dashboard")
    page.wait_for_load_state("networkidle")
    expect(band(page)).to_be_hidden()
    assert not [url for url in fetched if "/alarms." in url]
    rowid = desk.alert(ticker="NOPE")
    expect(band(page)).to_contain_text(f"Signal {rowid}, NOPE: unknown ticker")
    expect(band(page)).to_contain_text("1 open alarm")
    expect(band(page)).to_contain_text("set the signal to waiting")
    assert [url for url in fetched if url.endswith("/alarms.css")]
    page.get_by_role("link", name="Open").click()
    expect(page.locator("#panel")).to_contain_text("NOPE")
    page.get_by_role("button", name="Acknowledge").click()
    expect(band(page)).to_be_hidden()
    assert desk.get("/v3/alarms")["alarms"] == []


def test_many_are_acknowledged_at_once_and_what_lasts_stays(desk, visit, begun):
    page = visit()
    go(page, "/dashboard")
    expect(band(page)).to_contain_text("3 open alarms")
    page.get_by_role("button", name="Acknowledge all").click()
    expect(band(page)).to_contain_text("1 open alarm")
    expect(band(page)).to_contain_text("seen by admin")
    expect(band(page)).to_contain_text("ROIC is not filled")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    without = visit(java_script_enabled=False)
    without.goto("/dashboard")
    expect(band(without)).to_contain_text("ROIC is not filled")
    stranger = visit(None)
    go(stranger, "/dashboard")
    expect(band(stranger)).to_have_count(0)
    desk.report(order_id=2, symbol="ROIC", price=5, filled_qty=72)
    expect(band(page)).to_be_hidden()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_open_alarms_have_no_accessibility_fault(desk, visit, begun, width, scheme):
    size = {"width": width, "height": 844}
    page = visit(viewport=size, color_scheme=scheme, bypass_csp=True)
    go(page, "/dashboard")
    expect(band(page)).to_contain_text("3 open alarms")
    expect(page.get_by_role("button", name="Acknowledge all")).to_be_visible()
    assert violations(page) == []
    page.goto("/setup#alarms")
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


def test_an_admin_sends_a_test_and_sees_who_took_it(mails, visit):
    page = visit()
    go(page, "/setup#alarms")
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#alarm-places")).to_contain_text("1. mailto: took the test")
    while mails.take()[0] != "Pairs-API: a test":
        pass
    user = visit("user1")
    go(user, "/setup#alarms")
    expect(user.locator("#alarm-test")).to_have_count(0)
