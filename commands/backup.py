"""Write all that the database holds into one file, while the server runs.

The file is one moment of the database: JSON lines, packed if its name ends in .gz, with counts and
checksums. It appears only when it is whole. It holds password hashes, the passphrases and the key
that signs tokens, so only its owner may read it (mode 0600): keep it where nobody else can.

examples:
  python server.py backup backups/monday.jsonl.gz
  python server.py --settings settings.local.toml backup /mnt/usb/pairs.jsonl.gz
"""

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from commands.common import Failed, Progress, check_url, opened
from database.opening import be_patient, proxy, reach_database
from models import Fact
from services import archive, events
from services.events import LAST_BACKUP
from settings import VERSION
from trading import instants

RESTORE = """Put a backup into an empty database: all of it, or nothing.

The database of the settings must be new or without rows, so stop the server and name a new one, or
move the old one away. Counts and checksums are compared before anything is kept. Ids go on where
they were, and logins that were valid then are valid again.

examples:
  python server.py restore backups/monday.jsonl.gz --database sqlite:///new.db
  python server.py --settings settings.local.toml restore monday.jsonl.gz
"""
COPY = """Copy everything from one database into another, empty one: SQLite to PostgreSQL or back.

It is a backup and a restore without the file between, with the same checks. What is written to the
first one meanwhile is not copied, so stop the server, copy, and start it with the new database.

examples:
  python server.py copy --from sqlite:///data.db --to postgresql://user:password@host/name
  python server.py copy --from "$DATABASE_URL" --to sqlite:///data.db
"""
GZIP = b"\x1f\x8b"  # the first bytes of a packed file


def register(add) -> None:
    """Adds the commands backup, restore and copy."""
    parser = add("backup", __doc__, backup)
    parser.add_argument("file", metavar="FILE", type=Path, help="NAME.jsonl or NAME.jsonl.gz")
    parser = add("restore", RESTORE, restore)
    parser.add_argument("file", metavar="FILE", type=Path, help="what backup has written")
    parser = add("copy", COPY, copy)
    parser.add_argument("--from", dest="source", metavar="URL", required=True)
    parser.add_argument("--to", dest="target", metavar="URL", required=True)


def backup(line) -> int:
    """Writes the backup file, and stores its time in the database."""
    file, now = line.given.file, instants.now()
    with contextlib.closing(reach_database(line.conf.database, line.conf.synchronous)) as database:
        proxy.initialize(database)
        be_patient(database)
        with Progress("Backing up", archive.count_rows(database)) as shown:
            lines = archive.dump(database, {"server": VERSION, "time": now}, shown.add)
            size = write_archive(file, lines)
        if Fact.table_exists():  # a database of an older release does not have it
            with database.atomic():
                events.note(LAST_BACKUP, now)
    told = f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
    print(f"Wrote {file}: {shown.done:,} rows, {told}.")
    print("It holds password hashes and keys: keep it where only you can read it.")
    return 0


def restore(line) -> int:
    """Restores the backup file into the empty database."""
    with (
        open_archive(line.given.file) as lines,
        opened(line.conf, makes=True) as database,
        Progress("Restoring") as shown,
    ):
        found = _load(database, lines, shown)
    print(f"Restored {found.rows:,} rows of {found.tables} tables.")
    return 0


def copy(line) -> int:
    """Copies all rows of one database into the other."""
    given = line.given
    check_url(given.source)
    check_url(given.target)
    with contextlib.closing(reach_database(given.source)) as source:
        be_patient(source)
        conf = line.conf.model_copy(update={"database": given.target})
        with (
            opened(conf, makes=True) as target,
            Progress("Copying", archive.count_rows(source)) as shown,
        ):
            head = {"server": VERSION, "time": instants.now()}
            lines = archive.dump(source, head, lambda count: None)
            found = _load(target, lines, shown)
    print(f"Copied {found.rows:,} rows of {found.tables} tables.")
    return 0


def _load(database, lines: Iterable[bytes], shown: Progress) -> archive.Loaded:
    """Stores an archive's rows in an empty database. Raises Failed."""
    try:
        return archive.load(database, lines, shown.add)
    except archive.ArchiveRefused as problem:
        raise Failed(str(problem)) from None


def write_archive(file: Path, lines: Iterable[bytes]) -> int:
    """Writes an archive that only its owner can read. Returns its size in bytes. Raises Failed.

    It is written as FILE.part, and renamed when it is on disk. A missing folder is made.
    """
    _refuse_other(file)
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            zips = file.name.endswith(".gz")
            with gzip.GzipFile("", "wb", 6, raw) if zips else contextlib.nullcontext(raw) as target:
                target.writelines(lines)
            raw.flush()
            os.fsync(raw.fileno())
            size = raw.tell()
        part.replace(file)
        _sync_folder(file.parent)
        return size
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_other(file: Path) -> None:
    """Raises Failed if the file exists and is no archive: only an archive may be replaced."""
    if file.exists() and not archive.is_head(_first_line(file)):
        raise Failed(f"{file} is there and no archive; it was left as it is.")


def open_archive(file: Path) -> BinaryIO:
    """Opens an archive, packed or not, to read its lines. Raises Failed."""
    try:
        with file.open("rb") as raw:
            packed = raw.read(2) == GZIP
        return gzip.open(file) if packed else file.open("rb")
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}.") from None


def _first_line(file: Path) -> bytes:
    """The first line; empty if the file cannot be unpacked. Raises Failed."""
    with open_archive(file) as lines:
        try:
            return next(lines, b"")
        except (OSError, EOFError, zlib.error):
            return b""


def date_of(file: Path) -> str | None:
    """The time at which an archive was made; None if the file is no archive or does not exist."""
    if not file.is_file():
        return None
    try:
        return archive.time_of(_first_line(file))
    except Failed:
        return None
