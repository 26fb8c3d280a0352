"""Backups made under load, and moves between the kinds of database: every list answers alike."""

import http.client
import json
import os
import re
from types import SimpleNamespace

import pytest
from tornado.web import RequestHandler

from bench.data import make
from bench.processes import running, server
from handlers.app import ROUTES
from tests.conftest import alert
from tests.handlers.conftest import ACCOUNT
from tests.shell import shell
from tests.test_listening import ANSWERS, Poster
from tests.test_processes import call, login

pytestmark = pytest.mark.slow

STORED = 120
LISTS = (
    *("/v3/signals/0", "/v3/signals/0.csv", "/v3/signals/7?type=single&before=100"),
    *("/v3/signals/status/waiting/0", "/v3/signals/ticker/NMFC-ROIC/0", "/v3/signal/5"),
    *("/v3/signal/121/events", "/v3/events?after=0&limit=1000", "/v3/totals"),
    *(
        "/v3/figures?since=2020-01-01%2000:00:00",
        "/v3/rejected/0",
        "/v3/rejected/count",
        "/v3/stocks/0",
    ),
    *("/v3/stock/AAPL", "/v3/tickers/0", "/v3/ticker/AAPL", "/v3/pairs/0", "/v3/pair/MA-V"),
    *("/v3/pnl/0", "/v3/positions", "/v3/bridge", "/v3/users/0", "/v3/user/mary"),
    *("/v3/audit/0", "/v3/factor", "/v3/factors", "/v3/factor/of/mary"),
    *("/v3/tokens", "/v3/tokens/mary", "/v3/sessions", "/v3/sessions/mary", "/v3/session"),
    *("/v3/passphrases", "/v3/template?reveal=1", "/v3/bridge/config?reveal=1"),
    "/v3/equation?text=MA-1.5*V",
    *("/v3/trading", "/v3/limits", "/v3/trips/0", "/v3/performance", "/v3/pair/MA-V/series"),
    "/v3/messages",
)
# Counted since the server's start; looked for by each server itself; of the code.
NOT_STORED = {"/v3/refused", "/v3/alarms", "/v3/openapi.json"}
OF_THE_MOMENT = re.compile(r'"(oldest_waiting|held)_s":\d+|"last_seen":"[\d :-]+"(?=,"browser")')


def test_no_list_is_left_out():
    reads = [
        pattern
        for pattern, handler, *_ in ROUTES
        if pattern.startswith("/v3/") and handler.get is not RequestHandler.get
    ]
    paths = [path.partition("?")[0] for path in LISTS]
    lacking = {each for each in reads if not any(re.fullmatch(each, path) for path in paths)}
    assert lacking == NOT_STORED


