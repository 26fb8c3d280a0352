"""Compare two alerts: is one a repeat of the other, or has it been overtaken by it?"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from trading import instants
from trading.statuses import OVERTAKEN

SAME_BAR = 300  # seconds between the arrivals of two alerts that may have been swapped
SYNC = "created due to sync"  # the message of signals that the bridge itself made
SYNC_COMMENT = " due to sync"
_OVERTAKEN = re.compile(rf"{OVERTAKEN}(\d+)", re.ASCII)
_TOLD = (
    *("ticker", "order_action", "order_contracts", "order_price"),
    *("mar_pos", "mar_pos_size", "pre_mar_pos", "pre_mar_pos_size"),
)


def fingerprint(row: Mapping[str, Any]) -> str:
    """A hash of what an alert and its repeats have in common.

    That is the ticker, the action, the size, the price and the positions.
    """
    told = json.dumps([row[name] for name in _TOLD])
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def signed(position: str | None, size: float) -> float | None:
    """A position's size, below 0 where it is short; None where there is no position."""
    return {"long": size, "short": -size, "flat": 0.0}.get(position or "")


def near(one: float | None, other: float | None) -> bool:
    """Whether two positions are the same; one that is not known is never the same."""
    if one is None or other is None:
        return False
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


class Move(NamedTuple):
    """A strategy's signed positions before and after an alert, and the alert's two times.

    `alert_time` is when it fired, None where it does not say; `timestamp` is when it came. `price`
    is the price on the chart.
    """

    rowid: int
    before: float | None
    after: float | None
    alert_time: str | None
    timestamp: str
    price: float | None = None

    def repeats(self, other: "Move") -> bool:
        """Whether it is the same move at the same price, sent twice under different ids."""
        same = near(self.before, other.before) and near(self.after, other.after)
        return same and near(self.price, other.price)


def move(row: Mapping[str, Any]) -> Move:
    """The move of the strategy that a signal's row tells, also if a rule has cut the order."""
    before = signed(row["pre_mar_pos"], row["pre_mar_pos_size"])
    after = row["strategy_pos"]
    if after is None:
        after = signed(row["mar_pos"], row["mar_pos_size"])
    times = row["alert_time"], row["timestamp"]
    return Move(row["rowid"], before, after, *times, row["order_price"])


def is_from_bridge(message: str | None, comment: str | None) -> bool:
    """Whether a signal is the bridge's own, made to complete a leg."""
    return message == SYNC or (comment or "").endswith(SYNC_COMMENT)


def is_strategys(row: Mapping[str, Any]) -> bool:
    """Whether a strategy sent this and not the bridge, and it came in its order."""
    message = row["status_msg"] or ""
    late = message.startswith(OVERTAKEN) and came_late(row.get("rowid"), message)
    return not late and not is_from_bridge(message, row["order_comment"])


def came_late(rowid: int | None, message: str | None) -> bool:
    """Whether a later alert was stored before this one; one without a rowid is not stored yet.

    A held signal that a newer alert has ended bears the same message, but came in its order.
    """
    found = _OVERTAKEN.fullmatch(message or "")
    return found is not None and (rowid is None or int(found[1]) < rowid)


def overtaken_by(new: Move, earlier: list[Move]) -> int | None:
    """The rowid of an alert that came before `new` and belongs after it; None without proof.

    `earlier` are the moves of the same ticker, newest first. If both alerts say when they fired,
    their times are the proof. Otherwise their positions are: the last alert starts from a position
    that no earlier one had reached, and `new` leads there from the position before both. Before an
    exit an alert that came twice is no proof: the exit may be a true one, which must not be lost.
    """
    if not earlier:
        return None
    last = earlier[0]
    if new.alert_time and last.alert_time and new.alert_time != last.alert_time:
        return last.rowid if new.alert_time < last.alert_time else None
    if len(earlier) == 1:
        return None
    prior = earlier[1]
    if new.after == 0 and last.repeats(prior):
        return None
    jumped = not near(last.before, prior.after)
    fits = near(new.before, prior.after) and near(new.after, last.before)
    apart = abs(instants.unix(new.timestamp) - instants.unix(last.timestamp))
    return last.rowid if jumped and fits and apart <= SAME_BAR else None
