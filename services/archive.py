"""All tables as lines of JSON, and back: what backups and moves between databases are made of.

The first line says what this is. For each table: a line {table, columns, last_id}, a line for each
row (an array), and a line {rows, sha256} over the lines of its rows. The last line says how many
tables. `last_id` is the last id that the table has given out: none is ever given out twice.
"""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import orjson
import peewee

from database.opening import RowId, snapshot, steps
from database.rows import chunks, columns_of, last_id, set_last_id
from models import TABLES

FORMAT = "pairs-api-v3 archive"
VERSION = 1
BATCH = 500
_LAST_ID = 2**63 - 1
_SCALARS = (str, int, float, bool, type(None))
# What a database says to a row that is not one of ours; all else is the database's own trouble.
_UNFIT = (
    *(peewee.IntegrityError, peewee.DataError, peewee.InterfaceError, peewee.ProgrammingError),
    *(OverflowError, ValueError),
)


def tables() -> list[type[peewee.Model]]:
    """All tables, each after those that it refers to."""
    return peewee.sort_models(TABLES)


def is_head(line: bytes) -> bool:
    """Whether a file that begins with this line is an archive of ours."""
    try:
        return orjson.loads(line)["format"] == FORMAT
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return False


def time_of(line: bytes) -> str | None:
    """When an archive that begins with this line was made."""
    return str(orjson.loads(line).get("time")) if is_head(line) else None


def dump(
    database: peewee.Database, head: dict[str, Any], progress: Callable[[int], None]
) -> Iterator[bytes]:
    """The lines of an archive: one moment of the database, whoever writes to it meanwhile.

    `head` is what the first line says beside the format and the migrations; `progress` is told of
    each batch's rows.
    """
    with snapshot(database):
        taken, _ = steps(database)
        yield _line({"format": FORMAT, "version": VERSION, **head, "steps": taken})
        count = 0
        for model in tables():
            there = set(columns_of(database, model._meta.table_name))
            fields = [each for each in model._meta.sorted_fields if each.column_name in there]
            if fields:
                yield from _dump_table(database, model, fields, progress)
                count += 1
        yield _line({"tables": count})


def count_rows(database: peewee.Database) -> int:
    """How many rows an archive of this database would have by now."""
    there = [model for model in tables() if database.table_exists(model._meta.table_name)]
    return sum(model.select().bind(database).count() for model in there)


def _dump_table(
    database: peewee.Database,
    model: type[peewee.Model],
    fields: list[peewee.Field],
    progress: Callable[[int], None],
) -> Iterator[bytes]:
    table, columns = model._meta.table_name, [field.column_name for field in fields]
    key = model._meta.primary_key
    given = last_id(database, table, key.column_name) if isinstance(key, RowId) else None
    yield _line({"table": table, "columns": columns, "last_id": given})
    digest, count = hashlib.sha256(), 0
    flags = [n for n, field in enumerate(fields) if isinstance(field, peewee.BooleanField)]
    batches = chunks(database, table, columns, key.column_name, textual=_is_text(key))
    for rows in batches:
        for row in map(list, rows):
            for index in flags:  # SQLite has no booleans
                row[index] = None if row[index] is None else bool(row[index])
            line = _line(row)
            digest.update(line)
            yield line
        count += len(rows)
        progress(len(rows))
    yield _line({"rows": count, "sha256": digest.hexdigest()})


def _is_text(field: peewee.Field) -> bool:
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    return isinstance(field, peewee.CharField | peewee.TextField)


def _line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


# --- putting an archive into an empty database, whole or not at all ------------------------


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
        for model in tables():
            if model.select().bind(database).exists():
                raise ArchiveRefused(
                    "The database is not empty; an archive goes only into a new one "
                    f"(there are rows in {model._meta.table_name})."
                )
        return _Loader(database, lines, progress).load()


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
        field = model._meta.primary_key
        key, has_ids = field.column_name, isinstance(field, RowId)
        if key not in columns:
            raise self._damaged()
        missing = _defaults(model, columns)
        digest, count, highest = hashlib.sha256(), 0, 0
        ending: dict[str, Any] = {}
        rows = self._rows(len(columns), digest, ending)
        while batch := list(islice(rows, BATCH)):
            if has_ids:
                ids = [row[columns.index(key)] for row in batch]
                if not all(type(each) is int for each in ids):
                    raise self._damaged()
                highest = max(highest, *ids)
            try:
                full = [[*row, *missing.values()] for row in batch]
                self._database.insert_all((table, [*columns, *missing], full))
            except _UNFIT:
                raise self._damaged() from None
            count += len(batch)
            self._progress(len(batch))
        if ending != {"rows": count, "sha256": digest.hexdigest()}:
            raise self._damaged()
        if has_ids:
            self._set_last_id(table, key, head.get("last_id"), highest)
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

    def _set_last_id(self, table: str, key: str, given: Any, highest: int) -> None:
        if not isinstance(given, int) or not 0 <= given <= _LAST_ID:
            raise self._damaged()
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
