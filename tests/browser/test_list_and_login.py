"""The list with its totals and export, and the way in and out."""

import csv
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.reading import go, rowids

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def stored():
    return 120


def total(page, name):
    """One of the list's sums."""
    return page.locator(f'#totals [data-total="{name}"] dd')


def test_the_list_shows_a_pair_with_its_totals_and_exports_just_that(desk, visit):
    page = visit()
    go(page, "/list")
    page.locator("[name=ticker_webhook]").select_option("MA-V")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**ticker_webhook=MA-V*")
    signals = desk.signals("ticker=MA-V")
    expect(total(page, "count")).to_have_text(str(len(signals)))
    sums = desk.get("/v3/totals?ticker=MA-V")
    expect(total(page, "quantity")).to_have_text(f"{sums['quantity']:,}")
    assert float(total(page, "buy").inner_text()) == sums["average_slippage"]["buy"]
    for status, count in sums["by_status"].items():
        expect(page.locator("#by-status")).to_contain_text(f"{status} {count}")
    with page.expect_download() as download:
        page.locator("#csv").click()
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["rowid"]) for line in lines] == [each["rowid"] for each in signals]
    assert lines[0]["timestamp"] == signals[0]["timestamp"].replace(" ", "T") + "Z"


def test_dates_bound_the_list_and_a_wrong_one_is_explained(desk, visit):
    page = visit()
    page.goto("/list?start_date=2001-01-01&end_date=2001-12-31")
    expect(page.locator("#none")).to_be_visible()
    expect(total(page, "count")).to_have_text("0")
    page.goto("/list?start_date=yesterday")
    expect(page.locator("#problem-start_date")).to_contain_text("must be a time")
    today = desk.signals("limit=1")[0]["timestamp"][:10]
    go(page, f"/list?tradetype=single&start_date={today}")
    told = desk.signals(f"type=single&since={today}")
    expect(total(page, "count")).to_have_text(str(len(told)))
    assert rowids(page)[:3] == [each["rowid"] for each in told][:3]


def test_a_wrong_login_does_not_say_which_part_was_wrong(desk, visit):
    page = visit(None)
    page.goto("/login")
    said = []
    for name, password in (("admin", "wrong"), ("nobody", "123")):
        page.locator("#login [name=username]").fill(name)
        page.locator("#login [name=password]").fill(password)
        page.locator("#login button.primary").click()
        problem = page.locator("#login .problem")
        expect(problem).to_be_visible()
        said.append(problem.inner_text())
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("/list?tradetype=pair", "/list?tradetype=pair"),
        ("//evil.example/x", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
        ("https://evil.example", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
    ],
)
def test_a_login_leads_back_to_where_one_was_going_but_never_off_the_site(
    desk, visit, wanted, shown
):
    page = visit(None)
    page.goto("/login?next=" + quote(wanted, safe=""))
    page.locator("#login [name=username]").fill("user1")
    page.locator("#login [name=password]").fill("123")
    page.locator("#login [name=expire]").select_option("30")
    page.locator("#login button.primary").click()
    page.wait_for_url(desk.url + shown)


def test_setup_needs_a_login_and_comes_back_to_it(desk, visit):
    page = visit(None)
    page.goto("/setup")
    assert page.url == f"{desk.url}/login?next=%2Fsetup"


def test_a_session_about_to_end_warns_and_can_be_extended(desk, visit):
    page = visit("user1", expire=1)
    go(page, "/dashboard")
    bar = page.locator("#expiry")
    expect(bar).to_contain_text("Your session ends at")
    before = page.context.cookies()[0]["expires"]
    with page.expect_response("**/v3/session") as answer:
        bar.get_by_role("button", name="Stay logged in").click()
    assert answer.value.status == 200
    assert max(cookie["expires"] for cookie in page.context.cookies()) >= before


def test_logging_out_leads_to_the_login(desk, visit):
    page = visit("user1")
    go(page, "/dashboard")
    page.locator("#user summary").click()
    page.locator("#logout button").click()
    page.wait_for_url("**/login")
    page.goto("/setup")
    assert "/login" in page.url
