"""What the fills brought: figures by currency, ticker, day, hour and side, computed on demand."""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any, NamedTuple

from peewee import fn

from models import AccountRecord, Alarm, Pair, Record, RejectedAlert, Signal, Stock
from services.books import (
    Books,
    Entry,
    Period,
    Rates,
    pnl_of,
    read,
    rounded,
    trip_records,
)
from services.search import Filters, conditions
from trading import fills, instants, statuses
from trading.fills import Slipped, plain
from trading.positions import side
from trading.trips import worth

MOST_WORST = 10  # slippages that are listed


def performance(rates: Rates, period: Period, name: str | None = None) -> Record:
    """What the fills of a period brought, by currency, ticker, day, hour and side."""
    with read(rates, name) as books:
        return told(books, period, name)


def with_trips(
    rates: Rates, period: Period, name: str | None, most: int
) -> tuple[Record, list[Record]]:
    """As `performance`, and the newest trips of the same reading."""
    with read(rates, name) as books:
        return told(books, period, name), trip_records(books, period)[:most]


def told(books: Books, period: Period, name: str | None = None) -> Record:
    """What these books say of a period; `name` is the only ticker in them."""
    realised = list(_realised(books, period))
    closed = list(_ended(books, period))
    entries = [e for e in books.entries if period.holds(e.fill.time)]
    slipped = _slipped(books, entries)
    return {
        "currencies": _by_currency(books, realised, closed, slipped, entries, _held(name)),
        "pairs": _by_ticker(books, realised, closed),
        "days": _by(realised, lambda time: time[:10], "day"),
        "hours": _by(realised, lambda time: int(time[11:13]), "hour"),
        "sides": _by_side(closed),
        "slippage": slippage(books, slipped, entries),
        "outcomes": outcomes(period, name),
        "latency": latency(entries),
        "incomplete": sum(t.incomplete for b in books.by_name.values() for t in b.trips),
        "account": _account(),
    }


class Gain(NamedTuple):
    """PnL that was realised: by which ticker, when, in which currency."""

    name: str
    time: str
    currency: str
    amount: float


class Ended(NamedTuple):
    """A trip that closed: of which ticker, on which side, what it brought, how long it was held."""

    name: str
    side: int
    pnl: float
    currency: str
    held_s: float


class Alike(NamedTuple):
    """What signals have in common whose slippage is added up."""

    name: str
    hour: str
    action: str
    kind: str
    order_type: str


def _ended(books: Books, period: Period) -> Iterator[Ended]:
    """The trips that closed in the period, but for those without a PnL."""
    for name, book in books.by_name.items():
        for trip in book.trips:
            if period.holds(trip.closed):
                pnl, currency = pnl_of(trip, books.currencies[name])
                if pnl is not None:
                    held_s = instants.seconds_between(trip.opened, trip.closed)
                    yield Ended(name, trip.side, pnl, currency, held_s)


def _realised(books: Books, period: Period) -> Iterator[Gain]:
    for name, book in books.by_name.items():
        for each in book.realised:
            if period.holds(each.time):
                yield Gain(name, each.time, books.currencies[name][each.leg], each.amount)


def _by_currency(
    books: Books,
    realised: list[Gain],
    closed: list[Ended],
    slipped: dict[Alike, Slipped],
    entries: list[Entry],
    held: dict[str, float],
) -> dict[str, Record]:
    slips = fills.by_currency(slipped.values())
    names = {each.currency for each in realised} | held.keys() | slips.keys()
    commissions: Counter[str] = Counter()
    for entry in entries:
        commissions[books.currencies[entry.name][0]] += entry.fill.commission
    found = {}
    for currency in sorted(names):
        gains = sorted((g for g in realised if g.currency == currency), key=lambda g: g.time)
        ended = [each for each in closed if each.currency == currency]
        found[currency] = {
            "realised": rounded(sum(gain.amount for gain in gains)),
            "unrealised": rounded(held.get(currency, 0.0)),
            **statistics_of(ended),
            "drawdown": drawdown(gains),
            "slip_money": rounded(slips.get(currency, {}).get("money")),
            "slip_bp": slips.get(currency, {}).get("bp"),
            "commission_est": rounded(commissions[currency]),
        }
    return found


