"""What every page shares: the templates, the policy of what it may load, its zone and frame."""

from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

import pytz
from jinja2 import Environment, FileSystemLoader, pass_context
from jinja2.runtime import Context

import schemas
from handlers.base.errors import ApiError
from handlers.base.handler import BaseHandler, session_state
from handlers.base.rights import Identity, Right
from models import EventRow
from settings import ROOT, VERSION
from trading import instants

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
            if problem.status != 401 or self.verb != "get":
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

    def chosen(self, name: str) -> str:
        """What the address says of a filter, cut to a sane length."""
        return self.get_query_argument(name, "").strip()[: schemas.LONGEST_FILTER]

    def utc(self, day: str, *, last: bool) -> str:
        """The first or last second of a day in the page's zone, as UTC; raises ValueError."""
        text = instants.parse_bound(day, last=last)
        if instants.is_absolute(day):
            return text
        bound = datetime.fromisoformat(text)
        zone = pytz.timezone(self.zone)
        moment = f"{zone.localize(bound).astimezone(pytz.utc):%Y-%m-%d %H:%M:%S}"
        return moment.rjust(19, "0")  # years before 1000

    def bound(self, chosen: dict[str, str], name: str, errors: dict[str, str]) -> str:
        """The UTC bound of a chosen day, "" where there is none; what is wrong goes to `errors`."""
        try:
            return self.utc(chosen[name], last=name == "end_date") if chosen[name] else ""
        except (ValueError, OverflowError) as error:
            errors[name] = str(error)
            return ""

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
