"""/ws/signals: pushes every change to a browser or program, and replays what it missed.

Where a host holds no websocket open, a plain GET with `after` answers the same messages at once.
"""

import asyncio
import contextlib

import orjson
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

import live
import models
import schemas
from handlers.base import (
    ApiError,
    BaseHandler,
    Right,
    contract,
    count_of,
    frames_of,
    messages_of,
    right,
)
from network import site_of
from schemas.events import Missed
from trading import instants

VISITOR_REPLAY = 100
MOST_AT_ONCE = 128 * 1024  # bytes; Windows fails with much more
PONG = orjson.dumps({"type": "pong"})
RESYNC = orjson.dumps({"type": "resync"})
ELSEWHERE = "another site may not listen here."


class SignalSocket(BaseHandler, WebSocketHandler):
    """One client's line to the hub."""

    listener: live.Listener | None = None

    @right(Right.READ)
    @contract({101: None, 200: Missed}, query=schemas.SocketQuery)
    async def get(self) -> None:
        """Listen to every change, over a websocket.

        Without an upgrade it answers what followed the event `after`.
        """
        after = self.query(schemas.SocketQuery).after
        self.after = count_of(after) if after else None
        wants_line = self.request.headers.get("Upgrade", "").lower() == "websocket"
        if wants_line and self.request.method == "GET":
            await self._open_line()
        elif self.after is None:
            raise ApiError(400, "this address speaks websocket, or answers what followed ?after=.")
        else:
            await self._answer_missed()

    async def _open_line(self) -> None:
        origin = self.request.headers.get("Origin")
        if origin is not None and not site_of(origin):  # Tornado would stumble over it
            raise ApiError(403, ELSEWHERE)
        if self.is_visitor:
            self.application.gate.let_listen(self.request)
        await super().get()

    async def _answer_missed(self) -> None:
        missed, last = await self.application.reader.run(_missed, self.after, self._most_missed)
        private = self.identity is not None
        messages = [RESYNC] if missed is None else messages_of(missed, private=private)
        if private:
            state = {"type": "bridge", **self.application.polls.state()}
            messages.append(orjson.dumps(state))
        told = [orjson.Fragment(each) for each in messages]
        self.reply({"event": last, "server_time": instants.now(), "messages": told})

    @property
    def _most_missed(self) -> int:
        limit = self.conf.replay_limit
        return min(limit, VISITOR_REPLAY) if self.identity is None else limit

    def check_origin(self, origin: str) -> bool:
        # Asked only where the browser says, or the Host shows, that another site opens the line.
        if origin != self.conf.url:
            raise ApiError(403, ELSEWHERE)
        return True

    async def open(self) -> None:
        self.ws_connection.stream.quiet_since = None  # it only listens
        if self.is_visitor:
            self.application.gate.count_line(self.request, 1)
        self.application.begin_listening()
        hub, identity = self.application.hub, self.identity
        position = hub.last_event if self.after is None else self.after
        session = identity and identity.key
        by_cookie = bool(identity and identity.by_cookie)
        self.listener = live.Listener(self, position, session, by_cookie)
        hub.listeners.add(self.listener)
        hello = {
            "type": "hello",
            "event": hub.last_event,
            "server_time": instants.now(),
            "ping": True,
        }
        self.listener.say(orjson.dumps(hello))
        self.listener.catch_up(await self._missed(position))

    async def _missed(self, position: int) -> list[live.Frame]:
        if self.after is None or position == self.application.hub.last_event:
            return []
        frames = await self.application.reader.run(_replay, position, self._most_missed)
        if frames is None:
            self.listener.position = self.application.hub.last_event
            self.listener.say(RESYNC)
        return frames or []

    def send(self, data: bytes) -> asyncio.Future | None:
        """Writes framed bytes; a connection that is gone counts as served."""
        try:
            stream = self.ws_connection.stream
            if not stream.writing():
                # Past the stream's buffer, which would cost more than the sending itself.
                with contextlib.suppress(OSError):  # whatever it is, the stream finds out too
                    data = data[stream.socket.send(data[:MOST_AT_ONCE]) :]
            return asyncio.ensure_future(stream.write(data)) if data else None
        except (AttributeError, StreamClosedError):
            return None

    def drop(self, code: int, reason: str) -> None:
        """Stops listening at once, then says so."""
        self.application.hub.listeners.discard(self.listener)
        self.close(code, reason)

    def on_message(self, message: str | bytes) -> None:
        # A page asks whether the line still stands; browsers cannot send protocol pings.
        if len(message) < 100 and "ping" in message:
            self.listener.say(PONG)

    def on_close(self) -> None:
        if self.is_visitor:
            self.application.gate.count_line(self.request, -1)
        self.application.hub.listeners.discard(self.listener)


def _replay(position: int, limit: int) -> list[live.Frame] | None:
    missed = models.missed_since(position, limit)
    return None if missed is None else frames_of(missed)


def _missed(position: int, limit: int) -> tuple[list[tuple] | None, int]:
    """What followed, None if too much, and the last event that whoever asks then knows of."""
    last = models.EventRow.last_id()  # before the lists are read anew, where that is needed
    missed = models.missed_since(position, limit)
    return missed, missed[-1][0] if missed else last


routes = [(r"/ws/signals", SignalSocket)]
