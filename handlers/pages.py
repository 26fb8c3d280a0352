"""The pages for browsers; the server renders their first rows, which need no JavaScript."""

import contextlib
from typing import Any
from urllib.parse import urlencode

import orjson

from handlers.contract import Right, right
from handlers.errors import ApiError
from handlers.identity import COOKIE
from handlers.lists import VISITOR_LIMIT
from handlers.page import PageHandler
from models import (
    SIGNAL_KEYS,
    TYPES,
    AccountRecord,
    Alarm,
    EventRow,
    Missing,
    Pair,
    Stock,
    signal_record,
)
from schemas.records import alarm_groups, positions_record
from services import access, search
from services.account import positions_now
from services.search import Filters, figures, totals
from trading import instants, positions, statuses

NEWEST = 20  # rows of the dashboard's first paint
PAGE = 200  # rows of the list's first page


class Home(PageHandler):
    """/"""

    @right(Right.OPEN)
    async def get(self) -> None:
        self.redirect("/dashboard")


class Dashboard(PageHandler):
    """/dashboard: what waits, what is wrong, what happened last."""

    page = "dashboard"

    @right(Right.READ)
    async def get(self) -> None:
        chosen = {name: self.chosen(name) for name in ("status", "ticker", "type", "q", "since")}
        chosen["since"] = _instant(chosen["since"])
        filters = _filters(
            status=chosen["status"],
            name=chosen["ticker"],
            kind=chosen["type"],
            since=chosen["since"],
            text=chosen["q"],
        )
        limit = NEWEST if self.identity else VISITOR_LIMIT
        event = EventRow.last_id()  # before the rows: the socket replays what comes after it
        run = self.application.reader_for(filters).run
        rows = await run(search.newest, filters, SIGNAL_KEYS, limit)
        alarms = await run(Alarm.shown) if self.identity else []
        self.show(
            "dashboard.html",
            event=event,
            signals=[signal_record(row) for row in rows],
            figures=await run(figures, self.start_of_today()),
            bridge=self.application.polls.state() if self.identity else None,
            alarms=alarm_groups(row.columns() for row in alarms),
            limit=limit,
            filters=chosen,
            not_traded=statuses.REASONS,
            currencies=Stock.currencies(),
        )


def _filters(**given: str) -> Filters:
    """Filters without those that are ""; an unknown kind filters nothing."""
    known = {name: value for name, value in given.items() if value}
    if known.get("kind") not in TYPES:
        known.pop("kind", None)
    return Filters(**known)


def _instant(text: str) -> str:
    """The UTC instant that an address names, "" for none."""
    try:
        return instants.parse_bound(text, last=False)
    except ValueError:
        return ""


class List(PageHandler):
    """/list: the signals of a pair or ticker and a time, with their totals."""

    page = "list"

    @right(Right.READ)
    async def get(self) -> None:
        names = ("ticker_webhook", "tradetype", "start_date", "end_date")
        chosen = {name: self.chosen(name) for name in names}
        errors: dict[str, str] = {}
        since = self.bound(chosen, "start_date", errors)
        until = self.bound(chosen, "end_date", errors)
        ticker, kind = chosen["ticker_webhook"], chosen["tradetype"]
        filters = _filters(name=ticker, kind=kind, since=since, until=until)
        limit = PAGE if self.identity else VISITOR_LIMIT
        event = EventRow.last_id()
        run = self.application.reader.run
        sum_up = self.application.reader_for(filters, sums=True).run
        rows = await run(search.newest, filters, SIGNAL_KEYS, limit)
        query = {"ticker": ticker, "type": filters.kind, "since": since, "until": until}
        shown = urlencode({key: value for key, value in query.items() if value})
        self.show(
            "list.html",
            event=event,
            signals=[signal_record(row) for row in rows],
            limit=limit,
            totals=await sum_up(totals, filters),
            choices=await run(_choices),
            filters=chosen,
            since=since,
            until=until,
            errors=errors,
            csv_url="/v3/signals/0.csv" + (f"?{shown}" if shown else ""),
            currencies=Stock.currencies(),
        )


def _choices() -> list[dict[str, Any]]:
    pairs = [{"name": row.name, "active": row.status, "type": "pair"} for row in Pair.page(0)]
    stocks = [{"name": row.symbol, "active": row.active, "type": "single"} for row in Stock.page(0)]
    return pairs + stocks


class Holdings(PageHandler):
    """/positions: the account, what is held of each pair and beside them, and charts."""

    page = "positions"

    @right(Right.READ)
    async def get(self) -> None:
        event = EventRow.last_id()
        run = self.application.reader.run
        record = positions_record(await run(positions_now))
        held = orjson.loads(orjson.dumps(record))  # as the API tells it: what overflows is null
        newest = await run(lambda: [row.record() for row in AccountRecord.page(1)])
        chosen = self.chosen("pair")
        self.show(
            "positions.html",
            event=event,
            held=held,
            account=newest[0] if newest else None,
            chosen=chosen or _first_to_look_at(held),
            library=self.library_url("lightweight-charts.mjs"),
            visitor_limit=VISITOR_LIMIT,
            site=self.webhook_url.removesuffix("/v3/webhook"),
            next_url=self.request.uri,
        )


def _first_to_look_at(held: dict[str, Any]) -> str:
    """The first pair that is held, else the first pair, else the first single; "" for none."""
    pairs = sorted(held["pairs"], key=lambda pair: pair["mark"] == positions.FLAT)
    names = [pair["name"] for pair in pairs] + [each["symbol"] for each in held["singles"]]
    return names[0] if names else ""


class Setup(PageHandler):
    """/setup: the simulator, the registry, users, rejected alerts and the alert template."""

    page = "setup"

    @right(Right.TOKEN)
    async def get(self) -> None:
        self.show("setup.html", alarm_places=self.application.watchman.teller.places)


class LoginPage(PageHandler):
    """/login"""

    page = "login"

    @right(Right.OPEN)
    async def get(self) -> None:
        self.show("login.html", next=safe_next(self.get_query_argument("next", "")))


def safe_next(target: str) -> str:
    """A path of this site; anything else becomes the dashboard."""
    inside = target.startswith("/") and not target.startswith("//")
    return target if inside and target.isprintable() and "\\" not in target else "/dashboard"


class LogoutPage(PageHandler):
    """/logout: ends the session and shows the login."""

    @right(Right.OPEN)
    async def post(self) -> None:
        if self.identity:
            self.check_xsrf_cookie()
            with contextlib.suppress(Missing):  # another logout was faster
                await self.act("login.ended", "", access.end_session, self.identity.session.id)
            self.application.hub.recheck()
        self.clear_cookie(COOKIE)
        self.redirect("/login")


class NoPage(PageHandler):
    """Any path outside /v3 that no route serves."""

    def prepare(self) -> None:
        self.application.open_database_here()
        raise ApiError(404, "The address may be misspelled, or the page has moved.")


routes = [
    (r"/", Home),
    (r"/dashboard", Dashboard),
    (r"/list", List),
    (r"/positions", Holdings),
    (r"/setup", Setup),
    (r"/login", LoginPage),
    (r"/logout", LogoutPage),
]
