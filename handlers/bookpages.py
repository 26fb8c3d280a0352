"""The pages of the books: what was earned, and one pair or single with all that is known of it."""

from functools import partial
from typing import Any

import orjson

from handlers.contract import Right, right
from handlers.page import PageHandler, in_zone
from models import SIGNAL_KEYS, EventRow, Pair, Stock, signal_record
from schemas.records import positions_record
from services import performance, search, series
from services.books import Period, rates_of
from services.positions import positions_told
from services.search import Filters
from trading import instants

NEWEST = 50  # trips and signals that a page carries


class BookPage(PageHandler):
    """A page that is made from the books, on the thread for what may read all signals."""

    async def run(self, work: Any, *given: Any) -> Any:
        """What a function of the books returns."""
        reader = self.application.reader_for(Filters(), sums=True)
        return await reader.run(partial(work, rates_of(self.conf), *given))


class PerformancePage(BookPage):
    """/performance: what the fills of a period brought."""

    page = "performance"

    @right(Right.TOKEN)
    async def get(self) -> None:
        names = ("ticker", "start_date", "end_date")
        chosen = {name: self.chosen(name) for name in names}
        chosen["ticker"] = chosen["ticker"].upper()
        errors: dict[str, str] = {}
        since = self.bound(chosen, "start_date", errors)
        until = self.bound(chosen, "end_date", errors) or instants.LAST
        event = EventRow.last_id()  # before the figures: the socket replays what comes after it
        told, trips = await self.run(
            performance.with_trips, Period(since, until), chosen["ticker"] or None, NEWEST
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


class PairPage(BookPage):
    """/pair/{name}: a pair or a single: position, chart, trips and signals."""

    page = "pair"

    @right(Right.TOKEN)
    async def get(self, name: str) -> None:
        event = EventRow.last_id()
        run = self.application.reader.run
        shown = await self.run(series.series, name)  # raises Missing
        today = Period(self.start_of_today())
        found = await run(search.newest, Filters(name=name), SIGNAL_KEYS, NEWEST)
        library = self.library_url("lightweight-charts.mjs")
        data = {
            "event": event,
            "name": name,
            "series": shown,
            "performance": await self.run(performance.performance, Period(), name),
            "today": await self.run(performance.performance, today, name),
            "held": _own(positions_record(await run(positions_told)), name),
            "registered": await run(_registered, name),
            "signals": [signal_record(row) for row in found],
            "currencies": await run(Stock.currencies),
            "most": NEWEST,
        }
        self.show(
            "pair.html",
            data=_as_told(data) | {"library": library},
            name=name,
            library=library,
            today=in_zone(instants.now(), self.zone)[:10],
        )


def _own(held: dict[str, Any], name: str) -> dict[str, Any] | None:
    """What is held of a pair or single; None where the positions do not tell."""
    found = [each for each in held["pairs"] if each["name"] == name]
    found += [each for each in held["singles"] if each["symbol"] == name]
    return found[0] if found else None


def _registered(name: str) -> dict[str, Any]:
    """The record of a pair or single in the registry; raises Missing."""
    pair = Pair.get_or_none(Pair.name == name)
    return (pair or Stock.find_spelled(name)).record()


def _as_told(data: dict[str, Any]) -> dict[str, Any]:
    """Records as the API tells them: what overflows is null."""
    return orjson.loads(orjson.dumps(data))


routes = [
    (r"/performance", PerformancePage),
    (r"/pair/([^/]+)", PairPage),
]
