"""The browser's pages, rendered on the server so that the first rows need no JavaScript."""

import contextlib
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytz
from jinja2 import Environment, FileSystemLoader, pass_context
from jinja2.runtime import Context

import schemas
from handlers.base import (
    COOKIE,
    LONGEST_FILTER,
    VISITOR_LIMIT,
    ApiError,
    BaseHandler,
    Identity,
    Right,
    library_url,
    right,
    session_state,
)
from models import (
    AccountRecord,
    EventRow,
    Filters,
    Missing,
    Pair,
    Session,
    Signal,
    Stock,
    figures,
    positions_now,
    totals,
)
from settings import ROOT, VERSION
from trading import instants, positions

NEWEST = 20  # rows of the dashboard's first paint
PAGE = 200  # rows of the list's first page
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def environment(zone: str) -> Environment:
    """The templates, escaping everything; `local` shows UTC in the page's zone, or else in this."""
    made = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}  # records keep their order
    made.filters["minutes_since"] = _minutes_since

    @pass_context
    def local(context: Context, text: str | None) -> str:
        return in_zone(text, context.get("clock_zone") or zone or "UTC") if text else ""

    made.filters["local"] = local
    return made


def _minutes_since(text: str | None) -> float:
    if not text:
        return 0.0
    return (
        datetime.fromisoformat(instants.now()) - datetime.fromisoformat(text)
    ).total_seconds() / 60


def in_zone(text: str, zone: str) -> str:
    """A UTC text as the clocks of a zone show it; no zone means UTC."""
    instant = pytz.utc.localize(datetime.fromisoformat(text))
    try:
        return f"{instant.astimezone(pytz.timezone(zone)):%Y-%m-%d %H:%M:%S}"
    except OverflowError:  # the first and last hours of the calendar
        return text


class PageHandler(BaseHandler):
    """A handler that answers HTML."""

    page = ""

    @cached_property
    def zone(self) -> str:
        """The settings' zone, else the one that the browser told, else UTC."""
        told = self.get_cookie("zone", "")
        return self.conf.zone or (told if told in pytz.all_timezones_set else "UTC")

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Permissions-Policy", PERMISSIONS)
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")

    def authenticate(self) -> Identity | None:
        identity = super().authenticate()
        if identity and identity.token:
            raise ApiError(403, "an API token opens no pages.")
        return identity

    def require(self, needed: Right) -> None:
        try:
            super().require(needed)
        except ApiError as problem:
            if problem.status != 401 or self.request.method != "GET":
                raise
            self.redirect("/login?next=" + quote(self.request.uri, safe=""))

    def show(self, template: str, **context: Any) -> None:
        """Answers a page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self.application.templates.get_template(template).render(self._frame(context)))

    def _frame(self, context: dict[str, Any]) -> dict[str, Any]:
        user = self.identity and self.identity.user
        return {
            "page": self.page,
            "user": user and {"username": user.username, "admin": user.admin},
            "session": self.identity and session_state(self.identity.session),
            "static": self.static_url,
            "xsrf_token": self.xsrf_token.decode(),
            "zone": self.conf.zone,
            "clock_zone": self.zone,
            "mode": self.conf.mode,
            "version": VERSION,
            "server_time": instants.now(),
            "event": EventRow.last_id(),
            "webhook_url": self.webhook_url,
            "alarm_minutes": self.conf.alarm_minutes,
            "today": self.start_of_today(),
            **context,
        }

    def utc(self, day: str, *, last: bool) -> str:
        """The first or last second of a day in the page's zone, as UTC; raises ValueError."""
        bound = datetime.fromisoformat(instants.parse_bound(day, last=last))
        zone = pytz.timezone(self.zone)
        return f"{zone.localize(bound).astimezone(pytz.utc):%Y-%m-%d %H:%M:%S}"

    def start_of_today(self) -> str:
        """When the day began in the page's zone, as UTC."""
        return self.utc(in_zone(instants.now(), self.zone)[:10], last=False)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_problem_headers()
        titles = {404: "There is nothing here", 405: "That is not possible here"}
        title = titles.get(status_code, "That did not work")
        self.show(
            "error.html", status=status_code, title=title, detail=str(self.problem.body["message"])
        )


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
        names = ("status", "ticker", "type", "q")
        chosen = {
            name: self.get_query_argument(name, "").strip()[:LONGEST_FILTER] for name in names
        }
        known_kind = chosen["type"] if chosen["type"] in ("single", "pair") else None
        filters = Filters(
            chosen["status"] or None, chosen["ticker"] or None, known_kind, text=chosen["q"] or None
        )
        limit = NEWEST if self.identity else VISITOR_LIMIT
        event = EventRow.last_id()  # before the rows: the socket replays what comes meanwhile
        run = self.application.reader_for(filters).run
        rows = await run(Signal.newest, filters, schemas.SIGNAL_COLUMNS, limit)
        self.show(
            "dashboard.html",
            event=event,
            signals=[schemas.signal_record(row) for row in rows],
            figures=await run(figures, self.start_of_today()),
            bridge=self.application.polls.state() if self.identity else None,
            limit=limit,
            filters=chosen,
            currencies=Stock.currencies(),
        )


