"""The figures of the dashboard's strip: what is so now, and what happened since a time."""

from collections.abc import Iterable
from typing import Any

import orjson

from models import AccountRecord, EventRow, Record, Signal, signal_name
from services import positions, search
from services.positions import PairPosition
from services.search import FAILED, NOT_TRADED, Filters
from trading import instants, statuses
from trading.fills import plain


class Strip:
    """The figures, kept until anything changes: each open page asks for the same ones.

    Every change has an event or a newer report (`positions.last_change`), so nothing kept goes
    stale. Only how old an order is changes by itself; that is looked at for each answer.
    """

    MOST = 50  # days that are kept; each time zone has a start of its own

    def __init__(self, alarm_minutes: float):
        self._patience = alarm_minutes * 60
        self._seen: tuple | None = None
        self._pairs: list[PairPosition] = []
        self._counts: dict[str, Record] = {}

    def figures(self, since: str) -> Record:
        """All figures; only the first answer after a change reads the day's signals."""
        seen = positions.last_change()
        if seen != self._seen or len(self._counts) == self.MOST:
            self._pairs, self._counts = positions.pairs_now(), {}
            self._seen = seen
        if since not in self._counts:
            self._counts[since] = _counts(since)
        return self._counts[since] | {"hedge": hedge(self._pairs, self._patience)}


def _counts(since: str) -> Record:
    recent = search.totals(Filters(since=since))
    counts = recent["by_status"]
    return {
        "waiting": Signal.count_offered(),
        "held": Signal.count_held(),
        "open": Signal.count_open(),
        "filled": counts.get(statuses.FILLED, 0),
        "canceled": counts.get(statuses.CANCELED, 0),
        "not_traded": _count(NOT_TRADED, since),
        "failed": _count(FAILED, since),
        "average_slippage": recent["average_slippage"]["all"],
        "slippage": recent["slippage"],
        "last_alert": Signal.last_alert(),
        "account": AccountRecord.newest(),
        "oldest_open": Signal.oldest_open(),
        "last": _last(),
    }


def _count(outcome: str, since: str) -> int:
    """How many alerts since then had this outcome."""
    chosen = search.conditions(Filters(status=outcome, since=since))
    return Signal.select().where(*chosen).count()


def hedge(pairs: Iterable[PairPosition], patience: float) -> Record:
    """How many pairs are hedged, how many are not, and how many have an order that works.

    An unhedged pair whose order came less than `patience` seconds ago counts as one that works.
    """
    hedged, since = 0, []
    unhedged: list[PairPosition] = []
    late, forgotten = instants.ago(patience), instants.ago(positions.ORDER_LIVES)
    for each in pairs:
        began = each.working.since if each.working else ""
        if each.hedge.is_broken and began <= late:
            unhedged.append(each)
        elif began > forgotten:
            since.append(began)
        else:
            hedged += any(each.shares)
    return {
        "hedged": hedged,
        "unhedged": len(unhedged),
        "amounts": _amounts(unhedged),
        "filling": len(since),
        "filling_since": min(since, default=None),
    }


def _amounts(unhedged: Iterable[PairPosition]) -> dict[str, Any]:
    """What the unhedged shares cost, {currency: sum}; what is not known counts as nothing."""
    sums: dict[str, float] = {}
    for each in unhedged:
        currency = each.legs[each.hedge.leg - 1].currency
        sums[currency] = sums.get(currency, 0.0) + abs(each.hedge.amount or 0.0)
    return {currency: plain(round(amount, 2)) for currency, amount in sorted(sums.items())}


def _last() -> Record | None:
    """The last thing that happened to a signal; None if nothing did."""
    event = EventRow.last_of_signals()
    if event is None:
        return None
    record = orjson.loads(event.record)
    keys = ("rowid", "order_action", "order_status", "status_msg")
    return {key: record[key] for key in keys} | {"name": signal_name(record), "time": event.time}
