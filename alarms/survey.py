"""A look at everything that an alarm may be about, in the reading thread."""

import json
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import models
from models import lookout
from trading import alarms, instants, statuses
from trading.alarms import Case, Held, Silence, Strategy

MOST_EVENTS = 300  # looked through at a time
UNWRITTEN = 500  # events looked through in vain before the place among them is written down
MOST_SIGNALS = 200
MOST_OPEN = 100  # alarms of one kind; nobody reads more
MOST_STRATEGIES = 2000  # remembered
MOST_WORDS = 200  # of a message in an alarm


class Limits(NamedTuple):
    """From the settings: seconds, and the kinds that nobody wants."""

    bridge: float
    waiting: float
    leg: float
    missed: float
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
        self._strategies: OrderedDict[str, Strategy] = OrderedDict()
        self._begun: list[tuple[Case, float]] = []
        self._over: list[str] = []
        self._wake: float | None = None

    def forget(self) -> None:
        """Remembers nothing: another process has looked meanwhile, or nothing was written."""
        self._reached = 0
        self._since.clear()
        self._strategies.clear()

    def look(self, polled: float) -> Findings:
        """What is wrong now; `polled` is when the bridge was last here."""
        now, watch = time.time(), models.AlarmWatch.get()
        self._begun, self._over, self._wake = [], [], None
        open_ones = {each.key: each for each in models.Alarm.open_ones()}
        found = lookout.happenings(max(watch.position, self._reached), MOST_EVENTS)
        self._conditions(open_ones, polled, instants.unix(watch.started), now)
        self._happenings(found, open_ones, now)
        begun = self._wanted(open_ones)
        self._reached, wake = found.reached, self._wake
        return Findings(watch.position, found.reached, begun, self._over, wake, found.more)

    def _wanted(self, open_ones: dict[str, models.Alarm]) -> list[tuple[Case, float]]:
        """What has begun and is to be opened; of each kind only so many are open at once."""
        room = Counter(dict.fromkeys(alarms.KINDS, MOST_OPEN))
        room.subtract(each.kind for each in open_ones.values())
        wanted = []
        for case, due in self._begun:
            unwanted = case.kind in self._limits.unwanted or case.key in open_ones
            if not unwanted and room[case.kind] > 0:
                room[case.kind] -= 1
                wanted.append((case, due))
        return wanted

    # --- what lasts ------------------------------------------------------------------

    def _conditions(
        self, open_ones: dict[str, models.Alarm], polled: float, first: float, now: float
    ) -> None:
        offered = lookout.offered(MOST_SIGNALS)
        back = self._bridge(open_ones, polled, len(offered), now)
        held = {("waiting", row["id"]) for row in offered}
        # While the bridge is silent its own alarm says it for all that wait.
        if back is not None:
            self._waiting(offered, back, now)
        held |= self._legs(lookout.half_way(MOST_SIGNALS), first, now)
        self._since = {key: since for key, since in self._since.items() if key in held}
        self._end_others(open_ones)

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
        for row in rows:
            # It cannot have waited for longer than it is there, so its history need not be read.
            since = max(instants.unix(row["timestamp"]), back)
            if 0 <= now - since < limit:
                self._next(since + limit + alarms.CUT_OFF)
                continue
            held = self._held(("waiting", row["id"]), row, alarms.is_offered)
            self._judge(alarms.late(held, back, now, limit), max(held.since, back) + limit, now)

    def _legs(self, rows: list[dict], first: float, now: float) -> set[tuple]:
        found = set()
        for row in rows:
            if not (lagging := alarms.lagging_leg(row)):
                continue
            key = ("leg", row["id"], lagging)
            held = self._held(key, row, lambda r, leg=lagging: alarms.lagging_leg(r) == leg)
            found.add(key)
            if held.since >= first:  # what hung before the first look is known to its owner
                limit, leg = self._limits.leg, row[f"leg{lagging}"]
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
            since = alarms.held_since(row, lookout.history(row["id"]), holds)
            self._since[key] = instants.unix(row["timestamp"]) if since is None else since
        return Held(row["id"], _name(row), self._since[key])

    def _end_others(self, open_ones: dict[str, models.Alarm]) -> None:
        """Closes what is over: its signal goes on, its rejected alert is gone, nobody wants it."""
        numbered = [each for each in open_ones.values() if each.subject.isdigit()]
        rowids = [int(each.subject) for each in numbered]
        signals, rejected = lookout.signals_of(rowids), lookout.rejected_of(rowids)
        for each in numbered:
            if _is_over(each, signals.get(int(each.subject)), rejected):
                self._over.append(each.key)
        unwanted = self._limits.unwanted
        self._over += [key for key, each in open_ones.items() if each.kind in unwanted]

    # --- what has happened -----------------------------------------------------------

    def _happenings(
        self, found: lookout.Happenings, open_ones: dict[str, models.Alarm], now: float
    ) -> None:
        for rowid, row in lookout.signals_of(found.failed).items():
            if row["status"] in statuses.FAILED:
                message = row["error_message"] or row["status_message"] or row["status"]
                what = f"Signal {rowid}, {_name(row)}: {_short(message)}"
                self._begun.append((Case(alarms.ERRORS, str(rowid), now, what), now))
        for rowid, reasons in lookout.rejected_of(found.rejected).items():
            what = _short(_in_words(reasons))
            self._begun.append((Case(alarms.REJECTED, str(rowid), now, what), now))
        for alert in found.alerts:
            self._follow(alert, open_ones, now)

    def _follow(self, alert: alarms.Alert, open_ones: dict[str, models.Alarm], now: float) -> None:
        known = self._strategies.pop(alert.name, None)
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
            if len(self._strategies) > MOST_STRATEGIES:
                self._strategies.popitem(last=False)


def _is_over(alarm: models.Alarm, signal: dict | None, rejected: dict[int, str]) -> bool:
    match alarm.kind:
        case alarms.WAITING:
            return signal is None or not alarms.is_offered(signal)
        case alarms.LEG:
            return signal is None or alarms.lagging_leg(signal) is None
        case alarms.ERRORS:
            return signal is None or signal["status"] not in statuses.FAILED
        case alarms.REJECTED:
            return int(alarm.subject) not in rejected
    return False


def _name(row: dict[str, Any]) -> str:
    return "-".join(filter(None, (row["leg1"], row["leg2"]))) or row["ticker"]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 1] + "…"


def _in_words(reasons: str) -> str:
    """Stored reasons as a sentence: {"price": "must be a number"} as `price: must be a number`."""
    read = json.loads(reasons)
    if isinstance(read, dict):
        return "; ".join(f"{field}: {reason}" for field, reason in read.items())
    return str(read)
