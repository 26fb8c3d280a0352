"""Signals read back: one, the newest, by status or ticker, as JSON or CSV, and their figures."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice

from handlers.base import BaseHandler
from handlers.contract import Name, Right, RowId, SheetCount, Status, contract, right
from handlers.lists import (
    AFTER,
    VISITOR_LIMIT,
    ListHandler,
    count_of,
    csv_form,
    csv_lines,
    encode,
    rowid_of,
)
from handlers.page import in_zone
from models import SIGNAL_KEYS, Signal, Stock, signal_record
from schemas import answers
from schemas.records import event_record
from schemas.requests import EventsQuery, FiguresQuery, SignalListQuery, SignalQuery
from schemas.values import BadFields
from services import events, search, signals
from services.search import Filters, totals
from trading import instants, statuses
from trading.fills import plain

VISITOR_LIMIT_WAITING = 20
LONGEST_PART = 40  # characters of a filter in the name of a sheet
FILLED = ("filled_qty1", "filled_qty2")
SHEET = (*SIGNAL_KEYS, *FILLED, "slip_money", "currency")
PACKED = 8 * 1024  # bytes; a shorter list on the quick way costs less than its compression
QUICK = 100  # rows read and encoded on the event loop; longer lists go through the reader


class ShortLists:
    """Short lists of signals as JSON, kept until the next event: the same few are asked for often.

    Every change of a signal writes an event, and events become visible in the order of their ids.
    So a list is right for as long as the newest event has the same id, whichever process writes;
    but a signal may expire, so it is read again in the next second.
    """

    MOST = 50

    def __init__(self, last_event: Callable[[], int]):
        self._last_event = last_event
        self._seen = (0, "")
        self._lists: dict[tuple[Filters, int], bytes] = {}

    def read(self, filters: Filters, limit: int) -> bytes:
        """The newest signals that pass the filters."""
        seen = self._last_event(), instants.now()
        if seen != self._seen or len(self._lists) == self.MOST:
            self._seen, self._lists = seen, {}
        if (filters, limit) not in self._lists:
            rows = search.newest(filters, SIGNAL_KEYS, limit)
            self._lists[filters, limit] = json_records(rows)
        return self._lists[filters, limit]


class SignalList(ListHandler):
    """/v3/signals/{n}: the newest signals that pass the query's filters."""

    list_key = "signals"

    @right(Right.POLL)
    @contract({200: [answers.SignalRecord]}, query=SignalListQuery, csv=SHEET)
    async def get(self, count: SheetCount) -> None:
        """List the newest signals."""
        await self.answer(count)

    async def answer(self, count: str, **fixed: str) -> None:
        """Answers a list, at once where it is short, in parts where it is long."""
        asked = self.query(SignalListQuery, **fixed)
        if asked.sort and asked.before is not None:
            raise BadFields({"before": "goes with no sort; use offset"})
        filters = Filters(**asked.filters(**fixed))
        number, is_sheet = self.asked(count)
        limit = self._limit(number, asked.limit, filters)
        searches = filters.text or filters.since or filters.until or asked.sort or asked.offset
        if not is_sheet and 0 < limit <= QUICK and not searches:
            form = self.json_form()
            rows = self.application.short_lists.read(filters, limit)
            self._reply_short(filters, form.head + rows + form.tail)
            return
        await self._stream(asked, filters, limit, is_sheet)

    def _reply_short(self, filters: Filters, data: bytes) -> None:
        """Answers a short list, compressed from PACKED bytes on; the bridge's polls never are."""
        self.set_header("Content-Type", "application/json")
        polled = filters.status == statuses.WAITING
        self.finish(data if polled or len(data) < PACKED else self.packed(data))

    async def _stream(
        self, asked: SignalListQuery, filters: Filters, limit: int, is_sheet: bool
    ) -> None:
        is_sorted = bool(asked.sort or asked.offset)
        reader = self.application.reader_for(filters, sums=is_sorted)
        columns, form, render = SIGNAL_KEYS, self.json_form(), json_records
        if is_sheet:
            self.sheet = sheet_name(
                filters, self._day(filters.since, "since"), self._day(filters.until, "until")
            )
            currencies = await reader.run(Stock.currencies)
            columns, form = SIGNAL_KEYS + FILLED, csv_form(SHEET)
            render = partial(sheet_lines, currencies)
        if is_sorted:
            order = asked.sort or "-rowid", limit, asked.offset or 0
            page = pages_of(await reader.run(search.sorted_ids, filters, *order), columns)
        else:
            page = newest_pages(await reader.run(search.bounded, filters), columns)
        await self.stream(reader, page, render, limit, form)

    def _day(self, bound: str, name: str) -> str:
        """The day of a bound in the query, as its sender sees it; "" for none."""
        text = self.get_query_argument(name, "").strip()
        if not bound or instants.is_day(text):
            return text
        return in_zone(bound, self.zone)[:10]

    def _limit(self, count: int, wanted: str | None, filters: Filters) -> int:
        """How many rows to answer, 0 for all; visitors get a few."""
        limits = [count, count_of(wanted) if wanted else 0]
        if self.is_visitor:
            waiting = filters.status == statuses.WAITING
            limits.append(VISITOR_LIMIT_WAITING if waiting else VISITOR_LIMIT)
        return min((limit for limit in limits if limit), default=0)


