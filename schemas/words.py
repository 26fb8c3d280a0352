"""The words that the server and the pages share; every page carries them."""

from typing import Any

from trading import guards, statuses

# How a status looks: waiting and other are hollow, the others have a colour of their own.
KINDS = {
    **dict.fromkeys(statuses.OFFERED, "waiting"),
    statuses.HELD: "held",
    statuses.CREATED: "working",
    statuses.PART_PRICED: "working",
    statuses.PART_FILLED: "part",
    statuses.FILLED: "filled",
    statuses.CANCELED: "canceled",
    **dict.fromkeys(statuses.ERRORS, "error"),
}

# What the filter of statuses offers: (what is asked for, how it is called).
FILTERS = [
    *(
        (status, status)
        for status in (*statuses.OFFERED, statuses.HELD, *statuses.PLACED, statuses.FILLED)
    ),
    ("open", "waiting or working"),
    (statuses.CANCELED, statuses.CANCELED),
    ("not_traded", "not traded"),
    *((status, status) for status in statuses.ERRORS),
    ("failed", "failed"),
]

# How the modes of trading are called; `guards.MODE_WORDS` says what they do.
MODE_NAMES = {guards.ON: "On", guards.ASK: "Ask", guards.EXITS: "Exits only", guards.OFF: "Off"}

# What an API token with a scope may do.
SCOPES = {
    "read": "lists, figures, live changes",
    "signals": "also trade by hand, approve, set the mode, report fills",
    "registry": "also change stocks and pairs",
    "admin": "all you may, but for users, sessions and tokens",
}

# The types of securities, as the registry's card offers them.
TYPES = {"STK": "Stock", "CASH": "Currency pair", "CRYPTO": "Crypto"}

# Who an event says a change came from, where that is no user.
SOURCES = {
    "webhook": "an alert",
    "bridge": "the bridge",
    "system": "the server",
    "import": "the import",
}

# What the kinds of the audit mean.
AUDIT = {
    "login.succeeded": "Logged in",
    "login.ended": "Logged out",
    "login.failed": "Wrong user name or password",
    "login.code": "Wrong second-factor code",
    "refused.forbidden": "Refused: not allowed",
    "refused.limited": "Refused: too many",
    "refused.passphrase": "Wrong passphrase",
    "refused.token": "Invalid token",
    "refused.bridge_key": "Wrong bridge key",
    "user.created": "Added user",
    "user.changed": "Set a new password or right for",
    "user.password": "Changed own password",
    "user.deleted": "Deleted user",
    "factor.on": "Turned the second factor on",
    "factor.off": "Turned the second factor off",
    "factor.codes": "Made new recovery codes",
    "factor.recovery": "Used a recovery code",
    "token.created": "Made API token",
    "token.revoked": "Revoked API token",
    "session.ended": "Ended sessions of",
    "passphrase.created": "Added passphrase",
    "passphrase.retired": "Retired passphrase",
    "stock.created": "Added stock",
    "stock.updated": "Changed stock",
    "stock.deleted": "Deleted stock",
    "pair.created": "Added pair",
    "pair.updated": "Changed pair",
    "pair.deleted": "Deleted pair",
    "alert.resubmitted": "Resubmitted",
    "signal.offered": "Set to waiting",
    "signal.approved": "Approved",
    "signal.refused": "Refused to trade",
    "order.placed": "Traded by hand",
    "order.repeated": "Repeated a trade by hand",
    "trading.mode": "Set the mode of trading",
    "trading.limits": "Set limits",
}
# What the audit's page offers to choose from: (what is asked for, how it is called).
AUDIT_GROUPS = [
    ("", "Everything"),
    ("login", "Logins"),
    ("refused", "Refusals"),
    ("user", "Users"),
    ("session", "Sessions"),
    ("factor", "Second factor"),
    ("token", "API tokens"),
    ("passphrase", "Passphrases"),
    ("registry", "Registry"),
    ("alert", "Resubmitted alerts"),
    ("signal", "Signals"),
    ("order", "Trades by hand"),
    ("trading", "Modes and limits"),
]

PAGE_WORDS: dict[str, Any] = {
    "statuses": statuses.KNOWN,
    "kinds": KINDS,
    "groups": statuses.GROUPS,
    "filters": FILTERS,
    "not_traded": statuses.REASONS,
    "ruled": statuses.RULED,
    "modes": MODE_NAMES,
    # [pattern of the whole message, plain words, what mends it or null]
    "meanings": [[f"^(?:{each.pattern})$", each.words, each.remedy] for each in statuses.MEANINGS],
    "sources": SOURCES,
    "types": TYPES,
}
