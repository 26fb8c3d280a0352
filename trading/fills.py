"""What fills, partial fills and cancels do to an order, and what its slippage cost.

Slippage is in the order's own price unit, per contract, and positive in the trader's favour: for
a buy the order price minus the fill price, for a sell the fill price minus the order price.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trading.statuses import CANCELED, FILLED, OFFERED, PART_FILLED, PART_PRICED

EXACT = 2**53  # below it every whole number is a float of its own
_REMAINED = re.compile(r"\bremained(?:\((?P<leg>[^()]*)\))?: (?P<amount>-?\d+(\.\d+)?)\s*$")
_PRICE_DIGITS = 4
_QUANTITY_DIGITS = 10  # what lies behind them is noise of floats
_BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Order:
    """A signal's order and its fills; raises ValueError when a number is not finite.

    `order_price` is for a pair the price of leg 1 minus hedge times leg 2. A leg's price of 0 is
    none yet. `filled_qty1` and `filled_qty2` are the quantities filled so far; None where only
    prices were reported, which then stand for the whole leg.
    """

    order_action: str
    order_contracts: float
    order_price: float | None
    stk_ticker1: str
    stk_ticker2: str | None
    hedge_param: float | None
    order_status: str
    status_msg: str | None = None
    stk_price1: float | None = None
    stk_price2: float | None = None
    filled_qty1: float | None = None
    filled_qty2: float | None = None
    fill_price: float | None = None
    slip: float | None = None

    def __post_init__(self) -> None:
        prices = (self.order_price, self.stk_price1, self.stk_price2, self.fill_price, self.slip)
        quantities = (self.order_contracts, self.hedge_param, self.filled_qty1, self.filled_qty2)
        if not all(number is None or math.isfinite(number) for number in prices + quantities):
            raise ValueError("out of range")


ORDER = tuple(Order.__dataclass_fields__)


def order_of(row: Mapping[str, Any]) -> Order:
    """The order of a signal, given as {column: value}; raises ValueError as Order does."""
    return Order(**{name: row[name] for name in ORDER})


def matches(symbol: str, leg: str) -> bool:
    """Whether the broker's symbol means the leg; `EUR` is its word for the leg `EUR.USD`."""
    return symbol == leg or ("." not in symbol and leg.startswith(f"{symbol}."))


def cancel(order: Order, bridge: bool) -> Order:
    """The order after a cancel; what is filled or canceled already stays as it is."""
    if order.order_status in (FILLED, CANCELED):
        return order
    message = "mult.act.orders" if bridge else "multiple active orders"
    if bridge and order.order_status == PART_FILLED:
        message = f"(*){PART_FILLED} | {order.status_msg or ''}"
    return replace(order, order_status=CANCELED, status_msg=message)


def price_leg(order: Order, leg: int, price: float | None, contracts: float | None = None) -> Order:
    """The order after leg 1 or 2 filled at a price, quantities unknown.

    With `contracts` the order was filled in part: these are the contracts that remain in it.
    A price of None or 0 is none yet and changes nothing.
    Raises ValueError when a result is out of range or a pair has no hedge ratio.
    """
    if not price or not _accepts(order, leg):
        return order
    priced = _with_price(order, leg, price)
    if contracts is None:
        return replace(priced, order_status=PART_PRICED if None in _remaining(priced) else FILLED)
    if order.order_status == PART_FILLED and contracts == order.order_contracts:
        return priced
    canceled = round(order.order_contracts - contracts, _QUANTITY_DIGITS) + 0.0
    message = f"canceled amount: {plain(canceled)}"
    return replace(priced, order_contracts=contracts, order_status=PART_FILLED, status_msg=message)


