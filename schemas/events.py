"""Events and rejected alerts on the wire."""

from collections.abc import Iterable
from typing import Any, Literal

import orjson

from models.records import STOCK
from schemas.records import (
    AccountRecord,
    Answer,
    Moment,
    PairRecord,
    RejectedRecord,
    SignalRecord,
    StockState,
    TickerRecord,
)
from schemas.values import Record, plain

# The one noun whose fields have other names on the wire than their columns.
_NAMES = {"stock": {column: key for key, column in STOCK.items()}}


def _named(noun: str, columns: Iterable[str]) -> list[str]:
    names = _NAMES.get(noun, {})
    return [names.get(column, column) for column in columns]


def event_record(event: Any) -> Record:
    """A stored event as REST answers it: {"changes": {field: [old, new]}} among others."""
    changed = event.changed
    keys = _named(event.type.partition(".")[0], changed)
    values = [[plain(value) for value in pair] for pair in changed.values()]
    return {
        "id": event.id,
        "time": event.time,
        "type": event.type,
        "subject": event.subject,
        "source": event.source,
        "changes": dict(zip(keys, values, strict=True)),
    }


def event_message(type: str, event_id: int, record: str, changes: str) -> bytes:
    """One event as the websocket sends it, with the subject's whole record as it was then."""
    noun = type.partition(".")[0]
    changed = orjson.dumps(_named(noun, orjson.loads(changes))).decode()
    told = f'{{"type":"{type}","event":{event_id},"{noun}":{record},"changed":{changed}}}'
    return told.encode()


class Hello(Answer):
    """The first message: the newest event, and the server's time."""

    EXAMPLE = {"type": "hello", "event": 7, "server_time": "2026-11-24 15:30:00", "ping": True}

    type: Literal["hello"]
    event: int
    server_time: Moment
    ping: Literal[True]


class Pong(Answer):
    """The answer to a text with `ping` in it."""

    EXAMPLE = {"type": "pong"}

    type: Literal["pong"]


class Resync(Answer):
    """Too much was missed to be told: read the lists anew."""

    EXAMPLE = {"type": "resync"}

    type: Literal["resync"]


class BridgeHeard(Answer):
    """The bridge has asked what waits; only those who are logged in hear of it."""

    EXAMPLE = {
        "type": "bridge",
        "last_seen": "2026-11-24 15:30:00",
        "waiting": 1,
        "oldest_waiting_s": 12,
    }

    type: Literal["bridge"]
    last_seen: Moment | None
    waiting: int
    oldest_waiting_s: int | None


class AlarmsChanged(Answer):
    """An alarm began, ended or was seen: whoever shows them asks for the list."""

    EXAMPLE = {"type": "alarms"}

    type: Literal["alarms"]


class Change(Answer):
    """A change: the subject as it is now, and which of its fields changed."""

    event: int
    changed: list[str]


class SignalEvent(Change):
    """A signal was stored, changed or deleted."""

    EXAMPLE = {
        "type": "signal.updated",
        "event": 7,
        "signal": SignalRecord.EXAMPLE,
        "changed": ["order_status"],
    }

    type: Literal["signal.created", "signal.updated", "signal.deleted"]
    signal: SignalRecord


class StockEvent(Change):
    """A stock was registered, changed or deleted."""

    EXAMPLE = {
        "type": "stock.updated",
        "event": 8,
        "stock": StockState.EXAMPLE,
        "changed": ["active"],
    }

    type: Literal["stock.created", "stock.updated", "stock.deleted"]
    stock: StockState


class PairEvent(Change):
    """A pair was registered, changed or deleted."""

    EXAMPLE = {
        "type": "pair.updated",
        "event": 9,
        "pair": PairRecord.EXAMPLE,
        "changed": ["status"],
    }

    type: Literal["pair.created", "pair.updated", "pair.deleted"]
    pair: PairRecord


class AccountEvent(Change):
    """The account was recorded, or a record of it changed."""

    EXAMPLE = {
        "type": "account.created",
        "event": 10,
        "account": AccountRecord.EXAMPLE,
        "changed": ["DailyPnL"],
    }

    type: Literal["account.created", "account.updated", "account.deleted"]
    account: AccountRecord


class PositionEvent(Change):
    """The bridge reported a position."""

    EXAMPLE = {
        "type": "position.updated",
        "event": 11,
        "position": TickerRecord.EXAMPLE,
        "changed": ["active_pos", "active_pnl"],
    }

    type: Literal["position.updated"]
    position: TickerRecord


class RejectedEvent(Change):
    """An alert was rejected or dealt with; only those who are logged in hear of it."""

    EXAMPLE = {
        "type": "rejected.created",
        "event": 12,
        "rejected": RejectedRecord.EXAMPLE,
        "changed": ["body"],
    }

    type: Literal["rejected.created", "rejected.deleted"]
    rejected: RejectedRecord


MESSAGES = (
    *(Hello, SignalEvent, StockEvent, PairEvent, AccountEvent, PositionEvent, RejectedEvent),
    *(BridgeHeard, AlarmsChanged, Pong, Resync),
)


class Missed(Answer):
    """What followed an event, for a host that holds no websocket open."""

    EXAMPLE = {
        "event": 7,
        "server_time": "2026-11-24 15:30:00",
        "messages": [SignalEvent.EXAMPLE],
    }

    event: int
    server_time: Moment
    messages: list[
        SignalEvent
        | StockEvent
        | PairEvent
        | AccountEvent
        | PositionEvent
        | RejectedEvent
        | BridgeHeard
        | Resync
    ]
