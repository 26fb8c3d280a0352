"""doctor: every line with what provokes it, the exit code, and that it tells no secret."""

import re
import shutil
import socket
import sqlite3
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

import models
import security
from bench.processes import running, server
from commands import doctor
from database import opening
from database.opening import proxy
from services import access, account, events, registry
from services.events import LAST_BACKUP
from settings import DEMO_PASSWORD
from tests.conftest import ON_POSTGRESQL
from tests.ports import free_port
from tests.receiving import receive_one
from trading import instants

DAY = 86400
SECRETS = {
    "passphrases": ["a passphrase of ours"],
    "bridge_keys": ["a-key-of-the-bridge"],
    "admin_password": "a good password",
    "token_key": "k" * 40,
}
SAFE = {
    "mode": "production",
    "url": "https://pairs.example.com",
    "trusted_proxies": ["127.0.0.1"],
    **SECRETS,
}
HASH = security.hash_password("a good password")


@pytest.fixture
def place():
    """A folder that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="pairs-doctor-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def examine(place, command):
    """`examine(mode=...)`: doctor's exit code and {subject: [(level, text)]}; tells no secret."""

    def look(*arguments, database=None, **changes):
        conf = {"port": free_port(), **SAFE, **changes}
        conf["database"] = database or f"sqlite:///{place}/data.db"
        lines = [f"{key} = {value!r}" for key, value in conf.items() if value is not None]
        file = place / "ours.toml"
        file.touch(mode=0o600)
        file.write_text("\n".join(lines))
        done = command("doctor", "--settings", file, *arguments)
        assert "Traceback" not in done.out + done.said
        for secret in (*map(str, SECRETS.values()), "s3cret"):
            assert secret.strip("[]'") not in done.out + done.said
        found = {}
        for line in done.out.splitlines():
            level, subject, text = re.fullmatch(r"(ok|warning|problem) +(\w+): (.*)", line).groups()
            found.setdefault(subject, []).append((level, text))
        return SimpleNamespace(code=done.code, found=found)

    return look


def level(told, subject, containing=""):
    """The level of the one line of a subject that holds the text."""
    (one,) = [each for each in told.found[subject] if containing in each[1]]
    return one[0]


@pytest.fixture
def store(place):
    """A production database in order: an administrator, an alert, a poll, a backup of today."""
    database = opening.open_database(f"sqlite:///{place}/data.db")
    access.register_user("admin", HASH, admin=True)
    receive_one({"ticker": "AAPL", "order_action": "buy", "order_contracts": 1.0}, "webhook")
    account.saw_bridge(instants.now(), stores=True)
    events.note(LAST_BACKUP, instants.now())
    yield models
    proxy.close()
    database.close()


def test_where_all_is_well_every_line_says_so(store, examine):
    told = examine()
    assert {each for lines in told.found.values() for each, _ in lines} == {"ok"}, told.found
    assert told.code == 0
    subjects = "settings files disk port proxy bridge database migrations clock users passphrase"
    assert set(told.found) == {*subjects.split(), "callers", "backup", "alerts"}


def test_a_wrong_setting_is_one_line_and_exit_code_2(examine):
    told = examine(port=70000)
    assert (told.code, list(told.found)) == (2, ["settings"])
    assert level(told, "settings", "port must be") == "problem"


@pytest.mark.parametrize(("mode", "worse"), [("production", "problem"), ("demo", "warning")])
def test_files_that_others_can_read(store, place, examine, mode, worse):
    (place / "data.db").chmod(0o644)
    told = examine(mode=mode)
    assert level(told, "files", f"chmod o-r {place.resolve()}/data.db") == worse
    assert told.code == int(worse == "problem")


@pytest.mark.parametrize(("limit", "worse"), [("LITTLE", "warning"), ("LEAST", "problem")])
def test_a_disk_that_is_nearly_full(store, examine, monkeypatch, limit, worse):
    monkeypatch.setattr(doctor, limit, float("inf"))
    told = examine()
    assert (level(told, "disk", "make room"), told.code) == (worse, int(worse == "problem"))


