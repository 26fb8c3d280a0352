"""Stocks and pairs on the wire: stocks in the seed's spelling and, as tickers, in the bridge's."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from models.records import SEED, Record
from schemas.shown import shown_symbol, shown_text, shown_word
from schemas.types import Comment, Exchange, Positive, Reported, ShortText, Switch, Symbol, Word
from schemas.values import (
    KEEPS,
    BadFields,
    Body,
    at_most,
    one_of,
    optional,
    to_bare,
    to_text,
)
from trading import equation

SecurityType = Annotated[
    str, BeforeValidator(one_of("STK", "CASH", "CRYPTO")), shown_word("STK", "CASH", "CRYPTO")
]


class StockForm(Body):
    """A stock in the seed's spelling."""

    EXAMPLE = {"symbol": "AAPL", "prixch": "SMART", "secxch": "ISLAND", "active": 1}

    symbol: Symbol
    prixch: Exchange = "SMART"
    secxch: Exchange = "ISLAND"
    active: Switch = 0

    def columns(self) -> Record:
        """The fields that were sent."""
        return {SEED[key]: getattr(self, key) for key in self.model_fields_set}


class TickerForm(Body):
    """A stock in the bridge's spelling."""

    EXAMPLE = {"symbol": "EUR.USD", "sectype": "CASH", "xch": "IDEALPRO", "prixch": "IDEALPRO"}

    symbol: Symbol
    sectype: SecurityType = "STK"
    xch: Exchange = "SMART"
    prixch: Exchange = "ISLAND"
    currency: Word = "USD"
    order_type: Word = "RELATIVE"
    active: Switch = 0
    active_pos: Reported = 0.0
    active_pnl: Reported = 0.0
    active_cost: Reported = 0.0

    def columns(self) -> Record:
        """The fields that were sent; see `HoldingForm` for a position that is not known."""
        return _with_position({key: getattr(self, key) for key in self.model_fields_set})


class HoldingForm(Body):
    """What the bridge reports of a position; the symbol is the broker's.

    What is not sent stays. A position that is not known stays the last one that was; PnL and cost
    are null then.
    """

    model_config = KEEPS

    EXAMPLE = {"symbol": "AAPL", "active_pos": 7, "active_cost": 148.123, "active_pnl": 14}

    symbol: ShortText
    active_pos: Reported = None
    active_pnl: Reported = None
    active_cost: Reported = None

    def columns(self) -> Record:
        """The position's fields that were sent."""
        sent = [key for key in HOLDING if key in self.model_fields_set]
        return _with_position({key: getattr(self, key) for key in sent})


HOLDING = ("active_pos", "active_pnl", "active_cost")


def _with_position(columns: Record) -> Record:
    """Without a position that is not known."""
    return {k: v for k, v in columns.items() if k != "active_pos" or v is not None}


def to_leg(value: Any) -> str:
    return at_most(50)(to_bare(value))


Leg = Annotated[str, BeforeValidator(to_leg), shown_symbol(50)]
OptionalLeg = Annotated[str | None, optional(to_leg), shown_symbol(50, blank=True)]


class PairForm(Body):
    """A new pair."""

    EXAMPLE = {"ticker1": "NMFC", "ticker2": "ROIC", "hedge": 0.72, "status": 1, "notes": "BDCs"}

    ticker1: Leg
    ticker2: Leg
    hedge: Positive
    status: Switch = 0
    notes: Comment = None

    def columns(self) -> Record:
        """The fields that were sent; raises BadFields for a ticker that no leg can have."""
        if not (equation.is_symbol(self.ticker1) and equation.is_symbol(self.ticker2)):
            raise BadFields("problematic ticker!")
        return {key: getattr(self, key) for key in self.model_fields_set}


class PairChange(Body):
    """A change of a pair, named by `name` or by its tickers."""

    model_config = KEEPS

    EXAMPLE = {"name": "NMFC-ROIC", "status": 0}

    name: Annotated[str | None, optional(to_text), shown_text(blank=True)] = None
    ticker1: OptionalLeg = None
    ticker2: OptionalLeg = None
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
        sent = {key: getattr(self, key) for key in self.model_fields_set - {"name"}}
        return {k: v for k, v in sent.items() if v is not None or k == "notes"}
