"""Look whether everything is in order, and say what to do where it is not.

Each line begins with ok, warning or problem. Nothing is changed. Exit code 1: there is a problem.
"""

from pathlib import Path

from commands import findings, ground
from commands.findings import Finding, problem
from database import DatabaseRefused
from settings import SettingsError

EXAMPLES = """\
  python server.py doctor
  python server.py doctor --settings settings.local.toml --backups /mnt/usb
"""


def arguments(parser) -> None:
    """Where else backups lie."""
    parser.add_argument(
        "--backups", metavar="FOLDER", type=Path, help="where copies of backups lie, to date them"
    )


def run(line) -> int:
    """Prints a line for each check; 1 if one is a problem, 2 if the settings cannot be read."""
    try:
        conf = line.conf
    except SettingsError as error:
        print(_said(problem("settings", str(error))))
        return 2
    found = ground.look(conf, line.overlay)
    try:
        found += findings.look(conf, line.given.backups)
    except DatabaseRefused as error:
        found.append(problem("database", str(error)))
    for each in found:
        print(line.told(_said(each)))
    return int(any(each.level == "problem" for each in found))


def _said(found: Finding) -> str:
    return f"{found.level:<8} {found.subject}: {found.text}"
