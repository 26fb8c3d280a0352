"""The states of an order, spelled as clients see them."""

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
# What will not be traded as it is.
FAILED = (ERROR, CRITICAL)
# What may still trade or fill.
OPEN = (*OFFERED, CREATED, *HALF_WAY)
KNOWN = (*OPEN, FILLED, CANCELED, *FAILED)
