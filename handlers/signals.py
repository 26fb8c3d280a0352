"""Signals read back: one, the newest, by status or ticker, as JSON or CSV, and their figures."""

from dataclasses import replace
from typing import Any

import schemas
from handlers.base import (
    LONGEST_FILTER,
    VISITOR_LIMIT,
    BaseHandler,
    Chunk,
    ListHandler,
    Right,
    count_of,
    csv_form,
    csv_lines,
    encode,
    right,
    rowid_of,
)
from models import EventRow, Filters, Signal, feed, figures, totals
from trading import instants, statuses

VISITOR_LIMIT_WAITING = 20
QUICK = 100  # rows read and encoded on the event loop; longer lists go through the reader


def read_filters(handler: BaseHandler, **fixed: str) -> Filters:
    """The filters of the query string, and those that the path fixes; raises BadFields."""
    given = {name: handler.get_query_argument(name, "").strip() for name in _FILTERS} | fixed
    values: dict[str, Any] = {}
    bad: dict[str, str] = {}
    for name, text in given.items():
        if text:
            column, read = _FILTERS[name]
            try:
                values[column] = read(short(text))
            except ValueError as error:
                bad[name] = str(error)
    if bad:
        raise schemas.BadFields(bad)
    return Filters(**values)


def short(text: str) -> str:
    """The text, unless it is longer than any filter; raises ValueError."""
    if len(text) > LONGEST_FILTER:
        raise ValueError(f"must have at most {LONGEST_FILTER} characters")
    return text


def _kind(text: str) -> str:
    if text not in ("single", "pair"):
        raise ValueError("must be single or pair")
    return text


def _rowid(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError("must be a rowid")
    return int(text)


_FILTERS = {
    "status": ("status", str),
    "ticker": ("name", str),
    "type": ("kind", _kind),
    "since": ("since", lambda text: instants.parse_bound(text, last=False)),
    "until": ("until", lambda text: instants.parse_bound(text, last=True)),
    "q": ("text", str),
    "before": ("before", _rowid),
}


class ShortLists:
    """Short lists as JSON, read anew after each event: the same few are asked for all day.

    The newest event's id stands for all that is committed, by any process, because ids become
    visible in their order (`database.Shared`); no change of a signal is without its event.
    """

    MOST = 50

    def __init__(self):
        self._event = 0
        self._lists: dict[tuple[Filters, int], bytes] = {}

    def read(self, filters: Filters, limit: int) -> bytes:
        """The newest signals that pass the filters."""
        event = EventRow.last_id()
        if event != self._event or len(self._lists) == self.MOST:
            self._event, self._lists = event, {}
        if (filters, limit) not in self._lists:
            rows = Signal.newest(filters, schemas.SIGNAL_COLUMNS, limit)
            self._lists[filters, limit] = json_records(rows)
        return self._lists[filters, limit]


class SignalList(ListHandler):
    """/v3/signals/{n}: the newest signals that pass the query's filters."""

    list_key = "signals"

    @right(Right.POLL)
    async def get(self, count: str) -> None:
        await self.answer(count)

    async def answer(self, count: str, **fixed: str) -> None:
        """Answers a list, at once where it is short, in chunks where it is long."""
        wants_csv = self.wants_csv(count)
        filters = read_filters(self, **fixed)
        limit = self._limit(count_of(count.removesuffix(".csv")), filters)
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
            rows = Signal.newest(part, schemas.SIGNAL_COLUMNS, wanted)
            return Chunk(rows[-1][0] if rows else 0, len(rows), render(rows))

        await self.stream(reader, chunk, limit, form)

    def _limit(self, count: int, filters: Filters) -> int:
        """How many rows to answer, 0 for all; visitors get a few."""
        wanted = self.get_query_argument("limit", "")
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
    async def get(self, status: str, count: str) -> None:
        if status == statuses.WAITING and self.may_be_bridge:
            self.application.polls.note()
        await self.answer(count, status=status)


class SignalsByTicker(SignalList):
    """/v3/signals/ticker/{name}/{n}: a pair's signals, or a single stock's."""

    @right(Right.POLL)
    async def get(self, name: str, count: str) -> None:
        await self.answer(count, ticker=name)


class OneSignal(BaseHandler):
    """/v3/signal/{rowid}."""

    @right(Right.POLL)
    async def get(self, rowid: str) -> None:
        self.reply(schemas.signal_of(Signal.find(rowid_of(rowid)).record()))

    @right(Right.ADMIN, scope="admin")
    async def delete(self, rowid: str) -> None:
        self.publish(await self.store(Signal.drop, rowid_of(rowid), self.source))
        self.reply({"message": "Item deleted"})


class SignalEvents(ListHandler):
    """/v3/signal/{rowid}/events: a signal's history, oldest first."""

    list_key = "events"

    @right(Right.TOKEN, scope="read")
    async def get(self, rowid: str) -> None:
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
    async def get(self) -> None:
        after = count_of(self.get_query_argument("after", "0"))
        limit = count_of(self.get_query_argument("limit", "100")) or self.MOST
        reader = self.application.reader
        events, pruned = await reader.run(feed, after, min(limit, self.MOST))
        records = [schemas.event_record(event) for event in events]
        self.reply({self.list_key: records, **({"resync": True} if pruned else {})})


class Totals(BaseHandler):
    """/v3/totals: counts by status, quantity and average slippage of the signals that match."""

    @right(Right.READ)
    async def get(self) -> None:
        filters = read_filters(self)
        sums = await self.application.reader_for(filters, sums=True).run(totals, filters)
        self.reply({**sums, "quantity": schemas.plain(sums["quantity"])})


class Figures(BaseHandler):
    """/v3/figures?since=UTC: the dashboard's strip."""

    @right(Right.READ)
    async def get(self) -> None:
        since = read_filters(self).since or instants.now()[:10]
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
