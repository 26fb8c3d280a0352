"""The setup page: every act on the registry, signals, users, rejected alerts and the template."""

import json
from functools import partial

import pytest
from playwright.sync_api import expect

from tests.browser.reading import confirm, go, toast
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def new_desk(open_desk):
    """Starts a demo on a database that is new, with nothing registered."""
    return partial(open_desk, None)


def setup(page, section):
    """Opens a section of the page."""
    page.goto(f"/setup#{section}")
    expect(page.locator(f"section#{section}")).to_be_visible()


def fill(form, **fields):
    """Types into the named fields."""
    for name, value in fields.items():
        form.locator(f"[name={name}]").fill(value)


SEND = "Send alert"


def register(page, text):
    """Types into the registry's field, and presses Enter to see what was understood."""
    setup(page, "registry")
    page.locator("#register [name=text]").fill(text)
    page.keyboard.press("Enter")
    return page.locator("#register .understood")


def test_a_pair_is_registered_by_pasting_its_equation_and_two_enters(new_desk, visit):
    desk = new_desk()
    page = visit(at=desk)
    card = register(page, " nyse:ma - 1,3*nyse:v ")
    expect(card).to_contain_text("Pair MA-V: buy 1 MA, sell 1.3 V.")
    expect(card).to_contain_text("was read as NYSE:MA-1.3*NYSE:V")
    page.keyboard.press("Enter")
    expect(page.locator('#pairs-table tr[data-name="MA-V"]')).to_contain_text("Active")
    pair = desk.get("/v3/pair/MA-V")
    assert (pair["hedge"], pair["status"]) == (1.3, 1)
    for symbol in ("MA", "V"):
        expect(page.locator(f'#stocks-table tr[data-name="{symbol}"]')).to_contain_text("in MA-V")


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("ma-v 1.3", "Pair MA-V: buy 1 MA, sell 1.3 V."),
        ("xom-cvx", "Pair XOM-CVX: buy 1 XOM, sell 1 CVX."),
        ("nasdaq:tsla", "Stock TSLA."),
        ("BF.B", "Stock BF B."),
    ],
)
def test_what_is_typed_is_understood_before_it_is_saved(desk, visit, typed, understood):
    page = visit()
    expect(register(page, typed)).to_contain_text(understood)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("MA-1,300*V", "can be read in two ways"),
        ("2*MA-V", "the first leg must have weight 1"),
        ("MA-V-KO", "neither a symbol nor a pair"),
        ("", "This field is needed."),
    ],
)
def test_what_has_no_clear_meaning_is_refused_with_a_reason(desk, visit, typed, reason):
    page = visit()
    card = register(page, typed)
    expect(page.locator('#register .problem[data-for="text"]')).to_contain_text(reason)
    expect(card).to_be_hidden()


def test_a_stock_is_registered_active_where_its_exchange_says(desk, visit):
    page = visit()
    expect(register(page, "XETR:SAP")).to_contain_text("of XETR in EUR")
    page.keyboard.press("Enter")
    expect(page.locator('#stocks-table tr[data-name="SAP"]')).to_contain_text("Active")
    record = desk.get("/v3/ticker/SAP")
    assert (record["currency"], record["active"]) == ("EUR", 1)


def test_a_registered_pair_gets_another_hedge_and_an_active_one_needs_nothing(desk, visit):
    desk.pair("KR", "WMT", 2)
    page = visit()
    card = register(page, "KR-2*WMT")
    expect(card).to_contain_text("Nothing is to be done.")
    expect(card.locator("[data-act=save]")).to_be_hidden()
    card = register(page, "KR-2.5*WMT")
    card.get_by_role("button", name="Change the hedge to 2.5").click()
    expect(page.locator('#pairs-table tr[data-name="KR-WMT"]')).to_contain_text("2.5")
    assert desk.get("/v3/pair/KR-WMT")["hedge"] == 2.5


