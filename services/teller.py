"""Tells of alarms: sends messages to the places of the settings, through apprise."""

import asyncio
import concurrent.futures
import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from math import inf
from operator import attrgetter
from typing import Any, NamedTuple

import pytz

from database.reader import Reader
from database.writer import UNANSWERED, Writer
from models import Alarm
from services import alarms
from trading import instants
from trading.alarms import WORDS, page_of
from trading.hours import Hours

IDLE = 15.0  # seconds between two looks at what is due; quiet times end at a minute
MOST_LINES = 20  # alarms in one message
LONGEST = 60.0  # seconds for a message to be taken

# Their log lines name the addresses, which hold passwords.
_TALKATIVE = ("urllib3", "requests", "requests_oauthlib", "oauthlib", "markdown")
# Why a place took no message, by what the library logs of it: the first that matches.
_REASONS = (
    (r"\b53[045]\b|authenticat|auth\b|error=40[13]", "it refused the user name, password or token"),
    (r"chat not found|chat_id|error=400", "it knows no such chat, channel or recipient"),
    (r"error=404", "it knows no such bot, webhook or topic; the token may be misspelled"),
    (r"error=429", "it has had too many messages; wait a minute"),
    (r"error=5\d\d", "the service has a fault of its own; try again later"),
    (r"ssl|certificate|starttls", "the encryption does not fit: see the port, or its certificate"),
    (r"connection refused", "nothing listens at that host and port"),
    (
        r"not known|resolution|resolve|getaddrinfo",
        "the name of its host is unknown; see its spelling",
    ),
    (r"unreachable|no route", "this machine cannot reach it; see its network and firewall"),
    (r"timed? ?out", "it did not answer in time; a firewall may stand between"),
    (r"\b55\d\b|was refused", "the mail server refused the sender or the recipient"),
    (r"\b4[25]\d\b", "the mail server takes no mail now; try again later"),
)
_UNREADABLE = "apprise does not understand the address; see how it is written for this service"
_UNKNOWN = "the service gave no reason; compare the address with the service's own page"
_SLOW = f"it did not take the message within {LONGEST:.0f} s"
# The lines that the library logs while it sends one message.
_lines: ContextVar[list[str]] = ContextVar("lines")

log = logging.getLogger("pairs")


