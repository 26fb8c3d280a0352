"""Signals read back: one, the newest, by status or ticker, as JSON or CSV, and their figures."""

import csv
import io
from dataclasses import replace
from typing import Any

import orjson

import schemas
from handlers.base import BaseHandler, ListHandler, Right, count_of, right, rowid_of
from models import EventRow, Filters, Signal
from trading import instants, statuses

VISITOR_LIMIT = 5
VISITOR_LIMIT_WAITING = 20
QUICK = 100  # rows read and encoded on the event loop; longer lists go through the reader
CHUNK = 500
LONGEST_FILTER = 400  # characters


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


class SignalList(ListHandler):
    """/v3/signals/{n}: the newest signals that pass the query's filters."""

    list_key = "signals"

    @right(Right.READ)
    async def get(self, count: str) -> None:
        await self.answer(count)

    async def answer(self, count: str, **fixed: str) -> None:
        """Answers a list, at once where it is short, in chunks where it is long."""
        wants_csv = count.endswith(".csv") or "text/csv" in self.request.headers.get("Accept", "")
        filters = read_filters(self, **fixed)
        limit = self._limit(count_of(count.removesuffix(".csv")), filters)
        searches = filters.text or filters.since or filters.until
        if not wants_csv and 0 < limit <= QUICK and not searches:
            rows = Signal.newest(filters, schemas.SIGNAL_COLUMNS, limit)
            self.reply_list([schemas.signal_record(row) for row in rows])
            return
        render = _csv_chunk if wants_csv else _json_chunk
        await self._stream(filters, limit, render)

    def _limit(self, count: int, filters: Filters) -> int:
        """How many rows to answer, 0 for all; visitors get a few."""
        wanted = self.get_query_argument("limit", "")
        limits = [count, count_of(wanted) if wanted else 0]
        if self.identity is None:
            waiting = filters.status == statuses.WAITING
            limits.append(VISITOR_LIMIT_WAITING if waiting else VISITOR_LIMIT)
        return min((limit for limit in limits if limit), default=0)

    async def _stream(self, filters: Filters, limit: int, render) -> None:
        self.set_header("Content-Type", render.content_type)
        if render is _csv_chunk:
            self.set_header("Content-Disposition", 'attachment; filename="signals.csv"')
        self.write(render.head)
        filters = await self.application.reader.run(Signal.bounded, filters)
        left, lead = limit or float("inf"), b""
        while left > 0:
            size = int(min(CHUNK, left))
            before, count, data = await self.application.reader.run(_chunk, filters, size, render)
            if count:
                self.write(lead + data)
                await self.flush()
            if count < size:
                break
            filters, left, lead = replace(filters, before=before), left - count, render.between
        self.finish(render.tail)


def _chunk(filters: Filters, size: int, render) -> tuple[int, int, bytes]:
    """(the last rowid, how many, the encoded rows); runs on the reading thread."""
    rows = Signal.newest(filters, schemas.SIGNAL_COLUMNS, size)
    return (rows[-1][0] if rows else 0), len(rows), render(rows)


def _json_chunk(rows: list[tuple]) -> bytes:
    return orjson.dumps([schemas.signal_record(row) for row in rows])[1:-1]


_json_chunk.content_type = "application/json"
_json_chunk.head = b'{"signals":['
_json_chunk.between = b","
_json_chunk.tail = b"]}"


def _csv_chunk(rows: list[tuple]) -> bytes:
    lines = io.StringIO()
    csv.writer(lines).writerows([_cell(value) for value in row] for row in map(_utc_iso, rows))
    return lines.getvalue().encode()


_csv_chunk.content_type = "text/csv; charset=utf-8; header=present"
_csv_chunk.head = (",".join(schemas.SIGNAL_KEYS) + "\r\n").encode()
_csv_chunk.between = b""
_csv_chunk.tail = b""


def _utc_iso(row: tuple) -> tuple:
    rowid, timestamp, *rest = row
    return rowid, timestamp.replace(" ", "T") + "Z", *rest


