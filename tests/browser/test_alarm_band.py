"""Alarms on the dashboard, live and acknowledged there; the test of them in Setup."""

import pytest
from playwright.sync_api import expect

from tests.browser.reading import go, row, violations
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


def line(page):
    return page.locator("#alarms-line")


def drawer(page):
    return page.locator("#alarms-drawer")


def test_alarms_appear_live_are_acknowledged_and_go(desk, visit):
    page = visit()
    go(page, "/dashboard")
    expect(band(page)).to_be_hidden()
    rowid = desk.alert(ticker="NOPE")
    expect(line(page)).to_contain_text(f"Signal {rowid}, NOPE: the ticker is not registered")
    assert line(page).bounding_box()["height"] == 36
    expect(drawer(page)).to_be_hidden()
    line(page).click()
    expect(drawer(page)).to_contain_text("1 open alarm")
    expect(drawer(page)).to_contain_text("set the signal to waiting")
    page.get_by_role("link", name="Open").click()
    expect(page.locator("#panel")).to_contain_text("NOPE")
    line(page).click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(band(page)).to_be_hidden()
    assert desk.get("/v3/alarms")["alarms"] == []


def test_the_line_has_the_gravest_and_counts_the_others(desk, visit, begun):
    page = visit()
    go(page, "/dashboard")
    expect(line(page)).to_contain_text("ROIC is not filled")
    expect(line(page).locator(".count")).to_have_text("+2")
    before = page.locator("#figures").bounding_box()
    line(page).click()
    titles = drawer(page).locator("h3").all_inner_texts()
    assert len(titles) == 3
    assert page.locator("#figures").bounding_box() == before, "the drawer lies over the page"
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    expect(line(page)).to_be_focused()


def test_many_are_acknowledged_at_once_what_lasts_stays_and_the_log_has_the_others(
    desk, visit, begun
):
    page = visit()
    go(page, "/dashboard")
    line(page).click()
    expect(drawer(page)).to_contain_text("3 open alarms")
    page.get_by_role("button", name="Acknowledge all").click()
    expect(drawer(page)).to_contain_text("1 open alarm")
    expect(drawer(page)).to_contain_text("seen by admin")
    expect(drawer(page)).to_contain_text("ROIC is not filled")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.get_by_role("button", name="Show closed ones").click()
    expect(drawer(page).locator(".log")).to_contain_text("NOPE: the ticker is not registered")
    stranger = visit(None)
    go(stranger, "/dashboard")
    expect(band(stranger)).to_have_count(0)
    desk.report(order_id=2, symbol="ROIC", price=5, filled_qty=72)
    expect(band(page)).to_be_hidden()


def test_on_a_phone_and_at_twice_the_size_the_first_row_is_still_seen(desk, visit, begun):
    for size in ({"width": 390, "height": 844}, {"width": 720, "height": 450}):
        page = visit(viewport=size)
        go(page, "/dashboard")
        expect(line(page)).to_be_visible()
        expect(row(page, begun)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_open_alarms_have_no_accessibility_fault(desk, visit, begun, width, scheme):
    size = {"width": width, "height": 844}
    page = visit(viewport=size, color_scheme=scheme, bypass_csp=True)
    go(page, "/dashboard")
    line(page).click()
    expect(drawer(page)).to_contain_text("3 open alarms")
    expect(page.get_by_role("button", name="Acknowledge all")).to_be_visible()
    assert violations(page) == []
    page.goto("/setup#alarms")
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


def test_an_admin_sends_a_test_and_sees_who_took_it(mails, visit):
    page = visit()
    go(page, "/setup#alarms")
    page.get_by_role("button", name="Send a test", exact=True).click()
    expect(page.locator("#alarm-places")).to_contain_text("1. mailto: took the test")
    while mails.take()[0] != "Pairs-API: a test":
        pass
    user = visit("user1")
    go(user, "/setup#alarms")
    expect(user.locator("#alarm-test")).to_have_count(0)
