"""What the reported positions are judged by: pairs that are not hedged, symbols held otherwise."""

from collections.abc import Iterable
from typing import NamedTuple

from models import positions
from models.positions import PairPosition, Positions
from trading import alarms, equation, instants
from trading.alarms import Case, Disagreement


class Judgment(NamedTuple):
    """Cases that have begun or go on, by key, and what is known of the pairs' legs.

    `matched` are the pairs whose legs match, `reported` says when a pair's legs were last reported.
    """

    cases: dict[str, Case]
    matched: set[str]
    reported: dict[str, float]


class Holdings:
    """Judges positions whenever something has changed; two reports in a row must say the same."""

    def __init__(self, apart: float):
        self._apart = apart  # seconds that the two reports must lie apart
        self.forget()

    def forget(self) -> None:
        """Remembers nothing of earlier reports."""
        self._first: dict[str, float] = {}  # when a report first disagreed, by key
        self._busy: dict[str, float] = {}  # the last report while an order was open, by key
        self._seen: tuple | None = None
        self._judgment = Judgment({}, set(), {})

    def judge(self, open_keys: Iterable[str]) -> Judgment:
        """What is wrong with the positions; what is open stays until they match."""
        seen = positions.last_change()
        if seen != self._seen:
            self._judgment = self._judge(set(open_keys))
            self._seen = seen
        return self._judgment

    def _judge(self, open_keys: set[str]) -> Judgment:
        if not positions.is_reported():
            return Judgment({}, set(), {})
        held = positions.positions_now()
        working, waiting = positions.symbols_at_work()
        found = [
            *_unhedged(held, _spelled(working)),
            *_unexpected(held, _spelled(working | waiting)),
        ]
        cases, first, busy = {}, {}, {}
        for each, is_busy in found:
            key = each.case.key
            if key in open_keys:
                cases[key] = each.case
            elif is_busy or each.newest <= self._busy.get(key, 0.0):
                busy[key] = each.newest
            else:
                first[key] = self._first.get(key, each.newest)
                if alarms.confirmed(each, first[key], self._apart):
                    cases[key] = each.case._replace(since=first[key])
        self._first, self._busy = first, busy
        return Judgment(cases, *_matched(held))


def _unhedged(held: Positions, busy: set[str]) -> Iterable[tuple[Disagreement, bool]]:
    """(what is wrong, whether an order is open) of each pair that is not hedged."""
    common = [leg.symbol for each in held.pairs for leg in each.legs]
    for each in held.pairs:
        if each.hedge.is_broken:
            leg = each.legs[each.hedge.leg - 1]
            notes = "" if each.pair.status else " The pair is paused."
            for shared in [leg for leg in each.legs if common.count(leg.symbol) > 1]:
                notes += f" {shared.symbol} is a leg of other pairs, too."
            case = alarms.unhedged(each.pair.name, leg.symbol, each.hedge, leg.currency, notes)
            symbols = {leg.symbol for leg in each.legs}
            yield Disagreement(case, *_reports(each, held)), bool(symbols & busy)


def _reports(pair: PairPosition, held: Positions) -> tuple[float, float]:
    """The oldest report among the legs that are held, and the newest; 0 where one has none."""
    moments = [_moment(held.reported.get(leg.symbol)) for leg in pair.legs if leg.position]
    every = [_moment(held.reported.get(leg.symbol)) for leg in pair.legs]
    return min(moments, default=0.0), max(every) if all(moments) else 0.0


def _unexpected(held: Positions, busy: set[str]) -> Iterable[tuple[Disagreement, bool]]:
    for each in held.expected:
        if case := alarms.unexpected(each.symbol, each.expected, each.held):
            moment = _moment(each.reported)
            yield Disagreement(case, moment, moment), each.symbol in busy


def _matched(held: Positions) -> tuple[set[str], dict[str, float]]:
    matched = {each.pair.name for each in held.pairs if not each.hedge.is_broken}
    reported = {each.pair.name: _reports(each, held)[1] for each in held.pairs}
    return matched, {name: moment for name, moment in reported.items() if moment}


def _moment(stored: str | None) -> float:
    return instants.unix(stored) if stored else 0.0


def _spelled(symbols: set[str | None]) -> set[str]:
    """The symbols in all their spellings."""
    return {way for symbol in symbols if symbol for way in equation.spellings(symbol)}
