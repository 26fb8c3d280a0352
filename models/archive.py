"""All tables as lines of JSON, and back: what backups and moves between databases are made of.

The first line says what this is. For each table: a line {table, columns, last_id}, a line for each
row (an array), and a line {rows, sha256} over the rows' lines. The last line says how many tables.
`last_id` is the last id that the table has given out, for none is ever given out twice.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import peewee

from database import RowId, chunks, columns_of, last_id, snapshot, steps
from models import TABLES

FORMAT = "pairs-api-v3 archive"
VERSION = 1


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
    names = [model._meta.table_name for model in tables()]
    there = [peewee.Table(name) for name in names if database.table_exists(name)]
    counts = (table.select(peewee.fn.COUNT(peewee.SQL("*"))) for table in there)
    return sum(query.bind(database).scalar() for query in counts)


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
