"""Alarms on the wire."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from schemas.types import Id
from schemas.values import Body, Record
from trading.alarms import ADVICE, TITLES

ALARM = (
    *("id", "kind", "subject", "what", "since", "opened"),
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
    return {name: columns[name] for name in ALARM} | words


def alarm_groups(rows: Iterable[Record]) -> list[list[Record]]:
    """Alarms of one kind after the other together, as a page shows them."""
    records = [alarm_record(columns) for columns in rows]
    return [list(those) for _, those in groupby(records, itemgetter("kind"))]
