"""Who asks, and whether they may: tokens, the browser's cookie, bridge keys, the passphrase."""

from collections.abc import Callable
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

import models
import security
from handlers.base.errors import ApiError, Errors, unauthorized
from handlers.base.rights import Identity, Right

COOKIE = "session"
SAFE = ("GET", "HEAD", "OPTIONS")
_READS = (Right.READ, Right.POLL)


def verb_of(method: str) -> str:
    """The name of the function that answers a method: HEAD is answered as GET."""
    return "get" if method == "HEAD" else method.lower()


class IdentityHandler(RequestHandler):
    """Authenticates the caller and checks the right that a method needs."""

    identity: Identity | None = None
    by_bridge = False

    @property
    def verb(self) -> str:
        """The name of the function that answers."""
        return verb_of(self.request.method)

    def identify(self, needed: Right) -> None:
        """Finds out who asks; 401 or 403 unless they have this right.

        Where a passphrase may decide and is sent, no token is looked at.
        """
        if needed is Right.SENDER and self._is_sent_with_passphrase():
            return
        try:
            self.identity = self.authenticate()
        except ApiError:
            # Alerts and logins need no token, so a stale one must not keep them out.
            if needed is not Right.OPEN:
                raise
        if self.identity:
            self.application.note_use_of(self.identity, self.request)
        self.by_bridge = self._check_bridge_key(needed)
        self.require(needed)

    def authenticate(self) -> Identity | None:
        """Who asks; a token that does not hold is 401 also where none is needed."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._bearer(token.strip())
        cookie = self.get_cookie(COOKIE)
        session = self._ask(models.Session.by_cookie, cookie) if cookie else None
        return session and Identity(session.user, session, fresh=True, by_cookie=True)

    @property
    def _ask(self) -> Callable:
        return self.application.turn.ask

    def _bearer(self, text: str) -> Identity:
        if text.startswith(security.API_TOKEN):
            return self._api_token(text)
        claims = self.read_token("access", text)
        session = self._ask(models.Session.by_id, claims.session)
        if session is None or session.user.username != claims.username:
            raise unauthorized(*Errors.REVOKED)
        return Identity(session.user, session, claims.fresh, by_cookie=False)

    def _api_token(self, text: str) -> Identity:
        token = self._ask(models.ApiToken.found, text)
        if token is None:
            raise unauthorized(*Errors.INVALID)
        if token.is_over:
            raise unauthorized(*Errors.EXPIRED)
        return Identity(token.user, None, fresh=True, by_cookie=False, token=token)

    def read_token(self, kind: str, token: str) -> security.Token:
        """What a Bearer token says; 401 if it is expired or not ours."""
        try:
            return security.read(self.application.token_key, kind, token)
        except security.TokenExpired:
            raise unauthorized(*Errors.EXPIRED) from None
        except security.TokenInvalid:
            raise unauthorized(*Errors.INVALID) from None

    def _check_bridge_key(self, needed: Right) -> bool:
        """Whether the caller is the bridge, by a key as Basic password; a wrong one is 401.

        Not where a passphrase decides: an order's id must not be lost over a key.
        """
        scheme, _, credentials = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic" or not self.application.conf.bridge_keys:
            return False
        if security.basic_password_in(credentials, self.application.conf.bridge_keys):
            return True
        if self.identity is None and needed not in (Right.OPEN, Right.SENDER):
            raise unauthorized(*Errors.BRIDGE)
        return False

    @property
    def is_visitor(self) -> bool:
        """Whether the caller is nobody we know."""
        return self.identity is None and not self.by_bridge

    @property
    def may_be_bridge(self) -> bool:
        """Whether a poll is the bridge's: by its key, or without one by its lack of anything."""
        if self.application.conf.bridge_keys:
            return self.by_bridge
        return not {"Authorization", "Cookie"} & set(self.request.headers)

    def require(self, needed: Right) -> None:
        """Raises 401 or 403 unless the caller has this right."""
        if needed is Right.OPEN or (needed in _READS and self._reads_without_token(needed)):
            return
        if needed is Right.LOCAL and self.application.gate.is_local(self.request):
            return
        if self.identity is None:
            if needed is Right.SENDER:
                raise ApiError(400, {"passphrase": "required"})
            raise unauthorized(*Errors.MISSING)
        if not self.identity.covers(self._scope):
            raise ApiError(403, "the token's scope does not allow this.")
        if self.identity.by_cookie and self.request.method not in SAFE:
            self.check_xsrf_cookie()
        if needed in (*_READS, Right.TOKEN, Right.LOCAL):
            return
        if not self.identity.fresh:
            raise unauthorized(*Errors.NOT_FRESH)
        if needed is Right.ADMIN and not self.identity.user.admin:
            raise ApiError(403, "'admin' privilege required.")

    @property
    def _scope(self) -> str | None:
        return getattr(self, self.verb).scope

    def _reads_without_token(self, needed: Right) -> bool:
        visitors_read = self.application.conf.visitors_read
        if self.is_visitor and visitors_read:
            self.application.gate.let_read(self.request)
        return visitors_read or (needed is Right.POLL and self.by_bridge)

    def _is_sent_with_passphrase(self) -> bool:
        """Whether the body carries a passphrase; 400 where that is not a valid one."""
        body = self.json_body()
        if "passphrase" not in body:
            return False
        try:
            self.check_passphrase(body)
        except ApiError:
            self.application.gate.count_stranger(self.remote)
            raise
        return True

    def check_passphrase(self, body: dict[str, Any]) -> None:
        """400 unless the body carries a valid passphrase; notes its use now and then."""
        given, found = body.get("passphrase"), None
        for name, value, last_used in self.application.passphrases.valid():
            if security.same(given, value):
                found = (name, last_used)
        if found is None:
            self.application.refusals.count("refused.passphrase", self.remote)
            raise ApiError(400, {"passphrase": "incorrect passphrase."})
        self.application.note_use(*found)

    @property
    def source(self) -> str:
        """Who events say a change came from: a user, or the bridge with its passphrase."""
        return self.identity.user.username if self.identity else "bridge"

    @property
    def remote(self) -> str:
        """The caller's address."""
        return _address(self.request)


def _address(request: HTTPServerRequest) -> str:
    return (request.remote_ip or "")[:64]


def visitor(request: HTTPServerRequest) -> tuple[str, str]:
    """(what the browser or program calls itself, its address)."""
    agent = request.headers.get("User-Agent", "")[:300]
    return "".join(filter(str.isprintable, agent)), _address(request)
