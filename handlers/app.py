"""The application: all routes, and what their handlers share."""

import asyncio
import contextlib
import logging
import re
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from typing import Any

import orjson
import peewee
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler

from database.feed import Ear, Feed
from database.kinds import AWAY, EVENT, is_shared
from database.opening import close_if_broken, read_only
from database.reader import Reader
from database.writer import UNANSWERED, Overloaded, Writer
from handlers import (
    account,
    alarms,
    audit,
    bodies,
    bookpages,
    decisions,
    documents,
    factor,
    gate,
    health,
    lists,
    live,
    metrics,
    openapi,
    page,
    pages,
    passphrases,
    performance,
    registry,
    rejected,
    sessions,
    signals,
    static,
    users,
    webhook,
)
from handlers.base import NotFound, OtherVersion
from handlers.contract import refuse_undecided
from models import EventRow, Signal
from services.access import PASSPHRASES, SESSIONS, end_idle_sessions, sweep_sessions
from services.alarms import ALARMS, NOBODY_LOOKS
from services.audit import note_refusals
from services.decisions import expire, policy_of
from services.search import Filters
from services.signals import receive
from services.strip import Strip
from services.watchman import Watchman
from settings import Settings
from trading import instants

ROUTES = [
    *webhook.routes,
    *signals.routes,
    *decisions.routes,
    *performance.routes,
    *rejected.routes,
    *registry.routes,
    *account.routes,
    *users.routes,
    *sessions.routes,
    *factor.routes,
    *audit.routes,
    *passphrases.routes,
    *alarms.routes,
    *health.routes,
    *metrics.routes,
    *live.routes,
    *openapi.routes,
    *documents.routes,
    *pages.routes,
    *bookpages.routes,
    *static.routes,
    (r"/v3(?:/.*)?", NotFound),
    (r"/v4(?:/.*)?", OtherVersion),
]
refuse_undecided(ROUTES)
# How the figures name a handler: by its route, never by the address that was asked for.
PATTERNS = {handler: pattern.replace("([^/]+)", "*") for pattern, handler in ROUTES} | {
    NotFound: "/v3",
    OtherVersion: "/v4",
    pages.NoPage: "other",
    static.Static: "/static",
}
BODY_SECONDS = 30  # for a body to arrive in
SHORT = re.compile(r"\d{1,4}", re.ASCII)  # a body's length that needs no watching, in bytes
RECONNECT = 1.0  # seconds before the event loop tries again to reach a database that is away

log = logging.getLogger("pairs")
access_log = logging.getLogger("pairs.access")


