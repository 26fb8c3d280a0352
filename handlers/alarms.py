"""Alarms: what is wrong now, seen and acknowledged; a test of how they are told."""

import orjson

from handlers.base import BaseHandler
from handlers.contract import Right, RowId, contract, right
from handlers.errors import ApiError
from handlers.lists import ListHandler, rowid_of
from models import Alarm
from schemas import answers
from schemas.records import alarm_record
from schemas.requests import AlarmsQuery, SeenForm
from schemas.values import check
from services import alarms

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
            raise ApiError(400, "there are no alarm_urls in the settings; nobody would be told.")
        results = [
            {"place": place.number, "kind": place.kind, "sent": not why, "why": why or None}
            for place, why in await teller.test()
        ]
        sent = sum(each["sent"] for each in results)
        self.reply({"message": f"{sent} of {len(results)} took the message.", "places": results})


routes = [
    (r"/v3/alarms", Alarms),
    (r"/v3/alarms/test", Test),
    (r"/v3/alarms/acknowledge", AcknowledgeAll),
    (r"/v3/alarm/([^/]+)/acknowledge", Acknowledge),
]
