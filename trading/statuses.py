"""The states of an order, spelled as clients see them, and what became of an alert by them."""

import re
from typing import NamedTuple

WAITING = "waiting"
HELD = "held"  # until a person approves it
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
OPEN = (*OFFERED, HELD, *PLACED)
KNOWN = (*OPEN, FILLED, CANCELED, *ERRORS)
# Words of a filter that stand for several statuses.
GROUPS = {WAITING: OFFERED, "open": OPEN}

# The outcomes of an alert.
TRADED = "traded"
WORKING = "working"
NOT_NEEDED = "not needed"
NOT_TRADED = "not traded"
FAILED = "failed"

# The registry's messages on an alert that it refuses.
UNKNOWN = "unknown ticker"
PROBLEMATIC = "problematic ticker!"
CURRENCY_MISMATCH = "currency mismatch!"
EXCHANGE_MISMATCH = "exchange mismatch!"
WRONG_HEDGE = "wrong hedge"
PASSIVE = "passive ticker"  # a paused ticker
DUPLICATE = "duplicate order"
OVERTAKEN = "overtaken by "  # and the rowid of the later alert that came first
# The messages of the rules that decide before a trade; some are followed by figures or a name.
HELD_MESSAGE = "held for approval"
CUT = "reversal cut to its exit"
ENTRIES_OFF = "entries are off"
TRADING_OFF = "trading is off"
OUTSIDE_HOURS = "outside entry hours"
EXPIRED = "expired after "
LIMIT = "limit: "
REFUSED_BY = "refused by "
# How the messages of alerts begin that a rule has refused.
RULED = (ENTRIES_OFF, TRADING_OFF, OUTSIDE_HOURS, EXPIRED, LIMIT)
_CANCELED_IN_PART = f"(*){PART_FILLED}"


class Meaning(NamedTuple):
    """What a message says in plain words.

    The pattern must match the whole message; `{1}` in the words is its first group. Python and
    JavaScript read it alike. `outcome` is what became of an alert with this message that was
    canceled or failed. The pattern of a message that means NOT_TRADED is the message itself, or
    begins as one of RULED.
    `remedy` says what makes sense before such an alert is offered again: REGISTER its ticker,
    ACTIVATE it, set its HEDGE, or nothing (OFFER); None where it should not be offered.
    """

    pattern: str
    words: str
    example: str
    outcome: str | None = None
    remedy: str | None = None


REGISTER, ACTIVATE, HEDGE, OFFER = "register", "activate", "hedge", "offer"


def _refused(message: str, words: str, remedy: str | None = None) -> Meaning:
    return Meaning(message, words, message, NOT_TRADED, remedy)


