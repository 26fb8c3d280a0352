"""Bodies in and records out: the wire's spellings live here, the columns' names everywhere else."""

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from trading import equation, fills, instants

Record = dict[str, Any]

# --- numbers, flags and texts as clients write them -----------------------------------------

_NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_EXACT = 2**53
_WORDS = {"true": True, "false": False}
_LONGEST_NUMERAL = 400
RESERVED_NAMES = {"webhook", "bridge", "system"}  # events use them for their own sources


def to_number(value: Any) -> float:
    """A finite number, given as one or as a numeral; raises ValueError."""
    if isinstance(value, str):
        value = value.strip()
        if len(value) > _LONGEST_NUMERAL or not _NUMERAL.match(value):
            raise ValueError("must be a number")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("is out of range")
    return number


def to_flag(value: Any) -> bool:
    """True or false, given as a boolean, 0, 1 or one of the two words; raises ValueError."""
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise ValueError("must be true or false")


def to_text(value: Any) -> str:
    """Text that any database can store; a number becomes its numeral. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be text")
    return _UNSTORABLE.sub("\ufffd", str(value))


def to_id(value: Any) -> int:
    """A whole number of 64 bits, also as text of digits; raises ValueError."""
    digits = isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,19}\s*", value, re.ASCII)
    number = int(value) if digits or (isinstance(value, float) and value.is_integer()) else value
    if isinstance(number, bool) or not isinstance(number, int) or abs(number) >= 2**63:
        raise ValueError("must be a whole number")
    return number


def _above_zero(value: Any) -> float:
    number = to_number(value)
    if number <= 0:
        raise ValueError("must be above 0")
    return number


def _not_negative(value: Any) -> float:
    number = to_number(value)
    if number < 0:
        raise ValueError("must not be below 0")
    return number


def _instant(value: Any) -> str:
    return instants.parse(to_text(value))


def _status(value: Any) -> str:
    # The bridge sends some states as a list of one text.
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    text = to_text(value).strip()
    if not text:
        raise ValueError("must not be blank")
    if len(text) > 40:
        raise ValueError("must have at most 40 characters")
    return text


def _ticker(value: Any) -> str:
    text = to_text(value)
    if not text.strip():
        raise ValueError("required")
    return _at_most(200)(text)


def _at_most(length: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > length:
            raise ValueError(f"must have at most {length} characters")
        return text

    return check


def _one_of(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        word = to_text(value).strip().lower()
        if word not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return word

    return check


def _optional(check: Callable[[Any], Any], absent: Any = None) -> BeforeValidator:
    """Null and blank count as not given."""

    def validate(value: Any) -> Any:
        blank = value is None or (isinstance(value, str) and not value.strip())
        return absent if blank else check(value)

    return BeforeValidator(validate)


def _symbol(value: Any) -> str:
    text = to_text(value).strip()
    if not text:
        raise ValueError("required")
    if not equation.is_symbol(text):
        raise ValueError("problematic ticker!")
    return text


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = to_number(value)
        if not number.is_integer() or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(number)

    return check


def _name(value: Any) -> str:
    text = to_text(value)
    if not re.fullmatch(r"[^\s/]{1,80}", text) or not text.isprintable():
        raise ValueError("must be 1 to 80 characters without spaces or slashes")
    if text in RESERVED_NAMES:
        raise ValueError("is reserved")
    return text


def _password(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not 1 <= len(value) <= 200:
        raise ValueError("must have 1 to 200 characters")
    return value


Number = Annotated[float | None, _optional(to_number)]
Size = Annotated[float, _optional(_not_negative, 0.0)]
Positive = Annotated[float, BeforeValidator(_above_zero)]
Flag = Annotated[bool, BeforeValidator(lambda v: v is not None and to_flag(v))]
Id = Annotated[int, BeforeValidator(to_id)]
OptionalId = Annotated[int | None, _optional(to_id)]
Message = Annotated[str | None, BeforeValidator(lambda v: v if v is None else to_text(v)[:2000])]
Comment = Annotated[
    str | None,
    BeforeValidator(lambda v: v if v is None else _at_most(4000)(to_text(v).strip())),
]
Position = Annotated[str | None, _optional(_one_of("long", "short", "flat"))]
Action = Annotated[str, BeforeValidator(_one_of("buy", "sell"))]
Ticker = Annotated[str, BeforeValidator(_ticker)]
Symbol = Annotated[str, BeforeValidator(_symbol), AfterValidator(_at_most(50))]
# As long as an equation can make it, so that a whole record may come back.
OptionalSymbol = Annotated[str | None, _optional(lambda v: _at_most(200)(_symbol(v)))]
Switch = Annotated[int, BeforeValidator(lambda v: int(to_flag(v)))]
Exchange = Annotated[
    str, BeforeValidator(to_text), AfterValidator(_at_most(40)), Field(min_length=1)
]


class Body(BaseModel):
    """A request's body; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


