"""Reads a database of the original Pairs-API v3, and turns its rows into rows of ours.

A value that does not fit is refused, not guessed.
"""

import datetime
import decimal
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import peewee
import psycopg2
from playhouse import db_url
from pydantic import BeforeValidator

from database.kinds import is_sqlite
from database.opening import DatabaseRefused, proxy, refusal
from database.rows import last_id, set_last_id
from models import SIGNAL_KEYS, AlertId, Signal
from schemas.forms import AccountForm, Alert, PairForm, StockForm, TickerForm, with_twins
from schemas.requests import UserForm
from schemas.types import Id, Moment, Positive, Status
from schemas.values import BadFields, Body, Record, check, is_true, to_symbol
from services import events
from services.signals import BLANK
from trading import equation, fills, statuses

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

        Raises DatabaseRefused at a row that cannot be read.
        """
        # In a table that does not declare it, SQLite tells the rowid only if it is asked.
        sql = f"SELECT {table}.rowid AS rowid, {table}.* FROM {table} ORDER BY {table}.rowid"  # noqa: S608
        try:
            cursor = self._database.execute_sql(sql)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield {name: _plain(value) for name, value in zip(names, row, strict=True)}
        except (peewee.PeeweeException, *_BROKEN) as error:
            raise DatabaseRefused(
                f"The original's table {table} cannot be read to its end: {error}."
            ) from None

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

    @staticmethod
    def taken(rowid: int) -> int | None:
        """The rowid here of the signal that came before with this rowid; None if none did."""
        mine = AlertId.alert_id == f"import-v3:{rowid}"
        return AlertId.select(AlertId.signal).where(mine).scalar()

    def take(self, columns: dict[str, Any]) -> int:
        """Stores a signal given with the original's rowid as it was: the rowid it has here."""
        rowid = columns["rowid"]
        row = {name: columns.get(name, value) for name, value in BLANK.items()}
        if self.keeps(rowid):
            Signal.insert(rowid=rowid, **row).execute()
            self._last, mine = rowid, rowid
        else:
            self.settle()
            mine = self._last = Signal.insert(**row).execute()
        alert_id = {"alert_id": f"import-v3:{rowid}", "fingerprint": ""}
        AlertId.insert(**alert_id, signal=mine).execute()
        created = {name: (None, value) for name, value in row.items() if value is not None}
        events.tell("signal.created", str(mine), SOURCE, created, {"rowid": mine, **row})
        return mine

    def settle(self) -> None:
        """Lets new rowids go on after those that were kept."""
        set_last_id(proxy.obj, "signal", "rowid", self._last)


def is_another(stored: int, columns: Record) -> bool:
    """Whether the stored signal of this rowid is not this one, but one of another database."""
    signal = Signal.get_or_none(Signal.rowid == stored)
    told = ("timestamp", "ticker", "order_action")
    return signal is not None and any(getattr(signal, name) != columns[name] for name in told)


# --- rows as columns of ours -----------------------------------------------------------

_LEGS = ("stk_ticker1", "stk_ticker2", "hedge_param")
Leg = Annotated[str, BeforeValidator(to_symbol)]


class _SignalRow(Alert):
    rowid: Id
    timestamp: Moment
    order_status: Status


class _SingleLeg(Body):
    stk_ticker1: Leg


class _PairLegs(Body):
    stk_ticker1: Leg
    stk_ticker2: Leg
    hedge_param: Positive


class _AccountRow(AccountForm):
    timestamp: Moment


def original_signal(row: Record) -> Record:
    """A row of `signals` in any release's spelling, its rowid among them; raises BadFields.

    The legs are those stored with it where they are whole, else what its equation says.
    """
    row = with_twins(_given(row))
    form = check(_SignalRow, row)
    columns = {key: getattr(form, key) for key in form.model_fields_set if key in SIGNAL_KEYS}
    columns |= _stored_legs(row) or _read_legs(form.ticker)
    columns |= _told_quantities(columns)
    if columns["order_status"] in statuses.OFFERED and columns["ticker_type"] is None:
        raise BadFields({"ticker": "a problematic ticker cannot be traded"})
    return columns


def _told_quantities(columns: Record) -> Record:
    """What each leg has filled: the original tells it in its status message alone."""
    names = fills.Order.__dataclass_fields__
    known = {name: columns.get(name) for name in names}
    try:
        filled_qty1, filled_qty2 = fills.quantities(fills.Order(**known))
    except ValueError:
        return {}
    return {"filled_qty1": filled_qty1, "filled_qty2": filled_qty2}


def _given(row: Record) -> Record:
    """Without what is null or blank."""
    return {key: value for key, value in row.items() if value is not None and value != ""}


def _stored_legs(row: Record) -> Record | None:
    kind = row.get("ticker_type")
    form = {"single": _SingleLeg, "pair": _PairLegs}.get(kind)
    try:
        legs = form and check(form, row)
    except BadFields:
        return None
    if legs is None:
        return None
    if any(leg != _spelled(leg) for leg in (legs.stk_ticker1, getattr(legs, "stk_ticker2", ""))):
        return None
    return {"ticker_type": kind, **{key: getattr(legs, key, None) for key in _LEGS}}


def _read_legs(ticker: str) -> Record:
    try:
        read = equation.parse(ticker)
    except equation.Problematic:
        return {"ticker_type": None, **dict.fromkeys(_LEGS)}
    legs = (read.leg1.symbol, read.leg2.symbol if read.leg2 else None, read.hedge)
    return {"ticker_type": read.kind, **dict(zip(_LEGS, legs, strict=True))}


def original_stock(row: Record) -> Record:
    """A row of `stocks` (the seed's spelling) or `tickers` (the bridge's); raises BadFields."""
    form, row = TickerForm if "xch" in row else StockForm, _given(row)
    if "symbol" in row:
        row["symbol"] = _spelled(row["symbol"], row.get("currency", "USD"))
    return check(form, row).columns()


def _spelled(symbol: Any, currency: str = "USD") -> Any:
    """A symbol as the broker spells it: a US class share `BF B`, what is longer `REI.UN`."""
    if not isinstance(symbol, str):
        return symbol
    if currency == "USD":
        symbol = re.sub(r"\.([A-Za-z])$", r" \1", symbol.strip())
    return re.sub(r" ([A-Za-z]{2,})$", r".\1", symbol.strip())


def original_pair(row: Record, is_registered: Callable[[str], bool]) -> Record:
    """A row of `pairs`; where it has no tickers its name tells them. Raises BadFields."""
    row = _given(row)
    if "ticker1" not in row and "ticker2" not in row and "name" in row:
        row |= _legs_of_name(str(row["name"]))
    for key in ("ticker1", "ticker2"):
        if key in row and not is_registered(row[key]):
            row[key] = _spelled(row[key])
    return check(PairForm, row).columns()


def _legs_of_name(name: str) -> Record:
    legs = name.split("-")
    if len(legs) != 2:
        raise BadFields({"name": "does not tell the tickers"})
    return dict(zip(("ticker1", "ticker2"), legs, strict=True))


def original_user(row: Record) -> UserForm:
    """A row of `users`; the one named admin is an administrator. Raises BadFields."""
    flags = [row.get("admin"), row.get("is_admin")]
    admin = row.get("username") == "admin" or any(map(is_true, flags))
    return check(UserForm, {**row, "admin": admin})


def original_account(row: Record) -> Record:
    """A row of `account`; raises BadFields."""
    return check(_AccountRow, row).columns()
