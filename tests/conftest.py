"""Fixtures: the real application on a real database and a real port, and a small client for it."""

import contextlib
import gc
import getpass
import io
import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import argon2
import hypothesis
import orjson
import pytest
from hypothesis import configuration
from jinja2 import Environment, FileSystemBytecodeCache
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

import security
import server
import settings
from bench.processes import clean_environment
from database import opening
from handlers import gate, page, static
from handlers.app import PairsApplication
from tests import beside, documented
from tests.sockets import PATIENCE, Client
from tests.storage import SqliteFiles, postgres

AsyncHTTPClient.configure(
    "tornado.simple_httpclient.SimpleAsyncHTTPClient",
    max_clients=100,
    defaults={"connect_timeout": PATIENCE, "request_timeout": PATIENCE},
)
# `EFFORT=10 make test` tries ten times as many examples of each property.
EFFORT = float(os.environ.get("EFFORT", "1"))


def tries(count):
    """The number of examples: `count` times EFFORT, at least 1."""
    return max(1, round(count * EFFORT))


# No time limits, and no memory of earlier runs: a property holds or not, on any machine.
hypothesis.settings.register_profile(
    "ours",
    max_examples=tries(100),
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    print_blob=True,
)
hypothesis.settings.load_profile("ours")
# Hypothesis keeps its tables of Unicode and of our constants outside the project, for all runs.
configuration.set_hypothesis_home_dir(
    Path(tempfile.gettempdir(), f"hypothesis-{getpass.getuser()}")
)


class Api:
    """Calls the server under test; answers have .status, .headers, .text and .json.

    Each answer must agree with the API's document.
    """

    def __init__(self, client, base_url):
        self.base_url = base_url
        self._client = client

    async def call(self, method, path, body=None, token=None, raw=None, headers=None):
        """Sends a request and returns the answer; `body` is sent as JSON, `raw` as it is."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        request = HTTPRequest(
            self.base_url + path,
            method,
            headers,
            data,
            allow_nonstandard_methods=True,
            follow_redirects=False,
        )
        answer = await self._client.fetch(request, raise_error=False)
        if answer.code == 599:
            raise answer.error
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        told = SimpleNamespace(
            status=answer.code,
            headers=answer.headers,
            text=answer.body.decode("utf-8", "replace"),
            json=orjson.loads(answer.body) if is_json and answer.body else None,
        )
        documented.check(method, path, told)
        return told

    async def get(self, path, **more):
        return await self.call("GET", path, **more)

    async def post(self, path, body=None, **more):
        return await self.call("POST", path, body, **more)

    async def put(self, path, body=None, **more):
        return await self.call("PUT", path, body, **more)

    async def delete(self, path, **more):
        return await self.call("DELETE", path, **more)

    async def login(self, username="admin", password="123", expire=60):
        """Logs in; returns the answer's JSON: access_token, refresh_token, expire."""
        answer = await self.post(
            "/v3/login", {"username": username, "password": password, "expire": expire}
        )
        assert answer.status == 200, answer.text
        return answer.json

    async def token(self, username="admin"):
        """A fresh access token of a demo user."""
        return (await self.login(username))["access_token"]

    async def alert(self, headers=None, **fields):
        """Sends an alert with the passphrase and default values for the fields."""
        return await self.post("/v3/webhook", alert(**fields), headers=headers)

    async def register_pair(self, leg1="NMFC", leg2="ROIC", hedge=0.72, status=1):
        """Registers a pair, as administrator."""
        body = {"ticker1": leg1, "ticker2": leg2, "hedge": hedge, "status": status}
        answer = await self.post("/v3/regpair", body, token=await self.token())
        assert answer.status == 201, answer.text

    async def register_stock(self, symbol="AAPL", active=1):
        """Registers a stock, as administrator."""
        body = {"symbol": symbol, "active": active}
        answer = await self.post("/v3/regstock", body, token=await self.token())
        assert answer.status == 201, answer.text


def alert(**fields):
    """The body of an alert; a field that is None is left out."""
    body = {
        "passphrase": "webhook",
        "ticker": "NMFC-0.72*NASDAQ:ROIC",
        "order_action": "buy",
        "order_contracts": 100,
        "order_price": -0.01,
        "mar_pos": "long",
        "mar_pos_size": 100,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long",
    } | fields
    return {key: value for key, value in body.items() if value is not None}


# These modules begin first, so that at the end the run does not wait for one of them. Those with a
# browser stand together, because each worker starts its browser again after another module.
LONGEST = (
    *("test_upgrade.py", "test_demo.py", "test_fuzz.py", "test_lists.py", "test_several.py"),
    *("test_processes.py", "test_decisions.py", "test_demo_faults.py", "test_own_orders.py"),
    *("test_documents.py", "test_guards.py", "test_positions.py", "test_modes.py", "test_setup.py"),
    *("test_dashboard.py", "test_performance.py", "test_polling.py", "test_docs.py"),
)


