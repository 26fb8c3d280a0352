"""What an account holds: pairs with their legs and hedges, other positions, sums by currency.

Quantities are signed, below 0 where short. A cost is the average price paid for a share. PnL is
the open profit as the broker reports it. Costs and PnL are in the instrument's currency, and None
where the broker did not know them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

TOLERANCE = 0.05  # a hedge may differ by this part of its ratio

FLAT = "flat"
FINE = "fine"
OFF = "off"
WRONG = "wrong"
LEG_MISSING = "leg missing"
LEFT_OVER = "left over"
MARKS = (FLAT, FINE, OFF, WRONG, LEG_MISSING, LEFT_OVER)
SIDES = ("long", "short", "flat")
MOST_PRICE = 1e12  # beyond it lies no price, but the PnL of next to nothing


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
    def mark(self) -> float | None:
        """The price now; None where it is not known."""
        return price_now(self.position, self.cost, self.pnl)

    @property
    def is_known(self) -> bool:
        """Whether both cost and PnL are known."""
        return self.cost is not None and self.pnl is not None


def price_now(position: float, cost: float | None, pnl: float | None) -> float | None:
    """The price now, as the open profit tells it; None where nothing is held or known."""
    if not position or cost is None or pnl is None:
        return None
    price = cost + pnl / position
    return price if abs(price) <= MOST_PRICE else None


def spread(price1: float | None, price2: float | None, ratio: float) -> float | None:
    """The price of a pair, as its chart shows it; None where a price is not known."""
    if price1 is None or price2 is None:
        return None
    price = price1 - ratio * price2
    return price if math.isfinite(price) else None


def side(position: float) -> str:
    """`long`, `short` or `flat`."""
    return "long" if position > 0 else "short" if position < 0 else "flat"


def began(position: float, moves: Iterable[tuple]) -> str | None:
    """When a position of this side began, as far as `moves` tell it.

    They are (position before, after, time) of alerts or reports, newest first. One that only made
    the position larger or smaller does not count.
    """
    for before, after, time in moves:
        if after is None or before is None:
            return None
        if side(after) == side(position) != side(before):
            return time
    return None


@dataclass(frozen=True)
class Hedge:
    """How a pair's second leg covers its first.

    `actual` is how many shares of leg 2 are held against each of leg 1; None where no leg 1 is
    held. With the marks `wrong`, `leg missing` and `left over`, too much is held of `leg` (1 or
    2): `unhedged` is how much too much, and `amount` what that cost.
    """

    mark: str
    actual: float | None = None
    leg: int | None = None
    unhedged: float = 0.0
    amount: float | None = 0.0

    @property
    def is_broken(self) -> bool:
        """Whether one leg is held without the other, or the ratio is far off.

        One share too much of leg 2 does not count: rounding leaves it.
        """
        if self.mark == LEG_MISSING:
            return True
        return self.mark in (WRONG, LEFT_OVER) and (self.leg == 1 or abs(self.unhedged) > 1)


def hedge(leg1: Holding, leg2: Holding, ratio: float) -> Hedge:
    """Compare the legs' positions with the registered hedge ratio.

    `fine`: leg 2 is what the ratio asks for in whole shares; `off`: within 5 % of the ratio or one
    share beside it; `wrong`: further away; `leg missing`: leg 1 is held alone; `left over`: leg 2.
    """
    if not leg1.position:
        if not leg2.position:
            return Hedge(FLAT)
        return Hedge(LEFT_OVER, None, 2, leg2.position, leg2.value)
    actual = 0.0 - leg2.position / leg1.position
    wanted = whole(leg1.position, ratio)
    if not leg2.position and wanted:
        return Hedge(LEG_MISSING, 0.0, 1, leg1.position, leg1.value)
    if actual >= 0 and abs(leg2.position) == wanted:
        return Hedge(FINE, actual)
    # The factor keeps a difference of exactly 5 % within the tolerance, however floats round it.
    near = abs(actual - ratio) <= TOLERANCE * ratio * (1 + 1e-9)
    if near or (actual >= 0 and abs(abs(leg2.position) - wanted) <= 1):
        return Hedge(OFF, actual)
    leg, shares = _too_much(leg1.position, leg2.position, ratio)
    cost = (leg1, leg2)[leg - 1].cost
    return Hedge(WRONG, actual, leg, shares, None if cost is None else shares * cost)


def _too_much(first: float, second: float, ratio: float) -> tuple[int, float]:
    """The leg of which too much is held, and how much; both are held."""
    if first * second > 0:  # they add up instead of covering each other
        return 1, first
    wanted = whole(first, ratio)
    if 0 <= wanted < abs(second):
        return 2, second - math.copysign(wanted, second)
    covered = min(abs(second) / ratio, abs(first))
    # A covered share counts as a whole one where leg 1 is held in whole shares.
    open_shares = abs(first) - (math.ceil(covered) if first == round(first) else covered)
    return 1, math.copysign(open_shares, first)


def whole(position: float, ratio: float) -> int:
    """How many whole shares of leg 2 go with a position of leg 1, as the bridge rounds them.

    It is -1 where the number is too large for a float.
    """
    wanted = abs(position) * ratio
    return math.floor(wanted) if math.isfinite(wanted) else -1


def opposite(position: float, ratio: float) -> float:
    """The position of leg 2 that goes with one of leg 1."""
    return math.copysign(whole(position, ratio), -position) if position else 0.0


@dataclass(frozen=True)
class Claim:
    """A pair, which may hold a share of the positions in its legs.

    `size` is the position of leg 1 that its strategy wants; None where that is not known.
    """

    name: str
    leg1: str
    leg2: str
    ratio: float
    active: bool
    size: float | None = None


def share_out(
    claims: Iterable[Claim], held: dict[str, float], alone: Iterable[str] = ()
) -> dict[str, tuple[float, float]]:
    """{pair: (what it holds of leg 1, of leg 2)}; pairs may have a leg in common.

    Where one leg belongs to this pair only, its position says how much of the common leg belongs
    to the pair. Where both legs are common, what the strategy wants says it. The rest of a common
    leg goes to the largest of its pairs (of equal ones to an active one), unless the leg is also
    traded `alone`.
    """
    claims = [each for each in claims if each.leg1 != each.leg2]
    active = {leg for each in claims if each.active for leg in (each.leg1, each.leg2)}
    counted = [
        each for each in claims if each.active or each.size or _is_needed(each, held, active)
    ]
    users: dict[str, list[Claim]] = {}
    for each in counted:
        users.setdefault(each.leg1, []).append(each)
        users.setdefault(each.leg2, []).append(each)
    shared = {leg for leg, pairs in users.items() if len(pairs) > 1} | set(alone)
    shares = {each.name: [0.0, 0.0] for each in claims}
    for each in counted:
        shares[each.name] = list(_implied(each, held, shared))
    for leg in shared & users.keys() - set(alone):
        rest = held.get(leg, 0.0) - sum(shares[each.name][leg == each.leg2] for each in users[leg])
        if rest:
            taker = max(users[leg], key=lambda each: _weight(each, shares[each.name]))
            shares[taker.name][leg == taker.leg2] += rest
    return {name: (first, second) for name, (first, second) in shares.items()}


def _is_needed(claim: Claim, held: dict[str, float], active: set[str]) -> bool:
    """Whether a paused pair holds something that no active one can account for."""
    return any(held.get(leg) and leg not in active for leg in (claim.leg1, claim.leg2))


def _implied(claim: Claim, held: dict[str, float], shared: set[str]) -> tuple[float, float]:
    first, second = held.get(claim.leg1, 0.0), held.get(claim.leg2, 0.0)
    if claim.leg1 in shared and claim.leg2 in shared:
        size = claim.size or 0.0
        return size, opposite(size, claim.ratio)
    if claim.leg2 in shared:
        return first, opposite(first, claim.ratio)
    if claim.leg1 in shared:
        wanted = claim.size is not None and opposite(claim.size, claim.ratio) == second
        return (claim.size if wanted else -second / claim.ratio), second
    return first, second


def _weight(claim: Claim, share: list[float]) -> tuple:
    return abs(share[0]) + abs(share[1]), claim.active, abs(claim.size or 0.0), claim.name


@dataclass(frozen=True)
class Total:
    """The sums of all positions in one currency; `long` and `short` are at cost, short below 0.

    A sum leaves out what is not known; it is None where nothing is known. `unknown` are the
    symbols that some sum leaves out.
    """

    currency: str
    pnl: float | None
    long: float | None
    short: float | None
    unknown: tuple[str, ...] = ()


def sum_known(values: Iterable[float | None]) -> float | None:
    """The sum of the known values; None where there are values and none is known."""
    values = list(values)
    known = [value for value in values if value is not None]
    return sum(known) if known or not values else None


def totals(holdings: Iterable[Holding]) -> list[Total]:
    """The sums of each currency; an instrument that is given twice counts once."""
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
