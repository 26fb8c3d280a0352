"""What every page shares: templates, the files it may load, its time zone and its frame."""

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytz
from jinja2 import Environment, FileSystemLoader, pass_context
from jinja2.runtime import Context
from tornado.web import HTTPError, StaticFileHandler

from handlers.base import BaseHandler, session_state
from handlers.contract import Right
from handlers.errors import ApiError
from handlers.identity import Identity
from models import EventRow
from schemas.requests import LONGEST_FILTER
from settings import ROOT, VERSION
from trading import instants

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}
_CHARTS, _VIEWER = (
    ROOT.absolute() / "node_modules" / name for name in ("lightweight-charts", "swagger-ui-dist")
)
# Files of libraries: their paths below /static/, and where npm has installed them.
LIBRARIES = {
    "vendor/lightweight-charts.mjs": _CHARTS / "dist/lightweight-charts.standalone.production.mjs",
    "vendor/swagger-ui.js": _VIEWER / "swagger-ui-bundle.js",
    "vendor/swagger-ui.css": _VIEWER / "swagger-ui.css",
}


def environment(zone: str) -> Environment:
    """The templates. They escape everything; `local` shows a UTC time in the zone of the page."""
    made = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}  # records keep their order
    made.filters["minutes_since"] = lambda text: instants.seconds_since(text) / 60 if text else 0

    @pass_context
    def local(context: Context, text: str | None) -> str:
        return in_zone(text, context.get("clock_zone") or zone or "UTC") if text else ""

    made.filters["local"] = local
    return made


def in_zone(text: str, zone: str) -> str:
    """A UTC instant as the clocks of a zone show it."""
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
        """The settings' zone, else the zone that the browser told, else UTC."""
        told = self.get_cookie("zone", "")
        return self.conf.zone or (told if told in pytz.all_timezones_set else "UTC")

    def set_default_headers(self) -> None:
        super().set_default_headers()
        for name, value in HEADERS.items():
            self.set_header(name, value)

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

    def library_url(self, name: str) -> str:
        """Where a page finds a file of a library; "" where npm did not install it."""
        path = f"vendor/{name}"
        return self.static_url(path) if LIBRARIES[path].is_file() else ""

    def chosen(self, name: str) -> str:
        """The value of a filter in the address, cut to LONGEST_FILTER characters."""
        return self.get_query_argument(name, "").strip()[:LONGEST_FILTER]

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
        """The UTC bound of a chosen day, "" where there is none; puts a mistake into `errors`."""
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
        detail = str(self.problem.body["message"])
        self.show("error.html", status=status_code, title=title, detail=detail)


class Static(StaticFileHandler):
    """/static/...: files that browsers keep: the address of a file holds its hash."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        if "\0" in path:
            raise HTTPError(404)
        library: Path | None = LIBRARIES.get(path)
        return str(library) if library else super().get_absolute_path(root, path)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        library = Path(absolute_path)
        inside = str(library.parent) if library in LIBRARIES.values() else root
        return super().validate_absolute_path(inside, absolute_path)

    def log_exception(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        # Tornado's own line would show the query string.
        if not isinstance(error, HTTPError):
            super().log_exception(kind, error, trace)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("There is no such file.\n")
