"""Where a host holds no websocket open the page asks every few seconds, and says so."""

from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from tests.browser.reading import figure, go, is_live, row, same_as_rest, toast, wait_for_rows
from tests.deploy.proxies import proxy

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAUSE = 5000


@pytest.fixture
def desk(open_desk):
    return open_desk(stored=5, trusted_proxies="127.0.0.1")


def polls(page):
    """The status light says that the page polls, and nothing looks stale."""
    expect(page.locator("#light")).to_have_attribute("data-state", "polling")
    expect(page.locator("#light-words")).to_have_text("Polling every 5 s")
    expect(page.locator("#stale")).to_be_hidden()


def test_behind_a_host_without_websockets_the_page_polls_and_says_so(desk, visit):
    with proxy("poor", desk.port) as front:
        at = SimpleNamespace(url=f"https://127.0.0.1:{front.https}")
        pages = [visit(name, at=at, ignore_https_errors=True) for name in ("admin", None)]
        for page in pages:
            page.clock.install()
            page.goto("/dashboard")
            polls(page)
        rowid = desk.alert(ticker="AAPL", order_comment="polled")
        for page in pages:
            page.clock.fast_forward(PAUSE)
            expect(row(page, rowid)).to_be_visible()
        mine = pages[0]
        first = desk.signals()[2]["rowid"]
        desk.revise(first, order_status="canceled", status_msg="while polling")
        desk.ask("DELETE", f"/v3/signal/{rowid}")
        desk.poll()
        mine.clock.fast_forward(PAUSE)
        expect(row(mine, first).locator(".message")).to_have_text("while polling")
        expect(figure(mine, "bridge")).not_to_have_text("never")
        wait_for_rows(mine, 5)
        same_as_rest(mine, desk.signals())
        desk.kill()
        mine.clock.fast_forward(PAUSE)
        expect(mine.locator("#stale")).to_contain_text("Not live")
        desk.start()
        mine.clock.fast_forward(PAUSE)
        polls(mine)
        sessions = desk.get("/v3/sessions")["sessions"]
        (session,) = [each for each in sessions if not each["current"]]
        desk.ask("DELETE", f"/v3/session/{session['id']}")
        mine.clock.fast_forward(PAUSE)
        mine.wait_for_url("**/login?next=*")


def test_a_page_whose_files_are_gone_says_that_a_newer_version_is_installed(desk, visit):
    with proxy("poor", desk.port) as front:
        at = SimpleNamespace(url=f"https://127.0.0.1:{front.https}")
        page = visit(at=at, ignore_https_errors=True)
        page.route("**/polling.js", lambda route: route.fulfill(status=404))
        page.goto("/dashboard")
        expect(toast(page)).to_have_text("A newer version is installed.")


def test_alarms_show_without_a_websocket_too(open_desk, visit):
    desk = open_desk(stored=1, trusted_proxies="127.0.0.1", alarms_off="bridge,waiting")
    with proxy("poor", desk.port) as front:
        page = visit(
            at=SimpleNamespace(url=f"https://127.0.0.1:{front.https}"), ignore_https_errors=True
        )
        page.goto("/dashboard")
        polls(page)
        desk.alert(ticker="NOPE")
        expect(page.locator("#alarms")).to_contain_text("NOPE: the ticker is not registered")


def test_lines_that_break_off_again_and_again_are_helped_until_one_holds(desk, wire_to, visit):
    wire = wire_to(desk)
    page = visit(at=wire)
    page.clock.install()
    loaded = []
    page.on("request", lambda request: "polling" in request.url and loaded.append(request.url))
    go(page, "/dashboard")
    # However slow the machine is, no line lasts so long that it counts as one that holds.
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    for _ in range(6):
        assert loaded == [], "it is fetched where it is needed only"
        is_live(page)
        wire.snap()
        expect(page.locator("#light")).not_to_have_attribute("data-state", "live")
        page.clock.run_for(1000)
    polls(page)
    page.clock.resume()  # an answer may come after any step, and is followed by a pause
    rowid = desk.alert(ticker="AAPL", order_comment="once")
    expect(row(page, rowid)).to_have_count(1)
    is_live(page)
    same_as_rest(page, desk.signals())
