"""Signals read back: one, the newest, by status or ticker, as JSON or CSV, and their figures."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import schemas
from handlers.base import (
    VISITOR_LIMIT,
    BaseHandler,
    Chunk,
    ListHandler,
    Name,
    Right,
    RowId,
    SheetCount,
    Status,
    contract,
    count_of,
    csv_form,
    csv_lines,
    encode,
    right,
    rowid_of,
)
from models import EventRow, Filters, Signal, feed, figures, totals
from schemas import answers, records
from trading import instants, statuses

VISITOR_LIMIT_WAITING = 20
QUICK = 100  # rows read and encoded on the event loop; longer lists go through the reader


class ShortLists:
    """Short lists as JSON, read anew after each event: the same few are asked for all day.

    The newest event's id stands for all that is committed, by any process, because ids become
    visible in their order (`database.Shared`); no change of a signal is without its event.
    """

    MOST = 50

    def __init__(self, last_event: Callable[[], int]):
        self._last_event = last_event
        self._event = 0
        self._lists: dict[tuple[Filters, int], bytes] = {}

    def read(self, filters: Filters, limit: int) -> bytes:
        """The newest signals that pass the filters."""
        event = self._last_event()
        if event != self._event or len(self._lists) == self.MOST:
            self._event, self._lists = event, {}
        if (filters, limit) not in self._lists:
            rows = Signal.newest(filters, schemas.SIGNAL_KEYS, limit)
            self._lists[filters, limit] = json_records(rows)
        return self._lists[filters, limit]


class SignalList(ListHandler):
    """/v3/signals/{n}: the newest signals that pass the query's filters."""

    list_key = "signals"

    @right(Right.POLL)
    @contract({200: [records.SignalRecord]}, query=schemas.SignalListQuery, csv=True)
    async def get(self, count: SheetCount) -> None:
        """List the newest signals."""
        await self.answer(count)

    async def answer(self, count: str, **fixed: str) -> None:
        """Answers a list, at once where it is short, in chunks where it is long."""
        wants_csv = self.wants_csv(count)
        asked = self.query(schemas.SignalListQuery, **fixed)
        filters = Filters(**asked.filters(**fixed))
        limit = self._limit(count_of(count.removesuffix(".csv")), asked.limit, filters)
        searches = filters.text or filters.since or filters.until
        if not wants_csv and 0 < limit <= QUICK and not searches:
            form = self.json_form()
            self.set_header("Content-Type", form.content_type)
            self.finish(form.head + self.application.short_lists.read(filters, limit) + form.tail)
            return
        form, render = (CSV, csv_lines) if wants_csv else (self.json_form(), json_records)
        reader = self.application.reader_for(filters)
        filters = await reader.run(Signal.bounded, filters)

        def chunk(before: int | None, wanted: int) -> Chunk:
            part = filters if before is None else replace(filters, before=before)
            rows = Signal.newest(part, schemas.SIGNAL_KEYS, wanted)
            return Chunk(rows[-1][0] if rows else 0, len(rows), render(rows))

        await self.stream(reader, chunk, limit, form)

    def _limit(self, count: int, wanted: str | None, filters: Filters) -> int:
        """How many rows to answer, 0 for all; visitors get a few."""
        limits = [count, count_of(wanted) if wanted else 0]
        if self.is_visitor:
            waiting = filters.status == statuses.WAITING
            limits.append(VISITOR_LIMIT_WAITING if waiting else VISITOR_LIMIT)
        return min((limit for limit in limits if limit), default=0)


def json_records(rows: list[tuple]) -> bytes:
    """Rows as JSON."""
    return encode([schemas.signal_record(row) for row in rows])


CSV = csv_form(schemas.SIGNAL_KEYS)


class SignalsByStatus(SignalList):
    """/v3/signals/status/{order_status}/{n}; waiting means all that the bridge may trade."""

    @right(Right.POLL)
    @contract({200: [records.SignalRecord]}, query=schemas.SignalListQuery, csv=True)
    async def get(self, status: Status, count: SheetCount) -> None:
        """List the newest signals of a status."""
        polls = self.request.method == "GET" and self.may_be_bridge
        if status == statuses.WAITING and polls:
            self.application.polls.note()
        await self.answer(count, status=status)


