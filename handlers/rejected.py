"""Rejected alerts: seen, corrected and resubmitted, dismissed."""

from handlers.base import BaseHandler
from handlers.contract import Count, Right, RowId, contract, right
from handlers.errors import ApiError
from handlers.lists import ListHandler, count_of, rowid_of
from models import RejectedAlert
from schemas import answers
from schemas.forms import Alert, read_alert
from schemas.values import read_object
from services import signals


class Resubmit(BaseHandler):
    """/v3/rejected/{id}/resubmit: a rejected alert becomes a signal, as it was or corrected."""

    @right(Right.FRESH, scope="signals")
    @contract(
        {200: answers.Receipt, 201: answers.Receipt},
        Alert,
        refuses=(404,),
        body_optional=True,
    )
    async def post(self, rowid: RowId) -> None:
        """Resubmit an alert, as it was or corrected."""
        row = RejectedAlert.find(rowid_of(rowid))
        alert = read_alert(self._body(row))
        resubmit = signals.resubmit, row.id, alert, self.source, self.application.policy
        self.reply_receipt(await self.act("alert.resubmitted", f"rejected {row.id}", *resubmit))

    def _body(self, row: RejectedAlert) -> dict:
        if self.request.body.strip():
            return self.json_body()
        if row.body is None:
            raise ApiError(400, "the text of this alert was not kept; send the corrected alert.")
        try:
            return read_object(row.body.encode())
        except ValueError:
            raise ApiError(
                400, "this alert is not a JSON object; send the corrected one."
            ) from None


class RejectedAlerts(ListHandler):
    """/v3/rejected/{n} lists the newest, DELETE /v3/rejected/{id} dismisses one."""

    list_key = "rejected"

    @right(Right.TOKEN, scope="read")
    @contract({200: [answers.RejectedRecord]})
    async def get(self, count: Count) -> None:
        """List the newest rejected alerts."""
        # Each may hold 64 KiB of text.
        page, record = RejectedAlert.page, RejectedAlert.record
        await self.reply_rows(page, record, count_of(count), size=20)

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, rowid: RowId) -> None:
        """Dismiss a rejected alert."""
        await self.store(signals.dismiss, rowid_of(rowid))
        self.reply({"message": "Item deleted"})


class RejectedCount(BaseHandler):
    """/v3/rejected/count: a number that costs none of the texts."""

    @right(Right.TOKEN, scope="read")
    @contract({200: answers.HowMany})
    async def get(self) -> None:
        """Count the rejected alerts that are kept."""
        counts = await self.application.reader.run(RejectedAlert.count_by_sender)
        self.reply({"count": sum(count for _, count in counts)})


routes = [
    (r"/v3/rejected/count", RejectedCount),
    (r"/v3/rejected/([^/]+)/resubmit", Resubmit),
    (r"/v3/rejected/([^/]+)", RejectedAlerts),
]
