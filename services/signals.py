"""Signals: stores alerts, applies reports about orders, and corrects or deletes signals."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

import orjson

from database.opening import proxy
from models import (
    MOVE,
    SIGNAL_KEYS,
    AlertId,
    EventRow,
    Pair,
    Record,
    Refused,
    RejectedAlert,
    Signal,
    Stock,
    signal_name,
    signal_record,
)
from services import events
from trading import alerts, fills, instants, judging, statuses

USED_BEFORE = "alert_id was used before by another alert"
_COLUMNS = Signal._meta.sorted_field_names
BLANK: Record = {
    field.name: field.default for field in Signal._meta.sorted_fields if field.name != "rowid"
}
Legs = tuple[str, str | None]


class Receipt(NamedTuple):
    """The answer to an alert: the rowid of its signal, and how the alert was judged."""

    rowid: int | None
    verdict: str
    warning: str | None = None


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
        self.verdict = judging.judge(alert["ticker"], bypass, registry)
        self.time = instants.now()
        self.row = {**BLANK, **columns, **self.verdict.columns}
        self.row["timestamp"] = columns.get("timestamp") or self.time
        if self.verdict.outcome == "recorded":
            self.row["order_status"] = columns.get("order_status") or statuses.WAITING
        self.legs: Legs = (self.row["stk_ticker1"], self.row["stk_ticker2"])
        self.key = self.alert_id and (self.alert_id, alerts.fingerprint(self.row))
        self.rowid = self.event_id = 0
        self.first: _Pending | Receipt | None = None  # the alert that this one repeats
        self.receipt: Receipt | None = None


def receive(sent: list[Record]) -> list[Receipt]:
    """Judges and stores alerts, and returns a receipt for each.

    An alert is {column: value}, with `source` and perhaps `alert_id` and `bypass`. A repeated alert
    is not stored; its receipt has the rowid of the first one.
    """
    registry = _registry({alert["ticker"] for alert in sent})
    pending = [_Pending(alert, registry) for alert in sent]
    if with_ids := [each for each in pending if each.alert_id]:
        _find_repeats(with_ids)
    new = [each for each in pending if each.first is None]
    if new:
        ids = proxy.draw_ids({"signal": "rowid", "event": "id"}, len(new))
        for each, (rowid, event_id) in zip(new, ids, strict=True):
            each.rowid, each.event_id = rowid, event_id
            each.receipt = Receipt(each.rowid, each.verdict.outcome, each.row["warning"])
        _cancel_overtaken([each for each in new if each.legs[0] and alerts.is_strategys(each.row)])
        _store(new)
    return [each.receipt or Receipt(each.first.rowid, "duplicate") for each in pending]


def rehearse(alert: Record) -> None:
    """Stores an alert as `receive` does and raises Rehearsed, with which the writer undoes it."""
    [receipt] = receive([alert])
    signal = Signal.get_or_none(Signal.rowid == receipt.rowid)
    record = signal and signal.record()
    if receipt.verdict != "duplicate":
        receipt, record["rowid"] = receipt._replace(rowid=None), None
    raise Rehearsed(receipt, record)


def called(ticker: str) -> str:
    """The name that a ticker's signals bear: `MA-V` for `MA-1.3*V`; the text itself if none do."""
    found = judging.judge(ticker, True, _registry([ticker])).columns
    return signal_name({"ticker": ticker, "stk_ticker1": None, "stk_ticker2": None, **found})


def _registry(tickers: Iterable[str]) -> judging.Registry:
    """The rows of stocks and pairs that are needed to judge these tickers."""
    names: set[str] = set()
    symbols: set[str] = set()
    for ticker in tickers:
        plan = judging.plan(ticker)
        names.update(plan.names)
        symbols.update(plan.symbols)
    return judging.Registry(Stock.judged(symbols), Pair.judged(names))


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


def _cancel_overtaken(moving: list[_Pending]) -> None:
    """Cancels signals that come too late: a later alert of the same strategy is stored already."""
    known: dict[Legs, list[alerts.Move]] = {}
    for leg1, leg2, *values in Signal.newest_moves({each.legs: None for each in moving}):
        row = dict(zip(MOVE, values, strict=True))
        if alerts.is_strategys(row):
            known.setdefault((leg1, leg2), []).append(alerts.move(row))
    for each in moving:
        move = alerts.move({"rowid": each.rowid, **each.row})
        earlier = known.setdefault(each.legs, [])
        if (later := alerts.overtaken_by(move, earlier)) is None:
            earlier.insert(0, move)
        elif each.row["order_status"] in statuses.OFFERED:
            message = f"{statuses.OVERTAKEN}{later}"
            each.row |= {"order_status": statuses.CANCELED, "status_msg": message}


def _store(new: list[_Pending]) -> None:
    signals, told, ids = [], [], []
    for each in new:
        created = {k: (None, v) for k, v in each.row.items() if v is not None}
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
        fields |= judging.judge(ticker, bypass, _registry([ticker])).columns
    if not owner:
        fields = fills.without_setbacks(old, fields)
    if fields.get("order_status") in statuses.OFFERED:
        _check_offer(old | fields, again=old["order_status"] not in statuses.OFFERED)
    events.change(signal, source, fields)
    return signal


def _check_offer(row: Record, again: bool) -> None:
    """Raises Refused if the bridge could not trade this signal, or would trade a part `again`."""
    if row["ticker_type"] is None:
        raise Refused({"order_status": "a problematic ticker cannot be traded"})
    if again and fills.has_begun(row):
        raise Refused({"order_status": "a part of it is filled: it would be traded twice"})
    legs = [leg for leg in (row["stk_ticker1"], row["stk_ticker2"]) if leg]
    symbols = {symbol for leg in legs for symbol in judging.symbols(leg)}
    registry = judging.Registry(Stock.judged(symbols), {})
    if not all(judging.is_registered(leg, registry) for leg in legs):
        raise Refused({"order_status": "an unknown ticker cannot be traded"})
    message = judging.judge(row["ticker"], True, _registry([row["ticker"]])).columns.get(
        "status_msg"
    )
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


def resubmit(rowid: int, alert: Record, source: str) -> Receipt:
    """Deletes a rejected alert and stores the corrected `alert` in its place. Raises Missing."""
    RejectedAlert.find(rowid).delete_instance()
    return receive([{**alert, "source": source}])[0]


def dismiss(rowid: int) -> None:
    """Deletes a rejected alert. Raises Missing."""
    RejectedAlert.find(rowid).delete_instance()
