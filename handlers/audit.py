"""The audit, for administrators: who did what, from where, and who was refused."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

import orjson

import schemas
from handlers.base import (
    BaseHandler,
    ListHandler,
    PageHandler,
    Right,
    SheetCount,
    contract,
    count_of,
    csv_form,
    right,
)
from models import Audit, AuditFilters
from schemas import access

PAGE = 100  # rows of the page


class AuditList(ListHandler):
    """/v3/audit/{n}: the newest acts and refusals that pass the query's filters."""

    list_key = "audit"

    @right(Right.ADMIN, scope="admin")
    @contract({200: [access.AuditRecord]}, query=schemas.AuditQuery, csv=True)
    async def get(self, count: SheetCount) -> None:
        """List the newest acts and refusals."""
        limit = count_of(count.removesuffix(".csv"))
        chosen = self.query(schemas.AuditQuery).model_dump(exclude_none=True)
        before = chosen.pop("before", None)
        await self.application.write_refusals()
        page = partial(Audit.page, AuditFilters(**chosen))
        sheet = csv_form(schemas.AUDIT_KEYS) if self.wants_csv(count) else None
        await self.reply_rows(
            lambda wanted, last: page(wanted, before if last is None else last),
            schemas.audit_record,
            limit,
            form=sheet,
        )


class Refused(BaseHandler):
    """/v3/refused: how many posts this process refused without keeping them, by reason."""

    @right(Right.ADMIN, scope="admin")
    @contract({200: access.RefusedPosts})
    async def get(self) -> None:
        """Count the posts that left no row."""
        self.reply({"since": self.application.started, **self.application.gate.refused_posts()})


class AuditPage(PageHandler):
    """/audit: the same as a page, by user or address, by sort and by days."""

    page = "audit"

    @right(Right.ADMIN)
    async def get(self) -> None:
        names = ("who", "what", "start_date", "end_date", "before")
        chosen = {
            name: self.get_query_argument(name, "").strip()[: schemas.LONGEST_FILTER]
            for name in names
        }
        errors: dict[str, str] = {}
        bounds = {"since": "start_date", "until": "end_date"}
        query = {"who": chosen["who"], "what": chosen["what"]}
        query |= {name: self.bound(chosen, field, errors) for name, field in bounds.items()}
        query = {name: value for name, value in query.items() if value}
        before = count_of(chosen.pop("before") or "0") or None
        await self.application.write_refusals()
        rows = await self.application.reader.run(_rows, AuditFilters(**query), before)
        kept = {name: value for name, value in chosen.items() if value}
        last = {"before": rows[-1]["id"]} if rows else {}
        self.show(
            "audit.html",
            rows=rows,
            filters=chosen,
            errors=errors,
            older=f"/audit?{urlencode(kept | last)}" if len(rows) == PAGE else "",
            newest=f"/audit?{urlencode(kept)}" if before else "",
            csv_url="/v3/audit/0.csv" + (f"?{urlencode(query)}" if query else ""),
        )


def _rows(filters: AuditFilters, before: int | None) -> list[dict[str, Any]]:
    records = [schemas.audit_record(row) for row in Audit.page(filters, PAGE, before)]
    return [each | {"changes": orjson.loads(each["changes"] or "{}")} for each in records]


routes = [
    (r"/v3/audit/([^/]+)", AuditList),
    (r"/v3/refused", Refused),
    (r"/audit", AuditPage),
]
