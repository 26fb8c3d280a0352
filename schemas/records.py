"""Builds the records of stocks, events, audit rows, alarms and positions.

`models.record_of` builds the others.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from models import SEED, STOCK, Record, record_of
from trading.alarms import MORE, WORDS
from trading.fills import plain

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
    """An alarm with what it means and what to do."""
    kind = columns["kind"]
    title, advice = WORDS[kind][:2] if kind in WORDS else (kind, "")
    return record_of("alarm", columns) | {"title": title, "advice": advice}


def alarm_groups(rows: Iterable[Record]) -> list[dict]:
    """The alarms of each kind with their `count`, as a page shows them."""
    records = [alarm_record(columns) for columns in rows]
    groups = [list(those) for _, those in groupby(records, itemgetter("kind"))]
    return [{"alarms": each, "count": sum(map(_count, each))} for each in groups]


def _count(alarm: Record) -> int:
    return int(alarm["number"]) if alarm["subject"] == MORE else 1


def _plain(**fields: Any) -> Record:
    return {name: plain(value) for name, value in fields.items()}


def _holding(holding: Any) -> Record:
    return _plain(
        symbol=holding.symbol,
        active_pos=holding.position,
        active_cost=holding.cost,
        active_pnl=holding.pnl,
        currency=holding.currency,
    )


def _pair(held: Any) -> Record:
    legs, hedge = held.legs, held.hedge
    has_sum = legs[0].currency == legs[1].currency
    has_pnl = has_sum and None not in (legs[0].pnl, legs[1].pnl)
    return _plain(
        name=held.pair.name,
        active=held.pair.status,
        hedge=held.pair.hedge,
        actual_hedge=hedge.actual,
        mark=hedge.mark,
        active_pnl=legs[0].pnl + legs[1].pnl if has_pnl else None,
        currency=legs[0].currency if has_sum else None,
        unhedged_leg=hedge.leg,
        unhedged=hedge.unhedged,
        unhedged_amount=hedge.amount,
        legs=[_holding(leg) for leg in legs],
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
    """All positions: pairs (a sum only where both legs have one currency), singles, totals.

    `expected` is what the strategies' alerts add up to for each symbol, `unregistered` what is held
    of symbols that the registry does not know.
    """
    return {
        "pairs": [_pair(each) for each in held.pairs],
        "singles": [_holding(each) for each in held.singles],
        "totals": [_total(each) for each in held.totals],
        "expected": [
            _plain(symbol=each.symbol, expected=each.expected, active_pos=each.held)
            for each in held.expected
        ],
        "unregistered": [record_of("unregistered", each.columns()) for each in held.unregistered],
    }
