"""Who asks, and whether they may: tokens, the browser's cookie, bridge keys."""

from dataclasses import dataclass
from functools import partial

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

import models
import security
from handlers.contract import Right
from handlers.errors import ApiError, Errors, unauthorized
from services import access

COOKIE = "session"
SAFE = ("GET", "HEAD", "OPTIONS")
# The function that answers each method; HEAD is answered as GET.
VERBS = {name: name.lower() for name in RequestHandler.SUPPORTED_METHODS} | {"HEAD": "get"}
_READS = (Right.READ, Right.POLL)


@dataclass(frozen=True)
class Identity:
    """Who asks, by a token or by the browser's cookie; an API token has no session."""

    user: models.User
    session: models.Session | None
    fresh: bool
    by_cookie: bool
    token: models.ApiToken | None = None

    def covers(self, scope: str | None) -> bool:
        """Whether the caller may use what is marked with this scope; a login may use all."""
        return self.token is None or scope in models.SCOPES[self.token.scope]

    @property
    def key(self) -> str:
        """The id of the API token or of the session."""
        return self.token.key if self.token else self.session.id


class IdentityHandler(RequestHandler):
    """Authenticates the caller and checks the right that a method needs."""

    identity: Identity | None = None
    by_bridge = False
    source = "bridge"  # who events say a change came from: a user, else the bridge

    @property
    def verb(self) -> str:
        """The name of the function that answers."""
        return VERBS.get(self.request.method, "")

    def identify(self, needed: Right) -> None:
        """Finds out who asks; 401 or 403 unless they have this right."""
        headers = self.request.headers
        if "Authorization" in headers or "Cookie" in headers:
            self._recognize(needed)
        if needed is not Right.OPEN:
            self.require(needed)

    def _recognize(self, needed: Right) -> None:
        try:
            self.identity = self.authenticate()
        except ApiError:
            # Alerts and logins need no token, so an expired one must not keep them out.
            if needed is not Right.OPEN:
                raise
        if self.identity:
            self.source = self.identity.user.username
            self._note_use()
        self.by_bridge = self._check_bridge_key(needed)

    def _note_use(self) -> None:
        """Notes that the session or API token is in use, once a minute at the most."""
        app, identity = self.application, self.identity
        if not app.uses.due(identity.key):
            return
        if identity.token:
            app.note(partial(access.touch, models.ApiToken, identity.token.id))
        else:
            app.note(partial(access.note_visit, identity.session.id, *visitor(self.request)))

    def authenticate(self) -> Identity | None:
        """Who asks; 401 for a token that is not valid, also where none is needed."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._bearer(token.strip())
        cookie = self.get_cookie(COOKIE)
        ask = self.application.turn.ask
        session = ask(models.Session.by_cookie, cookie) if cookie else None
        return session and Identity(session.user, session, fresh=True, by_cookie=True)

    def _bearer(self, text: str) -> Identity:
        if text.startswith(security.API_TOKEN):
            return self._api_token(text)
        claims = self.read_token("access", text)
        session = self.application.turn.ask(models.Session.by_id, claims.session)
        if session is None or session.user.username != claims.username:
            raise unauthorized(*Errors.REVOKED)
        return Identity(session.user, session, claims.fresh, by_cookie=False)

    def _api_token(self, text: str) -> Identity:
        token = self.application.turn.ask(models.ApiToken.found, text)
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

        A wrong key is ignored where a passphrase decides: no report may be lost for it.
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
        """Whether the caller is not logged in, and is not the bridge."""
        return self.identity is None and not self.by_bridge

    @property
    def may_be_bridge(self) -> bool:
        """Whether a poll may come from the bridge.

        Where keys are set, it must have sent one; else it sends neither a token nor a cookie.
        """
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
        if not self.identity.covers(getattr(self, self.verb).scope):
            raise ApiError(403, "the token's scope does not allow this.")
        if self.identity.by_cookie and self.request.method not in SAFE:
            self.check_xsrf_cookie()
        if needed in (*_READS, Right.TOKEN, Right.LOCAL):
            return
        if not self.identity.fresh:
            raise unauthorized(*Errors.NOT_FRESH)
        if needed is Right.ADMIN and not self.identity.user.admin:
            raise ApiError(403, "'admin' privilege required.")

    def _reads_without_token(self, needed: Right) -> bool:
        visitors_read = self.application.conf.visitors_read
        if self.is_visitor and visitors_read:
            self.application.gate.let_read(self.request)
        return visitors_read or (needed is Right.POLL and self.by_bridge)


def visitor(request: HTTPServerRequest) -> tuple[str, str]:
    """(what the browser or program calls itself, its address)."""
    agent = request.headers.get("User-Agent", "")[:300]
    return "".join(filter(str.isprintable, agent)), request.remote_ip
