"""The audit and API tokens on the wire."""

from typing import Any

import orjson

from schemas.events import event_record
from schemas.values import Record

AUDIT_KEYS = ("id", "time", "what", "who", "address", "subject", "count", "changes")


def audit_record(row: Any) -> Record:
    """A row of the audit; of a registry change `changes` says, as JSON text, what became what."""
    event = getattr(row, "told", None)
    changes = event_record(event)["changes"] if event is not None and event.id else None
    return {
        "id": row.id,
        "time": row.time,
        "what": row.kind,
        "who": row.who,
        "address": row.address,
        "subject": row.subject,
        "count": row.count,
        "changes": orjson.dumps(changes).decode() if changes else None,
    }


def token_record(row: Any) -> Record:
    """An API token without its text."""
    names = ("id", "name", "scope", "created", "last_used", "expires")
    return {name: getattr(row, name) for name in names}
