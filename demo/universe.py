"""What is traded in the demo: a dozen pairs and a few singles, with made-up prices."""

from dataclasses import dataclass

PRIMARY = {"NASDAQ": "ISLAND", "NYSE": "NYSE", "AMEX": "ARCA", "FX": "IDEALPRO"}


@dataclass(frozen=True)
class Listing:
    """One instrument: as the chart and as the broker spell it, and its price at the first open."""

    chart: str
    exchange: str
    price: float
    digits: int = 2
    daily: float = 0.011  # how far it wanders in a day, as a share of its price

    @property
    def is_currency(self) -> bool:
        """Whether it is foreign exchange, `USDCAD`."""
        return self.exchange == "FX"

    @property
    def symbol(self) -> str:
        """The broker's spelling: `BF B`, `USD.CAD`."""
        if self.is_currency:
            return f"{self.chart[:3]}.{self.chart[3:]}"
        return self.chart.replace(".", " ")

    @property
    def reported(self) -> str:
        """The symbol in the broker's reports, the bare base of a currency pair."""
        return self.symbol.partition(".")[0]

    def registration(self, active: int) -> dict:
        """The body that registers it."""
        return {
            "symbol": self.symbol,
            "sectype": "CASH" if self.is_currency else "STK",
            "xch": "IDEALPRO" if self.is_currency else "SMART",
            "prixch": PRIMARY[self.exchange],
            "currency": self.chart[3:] if self.is_currency else "USD",
            "order_type": "MARKET" if self.is_currency else "RELATIVE",
            "active": active,
        }


@dataclass(frozen=True)
class Chart:
    """What one strategy looks at: a single, or leg 1 minus hedge times leg 2."""

    leg1: Listing
    contracts: int
    leg2: Listing | None = None
    hedge: float = 1.0
    reverses: bool = False  # goes from long to short at once instead of leaving first

    @property
    def ticker(self) -> str:
        """The equation as the alert has it: `NMFC-0.72*NASDAQ:ROIC`."""
        if self.leg2 is None:
            return self.leg1.chart
        return f"{self.leg1.chart}-{self.hedge}*{self.leg2.exchange}:{self.leg2.chart}"

    @property
    def legs(self) -> tuple[Listing, ...]:
        """One or two."""
        return (self.leg1,) if self.leg2 is None else (self.leg1, self.leg2)


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
# What sends nothing but alerts that are refused: no strategy of the day holds any of it.
WRONG_HEDGE = _pair(("PG", "NYSE", 166.40), 1.7, ("CL", "NYSE", 97.20), 400, False)
PYRAMIDING, MISMATCH, TOO_LARGE = (
    Chart(Listing(*listing), 100)
    for listing in (("AMD", "NASDAQ", 139.60), ("INTC", "NASDAQ", 22.15), ("ORCL", "NYSE", 166.90))
)
REFUSED = (WRONG_HEDGE, PYRAMIDING, MISMATCH, TOO_LARGE)
LISTINGS = {leg.symbol: leg for chart in (*CHARTS, *REFUSED, PAUSED) for leg in chart.legs}
