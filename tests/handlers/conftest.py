"""A prepared demo database for each test, and servers that a test starts and stops itself."""

import contextlib
from functools import partial

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

import models
import security
import server
import settings
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


def prepared(url):
    """Fills a database as a demo's first start does: hashing passwords takes a while."""
    store = models.open_store(url)
    server.prepare_store(settings.load({"database": url}, {}))
    store.close()


def prepared_desk(url):
    """The same with the registry of `desk`."""
    prepared(url)
    with contextlib.closing(models.open_store(url)):
        for leg1, leg2, hedge, active in PAIRS:
            pair = {"ticker1": leg1, "ticker2": leg2, "hedge": hedge, "status": active}
            models.Pair.register(pair, "test")
        for symbol, active in STOCKS:
            models.Stock.register({"symbol": symbol, "active": active}, "test")


@pytest.fixture
def database_url(request, storage, tmp_path):
    """A prepared demo database, with a registry where the test asks for a desk."""
    fill = prepared_desk if "desk" in request.fixturenames else prepared
    with storage.fresh(tmp_path, fill) as url:
        yield url


@pytest.fixture
def desk(database_url):
    """A registry to trade with: active pairs and stocks, and a passive one of each."""


@contextlib.asynccontextmanager
async def running(conf):
    """A server on this database for as long as the block runs: its client."""
    store = models.open_store(conf.database, conf.synchronous)
    application = PairsApplication(conf, store, server.prepare_store(conf))
    store.close()
    application.start()
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
