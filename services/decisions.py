"""Decides before a trade: the rules that hold alerts back, the mode of trading, and the limits.

Everything here runs inside the writer's transaction, so that several processes agree.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from models import (
    AccountRecord,
    Entered,
    Pair,
    Record,
    Refused,
    Signal,
    Stock,
    Trading,
    signal_name,
)
from services import events, positions
from trading import guards, instants, judging, statuses
from trading.fills import plain
from trading.guards import Decision, Loss, Policy, Today
from trading.hours import Hours, clock

SYSTEM = "system"  # who sets the mode if a loss is beyond its limit


def policy_of(conf: Any) -> Policy:
    """The rules of the settings."""
    return Policy(
        conf.entry_minutes, Hours(conf.entry_hours, (), conf.zone, conf.holidays), conf.zone
    )


def rows_for(tickers: Iterable[str]) -> judging.Registry:
    """The rows of stocks and pairs that are needed to judge these tickers."""
    names: set[str] = set()
    symbols: set[str] = set()
    for ticker in tickers:
        plan = judging.plan(ticker)
        names.update(plan.names)
        symbols.update(plan.symbols)
    return judging.Registry(Stock.judged(symbols), Pair.judged(names))


def day_of(moment: float, zone: str) -> str:
    """The day of a Unix time in this zone, as text."""
    return _day_of(int(moment // 60), zone)


@lru_cache(4)  # asked for every alert; days change with a minute in every zone
def _day_of(minute: int, zone: str) -> str:
    return f"{clock(60 * minute, zone):%Y-%m-%d}"


class Judge:
    """Decides about alerts one after the other: the second of two entries sees the first.

    `let_through` are the entries that passed, by ticker; `day` is the day that they count for.
    """

    def __init__(self, policy: Policy):
        self._policy = policy
        self._now = time.time()
        self._mode, self._limits = Trading.in_force()
        self.day = day_of(self._now, policy.zone)
        self.let_through: Counter[str] = Counter()
        self._is_open: dict[str, bool] = {}  # tickers, also by these alerts

    @cached_property
    def _entries(self) -> dict[str, int]:
        """{ticker: entries of today before these alerts}."""
        return Entered.of(self.day)

    @cached_property
    def _open(self) -> set[str]:
        """The tickers that were open before these alerts."""
        return positions.open_tickers()

    def decide(self, row: Record, mode: str) -> Decision:
        """What becomes of an alert; `mode` is that of its ticker. Counts it if it may enter."""
        name, limits = signal_name(row), self._limits
        today = guards.NOTHING if limits == guards.NO_LIMITS else self._today(name, row)
        if mode != self._mode:
            mode = guards.stricter(self._mode, mode)
        decision = guards.decide(row, mode, self._policy, limits, today, self._now)
        if decision.rule in (None, "ask") and guards.kind_of(row) in guards.ENTERING:
            self.let_through[name] += 1
        if limits.open is not None:
            self._follow(name, row | decision.fields)
        return decision

    def _today(self, name: str, row: Record) -> Today:
        """What was let through; only what a limit asks for is read."""
        limits = self._limits
        entries = ticker_entries = 0
        if limits.entries is not None or limits.ticker_entries is not None:
            entries = sum(self._entries.values()) + self.let_through.total()
            ticker_entries = self._entries.get(name, 0) + self.let_through[name]
        if limits.open is None:
            return Today(entries, ticker_entries)
        if name not in self._is_open:
            self._is_open[name] = positions.is_open((row["stk_ticker1"], row["stk_ticker2"]))
        # The others need not be counted for one more entry of an open ticker.
        is_open = self._is_open[name]
        return Today(entries, ticker_entries, 0 if is_open else self._count_open(), is_open)

    def _count_open(self) -> int:
        now = {each for each, is_open in self._is_open.items() if is_open}
        return len(now | (self._open - self._is_open.keys()))

    def _follow(self, name: str, row: Record) -> None:
        if row["order_status"] == statuses.CANCELED or guards.kind_of(row) == guards.SYNC:
            return
        if row["mar_pos"] == "flat":
            self._is_open[name] = False
        elif row["mar_pos"]:
            self._is_open[name] = True


# --- the mode ---------------------------------------------------------------------------


def set_mode(mode: str, reason: str | None, by: str, source: str) -> Record:
    """Sets the mode for all tickers; what waits follows it. Returns what became of that.

    {"canceled", "held", "cut": numbers of signals, "at_broker": signals with open orders}
    """
    before = modes_of_waiting()
    told = {"mode": mode, "since": instants.now(), "by": by, "reason": reason or None}
    _set(Trading.current(), told, source)
    return take_hold(before, source) | {"at_broker": Signal.count_open()}


def _set(row: Trading, fields: Record, source: str) -> Trading:
    """Changes the row, or stores it if nothing was ever set; returns it."""
    if row.get_id() is None:
        return events.add(Trading, source, **fields)
    events.change(row, source, fields)
    return row


def modes_of_waiting() -> dict[int, str]:
    """{rowid: the mode in force for its ticker} of the signals that wait or are held."""
    return {signal.rowid: mode for signal, mode in _waiting()}


def _waiting() -> list[tuple[Signal, str]]:
    mode, _ = Trading.in_force()
    waiting = Signal.undecided()
    registry = rows_for({signal.ticker for signal in waiting})
    own = [judging.judge(signal.ticker, True, registry).mode for signal in waiting]
    return [(each, guards.stricter(mode, its)) for each, its in zip(waiting, own, strict=True)]


def take_hold(before: Mapping[int, str], source: str) -> dict[str, int]:
    """Applies modes that have become stricter to what waits or is held.

    `before` is what `modes_of_waiting` told before the change; where a mode has not become
    stricter, what a person has approved or closes by hand stays. Returns how many signals it
    changed, and how.
    """
    done = Counter({"canceled": 0, "held": 0, "cut": 0})
    for signal, mode in _waiting():
        was = before[signal.rowid]
        if guards.stricter(was, mode) == was:
            continue
        row = signal.columns()
        decision = guards.by_mode(row, mode)
        status = decision.fields.get("order_status", row["order_status"])
        if status == row["order_status"] and "order_contracts" not in decision.fields:
            continue
        events.change(signal, source, decision.fields)
        done["cut" if status == statuses.WAITING else status] += 1
    return dict(done)


def hold_back(row: Record, mode: str, *, approved: bool) -> Decision:
    """What the modes make of a signal that is offered again; it may be approved already.

    `mode` is that of its ticker.
    """
    mode = guards.stricter(Trading.in_force()[0], mode)
    return guards.PASSED if approved and mode == guards.ASK else guards.by_mode(row, mode)


# --- a person's word on one signal ---------------------------------------------------------


def approve(rowid: int, source: str) -> Signal:
    """Lets a held signal be traded. Raises Missing, or Refused if it may not be any more."""
    signal = _held(rowid)
    if signal.expires and signal.expires <= instants.now():
        raise Refused("the signal has expired; nothing was changed.")
    verdict = judging.judge(signal.ticker, False, rows_for([signal.ticker]))
    if verdict.outcome != "recorded":
        raise Refused(f"{statuses.meaning(verdict.columns['status_msg'])}; nothing was changed.")
    if message := hold_back(signal.columns(), verdict.mode, approved=True).fields.get("status_msg"):
        raise Refused(f"{statuses.meaning(message)}; nothing was changed.")
    events.change(signal, source, {"order_status": statuses.WAITING, "status_msg": ""})
    return signal


def refuse(rowid: int, by: str, source: str) -> Signal:
    """Cancels a held signal. Raises Missing, or Refused if it is not held any more."""
    signal = _held(rowid)
    message = f"{statuses.REFUSED_BY}{by}"
    events.change(signal, source, {"order_status": statuses.CANCELED, "status_msg": message})
    return signal


def _held(rowid: int) -> Signal:
    signal = Signal.find(rowid)
    if signal.order_status != statuses.HELD:
        raise Refused(f"the signal is {signal.order_status} by now; nothing was changed.")
    return signal


def expire(policy: Policy) -> int:
    """Cancels what is too old to be traded; returns how many signals."""
    expired = Signal.expired(policy.latest(time.time()))
    for signal in expired:
        fields = {"order_status": statuses.CANCELED, "status_msg": policy.expired}
        events.change(signal, SYSTEM, fields)
    return len(expired)


# --- limits, and the account's loss ----------------------------------------------------------


def set_limits(fields: Record, source: str) -> Trading:
    """Sets these limits; None is no limit. A loss that is beyond them stops entries at once."""
    row = Trading.current()
    begins_anew = fields.get("drawdown", row.drawdown) != row.drawdown
    row = _set(row, fields, source)
    if begins_anew:
        Trading.update(peak=None).where(Trading.id == row.id).execute()
    if not fields.keys().isdisjoint(("loss", "drawdown")):
        watch_loss()
    return Trading.current()


def limits() -> Record:
    """{limit: value}; None is no limit."""
    return _limits_of(Trading.current())


def _limits_of(row: Trading) -> Record:
    return _plain(row.limits()._asdict())


def _plain(figures: Record) -> Record:
    return {name: plain(value) for name, value in figures.items()}


def watch_loss() -> None:
    """Sets the mode to `exits` if the newest account record tells a loss beyond its limit."""
    row = Trading.current()
    if row.loss is None and row.drawdown is None:
        return
    reason = _loss(row).beyond(row.limits())
    if reason and guards.stricter(row.mode, guards.EXITS) != row.mode:
        set_mode(guards.EXITS, reason, SYSTEM, SYSTEM)


def _loss(row: Trading) -> Loss:
    """The loss now; stores a new peak."""
    record = AccountRecord.newest()
    net = record and record["NetLiquidation"]
    if net is not None and (row.peak is None or net > row.peak):
        row.peak = net
        Trading.update(peak=net).where(Trading.id == row.id).execute()
    return guards.loss_of(record, row.peak, time.time())


# --- what is so now ------------------------------------------------------------------------


def state(policy: Policy) -> Record:
    """The mode, the limits, what of them is used today, and the modes of single tickers."""
    row, now = Trading.current(), time.time()
    day = day_of(now, policy.zone)
    entries = Entered.of(day)
    peak = None if row.drawdown is None else row.peak
    loss = guards.loss_of(AccountRecord.newest(), peak, now)
    return {
        **Trading.switch(),
        "limits": _limits_of(row),
        "today": {
            "day": day,
            "entries": sum(entries.values()),
            "ticker_entries": entries,
            "open": len(positions.open_tickers()),
            **_plain({"loss": loss.today, "drawdown": loss.drawdown}),
        },
        "held": Signal.count_held(),
        "waiting": Signal.count_offered(),
        "at_broker": Signal.count_open(),
        "tickers": modes_of_tickers(),
        "entry_minutes": plain(policy.entry_minutes),
    }


def mode_now() -> Record:
    """The mode for all tickers, and how many signals are held."""
    return Trading.switch() | {"held": Signal.count_held()}


def loss_today() -> float | None:
    """The loss of the day, in the account's currency; None: not known."""
    return guards.loss_of(AccountRecord.newest(), None, time.time()).today


def modes_of_tickers() -> dict[str, str]:
    """{pair or symbol: its mode} of those that have one of their own."""
    pairs = Pair.select(Pair.name, Pair.mode).where(Pair.mode != guards.ON)
    stocks = Stock.select(Stock.symbol, Stock.mode).where(Stock.mode != guards.ON)
    return dict(sorted([*stocks.tuples(), *pairs.tuples()]))
