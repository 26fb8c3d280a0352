"""Copy everything from one database into another, empty one: SQLite to PostgreSQL or back.

It is a backup and a restore without the file between, with the same checks. What is written to the
first one meanwhile is not copied, so stop the server, copy, and start it with the new database.
"""

import contextlib

import models
from commands.common import Failed, check_url, progress, refuse_old
from database import be_patient, proxy, reach_database
from models import archive, loading
from settings import VERSION
from trading import instants

EXAMPLES = """\
  python server.py copy --from sqlite:///data.db --to postgresql://user:password@host/name
  python server.py copy --from "$DATABASE_URL" --to sqlite:///data.db
"""


def arguments(parser) -> None:
    """From where, and to where."""
    parser.add_argument("--from", dest="source", metavar="URL", required=True)
    parser.add_argument("--to", dest="target", metavar="URL", required=True)


def run(line) -> int:
    """Copies."""
    given = line.given
    check_url(given.source)
    check_url(given.target)
    with contextlib.closing(reach_database(given.source)) as source:
        be_patient(source)
        refuse_old(given.target, makes=True)
        target = models.open_store(given.target, line.conf.synchronous)
        try:
            be_patient(target)
            found = _copy(source, target)
        finally:
            proxy.close()
    print(f"Copied {found.rows:,} rows of {found.tables} tables.")
    return 0


def _copy(source, target) -> loading.Loaded:
    head = {"server": VERSION, "time": instants.now()}
    with progress("Copying", archive.count_rows(source)) as shown:
        lines = archive.dump(source, head, lambda count: None)
        try:
            return loading.load(target, lines, shown.add)
        except loading.ArchiveRefused as problem:
            raise Failed(str(problem)) from None
