"""The dashboard in a browser: how soon it shows its rows, its weight, and how it bears changes.

`python -m bench.pages` opens it on 5,000 signals in Chromium: over a mobile network (`--latency` in
milliseconds, `--mbit`), then while `--rate` alerts a second come in for `--seconds`, then after a
restart of the server.
"""

import argparse
import http.client
import json
import threading
import time
from statistics import median

from playwright.sync_api import Page, sync_playwright

from bench.data import make
from bench.load import ALERT
from bench.processes import CHROMIUM, Process, running, scratch, server

STORED = 5000
# Notes when the first row stands in the page, when the page is live, and what has moved meanwhile.
WATCH = """(() => {
  window.seen = {}
  window.shift = 0
  new PerformanceObserver(list => { for (const { value } of list.getEntries()) shift += value })
    .observe({ type: "layout-shift", buffered: true })
  const look = () => {
    if (document.querySelector("#signals tbody tr td")) seen.row ??= performance.now()
    if (document.querySelector("#light")?.dataset.state === "live") seen.live ??= performance.now()
    if (!seen.row || !seen.live) requestAnimationFrame(look)
  }
  look()
})()"""
COUNT = """seconds => new Promise(tell => {
  const longest = []
  new PerformanceObserver(list => longest.push(...list.getEntries().map(each => each.duration)))
    .observe({ type: "longtask" })
  const begun = performance.now()
  let frames = 0
  const next = now => {
    frames += 1
    if (now - begun < seconds * 1000) requestAnimationFrame(next)
    else tell([frames / seconds, longest.length, Math.max(0, ...longest)])
  }
  requestAnimationFrame(next)
})"""


def post(port: int, count: int, rate: float) -> None:
    """Sends so many alerts at this rate, each answered before the next."""
    line = http.client.HTTPConnection("127.0.0.1", port)
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        line.request("POST", "/v3/webhook", json.dumps(ALERT | {"order_comment": f"{number}"}))
        line.getresponse().read()
    line.close()


def first_view(browser, url: str, latency: float, mbit: float) -> tuple:
    """Opens the dashboard with an empty cache: (requests, KB, first row ms, live ms, shift)."""
    page = opened(browser, url)
    session = page.context.new_cdp_session(page)
    asked, sizes = [], []
    session.send("Network.enable")
    session.on("Network.requestWillBeSent", lambda event: asked.append(event))
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    bits = mbit * 1e6 / 8
    network = {"offline": False, "latency": latency}
    network |= {"downloadThroughput": bits, "uploadThroughput": bits / 2}
    session.send("Network.emulateNetworkConditions", network)
    page.add_init_script(WATCH)
    page.goto("/dashboard")
    page.wait_for_function("() => seen.row && seen.live")
    page.wait_for_load_state("networkidle")
    seen, shift = page.evaluate("[seen, shift]")
    page.context.close()
    return len(asked), sum(sizes) / 1000, seen["row"], seen["live"], shift


def opened(browser, url: str) -> Page:
    """A page in a profile of its own, which is logged in."""
    context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
    form = {"username": "admin", "password": "123", "expire": 60}
    assert context.request.post("/v3/login", data=form).status == 200
    return context.new_page()


def heap(page: Page) -> float:
    """The memory of the page's objects in MB, after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6


def busy(page: Page, port: int, rate: float, seconds: float) -> None:
    """Prints how the page bears alerts at this rate, and then 5,500 more as fast as they go."""
    before = heap(page)
    sender = threading.Thread(target=post, args=(port, int(rate * seconds), rate))
    sender.start()
    frames, stalls, longest = page.evaluate(COUNT, seconds)
    sender.join()
    rows = page.locator("#signals tbody tr").count()
    print(
        f"{rate:g} alerts a second for {seconds:g} s: {frames:.0f} frames a second, "
        f"{stalls} tasks over 50 ms (longest {longest:.0f}), {rows} rows in the document"
    )
    post(port, 5500, 1e9)
    page.get_by_text("5499", exact=True).wait_for(timeout=120_000)
    print(f"memory of the page: {before:.1f} MB, after these and 5,500 more {heap(page):.1f} MB")


def restart(page: Page, desk: Process, start) -> Process:
    """Kills the server and starts it again; prints when the page is live."""
    desk.end(9)
    page.wait_for_function("() => document.querySelector('#light').dataset.state !== 'live'")
    again = start()
    begun = time.monotonic()
    page.wait_for_function("() => document.querySelector('#light').dataset.state === 'live'")
    print(f"live again {time.monotonic() - begun:.1f} s after the server listened")
    return again


def main() -> None:
    """Measures and prints."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--latency", type=float, default=40)
    asked.add_argument("--mbit", type=float, default=9)
    asked.add_argument("--rate", type=float, default=50)
    asked.add_argument("--seconds", type=float, default=60)
    given = asked.parse_args()
    with scratch() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        database = make(folder / "pages.db", STORED)
        desk = server(database)
        port = desk.port
        url = f"http://127.0.0.1:{port}"
        views = [first_view(browser, url, given.latency, given.mbit) for _ in range(7)]
        requests, size, row, live, shift = (median(each) for each in zip(*views, strict=True))
        print(
            f"first view, {given.mbit:g} Mbit/s, {given.latency:g} ms: {requests:g} requests, "
            f"{size:.0f} KB, first row {row:.0f} ms, live {live:.0f} ms, shift {shift:.4f}"
        )
        page = opened(browser, url)
        page.goto("/dashboard")
        page.get_by_role("button", name="Load older").click()
        busy(page, port, given.rate, given.seconds)
        with running(restart(page, desk, lambda: server(database, "--port", str(port)))):
            browser.close()


if __name__ == "__main__":
    main()