@pytest.mark.parametrize("status", [1, 0])
def test_a_pair_without_a_ratio_is_looked_up_and_never_changed(new_desk, visit, status):
    desk = new_desk()
    desk.pair("KR", "WMT", 1.5, status=status)
    page = visit(at=desk)
    card = register(page, "kr-wmt")
    expect(card).to_contain_text("buy 1 KR, sell 1.5 WMT.")
    page.keyboard.press("Enter")
    expect(card).to_contain_text("It is registered and")
    pair = desk.get("/v3/pair/KR-WMT")
    assert (pair["hedge"], pair["status"]) == (1.5, status)
    save = card.locator("[data-act=save]")
    if status:
        expect(save).to_be_hidden()
        return
    expect(save).not_to_be_focused()
    save.click()
    expect(toast(page)).to_contain_text("active.")
    pair = desk.get("/v3/pair/KR-WMT")
    assert (pair["hedge"], pair["status"]) == (1.5, 1)


@pytest.mark.parametrize("status", [1, 0])
def test_a_change_of_the_hedge_takes_a_click_and_leaves_the_state(new_desk, visit, status):
    desk = new_desk()
    desk.pair("KR", "WMT", 1.5, status=status)
    page = visit(at=desk)
    card = register(page, "KR-2*WMT")
    button = card.get_by_role("button", name="Change the hedge to 2")
    expect(button).to_be_visible()
    page.keyboard.press("Enter")
    expect(button).not_to_be_focused()
    assert desk.get("/v3/pair/KR-WMT")["hedge"] == 1.5
    button.click()
    expect(toast(page)).to_have_text("Pair KR-WMT has the hedge 2.")
    pair = desk.get("/v3/pair/KR-WMT")
    assert (pair["hedge"], pair["status"]) == (2, status)


@pytest.mark.parametrize(
    ("typed", "guess", "chosen", "registered"),
    [
        ("eurgbp", ("CASH", "GBP"), {}, ("CASH", "GBP", "IDEALPRO")),
        ("BINANCE:BTCUSD", ("CRYPTO", "USD"), {}, ("CRYPTO", "USD", "PAXOS")),
        ("LSE:VOD", ("STK", "GBP"), {"currency": "usd"}, ("STK", "USD", "SMART")),
        ("NOWHERE:XAUUSD", ("CRYPTO", "USD"), {"type": "CASH"}, ("CASH", "USD", "IDEALPRO")),
    ],
)
def test_what_is_not_certainly_a_stock_of_a_known_currency_is_chosen(
    new_desk, visit, typed, guess, chosen, registered
):
    desk = new_desk()
    page = visit(at=desk)
    card = register(page, typed)
    kind, currency = card.get_by_role("combobox"), card.get_by_role("textbox")
    expect(kind).to_have_value(guess[0])
    expect(currency).to_have_value(guess[1])
    kind.select_option(chosen.get("type", guess[0]))
    currency.fill(chosen.get("currency", guess[1]))
    currency.press("Enter")
    expect(toast(page)).to_contain_text("active.")
    [stock] = desk.get("/v3/tickers/0")["tickers"]
    assert (stock["sectype"], stock["currency"], stock["xch"], stock["active"]) == (*registered, 1)


def test_crypto_is_no_leg_and_leaves_nothing_registered(new_desk, visit):
    desk = new_desk()
    page = visit(at=desk)
    card = register(page, "AAPL-BINANCE:ETHUSD")
    expect(card.get_by_label("Type")).to_have_value("CRYPTO")
    card.get_by_role("button", name="Register AAPL-ETHUSD").click()
    expect(page.locator("#register")).to_contain_text("Crypto cannot be a leg of a pair.")
    assert desk.get("/v3/tickers/0")["tickers"] == []


def test_other_pages_register_what_an_equation_says(new_desk, visit):
    desk = new_desk()
    page = visit(at=desk)
    page.goto("/list")
    certain = """async ([texts, save]) => {
      const base = [...document.scripts].find(each => each.src.includes("/js/list.js")).src
      const { isCertain, register } = await import(base.replace("list.js", "registry.js"))
      const answers = []
      for (const text of texts) {
        const read = await (await fetch(`/v3/equation?text=${encodeURIComponent(text)}`)).json()
        answers.push(isCertain(read))
        if (save) await register(read)
      }
      return answers
    }"""
    texts = ["MA-1.3*NYSE:V", "AAPL", "LSE:VOD", "EURGBP", "KO-BINANCE:ETHUSD"]
    assert page.evaluate(certain, [texts, False]) == [True, True, False, False, False]
    page.evaluate(certain, [texts[:2], True])
    pair = desk.get("/v3/pair/MA-V")
    assert (pair["hedge"], pair["status"]) == (1.3, 1)
    assert desk.get("/v3/ticker/V")["prixch"] == "NYSE"
    assert desk.get("/v3/ticker/AAPL")["active"] == 1


