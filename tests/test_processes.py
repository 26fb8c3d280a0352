"""The server as a process: killed, stopped, started twice; its log contains no secrets."""

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import listening
from bench.processes import SERVER, Process, clean_environment
from database.opening import DatabaseRefused, claim
from server import GRACE
from tests.conftest import PATIENCE, alert
from tests.shell import shell

pytestmark = pytest.mark.slow

SENDERS = 8
ROUNDS = 3
KILL_AFTER = 120  # answers of one round


def start(tmp_path, *arguments, **environment):
    """A demo server on the test's database and a free port."""
    database = f"sqlite:///{tmp_path}/process.db"
    command = [SERVER, "--port", 0, "--database", database, *arguments]
    return Process(command, tmp_path / "stderr.log", clean_environment(**environment))


def call(port, method, path, body=None, token=None):
    """(status, JSON) of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request(method, path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def login(port):
    """A fresh admin token."""
    return call(port, "POST", "/v3/login", {"username": "admin", "password": "123"})[1][
        "access_token"
    ]


def signals(port):
    """All signals, newest first."""
    return call(port, "GET", "/v3/signals/0", token=login(port))[1]["signals"]


class Sender(threading.Thread):
    """Sends alerts with ids until the server is gone; sends an unanswered one again."""

    def __init__(self, key, port, first, answered):
        super().__init__()
        self.key, self.port, self.number, self.answered = key, port, first, answered

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            while True:
                alert_id = f"{self.key}-{self.number}"
                body = json.dumps(alert(alert_id=alert_id, order_comment=alert_id))
                connection.request("POST", "/v3/webhook", body)
                answer = connection.getresponse()
                self.answered.append((answer.status, alert_id, json.loads(answer.read())["rowid"]))
                self.number += 1
        except (OSError, http.client.HTTPException):
            connection.close()  # the server was killed: the next round repeats this alert


def test_nothing_answered_is_lost_when_the_server_is_killed_under_load(tmp_path):
    answered, numbers = [], dict.fromkeys(range(SENDERS), 0)
    for _ in range(ROUNDS):
        server = start(tmp_path)
        senders = [Sender(key, server.port, numbers[key], answered) for key in numbers]
        goal = len(answered) + KILL_AFTER
        for sender in senders:
            sender.start()
        while len(answered) < goal:
            senders[0].join(0.01)
        server.end(signal.SIGKILL)
        for sender in senders:
            sender.join()
            numbers[sender.key] = sender.number
    server = start(tmp_path)
    stored = {row["rowid"]: row["order_comment"] for row in signals(server.port)}
    assert {status for status, *_ in answered} <= {200, 201}
    assert all(stored[rowid] == alert_id for _, alert_id, rowid in answered)
    assert len(set(stored.values())) == len(stored), "an alert was stored twice"
    assert len(answered) >= ROUNDS * KILL_AFTER
    assert server.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_the_request_in_hand_and_exits_0(tmp_path, number):
    server = start(tmp_path)
    body = json.dumps(alert()).encode()
    head = f"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(head.encode() + body[:10])
        call(server.port, "GET", "/v3/stocks/0")  # the half request has been read by now
        server.send(number)
        until_refused(server.port)
        line.sendall(body[10:])
        assert line.recv(65536).startswith(b"HTTP/1.1 201 ")
    begun = time.monotonic()
    assert server.wait() == 0
    assert time.monotonic() - begun < GRACE, "nothing is waited for"
    again = start(tmp_path)
    assert len(signals(again.port)) == 1
    again.end()


def until_refused(port):
    """Waits until the server no longer listens."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
        except ConnectionError:
            return


def test_an_idle_connection_does_not_hold_up_the_stop(tmp_path):
    server = start(tmp_path)
    with socket.create_connection(("127.0.0.1", server.port)):
        begun = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - begun < GRACE, "nothing is waited for"


