"""A look at everything that an alarm may be about, in the reading thread."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from cachetools import LRUCache

import models
from alarms.holdings import Holdings, Judgment
from models import lookout
from trading import alarms, instants, outcomes, statuses
from trading.alarms import Case, Held, Silence, Strategy

MOST_EVENTS = 300  # looked through at a time
UNWRITTEN = 500  # events looked through in vain before the place among them is written down
MOST_SIGNALS = 200
MOST_OPEN = 100  # alarms of one kind; one more stands for all others
MOST_STRATEGIES = 2000  # remembered
MOST_WORDS = 200  # of a message in an alarm
OUTCOMES = {outcomes.FAILED: alarms.ERRORS, outcomes.NOT_TRADED: alarms.NOT_TRADED}
OF_POSITIONS = (alarms.UNHEDGED, alarms.EXPECTED)


class Limits(NamedTuple):
    """From the settings: seconds, and the kinds that nobody wants."""

    bridge: float
    waiting: float
    leg: float
    missed: float
    report: float
    unwanted: tuple[str, ...]


class Findings(NamedTuple):
    """What a look has found: cases and when to tell of each, and the keys of those that are over.

    `base` and `reached` are the events it began after and ended at, `wake` is when the next case
    may begin.
    """

    base: int
    reached: int
    begun: list[tuple[Case, float]]
    over: list[str]
    wake: float | None
    more: bool

    @property
    def changes(self) -> bool:
        """Whether there is something to write."""
        return bool(self.begun or self.over or self.reached - self.base >= UNWRITTEN)


class Surveyor:
    """Looks again and again; remembers between two looks what would cost a query each time."""

    def __init__(self, limits: Limits, started: float):
        self._limits = limits
        self._started = started
        self.bridge_is_silent = False
        self._reached = 0  # the last event that was looked at
        self._since: dict[tuple, float] = {}
        self._strategies: LRUCache[str, Strategy] = LRUCache(MOST_STRATEGIES)
        self._holdings = Holdings(limits.report)
        self._beyond = 0  # signals that wait too long and were not read
        self._begun: list[tuple[Case, float]] = []
        self._over: list[str] = []
        self._wake: float | None = None

    def forget(self) -> None:
        """Remembers nothing: another process has looked meanwhile, or nothing was written."""
        self._reached = 0
        self._since.clear()
        self._strategies.clear()
        self._holdings.forget()

    def look(self, polled: float) -> Findings:
        """What is wrong now; `polled` is when the bridge was last here."""
        now, watch = time.time(), models.AlarmWatch.get()
        self._begun, self._over, self._wake, self._beyond = [], [], None, 0
        open_ones = {each.key: each for each in models.Alarm.open_ones()}
        found = lookout.happenings(max(watch.position, self._reached), MOST_EVENTS)
        self._conditions(open_ones, polled, instants.unix(watch.started), now)
        self._happenings(found, open_ones, now)
        begun = self._wanted(open_ones)
        self._reached, wake = found.reached, self._wake
        return Findings(watch.position, found.reached, begun, self._over, wake, found.more)

    def _wanted(self, open_ones: dict[str, models.Alarm]) -> list[tuple[Case, float]]:
        """What is to be opened or has changed.

        Of each kind only so many are open at once; one more stands for all that are beyond.
        """
        room = Counter(dict.fromkeys(alarms.KINDS, MOST_OPEN))
        room.subtract(each.kind for each in open_ones.values() if each.subject != alarms.MORE)
        wanted, beyond = [], {}
        for case, due in self._begun:
            if case.kind in self._limits.unwanted:
                continue
            if known := open_ones.get(case.key):
                if case.is_news(known.number, known.what):
                    wanted.append((case, due))
            elif room[case.kind] > 0:
                room[case.kind] -= 1
                wanted.append((case, due))
            else:
                beyond.setdefault(case.kind, []).append((case, due))
        return wanted + self._summed(beyond, open_ones)

    def _summed(
        self, beyond: dict[str, list], open_ones: dict[str, models.Alarm]
    ) -> list[tuple[Case, float]]:
        """A case for each kind that has too many; closes those of kinds that have not any more."""
        wanted = []
        for kind, cases in beyond.items():
            last, due = cases[-1]
            number = float(len(cases) + (self._beyond if kind == alarms.WAITING else 0))
            case = Case(kind, alarms.MORE, last.since, last.what, number)
            known = open_ones.get(case.key)
            if known is None or case.is_news(known.number, known.what):
                wanted.append((case, due))
        for key, each in open_ones.items():
            lasts = each.kind not in alarms.HAPPENINGS
            if each.subject == alarms.MORE and lasts and each.kind not in beyond:
                self._over.append(key)
        return wanted

    # --- what lasts ------------------------------------------------------------------

    def _conditions(
        self, open_ones: dict[str, models.Alarm], polled: float, first: float, now: float
    ) -> None:
        offered = lookout.offered(MOST_SIGNALS)
        back = self._bridge(open_ones, polled, len(offered), now)
        held = {("waiting", row["rowid"]) for row in offered}
        # While the bridge is silent its own alarm says it for all that wait.
        if back is not None:
            self._waiting(offered, back, now)
        held |= self._legs(lookout.half_way(MOST_SIGNALS), first, now)
        self._since = {key: since for key, since in self._since.items() if key in held}
        judged = self._holdings.judge(open_ones)
        self._begun += [(case, now) for case in judged.cases.values()]
        self._end_others(open_ones, judged)

    def _bridge(
        self, open_ones: dict[str, models.Alarm], polled: float, waiting: int, now: float
    ) -> float | None:
        """Since when the bridge is back, None while it is silent."""
        if alarms.BRIDGE in self._limits.unwanted:
            return 0.0
        if waiting == MOST_SIGNALS:  # and perhaps more
            waiting = models.Signal.count_offered()
        known = open_ones.get(f"{alarms.BRIDGE}:{alarms.BRIDGE}")
        limit = self._limits.bridge
        since = known and instants.unix(known.since)
        case = alarms.silent_bridge(Silence(polled, self._started, waiting, since), now, limit)
        self.bridge_is_silent = case is not None
        if case:
            self._begun.append((case, now))
            return None
        if known:
            self._over.append(known.key)
            return now
        if waiting:
            self._next(max(polled, self._started) + limit)
        ended = models.Alarm.last_closed(alarms.BRIDGE)
        return instants.unix(ended) + alarms.CUT_OFF if ended else 0.0

    def _waiting(self, rows: list[dict], back: float, now: float) -> None:
        limit = self._limits.waiting
        if len(rows) == MOST_SIGNALS:
            late = lookout.count_late(instants.from_epoch(now - limit))
            self._beyond = max(0, late - MOST_SIGNALS)
        for row in rows:
            # It cannot have waited for longer than it is there, so its history need not be read.
            since = max(instants.unix(row["timestamp"]), back)
            if 0 <= now - since < limit:
                self._next(since + limit + alarms.CUT_OFF)
                continue
            held = self._held(("waiting", row["rowid"]), row, alarms.is_offered)
            self._judge(alarms.late(held, back, now, limit), max(held.since, back) + limit, now)

    def _legs(self, rows: list[dict], first: float, now: float) -> set[tuple]:
        found = set()
        for row in rows:
            if not (lagging := alarms.lagging_leg(row)):
                continue
            key = ("leg", row["rowid"], lagging)
            held = self._held(key, row, lambda r, leg=lagging: alarms.lagging_leg(r) == leg)
            found.add(key)
            if held.since >= first:  # what hung before the first look is known to its owner
                limit, leg = self._limits.leg, row[f"stk_ticker{lagging}"]
                self._judge(alarms.one_legged(held, leg, now, limit), held.since + limit, now)
        return found

    def _judge(self, case: Case | None, begins: float, now: float) -> None:
        if case:
            self._begun.append((case, now))
        else:
            self._next(begins + alarms.CUT_OFF)

    def _next(self, moment: float) -> None:
        self._wake = moment if self._wake is None else min(self._wake, moment)

    def _held(self, key: tuple, row: dict[str, Any], holds: Callable) -> Held:
        if key not in self._since:
            since = alarms.held_since(row, lookout.history(row["rowid"]), holds)
            self._since[key] = instants.unix(row["timestamp"]) if since is None else since
        return Held(row["rowid"], _name(row), self._since[key])

    def _end_others(self, open_ones: dict[str, models.Alarm], judged: Judgment) -> None:
        """Closes what is over: its signal goes on, its positions match, nobody wants it."""
        numbered = [each for each in open_ones.values() if each.subject.isdigit()]
        rowids = [int(each.subject) for each in numbered]
        signals, rejected = lookout.signals_of(rowids), lookout.rejected_of(rowids)
        for key, each in open_ones.items():
            if each.kind in self._limits.unwanted or (
                each.kind in OF_POSITIONS
                and each.subject != alarms.MORE
                and key not in judged.cases
            ):
                self._over.append(key)
        for each in numbered:
            signal = signals.get(int(each.subject))
            if each.kind in OF_POSITIONS:
                continue
            if each.kind == alarms.LEG and signal and signal["order_status"] == statuses.CANCELED:
                over = _leg_is_settled(signal, judged)
            else:
                over = _is_over(each, signal, rejected)
            if over:
                self._over.append(each.key)

    # --- what has happened -----------------------------------------------------------

    def _happenings(
        self, found: lookout.Happenings, open_ones: dict[str, models.Alarm], now: float
    ) -> None:
        for rowid, row in lookout.signals_of(found.ended).items():
            if kind := OUTCOMES.get(outcomes.classify(row["order_status"], row["status_msg"])):
                message = row["error_msg"] or row["status_msg"] or row["order_status"]
                self._happened(kind, rowid, f"Signal {rowid}, {_name(row)}: {_short(message)}", now)
        for rowid, reasons in lookout.rejected_of(found.rejected).items():
            self._happened(alarms.REJECTED, rowid, _short(_in_words(reasons)), now)
        for rowid, row in lookout.signals_of(list(found.warned)).items():
            what = f"Signal {rowid}, {_name(row)}: {_short(found.warned[rowid])}"
            self._happened(alarms.ALERT_ID, rowid, what, now)
        for newer in found.ordered:
            for row in lookout.older_orders(newer):
                since = instants.unix(row["timestamp"])
                what = (
                    f"Signal {row['rowid']}, {_name(row)}: its order {row['order']} is open since "
                    f"before signal {newer}, which got the same id and its reports."
                )
                self._begun.append((Case(alarms.ORDER_ID, str(row["rowid"]), since, what), now))
        for alert in found.alerts:
            self._follow(alert, open_ones, now)

    def _happened(self, kind: str, rowid: int, what: str, now: float) -> None:
        self._begun.append((Case(kind, str(rowid), now, what), now))

    def _follow(self, alert: alarms.Alert, open_ones: dict[str, models.Alarm], now: float) -> None:
        known = self._strategies.get(alert.name)
        if known is None:
            for earlier in lookout.earlier_alerts(alert):
                known, _ = alarms.follow(known, earlier)
        known, result = alarms.follow(known, alert)
        if isinstance(result, Case):
            # Alerts may overtake each other: the missing one gets a while to arrive.
            self._begun.append((result._replace(since=now), now + self._limits.missed))
        elif result is not None:
            key = f"{alarms.MISSED}:{result}"
            self._begun = [each for each in self._begun if each[0].key != key]
            if key in open_ones:
                self._over.append(key)
        if known is not None:
            self._strategies[alert.name] = known


def _is_over(alarm: models.Alarm, signal: dict | None, rejected: dict[int, str]) -> bool:
    match alarm.kind:
        case alarms.WAITING:
            return signal is None or not alarms.is_offered(signal)
        case alarms.LEG:
            return signal is None or alarms.lagging_leg(signal) is None
        case alarms.ERRORS | alarms.NOT_TRADED:
            return signal is None or OUTCOMES.get(_outcome(signal)) != alarm.kind
        case alarms.ORDER_ID:
            return signal is None or signal["order_status"] not in lookout.PLACED
        case alarms.REJECTED:
            return int(alarm.subject) not in rejected
    return False


def _outcome(signal: dict) -> str:
    return outcomes.classify(signal["order_status"], signal["status_msg"])


def _leg_is_settled(signal: dict, judged: Judgment) -> bool:
    """Whether the positions say what became of a pair that was canceled half-way.

    They match, or are an alarm of their own; where nobody reports them, nothing can be said.
    """
    if alarms.unfilled_leg(signal) is None:
        return True
    name = _name(signal)
    reported = judged.reported.get(name)
    if reported is None or f"{alarms.UNHEDGED}:{name}" in judged.cases:
        return True
    return name in judged.matched and reported > lookout.history(signal["rowid"])[0][0]


def _name(row: dict[str, Any]) -> str:
    return "-".join(filter(None, (row["stk_ticker1"], row["stk_ticker2"]))) or row["ticker"]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 1] + "…"


def _in_words(reasons: str) -> str:
    """Stored reasons as a sentence: {"price": "must be a number"} as `price: must be a number`."""
    read = json.loads(reasons)
    if isinstance(read, dict):
        return "; ".join(f"{field}: {reason}" for field, reason in read.items())
    return str(read)
