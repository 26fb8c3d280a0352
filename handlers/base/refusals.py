"""Refusals are counted in memory and written now and then, so that a flood makes few rows."""

from typing import Any

from network import neighbourhood
from trading import instants

MOST_KEYS = 500  # rows of a minute; what is beyond shares one for its kind


class Refusals:
    """The refusals since they were last taken, by kind and address."""

    def __init__(self):
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}

    def count(self, kind: str, address: str, who: str = "") -> None:
        """One more; `who` is a user's name, never what a stranger wrote."""
        key = (kind, neighbourhood(address))
        if key not in self._rows and len(self._rows) >= MOST_KEYS:
            key = (kind, "")
        row = self._rows.get(key)
        if row is None:
            fields = {"time": instants.now(), "kind": kind, "who": who, "address": key[1]}
            self._rows[key] = {**fields, "count": 1}
            return
        row["count"] += 1
        row["who"] = who if row["who"] == who else ""

    def take(self) -> list[dict[str, Any]]:
        """All rows; counting starts anew."""
        rows, self._rows = list(self._rows.values()), {}
        return rows
