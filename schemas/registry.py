"""Stocks and pairs on the wire: stocks in the seed's spelling and, as tickers, in the bridge's."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from schemas.values import (
    Amount,
    BadFields,
    Body,
    Comment,
    Exchange,
    Positive,
    Record,
    Switch,
    Symbol,
    Word,
    at_most,
    one_of,
    optional,
    plain,
    to_text,
)
from trading import equation

STOCK = {
    "symbol": "symbol",
    "prixch": "exchange",
    "secxch": "primary_exchange",
    "active": "active",
    "sectype": "sectype",
    "currency": "currency",
    "order_type": "order_type",
    "active_pos": "position",
    "active_pnl": "pnl",
    "active_cost": "cost",
}
# Mind the clash: the seed's prixch is the routing exchange, the bridge's is the primary one.
TICKER = {
    "symbol": "symbol",
    "sectype": "sectype",
    "xch": "exchange",
    "prixch": "primary_exchange",
    "currency": "currency",
    "order_type": "order_type",
    "active": "active",
    "active_pos": "position",
    "active_pnl": "pnl",
    "active_cost": "cost",
}
PAIR = {
    "name": "name",
    "ticker1": "leg1",
    "ticker2": "leg2",
    "hedge": "hedge",
    "status": "active",
    "notes": "notes",
}


class StockForm(Body):
    """A stock in the seed's spelling."""

    symbol: Symbol
    prixch: Exchange = "SMART"
    secxch: Exchange = "ISLAND"
    active: Switch = 0

    def columns(self) -> Record:
        """The fields that were sent."""
        return {STOCK[key]: getattr(self, key) for key in self.model_fields_set}


class TickerForm(Body):
    """A stock in the bridge's spelling."""

    symbol: Symbol
    sectype: Annotated[str, BeforeValidator(one_of("STK", "CASH", "CRYPTO"))] = "STK"
    xch: Exchange = "SMART"
    prixch: Exchange = "ISLAND"
    currency: Word = "USD"
    order_type: Word = "RELATIVE"
    active: Switch = 0
    active_pos: Amount = 0.0
    active_pnl: Amount = 0.0
    active_cost: Amount = 0.0

    def columns(self) -> Record:
        """The fields that were sent."""
        return {TICKER[key]: getattr(self, key) for key in self.model_fields_set}


class HoldingForm(Body):
    """What the bridge reports of a position; the symbol is the broker's."""

    symbol: Annotated[str, BeforeValidator(to_text), AfterValidator(at_most(200))]
    active_pos: Amount
    active_pnl: Amount
    active_cost: Amount

    def columns(self) -> Record:
        """The position's fields."""
        return {TICKER[key]: getattr(self, key) for key in HOLDING}


HOLDING = ("active_pos", "active_pnl", "active_cost")


def to_leg(value: Any) -> str:
    text = to_text(value).strip()
    if not text:
        raise ValueError("required")
    return at_most(50)(text)


class PairForm(Body):
    """A new pair."""

    ticker1: Annotated[str, BeforeValidator(to_leg)]
    ticker2: Annotated[str, BeforeValidator(to_leg)]
    hedge: Positive
    status: Switch = 0
    notes: Comment = None

    def columns(self) -> Record:
        """The fields that were sent; raises BadFields for a ticker that no leg can have."""
        if not (equation.is_symbol(self.ticker1) and equation.is_symbol(self.ticker2)):
            raise BadFields("problematic ticker!")
        return {PAIR[key]: getattr(self, key) for key in self.model_fields_set}


class PairChange(Body):
    """A change of a pair, named by `name` or by its tickers."""

    name: Annotated[str | None, optional(to_text)] = None
    ticker1: Annotated[str | None, optional(to_leg)] = None
    ticker2: Annotated[str | None, optional(to_leg)] = None
    hedge: Positive = 1.0
    status: Switch = 0
    notes: Comment = None

    def key(self) -> str:
        """The pair's name; raises BadFields."""
        if self.name:
            return self.name
        if self.ticker1 and self.ticker2:
            return f"{self.ticker1}-{self.ticker2}"
        raise BadFields({"name": "required, or both ticker1 and ticker2"})

    def columns(self) -> Record:
        """The fields that were sent."""
        sent = {PAIR[key]: getattr(self, key) for key in self.model_fields_set - {"name"}}
        return {k: v for k, v in sent.items() if v is not None or k == "notes"}


STOCK_KEYS = ("symbol", "prixch", "secxch", "active")


def stock_record(columns: Record, keys: Iterable[str] = STOCK_KEYS) -> Record:
    """A stock as the seed spells it; `keys` may name more of its fields."""
    return {key: plain(columns[STOCK[key]]) for key in keys}


def ticker_record(columns: Record) -> Record:
    """A stock as the bridge spells it."""
    return {key: plain(columns[column]) for key, column in TICKER.items()}


def pair_record(columns: Record) -> Record:
    """A pair as the wire has it."""
    return {key: plain(columns[column]) for key, column in PAIR.items()}
