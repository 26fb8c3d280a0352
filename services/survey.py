"""Looks at everything that an alarm may be about, on the reading thread."""

from collections.abc import Callable, MutableMapping
from typing import Any

from cachetools import LRUCache

from models import Alarm, EventRow, RejectedAlert, Signal
from services import happenings
from services.holdings import Holdings, Judgment
from services.look import Look
from trading import alarms, instants, statuses
from trading.alarms import MORE
from trading.missed import Strategy

MOST_SIGNALS = 200  # read in one look
MOST_STRATEGIES = 2000  # remembered
OF_POSITIONS = ("unhedged", "expected")
_NAMED = ("rowid", "timestamp", "order_status", "ticker", "stk_ticker1", "stk_ticker2")


class Surveyor:
    """Looks again and again; remembers what would cost a query for each signal or alert."""

    def __init__(self, conf: Any, started: float):
        self._conf = conf
        self._started = started
        self._holdings = Holdings(conf.alarm_report_seconds)
        self._strategies: MutableMapping[str, Strategy] = LRUCache(MOST_STRATEGIES)
        self.bridge_is_silent = False
        self.forget()

    def forget(self) -> None:
        """Remembers nothing: another process has looked meanwhile, or nothing was written."""
        self._reached = 0  # the last event that was looked at
        self._since: dict[tuple, float] = {}  # since when a signal waits or hangs
        self._strategies.clear()
        self._holdings.forget()

    def look(self, polled: float) -> Look:
        """What is wrong now; `polled` is when the bridge was last here."""
        look = Look(self._conf)
        known, self._since = self._since, {}
        offered = self._read_offered()
        back = self._bridge(look, polled, len(offered))
        if back is not None:  # else one alarm stands for all signals that wait
            self._waiting(look, offered, back, known)
        self._legs(look, known)
        _add_held(look)
        judged = self._holdings.judge(look.open)
        for case in judged.cases.values():
            look.add(case)
        _close(look, judged)
        happenings.find(look, max(look.base, self._reached), self._strategies)
        self._reached = look.reached
        return look.finish()

    def _read_offered(self) -> list[dict]:
        """The oldest signals that wait, in the columns that name them."""
        columns = (getattr(Signal, name) for name in _NAMED)
        rows = (
            Signal.select(*columns)
            .where(Signal.offered())
            .order_by(Signal.rowid)
            .limit(MOST_SIGNALS)
        )
        return list(rows.dicts())

    def _bridge(self, look: Look, polled: float, waiting: int) -> float | None:
        """Looks for a silent bridge: since when it is back, None while it is silent."""
        if "bridge" in look.conf.alarms_off:
            return 0.0
        if waiting == MOST_SIGNALS:  # perhaps more
            waiting = Signal.count_offered()
        known, limit = look.open.get("bridge:bridge"), look.conf.alarm_bridge_minutes * 60
        since = known and instants.unix(known.since)
        case = alarms.silent_bridge(polled, self._started, waiting, since, look.now, limit)
        self.bridge_is_silent = case is not None
        if case:
            look.add(case)
            return None
        if known:
            look.over.append(known.key)
            return look.now
        if waiting:
            look.wait_until(max(polled, self._started) + limit)
        ended = Alarm.last_closed("bridge")
        return instants.unix(ended) + alarms.CUT_OFF if ended else 0.0

    def _waiting(self, look: Look, rows: list[dict], back: float, known: dict) -> None:
        limit = look.conf.alarm_minutes * 60
        if len(rows) == MOST_SIGNALS:
            before = Signal.timestamp <= instants.from_epoch(look.now - limit)
            look.unread = max(
                0, Signal.select().where(Signal.offered(), before).count() - MOST_SIGNALS
            )
        for row in rows:
            # It cannot have waited longer than since it came in: a recent one needs no history.
            least = max(instants.unix(row["timestamp"]), back)
            if 0 <= look.now - least < limit:
                look.wait_until(least + limit + alarms.CUT_OFF)
                continue
            since = self._held_since(("waiting", row["rowid"]), row, alarms.is_offered, known)
            case = alarms.late(row, since, back, look.now, limit)
            look.add_late(case, max(since, back) + limit)

    def _legs(self, look: Look, known: dict) -> None:
        limit, first = look.conf.alarm_leg_seconds, instants.unix(look.watch.started)
        pairs = Signal.select().where(
            Signal.order_status.in_(statuses.HALF_WAY), Signal.stk_ticker2.is_null(False)
        )
        for row in pairs.order_by(Signal.rowid.desc()).limit(MOST_SIGNALS).dicts():
            if not (leg := alarms.lagging_leg(row)):
                continue

            def lags(row: dict, leg: int = leg) -> bool:
                return alarms.lagging_leg(row) == leg

            since = self._held_since(("leg", row["rowid"], leg), row, lags, known)
            if since >= first:  # a person knows what hung before the first look
                look.add_late(alarms.one_legged(row, leg, since, look.now, limit), since + limit)

    def _held_since(self, key: tuple, row: dict, holds: Callable, known: dict) -> float:
        """Since when something holds for a signal: as `known`, or as its history says."""
        since = known.get(key)
        if since is None:
            since = alarms.held_since(row, _history(row["rowid"]), holds)
        self._since[key] = instants.unix(row["timestamp"]) if since is None else since
        return self._since[key]


