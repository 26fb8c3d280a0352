"""Lists: how many, errors with the empty list, and answers too long for memory."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from tornado.web import RequestHandler

import models
from handlers.base.errors import ApiError
from handlers.base.handler import BaseHandler
from handlers.base.sheets import Form, csv_lines

VISITOR_LIMIT = 5  # signals that visitors see
PART = 200  # rows; the event loop waits for Python while these are made
HELD = 2**20  # bytes of a list that are kept until its end, so that it goes out whole
MOST_ITEMS = 10**18  # more rows than any table holds


class ListHandler(BaseHandler):
    """A handler that answers lists; its errors carry the empty list too."""

    list_key = ""
    sheet = ""  # what a sheet is called, where not as the list

    def set_default_headers(self) -> None:
        super().set_default_headers()
        if self.verb == "get":
            self.set_header("Cache-Control", "private, no-cache")

    def compute_etag(self) -> str | None:
        return RequestHandler.compute_etag(self)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.problem.body[self.list_key] = []
        super().write_error(status_code, **kwargs)

    def reply_list(self, records: list[Any]) -> None:
        """Answers a short list under its key."""
        self.reply({self.list_key: records})

    async def reply_rows(
        self, page: Callable, record: Callable, count: int, size=PART, form: Form | None = None
    ) -> None:
        """Answers the rows of `page(limit, before)` as records, however many there are.

        As a sheet where its form is given, else as JSON.
        """

        def chunk(before: int | None, wanted: int) -> Chunk:
            rows = list(page(wanted, before))
            records = [record(row) for row in rows]
            data = csv_lines([tuple(r.values()) for r in records]) if form else encode(records)
            return Chunk(rows[-1].get_id() if rows else 0, len(rows), data)

        reader = self.application.reader
        await self.stream(reader, chunk, count, form or self.json_form(), size)

    def wants_csv(self, count: str) -> bool:
        """Whether a sheet is asked for, by the end of the address or by Accept."""
        return count.endswith(".csv") or "text/csv" in self.request.headers.get("Accept", "")

    def json_form(self) -> Form:
        """How this list looks as JSON."""
        return Form("application/json", f'{{"{self.list_key}":['.encode(), b",", b"]}")

    async def stream(self, reader: Any, chunk: Callable, limit: int, form: Form, size=PART) -> None:
        """Answers up to `limit` rows (0: all) that `chunk(before, wanted)` reads in the reader.

        A short list goes out whole and gets an ETag; a long one never stands in memory.
        """
        self.set_header("Content-Type", form.content_type)
        if form.content_type.startswith("text/csv"):
            name = f'attachment; filename="{self.sheet or self.list_key}.csv"'
            self.set_header("Content-Disposition", name)
        self.write(form.head)
        before, left, lead, held = None, limit or float("inf"), b"", 0
        while left > 0:
            wanted = int(min(size, left))
            part = await reader.run(chunk, before, wanted)
            if part.count:
                self.write(lead + part.data)
            if part.count < wanted:
                break
            before, left, lead = part.last, left - part.count, form.between
            held += len(part.data)
            if left > 0 and held > HELD:
                await self.flush()
                if self.request.method == "HEAD":
                    break
        self.finish(form.tail)


class Chunk(NamedTuple):
    """A part of a list: its last rowid, how many rows, and these encoded."""

    last: int
    count: int
    data: bytes


def encode(records: list[Any]) -> bytes:
    """Records as JSON, without the brackets around them."""
    return orjson.dumps(records)[1:-1]


def count_of(text: str) -> int:
    """The `{n}` of a list route: how many, 0 for all; raises 400."""
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise ApiError(400, "the number of items must be a whole number, 0 for all")
    return int(text) if len(text) <= 18 else MOST_ITEMS


def rowid_of(text: str) -> int:
    """A rowid from a path; what cannot be one is not there."""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise models.Missing
    return int(text)
