"""PostgreSQL stops, restarts or breaks connections under load; nothing is lost or stored twice."""

import asyncio
import contextlib
import socket
import threading
import time
from urllib.parse import quote

import pytest

import server as start
from tests.several import Browser, Senders, Servers, apis
from tests.storage import EmbeddedServer, PostgresServer
from tests.test_several import all_events, everything

pytestmark = [pytest.mark.postgresql, pytest.mark.slow, pytest.mark.gen_test(timeout=180)]

ALERTS = 60  # answered before and after each fault
RECOVERS_WITHIN = 5  # seconds after the database is back, plus what this machine needs for the work


@pytest.fixture(scope="module")
def embedded():
    """A PostgreSQL server of our own."""
    server = EmbeddedServer()
    yield server
    server.close()


@pytest.fixture
def database(embedded):
    """A new database on it: (a function that runs SQL on the server, its URL)."""
    commands = PostgresServer(embedded.url)
    with commands.empty() as url:
        yield commands, url


@pytest.fixture
def two(database, tmp_path):
    """Two processes on that database."""
    servers = Servers(database[1], tmp_path, 2)
    yield servers
    servers.end()


def hang_up(commands):
    """Ends all connections except its own, and waits until they have ended."""
    commands.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE datname LIKE 'pairs_test%' AND pid <> pg_backend_pid()"
    )


async def test_under_load_the_lines_are_cut_and_the_database_restarts(embedded, database, two):
    commands, clients = database[0], apis(two.ports)
    await clients[0].register_stock("AAPL")
    token = await clients[0].token()
    first = (await all_events(clients[0]))[-1]
    browsers = [Browser(port, token) for port in two.ports]
    lines = [await browser.connect(first) for browser in browsers]
    staying = [asyncio.ensure_future(b.stay(line)) for b, line in zip(browsers, lines, strict=True)]
    senders = Senders(clients)
    for _ in range(2):
        await senders.until(ALERTS)
        await asyncio.to_thread(hang_up, commands)
    await senders.until(ALERTS)
    await asyncio.to_thread(embedded.stop)
    while senders.answers[-1][0] != 503:
        await senders.until(1)
    refused = [await api.alert() for api in clients]
    assert [(a.status, a.headers["Retry-After"]) for a in refused] == [(503, "5")] * 2
    assert {(await api.get("/v3/signals/5")).status for api in clients} == {503}
    await asyncio.to_thread(embedded.start)
    back = time.monotonic()
    await senders.until(20)
    while senders.answers[-1][0] == 503:
        await senders.until(1)
    assert time.monotonic() - back < RECOVERS_WITHIN + 4 * two.start_seconds
    await senders.until(ALERTS)
    await senders.stop()
    senders.check(await everything(clients[0]))
    stored = await all_events(clients[1], first)
    assert len(stored) == senders.count
    for browser in browsers:
        await browser.until(stored[-1])
        assert browser.events == stored
    for task in staying:
        task.cancel()
    assert "level=error" not in two.logs()


async def test_lines_that_were_cut_while_nothing_happened_cost_no_alert(database, two):
    commands, [api, _] = database[0], apis(two.ports)
    token = await api.token()
    assert (await api.alert()).status == 201
    for _ in range(2):
        hang_up(commands)
        assert (await api.alert()).status == 201
        hang_up(commands)
        assert (await api.get("/v3/signals/3")).status == 200
    for path in ("/v3/signals/0", "/v3/events", "/v3/totals", "/v3/signals/5?q=AAPL"):
        assert (await api.get(path, token=token)).status == 200
        hang_up(commands)
        assert (await api.get(path, token=token)).status == 200


class Wire(threading.Thread):
    """A proxy in front of the database that can break a connection before a commit's answer."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.armed = threading.Event()
        self._path = path
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._path)
                for one, other, tapped in ((near, far, True), (far, near, False)):
                    args = (one, other, tapped)
                    threading.Thread(target=self._carry, args=args, daemon=True).start()

    def _carry(self, one, other, tapped):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if tapped and self.armed.is_set() and b"; COMMIT" in data:
                    self.armed.clear()
                    one.shutdown(socket.SHUT_RDWR)  # no answer can arrive; then send the commit
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def close(self):
        """Accepts no more connections."""
        self._listening.close()


@pytest.fixture
def wire(embedded):
    """A proxy that can break connections."""
    made = Wire(embedded.socket)
    made.start()
    yield made
    made.close()


async def test_a_commit_whose_answer_was_lost_is_not_stored_twice(
    embedded, database, wire, tmp_path
):
    name = database[1].split("?")[0].rsplit("/", 1)[1]
    servers = Servers(f"postgresql://postgres@127.0.0.1:{wire.port}/{name}", tmp_path, 1)
    try:
        [api] = apis(servers.ports)
        await api.register_stock("AAPL")
        browser = Browser(servers.ports[0])
        listening = asyncio.ensure_future(browser.listen(await browser.connect()))
        wire.armed.set()
        lost = await api.alert(ticker="AAPL", alert_id="x")
        assert lost.status == 503
        [signal] = await everything(api)
        again = await api.alert(ticker="AAPL", alert_id="x")
        assert (again.status, again.json["rowid"]) == (200, signal["rowid"])
        assert (await api.alert(ticker="AAPL", alert_id="y")).status == 201
        stored = await all_events(api)
        await browser.until(stored[-1])
        assert browser.events == stored[-2:], "both signals, each once"
        listening.cancel()
    finally:
        servers.end()


def test_a_database_that_is_away_at_the_start_is_one_sentence_without_its_password(capsys):
    [port] = [sock.getsockname()[1] for sock in [socket.create_server(("127.0.0.1", 0))]]
    url = f"postgres://someone:{quote('a secret?')}@127.0.0.1:{port}/desk"
    assert start.main(["--database", url, "--port", "0"]) == 2
    sentence = capsys.readouterr().err
    assert "postgres://127.0.0.1/desk cannot be used" in sentence
    assert sentence.count("\n") == 1
    assert "secret" not in sentence


def test_a_database_in_another_encoding_is_refused(embedded, capsys):
    commands = PostgresServer(embedded.url)
    commands.execute(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
    )
    assert start.main(["--database", commands.at("latin"), "--port", "0"]) == 2
    assert "The database must have the encoding UTF8, not LATIN1.\n" in capsys.readouterr().err
    commands.drop("latin")
