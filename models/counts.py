"""Counts that are kept up to date by what has changed, for those who ask every few seconds."""

import time
from collections import Counter

from database import snapshot
from models.base import EventRow
from models.signals import Signal

MOST_EVENTS = 2000  # beyond these a new count is cheaper
HOLDS = 600.0  # seconds until all is counted anew: an import or a restore makes no events


class StatusCounts:
    """How many signals there are of each status; for one thread."""

    def __init__(self):
        self._counts: Counter[str] = Counter()
        self._reached = 0
        self._counted = -HOLDS

    def read(self) -> dict[str, int]:
        """{status: how many}."""
        with snapshot(EventRow._meta.database):
            last = EventRow.last_id()
            old = time.monotonic() - self._counted > HOLDS
            if old or last - self._reached > MOST_EVENTS:
                self._counts = Counter(dict(Signal.count_by_status()))
                self._counted = time.monotonic()
            else:
                self._follow()
            self._reached = last
        return dict(self._counts)

    def _follow(self) -> None:
        for row in EventRow.after(self._reached, MOST_EVENTS):
            if row.type.startswith("signal."):
                before, after = row.changed.get("status", (None, None))
                self._counts[before] -= 1
                self._counts[after] += 1
        self._counts.pop(None, None)
