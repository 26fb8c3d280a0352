"""What is held, as the bridge reports it, and what the newest alerts want of it."""

from collections.abc import Iterable
from itertools import product
from operator import attrgetter, itemgetter
from typing import NamedTuple

import orjson
from peewee import fn

from models import (
    MOVE,
    EventRow,
    Held,
    Pair,
    Record,
    Signal,
    Stock,
    Unregistered,
)
from trading import alerts, equation, fills, instants, positions, statuses
from trading.alerts import Move
from trading.judging import CURRENCIES
from trading.positions import Claim, Hedge, Holding, Total

# Newest signals of a ticker that are read; more of them only where the fewer do not tell enough.
LOOKS = (1, 6, 50)
LATEST_REPORTS = 100  # reports of a position that are read to find when it began
ORDER_LIVES = 86_400  # seconds; an order that nobody has heard of for longer is not open any more

Legs = tuple[str, str | None]  # of a ticker: leg 2 is None for a single


class Wanted(NamedTuple):
    """The position (for a pair: of leg 1) that a ticker's newest alert wants.

    `told`: there is such an alert. The size is None where it carries no positions.
    """

    told: bool
    size: float | None


class OrderAtWork(NamedTuple):
    """An order at the broker: how much of `leg` is filled, and since when its signal is there."""

    rowid: int
    order_status: str
    leg: int
    filled: float
    size: float
    since: str


class PairPosition(NamedTuple):
    """A pair, what is held of its legs, how the hedge fits, and its newest order at the broker.

    `shares` is what this pair holds of each leg, where others have the leg, too. `since` is when
    the position began, which only `positions_told` asks; None where that is not known.
    """

    pair: Pair
    legs: tuple[Holding, Holding]
    shares: tuple[float, float] = (0.0, 0.0)
    hedge: Hedge = Hedge(positions.FLAT)
    wanted: Wanted = Wanted(False, 0.0)
    since: str | None = None
    working: OrderAtWork | None = None


class Expected(NamedTuple):
    """What the newest alerts say that an account holds of a symbol, and what it does hold."""

    symbol: str
    expected: float
    held: float
    reported: str | None


class Positions(NamedTuple):
    """All that is held: pairs by name, the other positions by symbol, sums by currency.

    `pairs` are those that are active or held, `idle` the others.
    """

    pairs: list[PairPosition]
    idle: list[PairPosition]
    singles: list[Holding]
    totals: list[Total]
    expected: list[Expected]
    unregistered: list[Unregistered]
    reported: dict[str, str | None]


def last_change() -> tuple[int, str | None]:
    """What differs once a position was reported or anything else has changed."""
    return EventRow.last_id(), Stock.select(fn.MAX(Stock.reported)).scalar()


def positions_told() -> Positions:
    """As `positions_now`, and since when each pair is held."""
    held = positions_now()
    since = _since([each for each in held.pairs if each.shares[0]])
    pairs = [each._replace(since=since.get(each.pair.name)) for each in held.pairs]
    return held._replace(pairs=pairs)


def positions_now() -> Positions:
    """The positions as the bridge reported them last."""
    rows, stocks = _registered()
    pairs, idle = _pairs(rows, stocks)
    legs = {leg.symbol for each in pairs for leg in each.legs}
    held = [each for each in stocks.values() if each.position or each.pnl]
    singles = sorted((each for each in held if each.symbol not in legs), key=attrgetter("symbol"))
    reported = {symbol: row.reported for symbol, row in rows.items()}
    return Positions(
        pairs,
        idle,
        singles,
        positions.totals(held),
        _expected(pairs, rows),
        _unregistered(rows),
        reported,
    )


def pairs_now() -> list[PairPosition]:
    """The pairs that are active or held, as in `positions_now`."""
    return _pairs(*_registered())[0]


def _registered() -> tuple[dict[str, Held], dict[str, Holding]]:
    """The stocks by symbol, and what is held of each."""
    rows = {row.symbol: row for row in _without_aliases(Stock.held())}
    return rows, {symbol: _holding(row) for symbol, row in rows.items()}


def _unregistered(registered: Iterable[str]) -> list[Unregistered]:
    """What is still not registered, and was reported within a day."""
    recent = Unregistered.select().where(Unregistered.reported > instants.ago(ORDER_LIVES))
    known = set(registered)
    return [row for row in recent.order_by(Unregistered.symbol) if row.symbol not in known]


