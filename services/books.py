"""The books: trips and performance, computed on demand from signals, their fills and events.

Nothing of it is stored. Run it on a reading thread.
"""

import gc
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from peewee import Case, fn

from database.kinds import is_sqlite
from database.opening import proxy
from models import EventRow, Pair, Record, Signal, Stock
from trading import alerts, instants, trips
from trading.fills import plain
from trading.positions import side
from trading.trips import Book, Deal, Fill, Trip

DAY = 86_400.0
MONEY_DIGITS = 4
PIECE = 500  # entries that are let go together


class Row(NamedTuple):
    """The columns of a signal that the books need."""

    rowid: int
    timestamp: str
    order_action: str
    order_contracts: float
    order_price: float | None
    hedge_param: float | None
    stk_ticker1: str
    stk_ticker2: str | None
    stk_price1: float | None
    stk_price2: float | None
    filled_qty1: float | None
    filled_qty2: float | None
    fill_price: float | None
    slip: float | None
    pre_mar_pos: str | None
    pre_mar_pos_size: float
    status_msg: str | None
    order_comment: str | None
    alert_time: str | None


class Rates(NamedTuple):
    """What a commission is estimated from: money per share, and at least so much an order."""

    per_share: float = 0.0
    minimum: float = 0.0

    def of(self, deal: Deal | None) -> float:
        """The estimate for one order."""
        return max(self.minimum, self.per_share * abs(deal.quantity)) if deal else 0.0


def rates_of(conf: Any) -> Rates:
    """The rates of the settings."""
    return Rates(conf.commission_per_share, conf.commission_minimum)


class Times(NamedTuple):
    """When a signal was stored, got its orders, and was filled first and last; None: not known."""

    received: str | None = None
    created: str | None = None
    first: str | None = None
    last: str | None = None


class Entry(NamedTuple):
    """A signal with fills: the name of its ticker, its row, its times, and what was filled."""

    name: str
    row: Row
    times: Times
    fill: Fill


class Books(NamedTuple):
    """The book of each ticker by name, what they were made of, and the currencies of the legs."""

    by_name: dict[str, Book]
    entries: list[Entry]
    currencies: dict[str, tuple[str, str]]


@contextmanager
def read(rates: Rates, name: str | None = None) -> Iterator[Books]:
    """All books, or that of one pair or single.

    They are a few hundred thousand objects. To collect garbage among them, or to free them all at
    once, would stop all threads for 50 ms and more.
    """
    gc.disable()
    try:
        books = _gather(rates, name)
        yield books
        while books.entries:
            del books.entries[-PIECE:]
        while books.by_name:
            books.by_name.popitem()
    finally:
        gc.enable()


def _gather(rates: Rates, name: str | None) -> Books:
    rows = _filled(name)
    pairs = {pair.name: pair.legs for pair in Pair.select(Pair.name, Pair.ticker1, Pair.ticker2)}
    times, owners = _times(rows, name), _owners_of_legs(pairs)
    grouped: dict[str, list[Entry]] = defaultdict(list)
    for row in rows:
        called, leg = _ticker_of(row, owners)
        if name in (None, called):
            told = times.get(row.rowid, Times())
            fill = _fill(row, told.last or row.timestamp, leg, rates)
            if fill.leg1 or fill.leg2:  # else a price stands where nothing can be traded
                grouped[called].append(Entry(called, row, told, fill))
    books = {}
    for called, mine in grouped.items():
        mine.sort(key=lambda entry: (entry.fill.time, entry.fill.rowid))
        books[called] = trips.follow(entry.fill for entry in mine)
    entries = [entry for mine in grouped.values() for entry in mine]
    return Books(books, entries, _currencies(grouped, pairs))


