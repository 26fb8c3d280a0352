"""prune, and what the other commands do on both kinds of database."""

import re

import pytest

import models
import security
from database import opening
from database.opening import proxy
from services import events, signals
from tests.receiving import receive_one
from trading import instants

DAY = 86400
OLD, YOUNG = 401 * DAY, 399 * DAY


@pytest.fixture
def store(database_url):
    """A new database of either kind, open."""
    database = opening.open_database(database_url)
    yield models
    proxy.close()
    database.close()


def receive(store, ago):
    """A signal that came so many seconds ago, with its event."""
    alert = {
        "ticker": "AAPL",
        "order_action": "buy",
        "order_contracts": 1.0,
        "timestamp": instants.ago(ago),
    }
    rowid = receive_one(alert, "webhook").rowid
    event = store.EventRow.last_id()
    store.EventRow.update(time=instants.ago(ago)).where(store.EventRow.id == event).execute()
    return rowid


def reject(store, ago, known):
    """A rejected alert of that time."""
    fields = {"address": "203.0.113.9", "size": 9, "reasons": "{}", "body": None, "known": known}
    with proxy.atomic():
        signals.keep_rejected(fields, 1000)
    last = store.RejectedAlert.select().order_by(store.RejectedAlert.id.desc()).get()
    last.timestamp = instants.ago(ago)
    last.save()
    event = store.EventRow.last_id()
    store.EventRow.update(time=instants.ago(ago)).where(store.EventRow.id == event).execute()


def test_prune_takes_events_and_rejected_alerts_beyond_the_days_and_never_signals(
    store, command, database_url
):
    for _ in range(3):
        receive(store, OLD)
    reject(store, OLD, known=True)
    reject(store, OLD, known=False)
    young = receive(store, YOUNG)
    reject(store, YOUNG, known=False)
    before = store.EventRow.select().count(), store.Signal.select().count()
    at = ("--database", database_url)
    told = command("prune", "--dry-run", *at)
    assert told.code == 0
    assert told.out == "Would delete 4 events and 2 rejected alerts older than 400 days.\n"
    assert before == (store.EventRow.select().count(), store.Signal.select().count())
    told = command("prune", *at)
    assert told.out == "Deleted 4 events and 2 rejected alerts older than 400 days.\n"
    assert [event.subject for event in store.EventRow.select()] == [str(young)]
    assert store.Signal.select().count() == 4
    assert [row.known for row in store.RejectedAlert.select()] == [False]
    assert command("prune", *at).out.startswith("Deleted 0 events and 0 rejected")
    assert events.missed_since(1, 100) is None, "whoever is that far behind reads all anew"
    rowid = receive(store, 0)
    assert (rowid, store.EventRow.last_id()) == (5, 6), "ids go on"


def test_prune_leaves_the_newest_event_however_old(store, command, database_url, monkeypatch):
    receive(store, OLD)
    receive(store, OLD)
    monkeypatch.setenv("PAIRS_RETENTION_DAYS", "1")
    told = command("prune", "--database", database_url)
    assert told.out == "Deleted 1 events and 0 rejected alerts older than 1 days.\n"
    assert [event.id for event in store.EventRow.select()] == [2]


def test_users_are_added_changed_listed_and_removed(store, command, database_url):
    at = ("--database", database_url)
    made = command("user", "add", "mary", "--admin", "--stdin", *at, text="a long secret\n")
    assert (made.code, made.out) == (0, "Made the user mary, an administrator.\n")
    command("user", "add", "paul", "--stdin", *at, text="another secret\n")
    again = command("user", "add", "paul", "--stdin", *at, text="another secret\n")
    assert (again.code, again.said) == (1, "There is a user paul already.\n")
    assert command("user", "passwd", "mary", "--stdin", *at, text="a new secret\n").code == 0
    mary = store.User.find("mary")
    assert security.verify_password("a new secret", mary.password_hash)
    assert command("user", "list", *at).out == "mary (administrator)\npaul\n"
    last = command("user", "remove", "mary", *at)
    assert last.code == 1
    assert "admin" in last.said
    assert command("user", "remove", "paul", *at).code == 0
    assert command("user", "list", *at).out == "mary (administrator)\n"
    acts = [row.kind for row in store.Audit.select().order_by(store.Audit.id)]
    assert acts == ["user.created", "user.created", "user.password", "user.deleted"]
    nobody = command("user", "passwd", "nobody", "--stdin", *at, text="a new secret\n")
    assert (nobody.code, nobody.said) == (1, "There is no user nobody.\n")


def test_passphrases_are_made_listed_and_retired(store, command, database_url):
    at = ("--database", database_url)
    shown = command("passphrase", "add", "summer", *at)
    assert shown.code == 0
    assert store.Passphrase.get(label="summer").value == shown.out.strip()
    own = command("passphrase", "add", "own", "--stdin", *at, text="of my own choice\n")
    assert own.out == "Made the passphrase own.\n"
    odd = command("passphrase", "add", "odd", "--stdin", *at, text="100% of us\n")
    assert odd.out.startswith("Made the passphrase odd.\nA passphrase holds %")
    assert command("passphrase", "retire", "odd", *at).code == 0
    again = command("passphrase", "add", "own", *at)
    assert again.code == 1
    assert "already exists" in again.said
    assert command("passphrase", "retire", "summer", *at).code == 0
    listed = command("passphrase", "list", *at).out.splitlines()
    assert re.fullmatch(r"summer: never used, retired [\d: -]{19}", listed[0])
    assert listed[1] == "own: never used"
    assert "of my own choice" not in "".join(listed)
    gone = command("passphrase", "retire", "summer", *at)
    assert (gone.code, gone.said) == (1, "There is no valid passphrase summer.\n")


def test_a_secret_is_not_read_from_where_nobody_can_be_asked(store, command, database_url):
    done = command("user", "add", "mary", "--database", database_url)
    assert done.code == 1
    assert "--stdin" in done.said


@pytest.mark.parametrize("text", ["short\n", "\n"])
def test_a_weak_password_is_refused_in_production(store, command, database_url, monkeypatch, text):
    monkeypatch.setenv("PAIRS_MODE", "production")
    done = command("user", "add", "mary", "--stdin", "--database", database_url, text=text)
    assert done.code == 1
    assert not store.User.select().exists()


def test_a_backup_makes_its_folder_and_replaces_nothing_but_archives(
    store, command, database_url, tmp_path
):
    at, folder = ("--database", database_url), tmp_path / "backups"
    for _ in range(2):
        assert command("backup", folder / "today.jsonl.gz", *at).code == 0
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in folder.iterdir()] == ["today.jsonl.gz"]
    (folder / "mine.txt").write_text("mine")
    for file in (folder / "mine.txt", tmp_path / "no" / "such" / "folder.jsonl"):
        done = command("backup", file, *at)
        assert (done.code, len(done.said.splitlines())) == (1, 1)
    assert (folder / "mine.txt").read_text() == "mine"
