"""The tables, their queries and their verbs; each change is told in its own transaction."""

import peewee

from database import open_database
from models.account import BRIDGE, AccountRecord, Bridge
from models.alarms import ALARMS, NOBODY_LOOKS, Alarm, AlarmWatch
from models.audit import Audit, AuditFilters, Trace
from models.base import Ended, EventRow, Missing, Refused
from models.factor import CodeRefused, Factor, RecoveryCode
from models.facts import LAST_BACKUP, Fact
from models.figures import figures, totals
from models.filters import Filters
from models.positions import Positions, Unregistered, positions_now
from models.receiving import Receipt, receive
from models.registry import Pair, Stock
from models.rejected import RejectedAlert
from models.replay import feed, missed_since, told_after
from models.retention import old_rows, prune
from models.signals import AlertId, Signal
from models.statements import compiled
from models.tokens import SCOPES, ApiToken, insist, watching
from models.users import PASSPHRASES, SESSIONS, Passphrase, PassphraseUse, Secret, Session, User
from models.visits import Visit, log_in

TABLES = [
    *(EventRow, Signal, AlertId, RejectedAlert, Stock, Pair),
    *(User, Session, Passphrase, AccountRecord, Bridge, Secret),
    *(Factor, RecoveryCode, ApiToken, Visit, PassphraseUse, Audit),
    *(Fact, Alarm, AlarmWatch, Unregistered),
]

__all__ = [
    "ALARMS",
    "BRIDGE",
    "LAST_BACKUP",
    "NOBODY_LOOKS",
    "PASSPHRASES",
    "SCOPES",
    "SESSIONS",
    "TABLES",
    "AccountRecord",
    "Alarm",
    "AlarmWatch",
    "AlertId",
    "ApiToken",
    "Audit",
    "AuditFilters",
    "Bridge",
    "CodeRefused",
    "Ended",
    "EventRow",
    "Fact",
    "Factor",
    "Filters",
    "Missing",
    "Pair",
    "Passphrase",
    "PassphraseUse",
    "Positions",
    "Receipt",
    "RecoveryCode",
    "Refused",
    "RejectedAlert",
    "Secret",
    "Session",
    "Signal",
    "Stock",
    "Trace",
    "Unregistered",
    "User",
    "Visit",
    "feed",
    "figures",
    "insist",
    "log_in",
    "missed_since",
    "old_rows",
    "open_store",
    "positions_now",
    "prune",
    "receive",
    "told_after",
    "totals",
    "watching",
]


def open_store(url: str, synchronous: str = "FULL") -> peewee.Database:
    """Opens and migrates the database of this URL and compiles the hot statements for it."""
    database = open_database(url, synchronous)
    compiled.bind(
        database, Signal, EventRow, AlertId, Stock, Pair, Passphrase, Session, User, ApiToken
    )
    return database