def run(*arguments):
    """`python server.py ...` beside the server: what it printed."""
    done = shell(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answers(port, token):
    """{path: (status, text)} of all lists, without what is of each moment."""
    found = {}
    for path in LISTS:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        text = OF_THE_MOMENT.sub('"then":0', answer.read().decode()).replace(f":{port}", "")
        found[path] = answer.status, text
        connection.close()
    return found


def furnish(port, token):
    """Rows in every table: a rejected alert, users, a token, a passphrase, positions, money."""
    calls = (
        ("POST", "/v3/reguser", {"username": "mary", "password": "a long secret"}),
        ("POST", "/v3/tokens", {"name": "mine", "scope": "read"}),
        ("POST", "/v3/passphrases", {"label": "summer"}),
        ("POST", "/v3/regpnl", ACCOUNT | {"passphrase": "webhook"}),
        ("POST", "/v3/webhook", alert(order_comment="\u00fc \u4e2d \U0001f600 \ufffd")),
    )
    for method, path, body in calls:
        status, answer = call(port, method, path, body, token)
        assert status in (200, 201), (path, answer)
    assert call(port, "POST", "/v3/webhook", alert(order_contracts=None))[0] == 400
    assert call(port, "POST", "/v3/webhook", alert(passphrase="wrong"))[0] == 400
    assert call(port, "GET", "/v3/signals/status/waiting/0")[0] == 200


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A server with rows in every table, and backups of it: one under load, one after it."""
    folder = tmp_path_factory.mktemp("moving")
    url = f"sqlite:///{make(folder / 'first.db', STORED)}"
    with running(server(url, log=folder / "first.log")) as process:
        token = login(process.port)
        furnish(process.port, token)
        poster = Poster(process.port)
        poster.start()
        poster.until(ANSWERS)
        answered = {rowid for _, rowid in poster.answers}
        run("backup", folder / "busy.jsonl.gz", "--database", url)
        meanwhile = {rowid for _, rowid in poster.answers} - answered
        poster.until(ANSWERS)
        poster.end()
        assert {status for status, _ in poster.answers} == {201}
        told = answers(process.port, token)
        run("backup", folder / "quiet.jsonl.gz", "--database", url)
        assert "Traceback" not in process.log.read_text()
    yield SimpleNamespace(
        folder=folder, url=url, token=token, told=told, answered=answered, meanwhile=meanwhile
    )


def told_by(url, first, name):
    """What a server on this database answers."""
    with running(server(url, log=first.folder / f"{name}.log")) as process:
        return answers(process.port, first.token)


def _sorted(answer):
    """The text of an answer with the keys of its objects in order."""
    status, text = answer
    plain = json.dumps(json.loads(text), sort_keys=True) if text.startswith("{") else text
    return f"{status} {plain}"


def differences(mine, theirs):
    """{path: both answers from where they differ} of the lists that do."""
    found = {}
    for path in LISTS:
        left, right = map(_sorted, (mine[path], theirs[path]))
        if left != right:
            same = len(os.path.commonprefix((left, right)))
            found[path] = left[max(0, same - 40) : same + 40], right[max(0, same - 40) : same + 40]
    return found


def test_a_backup_under_load_is_one_moment_that_has_all_that_was_answered(first):
    target = f"sqlite:///{first.folder}/busy.db"
    run("restore", first.folder / "busy.jsonl.gz", "--database", target)
    told = told_by(target, first, "busy")
    signals = json.loads(told["/v3/signals/0"][1])["signals"]
    stored = {each["rowid"] for each in signals}
    assert first.meanwhile, "alerts came while it was written"
    assert first.answered <= stored
    assert stored == set(range(1, max(stored) + 1)), "no gap"
    everything = json.loads(first.told["/v3/signals/0"][1])["signals"]
    assert signals == [each for each in everything if each["rowid"] in stored]
    created = [
        event["subject"]
        for event in json.loads(told["/v3/events?after=0&limit=1000"][1])["events"]
        if event["type"] == "signal.created"
    ]
    assert len(created) == len(stored), "each with its event"


def test_a_restored_server_answers_every_list_alike(first):
    target = f"sqlite:///{first.folder}/quiet.db"
    run("restore", first.folder / "quiet.jsonl.gz", "--database", target)
    assert differences(first.told, told_by(target, first, "quiet")) == {}


@pytest.mark.postgresql
def test_to_postgresql_and_back_every_list_answers_alike(first, postgresql, tmp_path):
    back = f"sqlite:///{tmp_path}/back.db"
    with postgresql.empty() as there:
        run("copy", "--from", first.url, "--to", there)
        assert differences(first.told, told_by(there, first, "there")) == {}
        run("copy", "--from", there, "--to", back)
        file = tmp_path / "of postgresql.jsonl"
        run("backup", file, "--database", there)
        with postgresql.empty() as again:
            run("restore", file, "--database", again)
            assert call_signals(again, first) == first.told["/v3/signals/0"]
    assert differences(first.told, told_by(back, first, "back")) == {}


def call_signals(url, first):
    """The list of all signals of a database."""
    return told_by(url, first, "again")["/v3/signals/0"]
