"""What an import changes in a row on its way, in words."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from models.records import ACCOUNT, PAIR, SEED, SIGNAL_KEYS, TICKER
from schemas.signals import with_twins

LEGS = ("ticker_type", "stk_ticker1", "stk_ticker2", "hedge_param")
LONGEST = 40  # letters of a value that is shown
Row = Mapping[str, Any]


def of_signal(row: Row, columns: Row) -> Iterator[str]:
    """Of a row of `signals` in any release's spelling, and the columns it became."""
    given = with_twins(dict(row))
    if any((given.get(key) or None) != columns.get(key) for key in LEGS):
        yield "its legs were read anew from the ticker"
    yield from _changes(given, columns, _same(key for key in SIGNAL_KEYS if key not in LEGS))


def of_stock(row: Row, columns: Row) -> Iterator[str]:
    """Of a row of `stocks` or `tickers`."""
    return _changes(row, columns, _same(TICKER) if "xch" in row else SEED, "the default")


def of_pair(row: Row, columns: Row) -> Iterator[str]:
    """Of a row of `pairs`."""
    return _changes(row, columns, _same(key for key in PAIR if key != "name"))


def of_account(row: Row, columns: Row) -> Iterator[str]:
    """Of a row of `account`."""
    return _changes(row, columns, _same(key for key in ACCOUNT if key != "rowid"))


def _same(keys: Iterable[str]) -> dict[str, str]:
    return {key: key for key in keys}


def _changes(
    row: Row, columns: Row, fields: Mapping[str, str], blank: str = "null"
) -> Iterator[str]:
    for key, column in fields.items():
        before, after = row.get(key), columns.get(column)
        if before is None or before == after:
            continue
        was_blank = isinstance(before, str) and not before.strip()
        yield f"{key}: " + (f"blank became {blank}" if was_blank else _told(before, after))


def _told(before: Any, after: Any) -> str:
    if isinstance(before, str) and isinstance(after, str) and before.strip() == after:
        return "white space around it was cut"
    if _is_instant(before, after):
        return "the fraction of a second was cut"
    return f"{_short(before)} became {_short(after)}"


def _is_instant(before: Any, after: Any) -> bool:
    return isinstance(before, str) and before[:19].replace("T", " ") == after != before


def _short(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
