"""The gate: from where a request comes, and how often somebody unknown may try."""

import math
from collections import Counter

from tornado.httputil import HTTPServerRequest

from handlers.base.errors import ApiError
from limits import Bucket, Failures
from network import client, is_loopback, neighbourhood, networks, plain, within

VISITOR_LINES = 50  # websockets of visitors from one address
FORWARDING = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via")


class Gate:
    """What the settings say of addresses and limits; counts in this process alone."""

    def __init__(self, conf):
        self._proxies = networks(conf.trusted_proxies)
        self._sources = networks(conf.webhook_sources)
        self._bridges = networks(conf.bridge_addresses)
        self._reads = Bucket(conf.visitor_reads, conf.visitor_burst)
        self._strangers = Bucket(conf.wrong_passphrases / 60, conf.wrong_passphrases)
        self._logins = Bucket(conf.login_attempts / 60, conf.login_attempts)
        # An address may fail more often than a name, for it may stand for a whole office.
        self._callers = Bucket(conf.login_attempts / 12, 5 * conf.login_attempts)
        self._names = Failures()
        # Whoever tries codes knows the password: 10, then 2 a minute from all addresses together.
        # Recovery codes are not counted here, so an owner who is attacked can still come in.
        self._codes = Bucket(1 / 30, 10)
        self._lines: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()  # posts that left no row, by reason

    def identify(self, request: HTTPServerRequest) -> None:
        """Sets the request's address and protocol to what a trusted proxy says of them."""
        request.remote_ip = plain(request.remote_ip)
        if not within(request.remote_ip, self._proxies):
            return
        headers = request.headers
        if forwarded := headers.get("X-Forwarded-For"):
            request.remote_ip = client(request.remote_ip, forwarded, self._proxies)
        protocol = headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        if protocol in ("http", "https"):
            request.protocol = protocol

    def is_local(self, request: HTTPServerRequest) -> bool:
        """Whether the caller is on this machine and no proxy stands between."""
        return is_loopback(request.remote_ip) and not any(
            name in request.headers for name in FORWARDING
        )

    def may_post(self, address: str) -> bool:
        """Whether alerts may come from this address."""
        return not self._sources or within(address, self._sources + self._bridges)

    def let_read(self, request: HTTPServerRequest) -> None:
        """Counts a visitor's read; raises 429."""
        if not self.is_local(request):
            key = neighbourhood(request.remote_ip)
            _take(self._reads, key, "too many requests; log in, or ask less often")

    def let_listen(self, request: HTTPServerRequest) -> None:
        """Raises 429 where a visitor's address has all its lines: they would take those of all."""
        if self._lines[neighbourhood(request.remote_ip)] >= VISITOR_LINES:
            raise ApiError(429, "too many lines from your address", {"Retry-After": "30"})

    def count_line(self, request: HTTPServerRequest, change: int) -> None:
        """A visitor's line was opened (1) or closed (-1); this machine is not limited."""
        if self.is_local(request):
            return
        near = neighbourhood(request.remote_ip)
        self._lines[near] += change
        if not self._lines[near]:
            del self._lines[near]

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
        """Counts a login as failed until it succeeds: the seconds to wait; raises 429."""
        near = neighbourhood(address)
        for bucket, key in ((self._logins, f"{name} {near}"), (self._callers, near)):
            _take(bucket, key, "too many failed logins; try again later")
        delay = self._names.delay(name)
        self._names.failed(name)
        return delay

    def password_fitted(self, name: str, address: str) -> None:
        """Takes the attempt back that still lacks its code, and what failed before it not."""
        self._give_back(name, address)
        self._names.undo(name)

    def begin_code(self, name: str) -> None:
        """Counts an authenticator's code as wrong until it is not; raises 429."""
        _take(self._codes, name, "too many wrong codes; use a recovery code, or try again later")

    def code_fitted(self, name: str) -> None:
        """Takes the count of a code back."""
        self._codes.give_back(name)

    def login_succeeded(self, name: str, address: str) -> None:
        """Takes the count of a login back."""
        self._give_back(name, address)
        self._names.succeeded(name)

    def _give_back(self, name: str, address: str) -> None:
        near = neighbourhood(address)
        self._logins.give_back(f"{name} {near}")
        self._callers.give_back(near)


def _take(bucket: Bucket, key: str, message: str) -> None:
    if wait := bucket.take(key):
        raise ApiError(429, message, {"Retry-After": str(math.ceil(wait))})
