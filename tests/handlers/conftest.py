"""Fixtures: a prepared demo database for each test, and servers that a test starts itself."""

import contextlib
import json
import re
from functools import partial

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

import models
import security
import server
import settings
from database import opening
from handlers.app import PairsApplication
from services import access, registry
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


PASS = {"passphrase": "webhook"}


async def hold(api, symbol, position, cost=10.0, pnl=0):
    """Reports a position as the bridge does."""
    body = {"symbol": symbol, "active_pos": position, "active_cost": cost, "active_pnl": pnl}
    return await api.put("/v3/ticker/updatepnl", body | PASS)


def step(before, after, **fields):
    """The fields of an alert that takes the strategy from one signed position to another."""

    def word(position):
        return "long" if position > 0 else "short" if position else "flat"

    return {
        "order_action": "buy" if after > before else "sell",
        "order_contracts": abs(after - before),
        "mar_pos": word(after),
        "mar_pos_size": abs(after),
        "pre_mar_pos": word(before),
        "pre_mar_pos_size": abs(before),
        **fields,
    }


def carried(page):
    """What a page carries for its JavaScript."""
    text = re.search(r'<script type="application/json" id="page">(.*?)</script>', page.text)[1]
    return json.loads(text)


def prepared(url):
    """Fills a database as the first start of a demo does. Done once, because hashing is slow."""
    store = opening.open_database(url)
    server.prepare_store(settings.load({"database": url}, {}))
    store.close()


def prepared_desk(url):
    """Fills a database as `prepared` does, and adds the registry of `desk`."""
    prepared(url)
    with contextlib.closing(opening.open_database(url)):
        for leg1, leg2, hedge, active in PAIRS:
            pair = {"ticker1": leg1, "ticker2": leg2, "hedge": hedge, "status": active}
            registry.register_pair(pair, "test")
        for symbol, active in STOCKS:
            registry.register_stock({"symbol": symbol, "active": active}, "test")


@pytest.fixture
def fill(request):
    """Fills the database of a test, with a registry if the test uses `desk`."""
    return prepared_desk if "desk" in request.fixturenames else prepared


@pytest.fixture
def database_url(fill, storage, tmp_path):
    """The URL of a database that `fill` has filled."""
    with storage.fresh(tmp_path, fill) as url:
        yield url


@pytest.fixture
def desk(database_url):
    """Adds a registry to the database: active pairs and stocks, and a paused one of each."""


@contextlib.asynccontextmanager
async def running(conf):
    """Runs a server on this database for the block; gives its client."""
    store = opening.open_database(conf.database, conf.synchronous)
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
    """`async with serve() as api` runs a server; each one uses the same database."""
    return lambda **changes: running(conf.model_copy(update=changes))


class Callers:
    """Makes tokens and cookies of demo users without a login, which is slow."""

    def __init__(self, app):
        self._app = app

    async def session(self, username, minutes=60, days=30):
        """A new session, and the value of its cookie."""
        cookie = security.random_id(256)
        user = models.User.find(username)
        start = partial(access.start_session, user, minutes, days, cookie)
        return await self._app.writer.submit(start), cookie

    async def token(self, username="admin", *, fresh=True, seconds=3600, kind="access"):
        """A token; the arguments can make one that is not fresh or has expired."""
        session, _ = await self.session(username)
        key = self._app.token_key
        return security.issue(key, kind, username, session.id, seconds, fresh=fresh)

    async def revoked(self, username="admin"):
        """A token whose session has ended."""
        session, _ = await self.session(username)
        token = security.issue(self._app.token_key, "access", username, session.id, 3600)
        await self._app.writer.submit(partial(access.end_session, session.id))
        return token


@pytest.fixture
def callers(app):
    """Makes tokens and cookies without a login."""
    return Callers(app)


@pytest.fixture
def admin(io_loop, callers):
    """A fresh token of an administrator."""
    return io_loop.run_sync(callers.token)


@pytest.fixture
def plain_user(io_loop, callers):
    """A fresh token of a user who is not an administrator."""
    return io_loop.run_sync(partial(callers.token, "user1"))
