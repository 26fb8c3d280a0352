"""Browser profiles that are watched, and that one test after the other uses."""

import itertools
import json
from collections import defaultdict

# How Chromium's messages begin if a test makes an answer or a websocket fail; these are no faults.
EXPECTED = ("Failed to load resource:", "WebSocket connection to")


class Watch:
    """Notes what the pages of a context do that no page of ours may do."""

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
    """Browser profiles for the module's server, logged out, that the next test uses again.

    The files that a profile has loaded stay in its cache, which halves the work of the next test's
    first page.
    """

    def __init__(self):
        self._kept = defaultdict(list)

    def take(self, browser, url, options):
        """A free profile, or a new one: (context, watch, its blank page)."""
        kept = self._kept[json.dumps(options, sort_keys=True)]
        if kept:
            context, watch, blank = kept.pop()
            watch.faults.clear()
            return context, watch, blank
        context = browser.new_context(base_url=url, **options)
        watch = Watch(context, url)
        # An open page of the server keeps the browser's process for it alive for the next page.
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
