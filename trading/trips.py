"""Trips: the way of a ticker from flat to flat, computed from its fills at average cost.

A ticker is a pair or a single. Quantities are signed, below 0 for what was sold. Money is in the
currency of the leg; that of two currencies is never added.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

DIGITS = 8  # of quantities, so that floats that should be 0 are 0


class Deal(NamedTuple):
    """What was bought (above 0) or sold (below 0) of one leg, and at which price."""

    quantity: float
    price: float


def worth(deal: Deal | None) -> float:
    """What a deal was worth, above 0 for both sides; 0 for none."""
    return abs(deal.quantity * deal.price) if deal else 0.0


class Fill(NamedTuple):
    """What one signal has filled of each leg; None where a leg was not traded.

    `before` is the position of leg 1 that the alert starts from, None where it does not say.
    `slip_money` and `commission` are of the whole signal.
    """

    rowid: int
    time: str
    leg1: Deal | None
    leg2: Deal | None = None
    hedge: float | None = None
    before: float | None = None
    slip_money: float | None = None
    commission: float = 0.0


@dataclass(slots=True)
class Holding:
    """The position in one leg and its average cost."""

    position: float = 0.0
    cost: float = 0.0

    def trade(self, deal: Deal) -> float:
        """Applies a deal; returns the PnL that it realises."""
        held, quantity = self.position, deal.quantity
        after = round(held + quantity, DIGITS) + 0.0
        if held * quantity >= 0:
            if after:
                self.cost = (held * self.cost + quantity * deal.price) / (held + quantity)
            realised = 0.0
        else:
            closed = held if abs(quantity) >= abs(held) else -quantity
            realised = closed * (deal.price - self.cost)
            if after * held <= 0:
                self.cost = deal.price
        self.position = after
        return realised


@dataclass(slots=True)
class Leg:
    """One leg of a trip: what it has realised, and what went in and out at which value."""

    realised: float = 0.0
    quantity_in: float = 0.0
    value_in: float = 0.0
    quantity_out: float = 0.0
    value_out: float = 0.0

    def enter(self, quantity: float, price: float) -> None:
        """Notes what made the position larger."""
        self.quantity_in += quantity
        self.value_in += quantity * price

    def leave(self, quantity: float, price: float) -> None:
        """Notes what made it smaller."""
        self.quantity_out += quantity
        self.value_out += quantity * price

    @property
    def entry(self) -> float | None:
        """The average price of getting in; None if nothing went in."""
        return self.value_in / self.quantity_in if self.quantity_in else None

    @property
    def exit(self) -> float | None:
        """The average price of getting out; None if nothing went out."""
        return self.value_out / self.quantity_out if self.quantity_out else None


@dataclass(slots=True)
class Trip:
    """The way of a ticker from flat to flat; `closed` is None while a position is held.

    `side` is 1 for long and -1 for short, `contracts` the largest position of leg 1, `signals` the
    rowids of its fills. An `incomplete` trip began before the first fill that is known: its PnL is
    not. `left_over` is what rounding left of leg 2 at its end.
    """

    side: int
    opened: str
    hedge: float | None = None
    closed: str | None = None
    contracts: float = 0.0
    legs: tuple[Leg, Leg] = field(default_factory=lambda: (Leg(), Leg()))
    slip_money: float | None = None
    commission: float = 0.0
    signals: list[int] = field(default_factory=list)
    incomplete: bool = False
    left_over: float = 0.0

    @property
    def entry(self) -> float | None:
        """The average price of getting in: of a pair the spread."""
        return self._spread(*(leg.entry for leg in self.legs))

    @property
    def exit(self) -> float | None:
        """The average price of getting out, as `entry`."""
        return self._spread(*(leg.exit for leg in self.legs))

    def _spread(self, price1: float | None, price2: float | None) -> float | None:
        if self.hedge is None or price1 is None:
            return price1
        return None if price2 is None else price1 - self.hedge * price2


class Realised(NamedTuple):
    """PnL that a fill realised on leg 0 or 1 of a ticker, in that leg's currency."""

    time: str
    leg: int
    amount: float


