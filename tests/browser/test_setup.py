"""The setup page: every act on the registry, signals, users, rejected alerts and the template."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.reading import confirm, toast

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def setup(page, section):
    """Opens a section of the page."""
    page.goto(f"/setup#{section}")
    expect(page.locator(f"section#{section}")).to_be_visible()


def fill(form, **fields):
    """Types into the named fields."""
    for name, value in fields.items():
        form.locator(f"[name={name}]").fill(value)


def test_the_simulator_shows_what_it_sends_and_what_is_answered(desk, visit):
    page = visit("user1")
    setup(page, "simulator")
    form = page.locator("#simulator-form")
    fill(
        form, passphrase="webhook", ticker="KO-0.5*PEP", order_contracts="0.5", order_comment="sim"
    )
    shown = page.locator("#simulator-json")
    expect(shown).to_contain_text('"ticker": "KO-0.5*PEP"')
    expect(shown).to_contain_text('"order_contracts": 0.5')
    expect(shown).not_to_contain_text('webhook"')
    form.get_by_role("button", name="Send alert").click()
    expect(page.locator("#simulator-answer")).to_contain_text("Signal created successfully.")
    newest = desk.signals("limit=1")[0]
    assert (newest["ticker"], newest["order_contracts"]) == ("KO-0.5*PEP", 0.5)
    fill(form, order_contracts="-1")
    form.get_by_role("button", name="Send alert").click()
    expect(form.locator('.problem[data-for="order_contracts"]')).to_have_text(
        "Enter a number above 0."
    )


def test_a_pair_is_made_corrected_paused_and_deleted(desk, visit):
    page = visit()
    setup(page, "pairs")
    page.get_by_role("button", name="Add pair").click()
    dialog = page.locator("#pair-dialog")
    fill(dialog, ticker1="XOM", ticker2="CVX", hedge="-2")
    dialog.get_by_role("button", name="Save pair").click()
    problem = dialog.locator('.problem[data-for="hedge"]')
    expect(problem).to_be_visible()
    fill(dialog, hedge="0.7")
    dialog.get_by_role("button", name="Save pair").click()
    expect(dialog).to_be_hidden()
    row = page.locator('#pairs-table tr[data-name="XOM-CVX"]')
    expect(row).to_contain_text("0.7")
    row.get_by_role("button", name="Edit").click()
    fill(dialog, hedge="0.8", notes="energy")
    dialog.get_by_role("button", name="Save pair").click()
    expect(row).to_contain_text("energy")
    assert desk.get("/v3/pair/XOM-CVX")["hedge"] == 0.8
    row.locator("[data-act=toggle]").click()
    expect(row.locator(".switch-word")).to_have_text("Active")
    page.locator("#toasts button").click()
    expect(row.locator(".switch-word")).to_have_text("Paused")
    assert desk.get("/v3/pair/XOM-CVX")["status"] == 0
    row.get_by_role("button", name="Delete").click()
    expect(page.locator("#confirm")).to_contain_text("XOM-CVX")
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    expect(row).to_be_visible()
    row.get_by_role("button", name="Delete").click()
    confirm(page, "Delete pair")
    expect(row).to_have_count(0)
    assert desk.call("GET", "/v3/pair/XOM-CVX").status == 404


def test_a_stock_is_made_refused_switched_and_deleted(desk, visit):
    page = visit()
    setup(page, "stocks")
    page.get_by_role("button", name="Add stock").click()
    dialog = page.locator("#stock-dialog")
    fill(dialog, symbol="TSLA", secxch="NASDAQ")
    dialog.get_by_role("button", name="Save stock").click()
    row = page.locator('#stocks-table tr[data-name="TSLA"]')
    expect(row).to_contain_text("NASDAQ")
    row.locator("[data-act=toggle]").click()
    expect(row.locator(".switch-word")).to_have_text("Active")
    assert desk.get("/v3/stock/TSLA")["active"] == 1
    leg = page.locator('#stocks-table tr[data-name="MA"]')
    leg.locator("[data-act=toggle]").click()
    expect(toast(page)).to_contain_text("active in a pair")
    leg.get_by_role("button", name="Delete").click()
    confirm(page, "Delete stock")
    expect(toast(page)).to_contain_text("leg of a pair")
    row.get_by_role("button", name="Delete").click()
    confirm(page, "Delete stock")
    expect(row).to_have_count(0)


def test_a_signal_is_edited_and_deleted(desk, visit):
    rowid = desk.alert(ticker="AAPL", order_comment="before")
    page = visit()
    page.goto(f"/setup?signal={rowid}#signals")
    form = page.locator("#signal-form")
    fill(form, order_comment="after", order_contracts="12")
    form.get_by_role("button", name="Save signal").click()
    expect(toast(page)).to_be_visible()
    record = desk.get(f"/v3/signal/{rowid}")
    assert (record["order_comment"], record["order_contracts"]) == ("after", 12)
    fill(form, order_contracts="none")
    form.get_by_role("button", name="Save signal").click()
    expect(form.locator('.problem[data-for="order_contracts"]')).to_be_visible()
    form.get_by_role("button", name="Delete signal").click()
    expect(page.locator("#confirm")).to_contain_text(str(rowid))
    confirm(page, "Delete signal")
    expect(form).to_be_hidden()
    assert desk.call("GET", f"/v3/signal/{rowid}").status == 404


def test_a_user_is_added_given_a_new_password_and_deleted(desk, visit):
    page = visit()
    setup(page, "users")
    page.get_by_role("button", name="Add user").click()
    dialog = page.locator("#user-dialog")
    fill(dialog, username="two words", password="first-123")
    dialog.get_by_role("button", name="Save user").click()
    expect(dialog.locator('.problem[data-for="username"]')).to_contain_text("without spaces")
    fill(dialog, username="trader")
    dialog.get_by_role("button", name="Save user").click()
    row = page.locator('#users-table tr[data-name="trader"]')
    expect(row).to_be_visible()
    form = {"username": "trader", "password": "first-123"}
    assert desk.call("POST", "/v3/login", form, token="").status == 200
    row.locator("[data-act=password]").click()
    fill(dialog, password="second-123")
    dialog.get_by_role("button", name="Save user").click()
    expect(dialog).to_be_hidden()
    assert desk.call("POST", "/v3/login", form, token="").status == 401
    row.locator("[data-act=delete]").click()
    expect(page.locator("#confirm")).to_contain_text("trader")
    confirm(page, "Delete user")
    expect(row).to_have_count(0)


def test_an_admin_ends_another_users_session(desk, visit):
    desk.user("guest")
    other = visit("guest", password="secret-123")
    other.goto("/dashboard")
    page = visit()
    setup(page, "users")
    row = page.locator('#users-table tr[data-name="guest"]')
    row.locator("[data-act=sessions]").click()
    session = page.locator("#users-table tr.sub")
    expect(session).to_have_count(1)
    session.locator("[data-act=end]").click()
    page.locator("#confirm .danger").click()
    expect(session).to_contain_text("No open session.")
    other.wait_for_url("**/login?next=*")


def test_ones_own_password_needs_the_old_one(desk, visit):
    desk.user("owner")
    page = visit("owner", password="secret-123")
    setup(page, "account")
    form = page.locator("#password-form")
    fill(form, old_password="wrong", password="fresh-1234")
    form.get_by_role("button", name="Change password").click()
    expect(form.locator('.problem[data-for="old_password"]')).to_have_text("incorrect password.")
    fill(form, old_password="secret-123")
    form.get_by_role("button", name="Change password").click()
    expect(toast(page)).to_be_visible()
    login = {"username": "owner", "password": "fresh-1234"}
    assert desk.call("POST", "/v3/login", login, token="").status == 200


def reject(desk, text):
    """Sends a text that cannot become a signal."""
    assert desk.call("POST", "/v3/webhook", raw=text.encode(), token="").status == 400
    return desk.get("/v3/rejected/1")["rejected"][0]["id"]


def test_a_rejected_alert_is_corrected_and_resubmitted(desk, visit):
    kept = {"passphrase": "webhook", "ticker": "AAPL", "order_action": "buy"}
    number = reject(desk, json.dumps(kept))
    page = visit()
    setup(page, "rejected")
    card = page.locator(f'#rejected-list > li[data-id="{number}"]')
    expect(card).to_contain_text("order_contracts")
    text = card.locator("textarea")
    assert "webhook" not in text.input_value()
    card.get_by_role("button", name="Resubmit").click()
    expect(card.locator(".problem")).to_contain_text("Still refused")
    text.fill(json.dumps(kept | {"order_contracts": 33}))
    card.get_by_role("button", name="Resubmit").click()
    expect(card).to_have_count(0)
    assert desk.signals("limit=1")[0]["order_contracts"] == 33


def test_a_rejected_alert_is_dismissed_after_one_question(desk, visit):
    number = reject(desk, '{"passphrase": "webhook", nonsense')
    page = visit()
    setup(page, "rejected")
    card = page.locator(f'#rejected-list > li[data-id="{number}"]')
    card.get_by_role("button", name="Dismiss").click()
    page.locator("#confirm .danger").click()
    expect(card).to_have_count(0)
    assert number not in [each["id"] for each in desk.get("/v3/rejected/0")["rejected"]]


def test_the_template_hides_the_passphrase_until_asked(desk, visit):
    page = visit("user1")
    setup(page, "template")
    text = page.locator("#template-text")
    expect(text).to_contain_text('"passphrase": "***"')
    expect(page.locator("#webhook-url")).to_have_text(f"{desk.url}/v3/webhook")
    page.locator("#reveal").click()
    expect(text).to_contain_text('"passphrase": "webhook"')
    page.locator("#reveal").click()
    expect(text).to_contain_text('"passphrase": "***"')
