"""What fills, partial fills and cancels do to an order.

Slippage is in the order's own price unit, per contract, and positive in the trader's favour: for
a buy the order price minus the fill price, for a sell the fill price minus the order price.
"""

import math
import re
from dataclasses import dataclass, replace

from trading.statuses import CANCELED, FILLED, PART_FILLED, PART_PRICED

_REMAINED = re.compile(r"\bremained(?:\((?P<leg>[^()]*)\))?: (?P<amount>-?\d+(\.\d+)?)\s*$")
_NOISE_DIGITS = 10
_PRICE_DIGITS = 4


@dataclass(frozen=True)
class Order:
    """A signal's order and its fills; raises ValueError when a number is not finite.

    `order_price` is for a pair the price of leg 1 minus hedge times leg 2; `filled_qty1` and
    `filled_qty2` are the quantities filled so far, None when only prices were reported.
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

    @property
    def is_pair(self) -> bool:
        """Whether there is a second leg."""
        return self.stk_ticker2 is not None

    @property
    def is_priced(self) -> bool:
        """Whether every leg that is traded has a price; 0 is none."""
        return bool(self.stk_price1) and (bool(self.stk_price2) or not _is_traded(self, 2))


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
        return replace(priced, order_status=FILLED if priced.is_priced else PART_PRICED)
    if order.order_status == PART_FILLED and contracts == order.order_contracts:
        return priced
    canceled = _without_noise(order.order_contracts - contracts)
    message = f"canceled amount: {_plain(canceled)}"
    return replace(priced, order_contracts=contracts, order_status=PART_FILLED, status_msg=message)


def report(order: Order, leg: int, price: float | None, quantity: float | None) -> Order:
    """The order after a report that leg 1 or 2 filled `quantity` so far, at an average price.

    A price of None or 0 is none yet and changes nothing. With a quantity of None the leg keeps
    the one that is known; where none is, the price stands for all of it.
    Raises ValueError when a result is out of range or a pair has no hedge ratio.
    """
    if not price or not _accepts(order, leg, quantity):
        return order
    known = _filled(order, leg)
    if quantity is not None and quantity < (known or 0):
        return order
    quantity = known if quantity is None else quantity
    reported = replace(_with_price(order, leg, price), **{f"filled_qty{leg}": quantity})
    if not reported.is_priced:
        if leg == 1:
            reported = replace(reported, status_msg=_remained(reported, 1))
        return replace(reported, order_status=PART_PRICED)
    for each in (1, 2) if _is_traded(reported, 2) else (1,):
        if _remaining(reported, each) > 0:
            return replace(reported, order_status=PART_FILLED, status_msg=_remained(reported, each))
    return replace(reported, order_status=FILLED, status_msg="")


def quantities(order: Order) -> tuple[float | None, float | None]:
    """What legs 1 and 2 have filled, where `remained...` in the status message tells it, else None.

    Raises ValueError when a size is out of range or a pair has no hedge ratio.
    """
    told = _REMAINED.search(order.status_msg or "")
    names = (
        {order.stk_ticker1: 1, order.stk_ticker2: 2}
        if order.is_pair
        else {None: 1, order.stk_ticker1: 1}
    )
    leg = told and names.get(told["leg"])
    filled = leg and max(0.0, _without_noise(_size(order, leg) - float(told["amount"])))
    return (filled if leg == 1 else None), (filled if leg == 2 else None)


def lagging_leg(order: Order) -> int | None:
    """The leg that is not filled while the other one is; None where none or both are.

    Raises ValueError when a size is out of range or a pair has no hedge ratio.
    """
    if not order.is_pair:
        return None
    done = [_is_done(order, leg) for leg in (1, 2)]
    return None if done[0] == done[1] else done.index(False) + 1


def _is_traded(order: Order, leg: int) -> bool:
    """Whether there is an order for the leg: none for one too small for a whole share."""
    if leg == 1:
        return True
    return order.is_pair and (order.hedge_param is None or _size(order, leg) != 0)


def _is_done(order: Order, leg: int) -> bool:
    """Whether nothing remains of a leg; of one that is not traded there never was."""
    if _size(order, leg) == 0:
        return True
    return _price(order, leg) is not None and _remaining(order, leg) <= 0


def _accepts(order: Order, leg: int, quantity: float | None = None) -> bool:
    """Whether a fill can still change the order.

    One that brings more than is known revives a canceled order: it filled before the cancel
    reached the broker.
    """
    if order.order_status == FILLED or not _is_traded(order, leg):
        return False
    if order.order_status != CANCELED or _price(order, leg) is None:
        return True
    return quantity is not None and quantity > _known_quantity(order, leg)


def _with_price(order: Order, leg: int, price: float) -> Order:
    """The order with a leg's price and what follows from it; drops the message of a cancel."""
    message = "" if order.order_status == CANCELED else order.status_msg
    priced = replace(order, status_msg=message, **{f"stk_price{leg}": price})
    if not priced.stk_price1 or (priced.is_pair and not priced.stk_price2):
        return priced
    fill_price = priced.stk_price1
    if priced.is_pair:
        spread = priced.stk_price1 - _hedge(priced) * priced.stk_price2
        fill_price = round(spread, _PRICE_DIGITS) + 0.0
    return replace(priced, fill_price=fill_price, slip=_slippage(priced, fill_price))


def _slippage(order: Order, fill_price: float) -> float | None:
    """The slippage as this module defines it; what it was, where there is no order price."""
    if order.order_price is None:
        return order.slip
    worse = fill_price - order.order_price
    return round(-worse if order.order_action == "buy" else worse, _PRICE_DIGITS) + 0.0


def _price(order: Order, leg: int) -> float | None:
    return (order.stk_price1 if leg == 1 else order.stk_price2) or None


def _filled(order: Order, leg: int) -> float | None:
    return order.filled_qty1 if leg == 1 else order.filled_qty2


def _known_quantity(order: Order, leg: int) -> float:
    """The quantity a leg has filled; a price without a quantity stands for all of it."""
    filled = _filled(order, leg)
    return _size(order, leg) if filled is None else filled


def _remaining(order: Order, leg: int) -> float:
    """The quantity a leg still has to fill, negative when it filled too much."""
    return _without_noise(_size(order, leg) - _known_quantity(order, leg))


def _remained(order: Order, leg: int) -> str:
    """The status message for a leg, in the bridge's words."""
    name = f"({order.stk_ticker1 if leg == 1 else order.stk_ticker2})" if order.is_pair else ""
    return f"remained{name}: {_remaining(order, leg)}"


def _size(order: Order, leg: int) -> float:
    """The quantity ordered of a leg; of leg 2 in whole shares, rounded as the bridge does."""
    if leg == 1:
        return float(order.order_contracts)
    product = order.order_contracts * _hedge(order)
    if not math.isfinite(product):
        raise ValueError("out of range")
    return float(math.floor(product))


def _hedge(order: Order) -> float:
    if order.hedge_param is None:
        raise ValueError("the hedge ratio is missing")
    return order.hedge_param


def _without_noise(number: float) -> float:
    # Adding 0.0 turns -0.0 into 0.0.
    return round(float(number), _NOISE_DIGITS) + 0.0


def _plain(number: float) -> str:
    """Write a number without `.0`."""
    return repr(number).removesuffix(".0")
