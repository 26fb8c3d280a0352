"""Put a backup into an empty database: all of it, or nothing.

The database of the settings must be new or without rows, so stop the server and name a new one, or
move the old one away. Counts and checksums are compared before anything is kept. Ids go on where
they were, and logins that were valid then are valid again.
"""

from pathlib import Path

from commands.common import Failed, opened, progress
from commands.files import reading
from models import loading

EXAMPLES = """\
  python server.py restore backups/monday.jsonl.gz --database sqlite:///new.db
  python server.py --settings settings.local.toml restore monday.jsonl.gz
"""


def arguments(parser) -> None:
    """The file."""
    parser.add_argument("file", metavar="FILE", type=Path, help="what backup has written")


def run(line) -> int:
    """Reads the file into the database."""
    with (
        reading(line.given.file) as lines,
        opened(line.conf, makes=True) as database,
        progress("Restoring") as shown,
    ):
        try:
            found = loading.load(database, lines, shown.add)
        except loading.ArchiveRefused as problem:
            raise Failed(str(problem)) from None
    print(f"Restored {found.rows:,} rows of {found.tables} tables.")
    return 0
