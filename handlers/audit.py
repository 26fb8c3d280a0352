"""The audit, for administrators: who did what, from where, and who was refused."""

from functools import partial

import schemas
from handlers.base import BaseHandler, ListHandler, Right, count_of, csv_form, right
from models import Audit, AuditFilters


class AuditList(ListHandler):
    """/v3/audit/{n}: the newest acts and refusals that pass the query's filters."""

    list_key = "audit"

    @right(Right.ADMIN, scope="admin")
    async def get(self, count: str) -> None:
        limit = count_of(count.removesuffix(".csv"))
        chosen, before = schemas.audit_filters(self.get_query_argument)
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
    async def get(self) -> None:
        self.reply({"since": self.application.started, **self.application.gate.refused_posts()})


routes = [
    (r"/v3/audit/([^/]+)", AuditList),
    (r"/v3/refused", Refused),
]
