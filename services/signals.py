"""Signals: stores alerts, applies reports about orders, and corrects or deletes signals."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import orjson

from database.opening import proxy
from models import (
    MOVE,
    SIGNAL_KEYS,
    AlertId,
    Entered,
    EventRow,
    Record,
    Refused,
    RejectedAlert,
    Signal,
    Stock,
    signal_name,
    signal_record,
)
from services import decisions, events
from trading import alerts, fills, guards, instants, judging, statuses
from trading.guards import Policy

USED_BEFORE = "alert_id was used before by another alert"
_COLUMNS = Signal._meta.sorted_field_names
BLANK: Record = {
    field.name: field.default for field in Signal._meta.sorted_fields if field.name != "rowid"
}
_CUT = ("order_contracts", "mar_pos", "mar_pos_size")  # what changes if an order is cut
Legs = tuple[str, str | None]


class Receipt(NamedTuple):
    """The answer to an alert: the rowid of its signal, and how the alert was judged."""

    rowid: int | None
    verdict: str
    warning: str | None = None
    reason: str | None = None  # why a rule has held it back


class Rehearsed(Exception):
    """What would become of an alert: raised by `rehearse`, so that nothing of it stays.

    The record is that of the signal, or None if the alert repeats one that was deleted. A signal
    that is not stored has no rowid.
    """

    def __init__(self, receipt: Receipt, record: Record | None):
        super().__init__(receipt, record)
        self.receipt, self.record = receipt, record


class _Pending:
    """An alert that is becoming a signal: its row, and what is needed besides the columns."""

    def __init__(self, alert: Record, registry: judging.Registry):
        columns = dict(alert)
        self.alert_id = columns.pop("alert_id", None)
        self.source = columns.pop("source")
        bypass = columns.pop("bypass", False)
        self.is_free = columns.pop("free", False)  # no rule holds it back: it closes a position
        self.is_own = columns.pop("own", False)  # a person's own trade, which is never too late
        self.verdict = judging.judge(alert["ticker"], bypass, registry)
        self.time = instants.now()
        self.row = {**BLANK, **columns, **self.verdict.columns}
        self.row["timestamp"] = columns.get("timestamp") or self.time
        if self.verdict.outcome == "recorded":
            self.row["order_status"] = columns.get("order_status") or statuses.WAITING
        self.legs: Legs = (self.row["stk_ticker1"], self.row["stk_ticker2"])
        self.key = self.alert_id and (self.alert_id, alerts.fingerprint(self.row))
        self.sent: Record = {}  # what was sent, where a rule has cut the order
        self.reason: str | None = None  # why a rule has held it back
        self.rowid = self.event_id = 0
        self.first: _Pending | Receipt | None = None  # the alert that this one repeats
        self.receipt: Receipt | None = None


def receive(sent: list[Record], policy: Policy = guards.NO_RULES) -> list[Receipt]:
    """Judges and stores alerts, and returns a receipt for each.

    An alert is {column: value}, with `source` and perhaps `alert_id`, `bypass`, `own` (a person's
    trade) and `free` (no rule holds it back). A repeated alert is not stored; its receipt has the
    rowid of the first one.
    """
    registry = decisions.rows_for({alert["ticker"] for alert in sent})
    pending = [_Pending(alert, registry) for alert in sent]
    if with_ids := [each for each in pending if each.alert_id]:
        _find_repeats(with_ids)
    new = [each for each in pending if each.first is None]
    if new:
        ids = proxy.draw_ids({"signal": "rowid", "event": "id"}, len(new))
        for each, (rowid, event_id) in zip(new, ids, strict=True):
            each.rowid, each.event_id = rowid, event_id
        moving = [each for each in new if each.legs[0] and alerts.is_strategys(each.row)]
        held = _cancel_overtaken(moving)
        _apply_rules(new, policy)
        _store(new)
        if held or any(each.row["order_status"] == statuses.HELD for each in moving):
            _end_held(held, moving)
        for each in new:
            verdict = "ruled" if each.reason else each.verdict.outcome
            each.receipt = Receipt(each.rowid, verdict, each.row["warning"], each.reason)
    return [each.receipt or Receipt(each.first.rowid, "duplicate") for each in pending]


def rehearse(alert: Record, policy: Policy) -> None:
    """Stores an alert as `receive` does and raises Rehearsed, with which the writer undoes it."""
    [receipt] = receive([alert], policy)
    signal = Signal.get_or_none(Signal.rowid == receipt.rowid)
    record = signal and signal.record()
    if receipt.verdict != "duplicate":
        receipt, record["rowid"] = receipt._replace(rowid=None), None
    raise Rehearsed(receipt, record)


def called(ticker: str) -> str:
    """The name that a ticker's signals bear: `MA-V` for `MA-1.3*V`; the text itself if none do."""
    found = judging.judge(ticker, True, decisions.rows_for([ticker])).columns
    return signal_name({"ticker": ticker, "stk_ticker1": None, "stk_ticker2": None, **found})


