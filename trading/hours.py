"""Market hours, quiet times and holidays, on the wall clocks of their own zones."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

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
        here = clock(instant, self.zone or zone)
        minute, today = here.hour * 60 + here.minute, here.weekday()
        if self.start < self.end:
            return self.start <= minute < self.end and today in self.days
        yesterday = (here.date() - timedelta(days=1)).weekday()
        begun = minute >= self.start and today in self.days
        return begun or (minute < self.end and yesterday in self.days)


def clock(instant: float, zone: str) -> datetime:
    """A Unix time on the clocks of a zone; UTC if it is empty."""
    return datetime.fromtimestamp(instant, UTC).astimezone(pytz.timezone(zone or "UTC"))


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


def daily(text: str) -> tuple[str, int]:
    """Reads `America/New_York 16:30` as (zone, minute of the day); the zone may be missing.

    Raises ValueError.
    """
    *zones, clock = text.split()
    if len(zones) > 1 or (zones and zones[0] not in pytz.all_timezones_set):
        raise ValueError(text)
    if not re.fullmatch(r"\d\d:\d\d", clock, re.ASCII) or clock >= "24:00":
        raise ValueError(text)
    return (zones[0] if zones else ""), _minutes(clock)


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
    """When something is allowed: in these windows, and not in those; and not on holidays.

    Without windows any time is allowed. `holidays` names the market, such as NYSE.
    """

    def __init__(
        self, within: Iterable[str], except_in: Iterable[str], zone: str, holidays: str = ""
    ):
        self._within = [window(text) for text in within]
        self._except_in = [window(text) for text in except_in]
        self._zone, self._holidays = zone, holidays
        self._last = (-1, True)  # a minute, and whether it is allowed

    def allow(self, instant: float) -> bool:
        """Whether a Unix time is allowed. All of a minute is alike, so it is worked out once."""
        minute, allowed = self._last
        if minute != int(instant // 60):
            minute = int(instant // 60)
            allowed = self._allows(minute * 60.0)
            self._last = (minute, allowed)
        return allowed

    def _allows(self, instant: float) -> bool:
        if self._within and not self._in(self._within, instant):
            return False
        if self._except_in and self._in(self._except_in, instant):
            return False
        return not (self._holidays and self._is_holiday(instant))

    def _in(self, windows: list[Window], instant: float) -> bool:
        return any(each.holds(instant, self._zone) for each in windows)

    def _is_holiday(self, instant: float) -> bool:
        zones = [each.zone for each in self._within if each.zone]
        day = clock(instant, zones[0] if zones else self._zone).date()
        return day in _calendar(self._holidays)


@lru_cache(4)
def _calendar(market: str) -> Any:
    # Imported when it is first needed, because most servers need it never.
    import holidays

    return holidays.financial_holidays(market)


def markets() -> list[str]:
    """The markets whose holidays are known."""
    from holidays import list_supported_financial

    return sorted(list_supported_financial())
