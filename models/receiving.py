"""Alerts come in: each is judged, put in order and stored, all that wait as one set."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from models.base import text
from models.records import text_of
from models.statements import MOVE_COLUMNS, compiled
from trading import alerts, instants, judging, outcomes, statuses

USED_BEFORE = "alert_id was used before by another alert"
Row = dict[str, Any]
Legs = tuple[str, str | None]


class Receipt(NamedTuple):
    """What became of an alert: its signal's rowid and the verdict."""

    rowid: int
    verdict: str
    warning: str | None = None


class Registry:
    """The rows of stocks and pairs that a set of alerts is judged by, read at once."""

    def __init__(self, tickers: Iterable[str]):
        names: set[str] = set()
        symbols: set[str] = set()
        for ticker in tickers:
            names_asked, symbols_asked = judging.asked(ticker)
            names.update(names_asked)
            symbols.update(symbols_asked)
        self._pairs, self._stocks = compiled.pairs(names), compiled.stocks(symbols)

    def stock(self, symbol: str) -> tuple | None:
        """(active, sectype, currency) of a registered stock."""
        return self._stocks.get(symbol)

    def pair(self, name: str) -> tuple | None:
        """(active, hedge) of a registered pair."""
        return self._pairs.get(name)


def receive(sent: list[Row]) -> list[Receipt]:
    """Judges and stores alerts: {column: value} with `alert_id`, `bypass` and `source` beside them.

    A repeat of an alert stores nothing and is answered with the rowid of the first.
    """
    registry = Registry({alert["ticker"] for alert in sent})
    pending = [_Pending(alert, registry) for alert in sent]
    repeats = _Repeats(pending)
    new = [each for each in pending if repeats.is_new(each)]
    _number(new)
    _put_in_order(new)
    _store(new)
    return [each.receipt or repeats.receipt(each) for each in pending]


class _Pending:
    """An alert on its way to being a signal: its row, and what is not a column of it."""

    def __init__(self, alert: Row, registry: Registry):
        columns = dict(alert)
        self.alert_id = columns.pop("alert_id", None)
        self.source = columns.pop("source")
        bypass = columns.pop("bypass", False)
        self.verdict = judging.judge(alert["ticker"], bypass, registry)
        self.time = instants.now()
        self.row = {**compiled.blank, **columns, **self.verdict.columns}
        self.row["timestamp"] = columns.get("timestamp") or self.time
        if self.verdict.outcome == "recorded":
            self.row["order_status"] = columns.get("order_status") or statuses.WAITING
        self.key = self.alert_id and (self.alert_id, alerts.fingerprint(self.row))
        self.rowid = self.event_id = 0
        self.receipt: Receipt | None = None

    @property
    def legs(self) -> Legs:
        return self.row["stk_ticker1"], self.row["stk_ticker2"]


class _Repeats:
    """Which alerts came before, under the same id."""

    def __init__(self, pending: list[_Pending]):
        ids = {each.alert_id for each in pending if each.alert_id}
        self._first: dict[tuple[str, str], int | _Pending] = {
            (alert_id, told): rowid for alert_id, told, rowid in compiled.signals_of_alerts(ids)
        }
        self._used = {alert_id for alert_id, _ in self._first}

    def is_new(self, each: _Pending) -> bool:
        """Whether this alert is to be stored; remembers it."""
        if not each.alert_id:
            return True
        if each.key in self._first:
            return False
        if each.alert_id in self._used:
            each.row["warning"] = USED_BEFORE
        self._used.add(each.alert_id)
        self._first[each.key] = each
        return True

    def receipt(self, each: _Pending) -> Receipt:
        """What a repeat is told."""
        first = self._first[each.key]
        return Receipt(first if isinstance(first, int) else first.rowid, "duplicate")


def _number(new: list[_Pending]) -> None:
    ids = compiled.draw_ids(len(new)) if new else []
    for each, (rowid, event_id) in zip(new, ids, strict=True):
        each.rowid, each.event_id = rowid, event_id


def _put_in_order(new: list[_Pending]) -> None:
    """Cancels what would be offered although its strategy has gone on."""
    moving = [each for each in new if each.row["stk_ticker1"] and alerts.is_strategys(each.row)]
    known: dict[Legs, list[alerts.Move]] = {}
    for leg1, leg2, *values in compiled.newest_moves({each.legs: None for each in moving}):
        row = dict(zip(MOVE_COLUMNS, values, strict=True))
        if alerts.is_strategys(row):
            known.setdefault((leg1, leg2), []).append(alerts.move(row))
    for each in moving:
        move = alerts.move({"rowid": each.rowid, **each.row})
        earlier = known.setdefault(each.legs, [])
        if (later := alerts.overtaken_by(move, earlier)) is None:
            earlier.insert(0, move)
        elif each.row["order_status"] in statuses.OFFERED:
            message = f"{outcomes.OVERTAKEN}{later}"
            each.row |= {"order_status": statuses.CANCELED, "status_msg": message}


def _store(new: list[_Pending]) -> None:
    if not new:
        return
    signals, events, ids = [], [], []
    for each in new:
        created = {k: (None, v) for k, v in each.row.items() if v is not None}
        record = {"rowid": each.rowid, **each.row}
        told = (each.time, "signal.created", str(each.rowid), each.source)
        signals.append(tuple(record.values()))
        events.append((each.event_id, *told, text(created), text_of("signal", record)))
        if each.alert_id:
            ids.append((*each.key, each.rowid))
        each.receipt = Receipt(each.rowid, each.verdict.outcome, each.row["warning"])
    compiled.store_signals(signals, events, ids)
