"""Write trips, fills or the account as a file for spreadsheets and journals (CSV).

Times are UTC, ISO 8601. Money is in the currency of its row.

examples:
  python server.py export trips --to trips.csv
  python server.py export fills --since 2026-11-01 --to fills.csv
  python server.py export account --since 2026-11-01 --until 2026-11-30 --to account.csv
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from commands.common import Failed, opened
from models import AccountRecord, Record
from schemas.performance import TRIP_KEYS
from schemas.records import sheet_row
from services import books
from services.books import Period, rates_of
from trading import instants

FILL_KEYS = (
    *("rowid", "time", "ticker", "leg", "symbol", "order_action", "quantity", "price", "currency"),
    *("order_price", "fill_price", "slip_money", "commission_est"),
)
ACCOUNT_KEYS = tuple(AccountRecord.EXAMPLE)


def register(add) -> None:
    """Adds the command export."""
    parser = add("export", __doc__, run)
    parser.add_argument("what", choices=tuple(_ROWS), metavar="WHAT", help=", ".join(_ROWS))
    parser.add_argument("--since", default="", metavar="DAY", help="from this day or time on, UTC")
    parser.add_argument("--until", default="", metavar="DAY", help="until this day or time, UTC")
    parser.add_argument("--to", required=True, metavar="FILE", help="the file to write")


def run(line) -> int:
    """Writes the file and says how many rows it has."""
    given = line.given
    period = Period.of(_bound(given.since, last=False), _bound(given.until, last=True))
    keys, rows = _ROWS[given.what]
    with opened(line.conf):
        found = list(rows(rates_of(line.conf), period))
    try:
        with Path(given.to).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(keys)
            writer.writerows(sheet_row(keys, row) for row in found)
    except OSError as error:
        raise Failed(f"{given.to} cannot be written ({error.strerror}).") from None
    print(f"Wrote {len(found):,} {given.what} to {given.to}.")
    return 0


def _bound(day: str, *, last: bool) -> str:
    if not day:
        return ""
    try:
        return instants.parse_bound(day, last=last)
    except ValueError as error:
        raise Failed(f"{day} {error}.") from None


def _trips(rates: books.Rates, period: Period) -> Iterator[Record]:
    yield from reversed(books.list_trips(rates, period))


def _fills(rates: books.Rates, period: Period) -> Iterator[Record]:
    """A row for each leg of each signal of which something was filled."""
    with books.read(rates) as read:
        entries = sorted(read.entries, key=lambda entry: (entry.fill.time, entry.fill.rowid))
    for entry in entries:
        if not period.holds(entry.fill.time):
            continue
        row, fill = entry.row, entry.fill
        symbols = entry.name.split("-") if row.stk_ticker2 else (row.stk_ticker1,) * 2
        deals = [(n, deal) for n, deal in enumerate((fill.leg1, fill.leg2)) if deal]
        for place, (number, deal) in enumerate(deals):
            yield {
                "rowid": fill.rowid,
                "time": fill.time,
                "ticker": entry.name,
                "leg": number + 1,
                "symbol": symbols[number],
                "order_action": "buy" if deal.quantity > 0 else "sell",
                "quantity": abs(deal.quantity),
                "price": deal.price,
                "currency": read.currencies[entry.name][number],
                "order_price": row.order_price,
                "fill_price": row.fill_price,
                # Of the whole signal, so it stands in one of its rows.
                "slip_money": None if place else books.rounded(fill.slip_money),
                "commission_est": None if place else books.rounded(fill.commission),
            }


def _account(_: books.Rates, period: Period) -> Iterator[Record]:
    told = AccountRecord.select().where(AccountRecord.timestamp.between(period.since, period.until))
    for row in told.order_by(AccountRecord.rowid):
        yield row.record()


_ROWS = {
    "trips": (TRIP_KEYS, _trips),
    "fills": (FILL_KEYS, _fills),
    "account": (ACCOUNT_KEYS, _account),
}