class List(PageHandler):
    """/list: the signals of a pair or ticker and a time, with their totals."""

    page = "list"

    @right(Right.READ)
    async def get(self) -> None:
        names = ("ticker_webhook", "tradetype", "start_date", "end_date")
        chosen = {
            name: self.get_query_argument(name, "").strip()[:LONGEST_FILTER] for name in names
        }
        errors: dict[str, str] = {}
        since = self._bound(chosen, "start_date", errors)
        until = self._bound(chosen, "end_date", errors)
        kind = chosen["tradetype"] if chosen["tradetype"] in ("single", "pair") else ""
        ticker = chosen["ticker_webhook"]
        filters = Filters(None, ticker or None, kind or None, since or None, until or None)
        limit = PAGE if self.identity else VISITOR_LIMIT
        event = EventRow.last_id()
        run = self.application.reader_for(filters).run
        rows = await run(Signal.newest, filters, schemas.SIGNAL_COLUMNS, limit)
        query = {"ticker": ticker, "type": kind, "since": since, "until": until}
        shown = urlencode({key: value for key, value in query.items() if value})
        self.show(
            "list.html",
            event=event,
            signals=[schemas.signal_record(row) for row in rows],
            limit=limit,
            totals=await run(totals, filters),
            choices=await run(_choices),
            filters=chosen,
            since=since,
            until=until,
            errors=errors,
            csv_url="/v3/signals/0.csv" + (f"?{shown}" if shown else ""),
            currencies=Stock.currencies(),
        )

    def _bound(self, chosen: dict[str, str], name: str, errors: dict[str, str]) -> str:
        try:
            return self.utc(chosen[name], last=name == "end_date") if chosen[name] else ""
        except (ValueError, OverflowError) as error:
            errors[name] = str(error)
            return ""


def _choices() -> list[dict[str, Any]]:
    pairs = [{"name": row.name, "active": row.active, "type": "pair"} for row in Pair.page(0)]
    stocks = [{"name": row.symbol, "active": row.active, "type": "single"} for row in Stock.page(0)]
    return pairs + stocks


class Holdings(PageHandler):
    """/positions: the account, what is held of each pair and beside them, and charts."""

    page = "positions"

    @right(Right.READ)
    async def get(self) -> None:
        event = EventRow.last_id()
        run = self.application.reader.run
        record = schemas.positions_record(await run(positions_now))
        held = orjson.loads(orjson.dumps(record))  # as the API tells it: what overflows is null
        newest = await run(lambda: [row.record() for row in AccountRecord.page(1)])
        chosen = self.get_query_argument("pair", "").strip()[:LONGEST_FILTER]
        self.show(
            "positions.html",
            event=event,
            held=held,
            account=schemas.account_record(newest[0]) if newest else None,
            chosen=chosen or _first_to_look_at(held),
            library=library_url(self),
            visitor_limit=VISITOR_LIMIT,
            site=self.webhook_url.removesuffix("/v3/webhook"),
            next_url=self.request.uri,
        )


def _first_to_look_at(held: dict[str, Any]) -> str:
    """The first pair that is held, else any pair, else a single position; "" where nothing is."""
    pairs = sorted(held["pairs"], key=lambda pair: pair["mark"] == positions.FLAT)
    names = [pair["name"] for pair in pairs] + [each["symbol"] for each in held["singles"]]
    return names[0] if names else ""


class Setup(PageHandler):
    """/setup: the simulator, the registry, users, rejected alerts and the alert template."""

    page = "setup"

    @right(Right.TOKEN)
    async def get(self) -> None:
        self.show("setup.html")


class AuditPage(PageHandler):
    """/audit: who did what that opens doors, and who was refused; for administrators."""

    page = "audit"

    @right(Right.ADMIN)
    async def get(self) -> None:
        self.show("audit.html")


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
                await self.act("login.ended", "", Session.end, self.identity.session.id)
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
    (r"/audit", AuditPage),
    (r"/login", LoginPage),
    (r"/logout", LogoutPage),
]
