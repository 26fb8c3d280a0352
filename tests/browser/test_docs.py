"""The page of the API: read and tried in its viewer, under the policy of every page."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.reading import violations_in_both_schemes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OURS = {"exclude": [["#viewer"]]}  # the viewer's own markup is not ours to mend


def opened(page, operation):
    """An operation of the viewer, unfolded."""
    found = page.locator(f"#operations-{operation}")
    found.locator(".opblock-summary-control").click()
    expect(found.get_by_role("button", name="Execute")).to_be_visible()
    return found


def test_it_is_reached_from_the_menu_and_shows_every_call(desk, visit):
    page = visit()
    page.goto("/dashboard")
    page.locator("#user summary").click()
    page.locator("#user").get_by_role("link", name="API").click()
    page.wait_for_url("**/docs")
    paths = desk.get("/v3/openapi.json")["paths"].values()
    expect(page.locator(".opblock")).to_have_count(sum(map(len, paths)))


def test_a_call_is_tried_with_the_session_and_its_xsrf_token(desk, visit):
    page = visit()
    page.goto("/docs")
    call = opened(page, "Registry-post_StockRegister")
    call.locator("textarea").fill(json.dumps({"symbol": "DOCS"}))
    call.get_by_role("button", name="Execute").click()
    expect(call.locator(".live-responses-table .response-col_status").last).to_contain_text("201")
    assert desk.get("/v3/stock/DOCS")["symbol"] == "DOCS"


def test_a_visitor_reads_it_and_is_refused_what_needs_a_login(desk, visit):
    page = visit(None)
    page.goto("/docs")
    expect(page.locator(".who")).to_contain_text("without a login")
    call = opened(page, "Sessions-get_OwnSession")
    call.get_by_role("button", name="Execute").click()
    expect(call.locator(".live-responses-table .response-col_status").last).to_contain_text("401")


def test_it_says_what_the_websocket_tells(desk, visit):
    page = visit()
    page.goto("/docs#websocket")
    message = page.locator(".message").filter(has_text="signal.updated")
    message.locator("summary").click()
    expect(message.locator("pre")).to_contain_text('"order_status"')


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_it_fits_and_wears_the_theme(desk, visit, width, scheme):
    size = {"width": width, "height": 844}
    page = visit(viewport=size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page.goto("/docs")
    opened(page, "Webhook-post_Webhook")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = "dark-mode" in (page.locator("html").get_attribute("class") or "")
    assert dark == (scheme == "dark")
    assert violations_in_both_schemes(page, OURS) == []
