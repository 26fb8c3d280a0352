"""The registry in the database, asked for its word on an alert's equation."""

from collections.abc import Iterable

from models.statements import compiled
from trading import judging
from trading.judging import Verdict


def judge(ticker: str, bypass: bool) -> Verdict:
    """Reads the equation and asks the registry; `bypass` skips active and hedge, never known."""
    return judging.judge(ticker, bypass, compiled)


def asks(tickers: Iterable[str]) -> tuple[list[str], list[str]]:
    """The names of pairs and symbols of stocks that `judge` may ask for, each of them once."""
    pairs, stocks = set(), set()
    for names, symbols in map(judging.asked, tickers):
        pairs.update(names)
        stocks.update(symbols)
    return list(pairs), list(stocks)


def is_registered(symbol: str) -> bool:
    """Whether the bridge finds the ticker of this leg; it stops for good where it does not."""
    return judging.is_registered(symbol, compiled)
