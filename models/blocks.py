"""What is known of old signals without reading them: their sums, and which texts they hold.

A block is 1,000 rowids so far below the highest that no new signal can be among them. All blocks
below `Summed.until` are summed up, each alone and, from there, 4, 16 ... neighbours together. A
trigger notes the blocks in which a signal was changed or deleted since: of these, as of all that
is newer, the rows themselves are read. So what is kept here is either exactly right or not used,
and whoever stores an alert has nothing to do with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import peewee
from peewee import BigIntegerField, CharField, IntegerField

from database import Sum, proxy
from models.base import Base
from models.filters import Filters, conditions

BLOCK = 1000  # rowids; the trigger holds the same number
FAN = 4  # neighbours that are summed up together, and of these again, without end
LEVELS = 32  # more than rowids can have
GRAM = 3  # characters
ANY_TEXT = ""  # the gram of a block with more text than is worth looking at

Span = tuple[int, int | None]  # rowids: the first, and the one after the last (None: no end)
# Cases differ in no search; digits do, but numbers run through all of them.
_FOLDED = {ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_FOLDED |= dict.fromkeys(map(ord, "123456789"), "0")
_FOLDED |= dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")  # SQLite reads them so


class Summed(Base):
    """Its one row says how far signals are summed up."""

    id = IntegerField(primary_key=True)
    until = BigIntegerField()


class StaleBlock(Base):
    """A block below `Summed.until` that changed since; the trigger's table."""

    number = BigIntegerField(primary_key=True)


class BlockSum(Base):
    """The sums of a block's signals that are alike; see `place` for which block it is."""

    place = BigIntegerField(index=True)
    kind = CharField(6, null=True)
    leg1 = CharField(200, null=True)
    leg2 = CharField(200, null=True)
    status = CharField(40)
    action = CharField(4)
    count = BigIntegerField()
    contracts = Sum(null=True)
    slippage = Sum(null=True)
    slipped = BigIntegerField()

    class Meta:
        primary_key = False


class BlockGram(Base):
    """Three characters that follow each other in a text of a block; some may be there no more."""

    gram = CharField(GRAM)
    number = BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("gram", "number")


class Blocks(NamedTuple):
    """How far signals are summed up, and the blocks below that changed since, in their order."""

    until: int
    stale: list[int]

    @classmethod
    def now(cls) -> "Blocks":
        """As the running transaction sees it."""
        rows = proxy.execute_sql(
            "SELECT 'until', until FROM summed UNION ALL SELECT 'stale', number FROM stale_block"
        ).fetchall()
        until = sum(number for what, number in rows if what == "until")
        return cls(until, sorted(number for what, number in rows if what == "stale"))

    def gaps(self) -> Iterator[Span]:
        """Where the signals themselves have to be read, the newest first."""
        yield self.until, None
        yield from spans(self.stale)

    def places(self, text: str) -> Iterator[Span]:
        """Where a text can be, the newest first."""
        if not (wanted := grams(text)):
            yield 0, None
            return
        yield self.until, None
        yield from spans({*self.stale, *_holding(wanted)})

    def sums(self, filters: Filters) -> list[tuple]:
        """Rows as of `Signal.sums`, of all that lies in no gap; for filters by columns only."""
        runs = _between(self.stale, self.until // BLOCK)
        places = [place(*each) for first, before in runs for each in larger(first, before)]
        # Numbers of our own: as values they would take longer than the sums.
        inside = peewee.SQL(f"place IN ({', '.join(map(str, places))})" if places else "1 = 0")
        total, row = peewee.fn.SUM, BlockSum
        sums = (total(row.count), total(row.contracts), total(row.slippage), total(row.slipped))
        rows = row.select(row.status, row.action, *sums).where(inside)
        for condition in conditions(row, filters):
            rows = rows.where(condition)
        found = rows.group_by(row.status, row.action).tuples()
        return [(*group[:2], int(group[2]), *group[3:5], int(group[5])) for group in found]


def within(filters: Filters, places: Iterable[Span]) -> Iterator[Filters]:
    """The same filters for each of these places alone."""
    for first, before in places:
        first = max(first, filters.first or 0) or None
        before = min((end for end in (before, filters.before) if end is not None), default=None)
        if before is None or (first or 0) < before:
            yield replace(filters, first=first, before=before)


def grams(*texts: str) -> set[str]:
    """All that follow each other in these texts; what contains a text has all of its own."""
    folded = {text.translate(_FOLDED) for text in texts}
    return {text[n : n + GRAM] for text in folded for n in range(len(text) - GRAM + 1)}


def spans(numbers: Iterable[int]) -> list[Span]:
    """The rowids of these blocks, the newest first, neighbours as one."""
    found: list[Span] = []
    for number in sorted(numbers, reverse=True):
        first, before = number * BLOCK, (number + 1) * BLOCK
        if found and found[-1][0] == before:
            before = found.pop()[1]
        found.append((first, before))
    return found


def place(level: int, number: int) -> int:
    """One number for a block of 4**level small ones."""
    return number * LEVELS + level


def larger(low: int, high: int) -> Iterator[tuple[int, int]]:
    """The fewest blocks, as (level, number), that are the small ones from `low` to below `high`."""
    level = 0
    while low < high:
        inner_low, inner_high = -(-low // FAN), high // FAN
        if inner_low >= inner_high:
            inner_low = inner_high = high
            edges = range(low, high)
        else:
            edges = [*range(low, inner_low * FAN), *range(inner_high * FAN, high)]
        yield from ((level, number) for number in edges)
        low, high, level = inner_low, inner_high, level + 1


def _between(stale: list[int], end: int) -> Iterator[tuple[int, int]]:
    """The runs of blocks that are not stale."""
    for low, high in zip([-1, *stale], [*stale, end], strict=True):
        if low + 1 < high:
            yield low + 1, high


def _holding(wanted: set[str]) -> list[int]:
    """The blocks in which a text of these grams can be."""
    row = BlockGram
    rows = row.select(row.number).where(row.gram.in_([*wanted, ANY_TEXT])).group_by(row.number)
    has_all = peewee.fn.COUNT(row.gram) == len(wanted)
    rows = rows.having(has_all | (peewee.fn.MIN(row.gram) == ANY_TEXT))
    return [number for (number,) in rows.tuples()]