def _find_repeats(pending: list[_Pending]) -> None:
    """Sets `first` for repeated alerts, and a warning if a different alert has the same id."""
    known = AlertId.known({each.alert_id for each in pending})
    first: dict[tuple, Any] = {(alert_id, told): Receipt(row, "") for alert_id, told, row in known}
    used = {alert_id for alert_id, _, _ in known}
    for each in pending:
        each.first = first.get(each.key)
        if each.first is None and each.alert_id in used:
            each.row["warning"] = USED_BEFORE
        used.add(each.alert_id)
        first.setdefault(each.key, each)


def _cancel_overtaken(moving: list[_Pending]) -> dict[Legs, list[int]]:
    """Cancels signals that come too late: a later alert of the same strategy is stored already.

    Returns {legs: rowids of older signals that are held}.
    """
    known: dict[Legs, list[alerts.Move]] = {}
    held: dict[Legs, list[int]] = {}
    for leg1, leg2, *values in Signal.newest_moves({each.legs: None for each in moving}):
        row = dict(zip(MOVE, values, strict=True))
        if alerts.is_strategys(row):
            known.setdefault((leg1, leg2), []).append(alerts.move(row))
        if row["order_status"] == statuses.HELD:
            held.setdefault((leg1, leg2), []).append(row["rowid"])
    for each in moving:
        move = alerts.move({"rowid": each.rowid, **each.row})
        earlier = known.setdefault(each.legs, [])
        later = None if each.is_own else alerts.overtaken_by(move, earlier)
        if later is None:
            earlier.insert(0, move)
        elif each.row["order_status"] in statuses.OFFERED:
            message = f"{statuses.OVERTAKEN}{later}"
            each.row |= {"order_status": statuses.CANCELED, "status_msg": message}
    return held


def _apply_rules(new: list[_Pending], policy: Policy) -> None:
    """Lets the rules decide, in their order, about alerts that would be offered or held."""
    judge = None
    for each in new:
        may_trade = each.row["order_status"] in (*statuses.OFFERED, statuses.HELD)
        if each.verdict.outcome != "recorded" or not may_trade or each.is_free:
            continue
        judge = judge or decisions.Judge(policy)
        fields, rule = judge.decide(each.row, each.verdict.mode)
        each.sent = {name: each.row[name] for name in _CUT if name in fields}
        each.row |= fields
        each.reason = each.row["status_msg"] if rule else None
    if judge and judge.let_through:
        Entered.add(judge.day, judge.let_through)


def _end_held(held: dict[Legs, list[int]], moving: list[_Pending]) -> None:
    """Cancels held signals of the same ticker as a newer alert: the strategy has moved on."""
    for each in moving:
        if (each.row["status_msg"] or "").startswith(statuses.OVERTAKEN):
            continue
        for rowid in held.pop(each.legs, ()):
            message = f"{statuses.OVERTAKEN}{each.rowid}"
            fields = {"order_status": statuses.CANCELED, "status_msg": message}
            events.change(Signal.find(rowid), decisions.SYSTEM, fields)
        if each.row["order_status"] == statuses.HELD:
            held[each.legs] = [each.rowid]


