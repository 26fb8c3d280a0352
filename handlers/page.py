"""What every page shares: templates, the files it may load, its time zone and its frame."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytz
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from handlers.base import BaseHandler, session_state
from handlers.contract import Right
from handlers.errors import ApiError
from handlers.identity import Identity
from handlers.static import Assets
from models import EventRow
from schemas.requests import LONGEST_FILTER
from schemas.words import PAGE_WORDS
from services import decisions
from settings import ROOT, VERSION
from trading import guards, instants

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}


def environment(assets: Assets) -> Environment:
    """The templates. They escape everything; `static('css/base.css')` is the address of a file.

    A name that they are not given is an error.
    """
    made = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}  # records keep their order
    made.globals["static"] = assets.url
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

    def show(self, template: str, data: dict[str, Any] | None = None, **context: Any) -> None:
        """Answers a page; `data` is what the page's JavaScript paints."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.add_header("Vary", "Accept-Encoding")
        frame = self._frame(self._data(data or {}))
        text = self.application.templates.get_template(template).render(frame | context)
        self.finish(self.packed(text.encode()))

    def _data(self, own: dict[str, Any]) -> dict[str, Any]:
        """What every page carries for its JavaScript, and what is its own."""
        user = self.identity and self.identity.user
        return {
            "page": self.page,
            "user": user.username if user else None,
            "admin": bool(user and user.admin),
            "trading": decisions.mode_now() if user else None,
            "session": session_state(self.identity.session) if user else None,
            "zone": self.conf.zone,
            "now": instants.now(),
            "event": own.get("event") or EventRow.last_id(),
            "mode": self.conf.mode,
            "alarm_minutes": self.conf.alarm_minutes,
            "words": PAGE_WORDS,
            "assets": self.application.assets.hash,
            **own,
        }

    def _frame(self, data: dict[str, Any]) -> dict[str, Any]:
        """What every template may use."""
        return {
            "data": data,
            **{name: data[name] for name in ("page", "user", "admin", "mode", "words")},
            "xsrf_token": self.xsrf_token.decode(),
            "clock_zone": self.zone,
            "version": VERSION,
            "webhook_url": self.webhook_url,
            "mode_words": guards.MODE_WORDS,
            "entry_minutes": self.conf.entry_minutes,
        }

    def library_url(self, name: str) -> str:
        """Where a page finds a file of a library; "" where npm did not install it."""
        path = f"vendor/{name}"
        assets = self.application.assets
        return assets.url(path) if path in assets else ""

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

    @property
    def today(self) -> str:
        """The day in the page's zone."""
        return in_zone(instants.now(), self.zone)[:10]

    def start_of_today(self) -> str:
        """When the day began in the page's zone, as UTC."""
        return self.utc(self.today, last=False)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_problem_headers()
        titles = {404: "There is nothing here", 405: "That is not possible here"}
        title = titles.get(status_code, "That did not work")
        detail = str(self.problem.body["message"])
        self.show("error.html", status=status_code, title=title, detail=detail)
