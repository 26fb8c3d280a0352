"""What is answered: the records of signals, the registry, the account and its positions.

They describe; the functions beside the forms write them. That both agree is tested with every
answer of the tests.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from schemas.values import Record
from trading import alarms

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", description="UTC")]
Text = str | None
Number = float | None
Kind = Literal["single", "pair"] | None
Side = Literal["long", "short", "flat"] | None


class Answer(BaseModel):
    """Something that is answered: all of its fields, and no others."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    EXAMPLE: ClassVar[Record] = {}


class SignalRecord(Answer):
    """A signal; `ticker1` and those after it repeat their `stk_` twins for the bridge."""

    EXAMPLE = {
        "rowid": 1,
        "timestamp": "2026-11-24 15:30:00",
        "ticker": "MA-3*V",
        "order_action": "buy",
        "order_contracts": 10,
        "order_price": -2,
        "mar_pos": "long",
        "mar_pos_size": 10,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long",
        "order_status": "filled",
        "ticker_type": "pair",
        "stk_ticker1": "MA",
        "stk_ticker2": "V",
        "hedge_param": 3,
        "order_id1": 1010,
        "order_id2": 1011,
        "stk_price1": 300.1,
        "stk_price2": 100.756,
        "fill_price": -2.168,
        "slip": 0.168,
        "error_msg": None,
        "status_msg": "",
        "ticker1": "MA",
        "ticker2": "V",
        "price1": 300.1,
        "price2": 100.756,
    }

    rowid: int
    timestamp: Moment
    ticker: str = Field(description="as it was sent")
    order_action: Literal["buy", "sell"]
    order_contracts: float
    order_price: Number
    mar_pos: Side = Field(description="position after the order")
    mar_pos_size: float
    pre_mar_pos: Side = Field(description="position before the order")
    pre_mar_pos_size: float
    order_comment: Text
    order_status: str
    ticker_type: Kind
    stk_ticker1: Text
    stk_ticker2: Text
    hedge_param: Number = Field(description="how many of leg 2 for one of leg 1")
    order_id1: int | None
    order_id2: int | None
    stk_price1: Number
    stk_price2: Number
    fill_price: Number = Field(description="price of leg 1 less the hedge times that of leg 2")
    slip: Number = Field(description="above 0 is in the trader's favour")
    error_msg: Text
    status_msg: Text
    ticker1: Text
    ticker2: Text
    price1: Number
    price2: Number


def _without(record: type[Answer], left_out: str, name: str, text: str) -> type[Answer]:
    fields = {
        key: (field.annotation, field)
        for key, field in record.model_fields.items()
        if key != left_out
    }
    made = create_model(name, __base__=Answer, __doc__=text, **fields)
    made.EXAMPLE = {key: value for key, value in record.EXAMPLE.items() if key != left_out}
    return made


SignalChanged = _without(
    SignalRecord, "timestamp", "SignalChanged", "A signal as it is after a change."
)


class StockRecord(Answer):
    """A stock in the seed's spelling: `prixch` is where orders are routed to."""

    EXAMPLE = {"symbol": "AAPL", "prixch": "SMART", "secxch": "ISLAND", "active": 1}

    symbol: str
    prixch: str
    secxch: str
    active: Literal[0, 1]


class TickerRecord(Answer):
    """A stock in the bridge's spelling: `xch` is where orders are routed to."""

    EXAMPLE = {
        "symbol": "AAPL",
        "sectype": "STK",
        "xch": "SMART",
        "prixch": "ISLAND",
        "currency": "USD",
        "order_type": "RELATIVE",
        "active": 1,
        "active_pos": 7,
        "active_pnl": 14,
        "active_cost": 148.123,
    }

    symbol: str
    sectype: Literal["STK", "CASH", "CRYPTO"]
    xch: str
    prixch: str
    currency: str
    order_type: str
    active: Literal[0, 1]
    active_pos: float
    active_pnl: Number
    active_cost: Number