def _cell(value: Any) -> Any:
    # Spreadsheets run cells that start like a formula; alert texts come from strangers.
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return schemas.plain(value)


class SignalsByStatus(SignalList):
    """/v3/signals/status/{order_status}/{n}; waiting means all that the bridge may trade."""

    @right(Right.READ)
    async def get(self, status: str, count: str) -> None:
        await self.answer(count, status=status)


class SignalsByTicker(SignalList):
    """/v3/signals/ticker/{name}/{n}: a pair's signals, or a single stock's."""

    @right(Right.READ)
    async def get(self, name: str, count: str) -> None:
        await self.answer(count, ticker=name)


class OneSignal(BaseHandler):
    """/v3/signal/{rowid}."""

    @right(Right.READ)
    async def get(self, rowid: str) -> None:
        self.reply(schemas.signal_of(Signal.find(rowid_of(rowid)).record()))

    @right(Right.ADMIN)
    async def delete(self, rowid: str) -> None:
        self.publish(await self.store(Signal.drop, rowid_of(rowid), self.source))
        self.reply({"message": "Item deleted"})


class SignalEvents(ListHandler):
    """/v3/signal/{rowid}/events: a signal's history, oldest first."""

    list_key = "events"

    @right(Right.TOKEN)
    async def get(self, rowid: str) -> None:
        events = EventRow.of("signal", str(rowid_of(rowid)))
        if not events:
            Signal.find(rowid_of(rowid))
        self.reply_list([schemas.event_record(event) for event in events])


class Events(ListHandler):
    """/v3/events?after=ID&limit=N: the feed of all changes, oldest first."""

    list_key = "events"
    MOST = 1000

    @right(Right.TOKEN)
    async def get(self) -> None:
        after = count_of(self.get_query_argument("after", "0"))
        limit = count_of(self.get_query_argument("limit", "100")) or self.MOST
        events = await self.application.reader.run(EventRow.after, after, min(limit, self.MOST))
        self.reply_list([schemas.event_record(event) for event in events])


class Totals(BaseHandler):
    """/v3/totals: counts by status, quantity and average slippage of the signals that match."""

    @right(Right.READ)
    async def get(self) -> None:
        self.reply(await self.application.reader.run(totals, read_filters(self)))


class Figures(BaseHandler):
    """/v3/figures?since=UTC: the dashboard's strip."""

    @right(Right.READ)
    async def get(self) -> None:
        since = read_filters(self).since or instants.now()[:10]
        self.reply(await self.application.reader.run(figures, since))


def totals(filters: Filters) -> dict[str, Any]:
    """The sums that go with a list."""
    groups = Signal.totals(filters)
    by_status: dict[str, int] = {}
    for status, _, count, *_ in groups:
        by_status[status] = by_status.get(status, 0) + count
    sides = {"all": ("buy", "sell"), "buy": ("buy",), "sell": ("sell",)}
    return {
        "count": sum(by_status.values()),
        "quantity": schemas.plain(sum(group[3] for group in groups)),
        "by_status": by_status,
        "average_slippage": {side: _average(groups, actions) for side, actions in sides.items()},
    }


def _average(groups: list[tuple], actions: tuple[str, ...]) -> float | None:
    chosen = [(total, number) for _, action, _, _, total, number in groups if action in actions]
    number = sum(number for _, number in chosen)
    return round(sum(total or 0 for total, _ in chosen) / number, 4) if number else None


def figures(since: str) -> dict[str, Any]:
    """What waits and is open now, and what happened since an instant."""
    recent = totals(Filters(since=since))
    counts = recent["by_status"]
    return {
        "waiting": Signal.count_offered(),
        "open": Signal.count_open(),
        "filled": counts.get(statuses.FILLED, 0),
        "canceled": counts.get(statuses.CANCELED, 0),
        "errors": counts.get(statuses.ERROR, 0) + counts.get(statuses.CRITICAL, 0),
        "average_slippage": recent["average_slippage"]["all"],
        "last_alert": Signal.last_alert(),
    }


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
