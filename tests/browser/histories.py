"""Makes databases with a history of fills that was counted by hand."""

import contextlib
import json
import sqlite3

from bench.data import make

# time, ticker, action, contracts, price of leg 1, of leg 2, slippage per contract, position before
HISTORY = [
    ("2026-11-02 15:00:00", "AAPL", "buy", 100, 100.0, None, 0.1, 0),
    ("2026-11-03 16:00:00", "AAPL", "sell", 100, 104.0, None, 0.0, 100),  # +400
    ("2026-11-10 15:00:00", "AAPL", "buy", 50, 110.0, None, -0.5, 0),
    ("2026-11-11 15:00:00", "AAPL", "sell", 50, 108.0, None, 0.0, 50),  # -100
    ("2026-11-12 15:00:00", "NMFC-ROIC", "buy", 100, 12.5, 14.0, 0.02, 0),
    ("2026-11-13 15:00:00", "NMFC-ROIC", "sell", 100, 13.0, 14.5, 0.0, 100),  # +50 - 36 = +14
    ("2026-11-16 15:00:00", "SAP", "buy", 10, 200.0, None, 0.0, 0),
    ("2026-11-17 15:00:00", "SAP", "sell", 10, 210.0, None, 0.0, 10),  # +100 EUR
    ("2026-11-18 15:00:00", "AAPL", "sell", 20, 120.0, None, 0.0, 0),  # still open
    ("2026-11-19 15:00:00", "PEP", "sell", 30, 90.0, None, None, 30),  # began before the records
]
HEDGE = 0.72


def signal(time, ticker, action, contracts, price1, price2, slip, before):
    """The columns of a signal that was filled at once."""
    leg1, _, leg2 = ticker.partition("-")
    after = before + (contracts if action == "buy" else -contracts)
    fill = price1 - HEDGE * price2 if leg2 else price1
    words = [("flat", "long", "short")[(size > 0) + 2 * (size < 0)] for size in (before, after)]
    return {
        **{"timestamp": time, "order_action": action, "order_contracts": contracts},
        "ticker": f"{leg1}-{HEDGE}*{leg2}" if leg2 else leg1,
        **{"pre_mar_pos": words[0], "pre_mar_pos_size": abs(before)},
        **{"mar_pos": words[1], "mar_pos_size": abs(after), "order_status": "filled"},
        "order_price": fill + (slip or 0) * (1 if action == "buy" else -1),
        **{"ticker_type": "pair" if leg2 else "single", "stk_ticker1": leg1},
        **{"stk_ticker2": leg2 or None, "hedge_param": HEDGE if leg2 else None},
        **{"stk_price1": price1, "stk_price2": price2, "fill_price": fill, "slip": slip},
        **{"filled_qty1": contracts, "filled_qty2": contracts * 72 // 100 if leg2 else None},
    }


def report(time, symbol, position, cost, price):
    """The columns of an event: the bridge has reported a position."""
    pnl = round(position * (price - cost), 4)
    record = {"symbol": symbol, "active_pos": position, "active_cost": cost, "active_pnl": pnl}
    return {
        **{"time": time, "type": "position.updated", "subject": symbol, "source": "bridge"},
        **{"changes": "{}", "record": json.dumps(record)},
    }


def with_history(file, history=HISTORY, reports=()):
    """Makes an SQLite file with these fills and reports, which `make` does not know; returns it.

    A leg holds what the last report of it says.
    """
    make(file, 0)
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        for fill in history:
            _insert(database, "signal", signal(*fill))
        for each in reports:
            event = report(*each)
            _insert(database, "event", event)
            held = json.loads(event["record"]) | {"reported": event["time"]}
            database.execute(
                "UPDATE stock SET active_pos = :active_pos, active_cost = :active_cost, "
                "active_pnl = :active_pnl, reported = :reported WHERE symbol = :symbol",
                held,
            )
    return file


def _insert(database, table, columns):
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 our own names
    database.execute(statement, tuple(columns.values()))
