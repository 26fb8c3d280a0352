"""The instruments, and a market with made-up prices."""

import math
import random
from dataclasses import dataclass

STEP = 10  # seconds of trading time
DAY = 23_400  # seconds from 09:30 to 16:00
POSITIONS = {1: "long", -1: "short", 0: "flat"}  # {side: the word in an alert}
_PRIMARY = {"NASDAQ": "ISLAND", "NYSE": "NYSE", "AMEX": "ARCA", "FX": "IDEALPRO"}


def side(size: float) -> int:
    """The sign of a size: 1, -1 or 0."""
    return (size > 0) - (size < 0)


@dataclass(frozen=True)
class Listing:
    """An instrument: its name on the chart, its exchange, and its price on the first morning."""

    chart: str
    exchange: str
    price: float
    digits: int = 2
    daily: float = 0.011  # typical move of the price in a day, as a share of the price

    @property
    def _is_currency(self) -> bool:
        return self.exchange == "FX"

    @property
    def symbol(self) -> str:
        """The broker's spelling: `BF B`, `USD.CAD`."""
        if self._is_currency:
            return f"{self.chart[:3]}.{self.chart[3:]}"
        return self.chart.replace(".", " ")

    @property
    def reported(self) -> str:
        """The symbol in the broker's reports; for a currency pair only the first currency."""
        return self.symbol.partition(".")[0]

    def registration(self, active: int) -> dict:
        """The body that registers it."""
        return {
            "symbol": self.symbol,
            "sectype": "CASH" if self._is_currency else "STK",
            "xch": "IDEALPRO" if self._is_currency else "SMART",
            "prixch": _PRIMARY[self.exchange],
            "currency": self.chart[3:] if self._is_currency else "USD",
            "order_type": "MARKET" if self._is_currency else "RELATIVE",
            "active": active,
        }


@dataclass(frozen=True)
class Chart:
    """What a strategy trades: a single, or a pair (leg 1 minus hedge times leg 2)."""

    leg1: Listing
    contracts: int
    leg2: Listing | None = None
    hedge: float = 1.0
    reverses: bool = False  # goes from long to short in one step, without being flat

    @property
    def ticker(self) -> str:
        """The ticker in the alert: `AAPL` or `NMFC-0.72*NASDAQ:ROIC`."""
        if self.leg2 is None:
            return self.leg1.chart
        return f"{self.leg1.chart}-{self.hedge}*{self.leg2.exchange}:{self.leg2.chart}"

    @property
    def legs(self) -> tuple[Listing, ...]:
        """Leg 1, or both legs of a pair."""
        return (self.leg1,) if self.leg2 is None else (self.leg1, self.leg2)

    @property
    def name(self) -> str:
        """The name that the server gives it: `AAPL` or `NMFC-ROIC`."""
        return "-".join(leg.symbol for leg in self.legs)

    def registration(self, status: int) -> dict:
        """The body that registers a pair."""
        legs = {"ticker1": self.leg1.symbol, "ticker2": self.leg2.symbol}
        return legs | {"hedge": self.hedge, "status": status, "notes": "demo"}


def _pair(first: tuple, hedge: float, second: tuple, contracts: int, reverses: bool) -> Chart:
    return Chart(Listing(*first), contracts, Listing(*second), hedge, reverses)


