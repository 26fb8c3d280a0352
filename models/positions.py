"""The account's positions: each active pair with its legs, other holdings, totals."""

from collections.abc import Iterable
from typing import NamedTuple

from models.registry import Pair, Stock
from trading import equation, positions
from trading.judging import CURRENCIES
from trading.positions import Hedge, Holding, Total


class PairPosition(NamedTuple):
    """An active pair, what is held of its legs, and how the hedge fits."""

    pair: Pair
    legs: tuple[Holding, Holding]
    hedge: Hedge


class Positions(NamedTuple):
    """All that is held: active pairs by name, the other positions by symbol, sums by currency."""

    pairs: list[PairPosition]
    singles: list[Holding]
    totals: list[Total]


def positions_now() -> Positions:
    """The positions as the bridge reported them last."""
    stocks = {stock.symbol: _holding(stock) for stock in _without_aliases(Stock.select())}
    pairs, legs = [], set()
    for pair in Pair.select().where(Pair.active == 1).order_by(Pair.name):
        both = tuple(_leg(stocks, symbol) for symbol in (pair.leg1, pair.leg2))
        pairs.append(PairPosition(pair, both, positions.hedge(*both, pair.hedge)))
        legs |= {leg.symbol for leg in both}
    held = [each for each in stocks.values() if each.position or each.pnl]
    singles = [each for each in held if each.symbol not in legs]
    return Positions(pairs, sorted(singles, key=_symbol), positions.totals(held))


def _without_aliases(rows: Iterable[Stock]) -> list[Stock]:
    """The stocks without second spellings of currency pairs: the dotted row has the position."""
    pairs = {row.symbol for row in rows if row.sectype in CURRENCIES}

    def is_alias(symbol: str) -> bool:
        broker = equation.spellings(symbol)[0]
        return symbol in pairs and symbol != broker and broker in pairs

    return [row for row in rows if not is_alias(row.symbol)]


def _symbol(holding: Holding) -> str:
    return holding.symbol


def _holding(stock: Stock) -> Holding:
    return Holding(stock.symbol, stock.position, stock.cost, stock.pnl, stock.currency)


def _leg(stocks: dict[str, Holding], symbol: str) -> Holding:
    """A leg's holding, found in either spelling; an empty one where nothing is known of it."""
    ways = [way for way in (*equation.spellings(symbol), symbol) if way in stocks]
    return stocks[ways[0]] if ways else Holding(symbol, 0.0, 0.0, 0.0, "USD")
