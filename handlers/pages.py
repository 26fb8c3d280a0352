"""The pages for browsers. They carry their first records; JavaScript paints them."""

import contextlib
from typing import Any

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
    Stock,
    signal_record,
)
from schemas.records import alarm_record, positions_record
from schemas.requests import SORTS
from schemas.words import FILTERS, SCOPES
from services import access, decisions, registry, search, signals
from services.positions import positions_told
from services.search import Filters, totals
from settings import DEMO_PASSWORD, DEMO_USERS, ROOT
from trading import positions

NEWEST = 50  # rows that a page carries


class Home(PageHandler):
    """/"""

    @right(Right.OPEN)
    async def get(self) -> None:
        self.redirect("/dashboard")


class SignalsPage(PageHandler):
    """A page with the table of signals and the filters above it."""

    async def show_signals(self) -> None:
        """Answers the page with the first signals and its figures."""
        names = ("q", "status", "ticker_webhook", "tradetype", "start_date", "end_date")
        chosen = {name: self.chosen(name) for name in names}
        chosen["ticker_webhook"] = signals.called(chosen["ticker_webhook"])
        if chosen["status"] not in dict(FILTERS):
            chosen["status"] = ""
        errors: dict[str, str] = {}
        filters = self._filters(chosen, errors)
        limit = NEWEST if self.identity else VISITOR_LIMIT
        event = EventRow.last_id()  # before the rows: the socket replays what comes after it
        sort = self.chosen("sort")
        sort = sort if sort.removeprefix("-") in SORTS else ""
        run = self.application.reader_for(filters, sums=bool(sort)).run
        if sort:
            ids = await run(search.sorted_ids, filters, sort, limit, 0)
            rows = await run(search.of_ids, ids, SIGNAL_KEYS)
        else:
            rows = await run(search.newest, filters, SIGNAL_KEYS, limit)
        data = {
            "event": event,
            "signals": [signal_record(row) for row in rows],
            "limit": limit,
            "sort": sort,
            "currencies": await self.application.reader.run(Stock.currencies),
            **await self.figures(filters),
        }
        self.show(f"{self.page}.html", data, filters=chosen, errors=errors, today=self.today)

    async def figures(self, filters: Filters) -> dict[str, Any]:
        """The figures above the table."""
        raise NotImplementedError

    def _filters(self, chosen: dict[str, str], errors: dict[str, str]) -> Filters:
        """The filters that were chosen; an unknown kind or status filters nothing."""
        kind = chosen["tradetype"]
        asked = {
            "text": chosen["q"],
            "status": chosen["status"],
            "name": chosen["ticker_webhook"],
            "kind": kind if kind in TYPES else "",
            "since": self.bound(chosen, "start_date", errors),
            "until": self.bound(chosen, "end_date", errors),
        }
        return Filters(**{name: value for name, value in asked.items() if value})


class Dashboard(SignalsPage):
    """/dashboard: what waits, what is wrong, what happened last."""

    page = "dashboard"

    @right(Right.READ)
    async def get(self) -> None:
        await self.show_signals()

    async def figures(self, filters: Filters) -> dict[str, Any]:
        run = self.application.reader.run
        alarms = await run(Alarm.shown) if self.identity else []
        return {
            "figures": await run(self.application.strip.figures, self.start_of_today()),
            "bridge": self.application.polls.state() if self.identity else None,
            "alarms": [alarm_record(row.columns()) for row in alarms],
            "start": await _first_steps(self.application),
        }


async def _first_steps(app: Any) -> dict[str, Any] | None:
    """What the first start has reached; None once all its steps are done."""
    steps = await app.reader.run(registry.first_steps)
    steps |= {"bridge": app.polls.state()["last_seen"] is not None}
    return None if all(steps.values()) else steps


class List(SignalsPage):
    """/list: the signals that the filters choose, with their totals."""

    page = "list"

    @right(Right.READ)
    async def get(self) -> None:
        await self.show_signals()

    async def figures(self, filters: Filters) -> dict[str, Any]:
        run = self.application.reader_for(filters, sums=True).run
        return {"totals": await run(totals, filters)}


class Holdings(PageHandler):
    """/positions: the account, what is held of each pair and beside them, and charts."""

    page = "positions"

    @right(Right.READ)
    async def get(self) -> None:
        event = EventRow.last_id()
        run = self.application.reader.run
        record = positions_record(await run(positions_told))
        held = orjson.loads(orjson.dumps(record))  # as the API tells it: what overflows is null
        library = self.library_url("lightweight-charts.mjs")
        self.show(
            "positions.html",
            data={
                "event": event,
                "held": held,
                "modes": await run(decisions.modes_of_tickers) if self.identity else {},
                "account": await run(AccountRecord.newest),
                "chosen": self.chosen("pair") or _first_to_look_at(held),
                "library": library,
            },
            library=library,
            visitor_limit=VISITOR_LIMIT,
            next_url=self.request.uri,
        )


def _first_to_look_at(held: dict[str, Any]) -> str:
    """The first held pair, else an active one, else any, else a single; "" for none."""
    pairs = sorted(
        held["pairs"], key=lambda pair: (pair["mark"] == positions.FLAT, not pair["active"])
    )
    names = [pair["name"] for pair in pairs] + [each["symbol"] for each in held["singles"]]
    return names[0] if names else ""


class Setup(PageHandler):
    """/setup: the simulator, the registry, users, rejected alerts and the alert template."""

    page = "setup"

    @right(Right.TOKEN)
    async def get(self) -> None:
        event = EventRow.last_id()
        newest = await self.application.reader.run(AccountRecord.newest)
        self.show(
            "setup.html",
            data={
                "event": event,
                "start": await _first_steps(self.application),
                "bridge": self.application.polls.state(),
                "reported": newest["timestamp"] if newest else None,
            },
            alarm_places=self.application.watchman.teller.places,
            scopes=SCOPES,
            conf=self.conf,
            settings_file=ROOT.absolute() / "settings.local.toml",
        )


class LoginPage(PageHandler):
    """/login"""

    page = "login"

    @right(Right.OPEN)
    async def get(self) -> None:
        known = {"name": next(iter(DEMO_USERS)), "password": DEMO_PASSWORD}
        target = safe_next(self.get_query_argument("next", ""))
        self.show("login.html", next=target, demo=known if self.conf.demo else None)


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
        self.identify(Right.OPEN)
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
