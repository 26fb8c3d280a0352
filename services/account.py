"""The account: its records, and when the bridge was here."""

from database.opening import announce
from models import AccountRecord, Bridge, Record
from services import events
from trading import instants

BRIDGE = "bridge"  # announced: the bridge was seen, and when


def keep(fields: Record, source: str) -> None:
    """Stores a new record of the present instant."""
    events.add(AccountRecord, source, timestamp=instants.now(), **fields)


def change(rowid: int, fields: Record, source: str) -> AccountRecord:
    """Sets the fields of a record, its time among them; raises Missing."""
    record = AccountRecord.find(rowid)
    events.change(record, source, fields)
    return record


def delete(rowid: int, source: str) -> None:
    """Deletes a record; raises Missing."""
    events.remove(AccountRecord.find(rowid), source)


def saw_bridge(moment: str, stores: bool) -> None:
    """Tells all processes of a poll, and writes it down if asked to."""
    announce(BRIDGE, moment)
    if stores:
        row = Bridge.insert(name="bridge", last_seen=moment)
        row.on_conflict(conflict_target=[Bridge.name], preserve=[Bridge.last_seen]).execute()
