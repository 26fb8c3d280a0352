"""The hub: who listens, and how each event reaches them without one delaying another."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from prometheus_client import Histogram

import models

COLLECT = 0.05  # seconds that events are collected for in a rush
COLLECT_PER_LISTENER = 0.0001
TURN = 50  # listeners served before other work gets its turn
MOST_BYTES = 4 * 1024 * 1024  # unsent, for one listener
MOST_MESSAGES = 2000
TOO_SLOW = (1013, "too slow")
SESSION_ENDED = (4401, "session ended")
STOPPING = (1001, "the server stops")
CHUNK = 100  # events read at a time
LATENCIES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)  # seconds
RETRY = 0.2  # seconds before events are read again that could not be read


class Frame(NamedTuple):
    """An event, encoded and framed once for all; `private` ones go to logged-in listeners only."""

    event: int
    data: bytes
    private: bool


def frame(message: bytes) -> bytes:
    """A text message as an unmasked websocket frame (RFC 6455, section 5.2)."""
    size = len(message)
    if size < 126:
        return bytes((0x81, size)) + message
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + message
    return b"\x81\x7f" + size.to_bytes(8, "big") + message


class Line(Protocol):
    """One client's connection."""

    def send(self, data: bytes) -> asyncio.Future | None:
        """Sends framed bytes; the future is done when they have left, None if they have already."""

    def drop(self, code: int, reason: str) -> None:
        """Closes the connection."""


class Listener:
    """A client that hears each event after `position` once, in order."""

    def __init__(self, line: Line, position: int, session: str | None, by_cookie: bool):
        self.position = position
        self.session = session
        self.by_cookie = by_cookie
        self._line = line
        self._held: list[Frame] | None = []
        self._unsent_bytes = 0
        self._unsent_messages = 0

    def deliver(self, batch: "Batch") -> None:
        """Sends the events, or holds them while the client is still catching up."""
        if self._held is not None:
            self._held += batch.frames
            if len(self._held) > MOST_MESSAGES:
                self.drop(*TOO_SLOW)
            return
        if batch.frames[-1].event <= self.position:
            return
        private = self.session is not None
        if batch.frames[0].event > self.position:
            data, count = batch.joined(private), len(batch.frames)
        else:
            rest = [each for each in batch.frames if each.event > self.position]
            data, count = _join(rest, private), len(rest)
        self.position = batch.frames[-1].event
        if data:
            self._send(data, count)

    def catch_up(self, missed: list[Frame]) -> None:
        """Sends what was missed, then what was held meanwhile; from now on all is live."""
        held, self._held = self._held or [], None
        frames = missed + [each for each in held if not missed or each.event > missed[-1].event]
        if frames:
            self.deliver(Batch(frames))

    def say(self, message: bytes) -> None:
        """Sends this client alone a message."""
        self._send(frame(message), 1)

    def drop(self, code: int, reason: str) -> None:
        """Closes the connection; the client catches up when it is back."""
        self._line.drop(code, reason)

    def _send(self, data: bytes, count: int) -> None:
        sent = self._line.send(data)
        if sent is None or sent.done():
            return
        self._unsent_bytes += len(data)
        self._unsent_messages += count
        if self._unsent_bytes > MOST_BYTES or self._unsent_messages > MOST_MESSAGES:
            self.drop(*TOO_SLOW)
            return
        sent.add_done_callback(lambda _: self._left(len(data), count))

    def _left(self, size: int, count: int) -> None:
        self._unsent_bytes -= size
        self._unsent_messages -= count


class Batch:
    """Frames that go out together, joined once for all listeners."""

    def __init__(self, frames: list[Frame]):
        self.frames = frames
        self._joined: dict[bool, bytes] = {}

    def joined(self, private: bool) -> bytes:
        """The bytes for a listener who may or may not see private events."""
        if private not in self._joined:
            self._joined[private] = _join(self.frames, private)
        return self._joined[private]


