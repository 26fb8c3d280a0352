"""Write all that the database holds into one file, while the server runs.

The file is one moment of the database: JSON lines, packed if its name ends in .gz, with counts and
checksums. It appears only when it is whole. It holds password hashes, the passphrases and the key
that signs tokens, so only its owner may read it (mode 0600): keep it where nobody else can.
"""

from pathlib import Path

from commands.common import progress
from commands.files import size_text, write_archive
from database import be_patient, proxy, reach_database
from models import LAST_BACKUP, Fact, archive
from settings import VERSION
from trading import instants

EXAMPLES = """\
  python server.py backup backups/monday.jsonl.gz
  python server.py --settings settings.local.toml backup /mnt/usb/pairs.jsonl.gz
"""


def arguments(parser) -> None:
    """The file."""
    parser.add_argument("file", metavar="FILE", type=Path, help="NAME.jsonl or NAME.jsonl.gz")


def run(line) -> int:
    """Writes the file and notes when."""
    file, now = line.given.file, instants.now()
    database = reach_database(line.conf.database, line.conf.synchronous)
    proxy.initialize(database)
    try:
        be_patient(database)
        total = archive.count_rows(database)
        with progress("Backing up", total) as shown:
            lines = archive.dump(database, {"server": VERSION, "time": now}, shown.add)
            size = write_archive(file, lines)
        if Fact.table_exists():  # not in a database of an older release
            with database.atomic():
                Fact.note(LAST_BACKUP, now)
    finally:
        database.close()
    print(f"Wrote {file}: {shown.done:,} rows, {size_text(size)}.")
    print("It holds password hashes and keys: keep it where only you can read it.")
    return 0
