"""What became of an alert, told from its signal's status and the message beside it."""

from trading import statuses

TRADED = "traded"
WORKING = "working"
NOT_NEEDED = "not needed"
NOT_TRADED = "not traded"
FAILED = "failed"

# The registry's words on an alert that could not be traded, with the status `error` ...
REFUSED_AS_ERROR = (
    "unknown ticker",
    "problematic ticker!",
    "currency mismatch!",
    "exchange mismatch!",
)
# ... and the registry's and the bridge's with the status `canceled`. A trade that the strategy
# made did not happen. `pyramiding` is one of them: the strategy holds more than the account.
REFUSED_AS_CANCELED = (
    "wrong hedge",
    "insufficient funds",
    "position size mismatch",
    "missing position size",
    "pyramiding",
    "crypto in pairs",
)
REASONS = (*REFUSED_AS_ERROR, *REFUSED_AS_CANCELED)
# Nothing had to be traded, or the owner wanted it so: "duplicate order", "+synced(10->0)",
# "overtaken by 7", "mult.act.orders", "multiple active orders", "passive ticker" (a paused ticker)
# and whatever else a canceled signal says.
PASSIVE = "passive ticker"
OVERTAKEN = "overtaken by "  # and the rowid of the later alert that came first
_CANCELED_IN_PART = f"(*){statuses.PART_FILLED}"


def classify(status: str, message: str | None) -> str:
    """One of the five outcomes of a signal."""
    message = message or ""
    if status == statuses.FILLED or message.startswith(_CANCELED_IN_PART):
        return TRADED
    if status == statuses.CANCELED:
        return NOT_TRADED if message in REFUSED_AS_CANCELED else NOT_NEEDED
    if status in statuses.FAILED:
        return NOT_TRADED if message in REFUSED_AS_ERROR else FAILED
    return WORKING


def is_refused(status: str, message: str | None) -> bool:
    """Whether nothing can have been ordered for an alert, so that it moves no position."""
    message = message or ""
    if status == statuses.CRITICAL or classify(status, message) == NOT_TRADED:
        return True
    return status == statuses.CANCELED and (
        message in (PASSIVE, "duplicate order") or message.startswith(OVERTAKEN)
    )
