"""What holds on every page: hostile texts stay texts, headers, XSRF, accessibility, size."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.reading import WATCH_SHIFTS, go, row, violations_in_both_schemes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    *("/dashboard", "/list", "/positions", "/performance", "/pair/GDX-GLD"),
    *("/setup#registry", "/setup#rejected", "/setup#users", "/setup#account"),
)
HOSTILE = (
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "javascript:window.hacked=1",
    "\u202egnitlas\u202c {{7*7}} </template></table>",
)
# What the dashboard may cost a browser that has nothing of it yet; the bytes are compressed ones.
MOST_REQUESTS, MOST_BYTES = 24, 110_000


@pytest.fixture(scope="module")
def stored():
    return 40


@pytest.fixture(scope="module", autouse=True)
def hostile(desk):
    """The last signals, a pair's notes, a user and rejected alerts carry hostile texts."""
    rows = [desk.alert(order_comment=text, ticker=text[:40]) for text in HOSTILE]
    for rowid, text in zip(rows, HOSTILE, strict=True):
        desk.revise(rowid, status_msg=text, error_msg=text)
        desk.call("POST", "/v3/webhook", raw=f"webhook {text}".encode(), token="")
    desk.pair("GDX", "GLD", notes=HOSTILE[1])
    desk.user('<img/src="x">'.replace("/", ""))
    for text in HOSTILE:
        token = {"name": text.replace("\u202e", "").replace("\u202c", ""), "scope": "read"}
        desk.ask("POST", "/v3/tokens", token)
    return rows


@pytest.mark.parametrize("path", [*PAGES, "/positions?pair=" + quote(HOSTILE[1])])
def test_hostile_texts_are_shown_and_never_run(desk, visit, path):
    page = visit()
    go(page, path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.hacked") is None


def test_the_panel_of_a_hostile_signal_shows_it_letter_by_letter(desk, visit, hostile):
    page = visit()
    go(page, "/dashboard")
    for rowid, text in zip(hostile, HOSTILE, strict=True):
        row(page, rowid).click()
        expect(page.locator("#panel")).to_contain_text(text)
    assert page.evaluate("window.hacked") is None


def test_pages_and_static_files_carry_their_headers(desk):
    page = desk.call("GET", "/dashboard")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Server"] is None
    policy = page.headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    static = desk.call("GET", style)
    assert style.startswith("/static/")
    assert static.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert static.headers["X-Content-Type-Options"] == "nosniff"
    assert static.headers["Server"] is None


def test_a_cookie_alone_changes_nothing(desk, visit):
    page = visit()
    go(page, "/dashboard")
    send = """headers => fetch("/v3/regstock", {method: "POST", headers,
      body: JSON.stringify({symbol: "XSRF"})}).then(answer => answer.status)"""
    assert page.evaluate(send, {}) == 403
    token = page.locator("meta[name=xsrf-token]").get_attribute("content")
    assert page.evaluate(send, {"X-XSRFToken": token}) == 201


def test_the_dashboard_loads_little_and_lets_nothing_move(desk, visit):
    page = visit(new=True)
    page.add_init_script(f"({WATCH_SHIFTS})(true)")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    asked, sizes = [], []
    session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    go(page, "/dashboard")
    page.wait_for_load_state("networkidle")
    assert 15 < len(asked) <= MOST_REQUESTS, asked
    assert sum(sizes) <= MOST_BYTES
    assert not [url for url in asked if "/v3/signals" in url], "the page carries its first rows"
    assert page.evaluate("shift") == 0


def test_without_javascript_a_page_says_that_it_needs_it(desk, visit):
    page = visit(java_script_enabled=False)
    for path in ("/dashboard", "/list", "/positions", "/setup"):
        page.goto(path)
        expect(page.get_by_text("This page needs JavaScript")).to_be_visible()


# The last is a wide screen at 200 % zoom.
@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1440, 844, "light"), (390, 844, "dark"), (720, 450, "light")]
)
def test_no_page_has_an_accessibility_fault(desk, visit, width, height, scheme):
    # axe is put into the page as a script, which the pages' own policy refuses.
    options = {"color_scheme": scheme, "bypass_csp": True, "reduced_motion": "reduce"}
    page = visit(viewport={"width": width, "height": height}, **options)
    faults = {}
    for path in (
        *PAGES,
        "/setup#simulator",
        "/setup#template",
        "/setup#bridge",
        "/setup#limits",
        "/setup#alarms",
        "/nowhere",
    ):
        page.goto("about:blank")
        page.goto(desk.url + path)
        page.wait_for_load_state("networkidle")
        faults[path] = violations_in_both_schemes(page)
    go(page, "/dashboard")
    page.locator("#signals tbody tr[data-rowid]").first.click()
    expect(page.locator("#panel")).to_be_visible()
    page.wait_for_load_state("networkidle")
    faults["panel"] = violations_in_both_schemes(page)
    page.goto(desk.url + "/setup#registry")
    page.locator("#register [name=text]").fill("XOM-CVX")
    page.keyboard.press("Enter")
    expect(page.locator("#register .understood")).to_be_visible()
    faults["understood"] = violations_in_both_schemes(page)
    page.locator("#register [name=text]").fill("")
    page.get_by_role("button", name="Edit stock AAPL").click()
    faults["dialog"] = violations_in_both_schemes(page)
    assert {path: found for path, found in faults.items() if found} == {}


def test_the_empty_pages_and_the_login_have_no_accessibility_fault(open_desk, visit):
    empty = open_desk()
    page = visit(None, at=empty, bypass_csp=True, reduced_motion="reduce")
    for path in ("/dashboard", "/list", "/positions", "/login"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert violations_in_both_schemes(page) == []
