"""Tells of alarms: when, whom, in which words, and again where somebody was not reached."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

import pytz

import models
from alarms.delivery import Message, Place, places, send
from database import UNANSWERED, Reader, Writer
from hours import Hours
from trading import alarms, instants

IDLE = 15.0  # seconds between two looks at what is due; quiet times end at a minute
MOST_LINES = 20  # alarms in one message

log = logging.getLogger("pairs")


class Teller:
    """Sends what is due to all places of the settings, within the hours of the settings."""

    def __init__(self, conf: Any, writer: Writer, reader: Reader):
        self.places = places(conf.alarm_urls)
        self._url, self._zone = conf.url, pytz.timezone(conf.zone or "UTC")
        self._reminder = conf.alarm_reminder_minutes * 60 or None
        self._pause = conf.alarm_pause_seconds
        self._hours = Hours(conf.market_hours, conf.quiet_times, conf.zone)
        self._writer, self._reader = writer, reader
        self._told_at = 0.0
        self._due = asyncio.Event()

    def wake(self) -> None:
        """Something new may be due."""
        self._due.set()

    async def work(self, may: Callable[[], bool]) -> None:
        """Tells for ever; `may`: this process does it, and no other."""
        while self.places:
            pause = IDLE
            self._due.clear()
            try:
                if may():
                    pause = await self._tell_due()
            except UNANSWERED as error:
                log.warning("telling of alarms failed: %s", error)
            except Exception:  # a mistake in one message must not silence the others
                log.exception("telling of alarms failed")
            try:
                async with asyncio.timeout(pause):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def _tell_due(self) -> float:
        """Tells of what is due and may be told now: the seconds until the next is."""
        now = time.time()
        due = await self._reader.run(models.Alarm.next_due)
        if due is None or not self._hours.allow(now):
            return IDLE
        wait = max(due, self._told_at + self._pause) - now
        if wait > 0:
            return min(wait, IDLE)
        # Whoever gets the rows here is the only one who has them.
        claimed = await self._writer.submit(lambda: models.Alarm.claim(now))
        if claimed:
            self._told_at = now
            await self._tell_of(claimed)
        return 0.0

    async def _tell_of(self, claimed: list[models.Alarm]) -> None:
        knows = {each.id: set(each.told.split()) for each in claimed}
        news = {}
        for place in self.places:
            if unknown := [each for each in claimed if place.digest not in knows[each.id]]:
                news[place] = unknown
        taken = await asyncio.gather(*(send(place, self._compose(n)) for place, n in news.items()))
        for (place, unknown), took in zip(news.items(), taken, strict=True):
            for each in unknown if took else ():
                knows[each.id].add(place.digest)
        everybody = {place.digest for place in self.places}

        def note() -> None:
            for rowid, told in knows.items():
                models.Alarm.note_told(rowid, told & everybody, told >= everybody, self._reminder)

        await self._writer.submit(note)

    def _compose(self, news: list[models.Alarm]) -> Message:
        """One message for all; each kind's title and advice stand once, the gravest first."""
        first = alarms.TITLES[news[0].kind]
        title = first if len(news) == 1 else f"{first}, and {len(news) - 1} more"
        parts = [
            self._words(kind, list(those))
            for kind, those in groupby(news[:MOST_LINES], attrgetter("kind"))
        ]
        if len(news) > MOST_LINES:
            parts.append(f"And {len(news) - MOST_LINES} more.")
        if self._url:
            parts.append(f"{self._url}/dashboard")
        return Message(f"Pairs-API: {title}", "\n\n".join(parts))

    def _words(self, kind: str, those: list[models.Alarm]) -> str:
        title = alarms.TITLES[kind] + (f" ({len(those)})" if len(those) > 1 else "")
        again = "Still open. " if all(each.notified for each in those) else ""
        lines = "\n".join(self._line(each) for each in those)
        return f"{again}{title}\n{lines}\n{alarms.ADVICE[kind]}"

    def _line(self, alarm: models.Alarm) -> str:
        began = instants.unix(alarm.since)
        since = datetime.fromtimestamp(began, UTC).astimezone(self._zone)
        age = _age(time.time() - began)
        return f"{alarm.what}\nSince {since:%Y-%m-%d %H:%M:%S %Z}{age}."

    async def test(self) -> list[tuple[Place, bool]]:
        """Sends a test to every place, at any hour: which of them took it."""
        message = Message("Pairs-API: a test", "This is a test. Alarms will arrive here.")
        taken = await asyncio.gather(*(send(place, message) for place in self.places))
        return list(zip(self.places, taken, strict=True))


def _age(seconds: float) -> str:
    """How long ago, from a minute on."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return ""
    hours, minutes = divmod(minutes, 60)
    return f", {hours} h {minutes} min ago" if hours else f", {minutes} min ago"
