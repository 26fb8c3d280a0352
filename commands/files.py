"""Archives as files: written whole or not at all, for their owner alone."""

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from commands.common import Failed
from models.archive import is_head, time_of

_GZIP = b"\x1f\x8b"
_LEVEL = 6


def write_archive(file: Path, lines: Iterable[bytes]) -> int:
    """Writes the lines into FILE.part, and once they are on disk renames it: its size.

    A folder that is missing is made, for its owner alone too.
    """
    _refuse_other(file)
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            _write(raw, lines, zipped=file.name.endswith(".gz"))
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


def _write(raw, lines: Iterable[bytes], *, zipped: bool) -> None:
    if not zipped:
        raw.writelines(lines)
        return
    with gzip.GzipFile("", "wb", _LEVEL, raw) as packed:
        packed.writelines(lines)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle of a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_other(file: Path) -> None:
    """An older archive may be replaced, anything else may not."""
    if not file.exists():
        return
    try:
        with reading(file) as lines:
            ours = is_head(next(lines, b""))
    except (OSError, EOFError, zlib.error):
        ours = False
    if not ours:
        raise Failed(f"{file} is there and no archive; it was left as it is.")


@contextlib.contextmanager
def reading(file: Path) -> Iterator[Iterator[bytes]]:
    """The lines of an archive, packed or not; raises Failed."""
    try:
        raw = file.open("rb")
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}.") from None
    with raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        yield iter(gzip.GzipFile(fileobj=raw)) if packed else iter(raw)


def size_text(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def date_of(file: Path) -> str | None:
    """When an archive was made; None for any other file."""
    if not file.is_file():
        return None
    try:
        with reading(file) as lines:
            first = next(lines, b"")
    except (Failed, OSError, EOFError, zlib.error):
        return None
    return time_of(first)