def _add_held(look: Look) -> None:
    """Signals that wait for a person's approval."""
    rows = Signal.select().where(Signal.order_status == statuses.HELD).order_by(Signal.rowid.desc())
    for row in rows.limit(MOST_SIGNALS).dicts():
        look.add(alarms.held(row))


def _history(rowid: int) -> list[tuple[float, dict[str, tuple]]]:
    """A signal's changes as (instant, {column: (old, new)}), newest first."""
    events = reversed(EventRow.of("signal", str(rowid)))
    return [(instants.unix(event.time), event.changed) for event in events]


def _close(look: Look, judged: Judgment) -> None:
    """Closes what is over: its signal goes on, its positions match, nobody wants its kind."""
    ids = [int(alarm.subject) for alarm in look.open.values() if _row_ends(alarm)]
    signals = {row["rowid"]: row for row in Signal.select().where(Signal.rowid.in_(ids)).dicts()}
    rejected = {row.id: {} for row in RejectedAlert.select().where(RejectedAlert.id.in_(ids))}
    for key, alarm in look.open.items():
        rows = rejected if alarm.kind == "rejected" else signals
        if alarm.kind in look.conf.alarms_off or _is_over(alarm, rows, judged):
            look.over.append(key)


def _is_over(alarm: Alarm, rows: dict[int, dict], judged: Judgment) -> bool:
    if alarm.kind in OF_POSITIONS:
        return alarm.subject != MORE and alarm.key not in judged.cases
    if not _row_ends(alarm):
        return False
    row = rows.get(int(alarm.subject))
    if alarm.kind == "leg" and row and row["order_status"] == statuses.CANCELED:
        return _is_settled(row, judged)
    return row is None or not alarms.WORDS[alarm.kind].goes_on(row)


def _row_ends(alarm: Alarm) -> bool:
    """Whether the alarm's subject is the rowid or id of a row that ends it."""
    kind = alarms.WORDS.get(alarm.kind)
    return alarm.subject != MORE and kind is not None and kind.goes_on is not None


def _is_settled(signal: dict, judged: Judgment) -> bool:
    """Whether the positions say what became of a pair that was canceled half-way.

    They match, or are an alarm of their own. A pair that nobody reports counts as settled.
    """
    name = alarms.name_of(signal)
    reported = judged.reported.get(name)
    if alarms.unfilled_leg(signal) is None or reported is None:
        return True
    if f"unhedged:{name}" in judged.cases:
        return True
    return name in judged.matched and reported > _history(signal["rowid"])[0][0]
