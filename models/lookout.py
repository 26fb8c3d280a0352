"""What alarms are judged by: signals that wait or hang, and what has happened since a look."""

from typing import Any, NamedTuple

import orjson

from database import snapshot
from models.base import EventRow
from models.rejected import RejectedAlert
from models.signals import OFFERED, Signal
from trading import alerts, instants, outcomes, statuses
from trading.alarms import Alert

_NAMED = ("rowid", "timestamp", "order_status", "ticker", "stk_ticker1", "stk_ticker2")
_TOLD = ("signal.created", "signal.updated", "rejected.created")
_ENDED = (*statuses.FAILED, statuses.CANCELED)
PLACED = (statuses.CREATED, *statuses.HALF_WAY)


class Happenings(NamedTuple):
    """Events up to `reached`: alerts in their order, and rowids.

    `ended` are signals that failed or were canceled, `ordered` those that got order ids, `warned`
    those that were stored with a warning; `rejected` are rejected alerts.
    """

    reached: int
    alerts: list[Alert]
    ended: list[int]
    ordered: list[int]
    warned: dict[int, str]
    rejected: list[int]
    more: bool


def happenings(position: int, most: int) -> Happenings:
    """What alarms may be about among the events after a position."""
    with snapshot(EventRow._meta.database):
        last = EventRow.last_id()
        columns = (EventRow.id, EventRow.type, EventRow.subject, EventRow.source, EventRow.changes)
        told = EventRow.select(*columns).where(EventRow.id > position, EventRow.type.in_(_TOLD))
        # Tuples, for a flood of alerts is looked through while it is stored.
        rows = list(told.order_by(EventRow.id).limit(most).tuples())
    more = len(rows) == most
    found = Happenings(rows[-1][0] if more else last, [], [], [], {}, [], more)
    for _, type, subject, source, changes in rows:
        if type == "rejected.created":
            found.rejected.append(int(subject))
        elif type == "signal.created" or '"order_status"' in changes or '"order_id' in changes:
            created_by = source if type == "signal.created" else None
            _sort_in(int(subject), orjson.loads(changes), created_by, found)
    return found


def _sort_in(rowid: int, changes: dict, created_by: str | None, found: Happenings) -> None:
    columns = {column: new for column, (_, new) in changes.items()}
    if columns.get("order_status") in _ENDED:
        found.ended.append(rowid)
    if columns.get("order_id1") or columns.get("order_id2"):
        found.ordered.append(rowid)
    if created_by is None:
        return
    if warning := columns.get("warning"):
        found.warned[rowid] = warning
    if alert := _alert(rowid, columns, by_owner=created_by != "webhook"):
        found.alerts.append(alert)


def _alert(rowid: int, columns: dict[str, Any], by_owner: bool = False) -> Alert | None:
    """A strategy's alert; None for what has no readable ticker or is the bridge's own."""
    legs = [columns.get(leg) for leg in ("stk_ticker1", "stk_ticker2")]
    message = columns.get("status_msg")
    if not legs[0] or alerts.is_from_bridge(message, columns.get("order_comment")):
        return None
    before = alerts.signed(columns.get("pre_mar_pos"), columns.get("pre_mar_pos_size") or 0.0)
    after = alerts.signed(columns.get("mar_pos"), columns.get("mar_pos_size") or 0.0)
    overtaken = (message or "").startswith(outcomes.OVERTAKEN)
    return Alert(rowid, "-".join(filter(None, legs)), before, after, by_owner, overtaken)


def older_orders(rowid: int) -> list[dict[str, Any]]:
    """Signals before this one whose order is still open and has an order id of this one's.

    The symbol must be the same; each has `order` beside its columns, which is that id.
    """
    signal = Signal.get_or_none(Signal.rowid == rowid)
    if signal is None:
        return []
    mine = {
        (order, leg)
        for order, leg in (
            (signal.order_id1, signal.stk_ticker1),
            (signal.order_id2, signal.stk_ticker2),
        )
        if order is not None
    }
    ids = [order for order, _ in mine]
    same = Signal.order_id1.in_(ids) | Signal.order_id2.in_(ids)
    older = Signal.select().where(same, Signal.rowid < rowid, Signal.order_status.in_(PLACED))
    found = []
    for row in older.order_by(Signal.rowid):
        both = mine & set(_orders(row))
        found += [row.record() | {"order": min(order for order, _ in both)}] if both else []
    return found


def _orders(signal: Signal) -> tuple[tuple[int | None, str | None], ...]:
    """(order id, symbol) of both legs."""
    return (
        (signal.order_id1, signal.stk_ticker1),
        (signal.order_id2, signal.stk_ticker2),
    )


def count_late(moment: str) -> int:
    """How many signals wait since before an instant."""
    return Signal.select().where(OFFERED, Signal.timestamp <= moment).count()


def earlier_alerts(alert: Alert, most: int = 10) -> list[Alert]:
    """The alerts of the same ticker before this one, oldest first."""
    signal = Signal.select().where(Signal.rowid == alert.rowid).first()
    if signal is None:
        return []
    same = Signal.select().where(
        Signal.stk_ticker1 == signal.stk_ticker1, Signal.rowid < alert.rowid
    )
    legs = (
        Signal.stk_ticker2.is_null()
        if signal.stk_ticker2 is None
        else Signal.stk_ticker2 == signal.stk_ticker2
    )
    rows = list(same.where(legs).order_by(Signal.rowid.desc()).limit(most))
    found = (_alert(row.rowid, row.record()) for row in reversed(rows))
    return [each for each in found if each]


def offered(most: int) -> list[dict[str, Any]]:
    """The signals that wait, oldest first: what names them, their status and their time."""
    columns = (getattr(Signal, name) for name in _NAMED)
    rows = Signal.select(*columns).where(OFFERED).order_by(Signal.rowid).limit(most).tuples()
    return [dict(zip(_NAMED, row, strict=True)) for row in rows]


def half_way(most: int) -> list[dict[str, Any]]:
    """The pairs that are filled in part, newest first."""
    pairs = Signal.select().where(
        Signal.order_status.in_(statuses.HALF_WAY), Signal.stk_ticker2.is_null(False)
    )
    return [row.record() for row in pairs.order_by(Signal.rowid.desc()).limit(most)]


def history(rowid: int) -> list[tuple[float, dict[str, tuple]]]:
    """A signal's changes as (instant, {column: (old, new)}), newest first."""
    return [
        (instants.unix(event.time), event.changed)
        for event in reversed(EventRow.of("signal", str(rowid)))
    ]


def signals_of(rowids: list[int]) -> dict[int, dict[str, Any]]:
    """These signals by rowid; those that are gone are left out."""
    return {row.rowid: row.record() for row in Signal.select().where(Signal.rowid.in_(rowids))}


def rejected_of(rowids: list[int]) -> dict[int, str]:
    """The reasons, as JSON, of these rejected alerts by id; those that are gone are left out."""
    rows = RejectedAlert.select().where(RejectedAlert.id.in_(rowids))
    return {row.id: row.reasons for row in rows}
