"""Messages that are no alarms: trips that closed, entries that a rule refused, a summary a day.

Each kind has a switch in the settings. They go to the places that alarms go to, once.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from database.reader import Reader
from database.writer import UNANSWERED, Writer
from models import EventRow, Fact, Record, Signal, signal_name
from services import books, events, performance
from services.books import Period, rates_of
from services.teller import Teller
from trading import guards, instants, statuses
from trading.alarms import MESSAGES
from trading.hours import clock, daily

TRIPS, REFUSED, SUMMARY = MESSAGES
IDLE = 15.0  # seconds between two looks
MOST_EVENTS = 300  # looked through at a time
MOST_LINES = 20  # trips or refusals in one message
TRIES = 5  # of a message that no place takes; then it is dropped
PAUSE = 60.0  # seconds between two tries
REACHED, SUMMED = "told_until_event", "summary_day"  # facts

log = logging.getLogger("pairs")


class News(NamedTuple):
    """What a look has found: the messages as (title, text), and the facts that are true then."""

    messages: list[tuple[str, str]]
    facts: dict[str, str]
    more: bool = False


class Reporter:
    """Looks for what is to be told and sends it, in the process that looks for alarms."""

    def __init__(self, conf: Any, writer: Writer, reader: Reader, teller: Teller):
        self._conf, self._writer, self._reader, self._teller = conf, writer, reader, teller
        self._tries = 0

    async def work(self, may: Callable[[], bool]) -> None:
        """Tells until it is cancelled, while `may()` says that this process does it."""
        while self._conf.messages and self._teller.places:
            pause = IDLE
            try:
                if may():
                    pause = await self._look()
            except UNANSWERED as error:
                log.warning("telling of trips failed: %s", error)
            except Exception:  # a mistake in one message must not silence the others
                log.exception("telling of trips failed")
            await asyncio.sleep(pause)

    async def _look(self) -> float:
        """Sends what is new; returns the seconds until the next look."""
        news: News = await self._reader.run(look, self._conf, time.time())
        if news.messages and not await self._send(news.messages):
            self._tries += 1
            if self._tries < TRIES:
                return PAUSE
            log.warning("messages: nobody took %d messages, they are dropped", len(news.messages))
        self._tries = 0
        if news.facts:
            await self._writer.submit(lambda: _note(news.facts))
        return 0.0 if news.more else IDLE

    async def _send(self, messages: list[tuple[str, str]]) -> bool:
        """Whether a place took each of the messages."""
        for title, text in messages:
            if all(why for _, why in await self._teller.tell(title, text)):
                return False
        return True


def _note(facts: dict[str, str]) -> None:
    for name, value in facts.items():
        events.note(name, value)


def look(conf: Any, now: float) -> News:
    """What is to be told now; nothing at the first look, which only notes where to begin."""
    reached = Fact.of(REACHED)
    if reached is None:
        return News([], {REACHED: str(EventRow.last_id()), SUMMED: _day(conf, now)})
    told = EventRow.after(int(reached), MOST_EVENTS)
    messages = []
    if TRIPS in conf.messages:
        messages += _trips(conf, told)
    if REFUSED in conf.messages:
        messages += _refused(conf, told)
    facts = {REACHED: str(told[-1].id)} if told else {}
    if SUMMARY in conf.messages and (day := _due_day(conf, now)):
        facts[SUMMED] = day
        messages += _summary(conf, now)
    return News(messages, facts, len(told) == MOST_EVENTS)


# --- trips and refusals --------------------------------------------------------------------


def _trips(conf: Any, told: list[EventRow]) -> list[tuple[str, str]]:
    """The trips that the signals which were finished in these events have closed."""
    names: dict[str, set[int]] = {}
    for event in told:
        if event.type == "signal.updated" and _finishes(event):
            record = orjson.loads(event.record)
            names.setdefault(signal_name(record), set()).add(record["rowid"])
    rates = rates_of(conf)
    lines = [
        trip_line(trip)
        for name, rowids in names.items()
        for trip in books.list_trips(rates, Period(), name, is_open=False)
        if trip["signals"][-1] in rowids
    ]
    return _message("Trip closed", "trips closed", lines, conf.url, "/performance")


def _finishes(event: EventRow) -> bool:
    """Whether the orders of a signal are finished with this event."""
    _, status = event.changed.get("order_status", (None, None))
    return status in (statuses.FILLED, statuses.CANCELED)


def trip_line(trip: Record) -> str:
    """`NMFC-ROIC long 100: +68.00 USD, held 3 h 40 min, slippage +1.50`."""
    money = "PnL not known" if trip["pnl"] is None else f"{trip['pnl']:+,.2f} {trip['currency']}"
    slip = "" if trip["slip_money"] is None else f", slippage {trip['slip_money']:+,.2f}"
    head = f"{trip['ticker']} {trip['side']} {trip['contracts']:,.10g}"
    return f"{head}: {money}, held {_age(trip['held_s'])}{slip}"


def _refused(conf: Any, told: list[EventRow]) -> list[tuple[str, str]]:
    """The entries that a rule has refused or cut in these events."""
    lines = []
    for event in told:
        if event.type not in ("signal.created", "signal.updated"):
            continue
        _, message = event.changed.get("status_msg", (None, None))
        if guards.rule_of(message) in ("mode", *guards.TOLD):
            signal = Signal.get_or_none(Signal.rowid == int(event.subject))
            if signal:
                reason = statuses.meaning(message)
                lines.append(f"Signal {signal.rowid}, {signal_name(signal.columns())}: {reason}")
    return _message("Entry refused", "entries refused", lines, conf.url, "/list?status=not_traded")


def _message(one: str, many: str, lines: list[str], url: str, page: str) -> list[tuple[str, str]]:
    if not lines:
        return []
    title = one if len(lines) == 1 else f"{len(lines)} {many}"
    shown = lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        shown.append(f"And {len(lines) - MOST_LINES} more.")
    return [(f"Pairs-API: {title}", "\n".join([*shown, *([f"{url}{page}"] if url else [])]))]


# --- the summary -----------------------------------------------------------------------------


def _day(conf: Any, now: float) -> str:
    """The day whose summary was due last."""
    zone, minute = daily(conf.summary_time)
    here = clock(now, zone or conf.zone)
    is_past = here.hour * 60 + here.minute >= minute
    return f"{here:%Y-%m-%d}" if is_past else f"before {here:%Y-%m-%d}"


def _due_day(conf: Any, now: float) -> str | None:
    """The day whose summary is due now; None if it was told, or its time has not come."""
    day = _day(conf, now)
    return None if day.startswith("before") or day == Fact.of(SUMMED) else day


def _summary(conf: Any, now: float) -> list[tuple[str, str]]:
    """The summary of the 24 hours before now; none of a day without trades, unless asked for."""
    period = Period(instants.from_epoch(now - books.DAY), instants.from_epoch(now))
    figures = performance.performance(rates_of(conf), period)
    if not figures["outcomes"]["filled"] and not conf.summary_always:
        return []
    text = "\n".join(summary_lines(figures))
    link = f"\n{conf.url}/performance" if conf.url else ""
    return [("Pairs-API: the day", text + link)]


def summary_lines(figures: Record) -> list[str]:
    """The figures of a day in a few lines."""
    lines = []
    for currency, told in figures["currencies"].items():
        parts = [f"{currency} realised {told['realised']:+,.2f}"]
        if told["unrealised"]:
            parts.append(f"open {told['unrealised']:+,.2f}")
        if told["trips"]:
            parts.append(f"{told['trips']} trips, {told['wins']} won")
        if told["slip_money"] is not None:
            parts.append(f"slippage {told['slip_money']:+,.2f}")
        lines.append(", ".join(parts))
    outcomes = figures["outcomes"]
    kinds = (("filled", "filled"), ("not_traded", "not traded"), ("failed", "failed"))
    lines.append(", ".join(f"{outcomes[key]} {words}" for key, words in kinds))
    return lines


def _age(seconds: int) -> str:
    minutes = seconds // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


# --- what the page shows ---------------------------------------------------------------------

_TRIP = {"ticker": "NMFC-ROIC", "side": "long", "contracts": 100, "pnl": 68.0, "currency": "USD"}
_TRIP |= {"held_s": 13_200, "slip_money": 1.5}


def preview(conf: Any, kind: str) -> tuple[str, str]:
    """A message of this kind as it would look: of the newest trip, refusal or day, or an example.

    Run it on a reading thread.
    """
    now = time.time()
    if kind == SUMMARY:
        always = conf.model_copy(update={"summary_always": True})
        return _summary(always, now)[0]
    if kind == TRIPS:
        found = books.list_trips(rates_of(conf), Period(), is_open=False)
        return _message(
            "Trip closed", "", [trip_line((found or [_TRIP])[0])], conf.url, "/performance"
        )[0]
    line = f"Signal 7, NMFC-ROIC: {statuses.meaning(f'{statuses.LIMIT}3 of 3 entries today')}"
    return _message("Entry refused", "", [line], conf.url, "/list?status=not_traded")[0]
