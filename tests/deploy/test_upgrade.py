"""make upgrade in a supervised clone under load: a newer version, and nobody is refused."""

import os
import re
import signal
import subprocess
import sys

import pytest

from bench.processes import clean_environment
from tests.conftest import alert
from tests.deploy.places import copy_project, furnish, supervised
from tests.test_listening import ANSWERS, Poster
from tests.test_processes import call, login, signals

pytestmark = pytest.mark.slow

COMMIT = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com", "commit", "-q", "-a")


def git(place, *command):
    """What git says in this folder."""
    done = subprocess.run(["git", *command], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path):
    """A repository of the project as it is."""
    place = tmp_path / "origin"
    place.mkdir()
    copy_project(place)
    git(place, "init", "-q", "-b", "main")
    git(place, "add", "-A")
    git(place, *COMMIT, "-m", "Release")
    return place


@pytest.fixture
def site(tmp_path, origin):
    """A clone of it with settings of its own: (its folder, its port)."""
    place = tmp_path / "site"
    git(tmp_path, "clone", "-q", str(origin), str(place))
    return place, furnish(place)


def release(origin, file, old, new):
    """Commits a change of one file."""
    text = (origin / file).read_text("utf-8")
    assert old in text
    (origin / file).write_text(text.replace(old, new), "utf-8")
    git(origin, *COMMIT, "-m", "Next release")


def upgrading(place):
    """make upgrade, which runs in a process group of its own."""
    return subprocess.Popen(
        ["make", "upgrade", f"PYTHON={sys.executable}"],
        cwd=place,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def upgrade(place):
    """make upgrade: how it ended."""
    with upgrading(place) as process:
        said = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, *said)


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
    place, port = site
    before = git(place, "rev-parse", "HEAD")
    with supervised(place, port) as running:
        pid = running.pid()
        release(origin, "settings.toml", 'mode = "demo"', 'mode = "nonsense"')
        done = upgrade(place)
        assert done.returncode != 0
        assert "Checking the settings failed" in done.stderr
        assert git(place, "rev-parse", "HEAD") == before
        assert call(port, "POST", "/v3/webhook", alert())[0] == 201
        assert running.pid() == pid


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
    place, port = site
    before = git(place, "rev-parse", "HEAD")
    with supervised(place, port) as running:
        pid = running.pid()
        git(origin, "rm", "-q", "database/migrations/0002_decisions.py")
        git(origin, *COMMIT, "-m", "Another way")
        done = upgrade(place)
        assert done.returncode != 0
        assert "knows the step 0002_decisions, which this version does not" in done.stderr
        assert git(place, "rev-parse", "HEAD") == before
        assert call(port, "POST", "/v3/webhook", alert())[0] == 201
        assert running.pid() == pid
        running.control("restart", "pairs-api")
        running.wait_for_log("listens at", times=2)
        assert len(signals(port)) == 1


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
