"""Events and rejected alerts on the wire."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from schemas.account import ACCOUNT, account_record
from schemas.registry import PAIR, STOCK, TICKER, pair_record, stock_record, ticker_record
from schemas.signals import SIGNAL_FIELDS, signal_of
from schemas.values import Record, plain

_REJECTED = {key: key for key in ("id", "timestamp", "address", "size", "reasons", "body", "known")}


def rejected_record(columns: Record) -> Record:
    """A rejected alert; its reasons are {field: reason} or a sentence."""
    return {**columns, "reasons": orjson.loads(columns["reasons"])}


_RECORDS: dict[str, Callable[[Record], Record]] = {
    "signal": signal_of,
    "stock": lambda columns: stock_record(columns, STOCK),
    "pair": pair_record,
    "rejected": rejected_record,
    "account": account_record,
    "position": ticker_record,
}
_WIRE = {
    "signal": {column: wire for wire, column in SIGNAL_FIELDS}
    | {"filled1": "filled_qty1", "filled2": "filled_qty2"},
    "stock": {column: wire for wire, column in STOCK.items()},
    "pair": {column: wire for wire, column in PAIR.items()},
    "rejected": _REJECTED,
    "account": {column: wire for wire, column in ACCOUNT.items()},
    "position": {column: wire for wire, column in TICKER.items()},
}


def event_record(event: Any) -> Record:
    """A stored event as REST answers it: {"changes": {field: [old, new]}} among others."""
    names = _WIRE[event.type.partition(".")[0]]
    return {
        "id": event.id,
        "time": event.time,
        "type": event.type,
        "subject": event.subject,
        "source": event.source,
        "changes": {names[k]: [plain(v) for v in pair] for k, pair in event.changed.items()},
    }


def event_message(type: str, event_id: int, columns: Record, changed: Iterable[str]) -> bytes:
    """One event as the websocket sends it, with the subject's full record."""
    noun = type.partition(".")[0]
    names = _WIRE[noun]
    return orjson.dumps(
        {
            "type": type,
            "event": event_id,
            noun: _RECORDS[noun](columns),
            "changed": [names[column] for column in changed],
        }
    )
