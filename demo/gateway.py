"""A broker's gateway that is made up: orders, how they fill, and the account."""

import random
from dataclasses import dataclass

from demo.books import Account
from demo.market import Market
from demo.universe import LISTINGS

# What becomes of the first order of a pair or a single from a second of the day on; the others
# simply fill.
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
_FIRST_ID = 1001


@dataclass
class Order:
    """An order for one symbol, and when which quantity of it will fill."""

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
    """Takes orders, fills them at the market's prices and keeps the account."""

    def __init__(self, market: Market, seed: int, fates: dict[str, tuple] = FATES):
        self.account = Account(market.price)
        self._market, self._second = market, 0
        self._random = random.Random(f"gateway {seed}")
        self._orders: list[Order] = []  # the day's
        self._tickets: dict[str, list[Order]] = {}  # the newest orders of each ticker
        self._next_id = _FIRST_ID
        self._planned = fates
        self._fates = {kind: list(fates) for kind, fates in self._planned.items()}

    def new_day(self) -> None:
        """Open orders lapse, executions are forgotten, the account's day begins."""
        self._orders, self._tickets, self._second = [], {}, 0
        self._fates = {kind: list(fates) for kind, fates in self._planned.items()}
        self.account.new_day()

    def fate(self, kind: str) -> str:
        """What will become of the next order of a pair or a single."""
        fates = self._fates[kind]
        return fates.pop(0)[1] if fates and fates[0][0] <= self._second else ""

    def place(self, ticker: str, legs: list[tuple[str, int, int]], fate: str) -> list[Order]:
        """Orders (symbol, side, quantity) for the legs of a ticker; the last may fare badly."""
        orders = []
        for symbol, side, quantity in legs:
            last = len(orders) == len(legs) - 1
            plan = self._plan(quantity, fate if last or fate == "open" else "")
            order = Order(self._next_id, symbol, side, quantity, plan, fate == "late")
            self._next_id += 1
            orders.append(order)
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
        """Fills what is due by now."""
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
        """The day's orders that filled at all."""
        return [order for order in self._orders if order.filled]

    def open_orders(self, ticker: str) -> list[Order]:
        """The ticker's newest orders, leg 1 first, where one of them is open; else none."""
        orders = self._tickets.get(ticker, [])
        return orders if any(order.open for order in orders) else []

    def cancel(self, orders: list[Order]) -> None:
        """Cancels what is open of these; what is late fills before that."""
        for order in orders:
            if order.open and order.late:
                self._execute(order, order.quantity - order.filled)
            order.open = False
