"""What every handler shares: who asks, the body, the answer."""

import logging
import random
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import orjson
from tornado.iostream import StreamClosedError
from tornado.web import Finish, HTTPError

import models
import schemas
from database import close_if_broken
from handlers.base.arriving import MOST_BODY
from handlers.base.errors import ApiError, explain
from handlers.base.identity import COOKIE, IdentityHandler, verb_of
from trading import instants

log = logging.getLogger("pairs")

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What the audit calls the answers that refuse somebody; a token that ran out is nobody's fault.
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
    "duplicate": "Signal already recorded.",
}


class BaseHandler(IdentityHandler):
    """Checks the right, reads bodies, answers and explains; pages and the API build on it."""

    def initialize(self) -> None:
        self.request.arrived = True

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Request-Id", self.request_id)
        if self.application.draining or hasattr(self.request, "unread"):
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
        self.identify(needed)

    def _method(self) -> Callable:
        return getattr(self, self.verb, None)

    async def head(self, *segments: str) -> None:
        """As GET, whose right it needs; Tornado leaves the body out."""
        await self.get(*segments)

    def _allowed(self) -> str:
        marked = [name for name in self.SUPPORTED_METHODS if self._is_marked(name)]
        return ", ".join(marked)

    def _is_marked(self, name: str) -> bool:
        return hasattr(getattr(self, verb_of(name), None), "right")

    @property
    def webhook_url(self) -> str:
        """Where the outside sends its alerts."""
        site = self.conf.url or f"{self.request.protocol}://{self.request.host}"
        return site + "/v3/webhook"

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
        except ValueError as error:
            raise ApiError(400, str(error)) from None

    def query(self, form: type[schemas.Form], **fixed: str) -> schemas.Form:
        """The query of the address as this form, with what the path fixes; raises BadFields."""
        sent = self.request.query_arguments
        known = form.model_fields.keys() & sent.keys()
        given = {key: self.decode_argument(sent[key][-1], key) for key in known}
        return schemas.check(form, given | fixed)

    def reply(self, body: Any, status: int = 200) -> None:
        """Answers JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps(body))

    def reply_receipt(self, receipt: models.Receipt) -> None:
        """Answers the sender of an alert."""
        status = 200 if receipt.verdict == "duplicate" else 201
        warning = {"warning": receipt.warning} if receipt.warning else {}
        body = {"message": RECEIVED[receipt.verdict], "rowid": receipt.rowid, **warning}
        self.reply(body, status)

    async def store(self, verb: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """What a model's verb returns, once it is on disk."""
        return await self.application.writer.submit(lambda: verb(*args, **named))

    @property
    def trace(self) -> models.Trace:
        """Who does what this request does, and from where, for the audit."""
        return models.Trace(self.identity.user.username if self.identity else "", self.remote)

    def acting(
        self, kind: str | Callable, subject: str, verb: Callable, *args: Any, **named: Any
    ) -> Callable:
        """Work for the writer: what the verb does, and in the same transaction its audit.

        The kind of the act may follow from what the verb returns.
        A password's hash takes its time: a session that ended meanwhile does nothing more.
        """
        trace, most, key = self.trace, self.conf.audit_kept, self.identity.key

        def work() -> Any:
            models.insist(key)
            result = verb(*args, **named)
            models.Audit.note(kind(result) if callable(kind) else kind, trace, most, subject)
            return result

        return work

    async def act(self, *given: Any, **named: Any) -> Any:
        """As `store`, and the audit tells of it: act(kind, subject, verb, ...)."""
        return await self.store(self.acting(*given, **named))

    # --- errors ------------------------------------------------------------------------

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        if self._headers_written:
            # A list broke off half-way: an ending that looks whole would be a lie.
            self.request.connection.stream.close()
            return
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.problem = explain(error, status_code)
        self._count_refusal()
        super().send_error(self.problem.status, **kwargs)

    def _count_refusal(self) -> None:
        kind = REFUSED.get(self.problem.status) or REFUSED.get(self.problem.body.get("error"))
        if kind:
            self.application.refusals.count(kind, self.remote, self.trace.who)

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

    Its loop ends where an answer has no `signals`.
    """

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = ApiError(404, "this server speaks /v3", signals=[])
        super().send_error(404, **kwargs | {"exc_info": (ApiError, error, None)})

    def prepare(self) -> None:
        raise HTTPError(404)