def pytest_collection_finish():
    """Lets the garbage collector ignore the collected tests, and look at the others less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Puts the modules of LONGEST before the others."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session", autouse=True)
def nowhere(tmp_path_factory):
    """An empty directory in which tests run, without any settings in the environment."""
    folder = tmp_path_factory.mktemp("nowhere")
    with contextlib.chdir(folder), beside.watched(), pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(clean_environment()):
            patch.delenv(name)
        yield folder


PASSWORDS = {"HASHER": security.HASHER, "NOBODY": security.NOBODY}


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords():
    """Hashes passwords in a hundredth of the time; `costly_passwords` does it as the server."""
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "HASHER", hasher)
        patch.setattr(security, "NOBODY", hasher.hash("nobody"))
        yield


@pytest.fixture
def costly_passwords(monkeypatch):
    """Hashes passwords as the server does."""
    for name, real in PASSWORDS.items():
        monkeypatch.setattr(security, name, real)


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once(tmp_path_factory):
    """Compiles the pages' templates once for all applications."""
    compiled = FileSystemBytecodeCache(tmp_path_factory.mktemp("templates"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "Environment", partial(Environment, bytecode_cache=compiled))
        yield


@pytest.fixture(scope="session", autouse=True)
def files_read_once():
    """Reads the files of pages once for all applications."""
    read, shipped = static.files_of, static.files_of(static.STATIC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            static, "files_of", lambda folder: shipped if folder == static.STATIC else read(folder)
        )
        yield


@pytest.fixture(autouse=True)
def leaves_nothing(nowhere):
    """Fails a test that leaves a file in its directory, such as the database `data.db`."""
    yield
    left = [*nowhere.iterdir()]
    for path in left:
        path.unlink()
    assert left == []


@pytest.fixture(scope="session", autouse=True)
def limits_without_time():
    """Stops the clock of the limits, so that a slow machine does not allow more requests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "Bucket", partial(gate.Bucket, clock=lambda: 0.0))
        yield


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server for tests."""
    with postgres() as server:
        yield server


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def storage(request, tmp_path_factory):
    """Makes the databases. Each test that uses it runs on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql")
    return SqliteFiles(tmp_path_factory.mktemp("templates"))


# Marks for tests that need only one kind of database, or are about one kind.
ON_SQLITE = pytest.mark.parametrize("storage", ["sqlite"], indirect=True, scope="session")
ON_POSTGRESQL = pytest.mark.parametrize(
    "storage",
    [pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
    scope="session",
)


def migrated(url):
    """Makes the tables in a database by opening it once."""
    opening.open_database(url).close()


@pytest.fixture
def database_url(storage, tmp_path):
    """A new database without rows."""
    with storage.fresh(tmp_path, migrated) as url:
        yield url


@pytest.fixture
def overrides(request):
    """Settings for a test: `parametrize("overrides", [{...}], indirect=True)`."""
    return getattr(request, "param", {})


@pytest.fixture
def conf(database_url, overrides):
    """Demo settings on the test's database, which does not wait for the disk."""
    usual = {"database": database_url, "port": 0, "synchronous": "NORMAL"}
    return settings.load(usual | overrides, {})


@pytest.fixture
def store(conf):
    """The opened, migrated and prepared database."""
    database = opening.open_database(conf.database, conf.synchronous)
    yield database
    if not database.is_closed():
        database.close()


@pytest.fixture
def app(io_loop, conf, store):
    """The real application with its writer running."""
    token_key = server.prepare_store(conf)
    store.close()
    application = PairsApplication(conf, store, token_key)

    async def start():
        application.start()

    io_loop.run_sync(start)
    yield application
    io_loop.run_sync(application.close)


@pytest.fixture
def api(app, http_server, http_client, base_url):
    """A client of the application under test."""
    return Api(http_client, base_url)


@pytest.fixture
def connect(api, io_loop):
    """Opens websockets; takes headers, a token, and the event to begin after."""
    opened = []

    async def open_one(after=None, token=None, headers=None):
        url = api.base_url.replace("http", "ws", 1) + "/ws/signals"
        url += "" if after is None else f"?after={after}"
        headers = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        client = Client(await websocket_connect(HTTPRequest(url, headers=headers)))
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.connection.close()


@pytest.fixture
def greeted(connect):
    """Opens a websocket and reads its hello."""

    async def open_one(**named):
        client = await connect(**named)
        assert (await client.next())["type"] == "hello"
        return client

    return open_one


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs `python server.py ...` in this process: its .code, .out (stdout) and .said (stderr)."""

    def run(*arguments, text=None):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text or ""))
        capsys.readouterr()
        try:
            code = server.main([*map(str, arguments)])
        except SystemExit as end:
            code = end.code
        out, said = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, said=said)

    return run
