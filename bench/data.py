"""Databases full of signals, and the requests that the benchmarks send."""

import asyncio
import contextlib
import csv
import io
import json
import os
import time
from pathlib import Path

import peewee

import models
import server
import settings
from bench.load import Connection, Load
from bench.processes import PASSPHRASE, Process
from database import is_sqlite
from models import EventRow, Pair, Signal, Stock
from models.records import text_of
from models.statements import compiled

PAIRS = [("NMFC", "ROIC", 0.72), ("MA", "V", 3.0), ("KO", "PEP", 0.5)]
ALERT = {
    "passphrase": PASSPHRASE,
    "ticker": "NMFC-0.72*NASDAQ:ROIC",
    "order_action": "buy",
    "order_contracts": 100,
    "order_price": -0.01,
    "mar_pos": "long",
    "mar_pos_size": 100,
    "pre_mar_pos": "flat",
    "pre_mar_pos_size": 0,
    "order_comment": "Enter Long {n}",
}
WAITING = 30  # signals that wait, whatever the size of the table
RECENT = 500  # signals of the last hours; all others are older by days
OLDER = 3 * 86400
CHUNK = 10_000


def webhook(port: int, *, alert_id: bool = False, **named) -> Load:
    """A load of alerts of a registered pair; with an alert id as the shipped template has."""
    body = {**ALERT, "alert_id": "NASDAQ:NMFC|5|{n}|Long|buy|100"} if alert_id else ALERT
    return Load(port, method="POST", path="/v3/webhook", body=json.dumps(body), **named)


def settle(url: str) -> str:
    """The URL, once the disk has it: else it is still busy while something is measured."""
    os.sync()
    return url


def make(file: Path, count: int) -> Path:
    """An SQLite file with that many signals (`fill`)."""
    fill(f"sqlite:///{file}", count)
    return file


def fill(url: str, count: int, now: float | None = None) -> str:
    """Makes a demo database with three active pairs and that many signals, each with its event.

    Its URL. The newest signals, up to now, are the same however many there are.
    """
    now = now or time.time()
    database = models.open_store(url)
    server.prepare_store(settings.load({"database": url}, {}))
    for leg1, leg2, hedge in PAIRS:
        with database.atomic():
            Pair.register({"ticker1": leg1, "ticker2": leg2, "hedge": hedge, "status": 1}, "bench")
    with database.atomic():
        Stock.put({"symbol": "AAPL", "active": 1}, "bench")
    store = _insert if is_sqlite(database) else _copy
    for first in range(0, count, CHUNK):
        rows = [
            _signal(n, moment(n, count, now), count)
            for n in range(first, min(first + CHUNK, count))
        ]
        with database.atomic():
            store(database, Signal, rows)
            store(database, EventRow, [_event(n, row) for n, row in enumerate(rows, first + 1)])
    if not is_sqlite(database):  # what PostgreSQL does by itself within minutes
        database.connection().autocommit = True
        database.execute_sql("VACUUM ANALYZE")
        with contextlib.suppress(peewee.ProgrammingError):  # not everybody may
            database.execute_sql("CHECKPOINT")
    database.close()
    return url


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


def moment(number: int, count: int, now: float) -> str:
    """When the signal of this number came in, of so many up to now."""
    back = count - number
    ago = 30 * back + (OLDER if back > RECENT else 0)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now - ago))


def _signal(number: int, timestamp: str, count: int) -> dict:
    leg1, leg2, hedge = PAIRS[number % 3]
    single = number % 10 == 0
    waits = number >= count - WAITING
    status = "waiting" if waits else ("filled", "filled", "canceled", "error")[number % 4]
    filled = status == "filled"
    return compiled.blank | {
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
        "record": text_of("signal", {"rowid": rowid, **row}),
    }


def token(process: Process) -> str:
    """An access token of the demo's administrator."""
    body = json.dumps({"username": "admin", "password": "123", "expire": 60})

    async def log_in() -> str:
        connection = await Connection(process.port).open()
        load = Load(process.port, 1, 0, "POST", "/v3/login", body)
        status, answer = await connection.ask(load.request(0))
        connection.close()
        if status != 200:
            raise RuntimeError(f"the login was answered {status}")
        return json.loads(answer)["access_token"]

    return asyncio.run(log_in())