def _store(new: list[_Pending]) -> None:
    signals, told, ids = [], [], []
    for each in new:
        created = {k: (each.sent.get(k), v) for k, v in each.row.items() if v is not None}
        values = (each.rowid, *each.row.values())
        record = signal_record(values[: len(SIGNAL_KEYS)])
        head = (each.event_id, each.time, "signal.created", str(each.rowid), each.source)
        signals.append(values)
        told.append((*head, orjson.dumps(created).decode(), orjson.dumps(record).decode()))
        if each.alert_id:
            ids.append((*each.key, each.rowid))
    proxy.insert_all(
        ("signal", _COLUMNS, signals),
        ("event", EventRow._meta.sorted_field_names, told),
        ("alert_id", ["alert_id", "fingerprint", "signal"], ids),
    )


# --- reports and corrections ------------------------------------------------------------


def report(order_id: int, symbol: str | None, apply: Callable, source: str) -> Signal:
    """Applies a fill or a cancel to the signal with this order id, and returns the signal.

    `apply(order, leg)` returns the order after the fill or cancel. Raises Missing or Refused.
    """
    signal, leg = Signal.of_order(order_id, symbol)
    try:
        order = fills.order_of(signal.columns())
        events.change(signal, source, asdict(apply(order, leg)))
    except ValueError as error:
        raise Refused(str(error)) from None
    return signal


def revise(
    rowid: int,
    sent: dict[str, tuple],
    source: str,
    policy: Policy = guards.NO_RULES,
    *,
    bypass: bool,
    owner: bool,
    expected: str | None = None,
) -> Signal:
    """Changes fields of a signal.

    `sent` is {column: values}, as a field may be sent under two names; the first value that differs
    from the stored one is taken. A changed ticker is judged again. Without the owner's token
    (`owner`), the figures of a filled signal do not change, and a signal with a fill is not offered
    again. Raises Missing, or Refused, also where its status is not the `expected` one any more.
    """
    signal = Signal.find(rowid)
    if expected not in (None, signal.order_status):
        raise Refused(f"the signal is {signal.order_status} by now; nothing was changed.")
    old = signal.columns()
    fields = {
        column: next(
            (value for value in values if not events.same(old[column], value)), old[column]
        )
        for column, values in sent.items()
    }
    ticker = fields.get("ticker", signal.ticker)
    if ticker != signal.ticker:
        fields |= judging.judge(ticker, bypass, decisions.rows_for([ticker])).columns
    if not owner:
        fields = _without_decided(old, fills.without_setbacks(old, fields))
    row = old | fields
    if row["order_status"] in statuses.OFFERED:
        verdict = judging.judge(row["ticker"], True, decisions.rows_for([row["ticker"]]))
        if "order_status" in fields:
            again = old["order_status"] not in statuses.OFFERED
            _check_offer(row, verdict.columns.get("status_msg"), again)
        fields |= _offered(old, row, verdict.mode, policy, owner)
    events.change(signal, source, fields)
    return signal


def _without_decided(old: Record, fields: Record) -> Record:
    """The fields without what takes back a decision that was made since the signal was read.

    The bridge sends back what it has read. If that would be offered, then what is held stays held,
    what a rule, a person or a newer alert has ended stays canceled, and an order that was cut keeps
    its size.
    """
    if fields.get("order_status") not in statuses.OFFERED:
        return fields
    stays: tuple[str, ...] = () if old["strategy_pos"] is None else _CUT
    status, message = old["order_status"], old["status_msg"] or ""
    is_decided = guards.rule_of(message) or message.startswith(statuses.OVERTAKEN)
    if status == statuses.HELD or (status == statuses.CANCELED and is_decided):
        stays += ("order_status", "status_msg")
    return {name: value for name, value in fields.items() if name not in stays}