def report(order: Order, leg: int, price: float | None, quantity: float | None) -> Order:
    """The order after a report that leg 1 or 2 filled `quantity` so far, at an average price.

    A price of None or 0 is none yet and changes nothing. With a quantity of None the leg keeps
    the one that is known; where none is, the price stands for all of it.
    Raises ValueError when a result is out of range or a pair has no hedge ratio.
    """
    if not price or not _accepts(order, leg, quantity):
        return order
    known = (order.filled_qty1, order.filled_qty2)[leg - 1]
    if quantity is None:
        quantity = known
    elif quantity < (known or 0):
        return order
    order = replace(_with_price(order, leg, price), **{f"filled_qty{leg}": quantity})
    remaining = _remaining(order)
    if None in remaining:
        message = _remained(order, 1, remaining[0]) if leg == 1 else order.status_msg
        return replace(order, order_status=PART_PRICED, status_msg=message)
    for number, amount in enumerate(remaining, 1):
        if amount > 0:
            message = _remained(order, number, amount)
            return replace(order, order_status=PART_FILLED, status_msg=message)
    return replace(order, order_status=FILLED, status_msg="")


def quantities(order: Order) -> tuple[float | None, float | None]:
    """What legs 1 and 2 have filled, where `remained...` in the status message tells it, else None.

    Raises ValueError when a size is out of range.
    """
    told = _REMAINED.search(order.status_msg or "")
    if told is None:
        return None, None
    name = told["leg"]
    if name is None and order.stk_ticker2 is None:
        name = order.stk_ticker1
    filled = [
        max(0.0, round(size - float(told["amount"]), _QUANTITY_DIGITS) + 0.0)
        if name == ticker and not math.isnan(size)
        else None
        for ticker, size in zip((order.stk_ticker1, order.stk_ticker2), _sizes(order), strict=True)
    ]
    return filled[0], filled[1]


def lagging_leg(order: Order) -> int | None:
    """The leg that is not filled while the other one is; None where none or both are.

    It is None for a pair without a hedge ratio, too. Raises ValueError when a size is out of range.
    """
    if order.stk_ticker2 is None or order.hedge_param is None:
        return None
    done = [amount is not None and amount <= 0 for amount in _remaining(order)]
    return None if all(done) or done == [False, False] else done.index(False) + 1


def progress(order: Order) -> tuple[int, float, float]:
    """(leg, filled quantity, size) of the first leg that is not filled; of leg 1 if all are.

    Raises ValueError when a size is out of range.
    """
    sizes = _sizes(order)
    for leg, (size, rest) in enumerate(zip(sizes, _remaining(order), strict=False), 1):
        if rest is None or rest > 0:
            return leg, 0.0 if rest is None else size - rest, size
    return 1, sizes[0], sizes[0]


def _accepts(order: Order, leg: int, quantity: float | None = None) -> bool:
    """Whether a fill can still change the order.

    One that brings more than is known revives a canceled order: it filled before the cancel
    reached the broker.
    """
    if order.order_status == FILLED:
        return False
    size = _sizes(order)[leg - 1]
    if leg == 2 and not size:
        return False
    if order.order_status != CANCELED or not (order.stk_price1, order.stk_price2)[leg - 1]:
        return True
    known = (order.filled_qty1, order.filled_qty2)[leg - 1]
    return quantity is not None and quantity > (size if known is None else known)


def _with_price(order: Order, leg: int, price: float) -> Order:
    """The order with a leg's price and what follows from it; drops the message of a cancel."""
    message = "" if order.order_status == CANCELED else order.status_msg
    order = replace(order, status_msg=message, **{f"stk_price{leg}": price})
    fill_price = order.stk_price1
    if not fill_price or (order.stk_ticker2 is not None and not order.stk_price2):
        return order
    if order.stk_ticker2 is not None:
        if order.hedge_param is None:
            raise ValueError("the hedge ratio is missing")
        fill_price = round(fill_price - order.hedge_param * order.stk_price2, _PRICE_DIGITS) + 0.0
    if order.order_price is None:
        return replace(order, fill_price=fill_price)
    worse = fill_price - order.order_price
    slip = round(-worse if order.order_action == "buy" else worse, _PRICE_DIGITS) + 0.0
    return replace(order, fill_price=fill_price, slip=slip)


