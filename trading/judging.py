"""The registry's word on an alert's equation."""

import contextlib
from itertools import product
from typing import Any, NamedTuple, Protocol

from trading import equation, exchanges

# Kinds of securities that charts write without the broker's dot.
CURRENCIES = ("CASH", "CRYPTO")
_NO_LEGS = {"kind": None, "leg1": None, "leg2": None, "hedge": None}


class Registry(Protocol):
    """Where stocks and pairs are looked up; None is answered for what is not registered."""

    def stock(self, symbol: str) -> tuple[int, str, str] | None:
        """(active, sectype, currency)."""

    def pair(self, name: str) -> tuple[int, float] | None:
        """(active, hedge)."""


class Verdict(NamedTuple):
    """The registry's word on an equation: recorded, problematic or refused, and the columns set."""

    outcome: str
    columns: dict[str, Any]


class _Leg(NamedTuple):
    """A leg as the registry spells it, its exchange, and its row where one was needed."""

    symbol: str
    exchange: str | None
    row: tuple | None

    @property
    def wrong_currency(self) -> bool:
        """Whether this is a currency pair whose last three letters are not its currency."""
        known = self.row is not None and self.row[1] in CURRENCIES
        return known and self.symbol[-3:] != self.row[2]

    @property
    def wrong_exchange(self) -> bool:
        """Whether the exchange trades in other currencies than the registered one."""
        traded = exchanges.currencies(self.exchange)
        return bool(traded) and self.row is not None and self.row[2] not in traded


def judge(ticker: str, bypass: bool, registry: Registry) -> Verdict:
    """Read the equation and ask the registry; `bypass` skips active and hedge, never known."""
    try:
        read = equation.parse(ticker)
    except equation.Problematic:
        return Verdict("problematic", _NO_LEGS | _status("error", "problematic ticker!"))
    legs = [_found(read, leg, registry) for leg in read.legs]
    leg1, leg2 = legs[0].symbol, legs[1].symbol if read.is_pair else None
    columns = {"kind": read.kind, "leg1": leg1, "leg2": leg2, "hedge": read.hedge}
    row = _pair(legs, registry) if read.is_pair else legs[0].row
    reason = _refusal(read, legs, row, bypass)
    if reason is None:
        return Verdict("recorded", columns)
    return Verdict("refused", columns | _status(*reason))


def asked(ticker: str) -> tuple[list[str], list[str]]:
    """The names of pairs and the symbols of stocks that `judge` may look up."""
    with contextlib.suppress(equation.Problematic):
        read = equation.parse(ticker)
        ways = [equation.spellings(leg.symbol) for leg in read.legs]
        pairs = ["-".join(names) for names in product(*ways)] if read.is_pair else []
        needed = [leg for leg in read.legs if _needs_row(read, leg)]
        return pairs, [way for leg in needed for way in equation.spellings(leg.symbol)]
    return [], []


def is_registered(symbol: str, registry: Registry) -> bool:
    """Whether the bridge finds the ticker of this leg; it stops for good where it does not."""
    return _spelled(symbol, registry)[1] is not None


def _refusal(
    read: equation.Equation, legs: list[_Leg], row: tuple | None, bypass: bool
) -> tuple[str, str] | None:
    """The status and message of what may not be traded; `row` is the single's or the pair's."""
    if row is None:
        return "error", "unknown ticker"
    if any(leg.wrong_currency for leg in legs):
        return "error", "currency mismatch!"
    if any(leg.wrong_exchange for leg in legs):
        return "error", "exchange mismatch!"
    if bypass:
        return None
    if not row[0]:
        return "canceled", "passive ticker"
    if read.is_pair and abs(row[1] - read.hedge) > 1e-9 * row[1]:
        return "canceled", "wrong hedge"
    return None


def _needs_row(read: equation.Equation, leg: equation.Leg) -> bool:
    """Whether a leg's own row is asked for; a pair's ordinary legs need none."""
    spelled = len(equation.spellings(leg.symbol)) > 1
    return not read.is_pair or spelled or bool(exchanges.currencies(leg.exchange))


def _found(read: equation.Equation, leg: equation.Leg, registry: Registry) -> _Leg:
    if not _needs_row(read, leg):
        return _Leg(leg.symbol, leg.exchange, None)
    symbol, row = _spelled(leg.symbol, registry)
    return _Leg(symbol, leg.exchange, row)


def _spelled(symbol: str, registry: Registry) -> tuple[str, tuple | None]:
    """A symbol in the spelling that is registered, and its row; unregistered ones as they are.

    A currency pair is spelled as the broker does; the dotted row decides, an undotted one is its
    alias.
    """
    rows = {way: registry.stock(way) for way in equation.spellings(symbol)}
    if broker := equation.dotted(symbol):
        known = [row for row in rows.values() if row and row[1] in CURRENCIES]
        return (broker, known[0]) if known else (symbol, rows[symbol])
    found = next((way for way, row in rows.items() if row), symbol)
    return found, rows[found]


def _pair(legs: list[_Leg], registry: Registry) -> tuple | None:
    """The pair's row, first under the legs' registered spellings, then under their others."""
    ways = [dict.fromkeys((leg.symbol, *equation.spellings(leg.symbol))) for leg in legs]
    rows = (registry.pair("-".join(names)) for names in product(*ways))
    return next((row for row in rows if row), None)


def _status(status: str, message: str) -> dict[str, str]:
    return {"status": status, "status_message": message}
