"""The books: trips, performance, and what a pair's chart shows."""

from handlers.base import BaseHandler
from handlers.contract import Name, Right, SheetCount, contract, right
from handlers.lists import ListHandler
from schemas import performance as answers
from schemas.performance import TRIP_KEYS, PerformanceQuery, TripsQuery
from services import books, performance, series
from services.books import Period


class Trips(ListHandler):
    """/v3/trips/{n}: the newest trips."""

    list_key = "trips"

    @right(Right.TOKEN, scope="read")
    @contract({200: [answers.TripRecord]}, query=TripsQuery, csv=TRIP_KEYS)
    async def get(self, count: SheetCount) -> None:
        """List the newest trips."""
        asked = self.query(TripsQuery)
        limit, is_sheet = self.asked(count)
        found = await self.ask_books(
            books.list_trips, Period.of(asked.since, asked.until), asked.ticker, asked.open
        )
        found = found[: limit or None]
        if is_sheet:
            self.reply_sheet(TRIP_KEYS, found)
        else:
            self.reply_list(found)


class PerformanceFigures(BaseHandler):
    """/v3/performance: what the fills of a period brought."""

    @right(Right.TOKEN, scope="read")
    @contract({200: answers.Performance}, query=PerformanceQuery)
    async def get(self) -> None:
        """Tell what the fills of a period brought."""
        asked = self.query(PerformanceQuery)
        self.reply(
            await self.ask_books(
                performance.performance, Period.of(asked.since, asked.until), asked.ticker
            )
        )


class Series(BaseHandler):
    """/v3/pair/{name}/series: what the chart of a pair or single shows."""

    @right(Right.TOKEN, scope="read")
    @contract({200: answers.PairSeries}, refuses=(404,))
    async def get(self, name: Name) -> None:
        """Tell what the chart of a pair or single shows."""
        self.reply(await self.ask_books(series.series, name))


routes = [
    (r"/v3/trips/([^/]+)", Trips),
    (r"/v3/performance", PerformanceFigures),
    (r"/v3/pair/([^/]+)/series", Series),
]
