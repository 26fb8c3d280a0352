"""Finds signals and adds them up: filters, lists and totals."""

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple

import peewee
from peewee import Case, fn

from database.kinds import is_sqlite
from database.opening import contains, numeric, proxy
from models import Signal, Stock, of_symbol
from trading import equation, fills, instants, statuses
from trading.fills import Slipped

# Words that a filter takes in place of a status: signals with these outcomes of `statuses`.
NOT_TRADED = "not_traded"
FAILED = "failed"
SEARCHED = ("ticker", "order_comment", "status_msg", "error_msg")


@dataclass(frozen=True)
class Filters:
    """Which signals a list shows; None in a field means all.

    The words of `statuses.GROUPS`, NOT_TRADED and FAILED may stand for a status, too. `name` is the
    name of a pair or the symbol of a single. `first` and `before` are rowids.
    """

    status: str | None = None
    name: str | None = None
    kind: str | None = None
    since: str | None = None
    until: str | None = None
    text: str | None = None
    first: int | None = None
    before: int | None = None


def conditions(filters: Filters) -> Iterator[Any]:
    """The SQL conditions that a signal must meet."""

    # The database must use the index of the most selective filter; COALESCE hides the others.
    def beside(narrower: Any, column: peewee.Field) -> Any:
        return fn.COALESCE(column, "") if narrower else column

    if filters.name is not None:
        yield _named(filters.name)
    if filters.status is not None:
        yield _of_status(beside(filters.name, Signal.order_status), filters.status)
    if filters.kind is not None:
        yield beside(filters.name or filters.status, Signal.ticker_type) == filters.kind
    if filters.since or filters.until:
        yield during(filters)
    if filters.first is not None:
        yield Signal.rowid >= filters.first
    if filters.text is not None:
        columns = (getattr(Signal, name) for name in SEARCHED)
        yield reduce(operator.or_, [contains(column, filters.text) for column in columns])
    if filters.before is not None:
        yield Signal.rowid < filters.before


def _of_status(column: Any, status: str) -> Any:
    if status == statuses.WAITING:
        return Signal.offered()
    if status == statuses.REROUTED:
        return (column == status) & Signal.offered()
    if status in statuses.GROUPS:
        return column.in_(statuses.GROUPS[status])
    message = fn.COALESCE(Signal.status_msg, "")
    refused = message.in_(statuses.REASONS)
    for begins in statuses.RULED:  # SUBSTR, because LIKE ignores case on SQLite
        refused |= fn.SUBSTR(message, 1, len(begins)) == begins
    if status == NOT_TRADED:
        return column.in_(statuses.REFUSED) & refused
    if status == FAILED:
        return column.in_(statuses.ERRORS) & ~((column == statuses.ERROR) & refused)
    return column == status


def during(filters: Filters) -> Any:
    """The SQL condition that a signal's time lies between `since` and `until`."""
    return Signal.timestamp.between(filters.since or "", filters.until or instants.LAST)


def _named(name: str) -> Any:
    try:
        wanted = equation.parse(name)
    except equation.Problematic:
        return (Signal.stk_ticker1 == name) & Signal.stk_ticker2.is_null()
    first = of_symbol(Signal.stk_ticker1, wanted.leg1.symbol)
    if wanted.leg2 is None:
        return first & Signal.stk_ticker2.is_null()
    return first & of_symbol(Signal.stk_ticker2, wanted.leg2.symbol)


def newest(filters: Filters, columns: tuple[str, ...], limit: int) -> list[tuple]:
    """The newest signals that match the filters, as tuples of these columns."""
    if filters == Filters():
        return Signal.newest_ones(columns, limit)
    if filters == Filters(status=statuses.WAITING):
        return Signal.newest_offered(columns, limit)
    rows = Signal.select(*(getattr(Signal, name) for name in columns))
    rows = rows.where(*conditions(bounded(filters)))
    return list(rows.order_by(Signal.rowid.desc()).limit(limit).tuples())


def sorted_ids(filters: Filters, sort: str, limit: int, offset: int) -> list[int]:
    """The rowids of the signals that match, in an order; at most `limit` (0: all) after `offset`.

    `sort` is the name of a column, `-` before it for descending. The ticker counts by the name
    that pages show. Missing values are last; of equal ones the newest is first.
    """
    key = _sort_key(sort.removeprefix("-"))
    order = key.desc(nulls="LAST") if sort.startswith("-") else key.asc(nulls="LAST")
    rows = Signal.select(Signal.rowid).order_by(order, Signal.rowid.desc()).offset(offset)
    for condition in conditions(filters):
        rows = rows.where(condition)
    return [rowid for (rowid,) in (rows.limit(limit) if limit else rows).tuples()]


def _sort_key(name: str) -> Any:
    """SQL for the value that signals are sorted by; upper and lower case of A to Z are the same."""
    column = getattr(Signal, name)
    if name == "ticker":
        pair = Signal.stk_ticker1.concat("-").concat(Signal.stk_ticker2)
        column = fn.COALESCE(pair, Signal.stk_ticker1, Signal.ticker)
    elif name == "timestamp" or not isinstance(column, peewee.CharField | peewee.TextField):
        return column
    return fn.LOWER(column if is_sqlite(proxy) else column.collate('"C"'))