def test_a_stock_that_is_traded_alone_is_no_leg_and_the_page_says_so(desk, visit):
    desk.stock("F")
    page = visit()
    card = register(page, "GM-F")
    expect(card).to_contain_text("F is active as a stock. Pause it first")
    expect(card.locator("[data-act=save]")).to_be_hidden()


def test_a_pair_is_corrected_paused_and_deleted(desk, visit):
    desk.pair("HD", "LOW", 0.7, status=0)
    page = visit()
    setup(page, "registry")
    row = page.locator('#pairs-table tr[data-name="HD-LOW"]')
    row.get_by_role("button", name="Edit").click()
    dialog = page.locator("#pair-dialog")
    fill(dialog, hedge="1,500")
    dialog.get_by_role("button", name="Save pair").click()
    expect(dialog.locator('.problem[data-for="hedge"]')).to_contain_text("two ways")
    fill(dialog, hedge="-2")
    dialog.get_by_role("button", name="Save pair").click()
    expect(dialog.locator('.problem[data-for="hedge"]')).to_have_text("Enter a number above 0.")
    fill(dialog, hedge="0,8", notes="builders")
    dialog.get_by_role("button", name="Save pair").click()
    expect(row).to_contain_text("builders")
    assert desk.get("/v3/pair/HD-LOW")["hedge"] == 0.8
    row.locator("[data-act=toggle]").click()
    expect(row.locator(".switch-word")).to_have_text("Active")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(row.locator(".switch-word")).to_have_text("Paused")
    assert desk.get("/v3/pair/HD-LOW")["status"] == 0
    row.get_by_role("button", name="Delete").click()
    expect(page.locator("#confirm")).to_contain_text("HD-LOW")
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    expect(row).to_be_visible()
    row.get_by_role("button", name="Delete").click()
    confirm(page, "Delete pair")
    expect(row).to_have_count(0)
    assert desk.call("GET", "/v3/pair/HD-LOW").status == 404


def test_all_fields_of_a_stock_are_edited(desk, visit):
    desk.stock("EUR.USD", active=0)
    page = visit()
    setup(page, "registry")
    row = page.locator('#stocks-table tr[data-name="EUR.USD"]')
    row.get_by_role("button", name="Edit").click()
    dialog = page.locator("#stock-dialog")
    dialog.locator("[name=sectype]").select_option("CASH")
    fill(dialog, currency="USD", xch="IDEALPRO", prixch="IDEALPRO", order_type="MARKET")
    dialog.locator("[name=active]").check()
    dialog.get_by_role("button", name="Save stock").click()
    expect(row).to_contain_text("IDEALPRO")
    told = desk.get("/v3/ticker/EUR.USD")
    assert (told["sectype"], told["order_type"], told["active"]) == ("CASH", "MARKET", 1)
    row.get_by_role("button", name="Delete").click()
    confirm(page, "Delete stock")
    expect(row).to_have_count(0)


def test_a_leg_of_a_pair_is_not_deleted(desk, visit):
    desk.pair("PG", "CL", 1)
    page = visit()
    setup(page, "registry")
    leg = page.locator('#stocks-table tr[data-name="PG"]')
    expect(leg.locator("[data-act=toggle]")).to_be_hidden()
    leg.get_by_role("button", name="Delete").click()
    confirm(page, "Delete stock")
    expect(toast(page)).to_contain_text("leg of a pair")


def test_the_registry_is_searched_and_says_when_it_is_not_whole(visit, new_desk):
    at = new_desk()
    for number in range(55):
        at.stock(f"Q{number:03}")
    page = visit(at=at)
    setup(page, "registry")
    expect(page.locator("#stocks-note")).to_contain_text("not whole: the newest 50 of 55 stocks")
    page.get_by_role("button", name="show all stocks").click()
    expect(page.locator("#stocks-table tbody tr")).to_have_count(55)
    page.locator("#register [name=text]").fill("q00")
    rows = page.locator("#stocks-table tbody tr")
    expect(rows).to_have_count(10)
    expect(page.locator("#stocks-note")).to_be_empty()
    page.locator("#register [name=text]").fill("nothing")
    expect(page.locator("#stocks-note")).to_have_text("No stock has this text.")