def _held(name: str | None) -> dict[str, float]:
    """{currency: PnL of the positions that are held now}, of all or of one ticker's legs."""
    rows = [row for row in Stock.held() if row.active_pos]
    if name is not None:
        pair = Pair.get_or_none(Pair.name == name)
        legs = pair.legs if pair else (name,)
        rows = [row for row in rows if row.symbol in legs]
    found: Counter[str] = Counter()
    for row in rows:
        found[row.currency] += row.active_pnl or 0.0
    return dict(found)


def statistics_of(ended: list[Ended]) -> Record:
    """What closed trips of one currency say together; None where there is nothing to tell."""
    results = [each.pnl for each in ended]
    wins, losses = [r for r in results if r > 0], [r for r in results if r < 0]
    held = [each.held_s for each in ended]
    return {
        "trips": len(results),
        "wins": len(wins),
        "losses": len(losses),
        "win_rate": round(len(wins) / len(results), 4) if results else None,
        "profit_factor": round(sum(wins) / -sum(losses), 4) if losses else None,
        "average_win": rounded(sum(wins) / len(wins)) if wins else None,
        "average_loss": rounded(sum(losses) / len(losses)) if losses else None,
        "expectancy": rounded(sum(results) / len(results)) if results else None,
        "median_held_s": int(median(held)) if held else None,
    }


def drawdown(gains: list[Gain]) -> Record | None:
    """The largest fall of the realised PnL from a high, with the times of both; None if none."""
    total = high = worst = 0.0
    high_at = since = until = None
    for gain in gains:
        total += gain.amount
        if total > high:
            high, high_at = total, gain.time
        elif high - total > worst:
            worst, since, until = high - total, high_at, gain.time
    return {"amount": rounded(worst), "since": since, "until": until} if worst else None


def _by_ticker(books: Books, realised: list[Gain], closed: list[Ended]) -> list[Record]:
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for gain in realised:
        sums[gain.name][gain.currency] += gain.amount
    ended: dict[str, list[Ended]] = defaultdict(list)
    for each in closed:
        ended[each.name].append(each)
    return [
        {
            "ticker": name,
            "currency": books.currencies[name][0],
            "realised": {c: rounded(amount) for c, amount in sorted(sums[name].items())},
            "open": book.open is not None,
            **statistics_of(ended[name]),
        }
        for name, book in sorted(books.by_name.items())
    ]


def _by(realised: list[Gain], key: Any, called: str) -> list[Record]:
    """Realised PnL by currency, for each day or hour."""
    sums: dict[Any, Counter[str]] = defaultdict(Counter)
    for gain in realised:
        sums[key(gain.time)][gain.currency] += gain.amount
    return [
        {called: each, "realised": {c: rounded(a) for c, a in sorted(sums[each].items())}}
        for each in sorted(sums)
    ]


def _by_side(closed: list[Ended]) -> list[Record]:
    """The trips of each side, by currency."""
    grouped: dict[tuple[str, str], list[Ended]] = defaultdict(list)
    for each in closed:
        grouped[side(each.side), each.currency].append(each)
    return [
        {
            "side": word,
            "currency": currency,
            "realised": rounded(sum(each.pnl for each in mine)),
            **statistics_of(mine),
        }
        for (word, currency), mine in sorted(grouped.items())
    ]


def _account() -> Record | None:
    """The newest figures of the account, to compare with those of the fills."""
    newest = AccountRecord.newest()
    keys = ("timestamp", "DailyPnL", "RealizedPnL", "UnrealizedPnL")
    return newest and {key: newest[key] for key in keys}


# --- slippage, outcomes, latency ------------------------------------------------------------------


