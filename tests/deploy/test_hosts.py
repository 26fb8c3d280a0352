"""What deploy/ and the pages of docs/ name for systemd, Heroku and hosts with a supervisord."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from bench.processes import ROOT, clean_environment
from commands.line import read_line
from settings import VERSION
from tests.conftest import PATIENCE, alert
from tests.deploy.places import copy_project, furnish
from tests.ports import free_port
from tests.test_processes import call

pytestmark = pytest.mark.slow

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with the project in pairs-api and the packages that run this."""
    home = tmp_path_factory.mktemp("home")
    (home / "pairs-api").mkdir()
    copy_project(home / "pairs-api")
    return home


@pytest.fixture(scope="module")
def port(home):
    return furnish(home / "pairs-api")


def posted(port):
    """The answer to an alert, once somebody listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return call(port, "POST", "/v3/webhook", alert())
        except OSError:
            if time.monotonic() > deadline:
                raise


@contextlib.contextmanager
def started(command, folder, **environment):
    """A command of a host, with what it wrote as .log; it is ended with the block."""
    log = folder / "host.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environment(**environment),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    process.log = log
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    assert "Traceback" not in log.read_text()


@pytest.mark.postgresql
def test_the_procfile_serves_on_herokus_port_and_database(home, port, postgresql):
    (kind, command) = (home / "pairs-api/Procfile").read_text().strip().split(": ", 1)
    assert kind == "web"
    mine = free_port()
    with postgresql.empty() as url:
        config = {
            "PORT": str(mine),
            "DATABASE_URL": url.replace("postgresql://", "postgres://", 1),
            "PAIRS_MODE": "production",
            "PAIRS_URL": "https://pairs.example.com",
            "PAIRS_TRUSTED_PROXIES": "10.0.0.0/8",
            "PAIRS_PASSPHRASES": "webhook of mine",
            "PAIRS_BRIDGE_KEYS": "a-key-of-the-bridge",
            "PAIRS_ADMIN_PASSWORD": "a good password",
            "PATH": f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}",
        }
        with started(shlex.split(command), home / "pairs-api", **config) as process:
            told = posted(mine)
            assert told[0] == 400, "the passphrase is not the demo's"
            body = alert(passphrase="webhook of mine")
            assert call(mine, "POST", "/v3/webhook", body)[0] == 201
            form = {"username": "admin", "password": "a good password"}
            assert call(mine, "POST", "/v3/login", form)[0] == 200
        assert process.returncode == 0


def test_the_version_of_python_for_heroku_is_one_that_runs_it():
    told = (ROOT / ".python-version").read_text().strip()
    assert re.fullmatch(r"3\.1[1-9]", told)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
@pytest.mark.parametrize("kind", ["systemd", "systemd-user"])
def test_systemd_takes_the_units(home, port, kind, tmp_path):
    for unit in ("pairs-api.socket", "pairs-api.service"):
        text = (ROOT / "deploy" / kind / unit).read_text()
        text = text.replace("/srv/pairs-api", f"{home}/pairs-api").replace("%h", str(home))
        (tmp_path / unit).write_text(text)
    command = ["systemd-analyze", "verify", *sorted(map(str, tmp_path.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    ours = [line for line in done.stderr.splitlines() if "pairs-api" in line]
    assert ours == [], done.stderr


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="there is no systemd here")
def test_a_unit_serves_on_systemds_socket_and_reloads_on_it(home, port):
    text = (ROOT / "deploy/systemd-user/pairs-api.service").read_text()
    command = re.search(r"^ExecStart=(.+)$", text, re.MULTILINE)[1].replace("%h", str(home))
    assert re.search(r"^ExecReload=/bin/kill -USR2 \$MAINPID$", text, re.MULTILINE)
    mine = free_port()
    activate = ["systemd-socket-activate", "-l", f"127.0.0.1:{mine}", *shlex.split(command)]
    with started(activate, home / "pairs-api") as process:
        assert posted(mine)[0] == 201
        process.send_signal(signal.SIGUSR2)
        assert posted(mine)[0] == 201
        deadline = time.monotonic() + PATIENCE
        while process.log.read_text().count("listens at") < 2:
            assert time.monotonic() < deadline, process.log.read_text()
            posted(mine)
    assert process.returncode == 0


def test_a_hosts_own_supervisord_runs_the_service(home, port):
    services = home / "etc/services.d"
    services.mkdir(parents=True)
    shutil.copy(ROOT / "deploy/services.d.ini", services / "pairs-api.ini")
    # What the host has: its supervisord includes the files of its users.
    (home / "host.conf").write_text(
        f"[supervisord]\nnodaemon = true\npidfile = {home}/host.pid\nlogfile = /dev/null\n"
        f"logfile_maxbytes = 0\n[include]\nfiles = {services}/*.ini\n"
    )
    command = [f"{sys.prefix}/bin/supervisord", "-c", home / "host.conf"]
    with started(command, home, HOME=str(home)):
        assert posted(port)[0] == 201
    assert "listens at" in (home / "pairs-api/pairs-api.log").read_text()


def commands_of(page):
    """The lines of a page's indented blocks, comments cut off."""
    lines = re.findall(r"^ {4,}(\S.*)$", page.read_text("utf-8"), re.MULTILINE)
    return [re.sub(r"\s+#.*", "", line) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_what_there_is(page):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in commands_of(page):
        if found := re.match(r"make (\w+)", line):
            assert found[1] in targets, line
        if found := re.match(r"(?:\S*/)?(?:python|heroku run python) server\.py ?(.*)", line):
            plain = re.sub(r"\[.*?\]|[|<&].*", "", found[1])
            read_line(shlex.split(plain))
    for name in re.findall(r"`((?:deploy|docs)/(?!test_)[\w./-]+)`", page.read_text("utf-8")):
        assert (ROOT / name).exists(), name
    for told in re.findall(r"pairs-api-v3-(\d[\d.]*)\.tar", page.read_text("utf-8")):
        assert told == VERSION
    for link in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link
