"""The registry's word on an alert's equation."""

import contextlib
from collections.abc import Iterable
from itertools import chain, product
from typing import Any, NamedTuple

from models.statements import compiled
from trading import equation

# Kinds of securities that charts write without the broker's dot.
CURRENCIES = ("CASH", "CRYPTO")
_NO_LEGS = {"kind": None, "leg1": None, "leg2": None, "hedge": None}


class Verdict(NamedTuple):
    """The registry's word on an equation: recorded, problematic or refused, and the columns set."""

    outcome: str
    columns: dict[str, Any]


class _Leg(NamedTuple):
    """A leg in the broker's spelling, and the registry's row (active, sectype, currency)."""

    symbol: str
    row: tuple | None

    @property
    def mismatched(self) -> bool:
        """Whether this is a currency pair whose last three letters are not its currency."""
        known = self.row is not None and self.row[1] in CURRENCIES
        return known and self.symbol[-3:] != self.row[2]


def judge(ticker: str, bypass: bool, registry: Any = compiled) -> Verdict:
    """Reads the equation and asks the registry; `bypass` skips active and hedge, never known."""
    try:
        read = equation.parse(ticker)
    except equation.Problematic:
        return Verdict("problematic", _NO_LEGS | _status("error", "problematic ticker!"))
    legs = [_broker_leg(leg.symbol, registry) for leg in (read.leg1, read.leg2) if leg]
    leg1, leg2 = legs[0].symbol, legs[1].symbol if read.is_pair else None
    columns = {"kind": read.kind, "leg1": leg1, "leg2": leg2, "hedge": read.hedge}
    registered = _pair(read, legs, registry) if read.is_pair else _stock(legs[0], registry)
    if registered is None:
        return Verdict("refused", columns | _status("error", "unknown ticker"))
    if any(leg.mismatched for leg in legs):
        return Verdict("refused", columns | _status("error", "currency mismatch!"))
    if bypass:
        return Verdict("recorded", columns)
    if not registered[0]:
        return Verdict("refused", columns | _status("canceled", "passive ticker"))
    if read.is_pair and abs(registered[1] - read.hedge) > 1e-9 * registered[1]:
        return Verdict("refused", columns | _status("canceled", "wrong hedge"))
    return Verdict("recorded", columns)


def asks(tickers: Iterable[str]) -> tuple[list[str], list[str]]:
    """The names of pairs and symbols of stocks that `judge` may ask the registry for."""
    pairs, stocks = set(), set()
    for ticker in tickers:
        with contextlib.suppress(equation.Problematic):
            read = equation.parse(ticker)
            ways = [equation.spellings(leg.symbol) for leg in (read.leg1, read.leg2) if leg]
            if read.is_pair:
                pairs.update(map("-".join, product(*ways)))
                ways = [each for each in ways if len(each) > 1]
            stocks.update(chain(*ways))
    return list(pairs), list(stocks)


def _broker_leg(symbol: str, registry: Any) -> _Leg:
    """The leg as the broker spells it; the dotted row decides, an undotted one is its alias."""
    ways = equation.spellings(symbol)
    if len(ways) == 1:
        return _Leg(symbol, None)  # a pair's ordinary legs need no look-up
    for way in ways:
        row = registry.stock(way)
        if row and row[1] in CURRENCIES:
            return _Leg(ways[0], row)
    return _Leg(symbol, None)


def is_registered(symbol: str) -> bool:
    """Whether the bridge finds the ticker of this leg; it stops for good where it does not."""
    return _stock(_broker_leg(symbol, compiled), compiled) is not None


def _stock(leg: _Leg, registry: Any) -> tuple | None:
    return leg.row or registry.stock(leg.symbol)


def _pair(read: equation.Equation, legs: list[_Leg], registry: Any) -> tuple | None:
    """The pair's row (active, hedge), registered in the broker's spelling or as written."""
    name = f"{legs[0].symbol}-{legs[1].symbol}"
    return registry.pair(name) or registry.pair(read.name)


def _status(status: str, message: str) -> dict[str, str]:
    return {"status": status, "status_message": message}
