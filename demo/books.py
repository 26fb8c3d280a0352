"""The demo's own books: what the account holds, and what every signal must have become."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.universe import LISTINGS

START = 500_000.0  # net liquidation before the first trade
_MARGIN = 0.25  # of the gross position value
_LEVERAGE = 4


@dataclass
class Position:
    """A signed quantity, its average cost, and what was realized today, in the quote currency."""

    quantity: float = 0.0
    cost: float = 0.0
    realized: float = 0.0

    def trade(self, quantity: float, price: float) -> None:
        """Buys (or sells, below 0): what closes is realized, what opens is averaged in."""
        held, after = self.quantity, self.quantity + quantity
        if held * quantity >= 0:
            self.cost = (held * self.cost + quantity * price) / after
        else:
            closed = min(abs(held), abs(quantity))
            self.realized += math.copysign(closed, held) * (price - self.cost)
            if held * after <= 0:
                self.cost = price if after else 0.0
        self.quantity = after

    def unrealized(self, price: float) -> float:
        """What closing it at this price would realize."""
        return self.quantity * (price - self.cost)


class Account:
    """Positions by symbol and the account's figures in US dollars; `price` quotes a symbol."""

    def __init__(self, price: Callable[[str], float]):
        self.positions: dict[str, Position] = {}
        self._price = price
        self._opening = START  # net liquidation as the day began
        self._banked = START  # without what today realized

    def quantity(self, symbol: str) -> float:
        """The signed quantity held."""
        return self.positions[symbol].quantity if symbol in self.positions else 0.0

    def trade(self, symbol: str, quantity: float, price: float) -> None:
        """One execution; below 0 it is a sale."""
        self.positions.setdefault(symbol, Position()).trade(quantity, price)

    def _dollars(self, symbol: str, amount: float) -> float:
        """An amount in the symbol's quote currency as US dollars; `USD.CAD` quotes in CAD."""
        return amount / self._price(symbol) if LISTINGS[symbol].is_currency else amount

    def pnl(self, symbol: str) -> float:
        """A position's open profit, in its quote currency."""
        return self.positions[symbol].unrealized(self._price(symbol))

    def _sum(self, amount: Callable[[Position, float], float]) -> float:
        return sum(
            self._dollars(symbol, amount(position, self._price(symbol)))
            for symbol, position in self.positions.items()
        )

    def net(self) -> float:
        """Net liquidation."""
        return self._banked + self._sum(lambda p, price: p.realized + p.unrealized(price))

    def figures(self) -> dict[str, float]:
        """The account record as the bridge sends it: money in whole dollars, PnL in tenths."""
        net, gross = self.net(), self._sum(lambda p, price: abs(p.quantity) * price)
        margin = _MARGIN * gross
        money = {
            "AvailableFunds": net - margin,
            "BuyingPower": _LEVERAGE * (net - margin),
            "GrossPositionValue": gross,
            "MaintMarginReq": margin,
            "NetLiquidation": net,
        }
        pnl = {
            "DailyPnL": net - self._opening,
            "RealizedPnL": self._sum(lambda p, _: p.realized),
            "UnrealizedPnL": self._sum(lambda p, price: p.unrealized(price)),
        }
        rounded = {name: float(round(amount)) for name, amount in money.items()}
        return rounded | {name: round(amount, 1) for name, amount in pnl.items()}

    def new_day(self) -> None:
        """The figures of the day begin anew; what is flat is forgotten."""
        self._banked += self._sum(lambda p, _: p.realized)
        self.positions = {s: p for s, p in self.positions.items() if p.quantity}
        for position in self.positions.values():
            position.realized = 0.0
        self._opening = self.net()


Reports = dict[int, tuple[float, float]]  # {leg: (average price, quantity filled)}


@dataclass
class Entry:
    """One signal: what was ordered, what was decided, and what was reported of each leg."""

    action: str
    contracts: float
    price: float | None
    legs: tuple[str, ...]
    hedge: float = 1.0
    status: str = "waiting"
    message: str | None = None
    order_ids: tuple[int, ...] = ()
    reports: Reports = field(default_factory=dict)
    canceled: Reports | None = None  # the reports known when it was canceled

    def size(self, leg: int) -> float:
        """The quantity ordered of leg 1 or 2."""
        return float(self.contracts if leg == 1 else math.floor(self.contracts * self.hedge))

    def fill_price(self) -> float | None:
        """The price of the whole, once all legs have one."""
        if len(self.reports) < len(self.legs):
            return None
        if len(self.legs) == 1:
            return self.reports[1][0]
        return round(self.reports[1][0] - self.hedge * self.reports[2][0], 4)

    def slippage(self) -> float | None:
        """Per contract, positive in the trader's favour."""
        filled = self.fill_price()
        if filled is None or self.price is None:
            return None
        gain = self.price - filled if self.action == "buy" else filled - self.price
        return round(gain, 4)

    def state(self) -> tuple[str, str | None]:
        """(status, status message)."""
        if self.canceled is None or self.canceled != self.reports:
            return self._filled(self.reports)
        before, message = self._filled(self.canceled)
        if before == "part.filled":
            return "canceled", f"(*)part.filled | {message}"
        return "canceled", "mult.act.orders"

    def _filled(self, reports: Reports) -> tuple[str, str | None]:
        if not reports:
            return self.status, self.message
        if len(reports) < len(self.legs):
            return "filled(...)", self._remained(1, reports) if 1 in reports else self.message
        for leg in reports:
            if reports[leg][1] < self.size(leg):
                short = min(each for each in reports if reports[each][1] < self.size(each))
                return "part.filled", self._remained(short, reports)
        return "filled", ""

    def _remained(self, leg: int, reports: Reports) -> str:
        name = f"({self.legs[leg - 1]})" if len(self.legs) == 2 else ""
        return f"remained{name}: {self.size(leg) - reports[leg][1]}"

    def record(self) -> dict:
        """What the server's record must say."""
        status, message = self.state()
        ids = (*self.order_ids, None, None)
        return {
            "order_action": self.action,
            "order_contracts": self.contracts,
            "order_status": status,
            "status_msg": message,
            "order_id1": ids[0],
            "order_id2": ids[1],
            "price1": self.reports[1][0] if 1 in self.reports else None,
            "price2": self.reports[2][0] if 2 in self.reports else None,
            "fill_price": self.fill_price(),
            "slip": self.slippage(),
        }


class Ledger:
    """All signals by rowid, and how many alerts were sent that cannot become one."""

    def __init__(self):
        self.entries: dict[int, Entry] = {}
        self.rejected = 0
        self._orders: dict[int, tuple[Entry, int]] = {}

    def placed(self, rowid: int, order_ids: tuple[int, ...]) -> None:
        """The signal's orders, leg 1 first."""
        entry = self.entries[rowid]
        entry.order_ids = order_ids
        self._orders |= {number: (entry, leg) for leg, number in enumerate(order_ids, 1)}

    def reported(self, order_id: int, price: float, quantity: float) -> bool:
        """A fill told to the server: whether it is news."""
        entry, leg = self._orders[order_id]
        news = entry.reports.get(leg) != (price, quantity)
        entry.reports = entry.reports | {leg: (price, quantity)}
        return news

    def canceled(self, order_id: int) -> None:
        """A cancel told to the server."""
        entry, _ = self._orders[order_id]
        entry.canceled = entry.reports
