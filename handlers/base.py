"""What every handler shares: who asks, the body, the answer."""

import asyncio
import logging
import random
import re
import zlib
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import orjson
import pytz
from tornado.iostream import StreamClosedError
from tornado.web import Finish, HTTPError

import models
import security
from database.opening import close_if_broken
from handlers.contract import Right
from handlers.errors import ApiError, explain
from handlers.identity import COOKIE, SAFE, VERBS, IdentityHandler
from schemas.values import BadFields, Form, check, read_object
from services import access, audit, signals
from services.books import rates_of
from trading import instants
from trading.guards import rule_of

MOST_BODY = 64 * 1024  # bytes that a request may bring
LEAST_PACKED = 4 * 1024  # bytes; a shorter answer is not compressed
LEVEL = 5  # of compression: a higher one costs more time than it saves
GZIP = 31  # zlib's word for the gzip format

log = logging.getLogger("pairs")

_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The audit's names for answers that refuse somebody; an expired token is not noted.
REFUSED = {
    403: "refused.forbidden",
    429: "refused.limited",
    "token_invalid": "refused.token",
    "bridge_key_invalid": "refused.bridge_key",
}
RECEIVED = {
    "recorded": "Signal created successfully.",
    "problematic": "recorded with problematic ticker!",
    "refused": "recorded with unknown or passive ticker!",
    "ruled": "Signal created successfully.",
    "duplicate": "Signal already recorded.",
}


class BaseHandler(IdentityHandler):
    """Checks who may call, reads bodies, answers, and explains errors."""

    request_id = ""  # the sender's own where it is sane, else a new one
    _json: dict[str, Any] | None = None  # the body, once it was read

    def set_default_headers(self) -> None:
        if not self.request_id:  # Tornado calls this again before an error's answer
            given = self.request.headers.get("X-Request-Id", "")
            sane = _SANE_ID.fullmatch(given)
            self.request_id = given if sane else f"{random.getrandbits(64):016x}"
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Request-Id", self.request_id)
        app = self.application
        if app.draining or hasattr(self.request, "unread"):
            self.set_header("Connection", "close")
        if self.request.protocol == "https":
            self.set_header("Strict-Transport-Security", "max-age=31536000")
        if app.conf.cors_origins:
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

    @property
    def conf(self):
        """The settings in force."""
        return self.application.conf

    @cached_property
    def zone(self) -> str:
        """The settings' zone, else the zone that the browser told, else UTC."""
        told = self.get_cookie("zone", "")
        return self.conf.zone or (told if told in pytz.all_timezones_set else "UTC")

    def compute_etag(self) -> str | None:
        return None

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        text = super().decode_argument(value, name)
        if "\0" in text:  # no database stores it, and PostgreSQL does not even search for it
            raise ApiError(400, "the address must not hold a NUL character.")
        return text

    # --- who may ---------------------------------------------------------------------

    def prepare(self) -> None:
        self.application.open_database_here()
        method, headers = self.request.method, self.request.headers
        needed = getattr(getattr(self, VERBS[method]), "right", None)
        if needed is None:
            of_api = self.request.path.startswith("/v3/")
            if not (method == "OPTIONS" and of_api and self._is_allowed_origin):
                raise HTTPError(405)
            self._answer_preflight()
        elif needed is Right.SENDER and "passphrase" in (body := self.json_body()):
            self.check_passphrase(body, limited=True)  # and looks at no token
        elif needed is not Right.OPEN or "Authorization" in headers or "Cookie" in headers:
            self.identify(needed)

    def check_passphrase(self, body: dict[str, Any], *, limited: bool = False) -> None:
        """Raises 400 unless the body carries a valid passphrase, whose use is noted.

        Where wrong ones are `limited`, too many of them raise 429.
        """
        app, address = self.application, self.request.remote_ip
        if not app.passphrases.accepts(body.get("passphrase")):
            app.refusals.count("refused.passphrase", address)
            if limited:
                app.gate.count_stranger(address)
            raise ApiError(400, {"passphrase": "incorrect passphrase."})

    async def head(self, *segments: str) -> None:
        """Answers as GET, whose right it needs; Tornado leaves the body out."""
        await self.get(*segments)

    def _allowed(self) -> str:
        return ", ".join(
            name for name, verb in VERBS.items() if hasattr(getattr(self, verb), "right")
        )

    @property
    def webhook_url(self) -> str:
        """Where the outside sends its alerts."""
        site = self.conf.url or f"{self.request.protocol}://{self.request.host}"
        return site + "/v3/webhook"

    def set_session_cookie(self, value: str, expires: int) -> None:
        """Hands the browser its cookie."""
        secure = self.request.protocol == "https"
        self.set_cookie(
            COOKIE, value, expires=expires, httponly=True, samesite="Lax", secure=secure
        )

    # --- body and answer ---------------------------------------------------------------

    def json_body(self) -> dict[str, Any]:
        """The body as a JSON object, read once; 413 or 400."""
        if self._json is not None:
            return self._json
        if len(self.request.body) > MOST_BODY:
            raise ApiError(413, f"the body must not exceed {MOST_BODY} bytes")
        try:
            self._json = read_object(self.request.body)
        except ValueError as error:
            raise ApiError(400, str(error)) from None
        return self._json

    def query(self, form: type[Form], **fixed: str) -> Form:
        """The query of the address as this form, with what the path fixes; raises BadFields."""
        sent = self.request.query_arguments
        known = form.model_fields.keys() & sent.keys()
        given = {key: self.decode_argument(sent[key][-1], key) for key in known}
        return check(form, given | fixed)

    def reply(self, body: Any, status: int = 200) -> None:
        """Answers JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        data = orjson.dumps(body)
        self.finish(self.packed(data) if self.request.method in SAFE else data)

    @property
    def takes_gzip(self) -> bool:
        """Whether the caller takes compressed answers."""
        return _TAKES_GZIP.search(self.request.headers.get("Accept-Encoding", "")) is not None

    def packed(self, data: bytes) -> bytes:
        """The answer, compressed where it is long and the caller takes that."""
        if len(data) < LEAST_PACKED or not self.takes_gzip:
            return data
        self.set_header("Content-Encoding", "gzip")
        return zlib.compress(data, LEVEL, wbits=GZIP)

    def reply_receipt(self, receipt: signals.Receipt) -> None:
        """Answers the sender of an alert."""
        if receipt.reason:
            self.application.ruled[rule_of(receipt.reason)] += 1
        self.reply(told_of(receipt), 200 if receipt.verdict == "duplicate" else 201)

    async def store(self, verb: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """What a verb returns, once it is on disk."""
        return await self.application.writer.submit(partial(verb, *args, **named))

    async def ask_books(self, question: Callable[..., Any], *given: Any) -> Any:
        """What a function of the books returns; it runs on the thread that may read all signals.

        Who hangs up before it has begun leaves the queue.
        """
        connection = self.request.connection
        if connection.stream.closed():
            raise Finish
        work = partial(question, rates_of(self.conf), *given)
        asked = asyncio.ensure_future(self.application.searcher.run(work))
        connection.set_close_callback(asked.cancel)
        try:
            return await asked
        except asyncio.CancelledError:
            raise Finish from None

    @property
    def trace(self) -> audit.Trace:
        """Who does what this request does, and from where, for the audit."""
        return audit.Trace(
            self.identity.user.username if self.identity else "", self.request.remote_ip
        )

    def acting(
        self, kind: str | Callable, subject: str, verb: Callable, *args: Any, **named: Any
    ) -> Callable:
        """Work for the writer: what the verb does and its line in the audit, in one transaction.

        `kind` may be a function of what the verb returns. Raises Ended, and does nothing, where
        the session has ended since the request came: hashing a password takes a while.
        """
        trace, most, key = self.trace, self.conf.audit_kept, self.identity.key

        def work() -> Any:
            access.insist(key)
            result = verb(*args, **named)
            audit.note(kind(result) if callable(kind) else kind, trace, most, subject)
            return result

        return work

    async def act(self, *given: Any, **named: Any) -> Any:
        """Does as `store` and notes it in the audit: act(kind, subject, verb, ...)."""
        return await self.store(self.acting(*given, **named))

    # --- errors ------------------------------------------------------------------------

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        if self._headers_written:
            # A list failed half-way: the broken connection shows that it is not whole.
            self.request.connection.stream.close()
            return
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.problem = explain(error, status_code)
        self._count_refusal()
        super().send_error(self.problem.status, **kwargs)

    def _count_refusal(self) -> None:
        kind = REFUSED.get(self.problem.status) or REFUSED.get(self.problem.body.get("error"))
        if kind:
            self.application.refusals.count(kind, self.request.remote_ip, self.trace.who)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_problem_headers()
        self.reply(self.problem.body, status_code)

    def set_problem_headers(self) -> None:
        """Sets the headers that an error's answer has beside its body."""
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
            close_if_broken(self.application.database)  # the next request opens it anew


