"""The command line itself: its help, and what a command needs to be found."""

import itertools
import re
import subprocess
import sys

import pytest

from commands.line import MODULES
from settings import ROOT

NAMES = ["serve", *itertools.chain(*MODULES.values())]


def test_the_help_has_a_line_for_each_command(command):
    told = command("--help")
    assert told.code == 0
    commands = told.out.partition("\ncommands:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^ {4}(\S+)", commands, re.MULTILINE) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_a_help_with_examples(command, name):
    told = command(name, "--help")
    assert told.code == 0
    assert told.out.startswith(f"usage: server.py {name} ")
    assert "\nexamples:\n  " in told.out


def test_a_word_that_is_no_command_is_answered_with_those_that_are(command):
    told = command("nosuch")
    assert (told.code, len(told.said.splitlines())) == (2, 1)
    assert all(f"'{name}'" in told.said for name in NAMES)


@pytest.mark.slow
def test_the_server_holds_no_command_in_memory(tmp_path):
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import server; server.read_line(['--port', '0'])\n"
        "print(*sorted(each for each in sys.modules if each.startswith('commands')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["commands", "commands.common", "commands.line"]