def of_ids(ids: list[int], columns: tuple[str, ...]) -> list[tuple]:
    """These signals in this order, as tuples of these columns (`rowid` first); some may be gone."""
    rows = Signal.select(*(getattr(Signal, name) for name in columns))
    found = {row[0]: row for row in rows.where(Signal.rowid.in_(ids)).tuples()}
    return [found[rowid] for rowid in ids if rowid in found]


def bounded(filters: Filters) -> Filters:
    """The filters with limits of rowid added that match their times, because lists go by rowid.

    This reads the whole range in the index of times, so a long list should call it only once.
    """
    if filters.first is not None or not (filters.since or filters.until):
        return filters
    ends = Signal.select(fn.MIN(Signal.rowid), fn.MAX(Signal.rowid)).where(during(filters))
    first, last = ends.tuples().get()
    before = (last or 0) + 1
    if filters.before is not None:
        before = min(before, filters.before)
    return replace(filters, first=first or 0, before=before)


# --- sums -------------------------------------------------------------------------------

_SIDES = {"all": ("buy", "sell"), "buy": ("buy",), "sell": ("sell",)}
_LARGEST = 1e12  # with a larger hedge the value of a pair counts as unknown: leg 2 could overflow
_SMALLEST = 1e-12  # of less than that of one factor there is no whole share; it could underflow


class Group(NamedTuple):
    """Sums over all signals with the same status, action and legs.

    `slipped` is the number of signals with a slippage. `trading.fills` explains money and value.
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
    """Count, contracts and slippage of the signals that match the filters, as in the API."""
    groups = sums(filters)
    by_status: dict[str, int] = {}
    for group in groups:
        by_status[group.status] = by_status.get(group.status, 0) + group.count
    money = _money(groups)
    return {
        "count": sum(by_status.values()),
        # Rounded, so that the order of adding does not matter.
        "quantity": round(sum(group.contracts for group in groups), 8),
        "by_status": by_status,
        "average_slippage": {side: _average(groups, _SIDES[side]) for side in _SIDES},
        "slippage": money.pop("all"),
        "slippage_by_action": money,
    }


def sums(filters: Filters) -> list[Group]:
    """The sums of the signals that match the filters; one Group per status, action and legs."""
    # COALESCE hides the index of statuses, with which the database would fetch each row singly.
    alike = (
        fn.COALESCE(Signal.order_status, ""),
        Signal.order_action,
        Signal.stk_ticker1,
        Signal.stk_ticker2,
    )
    rows = Signal.select(
        *alike,
        fn.COUNT(Signal.rowid),
        fn.SUM(numeric(Signal.order_contracts)),
        fn.SUM(numeric(Signal.slip)),
        fn.COUNT(Signal.slip),
        *_terms(),
    )
    for condition in conditions(filters):
        rows = rows.where(condition)
    rows = rows.group_by(*(peewee.SQL(str(n)) for n in (1, 2, 3, 4))).order_by(peewee.SQL("1"))
    return [Group(*row[:5], *(_float(value) for value in row[5:])) for row in rows.tuples()]


def _terms() -> tuple[Any, Any, Any]:
    """SQL sums of the slippage: money, money of signals with a known value, and that value."""
    money = numeric(Signal.slip) * numeric(Signal.order_contracts)
    filled1 = fn.COALESCE(Signal.filled_qty1, Signal.order_contracts)
    filled2 = fn.COALESCE(Signal.filled_qty2, _size2())
    leg1 = fn.ABS(numeric(Signal.stk_price1)) * numeric(filled1)
    leg2 = fn.ABS(numeric(Signal.stk_price2)) * numeric(filled2)
    value = leg1 + Case(None, [(Signal.stk_ticker2.is_null(), 0)], leg2)
    value = Case(None, [(Signal.slip.is_null(False), value)])
    return fn.SUM(money), fn.SUM(Case(None, [(value.is_null(False), money)])), fn.SUM(value)


def _size2() -> Any:
    """SQL for the ordered quantity of leg 2, rounded down to whole shares as the bridge does."""
    size = Signal.order_contracts * Signal.hedge_param
    whole = size.cast("integer") if is_sqlite(proxy) else fn.FLOOR(size)
    none = (Signal.hedge_param < _SMALLEST) | (Signal.order_contracts < _SMALLEST)
    known = Signal.hedge_param <= _LARGEST
    return Case(None, [(known & none, 0), (known, whole)])


def _float(value: Any) -> float:
    return value if isinstance(value, int) else float(value or 0)


def _money(groups: Iterable[Group]) -> dict[str, dict]:
    """The slippage in money, by currency: {"all": ..., "buy": ..., "sell": ...}."""
    currencies = Stock.currencies()
    found = [(group.action, _slipped(group, currencies)) for group in groups if group.slipped]
    return {
        side: fills.by_currency(each for action, each in found if action in _SIDES[side])
        for side in _SIDES
    }


def _slipped(group: Group, currencies: dict[str, str]) -> Slipped:
    currency1, currency2 = (
        leg and currencies.get(leg, "USD") for leg in (group.leg1 or "?", group.leg2)
    )
    return Slipped(currency1, currency2, group.slipped, group.money, group.valued, group.value)


def _average(groups: Iterable[Group], actions: tuple[str, ...]) -> float | None:
    chosen = [group for group in groups if group.action in actions]
    number = sum(group.slipped for group in chosen)
    return round(sum(group.slippage for group in chosen) / number, 4) if number else None
