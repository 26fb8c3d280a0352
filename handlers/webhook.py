"""Alerts come in, and the bridge reports what became of their orders."""

from functools import partial

import orjson
from tornado.web import HTTPError

import security
from handlers.base import MOST_BODY, SignalChange, told_of
from handlers.contract import Right, contract, right
from handlers.errors import ApiError, explain
from models import Record, Signal
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
from schemas.requests import AlertQuery
from schemas.values import BadFields, check, to_text
from services import audit, events, signals
from trading.statuses import OFFERED

FORMS = (Cancel, Report, Fill)  # of an order's report


class Webhook(SignalChange):
    """/v3/webhook: POST stores an alert as a signal, PUT replaces a signal."""

    @right(Right.OPEN)
    @contract(
        {201: answers.Receipt, 200: (answers.Receipt, answers.DryReceipt)},
        Alert,
        query=AlertQuery,
        refuses=(403, 429),
        headers={"Idempotency-Key": "stands for `alert_id`"},
    )
    async def post(self) -> None:
        """Store an alert as a signal.

        With `dry` it is judged and answered with 200, and nothing is stored.
        """
        dry = False
        try:
            if self.request.query:
                dry = self.query(AlertQuery).dry
            alert = self._alert()
        except (ApiError, BadFields, HTTPError) as problem:
            rejected = self._rejected(explain(problem, 400))
            if not dry:
                most = self.conf.rejected_kept if rejected["known"] else self.conf.strangers_kept
                await self.store(signals.keep_rejected, rejected, most)
            raise
        if dry:
            await self._rehearse(alert)
        else:
            self.reply_receipt(await self.application.writer.submit(alert))

    async def _rehearse(self, alert: Record) -> None:
        """Answers what would become of an alert; stores nothing."""
        try:
            await self.store(signals.rehearse, alert, self.application.policy)
        except signals.Rehearsed as told:
            receipt, record = told.receipt, told.record
            repeats = receipt.rowid and f"the alert repeats signal {receipt.rowid}."
            message = repeats or f"its status would be {record['order_status']}."
            said = told_of(receipt) | {"message": f"Nothing was stored; {message}"}
            self.reply({"dry": True, **said, "signal": record})

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

    def _rejected(self, problem: ApiError) -> Record:
        """The fields of an alert that was refused; raises 429 for too many from strangers.

        Its text is kept only where it holds a valid passphrase, which is masked.
        """
        raw = self.request.body
        may_be_known = len(raw) <= MOST_BODY and problem.status != 403
        text, known = self._masked(raw.decode("utf-8", "replace")) if may_be_known else ("", False)
        if not known:
            self.application.gate.count_stranger(self.request.remote_ip)
        reasons, _ = self._masked(orjson.dumps(problem.body["message"]).decode())
        return {
            "address": self.request.remote_ip,
            "size": getattr(self.request, "size", len(raw)),
            "reasons": reasons,
            "body": text if known else None,
            "known": known,
        }

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
            signals.revise,
            rowid,
            revision.sent(),
            self.source,
            self.application.policy,
            bypass=bypass,
            owner=owner,
            expected=revision.expected_status,
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
