"""Which signals a list or a sum is about, and the conditions that say so in a query."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import peewee

from database import contains
from trading import equation, instants, outcomes, statuses

# Spelled so that only the partial index serves it: the index of states would sort all that wait.
OFFERED = peewee.SQL("COALESCE(order_status, '') IN ('waiting', 'rerouted')")
FAILED = "failed"  # names all that went wrong
NOT_TRADED = "not_traded"  # names all trades that did not happen, as a status
SEARCHED = ("ticker", "order_comment", "status_msg", "error_msg")


@dataclass(frozen=True)
class Filters:
    """Which signals a list shows; None means all.

    The status `waiting` means all that is offered, `failed` all that went wrong. `name` is a pair's
    or a single's name; `first` and `before` are rowids.
    """

    status: str | None = None
    name: str | None = None
    kind: str | None = None
    since: str | None = None
    until: str | None = None
    text: str | None = None
    first: int | None = None
    before: int | None = None


def conditions(model: type[peewee.Model], filters: Filters) -> Iterator[Any]:
    """What a row of signals, or of their sums, has to fulfil."""

    # Only the narrowest filter may lead to an index; COALESCE hides the others from it.
    def beside(narrower: Any, column: peewee.Field) -> Any:
        return peewee.fn.COALESCE(column, "") if narrower else column

    if filters.name is not None:
        yield _named(model, filters.name)
    if filters.status is not None:
        yield _of_status(model, beside(filters.name, model.order_status), filters.status)
    if filters.kind is not None:
        yield beside(filters.name or filters.status, model.ticker_type) == filters.kind
    if filters.since or filters.until:
        yield during(model, filters)
    if filters.first is not None:
        yield model.rowid >= filters.first
    if filters.text is not None:
        columns = (getattr(model, name) for name in SEARCHED)
        yield reduce(operator.or_, [contains(column, filters.text) for column in columns])
    if filters.before is not None:
        yield model.rowid < filters.before


def _of_status(model: type[peewee.Model], column: Any, status: str) -> Any:
    if status == statuses.WAITING:
        return OFFERED
    if status == FAILED:
        return column.in_(statuses.FAILED)
    if status == NOT_TRADED:
        ended = column.in_((statuses.CANCELED, statuses.ERROR))
        return ended & model.status_msg.in_(outcomes.REASONS)
    return column == status


def during(model: type[peewee.Model], filters: Filters) -> Any:
    """Whether a signal's time is the wanted one."""
    return model.timestamp.between(filters.since or "", filters.until or instants.LAST)


def _named(model: type[peewee.Model], name: str) -> Any:
    try:
        wanted = equation.parse(name)
    except equation.Problematic:
        return (model.stk_ticker1 == name) & model.stk_ticker2.is_null()
    first = _spelled(model.stk_ticker1, wanted.leg1.symbol)
    if wanted.leg2 is None:
        return first & model.stk_ticker2.is_null()
    return first & _spelled(model.stk_ticker2, wanted.leg2.symbol)


def _spelled(leg: peewee.Field, symbol: str) -> Any:
    ways = equation.spellings(symbol)
    return leg == ways[0] if len(ways) == 1 else leg.in_(ways)