def _pairs(
    rows: dict[str, Held], stocks: dict[str, Holding]
) -> tuple[list[PairPosition], list[PairPosition]]:
    """The pairs that are active or held, and the others.

    No paused pair holds what is traded alone.
    """
    alone = {symbol for symbol, row in rows.items() if row.active}
    orders = orders_at_work()
    found, idle = [], []
    for pair in Pair.select().order_by(Pair.name).namedtuples():
        legs = tuple(_leg(stocks, symbol) for symbol in (pair.ticker1, pair.ticker2))
        nothing = PairPosition(pair, legs, working=orders.get(_spelled(*_legs(pair))))
        is_held = any(leg.position and leg.symbol not in alone for leg in legs)
        (found if pair.status or is_held else idle).append(nothing)
    wants = wanted(_legs(each.pair) for each in found)
    found = [each._replace(wanted=wants[_legs(each.pair)]) for each in found]
    held = {symbol: holding.position for symbol, holding in stocks.items()}
    shares = positions.share_out(map(_claim, found), held, alone)
    return [_with_shares(each, shares[each.pair.name]) for each in found], idle


def _legs(pair: Pair) -> Legs:
    return pair.ticker1, pair.ticker2


def _claim(held: PairPosition) -> Claim:
    pair, wants = held.pair, held.wanted
    legs = (leg.symbol for leg in held.legs)
    return Claim(
        pair.name, *legs, pair.hedge, bool(pair.status), wants.size if wants.told else None
    )


def _with_shares(held: PairPosition, shares: tuple[float, float]) -> PairPosition:
    mine = [
        Holding(leg.symbol, share, leg.cost, leg.pnl, leg.currency)
        for leg, share in zip(held.legs, shares, strict=True)
    ]
    return held._replace(shares=shares, hedge=positions.hedge(*mine, held.pair.hedge))


def _since(held: list[PairPosition]) -> dict[str, str]:
    """{pair: when its position began}: by its alerts, else by the reports of leg 1."""
    found: dict[str, str] = {}
    for most in LOOKS:
        asked = [each for each in held if each.pair.name not in found]
        moves = _moves([_legs(each.pair) for each in asked], most)
        for each in asked:
            told = [(move.before, move.after, move.timestamp) for move in moves[_legs(each.pair)]]
            if began := positions.began(each.shares[0], told):
                found[each.pair.name] = began
    left = [each for each in held if each.pair.name not in found]
    reports = _reports({each.legs[0].symbol for each in left})
    for each in left:
        if began := positions.began(each.shares[0], reports[each.legs[0].symbol]):
            found[each.pair.name] = began
    return found


def _reports(symbols: set[str]) -> dict[str, list[tuple]]:
    """{symbol: (position before, after, time) of its newest reports, newest first}."""
    found: dict[str, list[tuple]] = {symbol: [] for symbol in symbols}
    for _, symbol, moment, kind, changes in EventRow.newest_of_each(symbols, LATEST_REPORTS):
        if kind == "position.updated" and (change := orjson.loads(changes).get("active_pos")):
            found[symbol].append((*change, moment))
    return found


def _expected(pairs: list[PairPosition], rows: dict[str, Held]) -> list[Expected]:
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
    alone = [
        (symbol, None)
        for symbol, row in rows.items()
        if row.active or (row.active_pos and symbol not in asks)
    ]
    for (symbol, _), wants in wanted(alone).items():
        asks.setdefault(symbol, []).append(wants)
    return [
        Expected(
            symbol, sum(ask.size for ask in mine), rows[symbol].active_pos, rows[symbol].reported
        )
        for symbol, mine in sorted(asks.items())
        if symbol in rows and rows[symbol].reported and _is_known(mine)
    ]


def _is_known(asks: list[Wanted]) -> bool:
    return any(ask.told for ask in asks) and all(ask.size is not None for ask in asks)


def wanted(asked: Iterable[Legs]) -> dict[Legs, Wanted]:
    """What each ticker's newest alert wants that was not refused."""
    found = {legs: Wanted(False, 0.0) for legs in asked}
    for most in LOOKS:
        left = [legs for legs, wants in found.items() if not wants.told]
        for legs, moves in _moves(left, most).items():
            if moves:
                found[legs] = Wanted(True, moves[0].after)
    return found


