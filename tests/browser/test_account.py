"""One's own account on the setup page: second factor, API tokens, sessions; and what admins see."""

import re
import time

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.reading import confirm, toast, violations_in_both_schemes
from tests.browser.test_setup import fill, setup

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "secret-123"


@pytest.fixture
def person(desk, request):
    """A user of this test alone."""
    name = request.node.name.partition("[")[0][-40:]
    desk.user(name, PASSWORD)
    return name


def account(page):
    setup(page, "account")
    expect(page.locator("#sessions-table tbody tr").first).to_be_visible()


def code_of(secret, steps=0):
    """An authenticator's code; each step may be used once."""
    return pyotp.TOTP(secret).at(time.time() + 30 * steps)


def turn_on(page):
    """Sets the second factor up as a reader would: (secret, recovery codes)."""
    fill(page.locator("#factor-begin"), password=PASSWORD)
    page.get_by_role("button", name="Set up second factor").click()
    expect(page.locator("#factor-qr")).to_be_visible()
    assert page.evaluate("document.querySelector('#factor-qr').complete")
    assert page.evaluate("document.querySelector('#factor-qr').naturalWidth") > 100
    secret = page.locator("#factor-secret").inner_text().replace(" ", "")
    fill(page.locator("#factor-confirm"), code=code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("#factor-list")).to_be_visible()
    return secret, page.locator("#factor-list").inner_text().split()


def log_in(page, name, password=PASSWORD):
    page.goto("/login")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_label("Code")).to_be_focused()
    expect(page.get_by_label("Password")).to_be_hidden()


def enter(page, code):
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in", exact=True).click()


def test_a_second_factor_is_set_up_used_and_turned_off(desk, visit, person):
    page = visit(person, password=PASSWORD)
    account(page)
    expect(page.locator("#factor-state")).to_contain_text("Off.")
    fill(page.locator("#factor-begin"), password="wrong")
    page.get_by_role("button", name="Set up second factor").click()
    expect(page.locator('#factor-begin .problem[data-for="password"]')).to_have_text(
        "incorrect password."
    )
    secret, codes = turn_on(page)
    assert len(codes) == 10
    expect(page.locator("#factor-state")).to_contain_text("10 recovery codes left")
    expect(page.locator("#factor-qr")).to_be_hidden()
    assert secret not in page.content()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.locator("#factor-list")).to_be_hidden()
    assert codes[0] not in page.content()

    other = visit(None)
    log_in(other, person)
    expect(other.locator("#login .problem")).to_be_hidden()
    enter(other, "not a code")
    expect(other.locator("#login .problem")).to_have_text(
        "The code is wrong, or it was used before."
    )
    enter(other, code_of(secret, 1))
    other.wait_for_url("**/dashboard")
    expect(other.locator("#user summary")).to_have_text(person)

    off = page.locator("#factor-off")
    fill(off, password=PASSWORD, code="000000")
    off.get_by_role("button", name="Turn off").click()
    expect(off.locator('.problem[data-for="code"]')).to_contain_text("wrong")
    fill(off, code=codes[0])
    off.get_by_role("button", name="Turn off").click()
    expect(page.locator("#factor-state")).to_contain_text("Off.")
    login = {"username": person, "password": PASSWORD}
    assert desk.call("POST", "/v3/login", login, token="").status == 200


def test_recovery_codes_log_in_and_are_made_anew(desk, visit, person):
    page = visit(person, password=PASSWORD)
    account(page)
    _, codes = turn_on(page)
    expect(page.locator("#factor-off")).to_be_hidden()
    other = visit(None)
    log_in(other, person)
    enter(other, codes[0].upper())
    other.wait_for_url("**/dashboard")
    page.get_by_role("button", name="I have kept them").click()
    expect(page.locator("#factor-state")).to_contain_text("9 recovery codes left")
    off = page.locator("#factor-off")
    fill(off, password=PASSWORD, code=codes[0])
    off.get_by_role("button", name="New recovery codes").click()
    expect(off.locator('.problem[data-for="code"]')).to_contain_text("used before")
    fill(off, code=codes[1])
    off.get_by_role("button", name="New recovery codes").click()
    expect(page.locator("#factor-list")).not_to_contain_text(codes[2])
    expect(page.locator("#factor-state")).to_contain_text("10 recovery codes left")


