"""Sums over signals: what goes with a list, and the dashboard's strip."""

from typing import Any

from database import proxy, snapshot
from models.blocks import Blocks, within
from models.filters import NOT_TRADED, Filters, conditions
from models.signals import Signal
from trading import statuses


def totals(filters: Filters) -> dict[str, Any]:
    """Counts by status, contracts and average slippage of the signals that pass the filters."""
    groups = _groups(filters)
    by_status: dict[str, int] = {}
    for status, _, count, *_ in groups:
        by_status[status] = by_status.get(status, 0) + count
    sides = {"all": ("buy", "sell"), "buy": ("buy",), "sell": ("sell",)}
    return {
        "count": sum(by_status.values()),
        # So that it does not matter in which order, and how much at a time, was summed up.
        "quantity": round(sum(float(group[3] or 0) for group in groups), 8),
        "by_status": by_status,
        "average_slippage": {side: _average(groups, actions) for side, actions in sides.items()},
    }


def _groups(filters: Filters) -> list[tuple]:
    """Rows of `Signal.sums`, some of which may be of the same status and action."""
    bounds = (filters.since, filters.until, filters.first, filters.before)
    if filters.text is None and any(each is not None for each in bounds):
        return Signal.sums(filters)
    with snapshot(proxy):
        blocks = Blocks.now()
        if filters.text is None:
            groups, places = blocks.sums(filters), blocks.gaps()
        else:
            groups, places = [], blocks.places(filters.text)
        for part in within(Signal.bounded(filters), places):
            groups += Signal.sums(part)
    return groups


def _average(groups: list[tuple], actions: tuple[str, ...]) -> float | None:
    chosen = [(total, number) for _, action, _, _, total, number in groups if action in actions]
    number = sum(number for _, number in chosen)
    return round(sum(float(total or 0) for total, _ in chosen) / number, 4) if number else None


def figures(since: str) -> dict[str, Any]:
    """What waits and is open now, and what happened since an instant."""
    recent = totals(Filters(since=since))
    counts = recent["by_status"]
    return {
        "waiting": Signal.count_offered(),
        "open": Signal.count_open(),
        "filled": counts.get(statuses.FILLED, 0),
        "canceled": counts.get(statuses.CANCELED, 0),
        "not_traded": _count_not_traded(since),
        "errors": sum(counts.get(each, 0) for each in statuses.FAILED),
        "average_slippage": recent["average_slippage"]["all"],
        "last_alert": Signal.last_alert(),
    }


def _count_not_traded(since: str) -> int:
    """How many alerts since then were trades that did not happen."""
    chosen = conditions(Signal, Filters(status=NOT_TRADED, since=since))
    return Signal.select().where(*chosen).count()