def test_a_folder_that_is_not_there(examine, place):
    told = examine(database=f"sqlite:///{place}/nowhere/data.db")
    assert (level(told, "disk", "no folder"), told.code) == ("problem", 1)


class Other(BaseHTTPRequestHandler):
    """Some other program's answer."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


def test_another_program_at_the_port(store, examine):
    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, args=(0.01,)).start()
        told = examine(port=other.server_port)
        other.shutdown()
    assert (level(told, "port", "something else answers"), told.code) == ("problem", 1)


def test_a_program_that_does_not_answer_at_the_port(store, examine, monkeypatch):
    monkeypatch.setattr(doctor, "ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = examine(port=silent.getsockname()[1])
    assert (level(told, "port", "does not answer"), told.code) == ("problem", 1)


def test_an_address_that_is_not_this_machines(store, examine):
    told = examine(host="203.0.113.1")
    assert (level(told, "port", "203.0.113.1"), told.code) == ("problem", 1)


@pytest.mark.slow
def test_our_own_server_at_the_port(examine, place):
    with running(server(place / "data.db")) as process:
        told = examine(port=process.port, mode="demo", url="")
        assert level(told, "port", "the server answers") == "ok"
        assert level(told, "alerts", "none came yet") == "warning"
        assert level(told, "bridge", "never here") == "warning"
        assert level(told, "backup", "there was none") == "warning"
        assert level(told, "passphrase", "known to everybody") == "ok"
        assert (level(told, "users", "known to everybody"), told.code) == ("ok", 0)


def test_a_proxy_that_is_not_trusted_and_an_address_that_is_not_told(store, examine):
    assert level(examine(trusted_proxies=[]), "proxy", "no trusted_proxies") == "warning"
    told = examine(url="")
    assert (level(told, "proxy", "set url"), told.code) == ("warning", 0)


def log_in(store, address):
    """A session used from there."""
    session = access.start_session(store.User.find("admin"), 60, 30, security.random_id(256))
    access.note_visit(session.id, "", address)


@pytest.mark.parametrize(
    ("address", "todo"), [("127.0.0.1", "X-Forwarded-For"), ("10.1.2.3", "into trusted_proxies")]
)
def test_a_proxy_that_does_not_say_who_calls(store, examine, address, todo):
    log_in(store, address)
    log_in(store, address)
    assert level(examine(), "callers", todo) == "warning"
    log_in(store, "203.0.113.9")
    assert level(examine(), "callers") == "ok"


def test_a_bridge_that_will_be_refused(store, examine):
    told = examine(bridge_keys=[])
    assert (level(told, "bridge", "will be refused"), told.code) == ("warning", 0)


def test_no_database_and_one_that_is_empty(examine, place):
    assert level(examine(), "database", "there is none yet") == "warning"
    sqlite3.connect(place / "data.db").close()
    (place / "data.db").chmod(0o600)
    told = examine()
    assert (level(told, "database", "it is empty"), told.code) == ("warning", 0)


def test_a_database_that_lacks_a_migration(store, examine, tmp_path, monkeypatch):
    steps = shutil.copytree(opening.MIGRATIONS, tmp_path / "steps")
    (steps / "9999_next.py").write_text("def up(migrator, db):\n    pass\n")
    monkeypatch.setattr(opening, "MIGRATIONS", steps)
    told = examine()
    assert (level(told, "migrations", "make a backup, then run migrate"), told.code) == (
        "problem",
        1,
    )


@pytest.mark.parametrize("harm", ["a page", "its beginning"])
def test_a_database_that_is_damaged(store, examine, place, harm):
    file = place / "data.db"
    with proxy.atomic():
        for _ in range(100):
            alert = {"ticker": "A" * 200, "order_action": "buy", "order_contracts": 1.0}
            receive_one(alert, "webhook")
    proxy.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    proxy.close()
    data = bytearray(file.read_bytes())
    first = 0 if harm == "its beginning" else data.index(b"A" * 200) // 4096 * 4096
    data[first : first + 4096] = b"\xa5" * 4096
    file.write_bytes(data)
    told = examine()
    (worst,) = told.found["database"]
    assert (worst[0], told.code) == ("problem", 1)
    assert "settings" in told.found, "the other lines are there too"


@ON_POSTGRESQL
def test_a_database_server_that_is_not_there(storage, examine):
    url = f"postgresql://nobody:s3cret@127.0.0.1:{free_port()}/pairs"
    told = examine(database=url)
    assert (level(told, "database", "cannot be used"), told.code) == ("problem", 1)


@ON_POSTGRESQL
def test_a_database_on_postgresql_that_is_in_order(storage, examine, tmp_path):
    with storage.empty(tmp_path) as url:
        opening.open_database(url)
        access.register_user("admin", HASH, admin=True)
        proxy.close()
        told = examine(database=url)
        assert (level(told, "database"), level(told, "migrations"), told.code) == ("ok", "ok", 0)


def test_something_that_was_stored_in_the_future(store, examine):
    store.EventRow.update(time=instants.ago(-3600)).execute()
    told = examine()
    assert (level(told, "clock", "set the clock right"), told.code) == ("problem", 1)


def test_users_that_everybody_knows_and_no_administrator(store, examine):
    hashed = security.hash_password(DEMO_PASSWORD)
    access.register_user("user1", hashed, admin=False)
    told = examine()
    assert (level(told, "users", "user passwd user1"), told.code) == ("problem", 1)
    store.User.delete().execute()
    told = examine()
    assert (level(told, "users", "no administrator"), told.code) == ("problem", 1)


def test_passphrases_that_everybody_knows_or_that_lack(store, examine):
    access.register_passphrase("old", "webhook")
    told = examine()
    assert (level(told, "passphrase", "passphrase retire old"), told.code) == ("problem", 1)
    store.Passphrase.delete().execute()
    told = examine(passphrases=[])
    assert (level(told, "passphrase", "there is none"), told.code) == ("problem", 1)


@pytest.mark.parametrize("mode", ["production", "demo"])
@pytest.mark.parametrize("where", ["settings", "database"])
def test_a_passphrase_that_breaks_the_bridges_file(store, examine, where, mode):
    odd = "100% our passphrase"
    if where == "database":
        access.register_passphrase("odd", odd)
    own = [odd] if where == "settings" else ["a passphrase of ours"]
    told = examine(passphrases=own, mode=mode)
    assert (level(told, "passphrase", "config_private.ini"), told.code) == ("warning", 0)


def test_a_backup_that_is_old_and_a_newer_copy_elsewhere(store, examine, place, command):
    events.note(LAST_BACKUP, instants.ago(8 * DAY))
    assert level(examine(), "backup", "the last one is of") == "warning"
    (place / "copies").mkdir()
    (place / "copies" / "notes.txt").write_text("no archive")
    url = f"sqlite:///{place}/data.db"
    assert command("backup", place / "copies" / "b.jsonl.gz", "--database", url).code == 0
    with proxy.connection_context():
        events.note(LAST_BACKUP, instants.ago(8 * DAY))
    told = examine("--backups", place / "copies")
    assert (level(told, "backup", "the last one is of"), told.code) == ("ok", 0)


def test_alerts_that_stopped_coming(store, examine):
    store.EventRow.update(time=instants.ago(8 * DAY)).execute()
    store.Signal.update(timestamp=instants.ago(8 * DAY)).execute()
    told = examine()
    assert (level(told, "alerts", "still run?"), told.code) == ("warning", 0)


def test_a_bridge_that_is_gone(store, examine):
    account.saw_bridge(instants.ago(3600), stores=True)
    told = examine()
    assert (level(told, "bridge", "last here"), told.code) == ("warning", 0)
    registry.register_stock({"symbol": "AAPL", "active": 1}, "test")
    receive_one({"ticker": "AAPL", "order_action": "buy", "order_contracts": 1.0}, "webhook")
    told = examine()
    assert (level(told, "bridge", "1 signals wait"), told.code) == ("problem", 1)
