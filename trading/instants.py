"""Instants as clients see them: text in UTC, YYYY-MM-DD HH:MM:SS, which sorts by time."""

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

LAST = "9999-12-31 23:59:59"

_FORM = "%Y-%m-%d %H:%M:%S"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
# From 1973 on: fewer digits could be a date without dashes.
UNIX = r"[1-9]\d{8,12}(\.\d{0,9})?"
_UNIX = re.compile(rf"{UNIX}\Z", re.ASCII)
_LEAST_MILLISECONDS = 10**11
_OFFSET = re.compile(r"([Zz]|:\d{2}([.,]\d+)?\s?[+-]\d{2}(:?\d{2})?)\Z", re.ASCII)
_SHAPE = re.compile(
    r"\d{4}-\d{2}-\d{2}[ Tt]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?([Zz]|[+-]\d{2}(:?\d{2})?)?\Z",
    re.ASCII,
)


@lru_cache(8)  # asked several times for every alert
def from_epoch(seconds: float) -> str:
    """The instant of a Unix time."""
    return time.strftime(_FORM, time.gmtime(seconds))


def now() -> str:
    """The present instant."""
    return from_epoch(int(time.time()))


def ago(seconds: float) -> str:
    """The instant that was so many seconds ago."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime(_FORM)


def seconds_between(begin: str, end: str) -> float:
    """Seconds from one instant to another; 0 if it came before."""
    if end <= begin:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def seconds_since(instant: str) -> int:
    """Whole seconds from an instant to the present; 0 for an instant in the future."""
    return int(seconds_between(instant, now()))


def epoch() -> int:
    """The present instant in Unix seconds."""
    return int(time.time())


def unix(instant: str) -> float:
    """The Unix time of an instant."""
    return datetime.fromisoformat(instant).replace(tzinfo=UTC).timestamp()


def parse(text: str) -> str:
    """The instant that a text names, without fractions of a second; raises ValueError.

    A number is a Unix time in seconds or milliseconds.
    """
    text = text.strip()
    if _UNIX.match(text):
        number = int(text.partition(".")[0])
        return from_epoch(number if number < _LEAST_MILLISECONDS else number // 1000)
    if not _SHAPE.match(text):
        raise ValueError("must be a time such as 2026-11-22 09:40:13")
    try:
        instant = datetime.fromisoformat(text.replace(",", ".").upper())
        if instant.tzinfo is not None:
            instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a time that exists") from None
    return f"{instant:%Y-%m-%d %H:%M:%S}".rjust(19, "0")


def is_absolute(text: str) -> bool:
    """Whether a text needs no time zone: it is a Unix time, or has an offset."""
    text = text.strip()
    return bool(_UNIX.match(text) or _OFFSET.search(text))


def is_day(text: str) -> bool:
    """Whether a text is a date without a time."""
    return bool(_DATE.match(text.strip()))


def parse_bound(text: str, *, last: bool) -> str:
    """As parse(); a date without a time means its first or, with `last`, its last second."""
    if is_day(text):
        text = f"{text.strip()} {'23:59:59' if last else '00:00:00'}"
    return parse(text)
