"""Rows in bulk, as archives move them: read by key, stored as they are, and the last ids."""

from collections.abc import Iterator
from typing import Any

import peewee

from database.kinds import is_sqlite

CHUNK = 500  # rows; SQLite takes 32,766 values in one statement


def columns_of(database: peewee.Database, table: str) -> list[str]:
    """The names of a table's columns; none where there is no such table."""
    if not database.table_exists(table):
        return []
    return [column.name for column in database.get_columns(table)]


def chunks(
    database: peewee.Database, table: str, columns: list[str], key: str, *, textual: bool
) -> Iterator[list[tuple]]:
    """All rows of a table, some at a time, in the order of their key.

    `textual`: the key is text; its order is that of its bytes, whatever the database's locale.
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


def insert_rows(
    database: peewee.Database, table: str, columns: list[str], rows: list[tuple | list]
) -> None:
    """Stores rows given as these columns."""
    row = f"({', '.join([database.param] * len(columns))})"
    names = ", ".join(map(_quoted, columns))
    sql = f"INSERT INTO {_quoted(table)} ({names}) VALUES {', '.join([row] * len(rows))}"  # noqa: S608
    database.execute_sql(sql, [value for each in rows for value in each])


def last_id(database: peewee.Database, table: str, key: str) -> int:
    """The last id that this table has given out, though its row may be gone; 0 before the first."""
    if is_sqlite(database):
        row = database.execute_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return (row.fetchone() or (0,))[0]
    sql = f"SELECT last_value, is_called FROM {_sequence(database, table, key)}"  # noqa: S608
    value, is_used = database.execute_sql(sql).fetchone()
    return value if is_used else 0


def set_last_id(database: peewee.Database, table: str, key: str, number: int) -> None:
    """Lets the table's ids go on after this one, in the running transaction."""
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
