"""The account: its records, when the bridge was here, and the positions that it reports."""

from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from peewee import fn

from database.opening import announce
from models import (
    AccountRecord,
    Bridge,
    EventRow,
    Pair,
    Record,
    Signal,
    Stock,
    Unregistered,
    of_symbol,
)
from services import events
from trading import alerts, equation, instants, positions, statuses
from trading.judging import CURRENCIES
from trading.positions import Claim, Hedge, Holding, Total

BRIDGE = "bridge"  # announced: the bridge was seen, and when
LOOKED_BACK = 50  # signals of a ticker that are read to find one that was not refused
ORDER_LIVES = 86_400  # seconds; an order that nobody has heard of for longer is not open any more
_TOLD = ("mar_pos", "mar_pos_size", "order_status", "status_msg", "order_comment")


def keep(fields: Record, source: str) -> None:
    """Stores a new record of the present instant."""
    events.add(AccountRecord, source, timestamp=instants.now(), **fields)


def change(rowid: int, fields: Record, source: str) -> AccountRecord:
    """Sets the fields of a record, its time among them; raises Missing."""
    record = AccountRecord.find(rowid)
    events.change(record, source, fields)
    return record


def delete(rowid: int, source: str) -> None:
    """Deletes a record; raises Missing."""
    events.remove(AccountRecord.find(rowid), source)


def saw_bridge(moment: str, stores: bool) -> None:
    """Tells all processes of a poll, and writes it down if asked to."""
    announce(BRIDGE, moment)
    if stores:
        row = Bridge.insert(name="bridge", last_seen=moment)
        row.on_conflict(conflict_target=[Bridge.name], preserve=[Bridge.last_seen]).execute()


# --- positions --------------------------------------------------------------------------


class Wanted(NamedTuple):
    """The position (for a pair: of leg 1) that a ticker's newest alert wants.

    `told`: there is such an alert. The size is None where it carries no positions.
    """

    told: bool
    size: float | None


class PairPosition(NamedTuple):
    """A pair that is active or held, what is held of its legs, and how the hedge fits.

    `shares` is what this pair holds of each leg, where others have the leg, too.
    """

    pair: Pair
    legs: tuple[Holding, Holding]
    shares: tuple[float, float]
    hedge: Hedge
    wanted: Wanted


class Expected(NamedTuple):
    """What the newest alerts say that an account holds of a symbol, and what it does hold."""

    symbol: str
    expected: float
    held: float
    reported: str | None


class Positions(NamedTuple):
    """All that is held: pairs by name, the other positions by symbol, sums by currency."""

    pairs: list[PairPosition]
    singles: list[Holding]
    totals: list[Total]
    expected: list[Expected]
    unregistered: list[Unregistered]
    reported: dict[str, str | None]


def last_change() -> tuple[int, str | None]:
    """What differs once a position was reported or anything else has changed."""
    return EventRow.last_id(), Stock.select(fn.MAX(Stock.reported)).scalar()


def positions_now() -> Positions:
    """The positions as the bridge reported them last."""
    rows = {stock.symbol: stock for stock in _without_aliases(Stock.select())}
    stocks = {symbol: _holding(stock) for symbol, stock in rows.items()}
    pairs = _pairs(stocks, {row.symbol for row in rows.values() if row.active})
    legs = {leg.symbol for each in pairs for leg in each.legs}
    held = [each for each in stocks.values() if each.position or each.pnl]
    singles = sorted((each for each in held if each.symbol not in legs), key=attrgetter("symbol"))
    reported = {symbol: row.reported for symbol, row in rows.items()}
    return Positions(
        pairs,
        singles,
        positions.totals(held),
        _expected(pairs, rows),
        _unregistered(rows),
        reported,
    )


def _unregistered(registered: Iterable[str]) -> list[Unregistered]:
    """What is still not registered, and was reported within a day."""
    recent = Unregistered.select().where(Unregistered.reported > instants.ago(ORDER_LIVES))
    known = set(registered)
    return [row for row in recent.order_by(Unregistered.symbol) if row.symbol not in known]


def _pairs(stocks: dict[str, Holding], alone: set[str]) -> list[PairPosition]:
    """The pairs that are active or held; what is traded `alone` holds no paused pair."""
    found = []
    for pair in Pair.select().order_by(Pair.name):
        legs = tuple(_leg(stocks, symbol) for symbol in (pair.ticker1, pair.ticker2))
        if pair.status or any(leg.position and leg.symbol not in alone for leg in legs):
            found.append((pair, legs, wanted(pair.ticker1, pair.ticker2)))
    claims = [
        Claim(
            pair.name,
            *(leg.symbol for leg in legs),
            pair.hedge,
            bool(pair.status),
            ask.size if ask.told else None,
        )
        for pair, legs, ask in found
    ]
    held = {symbol: holding.position for symbol, holding in stocks.items()}
    shares = positions.share_out(claims, held, alone)
    return [_position(pair, legs, shares[pair.name], ask) for pair, legs, ask in found]


