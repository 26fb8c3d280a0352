"""make upgrade in a supervised clone under load: a newer version, and nobody is refused."""

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.conftest import alert
from tests.deploy.places import (
    COMMIT,
    clone,
    copy_project,
    git,
    make_repository,
    supervised,
    upgrading,
)
from tests.test_listening import ANSWERS, Poster
from tests.test_processes import call, login, signals

pytestmark = pytest.mark.slow


@pytest.fixture
def origin(tmp_path):
    """A repository of the project as it is."""
    place = tmp_path / "origin"
    make_repository(place)
    return place


@pytest.fixture
def site(tmp_path, origin):
    """A clone of it with settings of its own: (its folder, its port)."""
    place = tmp_path / "site"
    return place, clone(origin, place)


def release(origin, file, old, new):
    """Commits a change of one file."""
    text = (origin / file).read_text("utf-8")
    assert old in text
    (origin / file).write_text(text.replace(old, new), "utf-8")
    git(origin, *COMMIT, "-m", "Next release")


def upgrade(place):
    """make upgrade: how it ended."""
    with upgrading(place) as process:
        said = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, *said)


def assert_put_back(site, running, why):
    """Upgrades: it fails with these words, and the old version is there and serves."""
    place, port = site
    before, pid = git(place, "rev-parse", "HEAD"), running.pid()
    done = upgrade(place)
    assert done.returncode != 0
    assert why in done.stderr
    assert git(place, "rev-parse", "HEAD") == before
    assert call(port, "POST", "/v3/webhook", alert())[0] == 201
    assert running.pid() == pid


def test_an_upgrade_under_load_loses_no_alert_and_keeps_sessions(site, origin, record_property):
    place, port = site
    with supervised(place, port) as running:
        token, pid = login(port), running.pid()
        poster = Poster(port)
        poster.start()
        poster.until(ANSWERS)
        release(origin, "templates/base.html", "Pairs-API {{ version }}", "The newest version")
        done = upgrade(place)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "The new version answers" in done.stdout
        poster.until(ANSWERS)
        poster.end()
        assert running.pid() == pid
        record_property("longest_wait", poster.longest)
        print(f"the longest wait was {poster.longest:.2f} s; {done.stdout.splitlines()[-1]}")
        assert call(port, "GET", "/v3/users/0", token=token)[0] == 200
        assert {each["rowid"] for each in signals(port)} == {each for _, each in poster.answers}
    assert git(place, "rev-parse", "HEAD") == git(origin, "rev-parse", "HEAD")
    (backup,) = (place / "backups").iterdir()
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{8}\.jsonl\.gz", backup.name)


def test_a_version_that_cannot_start_is_put_back_and_the_server_goes_on(site, origin):
    with supervised(*site) as running:
        release(origin, "settings.toml", 'mode = "demo"', 'mode = "nonsense"')
        assert_put_back(site, running, "Checking the settings failed")


def test_after_an_upgrade_was_killed_the_version_that_runs_is_still_put_back(site, origin):
    place, port = site
    before = git(place, "rev-parse", "HEAD")
    with supervised(place, port):
        release(origin, "settings.toml", 'mode = "demo"', 'mode = "nonsense"')
        with upgrading(place) as process:
            while "Installing" not in process.stdout.readline():
                pass
            os.killpg(process.pid, signal.SIGKILL)
        assert git(place, "rev-parse", "HEAD") != before
        assert call(port, "POST", "/v3/webhook", alert())[0] == 201
        done = upgrade(place)
        assert "Checking the settings failed" in done.stderr
        assert git(place, "rev-parse", "HEAD") == before
        release(origin, "settings.toml", 'mode = "nonsense"', 'mode = "demo"')
        done = upgrade(place)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [each["rowid"] for each in signals(port)] == [1]


def test_a_version_that_cannot_use_the_database_is_put_back_and_the_server_goes_on(site, origin):
    with supervised(*site) as running:
        git(origin, "rm", "-q", "database/migrations/0002_decisions.py")
        git(origin, *COMMIT, "-m", "Another way")
        why = "knows the step 0002_decisions, which this version does not"
        assert_put_back(site, running, why)
        running.control("restart", "pairs-api")
        running.wait_for_log("listens at", times=2)
        assert len(signals(site[1])) == 1


def test_own_changes_in_the_folder_stop_an_upgrade_before_it_changes_anything(site, origin):
    place, _ = site
    (place / "settings.toml").write_text("# mine\n")
    call_it = upgrade(place)
    assert call_it.returncode != 0
    assert (place / "settings.toml").read_text() == "# mine\n"


def test_the_first_settings_are_made_once_and_are_only_the_owners(tmp_path):
    copy_project(tmp_path)
    command = ["make", "settings", "URL=https://pairs.example.com", f"PYTHON={sys.executable}"]
    first, again = (
        subprocess.run(command, cwd=tmp_path, capture_output=True, text=True) for _ in range(2)
    )
    assert first.returncode == 0, first.stderr
    assert again.returncode != 0
    assert "was left as it is" in again.stderr
    file = tmp_path / "settings.local.toml"
    assert oct(file.stat().st_mode)[-3:] == "600"
    check = [sys.executable, "server.py", "--settings", file.name, "--check"]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "The settings are in order.")
