"""The pages of the books: what was earned, and one pair or single with all that is known of it."""

from typing import Any

import orjson

from handlers.contract import Right, right
from handlers.page import PageHandler
from models import SIGNAL_KEYS, EventRow, Stock, signal_record
from schemas.records import positions_record
from services import performance, search, series
from services.books import Period
from services.positions import positions_told
from services.search import Filters

NEWEST = 50  # trips and signals that a page carries


class PerformancePage(PageHandler):
    """/performance: what the fills of a period brought."""

    page = "performance"

    @right(Right.TOKEN)
    async def get(self) -> None:
        names = ("ticker", "start_date", "end_date")
        chosen = {name: self.chosen(name) for name in names}
        chosen["ticker"] = chosen["ticker"].upper()
        errors: dict[str, str] = {}
        since = self.bound(chosen, "start_date", errors)
        until = self.bound(chosen, "end_date", errors)
        event = EventRow.last_id()  # before the figures: the socket replays what comes after it
        told, trips = await self.ask_books(
            performance.with_trips, Period.of(since, until), chosen["ticker"] or None, NEWEST
        )
        library = self.library_url("lightweight-charts.mjs")
        self.show(
            "performance.html",
            data=_as_told({"event": event, "performance": told, "trips": trips, "most": NEWEST})
            | {"library": library},
            filters=chosen,
            errors=errors,
            library=library,
        )


class PairPage(PageHandler):
    """/pair/{name}: a pair or a single: position, chart, trips and signals."""

    page = "pair"

    @right(Right.TOKEN)
    async def get(self, name: str) -> None:
        event = EventRow.last_id()
        run = self.application.reader.run
        shown = await self.ask_books(series.of_page, name, Period(self.start_of_today()))
        found = await run(search.newest, Filters(name=name), SIGNAL_KEYS, NEWEST)
        library = self.library_url("lightweight-charts.mjs")
        data = {
            "event": event,
            "name": name,
            **shown,
            "held": _own(positions_record(await run(positions_told)), name),
            "signals": [signal_record(row) for row in found],
            "currencies": await run(Stock.currencies),
            "most": NEWEST,
        }
        self.show(
            "pair.html",
            data=_as_told(data) | {"library": library},
            name=name,
            library=library,
        )


def _own(held: dict[str, Any], name: str) -> dict[str, Any] | None:
    """What is held of a pair or single; None where the positions do not tell."""
    found = [each for each in held["pairs"] if each["name"] == name]
    found += [each for each in held["singles"] if each["symbol"] == name]
    return found[0] if found else None


def _as_told(data: dict[str, Any]) -> dict[str, Any]:
    """Records as the API tells them: what overflows is null."""
    return orjson.loads(orjson.dumps(data))


routes = [
    (r"/performance", PerformancePage),
    (r"/pair/([^/]+)", PairPage),
]