class StockState(StockRecord):
    """A stock with all of its fields, as the websocket tells it."""

    EXAMPLE = StockRecord.EXAMPLE | {
        key: TickerRecord.EXAMPLE[key]
        for key in (
            *("sectype", "currency", "order_type"),
            *("active_pos", "active_pnl", "active_cost"),
        )
    }

    sectype: Literal["STK", "CASH", "CRYPTO"]
    currency: str
    order_type: str
    active_pos: float
    active_pnl: Number
    active_cost: Number


class PairRecord(Answer):
    """A pair; its name is both tickers."""

    EXAMPLE = {
        "name": "NMFC-ROIC",
        "ticker1": "NMFC",
        "ticker2": "ROIC",
        "hedge": 0.72,
        "status": 1,
        "notes": None,
    }

    name: str
    ticker1: str
    ticker2: str
    hedge: float
    status: Literal[0, 1] = Field(description="1: its signals are traded")
    notes: Text


class AccountRecord(Answer):
    """The account at an instant, in its currency; null where a figure is not known."""

    EXAMPLE = {
        "rowid": 1,
        "timestamp": "2026-11-24 15:30:00",
        "AvailableFunds": 80001,
        "BuyingPower": 320001,
        "DailyPnL": 12.3,
        "GrossPositionValue": 20000,
        "MaintMarginReq": 5000,
        "NetLiquidation": 100000,
        "RealizedPnL": 90.1,
        "UnrealizedPnL": -56.8,
    }

    rowid: int
    timestamp: Moment
    AvailableFunds: Number
    BuyingPower: Number
    DailyPnL: Number
    GrossPositionValue: Number
    MaintMarginReq: Number
    NetLiquidation: Number
    RealizedPnL: Number
    UnrealizedPnL: Number


class RejectedRecord(Answer):
    """An alert that could not become a signal."""

    EXAMPLE = {
        "id": 1,
        "timestamp": "2026-11-24 15:30:00",
        "address": "52.89.214.238",
        "size": 59,
        "reasons": {"order_action": "required"},
        "body": '{"passphrase": "***", "ticker": "AAPL"}',
        "known": True,
    }

    id: int
    timestamp: Moment
    address: str
    size: int
    reasons: str | dict[str, str]
    body: Text = Field(description="its text, kept where a passphrase occurs in it, masked")
    known: bool


class EventRecord(Answer):
    """One change: of each field what became what."""

    EXAMPLE = {
        "id": 7,
        "time": "2026-11-24 15:30:05",
        "type": "signal.updated",
        "subject": "1",
        "source": "bridge",
        "changes": {"order_status": ["waiting", "created"], "order_id1": [None, 1010]},
    }

    id: int
    time: Moment
    type: str
    subject: str
    source: str
    changes: dict[str, tuple[Any, Any]]


class AlarmRecord(Answer):
    """Something that is or was wrong, what it means and what to do; times in UTC."""

    EXAMPLE = {
        "id": 1,
        "kind": alarms.WAITING,
        "subject": "7",
        "what": "Signal 7, NMFC-0.72*NASDAQ:ROIC, has been waiting since 15:30.",
        "number": 1,
        "since": "2026-11-24 15:30:00",
        "opened": "2026-11-24 15:35:00",
        "acknowledged": None,
        "acknowledged_by": None,
        "closed": None,
        "notified": "2026-11-24 15:35:02",
        "title": alarms.TITLES[alarms.WAITING],
        "advice": alarms.ADVICE[alarms.WAITING],
    }

    id: int
    kind: Literal[alarms.KINDS]
    subject: str
    what: str
    number: float = Field(description="of signals or shares; of the subject `more`, of alarms")
    since: Moment
    opened: Moment
    acknowledged: Moment | None
    acknowledged_by: str | None
    closed: Moment | None
    notified: Moment | None
    title: str
    advice: str
