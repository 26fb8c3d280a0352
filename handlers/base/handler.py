"""What every handler shares: who asks, the body, the answer."""

import logging
import random
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import orjson
from tornado.iostream import StreamClosedError
from tornado.web import Finish, HTTPError, RequestHandler

import models
import schemas
import security
from database import close_if_broken
from handlers.base.errors import ApiError, Errors, explain, unauthorized
from handlers.base.frames import event_frame
from handlers.base.rights import Identity, Right
from trading import instants

log = logging.getLogger("pairs")

MOST_BODY = 64 * 1024
COOKIE = "session"
_READS = (Right.READ, Right.POLL)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
RECEIVED = {
    "recorded": "Signal created successfully.",
    "problematic": "recorded with problematic ticker!",
    "refused": "recorded with unknown or passive ticker!",
    "duplicate": "Signal already recorded.",
}


class BaseHandler(RequestHandler):
    """Authenticates, checks the right, and answers errors; pages and the API build on it."""

    identity: Identity | None = None
    by_bridge = False

    def initialize(self) -> None:
        self.request.arrived = True

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Request-Id", self.request_id)
        if self.application.draining:
            self.set_header("Connection", "close")
        if self.secure:
            self.set_header("Strict-Transport-Security", "max-age=31536000")
        if self.conf.cors_origins:
            self._allow_origin()

    def _allow_origin(self) -> None:
        """Lets the pages of the sites in the settings read /v3, by token and never by cookie."""
        self.add_header("Vary", "Origin")
        if self.request.path.startswith("/v3/") and self._is_allowed_origin:
            self.set_header("Access-Control-Allow-Origin", self.request.headers["Origin"])
            self.set_header("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")

    @property
    def _is_allowed_origin(self) -> bool:
        return self.request.headers.get("Origin", "") in self.conf.cors_origins

    def _answer_preflight(self) -> None:
        self.set_status(204)
        self.set_header("Access-Control-Allow-Methods", self._allowed())
        names = "Authorization, Content-Type, Idempotency-Key, X-Request-Id, If-None-Match"
        self.set_header("Access-Control-Allow-Headers", names)
        self.set_header("Access-Control-Max-Age", "3600")
        self.finish()

    @cached_property
    def request_id(self) -> str:
        """The sender's own id where it is sane, else a new one."""
        given = self.request.headers.get("X-Request-Id", "")
        return given if _SANE_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"

    @property
    def conf(self):
        """The settings in force."""
        return self.application.conf

    def compute_etag(self) -> str | None:
        return None

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        text = super().decode_argument(value, name)
        if "\0" in text:  # no database of ours stores it, and PostgreSQL does not even search it
            raise ApiError(400, "there is a character in the address that nothing is named by.")
        return text

    # --- who may ---------------------------------------------------------------------

    def prepare(self) -> None:
        self.application.open_database_here()
        needed = getattr(self._method(), "right", None)
        asks = self.request.method == "OPTIONS" and self.request.path.startswith("/v3/")
        if asks and self._is_allowed_origin:
            self._answer_preflight()
            return
        if needed is None:
            raise HTTPError(405)
        try:
            self.identity = self.authenticate()
        except ApiError:
            # Alerts and logins need no token, so a stale one must not keep them out.
            if needed is not Right.OPEN:
                raise
        self.by_bridge = self._check_bridge_key(needed)
        self.require(needed)

    def _method(self) -> Callable:
        return getattr(self, self.request.method.lower(), None)

    def _allowed(self) -> str:
        methods = (name for name in self.SUPPORTED_METHODS if hasattr(self, name.lower()))
        marked = [name for name in methods if hasattr(getattr(self, name.lower()), "right")]
        return ", ".join(marked)

    def authenticate(self) -> Identity | None:
        """Who asks; a token that does not hold is 401 also where none is needed."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            claims = self.read_token("access", token.strip())
            session = models.Session.by_id(claims.session)
            if session is None or session.user.username != claims.username:
                raise unauthorized(*Errors.REVOKED)
            return Identity(session.user, session, claims.fresh, by_cookie=False)
        cookie = self.get_cookie(COOKIE)
        session = models.Session.by_cookie(cookie) if cookie else None
        return session and Identity(session.user, session, fresh=True, by_cookie=True)

    def _check_bridge_key(self, needed: Right) -> bool:
        """Whether the caller is the bridge, by a key as Basic password; a wrong one is 401.

        Not where a passphrase decides: an order's id must not be lost over a key.
        """
        scheme, _, credentials = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic" or not self.conf.bridge_keys:
            return False
        if security.basic_password_in(credentials, self.conf.bridge_keys):
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
        if self.conf.bridge_keys:
            return self.by_bridge
        return not {"Authorization", "Cookie"} & set(self.request.headers)

    def read_token(self, kind: str, token: str) -> security.Token:
        """What a Bearer token says; 401 if it is expired or not ours."""
        try:
            return security.read(self.application.token_key, kind, token)
        except security.TokenExpired:
            raise unauthorized(*Errors.EXPIRED) from None
        except security.TokenInvalid:
            raise unauthorized(*Errors.INVALID) from None

    def require(self, needed: Right) -> None:
        """Raises 401 or 403 unless the caller has this right."""
        if needed is Right.OPEN or (needed in _READS and self._reads_without_token(needed)):
            return
        if needed is Right.SENDER and self._require_passphrase():
            return
        if self.identity is None:
            raise unauthorized(*Errors.MISSING)
        if self.identity.by_cookie and self.request.method not in ("GET", "HEAD", "OPTIONS"):
            self.check_xsrf_cookie()
        if needed in (*_READS, Right.TOKEN):
            return
        if not self.identity.fresh:
            raise unauthorized(*Errors.NOT_FRESH)
        if needed is Right.ADMIN and not self.identity.user.admin:
            raise ApiError(403, "'admin' privilege required.")

    def _reads_without_token(self, needed: Right) -> bool:
        if self.is_visitor and self.conf.visitors_read:
            self.application.gate.let_read(self.request)
        return self.conf.visitors_read or (needed is Right.POLL and self.by_bridge)

    def _require_passphrase(self) -> bool:
        identity = self.identity
        if identity and identity.fresh and not identity.by_cookie:
            return False
        body = self.json_body()
        if "passphrase" in body:
            try:
                self.check_passphrase(body)
            except ApiError:
                self.application.gate.count_stranger(self.remote)
                raise
            self.identity = None
            return True
        if identity is None:
            raise ApiError(400, {"passphrase": "required"})
        return False

    def check_passphrase(self, body: dict[str, Any]) -> None:
        """400 unless the body carries a valid passphrase; notes its use now and then."""
        given, found = body.get("passphrase"), None
        for rowid, value, last_used in self.application.passphrases():
            if security.same(given, value):
                found = (rowid, last_used)
        if found is None:
            raise ApiError(400, {"passphrase": "incorrect passphrase."})
        self.application.note_use(*found)

    @property
    def source(self) -> str:
        """Who events say a change came from: a user, or the bridge with its passphrase."""
        return self.identity.user.username if self.identity else "bridge"

    @property
    def webhook_url(self) -> str:
        """Where the outside sends its alerts."""
        site = self.conf.url or f"{self.request.protocol}://{self.request.host}"
        return site + "/v3/webhook"

    @property
    def remote(self) -> str:
        """The caller's address."""
        return (self.request.remote_ip or "")[:64]

    @property
    def secure(self) -> bool:
        """Whether the browser came over https."""
        return self.request.protocol == "https" or self.conf.url.startswith("https:")

    def set_session_cookie(self, value: str, expires: int) -> None:
        """Hands the browser its cookie."""
        self.set_cookie(
            COOKIE, value, expires=expires, httponly=True, samesite="Lax", secure=self.secure
        )

    # --- body and answer ---------------------------------------------------------------

    def json_body(self) -> dict[str, Any]:
        """The body as a JSON object; 413 or 400."""
        if len(self.request.body) > MOST_BODY:
            raise ApiError(413, f"the body must not exceed {MOST_BODY} bytes")
        try:
            return schemas.read_object(self.request.body)
        except ValueError:
            raise ApiError(400, "the body must be a JSON object") from None

    def reply(self, body: Any, status: int = 200) -> None:
        """Answers JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps(body))

    def reply_receipt(self, receipt: models.Receipt) -> None:
        """Publishes a stored alert's event and answers its sender."""
        self.publish(receipt.events)
        status = 200 if receipt.verdict == "duplicate" else 201
        self.reply({"message": RECEIVED[receipt.verdict], "rowid": receipt.rowid}, status)

    async def store(self, verb: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """What a model's verb returns, once it is on disk."""
        return await self.application.writer.submit(lambda: verb(*args, **named))

    def publish(self, events: list[models.Event]) -> None:
        """Tells every listener of committed events."""
        if events:
            self.application.publish(events[-1].id, map(event_frame, events))

    # --- errors ------------------------------------------------------------------------

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        if self._headers_written:
            # A list broke off half-way: an ending that looks whole would be a lie.
            self.request.connection.stream.close()
            return
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.problem = explain(error, status_code)
        super().send_error(self.problem.status, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_problem_headers()
        self.reply(self.problem.body, status_code)

    def set_problem_headers(self) -> None:
        """What an error's answer says beside its body."""
        for name, value in self.problem.headers.items():
            self.set_header(name, value)
        if self.problem.status == 405:
            self.set_header("Allow", self._allowed())

    def log_exception(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, StreamClosedError | Finish):
            return
        problem = explain(error, 500)
        if problem.status == 500:
            log.error("%s failed", self.request_id, exc_info=(kind, error, trace))
        elif problem.status == 503:
            log.warning("%s 503: %s", self.request_id, error)
            close_if_broken(self.application.database)  # it must not serve the next one

    def on_finish(self) -> None:
        self.application.in_hand.discard(self.request)


def session_state(session: models.Session) -> dict[str, Any]:
    """When the browser's session ends, and whether it can be extended."""
    return {
        "expires": instants.from_epoch(session.cookie_expires),
        "extendable": session.cookie_expires < session.extendable_until,
    }


class NotFound(BaseHandler):
    """Any path that no route serves."""

    def prepare(self) -> None:
        raise ApiError(404, "there is nothing at this address.")
