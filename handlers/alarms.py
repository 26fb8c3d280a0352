"""Alarms: what is wrong now, seen and acknowledged; how they and other messages are told."""

from typing import Any

import orjson

from handlers.base import BaseHandler
from handlers.contract import Right, RowId, contract, right
from handlers.errors import ApiError
from handlers.lists import ListHandler, rowid_of
from models import Alarm
from schemas import answers
from schemas.records import alarm_record
from schemas.requests import AlarmsQuery, MessageForm, SeenForm
from schemas.values import check
from services import alarms, reporter
from services.teller import Place
from trading.alarms import MESSAGES

NOBODY = "there are no alarm_urls in the settings; nobody would be told."
CHANGED = orjson.dumps({"type": "alarms"})  # whoever shows them asks for the list


class Alarms(ListHandler):
    """/v3/alarms: the open alarms, the gravest first; `?all=1` also those that ended last."""

    list_key = "alarms"

    @right(Right.TOKEN, scope="read")
    @contract({200: [answers.AlarmRecord]}, query=AlarmsQuery)
    async def get(self) -> None:
        """List the open alarms."""
        closed_too = self.query(AlarmsQuery).all == "1"
        rows = await self.application.reader.run(Alarm.shown, closed_too)
        self.reply_list([alarm_record(row.columns()) for row in rows])


class Acknowledge(BaseHandler):
    """/v3/alarm/{id}/acknowledge: somebody has seen it and takes care."""

    @right(Right.FRESH, scope="signals")
    @contract({200: answers.AlarmRecord}, refuses=(404,))
    async def post(self, rowid: RowId) -> None:
        """Acknowledge an alarm."""
        alarm = await self.store(alarms.acknowledge, rowid_of(rowid), self.source)
        self.reply(alarm_record(alarm.columns()))


class AcknowledgeAll(BaseHandler):
    """/v3/alarms/acknowledge: somebody has seen all that are open, up to the id `last`."""

    @right(Right.FRESH, scope="signals")
    @contract({200: answers.Done}, SeenForm)
    async def post(self) -> None:
        """Acknowledge all alarms up to one."""
        seen = check(SeenForm, self.json_body())
        count = await self.store(alarms.acknowledge_all, seen.last, self.source)
        self.reply({"message": f"{count} acknowledged."})


class Test(BaseHandler):
    """/v3/alarms/test: sends a message to every place of the settings, at any hour."""

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.AlarmTest}, refuses=(400,))
    async def post(self) -> None:
        """Send a test message to every place."""
        teller = self.application.watchman.teller
        if not teller.places:
            raise ApiError(400, NOBODY)
        self.reply(told_of(await teller.test()))


class Messages(ListHandler):
    """/v3/messages: the kinds of messages beside the alarms; POST sends one as a test."""

    list_key = "messages"

    @right(Right.TOKEN, scope="read")
    @contract({200: [answers.MessageKind]})
    async def get(self) -> None:
        """List the kinds of messages, and how one of each would look."""
        conf, run = self.conf, self.application.searcher.run
        told = []
        for kind in MESSAGES:
            title, text = await run(reporter.preview, conf, kind)
            told.append({"kind": kind, "on": kind in conf.messages, "title": title, "text": text})
        self.reply_list(told)

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.AlarmTest}, MessageForm, refuses=(400,))
    async def post(self) -> None:
        """Send a message of one kind to every place, as a test."""
        form = check(MessageForm, self.json_body())
        teller = self.application.watchman.teller
        if not teller.places:
            raise ApiError(400, NOBODY)
        run = self.application.searcher.run
        self.reply(told_of(await teller.tell(*await run(reporter.preview, self.conf, form.kind))))


def told_of(taken: list[tuple[Place, str]]) -> dict[str, Any]:
    """What a test answers: which places took the message, and why the others did not."""
    results = [
        {"place": place.number, "kind": place.kind, "sent": not why, "why": why or None}
        for place, why in taken
    ]
    sent = sum(each["sent"] for each in results)
    return {"message": f"{sent} of {len(results)} took the message.", "places": results}


routes = [
    (r"/v3/alarms", Alarms),
    (r"/v3/alarms/test", Test),
    (r"/v3/messages", Messages),
    (r"/v3/alarms/acknowledge", AcknowledgeAll),
    (r"/v3/alarm/([^/]+)/acknowledge", Acknowledge),
]
