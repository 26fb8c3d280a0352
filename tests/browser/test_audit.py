"""The audit page: what it shows to whom, filters, pages, export, hostile texts, accessibility."""

import csv
import io

import pytest
from playwright.sync_api import expect

from tests.browser.reading import violations_in_both_schemes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOSTILE = (
    "<img/src=x/onerror='window.hacked=1'>",
    '"><script>window.hacked=1</script>',
    "{{7*7}}{%raw%}</tbody></table>",
)


@pytest.fixture(scope="module", autouse=True)
def acts(desk):
    """Users, tokens and a registry with hostile names, refusals and a failed login."""
    for text in HOSTILE:
        desk.ask("POST", "/v3/tokens", {"name": text, "scope": "read"})
        desk.ask("POST", "/v3/passphrases", {"label": text.replace("/", "-").replace(" ", "")})
    desk.pair("GDX", "GLD", notes=HOSTILE[0])
    desk.ask("PUT", "/v3/regpair", {"name": "GDX-GLD", "hedge": 2.5})
    for _ in range(3):
        desk.call("PUT", "/v3/price", {"passphrase": "x"}, token="")
    desk.call("POST", "/v3/login", {"username": "user1", "password": "x"}, token="")


def rows(page):
    return page.locator("#audit-table tbody tr")


def test_the_audit_is_reached_from_the_menu_and_tells_who_did_what(desk, visit):
    page = visit()
    page.goto("/dashboard")
    page.locator("#user summary").click()
    page.locator("#user").get_by_role("link", name="Audit").click()
    page.wait_for_url("**/audit")
    expect(rows(page).filter(has_text="Added pair GDX-GLD")).to_contain_text("admin")
    changed = rows(page).filter(has_text="Changed pair GDX-GLD")
    expect(changed).to_contain_text("hedge: 1")
    expect(changed).to_contain_text("2.5")
    expect(changed).to_contain_text("127.0.0.1")
    expect(rows(page).filter(has_text="Wrong passphrase")).to_contain_text("3 times")
    expect(rows(page).filter(has_text="Wrong user name or password")).to_contain_text("user1")


def test_hostile_texts_stay_texts(desk, visit):
    page = visit()
    page.goto("/audit")
    for text in HOSTILE:
        expect(rows(page).filter(has_text="Made API token").filter(has_text=text)).to_have_count(1)
    page.goto("/audit?who=" + '"><script>window.hacked=1</script>')
    expect(page.locator("[name=who]")).to_have_value('"><script>window.hacked=1</script>')
    assert page.evaluate("window.hacked") is None


def test_the_audit_is_filtered_and_exported_as_filtered(desk, visit):
    page = visit()
    page.goto("/audit")
    page.get_by_label("What").select_option("registry")
    page.get_by_label("User or address").fill("admin")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/audit?who=admin&what=registry*")
    shown = rows(page).count()
    expect(rows(page).filter(has_not_text="pair").filter(has_not_text="stock")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    sheet = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert len(sheet) == shown
    assert {row["what"].partition(".")[0] for row in sheet} == {"stock", "pair"}
    page.get_by_label("From").fill("2999-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nothing here")).to_be_visible()
    page.get_by_role("link", name="Show everything").click()
    page.wait_for_url("**/audit")
    page.goto("/audit?start_date=nonsense")
    expect(page.locator("#problem-start_date")).to_be_visible()


def test_the_audit_is_read_page_by_page(open_desk, visit):
    desk = open_desk()
    for number in range(105):
        desk.stock(f"S{number}")
    page = visit(at=desk)
    page.goto("/audit?what=registry")
    expect(rows(page)).to_have_count(100)
    expect(rows(page).first).to_contain_text("S104")
    page.get_by_role("link", name="Older").click()
    expect(rows(page)).to_have_count(5)
    expect(rows(page).last).to_contain_text("S0")
    page.get_by_role("link", name="Newest").click()
    expect(rows(page)).to_have_count(100)


def test_who_is_no_admin_neither_sees_it_nor_a_way_to_it(desk, visit):
    page = visit("user1")
    answer = page.goto("/audit")
    assert answer.status == 403
    expect(page.locator("#audit-table")).to_have_count(0)
    page.goto("/setup")
    expect(page.locator('a[href="/audit"]')).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_audit_has_no_accessibility_fault(desk, visit, width, scheme):
    size = {"width": width, "height": 844}
    page = visit(viewport=size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    for path in ("/audit", "/audit?who=nobody", "/audit?end_date=x"):
        page.goto(path)
        assert violations_in_both_schemes(page) == [], path
    assert page.evaluate("document.documentElement.scrollWidth") <= width
