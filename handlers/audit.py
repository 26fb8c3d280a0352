"""The audit, for administrators: who did what, from where, and who was refused."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import orjson

from handlers.base import BaseHandler
from handlers.contract import Right, SheetCount, contract, right
from handlers.lists import ListHandler, count_of
from handlers.page import PageHandler
from models import Audit
from network import neighbourhood
from schemas import answers
from schemas.records import audit_record
from schemas.requests import AuditQuery
from schemas.words import AUDIT, AUDIT_GROUPS
from services import audit
from services.audit import AuditFilters
from trading import instants

PAGE = 100  # rows of the page
MOST_KEYS = 500  # rows that are counted apart; refusals beyond share one row for each kind


class Refusals:
    """The refusals since they were last taken, by kind and address.

    They are counted in memory and written now and then: a flood makes few rows.
    """

    def __init__(self):
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}

    def count(self, kind: str, address: str, who: str = "") -> None:
        """Counts one more; `who` is the name of a user that exists, or ""."""
        key = (kind, neighbourhood(address))
        if key not in self._rows and len(self._rows) >= MOST_KEYS:
            key = (kind, "")
        row = self._rows.get(key)
        if row is None:
            fields = {"time": instants.now(), "kind": kind, "who": who, "address": key[1]}
            self._rows[key] = {**fields, "count": 1}
            return
        row["count"] += 1
        row["who"] = who if row["who"] == who else ""

    def take(self) -> list[dict[str, Any]]:
        """All rows; counting begins anew."""
        rows, self._rows = list(self._rows.values()), {}
        return rows


KEYS = tuple(answers.AuditRecord.EXAMPLE)


class AuditList(ListHandler):
    """/v3/audit/{n}: the newest acts and refusals that pass the query's filters."""

    list_key = "audit"

    @right(Right.ADMIN, scope="admin")
    @contract({200: [answers.AuditRecord]}, query=AuditQuery, csv=KEYS)
    async def get(self, count: SheetCount) -> None:
        """List the newest acts and refusals."""
        limit, is_sheet = self.asked(count)
        chosen = self.query(AuditQuery).model_dump(exclude_none=True)
        first = chosen.pop("before", None)
        filters = AuditFilters(**chosen)
        await self.application.write_refusals()

        def page(wanted: int, before: int | None) -> Iterable[Audit]:
            return audit.page(filters, wanted, before or first)

        await self.reply_rows(page, audit_record, limit, KEYS if is_sheet else ())


class Refused(BaseHandler):
    """/v3/refused: how many posts this process refused without keeping them, by reason."""

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.RefusedPosts})
    async def get(self) -> None:
        """Count the posts that left no row."""
        self.reply({"since": self.application.started, **self.application.gate.refused_posts()})


class AuditPage(PageHandler):
    """/audit: the audit as a page, by user or address, by kind and by days."""

    page = "audit"

    @right(Right.ADMIN)
    async def get(self) -> None:
        names = ("who", "what", "start_date", "end_date", "before")
        chosen = {name: self.chosen(name) for name in names}
        errors: dict[str, str] = {}
        query = self._query(chosen, errors)
        before = count_of(chosen.pop("before") or "0", "before must be the id of a row") or None
        await self.application.write_refusals()
        rows = await self.application.reader.run(_rows, AuditFilters(**query), before)
        kept = {name: value for name, value in chosen.items() if value}
        last = {"before": rows[-1]["id"]} if rows else {}
        self.show(
            "audit.html",
            {"audit": rows, "kinds": AUDIT},
            filters=chosen,
            groups=AUDIT_GROUPS,
            errors=errors,
            older=f"/audit?{urlencode(kept | last)}" if len(rows) == PAGE else "",
            newest=f"/audit?{urlencode(kept)}" if before else "",
            csv_url="/v3/audit/0.csv" + (f"?{urlencode(query)}" if query else ""),
        )

    def _query(self, chosen: dict[str, str], errors: dict[str, str]) -> dict[str, str]:
        """What was chosen, in the words of the API."""
        asked = {
            "who": chosen["who"],
            "what": chosen["what"],
            "since": self.bound(chosen, "start_date", errors),
            "until": self.bound(chosen, "end_date", errors),
        }
        return {name: value for name, value in asked.items() if value}


def _rows(filters: AuditFilters, before: int | None) -> list[dict[str, Any]]:
    records = [audit_record(row) for row in audit.page(filters, PAGE, before)]
    return [each | {"changes": orjson.loads(each["changes"] or "{}")} for each in records]


routes = [
    (r"/v3/audit/([^/]+)", AuditList),
    (r"/v3/refused", Refused),
    (r"/audit", AuditPage),
]
