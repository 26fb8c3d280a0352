"""Databases as the original Pairs-API v3 makes them: its tables with all columns, and its faults.

Release 3.0 is the seed's: a table `stocks`, and legs named `stk_...`. From 3.1 on there are a table
`tickers`, legs without the prefix, `status_msg` and account records. Every table has a `rowid`.
"""

import contextlib
import math

KINDS = {
    "sqlite": {"id": "INTEGER NOT NULL PRIMARY KEY", "time": "DATETIME"},
    "postgresql": {"id": "SERIAL PRIMARY KEY", "time": "TIMESTAMP"},
}
REST = """
  mar_pos VARCHAR, mar_pos_size INTEGER, pre_mar_pos VARCHAR, pre_mar_pos_size INTEGER,
  order_comment VARCHAR, order_status VARCHAR, ticker_type VARCHAR,
  {p}ticker1 VARCHAR, {p}ticker2 VARCHAR, hedge_param FLOAT, order_id1 INTEGER, order_id2 INTEGER,
  {p}price1 FLOAT, {p}price2 FLOAT, fill_price FLOAT, slip FLOAT, error_msg VARCHAR"""
SIGNALS = """CREATE TABLE signals (rowid {id}, timestamp {time}, ticker VARCHAR,
  order_action VARCHAR, order_contracts INTEGER, order_price FLOAT,"""
STOCKS = """CREATE TABLE stocks (rowid {id}, symbol VARCHAR, prixch VARCHAR(50),
  secxch VARCHAR(50), active INTEGER)"""
TICKERS = """CREATE TABLE tickers (rowid {id}, symbol VARCHAR, sectype VARCHAR(50), xch VARCHAR(50),
  prixch VARCHAR(50), currency VARCHAR(50), order_type VARCHAR(50), active INTEGER,
  active_pos FLOAT, active_pnl FLOAT, active_cost FLOAT)"""
PAIRS = """CREATE TABLE pairs (rowid {id}, name VARCHAR, hedge FLOAT, status INTEGER,
  notes VARCHAR, ticker1 VARCHAR, ticker2 VARCHAR)"""
USERS = "CREATE TABLE users (rowid {id}, username VARCHAR, password VARCHAR)"
SESSIONS = "CREATE TABLE sessions (rowid {id}, value VARCHAR, expiry {time})"
ACCOUNT = """CREATE TABLE account (rowid {id}, timestamp {time}, "AvailableFunds" FLOAT,
  "BuyingPower" FLOAT, "DailyPnL" FLOAT, "GrossPositionValue" FLOAT, "MaintMarginReq" FLOAT,
  "NetLiquidation" FLOAT, "RealizedPnL" FLOAT, "UnrealizedPnL" FLOAT)"""
LAYOUT = {
    "3.0": (SIGNALS + REST.replace("{p}", "stk_") + ")", STOCKS, PAIRS, USERS, SESSIONS),
    "3.1": (
        SIGNALS + REST.replace("{p}", "") + ", status_msg VARCHAR)",
        *(TICKERS, PAIRS, USERS, SESSIONS, ACCOUNT),
    ),
}


def signal(rowid, **fields):
    """A row of `signals` with the seed's names: a pair that was filled."""
    return {
        "rowid": rowid,
        "timestamp": "2022-05-27 00:24:17.123456",
        "ticker": "NMFC-0.72*NASDAQ:ROIC",
        "order_action": "buy",
        "order_contracts": 100,
        "order_price": -0.01,
        "mar_pos": "long",
        "mar_pos_size": 100,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long(...)",
        "order_status": "filled",
        "ticker_type": "pair",
        "stk_ticker1": "NMFC",
        "stk_ticker2": "ROIC",
        "hedge_param": 0.72,
        "order_id1": 944,
        "order_id2": 945,
        "stk_price1": 12.31,
        "stk_price2": 17.1,
        "fill_price": -0.002,
        "slip": -0.008,
        "error_msg": None,
    } | fields


