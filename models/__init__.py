"""The tables, their queries and their verbs; each change is told in its own transaction."""

import peewee

from database import open_database
from models.account import BRIDGE, AccountRecord, Bridge
from models.base import Event, EventRow, Missing, Refused
from models.figures import figures, totals
from models.positions import Positions, positions_now
from models.registry import Pair, Stock
from models.rejected import RejectedAlert
from models.replay import Missed, events_after, missed_since
from models.signals import AlertId, Filters, Receipt, Signal
from models.statements import compiled
from models.users import PASSPHRASES, SESSIONS, Passphrase, Secret, Session, User

TABLES = [
    *(EventRow, Signal, AlertId, RejectedAlert, Stock, Pair),
    *(User, Session, Passphrase, AccountRecord, Bridge, Secret),
]

__all__ = [
    "BRIDGE",
    "PASSPHRASES",
    "SESSIONS",
    "TABLES",
    "AccountRecord",
    "AlertId",
    "Bridge",
    "Event",
    "EventRow",
    "Filters",
    "Missed",
    "Missing",
    "Pair",
    "Passphrase",
    "Positions",
    "Receipt",
    "Refused",
    "RejectedAlert",
    "Secret",
    "Session",
    "Signal",
    "Stock",
    "User",
    "events_after",
    "figures",
    "missed_since",
    "open_store",
    "positions_now",
    "totals",
]


def open_store(url: str, synchronous: str = "FULL") -> peewee.Database:
    """Opens and migrates the database of this URL and compiles the hot statements for it."""
    database = open_database(url, synchronous)
    compiled.bind(database, Signal, EventRow, AlertId, Stock, Pair, Passphrase, Session, User)
    return database
