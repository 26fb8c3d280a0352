"""Alerts come in, and the bridge reports what became of their orders."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest

import security
from handlers.base import MOST_BODY, BaseHandler
from handlers.contract import Right, contract, right
from handlers.errors import ApiError, explain
from models import Record, Signal, record_of
from schemas import answers, forms
from schemas.forms import (
    Alert,
    Cancel,
    Fill,
    Report,
    Revision,
    read_alert,
    read_order_update,
)
from schemas.values import BadFields, check, to_text
from services import audit, events, signals
from trading.statuses import OFFERED

MOST_DROPPED = 256 * 1024 * 1024  # bytes that are read before a longer body is answered
_ENDLESS = 2**62
_SITE = re.compile(r"https?://[^/]*", re.IGNORECASE)
FORMS = (Cancel, Report, Fill)  # of an order's report


def take_origin_form(request: HTTPServerRequest) -> None:
    """Sets the address to a bare path, without a site before it or one slash after it."""
    path = request.path
    if not path.startswith("/"):
        path = _SITE.sub("", path, count=1) or "/"  # as it is sent to a proxy
    if path.endswith("/") and len(path) > 1:
        path = path[:-1]
    if path != request.path:
        request.path = path
        request.uri = f"{path}?{request.query}" if request.query else path


class BoundedBody(HTTPMessageDelegate):
    """Hands a body on until it is too long; the rest is read, counted and dropped.

    Tornado would close the connection instead, and most senders read no answer before they have
    sent all. A body that is too long and does not end is answered at MOST_DROPPED bytes, or by
    `give_up` (see `PairsApplication.hang_up_on_stalled`); then Tornado closes the connection.
    The request gets `size`, the bytes of its body.
    """

    def __init__(self, request: HTTPServerRequest, handler: HTTPMessageDelegate):
        self._request, self._handler = request, handler
        self._size = 0
        self.headers_received = handler.headers_received
        request.connection.set_max_body_size(_ENDLESS)

    def data_received(self, data: bytes) -> Awaitable[None] | None:
        before, self._size = self._size, self._size + len(data)
        if before <= MOST_BODY:
            if self._size > MOST_BODY:
                self._request.give_up = self._give_up
            return self._handler.data_received(data)
        if self._size > MOST_DROPPED:
            self._give_up()
        return None

    def _give_up(self) -> None:
        self._request.unread = True
        self.finish()

    def finish(self) -> None:
        if self._request.body is None:  # the handler was not called yet
            self._request.size = self._size
            self._handler.finish()

    def on_connection_close(self) -> None:
        if self._size > MOST_BODY:
            self.finish()  # nobody reads the answer, but the alert is kept as rejected
        else:
            self._handler.on_connection_close()


class SignalChange(BaseHandler):
    """A handler that changes a signal and answers it."""

    async def change(self, verb: Callable[..., Signal], *args: Any) -> None:
        """Answers the record of the signal that the verb returns, without its timestamp."""
        signal = await self.store(verb, *args)
        record = record_of("signal", signal.columns())
        del record["timestamp"]
        self.reply(record)


class Webhook(SignalChange):
    """/v3/webhook: POST stores an alert as a signal, PUT replaces a signal."""

    @right(Right.OPEN)
    @contract(
        {201: answers.Receipt, 200: answers.Receipt},
        Alert,
        refuses=(403, 429),
        headers={"Idempotency-Key": "stands for `alert_id`"},
    )
    async def post(self) -> None:
        """Store an alert as a signal."""
        try:
            alert = self._alert()
        except (ApiError, BadFields) as problem:
            await self._keep(explain(problem, 400))
            raise
        self.reply_receipt(await self.application.writer.submit(alert))

    def _alert(self) -> Record:
        """The alert that was sent, as the writer takes it; raises ApiError or BadFields."""
        gate = self.application.gate
        if gate.sources and not self.by_bridge and not gate.may_post(self.request.remote_ip):
            gate.refused["address"] += 1
            raise ApiError(403, "alerts may not come from this address.")
        body = self.json_body()
        if "passphrase" in body:
            self.check_passphrase(body)
            alert = read_alert(body, self.request.headers.get("Idempotency-Key"))
            return {**alert, "source": "webhook"}
        try:
            read_alert(body)
        except BadFields as bad:
            raise BadFields({"passphrase": "required", **bad.reasons}) from None
        raise BadFields({"passphrase": "required"})

    async def _keep(self, problem: ApiError) -> None:
        """Stores an alert that was refused.

        Its text is kept only where it holds a valid passphrase, which is masked.
        """
        raw = self.request.body
        may_be_known = len(raw) <= MOST_BODY and problem.status != 403
        text, known = self._masked(raw.decode("utf-8", "replace")) if may_be_known else ("", False)
        if not known:
            self.application.gate.count_stranger(self.request.remote_ip)
        reasons, _ = self._masked(orjson.dumps(problem.body["message"]).decode())
        fields = {
            "address": self.request.remote_ip,
            "size": getattr(self.request, "size", len(raw)),
            "reasons": reasons,
            "body": text if known else None,
            "known": known,
        }
        most = self.conf.rejected_kept if known else self.conf.strangers_kept
        await self.store(signals.keep_rejected, fields, most)

    def _masked(self, text: str) -> tuple[str, bool]:
        """The text without the passphrases in it, and whether there were any."""
        text, found = to_text(text), 0
        for value in sorted(self.application.passphrases.texts(), key=len, reverse=True):
            text, times = security.masking_pattern(value).subn("***", text)
            found += times
        return text, found > 0

    @right(Right.SENDER)
    @contract({200: answers.SignalChanged}, Revision, refuses=(404,))
    async def put(self) -> None:
        """Replace a signal."""
        await self.change(self._revise, check(Revision, self.json_body()))

    def _revise(self, revision: Revision) -> Signal:
        """Replaces the signal; notes in the audit where a person lets it be traded."""
        rowid, bypass = revision.rowid, revision.bypass_ticker_status
        owner = self.identity is not None
        revise = partial(
            signals.revise, rowid, revision.sent(), self.source, bypass=bypass, owner=owner
        )
        signal, written = events.written_by(revise, 1)
        for event in written:
            if owner and event.changed.get("order_status", ("", ""))[1] in OFFERED:
                most, subject = self.conf.audit_kept, f"signal {rowid}"
                audit.note("signal.offered", self.trace, most, subject, event.id)
        return signal


class UpdateOrder(SignalChange):
    """/v3/signal/updateorder: a fill, partial fill or cancel by order id."""

    @right(Right.SENDER)
    @contract({200: answers.SignalChanged}, FORMS, refuses=(404,))
    async def post(self) -> None:
        """Report a fill, a partial fill or a cancel."""
        told = read_order_update(self.json_body())
        await self.change(signals.report, told.order_id, told.symbol, told.apply, self.source)

    put = post


class Price(SignalChange):
    """/v3/price: the price-only form."""

    @right(Right.SENDER)
    @contract({200: answers.SignalChanged}, forms.Price, refuses=(404,))
    async def post(self) -> None:
        """Report the price of a leg."""
        told = check(forms.Price, self.json_body())
        await self.change(signals.report, told.order_id, None, told.apply, self.source)

    put = post


routes = [
    (r"/v3/webhook", Webhook),
    (r"/v3/signal/updateorder", UpdateOrder),
    (r"/v3/price", Price),
]
