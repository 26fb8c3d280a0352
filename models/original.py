"""A database of the original Pairs-API v3: its tables as they are, and taking signals over."""

import datetime
import decimal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import peewee
import psycopg2
from playhouse import db_url

from database import DatabaseRefused, is_sqlite, last_id, proxy, refusal, set_last_id
from models.base import tell
from models.signals import AlertId, Signal
from models.statements import compiled

SOURCE = "import"  # of the events
_BROKEN = (sqlite3.Error, psycopg2.Error)  # what a cursor raises that is read row by row
TABLES = ("signals", "stocks", "tickers", "pairs", "users", "account")


class Original:
    """The original's database, read only; its columns vary between releases."""

    def __init__(self, place: str):
        """Opens a file or URL; raises DatabaseRefused."""
        url = place if "://" in place else f"sqlite:///{place}"
        try:
            self._database = _describe(url)
            _connect(self._database)
            there = set(self._database.get_tables())
        except (ValueError, TypeError):
            raise DatabaseRefused("This is neither a file nor a URL of a database.") from None
        except peewee.PeeweeException as error:
            raise refusal(url, error) from None
        self.tables = [name for name in TABLES if name in there]
        if not self.tables:
            raise DatabaseRefused(
                "This is no database of the original Pairs-API v3: it has none of its tables."
            )

    def count(self, table: str) -> int | None:
        """How many rows a table has; None where it cannot be counted, for it is damaged."""
        try:
            return self._database.execute_sql(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608
        except peewee.PeeweeException:
            return None

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """A table's rows as {column: value}, oldest first; times are text.

        Raises DatabaseRefused where they cannot be read on.
        """
        try:
            yield from self._rows(table)
        except (peewee.PeeweeException, *_BROKEN) as error:
            raise DatabaseRefused(
                f"The original's table {table} cannot be read to its end: {error}."
            ) from None

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        # In a table that does not declare it, SQLite tells the rowid only if it is asked.
        sql = f"SELECT {table}.rowid AS rowid, {table}.* FROM {table} ORDER BY {table}.rowid"  # noqa: S608
        cursor = self._database.execute_sql(sql)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield {name: _plain(value) for name, value in zip(names, row, strict=True)}

    def close(self) -> None:
        """Closes it."""
        self._database.close()


def _describe(url: str) -> peewee.Database:
    options = db_url.parse(url, unquote_user=True, unquote_password=True)
    if not url.startswith("sqlite"):
        return peewee.PostgresqlDatabase(**options, connect_timeout=10)
    file = Path(options["database"])
    if not file.is_file():
        raise DatabaseRefused(f"There is no file {file}.")
    return peewee.SqliteDatabase(f"file:{quote(str(file))}?mode=ro", uri=True)


def _connect(database: peewee.Database) -> None:
    """Connects so that a write fails; a file was opened so already."""
    database.connect()
    if is_sqlite(database):
        database.connection().text_factory = lambda raw: raw.decode("utf-8", "replace")
    else:
        database.execute_sql("SET default_transaction_read_only = on")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value


class Takeover:
    """Takes signals over within one transaction, each of the original's once."""

    def __init__(self):
        self._last = last_id(proxy.obj, "signal", "rowid")

    def keeps(self, rowid: int) -> bool:
        """Whether a signal keeps this rowid: where none from it on was ever given out here."""
        return rowid > self._last

    def is_taken(self, rowid: int) -> bool:
        """Whether a signal of this rowid came before."""
        return _taken(rowid) is not None

    def is_another(self, rowid: int, columns: dict[str, Any]) -> bool:
        """Whether what came before was another signal: that of another database."""
        stored = Signal.get_or_none(Signal.rowid == _taken(rowid))
        told = ("timestamp", "ticker", "order_action")
        return stored is not None and any(getattr(stored, name) != columns[name] for name in told)

    def take(self, columns: dict[str, Any]) -> int:
        """Stores a signal given with the original's rowid as it was: the rowid it has here."""
        rowid = columns["rowid"]
        row = {name: columns.get(name, value) for name, value in compiled.blank.items()}
        if self.keeps(rowid):
            Signal.insert(rowid=rowid, **row).execute()
            self._last, mine = rowid, rowid
        else:
            self.settle()
            mine = self._last = Signal.insert(**row).execute()
        AlertId.insert(alert_id=_alert_id(rowid), fingerprint="", signal=mine).execute()
        created = {name: (None, value) for name, value in row.items() if value is not None}
        tell("signal.created", str(mine), SOURCE, created, {"rowid": mine, **row})
        return mine

    def settle(self) -> None:
        """Lets new rowids go on after those that were kept."""
        set_last_id(proxy.obj, "signal", "rowid", self._last)


def _taken(rowid: int) -> int | None:
    """The rowid here of a signal that was taken over with this rowid."""
    return AlertId.select(AlertId.signal).where(AlertId.alert_id == _alert_id(rowid)).scalar()


def _alert_id(rowid: int) -> str:
    return f"import-v3:{rowid}"
