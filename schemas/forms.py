"""What the webhook and the bridge send: alerts, corrections, reports of orders, the account."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, WithJsonSchema

from models import SEED, SIGNAL_KEYS, TWINS, Record
from schemas.types import (
    Action,
    AlertId,
    AlertTime,
    Comment,
    Exchange,
    Flag,
    Id,
    Instant,
    Kind,
    Leg,
    Message,
    Mode,
    OptionalCount,
    OptionalId,
    OptionalLeg,
    OptionalPositive,
    OptionalPrice,
    OptionalStatus,
    OptionalSymbol,
    OptionalText,
    Position,
    Positive,
    Quantity,
    Reported,
    SecurityType,
    ShortText,
    Size,
    Switch,
    Symbol,
    Ticker,
    Word,
    shown_text,
)
from schemas.values import (
    KEEPS,
    MOST,
    BadFields,
    Body,
    check,
    is_true,
    to_flag,
    to_number,
    to_text,
    unless_blank,
    unless_unfilled,
)
from trading import equation, fills

_SHORT = {prefixed: short for short, prefixed in TWINS.items()}


class _SignalFields(Body):
    """What a new alert and a replacement may both carry."""

    order_price: OptionalPrice = None
    mar_pos: Position = None
    mar_pos_size: Size = 0.0
    pre_mar_pos: Position = None
    pre_mar_pos_size: Size = 0.0
    order_comment: Comment = None
    order_status: OptionalStatus = None
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


def read_alert(body: Record, alert_id: str | None = None) -> Record:
    """An alert in either spelling, as `services.signals.receive` takes it without the source.

    `alert_id` is the header's, where the body has none. Raises BadFields.
    """
    if not TWINS.keys().isdisjoint(body):
        body = with_twins(body)
    if alert_id:
        body = _with_id(body, alert_id)
    alert = check(Alert, body)
    columns = {k: getattr(alert, k) for k in alert.model_fields_set if k in SIGNAL_KEYS}
    beside = {"alert_id": alert.alert_id, "bypass": alert.bypass_ticker_status}
    return columns | beside | {"alert_time": alert.alert_time}


def _with_id(body: Record, alert_id: str) -> Record:
    """The body with this id where it has none of its own."""
    own = unless_unfilled(body.get("alert_id"))
    return {**body, "alert_id": alert_id} if own is None else body


def with_twins(body: Record) -> Record:
    """The body with `stk_ticker1` and so on filled in from the bridge's `ticker1` and so on."""
    twins = {to: body[short] for short, to in TWINS.items() if body.get(short) is not None}
    return {**body, **{to: value for to, value in twins.items() if body.get(to) is None}}


# A null does not change these: an offered pair without them would end the bridge's loop.
_NEVER_CLEARED = (
    *("order_status", "timestamp", "ticker_type", "hedge_param", "stk_ticker1", "stk_ticker2"),
)


class Revision(_SignalFields):
    """A signal's new values: a field not sent stays.

    With `expected_status` nothing changes where the signal has another status by now.
    """

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
    expected_status: OptionalText = None

    def sent(self) -> dict[str, tuple]:
        """{column: the values that were sent for it}; the first one counts where two differ."""
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


# --- what may be traded -------------------------------------------------------------------


class ModeForm(Body):
    """The mode of trading, and why."""

    EXAMPLE = {"mode": "exits", "reason": "Fed at 20:00"}

    mode: Mode
    reason: OptionalText = None


class LimitsForm(Body):
    """Limits; null removes one, and one that is not sent stays."""

    model_config = KEEPS

    EXAMPLE = {"entries": 20, "loss": 2500}

    entries: OptionalCount = None
    ticker_entries: OptionalCount = None
    contracts: OptionalPositive = None
    value: OptionalPositive = None
    open: OptionalCount = None
    loss: OptionalPositive = None
    drawdown: OptionalPositive = None


class OrderForm(Body):
    """A trade by hand. If it carries no positions, the server takes them from its books."""

    EXAMPLE = {"ticker": "MA-3*V", "order_action": "sell", "order_contracts": 10}

    ticker: Ticker
    order_action: Action
    order_contracts: Positive
    order_price: OptionalPrice = None
    mar_pos: Position = None
    mar_pos_size: Size = 0.0
    pre_mar_pos: Position = None
    pre_mar_pos_size: Size = 0.0
    order_comment: Comment = None
    alert_id: AlertId = None