def _position(pair: Pair, legs: tuple, shares: tuple, ask: Wanted) -> PairPosition:
    mine = [
        Holding(leg.symbol, share, leg.cost, leg.pnl, leg.currency)
        for leg, share in zip(legs, shares, strict=True)
    ]
    return PairPosition(pair, legs, shares, positions.hedge(*mine, pair.hedge), ask)


def _expected(pairs: list[PairPosition], rows: dict[str, Stock]) -> list[Expected]:
    """What is expected of each reported symbol that alerts have told of, all with positions.

    A paused ticker that is flat expects nothing: its owner has closed it.
    """
    asks: dict[str, list[Wanted]] = {}
    for each in pairs:
        if each.pair.status or any(each.shares):
            told, size = each.wanted
            second = None if size is None else positions.opposite(size, each.pair.hedge)
            asks.setdefault(each.legs[0].symbol, []).append(each.wanted)
            asks.setdefault(each.legs[1].symbol, []).append(Wanted(told, second))
    for symbol, row in rows.items():
        if row.active or (row.active_pos and symbol not in asks):
            asks.setdefault(symbol, []).append(wanted(symbol, None))
    return [
        Expected(
            symbol, sum(ask.size for ask in mine), rows[symbol].active_pos, rows[symbol].reported
        )
        for symbol, mine in sorted(asks.items())
        if symbol in rows and rows[symbol].reported and _is_known(mine)
    ]


def _is_known(asks: list[Wanted]) -> bool:
    return any(ask.told for ask in asks) and all(ask.size is not None for ask in asks)


def wanted(leg1: str, leg2: str | None) -> Wanted:
    """What a ticker's newest alert wants that was not refused."""
    columns = (getattr(Signal, name) for name in _TOLD)
    rows = Signal.select(*columns).where(of_symbol(Signal.stk_ticker1, leg1))
    rows = rows.where(
        Signal.stk_ticker2.is_null() if leg2 is None else of_symbol(Signal.stk_ticker2, leg2)
    )
    for position, size, status, message, comment in (
        rows.order_by(Signal.rowid.desc()).limit(LOOKED_BACK).tuples()
    ):
        if not alerts.is_from_bridge(message, comment) and not statuses.is_refused(status, message):
            return Wanted(True, alerts.signed(position, size or 0.0))
    return Wanted(False, 0.0)


def symbols_at_work() -> tuple[set[str], set[str]]:
    """The symbols that orders are open for, and those that signals wait for."""
    placed = (*statuses.PLACED, statuses.ERROR)
    columns = (Signal.stk_ticker1, Signal.stk_ticker2, Signal.order_status, Signal.order_id1)
    rows = Signal.select(*columns).where(
        Signal.order_status.in_((*placed, *statuses.OFFERED)),
        Signal.timestamp > instants.ago(ORDER_LIVES),
    )
    working: set[str] = set()
    waiting: set[str] = set()
    for leg1, leg2, status, order_id in rows.tuples():
        if status in statuses.OFFERED:
            waiting |= {leg1, leg2}
        elif status != statuses.ERROR or order_id is not None:  # placed, with a message
            working |= {leg1, leg2}
    return working, waiting


def _without_aliases(rows: Iterable[Stock]) -> list[Stock]:
    """The stocks without second spellings of currency pairs: the dotted row has the position."""
    pairs = {row.symbol for row in rows if row.sectype in CURRENCIES}

    def is_alias(symbol: str) -> bool:
        broker = equation.spellings(symbol)[0]
        return symbol in pairs and symbol != broker and broker in pairs

    return [row for row in rows if not is_alias(row.symbol)]


def _holding(stock: Stock) -> Holding:
    return Holding(
        stock.symbol, stock.active_pos, stock.active_cost, stock.active_pnl, stock.currency
    )


def _leg(stocks: dict[str, Holding], symbol: str) -> Holding:
    """A leg's holding, found in either spelling; an empty one where nothing is known of it."""
    ways = [way for way in (*equation.spellings(symbol), symbol) if way in stocks]
    return stocks[ways[0]] if ways else Holding(symbol, 0.0, 0.0, 0.0, "USD")
