"""Putting an archive (see `models.archive`) into an empty database, whole or not at all."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import orjson
import peewee

from database import RowId, insert_rows, set_last_id, steps
from models.archive import FORMAT, VERSION, tables

BATCH = 500
_LAST_ID = 2**63 - 1
_SCALARS = (str, int, float, bool, type(None))
# What a database says to a row that is not one of ours; all else is the database's own trouble.
_UNFIT = (
    *(peewee.IntegrityError, peewee.DataError, peewee.InterfaceError, peewee.ProgrammingError),
    *(OverflowError, ValueError),
)


class ArchiveRefused(Exception):
    """The archive cannot be read or not be put here; the text is one sentence."""


class Loaded(NamedTuple):
    """What an archive held."""

    tables: int
    rows: int


def load(
    database: peewee.Database, lines: Iterable[bytes], progress: Callable[[int], None]
) -> Loaded:
    """Puts an archive into a migrated database without rows, all of it or nothing.

    Raises ArchiveRefused.
    """
    with database.atomic():
        _refuse_rows(database)
        return _Loader(database, lines, progress).load()


def _refuse_rows(database: peewee.Database) -> None:
    for model in tables():
        if model.select().bind(database).exists():
            raise ArchiveRefused(
                "The database is not empty; an archive goes only into a new one "
                f"(there are rows in {model._meta.table_name})."
            )


class _Loader:
    """Reads an archive's lines one after the other."""

    def __init__(
        self,
        database: peewee.Database,
        lines: Iterable[bytes],
        progress: Callable[[int], None],
    ):
        self._database = database
        self._lines = iter(lines)
        self._progress = progress
        self._number = 0
        self._raw = b""
        self._models = {model._meta.table_name: model for model in tables()}

    def load(self) -> Loaded:
        self._read_head()
        count = total = 0
        while "tables" not in (head := self._object()):
            total += self._load_table(head)
            count += 1
        if head["tables"] != count or next(self._lines, None) is not None:
            raise self._damaged()
        return Loaded(count, total)

    def _next(self) -> Any:
        """The next line's value; raises ArchiveRefused."""
        try:
            self._raw = next(self._lines)
        except (StopIteration, EOFError):
            raise ArchiveRefused(
                f"The archive is cut off after line {self._number}; nothing was restored."
            ) from None
        except (gzip.BadGzipFile, zlib.error):
            self._number += 1
            raise self._damaged() from None
        self._number += 1
        try:
            return orjson.loads(self._raw)
        except orjson.JSONDecodeError:
            raise self._damaged() from None

    def _object(self) -> dict[str, Any]:
        value = self._next()
        if not isinstance(value, dict):
            raise self._damaged()
        return value

    def _damaged(self) -> ArchiveRefused:
        return ArchiveRefused(
            f"The archive is damaged at line {self._number}; nothing was restored."
        )

    def _read_head(self) -> None:
        try:
            first = self._next()
        except ArchiveRefused:
            first = None
        if not isinstance(first, dict) or first.get("format") != FORMAT:
            raise ArchiveRefused("This is not an archive of Pairs-API v3.")
        applied, lacking = steps(self._database)
        known, taken = {*applied, *lacking}, first.get("steps") or []
        if first.get("version") != VERSION or not _are_names(taken) or set(taken) - known:
            raise ArchiveRefused(
                "The archive is of a newer release than this server; restore it with that one."
            )

    def _load_table(self, head: dict[str, Any]) -> int:
        table, columns = head.get("table"), head.get("columns")
        if not isinstance(table, str) or not _are_names(columns):
            raise self._damaged()
        model = self._models.get(table)
        if model is None:
            raise ArchiveRefused(
                f"The archive has a table {table} that this release does not know."
            )
        if model._meta.primary_key.column_name not in columns:
            raise self._damaged()
        missing = _defaults(model, columns)
        digest, count, highest = hashlib.sha256(), 0, 0
        key = columns.index(model._meta.primary_key.column_name)
        ending: dict[str, Any] = {}
        rows = self._rows(len(columns), digest, ending)
        while batch := list(islice(rows, BATCH)):
            if isinstance(model._meta.primary_key, RowId):
                highest = self._highest(highest, [row[key] for row in batch])
            full = [[*row, *missing.values()] for row in batch]
            self._insert(model._meta.table_name, [*columns, *missing], full)
            count += len(batch)
            self._progress(len(batch))
        if ending != {"rows": count, "sha256": digest.hexdigest()}:
            raise self._damaged()
        self._go_on(model, head.get("last_id"), highest)
        return count

    def _rows(self, width: int, digest: Any, ending: dict[str, Any]) -> Iterator[list]:
        """The rows up to the line that ends them, which goes into `ending`."""
        while not isinstance(value := self._next(), dict):
            fits = isinstance(value, list) and len(value) == width
            if not fits or not all(isinstance(each, _SCALARS) for each in value):
                raise self._damaged()
            digest.update(self._raw)
            yield value
        ending |= value

    def _highest(self, so_far: int, ids: list) -> int:
        if not all(type(each) is int for each in ids):
            raise self._damaged()
        return max(so_far, *ids)

    def _insert(self, table: str, columns: list[str], rows: list[list]) -> None:
        try:
            insert_rows(self._database, table, columns, rows)
        except _UNFIT:
            raise self._damaged() from None

    def _go_on(self, model: type[peewee.Model], given: Any, highest: int) -> None:
        if isinstance(model._meta.primary_key, RowId):
            if not isinstance(given, int) or not 0 <= given <= _LAST_ID:
                raise self._damaged()
            table, key = model._meta.table_name, model._meta.primary_key.column_name
            set_last_id(self._database, table, key, max(given, highest))


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _defaults(model: type[peewee.Model], columns: list[str]) -> dict[str, Any]:
    """{column: default} of what an older archive lacks; raises ArchiveRefused."""
    fields = {field.column_name: field for field in model._meta.sorted_fields}
    table = model._meta.table_name
    if unknown := [each for each in columns if each not in fields]:
        raise ArchiveRefused(
            f"The archive has a column {unknown[0]} in {table} that this release does not know."
        )
    lacking = {name: field for name, field in fields.items() if name not in columns}
    for name, field in lacking.items():
        if not field.null and field.default is None:
            raise ArchiveRefused(
                f"The archive lacks the column {name} of {table}, and there is no default for it."
            )
    return {name: field.default for name, field in lacking.items()}
