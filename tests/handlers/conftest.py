"""A prepared demo database for each test, and servers that a test starts and stops itself."""

import contextlib
import shutil
from functools import partial

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

import models
import security
import server
import settings
from database import read_only
from handlers import PairsApplication
from tests.conftest import Api

PAIRS = [("NMFC", "ROIC", 0.72, 1), ("MA", "V", 3, 1), ("KO", "PEP", 1, 0)]
ACCOUNT = {
    "AvailableFunds": 80001.0,
    "BuyingPower": 320001.0,
    "GrossPositionValue": 20000.0,
    "MaintMarginReq": 5000.0,
    "NetLiquidation": 100000.0,
    "DailyPnL": 12.3,
    "RealizedPnL": 90.1,
    "UnrealizedPnL": -56.8,
}
STOCKS = [("AAPL", 1), ("BF B", 1), ("EUR.USD", 1), ("BTC.USD", 1), ("IBM", 0)]


@pytest.fixture
def overrides(request):
    """Settings of a test: `parametrize("overrides", [{...}], indirect=True)`."""
    return getattr(request, "param", {})


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A demo database after the first start: hashing its users' passwords takes a while."""
    file = tmp_path_factory.mktemp("prepared") / "demo.db"
    conf = settings.load({"database": f"sqlite:///{file}"}, {})
    store = models.open_store(conf.database)
    server.prepare_store(conf)
    store.close()
    return file


@pytest.fixture(scope="session")
def prepared_desk(prepared):
    """The same with the registry of `desk`."""
    file = shutil.copy(prepared, prepared.with_name("desk.db"))
    store = models.open_store(f"sqlite:///{file}")
    for leg1, leg2, hedge, active in PAIRS:
        pair = {"leg1": leg1, "leg2": leg2, "hedge": hedge, "active": active}
        models.Pair.register(pair, "test")
    for symbol, active in STOCKS:
        models.Stock.register({"symbol": symbol, "active": active}, "test")
    store.close()
    return file


@pytest.fixture
def database_url(request, tmp_path):
    """A copy of a prepared demo database, with a registry where the test asks for a desk."""
    name = "prepared_desk" if "desk" in request.fixturenames else "prepared"
    shutil.copy(request.getfixturevalue(name), tmp_path / "test.db")
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def desk(database_url):
    """A registry to trade with: active pairs and stocks, and a passive one of each."""


@contextlib.asynccontextmanager
async def running(conf):
    """A server on this database for as long as the block runs: its client."""
    store = models.open_store(conf.database, conf.synchronous)
    application = PairsApplication(conf, store, server.prepare_store(conf))
    store.close()
    read_only(store)
    application.writer.start()
    http = HTTPServer(application)
    socket, port = bind_unused_port()
    http.add_socket(socket)
    client = AsyncHTTPClient(force_instance=True)
    try:
        yield Api(client, f"http://127.0.0.1:{port}")
    finally:
        client.close()
        http.stop()
        await http.close_all_connections()
        await application.close()


@pytest.fixture
def serve(io_loop, conf):
    """`async with serve() as api` runs a server; the next one finds the same database."""
    return lambda **changes: running(conf.model_copy(update=changes))


class Callers:
    """Tokens and cookies of demo users, made without the cost of a login."""

    def __init__(self, app):
        self._app = app

    async def session(self, username, minutes=60, days=30):
        """A new session and its cookie's value."""
        cookie = security.random_id(256)
        user = models.User.find(username)
        start = partial(models.Session.start, user, minutes, days, cookie)
        return await self._app.writer.submit(start), cookie

    async def token(self, username="admin", *, fresh=True, seconds=3600, kind="access"):
        """An access token, also one that is not fresh or has expired."""
        session, _ = await self.session(username)
        key = self._app.token_key
        return security.issue(key, kind, username, session.id, seconds, fresh=fresh)

    async def revoked(self, username="admin"):
        """A token whose session has ended."""
        session, _ = await self.session(username)
        token = security.issue(self._app.token_key, "access", username, session.id, 3600)
        await self._app.writer.submit(partial(models.Session.end, session.id))
        return token


@pytest.fixture
def callers(app):
    """Tokens and cookies without a login."""
    return Callers(app)


@pytest.fixture
def admin(io_loop, callers):
    """A fresh token of an admin."""
    return io_loop.run_sync(callers.token)


@pytest.fixture
def plain_user(io_loop, callers):
    """A fresh token of a user who is no admin."""
    return io_loop.run_sync(partial(callers.token, "user1"))
