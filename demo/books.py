"""The demo's own books: the account, the expected state of each signal, and the journal."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

START = 500_000.0  # net liquidation in US dollars before the first trade
_OPEN = 9 * 3600 + 30 * 60  # when the market opens, in seconds since midnight


class Journal:
    """Shows a short line for each event, with the time of the trading day."""

    def __init__(self, show: Callable[[str], object]):
        self._show = show
        self.second = 0  # of the trading day, which begins at 09:30:00

    def say(self, kind: str, text: str) -> None:
        """Shows a line."""
        minutes, seconds = divmod(_OPEN + self.second, 60)
        clock = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
        self._show(f"{clock}  {kind:<8}  {text}")


@dataclass
class Position:
    """A signed quantity, its average cost, and today's realized PnL; money is in its currency."""

    quantity: float = 0.0
    cost: float = 0.0
    realized: float = 0.0

    def trade(self, quantity: float, price: float) -> None:
        """Buys, or sells if the quantity is below 0. The PnL of a closed part is realized."""
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
        """The PnL if the position were closed at this price."""
        return self.quantity * (price - self.cost)


def figures(net: float, gross: float, pnl: tuple[float, float, float]) -> dict[str, float]:
    """The account record as the bridge sends it: money in whole dollars, PnL with one decimal.

    `pnl` is (daily, realized, unrealized).
    """
    margin = gross / 4
    money = {
        "AvailableFunds": net - margin,
        "BuyingPower": 4 * (net - margin),
        "GrossPositionValue": gross,
        "MaintMarginReq": margin,
        "NetLiquidation": net,
    }
    rounded = {name: float(round(amount)) for name, amount in money.items()}
    names = ("DailyPnL", "RealizedPnL", "UnrealizedPnL")
    return rounded | {name: round(each, 1) for name, each in zip(names, pnl, strict=True)}


class Account:
    """Positions by symbol, and the account's figures in US dollars.

    `price(symbol)` returns the price of a symbol.
    """

    def __init__(self, price: Callable[[str], float]):
        self.positions: dict[str, Position] = {}
        self.price = price
        self._opening = START  # net liquidation when the day began
        self._banked = START  # net liquidation without today's PnL

    def quantity(self, symbol: str) -> float:
        """The signed quantity held."""
        return self.positions[symbol].quantity if symbol in self.positions else 0.0

    def trade(self, symbol: str, quantity: float, price: float) -> None:
        """Enters an execution; a quantity below 0 is a sale."""
        self.positions.setdefault(symbol, Position()).trade(quantity, price)

    def lose(self, symbol: str) -> None:
        """Removes a position without a trade; what it had made or lost is gone with it."""
        self.positions[symbol] = Position(realized=self.positions[symbol].realized)

    def pnl(self, symbol: str) -> float:
        """The unrealized PnL of a position, in its currency."""
        return self.positions[symbol].unrealized(self.price(symbol))

    def _sum(self, amount: Callable[[Position, float], float]) -> float:
        """The sum over all positions in US dollars; `USD.CAD` quotes in CAD."""
        total = 0.0
        for symbol, position in self.positions.items():
            price = self.price(symbol)
            total += amount(position, price) / (price if "." in symbol else 1)
        return total

    def net(self) -> float:
        """Net liquidation."""
        return self._banked + self._sum(lambda p, price: p.realized + p.unrealized(price))

    def figures(self) -> dict[str, float]:
        """The account record as it is now."""
        net, gross = self.net(), self._sum(lambda p, price: abs(p.quantity) * price)
        realized = self._sum(lambda p, _: p.realized)
        unrealized = self._sum(lambda p, price: p.unrealized(price))
        return figures(net, gross, (net - self._opening, realized, unrealized))

    def new_day(self) -> None:
        """Sets the figures of the day to 0, and removes positions of 0."""
        self._banked += self._sum(lambda p, _: p.realized)
        self.positions = {s: p for s, p in self.positions.items() if p.quantity}
        for position in self.positions.values():
            position.realized = 0.0
        self._opening = self.net()


Reports = dict[int, tuple[float, float]]  # {leg: (average price, quantity filled)}


@dataclass
class Entry:
    """A signal: what was ordered, how the server judged it, and what was reported for each leg."""

    action: str
    contracts: float
    price: float | None
    legs: tuple[str, ...]
    hedge: float = 1.0
    status: str = "waiting"
    message: str | None = None
    order_ids: tuple[int, ...] = ()
    reports: Reports = field(default_factory=dict)
    canceled: Reports | None = None  # a copy of `reports` at the time of the cancel

    def _size(self, leg: int) -> float:
        """The ordered quantity of leg 1 or 2."""
        return float(self.contracts if leg == 1 else math.floor(self.contracts * self.hedge))

    def _fill_price(self) -> float | None:
        """The price of leg 1 minus hedge times that of leg 2; None until all legs have a price."""
        if len(self.reports) < len(self.legs):
            return None
        if len(self.legs) == 1:
            return self.reports[1][0]
        return round(self.reports[1][0] - self.hedge * self.reports[2][0], 4)

    def _slippage(self) -> float | None:
        """The slippage per contract; above 0 is good for the trader."""
        filled = self._fill_price()
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
        short = [leg for leg in sorted(reports) if reports[leg][1] < self._size(leg)]
        return ("part.filled", self._remained(short[0], reports)) if short else ("filled", "")

    def _remained(self, leg: int, reports: Reports) -> str:
        name = f"({self.legs[leg - 1]})" if len(self.legs) == 2 else ""
        return f"remained{name}: {self._size(leg) - reports[leg][1]}"

    def record(self) -> dict:
        """The record that the server must have."""
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
            "fill_price": self._fill_price(),
            "slip": self._slippage(),
        }


class Ledger:
    """All signals by rowid, and the number of alerts that cannot become a signal."""

    def __init__(self):
        self.entries: dict[int, Entry] = {}
        self.rejected = 0
        self._orders: dict[int, tuple[Entry, int]] = {}

    def placed(self, rowid: int, order_ids: tuple[int, ...]) -> None:
        """Enters the order ids of a signal, leg 1 first."""
        entry = self.entries[rowid]
        entry.order_ids = order_ids
        self._orders |= {number: (entry, leg) for leg, number in enumerate(order_ids, 1)}

    def reported(self, order_id: int, price: float, quantity: float) -> bool:
        """Enters a fill that was reported to the server. Returns whether it changes anything."""
        entry, leg = self._orders[order_id]
        news = entry.reports.get(leg) != (price, quantity)
        entry.reports = entry.reports | {leg: (price, quantity)}
        return news

    def canceled(self, order_id: int) -> None:
        """Enters a cancel that was reported to the server."""
        entry, _ = self._orders[order_id]
        entry.canceled = entry.reports
