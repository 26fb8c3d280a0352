"""A server process, Chromium, and pages that are watched for what no page of ours may do."""

import contextlib
import json
import signal
import socket
import threading
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect, sync_playwright

from bench.data import make
from bench.processes import CHROMIUM, ROOT, clean_environment, server
from tests.browser.profiles import Profiles, Watch
from tests.conftest import PATIENCE, alert
from tests.handlers.conftest import ACCOUNT
from trading.alarms import KINDS

# Chromium without its own windows, tabs and menus, which take four fifths of the time, and with one
# process for all pages, because one for each takes a third of the rest.
SHELL = {
    "executable_path": "/usr/lib/chromium/chromium-headless-shell",
    "args": [*CHROMIUM["args"], "--renderer-process-limit=1"],
}
# A new alarm would move the things that a test is about to click. Tests of alarms turn them on.
NO_ALARMS = ",".join(KINDS)

expect.set_options(timeout=1000 * PATIENCE)


class Desk:
    """A server process on its own SQLite file, and calls of its REST interface."""

    def __init__(self, database, tree=ROOT, **settings):
        self.database = database
        self.tree = tree
        settings = {"alarms_off": NO_ALARMS} | settings
        self._settings = {f"PAIRS_{name.upper()}": str(value) for name, value in settings.items()}
        self._process, self._token, self.port = None, None, 0

    def start(self):
        """Starts the server; the second time on the same port."""
        environment = clean_environment(**self._settings)
        arguments = ("--port", str(self.port))
        self._process = server(self.database, *arguments, environment=environment, tree=self.tree)
        self.port = self._process.port
        return self

    def kill(self):
        """Kills the server."""
        self._process.end(signal.SIGKILL)

    def stop(self):
        """Stops the server. Fails if there is a traceback in its log."""
        self._process.end()
        log = self._process.log.read_text()
        assert "Traceback" not in log, log

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self):
        """A token of the administrator, which stays valid after a restart."""
        if not self._token:
            body = {"username": "admin", "password": "123", "expire": 60}
            self._token = self.call("POST", "/v3/login", body, token="").json["access_token"]
        return self._token

    def call(self, method, path, body=None, *, token=None, raw=None, headers=None):
        """Sends a request as administrator, or without a token if it is ""; returns the answer."""
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        headers = dict(headers or {})
        if token != "":
            headers["Authorization"] = f"Bearer {token or self.token}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            answer = opener.open(request, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return SimpleNamespace(
            status=answer.status,
            headers=answer.headers,
            text=text,
            json=json.loads(text) if is_json and text else None,
        )

    def ask(self, method, path, body=None, **more):
        """Sends a request and returns its JSON. Fails unless the status is 200 or 201."""
        answer = self.call(method, path, body, **more)
        assert answer.status in (200, 201), (method, path, answer.status, answer.text)
        return answer.json

    def get(self, path):
        return self.ask("GET", path)

    def alert(self, **fields):
        """Sends an alert as TradingView does; returns the rowid."""
        return self.ask("POST", "/v3/webhook", alert(**fields), token="")["rowid"]

    def revise(self, rowid, **fields):
        """Changes fields of a signal as the bridge does."""
        body = {"passphrase": "webhook", "rowid": rowid, **fields}
        return self.ask("PUT", "/v3/webhook", body, token="")

    def report(self, **fields):
        """Reports an order as the bridge does."""
        body = {"passphrase": "webhook", **fields}
        return self.ask("PUT", "/v3/signal/updateorder", body, token="")

    def signals(self, query=""):
        """All signals that match, newest first, as REST answers."""
        return self.get(f"/v3/signals/0?{query}")["signals"]

    def stock(self, symbol, active=1, **fields):
        return self.ask("PUT", "/v3/regstock", {"symbol": symbol, "active": active, **fields})

    def pair(self, leg1, leg2, hedge=1, status=1, **fields):
        body = {"ticker1": leg1, "ticker2": leg2, "hedge": hedge, "status": status, **fields}
        return self.ask("POST", "/v3/regpair", body)

    def hold(self, symbol, position, cost=10.0, pnl=0):
        """Reports a position as the bridge does."""
        body = {"active_pos": position, "active_cost": cost, "active_pnl": pnl}
        body |= {"passphrase": "webhook", "symbol": symbol}
        return self.ask("PUT", "/v3/ticker/updatepnl", body, token="")

    def account(self, rowid=None, **fields):
        """Reports the account as the bridge does, in a new record or in the one with this rowid."""
        body = ACCOUNT | {"passphrase": "webhook"} | fields
        if rowid is None:
            return self.ask("POST", "/v3/regpnl", body, token="")
        return self.ask("PUT", "/v3/regpnl", body | {"rowid": rowid}, token="")

    def poll(self):
        """Asks for the waiting signals as the bridge does."""
        return self.ask("GET", "/v3/signals/status/waiting/0", token="")

    def user(self, name, password="secret-123", admin=False):
        body = {"username": name, "password": password, "admin": admin}
        return self.ask("POST", "/v3/reguser", body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Wire:
    """A network between browsers and the server, which can be cut or made silent."""

    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ends = []
        self._whole = True
        self._flows = threading.Event()
        self._flows.set()
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self):
        """Breaks every connection, and allows no new one until `mend`."""
        self._whole = False
        self.snap()

    def snap(self):
        """Breaks every connection, but allows new ones."""
        ends, self._ends = self._ends[:], []  # a copy, without connections that are made now
        for end in ends:
            _hang_up(end)

    def mend(self):
        self._whole = True

    def silence(self):
        """Lets nothing arrive any more, but breaks no connection."""
        self._flows.clear()

    def resume(self):
        self._flows.set()

    def close(self):
        _hang_up(self._listener)
        self.cut()
        self.resume()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._whole:
                    self._join(near)
                else:
                    _hang_up(near)

    def _join(self, near):
        try:
            far = socket.create_connection(("127.0.0.1", self._target.port))
        except OSError:
            _hang_up(near)
            return
        self._ends += [near, far]
        for ends in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
        _hang_up(source)
        _hang_up(sink)


