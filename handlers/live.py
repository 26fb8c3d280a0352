"""/ws/signals: pushes every change to a browser or program, and replays what it missed.

Where a host holds no websocket open, a plain GET with `after` answers the same messages at once.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from prometheus_client import Histogram
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

import models
from handlers.base import BaseHandler
from handlers.contract import Right, contract, right
from handlers.errors import ApiError
from handlers.lists import AFTER, count_of
from network import site_of
from schemas.answers import Missed
from schemas.records import WIRE_NAMES
from schemas.requests import SocketQuery
from services import access, events
from trading import instants

COLLECT = 0.05  # seconds that events are collected for in a rush, at most
COLLECT_PER_LISTENER = 0.0001  # seconds
TURN = 50  # listeners served before other work gets its turn
MOST_BYTES = 4 * 1024 * 1024  # unsent, for one listener
MOST_MESSAGES = 2000  # unsent, for one listener
TOO_SLOW = (1013, "too slow")
SESSION_ENDED = (4401, "session ended")
STOPPING = (1001, "the server stops")
LATENCIES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)  # seconds
PRIVATE = (
    "rejected.",
    "trading.",
)  # how the types of events begin that only logged-in listeners hear of
VISITOR_REPLAY = 100  # events
MOST_AT_ONCE = 128 * 1024  # bytes; Windows fails with much more
PONG = orjson.dumps({"type": "pong"})
RESYNC = orjson.dumps({"type": "resync"})
ELSEWHERE = "another site may not listen here."


class Frame(NamedTuple):
    """An event, encoded and framed once for all; a `private` one goes to logged-in listeners."""

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


def event_message(type: str, event_id: int, record: str, changes: str) -> bytes:
    """One event as the websocket sends it, with the subject's whole record as it was then."""
    noun = type.partition(".")[0]
    names = WIRE_NAMES.get(noun, {})
    changed = orjson.dumps([names.get(each, each) for each in orjson.loads(changes)]).decode()
    told = f'{{"type":"{type}","event":{event_id},"{noun}":{record},"changed":{changed}}}'
    return told.encode()


def frames_of(rows: Iterable[tuple[int, str, str, str]]) -> list[Frame]:
    """Events that were read, as frames."""
    return [
        Frame(event, frame(event_message(type, event, *told)), type.startswith(PRIVATE))
        for event, type, *told in rows
    ]


class Batch(NamedTuple):
    """Frames that go out together, joined once for all listeners: without private ones, and all."""

    frames: list[Frame]
    public: bytes
    whole: bytes


def batch_of(frames: list[Frame]) -> Batch:
    """These frames as a batch."""
    public = b"".join([each.data for each in frames if not each.private])
    return Batch(frames, public, b"".join([each.data for each in frames]))


class Listener:
    """A client that hears each event after `position` once, in order.

    `line` is its SignalSocket, or whatever has the same `send` and `drop`.
    """

    def __init__(self, line: Any, position: int, session: str | None, by_cookie: bool):
        self.position = position
        self.session = session
        self.by_cookie = by_cookie
        self._line = line
        self._held: list[Frame] | None = []
        self._unsent_bytes = 0
        self._unsent_messages = 0

    def deliver(self, batch: Batch) -> None:
        """Sends the events, or holds them while the client is still catching up."""
        if self._held is not None:
            self._held += batch.frames
            if len(self._held) > MOST_MESSAGES:
                self.drop(*TOO_SLOW)
            return
        if batch.frames[-1].event <= self.position:
            return
        if batch.frames[0].event <= self.position:
            batch = batch_of([each for each in batch.frames if each.event > self.position])
        self.position = batch.frames[-1].event
        if data := batch.whole if self.session else batch.public:
            self._send(data, len(batch.frames))

    def catch_up(self, missed: list[Frame]) -> None:
        """Sends what was missed, then what was held meanwhile; from now on all is live."""
        held, self._held = self._held or [], None
        frames = missed + [each for each in held if not missed or each.event > missed[-1].event]
        if frames:
            self.deliver(batch_of(frames))

    def say(self, message: bytes) -> None:
        """Sends this client alone a message."""
        self._send(frame(message), 1)

    def drop(self, code: int, reason: str) -> None:
        """Closes the websocket; the client catches up when it is back."""
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

    def publish(self, frames: list[Frame], since: float) -> None:
        """Tells all who listen of the next events.

        `since` is when they were committed, or heard of, on the monotonic clock.
        """
        self.last_event = frames[-1].event
        if not self._pending:
            self._since = since
        self._pending += frames
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._pending:
            started = clock()
            batch, self._pending = batch_of(self._pending), []
            since = self._since
            for number, listener in enumerate(list(self.listeners), 1):
                listener.deliver(batch)
                if number % TURN == 0:
                    await asyncio.sleep(0)
            self.latencies.observe(time.monotonic() - since)
            window = min(COLLECT, COLLECT_PER_LISTENER * len(self.listeners))
            await asyncio.sleep(max(0.0, window - (clock() - started)))
        self._pump = None

    def announce(self, message: bytes) -> None:
        """Sends all who are logged in a message that is not replayed."""
        for listener in list(self.listeners):
            if listener.session:
                listener.say(message)

    def recheck(self) -> None:
        """Drops the listeners whose session or API token has ended."""
        for by_cookie in (True, False):  # of one session the cookie may end before the tokens
            known = [x for x in self.listeners if x.session and x.by_cookie is by_cookie]
            keys = dict.fromkeys((each.session for each in known), by_cookie)
            alive = access.watching(keys) if keys else set()
            for listener in known:
                if listener.session not in alive:
                    listener.drop(*SESSION_ENDED)

    def close(self) -> None:
        """Closes all websockets and stops sending."""
        for listener in list(self.listeners):
            listener.drop(*STOPPING)
        if self._pump is not None:
            self._pump.cancel()


