"""/ws/signals: pushes every change to a browser or program, and replays what it missed."""

import asyncio

import orjson
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

import live
import models
from handlers.base import ApiError, BaseHandler, Right, count_of, missed_frames, right
from network import site_of
from trading import instants

VISITOR_REPLAY = 100
PONG = orjson.dumps({"type": "pong"})
RESYNC = orjson.dumps({"type": "resync"})
ELSEWHERE = "another site may not listen here."


class SignalSocket(BaseHandler, WebSocketHandler):
    """One client's line to the hub."""

    listener: live.Listener | None = None

    @right(Right.READ)
    async def get(self) -> None:
        after = self.get_query_argument("after", "")
        self.after = count_of(after) if after else None
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError(400, "this address speaks websocket only.")
        origin = self.request.headers.get("Origin")
        if origin is not None and not site_of(origin):  # Tornado would stumble over it
            raise ApiError(403, ELSEWHERE)
        if self.is_visitor:
            self.application.gate.let_listen(self.request)
        await super().get()

    def check_origin(self, origin: str) -> bool:
        # Asked only where the browser says, or the Host shows, that another site opens the line.
        if origin != self.conf.url:
            raise ApiError(403, ELSEWHERE)
        return True

    async def open(self) -> None:
        self.application.in_hand.discard(self.request)
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
        limit = self.conf.replay_limit
        if self.identity is None:
            limit = min(limit, VISITOR_REPLAY)
        frames = await self.application.reader.run(_replay, position, limit)
        if frames is None:
            self.listener.position = self.application.hub.last_event
            self.listener.say(RESYNC)
        return frames or []

    def send(self, data: bytes) -> asyncio.Future:
        """Writes framed bytes; a connection that is gone counts as served."""
        try:
            return asyncio.ensure_future(self.ws_connection.stream.write(data))
        except (AttributeError, StreamClosedError):
            done = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

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
    return None if missed is None else missed_frames(missed)


routes = [(r"/ws/signals", SignalSocket)]
