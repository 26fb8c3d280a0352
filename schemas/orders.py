"""Reports of orders on the wire: fills, partial fills and cancels, in both spellings."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, WithJsonSchema

from schemas.types import MOST, Flag, Id, OptionalText, Quantity, Reported
from schemas.values import BadFields, Body, Record, check, to_flag, to_number
from trading import fills

_Yes = Annotated[bool, BeforeValidator(to_flag), WithJsonSchema({"enum": [True, 1, "true"]})]
_No = Annotated[
    bool,
    BeforeValidator(lambda v: v is not None and to_flag(v)),
    WithJsonSchema({"enum": [False, 0, "false"]}),
]


class _Order(Body):
    order_id: Id
    symbol: OptionalText = None


class Cancel(_Order):
    """An order that was canceled; with a symbol it is the bridge that says so."""

    EXAMPLE = {"symbol": "NMFC", "order_id": 1010, "cancel": True, "price": -1, "filled_qty": -1}

    cancel: _Yes

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        return fills.cancel(order, bridge=self.symbol is not None)


class Report(_Order):
    """What the bridge reports: the average price and what has filled so far.

    A price of 0 is none yet. A quantity that is not known stays what it was; where none was ever
    told, the price stands for the whole order.
    """

    EXAMPLE = {"order_id": "1011", "symbol": "ROIC", "price": 14.2, "filled_qty": 7}

    symbol: OptionalText
    price: Reported
    filled_qty: Quantity = None
    cancel: _No = False

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        return fills.report(order, leg, self.price, self.filled_qty)


class Fill(_Order):
    """A leg's price, of the whole order or, with `order_contracts`, of a part of it.

    A price of 0 is none yet.
    """

    EXAMPLE = {"order_id": 1010, "stk_price": 300.1}

    stk_price: Reported
    partial: Flag = False
    order_contracts: Any = None
    cancel: _No = False

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        contracts = self.order_contracts if self.partial else None
        return fills.price_leg(order, leg, self.stk_price, contracts)


class Price(Body):
    """The price-only form of an order's update."""

    EXAMPLE = {"order_id": 1010, "stk_price": 300.1}

    order_id: Id
    stk_price: Reported
    symbol: ClassVar[None] = None

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        return fills.price_leg(order, leg, self.stk_price)


def read_order_update(body: Record) -> Cancel | Report | Fill:
    """A fill, partial fill or cancel; one with a symbol is the bridge's. Raises BadFields."""
    try:
        cancels = to_flag(body.get("cancel"))
    except ValueError:
        cancels = False
    if cancels:
        return check(Cancel, body)
    if body.get("symbol") not in (None, ""):
        prices = {"price": body["stk_price"]} if "stk_price" in body else {}
        return check(Report, prices | body)
    return _read_priced(body)


def _read_priced(body: Record) -> Fill:
    if "stk_price" not in body and "price" in body:
        body = {**body, "stk_price": body["price"]}
    update = check(Fill, body)
    if update.partial:
        update.order_contracts = _contracts_left(update.order_contracts)
    return update


def _contracts_left(value: Any) -> float:
    try:
        contracts = to_number(value)
    except ValueError:
        contracts = 0.0
    if contracts <= 0:
        raise BadFields("missing contract amount to update partial fill")
    if contracts > MOST:
        raise BadFields({"order_contracts": "must not be beyond 1e12"})
    return contracts