class SignalSocket(BaseHandler, WebSocketHandler):
    """One client's websocket, and its answers where a host holds none open."""

    listener: Listener | None = None

    @right(Right.READ)
    @contract({101: None, 200: Missed}, query=SocketQuery)
    async def get(self) -> None:
        """Listen to every change, over a websocket.

        Without an upgrade it answers what followed the event `after`.
        """
        after = self.query(SocketQuery).after
        self.after = count_of(after, AFTER) if after else None
        wants_websocket = self.request.headers.get("Upgrade", "").lower() == "websocket"
        if wants_websocket and self.request.method == "GET":
            await self._open_websocket()
        elif self.after is None:
            raise ApiError(400, "this address speaks websocket, or answers what followed ?after=.")
        else:
            await self._answer_missed()

    async def _open_websocket(self) -> None:
        origin = self.request.headers.get("Origin")
        if origin is not None and not site_of(origin):  # Tornado would stumble over it
            raise ApiError(403, ELSEWHERE)
        if self.is_visitor:
            self.application.gate.let_listen(self.request)
        await super().get()

    async def _answer_missed(self) -> None:
        missed, last = await self.application.reader.run(_missed, self.after, self._most_missed)
        private = self.identity is not None
        messages = [
            event_message(type, event, *told)
            for event, type, *told in missed or ()
            if private or not type.startswith(PRIVATE)
        ]
        if missed is None:
            messages = [RESYNC]
        if private:
            state = {"type": "bridge", **self.application.polls.state()}
            messages.append(orjson.dumps(state))
        told = [orjson.Fragment(each) for each in messages]
        assets = self.application.assets.hash
        head = {"event": last, "server_time": instants.now(), "assets": assets}
        self.reply(head | {"messages": told})

    @property
    def _most_missed(self) -> int:
        limit = self.conf.replay_limit
        return min(limit, VISITOR_REPLAY) if self.identity is None else limit

    def check_origin(self, origin: str) -> bool:
        # Called only where the browser says, or the Host shows, that another site opens it.
        if origin != self.conf.url:
            raise ApiError(403, ELSEWHERE)
        return True

    async def open(self) -> None:
        self.ws_connection.stream.quiet_since = None  # it only listens
        if self.is_visitor:
            self.application.gate.count_socket(self.request, 1)
        hub, identity = self.application.hub, self.identity
        if not hub.listeners:  # with nobody there, no event was read
            hub.last_event = max(hub.last_event, models.EventRow.last_id())
        position = hub.last_event if self.after is None else self.after
        session = identity and identity.key
        by_cookie = bool(identity and identity.by_cookie)
        self.listener = Listener(self, position, session, by_cookie)
        hub.listeners.add(self.listener)
        hello = {
            "type": "hello",
            "event": hub.last_event,
            "server_time": instants.now(),
            "ping": True,
            "assets": self.application.assets.hash,
        }
        self.listener.say(orjson.dumps(hello))
        self.listener.catch_up(await self._missed(position))

    async def _missed(self, position: int) -> list[Frame]:
        if self.after is None or position == self.application.hub.last_event:
            return []
        frames = await self.application.reader.run(_replay, position, self._most_missed)
        if frames is None:
            self.listener.position = self.application.hub.last_event
            self.listener.say(RESYNC)
        return frames or []

    def send(self, data: bytes) -> asyncio.Future | None:
        """Sends framed bytes: a future that is done once they have left, None if they have.

        A socket that is closed counts as served.
        """
        try:
            stream = self.ws_connection.stream
            if not stream.writing():
                # Past the stream's buffer, which would cost more than the sending itself.
                with contextlib.suppress(OSError):  # the stream meets the same error
                    data = data[stream.socket.send(data[:MOST_AT_ONCE]) :]
            return asyncio.ensure_future(stream.write(data)) if data else None
        except (AttributeError, StreamClosedError):
            return None

    def drop(self, code: int, reason: str) -> None:
        """Stops listening at once, then says so."""
        self.application.hub.listeners.discard(self.listener)
        self.close(code, reason)

    def on_message(self, message: str | bytes) -> None:
        # A page asks whether its websocket is still alive; browsers cannot send protocol pings.
        if isinstance(message, str) and len(message) < 100 and "ping" in message:
            self.listener.say(PONG)

    def on_close(self) -> None:
        if self.is_visitor:
            self.application.gate.count_socket(self.request, -1)
        self.application.hub.listeners.discard(self.listener)


def _replay(position: int, limit: int) -> list[Frame] | None:
    missed = events.missed_since(position, limit)
    return None if missed is None else frames_of(missed)


def _missed(position: int, limit: int) -> tuple[list[tuple] | None, int]:
    """What followed (None if it is too much), and the last event that the asker then knows of."""
    last = models.EventRow.last_id()  # read first: whoever must read the lists anew does it later
    missed = events.missed_since(position, limit)
    return missed, missed[-1][0] if missed else last


routes = [(r"/ws/signals", SignalSocket)]
