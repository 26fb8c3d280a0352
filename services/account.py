"""The account: its records, and when the bridge was here."""

from database.opening import announce
from models import AccountRecord, Bridge, Record
from services import decisions, events
from trading import instants

BRIDGE = "bridge"  # announced: the bridge was seen, and when


def keep(fields: Record, source: str) -> None:
    """Stores a new record of the present instant; a loss beyond its limit stops entries."""
    events.add(AccountRecord, source, timestamp=instants.now(), **fields)
    decisions.watch_loss()


def change(rowid: int, fields: Record, source: str) -> AccountRecord:
    """Sets the fields of a record, its time among them; as `keep`. Raises Missing."""
    record = AccountRecord.find(rowid)
    events.change(record, source, fields)
    decisions.watch_loss()
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
