"""The files of docs/ read in a browser: beside their contents, in a measure that one can read."""

import pytest
from playwright.sync_api import expect

from handlers.documents import NAMES
from tests.browser.reading import violations_in_both_schemes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHIFTS = """() => { window.shifts = 0
  new PerformanceObserver(list => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifts += each.value
  }).observe({ type: "layout-shift", buffered: true })
}"""


def test_one_goes_from_document_to_document_by_the_contents(desk, visit):
    page = visit(None)
    page.goto("/docs")
    documents = page.get_by_role("navigation", name="Documents")
    documents.get_by_role("link", name="What the words mean").click()
    expect(page).to_have_url(f"{desk.url}/docs/concepts")
    expect(page.locator("article h1")).to_have_text("What the words mean")
    expect(documents.locator("[aria-current=page]")).to_have_text("What the words mean")


def test_a_line_is_not_too_long_and_code_scrolls_in_its_own_box_by_keyboard(desk, visit):
    page = visit(viewport={"width": 390, "height": 844})
    page.goto("/docs/guide")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    code = page.locator("article pre").filter(has_text="TOKEN=").first
    code.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.activeElement.scrollLeft > 0")
    page.set_viewport_size({"width": 1440, "height": 900})
    wide = page.evaluate("""() => {
      const probe = document.createElement("p")
      probe.textContent = "0".repeat(71)
      probe.style.width = "max-content"
      document.querySelector("article").append(probe)
      return document.querySelector("article p").clientWidth <= probe.clientWidth
    }""")
    assert wide


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_no_document_has_an_accessibility_fault(desk, visit, width, scheme):
    options = {"color_scheme": scheme, "bypass_csp": True, "reduced_motion": "reduce"}
    page = visit(viewport={"width": width, "height": 844}, **options)
    faults = {}
    for name in (*NAMES, "nothing"):
        page.goto(f"/docs/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        faults[name] = violations_in_both_schemes(page)
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("path", ["/docs", "/docs/guide", "/docs#websocket"])
def test_nothing_moves_when_the_viewer_or_a_picture_arrives(desk, visit, path):
    page = visit()
    page.add_init_script(f"({SHIFTS})()")
    page.goto(path)
    page.wait_for_load_state("networkidle")
    if path != "/docs/guide":
        expect(page.locator(".opblock").first).to_be_attached()
        expect(page.locator("#viewer-waits")).to_have_count(0)
    if path.endswith("#websocket"):
        expect(page.get_by_role("heading", name="Websocket")).to_be_in_viewport()
    assert page.evaluate("window.shifts") < 0.01


def test_chromium_takes_the_manifest_and_finds_its_icons(desk, visit):
    page = visit()
    page.goto("/dashboard")
    told = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert told["errors"] == []
    assert told["url"].endswith("/manifest.webmanifest")
    manifest = told["manifest"]
    assert manifest["startUrl"] == f"{desk.url}/dashboard"
    assert manifest["display"].lower().endswith("standalone")
    for icon in manifest["icons"]:
        answer = page.request.get(icon["url"])
        assert (answer.status, answer.headers["content-type"]) == (200, icon["type"])
    apple = page.locator("link[rel=apple-touch-icon]").get_attribute("href")
    assert page.request.get(apple).status == 200