Form = TypeVar("Form", bound=Body)


class BadFields(Exception):
    """The reason for each faulty field, or one sentence."""

    def __init__(self, reasons: dict[str, str] | str):
        super().__init__(reasons)
        self.reasons = reasons


def check(form: type[Form], body: Record) -> Form:
    """The body as this form; raises BadFields with all faulty fields at once."""
    try:
        return form.model_validate(body)
    except ValidationError as error:
        raise BadFields({_key(each): _reason(each) for each in reversed(error.errors())}) from None


def _key(error: dict) -> str:
    return str(error["loc"][0]) if error["loc"] else "body"


def _reason(error: dict) -> str:
    if error["type"] == "missing":
        return "required"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"][:1].lower() + error["msg"][1:]


def read_object(raw: bytes) -> Record:
    """The JSON object that these bytes hold; raises ValueError."""
    try:
        body = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(body, dict):
        raise ValueError("not an object")  # noqa: TRY004 the body is wrong, not a type of ours
    return body


def json_text(text: str) -> str:
    """The text as a JSON string."""
    return json.dumps(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# --- signals -----------------------------------------------------------------------------

SIGNAL_FIELDS = [
    ("rowid", "id"),
    ("timestamp", "timestamp"),
    ("ticker", "ticker"),
    ("order_action", "action"),
    ("order_contracts", "contracts"),
    ("order_price", "price"),
    ("mar_pos", "position"),
    ("mar_pos_size", "position_size"),
    ("pre_mar_pos", "prior_position"),
    ("pre_mar_pos_size", "prior_position_size"),
    ("order_comment", "comment"),
    ("order_status", "status"),
    ("ticker_type", "kind"),
    ("stk_ticker1", "leg1"),
    ("stk_ticker2", "leg2"),
    ("hedge_param", "hedge"),
    ("order_id1", "order_id1"),
    ("order_id2", "order_id2"),
    ("stk_price1", "price1"),
    ("stk_price2", "price2"),
    ("fill_price", "fill_price"),
    ("slip", "slippage"),
    ("error_msg", "error_message"),
    ("status_msg", "status_message"),
]
# The bridge's spellings, with the same values as their stk_ twins.
TWINS = {
    "ticker1": "stk_ticker1",
    "ticker2": "stk_ticker2",
    "price1": "stk_price1",
    "price2": "stk_price2",
}
_SHORT = {prefixed: short for short, prefixed in TWINS.items()}
_COLUMN = dict(SIGNAL_FIELDS)
SIGNAL_COLUMNS = tuple(column for _, column in SIGNAL_FIELDS)
SIGNAL_KEYS = tuple(wire for wire, _ in SIGNAL_FIELDS)
_RECORD_KEYS = SIGNAL_KEYS + tuple(TWINS)
_TWIN_INDEXES = tuple(SIGNAL_KEYS.index(twin) for twin in TWINS.values())


def plain(value: Any) -> Any:
    """A whole number below 2**53 without its `.0`; anything else as it is."""
    if type(value) is float and value.is_integer() and -_EXACT < value < _EXACT:
        return int(value)
    return value


def signal_record(row: Iterable[Any]) -> Record:
    """The wire's record of a row given as SIGNAL_COLUMNS."""
    values = [plain(value) for value in row]
    values += [values[index] for index in _TWIN_INDEXES]
    return dict(zip(_RECORD_KEYS, values, strict=True))


def signal_of(columns: Record) -> Record:
    """The wire's record of a signal given as {column: value}."""
    return signal_record([columns[name] for name in SIGNAL_COLUMNS])


class Alert(Body):
    """What POST /v3/webhook takes beside the passphrase."""

    ticker: Ticker
    order_action: Action
    order_contracts: Positive
    order_price: Number = None
    mar_pos: Position = None
    mar_pos_size: Size = 0.0
    pre_mar_pos: Position = None
    pre_mar_pos_size: Size = 0.0
    order_comment: Comment = None
    order_status: Annotated[str | None, _optional(_status)] = None
    timestamp: Annotated[str | None, _optional(_instant)] = None
    order_id1: OptionalId = None
    order_id2: OptionalId = None
    stk_price1: Number = None
    stk_price2: Number = None
    fill_price: Number = None
    slip: Number = None
    status_msg: Message = None
    error_msg: Message = None
    bypass_ticker_status: Flag = False
    alert_id: Annotated[str | None, _optional(lambda v: _at_most(200)(to_text(v)))] = None

    def columns(self) -> Record:
        """What Signal.receive takes."""
        sent = {_COLUMN[k]: getattr(self, k) for k in self.model_fields_set if k in _COLUMN}
        return sent | {"alert_id": self.alert_id, "bypass": self.bypass_ticker_status}


def read_alert(body: Record, alert_id: str | None = None) -> Alert:
    """An alert in either spelling; `alert_id` is the header's, where the body has none."""
    body = with_twins(body)
    if alert_id and body.get("alert_id") in (None, ""):
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


class Revision(Body):
    """What PUT /v3/webhook takes beside the passphrase: a field not sent stays."""

    rowid: Id
    ticker: Ticker = ""
    order_action: Action = ""
    order_contracts: Positive = 0.0
    order_price: Number = None
    mar_pos: Position = None
    mar_pos_size: Size = 0.0
    pre_mar_pos: Position = None
    pre_mar_pos_size: Size = 0.0
    order_comment: Comment = None
    order_status: Annotated[str | None, _optional(_status)] = None
    timestamp: Annotated[str | None, _optional(_instant)] = None
    ticker_type: Annotated[str | None, _optional(_one_of("single", "pair"))] = None
    stk_ticker1: OptionalSymbol = None
    stk_ticker2: OptionalSymbol = None
    hedge_param: Annotated[float | None, _optional(_above_zero)] = None
    order_id1: OptionalId = None
    order_id2: OptionalId = None
    stk_price1: Number = None
    stk_price2: Number = None
    fill_price: Number = None
    slip: Number = None
    error_msg: Message = None
    status_msg: Message = None
    ticker1: OptionalSymbol = None
    ticker2: OptionalSymbol = None
    price1: Number = None
    price2: Number = None
    bypass_ticker_status: Flag = False

    def sent(self) -> dict[str, tuple]:
        """{column: spellings sent}, the one that wins first where both differ."""
        columns: dict[str, tuple] = {}
        for wire in _COLUMN:
            short = _SHORT.get(wire)
            sent = [key for key in (short, wire) if key in self.model_fields_set]
            values = tuple(getattr(self, key) for key in sent)
            if wire in _NEVER_CLEARED:
                values = tuple(value for value in values if value is not None)
            if values and wire != "rowid":
                columns[_COLUMN[wire]] = values
        return columns


class _Cancel(Body):
    order_id: Id
    symbol: Annotated[str | None, _optional(lambda v: _at_most(200)(to_text(v)))] = None
    cancel: Flag = False

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        return fills.cancel(order, bridge=self.symbol is not None)


class _Priced(_Cancel):
    stk_price: Annotated[float, BeforeValidator(to_number)]
    partial: Flag = False
    order_contracts: Any = None

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        contracts = self.order_contracts if self.partial else None
        return fills.price_leg(order, leg, self.stk_price, contracts)


class _Reported(_Cancel):
    price: Annotated[float, BeforeValidator(to_number)]
    filled_qty: Annotated[float, BeforeValidator(_not_negative)]

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        return fills.report(order, leg, self.price, self.filled_qty)


class Price(Body):
    """The price-only form of an order's update."""

    order_id: Id
    stk_price: Annotated[float, BeforeValidator(to_number)]
    symbol: ClassVar[None] = None

    def apply(self, order: fills.Order, leg: int) -> fills.Order:
        """The order after this message."""
        return fills.price_leg(order, leg, self.stk_price)


def read_order_update(body: Record) -> _Cancel:
    """A fill, partial fill or cancel; one with a symbol is the bridge's. Raises BadFields."""
    try:
        cancels = to_flag(body.get("cancel"))
    except ValueError:
        cancels = False
    if cancels:
        return check(_Cancel, body)
    if body.get("symbol") not in (None, ""):
        return check(_Reported, {"price": body.get("stk_price"), **body})
    return _read_priced(body)


def _read_priced(body: Record) -> _Priced:
    if "stk_price" not in body and "price" in body:
        body = {**body, "stk_price": body["price"]}
    update = check(_Priced, body)
    if update.partial:
        try:
            update.order_contracts = _above_zero(update.order_contracts)
        except ValueError:
            raise BadFields("missing contract amount to update partial fill") from None
    return update


# --- stocks, pairs, users ------------------------------------------------------------------


class StockForm(Body):
    """A stock in the seed's spelling."""

    symbol: Symbol
    prixch: Exchange = "SMART"
    secxch: Exchange = "ISLAND"
    active: Switch = 0

    def columns(self) -> Record:
        """The fields that were sent."""
        return {_STOCK[key]: getattr(self, key) for key in self.model_fields_set}


_STOCK = {
    "symbol": "symbol",
    "prixch": "exchange",
    "secxch": "primary_exchange",
    "active": "active",
    "sectype": "sectype",
    "currency": "currency",
    "order_type": "order_type",
    "active_pos": "position",
    "active_pnl": "pnl",
    "active_cost": "cost",
}
_PAIR = {
    "name": "name",
    "ticker1": "leg1",
    "ticker2": "leg2",
    "hedge": "hedge",
    "status": "active",
    "notes": "notes",
}
_REJECTED = {key: key for key in ("id", "timestamp", "address", "size", "reasons", "body", "known")}
_ACCOUNT = {
    "rowid": "id",
    "timestamp": "timestamp",
    "AvailableFunds": "available_funds",
    "BuyingPower": "buying_power",
    "DailyPnL": "daily_pnl",
    "GrossPositionValue": "gross_position_value",
    "MaintMarginReq": "maintenance_margin",
    "NetLiquidation": "net_liquidation",
    "RealizedPnL": "realized_pnl",
    "UnrealizedPnL": "unrealized_pnl",
}


def _leg(value: Any) -> str:
    text = to_text(value).strip()
    if not text:
        raise ValueError("required")
    return _at_most(50)(text)


class PairForm(Body):
    """A new pair."""

    ticker1: Annotated[str, BeforeValidator(_leg)]
    ticker2: Annotated[str, BeforeValidator(_leg)]
    hedge: Positive
    status: Switch = 0
    notes: Comment = None

    def columns(self) -> Record:
        """The fields that were sent; raises BadFields for a ticker that no leg can have."""
        if not (equation.is_symbol(self.ticker1) and equation.is_symbol(self.ticker2)):
            raise BadFields("problematic ticker!")
        return {_PAIR[key]: getattr(self, key) for key in self.model_fields_set}


class PairChange(Body):
    """A change of a pair, named by `name` or by its tickers."""

    name: Annotated[str | None, _optional(to_text)] = None
    ticker1: Annotated[str | None, _optional(_leg)] = None
    ticker2: Annotated[str | None, _optional(_leg)] = None
    hedge: Positive = 1.0
    status: Switch = 0
    notes: Comment = None

    def key(self) -> str:
        """The pair's name; raises BadFields."""
        if self.name:
            return self.name
        if self.ticker1 and self.ticker2:
            return f"{self.ticker1}-{self.ticker2}"
        raise BadFields({"name": "required, or both ticker1 and ticker2"})

    def columns(self) -> Record:
        """The fields that were sent."""
        sent = {_PAIR[key]: getattr(self, key) for key in self.model_fields_set - {"name"}}
        return {k: v for k, v in sent.items() if v is not None or k == "notes"}


class UserForm(Body):
    """A user to make, or a new password."""

    username: Annotated[str, BeforeValidator(_name)]
    password: Annotated[str, BeforeValidator(_password)]
    admin: Annotated[bool | None, BeforeValidator(lambda v: v if v is None else to_flag(v))] = None
    old_password: Annotated[str | None, BeforeValidator(lambda v: v and _password(v))] = None


class LoginForm(Body):
    """Who logs in, and for how many minutes."""

    username: Annotated[str, BeforeValidator(to_text), AfterValidator(_at_most(200))]
    password: Annotated[str, BeforeValidator(_password)]
    expire: Annotated[int, _optional(_whole(1, 1440), 10)] = 10


class PassphraseForm(Body):
    """A passphrase beside those of the settings; left out, one is made."""

    label: Annotated[str, BeforeValidator(_name)]
    passphrase: Annotated[str | None, _optional(lambda v: _at_most(200)(to_text(v)))] = None


STOCK_KEYS = ("symbol", "prixch", "secxch", "active")


def stock_record(columns: Record, keys: Iterable[str] = STOCK_KEYS) -> Record:
    """A stock as the seed spells it; `keys` may name more of its fields."""
    return {key: plain(columns[_STOCK[key]]) for key in keys}


def pair_record(columns: Record) -> Record:
    """A pair as the wire has it."""
    return {key: plain(columns[column]) for key, column in _PAIR.items()}


def rejected_record(columns: Record) -> Record:
    """A rejected alert; its reasons are {field: reason} or a sentence."""
    return {**columns, "reasons": orjson.loads(columns["reasons"])}


# --- events ------------------------------------------------------------------------------


def _account_record(columns: Record) -> Record:
    return {key: plain(columns[column]) for key, column in _ACCOUNT.items()}


_RECORDS: dict[str, Callable[[Record], Record]] = {
    "signal": signal_of,
    "stock": lambda columns: stock_record(columns, _STOCK),
    "pair": pair_record,
    "rejected": rejected_record,
    "account": _account_record,
}
_WIRE = {
    "signal": {column: wire for wire, column in SIGNAL_FIELDS}
    | {"filled1": "filled_qty1", "filled2": "filled_qty2"},
    "stock": {column: wire for wire, column in _STOCK.items()},
    "pair": {column: wire for wire, column in _PAIR.items()},
    "rejected": _REJECTED,
    "account": {column: wire for wire, column in _ACCOUNT.items()},
}


def event_record(event: Any) -> Record:
    """A stored event as REST answers it: {"changes": {field: [old, new]}} among others."""
    names = _WIRE[event.type.partition(".")[0]]
    return {
        "id": event.id,
        "time": event.time,
        "type": event.type,
        "subject": event.subject,
        "source": event.source,
        "changes": {names[k]: [plain(v) for v in pair] for k, pair in event.changed.items()},
    }


def event_message(type: str, event_id: int, columns: Record, changed: Iterable[str]) -> bytes:
    """One event as the websocket sends it, with the subject's full record."""
    noun = type.partition(".")[0]
    names = _WIRE[noun]
    return orjson.dumps(
        {
            "type": type,
            "event": event_id,
            noun: _RECORDS[noun](columns),
            "changed": [names[column] for column in changed],
        }
    )
