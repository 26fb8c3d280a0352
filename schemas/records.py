"""Builds the records of stocks, events, audit rows, alarms and positions.

`models.record_of` builds the others.
"""

import math
from collections.abc import Iterable
from typing import Any

import orjson

from models import SEED, STOCK, Record, record_of
from trading.alarms import WORDS, page_of
from trading.fills import plain
from trading.positions import side, spread

# Fields of events that have another name on the wire than their column, by noun.
WIRE_NAMES = {"stock": {column: key for key, column in STOCK.items()}}


def stock_record(columns: Record) -> Record:
    """A stock in the seed's spelling."""
    return record_of("stock", columns, SEED)


def ticker_record(columns: Record) -> Record:
    """A stock in the bridge's spelling."""
    return record_of("position", columns)


def event_record(event: Any) -> Record:
    """A stored event as REST answers it: {"changes": {field: [old, new]}} among others."""
    names = WIRE_NAMES.get(event.type.partition(".")[0], {})
    changes = {
        names.get(column, column): [plain(value) for value in pair]
        for column, pair in event.changed.items()
    }
    return {
        "id": event.id,
        "time": event.time,
        "type": event.type,
        "subject": event.subject,
        "source": event.source,
        "changes": changes,
    }


def audit_record(row: Any) -> Record:
    """A row of the audit; of a registry change `changes` says, as JSON text, what became what."""
    event = getattr(row, "told", None)
    changes = event_record(event)["changes"] if event is not None and event.id else None
    return {
        "id": row.id,
        "time": row.time,
        "what": row.kind,
        "who": row.who,
        "address": row.address,
        "subject": row.subject,
        "count": row.count,
        "changes": orjson.dumps(changes).decode() if changes else None,
    }


def alarm_record(columns: Record) -> Record:
    """An alarm with what it means, what to do, and the page where one does it."""
    kind = columns["kind"]
    title, advice = WORDS[kind][:2] if kind in WORDS else (kind, "")
    page = page_of(kind, columns["subject"])
    return record_of("alarm", columns) | {"title": title, "advice": advice, "page": page}


# A spreadsheet runs a cell that begins with one of these. The last four are wide forms, which
# spreadsheets in some languages read as the narrow ones.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_TIMES = ("time", "timestamp", "opened", "closed")


def sheet_cell(value: Any) -> Any:
    """A value as a cell of a sheet, which no spreadsheet runs: texts of alerts are strangers'.

    What overflows is blank, as it is null in JSON.
    """
    if isinstance(value, str) and value.startswith(_RUNS):
        return "'" + value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return plain(value)


def sheet_row(keys: Iterable[str], record: Record) -> list[Any]:
    """A record as the cells of these keys; times become ISO 8601 in UTC, lists words."""

    def cell(key: str, value: Any) -> Any:
        if key in _TIMES and value:
            return value.replace(" ", "T") + "Z"
        return sheet_cell(" ".join(map(str, value)) if isinstance(value, list) else value)

    return [cell(key, record[key]) for key in keys]


def _plain(**fields: Any) -> Record:
    return {name: plain(value) for name, value in fields.items()}


def _holding(holding: Any, expected: dict[str, float]) -> Record:
    return _plain(
        symbol=holding.symbol,
        active_pos=holding.position,
        active_cost=holding.cost,
        active_pnl=holding.pnl,
        currency=holding.currency,
        mark=holding.mark,
        expected=expected.get(holding.symbol),
    )


def _pair(held: Any, expected: dict[str, float]) -> Record:
    legs, hedge = held.legs, held.hedge
    has_sum = legs[0].currency == legs[1].currency
    has_pnl = has_sum and None not in (legs[0].pnl, legs[1].pnl)
    now, paid = ([leg.mark for leg in legs], [leg.cost if leg.position else None for leg in legs])
    return _plain(
        name=held.pair.name,
        active=held.pair.status,
        side=side(held.shares[0]),
        since=held.since,
        hedge=held.pair.hedge,
        actual_hedge=hedge.actual,
        mark=hedge.mark,
        broken=hedge.is_broken,
        active_pnl=legs[0].pnl + legs[1].pnl if has_pnl else None,
        currency=legs[0].currency if has_sum else None,
        unhedged_leg=hedge.leg,
        unhedged=hedge.unhedged,
        unhedged_amount=hedge.amount,
        spread=spread(*now, held.pair.hedge) if has_sum else None,
        entry=spread(*paid, held.pair.hedge) if has_sum else None,
        working=_working(held.working, legs) if held.working else None,
        legs=[_holding(leg, expected) for leg in legs],
    )


def _working(order: Any, legs: Any) -> Record:
    return _plain(
        rowid=order.rowid,
        symbol=legs[order.leg - 1].symbol,
        filled=order.filled,
        size=order.size,
        order_status=order.order_status,
        since=order.since,
    )


def _total(total: Any) -> Record:
    return _plain(
        currency=total.currency,
        active_pnl=total.pnl,
        long=total.long,
        short=total.short,
        unknown=list(total.unknown),
    )


def positions_record(held: Any) -> Record:
    """All positions: pairs (sum and spread only where the legs share a currency), singles, totals.

    `expected` is what the strategies' alerts add up to for each symbol, `unregistered` what is held
    of symbols that the registry does not know.
    """
    expected = {each.symbol: each.expected for each in held.expected}
    pairs = sorted(held.pairs + held.idle, key=lambda each: each.pair.name)
    return {
        "pairs": [_pair(each, expected) for each in pairs],
        "singles": [_holding(each, expected) for each in held.singles],
        "totals": [_total(each) for each in held.totals],
        "expected": [
            _plain(symbol=each.symbol, expected=each.expected, active_pos=each.held)
            for each in held.expected
        ],
        "unregistered": [record_of("unregistered", each.columns()) for each in held.unregistered],
    }