@dataclass(slots=True)
class Book:
    """The trips of one ticker, what they realised when, and what it holds now of each leg.

    What an incomplete trip realised is not known, so it is left out.
    """

    trips: list[Trip] = field(default_factory=list)
    realised: list[Realised] = field(default_factory=list)
    legs: tuple[Holding, Holding] = field(default_factory=lambda: (Holding(), Holding()))
    rounded: int = 0  # fills of leg 2 since it was last flat: each was rounded down

    @property
    def open(self) -> Trip | None:
        """The trip that is not closed; None if the ticker is flat."""
        last = self.trips[-1] if self.trips else None
        return last if last and last.closed is None else None

    def add(self, fill: Fill) -> None:
        """Applies a fill: it opens, changes or closes a trip, or closes one and opens the next."""
        if not self.trips and fill.before:
            self._begin_before(fill)
        first, second = self._split(fill)
        self._trade(first)
        if second:
            self._trade(second)

    def _begin_before(self, fill: Fill) -> None:
        """Opens a trip that began before the records: its cost is taken to be today's price."""
        side = 1 if fill.before > 0 else -1
        self.trips.append(Trip(side, fill.time, fill.hedge, incomplete=True))
        if fill.leg1:
            self.legs[0].position, self.legs[0].cost = fill.before, fill.leg1.price
        if fill.leg2 and fill.hedge is not None:
            size = abs(fill.before) * fill.hedge // 1
            self.legs[1].position, self.legs[1].cost = -side * size, fill.leg2.price
        self.open.contracts = abs(fill.before)

    def _split(self, fill: Fill) -> tuple[Fill, Fill | None]:
        """The parts of a fill before and after leg 1 crosses zero; the second is None if not."""
        held, deal = self.legs[0].position, fill.leg1
        if deal is None or held * deal.quantity >= 0 or abs(deal.quantity) <= abs(held):
            return fill, None
        out, into = _parts(self.legs[0].position, deal)
        out2, into2 = _parts(self.legs[1].position, fill.leg2) if fill.leg2 else (None, None)
        first = fill._replace(leg1=out, leg2=out2)
        return first, fill._replace(leg1=into, leg2=into2, slip_money=None, commission=0.0)

    def _trade(self, fill: Fill) -> None:
        trip = self.open
        if trip is None:
            trip = Trip(self._side(fill), fill.time, fill.hedge)
            self.trips.append(trip)
        deals = (fill.leg1, fill.leg2)
        for number, deal in enumerate(deals):
            if deal and deal.quantity:
                self._trade_leg(trip, number, deal, fill.time)
        self.rounded += bool(fill.leg2)
        trip.hedge = trip.hedge if trip.hedge is not None else fill.hedge
        trip.contracts = max(trip.contracts, abs(self.legs[0].position))
        if fill.slip_money is not None:
            trip.slip_money = (trip.slip_money or 0.0) + fill.slip_money
        trip.commission += fill.commission
        trip.signals.append(fill.rowid)
        if not self.legs[0].position and self._is_rounding(self.legs[1].position):
            trip.closed, trip.left_over = fill.time, self.legs[1].position
            self.rounded = self.rounded if trip.left_over else 0

    def _is_rounding(self, position: float) -> bool:
        """Whether this is what rounding left of leg 2: less than a share for each of its fills."""
        return abs(position) < max(1, self.rounded)

    def _trade_leg(self, trip: Trip, number: int, deal: Deal, time: str) -> None:
        held, leg = self.legs[number], trip.legs[number]
        size, position = abs(deal.quantity), abs(held.position)
        out = min(size, position) if held.position * deal.quantity < 0 else 0.0
        if out and (leg.quantity_in or trip.incomplete):  # else an earlier trip has left it over
            leg.leave(out, deal.price)
        if size > out:
            leg.enter(size - out, deal.price)
        realised = held.trade(deal)
        leg.realised += realised
        if realised and not trip.incomplete:
            self.realised.append(Realised(time, number, realised))

    @staticmethod
    def _side(fill: Fill) -> int:
        """The side that a fill opens: that of leg 1, or the other one of leg 2."""
        deal = fill.leg1 or fill.leg2._replace(quantity=-fill.leg2.quantity)
        return 1 if deal.quantity > 0 else -1


def _parts(held: float, deal: Deal) -> tuple[Deal | None, Deal | None]:
    """What of a deal closes a position, and what opens the next one."""
    if held * deal.quantity >= 0:
        return None, deal
    if abs(deal.quantity) <= abs(held):
        return deal, None
    rest = round(deal.quantity + held, DIGITS)
    return deal._replace(quantity=-held), deal._replace(quantity=rest)


def follow(fills: Iterable[Fill]) -> Book:
    """The book of one ticker after all its fills, which come in their order."""
    book = Book()
    for fill in fills:
        book.add(fill)
    return book
