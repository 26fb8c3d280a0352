"""Logging in, coming back to where one was going, and the end of a session."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser.reading import go, is_live

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WRONG = "User name or password is wrong."


def log_in(page, username="user1", password="123", expire=None):
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    if expire:
        page.get_by_label("Stay logged in for").select_option(expire)
    page.get_by_role("button", name="Log in", exact=True).click()


def session_minutes(page):
    """How long the browser's session lasts from now on."""
    cookie = next(each for each in page.context.cookies() if each["name"] == "session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    return (cookie["expires"] - page.evaluate("Date.now()") / 1000) / 60


def test_a_wrong_login_does_not_tell_which_part_was_wrong(desk, visit):
    page = visit(None)
    page.goto("/login")
    problem = page.locator("#login .problem")
    for username, password in (("admin", "wrong"), ("nobody", "123")):
        log_in(page, username, password)
        expect(problem).to_have_text(WRONG)
        expect(page.get_by_role("button", name="Log in", exact=True)).to_be_enabled()
        expect(page.get_by_label("User name")).to_have_value(username)
        page.reload()
    assert "/login" in page.url


def test_empty_fields_are_asked_for_without_a_request(desk, visit):
    page = visit(None)
    page.goto("/login")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator("#login .problem")).to_have_text("Enter your user name and your password.")


def test_too_many_attempts_are_told_with_the_time_to_wait(open_desk, visit):
    strict = open_desk(login_attempts=2)
    page = visit(None, at=strict)
    page.goto("/login")
    for _ in range(2):
        log_in(page, password="wrong")
        expect(page.locator("#login .problem")).to_have_text(WRONG)
        page.reload()
    log_in(page)
    expect(page.locator("#login .problem")).to_have_text(
        re.compile(r"Too many attempts\. Try again in \d+ seconds\.")
    )


def test_a_server_that_does_not_answer_is_said_in_words(open_desk, wire_to, visit):
    wire = wire_to(open_desk())
    page = visit(None, at=wire)
    page.goto("/login")
    wire.cut()
    log_in(page)
    expect(page.locator("#login .problem")).to_contain_text("The server did not answer")
    wire.mend()
    log_in(page)
    page.wait_for_url("**/dashboard")


@pytest.mark.parametrize(("choice", "minutes"), [("10", 10), ("480", 480), ("1440", 1440)])
def test_the_session_lasts_as_long_as_was_chosen(desk, visit, choice, minutes):
    page = visit(None)
    page.goto("/login")
    log_in(page, expire=choice)
    page.wait_for_url("**/dashboard")
    assert minutes - 1 < session_minutes(page) <= minutes + 0.1
    expect(page.locator("#user summary")).to_have_text("user1")


def test_after_the_login_one_is_where_one_was_going(desk, visit):
    page = visit(None)
    page.goto("/setup?register=AAPL#pairs")
    assert "/login?next=%2Fsetup" in page.url
    log_in(page)
    page.wait_for_url("**/setup?register=AAPL#pairs")
    go(page, "/list?ticker_webhook=MA-V")
    page.context.clear_cookies(name="session")
    go(page, "/list?ticker_webhook=MA-V")
    page.get_by_role("link", name="Log in", exact=True).click()
    log_in(page)
    is_live(page)


@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "/\\evil.example", "https://evil.example/", "\\\\evil.example"),
        *("javascript:window.hit=1", "/\t/evil.example", "evil.example"),
    ],
)
def test_a_next_that_leads_elsewhere_becomes_the_dashboard(desk, visit, target):
    page = visit(None)
    page.goto("about:blank")
    page.goto(f"{desk.url}/login?next=" + "".join(f"%{ord(char):02x}" for char in target))
    log_in(page)
    page.wait_for_url(f"{desk.url}/**")
    page.wait_for_url("**/dashboard")
    assert page.url == f"{desk.url}/dashboard"


def test_a_session_about_to_end_warns_and_can_be_extended(desk, visit):
    page = visit("user1", expire=10)
    page.clock.install()
    go(page, "/dashboard")
    warning = page.locator("#expiry")
    expect(warning).to_be_hidden()
    expect(page.locator("#session-end")).to_have_text(re.compile(r"\d\d:\d\d"))
    page.clock.run_for(24_000)
    expect(warning).to_be_hidden()
    page.clock.fast_forward("08:30")
    expect(warning).to_be_visible()
    expect(warning.locator("p")).to_have_text(re.compile(r"Your session ends at \d\d:\d\d\."))
    page.clock.set_system_time(datetime.now(UTC))  # the server's clock has not moved
    warning.get_by_role("button", name="Stay logged in").click()
    expect(warning).to_be_hidden()


def test_a_short_session_warns_is_extended_and_ends_at_the_login(desk, visit):
    page = visit("user1", expire=1)
    page.clock.install()
    go(page, "/setup#pairs")
    warning = page.locator("#expiry")
    expect(warning).to_be_visible()
    old = session_minutes(page)
    assert old <= 1
    with page.expect_response("**/v3/session") as answer:
        warning.get_by_role("button", name="Stay logged in").click()
    assert answer.value.status == 200
    assert session_minutes(page) > old - 0.05
    page.context.clear_cookies(name="session")
    page.clock.fast_forward("24:00:00")
    page.wait_for_url("**/login?next=%2Fsetup%23pairs")
    log_in(page)
    page.wait_for_url("**/setup#pairs")


def test_where_the_session_cannot_be_extended_the_warning_offers_nothing(desk, visit):
    page = visit("user1", expire=1440)
    page.clock.install()
    go(page, "/dashboard")
    page.clock.fast_forward("23:59:00")
    expect(page.locator("#expiry")).to_be_visible()
    expect(page.locator("#expiry button")).to_be_hidden()


def test_the_fragment_of_the_address_survives_the_login(desk, visit):
    page = visit(None)
    page.goto("/setup#pairs")
    page.wait_for_url("**/login?next=**")
    log_in(page)
    page.wait_for_url("**/setup#pairs")
    expect(page.locator("#registry")).to_be_visible()


def test_a_page_that_is_not_there_knows_who_is_logged_in(desk, visit):
    for path in ("/nowhere", "/docs/nothing", "/v2/webhook"):
        page = visit()
        page.goto(path)
        expect(page.locator("#user summary bdi")).to_have_text("admin")
        expect(page.locator("#login-link")).to_have_count(0)
        stranger = visit(None)
        stranger.goto(path)
        expect(stranger.locator("#login-link")).to_be_visible()


def test_the_bar_says_who_is_admin(desk, visit):
    for username, told in (("admin", "admin admin"), ("user1", "user1")):
        page = visit(username)
        page.goto("/dashboard")
        expect(page.locator("#user summary")).to_have_text(told)