@pytest.mark.parametrize(
    ("link", "to"),
    [("/setup#pairs", "#registry"), ("/setup#stocks", "#registry"), ("/setup", "#registry")],
)
def test_older_links_lead_where_their_subject_stands(desk, visit, link, to):
    page = visit()
    page.goto(link)
    expect(page.locator(f"section{to}")).to_be_visible()


def test_an_older_link_to_a_signal_leads_to_its_panel(desk, visit):
    rowid = desk.alert(ticker="AAPL")
    page = visit()
    page.goto(f"/setup?signal={rowid}#signals")
    page.wait_for_url(f"**/dashboard?signal={rowid}")


def test_the_chosen_section_is_visible_on_a_phone(desk, visit):
    page = visit(viewport={"width": 390, "height": 844})
    for section in ("users", "registry", "account"):
        setup(page, section)
        expect(page.locator(".sections [aria-current]")).to_be_in_viewport(ratio=1)


def test_the_simulator_says_what_the_bridge_will_do_and_what_it_sent(visit, new_desk):
    at = new_desk()
    at.pair("KO", "PEP", 0.5)
    page = visit("user1", at=at)
    setup(page, "simulator")
    form = page.locator("#simulator-form")
    expect(form.locator("[name=ticker]")).to_have_value("KO-0.5*PEP")
    expect(page.locator("#simulator-bridge")).to_contain_text("No bridge has polled yet")
    at.poll()
    expect(page.locator("#simulator-bridge")).to_have_text("The bridge will trade this.")
    fill(form, order_contracts="0.5", order_comment="sim")
    page.locator("#request-title").click()
    shown = page.locator("#simulator-json")
    expect(shown).to_contain_text('"ticker": "KO-0.5*PEP"')
    expect(shown).to_contain_text('"order_contracts": 0.5')
    expect(shown).not_to_contain_text('webhook"')
    form.get_by_role("button", name=SEND).click()
    told = page.locator("#simulator-status")
    expect(told).to_contain_text("It is stored as a waiting signal: buy 0.5 KO-PEP.")
    newest = at.signals("limit=1")[0]
    assert (newest["ticker"], newest["order_contracts"]) == ("KO-0.5*PEP", 0.5)
    assert (newest["mar_pos"], newest["mar_pos_size"]) == ("long", 0.5)
    fill(form, order_contracts="-1")
    form.get_by_role("button", name=SEND).click()
    expect(form.locator('.problem[data-for="order_contracts"]')).to_have_text(
        "Enter a number above 0."
    )


def test_a_check_tells_what_would_become_of_an_alert_and_stores_nothing(desk, visit):
    before = len(desk.signals())
    page = visit()
    setup(page, "simulator")
    form = page.locator("#simulator-form")
    expect(form.locator("[name=ticker]")).not_to_have_value("")  # the first ticker has come
    fill(form, ticker="NOSUCH", order_contracts="3")
    form.get_by_role("button", name="Check").click()
    told = page.locator("#simulator-status")
    expect(told).to_contain_text("It would be stored as error and not traded")
    page.get_by_role("link", name="Register NOSUCH").click()
    expect(page.locator("#register .understood")).to_contain_text("Stock NOSUCH.")
    assert len(desk.signals()) == before


def test_the_simulator_shows_the_request_of_the_chosen_ticker_and_names_a_repeat(new_desk, visit):
    at = new_desk()
    at.pair("KO", "PEP", 0.5)
    at.stock("AAPL")
    page = visit(at=at)
    setup(page, "simulator")
    form = page.locator("#simulator-form")
    page.locator("#request-title").click()
    page.locator("#known").select_option("AAPL")
    expect(page.locator("#simulator-json")).to_contain_text('"ticker": "AAPL"')
    form.locator("summary").click()
    fill(form, alert_id="one")
    told = page.locator("#simulator-status")
    form.get_by_role("button", name=SEND).click()
    expect(told).to_contain_text("It is stored as a waiting signal")
    form.get_by_role("button", name=SEND).click()
    expect(told).to_have_text("It repeats signal 1, by its alert id: nothing was stored.")
    form.get_by_role("button", name="Check").click()
    expect(told).to_have_text("It repeats signal 1, by its alert id: nothing would be stored.")
    fill(form, passphrase="wrong")
    form.get_by_role("button", name="Check").click()
    expect(told).to_contain_text("is refused, and would be kept under Rejected alerts.")
    form.get_by_role("button", name=SEND).click()
    expect(told).to_contain_text("is refused, and is kept under Rejected alerts.")