NO_FILL = dict.fromkeys(("stk_price1", "stk_price2", "fill_price", "slip"))
NOT_ORDERED = NO_FILL | dict.fromkeys(("order_id1", "order_id2"))
SINGLE = {"ticker": "NASDAQ:AAPL", "ticker_type": "single", "stk_ticker1": "AAPL"}
SINGLE |= {"stk_ticker2": None, "hedge_param": None}
NO_LEGS = dict.fromkeys(("ticker_type", "stk_ticker1", "stk_ticker2", "hedge_param"))
GOOD = [
    signal(1),
    signal(2, **SINGLE, **NOT_ORDERED, order_status="waiting", order_price=400.2),
    signal(3, ticker="A/B", **NO_LEGS, **NOT_ORDERED, order_status="error"),
    signal(9, **NOT_ORDERED, order_status="canceled", error_msg="passive ticker"),
]
BROKEN = {  # {rowid: a row that must not be imported}
    4: signal(4, order_contracts=None),  # the original stored anything that it was sent
    5: signal(5, order_price=math.inf, order_contracts=5),
    6: signal(6, ticker="A/B", **NO_LEGS, **NOT_ORDERED, order_status="waiting"),
    7: signal(7, timestamp=None),
}
STOCK_ROWS = [
    {"symbol": "AAPL", "prixch": "SMART", "secxch": "NASDAQ", "active": 1},
    {"symbol": "NMFC", "prixch": "ISLAND", "secxch": "BYX", "active": 0},
    {"symbol": "", "prixch": "SMART", "secxch": "SMART", "active": 1},
]
TICKER_ROWS = [
    {"symbol": "AAPL", "sectype": "STK", "xch": "SMART", "prixch": "NASDAQ", "currency": "USD"}
    | {"order_type": "LIMIT", "active": 1, "active_pos": 5, "active_pnl": 1.5, "active_cost": 390},
    {"symbol": "EUR.USD", "sectype": "CASH", "xch": "IDEALPRO", "prixch": "IDEALPRO"}
    | {"currency": "USD", "order_type": "MARKET", "active": 0},
    {"symbol": "BAD", "sectype": "OPT", "active": 0},
]
PAIR_ROWS = [
    {"name": "NMFC-ROIC", "hedge": 0.72, "status": 1, "ticker1": "NMFC", "ticker2": "ROIC"},
    {"name": "MA-V", "hedge": 3.0, "status": 0, "notes": None, "ticker1": "MA", "ticker2": "V"},
    {"name": "AAPL-V", "hedge": 0.0, "status": 0, "ticker1": "AAPL", "ticker2": "V"},
]
PASSWORDS = {"admin": "123", "mary": "a long secret", "user1": "123"}
USER_ROWS = [{"username": name, "password": word} for name, word in PASSWORDS.items()]
USER_ROWS += [{"username": "lost", "password": None}]
MONEY = {"AvailableFunds": 80001.0, "BuyingPower": 320001.0, "GrossPositionValue": 20000.0}
MONEY |= {"MaintMarginReq": 5000.0, "NetLiquidation": 100000.0}
MONEY |= {"DailyPnL": 12.3, "RealizedPnL": 90.1, "UnrealizedPnL": -56.8}
ACCOUNT_ROWS = [
    {"timestamp": "2023-01-05 15:00:00", **MONEY},
    {"timestamp": "2023-01-05 16:00:00", **MONEY, "NetLiquidation": 100100.5},
    {"timestamp": "2023-01-05 17:00:00", **MONEY, "NetLiquidation": None},
]


def rows(release):
    """{table: its rows} for a release."""
    mine = [*GOOD[:3], *BROKEN.values(), GOOD[3]]
    if release == "3.0":
        return {"signals": mine, "stocks": STOCK_ROWS, "pairs": PAIR_ROWS, "users": USER_ROWS}
    renamed = [{key.removeprefix("stk_"): value for key, value in row.items()} for row in mine]
    return {
        "signals": [{**row, "status_msg": f"of {row['rowid']}"} for row in renamed],
        "tickers": TICKER_ROWS,
        "pairs": PAIR_ROWS,
        "users": USER_ROWS,
        "account": ACCOUNT_ROWS,
    }


def fill(storage, url, release):
    """Makes the tables of a release, with rows, in an empty database."""
    with contextlib.closing(storage.outside(url)) as connection:
        cursor = connection.cursor()
        for statement in LAYOUT[release]:
            cursor.execute(statement.format(**KINDS[storage.name]))
    for table, given in rows(release).items():
        add(storage, url, table, *given)


def add(storage, url, table, *given):
    """Adds rows to a table."""
    mark = "?" if storage.name == "sqlite" else "%s"
    with contextlib.closing(storage.outside(url)) as connection:
        cursor = connection.cursor()
        for row in given:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join([mark] * len(row))
            sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
            cursor.execute(sql, tuple(row.values()))
