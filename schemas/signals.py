"""Signals on the wire: the record, alerts, replacements, and reports of orders."""

from models.records import SIGNAL_KEYS, TWINS
from schemas.types import (
    Action,
    AlertId,
    AlertTime,
    Comment,
    Flag,
    Id,
    Instant,
    Kind,
    Message,
    OptionalId,
    OptionalPositive,
    OptionalPrice,
    OptionalSymbol,
    Position,
    Positive,
    Size,
    Status,
    Ticker,
)
from schemas.values import KEEPS, Body, Record, check, is_blank, is_unfilled

_SHORT = {prefixed: short for short, prefixed in TWINS.items()}


class _SignalFields(Body):
    """What a new alert and a replacement may both carry."""

    order_price: OptionalPrice = None
    mar_pos: Position = None
    mar_pos_size: Size = 0.0
    pre_mar_pos: Position = None
    pre_mar_pos_size: Size = 0.0
    order_comment: Comment = None
    order_status: Status = None
    timestamp: Instant = None
    order_id1: OptionalId = None
    order_id2: OptionalId = None
    stk_price1: OptionalPrice = None
    stk_price2: OptionalPrice = None
    fill_price: OptionalPrice = None
    slip: OptionalPrice = None
    error_msg: Message = None
    status_msg: Message = None
    bypass_ticker_status: Flag = False


class Alert(_SignalFields):
    """An alert; the names of the record's other fields are taken too, in either spelling."""

    EXAMPLE = {
        "ticker": "NMFC-0.72*NASDAQ:ROIC",
        "order_action": "buy",
        "order_contracts": 100,
        "order_price": -0.01,
        "mar_pos": "long",
        "mar_pos_size": 100,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long",
    }

    ticker: Ticker
    order_action: Action
    order_contracts: Positive
    alert_id: AlertId = None
    alert_time: AlertTime = None

    def columns(self) -> Record:
        """What `models.receive` takes of an alert."""
        sent = {k: getattr(self, k) for k in self.model_fields_set if k in SIGNAL_KEYS}
        beside = {"alert_id": self.alert_id, "bypass": self.bypass_ticker_status}
        return sent | beside | {"alert_time": self.alert_time}


def read_alert(body: Record, alert_id: str | None = None) -> Alert:
    """An alert in either spelling; `alert_id` is the header's, where the body has none."""
    body = with_twins(body)
    own = body.get("alert_id")
    if alert_id and (is_blank(own) or is_unfilled(own)):
        body["alert_id"] = alert_id
    return check(Alert, body)


def with_twins(body: Record) -> Record:
    """The body with the bridge's spellings copied to those the record has first."""
    twins = {to: body[short] for short, to in TWINS.items() if body.get(short) is not None}
    return {**body, **{to: value for to, value in twins.items() if body.get(to) is None}}


# A null leaves these as they are: an offered pair without them would end the bridge's loop.
_NEVER_CLEARED = {
    *("order_status", "timestamp", "ticker_type", "hedge_param", "stk_ticker1", "stk_ticker2"),
}


class Revision(_SignalFields):
    """A signal's new values: a field not sent stays."""

    model_config = KEEPS

    EXAMPLE = {"rowid": 1, "order_status": "created", "order_id1": 1010, "order_id2": 1011}

    rowid: Id
    ticker: Ticker = ""
    order_action: Action = ""
    order_contracts: Positive = 0.0
    ticker_type: Kind = None
    stk_ticker1: OptionalSymbol = None
    stk_ticker2: OptionalSymbol = None
    hedge_param: OptionalPositive = None
    ticker1: OptionalSymbol = None
    ticker2: OptionalSymbol = None
    price1: OptionalPrice = None
    price2: OptionalPrice = None

    def sent(self) -> dict[str, tuple]:
        """{column: spellings sent}, the one that wins first where both differ."""
        columns: dict[str, tuple] = {}
        for wire in SIGNAL_KEYS:
            short = _SHORT.get(wire)
            sent = [key for key in (short, wire) if key in self.model_fields_set]
            values = tuple(getattr(self, key) for key in sent)
            if wire in _NEVER_CLEARED:
                values = tuple(value for value in values if value is not None)
            if values and wire != "rowid":
                columns[wire] = values
        return columns
