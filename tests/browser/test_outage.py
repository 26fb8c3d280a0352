"""The server dies, the network breaks or falls silent, the page falls too far behind: it says so
and catches up, with every signal there once.
"""

import contextlib
import http.client
import queue
import threading

import pytest
from playwright.sync_api import expect

from tests.browser.reading import go, is_live, row, rowids, same_as_rest, wait_for_rows
from tests.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TALL = {"width": 1440, "height": 3600}  # every row is in the document
WATCH_LIGHT = """() => {
  const light = document.querySelector("#light")
  window.lights = [light.dataset.state]
  new MutationObserver(() => lights.push(light.dataset.state))
    .observe(light, { attributes: true, attributeFilter: ["data-state"] })
}"""
SENT, AWAY = 15, 10  # alerts around each death, and while the server is away


class Sender:
    """Sends the alerts it is told to; repeats each until it is answered, as TradingView does."""

    def __init__(self, desk):
        self._desk = desk
        self._told = queue.SimpleQueue()
        self._more = threading.Condition()
        self.count, self.answered = 0, []
        threading.Thread(target=self._send_all, daemon=True).start()

    def send(self, count):
        """Tells it to send so many more."""
        for number in range(self.count, self.count + count):
            self._told.put(f"repeated {number}")
        self.count += count

    def until(self, answers):
        """Returns once so many are answered in all."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.answered) >= answers, PATIENCE)

    def _send_all(self):
        while True:
            rowid = self._repeat(self._told.get())
            with self._more:
                self.answered.append(rowid)
                self._more.notify_all()

    def _repeat(self, comment):
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._desk.alert(ticker="AAPL", alert_id=comment, order_comment=comment)


def test_a_killed_server_comes_back_with_every_alert_once_and_the_table_equals_rest(
    open_desk, visit
):
    desk = open_desk(stored=5)
    assert desk.token
    page = visit(at=desk, viewport=TALL)
    go(page, "/dashboard")
    page.evaluate(WATCH_LIGHT)
    sender = Sender(desk)
    for _ in range(2):
        sender.send(SENT)
        sender.until(sender.count - SENT + 5)
        desk.kill()
        sender.send(AWAY)
        expect(page.locator("#light")).to_have_attribute("data-state", "reconnecting")
        expect(page.locator("#stale")).to_contain_text("Not live")
        desk.start()
        is_live(page)
    sender.until(sender.count)
    wait_for_rows(page, 5 + sender.count)
    signals = desk.signals()
    same_as_rest(page, signals)
    comments = [s["order_comment"] for s in signals[: sender.count]]
    assert comments == [f"repeated {n}" for n in reversed(range(sender.count))]
    assert sender.answered == [s["rowid"] for s in reversed(signals[: sender.count])]
    assert page.evaluate("lights") == ["live"] + ["reconnecting", "live"] * 2
    expect(page.locator("#stale")).to_be_hidden()


def test_a_page_that_was_offline_catches_up_in_order(open_desk, wire_to, visit):
    desk = open_desk(stored=5)
    wire = wire_to(desk)
    page = visit(at=wire, viewport=TALL)
    go(page, "/dashboard")
    first = rowids(page)[0]
    wire.cut()
    page.context.set_offline(True)
    expect(page.locator("#light")).to_have_attribute("data-state", "offline")
    expect(page.locator("#light-words")).to_contain_text("Offline since")
    rowid = [desk.alert(ticker="AAPL", order_comment=f"missed {n}") for n in range(30)][-1]
    desk.revise(first, order_status="canceled", status_msg="while away")
    desk.ask("DELETE", f"/v3/signal/{rowid}")
    wire.mend()
    page.context.set_offline(False)
    is_live(page)
    expect(row(page, first).locator(".message")).to_have_text("while away")
    wait_for_rows(page, 34)
    same_as_rest(page, desk.signals())


def test_a_page_too_far_behind_reloads_its_data_over_rest(open_desk, wire_to, visit):
    desk = open_desk(stored=55, replay_limit=10)
    wire = wire_to(desk)
    page = visit(at=wire, viewport=TALL)
    go(page, "/dashboard")
    page.evaluate("window.untouched = true")
    fetched = []
    page.on("request", lambda request: "/v3/signals/" in request.url and fetched.append(request))
    wire.cut()
    page.context.set_offline(True)
    expect(page.locator("#light")).to_have_attribute("data-state", "offline")
    gone, changed = rowids(page)[0], rowids(page)[1]
    for n in range(12):
        rowid = desk.alert(ticker="AAPL", order_comment=f"far behind {n}")
    desk.revise(changed, order_status="canceled", status_msg="far behind")
    desk.ask("DELETE", f"/v3/signal/{gone}")
    wire.mend()
    page.context.set_offline(False)
    expect(row(page, rowid)).to_be_visible()
    is_live(page)
    wait_for_rows(page, 50)
    same_as_rest(page, desk.signals()[:50])
    expect(row(page, gone)).to_have_count(0)
    assert len(fetched) == 1
    assert page.evaluate("untouched")
    later = desk.alert(ticker="AAPL", order_comment="live again")
    expect(row(page, later)).to_be_visible()


def test_a_visitor_catches_up_on_a_hundred_events_and_reloads_beyond(open_desk, wire_to, visit):
    desk = open_desk(stored=5)
    wire = wire_to(desk)
    page = visit(None, at=wire)
    go(page, "/dashboard")
    for missed in (3, 103):
        wire.cut()
        expect(page.locator("#light")).to_have_attribute("data-state", "reconnecting")
        for n in range(missed):
            desk.alert(ticker="AAPL", order_comment=f"visitor missed {n} of {missed}")
        wire.mend()
        page.evaluate("window.dispatchEvent(new Event('online'))")
        is_live(page)
        wait_for_rows(page, 5)
        expect(row(page, desk.signals()[0]["rowid"])).to_be_visible()
        same_as_rest(page, desk.signals()[:5])


def test_a_line_that_falls_silent_is_noticed_without_an_error(open_desk, wire_to, visit):
    desk = open_desk(stored=5)
    wire = wire_to(desk)
    page = visit(at=wire)
    page.clock.install()
    go(page, "/dashboard")
    wire.silence()
    page.clock.fast_forward(26_000)
    page.clock.fast_forward(11_000)
    expect(page.locator("#light")).not_to_have_attribute("data-state", "live")
    expect(page.locator("#stale")).to_be_visible()
    rowid = desk.alert(ticker="AAPL", order_comment="said in silence")
    wire.resume()
    page.clock.fast_forward(30_000)
    is_live(page)
    expect(row(page, rowid)).to_be_visible()


def test_after_a_while_the_light_says_since_when_the_page_is_offline(open_desk, wire_to, visit):
    desk = open_desk(stored=5)
    wire = wire_to(desk)
    page = visit(at=wire, timezone_id="America/New_York")
    page.clock.install()
    go(page, "/dashboard")
    wire.cut()
    expect(page.locator("#light")).to_have_attribute("data-state", "reconnecting")
    expect(page.locator("#light-words")).to_contain_text("Reconnecting")
    page.clock.run_for(16_000)
    expect(page.locator("#light")).to_have_attribute("data-state", "offline")
    since = page.locator("#stale").inner_text().rpartition(" ")[2]
    expect(page.locator("#light-words")).to_have_text(f"Offline since {since}")
    assert page.title().startswith("Offline")
    wire.mend()
    page.clock.run_for(31_000)
    is_live(page)
    assert not page.title().startswith("Offline")


WATCH_TRIES = """
  window.tries = []
  window.breaks = []
  const Line = WebSocket
  window.WebSocket = class extends Line {
    constructor(...given) {
      super(...given)
      tries.push(Date.now())
      this.addEventListener("close", () => breaks.push(Date.now()))
    }
  }"""
STEP = 500


def waits(page, count):
    """Milliseconds from each loss of the line to the next try."""
    for tried in range(1, count + 1):
        page.wait_for_function("count => breaks.length >= count", arg=tried)
        while page.evaluate("tries.length") <= tried:
            page.clock.run_for(STEP)
    tries, breaks = page.evaluate("[tries, breaks]")
    return [
        after - broken for broken, after in zip(breaks[:count], tries[1 : count + 1], strict=True)
    ]


def test_pages_wait_longer_after_each_try_and_not_all_alike(desk, wire_to, visit):
    wire = wire_to(desk)
    pages = [visit(None, at=wire) for _ in range(2)]
    for page in pages:
        page.clock.install()
        page.add_init_script(WATCH_TRIES)
        go(page, "/dashboard")
        page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    wire.cut()
    waited = [waits(page, 7) for page in pages]
    for each in waited:
        for tried, wait in enumerate(each):
            most = min(30_000, 1000 * 2**tried)
            assert most / 2 - STEP <= wait <= most + STEP
    assert waited[0] != waited[1]
