"""What has happened since the last look, read from the events: alarms that a person must see."""

from collections.abc import MutableMapping
from typing import Any

import orjson

from models import EventRow, RejectedAlert, Signal
from services.look import Look
from trading import alerts, guards, instants, missed, statuses
from trading.alarms import Case, about, outcome_kind
from trading.missed import Alert, Strategy

MOST_EVENTS = 300  # looked through at a time
MOST_WORDS = 200  # letters of a message in an alarm
MOST_EARLIER = 10  # alerts of a ticker that are read where nothing is remembered of it
_TOLD = ("signal.created", "signal.updated", "rejected.created")
_MODES = ("trading.created", "trading.updated")
_ENDED = (*statuses.ERRORS, statuses.CANCELED)


def find(look: Look, after: int, strategies: MutableMapping[str, Strategy]) -> None:
    """Adds the cases that the events after one tell, and sets what the look has reached."""
    ended, ordered, warned, rejected = [], [], {}, []
    for _, type, subject, source, changes in _events(look, after):
        rowid = int(subject)
        if type == "rejected.created":
            rejected.append(rowid)
            continue
        is_new = type == "signal.created"
        if not is_new and '"order_status"' not in changes and '"order_id' not in changes:
            continue
        columns = {column: new for column, (_, new) in orjson.loads(changes).items()}
        if columns.get("order_status") in _ENDED:
            ended.append(rowid)
        if columns.get("order_id1") or columns.get("order_id2"):
            ordered.append(rowid)
        if is_new and columns.get("warning"):
            warned[rowid] = columns["warning"]
        if is_new and (alert := _alert(rowid, columns, by_owner=source != "webhook")):
            _follow(look, alert, columns, strategies)
    _add_ended(look, ended)
    _add_rejected(look, rejected)
    for row in Signal.select().where(Signal.rowid.in_(list(warned))).dicts():
        what = f"{about(row)}: {_short(warned[row['rowid']])}"
        look.add(Case("alert_id", str(row["rowid"]), look.now, what))
    for newer in ordered:
        _add_older_orders(look, newer)
    _add_stops(look, after)


def _events(look: Look, after: int) -> list[tuple]:
    """The next events that may tell something, as tuples: there may be a flood of them."""
    look.reached = EventRow.last_id()
    columns = (EventRow.id, EventRow.type, EventRow.subject, EventRow.source, EventRow.changes)
    told = EventRow.select(*columns).where(EventRow.id > after, EventRow.id <= look.reached)
    told = told.where(EventRow.type.in_(_TOLD)).order_by(EventRow.id).limit(MOST_EVENTS)
    rows = list(told.tuples())
    look.more = len(rows) == MOST_EVENTS
    if look.more:
        look.reached = rows[-1][0]
    return rows


def _add_stops(look: Look, after: int) -> None:
    """Modes that the server itself has set, because a loss is beyond its limit."""
    mine = EventRow.type.in_(_MODES) & (EventRow.source == "system")
    told = EventRow.select().where(mine, EventRow.id > after, EventRow.id <= look.reached)
    for event in told.order_by(EventRow.id):
        if "mode" in event.changed:
            reason = orjson.loads(event.record)["reason"]
            what = f"{reason[:1].upper()}{_short(reason[1:])}."
            look.add(Case("stopped", "trading", look.now, what))


def _add_refused(look: Look, rows: list[dict]) -> None:
    """What age, hours or limits have refused: one case for each rule."""
    by_rule: dict[str, list[dict]] = {}
    for row in rows:
        rule = guards.rule_of(row["status_msg"])
        if row["order_status"] == statuses.CANCELED and rule in guards.TOLD:
            by_rule.setdefault(rule, []).append(row)
    for rule, those in by_rule.items():
        last = max(those, key=lambda row: row["rowid"])
        what = f"{about(last)}: {_short(statuses.meaning(last['status_msg']))}."
        look.add(Case("refused", rule, look.now, what, float(len(those))))


