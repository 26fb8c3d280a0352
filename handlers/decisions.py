"""The hand on the switch: the mode of trading, limits, held signals, and a person's own trades."""

from functools import partial

from handlers.base import BaseHandler, SignalChange
from handlers.contract import Right, RowId, contract, right
from handlers.lists import rowid_of
from schemas import answers
from schemas.forms import CloseForm, LimitsForm, ModeForm, OrderForm, read_order
from schemas.values import check
from services import decisions, orders
from services.signals import Receipt


class TradingMode(BaseHandler):
    """/v3/trading: which alerts are traded, by the mode and the limits."""

    @right(Right.TOKEN, scope="read")
    @contract({200: answers.TradingState})
    async def get(self) -> None:
        """Tell the mode, the limits and what of them is used today."""
        app = self.application
        self.reply(await app.reader.run(decisions.state, app.policy))

    @right(Right.FRESH, scope="signals")
    @contract({200: answers.TradingChanged}, ModeForm)
    async def put(self) -> None:
        """Set the mode; what waits follows it at once."""
        app = self.application
        form = check(ModeForm, self.json_body())
        by = self.identity.user.username
        work = decisions.set_mode, form.mode, form.reason, by, self.source
        done = await self.act("trading.mode", form.mode, *work)
        app.ruled["mode"] += done["canceled"] + done["cut"]
        app.ruled["ask"] += done["held"]
        told = await app.reader.run(decisions.state, app.policy)
        self.reply(told | {key: done[key] for key in ("canceled", "cut", "at_broker")})


class TradingLimits(BaseHandler):
    """/v3/limits: the most that is let through."""

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Limits})
    async def get(self) -> None:
        """Tell the limits; null is no limit."""
        told = await self.application.reader.run(decisions.limits)
        self.reply(told)

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Limits}, LimitsForm)
    async def put(self) -> None:
        """Set limits: null removes one, and one that is not sent stays."""
        fields = check(LimitsForm, self.json_body()).columns()
        subject = ", ".join(
            f"{name} {value:g}" if value is not None else f"no {name}"
            for name, value in fields.items()
        )
        await self.act("trading.limits", subject, decisions.set_limits, fields, self.source)
        await self.get()


class Approval(SignalChange):
    """/v3/signal/{rowid}/approve: a held signal waits for the bridge."""

    @right(Right.FRESH, scope="signals")
    @contract({200: answers.SignalChanged}, refuses=(404,))
    async def post(self, rowid: RowId) -> None:
        """Approve a held signal."""
        number = rowid_of(rowid)
        work = decisions.approve, number, self.source
        await self.change(self.acting("signal.approved", f"signal {number}", *work))


class Refusal(SignalChange):
    """/v3/signal/{rowid}/refuse: a held signal is canceled."""

    @right(Right.FRESH, scope="signals")
    @contract({200: answers.SignalChanged}, refuses=(404,))
    async def post(self, rowid: RowId) -> None:
        """Refuse a held signal."""
        number = rowid_of(rowid)
        work = decisions.refuse, number, self.identity.user.username, self.source
        await self.change(self.acting("signal.refused", f"signal {number}", *work))
        self.application.ruled["person"] += 1


class OwnOrder(BaseHandler):
    """/v3/order: a person's own trade, or the close of a position."""

    @right(Right.FRESH, scope="signals")
    @contract({201: answers.Receipt, 200: answers.Receipt}, (OrderForm, CloseForm), refuses=(404,))
    async def post(self) -> None:
        """Trade by hand, as an alert would, or close what is held."""
        policy = self.application.policy
        order = read_order(self.json_body(), self.request.headers.get("Idempotency-Key"))
        if close := order.get("close"):
            work = partial(orders.close, close, order["alert_id"], self.source, policy)
        else:
            work = partial(orders.place, order, self.source, policy)
        subject = f"close {close}" if close else order["ticker"]
        self.reply_receipt(await self.act(_kind_of, subject, work))


def _kind_of(receipt: Receipt) -> str:
    return "order.repeated" if receipt.verdict == "duplicate" else "order.placed"


routes = [
    (r"/v3/trading", TradingMode),
    (r"/v3/limits", TradingLimits),
    (r"/v3/signal/([^/]+)/approve", Approval),
    (r"/v3/signal/([^/]+)/refuse", Refusal),
    (r"/v3/order", OwnOrder),
]
