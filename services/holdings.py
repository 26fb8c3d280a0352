"""Positions that do not match: alarms that begin once two reports in a row say the same."""

from collections.abc import Container, Iterable
from typing import NamedTuple

from models import Stock
from services import positions
from services.positions import PairPosition, Positions
from trading import alarms, equation, instants
from trading.alarms import Case


class Judgment(NamedTuple):
    """Cases that have begun or go on, by key, and what is known of the pairs' legs.

    `matched` are the pairs whose legs match, `reported` says when a pair's legs were last reported.
    """

    cases: dict[str, Case]
    matched: set[str]
    reported: dict[str, float]


class Found(NamedTuple):
    """Positions that do not match now.

    `oldest` and `newest` are the first and the last report among those of the symbols held;
    `is_busy`: an order of a symbol is open, or a signal of it waits.
    """

    case: Case
    oldest: float
    newest: float
    is_busy: bool


class Holdings:
    """Judges positions whenever something has changed."""

    def __init__(self, apart: float):
        self._apart = apart  # seconds that the two reports must lie apart
        self.forget()

    def forget(self) -> None:
        """Remembers nothing of earlier reports."""
        self._first: dict[str, float] = {}  # when a report first disagreed, by key
        self._busy: dict[str, float] = {}  # the last report while an order was open, by key
        self._seen: tuple | None = None
        self._judgment = Judgment({}, set(), {})

    def judge(self, open_keys: Container[str]) -> Judgment:
        """What is wrong with the positions; what is open stays until they match."""
        seen = positions.last_change()
        if seen != self._seen:
            self._judgment = self._judge(open_keys)
            self._seen = seen
        return self._judgment

    def _judge(self, open_keys: Container[str]) -> Judgment:
        if not Stock.is_reported():
            return Judgment({}, set(), {})
        held = positions.positions_now()
        cases, first, busy = {}, {}, {}
        for found in _mismatches(held):
            key = found.case.key
            if key in open_keys:
                cases[key] = found.case
            elif found.is_busy or found.newest <= self._busy.get(key, 0.0):
                busy[key] = found.newest
            else:
                first[key] = self._first.get(key, found.newest)
                if found.oldest - first[key] >= self._apart:
                    cases[key] = found.case._replace(since=first[key])
        self._first, self._busy = first, busy
        matched = {each.pair.name for each in held.pairs if not each.hedge.is_broken}
        reported = {each.pair.name: _reports(each, held)[1] for each in held.pairs}
        return Judgment(cases, matched, {name: at for name, at in reported.items() if at})


def _mismatches(held: Positions) -> Iterable[Found]:
    """The pairs that are not hedged, and the symbols of which something else is held."""
    placed, waiting = positions.symbols_at_work()
    working, busy = _spelled(placed), _spelled(placed | waiting)
    common = [leg.symbol for each in held.pairs for leg in each.legs]
    for each in held.pairs:
        if each.hedge.is_broken:
            symbols = [leg.symbol for leg in each.legs]
            leg = each.legs[each.hedge.leg - 1]
            notes = "" if each.pair.status else " The pair is paused."
            for symbol in symbols:
                if common.count(symbol) > 1:
                    notes += f" {symbol} is a leg of other pairs, too."
            case = alarms.unhedged(each.pair.name, leg.symbol, each.hedge, leg.currency, notes)
            yield Found(case, *_reports(each, held), not working.isdisjoint(symbols))
    for each in held.expected:
        if case := alarms.unexpected(each.symbol, each.expected, each.held):
            moment = _moment(each.reported)
            yield Found(case, moment, moment, each.symbol in busy)


def _reports(pair: PairPosition, held: Positions) -> tuple[float, float]:
    """The oldest report among the legs that are held, and the newest; 0 where one has none."""
    moments = [_moment(held.reported.get(leg.symbol)) for leg in pair.legs if leg.position]
    every = [_moment(held.reported.get(leg.symbol)) for leg in pair.legs]
    return min(moments, default=0.0), max(every) if all(moments) else 0.0


def _moment(stored: str | None) -> float:
    return instants.unix(stored) if stored else 0.0


def _spelled(symbols: set[str | None]) -> set[str]:
    """The symbols in all their spellings."""
    return {way for symbol in symbols if symbol for way in equation.spellings(symbol)}
