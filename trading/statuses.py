"""The states of an order, spelled as clients see them, and what became of an alert by them."""

WAITING = "waiting"
REROUTED = "rerouted"
CREATED = "created"
PART_PRICED = "filled(...)"
PART_FILLED = "part.filled"
FILLED = "filled"
CANCELED = "canceled"
ERROR = "error"
CRITICAL = "critical err"

# What the bridge may pick up and trade.
OFFERED = (WAITING, REROUTED)
# What the broker has filled in part, or one leg of.
HALF_WAY = (PART_PRICED, PART_FILLED)
# What has orders at the broker that are not finished.
PLACED = (CREATED, *HALF_WAY)
# What will not be traded as it is.
ERRORS = (ERROR, CRITICAL)
# What may still trade or fill.
OPEN = (*OFFERED, *PLACED)
KNOWN = (*OPEN, FILLED, CANCELED, *ERRORS)

# The outcomes of an alert.
TRADED = "traded"
WORKING = "working"
NOT_NEEDED = "not needed"
NOT_TRADED = "not traded"
FAILED = "failed"

# The registry's messages on an alert that could not be traded, with the status `error` ...
UNKNOWN = "unknown ticker"
PROBLEMATIC = "problematic ticker!"
CURRENCY_MISMATCH = "currency mismatch!"
EXCHANGE_MISMATCH = "exchange mismatch!"
REFUSED_AS_ERROR = (UNKNOWN, PROBLEMATIC, CURRENCY_MISMATCH, EXCHANGE_MISMATCH)
# ... and the registry's and the bridge's with the status `canceled`. A trade that the strategy
# made did not happen. `pyramiding` is one of them: the strategy holds more than the account.
WRONG_HEDGE = "wrong hedge"
REFUSED_AS_CANCELED = (
    WRONG_HEDGE,
    "insufficient funds",
    "position size mismatch",
    "missing position size",
    "pyramiding",
    "crypto in pairs",
)
REASONS = (*REFUSED_AS_ERROR, *REFUSED_AS_CANCELED)
# Any other message of a canceled signal means that nothing had to be traded, or that the owner
# wanted it so: "duplicate order", "+synced(10->0)", "overtaken by 7", "mult.act.orders",
# "multiple active orders", "passive ticker" (a paused ticker).
PASSIVE = "passive ticker"
OVERTAKEN = "overtaken by "  # and the rowid of the later alert that came first
_CANCELED_IN_PART = f"(*){PART_FILLED}"


def classify(status: str, message: str | None) -> str:
    """One of the five outcomes of a signal."""
    message = message or ""
    if status == FILLED or message.startswith(_CANCELED_IN_PART):
        return TRADED
    if status == CANCELED:
        return NOT_TRADED if message in REFUSED_AS_CANCELED else NOT_NEEDED
    if status in ERRORS:
        return NOT_TRADED if message in REFUSED_AS_ERROR else FAILED
    return WORKING


def is_refused(status: str, message: str | None) -> bool:
    """Whether nothing can have been ordered for an alert, so that it moves no position."""
    message = message or ""
    if status == CRITICAL or classify(status, message) == NOT_TRADED:
        return True
    return status == CANCELED and (
        message in (PASSIVE, "duplicate order") or message.startswith(OVERTAKEN)
    )