PAIRS = (
    _pair(("NMFC", "NASDAQ", 12.62), 0.72, ("ROIC", "NASDAQ", 14.21), 2000, False),
    _pair(("MA", "NYSE", 471.30), 1.65, ("V", "NYSE", 276.40), 50, True),
    _pair(("KO", "NYSE", 61.15), 0.36, ("PEP", "NASDAQ", 170.05), 400, False),
    _pair(("XOM", "NYSE", 114.20), 0.72, ("CVX", "NYSE", 157.90), 220, False),
    _pair(("HD", "NYSE", 349.80), 1.45, ("LOW", "NYSE", 234.60), 70, True),
    _pair(("UPS", "NYSE", 139.70), 0.5, ("FDX", "NYSE", 268.90), 180, False),
    _pair(("GM", "NYSE", 45.35), 2.5, ("F", "NYSE", 12.48), 550, False),
    _pair(("JPM", "NYSE", 199.60), 4.6, ("BAC", "NYSE", 39.85), 120, True),
    _pair(("BF.B", "NYSE", 45.10), 0.35, ("DEO", "NYSE", 131.20), 500, False),
    _pair(("GLD", "AMEX", 219.40), 8.2, ("SLV", "AMEX", 26.75), 110, False),
    _pair(("DAL", "NYSE", 48.85), 0.9, ("UAL", "NASDAQ", 51.30), 500, False),
    _pair(("NEE", "NYSE", 74.60), 0.7, ("DUK", "NYSE", 103.25), 330, False),
)
PAUSED = _pair(("T", "NYSE", 18.92), 0.45, ("VZ", "NYSE", 41.10), 1000, False)
SINGLES = (
    Chart(Listing("AAPL", "NASDAQ", 226.40), 100),
    Chart(Listing("MSFT", "NASDAQ", 418.10), 50),
    Chart(Listing("NVDA", "NASDAQ", 128.75, daily=0.02), 200),
    Chart(Listing("TSLA", "NASDAQ", 248.30, daily=0.02), 100, reverses=True),
    Chart(Listing("BRK.B", "NYSE", 456.90), 50),
    Chart(Listing("USDCAD", "FX", 1.36425, 5, 0.004), 25000, reverses=True),
)
CHARTS = PAIRS + SINGLES
# No strategy trades these, because all their alerts are refused.
WRONG_HEDGE = _pair(("PG", "NYSE", 166.40), 1.7, ("CL", "NYSE", 97.20), 400, False)
PYRAMIDING, MISMATCH, TOO_LARGE = (
    Chart(Listing(*listing), 100)
    for listing in (("AMD", "NASDAQ", 139.60), ("INTC", "NASDAQ", 22.15), ("ORCL", "NYSE", 166.90))
)
REFUSED = (WRONG_HEDGE, PYRAMIDING, MISMATCH, TOO_LARGE)
# The rules of `demo/rules.py` show on these; no strategy trades them, and their orders fill.
ASKED = _pair(("WMT", "NYSE", 67.35), 0.09, ("COST", "NASDAQ", 728.20), 300, False)
EXITING = _pair(("MCD", "NYSE", 262.10), 1.9, ("YUM", "NYSE", 136.25), 80, True)
SCALPED = Chart(Listing("AMZN", "NASDAQ", 184.70), 50)
LATE = Chart(Listing("NFLX", "NASDAQ", 641.30), 20)
SCRIPTED = (ASKED, EXITING, SCALPED, LATE)
REGISTERED = (*CHARTS, *REFUSED, PAUSED, *SCRIPTED)
LISTINGS = {leg.symbol: leg for chart in REGISTERED for leg in chart.legs}

_SPREAD = 0.004  # a pair's usual deviation, as a share of leg 1's price
# The share of a deviation that is left after a step: half is gone in an hour, or in 40 minutes.
_PAIR_STAYS, _SINGLE_STAYS = 0.5 ** (STEP / 3_600), 0.5 ** (STEP / 2_400)


class Market:
    """Prices by the broker's symbol. A pair deviates from its mean and comes back to it.

    The same seed gives the same prices.
    """

    def __init__(self, seed: int):
        self._random = random.Random(f"market {seed}")
        self._walk = random.Random(f"walk {seed}")
        self._worth = dict.fromkeys((chart.ticker for chart in CHARTS), 1.0)
        self._raw = {symbol: listing.price for symbol, listing in LISTINGS.items()}
        self._deviation = {chart.ticker: self._random.gauss(0, 1) for chart in CHARTS}
        self._settle()

    def step(self) -> None:
        """Moves all prices by one step of time."""
        for chart in CHARTS:
            stays = _PAIR_STAYS if chart.leg2 else _SINGLE_STAYS
            shock = math.sqrt(1 - stays * stays) * self._random.gauss(0, 1)
            self._deviation[chart.ticker] = stays * self._deviation[chart.ticker] + shock
            if chart.leg2:
                drift = chart.leg2.daily * math.sqrt(STEP / DAY) * self._random.gauss(0, 1)
                self._raw[chart.leg2.symbol] *= math.exp(drift)
        for leg in (leg for chart in SCRIPTED for leg in chart.legs):
            drift = leg.daily * math.sqrt(STEP / DAY) * self._walk.gauss(0, 1)
            self._raw[leg.symbol] *= math.exp(drift)
        self._settle()

    def fall(self, chart: Chart, share: float) -> None:
        """From now on a single is worth only this share of what it was."""
        self._worth[chart.ticker] *= share
        self._settle()

    def _settle(self) -> None:
        """Computes leg 1 from leg 2 and the deviation, and a single from its deviation."""
        for chart in CHARTS:
            first, deviation = chart.leg1, self._deviation[chart.ticker]
            if chart.leg2 is None:
                worth = self._worth[chart.ticker] * first.price
                self._raw[first.symbol] = worth * math.exp(first.daily * deviation)
                continue
            mean = first.price - chart.hedge * chart.leg2.price
            spread = mean + _SPREAD * first.price * deviation
            self._raw[first.symbol] = chart.hedge * self._raw[chart.leg2.symbol] + spread

    def price(self, symbol: str) -> float:
        """The price of an instrument, rounded to ticks."""
        return round(self._raw[symbol], LISTINGS[symbol].digits)

    def value(self, chart: Chart) -> float:
        """The value of a chart: a price, or the price of leg 1 minus hedge times that of leg 2."""
        first = self.price(chart.leg1.symbol)
        if chart.leg2 is None:
            return first
        return round(first - chart.hedge * self.price(chart.leg2.symbol), 4)

    def deviation(self, chart: Chart) -> float:
        """The distance of a chart from its mean, in usual deviations."""
        return self._deviation[chart.ticker]
