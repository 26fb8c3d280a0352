"""Stocks and pairs on the wire, in the seed's spelling."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

from schemas.values import (
    BadFields,
    Body,
    Comment,
    Exchange,
    Positive,
    Record,
    Switch,
    Symbol,
    at_most,
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


def pair_record(columns: Record) -> Record:
    """A pair as the wire has it."""
    return {key: plain(columns[column]) for key, column in PAIR.items()}
