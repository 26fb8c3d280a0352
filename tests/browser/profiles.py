"""Browser profiles that are watched, and used by one test after the other."""

import itertools
import json
from collections import defaultdict

# What Chromium says of answers and lines that a test makes fail; faults of the page read otherwise.
EXPECTED = ("Failed to load resource:", "WebSocket connection to")


class Watch:
    """What the pages of a context did that no page of ours may do."""

    def __init__(self, context, origin):
        self.faults = []
        self._origin = origin
        context.on("request", lambda request: self._reached(request.url))
        context.on("page", lambda page: page.on("websocket", lambda line: self._reached(line.url)))
        context.on("dialog", self._asked)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"error: {error.error}"))

    def _reached(self, url):
        ours = (self._origin + "/", self._origin.replace("http", "ws", 1) + "/ws/", "data:")
        if not url.startswith(ours):
            self.faults.append(f"request to {url}")

    def _asked(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _said(self, message):
        if message.type == "error" and not message.text.startswith(EXPECTED):
            self.faults.append(f"console: {message.text}")


class Profiles:
    """Browser profiles on the module's server that one test leaves to the next, logged out.

    What a profile has loaded stays cached, which halves the work of the next test's first page.
    """

    def __init__(self):
        self._kept = defaultdict(list)

    def take(self, browser, url, options):
        """(context, watch, its blank page) of a profile that nobody uses."""
        kept = self._kept[json.dumps(options, sort_keys=True)]
        if kept:
            context, watch, blank = kept.pop()
            watch.faults.clear()
            return context, watch, blank
        context = browser.new_context(base_url=url, **options)
        watch = Watch(context, url)
        # While a page of the server is open, the next one finds its process still there.
        blank = context.new_page()
        blank.goto(f"{url}/healthz")
        return context, watch, blank

    def give(self, options, context, watch, blank):
        """Puts a profile back, unless a test has changed its clock."""
        for page in context.pages:
            if page is not blank:
                page.close()
        if not blank.evaluate("String(Date).includes('[native code]')"):
            context.close()
            return
        blank.evaluate("localStorage.clear()")
        context.clear_cookies()
        self._kept[json.dumps(options, sort_keys=True)].append((context, watch, blank))

    def close(self):
        for context, *_ in itertools.chain(*self._kept.values()):
            context.close()
