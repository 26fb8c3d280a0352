"""A prepared demo database for each test, and servers that a test starts and stops itself."""

import contextlib
import shutil
from functools import partial

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

import models
import server
import settings
from database import read_only
from handlers import PairsApplication
from tests.conftest import Api


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A demo database after the first start: hashing its users' passwords takes a while."""
    file = tmp_path_factory.mktemp("prepared") / "demo.db"
    conf = settings.load({"database": f"sqlite:///{file}"}, {})
    store = models.open_store(conf.database)
    server.prepare_store(conf)
    store.close()
    return file


@pytest.fixture
def database_url(prepared, tmp_path):
    """A copy of the prepared demo database."""
    shutil.copy(prepared, tmp_path / "test.db")
    return f"sqlite:///{tmp_path}/test.db"


@contextlib.asynccontextmanager
async def running(conf):
    """A server on this database for as long as the block runs: its client."""
    store = models.open_store(conf.database, conf.synchronous)
    application = PairsApplication(conf, store, server.prepare_store(conf))
    store.close()
    read_only(store)
    application.writer.start()
    http = HTTPServer(application, xheaders=conf.trust_proxy)
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
    return partial(running, conf)
