"""make release: what it packs starts in an empty place with Python alone, charts included."""

import hashlib
import re
import shutil
import subprocess
import sys
import urllib.request

import pytest

from bench.processes import ROOT, clean_environment, running, server
from tests.conftest import alert
from tests.deploy.places import copy_project
from tests.deploy.test_upgrade import COMMIT, git
from tests.test_processes import call

pytestmark = pytest.mark.slow

CHARTS = "node_modules/lightweight-charts"
VIEWER = "node_modules/swagger-ui-dist"
ONLY_PYTHON = clean_environment(PATH="/nowhere")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A committed copy of the project, where npm was run."""
    place = tmp_path_factory.mktemp("release")
    copy_project(place)
    git(place, "init", "-q", "-b", "main")
    git(place, "add", "-A")
    git(place, *COMMIT, "-m", "Release")
    for library in (CHARTS, VIEWER):
        shutil.copytree(ROOT / library, place / library)
    (place / "node_modules/.package-lock.json").touch()
    return place


def release(place):
    """make release: how it ended."""
    command = ["make", "-s", "release", f"PYTHON={sys.executable}"]
    return subprocess.run(
        command, cwd=place, env=clean_environment(), capture_output=True, text=True, timeout=120
    )


def test_a_release_starts_in_an_empty_place_and_has_the_charts(place, tmp_path):
    done = release(place)
    assert done.returncode == 0, done.stderr
    (file,) = (place / "dist").glob("*.tar.gz")
    name = re.fullmatch(r"(pairs-api-v3-\d+\.\d+\.\d+)\.tar\.gz", file.name)[1]
    told = (place / "dist" / f"{file.name}.sha256").read_text()
    assert told == f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
    subprocess.run(["tar", "-xzf", file, "-C", tmp_path], check=True)
    assert [path.name for path in tmp_path.iterdir()] == [name], "one folder"
    url = f"sqlite:///{tmp_path}/data.db"
    log = tmp_path / "server.log"
    started = server(url, tree=tmp_path / name, environment=ONLY_PYTHON, log=log)
    with running(started) as process:
        assert call(process.port, "POST", "/v3/webhook", alert())[0] == 201
        at = f"http://127.0.0.1:{process.port}"
        with urllib.request.urlopen(f"{at}/positions") as answer:  # noqa: S310
            page = answer.read().decode()
        library = re.search(r'"(/static/\w+/vendor/lightweight-charts\.mjs)"', page)[1]
        with urllib.request.urlopen(at + library) as answer:  # noqa: S310
            assert answer.status == 200
            assert len(answer.read()) > 100_000
        with urllib.request.urlopen(f"{at}/docs/guide") as answer:  # noqa: S310
            assert b"Start the demo" in answer.read()
    assert (tmp_path / name / CHARTS / "LICENSE").is_file()
    assert (tmp_path / name / VIEWER / "swagger-ui-bundle.js").is_file()


def test_the_same_commit_makes_the_same_archive(place):
    release(place)
    (file,) = (place / "dist").glob("*.tar.gz")
    first = file.read_bytes()
    file.unlink()
    release(place)
    assert file.read_bytes() == first


def test_what_is_not_committed_or_not_in_the_changelog_is_not_released(place):
    try:
        with (place / "README.md").open("a") as file:
            file.write("More.\n")
        done = release(place)
        assert done.returncode != 0
        assert "not committed" in done.stderr
        (place / "CHANGELOG.md").write_text("# Changelog\n\n## 9.9.9\n")
        done = release(place)
        assert done.returncode != 0
        assert "CHANGELOG.md 9.9.9" in done.stderr
    finally:
        git(place, "checkout", "-q", ".")


def test_without_the_charts_nothing_is_released(place):
    (place / CHARTS).rename(place / "elsewhere")
    try:
        done = release(place)
    finally:
        (place / "elsewhere").rename(place / CHARTS)
    assert done.returncode != 0
    assert "npm ci" in done.stderr
