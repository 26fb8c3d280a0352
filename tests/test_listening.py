"""Restarts refuse no call, and a server can inherit its listening sockets."""

import asyncio
import contextlib
import http.client
import json
import signal
import socket
import threading
import time

import pytest
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.testing import bind_unused_port
from tornado.websocket import websocket_connect

import listening
from bench.processes import SERVER, Process, clean_environment
from tests.conftest import ON_SQLITE, PATIENCE, alert
from tests.test_processes import call, login, signals, start

needs_restart = pytest.mark.skipif(not listening.RESTART, reason="Windows cannot restart so")
ANSWERS = 30  # before a restart, and after it


class Poster(threading.Thread):
    """Sends alerts until it is told to end, each on a new connection; none may fail."""

    def __init__(self, port, post=None):
        super().__init__(daemon=True)
        self._post = post or (lambda body: call(port, "POST", "/v3/webhook", body))
        self.answers, self.problems, self.longest = [], [], 0.0
        self._stopped, self._more = False, threading.Condition()

    def run(self):
        while not self._stopped:
            begun = time.perf_counter()
            body = alert(alert_id=f"posted-{len(self.answers)}")
            try:
                status, answer = self._post(body)
            except (OSError, http.client.HTTPException) as problem:
                self.problems.append(repr(problem))
                return
            self.longest = max(self.longest, time.perf_counter() - begun)
            with self._more:
                self.answers.append((status, answer.get("rowid")))
                self._more.notify_all()

    def until(self, more):
        """Waits until `more` further alerts are answered."""
        goal = len(self.answers) + more
        with self._more:
            assert self._more.wait_for(lambda: len(self.answers) >= goal, PATIENCE), self.problems

    def end(self):
        """Stops sending; fails if an alert failed."""
        self._stopped = True
        self.join()
        assert self.problems == []


async def listen(port, after=""):
    """Opens a websocket; returns it and its first message, hello."""
    line = await websocket_connect(f"ws://127.0.0.1:{port}/ws/signals?after={after}")
    return line, json.loads(await line.read_message())


@pytest.mark.slow
@needs_restart
def test_a_restart_under_load_refuses_nobody_and_loses_nothing(tmp_path, record_property):
    server = start(tmp_path)
    token = login(server.port)
    poster = Poster(server.port)
    poster.start()
    poster.until(ANSWERS)

    async def restart():
        line, hello = await listen(server.port)
        server.send(listening.RESTART)
        seen = hello["event"]
        while (message := await line.read_message()) is not None:
            seen = json.loads(message)["event"]
        assert line.close_code == 1001
        line, hello = await listen(server.port, seen)  # waits in the backlog
        missed = [json.loads(await line.read_message())["event"] for _ in range(3)]
        line.close()
        return seen, missed

    seen, missed = asyncio.run(restart())
    poster.until(ANSWERS)
    poster.end()
    assert {status for status, _ in poster.answers} == {201}
    stored = {each["rowid"] for each in signals(server.port)}
    assert stored == {rowid for _, rowid in poster.answers}
    assert call(server.port, "GET", "/v3/users/0", token=token)[0] == 200, "sessions stay"
    assert missed == [seen + 1, seen + 2, seen + 3], "no event is missed"
    record_property("longest_wait", poster.longest)
    print(f"the longest wait was {poster.longest:.2f} s; a start took {server.start_seconds:.2f} s")
    assert poster.longest < 2 + 4 * server.start_seconds
    assert server.end() == 0
    assert "starts anew" in server.log.read_text()