def _currencies(
    grouped: dict[str, list[Entry]], pairs: dict[str, tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """{ticker: currencies of leg 1 and leg 2}; those of a single are the same."""
    known, found = Stock.currencies(), {}
    for name, mine in grouped.items():
        row = mine[0].row
        legs = pairs.get(name) or (row.stk_ticker1, row.stk_ticker2)
        found[name] = tuple(known.get(leg or legs[0], "USD") for leg in legs)
    return found


def _filled(name: str | None) -> list[Row]:
    """The signals of which something is filled, oldest first."""
    columns = [getattr(Signal, column) for column in Row._fields]
    rows = Signal.select(*columns).where(_has_fill(), Signal.stk_ticker1.is_null(False))
    if name is not None:
        leg1, _, leg2 = name.partition("-")
        own = [Signal.stk_ticker1 == leg1]
        own.append(Signal.stk_ticker2 == leg2 if leg2 else Signal.stk_ticker2.is_null())
        mine = own[0] & own[1]
        if leg2:  # the bridge completes a leg with a signal of its own
            mine |= Signal.stk_ticker1.in_((leg1, leg2)) & Signal.stk_ticker2.is_null()
        rows = rows.where(mine)
    # Without Peewee's cursor, which costs as much as the rows themselves.
    return list(map(Row._make, proxy.execute(rows.order_by(Signal.rowid)).fetchall()))


def _has_fill() -> Any:
    return Signal.stk_price1.is_null(False) | Signal.stk_price2.is_null(False)


def _owners_of_legs(pairs: dict[str, tuple[str, str]]) -> dict[str, str]:
    """{symbol: the only pair that has it as a leg}."""
    counts = Counter(leg for legs in pairs.values() for leg in legs)
    return {leg: name for name, legs in pairs.items() for leg in legs if counts[leg] == 1}


def _ticker_of(row: Row, owners: dict[str, str]) -> tuple[str, int]:
    """(name of the ticker, the leg that its single order traded: 1, or 2 of a pair)."""
    leg1, leg2 = row.stk_ticker1, row.stk_ticker2
    if leg2:
        return f"{leg1}-{leg2}", 1
    if alerts.is_from_bridge(row.status_msg, row.order_comment) and leg1 in owners:
        name = owners[leg1]
        return name, 1 if name.startswith(f"{leg1}-") else 2
    return leg1, 1


def _fill(row: Row, time: str, leg: int, rates: Rates) -> Fill:
    """What a signal has filled; `leg` is which leg of a pair a single order completed."""
    sign = 1 if row.order_action == "buy" else -1
    contracts, hedge = row.order_contracts, row.hedge_param
    first = _deal(row.stk_price1, row.filled_qty1, contracts, sign)
    second = None
    if row.stk_ticker2 and hedge is not None and math.isfinite(contracts * hedge):
        size = math.floor(contracts * hedge)
        second = _deal(row.stk_price2, row.filled_qty2, size, -sign)
    slip = row.slip
    return Fill(
        row.rowid,
        time,
        first if leg == 1 else None,
        second if leg == 1 else first,
        hedge,
        alerts.signed(row.pre_mar_pos, row.pre_mar_pos_size) if leg == 1 else None,
        None if slip is None else slip * contracts,
        rates.of(first) + rates.of(second),
    )


def _deal(price: float | None, filled: float | None, size: float, sign: int) -> Deal | None:
    quantity = size if filled is None else filled
    return Deal(sign * quantity, price) if price is not None and quantity else None


def _times(rows: list[Row], name: str | None) -> dict[int, Times]:
    """{rowid: times} of these signals, from their events."""
    place = fn.INSTR if is_sqlite(proxy) else fn.STRPOS
    ordered = place(EventRow.changes, '"order_id') > 0
    priced = (place(EventRow.changes, '"stk_price') > 0) | (
        place(EventRow.changes, '"filled_qty') > 0
    )
    created = Case(None, ((ordered, EventRow.time),))
    filled = Case(None, ((priced, EventRow.time),))
    found = EventRow.select(EventRow.subject, fn.MIN(created), fn.MIN(filled), fn.MAX(filled))
    found = found.where(EventRow.type == "signal.updated", ordered | priced)
    if name is not None:
        found = found.where(EventRow.subject.in_([str(row.rowid) for row in rows]))
    found = found.group_by(EventRow.subject)
    told = {subject: times for subject, *times in proxy.execute(found).fetchall()}
    return {
        row.rowid: Times(row.timestamp, *times)
        for row in rows
        if (times := told.get(str(row.rowid))) and times[1]
    }


# --- trips ----------------------------------------------------------------------------------


class Period(NamedTuple):
    """From when until when, as text in UTC; both belong to it."""

    since: str = ""
    until: str = instants.LAST

    @classmethod
    def of(cls, since: str | None, until: str | None) -> "Period":
        """The period between these bounds; a missing one is open."""
        return cls(since or "", until or instants.LAST)

    def holds(self, moment: str | None) -> bool:
        """Whether a time lies in it."""
        return moment is not None and self.since <= moment <= self.until


def list_trips(
    rates: Rates, period: Period, name: str | None = None, is_open: bool | None = None
) -> list[Record]:
    """As `trip_records`, of all tickers or of one."""
    with read(rates, name) as books:
        return trip_records(books, period, is_open)


def trip_records(books: Books, period: Period, is_open: bool | None = None) -> list[Record]:
    """The trips that ended in the period or are open, as the API tells them, newest first."""
    found = [
        trip_record(name, trip, books.currencies[name])
        for name, book in books.by_name.items()
        for trip in book.trips
        if (trip.closed is None or period.holds(trip.closed))
        and is_open in (None, trip.closed is None)
    ]
    return sorted(found, key=lambda trip: (trip["opened"], trip["signals"]), reverse=True)


def trip_record(name: str, trip: Trip, currencies: tuple[str, str]) -> Record:
    """A trip as the API tells it."""
    pnl, currency = pnl_of(trip, currencies)
    return {
        "ticker": name,
        "side": side(trip.side),
        "opened": trip.opened,
        "closed": trip.closed,
        "held_s": int(instants.seconds_between(trip.opened, trip.closed or instants.now())),
        "contracts": plain(trip.contracts),
        "entry": rounded(trip.entry),
        "exit": rounded(trip.exit),
        "pnl": pnl,
        "currency": currency,
        "slip_money": rounded(trip.slip_money),
        "commission_est": rounded(trip.commission),
        "signals": trip.signals,
        "left_over": plain(trip.left_over),
        "incomplete": trip.incomplete,
    }


def pnl_of(trip: Trip, currencies: tuple[str, str]) -> tuple[float | None, str | None]:
    """(PnL, currency) of a trip; no PnL if it is incomplete or its legs have two currencies."""
    if trip.hedge is not None and currencies[0] != currencies[1]:
        return None, None
    pnl = None if trip.incomplete else rounded(sum(leg.realised for leg in trip.legs))
    return pnl, currencies[0]


def rounded(amount: float | None) -> float | None:
    """Money or a price as it is told: with MONEY_DIGITS digits."""
    return None if amount is None else plain(round(amount, MONEY_DIGITS) + 0.0)
