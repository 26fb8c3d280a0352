"""The account: its records, the positions, and the bridge that reports both."""

import time
from functools import partial

import orjson

import schemas
from handlers.base import (
    VISITOR_LIMIT,
    BaseHandler,
    ListHandler,
    Right,
    RowId,
    SheetCount,
    contract,
    count_of,
    csv_form,
    right,
    rowid_of,
)
from limits import Rarely
from models import BRIDGE, AccountRecord, Bridge, Signal, positions_now
from schemas import answers, records
from trading import instants


class Register(BaseHandler):
    """/v3/regpnl: POST keeps a new account record, PUT replaces one."""

    @right(Right.SENDER)
    @contract({201: answers.Done}, schemas.AccountForm)
    async def post(self) -> None:
        """Keep a new account record."""
        form = schemas.check(schemas.AccountForm, self.json_body())
        await self.store(AccountRecord.keep, form.columns(), self.source)
        self.reply({"message": "'record' created successfully."}, 201)

    @right(Right.SENDER)
    @contract({200: records.AccountRecord}, schemas.AccountChange, refuses=(404,))
    async def put(self) -> None:
        """Replace an account record."""
        form = schemas.check(schemas.AccountChange, self.json_body())
        record = await self.store(
            AccountRecord.replace_one, form.rowid, form.columns(), self.source
        )
        self.reply(schemas.account_record(record.record()))


class AccountRecords(ListHandler):
    """/v3/pnl: GET {n} lists the newest records, DELETE {rowid} deletes one."""

    list_key = "signals"  # the bridge reads it so
    sheet = "account"

    @right(Right.POLL)
    @contract({200: [records.AccountRecord]}, csv=True, beside={"notoken_limit": VISITOR_LIMIT})
    async def get(self, count: SheetCount) -> None:
        """List the newest account records."""
        limit = count_of(count.removesuffix(".csv"))
        if self.is_visitor:
            limit = min(limit or VISITOR_LIMIT, VISITOR_LIMIT)
        sheet = csv_form(schemas.ACCOUNT) if self.wants_csv(count) else None
        await self.reply_rows(AccountRecord.page, _record, limit, form=sheet)

    def json_form(self):
        form = super().json_form()
        if not self.is_visitor:
            return form
        return form._replace(tail=f'],"notoken_limit":{VISITOR_LIMIT}}}'.encode())

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, rowid: RowId) -> None:
        """Delete an account record."""
        await self.store(AccountRecord.drop, rowid_of(rowid), self.source)
        self.reply({"message": "Item deleted"})


def _record(row: AccountRecord) -> dict:
    return schemas.account_record(row.record())


class Positions(BaseHandler):
    """/v3/positions: what is held, by pair and single, with its hedge and its PnL."""

    @right(Right.READ)
    @contract({200: answers.Positions})
    async def get(self) -> None:
        """Tell what is held."""
        held = await self.application.reader.run(positions_now)
        self.reply(schemas.positions_record(held))


class Polls:
    """When the bridge last asked what waits: told to all processes, stored once a minute."""

    TOLD = 1  # seconds between two of them at the least

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
            self._application.note(partial(Bridge.saw, self._mine, stores))

    def _heard(self, moment: str | None) -> None:
        """Some process has seen the bridge; those who are logged in hear of it."""
        self._last = max(self._last, moment or "")
        self._application.watchman.bridge_seen()
        if self._application.hub.listeners:
            state = {"type": "bridge", **self.state()}
            self._application.hub.announce(orjson.dumps(state))

    def last(self) -> float:
        """The last poll that is known of, as Unix time, 0 if there was none; never too early."""
        told = max(self._last, Bridge.seen() or "")
        if told <= self._mine:
            return self._at
        # Others tell of polls once a second, and an instant's fraction is cut off.
        return min(instants.unix(told) + self.TOLD + 1, time.time())

    def state(self) -> dict:
        """The last poll, how many signals wait and how long (seconds) the oldest does."""
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