@pytest.mark.slow
@needs_restart
def test_whoever_stops_a_server_that_restarts_stops_it(tmp_path):
    server = start(tmp_path)
    body = json.dumps(alert()).encode()
    head = f"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"

    async def stop():
        line, _ = await listen(server.port)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head.encode() + body[:10])
        await writer.drain()
        # When this request is answered, the server has begun to read the half one above.
        assert (await asyncio.to_thread(call, server.port, "GET", "/v3/totals"))[0] == 200
        server.send(listening.RESTART)
        assert await line.read_message() is None
        server.send(signal.SIGTERM)
        writer.write(body[10:])
        answer = await reader.readline()
        writer.close()
        return answer

    assert asyncio.run(stop()).split()[1] == b"201"
    assert server.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


@pytest.mark.slow
def test_a_caller_waits_for_the_next_server_on_an_inherited_socket(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as ours:
        number = ours.fileno()
        arguments = [SERVER, "--listen-fds", number]
        arguments += ["--database", f"sqlite:///{tmp_path}/process.db"]

        def inherit():
            log = tmp_path / "stderr.log"
            return Process(arguments, log, clean_environment(), pass_fds=[number])

        server = inherit()
        assert server.port == ours.getsockname()[1]
        assert call(server.port, "POST", "/v3/webhook", alert())[0] == 201
        server.end(signal.SIGKILL)
        with socket.create_connection(ours.getsockname(), timeout=30) as caller:
            caller.sendall(b"GET /v3/totals HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            server = inherit()
            assert caller.recv(100).startswith(b"HTTP/1.1 200")
        assert server.end() == 0


def test_a_descriptor_that_is_no_socket_is_refused_in_a_sentence(tmp_path):
    with (tmp_path / "file").open("w") as file, pytest.raises(OSError, match="socket"):
        listening.open_sockets("127.0.0.1", 0, [file.fileno()])


async def _whole_request(stream):
    await stream.write(b"GET /v3/totals HTTP/1.1\r\nHost: x\r\n\r\n")
    first = await stream.read_until(b"\r\n")
    headers = HTTPHeaders.parse((await stream.read_until(b"\r\n\r\n")).decode())
    await stream.read_bytes(int(headers["Content-Length"]))
    return first


_ALERT = json.dumps(alert()).encode()
_POST = b"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(_ALERT) + _ALERT


@pytest.fixture
def bounded(app):
    """A server of ours and its port."""
    ours, port = bind_unused_port()
    server = listening.BoundedServer(app)
    server.add_sockets([ours])
    yield server, port
    server.stop()
    server.hang_up()


@ON_SQLITE
@pytest.mark.gen_test
async def test_a_new_connection_is_given_the_time_to_ask(bounded, monkeypatch):
    monkeypatch.setattr(listening, "UNHEARD", 60)
    server, port = bounded
    silent, asking = [await TCPClient().connect("127.0.0.1", port) for _ in range(2)]
    assert await _whole_request(asking) == b"HTTP/1.1 200 OK\r\n"
    assert server.unheard() == 1
    assert await _whole_request(silent) == b"HTTP/1.1 200 OK\r\n"
    assert server.unheard() == 0
    late = await TCPClient().connect("127.0.0.1", port)
    assert await _whole_request(asking) == b"HTTP/1.1 200 OK\r\n"
    monkeypatch.setattr(listening, "UNHEARD", 0)
    assert server.unheard() == 0, "nobody waits long for one who does not ask"
    for stream in (silent, asking, late):
        stream.close()


@ON_SQLITE
@pytest.mark.gen_test
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /v3/totals HTTP/1.1\r\nHost: x\r\n",
        b"GET /v3/totals HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /static/js/api.js HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /v3/tot",
    ],
)
async def test_a_connection_that_asks_nothing_is_closed_in_time(bounded, sent):
    server, port = bounded
    quiet, asking = [await TCPClient().connect("127.0.0.1", port) for _ in range(2)]
    await quiet.write(sent)
    if b"\r\n\r\n" in sent:
        await quiet.read_until(b"\r\n\r\n")
    assert await _whole_request(asking) == b"HTTP/1.1 200 OK\r\n"
    server.hang_up_on_quiet()
    assert await _whole_request(asking) == b"HTTP/1.1 200 OK\r\n", "nobody was quiet for long"
    server.hang_up_on_quiet(0)
    await quiet.read_until_close()
    asking.close()


