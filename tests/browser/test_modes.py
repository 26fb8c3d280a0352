"""What decides before a trade: the mode in the bar, held signals, exits only, closing, limits."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.reading import below, confirm, go, row, rowids, toast, violations_in_both_schemes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = [{"width": 1440, "height": 844}, {"width": 390, "height": 844}]
PHONE = SIZES[1]


def entry(**fields):
    """An alert that buys 10 AAPL from flat."""
    return {"ticker": "AAPL", "order_contracts": 10, "mar_pos_size": 10} | fields


def set_mode(desk, mode, reason=None):
    return desk.ask("PUT", "/v3/trading", {"mode": mode, "reason": reason})


def mode_of(page):
    return page.locator("#mode")


def dialog(page):
    return page.locator("#mode-dialog")


def choice(page, name):
    """The button of a mode in the dialog."""
    return dialog(page).get_by_role("button", name=re.compile(f"^{name}"))


def panel(page):
    return page.locator("#panel")


def pill(page):
    return page.locator("#panel .state .pill")


# --- the mode --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_two_clicks_change_the_mode_and_every_open_page_shows_it(open_desk, visit, size):
    own = open_desk()
    page, other = visit(at=own, viewport=size), visit(at=own)
    go(page, "/dashboard")
    go(other, "/setup")
    for each in (page, other):
        expect(mode_of(each)).to_have_text("Trading: on")
        expect(mode_of(each)).to_be_in_viewport(ratio=1)
    rowid = own.alert(**entry())
    mode_of(page).click()
    expect(choice(page, "On")).to_contain_text("In force now.")
    expect(choice(page, "Exits only")).to_contain_text("1 signal waits: entries are canceled")
    expect(dialog(page)).to_contain_text("Nothing is at the broker.")
    choice(page, "Exits only").click()
    expect(dialog(page)).to_be_hidden()
    expect(toast(page)).to_contain_text("Trading: exits only. 1 canceled.")
    for each in (page, other):
        expect(mode_of(each)).to_have_attribute("data-mode", "exits")
        expect(mode_of(each)).to_contain_text("exits only")
        expect(mode_of(each)).to_be_in_viewport(ratio=1)
    assert own.get("/v3/trading")["mode"] == "exits"
    expect(row(page, rowid).locator(".word")).to_have_text("not traded")


def test_the_reason_and_who_set_the_mode_are_told(open_desk, visit):
    own = open_desk()
    own.revise(own.alert(**entry()), order_status="created", order_id1=7)
    page = visit(at=own)
    go(page, "/positions")
    mode_of(page).click()
    expect(dialog(page)).to_contain_text("1 signal at the broker cannot be called back.")
    dialog(page).locator("[name=reason]").fill("Fed at 20:00")
    choice(page, "Off").click()
    expect(mode_of(page)).to_have_text(re.compile(r"^Trading: off\s+Fed at 20:00$"))
    page.reload()
    expect(mode_of(page)).to_have_text(re.compile(r"^Trading: off\s+Fed at 20:00$"))
    mode_of(page).click()
    expect(dialog(page)).to_contain_text(re.compile("Off since .*, set by admin: Fed at 20:00"))


def test_enter_in_the_reason_sets_no_mode(desk, visit):
    page = visit()
    go(page, "/dashboard")
    mode_of(page).click()
    dialog(page).locator("[name=reason]").fill("only a thought")
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_hidden()
    assert desk.get("/v3/trading")["reason"] is None


def test_a_mode_that_a_limit_of_loss_has_set_says_so(open_desk, visit):
    own = open_desk()
    own.ask("PUT", "/v3/limits", {"loss": 1000})
    page = visit(at=own)
    go(page, "/dashboard")
    own.account(DailyPnL=-1512.0)
    expect(mode_of(page)).to_contain_text("daily loss 1,512.00, at most 1,000.00")
    mode_of(page).click()
    expect(dialog(page)).to_contain_text("set by a limit of loss: daily loss 1,512.00")


def test_visitors_hear_nothing_of_the_mode(desk, visit):
    page = visit(None)
    go(page, "/dashboard")
    expect(mode_of(page)).to_have_count(0)
    assert page.evaluate("JSON.parse(document.querySelector('#page').textContent).trading") is None


# --- held signals ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_held_signal_is_seen_and_approved_or_refused(open_desk, visit, size):
    own = open_desk()
    set_mode(own, "ask")
    page = visit(at=own, viewport=size)
    go(page, "/dashboard")
    first, second = own.alert(**entry()), own.alert(ticker="MA-3*V")
    expect(below(page, "working").get_by_role("link")).to_have_text("2 held")
    expect(row(page, first).locator(".word")).to_have_text("held")
    row(page, first).click()
    expect(panel(page)).to_contain_text(re.compile(r"Expires at \S+, in 1[45] min"))
    panel(page).get_by_role("button", name="Approve").click()
    expect(pill(page)).to_have_text("waiting")
    expect(toast(page)).to_contain_text(f"Signal {first} is approved")
    panel(page).get_by_role("button", name="Close the panel").click()
    row(page, second).click()
    panel(page).get_by_role("button", name="Refuse").click()
    expect(panel(page)).to_contain_text("Turned down by admin")
    expect(panel(page).get_by_role("button", name="Approve")).to_have_count(0)
    statuses = [own.get(f"/v3/signal/{each}")["order_status"] for each in (first, second)]
    assert statuses == ["waiting", "canceled"]
    panel(page).get_by_role("button", name="Close the panel").click()
    expect(below(page, "working").get_by_role("link")).to_have_count(0)


def test_an_approval_that_comes_too_late_says_why(open_desk, visit):
    own = open_desk()
    set_mode(own, "ask")
    rowid = own.alert(**entry())
    page = visit(at=own)
    go(page, f"/dashboard?signal={rowid}")
    own.stock("AAPL", active=0)
    panel(page).get_by_role("button", name="Approve").click()
    expect(panel(page).locator(".inner > .problem")).to_have_text(re.compile("ticker is paused"))
    expect(pill(page)).to_have_text("held")


def test_the_list_can_be_filtered_by_held(open_desk, visit):
    own = open_desk()
    own.revise(own.alert(**entry()), order_status="created")
    set_mode(own, "ask")
    held = own.alert(ticker="MA-3*V")
    page = visit(at=own)
    go(page, "/list?status=held")
    assert rowids(page) == [held]


def test_a_refused_signal_tells_its_rule_with_figures(open_desk, visit):
    own = open_desk()
    own.ask("PUT", "/v3/limits", {"ticker_entries": 1, "contracts": 150})
    own.alert(**entry())
    refused = own.alert(**entry(order_contracts=20))
    back = {"order_action": "sell", "pre_mar_pos": "long", "pre_mar_pos_size": 90}
    cut = own.alert(ticker="MA-3*V", order_contracts=190, mar_pos="short", mar_pos_size=100, **back)
    page = visit(at=own)
    go(page, f"/dashboard?signal={refused}")
    expect(pill(page)).to_have_text("not traded")
    expect(panel(page).locator(".state")).to_contain_text(
        "Beyond a limit: 1 of 1 entries of this ticker today"
    )
    row(page, cut).click()
    words = "Only the exit of the reversal is traded: 190 contracts, at most 150"
    expect(panel(page).locator(".state")).to_contain_text(words)
    told = panel(page).locator("#timeline > li").first
    expect(told).to_contain_text("190 contracts, at most 150")
    expect(told).to_contain_text("Contracts: 190 sent, 90 traded")
    expect(told).to_contain_text("Position: short sent, flat traded")
    expect(told).to_contain_text("Position that the strategy wants: −100")
    expect(told).not_to_contain_text("Ticker")


# --- acts of positions -----------------------------------------------------------------------


@pytest.fixture
def held(open_desk):
    """A server whose account holds NMFC-ROIC, and AAPL alone."""
    own = open_desk()
    for symbol, position in (("NMFC", 90), ("ROIC", -64), ("AAPL", 10)):
        own.hold(symbol, position)
    return own


def line(page, name):
    return page.locator(f'.held tr[data-name="{name}"]')


@pytest.mark.parametrize("name", ["NMFC-ROIC", "AAPL"])
def test_a_ticker_is_set_to_exits_only_with_an_undo(held, visit, name):
    page, other = visit(at=held), visit(at=held, viewport=PHONE)
    go(page, "/positions")
    go(other, "/positions")
    exits = line(page, name).get_by_role("button", name="Exits only")
    expect(exits).to_have_attribute("aria-pressed", "false")
    exits.click()
    expect(toast(page)).to_contain_text(f"{name} trades exits only.")
    assert held.get("/v3/trading")["tickers"] == {name: "exits"}
    for each in (page, other):
        expect(line(each, name).locator(".paused")).to_have_text("Exits only")
        expect(line(each, name).get_by_role("button", name="Exits only")).to_have_attribute(
            "aria-pressed", "true"
        )
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(toast(page)).to_contain_text(f"{name} trades every alert.")
    expect(line(page, name).locator(".paused")).to_be_empty()
    assert held.get("/v3/trading")["tickers"] == {}


def test_setup_shows_the_mode_of_a_ticker_that_has_its_own(desk, visit):
    desk.ask("PUT", "/v3/regpair", {"name": "MA-V", "mode": "exits"})
    page = visit()
    go(page, "/setup#registry")
    state = '#pairs-table tr[data-name="{}"] [data-part="state"]'
    expect(page.locator(state.format("MA-V"))).to_contain_text("Active, exits only")
    expect(page.locator(state.format("KO-PEP"))).to_contain_text(re.compile(r"Active\s"))
    desk.ask("PUT", "/v3/regpair", {"name": "MA-V", "mode": "on"})


@pytest.mark.parametrize("size", SIZES)
def test_closing_says_what_is_sent_and_a_double_click_is_one_order(held, visit, size):
    set_mode(held, "off")
    page = visit(at=held, viewport=size)
    go(page, "/positions")
    line(page, "NMFC-ROIC").get_by_role("button", name="Close").click()
    expect(page.locator("#confirm")).to_contain_text("Sell 90 NMFC and buy 64 ROIC.")
    page.locator("#confirm").get_by_role("button", name="Close NMFC-ROIC").evaluate(
        "button => { button.click(); button.click() }"
    )
    expect(toast(page)).to_contain_text("NMFC-ROIC is being closed by signal 1.")
    [order] = held.signals()
    assert (order["order_action"], order["order_contracts"]) == ("sell", 90)
    assert (order["mar_pos"], order["order_status"]) == ("flat", "waiting")
    page.locator("#toasts").get_by_role("button", name="Open signal 1").click()
    page.wait_for_url(re.compile(r"/dashboard\?signal=1$"))


def test_a_close_whose_answer_is_lost_is_the_same_order_the_next_time(held, visit):
    page = visit(at=held)
    go(page, "/positions")

    def close():
        line(page, "AAPL").get_by_role("button", name="Close").click()
        expect(page.locator("#confirm")).to_contain_text("Sell 10 AAPL.")
        confirm(page, "Close AAPL")

    def lose(route):
        route.fetch()
        route.abort()

    page.route("**/v3/order", lose, times=1)
    close()
    expect(toast(page)).to_contain_text("AAPL was not closed. The server did not answer.")
    close()
    expect(toast(page)).to_contain_text("AAPL is being closed by signal 1.")
    assert len(held.signals()) == 1
    close()
    expect(toast(page)).to_contain_text("AAPL was not closed. signal 1 of AAPL is waiting")


def test_closing_tells_what_is_left_and_what_another_pair_keeps(held, visit):
    held.hold("ROIC", -70)
    page = visit(at=held)
    go(page, "/positions")
    question = page.locator("#confirm")
    line(page, "NMFC-ROIC").get_by_role("button", name="Close").click()
    expect(question).to_contain_text("Sell 90 NMFC and buy 64 ROIC. −6 ROIC will be left over.")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    held.pair("NMFC", "KO")
    held.hold("KO", -40)
    expect(line(page, "NMFC-KO")).to_be_visible()
    line(page, "NMFC-ROIC").get_by_role("button", name="Close").click()
    expect(question).to_contain_text("what is of NMFC-KO stays.")


def test_visitors_have_no_acts(held, visit):
    page = visit(None, at=held)
    go(page, "/positions")
    expect(line(page, "NMFC-ROIC")).to_be_visible()
    expect(page.locator(".held .acts:visible")).to_have_count(0)


# --- limits ----------------------------------------------------------------------------------


def limit(page, name):
    return page.locator(f"#limits-form [name={name}]")


def used(page, name):
    return page.locator(f'#limits-form [data-show="{name}"]')


def test_limits_are_set_and_what_is_used_of_them_follows(open_desk, visit):
    own = open_desk(entry_minutes=0.5, holidays="NYSE")
    page = visit(at=own)
    go(page, "/setup#limits")
    expect(page.locator("#limits")).to_contain_text("0.5 min")
    expect(page.locator("#limits")).to_contain_text("NYSE")
    expect(used(page, "entries")).to_have_text("0 today")
    expect(used(page, "loss")).to_have_text("unknown: no account record of the last 15 min")
    limit(page, "entries").fill("2")
    limit(page, "loss").fill("-5")
    save = page.get_by_role("button", name="Save limits")
    save.click()
    expect(page.locator('#limits-form [data-for="loss"]')).to_be_visible()
    limit(page, "loss").fill("1000,5")
    save.click()
    expect(toast(page)).to_have_text("2 limits are set.")
    limits = own.get("/v3/limits")
    assert {name: value for name, value in limits.items() if value is not None} == {
        "entries": 2,
        "loss": 1000.5,
    }
    for ticker in ("AAPL", "MA-3*V"):
        own.alert(**entry(ticker=ticker))
    own.account(DailyPnL=-512.3)
    expect(used(page, "entries")).to_have_text("2 today")
    expect(used(page, "entries")).to_have_attribute("data-state", "amber")
    expect(used(page, "ticker_entries")).to_have_text(re.compile("^1 of (AAPL|MA-V) today$"))
    expect(used(page, "loss")).to_have_text("512.30 today")
    expect(used(page, "loss")).not_to_have_attribute("data-state", "amber")
    limit(page, "entries").fill("")
    save.click()
    expect(toast(page)).to_have_text("1 limit is set.")
    assert own.get("/v3/limits")["entries"] is None


def test_others_than_admins_only_read_the_limits(open_desk, visit):
    own = open_desk()
    own.ask("PUT", "/v3/limits", {"open": 8})
    page = visit("user1", at=own)
    go(page, "/setup#limits")
    expect(limit(page, "open")).to_have_value("8")
    expect(limit(page, "open")).to_be_disabled()
    expect(page.get_by_role("button", name="Save limits")).to_have_count(0)


# --- accessibility ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_the_bar_and_its_dialog_have_no_accessibility_fault(held, visit, size):
    page = visit(at=held, viewport=size, bypass_csp=True, reduced_motion="reduce")
    for mode in ("on", "ask", "exits", "off"):
        set_mode(held, mode, "Fed at 20:00")
        go(page, "/positions")
        assert violations_in_both_schemes(page, ".bar") == []
    mode_of(page).click()
    expect(choice(page, "Off")).to_contain_text("In force now.")
    assert violations_in_both_schemes(page, "#mode-dialog") == []
