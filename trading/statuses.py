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
# What may still trade or fill.
OPEN = (WAITING, REROUTED, CREATED, PART_PRICED, PART_FILLED)
KNOWN = (*OPEN, FILLED, CANCELED, ERROR, CRITICAL)