class SignalsByTicker(SignalList):
    """/v3/signals/ticker/{ticker}/{n}: a pair's signals, or a single stock's."""

    @right(Right.POLL)
    @contract({200: [records.SignalRecord]}, query=schemas.SignalListQuery, csv=True)
    async def get(self, ticker: Name, count: SheetCount) -> None:
        """List a pair's signals, or a single stock's."""
        await self.answer(count, ticker=ticker)


class OneSignal(BaseHandler):
    """/v3/signal/{rowid}."""

    @right(Right.POLL)
    @contract({200: records.SignalRecord}, refuses=(404,))
    async def get(self, rowid: RowId) -> None:
        """Read a signal."""
        self.reply(schemas.signal_of(Signal.find(rowid_of(rowid)).record()))

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, rowid: RowId) -> None:
        """Delete a signal."""
        await self.store(Signal.drop, rowid_of(rowid), self.source)
        self.reply({"message": "Item deleted"})


class SignalEvents(ListHandler):
    """/v3/signal/{rowid}/events: a signal's history, oldest first."""

    list_key = "events"

    @right(Right.TOKEN, scope="read")
    @contract({200: [records.EventRecord]}, refuses=(404,))
    async def get(self, rowid: RowId) -> None:
        """List a signal's history, oldest first."""
        self.reply_list(await self.application.reader.run(_history, rowid_of(rowid)))


def _history(rowid: int) -> list[dict[str, Any]]:
    events = EventRow.of("signal", str(rowid))
    if not events:
        Signal.find(rowid)
    return [schemas.event_record(event) for event in events]


class Events(ListHandler):
    """/v3/events?after=ID&limit=N: the feed of all changes, oldest first.

    `resync` where some that followed were pruned: who asks should read the lists anew.
    """

    list_key = "events"
    MOST = 1000

    @right(Right.TOKEN, scope="read")
    @contract({200: [records.EventRecord]}, query=schemas.EventsQuery, beside={"resync": True})
    async def get(self) -> None:
        """List what changed after an event, oldest first."""
        asked = self.query(schemas.EventsQuery)
        after = count_of(asked.after)
        limit = count_of(asked.limit) or self.MOST
        reader = self.application.reader
        events, pruned = await reader.run(feed, after, min(limit, self.MOST))
        records = [schemas.event_record(event) for event in events]
        self.reply({self.list_key: records, **({"resync": True} if pruned else {})})


class Totals(BaseHandler):
    """/v3/totals: counts by status, quantity and average slippage of the signals that match."""

    @right(Right.READ)
    @contract({200: answers.Totals}, query=schemas.SignalQuery)
    async def get(self) -> None:
        """Sum up the signals that match."""
        filters = Filters(**self.query(schemas.SignalQuery).filters())
        sums = await self.application.reader_for(filters, sums=True).run(totals, filters)
        self.reply({**sums, "quantity": schemas.plain(sums["quantity"])})


class Figures(BaseHandler):
    """/v3/figures?since=UTC: the dashboard's strip."""

    @right(Right.READ)
    @contract({200: answers.Figures}, query=schemas.FiguresQuery)
    async def get(self) -> None:
        """Tell the dashboard's figures."""
        since = self.query(schemas.FiguresQuery).since or instants.now()[:10]
        self.reply(await self.application.reader.run(figures, since))


routes = [
    (r"/v3/signals/status/([^/]+)/([^/]+)", SignalsByStatus),
    (r"/v3/signals/ticker/([^/]+)/([^/]+)", SignalsByTicker),
    (r"/v3/signals/([^/]+)", SignalList),
    (r"/v3/signal/([^/]+)/events", SignalEvents),
    (r"/v3/signal/([^/]+)", OneSignal),
    (r"/v3/events", Events),
    (r"/v3/totals", Totals),
    (r"/v3/figures", Figures),
]
