"""What an account holds: pairs with their legs and hedges, other positions, sums by currency.

Quantities are signed, below 0 where short; costs are averages for each share; PnL is the open
profit as the broker reports it. Costs and PnL are in the instrument's currency, None where the
broker did not know them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

TOLERANCE = 0.05  # a hedge that is off by no more is near enough

FLAT = "flat"
FINE = "fine"
OFF = "off"
WRONG = "wrong"
LEG_MISSING = "leg missing"
LEFT_OVER = "left over"
MARKS = (FLAT, FINE, OFF, WRONG, LEG_MISSING, LEFT_OVER)


@dataclass(frozen=True)
class Holding:
    """The position in one instrument."""

    symbol: str
    position: float
    cost: float | None
    pnl: float | None
    currency: str

    @property
    def value(self) -> float | None:
        """What the position cost, below 0 where short; None where that is not known."""
        return None if self.cost is None else self.position * self.cost

    @property
    def is_known(self) -> bool:
        """Whether both cost and PnL are known."""
        return self.cost is not None and self.pnl is not None


@dataclass(frozen=True)
class Hedge:
    """How a pair's second leg covers its first.

    `actual` is how many of leg 2 are held against each of leg 1, None without a leg 1. Where a leg
    is missing `unhedged` is the other leg's position and `amount` what that cost.
    """

    mark: str
    actual: float | None = None
    unhedged: float = 0.0
    amount: float | None = 0.0


def hedge(leg1: Holding, leg2: Holding, ratio: float) -> Hedge:
    """Compares the legs' positions with the registered hedge ratio.

    `fine`: leg 2 is what the ratio asks for in whole shares; `off`: within 5 % of the ratio;
    `wrong`: further away; `leg missing`: leg 1 is held alone; `left over`: leg 2 is.
    """
    if not leg1.position:
        if not leg2.position:
            return Hedge(FLAT)
        return Hedge(LEFT_OVER, None, leg2.position, leg2.value)
    actual = 0.0 - leg2.position / leg1.position
    if not leg2.position and _whole(leg1.position, ratio):
        return Hedge(LEG_MISSING, 0.0, leg1.position, leg1.value)
    if actual >= 0 and abs(leg2.position) == _whole(leg1.position, ratio):
        return Hedge(FINE, actual)
    # The tolerance as a difference of floats must not lose the 5 % itself.
    near = abs(actual - ratio) <= TOLERANCE * ratio * (1 + 1e-9)
    return Hedge(OFF if near else WRONG, actual)


def _whole(position: float, ratio: float) -> int:
    """The whole shares of leg 2 that a position of leg 1 asks for, as the bridge rounds them."""
    wanted = abs(position) * ratio
    return math.floor(wanted) if math.isfinite(wanted) else -1


@dataclass(frozen=True)
class Total:
    """The sums of all positions in one currency; `long` and `short` are at cost, short below 0.

    A sum is of what is known, None where nothing of it is; `unknown` are the symbols that are
    missing in one.
    """

    currency: str
    pnl: float | None
    long: float | None
    short: float | None
    unknown: tuple[str, ...] = ()


def sum_known(values: Iterable[float | None]) -> float | None:
    """The sum of those that are known; None where there are some and none is known."""
    values = list(values)
    known = [value for value in values if value is not None]
    return sum(known) if known or not values else None


def totals(holdings: Iterable[Holding]) -> list[Total]:
    """The sums by currency, each instrument counted once."""
    by_currency: dict[str, list[Holding]] = {}
    for holding in {each.symbol: each for each in holdings}.values():
        by_currency.setdefault(holding.currency, []).append(holding)
    return [
        Total(
            currency,
            sum_known(each.pnl for each in group),
            sum_known(each.value for each in group if each.position > 0),
            sum_known(each.value for each in group if each.position < 0),
            tuple(sorted(each.symbol for each in group if not each.is_known)),
        )
        for currency, group in sorted(by_currency.items())
    ]
