"""Imports the rows of each table of the original, and keeps the report about them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import security
from commands.common import is_known
from database.opening import DatabaseRefused, proxy
from models import SEED, SIGNAL_KEYS, AccountRecord, Pair, Refused, Stock, User
from schemas.forms import with_twins
from schemas.values import BadFields
from services import access, events, registry
from services.original import (
    SOURCE,
    Takeover,
    is_another,
    original_account,
    original_pair,
    original_signal,
    original_stock,
    original_user,
)
from settings import DEMO_PASSWORD, DEMO_USERS
from trading import statuses

BATCH = 200  # rows that are stored in one transaction
SHOWN = 5  # rows that the report names for each change
LONGEST = 40  # characters of a value that the report shows
SHORTEST = 8  # characters of a password; the report asks to change a shorter one
LEGS = ("ticker_type", "stk_ticker1", "stk_ticker2", "hedge_param")
Row = Mapping[str, Any]


class Take:
    """Imports the rows of one table of the original, and keeps the report about them."""

    name = "rowid"  # the column that names a row in the report
    keys: Iterable[str] = ()  # the columns whose changes the report shows

    def __init__(self, table: str):
        self.table = table
        self.came = self.there = 0
        self.left: list[str] = []
        self.changed: dict[str, list[str]] = {}
        self.advice: list[str] = []  # what the owner should do

    def read(self, row: Row) -> Any:
        """Checks a row and returns what `store` needs. Raises BadFields."""
        raise NotImplementedError

    def store(self, row: Row, ready: Any) -> None:
        """Stores a row in the running transaction, or notes why it cannot be stored."""
        raise NotImplementedError

    def order(self, rows: Iterator[dict]) -> Iterator[dict]:
        """The rows in the order in which they are imported."""
        return rows

    def take_over(self, rows: Iterator[dict], told: Callable[[int], None]) -> None:
        """Imports all rows, and calls `told` with the number of rows after each transaction."""
        for batch in _batches(self.order(rows)):
            ready = []
            for row in batch:  # outside the transaction, because hashing takes long
                try:
                    ready.append((row, self.read(row)))
                except BadFields as bad:
                    self.note_left(row, bad.reasons)
            if ready:
                with proxy.atomic():
                    self.store_batch(ready)
            told(len(batch))

    def store_batch(self, batch: list[tuple[Row, Any]]) -> None:
        """Stores rows, each with what `read` returned, in the running transaction."""
        for row, ready in batch:
            self.store(row, ready)

    def note_left(self, row: Row, reason: dict[str, str] | str) -> None:
        """Notes that a row was not imported, and why."""
        if isinstance(reason, dict):
            reason = "; ".join(f"{key} {text}" for key, text in reason.items())
        reason = reason.strip().rstrip(".")
        self.left.append(f"  {self.table} {row.get(self.name)}: {reason}")

    def note_change(self, row: Row, change: str) -> None:
        """Notes a difference between the row in the original and the stored one."""
        self.changed.setdefault(change, []).append(str(row.get(self.name)))

    def note_came(self, row: Row, stored: Row) -> None:
        """Notes that a row was imported, and how it differs from the original."""
        self.came += 1
        for change in self.changes(row, stored):
            self.note_change(row, change)

    def changes(self, row: Row, stored: Row) -> Iterator[str]:
        """The differences between the row in the original and the stored one, in words."""
        return _compared(row, stored, self.keys)

    def lines(self) -> Iterator[str]:
        """The lines of the report about this table."""
        yield (
            f"{self.table}: {self.came:,} came, {self.there:,} already there, "
            f"{len(self.left):,} did not come"
        )
        yield from self.left
        for change, rows in self.changed.items():
            more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
            yield f"  changed, {change}: {', '.join(rows[:SHOWN])}{more}"


def _compared(row: Row, stored: Row, keys: Iterable[str], blank: str = "null") -> Iterator[str]:
    """The differences in these columns, in words; blank text was stored as `blank`."""
    for key in keys:
        before, after = row.get(key), stored.get(key)
        if before is None or before == after:
            continue
        if isinstance(before, str) and not before.strip():
            yield f"{key}: blank became {blank}"
        elif isinstance(before, str) and before.strip() == after:
            yield f"{key}: white space around it was cut"
        elif isinstance(before, str) and before[:19].replace("T", " ") == after:
            yield f"{key}: the fraction of a second was cut"
        else:
            yield f"{key}: {_short(before)} became {_short(after)}"


def _short(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _batches(rows: Iterable[dict]) -> Iterator[list[dict]]:
    """Yields lists of BATCH rows. Before it raises, it yields the rows that could be read."""
    batch: list[dict] = []
    try:
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except DatabaseRefused:
        yield batch
        raise
    yield batch


class _Signals(Take):
    keys = tuple(key for key in SIGNAL_KEYS if key not in LEGS)
    read = staticmethod(original_signal)
    moved = offered = 0  # signals with a new rowid; signals that the bridge will trade

    def order(self, rows: Iterator[dict]) -> Iterator[dict]:
        """Rows that keep their rowid come first, so that no other row gets it."""
        first, others = Takeover(), []
        for row in rows:
            if isinstance(row.get("rowid"), int) and first.keeps(row["rowid"]):
                yield row
            else:
                others.append(row)
        yield from others

    def take_over(self, rows: Iterator[dict], told: Callable[[int], None]) -> None:
        super().take_over(rows, told)
        if self.moved:
            self.advice.append(f"New rowids, for theirs were taken here: {self.moved:,} signals.")
        if self.offered:
            self.advice.append(
                f"Of the signals that came {self.offered:,} wait: the bridge will trade them. "
                "Cancel on the dashboard what it should not."
            )

    def store_batch(self, batch: list[tuple[Row, Any]]) -> None:
        takeover = Takeover()
        for row, columns in batch:
            rowid = columns["rowid"]
            if (stored := takeover.taken(rowid)) is None:
                self.moved += takeover.take(columns) != rowid
                self.offered += columns["order_status"] in statuses.OFFERED
                self.note_came(row, columns)
            elif is_another(stored, columns):
                self.note_left(row, "a signal of this rowid came from another database")
            else:
                self.there += 1
        takeover.settle()

    def changes(self, row: Row, stored: Row) -> Iterator[str]:
        given = with_twins(dict(row))
        if any((given.get(key) or None) != stored.get(key) for key in LEGS):
            yield "its legs were read anew from the ticker"
        yield from super().changes(given, stored)


class _Registered(Take):
    """Imports stocks or pairs, which the registry may refuse."""

    model: type[Stock] | type[Pair]
    register: Callable[[Row, str], Any]
    found_by = ""  # its name in the registry, as a format string
    switch = "active"  # the column that is set to 0 to pause it
    paused = ""  # the report's reason for pausing one that was active

    def store(self, row: Row, fields: dict) -> None:
        if is_known(self.model, self.found_by.format(**fields)):
            self.there += 1
            return
        refused = self._refusal(fields)
        if refused and fields.get(self.switch) and not self._refusal(fields | {self.switch: 0}):
            self.note_change(row, self.paused)
            refused = None
        if refused:
            self.note_left(row, refused)
        else:
            self.note_came(row, fields)

    def _refusal(self, fields: dict) -> dict[str, str] | str | None:
        """Registers it; returns the reason if the registry refuses it, else None."""
        try:
            self.register(fields, SOURCE)
        except Refused as refused:
            return refused.reason
        return None


class _Stocks(_Registered):
    name = "symbol"
    model = Stock
    register = staticmethod(registry.register_stock)
    found_by = "{symbol}"
    paused = "paused, for it is a leg of an active pair"
    read = staticmethod(original_stock)

    def changes(self, row: Row, stored: Row) -> Iterator[str]:
        keys = {key: key for key in Stock.EXAMPLE} if "xch" in row else SEED
        spelled = {key: stored.get(column) for key, column in keys.items()}
        return _compared(row, spelled, keys, "the default")


class _Pairs(_Registered):
    name = "name"
    model = Pair
    register = staticmethod(registry.register_pair)
    found_by = "{ticker1}-{ticker2}"
    switch = "status"
    paused = "paused, for a leg of it is active alone"
    keys = tuple(key for key in Pair.EXAMPLE if key != "name")

    def read(self, row: Row) -> dict:
        return original_pair(row, partial(is_known, Stock))


class _Users(Take):
    name = "username"

    def read(self, row: dict) -> tuple:
        """(the form, the password's hash)."""
        form = original_user(row)
        known = is_known(User, form.username)
        return form, "" if known else security.hash_password(form.password)

    def store(self, row: Row, ready: tuple) -> None:
        form, hashed = ready
        if is_known(User, form.username):
            self.there += 1
            return
        access.register_user(form.username, hashed, bool(form.admin))
        self.came += 1
        if form.username in DEMO_USERS and form.password == DEMO_PASSWORD:
            why = "the demo's password, with which production does not start"
        elif form.password == DEMO_PASSWORD or len(form.password) < SHORTEST:
            why = "a known or short password"
        else:
            return
        self.advice.append(
            f"{form.username} has {why}; "
            f"set another one: python server.py user passwd {form.username}"
        )


class _Account(Take):
    keys = tuple(key for key in AccountRecord.EXAMPLE if key != "rowid")
    read = staticmethod(original_account)

    def __init__(self, table: str):
        super().__init__(table)
        self._seen: Counter[tuple] = Counter()

    def store(self, row: Row, fields: dict) -> None:
        """Stores a record, unless as many equal ones are stored as the original has up to here."""
        alike = tuple(fields.items())
        self._seen[alike] += 1
        same = AccountRecord.timestamp == fields["timestamp"]
        stored = AccountRecord.select().where(same)
        like = sum(all(getattr(each, key) == value for key, value in alike) for each in stored)
        if like >= self._seen[alike]:
            self.there += 1
        else:
            events.add(AccountRecord, SOURCE, **fields)
            self.note_came(row, fields)


TAKES = {
    "signals": _Signals,
    "stocks": _Stocks,
    "tickers": _Stocks,
    "pairs": _Pairs,
    "users": _Users,
    "account": _Account,
}