def _moves(asked: list[Legs], most: int) -> dict[Legs, list[Move]]:
    """Each ticker's newest alerts that were not refused, of its last `most`, newest first."""
    found: dict[Legs, list[Move]] = {}
    ways: dict[Legs, list[Move]] = {}  # the same lists, by each spelling of the legs
    for legs in asked:
        spelled = [(way, None) for way in equation.spellings(legs[0])]
        if legs[1] is not None:
            spelled = list(product(*map(equation.spellings, legs)))
        found[legs] = ways.setdefault(spelled[0], [])
        ways.update(dict.fromkeys(spelled, found[legs]))
    for *values, leg1, leg2 in Signal.newest_of_each(ways, most):
        row = dict(zip(MOVE, values, strict=True))
        status, message = row["order_status"], row["status_msg"]
        from_bridge = alerts.is_from_bridge(message, row["order_comment"])
        is_refused = status == statuses.HELD or statuses.is_refused(status, message)
        if not from_bridge and not is_refused:
            row["strategy_pos"] = None  # the account is to hold what the order says
            ways[leg1, leg2].append(alerts.move(row))
    return found


def open_tickers() -> set[str]:
    """The active pairs and singles that have a position, by the newest alert of each.

    Where that carries no position, the account's position decides. A held entry counts, too.
    """
    held = {row.symbol: row for row in _without_aliases(Stock.held())}
    tickers: dict[Legs, str] = {(leg1, leg2): name for name, leg1, leg2 in Pair.active()}
    tickers |= {(symbol, None): symbol for symbol, row in held.items() if row.active}
    names = {
        tickers[legs]
        for legs, (_, size) in wanted(tickers).items()
        if (size if size is not None else legs[0] in held and held[legs[0]].active_pos)
    }
    return names | {"-".join(filter(None, legs)) for legs in Signal.held_legs()}


def is_open(legs: Legs) -> bool:
    """Whether an active pair or single is one of `open_tickers`; this costs less."""
    size = wanted([legs])[legs].size
    if size is None:
        rows = _without_aliases(Stock.held())
        size = next((row.active_pos for row in rows if row.symbol == legs[0]), 0.0)
    return bool(size) or legs in Signal.held_legs()


def orders_at_work() -> dict[tuple[str, str | None], OrderAtWork]:
    """{(leg 1, leg 2): the newest order at the broker}; see `_spelled` for the keys."""
    rows = Signal.placed_after(instants.ago(ORDER_LIVES))
    return {
        _spelled(row["stk_ticker1"], row["stk_ticker2"]): _at_work(row)
        for row in sorted(rows, key=itemgetter("rowid"))
        if row["stk_ticker1"]
    }


def _spelled(leg1: str, leg2: str | None) -> tuple[str, str | None]:
    """The legs in one spelling for all that they have."""
    return min(equation.spellings(leg1)), leg2 and min(equation.spellings(leg2))


def _at_work(row: Record) -> OrderAtWork:
    try:
        leg, filled, size = fills.progress(fills.order_of(row))
    except ValueError:  # the numbers do not tell
        leg, filled, size = 1, 0.0, row["order_contracts"]
    return OrderAtWork(row["rowid"], row["order_status"], leg, filled, size, row["timestamp"])


def symbols_at_work() -> tuple[set[str], set[str]]:
    """The symbols that orders are open for, and those that signals wait for."""
    placed = (*statuses.PLACED, statuses.ERROR)
    columns = (Signal.stk_ticker1, Signal.stk_ticker2, Signal.order_status, Signal.order_id1)
    rows = Signal.select(*columns).where(
        Signal.order_status.in_((*placed, *statuses.OFFERED, statuses.HELD)),
        Signal.timestamp > instants.ago(ORDER_LIVES),
    )
    working: set[str] = set()
    waiting: set[str] = set()
    for leg1, leg2, status, order_id in rows.tuples():
        if status in (*statuses.OFFERED, statuses.HELD):
            waiting |= {leg1, leg2}
        elif status != statuses.ERROR or order_id is not None:  # placed, with a message
            working |= {leg1, leg2}
    return working, waiting


def _without_aliases(rows: list[Held]) -> list[Held]:
    """The stocks without second spellings of currency pairs: the dotted row has the position."""
    pairs = {row.symbol for row in rows if row.sectype in CURRENCIES}

    def is_alias(symbol: str) -> bool:
        broker = equation.spellings(symbol)[0]
        return symbol in pairs and symbol != broker and broker in pairs

    return [row for row in rows if not is_alias(row.symbol)]


def _holding(stock: Held) -> Holding:
    return Holding(
        stock.symbol, stock.active_pos, stock.active_cost, stock.active_pnl, stock.currency
    )


def _leg(stocks: dict[str, Holding], symbol: str) -> Holding:
    """A leg's holding, found in either spelling; an empty one where nothing is known of it."""
    ways = [way for way in (*equation.spellings(symbol), symbol) if way in stocks]
    return stocks[ways[0]] if ways else Holding(symbol, 0.0, 0.0, 0.0, "USD")
