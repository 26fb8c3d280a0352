"""The instruments, a market with made-up prices, and a broker's gateway that fills orders."""

import math
import random
from dataclasses import dataclass

from demo.books import Account

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
REGISTERED = (*CHARTS, *REFUSED, PAUSED)
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
        self._settle()

    def _settle(self) -> None:
        """Computes leg 1 from leg 2 and the deviation, and a single from its deviation."""
        for chart in CHARTS:
            first, deviation = chart.leg1, self._deviation[chart.ticker]
            if chart.leg2 is None:
                self._raw[first.symbol] = first.price * math.exp(first.daily * deviation)
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


# What goes wrong: (second of the day, fate). The first order of this kind after it has this fate.
#   rerouted: the contract is found at the primary exchange only
#   slow:     a part fills much later          stuck: a part never fills
#   open:     nothing fills                    late:  a part fills just before a cancel arrives
#   warned:   placed, with a message           rejected: not taken at all
FATES = {
    "pair": (
        (600, "slow"),
        (1_800, "rerouted"),
        (4_800, "stuck"),
        (6_600, "warned"),
        (9_000, "open"),
        (13_800, "slow"),
        (19_200, "stuck"),
    ),
    "single": ((300, "slow"), (2_400, "late"), (6_000, "stuck"), (10_200, "rejected")),
}
_PARTS = {"slow": 0.6, "stuck": 0.45, "late": 0.7}


@dataclass
class Order:
    """An order for a symbol, with its plan: which quantity fills at which second."""

    id: int
    symbol: str
    side: int  # 1 buys, -1 sells
    quantity: int
    plan: list[tuple[int, int]]  # (second, quantity)
    late: bool = False
    filled: int = 0
    paid: float = 0.0
    open: bool = True

    @property
    def average(self) -> float:
        """The average price so far, as the gateway rounds it."""
        return round(self.paid / self.filled, 6)


class Gateway:
    """The broker's gateway: takes orders, fills them at the market's prices, keeps the account."""

    def __init__(self, market: Market, seed: int, fates: dict[str, tuple] = FATES):
        self.account = Account(market.price)
        self._market, self._planned, self._next_id = market, fates, 1001
        self._random = random.Random(f"gateway {seed}")
        self.new_day()

    def new_day(self) -> None:
        """Removes all orders, also open ones, and begins a new day of the account."""
        self._second = 0
        self._orders: list[Order] = []  # the day's
        self._tickets: dict[str, list[Order]] = {}  # the newest orders of each ticker
        self._fates = {kind: list(fates) for kind, fates in self._planned.items()}
        self.account.new_day()

    def fate(self, kind: str) -> str:
        """The fate of the next order of a pair or a single; empty if nothing goes wrong."""
        fates = self._fates[kind]
        return fates.pop(0)[1] if fates and fates[0][0] <= self._second else ""

    def place(self, ticker: str, legs: list[tuple[str, int, int]], fate: str) -> list[Order]:
        """Places orders (symbol, side, quantity) for the legs of a ticker, and returns them.

        Most fates affect only the last order.
        """
        orders = []
        for number, (symbol, sign, quantity) in enumerate(legs, 1):
            bad = number == len(legs) or fate == "open"
            plan = self._plan(quantity, fate if bad else "")
            orders.append(Order(self._next_id, symbol, sign, quantity, plan, fate == "late"))
            self._next_id += 1
        self._orders += orders
        self._tickets[ticker] = orders
        return orders

    def _plan(self, quantity: int, fate: str) -> list[tuple[int, int]]:
        if fate == "open":
            return []
        soon = self._second + self._random.randint(1, 40)
        part = int(quantity * _PARTS.get(fate, self._random.choice((1, 1, 0.4, 0.7))))
        parts = [(soon, part or quantity)]
        if part and part < quantity and fate not in ("stuck", "late"):
            wait = self._random.randint(400, 700) if fate == "slow" else self._random.randint(5, 50)
            parts.append((soon + wait, quantity - part))
        return parts

    def tick(self, second: int) -> None:
        """Fills everything that is due at this second."""
        self._second = second
        for order in self._orders:
            while order.open and order.plan and order.plan[0][0] <= second:
                self._execute(order, order.plan.pop(0)[1])

    def _execute(self, order: Order, quantity: int) -> None:
        listing = LISTINGS[order.symbol]
        worse = order.side * self._random.gauss(0.00008, 0.00012)
        price = round(self._market.price(order.symbol) * (1 + worse), listing.digits)
        order.filled += quantity
        order.paid += quantity * price
        order.open = order.filled < order.quantity
        self.account.trade(order.symbol, order.side * quantity, price)

    def executed(self) -> list[Order]:
        """The orders of the day that are filled at least in part."""
        return [order for order in self._orders if order.filled]

    def open_orders(self, ticker: str) -> list[Order]:
        """The newest orders of a ticker, leg 1 first, if one of them is open; else empty."""
        orders = self._tickets.get(ticker, [])
        return orders if any(order.open for order in orders) else []

    def cancel(self, orders: list[Order]) -> None:
        """Cancels the open ones of these orders; a late order fills first."""
        for order in orders:
            if order.open and order.late:
                self._execute(order, order.quantity - order.filled)
            order.open = False
