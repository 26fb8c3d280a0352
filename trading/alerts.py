"""What two alerts are to each other: a repeat, or one that the other has overtaken."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from trading import instants
from trading.outcomes import OVERTAKEN

SAME_BAR = 300  # seconds between the arrivals of two alerts that may have been swapped
SYNC = "created due to sync"  # the bridge's own signals, which no strategy has sent
SYNC_COMMENT = " due to sync"
_TOLD = (
    *("ticker", "order_action", "order_contracts", "order_price"),
    *("mar_pos", "mar_pos_size", "pre_mar_pos", "pre_mar_pos_size"),
)


def fingerprint(row: Mapping[str, Any]) -> str:
    """What a repeat of an alert has in common with it: ticker, action, size, price, positions."""
    told = json.dumps([row[name] for name in _TOLD])
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def signed(position: str | None, size: float) -> float | None:
    """A position's size, below 0 where it is short; None where there is no position."""
    return {"long": size, "short": -size, "flat": 0.0}.get(position or "")


def near(one: float | None, other: float | None) -> bool:
    """Whether two positions are the same; an unknown one is like no other."""
    if one is None or other is None:
        return False
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


class Move(NamedTuple):
    """A strategy's signed positions before and after an alert, when it fired and when it came."""

    rowid: int
    before: float | None
    after: float | None
    alert_time: str | None
    timestamp: str


def move(row: Mapping[str, Any]) -> Move:
    """The move that a signal's row tells of."""
    before = signed(row["pre_mar_pos"], row["pre_mar_pos_size"])
    after = signed(row["mar_pos"], row["mar_pos_size"])
    return Move(row["rowid"], before, after, row["alert_time"], row["timestamp"])


def is_from_bridge(message: str | None, comment: str | None) -> bool:
    """Whether a signal is the bridge's own, made to complete a leg."""
    return message == SYNC or (comment or "").endswith(SYNC_COMMENT)


def is_strategys(row: Mapping[str, Any]) -> bool:
    """Whether a strategy sent this (not the bridge), and nothing had overtaken it."""
    message = row["status_msg"] or ""
    own = is_from_bridge(message, row["order_comment"])
    return not own and not message.startswith(OVERTAKEN)


def overtaken_by(new: Move, earlier: list[Move]) -> int | None:
    """The rowid of the alert that came before `new` and belongs after it, if that is proven.

    `earlier` are the moves of the same ticker, newest first. Their times prove the order. Without
    them the positions do: the last one starts where nobody had been, and `new` leads there from
    the position before both.
    """
    if not earlier:
        return None
    last = earlier[0]
    if new.alert_time and last.alert_time and new.alert_time != last.alert_time:
        return last.rowid if new.alert_time < last.alert_time else None
    if len(earlier) == 1 or not _fills_gap(new, last, earlier[1]):
        return None
    return last.rowid if _are_close(new, last) else None


def _fills_gap(new: Move, last: Move, prior: Move) -> bool:
    jumped = last.before is not None and not near(last.before, prior.after)
    return jumped and near(new.before, prior.after) and near(new.after, last.before)


def _are_close(new: Move, last: Move) -> bool:
    apart = instants.unix(new.timestamp) - instants.unix(last.timestamp)
    return abs(apart) <= SAME_BAR