def _offered(old: Record, row: Record, mode: str, policy: Policy, owner: bool) -> Record:
    """The fields that the modes change in a signal that is offered; raises Refused.

    `mode` is that of its ticker. The owner's word counts as approval, and the time until it expires
    begins anew if the signal was not offered before.
    """
    entered = old["order_status"] in statuses.OFFERED and guards.kind_of(old) in guards.ENTERING
    decision = decisions.hold_back(row, mode, approved=owner or entered)
    if decision.rule and owner:
        reason = statuses.meaning(decision.fields["status_msg"])
        raise Refused({"order_status": f"{reason}; change the mode first"})
    if guards.kind_of(row) not in guards.ENTERING:
        return {"expires": None} | decision.fields
    if owner and not entered:
        return {"expires": policy.expires(None, time.time())}
    first = policy.expires(row["alert_time"], instants.unix(row["timestamp"]))
    return {"expires": old["expires"] or first} | decision.fields


def _check_offer(row: Record, message: str | None, again: bool) -> None:
    """Raises Refused if the bridge could not trade this signal, or would trade a part `again`.

    `message` is what the registry says of its ticker.
    """
    if row["ticker_type"] is None:
        raise Refused({"order_status": "a problematic ticker cannot be traded"})
    if again and fills.has_begun(row):
        raise Refused({"order_status": "a part of it is filled: it would be traded twice"})
    legs = [leg for leg in (row["stk_ticker1"], row["stk_ticker2"]) if leg]
    symbols = {symbol for leg in legs for symbol in judging.symbols(leg)}
    registry = judging.Registry(Stock.judged(symbols), {})
    if not all(judging.is_registered(leg, registry) for leg in legs):
        raise Refused({"order_status": "an unknown ticker cannot be traded"})
    if message in (statuses.CURRENCY_MISMATCH, statuses.EXCHANGE_MISMATCH):
        raise Refused({"order_status": statuses.meaning(message)})


def delete(rowid: int, source: str) -> None:
    """Deletes a signal; its events stay. Raises Missing."""
    events.remove(Signal.find(rowid), source)


def history(rowid: int) -> list[EventRow]:
    """The events of a signal, oldest first. Raises Missing if the signal never existed."""
    found = EventRow.of("signal", str(rowid))
    if not found:
        Signal.find(rowid)
    return found


def sent_first(signal: Signal, column: str) -> Any:
    """The value that a signal's alert was sent with, also if the signal was changed or cut."""
    for event in EventRow.of("signal", str(signal.rowid)):
        if event.type == "signal.created" and column in event.changed:
            sent, stored = event.changed[column]
            return stored if sent is None else sent
    return getattr(signal, column)


# --- rejected alerts ----------------------------------------------------------------------


def keep_rejected(fields: Record, most: int) -> None:
    """Stores a rejected alert, and deletes the oldest of its sort if there are more than `most`.

    The sorts are with and without a valid passphrase. Alerts without one make no event, so that a
    flood of them cannot fill the disk.
    """
    row = RejectedAlert.create(timestamp=instants.now(), **fields)
    same_sort = RejectedAlert.known == fields["known"]
    kept = RejectedAlert.select(RejectedAlert.id).where(same_sort)
    last = kept.order_by(RejectedAlert.id.desc()).limit(1).offset(most)
    RejectedAlert.delete().where(same_sort, RejectedAlert.id <= last).execute()
    if fields["known"]:
        events.tell_of(row, "webhook")


def resubmit(rowid: int, alert: Record, source: str, policy: Policy) -> Receipt:
    """Deletes a rejected alert and stores the corrected `alert` in its place. Raises Missing."""
    RejectedAlert.find(rowid).delete_instance()
    return receive([{**alert, "source": source}], policy)[0]


def dismiss(rowid: int) -> None:
    """Deletes a rejected alert. Raises Missing."""
    RejectedAlert.find(rowid).delete_instance()
