"""What the chart of one pair or single shows, computed on demand."""

from statistics import fmean, median, stdev

import orjson

from models import EventRow, Pair, Record, Stock, registered
from services import performance
from services.books import Books, Entry, Period, Rates, read, rounded, trip_records
from trading import instants
from trading.fills import plain
from trading.positions import price_now
from trading.trips import Book, Trip

MOST_REPORTS = 5000  # of the positions of a leg, that a series is made of
LEAST_REPORTS = 30  # from which a mean and a deviation are told


def series(rates: Rates, name: str) -> Record:
    """What the chart of a pair or single shows; see the API. Raises Missing."""
    row = registered(name)
    with read(rates, name) as books:
        return _told(row, books, name)


def of_page(rates: Rates, name: str, today: Period) -> Record:
    """What the page of a pair or single shows, from one reading. Raises Missing."""
    row = registered(name)
    with read(rates, name) as books:
        return {
            "registered": row.record(),
            "series": _told(row, books, name),
            "performance": performance.told(books, Period(), name),
            "today": performance.told(books, today, name),
        }


def _told(row: Pair | Stock, books: Books, name: str) -> Record:
    book = books.by_name.get(name, Book())
    spreads = _spreads(book.open, row.legs, getattr(row, "hedge", None))
    values = [value for _, value in spreads]
    ended = [trip for trip in book.trips if trip.closed and not trip.incomplete]
    held = [instants.seconds_between(trip.opened, trip.closed) for trip in ended]
    return {
        "name": name,
        "fills": [_fill_record(entry) for entry in books.entries],
        "trips": trip_records(books, Period()),
        "spreads": [{"time": time, "spread": rounded(value)} for time, value in spreads],
        **_moves(book.open, values),
        "median_held_s": int(median(held)) if held else None,
        "left_over": plain(book.legs[1].position) if book.open is None else 0,
    }


def _fill_record(entry: Entry) -> Record:
    row = entry.row
    return {
        "rowid": row.rowid,
        "time": entry.fill.time,
        "order_action": row.order_action,
        "contracts": plain(abs(entry.fill.leg1.quantity)) if entry.fill.leg1 else 0,
        "price": rounded(row.fill_price),
        "slip_money": rounded(entry.fill.slip_money),
    }


def _spreads(
    trip: Trip | None, legs: tuple[str, ...], hedge: float | None
) -> list[tuple[str, float]]:
    """(time, spread) at each report of the positions since the open trip began, oldest first."""
    if trip is None:
        return []
    marks: list[float | None] = [None] * len(legs)
    found: dict[str, float] = {}
    for event in _reports(legs, trip.opened):
        record = orjson.loads(event.record)
        told = record["active_pos"], record["active_cost"], record["active_pnl"]
        marks[legs.index(record["symbol"])] = price_now(*told)
        if None not in marks:
            found[event.time] = marks[0] - (hedge * marks[1] if hedge is not None else 0.0)
    return sorted(found.items())


def _reports(legs: tuple[str, ...], since: str) -> list[EventRow]:
    told = EventRow.select().where(
        EventRow.subject.in_(legs), EventRow.type == "position.updated", EventRow.time >= since
    )
    return list(told.order_by(EventRow.id.desc()).limit(MOST_REPORTS))[::-1]


def _moves(trip: Trip | None, values: list[float]) -> Record:
    """How far the spread went from the entry, for and against the trip, and where it usually is."""
    told = dict.fromkeys(("entry", "now", "distance", "favourable", "adverse", "mean", "sigma"))
    if trip is None or trip.entry is None or not values:
        return told
    apart = [trip.side * (value - trip.entry) for value in values]
    told |= {"entry": trip.entry, "now": values[-1], "distance": apart[-1]}
    told |= {"favourable": max(0.0, *apart), "adverse": min(0.0, *apart)}
    if len(values) >= LEAST_REPORTS:
        told |= {"mean": fmean(values), "sigma": stdev(values)}
    return {name: rounded(value) for name, value in told.items()}
