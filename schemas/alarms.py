"""Alarms on the wire."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from schemas.types import Id
from schemas.values import Body, Record, plain
from trading.alarms import ADVICE, MORE, TITLES

ALARM = (
    *("id", "kind", "subject", "what", "number", "since", "opened"),
    *("acknowledged", "acknowledged_by", "closed", "notified"),
)


class SeenForm(Body):
    """Alarms up to the id `last` have been seen."""

    EXAMPLE = {"last": 7}

    last: Id


def alarm_record(columns: Record) -> Record:
    """An alarm with what it means and what to do."""
    kind = columns["kind"]
    words = {"title": TITLES.get(kind, kind), "advice": ADVICE.get(kind, "")}
    return {name: plain(columns[name]) for name in ALARM} | words


def alarm_groups(rows: Iterable[Record]) -> list[dict]:
    """The alarms of each kind with their `count`, as a page shows them."""
    records = [alarm_record(columns) for columns in rows]
    groups = [list(those) for _, those in groupby(records, itemgetter("kind"))]
    return [{"alarms": each, "count": sum(map(_count, each))} for each in groups]


def _count(alarm: Record) -> int:
    return int(alarm["number"]) if alarm["subject"] == MORE else 1