class CloseForm(Body):
    """Which pair or single to close: all that is held of it."""

    EXAMPLE = {"close": "MA-V"}

    close: Ticker
    alert_id: AlertId = None


def read_order(body: Record, alert_id: str | None = None) -> Record:
    """A person's order as {column: value}, or `close` with a name. Raises BadFields.

    `alert_id` is the header's, where the body has none.
    """
    kind = CloseForm if unless_blank(body.get("close")) is not None else OrderForm
    form = check(kind, _with_id(body, alert_id) if alert_id else body)
    return form.columns() | {"alert_id": form.alert_id}


# --- reports of orders ------------------------------------------------------------------

_Yes = Annotated[bool, BeforeValidator(to_flag), WithJsonSchema({"enum": [True, 1, "true"]})]
_No = Annotated[Flag, WithJsonSchema({"enum": [False, 0, "false", None]})]


class _Order(Body):
    order_id: Id
    symbol: OptionalText = None


class Cancel(_Order):
    """An order that was canceled; with a symbol it is the bridge that says so."""

    EXAMPLE = {"symbol": "NMFC", "order_id": 1010, "cancel": True, "price": -1, "filled_qty": -1}

    cancel: _Yes

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        return fills.cancel(order, bridge=self.symbol is not None)


class Report(_Order):
    """What the bridge reports: the average price and what has filled so far.

    A price of 0 is none yet. A quantity that is not known stays what it was; where none was ever
    told, the price stands for the whole order, as it does without a symbol.
    """

    EXAMPLE = {"order_id": "1011", "symbol": "ROIC", "price": 14.2, "filled_qty": 7}

    price: Reported
    filled_qty: Quantity = None
    cancel: _No = False

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        return fills.report(order, leg, self.price, self.filled_qty)


class Fill(_Order):
    """A leg's price, of the whole order or, with `order_contracts`, of a part of it.

    A price of 0 is none yet.
    """

    EXAMPLE = {"order_id": 1010, "stk_price": 300.1}

    stk_price: Reported
    partial: Flag = False
    order_contracts: Any = None
    cancel: _No = False

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        contracts = self.order_contracts if self.partial else None
        return fills.price_leg(order, leg, self.stk_price, contracts)


class Price(Body):
    """The price-only form of an order's update."""

    EXAMPLE = {"order_id": 1010, "stk_price": 300.1}

    order_id: Id
    stk_price: Reported
    symbol: ClassVar[None] = None

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        return fills.price_leg(order, leg, self.stk_price)


def read_order_update(body: Record) -> Cancel | Report | Fill:
    """A fill, partial fill or cancel; one with a symbol is the bridge's. Raises BadFields."""
    if "cancel" in body and is_true(body["cancel"]):
        return check(Cancel, body)
    if body.get("symbol") not in (None, ""):
        return check(Report, body if "price" in body else _renamed(body, "stk_price", "price"))
    update = check(Fill, body if "stk_price" in body else _renamed(body, "price", "stk_price"))
    if update.partial:
        update.order_contracts = _contracts_left(update.order_contracts)
    return update


def _renamed(body: Record, key: str, name: str) -> Record:
    """The body with what it has under a key also under another name."""
    return {**body, name: body[key]} if key in body else body


def _contracts_left(value: Any) -> float:
    try:
        contracts = to_number(value)
    except ValueError:
        contracts = 0.0
    if contracts <= 0:
        raise BadFields("missing contract amount to update partial fill")
    if contracts > MOST:
        raise BadFields({"order_contracts": "must not be beyond 1e12"})
    return contracts


# --- the account ------------------------------------------------------------------------

_PNL = ("DailyPnL", "RealizedPnL", "UnrealizedPnL")


class AccountForm(Body):
    """A new account record: money in the account's currency.

    What is not sent is not known, and so are all three PnL values where each is -1.
    """

    EXAMPLE = {
        "AvailableFunds": 80001,
        "BuyingPower": 320001,
        "GrossPositionValue": 20000,
        "MaintMarginReq": 5000,
        "NetLiquidation": 100000,
        "DailyPnL": 12.3,
        "RealizedPnL": 90.1,
        "UnrealizedPnL": -56.8,
    }

    AvailableFunds: Reported = None
    BuyingPower: Reported = None
    GrossPositionValue: Reported = None
    MaintMarginReq: Reported = None
    NetLiquidation: Reported = None
    DailyPnL: Reported = None
    RealizedPnL: Reported = None
    UnrealizedPnL: Reported = None

    def columns(self) -> Record:
        """The fields that were sent, null where they are not known."""
        sent = super().columns()
        if all(sent.get(key) == -1 for key in _PNL):
            sent |= dict.fromkeys(_PNL)
        return sent