def test_the_last_account_report_moves_with_the_bridge(desk, visit):
    page = visit()
    setup(page, "bridge")
    expect(page.locator("#bridge-reported")).to_have_text("never")
    desk.account()
    expect(page.locator("#bridge-reported")).to_contain_text("ago")


def test_a_section_that_does_not_load_says_so_and_is_loaded_the_next_time(desk, visit):
    page = visit()
    setup(page, "registry")
    page.route("**/simulator.js", lambda route: route.abort(), times=1)
    page.goto("/setup#simulator")
    section = page.locator("section#simulator")
    expect(section.locator(".unloaded")).to_contain_text("A newer version is installed.")
    expect(section.get_by_role("button", name="Reload")).to_be_visible()
    expect(section.get_by_role("button", name="Send alert")).to_be_hidden()
    page.goto("/setup#registry")
    page.goto("/setup#simulator")
    expect(section.locator(".unloaded")).to_have_count(0)
    expect(page.locator("#simulator-json")).to_contain_text("POST /v3/webhook")


def test_a_new_passphrase_stays_in_a_box_until_it_is_kept(new_desk, visit):
    page = visit(at=new_desk(), permissions=["clipboard-read", "clipboard-write"])
    setup(page, "template")
    page.get_by_role("button", name="Add passphrase").click()
    fill(page.locator("#passphrase-dialog"), label="second")
    page.get_by_role("button", name="Save passphrase").click()
    box = page.locator("#passphrase-made")
    expect(box).to_be_visible()
    made = box.locator("pre").text_content()
    box.get_by_role("button", name="Copy passphrase").click()
    expect(toast(page)).to_have_text("The passphrase is copied.")
    assert len(made) > 10
    assert page.evaluate("navigator.clipboard.readText()") == made
    box.get_by_role("button", name="I have kept it").click()
    expect(box).to_be_hidden()
    expect(box.locator("pre")).to_be_empty()


def test_notices_stack_and_one_that_waits_for_an_answer_stays(desk, visit):
    page = visit()
    setup(page, "registry")
    page.evaluate("""async () => {
      const base = [...document.scripts].find(each => each.src.includes("/js/setup.js")).src
      const { toast } = await import(base.replace("setup.js", "dialogs.js"))
      toast("waits", "Reload", null, Infinity)
      for (const text of ["one", "two", "three"]) toast(text)
    }""")
    assert page.locator("#toasts p").all_text_contents() == ["waits", "two", "three"]


def test_the_bridges_file_is_masked_until_asked(desk, visit):
    page = visit()
    setup(page, "bridge")
    file = page.locator("#bridge-config")
    expect(file).to_contain_text("PASSPHRASE : ***")
    expect(file).to_contain_text(f"API_PUT_SIGNAL : {desk.url}/v3/webhook")
    page.get_by_role("button", name="Show passphrase and key").click()
    expect(file).to_contain_text("PASSPHRASE : webhook")
    desk.poll()
    expect(page.locator("#bridge-seen")).to_contain_text("ago")


