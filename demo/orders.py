"""What the bridge makes of a signal: may it be traded, and which orders bring it about."""

from dataclasses import dataclass, replace
from math import copysign, floor

from demo.books import Entry

SYNC = "created due to sync"
_SIGNS = {"long": 1, "short": -1, "flat": 0}
_WORDS = {1: "long", -1: "short", 0: "flat"}


def _sign(number: float) -> int:
    return int(copysign(1, number)) if number else 0


@dataclass(frozen=True)
class Ask:
    """A signal's wish: a signed change of the position, from one size to another."""

    ticker: str
    legs: tuple[str, ...]
    hedge: float
    change: int
    before: int
    target: int
    price: float | None = None
    due_to_sync: bool = False

    @classmethod
    def of(cls, signal: dict) -> "Ask":
        """What a signal of the waiting list asks for."""
        names = ("ticker1", "ticker2") if signal["ticker_type"] == "pair" else ("ticker1",)
        contracts = int(signal["order_contracts"])
        return cls(
            signal["ticker"],
            tuple(signal[name] for name in names),
            signal["hedge_param"] or 1.0,
            contracts if signal["order_action"] == "buy" else -contracts,
            _SIGNS[signal["pre_mar_pos"] or "flat"] * int(signal["pre_mar_pos_size"]),
            _SIGNS[signal["mar_pos"] or "flat"] * int(signal["mar_pos_size"]),
            signal["order_price"],
            signal["status_msg"] == SYNC,
        )

    @property
    def kind(self) -> str:
        """`pair` or `single`."""
        return "single" if len(self.legs) == 1 else "pair"

    @property
    def action(self) -> str:
        """`buy` or `sell`."""
        return "buy" if self.change > 0 else "sell"

    @property
    def contracts(self) -> int:
        """The quantity, always above 0."""
        return abs(self.change)

    def refusal(self) -> str:
        """Why the signal is not traded; empty where it is."""
        if self.due_to_sync:
            return ""
        if self.target - self.before != self.change:
            return "position size mismatch"
        if self.before * self.target > 0 and abs(self.target) > abs(self.before):
            return "pyramiding"
        return ""

    def with_change(self, change: int) -> "Ask":
        """The same with another quantity, where the position is not what the chart thinks."""
        return replace(self, change=change)

    def synced(self, needed: int) -> str:
        """The bridge's word for a changed quantity, below 0 where the side changes."""
        if needed == self.change:
            return ""
        return f"+synced({self.contracts}->{needed * _sign(self.change)})"

    def orders(self) -> list[tuple[str, int, int]]:
        """(symbol, side, quantity) of each leg; leg 2 goes the other way, in whole shares."""
        side = _sign(self.change)
        first = (self.legs[0], side, self.contracts)
        if self.kind == "single":
            return [first]
        second = floor(self.contracts * self.hedge)
        return [first, (self.legs[1], -side, second)] if second else [first]

    def second_leg(self, held: int) -> "Ask | None":
        """What leg 2 needs to fit the target, as a single; None where it fits."""
        target = -_sign(self.target) * floor(abs(self.target) * self.hedge)
        if held == target:
            return None
        symbol = self.legs[1]
        return Ask(symbol, (symbol,), 1.0, target - held, held, target, None, True)

    def alert(self) -> dict:
        """The alert that the bridge posts for it, without price."""
        verb = f"Enter {_WORDS[_sign(self.target)].title()}" if self.target else "Exit"
        return {
            "order_action": self.action,
            "order_contracts": self.contracts,
            "mar_pos": _WORDS[_sign(self.target)],
            "mar_pos_size": abs(self.target),
            "pre_mar_pos": _WORDS[_sign(self.before)],
            "pre_mar_pos_size": abs(self.before),
            "order_comment": f"{verb} due to sync",
            "order_status": "waiting",
            "ticker": self.ticker,
            "status_msg": SYNC,
        }

    def entry(self) -> Entry:
        """Its page in the ledger."""
        return Entry(self.action, self.contracts, self.price, self.legs, self.hedge)
