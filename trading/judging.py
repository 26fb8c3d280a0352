"""The registry's word on an alert's equation."""

from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, Protocol

from trading import equation, exchanges

# Kinds of securities that charts write without the broker's dot.
CURRENCIES = ("CASH", "CRYPTO")
_LEGS = ("ticker_type", "stk_ticker1", "stk_ticker2", "hedge_param")
_NO_LEGS = dict.fromkeys(_LEGS)


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
    """What is asked about a leg.

    `ways` are its spellings, none where its own row is not needed; `broker` is the broker's
    spelling of a currency pair, `traded` the currencies of the exchange that was named.
    """

    symbol: str
    ways: tuple[str, ...]
    broker: str | None
    traded: frozenset[str]


class _Plan(NamedTuple):
    """An equation, and all that judging it may look up."""

    read: equation.Equation
    legs: tuple[_Leg, ...]
    names: tuple[str, ...]


class _Found(NamedTuple):
    """A leg's symbol as it is registered, and its row; None where that is missing or not needed."""

    symbol: str
    row: tuple | None


def judge(ticker: str, bypass: bool, registry: Registry) -> Verdict:
    """Read the equation and ask the registry; `bypass` skips active and hedge, never known."""
    try:
        plan = _plan(ticker)
    except equation.Problematic:
        return Verdict("problematic", _NO_LEGS | _status("error", "problematic ticker!"))
    read = plan.read
    found = [_find(leg, registry) for leg in plan.legs]
    leg1, leg2 = found[0].symbol, found[1].symbol if read.is_pair else None
    columns = {
        "ticker_type": read.kind,
        "stk_ticker1": leg1,
        "stk_ticker2": leg2,
        "hedge_param": read.hedge,
    }
    row = _pair(f"{leg1}-{leg2}", plan.names, registry) if read.is_pair else found[0].row
    reason = _refusal(plan, found, row, bypass)
    if reason is None:
        return Verdict("recorded", columns)
    return Verdict("refused", columns | _status(*reason))


def asked(ticker: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of pairs and the symbols of stocks that `judge` may look up."""
    try:
        plan = _plan(ticker)
    except equation.Problematic:
        return (), ()
    return plan.names, tuple(way for leg in plan.legs for way in leg.ways)


def is_registered(symbol: str, registry: Registry) -> bool:
    """Whether the bridge finds the ticker of this leg; it stops for good where it does not."""
    leg = _Leg(symbol, equation.spellings(symbol), equation.dotted(symbol), frozenset())
    return _find(leg, registry).row is not None


@lru_cache(1024)  # charts send the same few equations all day
def _plan(ticker: str) -> _Plan:
    """Read the equation; raise Problematic."""
    read = equation.parse(ticker)
    ways = [equation.spellings(leg.symbol) for leg in read.legs]
    names = tuple(map("-".join, product(*ways))) if read.is_pair else ()
    return _Plan(read, tuple(_leg(leg, read.is_pair) for leg in read.legs), names)


def _leg(leg: equation.Leg, paired: bool) -> _Leg:
    """What is asked about a leg; of a pair's ordinary legs nothing is."""
    ways = equation.spellings(leg.symbol)
    traded = exchanges.currencies(leg.exchange)
    needed = not paired or len(ways) > 1 or traded
    return _Leg(leg.symbol, ways if needed else (), equation.dotted(leg.symbol), traded)


def _find(leg: _Leg, registry: Registry) -> _Found:
    """The spelling that is registered, and its row.

    A currency pair is spelled as the broker does; the dotted row decides, an undotted one is its
    alias.
    """
    for way in leg.ways:
        row = registry.stock(way)
        if row and leg.broker is None:
            return _Found(way, row)
        if row and row[1] in CURRENCIES:
            return _Found(leg.broker, row)
    return _Found(leg.symbol, registry.stock(leg.symbol) if leg.broker else None)


def _pair(name: str, others: tuple[str, ...], registry: Registry) -> tuple | None:
    """The pair's row under the registered spellings of its legs, or under others."""
    return registry.pair(name) or next(filter(None, map(registry.pair, others)), None)


def _refusal(
    plan: _Plan, found: list[_Found], row: tuple | None, bypass: bool
) -> tuple[str, str] | None:
    """The status and message of what may not be traded; `row` is the single's or the pair's."""
    if row is None:
        return "error", "unknown ticker"
    if any(map(_is_misnamed, found)):
        return "error", "currency mismatch!"
    if any(map(_is_elsewhere, plan.legs, found)):
        return "error", "exchange mismatch!"
    if bypass:
        return None
    if not row[0]:
        return "canceled", "passive ticker"
    if plan.read.is_pair and abs(row[1] - plan.read.hedge) > 1e-9 * row[1]:
        return "canceled", "wrong hedge"
    return None


def _is_misnamed(found: _Found) -> bool:
    """Whether this is a currency pair whose last three letters are not its currency."""
    symbol, row = found
    return row is not None and row[1] in CURRENCIES and symbol[-3:] != row[2]


def _is_elsewhere(leg: _Leg, found: _Found) -> bool:
    """Whether the exchange that was named trades in other currencies than the registered one."""
    return bool(leg.traded) and found.row is not None and found.row[2] not in leg.traded


def _status(status: str, message: str) -> dict[str, str]:
    return {"order_status": status, "status_msg": message}
