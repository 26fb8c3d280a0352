"""The application: all routes, and what their handlers share."""

import asyncio
import contextlib
import logging
import time
import weakref
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import orjson
import peewee
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

import models
from alarms import Watchman
from database import (
    AWAY,
    UNANSWERED,
    Overloaded,
    Reader,
    Writer,
    close_if_broken,
    is_shared,
    read_only,
)
from handlers import (
    account,
    alarms,
    audit,
    factor,
    health,
    metrics,
    openapi,
    pages,
    passphrases,
    registry,
    rejected,
    sessions,
    signals,
    socket,
    tokens,
    users,
    webhook,
)
from handlers.base import (
    BoundedBody,
    Gate,
    Hashing,
    Identity,
    NotFound,
    Others,
    OtherVersion,
    Passphrases,
    Refusals,
    Right,
    Static,
    Turn,
    environment,
    frames_after,
    take_origin_form,
    visitor,
)
from limits import Rarely
from live import Feed, Frame, Hub
from logs import log_access
from settings import ROOT, Settings
from trading import instants

ROUTES = [
    *webhook.routes,
    *signals.routes,
    *rejected.routes,
    *registry.routes,
    *account.routes,
    *users.routes,
    *sessions.routes,
    *factor.routes,
    *tokens.routes,
    *audit.routes,
    *passphrases.routes,
    *alarms.routes,
    *health.routes,
    *metrics.routes,
    *socket.routes,
    *openapi.routes,
    *pages.routes,
    (r"/v3(?:/.*)?", NotFound),
    (r"/v4(?:/.*)?", OtherVersion),
]
# What the figures call a handler; they never name what somebody asked for.
PATTERNS = {handler: pattern.replace("([^/]+)", "*") for pattern, handler in ROUTES} | {
    NotFound: "/v3",
    OtherVersion: "/v4",
    pages.NoPage: "other",
    Static: "/static",
}
BODY_SECONDS = 30  # for a body to arrive in
RECONNECT = 1.0  # seconds before the event loop tries again to reach a database that is away

log = logging.getLogger("pairs")


