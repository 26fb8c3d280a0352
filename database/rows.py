"""Queries whose SQL is made only once, and whole tables read and written, as archives need it."""

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any

import peewee

from database.kinds import is_sqlite
from database.opening import proxy

CHUNK = 500  # rows; SQLite takes 32,766 values in one statement


class Compiled:
    """A query whose SQL is made once: `build` returns it with any values in it.

    Each call gives the real values, in their order. If the SQL depends on more, such as how many
    keys it has, that is its *shape*: the SQL is made once for each shape.
    """

    def __init__(self, build: Callable[..., peewee.Query]):
        self._build = build
        self._texts: dict[tuple, str] = {}

    def __call__(self, values: Iterable[Any] = (), *shape: Any) -> Any:
        """Runs the query with these values on this thread's connection; returns the cursor."""
        key = (type(proxy.obj), *shape)
        text = self._texts.get(key)
        if text is None:
            query = proxy.get_sql_context().sql(self._build(*shape))
            text = self._texts[key] = query.query()[0]
        return proxy.obj.execute_sql(text, tuple(values))


def newest_of_each(
    table: str, key: str, columns: Iterable[str], owners: list[tuple], most: int, own: str
) -> list[tuple]:
    """The newest rows of each owner, at most `most`, all with the newest first; `key` comes first.

    `own` is the condition and the order in SQL: `subject = owner.column1 ORDER BY id DESC`, where
    `owner.column1` and so on are the values of an owner.
    """
    rows: list[tuple] = []
    for first in range(0, len(owners), CHUNK):
        some = owners[first : first + CHUNK]
        sql = _newest_of_each(table, key, columns, (len(some), len(some[0])), own)
        values = [*(value for owner in some for value in owner), most]
        rows += proxy.obj.execute_sql(sql, values).fetchall()
    return sorted(rows, key=itemgetter(0), reverse=True)


def _newest_of_each(
    table: str, key: str, columns: Iterable[str], shape: tuple[int, int], own: str
) -> str:
    mark = proxy.obj.param
    owners, width = shape
    one = f"({', '.join([mark] * width)})"
    own = f"FROM {table} WHERE {own} LIMIT {mark}"
    told = ", ".join(f"told.{name}" for name in (key, *columns))
    sql = f"SELECT {told} FROM (VALUES {', '.join([one] * owners)}) AS owner CROSS JOIN "  # noqa: S608
    if is_sqlite(proxy):  # it knows no LATERAL, and PostgreSQL would scan the table for this
        return sql + f"{table} AS told WHERE told.{key} IN (SELECT {key} {own})"
    return sql + f"LATERAL (SELECT * {own}) AS told"


def columns_of(database: peewee.Database, table: str) -> list[str]:
    """The names of a table's columns; empty if there is no such table."""
    if not database.table_exists(table):
        return []
    return [column.name for column in database.get_columns(table)]


def chunks(
    database: peewee.Database, table: str, columns: list[str], key: str, *, textual: bool
) -> Iterator[list[tuple]]:
    """All rows of a table in the order of their key, in lists of at most CHUNK.

    `textual` means that the key is text: it is ordered by its bytes, whatever the locale is.
    """
    ordered = _quoted(key) + (' COLLATE "C"' if textual and not is_sqlite(database) else "")
    begin = f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(table)}"  # noqa: S608 ours
    end = f" ORDER BY {ordered} LIMIT {CHUNK}"
    rows = database.execute_sql(begin + end).fetchall()
    while rows:
        yield rows
        last = rows[-1][columns.index(key)]
        following = f"{begin} WHERE {ordered} > {database.param}{end}"
        rows = database.execute_sql(following, (last,)).fetchall()


def last_id(database: peewee.Database, table: str, key: str) -> int:
    """The last id that this table has used, even if its row is deleted; 0 if there was none."""
    if is_sqlite(database):
        row = database.execute_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return (row.fetchone() or (0,))[0]
    sql = f"SELECT last_value, is_called FROM {_sequence(database, table, key)}"  # noqa: S608
    value, is_used = database.execute_sql(sql).fetchone()
    return value if is_used else 0


def set_last_id(database: peewee.Database, table: str, key: str, number: int) -> None:
    """Makes the table's next id follow this one, in the running transaction; 0 does nothing."""
    if not number:
        return
    if not is_sqlite(database):
        sql = f"SELECT setval('{_sequence(database, table, key)}', %s)"  # noqa: S608
        database.execute_sql(sql, (number,))
        return
    database.execute_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    database.execute_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))


def _sequence(database: peewee.Database, table: str, key: str) -> Any:
    sql = "SELECT pg_get_serial_sequence(%s, %s)"
    return database.execute_sql(sql, (_quoted(table), key)).fetchone()[0]


def _quoted(name: str) -> str:
    return f'"{name}"'
