"""Bodies in and records out: the wire's spellings live here, the columns' names everywhere else."""

from schemas.events import event_message, event_record, rejected_record
from schemas.registry import PairChange, PairForm, StockForm, pair_record, stock_record
from schemas.signals import (
    SIGNAL_COLUMNS,
    SIGNAL_KEYS,
    Alert,
    Price,
    Revision,
    read_alert,
    read_order_update,
    signal_of,
    signal_record,
)
from schemas.users import LoginForm, PassphraseForm, UserForm
from schemas.values import BadFields, check, json_text, plain, read_object, to_text

__all__ = [
    "SIGNAL_COLUMNS",
    "SIGNAL_KEYS",
    "Alert",
    "check",
    "event_message",
    "event_record",
    "json_text",
    "LoginForm",
    "pair_record",
    "PairForm",
    "PassphraseForm",
    "plain",
    "Price",
    "read_alert",
    "read_object",
    "read_order_update",
    "rejected_record",
    "PairChange",
    "Revision",
    "signal_of",
    "signal_record",
    "stock_record",
    "StockForm",
    "UserForm",
    "BadFields",
    "to_text",
]