def test_the_second_step_of_the_login_can_be_left(desk, visit, person):
    page = visit(person, password=PASSWORD)
    account(page)
    turn_on(page)
    other = visit(None)
    log_in(other, person)
    other.get_by_role("button", name="Log in", exact=True).click()
    expect(other.locator("#login .problem")).to_have_text("Enter the code.")
    other.get_by_role("button", name="Start again").click()
    expect(other.get_by_label("User name")).to_be_focused()
    expect(other.get_by_label("Password")).to_have_value("")
    expect(other.get_by_label("Code")).to_be_hidden()


def test_a_setting_up_that_is_left_changes_nothing(desk, visit, person):
    page = visit(person, password=PASSWORD)
    account(page)
    fill(page.locator("#factor-begin"), password=PASSWORD)
    page.get_by_role("button", name="Set up second factor").click()
    page.locator("#factor-confirm").get_by_role("button", name="Cancel").click()
    expect(page.locator("#factor-begin")).to_be_visible()
    assert page.locator("#factor-secret").inner_text() == ""
    login = {"username": person, "password": PASSWORD}
    assert desk.call("POST", "/v3/login", login, token="").status == 200


def test_a_token_is_made_shown_once_used_and_revoked(desk, visit, person):
    page = visit(person, password=PASSWORD)
    account(page)
    expect(page.locator("#tokens-none")).to_be_visible()
    page.get_by_role("button", name="New token").click()
    dialog = page.locator("#token-dialog")
    dialog.get_by_role("button", name="Make token").click()
    expect(dialog.locator('.problem[data-for="name"]')).to_be_visible()
    fill(dialog, name="night robot")
    dialog.locator("[name=scope]").select_option("registry")
    dialog.get_by_role("button", name="Make token").click()
    text = page.locator("#token-text")
    expect(text).to_have_text(re.compile(r"^pairs_[\w-]{43}$"))
    token = text.inner_text()
    row = page.locator('#tokens-table tr[data-name="night robot"]')
    expect(row).to_contain_text("registry")
    expect(row).to_contain_text("never")
    assert desk.call("GET", "/v3/events", token=token).status == 200
    page.get_by_role("button", name="I have kept it").click()
    assert token not in page.content()
    page.reload()
    expect(row).not_to_contain_text("never")
    assert token not in page.content()
    row.get_by_role("button", name="Revoke").click()
    confirm(page, "Revoke token")
    expect(row).to_have_count(0)
    assert desk.call("GET", "/v3/events", token=token).status == 401


def test_own_sessions_are_seen_and_ended(desk, visit, person):
    page, second, third = (visit(person, password=PASSWORD) for _ in range(3))
    for each in (second, third):
        each.goto("/dashboard")
    account(page)
    rows = page.locator("#sessions-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="this session")).to_have_count(1)
    expect(rows.filter(has_text="this session")).to_contain_text("127.0.0.1")
    expect(rows.filter(has_text="this session")).to_contain_text("Chrome on Linux")
    rows.filter(has_not_text="this session").first.get_by_role("button").click()
    confirm(page, "End session")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="End all others").click()
    confirm(page, "End sessions")
    expect(rows).to_have_count(1)
    for each in (second, third):
        each.wait_for_url("**/login?next=*")
    expect(page.get_by_role("button", name="End all others")).to_be_hidden()


