"""A broker's gateway: takes orders, fills them at the market's prices, keeps the account."""

import random
from dataclasses import dataclass

from demo.books import Account
from demo.market import LISTINGS, Market

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
