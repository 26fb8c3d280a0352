"""The audit and API tokens on the wire."""

from collections.abc import Callable
from typing import Any

import orjson

from schemas.events import event_record
from schemas.values import BadFields, Record
from trading import instants

AUDIT_KEYS = ("id", "time", "what", "who", "address", "subject", "count", "changes")
LONGEST = 400


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


def audit_filters(ask: Callable[[str, str], str]) -> tuple[dict[str, str], int | None]:
    """(who, what, since, until as far as given, the row to go on before); raises BadFields."""
    readers = {
        "who": str,
        "what": str,
        "since": lambda text: instants.parse_bound(text, last=False),
        "until": lambda text: instants.parse_bound(text, last=True),
        "before": _rowid,
    }
    found: dict[str, Any] = {}
    bad: dict[str, str] = {}
    for name, read in readers.items():
        text = ask(name, "").strip()
        try:
            if len(text) > LONGEST:
                raise ValueError(f"must have at most {LONGEST} characters")
            if text:
                found[name] = read(text)
        except ValueError as error:
            bad[name] = str(error)
    if bad:
        raise BadFields(bad)
    return found, found.pop("before", None)


def _rowid(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError("must be a row's id")
    return int(text)


def token_record(row: Any) -> Record:
    """An API token without its text."""
    names = ("id", "name", "scope", "created", "last_used", "expires")
    return {name: getattr(row, name) for name in names}