class PairsApplication(Application):
    """The routes and the services their handlers use."""

    def __init__(self, conf: Settings, database: peewee.Database, token_key: str):
        super().__init__(
            ROUTES,
            default_handler_class=pages.NoPage,
            websocket_ping_interval=30,
            websocket_max_message_size=4096,
            xsrf_cookie_kwargs={
                "samesite": "Lax",
                "httponly": True,
                "secure": conf.url.startswith("https:"),
            },
        )
        self.assets = static.Assets()
        self.templates = page.environment(self.assets)
        self.conf = conf
        self.database = database
        self.token_key = token_key
        self.policy = policy_of(conf)
        self.ruled: Counter[str] = Counter()  # signals that this process has held back, by rule
        self.writer = Writer(database, partial(receive, policy=self.policy), conf.queue_limit)
        self.reader = Reader(database)
        self.searcher = Reader(database, limit=100)
        self.draining = False
        self.hub = live.Hub(EventRow.last_id())
        self.turn = lists.Turn()
        self.short_lists = signals.ShortLists(partial(self.turn.ask, EventRow.last_id))
        self.strip = Strip(conf.alarm_minutes)
        self.gate = gate.Gate(conf)
        self.refusals = audit.Refusals()
        self.started = instants.now()
        self.uses = gate.Rarely(60)  # of sessions and API tokens
        self.passphrases = passphrases.Passphrases(conf, token_key, self.note)
        self.hashing = gate.Hashing()
        self.figures = metrics.Figures(self, PATTERNS)
        self.readiness = health.Readiness(self)
        # Weak, because a request whose sender went away is never finished.
        self.in_hand: weakref.WeakSet[HTTPServerRequest] = weakref.WeakSet()
        self._away_until = 0.0
        self.announced: dict[str, Callable[[str | None], None]] = {
            EVENT: self._heard_of_events,
            SESSIONS: lambda _: self.hub.recheck(),
            PASSPHRASES: self.passphrases.forget,
            ALARMS: self._heard_of_alarms,
        }
        self.polls = account.Polls(self)
        self.watchman = Watchman(conf, self.writer, Reader(database), self.polls.last)
        self.feed = Feed(self.hub, self._read_events, self._last_event, self.watchman.wake)
        self.writer.then = self.feed.look
        # Hears what other processes on the same database store and announce.
        self._ear = Ear(database, self.hear, self._missed) if is_shared(database) else None

    @cached_property
    def document(self) -> bytes:
        """The API's document, made when somebody first asks for it."""
        return orjson.dumps(openapi.describe(ROUTES))

    def start(self) -> None:
        """Connects, writes and listens; call it on the event loop."""
        read_only(self.database)
        self.writer.start()
        if self._ear:
            self._ear.start(IOLoop.current())
        else:
            loop = asyncio.get_running_loop()
            self.database.hear = partial(loop.call_soon_threadsafe, self.hear)
        self.watchman.start(shared=self._ear is not None)

    def hear(self, topic: str, text: str | None) -> None:
        """A process has announced something (`database.opening.announce`).

        `text` is None where something of the topic may have been missed.
        """
        if topic not in self.announced:
            return
        self.turn.forget()
        try:
            self.open_database_here()
            self.announced[topic](text)
        except AWAY:
            close_if_broken(self.database)
            asyncio.get_running_loop().call_later(RECONNECT, self.hear, topic, None)

    def _missed(self) -> None:
        self.database.close()  # it may be broken like the connection that hears
        for topic in self.announced:
            self.hear(topic, None)

    def _heard_of_alarms(self, text: str | None) -> None:
        self.hub.announce(alarms.CHANGED)
        if text == NOBODY_LOOKS:
            self.watchman.take_over()

    def _heard_of_events(self, last: str | None) -> None:
        """A process has committed events, up to this id."""
        if last is None or int(last) > self.feed.seen:
            self.feed.look(time.monotonic())

    def _read_events(self, event: int, most: int) -> list[live.Frame]:
        self.open_database_here()
        return live.frames_of(EventRow.told_after(event, most))

    def _last_event(self) -> int:
        self.open_database_here()
        return EventRow.last_id()

    def open_database_here(self) -> None:
        """Opens the event loop's reading connection anew where it broke.

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
        """Ends the connections whose body takes longer than these seconds to arrive.

        Where the body is too long already, the request is answered first.
        """
        # Tornado's own time-out would cost a task for every body.
        for request in list(self.in_hand):
            if request.body is None and request.request_time() > longest:
                getattr(request, "give_up", request.connection.stream.close)()

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any):
        self.in_hand.add(request)
        request.connection.stream.quiet_since = None
        request.body = None  # until it has arrived
        request.remote_ip, by_proxy = self.gate.peer(request.remote_ip or "")
        if by_proxy:
            self.gate.read_forwarding(request)
        if self.conf.url.startswith("https:"):
            request.protocol = "https"
        if not request.path.startswith("/") or request.path.endswith("/"):
            bodies.take_origin_form(request)
        if request.path.startswith("/v3"):
            # A body is JSON whatever its type says; Tornado would refuse one that does not fit it.
            request.headers.pop("Content-Type", None)
        handler = super().find_handler(request, **kwargs)
        length = request.headers.get("Content-Length", "0")
        if SHORT.fullmatch(length) and "Transfer-Encoding" not in request.headers:
            return handler
        return bodies.BoundedBody(request, handler)

    def log_request(self, handler: RequestHandler) -> None:
        """Writes a line for a request that was answered, without the query: it may hold secrets."""
        request = handler.request
        self.in_hand.discard(request)
        request.connection.stream.quiet_since = time.monotonic()
        status, seconds = handler.get_status(), request.request_time()
        key = type(handler), request.method, status // 100
        series = self.figures.seen.get(key) or self.figures.series(*key)
        series.observe(seconds)
        if access_log.isEnabledFor(logging.INFO):
            # Written without `logging`, which costs more: every alert has a line.
            head = line_head(time.time(), "info", getattr(handler, "request_id", "-"))
            path = request.path[:200].encode("unicode_escape").decode()
            with contextlib.suppress(OSError):  # the log's disk is full: the answer goes out
                sys.stderr.write(
                    f"{head} remote={request.remote_ip} method={request.method[:20]} path={path} "
                    f"status={status} ms={1000 * seconds:.1f}\n"
                )

    def reader_for(self, filters: Filters, sums: bool = False) -> Reader:
        """The reader for these filters.

        A search for text, and sums and sorted lists over all times, may read all signals. They
        have a reader of their own and do not delay the others.
        """
        if filters.text or (sums and not filters.since):
            return self.searcher
        return self.reader

    def note(self, work: Callable[[], Any], then: Callable[[], None] | None = None) -> None:
        """Writes something that may be lost. No request waits for it or fails with it."""

        def written(done: asyncio.Future) -> None:
            # Its error is dropped: other writes report what is broken.
            if not done.cancelled():
                done.exception()
            if then:
                then()

        with contextlib.suppress(Overloaded):
            self.writer.submit(work).add_done_callback(written)

    async def write_refusals(self) -> None:
        """Writes the refusals that were counted, for the audit."""
        if rows := self.refusals.take():
            await self.writer.submit(partial(note_refusals, rows, self.conf.audit_kept))

    async def expire(self) -> None:
        """Cancels signals that are too old to be traded, and tells what commands have changed."""
        try:
            if await self.reader.run(Signal.expired, self.policy.latest(time.time())):
                self.ruled["age"] += await self.writer.submit(partial(expire, self.policy))
        except UNANSWERED as error:
            log.warning("expired signals wait for the next look: %s", error)
        self.feed.look(time.monotonic())

    async def sweep(self) -> None:
        """Ends sessions whose time is over, with the sockets they opened; writes refusals."""
        try:
            await self.writer.submit(sweep_sessions)
            await self.writer.submit(partial(end_idle_sessions, self.conf.idle_days))
            await self.write_refusals()
        except UNANSWERED as error:
            log.warning("old sessions and refusals wait for the next sweep: %s", error)
        self.hear(SESSIONS, None)

    async def close(self) -> None:
        """Writes what waits and closes the connections."""
        self.hub.close()
        self.feed.close()
        await self.watchman.close()
        if self._ear:
            await self._ear.close()
        with contextlib.suppress(Overloaded, peewee.PeeweeException):
            await self.write_refusals()
        await self.writer.close()
        self.reader.close()
        self.searcher.close()
        self.hashing.close()
        self.assets.close()
        self.database.close()


def line_head(created: float, level: str, request_id: str) -> str:
    """How each line of the log begins; the time is in Unix seconds."""
    whole = int(created)
    thousandths = int(1000 * (created - whole))
    return f"time={_second(whole)}.{thousandths:03d}Z level={level} request_id={request_id}"


@lru_cache(2)
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
