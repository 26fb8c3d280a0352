"""Judges an alert's ticker by the registry: recorded, refused or problematic."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from trading import equation, exchanges, statuses

# Kinds of securities that charts write without the broker's dot.
CURRENCIES = ("CASH", "CRYPTO")


class Registry(NamedTuple):
    """The rows of stocks and pairs that an alert is judged by; a missing one is not registered.

    Of a stock (active, sectype, currency, mode) by symbol, of a pair (active, hedge, mode) by name.
    """

    stocks: Mapping[str, tuple[int, str, str, str]]
    pairs: Mapping[str, tuple[int, float, str]]


class Verdict(NamedTuple):
    """`recorded`, `problematic` or `refused`, and the columns that the signal gets from it.

    `mode` is that of the ticker, `on` where it is not registered.
    """

    outcome: str
    columns: dict[str, Any]
    mode: str = "on"


_PROBLEMATIC = Verdict(
    "problematic",
    {
        **dict.fromkeys(("ticker_type", "stk_ticker1", "stk_ticker2", "hedge_param")),
        "order_status": statuses.ERROR,
        "status_msg": statuses.PROBLEMATIC,
    },
)


class _Leg(NamedTuple):
    """A leg, and how to find its row among the stocks.

    `ways` are the symbols to look up in turn: (symbol, what the leg is called if that row is the
    one, whether it must be a currency's). There are none where the row is not needed. `traded` are
    the currencies of the exchange that was named, empty where any will do.
    """

    symbol: str
    ways: tuple[tuple[str, str, bool], ...]
    traded: frozenset[str]


class Plan(NamedTuple):
    """How to judge a ticker: its legs, and what to look up.

    `names` are those of pairs, none for a single; `symbols` are those of stocks. A problematic
    ticker has no legs.
    """

    legs: tuple[_Leg, ...] = ()
    hedge: float | None = None
    names: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()


def judge(ticker: str, bypass: bool, registry: Registry) -> Verdict:
    """Judge a ticker by the registry.

    With `bypass` it may be passive and have another hedge, but must still be registered.
    """
    planned = plan(ticker)
    if not planned.legs:
        return _PROBLEMATIC
    found = [_find(leg, registry.stocks) for leg in planned.legs]
    leg1, row = found[0]
    leg2 = found[1][0] if planned.names else None
    if leg2:
        names = (f"{leg1}-{leg2}", *planned.names)
        row = next(filter(None, map(registry.pairs.get, names)), None)
    columns = {
        "ticker_type": "pair" if leg2 else "single",
        "stk_ticker1": leg1,
        "stk_ticker2": leg2,
        "hedge_param": planned.hedge,
    }
    if refusal := _refusal(planned, found, row, bypass):
        status, message = refusal
        return Verdict("refused", columns | {"order_status": status, "status_msg": message})
    return Verdict("recorded", columns, row[-1])


@lru_cache(1024)  # charts send the same few equations all day
def plan(ticker: str) -> Plan:
    """Read a ticker and say what judging it needs."""
    try:
        read = equation.parse(ticker)
    except equation.Problematic:
        return Plan()
    paired = read.leg2 is not None
    legs = tuple(_leg(leg, paired) for leg in read.legs)
    spelled = [equation.spellings(leg.symbol) for leg in read.legs]
    names = tuple(map("-".join, product(*spelled))) if paired else ()
    return Plan(legs, read.hedge, names, tuple(way for leg in legs for way, _, _ in leg.ways))


def is_registered(symbol: str, registry: Registry) -> bool:
    """Whether the bridge finds the ticker of this leg; it stops for good where it does not."""
    return _find(_leg(equation.Leg(symbol), paired=False), registry.stocks)[1] is not None


def symbols(symbol: str) -> tuple[str, ...]:
    """The symbols of stocks that `is_registered` looks up."""
    return tuple(way for way, _, _ in _leg(equation.Leg(symbol), paired=False).ways)


def _leg(leg: equation.Leg, paired: bool) -> _Leg:
    """How to find a leg; the row of a pair's leg is not needed where it has but one spelling.

    A currency pair is called as the broker spells it. Its dotted row decides; an undotted one is
    an alias.
    """
    symbol, broker = leg.symbol, equation.dotted(leg.symbol)
    traded = exchanges.currencies(leg.exchange)
    spellings = equation.spellings(symbol)
    if paired and len(spellings) == 1 and not traded:
        return _Leg(symbol, (), traded)
    if broker is None:
        return _Leg(symbol, tuple((way, way, False) for way in spellings), traded)
    ways = [(way, broker, True) for way in spellings]
    return _Leg(symbol, (*ways, (symbol, symbol, False)), traded)


def _find(leg: _Leg, stocks: Mapping[str, tuple]) -> tuple[str, tuple | None]:
    """The leg's symbol as it is registered, and its row; None where that is missing."""
    for way, name, must_be_currency in leg.ways:
        row = stocks.get(way)
        if row and (not must_be_currency or row[1] in CURRENCIES):
            return name, row
    return leg.symbol, None


def _refusal(
    planned: Plan, found: list[tuple[str, tuple | None]], row: tuple | None, bypass: bool
) -> tuple[str, str] | None:
    """The status and message of what may not be traded; `row` is the single's or the pair's."""
    if row is None:
        return statuses.ERROR, statuses.UNKNOWN
    known = [(leg, name, row) for leg, (name, row) in zip(planned.legs, found, strict=True) if row]
    if any(row[1] in CURRENCIES and name[-3:] != row[2] for _, name, row in known):
        return statuses.ERROR, statuses.CURRENCY_MISMATCH
    if any(leg.traded and row[2] not in leg.traded for leg, _, row in known):
        return statuses.ERROR, statuses.EXCHANGE_MISMATCH
    if bypass:
        return None
    if not row[0]:
        return statuses.CANCELED, statuses.PASSIVE
    if planned.hedge is not None and abs(row[1] - planned.hedge) > 1e-9 * row[1]:
        return statuses.CANCELED, statuses.WRONG_HEDGE
    return None
