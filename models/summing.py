"""Summing up blocks of old signals (see `models.blocks`), one at a time and only once asked for."""

import peewee
from peewee import fn

from database import total
from models.blocks import (
    ANY_TEXT,
    BLOCK,
    FAN,
    BlockGram,
    Blocks,
    BlockSum,
    StaleBlock,
    Summed,
    grams,
    place,
)
from models.filters import SEARCHED
from models.signals import Signal

NEWEST = 1000  # rowids that are left out: their signals change all the time
LONGEST = 1000  # characters; a block with a longer text, or with more of them, is always searched
MOST_TEXT = 100_000
MOST_GRAMS = 10_000  # of a block; storing more takes too long, and they find little
CHUNK = 500
_ALIKE = ("kind", "leg1", "leg2", "status", "action")


def summarise() -> bool:
    """Sums up one block that changed or became old; whether there was any.

    It looks before it writes, in a transaction that writes: any process may do it at any time.
    """
    blocks = Blocks.now()
    if blocks.stale:
        _sum_up(blocks.stale[0], blocks.until)
        StaleBlock.delete().where(StaleBlock.number == blocks.stale[0]).execute()
        return True
    number = _next(blocks.until)
    if number is None:
        return False
    until = (number + 1) * BLOCK
    if number * BLOCK > blocks.until > 0:  # there is a hole, and larger blocks may end in it
        _sum_larger(blocks.until // BLOCK - 1, until)
    _sum_up(number, until)
    row = Summed.insert(id=1, until=until)
    row.on_conflict(conflict_target=[Summed.id], update={Summed.until: until}).execute()
    return True


def summarise_all(database: peewee.Database) -> None:
    """Sums up all that can be."""
    with database.atomic():
        while summarise():
            pass


def _next(until: int) -> int | None:
    """The next block that has signals, where it is old enough."""
    first = Signal.select(fn.MIN(Signal.id)).where(Signal.id >= until).scalar()
    if first is None:
        return None
    number = first // BLOCK
    last = Signal.select(fn.MAX(Signal.id)).scalar()
    return number if (number + 1) * BLOCK <= last - NEWEST + 1 else None


def _sum_up(number: int, until: int) -> None:
    """A block's sums and texts, then the sums of the larger ones that it is in."""
    inside = Signal.id.between(number * BLOCK, (number + 1) * BLOCK - 1)
    _note_texts(number, inside)
    sums = (fn.COUNT(Signal.id), total(Signal.contracts), total(Signal.slippage))
    _store(place(0, number), Signal, inside, (*sums, fn.COUNT(Signal.slippage)))
    _sum_larger(number, until)


def _sum_larger(number: int, until: int) -> None:
    """The sums of the larger blocks around a small one, as far as they end below a rowid."""
    level, size = 1, FAN
    while (number // size + 1) * size * BLOCK <= until:
        first = number // size * FAN
        inside = BlockSum.place.in_([place(level - 1, n) for n in range(first, first + FAN)])
        summed = (BlockSum.count, BlockSum.contracts, BlockSum.slippage, BlockSum.slipped)
        _store(place(level, number // size), BlockSum, inside, tuple(map(fn.SUM, summed)))
        level, size = level + 1, size * FAN


def _store(where: int, model: type[peewee.Model], inside: peewee.Expression, sums: tuple) -> None:
    """Puts the sums of these rows in the place of a block's old ones."""
    BlockSum.delete().where(BlockSum.place == where).execute()
    alike = [getattr(model, name) for name in _ALIKE]
    rows = model.select(peewee.SQL(str(where)), *alike, *sums).where(inside).group_by(*alike)
    BlockSum.insert_from(rows, BlockSum._meta.sorted_fields).execute()


def _note_texts(number: int, inside: peewee.Expression) -> None:
    """Adds to what is known of a block's texts: what is no longer in them does no harm."""
    columns = (fn.SUBSTR(getattr(Signal, name), 1, LONGEST, coerce=False) for name in SEARCHED)
    rows = Signal.select(*columns).where(inside).tuples()
    texts = {text for row in rows for text in row if text}
    is_long = sum(map(len, texts)) >= MOST_TEXT or max(map(len, texts), default=0) >= LONGEST
    found = set() if is_long else grams(*texts)
    if is_long or len(found) > MOST_GRAMS:
        found = {ANY_TEXT}
    for part in peewee.chunked([(gram, number) for gram in found], CHUNK):
        rows = BlockGram.insert_many(part, fields=[BlockGram.gram, BlockGram.number])
        rows.on_conflict_ignore().execute()
