"""Every example in the documents is run: commands on a copy of the project, calls on its demo.

A block of kind `sh` is run; a `json` one after it is the answer of its last command (fields left out
are not compared). Other kinds are files, or commands for a machine that is not this one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.processes import clean_environment, running, serving
from settings import ROOT
from tests.deploy.places import tracked

pytestmark = pytest.mark.slow

DOCUMENTS = sorted([ROOT / "README.md", ROOT / "bench/README.md", *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
# `elsewhere` needs root, another host or hours; the others are files and parts of them.
KINDS = {"sh", "json", "elsewhere", "toml", "ini", "nginx", "text", "yaml", "apache"}
INDENTED = re.compile(r"(?<=\n\n)    \S")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
MAKE = '#!/bin/sh\nexec "$REAL_MAKE" -C "$PROJECT" -n "$@" > /dev/null\n'
PYTHON = '#!/bin/sh\nexec "$PROJECT/.venv/bin/python" "$@"\n'


def blocks(document: Path) -> list[tuple[str, str]]:
    """The (kind, text) of each block of code."""
    return [(kind, text) for _, kind, text in BLOCK.findall(document.read_text("utf-8"))]


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_block_of_code_says_what_it_is(document):
    assert {kind for kind, _ in blocks(document)} <= KINDS
    rest = BLOCK.sub("", document.read_text("utf-8"))
    assert "```" not in rest
    assert not INDENTED.search(rest), "a block without a kind escapes the tests"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_leads_to_a_file(document):
    for target in LINK.findall(document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


def answers(document: Path) -> list[tuple[str, str | None]]:
    """Each command block with the answer that follows it, if one does."""
    found = blocks(document)
    following = [*found[1:], ("", "")]
    return [
        (text, after if kind_after == "json" else None)
        for (kind, text), (kind_after, after) in zip(found, following, strict=True)
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


@pytest.fixture
def project(tmp_path):
    """A copy of the project with an environment, as a new user has it."""
    place = tmp_path / "project"
    for file in tracked():
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, place / file)
    (place / ".venv").symlink_to(Path(sys.prefix))
    shims = tmp_path / "shims"
    shims.mkdir()
    for shim, text in (("make", MAKE), ("python", PYTHON)):
        (shims / shim).write_text(text)
        (shims / shim).chmod(0o755)
    return place, shims


def script(document: Path, port: int, folder: Path, database: str) -> str:
    """One shell script of all commands; each block's output goes to a file of its number."""
    lines = ["set -eu"]
    for number, (text, _) in enumerate(answers(document)):
        text = text.replace("127.0.0.1:5000", f"127.0.0.1:{port}")
        text = text.replace("postgresql://user:password@host/name", database)
        lines.append(f"{{\n{text}\n}} > {folder}/{number}.out")
    return "\n".join(lines)


@pytest.mark.postgresql
@pytest.mark.parametrize("document", [each for each in DOCUMENTS if answers(each)], ids=name)
def test_every_command_of_a_document_works_and_answers_as_it_says(
    document, project, tmp_path, empty_postgresql
):
    place, shims = project
    environment = clean_environment(
        PATH=f"{shims}:{os.environ['PATH']}", PROJECT=str(place), REAL_MAKE=shutil.which("make")
    )
    server = (place / "server.py",)
    url = f"sqlite:///{place}/data.db"
    with running(
        serving(url, tmp_path / "server.log", script=server, environment=environment)
    ) as s:
        commands = script(document, s.port, tmp_path, empty_postgresql)
        done = subprocess.run(
            ["bash", "-c", commands], cwd=place, env=environment, capture_output=True, text=True
        )
    assert done.returncode == 0, f"{done.stderr}\n{commands}"
    for number, (text, expected) in enumerate(answers(document)):
        if expected is not None:
            answered = (tmp_path / f"{number}.out").read_text()
            assert matches(json.loads(expected), json.loads(answered)), f"{text}\n{answered}"