class PairsApplication(Application):
    """The routes and the services their handlers use."""

    def __init__(self, conf: Settings, database: peewee.Database, token_key: str):
        refuse_undecided(ROUTES)
        super().__init__(
            ROUTES,
            default_handler_class=pages.NoPage,
            websocket_ping_interval=30,
            websocket_max_message_size=4096,
            static_path=str(ROOT / "static"),
            static_handler_class=Static,
            xsrf_cookie_kwargs={
                "samesite": "Lax",
                "httponly": True,
                "secure": conf.url.startswith("https:"),
            },
        )
        self.templates = environment(conf.zone)
        self.conf = conf
        self.database = database
        self.token_key = token_key
        self.writer = Writer(database, models.receive, conf.queue_limit, self._committed)
        self.reader = Reader(database)
        self._searcher = Reader(database, limit=100)
        self.draining = False
        self._last_event = models.EventRow.last_id()
        self.hub = Hub(self._last_event)
        self.feed = Feed(self.hub, self._read_events, AWAY)
        self.turn = Turn()
        self.short_lists = signals.ShortLists(partial(self.turn.ask, models.EventRow.last_id))
        self.gate = Gate(conf)
        self.refusals = Refusals()
        self.started = instants.now()
        self._uses = Rarely(60)
        self.passphrases = Passphrases(conf, token_key)
        self.hashing = Hashing()
        self.figures = metrics.Figures(self, PATTERNS)
        self.readiness = health.Readiness(self)
        # Weak: a request whose sender went away is never finished.
        self.in_hand: weakref.WeakSet[HTTPServerRequest] = weakref.WeakSet()
        self._away_until = 0.0
        self.announced: dict[str, Callable[[str | None], None]] = {
            models.SESSIONS: lambda _: self.hub.recheck(),
            models.PASSPHRASES: self.passphrases.forget,
            models.ALARMS: self._heard_of_alarms,
        }
        self.polls = account.Polls(self)
        self.watchman = Watchman(conf, self.writer, Reader(database), self.polls.last)
        self._others = Others(self) if is_shared(database) else None

    @cached_property
    def document(self) -> bytes:
        """The API's document, made when somebody first asks for it."""
        from handlers.base.document import describe

        return orjson.dumps(describe(ROUTES))

    def start(self) -> None:
        """Connects, writes and listens; call it on the event loop."""
        read_only(self.database)
        self.writer.start()
        if self._others:
            self._others.start()
        else:
            loop = asyncio.get_running_loop()
            self.database.hear = partial(loop.call_soon_threadsafe, self.hear)
        self.watchman.start(shared=self._others is not None)

    def hear(self, topic: str, text: str | None) -> None:
        """What a process has announced (`database.announce`); None: something may be missed."""
        if topic not in self.announced:
            return
        self.turn.forget()
        try:
            self.open_database_here()
            self.announced[topic](text)
        except AWAY:
            close_if_broken(self.database)
            asyncio.get_running_loop().call_later(RECONNECT, self.hear, topic, None)

    def _heard_of_alarms(self, text: str | None) -> None:
        self.hub.announce(alarms.CHANGED)
        if text == models.NOBODY_LOOKS:
            self.watchman.take_over()

    def look_for_events(self, heard: float) -> None:
        """Something was committed, by this process or another: there may be events to tell."""
        self.feed.look(heard)
        last = models.EventRow.last_id()
        if last != self._last_event:
            self._last_event = last
            self.watchman.wake()

    def _committed(self) -> None:
        with contextlib.suppress(*AWAY):
            self.look_for_events(self.writer.committed)

    def _read_events(self, event: int, most: int) -> list[Frame]:
        self.open_database_here()
        return frames_after(event, most)

    def begin_listening(self) -> None:
        """Call it before somebody begins to listen, and in the same step."""
        self.feed.begin()

    def open_database_here(self) -> None:
        """The event loop's reading connection, opened anew if it broke.

        While the database is away the loop does not wait for it with every request.
        """
        if not self.database.is_closed():
            return
        if time.monotonic() < self._away_until:
            raise peewee.OperationalError("the database could not be reached a moment ago")
        try:
            read_only(self.database)
        except peewee.OperationalError:
            self._away_until = time.monotonic() + RECONNECT
            raise

    def requests_in_hand(self) -> int:
        """How many requests are coming in or wait for their answer."""
        return sum(not request.connection.stream.closed() for request in self.in_hand)

    def hang_up_on_stalled(self, longest: float = BODY_SECONDS) -> None:
        """Ends the connections whose body has been coming in for longer than these seconds.

        One that is too long already is answered first.
        """
        # Tornado's own time-out costs a task for every body, and alerts come whole.
        for request in list(self.in_hand):
            if not hasattr(request, "arrived") and request.request_time() > longest:
                getattr(request, "give_up", request.connection.stream.close)()

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any):
        self.in_hand.add(request)
        request.connection.stream.quiet_since = None
        self.gate.identify(request)
        take_origin_form(request)
        if request.path.startswith("/v3"):
            # Tornado would refuse a body that does not fit its type; here it is JSON, whatever
            # the type says.
            request.headers.pop("Content-Type", None)
        return BoundedBody(request, super().find_handler(request, **kwargs))

    def log_request(self, handler: RequestHandler) -> None:
        """A request has its answer: one line; its query string may hold secrets and stays out."""
        request = handler.request
        self.in_hand.discard(request)
        request.connection.stream.quiet_since = time.monotonic()
        request_id = getattr(handler, "request_id", "-")
        status, seconds = handler.get_status(), request.request_time()
        self.figures.note(handler, seconds)
        log_access(request_id, request.remote_ip, request.method, request.path, status, seconds)

    def reader_for(self, filters: models.Filters, sums: bool = False) -> Reader:
        """Where to read: a search for text, or sums over all times, may walk through all signals.

        They must not delay the rest.
        """
        if filters.text or (sums and not filters.since):
            return self._searcher
        return self.reader

    def note(self, work: Callable[[], Any], then: Callable[[], None] | None = None) -> None:
        """Writes what may be lost: no request waits for it or fails with it."""

        def written(done: asyncio.Future) -> None:
            # What broke has been told by another; a note is tried again in its time.
            if not done.cancelled():
                done.exception()
            if then:
                then()

        with contextlib.suppress(Overloaded):
            self.writer.submit(work).add_done_callback(written)

    def note_use(self, name: int | str, last_used: str | None) -> None:
        """Remembers the use of a passphrase, once a minute at the most."""
        if self._uses.due(f"passphrase {name}") and (last_used or "") < instants.ago(60):
            table = models.PassphraseUse if isinstance(name, str) else models.Passphrase
            self.note(partial(table.touch, name), self.passphrases.forget)

    def note_use_of(self, identity: Identity, request: HTTPServerRequest) -> None:
        """Remembers that a session or API token is in use, once a minute at the most."""
        if not self._uses.due(identity.key):
            return
        if identity.token:
            self.note(partial(models.ApiToken.touch, identity.token.id))
        else:
            self.note(partial(models.Visit.note, identity.session.id, *visitor(request)))

    async def write_refusals(self) -> None:
        """Writes the refusals that were counted, for the audit."""
        if rows := self.refusals.take():
            await self.writer.submit(
                partial(models.Audit.note_refusals, rows, self.conf.audit_kept)
            )

    async def sweep(self) -> None:
        """Forgets sessions whose time is over, and the sockets they opened; writes refusals."""
        try:
            await self.writer.submit(models.Session.sweep)
            await self.writer.submit(partial(models.Visit.end_idle, self.conf.idle_days))
            await self.write_refusals()
        except UNANSWERED as error:
            log.warning("old sessions and refusals wait for the next sweep: %s", error)
        self.hear(models.SESSIONS, None)

    async def close(self) -> None:
        """Writes what waits and closes the connections."""
        self.hub.close()
        self.feed.close()
        await self.watchman.close()
        if self._others:
            await self._others.close()
        with contextlib.suppress(Overloaded, peewee.PeeweeException):
            await self.write_refusals()
        await self.writer.close()
        self.reader.close()
        self._searcher.close()
        self.hashing.close()
        self.database.close()


def refuse_undecided(routes: list[tuple]) -> None:
    """Raises unless every method of every route says who may call it."""
    for pattern, handler, *_ in routes:
        for name in set(RequestHandler.SUPPORTED_METHODS) - {"HEAD"}:  # it needs GET's right
            method = getattr(handler, name.lower(), None)
            own = method is not getattr(RequestHandler, name.lower(), None)
            if own and not isinstance(getattr(method, "right", None), Right):
                raise TypeError(f"{name} {pattern} does not say who may call it")