class Place(NamedTuple):
    """Where messages go: an address that apprise reads, and names for it that hide it."""

    number: int
    url: str

    @property
    def kind(self) -> str:
        """The way of sending: `mailto`, `tgram`."""
        return re.split(r"s?://", self.url, maxsplit=1)[0].lower()

    @property
    def digest(self) -> str:
        """The name of the place in the database; too short to find a password by."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:6]


class Teller:
    """Sends what is due to all places, within the hours of the settings."""

    def __init__(self, conf: Any, writer: Writer, reader: Reader):
        self.places = [Place(n, url) for n, url in enumerate(dict.fromkeys(conf.alarm_urls), 1)]
        self._url, self._zone = conf.url, pytz.timezone(conf.zone or "UTC")
        self._reminder = conf.alarm_reminder_minutes * 60 or None
        self._pause = conf.alarm_pause_seconds
        self._hours = Hours(conf.market_hours, conf.quiet_times, conf.zone)
        self._writer, self._reader = writer, reader
        self._told_at = -inf  # on the monotonic clock
        self._due = asyncio.Event()

    def wake(self) -> None:
        """Something new may be due."""
        self._due.set()

    async def work(self, may: Callable[[], bool]) -> None:
        """Sends due alarms until it is cancelled, while `may()` says that this process does it."""
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
            await wait_for(self._due, pause)

    async def _tell_due(self) -> float:
        """Tells of what is due and may be told now: the seconds until the next is."""
        now = time.time()
        due = await self._reader.run(alarms.next_due)
        if due is None or not self._hours.allow(now):
            return IDLE
        wait = max(due - now, self._told_at + self._pause - time.monotonic())
        if wait > 0:
            return min(wait, IDLE)
        # No other process gets the rows that are claimed here.
        claimed = await self._writer.submit(lambda: alarms.claim(now))
        if claimed:
            self._told_at = time.monotonic()
            await self._tell_of(claimed)
        return 0.0

    async def _tell_of(self, claimed: list[Alarm]) -> None:
        knows = {each.id: set(each.told.split()) for each in claimed}
        news = {}
        for place in self.places:
            if unknown := [each for each in claimed if place.digest not in knows[each.id]]:
                news[place] = unknown
        taken = await asyncio.gather(
            *(send(place, *self._compose(those)) for place, those in news.items())
        )
        for (place, unknown), why in zip(news.items(), taken, strict=True):
            for each in () if why else unknown:
                knows[each.id].add(place.digest)
        everybody = {place.digest for place in self.places}

        def note() -> None:
            for rowid, told in knows.items():
                alarms.note_told(rowid, told & everybody, told >= everybody, self._reminder)

        await self._writer.submit(note)

    def _compose(self, news: list[Alarm]) -> tuple[str, str]:
        """(title, text) of one message for all: each kind's title and advice stand in it once."""
        first = WORDS[news[0].kind].title
        title = first if len(news) == 1 else f"{first}, and {len(news) - 1} more"
        parts = [
            self._words(kind, list(those))
            for kind, those in groupby(news[:MOST_LINES], attrgetter("kind"))
        ]
        if len(news) > MOST_LINES:
            parts.append(f"And {len(news) - MOST_LINES} more.")
        return f"Pairs-API: {title}", "\n\n".join(parts)

    def _words(self, kind: str, those: list[Alarm]) -> str:
        title = WORDS[kind].title + (f" ({len(those)})" if len(those) > 1 else "")
        again = "Still open. " if all(each.notified for each in those) else ""
        lines = "\n".join(self._line(each) for each in those)
        return f"{again}{title}\n{lines}\n{WORDS[kind].advice}"

    def _line(self, alarm: Alarm) -> str:
        began = instants.unix(alarm.since)
        since = datetime.fromtimestamp(began, UTC).astimezone(self._zone)
        hours, minutes = divmod(int((time.time() - began) // 60), 60)
        age = f"{hours} h {minutes} min" if hours > 0 else f"{minutes} min"
        ago = f", {age} ago" if (hours, minutes) > (0, 0) else ""
        link = f"\n{self._url}{page_of(alarm.kind, alarm.subject)}" if self._url else ""
        return f"{alarm.what}\nSince {since:%Y-%m-%d %H:%M:%S %Z}{ago}.{link}"

    async def test(self) -> list[tuple[Place, str]]:
        """Sends a test to every place, at any hour: why each did not take it, "" where it did."""
        return await self.tell("Pairs-API: a test", "This is a test. Alarms will arrive here.")

    async def tell(self, title: str, text: str) -> list[tuple[Place, str]]:
        """Sends a message to every place: why each did not take it, "" where it did."""
        taken = await asyncio.gather(*(send(place, title, text) for place in self.places))
        return list(zip(self.places, taken, strict=True))


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Returns when the event is set, or after so many seconds."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await event.wait()
    except TimeoutError:
        return


# --- one message to one place -------------------------------------------------------------


async def send(place: Place, title: str, text: str) -> str:
    """Sends a message; returns why it was not taken, in plain words, or ""."""
    try:
        async with asyncio.timeout(LONGEST):
            why = await _in_a_thread(lambda: _deliver(place, title, text))
    except TimeoutError:
        why = _SLOW
    except Exception as error:  # noqa: BLE001 a hundred services fail in a hundred ways
        # Never the text of the error, which may hold the address.
        why = f"sending failed ({type(error).__name__})"
    if why:
        log.warning("alarm_urls: place %d (%s) took no message: %s", place.number, place.kind, why)
    return why


def _deliver(place: Place, title: str, text: str) -> str:
    """Why the place did not take the message, or ""."""
    apprise = _apprise()
    line, said = apprise.Apprise(), []
    _lines.set(said)
    if not line.add(place.url):
        return _UNREADABLE
    # The text quotes texts of others: nothing in it is markup.
    if line.notify(text, title, body_format=apprise.NotifyFormat.TEXT):
        return ""
    return next(
        (words for sign, words in _REASONS if re.search(sign, " ".join(said), re.I)), _UNKNOWN
    )


def _listen(record: logging.LogRecord) -> bool:
    """Keeps what the library says of a failure, and lets no line into the log."""
    text = record.getMessage()
    if record.levelno >= logging.WARNING or text.startswith("Socket Exception"):
        _lines.get([]).append(text)
    return False


@lru_cache(1)
def _apprise() -> Any:
    # Imported when it is first needed: it takes 18 MB.
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    talks = logging.getLogger("apprise")
    talks.setLevel(logging.DEBUG)
    talks.addFilter(_listen)
    import apprise

    return apprise


def _in_a_thread(work: Callable[[], Any]) -> asyncio.Future:
    """What the function returns. The server's stop does not wait for this thread."""
    future: concurrent.futures.Future = concurrent.futures.Future()
    future.set_running_or_notify_cancel()  # who no longer waits does not disturb the thread

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 raised where somebody waits
            future.set_exception(error)

    threading.Thread(target=run, name="teller", daemon=True).start()
    return asyncio.wrap_future(future)