class SignalChange(BaseHandler):
    """A handler that changes a signal and answers it."""

    async def change(self, verb: Callable[..., models.Signal], *args: Any) -> None:
        """Answers the record of the signal that the verb returns, without its timestamp."""
        signal = await self.store(verb, *args)
        record = models.record_of("signal", signal.columns())
        del record["timestamp"]
        self.reply(record)


class CredentialHandler(BaseHandler):
    """A handler that hashes or verifies passwords, off the event loop."""

    async def verify(self, username: str, password: str) -> models.User | None:
        """The user whose password this is; 429 after too many failures."""
        user = await self.try_password(username, password)
        if user:
            self.application.gate.login_succeeded(username, self.request.remote_ip)
        return user

    async def try_password(self, username: str, password: str) -> models.User | None:
        """As `verify`, but the attempt counts as failed until the gate is told otherwise."""
        await asyncio.sleep(self.application.gate.begin_login(username, self.request.remote_ip))
        user = models.User.get_or_none(models.User.username == username)
        hashed = user.password_hash if user else None
        if await self.application.hashing.run(
            self.request.remote_ip, security.verify_password, password, hashed
        ):
            return user
        self.application.refusals.count(
            "login.failed", self.request.remote_ip, user.username if user else ""
        )
        return None

    async def hashed(self, password: str) -> str:
        """The hash of a new password; raises BadFields when it is too short."""
        if not self.conf.demo and len(password) < 8:
            raise BadFields({"password": "must have at least 8 characters"})
        return await self.application.hashing.run(
            self.request.remote_ip, security.hash_password, password
        )


def told_of(receipt: signals.Receipt) -> dict[str, Any]:
    """What the sender of an alert is told."""
    told = {"message": RECEIVED[receipt.verdict], "rowid": receipt.rowid}
    more = {"warning": receipt.warning, "reason": receipt.reason}
    return told | {key: value for key, value in more.items() if value}


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


class OtherVersion(BaseHandler):
    """Any path below /v4, by any method: the bridge ships with such addresses.

    The answer has the key `signals`, without which the bridge's loop would end.
    """

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = ApiError(404, "this server speaks /v3", signals=[])
        super().send_error(404, **kwargs | {"exc_info": (ApiError, error, None)})

    def prepare(self) -> None:
        raise HTTPError(404)
