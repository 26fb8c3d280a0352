"""Alerts come in, and the bridge reports what became of their orders."""

import orjson

import schemas
import security
from handlers.base import MOST_BODY, ApiError, BaseHandler, Right, contract, explain, right
from models import Audit, EventRow, RejectedAlert, Signal
from schemas import answers, records
from trading.statuses import OFFERED

FORMS = (schemas.Cancel, schemas.Report, schemas.Fill)  # of an order's report


class Webhook(BaseHandler):
    """/v3/webhook: POST stores an alert as a signal, PUT replaces a signal."""

    @right(Right.OPEN)
    @contract(
        {201: answers.Receipt, 200: answers.Receipt},
        schemas.Alert,
        refuses=(403, 429),
        headers={"Idempotency-Key": "stands for `alert_id`"},
    )
    async def post(self) -> None:
        """Store an alert as a signal."""
        try:
            self._check_source()
            alert = self._alert()
        except (ApiError, schemas.BadFields) as problem:
            await self._keep(explain(problem, 400))
            raise
        columns = {**alert.columns(), "source": "webhook"}
        self.reply_receipt(await self.application.writer.receive(columns))

    def _alert(self) -> schemas.Alert:
        body = self.json_body()
        if "passphrase" in body:
            self.check_passphrase(body)
            return schemas.read_alert(body, self.request.headers.get("Idempotency-Key"))
        try:
            schemas.read_alert(body)
        except schemas.BadFields as bad:
            raise schemas.BadFields({"passphrase": "required", **bad.reasons}) from None
        raise schemas.BadFields({"passphrase": "required"})

    def _check_source(self) -> None:
        if not self.by_bridge and not self.application.gate.may_post(self.remote):
            self.application.gate.refused["address"] += 1
            raise ApiError(403, "alerts may not come from this address.")

    async def _keep(self, problem: ApiError) -> None:
        raw = self.request.body
        may_be_known = len(raw) <= MOST_BODY and problem.status != 403
        text, known = self._masked(raw.decode("utf-8", "replace")) if may_be_known else ("", False)
        if not known:
            self.application.gate.count_stranger(self.remote)
        reasons, _ = self._masked(orjson.dumps(problem.body["message"]).decode())
        fields = {
            "address": self.remote,
            "size": self.request.size,
            "reasons": reasons,
            "body": text if known else None,
            "known": known,
        }
        most = self.conf.rejected_kept if known else self.conf.strangers_kept
        await self.store(RejectedAlert.keep, fields, most)

    def _masked(self, text: str) -> tuple[str, bool]:
        """The text without the passphrases in it, and whether there were any."""
        text, found = schemas.to_text(text), 0
        values = [value for _, value, _ in self.application.passphrases.valid()]
        for value in sorted(values, key=len, reverse=True):
            text, times = security.masking_pattern(value).subn("***", text)
            found += times
        return text, found > 0

    @right(Right.SENDER)
    @contract({200: records.SignalChanged}, schemas.Revision, refuses=(404,))
    async def put(self) -> None:
        """Replace a signal."""
        revision = schemas.check(schemas.Revision, self.json_body())
        signal = await self.store(self._revise, revision)
        reply_signal(self, signal)

    def _revise(self, revision: schemas.Revision) -> Signal:
        """Replaces the signal; the audit tells of a person who has it traded."""
        rowid, bypass = revision.rowid, revision.bypass_ticker_status
        owner = self.identity is not None
        before = EventRow.last_id()
        signal = Signal.revise(rowid, revision.sent(), self.source, bypass=bypass, owner=owner)
        for event in EventRow.after(before, 1):
            if owner and event.changed.get("order_status", ("", ""))[1] in OFFERED:
                most, subject = self.conf.audit_kept, f"signal {rowid}"
                Audit.note("signal.offered", self.trace, most, subject, event.id)
        return signal


def reply_signal(handler: BaseHandler, signal: Signal) -> None:
    """Answers the record as PUTs do: without its timestamp."""
    record = schemas.signal_of(signal.record())
    del record["timestamp"]
    handler.reply(record)


class UpdateOrder(BaseHandler):
    """/v3/signal/updateorder: a fill, partial fill or cancel by order id."""

    def read(self) -> tuple:
        """(order id, symbol or None, what to do with the order)."""
        update = schemas.read_order_update(self.json_body())
        return update.order_id, update.symbol, update.apply

    @right(Right.SENDER)
    @contract({200: records.SignalChanged}, FORMS, refuses=(404,))
    async def post(self) -> None:
        """Report a fill, a partial fill or a cancel."""
        await self.update()

    @right(Right.SENDER)
    @contract({200: records.SignalChanged}, FORMS, refuses=(404,))
    async def put(self) -> None:
        """Report a fill, a partial fill or a cancel."""
        await self.update()

    async def update(self) -> None:
        """Changes the order's signal and answers it."""
        signal = await self.store(Signal.update_order, *self.read(), self.source)
        reply_signal(self, signal)


class Price(UpdateOrder):
    """/v3/price: the price-only form."""

    def read(self) -> tuple:
        update = schemas.check(schemas.Price, self.json_body())
        return update.order_id, None, update.apply

    @right(Right.SENDER)
    @contract({200: records.SignalChanged}, schemas.Price, refuses=(404,))
    async def post(self) -> None:
        """Report the price of a leg."""
        await self.update()

    @right(Right.SENDER)
    @contract({200: records.SignalChanged}, schemas.Price, refuses=(404,))
    async def put(self) -> None:
        """Report the price of a leg."""
        await self.update()


routes = [
    (r"/v3/webhook", Webhook),
    (r"/v3/signal/updateorder", UpdateOrder),
    (r"/v3/price", Price),
]