def _sizes(order: Order) -> tuple[float, float]:
    """The quantities ordered of legs 1 and 2.

    That of leg 2 is in whole shares, rounded as the bridge does: 0 for a single and for a leg too
    small for one share, which is not traded. It is NaN where the hedge ratio is missing.
    """
    size = float(order.order_contracts)
    if order.stk_ticker2 is None:
        return size, 0.0
    if order.hedge_param is None:
        return size, math.nan
    if not math.isfinite(size * order.hedge_param):
        raise ValueError("out of range")
    return size, float(math.floor(order.order_contracts * order.hedge_param))


def _remaining(order: Order) -> list[float | None]:
    """What each leg that is traded still has to fill, below 0 when it filled too much.

    It is None for a leg without a price.
    """
    size1, size2 = _sizes(order)
    legs = [(order.stk_price1, order.filled_qty1, size1)]
    if size2:
        legs.append((order.stk_price2, order.filled_qty2, size2))
    remaining: list[float | None] = []
    for price, filled, size in legs:
        rest = 0.0 if filled is None else round(size - filled, _QUANTITY_DIGITS) + 0.0
        remaining.append(rest if price else None)
    return remaining


def _remained(order: Order, leg: int, amount: float) -> str:
    """The status message for what a leg still has to fill, in the bridge's words."""
    if order.stk_ticker2 is None:
        return f"remained: {amount}"
    return f"remained({order.stk_ticker1 if leg == 1 else order.stk_ticker2}): {amount}"


def plain(value: Any) -> Any:
    """A whole number below 2**53 without its `.0`; anything else as it is."""
    if type(value) is float and value.is_integer() and -EXACT < value < EXACT:
        return int(value)
    return value


# What a record that was read before the fill may still change.
_AFTER_FILL = {
    *("order_comment", "error_msg", "mar_pos", "mar_pos_size"),
    *("pre_mar_pos", "pre_mar_pos_size"),
}


def without_setbacks(row: Mapping[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that a record read earlier may set: no fill is undone, nothing traded twice."""
    fill = (row["stk_price1"], row["stk_price2"], row["filled_qty1"], row["filled_qty2"])
    began = any(value is not None for value in fill)
    offers = fields.get("order_status") in OFFERED
    if row["order_status"] == FILLED or (began and offers):
        return {name: value for name, value in fields.items() if name in _AFTER_FILL}
    return fields


def has_begun(row: Mapping[str, Any]) -> bool:
    """Whether anything of a signal is filled: a leg has a price, or a quantity above 0."""
    priced = row["stk_price1"] is not None or row["stk_price2"] is not None
    return priced or bool(row["filled_qty1"] or row["filled_qty2"])


# --- what slippage cost -------------------------------------------------------------------
#
# A signal's slippage in money is its slippage times its contracts, in the currency of leg 1. Its
# value is the sum over its legs of price times quantity filled, without signs; a pair whose legs
# have two currencies, or that lacks a leg's price, has none.


@dataclass(frozen=True)
class Slipped:
    """Sums over signals that have a slippage and trade the same legs.

    `money` is of all of them, `valued` only of those whose value is known.
    """

    currency1: str
    currency2: str | None
    signals: int
    money: float
    valued: float
    value: float


def by_currency(groups: Iterable[Slipped]) -> dict[str, dict[str, float | None]]:
    """{currency: {money, value, bp, signals}}; money of two currencies is never added.

    `bp` is None where no value is known.
    """
    sorted_by: dict[str, list[Slipped]] = {}
    for group in groups:
        if group.signals:
            sorted_by.setdefault(group.currency1, []).append(group)
    return {currency: _sums(sorted_by[currency]) for currency in sorted(sorted_by)}


def _sums(groups: list[Slipped]) -> dict[str, float | None]:
    valued = [group for group in groups if group.currency2 in (None, group.currency1)]
    value = sum(group.value for group in valued)
    return {
        "money": round(sum(group.money for group in groups), 4) + 0.0,
        "value": round(value, 4),
        "bp": basis_points(sum(group.valued for group in valued), value),
        "signals": sum(group.signals for group in groups),
    }


def basis_points(money: float, value: float) -> float | None:
    """Money in hundredths of a percent of a value; None where there is no value."""
    return round(money / value * _BASIS_POINTS, 2) + 0.0 if value else None
