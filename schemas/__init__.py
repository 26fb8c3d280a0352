"""Bodies in and records out: the wire's spellings live here, the columns' names everywhere else."""

from models.records import (
    ACCOUNT,
    SIGNAL_KEYS,
    account_record,
    pair_record,
    rejected_record,
    signal_of,
    signal_record,
    stock_record,
    ticker_record,
)
from schemas import access, answers, records
from schemas.account import AccountChange, AccountForm
from schemas.alarms import SeenForm, alarm_groups, alarm_record
from schemas.audit import AUDIT_KEYS, audit_record, token_record
from schemas.events import event_message, event_record
from schemas.orders import Cancel, Fill, Price, Report, read_order_update
from schemas.original import (
    original_account,
    original_pair,
    original_signal,
    original_stock,
    original_user,
)
from schemas.positions import positions_record
from schemas.queries import (
    LONGEST_FILTER,
    AlarmsQuery,
    AuditQuery,
    EventsQuery,
    FiguresQuery,
    SignalListQuery,
    SignalQuery,
    SocketQuery,
    TemplateQuery,
)
from schemas.registry import (
    HoldingForm,
    PairChange,
    PairForm,
    StockForm,
    TickerForm,
)
from schemas.signals import (
    Alert,
    Revision,
    read_alert,
)
from schemas.users import FactorForm, LoginForm, PassphraseForm, TokenForm, UserForm
from schemas.values import BadFields, Form, check, json_text, plain, read_object, to_text

__all__ = [
    "ACCOUNT",
    "AUDIT_KEYS",
    "AlarmsQuery",
    "AuditQuery",
    "Cancel",
    "EventsQuery",
    "FiguresQuery",
    "Fill",
    "Form",
    "LONGEST_FILTER",
    "Report",
    "SignalListQuery",
    "SignalQuery",
    "SocketQuery",
    "TemplateQuery",
    "access",
    "answers",
    "records",
    "FactorForm",
    "TokenForm",
    "audit_record",
    "token_record",
    "SIGNAL_KEYS",
    "AccountChange",
    "AccountForm",
    "account_record",
    "SeenForm",
    "alarm_groups",
    "alarm_record",
    "Alert",
    "check",
    "event_message",
    "event_record",
    "json_text",
    "LoginForm",
    "original_account",
    "original_pair",
    "original_signal",
    "original_stock",
    "original_user",
    "pair_record",
    "PairForm",
    "PassphraseForm",
    "plain",
    "positions_record",
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
    "HoldingForm",
    "TickerForm",
    "ticker_record",
    "UserForm",
    "BadFields",
    "to_text",
]
