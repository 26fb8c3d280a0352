"""What holds on every page: hostile texts stay texts, headers, XSRF, accessibility, size."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.reading import go, row, violations_in_both_schemes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    *("/dashboard", "/list", "/positions"),
    *("/setup#pairs", "/setup#stocks", "/setup#rejected", "/setup#users", "/setup#account"),
)
HOSTILE = (
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "javascript:window.hacked=1",
    "\u202egnitlas\u202c {{7*7}} </template></table>",
)
SIZE = 64 * 1024  # bytes of the dashboard's own scripts and styles


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
    assert "?v=" in style
    assert "max-age=315360000" in static.headers["Cache-Control"]
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


def test_the_dashboards_own_files_stay_small(desk, visit):
    page = visit(new=True)
    sizes = {}

    def weigh(answer):
        if answer.url.partition("?")[0].endswith((".js", ".css")):
            sizes[answer.url] = len(answer.body())

    page.on("requestfinished", lambda request: weigh(request.response()))
    go(page, "/dashboard")
    page.wait_for_load_state("networkidle")
    assert len(sizes) > 10
    assert sum(sizes.values()) < SIZE


def test_the_first_rows_are_there_without_javascript(desk, visit):
    page = visit(java_script_enabled=False)
    page.goto("/dashboard")
    newest = [each["rowid"] for each in desk.signals("limit=20")]
    rows = page.locator("#signals tbody tr[data-rowid]")
    assert [int(each.get_attribute("data-rowid")) for each in rows.all()] == newest


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_no_page_has_an_accessibility_fault(desk, visit, width, scheme):
    # axe is put into the page as a script, which the pages' own policy refuses.
    options = {"color_scheme": scheme, "bypass_csp": True, "reduced_motion": "reduce"}
    page = visit(viewport={"width": width, "height": 844}, **options)
    faults = {}
    for path in (*PAGES, "/setup#simulator", "/setup#signals", "/setup#template", "/nowhere"):
        page.goto("about:blank")
        page.goto(desk.url + path)
        page.wait_for_load_state("networkidle")
        faults[path] = violations_in_both_schemes(page)
    go(page, "/dashboard")
    page.locator("#signals tbody tr[data-rowid]").first.click()
    expect(page.locator("#panel")).to_be_visible()
    page.wait_for_load_state("networkidle")
    faults["panel"] = violations_in_both_schemes(page)
    page.goto(desk.url + "/setup#pairs")
    page.get_by_role("button", name="Add pair").click()
    faults["dialog"] = violations_in_both_schemes(page)
    assert {path: found for path, found in faults.items() if found} == {}


def test_the_empty_pages_and_the_login_have_no_accessibility_fault(open_desk, visit):
    empty = open_desk()
    page = visit(None, at=empty, bypass_csp=True, reduced_motion="reduce")
    for path in ("/dashboard", "/list", "/positions", "/login"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert violations_in_both_schemes(page) == []