def test_a_sender_that_stalls_does_not_hold_up_the_stop_for_long(tmp_path):
    server = start(tmp_path)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(b"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        call(server.port, "GET", "/v3/stocks/0")  # the half request has been read by now
        begun = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - begun < GRACE + 4 * server.start_seconds


def test_a_stop_tells_those_who_listen(tmp_path):
    server = start(tmp_path)
    upgrade = (
        f"GET /ws/signals HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: c2l4dGVlbiBieXRlcyEhIQ==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(upgrade.encode())
        seen = b""
        while b'"hello"' not in seen:
            seen += line.recv(4096)
        begun = time.monotonic()
        server.send(signal.SIGTERM)
        while b"the server stops" not in seen:
            part = line.recv(4096)
            assert part, "hung up without a word"
            seen += part
    assert b"\x03\xe9the server stops" in seen, "code 1001"
    assert server.wait() == 0
    assert time.monotonic() - begun < GRACE, "nothing is waited for"


def test_two_servers_beside_each_other_share_nothing(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = map(start, folders)
    assert one.port != two.port
    assert call(one.port, "POST", "/v3/webhook", alert())[0] == 201
    assert (len(signals(one.port)), len(signals(two.port))) == (1, 0)
    assert [one.end(), two.end()] == [0, 0]


@pytest.fixture
def served(tmp_path):
    """A server on a database that can be reached by a link, and the names of this database."""
    folder, linked, file = tmp_path / "real", tmp_path / "linked", tmp_path / "link.db"
    folder.mkdir()
    linked.symlink_to(folder)
    server = start(folder)
    file.symlink_to(folder / "process.db")
    relative = os.path.relpath(folder / "process.db")
    yield server, [folder / "process.db", linked / "process.db", file, relative]
    assert server.end() == 0


def refused(database):
    """Whether a new server refuses this database at once, because another server has it."""
    done = shell("--port", 0, "--database", f"sqlite:///{database}")
    told = done.stderr.splitlines()
    return (done.returncode, len(told), "is served by another server" in told[-1]) == (2, 1, True)


def test_one_server_serves_an_sqlite_file_whatever_it_is_called(served):
    server, names = served
    assert [refused(name) for name in names] == [True] * len(names)
    assert call(server.port, "POST", "/v3/webhook", alert())[0] == 201


def test_the_tools_work_beside_a_running_server(served, tmp_path):
    _, (file, *_) = served
    for tool in (
        ["migrate"],
        ["prune", "--dry-run"],
        ["user", "list"],
        ["backup", tmp_path / "backup.jsonl.gz"],
    ):
        done = shell(*tool, "--database", f"sqlite:///{file}")
        assert done.returncode == 0, (tool, done.stderr)


@pytest.mark.skipif(not listening.RESTART, reason="Windows cannot restart so")
def test_a_server_that_starts_anew_keeps_its_database_and_a_killed_one_gives_it_up(tmp_path):
    server = start(tmp_path)
    for _ in range(2):
        server.send(listening.RESTART)
        with ThreadPoolExecutor(1) as pool:
            again = pool.submit(server.wait_until_it_listens)
            while not again.done():
                with pytest.raises(DatabaseRefused):
                    claim(f"sqlite:///{tmp_path}/process.db")
    server.end(signal.SIGKILL)
    assert start(tmp_path).end() == 0


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="glibc's memory")
def test_ten_logins_leave_no_more_than_70_megabytes_in_use(tmp_path):
    server = start(tmp_path)  # the first, which hashes the first users' passwords
    for _ in range(10):
        assert login(server.port)
    assert server.memory() <= 70
    assert server.end() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device")
def test_a_log_on_a_full_disk_costs_no_answer(tmp_path):
    database = f"sqlite:///{tmp_path}/process.db"
    server = Process([SERVER, "--port", 0, "--database", database], Path("/dev/full"))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.connect()
    connection.auto_open = False  # it lasts: an answer whose line cannot be written does not end it
    for rowid in (1, 2, 3):
        connection.request("POST", "/v3/webhook", json.dumps(alert()))
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["rowid"]) == (201, rowid)
    connection.close()
    if listening.RESTART:
        server.send(listening.RESTART)
        server.wait_until_it_listens()
    assert len(signals(server.port)) == 3
    assert server.end() == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux only")
def test_a_disk_that_is_full_costs_nothing_that_was_answered_and_may_be_free_again(tmp_path):
    server = start(tmp_path)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = tmp_path / "process.db-wal"
    stored = []
    for number in range(3):
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, most))
        refused = call(server.port, "POST", "/v3/webhook", alert(alert_id=str(number)))
        assert refused[0] == 503
        assert call(server.port, "GET", "/v3/signals/5")[0] == 200
        assert call(server.port, "GET", "/readyz")[0] == 503
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most, most))
        status, answer = call(server.port, "POST", "/v3/webhook", alert(alert_id=str(number)))
        assert status == 201
        stored.insert(0, answer["rowid"])
    assert [each["rowid"] for each in signals(server.port)] == stored
    assert server.end() == 0
    assert "Traceback" not in (tmp_path / "stderr.log").read_text()