def _join(frames: Iterable[Frame], private: bool) -> bytes:
    return b"".join(each.data for each in frames if private or not each.private)


class Hub:
    """All listeners; events go out at once when it is quiet and in batches in a rush."""

    def __init__(self, last_event: int = 0):
        self.last_event = last_event
        self.listeners: set[Listener] = set()
        self.latencies = Histogram(
            "pairs_push_seconds",
            "From the commit to the last socket.",
            buckets=LATENCIES,
            registry=None,
        )
        self._pending: list[Frame] = []
        self._since = 0.0
        self._pump: asyncio.Task | None = None

    def publish(self, last_event: int, frames: Iterable[Frame], since: float = 0.0) -> None:
        """Tells everybody who listens of committed events; with nobody there no frame is made.

        `since` is when they were committed, or heard of, on the monotonic clock.
        """
        self.last_event = max(self.last_event, last_event)
        if not self.listeners:
            return
        if not self._pending:
            self._since = since
        self._pending += frames
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._pending:
            started = clock()
            batch, self._pending = Batch(self._pending), []
            since = self._since
            for number, listener in enumerate(list(self.listeners), 1):
                listener.deliver(batch)
                if number % TURN == 0:
                    await asyncio.sleep(0)
            if since:
                self.latencies.observe(time.monotonic() - since)
            window = min(COLLECT, COLLECT_PER_LISTENER * len(self.listeners))
            await asyncio.sleep(max(0.0, window - (clock() - started)))
        self._pump = None

    def announce(self, message: bytes) -> None:
        """Tells all who are logged in something that is no event and need not be caught up."""
        for listener in list(self.listeners):
            if listener.session:
                listener.say(message)

    def recheck(self) -> None:
        """Drops the listeners whose session has ended."""
        for by_cookie in (True, False):  # of one session the cookie may end before the tokens
            known = [x for x in self.listeners if x.session and x.by_cookie is by_cookie]
            keys = dict.fromkeys((each.session for each in known), by_cookie)
            alive = models.watching(keys) if keys else set()
            for listener in known:
                if listener.session not in alive:
                    listener.drop(*SESSION_ENDED)

    def close(self) -> None:
        """Says goodbye to everybody."""
        for listener in list(self.listeners):
            listener.drop(*STOPPING)
        if self._pump is not None:
            self._pump.cancel()


class Feed:
    """Brings the events of all processes to this one's hub, each once and in the order of ids.

    They come from the table of events: what is told next is what follows the last one told. Ids
    become visible in their order (`database.Shared`), so nothing can appear behind it later.
    """

    def __init__(
        self, hub: Hub, read: Callable[[int, int], list[Frame]], failures: tuple[type, ...]
    ):
        self._hub = hub
        self._read = read
        self._failures = failures
        self._heard = 0.0
        self._timer: asyncio.Handle | None = None

    def begin(self) -> None:
        """Call it before somebody begins to listen: with nobody there, nothing was read."""
        if not self._hub.listeners:
            self._hub.last_event = max(self._hub.last_event, models.EventRow.last_id())

    def look(self, heard: float) -> None:
        """Events may be committed since the last look; `heard` is when, on the monotonic clock."""
        self._heard = self._heard or heard
        if self._timer is None:
            self._look()

    def _look(self) -> None:
        self._timer = None
        if not self._hub.listeners:
            self._heard = 0.0
            return
        loop = asyncio.get_running_loop()
        try:
            frames = self._read(self._hub.last_event, CHUNK)
        except self._failures:
            self._timer = loop.call_later(RETRY, self._look)
            return
        if frames:
            self._hub.publish(frames[-1].event, frames, self._heard)
        if len(frames) == CHUNK:  # other work gets its turn
            self._timer = loop.call_soon(self._look)
        else:
            self._heard = 0.0

    def close(self) -> None:
        """Reads no more."""
        if self._timer is not None:
            self._timer.cancel()