class AccountChange(AccountForm):
    """A change of the record `rowid`; a field not sent stays."""

    model_config = KEEPS

    EXAMPLE = {"rowid": 1, "NetLiquidation": 101000, "DailyPnL": -1}

    rowid: Id
    timestamp: Instant = None

    def columns(self) -> Record:
        """The fields that were sent, but for the rowid and an empty time."""
        sent = super().columns()
        del sent["rowid"]
        if sent.get("timestamp") is None:
            sent.pop("timestamp", None)
        return sent


# --- stocks and pairs: stocks in the seed's spelling and, as tickers, in the bridge's -----


class StockForm(Body):
    """A stock in the seed's spelling."""

    EXAMPLE = {"symbol": "AAPL", "prixch": "SMART", "secxch": "ISLAND", "active": 1}

    symbol: Symbol
    prixch: Exchange = "SMART"
    secxch: Exchange = "ISLAND"
    active: Switch = 0

    def columns(self) -> Record:
        """The fields that were sent."""
        return {SEED[key]: value for key, value in super().columns().items()}


class TickerForm(Body):
    """A stock in the bridge's spelling."""

    EXAMPLE = {"symbol": "EUR.USD", "sectype": "CASH", "xch": "IDEALPRO", "prixch": "IDEALPRO"}

    symbol: Symbol
    sectype: SecurityType = "STK"
    xch: Exchange = "SMART"
    prixch: Exchange = "ISLAND"
    currency: Word = "USD"
    order_type: Word = "RELATIVE"
    active: Switch = 0
    active_pos: Reported = 0.0
    active_pnl: Reported = 0.0
    active_cost: Reported = 0.0
    mode: Mode = "on"

    def columns(self) -> Record:
        """The fields that were sent; see `HoldingForm` for a position that is not known."""
        return _without_unknown(super().columns())


class HoldingForm(Body):
    """What the bridge reports of a position; the symbol is the broker's.

    What is not sent stays. A position that is not known stays the last one that was; PnL and cost
    are null then.
    """

    model_config = KEEPS

    EXAMPLE = {"symbol": "AAPL", "active_pos": 7, "active_cost": 148.123, "active_pnl": 14}

    symbol: ShortText
    active_pos: Reported = None
    active_pnl: Reported = None
    active_cost: Reported = None

    def columns(self) -> Record:
        """The position's fields that were sent."""
        sent = super().columns()
        del sent["symbol"]
        return _without_unknown(sent)


def _without_unknown(columns: Record) -> Record:
    """The columns, without a position that is not known."""
    return {k: v for k, v in columns.items() if k != "active_pos" or v is not None}


class PairForm(Body):
    """A new pair."""

    EXAMPLE = {"ticker1": "NMFC", "ticker2": "ROIC", "hedge": 0.72, "status": 1, "notes": "BDCs"}

    ticker1: Leg
    ticker2: Leg
    hedge: Positive
    status: Switch = 0
    notes: Comment = None
    mode: Mode = "on"

    def columns(self) -> Record:
        """The fields that were sent; raises BadFields for a ticker that no leg can have."""
        if not (equation.is_symbol(self.ticker1) and equation.is_symbol(self.ticker2)):
            raise BadFields("problematic ticker!")
        return super().columns()


class PairChange(Body):
    """A change of a pair, named by `name` or by its tickers."""

    model_config = KEEPS

    EXAMPLE = {"name": "NMFC-ROIC", "status": 0}

    name: Annotated[
        Annotated[str, BeforeValidator(to_text)] | None,
        BeforeValidator(unless_blank),
        shown_text(blank=True),
    ] = None
    ticker1: OptionalLeg = None
    ticker2: OptionalLeg = None
    hedge: Positive = 1.0
    status: Switch = 0
    notes: Comment = None
    mode: Mode = "on"

    def key(self) -> str:
        """The pair's name; raises BadFields."""
        if self.name:
            return self.name
        if self.ticker1 and self.ticker2:
            return f"{self.ticker1}-{self.ticker2}"
        raise BadFields({"name": "required, or both ticker1 and ticker2"})

    def columns(self) -> Record:
        """The fields that were sent."""
        sent = super().columns()
        sent.pop("name", None)
        return {k: v for k, v in sent.items() if v is not None or k == "notes"}