_SYNCED = r"(?:\+synced\([^)]*\))?"
# The messages of the server and the bridge, with the status or as an error. With NOT_TRADED a
# trade that the strategy made did not happen; with NOT_NEEDED nothing had to be traded, or the
# owner wanted it so. After `pyramiding` the strategy holds more than the account.
MEANINGS = (
    _refused(UNKNOWN, "The ticker is not registered", REGISTER),
    _refused(PROBLEMATIC, "The ticker cannot be understood"),
    _refused(CURRENCY_MISMATCH, "The ticker is registered in another currency"),
    _refused(EXCHANGE_MISMATCH, "The ticker is registered at another exchange"),
    _refused(WRONG_HEDGE, "Another hedge ratio is registered for this pair", HEDGE),
    _refused("insufficient funds", "The account has too little money", OFFER),
    _refused("position size mismatch", "The alert's positions do not fit its size"),
    _refused("missing position size", "The alert does not say the position's size"),
    _refused("pyramiding", "It would add to a position that is open"),
    _refused("crypto in pairs", "The bridge trades no crypto in pairs"),
    Meaning(ENTRIES_OFF, "Entries were off", ENTRIES_OFF, NOT_TRADED, OFFER),
    Meaning(TRADING_OFF, "Trading was off", TRADING_OFF, NOT_TRADED, OFFER),
    Meaning(OUTSIDE_HOURS, "It came outside the entry hours", OUTSIDE_HOURS, NOT_TRADED, OFFER),
    Meaning(
        f"{EXPIRED}(.+)",
        "Too old to enter: nobody had traded it within {1}",
        f"{EXPIRED}15 min",
        NOT_TRADED,
        OFFER,
    ),
    Meaning(
        f"{LIMIT}(.+)", "Beyond a limit: {1}", f"{LIMIT}3 of 3 entries today", NOT_TRADED, OFFER
    ),
    Meaning(f"{REFUSED_BY}(.+)", "Turned down by {1}", f"{REFUSED_BY}admin", NOT_NEEDED, OFFER),
    Meaning(HELD_MESSAGE, "Waits for approval", HELD_MESSAGE),
    Meaning(CUT, "Entries were off, so only the exit of the reversal is traded", CUT),
    Meaning(
        f"{CUT}, (?:{LIMIT})?(.+)",
        "Only the exit of the reversal is traded: {1}",
        f"{CUT}, {LIMIT}3 of 3 entries today",
    ),
    Meaning(PASSIVE, "The ticker is paused", PASSIVE, NOT_NEEDED, ACTIVATE),
    Meaning(DUPLICATE, "A newer alert of this ticker was traded instead", DUPLICATE, NOT_NEEDED),
    Meaning(
        f"{OVERTAKEN}([0-9]+)",
        "Signal {1} of the same ticker is newer and counts instead",
        "overtaken by 7",
        NOT_NEEDED,
    ),
    Meaning(
        r"\+synced\([^)]*->-?0(?:\.0)?\)",
        "Nothing left to trade: the account holds it already",
        "+synced(330->0)",
        NOT_NEEDED,
    ),
    Meaning(
        r"mult\.act\.orders|multiple active orders",
        "Canceled for a newer order of this ticker",
        "mult.act.orders",
        NOT_NEEDED,
    ),
    Meaning(
        r"\+synced\(new order\)",
        "A new order was needed to match the account",
        "+synced(new order)",
    ),
    Meaning(
        r"\+synced\(([^)]*)->-([^)]*)\)",
        "The size was changed from {1} to {2} the other way, to match the account",
        "+synced(10->-4)",
    ),
    Meaning(
        r"\+synced\(([^)]*)->([^)]*)\)",
        "The size was changed from {1} to {2}, to match the account",
        "+synced(10->4)",
    ),
    Meaning(
        rf"{_SYNCED}\+route",
        "Offered again, for the primary exchange",
        "+synced(10->4)+route",
    ),
    Meaning(rf"{_SYNCED}\+err", "Ordered, but the broker reported an error", "+err", remedy=OFFER),
    Meaning(rf"{_SYNCED}\+crit\. err", "The broker refused the order", "+crit. err", remedy=OFFER),
    Meaning(
        r"created due to sync", "Made by the bridge to match the account", "created due to sync"
    ),
    Meaning(r"remained\((.+)\): 0(?:\.0)?", "{1} is filled", "remained(NMFC): 0.0"),
    Meaning(
        r"remained\((.+)\): (.+?)(?:\.0)?",
        "{2} of {1} not filled yet",
        "remained(NMFC): 6.0",
    ),
    Meaning(r"remained: (.+?)(?:\.0)?", "{1} not filled yet", "remained: 6.0"),
    Meaning(
        r"\(\*\)part\.filled \| remained\((.+)\): (.+?)(?:\.0)?",
        "Canceled when a part was filled: {2} of {1} not filled",
        "(*)part.filled | remained(ROIC): 4.0",
    ),
    Meaning(
        r"\(\*\)part\.filled \| remained: (.+?)(?:\.0)?",
        "Canceled when a part was filled: {1} not filled",
        "(*)part.filled | remained: 6.0",
    ),
    Meaning(
        r"\(\*\)part\.filled(?: \|.*)?",
        "Canceled when a part was filled",
        "(*)part.filled | canceled amount: 4",
    ),
    Meaning(r"canceled amount: (.+)", "{1} canceled, the rest filled", "canceled amount: 4"),
    Meaning(
        r"\| ?([0-9]+)/([0-9]+) - (.+)",
        "The broker says: {3} (code {2})",
        "| 1147/399 - Order Message: the market is closed",
        remedy=OFFER,
    ),
)
# The messages that mean NOT_TRADED, beside those that begin as one of RULED.
REASONS = tuple(
    each.pattern
    for each in MEANINGS
    if each.outcome == NOT_TRADED and not each.pattern.startswith(RULED)
)
# The statuses in which such a message means NOT_TRADED; `critical err` is always FAILED.
REFUSED = (CANCELED, ERROR)


def meaning(message: str) -> str:
    """A message in plain words, which begin small; a message that is not known stays as it is."""
    for each in MEANINGS:
        if found := re.fullmatch(each.pattern, message):
            words = re.sub(r"\{(\d)\}", lambda group: found[int(group[1])] or "", each.words)
            return words[:1].lower() + words[1:]
    return message


def classify(status: str, message: str | None) -> str:
    """One of the five outcomes of a signal."""
    message = message or ""
    if status == FILLED or (status == CANCELED and message.startswith(_CANCELED_IN_PART)):
        return TRADED
    if status in REFUSED and (message in REASONS or message.startswith(RULED)):
        return NOT_TRADED
    if status == CANCELED:
        return NOT_NEEDED
    return FAILED if status in ERRORS else WORKING


def is_refused(status: str, message: str | None) -> bool:
    """Whether nothing can have been ordered for an alert, so that it moves no position."""
    message = message or ""
    if status == CRITICAL or classify(status, message) == NOT_TRADED:
        return True
    begins = (OVERTAKEN, REFUSED_BY)
    return status == CANCELED and (message in (PASSIVE, DUPLICATE) or message.startswith(begins))