def test_the_bridges_file_is_copied_whole(desk, visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    setup(page, "bridge")
    page.get_by_role("button", name="Copy file").click()
    expect(toast(page)).to_contain_text("The file is copied")
    assert "PASSPHRASE : webhook" in page.evaluate("navigator.clipboard.readText()")


def test_a_failed_test_of_alarms_says_why(visit, new_desk):
    at = new_desk(alarm_urls=f"mailto://a:s3cret@127.0.0.1:{free_port()}?from=a@b.co&to=a@b.co")
    page = visit(at=at)
    setup(page, "alarms")
    expect(page.locator("#alarms")).to_contain_text("settings.local.toml")
    expect(page.locator("#alarms")).to_contain_text('alarm_urls = ["tgram://')
    page.get_by_role("button", name="Send a test", exact=True).click()
    expect(page.locator("#alarm-places li")).to_have_text(
        "1. mailto: did not take the test: nothing listens at that host and port."
    )
    expect(page.locator("#alarms")).not_to_contain_text("s3cret")


# Production asks once more

PRODUCTION = {
    "mode": "production",
    "passphrases": "a-long-passphrase",
    "admin_password": "long-123",
}


def test_production_asks_before_it_sends_and_its_login_shows_no_password(new_desk, visit):
    at = new_desk(**PRODUCTION)
    page = visit(None, at=at)
    page.goto("/login")
    expect(page.locator("#demo-login")).to_have_count(0)
    page = visit(at=at, password="long-123")
    setup(page, "simulator")
    form = page.locator("#simulator-form")
    fill(form, ticker="NOSUCH", order_contracts="3")
    form.get_by_role("button", name=SEND).click()
    expect(page.locator("#confirm")).to_contain_text("buy 3 contracts of NOSUCH.")
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    expect(page.locator("#simulator-status")).to_have_text("Check tells, and stores nothing.")
    form.get_by_role("button", name=SEND).click()
    confirm(page, SEND)
    expect(page.locator("#simulator-status")).to_contain_text("It is stored as error")


# The first start


def test_the_first_start_leads_to_a_waiting_signal_in_four_acts(visit, new_desk):
    at = new_desk()
    page = visit(None, at=at)
    page.goto("/login?next=/dashboard")
    page.get_by_role("button", name="Log in as admin").click()
    steps = page.locator("#start")
    expect(steps.locator("[data-done]")).to_have_count(1)
    expect(steps).to_contain_text("expires after 15 min, and no limits are set")
    page.locator("#start-register [name=text]").fill("nasdaq:aapl")
    page.keyboard.press("Enter")
    expect(page.locator("#start-register .understood")).to_contain_text("Stock AAPL.")
    page.keyboard.press("Enter")
    expect(steps.locator("[data-done]")).to_have_count(2)
    expect(steps).to_contain_text("Buy 1 AAPL. No bridge has polled yet")
    page.get_by_role("button", name="Send a test alert").click()
    expect(page.locator("#signals tbody tr")).to_contain_text("waiting")
    expect(page.locator("#steps")).to_contain_text("First start: connect the bridge")
    assert [each["order_status"] for each in at.signals()] == ["waiting"]
    page.goto("/setup")
    expect(steps.locator("[data-done]")).to_have_count(3)
    expect(steps.locator("[aria-current]")).to_contain_text("Connect the bridge")
    at.poll()
    expect(steps).to_be_hidden()
    page.reload()
    expect(page.locator("section#registry")).to_be_visible()
    expect(steps).to_be_hidden()


def test_what_is_left_of_the_first_start_is_a_line_that_can_be_dismissed(visit, new_desk):
    at = new_desk()
    for _ in range(3):
        at.alert(ticker="AAPL")
    page = visit(at=at, viewport={"width": 390, "height": 844})
    go(page, "/dashboard")
    line = page.locator("#steps")
    expect(line).to_contain_text("register a ticker and connect the bridge")
    expect(page.locator("#signals tbody tr").first).to_be_in_viewport(ratio=1)
    at.stock("AAPL")
    expect(line).to_contain_text("First start: connect the bridge")
    line.get_by_role("button", name="Dismiss").click()
    expect(line).to_be_hidden()
    go(page, "/dashboard")
    expect(line).to_be_hidden()
    page.evaluate("localStorage.clear()")
    go(page, "/dashboard")
    expect(line).to_be_visible()
    at.poll()
    expect(line).to_be_hidden()
    go(page, "/dashboard")
    expect(line).to_have_count(0)


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


def selected(card):
    """The part of the card's text that is selected."""
    return card.locator("textarea").evaluate(
        "text => text.value.slice(text.selectionStart, text.selectionEnd)"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"passphrase": "webhook", "ticker": "AAPL", "order_action": "hold"}', '"hold"'),
        ('{"passphrase": "webhook",\n "order_action": buy,\n "order_contracts": 3}', "buy"),
    ],
)
def test_a_rejected_alert_shows_the_place_of_its_fault(desk, visit, text, place):
    number = reject(desk, text)
    page = visit()
    setup(page, "rejected")
    card = page.locator(f'#rejected-list > li[data-id="{number}"]')
    card.get_by_role("button", name="Show:").first.click()
    assert place in selected(card)


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
