"""Alerts that did not arrive: the next alert of their ticker starts from another position."""

from typing import NamedTuple

from trading.alarms import Case, size_words
from trading.alerts import near


class Alert(NamedTuple):
    """An alert's strategy positions before and after it, signed; None where it has none.

    `by_owner`: a person resubmitted it, perhaps long after its time; `overtaken`: a later alert
    arrived before it.
    """

    rowid: int
    name: str
    before: float | None
    after: float | None
    by_owner: bool = False
    overtaken: bool = False


class Strategy(NamedTuple):
    """What the alerts of one ticker have told so far.

    `last` is the newest move (before, after) and `rowid` its alert's; `at` are the positions that
    the next one may start from, the last one first; `gap` is a jump (from, to) that no alert has
    explained, with the rowid of the alert that showed it.
    """

    last: tuple[float, float]
    at: tuple[float, ...]
    rowid: int
    gap: tuple[float, float, int] | None = None


def follow(known: Strategy | None, alert: Alert) -> tuple[Strategy | None, Case | int | None]:
    """The strategy after an alert; with it a missed alert, or the rowid of one that was found.

    An alert that comes twice explains itself. One that was overtaken by the next fills the gap
    which that one had shown.
    """
    if alert.before is None or alert.after is None:
        return known, None
    move = (alert.before, alert.after)
    after = Strategy(move, (alert.after,), alert.rowid)
    if known is None:
        return after, None
    if known.gap and _same(move, known.gap[:2]):
        return known._replace(gap=None), known.gap[2]
    if alert.overtaken:
        return known._replace(gap=_narrowed(known.gap, move)), None
    if alert.by_owner:
        return known._replace(at=(*known.at, alert.after)), None
    if _same(move, known.last):
        return known, None
    if any(near(alert.before, each) for each in known.at):
        return after, None
    told = known.at[0]
    what = (
        f"{alert.name}: signal {alert.rowid} starts from {size_words(alert.before)}, "
        f"but signal {known.rowid} before it ended at {size_words(told)}."
    )
    gap = (told, alert.before, alert.rowid)
    return after._replace(gap=gap), Case("missed", str(alert.rowid), 0.0, what)


def _narrowed(
    gap: tuple[float, float, int] | None, move: tuple[float, float]
) -> tuple[float, float, int] | None:
    """What remains of a gap after an alert that fills one end of it."""
    if gap and near(gap[0], move[0]):
        return (move[1], gap[1], gap[2])
    if gap and near(gap[1], move[1]):
        return (gap[0], move[0], gap[2])
    return gap


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(near(a, b) for a, b in zip(one, other, strict=True))
