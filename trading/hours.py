"""Market hours and quiet times, on the wall clocks of their own zones."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytz

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)", re.ASCII)
_MIDNIGHT = 24 * 60


class Window(NamedTuple):
    """Minutes of the day from `start` until before `end`, on these days (0 is Monday).

    One that ends before it starts goes over midnight and belongs to the day it starts on.
    """

    zone: str
    start: int
    end: int
    days: frozenset[int]

    def holds(self, instant: float, zone: str) -> bool:
        """Whether a Unix time lies in it; `zone` is for windows that name none."""
        clocks = pytz.timezone(self.zone or zone or "UTC")
        here = datetime.fromtimestamp(instant, UTC).astimezone(clocks)
        minute, today = here.hour * 60 + here.minute, here.weekday()
        if self.start < self.end:
            return self.start <= minute < self.end and today in self.days
        yesterday = (here.date() - timedelta(days=1)).weekday()
        begun = minute >= self.start and today in self.days
        return begun or (minute < self.end and yesterday in self.days)


def window(text: str) -> Window:
    """Reads `America/New_York 09:30-16:00 mon-fri`; zone and days may be missing.

    Raises ValueError.
    """
    words = text.split()
    zone = words.pop(0) if words and not _SPAN.fullmatch(words[0]) else ""
    span = _SPAN.fullmatch(words.pop(0)) if words else None
    if span is None or (zone and zone not in pytz.all_timezones_set):
        raise ValueError(text)
    start, end = _minutes(span[1]), _minutes(span[2])
    if start in (end, _MIDNIGHT):
        raise ValueError(text)
    days = frozenset().union(*map(_days, words)) if words else frozenset(range(7))
    return Window(zone, start, end, days)


def _minutes(text: str) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or hours * 60 + minutes > _MIDNIGHT:
        raise ValueError(text)
    return hours * 60 + minutes


def _days(text: str) -> list[int]:
    """The days of `sat` or `mon-fri`; `fri-mon` goes over the week's end."""
    first, dash, last = text.lower().partition("-")
    start, end = DAYS.index(first), DAYS.index(last if dash else first)
    return [(start + step) % 7 for step in range((end - start) % 7 + 1)]


class Hours:
    """When somebody may be told: in the market's hours, and not in quiet times."""

    def __init__(self, market: Iterable[str], quiet: Iterable[str], zone: str):
        self._market = [window(text) for text in market]
        self._quiet = [window(text) for text in quiet]
        self._zone = zone

    def allow(self, instant: float) -> bool:
        """Whether a Unix time is a time to tell."""
        inside = not self._market or self._in(self._market, instant)
        return inside and not self._in(self._quiet, instant)

    def _in(self, windows: list[Window], instant: float) -> bool:
        return any(each.holds(instant, self._zone) for each in windows)