def test_an_admin_turns_off_a_factor_and_revokes_a_token(desk, visit, person):
    owner = visit(person, password=PASSWORD)
    account(owner)
    turn_on(owner)
    owner.get_by_role("button", name="New token").click()
    fill(owner.locator("#token-dialog"), name="robot")
    owner.get_by_role("button", name="Make token").click()
    token = owner.locator("#token-text").inner_text()
    page = visit()
    setup(page, "users")
    row = page.locator(f'#users-table tr[data-name="{person}"]')
    row.get_by_role("button", name=re.compile("^Access")).click()
    lines = page.locator("#users-table tr.sub")
    expect(lines.filter(has_text="Second factor on since")).to_have_count(1)
    lines.filter(has_text="Second factor").get_by_role("button").click()
    confirm(page, "Turn off")
    expect(lines.filter(has_text="Second factor")).to_have_count(0)
    login = {"username": person, "password": PASSWORD}
    assert desk.call("POST", "/v3/login", login, token="").status == 200
    lines.filter(has_text="API token robot").get_by_role("button").click()
    confirm(page, "Revoke token")
    expect(lines.filter(has_text="API token robot")).to_have_count(0)
    assert desk.call("GET", "/v3/events", token=token).status == 401


def test_passphrases_are_rotated_on_the_page(open_desk, visit):
    desk = open_desk(passphrases="of the settings")
    page = visit(at=desk)
    setup(page, "template")
    rows = page.locator("#passphrases-table tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("From the settings 1")
    expect(rows.first).to_contain_text("never")
    expect(rows.first.get_by_role("button")).to_have_count(0)
    page.get_by_role("button", name="Add passphrase").click()
    fill(page.locator("#passphrase-dialog"), label="second", passphrase="a second one")
    page.get_by_role("button", name="Save passphrase").click()
    expect(rows).to_have_count(2)
    for passphrase in ("of the settings", "a second one"):
        desk.alert(passphrase=passphrase)
    page.reload()
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="never")).to_have_count(0)
    rows.filter(has_text="second").get_by_role("button").click()
    confirm(page, "Retire passphrase")
    expect(rows.filter(has_text="second")).to_contain_text("Retired")
    alert = {"passphrase": "a second one", "ticker": "AAPL", "order_action": "buy"}
    assert desk.call("POST", "/v3/webhook", alert | {"order_contracts": 1}, token="").status == 400


def test_posts_that_were_refused_unkept_are_counted_for_admins(open_desk, visit):
    desk = open_desk(wrong_passphrases=2)
    for _ in range(5):
        desk.call("POST", "/v3/webhook", {"passphrase": "x"}, token="")
    page = visit(at=desk)
    setup(page, "rejected")
    expect(page.locator("#refused-posts")).to_contain_text("3 beyond the limit")
    other = visit("user1", at=desk)
    setup(other, "rejected")
    expect(other.locator("#refused-posts")).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_no_state_of_the_account_has_an_accessibility_fault(desk, visit, width, scheme):
    name = f"reader-{scheme}-{width}"
    desk.user(name, PASSWORD)
    options = {"color_scheme": scheme, "bypass_csp": True, "reduced_motion": "reduce"}
    size = {"width": width, "height": 844}
    page = visit(name, password=PASSWORD, viewport=size, **options)
    account(page)
    faults = {"plain": violations_in_both_schemes(page)}
    fill(page.locator("#factor-begin"), password=PASSWORD)
    page.get_by_role("button", name="Set up second factor").click()
    expect(page.locator("#factor-qr")).to_be_visible()
    faults["pending"] = violations_in_both_schemes(page)
    page.reload()
    turn_on(page)
    expect(toast(page)).to_be_visible()
    page.get_by_role("button", name="New token").click()
    faults["dialog"] = violations_in_both_schemes(page)
    fill(page.locator("#token-dialog"), name="robot")
    page.get_by_role("button", name="Make token").click()
    expect(page.locator("#token-text")).to_be_visible()
    faults["made"] = violations_in_both_schemes(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    login = visit(None, viewport=size, **options)
    log_in(login, name)
    faults["login"] = violations_in_both_schemes(login)
    assert {state: found for state, found in faults.items() if found} == {}