def _hang_up(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@pytest.fixture(scope="package")
def playwright():
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def start_browser(playwright):
    """Starts one more Chromium."""
    return lambda: playwright.chromium.launch(**SHELL)


@pytest.fixture(scope="package")
def browser(start_browser):
    # Not with the scope of the session: Playwright's loop must end before other tests start theirs.
    browser = start_browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def server_settings():
    """Settings of the module's server."""
    return {}


@pytest.fixture(scope="module")
def stored():
    """The number of signals that the module's server has at its start."""
    return 0


@pytest.fixture(scope="module")
def desk(tmp_path_factory, server_settings, stored):
    """The module's server: pairs NMFC-ROIC (0.72), MA-V (3), KO-PEP (0.5) and stock AAPL."""
    database = make(tmp_path_factory.mktemp("desk") / "desk.db", stored)
    desk = Desk(database, **server_settings).start()
    yield desk
    desk.stop()


@pytest.fixture
def open_desk(tmp_path):
    """Starts a server that belongs to the test: `open_desk(stored=20, replay_limit=5)`.

    With `stored=None` its database is new, with nothing registered.
    """
    desks = []

    def start(stored=0, **settings):
        database = tmp_path / f"{len(desks)}.db"
        if stored is not None:
            make(database, stored)
        desks.append(Desk(database, **settings).start())
        return desks[-1]

    yield start
    for desk in desks:
        desk.stop()


@pytest.fixture
def wire_to():
    """Makes a network in front of a server: `wire_to(desk)`."""
    wires = []

    def lay(desk):
        wires.append(Wire(desk))
        return wires[-1]

    yield lay
    for wire in wires:
        wire.close()


@pytest.fixture(scope="module")
def profiles(browser):
    """The module's profiles."""
    profiles = Profiles()
    yield profiles
    profiles.close()


@pytest.fixture
def visit(browser, profiles, request):
    """Opens a page in a browser profile: `visit("admin")` is logged in, `visit(None)` a visitor.

    `new=True` takes a profile that has loaded nothing yet; for other servers and browsers it is
    always new. The test fails if a page calls another site, opens a dialog or logs an error.
    """
    contexts, lent, watches = [], [], []

    def of_its_own(at, within, options):
        context = (within or browser).new_context(base_url=at.url, **options)
        contexts.append(context)
        watches.append(Watch(context, at.url))
        return context

    def shared(at, options):
        profile = profiles.take(browser, at.url, options)
        lent.append((options, *profile))
        watches.append(profile[1])
        return profile[0]

    def open_page(
        username="admin", *, at=None, password="123", expire=60, within=None, new=False, **options
    ):
        alone = at or within or new or not options.get("java_script_enabled", True)
        at = at or request.getfixturevalue("desk")
        context = of_its_own(at, within, options) if alone else shared(at, options)
        if username:
            form = {"username": username, "password": password, "expire": expire}
            answer = context.request.post("/v3/login", data=form)
            assert answer.status == 200, answer.text()
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    for profile in lent:
        profiles.give(*profile)
    assert [fault for watch in watches for fault in watch.faults] == []