def _slipped(books: Books, entries: Iterable[Entry]) -> dict[Alike, Slipped]:
    """The slippage of the entries, added up for those that are alike."""
    types = dict(Stock.select(Stock.symbol, Stock.order_type).tuples())
    sums: dict[tuple, list] = {}
    for name, row, _, fill in entries:
        money = fill.slip_money
        if money is None:
            continue
        kind = "exit" if fill.before else "entry"
        alike = (name, fill.time[11:13], row.order_action, kind, row.stk_ticker1, row.stk_ticker2)
        known = sums.setdefault(alike, [0, 0.0, 0.0, 0.0])
        value = worth(fill.leg1) + worth(fill.leg2)
        known[0] += 1
        known[1] += money
        if value:
            known[2] += money
            known[3] += value
    found = {}
    for (name, hour, action, kind, leg1, leg2), numbers in sums.items():
        one, other = books.currencies[name]
        alike = Alike(name, hour, action, kind, types.get(leg1) or "unknown")
        found[alike] = Slipped(one, other if leg2 else None, *numbers)
    return found


def slippage(books: Books, slipped: dict[Alike, Slipped], entries: Iterable[Entry]) -> Record:
    """What slippage cost by what signals have in common, and the worst ten."""

    def groups(common: str) -> list[Record]:
        found: dict[str, list[Slipped]] = defaultdict(list)
        for alike, sums in slipped.items():
            found[getattr(alike, common)].append(sums)
        return [{"name": n, "slippage": fills.by_currency(found[n])} for n in sorted(found)]

    bad = [entry for entry in entries if (entry.fill.slip_money or 0) < 0]
    return {
        "tickers": groups("name"),
        "hours": groups("hour"),
        "actions": groups("action"),
        "kinds": groups("kind"),
        "order_types": groups("order_type"),
        "worst": [
            {
                "rowid": entry.row.rowid,
                "ticker": entry.name,
                "time": entry.fill.time,
                "slip_money": rounded(entry.fill.slip_money),
                "currency": books.currencies[entry.name][0],
            }
            for entry in heapq.nsmallest(MOST_WORST, bad, key=lambda e: e.fill.slip_money)
        ],
    }


def outcomes(period: Period, name: str | None) -> Record:
    """What became of the alerts of a period: counts, and the reasons of what was not traded."""
    rows = Signal.select(Signal.order_status, Signal.status_msg, fn.COUNT(Signal.rowid))
    filters = Filters(since=period.since or None, until=period.until, name=name)
    for condition in conditions(filters):
        rows = rows.where(condition)
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for status, message, count in rows.group_by(Signal.order_status, Signal.status_msg).tuples():
        outcome = statuses.classify(status, message)
        counts["partial" if status == statuses.PART_FILLED else outcome] += count
        if outcome == statuses.NOT_TRADED:
            reasons[statuses.meaning(message or "")] += count
    rejected = RejectedAlert.select().where(RejectedAlert.timestamp.between(*period))
    missing = Alarm.select().where(Alarm.kind == "missed", Alarm.since.between(*period))
    return {
        "filled": counts[statuses.TRADED],
        "partial": counts["partial"],
        "working": counts[statuses.WORKING],
        "not_needed": counts[statuses.NOT_NEEDED],
        "not_traded": counts[statuses.NOT_TRADED],
        "failed": counts[statuses.FAILED],
        "rejected": rejected.count(),
        "missing": missing.count(),
        "reasons": dict(reasons.most_common()),
    }


def latency(entries: Iterable[Entry]) -> Record:
    """How long each step from the alert to the last fill took, in seconds."""
    steps = ("alert_received", "received_created", "created_fill", "fill_filled")
    times = [(entry.row.alert_time, *entry.times) for entry in entries]
    return {
        name: _spread(
            [
                instants.seconds_between(each[place], each[place + 1])
                for each in times
                if each[place] and each[place + 1]
            ]
        )
        for place, name in enumerate(steps)
    }


def _spread(values: list[float]) -> Record:
    """The median, the 95th percentile and the number of values."""
    ordered = sorted(values)
    if not ordered:
        return {"median": None, "p95": None, "n": 0}
    last = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    return {"median": plain(median(ordered)), "p95": plain(last), "n": len(ordered)}
