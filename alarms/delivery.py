"""Sending messages to the places of the settings, through apprise, each in a thread of its own."""

import asyncio
import contextlib
import hashlib
import logging
import re
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

LONGEST = 60.0  # seconds for a message to be taken

# Their lines name the addresses, which hold passwords.
_TALKATIVE = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib", "markdown")

log = logging.getLogger("pairs")


class Place(NamedTuple):
    """One who is told: an address that apprise reads, and names for it that give nothing away."""

    number: int
    url: str

    @property
    def kind(self) -> str:
        """How it is told: `mailto`, `tgram`."""
        return re.split(r"s?://", self.url, maxsplit=1)[0].lower()

    @property
    def digest(self) -> str:
        """What the database knows of it; too short to find a password by."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:6]


def places(urls: list[str]) -> list[Place]:
    """The places of these addresses, numbered from 1."""
    return [Place(number, url) for number, url in enumerate(dict.fromkeys(urls), 1)]


class Message(NamedTuple):
    """What is sent."""

    title: str
    text: str


@lru_cache(1)
def _apprise() -> Any:
    # Imported when it is first needed: it takes 18 MB.
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    import apprise

    return apprise


def _deliver(place: Place, message: Message) -> bool:
    """Whether the place has taken the message."""
    apprise = _apprise()
    line = apprise.Apprise()
    # A message is text of ours around texts of others: nothing in it is markup.
    return line.add(place.url) and bool(
        line.notify(message.text, message.title, body_format=apprise.NotifyFormat.TEXT)
    )


async def send(place: Place, message: Message) -> bool:
    """Sends a message; False where it was not taken, for whatever reason."""
    try:
        async with asyncio.timeout(LONGEST):
            taken = await _in_a_thread(lambda: _deliver(place, message))
    except Exception as error:  # noqa: BLE001 a hundred services fail in a hundred ways
        # Never the text of it, which may hold the address.
        log.warning("alarm_urls: place %d failed: %s", place.number, type(error).__name__)
        return False
    if not taken:
        log.warning("alarm_urls: place %d (%s) took no message", place.number, place.kind)
    return taken


async def _in_a_thread(work: Callable[[], Any]) -> Any:
    """What the function returns. The stop of the server does not wait for it."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def settle(result: Any, error: Exception | None) -> None:
        if future.done():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(result)

    def run() -> None:
        result, problem = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 it goes to the one who waits
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(settle, result, problem)

    threading.Thread(target=run, name="teller", daemon=True).start()
    return await future
