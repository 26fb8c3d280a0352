"""Lists as CSV (RFC 4180): times in UTC as ISO 8601, no cell that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable
from typing import Any, NamedTuple

import schemas

# The last four are the wide forms that some languages' spreadsheets take for the narrow ones.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Form(NamedTuple):
    """What stands around and between the parts of a list."""

    content_type: str
    head: bytes
    between: bytes
    tail: bytes


def csv_form(keys: Iterable[str]) -> Form:
    """A sheet with these columns."""
    head = (",".join(keys) + "\r\n").encode()
    return Form("text/csv; charset=utf-8; header=present", head, b"", b"")


def csv_lines(rows: list[tuple]) -> bytes:
    """Rows (rowid, timestamp, ...) as lines of a sheet."""
    lines = io.StringIO()
    csv.writer(lines).writerows([_cell(value) for value in row] for row in map(_utc_iso, rows))
    return lines.getvalue().encode()


def _utc_iso(row: tuple) -> tuple:
    rowid, timestamp, *rest = row
    return rowid, timestamp.replace(" ", "T") + "Z", *rest


def _cell(value: Any) -> Any:
    # Spreadsheets run cells that start like a formula; alert texts come from strangers.
    if isinstance(value, str) and value.startswith(_RUNS):
        return "'" + value
    return schemas.plain(value)
