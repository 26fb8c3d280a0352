"""Makes databases full of signals: SQLite files, and databases of a PostgreSQL server."""

import contextlib
import csv
import io
import itertools
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import peewee
import psycopg2

import server
import settings
from database import opening
from database.kinds import is_sqlite
from models import EventRow, Signal, record_of
from services import registry
from services.signals import BLANK
from tests.storage import EmbeddedServer, PostgresServer

PAIRS = [("NMFC", "ROIC", 0.72), ("MA", "V", 3.0), ("KO", "PEP", 0.5)]
WAITING = 30  # signals that wait, in a table of any size
RECENT = 500  # signals of the last hours; all others are days older
OLDER = 3 * 86400
CHUNK = 10_000
NOW = time.time()  # the same time for all databases of a run


def make(file: Path, count: int) -> Path:
    """Makes an SQLite file with `count` signals (see `fill`), and returns it."""
    fill(f"sqlite:///{file}", count, time.time())
    return file


def fill(url: str, count: int, now: float) -> None:
    """Makes a demo database with three active pairs and `count` signals, each with its event.

    The newest signals, which end at `now`, are the same for any count.
    """
    database = opening.open_database(url)
    server.prepare_store(settings.load({"database": url}, {}))
    for leg1, leg2, hedge in PAIRS:
        with database.atomic():
            registry.register_pair(
                {"ticker1": leg1, "ticker2": leg2, "hedge": hedge, "status": 1}, "bench"
            )
    with database.atomic():
        registry.put_stock({"symbol": "AAPL", "active": 1}, "bench")
    store = _insert if is_sqlite(database) else _copy
    for first in range(0, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        rows = [_signal(number, moment(number, count, now), count) for number in numbers]
        with database.atomic():
            store(database, Signal, rows)
            store(database, EventRow, [_event(n, row) for n, row in enumerate(rows, first + 1)])
    if not is_sqlite(database):
        _tidy(database)
    database.close()


def _tidy(database) -> None:
    """Runs VACUUM and a checkpoint now, which PostgreSQL itself does within minutes."""
    database.connection().autocommit = True
    database.execute_sql("VACUUM ANALYZE")
    with contextlib.suppress(peewee.ProgrammingError):  # only some users may do this
        database.execute_sql("CHECKPOINT")


def _insert(database, model, rows: list[dict]) -> None:
    fields = [getattr(model, name) for name in rows[0]]
    sql, _ = model.insert_many([tuple(rows[0].values())], fields=fields).sql()
    database.connection().executemany(sql, [tuple(row.values()) for row in rows])


def _copy(database, model, rows: list[dict]) -> None:
    lines = io.StringIO()
    csv.writer(lines).writerows(row.values() for row in rows)
    lines.seek(0)
    sql = f'COPY "{model._meta.table_name}" ({", ".join(rows[0])}) FROM STDIN (FORMAT csv)'
    database.cursor().copy_expert(sql, lines)


def moment(number: int, count: int, now: float = NOW) -> str:
    """The time, as text, at which the signal with this number (of `count`) came in."""
    back = count - number
    ago = 30 * back + (OLDER if back > RECENT else 0)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now - ago))


def _signal(number: int, timestamp: str, count: int) -> dict:
    leg1, leg2, hedge = PAIRS[number % 3]
    single = number % 10 == 0
    waits = number >= count - WAITING
    status = "waiting" if waits else ("filled", "filled", "canceled", "error")[number % 4]
    filled = status == "filled"
    return BLANK | {
        "timestamp": timestamp,
        "ticker": "AAPL" if single else f"{leg1}-{hedge}*NASDAQ:{leg2}",
        "order_action": "buy" if number % 2 else "sell",
        "order_contracts": 100.0,
        "order_price": -0.01,
        "mar_pos": "long",
        "mar_pos_size": 100.0,
        "pre_mar_pos": "flat",
        "order_comment": f"Enter Long {number}",
        "order_status": status,
        "ticker_type": "single" if single else "pair",
        "stk_ticker1": "AAPL" if single else leg1,
        "stk_ticker2": None if single else leg2,
        "hedge_param": None if single else hedge,
        "order_id1": 10 * number,
        "order_id2": None if single else 10 * number + 1,
        "stk_price1": 300.1 if filled else None,
        "stk_price2": 100.756 if filled and not single else None,
        "fill_price": -2.168 if filled else None,
        "slip": 0.168 if filled else None,
        "status_msg": "problematic ticker!" if status == "error" else None,
    }


def _event(rowid: int, row: dict) -> dict:
    changes = {name: (None, value) for name, value in row.items() if value is not None}
    return {
        "time": row["timestamp"],
        "type": "signal.created",
        "subject": str(rowid),
        "source": "webhook",
        "changes": json.dumps(changes),
        "record": orjson.dumps(record_of("signal", {"rowid": rowid, **row})).decode(),
    }


class Store:
    """A kind of database to measure."""

    name: str

    @contextlib.contextmanager
    def another(self) -> Iterator["Store"]:
        """A store of this kind whose databases are opened by processes that start from now on."""
        yield self

    def make(self, count: int = 0) -> str:
        """The URL of a new database with `count` signals."""
        url = self.new()
        fill(url, count, NOW)
        os.sync()  # so that the disk is idle when the next measurement begins
        return url


class Sqlite(Store):
    """SQLite files in a temporary directory."""

    name = "SQLite"

    def __init__(self, folder: Path):
        self._folder = folder
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """The URL of a file that does not exist yet."""
        return f"sqlite:///{self._folder}/{next(self._numbers)}.db"

    def connect(self) -> sqlite3.Connection:
        """A connection of the bare driver to a new database, with the server's durability."""
        connection = sqlite3.connect(self.new().removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA synchronous = FULL")
        return connection


class Postgres(Store):
    """Databases of one PostgreSQL server with its default settings: commits wait for the disk."""

    name = "PostgreSQL"

    def __init__(self, url: str):
        self._server = PostgresServer(url)

    def new(self) -> str:
        """The URL of a new, empty database."""
        return self._server.at(self._server.create())

    def connect(self) -> "psycopg2.extensions.connection":
        """A connection of the bare driver to a new database, in autocommit."""
        return self._server.outside(self.new())

    @contextlib.contextmanager
    def another(self) -> Iterator["Postgres"]:
        """A server that is started for the block."""
        with contextlib.closing(EmbeddedServer()) as embedded:
            yield Postgres(embedded.url)

    def version(self) -> str:
        """The server's version."""
        with contextlib.closing(self._server.outside(self._server.url)) as connection:
            return str(connection.info.server_version)


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """The server of TEST_DATABASE_URL, or one that runs only for the block."""
    given = os.environ.get("TEST_DATABASE_URL")
    embedded = None if given else EmbeddedServer()
    try:
        yield Postgres(given or embedded.url)
    finally:
        if embedded:
            embedded.close()