def newest_pages(filters: Filters, columns: tuple[str, ...]) -> Callable:
    """What reads the parts of a list, the newest first."""

    def page(wanted: int, before: int | None) -> list[tuple]:
        rest = filters if before is None else replace(filters, before=before)
        return search.newest(rest, columns, wanted)

    return page


def pages_of(rowids: list[int], columns: tuple[str, ...]) -> Callable:
    """What reads the parts of a list of these signals, without those that are gone by then."""
    left = iter(rowids)

    def page(wanted: int, before: int | None) -> list[tuple]:
        rows: list[tuple] = []
        while some := list(islice(left, wanted - len(rows))):
            rows += search.of_ids(some, columns)
        return rows

    return page


def sheet_lines(currencies: dict[str, str], rows: list[tuple]) -> bytes:
    """Rows of SIGNAL_KEYS and FILLED as lines of a sheet."""

    def line(row: tuple) -> tuple:
        signal = dict(zip(SIGNAL_KEYS, row, strict=False))
        slip, leg1 = signal["slip"], signal["stk_ticker1"]
        money = None if slip is None else round(slip * signal["order_contracts"], 4)
        return *row, money, leg1 and currencies.get(leg1, "USD")

    return csv_lines(map(line, rows))


def sheet_name(filters: Filters, since: str, until: str) -> str:
    """The name of a sheet: what was asked for, in safe characters."""
    asked = (filters.name, filters.kind, filters.status, filters.text)
    parts = [re.sub(r"[^A-Za-z0-9.]+", "-", part or "")[:LONGEST_PART] for part in asked]
    days = [since if until else since and f"from-{since}", until and f"to-{until}"]
    return "-".join(filter(None, ("signals", *(part.strip("-.") for part in parts), *days)))


def json_records(rows: list[tuple]) -> bytes:
    """Rows as JSON."""
    return encode([signal_record(row) for row in rows])


class SignalsByStatus(SignalList):
    """/v3/signals/status/{order_status}/{n}; waiting means all that the bridge may trade."""

    @right(Right.POLL)
    @contract({200: [answers.SignalRecord]}, query=SignalListQuery, csv=SHEET)
    async def get(self, status: Status, count: SheetCount) -> None:
        """List the newest signals of a status."""
        polls = self.request.method == "GET" and self.may_be_bridge
        if status == statuses.WAITING and polls:
            self.application.polls.note()
        await self.answer(count, status=status)


class SignalsByTicker(SignalList):
    """/v3/signals/ticker/{ticker}/{n}: a pair's signals, or a single stock's."""

    @right(Right.POLL)
    @contract({200: [answers.SignalRecord]}, query=SignalListQuery, csv=SHEET)
    async def get(self, ticker: Name, count: SheetCount) -> None:
        """List a pair's signals, or a single stock's."""
        await self.answer(count, ticker=ticker)


class OneSignal(BaseHandler):
    """/v3/signal/{rowid}: GET reads a signal, DELETE deletes it."""

    @right(Right.POLL)
    @contract({200: answers.SignalRecord}, refuses=(404,))
    async def get(self, rowid: RowId) -> None:
        """Read a signal."""
        self.reply(Signal.find(rowid_of(rowid)).record())

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, rowid: RowId) -> None:
        """Delete a signal."""
        await self.store(signals.delete, rowid_of(rowid), self.source)
        self.reply({"message": "Item deleted"})


class SignalEvents(ListHandler):
    """/v3/signal/{rowid}/events: a signal's history, oldest first."""

    list_key = "events"

    @right(Right.TOKEN, scope="read")
    @contract({200: [answers.EventRecord]}, refuses=(404,))
    async def get(self, rowid: RowId) -> None:
        """List a signal's history, oldest first."""
        history = await self.application.reader.run(signals.history, rowid_of(rowid))
        self.reply_list([event_record(event) for event in history])


class Events(ListHandler):
    """/v3/events?after=ID&limit=N: the feed of all changes, oldest first.

    `resync` says that some of them were pruned: the caller must read the lists again.
    """

    list_key = "events"
    MOST = 1000

    @right(Right.TOKEN, scope="read")
    @contract({200: [answers.EventRecord]}, query=EventsQuery, beside={"resync": True})
    async def get(self) -> None:
        """List what changed after an event, oldest first."""
        asked = self.query(EventsQuery)
        after = count_of(asked.after, AFTER)
        limit = count_of(asked.limit) or self.MOST
        most, reader = min(limit, self.MOST), self.application.reader
        found, is_pruned = await reader.run(events.following, after, most)
        resync = {"resync": True} if is_pruned else {}
        self.reply({"events": [event_record(event) for event in found], **resync})


class Totals(BaseHandler):
    """/v3/totals: counts by status, quantity and average slippage of the signals that match."""

    @right(Right.READ)
    @contract({200: answers.Totals}, query=SignalQuery)
    async def get(self) -> None:
        """Sum up the signals that match."""
        filters = Filters(**self.query(SignalQuery).filters())
        sums = await self.application.reader_for(filters, sums=True).run(totals, filters)
        self.reply({**sums, "quantity": plain(sums["quantity"])})


class Figures(BaseHandler):
    """/v3/figures?since=UTC: the dashboard's strip."""

    @right(Right.READ)
    @contract({200: answers.Figures}, query=FiguresQuery)
    async def get(self) -> None:
        """Tell the dashboard's figures."""
        since = self.query(FiguresQuery).since or instants.now()[:10]
        self.reply(await self.application.reader.run(self.application.strip.figures, since))


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
