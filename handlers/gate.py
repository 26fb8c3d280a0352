"""From where a request comes, how often somebody may try, and the thread that hashes passwords."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from cachetools import LRUCache, TTLCache
from tornado.httputil import HTTPServerRequest

from database.writer import Overloaded
from handlers.errors import ApiError
from network import client, is_loopback, neighbourhood, networks, plain, within

MOST_KEYS = 10_000  # of each limit; the key that was quiet for longest is forgotten
MOST_HASHES = 50  # passwords that wait for the thread ...
MOST_HASHES_NEAR = 10  # ... and those of them from one address
VISITOR_SOCKETS = 50  # websockets of visitors from one address
FORWARDING = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via")


class Bucket:
    """A token bucket for each key: `burst` at once, then `rate` a second; keys are bounded."""

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_KEYS,
    ):
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._levels: LRUCache[str, tuple[float, float]] = LRUCache(most)

    def take(self, key: str) -> float:
        """Takes a token and returns 0; where there is none, the seconds until there is one."""
        now = self._clock()
        level, seen = self._levels.get(key, (self._burst, now))
        level = min(self._burst, level + (now - seen) * self._rate)
        wait = 0.0 if level >= 1 else (1 - level) / self._rate
        self._levels[key] = (level if wait else level - 1, now)
        return wait

    def give_back(self, key: str) -> None:
        """Undoes a `take`."""
        if key in self._levels:
            level, seen = self._levels[key]
            self._levels[key] = (min(self._burst, level + 1), seen)


class Rarely:
    """Something that is done for each key at most once in so many seconds; keys are bounded."""

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic, most: int = MOST_KEYS
    ):
        self._done: TTLCache[str, bool] = TTLCache(most, seconds, clock)

    def due(self, key: str) -> bool:
        """Whether it is time again; then it counts as done."""
        if key in self._done:
            return False
        self._done[key] = True
        return True


class Failures:
    """Failures in a row by name: each further one makes the next answer wait longer.

    It delays and never refuses, so that nobody can lock an owner out.
    """

    FREE = 5
    FIRST, LONGEST = 0.25, 4.0  # seconds

    def __init__(self, most: int = MOST_KEYS):
        self._counts: LRUCache[str, int] = LRUCache(most)

    def delay(self, name: str) -> float:
        """The seconds that an attempt under this name waits."""
        beyond = self._counts.get(name, 0) - self.FREE
        return min(self.LONGEST, self.FIRST * 2.0 ** min(beyond, 10)) if beyond >= 0 else 0.0

    def failed(self, name: str) -> None:
        """Counts one more."""
        self._counts[name] = self._counts.get(name, 0) + 1

    def undo(self, name: str) -> None:
        """Takes the last one back."""
        if self._counts.get(name):
            self._counts[name] -= 1

    def succeeded(self, name: str) -> None:
        """Forgets them."""
        self._counts.pop(name, None)


class Gate:
    """What the settings say of addresses and limits. Each process counts for itself."""

    def __init__(self, conf):
        self._proxies = networks(conf.trusted_proxies)
        self.peer = lru_cache(4096)(self._look_up)
        self.sources = networks(conf.webhook_sources)
        self._bridges = networks(conf.bridge_addresses)
        self._reads = Bucket(conf.visitor_reads, conf.visitor_burst)
        self._strangers = Bucket(conf.wrong_passphrases / 60, conf.wrong_passphrases)
        self._logins = Bucket(conf.login_attempts / 60, conf.login_attempts)
        # An address may fail more often than a name: a whole office may share it.
        self._callers = Bucket(conf.login_attempts / 12, 5 * conf.login_attempts)
        self._names = Failures()
        # Whoever tries codes knows the password: 10 at once, then 2 a minute, from all addresses.
        # Recovery codes are not counted here, so an owner who is attacked can still come in.
        self._codes = Bucket(1 / 30, 10)
        self._sockets: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()  # posts that left no row, by reason

    def read_forwarding(self, request: HTTPServerRequest) -> None:
        """Sets the request's address and protocol to what a trusted proxy says of them."""
        headers = request.headers
        if forwarded := headers.get("X-Forwarded-For"):
            request.remote_ip = client(request.remote_ip, forwarded, self._proxies)
        protocol = headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        if protocol in ("http", "https"):
            request.protocol = protocol

    def _look_up(self, peer: str) -> tuple[str, bool]:
        """The address of a peer as it is usually written, and whether it is a trusted proxy."""
        address = plain(peer)[:64]
        return address, within(address, self._proxies)

    def is_local(self, request: HTTPServerRequest) -> bool:
        """Whether the caller is on this machine and no proxy stands between."""
        return is_loopback(request.remote_ip) and not any(
            name in request.headers for name in FORWARDING
        )

    def may_post(self, address: str) -> bool:
        """Whether alerts may come from this address, where `sources` says from which."""
        return within(address, self.sources + self._bridges)

    def let_read(self, request: HTTPServerRequest) -> None:
        """Counts a visitor's read; raises 429."""
        if not self.is_local(request):
            key = neighbourhood(request.remote_ip)
            _take(self._reads, key, "too many requests; log in, or ask less often")

    def let_listen(self, request: HTTPServerRequest) -> None:
        """Raises 429 where a visitor's address has opened all the websockets that it may."""
        if self._sockets[neighbourhood(request.remote_ip)] >= VISITOR_SOCKETS:
            raise ApiError(429, "too many lines from your address", {"Retry-After": "30"})

    def count_socket(self, request: HTTPServerRequest, change: int) -> None:
        """A visitor's websocket was opened (1) or closed (-1); this machine is not limited."""
        if self.is_local(request):
            return
        near = neighbourhood(request.remote_ip)
        self._sockets[near] += change
        if not self._sockets[near]:
            del self._sockets[near]

    def refused_posts(self) -> dict[str, int]:
        """How many posts left no row: from an address that may not post, or beyond the limit."""
        return {reason: self.refused[reason] for reason in ("address", "passphrase")}

    def count_stranger(self, address: str) -> None:
        """Counts a post without a valid passphrase; raises 429."""
        try:
            _take(
                self._strangers, neighbourhood(address), "too many posts without a valid passphrase"
            )
        except ApiError:
            self.refused["passphrase"] += 1
            raise

    def begin_login(self, name: str, address: str) -> float:
        """Counts a login as failed until it succeeds; the seconds to wait. Raises 429."""
        near = neighbourhood(address)
        for bucket, key in ((self._logins, f"{name} {near}"), (self._callers, near)):
            _take(bucket, key, "too many failed logins; try again later")
        delay = self._names.delay(name)
        self._names.failed(name)
        return delay

    def password_fitted(self, name: str, address: str) -> None:
        """The password was right but the code is missing: this attempt does not count as failed.

        The failures before it still count.
        """
        self._give_back(name, address)
        self._names.undo(name)

    def begin_code(self, name: str) -> None:
        """Counts an authenticator's code as wrong until `code_fitted` is called; raises 429."""
        _take(self._codes, name, "too many wrong codes; use a recovery code, or try again later")

    def code_fitted(self, name: str) -> None:
        """The code was right: it does not count as wrong."""
        self._codes.give_back(name)

    def login_succeeded(self, name: str, address: str) -> None:
        """The login succeeded: neither it nor the failures before it count any more."""
        self._give_back(name, address)
        self._names.succeeded(name)

    def _give_back(self, name: str, address: str) -> None:
        near = neighbourhood(address)
        self._logins.give_back(f"{name} {near}")
        self._callers.give_back(near)


def _take(bucket: Bucket, key: str, message: str) -> None:
    if wait := bucket.take(key):
        raise ApiError(429, message, {"Retry-After": str(math.ceil(wait))})


class Hashing:
    """One thread for all password hashes; `waiting` counts them by where they come from.

    A hash is slow on purpose, so it must not run on the event loop.
    """

    def __init__(self):
        self.waiting: Counter[str] = Counter()
        self.thread = ThreadPoolExecutor(1, "hasher")

    async def run(self, address: str, work: Any, *args: Any) -> Any:
        """What a slow password function returns; raises Overloaded.

        One address may take only some of the places: a flood must not keep an owner out.
        """
        near, waiting = neighbourhood(address), self.waiting
        if waiting.total() >= MOST_HASHES or waiting[near] >= MOST_HASHES_NEAR:
            raise Overloaded
        waiting[near] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.thread, work, *args)
        finally:
            waiting[near] -= 1
            if not waiting[near]:
                del waiting[near]

    def close(self) -> None:
        """Ends the thread."""
        self.thread.shutdown()