def _add_ended(look: Look, rowids: list[int]) -> None:
    """Signals that failed or were not traded, and still are as they ended."""
    rows = list(Signal.select().where(Signal.rowid.in_(rowids)).dicts())
    _add_refused(look, rows)
    for row in rows:
        if kind := outcome_kind(row):
            message = row["error_msg"] or row["status_msg"] or row["order_status"]
            what = f"{about(row)}: {_short(statuses.meaning(message))}"
            look.add(Case(kind, str(row["rowid"]), look.now, what))


def _add_rejected(look: Look, ids: list[int]) -> None:
    """Rejected alerts, with their reasons as a sentence: `price: must be a number`."""
    for row in RejectedAlert.select().where(RejectedAlert.id.in_(ids)):
        read = orjson.loads(row.reasons)
        if isinstance(read, dict):
            read = "; ".join(f"{field}: {reason}" for field, reason in read.items())
        look.add(Case("rejected", str(row.id), look.now, _short(str(read))))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 1] + "…"


def _add_older_orders(look: Look, newer: int) -> None:
    """Older signals with an open order of the same symbol and id as an order of this one."""
    signal = Signal.get_or_none(Signal.rowid == newer)
    if signal is None:
        return
    mine = {(order, leg) for order, leg in signal.orders() if order is not None}
    ids = [order for order, _ in mine]
    same = Signal.order_id1.in_(ids) | Signal.order_id2.in_(ids)
    older = Signal.select().where(
        same, Signal.rowid < newer, Signal.order_status.in_(statuses.PLACED)
    )
    for row in older.order_by(Signal.rowid):
        if both := mine & set(row.orders()):
            what = (
                f"{about(row.columns())}: its order {min(both)[0]} is open since "
                f"before signal {newer}, which got the same id and its reports."
            )
            look.add(Case("order_id", str(row.rowid), instants.unix(row.timestamp), what))


# --- missed alerts ------------------------------------------------------------------------


def _alert(rowid: int, columns: dict[str, Any], by_owner: bool = False) -> Alert | None:
    """A strategy's alert; None for what has no readable ticker or is the bridge's own."""
    legs = [columns.get(leg) for leg in ("stk_ticker1", "stk_ticker2")]
    message = columns.get("status_msg")
    if not legs[0] or alerts.is_from_bridge(message, columns.get("order_comment")):
        return None
    before = alerts.signed(columns.get("pre_mar_pos"), columns.get("pre_mar_pos_size") or 0.0)
    after = columns.get("strategy_pos")
    if after is None:
        after = alerts.signed(columns.get("mar_pos"), columns.get("mar_pos_size") or 0.0)
    late = alerts.came_late(rowid, message)
    return Alert(rowid, "-".join(filter(None, legs)), before, after, by_owner, late)


def _follow(
    look: Look, alert: Alert, columns: dict[str, Any], strategies: MutableMapping[str, Strategy]
) -> None:
    known = strategies.get(alert.name)
    if known is None:
        for earlier in _earlier_alerts(alert.rowid, columns):
            known, _ = missed.follow(known, earlier)
    known, result = missed.follow(known, alert)
    if isinstance(result, Case):
        # Alerts may overtake each other: the missing one gets a while to arrive.
        look.add(result._replace(since=look.now), look.now + look.conf.alarm_missed_seconds)
    elif result is not None:
        look.explain(f"missed:{result}")
    if known is not None:
        strategies[alert.name] = known


def _earlier_alerts(rowid: int, columns: dict[str, Any]) -> list[Alert]:
    """The alerts of the same ticker before this one, oldest first."""
    leg2 = columns.get("stk_ticker2")
    rows = Signal.select().where(
        Signal.stk_ticker1 == columns["stk_ticker1"],
        Signal.stk_ticker2.is_null() if leg2 is None else Signal.stk_ticker2 == leg2,
        Signal.rowid < rowid,
    )
    newest = list(rows.order_by(Signal.rowid.desc()).limit(MOST_EARLIER).dicts())
    return [found for row in reversed(newest) if (found := _alert(row["rowid"], row))]
