"""Sums over signals: what goes with a list, and the dashboard's strip."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import peewee
from peewee import Case, fn

from database import is_sqlite, proxy, total
from models.filters import NOT_TRADED, Filters, conditions
from models.registry import Stock
from models.signals import Signal
from trading import equation, slippage, statuses
from trading.slippage import Slipped

SIDES = {"all": ("buy", "sell"), "buy": ("buy",), "sell": ("sell",)}
_LARGEST = 1e12  # a hedge beyond leaves a pair's value unknown: no number may hold its leg 2


class Group(NamedTuple):
    """Sums over the signals of one status and action that trade the same legs.

    `slipped` have a slippage; see `trading.slippage` for their money and value.
    """

    status: str
    action: str
    leg1: str | None
    leg2: str | None
    count: int
    contracts: float
    slippage: float
    slipped: int
    money: float
    valued: float
    value: float


def totals(filters: Filters) -> dict[str, Any]:
    """Counts by status, contracts and slippage of the signals that pass the filters."""
    groups = sums(filters)
    by_status: dict[str, int] = {}
    for group in groups:
        by_status[group.status] = by_status.get(group.status, 0) + group.count
    money = _money(groups)
    return {
        "count": sum(by_status.values()),
        # So that it does not matter in which order was summed up.
        "quantity": round(sum(group.contracts for group in groups), 8),
        "by_status": by_status,
        "average_slippage": {side: _average(groups, SIDES[side]) for side in SIDES},
        "slippage": money.pop("all"),
        "slippage_by_action": money,
    }


def sums(filters: Filters) -> list[Group]:
    """The sums of the signals that pass the filters."""
    # Hidden from the index of states, which would lead to each row on its own.
    alike = (
        fn.COALESCE(Signal.order_status, ""),
        Signal.order_action,
        Signal.stk_ticker1,
        Signal.stk_ticker2,
    )
    rows = Signal.select(
        *alike,
        fn.COUNT(Signal.rowid),
        total(Signal.order_contracts),
        total(Signal.slip),
        fn.COUNT(Signal.slip),
        *_terms(),
    )
    for condition in conditions(Signal, filters):
        rows = rows.where(condition)
    rows = rows.group_by(*(peewee.SQL(str(n)) for n in (1, 2, 3, 4))).order_by(peewee.SQL("1"))
    return [Group(*row[:5], *(_float(value) for value in row[5:])) for row in rows.tuples()]


def _terms() -> tuple[Any, Any, Any]:
    """The sums of money, of the money of those whose value is known, and of their value."""
    number, row = _number, Signal
    money = number(row.slip) * number(row.order_contracts)
    leg1 = fn.ABS(number(row.stk_price1)) * number(
        fn.COALESCE(row.filled_qty1, row.order_contracts)
    )
    leg2 = fn.ABS(number(row.stk_price2)) * number(fn.COALESCE(row.filled_qty2, _size2()))
    value = leg1 + Case(None, [(row.stk_ticker2.is_null(), 0)], leg2)
    value = Case(None, [(row.slip.is_null(False), value)])
    return fn.SUM(money), fn.SUM(Case(None, [(value.is_null(False), money)])), fn.SUM(value)


def _number(column: Any) -> Any:
    """PostgreSQL refuses a product of doubles that no double can hold."""
    return column if is_sqlite(proxy) else column.cast("numeric")


def _size2() -> Any:
    """The quantity ordered of leg 2, in whole shares as the bridge rounds them."""
    size = Signal.order_contracts * Signal.hedge_param
    whole = size.cast("integer") if is_sqlite(proxy) else fn.FLOOR(size)
    return Case(None, [(Signal.hedge_param <= _LARGEST, whole)])


def _float(value: Any) -> float:
    return value if isinstance(value, int) else float(value or 0)


def _money(groups: Iterable[Group]) -> dict[str, dict]:
    """The slippage in money of all signals, of buys and of sells, each by currency."""
    currencies = Stock.currencies()
    found = [(group.action, _slipped(group, currencies)) for group in groups if group.slipped]
    return {
        side: slippage.by_currency(each for action, each in found if action in SIDES[side])
        for side in SIDES
    }


def _slipped(group: Group, currencies: dict[str, str]) -> Slipped:
    currency1, currency2 = (
        leg and _currency(leg, currencies) for leg in (group.leg1 or "?", group.leg2)
    )
    return Slipped(currency1, currency2, group.slipped, group.money, group.valued, group.value)


def _currency(leg: str, currencies: dict[str, str]) -> str:
    """The currency of a leg, however it is spelled."""
    ways = (leg, *equation.spellings(leg))
    return next((currencies[way] for way in ways if way in currencies), "USD")


def _average(groups: Iterable[Group], actions: tuple[str, ...]) -> float | None:
    chosen = [group for group in groups if group.action in actions]
    number = sum(group.slipped for group in chosen)
    return round(sum(group.slippage for group in chosen) / number, 4) if number else None


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
        "slippage": recent["slippage"],
        "last_alert": Signal.last_alert(),
    }


def _count_not_traded(since: str) -> int:
    """How many alerts since then were trades that did not happen."""
    chosen = conditions(Signal, Filters(status=NOT_TRADED, since=since))
    return Signal.select().where(*chosen).count()