CLOCK = f"""
import runpy, sys, time
from pathlib import Path
right, wrong = time.time, Path(sys.argv[1])
time.time = lambda: right() + int(wrong.readlink().name)
sys.argv = sys.argv[2:]
sys.path.insert(0, {str(SERVER.parent)!r})
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_what_is_done_now_and_then_goes_on_although_the_clock_is_set_back(tmp_path):
    wrong = tmp_path / "seconds"
    wrong.symlink_to("0")
    database = f"sqlite:///{tmp_path}/process.db"
    command = ["-c", CLOCK, wrong, SERVER, "--port", 0, "--database", database]
    environment = clean_environment(PAIRS_ENTRY_MINUTES="15")
    server = Process(command, tmp_path / "stderr.log", environment)
    stock = {"symbol": "AAPL", "active": 1}
    call(server.port, "POST", "/v3/regstock", stock, login(server.port))
    newest = server.port, "GET", "/v3/signals/1"
    for number, seconds in enumerate(("3600", "0", "1000")):
        # The second entry comes while the clock is an hour ahead, the third after it was set back.
        posted = call(server.port, "POST", "/v3/webhook", alert(ticker="AAPL"))
        assert posted[0] == 201
        (tmp_path / "next").symlink_to(seconds)
        (tmp_path / "next").replace(wrong)
        ends = time.monotonic() + PATIENCE
        while (found := call(*newest)[1]["signals"][0])["order_status"] == "waiting":
            assert time.monotonic() < ends, "nobody looked for entries that are too old"
        assert (found["rowid"], found["order_status"]) == (number + 1, "canceled")
    server.end()


def test_a_busy_port_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run(
            [sys.executable, SERVER, "--port", str(port)],
            env=clean_environment(
                PAIRS_DATABASE=f"sqlite:///{tmp_path}/x.db", PAIRS_LOG_LEVEL="error"
            ),
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert run.returncode == 1
    assert run.stderr == f"The server cannot listen on 127.0.0.1:{port}: Address already in use.\n"


def test_hosting_services_give_the_port_and_the_database(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database = tmp_path / "hosted.db"
    server = Process(
        [SERVER],
        tmp_path / "stderr.log",
        clean_environment(PORT=str(port), DATABASE_URL=f"sqlite:///{database}"),
    )
    assert (server.port, database.exists()) == (port, True)
    assert server.end() == 0


def test_the_log_never_holds_a_secret(tmp_path):
    secrets = ["my-own-passphrase", "wrong-passphrase-7", "wrong-password-9", "in-the-query-5"]
    server = start(tmp_path, PAIRS_PASSPHRASES=secrets[0], PAIRS_LOG_LEVEL="debug")
    port = server.port
    call(port, "POST", "/v3/webhook", alert(passphrase=secrets[0]))
    call(port, "POST", "/v3/webhook", alert(passphrase=secrets[0], order_contracts=None))
    call(port, "POST", "/v3/webhook", alert(passphrase=secrets[1]))
    call(port, "POST", "/v3/login", {"username": "admin", "password": secrets[2]})
    call(port, "POST", f"/v3/webhook?passphrase={secrets[3]}", {})
    _, tokens = call(port, "POST", "/v3/login", {"username": "admin", "password": "123"})
    call(port, "GET", "/v3/users/0", token=tokens["access_token"])
    call(port, "POST", "/v3/refresh", token=tokens["refresh_token"])
    call(port, "GET", "/v3/users/0", token="broken." + tokens["access_token"])
    server.end()
    log = server.log.read_text()
    assert log.count("path=/v3/webhook") == 4
    secrets += [tokens["access_token"], tokens["refresh_token"]]
    assert not [secret for secret in secrets if secret in log]


def test_a_production_servers_log_never_holds_its_own_secrets(tmp_path):
    secrets = {
        "PAIRS_PASSPHRASES": "the-true-passphrase",
        "PAIRS_ADMIN_PASSWORD": "the-true-password",
        "PAIRS_TOKEN_KEY": "the-true-key-of-all-tokens-0123456789",
    }
    server = start(tmp_path, PAIRS_MODE="production", PAIRS_LOG_LEVEL="debug", **secrets)
    port, (passphrase, password, _) = server.port, secrets.values()
    assert call(port, "POST", "/v3/webhook", alert(passphrase=passphrase))[0] == 201
    call(port, "GET", f"/v3/signals/1?passphrase={passphrase}")
    call(port, "GET", f"/v3/nowhere?password={password}")
    call(port, "PUT", "/v3/webhook", {"passphrase": passphrase, "rowid": 1, "order_comment": "x"})
    status, tokens = call(port, "POST", "/v3/login", {"username": "admin", "password": password})
    assert status == 200
    change = {"username": "admin", "old_password": password, "password": "another-password"}
    assert call(port, "PUT", "/v3/reguser", change, token=tokens["access_token"])[0] == 200
    template = call(port, "GET", "/v3/template?reveal=1", token=tokens["access_token"])[1]
    assert passphrase in template["template"]
    assert server.end() == 0
    log = server.log.read_text()
    assert "path=/v3/nowhere" in log
    hidden = [*secrets.values(), "another-password"]
    hidden += [tokens["access_token"], tokens["refresh_token"]]
    assert not [secret for secret in hidden if secret in log]
