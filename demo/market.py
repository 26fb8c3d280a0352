"""Made-up prices: legs that wander, held together by a spread that returns to its mean."""

import math
import random

from demo.universe import CHARTS, LISTINGS, Chart

STEP = 10  # seconds of trading time
DAY = 23_400  # from 09:30 to 16:00
_HALF_LIFE = {"pair": 3_600, "single": 2_400}  # seconds in which half of a deviation is gone
_SPREAD = 0.004  # a pair's usual deviation, as a share of leg 1's price
_STAYS = {kind: 0.5 ** (STEP / seconds) for kind, seconds in _HALF_LIFE.items()}


class Market:
    """Prices by the broker's symbol, the same for the same seed."""

    def __init__(self, seed: int):
        self._random = random.Random(f"market {seed}")
        self._raw = {symbol: listing.price for symbol, listing in LISTINGS.items()}
        self._deviation = {chart.ticker: self._random.gauss(0, 1) for chart in CHARTS}
        self._settle()

    def step(self) -> None:
        """Moves all prices by one step of time."""
        for chart in CHARTS:
            stays = _STAYS["pair" if chart.leg2 else "single"]
            shock = math.sqrt(1 - stays * stays) * self._random.gauss(0, 1)
            self._deviation[chart.ticker] = stays * self._deviation[chart.ticker] + shock
            if chart.leg2:
                drift = chart.leg2.daily * math.sqrt(STEP / DAY) * self._random.gauss(0, 1)
                self._raw[chart.leg2.symbol] *= math.exp(drift)
        self._settle()

    def _settle(self) -> None:
        """Leg 1 follows leg 2 and the deviation; a single follows its deviation alone."""
        for chart in CHARTS:
            first, deviation = chart.leg1, self._deviation[chart.ticker]
            if chart.leg2 is None:
                self._raw[first.symbol] = first.price * math.exp(first.daily * deviation)
                continue
            mean = first.price - chart.hedge * chart.leg2.price
            spread = mean + _SPREAD * first.price * deviation
            self._raw[first.symbol] = chart.hedge * self._raw[chart.leg2.symbol] + spread

    def price(self, symbol: str) -> float:
        """The price of one instrument, in whole ticks."""
        return round(self._raw[symbol], LISTINGS[symbol].digits)

    def value(self, chart: Chart) -> float:
        """What a chart shows: a price, or leg 1 minus hedge times leg 2."""
        first = self.price(chart.leg1.symbol)
        if chart.leg2 is None:
            return first
        return round(first - chart.hedge * self.price(chart.leg2.symbol), 4)

    def deviation(self, chart: Chart) -> float:
        """How far a chart is from its mean, in usual deviations."""
        return self._deviation[chart.ticker]
