"""Lists, as JSON or CSV: how many rows, errors with the empty list, answers sent in parts."""

import asyncio
import csv
import io
import re
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import orjson
from tornado.web import RequestHandler

import models
from handlers.base import GZIP, LEAST_PACKED, LEVEL, BaseHandler
from handlers.errors import ApiError
from schemas.records import sheet_cell, sheet_row

VISITOR_LIMIT = 5  # signals that visitors see
PART = 200  # rows of a part; the event loop waits while Python renders them
HELD = 2**20  # bytes; a list that is not longer goes out whole
AFTER = "after must be the id of an event, a whole number"  # what a faulty one is told
MOST_ITEMS = 10**18  # more rows than any table holds


class Form(NamedTuple):
    """What stands around and between the parts of a list."""

    content_type: str
    head: bytes
    between: bytes
    tail: bytes


class ListHandler(BaseHandler):
    """A handler that answers lists; its errors carry the empty list too."""

    list_key = ""
    sheet = ""  # what a sheet is called, where not as the list

    def set_default_headers(self) -> None:
        super().set_default_headers()
        if self.verb == "get":
            self.set_header("Cache-Control", "private, no-cache")
            self.add_header("Vary", "Accept-Encoding")

    def compute_etag(self) -> str | None:
        return RequestHandler.compute_etag(self)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.problem.body[self.list_key] = []
        super().write_error(status_code, **kwargs)

    def reply_list(self, records: list[Any]) -> None:
        """Answers a short list under its key."""
        self.reply({self.list_key: records})

    def asked(self, count: str) -> tuple[int, bool]:
        """How many rows are asked for (0: all), and whether as a sheet (CSV); raises 400.

        A sheet is asked for by the end of the address, or by Accept.
        """
        is_sheet = count.endswith(".csv") or "text/csv" in self.request.headers.get("Accept", "")
        return count_of(count.removesuffix(".csv")), is_sheet

    async def reply_rows(
        self, page: Callable, record: Callable, limit: int, keys: Iterable[str] = (), size=PART
    ) -> None:
        """Answers up to `limit` rows (0: all) of `page(wanted, before)` as records.

        The answer is JSON, or a sheet with these keys as its columns.
        """

        def render(rows: list[Any]) -> bytes:
            records = [record(row) for row in rows]
            return csv_lines([each.values() for each in records]) if keys else encode(records)

        form = csv_form(keys) if keys else self.json_form()
        await self.stream(self.application.reader, page, render, limit, form, size)

    def reply_sheet(self, keys: Iterable[str], records: list[models.Record]) -> None:
        """Answers a short list as a sheet."""
        form, lines = csv_form(keys), io.StringIO()
        csv.writer(lines).writerows(sheet_row(keys, each) for each in records)
        self._name(form)
        self.finish(self.packed(form.head + lines.getvalue().encode()))

    def json_form(self) -> Form:
        """How this list looks as JSON."""
        return Form("application/json", f'{{"{self.list_key}":['.encode(), b",", b"]}")

    async def stream(
        self, reader: Any, page: Callable, render: Callable, limit: int, form: Form, size=PART
    ) -> None:
        """Answers up to `limit` rows (0: all), which the reader reads and renders in parts.

        `page(wanted, before)` returns rows before an id, `render(rows)` their bytes. A short list
        goes out whole and gets an ETag; a long one is never in memory as a whole.
        """
        self._name(form)
        packer = Packer(self.takes_gzip)
        part = partial(_part, page, render, form, packer)
        before, left, held, more = None, limit or float("inf"), 0, True
        while more:
            rows, data, more = await reader.run(part, int(min(size, left)), before, left)
            if before is None and packer.packs:
                self.set_header("Content-Encoding", "gzip")
            self.write(data)
            held += len(data)
            if more:
                before, left = _id_of(rows[-1]), left - len(rows)
                if held > HELD:
                    await self.flush()
                    if self.request.method == "HEAD":
                        break
        self.finish()

    def _name(self, form: Form) -> None:
        self.set_header("Content-Type", form.content_type)
        if form.content_type.startswith("text/csv"):
            name = f'attachment; filename="{self.sheet or self.list_key}.csv"'
            self.set_header("Content-Disposition", name)


class Packer:
    """Compresses an answer part by part, on the reader's thread, unless its first part is short."""

    def __init__(self, wanted: bool):
        self.packs = wanted
        self._gzip: Any = None

    def pack(self, data: bytes, more: bool) -> bytes:
        """What of the answer goes out after this part."""
        if self.packs and self._gzip is None:
            self.packs = len(data) >= LEAST_PACKED
            self._gzip = zlib.compressobj(LEVEL, wbits=GZIP)
        if not self.packs:
            return data
        return self._gzip.compress(data) + (b"" if more else self._gzip.flush())


def _part(
    page: Callable,
    render: Callable,
    form: Form,
    packer: Packer,
    wanted: int,
    before: int | None,
    left: float,
) -> tuple[list[Any], bytes, bool]:
    """The rows of a part, what goes out of them, and whether more follow."""
    rows = list(page(wanted, before))
    more = len(rows) == wanted < left
    lead = form.head if before is None else form.between if rows else b""
    data = lead + (render(rows) if rows else b"") + (b"" if more else form.tail)
    return rows, packer.pack(data, more), more


def _id_of(row: Any) -> int:
    return row[0] if isinstance(row, tuple) else row.get_id()


def encode(records: list[Any]) -> bytes:
    """Records as JSON, without the brackets around them."""
    return orjson.dumps(records)[1:-1]


def count_of(text: str, what: str = "the number of items must be a whole number, 0 for all") -> int:
    """The `{n}` of a list route: how many, 0 for all; raises 400 that says `what`."""
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise ApiError(400, what)
    return int(text) if len(text) <= 18 else MOST_ITEMS


def rowid_of(text: str) -> int:
    """A rowid from a path; raises Missing for what cannot be one."""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise models.Missing
    return int(text)


def csv_form(keys: Iterable[str]) -> Form:
    """A sheet (CSV, RFC 4180) with these columns."""
    head = (",".join(keys) + "\r\n").encode()
    return Form("text/csv; charset=utf-8; header=present", head, b"", b"")


def csv_lines(rows: Iterable[Iterable]) -> bytes:
    """Rows (rowid, timestamp, ...) as lines of a sheet; the timestamp becomes ISO 8601 in UTC."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    for rowid, timestamp, *rest in rows:
        writer.writerow((rowid, timestamp.replace(" ", "T") + "Z", *map(sheet_cell, rest)))
    return lines.getvalue().encode()


class Turn:
    """Answers of the database that requests share within one turn of the event loop.

    A handler begins in the turn after its request was read. So its request had arrived before
    anything was asked in this turn: it sees all that was committed before it arrived, as if it had
    asked alone. A handler that has awaited something must ask again.
    """

    def __init__(self):
        self._answers: dict[tuple, Any] = {}

    def ask(self, question: Callable[..., Any], *about: Any) -> Any:
        """What the function returns; it is called once in a turn."""
        key = (question, *about)
        if key not in self._answers:
            if not self._answers:
                asyncio.get_running_loop().call_soon(self._answers.clear)
            self._answers[key] = question(*about)
        return self._answers[key]

    def forget(self) -> None:
        """Forgets the answers: the rest of this turn asks again."""
        self._answers.clear()
