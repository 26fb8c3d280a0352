"""Every example in the documents is run: commands on a copy of the project, calls on its demo.

A block of kind `sh` is run; a `json` one after it is the answer of its last command, from which
fields may be left out. An `elsewhere` block is not run: it needs another host, root or hours. Other
blocks are files.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.processes import clean_environment, running, server
from commands.line import MODULES
from settings import ROOT
from tests.deploy.places import copy_project

DOCUMENTS = sorted([ROOT / "README.md", ROOT / "bench/README.md", *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
KINDS = {"sh", "json", "elsewhere", "text", "toml"}
INDENTED = re.compile(r"(?<=\n\n)    \S")
MODULE = re.compile(r"(?<=[`, ])([\w/]+\.(?:py|js))(?=[`, ])")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
OURS = re.compile(r"^(?:\S*python\S* server\.py|make) ([a-z][a-z0-9-]*)", re.M)
# Stands for what make does, with the Python of the environment in any directory.
SHIMS = {
    "make": '#!/bin/sh\nexec "$REAL_MAKE" -C "$PROJECT" -n "$@" > /dev/null\n',
    "python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
}


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def blocks(document: Path) -> list[tuple[str, str]]:
    """The (kind, text) of each block of code."""
    return [(kind, text) for _, kind, text in BLOCK.findall(document.read_text("utf-8"))]


def examples(document: Path) -> list[tuple[str, str | None]]:
    """Each block of commands, with the answer that follows it, if any."""
    found = blocks(document)
    return [
        (text, answer if kind_after == "json" else None)
        for (kind, text), (kind_after, answer) in itertools.pairwise([*found, ("", "")])
        if kind == "sh"
    ]


def matches(expected, answered) -> bool:
    """Whether an answer is the example, which may leave fields out."""
    if isinstance(expected, dict):
        return isinstance(answered, dict) and all(
            key in answered and matches(value, answered[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return len(expected) == len(answered) and all(map(matches, expected, answered))
    return expected == answered


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_block_of_code_says_what_it_is_and_every_link_leads_to_a_file(document):
    text = document.read_text("utf-8")
    assert {kind for kind, _ in blocks(document)} <= KINDS
    rest = BLOCK.sub("", text)
    assert "```" not in rest
    assert not INDENTED.search(rest), "a block without a kind escapes the tests"
    for target in LINK.findall(rest):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_command_of_ours_that_a_document_names_exists(document):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    known = {"serve"} | {name for names in MODULES.values() for name in names}
    for kind, text in blocks(document):
        if kind in ("sh", "elsewhere"):
            for word in OURS.findall(text):
                assert word in targets | known, word


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_module_that_a_document_names_exists(document):
    folders = (path for path in ROOT.iterdir() if path.name not in ("node_modules", ".venv"))
    ours = {str(path) for folder in folders for path in (folder, *folder.rglob("*.*"))}
    for module in set(MODULE.findall(document.read_text("utf-8"))):
        assert any(path.endswith(f"/{module}") for path in ours), module


@pytest.mark.parametrize("page", ["migration", "install", "backup", "incident"])
def test_an_owners_commands_act_on_the_owners_database(page):
    text = (ROOT / f"docs/{page}.md").read_text("utf-8")
    for line in re.findall(r"\.venv/bin/python server\.py .*", text):
        assert re.search(r"--(settings|database|from) ", line), line
    assert not re.search(r"(?<![/\\\w])python server\.py", text.replace("heroku run python", ""))


def test_every_setting_is_explained():
    explained = (ROOT / "docs/settings.md").read_text("utf-8")
    known = tomllib.loads((ROOT / "settings.toml").read_text("utf-8"))
    assert [each for each in known if f"`{each}`" not in explained] == []


@pytest.fixture
def project(tmp_path):
    """A copy of the project, and the environment of somebody who works in it."""
    place, shims = tmp_path / "project", tmp_path / "shims"
    copy_project(place)
    (place / ".venv").symlink_to(sys.prefix)
    (place / "settings.local.toml").touch()  # an owner's; the examples act on a demo
    shims.mkdir()
    for shim, text in SHIMS.items():
        (shims / shim).write_text(text)
        (shims / shim).chmod(0o755)
    path = f"{shims}:{os.environ['PATH']}"
    real = shutil.which("make")
    return place, clean_environment(PATH=path, PROJECT=str(place), REAL_MAKE=real)


@pytest.fixture
def urls(tmp_path, postgresql):
    """The databases that the documents name."""
    with postgresql.empty() as url:
        yield {"postgresql://user:password@host/name": url}


@pytest.mark.slow
@pytest.mark.postgresql
@pytest.mark.parametrize("document", [each for each in DOCUMENTS if examples(each)], ids=name)
def test_every_example_of_a_document_works_and_answers_as_it_says(
    document, project, urls, tmp_path
):
    place, environment = project
    log = tmp_path / "server.log"
    started = server(place / "data.db", environment=environment, log=log, tree=place)
    with running(started):
        known = urls | {"127.0.0.1:5000": f"127.0.0.1:{started.port}"}
        lines = ["set -eu"]
        for number, (text, _) in enumerate(examples(document)):
            for written, real in known.items():
                text = text.replace(written, real)
            lines.append(f"{{\n{text}\n}} > {tmp_path}/{number}.out")
        done = subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, f"{done.stderr}\n{lines}"
    for number, (text, expected) in enumerate(examples(document)):
        if expected is not None:
            answered = (tmp_path / f"{number}.out").read_text()
            assert matches(json.loads(expected), json.loads(answered)), f"{text}\n{answered}"