@ON_SQLITE
@pytest.mark.gen_test
async def test_an_answer_on_its_way_is_not_cut_off(bounded):
    server, port = bounded
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", port))
    ask = b"GET /v3/openapi.json HTTP/1.1\r\nHost: x\r\n"
    slow.sendall((ask + b"\r\n") * 50 + ask + b"Connection: close\r\n\r\n")
    while not any(stream.writing() for stream in server._open()):  # noqa: ASYNC110
        await asyncio.sleep(0)
    server.hang_up_on_quiet(0)
    received = await asyncio.to_thread(lambda: slow.makefile("rb").read())
    slow.close()
    assert received.count(b"HTTP/1.1 200 OK") == 51
    assert received.endswith(b"}")


@ON_SQLITE
@pytest.mark.gen_test
async def test_whoever_waits_for_an_answer_or_listens_is_not_quiet(bounded, app):
    server, port = bounded
    line, _ = await listen(port)
    asking = await TCPClient().connect("127.0.0.1", port)
    await asking.write(_POST)
    while not any(each.body is not None for each in app.in_hand):  # noqa: ASYNC110
        await asyncio.sleep(0)
    server.hang_up_on_quiet(0)
    assert await asking.read_until(b"\r\n") == b"HTTP/1.1 201 Created\r\n"
    assert json.loads(await line.read_message())["type"] == "signal.created"
    asking.close()
    line.close()


@pytest.fixture
def few(monkeypatch):
    """How many connections the server holds at most."""
    monkeypatch.setattr(listening, "most_connections", lambda: 20)
    return 20


@ON_SQLITE
@pytest.mark.gen_test
async def test_connections_that_ask_nothing_keep_nobody_out(few, bounded):
    _, port = bounded
    line, _ = await listen(port)
    left = []
    for _ in range(3):
        left += [await TCPClient().connect("127.0.0.1", port) for _ in range(few)]
        sender = await TCPClient().connect("127.0.0.1", port)
        await sender.write(_POST)
        assert await sender.read_until(b"\r\n") == b"HTTP/1.1 201 Created\r\n"
        assert json.loads(await line.read_message())["type"] == "signal.created"
        left.append(sender)
    for stream in (*left, line):
        stream.close()


@ON_SQLITE
@pytest.mark.gen_test
async def test_bodies_that_do_not_arrive_keep_nobody_out(few, bounded, app, monkeypatch):
    monkeypatch.setattr(listening, "HURRY", 0)
    _, port = bounded
    left = [await TCPClient().connect("127.0.0.1", port) for _ in range(few)]
    for stream in left:
        await stream.write(_POST[:-1])
    while len(app.in_hand) < few:  # noqa: ASYNC110
        await asyncio.sleep(0)
    sender = await TCPClient().connect("127.0.0.1", port)
    await sender.write(_POST)
    assert await sender.read_until(b"\r\n") == b"HTTP/1.1 201 Created\r\n"
    for stream in (*left, sender):
        stream.close()


@ON_SQLITE
@pytest.mark.gen_test
async def test_where_all_connections_are_in_use_the_next_is_closed(few, bounded):
    _, port = bounded
    lines = [(await listen(port))[0] for _ in range(few)]
    late = await TCPClient().connect("127.0.0.1", port)
    await late.read_until_close()
    lines.pop().close()
    status = None
    while status != b"HTTP/1.1 201 Created\r\n":
        sender = await TCPClient().connect("127.0.0.1", port)
        with contextlib.suppress(StreamClosedError):
            await sender.write(_POST)
            status = await sender.read_until(b"\r\n")
        sender.close()
    for line in lines:
        assert json.loads(await line.read_message())["type"] == "signal.created"
        line.close()
