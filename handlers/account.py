"""The account: its records, the positions, and the bridge that reports both."""

import time
from functools import partial

import orjson

from handlers.base import BaseHandler
from handlers.contract import Right, RowId, SheetCount, contract, right
from handlers.gate import Rarely
from handlers.lists import VISITOR_LIMIT, ListHandler, rowid_of
from models import AccountRecord, Bridge, Signal
from schemas import answers
from schemas.forms import AccountChange, AccountForm
from schemas.records import positions_record
from schemas.values import check
from services import account
from services.account import BRIDGE
from services.positions import positions_told
from trading import instants

KEYS = tuple(AccountRecord.EXAMPLE)


class Register(BaseHandler):
    """/v3/regpnl: POST keeps a new account record, PUT replaces one."""

    @right(Right.SENDER)
    @contract({201: answers.Done}, AccountForm)
    async def post(self) -> None:
        """Keep a new account record."""
        form = check(AccountForm, self.json_body())
        await self.store(account.keep, form.columns(), self.source)
        self.reply({"message": "'record' created successfully."}, 201)

    @right(Right.SENDER)
    @contract({200: answers.AccountRecord}, AccountChange, refuses=(404,))
    async def put(self) -> None:
        """Replace an account record."""
        form = check(AccountChange, self.json_body())
        record = await self.store(account.change, form.rowid, form.columns(), self.source)
        self.reply(record.record())


class AccountRecords(ListHandler):
    """/v3/pnl: GET {n} lists the newest records, DELETE {rowid} deletes one."""

    list_key = "signals"  # the bridge reads this key
    sheet = "account"

    @right(Right.POLL)
    @contract({200: [answers.AccountRecord]}, csv=KEYS, beside={"notoken_limit": VISITOR_LIMIT})
    async def get(self, count: SheetCount) -> None:
        """List the newest account records."""
        limit, is_sheet = self.asked(count)
        if self.is_visitor:
            limit = min(limit or VISITOR_LIMIT, VISITOR_LIMIT)
        await self.reply_rows(
            AccountRecord.page, AccountRecord.record, limit, KEYS if is_sheet else ()
        )

    def json_form(self):
        form = super().json_form()
        if not self.is_visitor:
            return form
        return form._replace(tail=f'],"notoken_limit":{VISITOR_LIMIT}}}'.encode())

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, rowid: RowId) -> None:
        """Delete an account record."""
        await self.store(account.delete, rowid_of(rowid), self.source)
        self.reply({"message": "Item deleted"})


class Positions(BaseHandler):
    """/v3/positions: what is held of each pair and single, with hedge, age, price and PnL."""

    @right(Right.READ)
    @contract({200: answers.Positions})
    async def get(self) -> None:
        """Tell what is held."""
        held = await self.application.reader.run(positions_told)
        self.reply(positions_record(held))


class Polls:
    """When the bridge last asked what waits: announced to all processes, stored once a minute."""

    TOLD = 1  # seconds, at least, between two announcements

    def __init__(self, application):
        self._application = application
        self._last = ""
        self._told, self._stored = Rarely(self.TOLD), Rarely(60)
        self._mine, self._at = "", 0.0  # this process's last poll, and its exact Unix time
        application.announced[BRIDGE] = self._heard

    def note(self) -> None:
        """The bridge has asked just now."""
        self._at = time.time()
        if self._told.due(BRIDGE):
            self._mine, stores = instants.now(), self._stored.due(BRIDGE)
            self._application.note(partial(account.saw_bridge, self._mine, stores))

    def _heard(self, moment: str | None) -> None:
        """A process has seen the bridge; the sockets of who is logged in are told."""
        known = self._last if self._last <= instants.now() else ""  # else the clock was set back
        self._last = max(known, moment or "")
        self._application.watchman.bridge_seen()
        if self._application.hub.listeners:
            state = {"type": "bridge", **self.state()}
            self._application.hub.announce(orjson.dumps(state))

    def last(self) -> float:
        """The last known poll in Unix seconds, 0 if there was none.

        It may be a little late but never too early: an alarm must not begin too soon.
        """
        told = max(self._last, Bridge.seen() or "")
        if told <= self._mine:
            return self._at
        # Other processes announce polls once a second, and instants have no fractions.
        return min(instants.unix(told) + self.TOLD + 1, time.time())

    def state(self) -> dict:
        """The last poll, how many signals wait, and for how many seconds the oldest does."""
        oldest = Signal.oldest_offered()
        return {
            "last_seen": max(self._last, Bridge.seen() or "") or None,
            "waiting": Signal.count_offered(),
            "oldest_waiting_s": None if oldest is None else instants.seconds_since(oldest),
        }


class BridgeState(BaseHandler):
    """/v3/bridge: when the bridge last polled, and what waits for it."""

    @right(Right.TOKEN, scope="read")
    @contract({200: answers.BridgeState})
    async def get(self) -> None:
        """Tell when the bridge last polled, and what waits."""
        self.reply(self.application.polls.state())


routes = [
    (r"/v3/regpnl", Register),
    (r"/v3/pnl/([^/]+)", AccountRecords),
    (r"/v3/positions", Positions),
    (r"/v3/bridge", BridgeState),
]
