"""What is answered, as the API's document shows it; records are built from the tables.

`models.record_of` and `schemas.records` build these answers. Every answer of the tests is checked
against them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

import peewee
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

import models
from models import SEED, STOCK, TWINS, Record
from trading import alarms, guards, positions, statuses

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", description="UTC")]
Text = str | None
Number = float | None


class Answer(BaseModel):
    """Something that is answered: all of its fields, and no others.

    `EXAMPLE` is built from the examples of the fields.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)

    EXAMPLE: ClassVar[Record] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        fields = cls.model_fields.items()
        shown = {name: each for name, each in fields if each.examples or each.is_required()}
        cls.EXAMPLE = {name: _example_of(each) for name, each in shown.items()}


def example(value: Any, text: str | None = None) -> Any:
    """A field that must be there: an example of its value, and what it means."""
    told = {"description": text} if text else {}  # else that of its type stays
    return Field(examples=[value], **told)


def _example_of(field: FieldInfo) -> Any:
    """The field's own example, else its only value, else the example of the answer it holds."""
    if field.examples:
        return field.examples[0]
    if get_origin(field.annotation) is Literal:
        return get_args(field.annotation)[0]
    if get_origin(field.annotation) is list:
        return [get_args(field.annotation)[0].EXAMPLE]
    return field.annotation.EXAMPLE


# --- records ----------------------------------------------------------------------------

_TYPES = {
    models.Moment: Moment,
    peewee.CharField: str,
    peewee.TextField: str,
    peewee.DoubleField: float,
    peewee.BigIntegerField: int,
    peewee.IntegerField: int,
    peewee.BigAutoField: int,
    peewee.BooleanField: bool,
}


def of_table(
    table: type[models.Base],
    name: str,
    text: str = "",
    keys: Mapping[str, str] | None = None,
    **beside: Any,
) -> type[Answer]:
    """The answer that shows rows of a table: {key: column}, else what its example has.

    `beside` are more fields, or other types for its columns, as (type, field).
    """
    keys = keys or {key: key for key in table.EXAMPLE}
    shown = {key: _column(table, column) for key, column in keys.items()} | beside
    return create_model(name, __base__=Answer, __doc__=text or table.__doc__, **shown)


def _column(table: type[models.Base], name: str) -> tuple[Any, Any]:
    column = table._meta.fields[name]
    kind = next(_TYPES[each] for each in type(column).mro() if each in _TYPES)
    kind = Literal[tuple(column.choices)] if column.choices else kind
    return kind | None if column.null else kind, example(table.EXAMPLE[name], column.help_text)


_SIGNAL = {key: key for key in models.SIGNAL_KEYS} | TWINS
SignalRecord = of_table(
    models.Signal,
    "SignalRecord",
    "A signal; `ticker1` and those after it repeat their `stk_` twins for the bridge.",
    _SIGNAL,
)
DrySignal = of_table(
    models.Signal,
    "DrySignal",
    "A signal as it would be stored; its rowid is null unless it is stored already.",
    _SIGNAL,
    rowid=(int | None, example(None)),
)
SignalChanged = of_table(
    models.Signal,
    "SignalChanged",
    "A signal as it is after a change.",
    {key: column for key, column in _SIGNAL.items() if key != "timestamp"},
)
StockRecord = of_table(
    models.Stock,
    "StockRecord",
    "A stock in the seed's spelling: `prixch` is where orders are routed to.",
    SEED,
)
TickerRecord = of_table(
    models.Stock,
    "TickerRecord",
    "A stock in the bridge's spelling: `xch` is where orders are routed to.",
)
StockState = of_table(
    models.Stock, "StockState", "A stock with all of its fields, as the websocket tells it.", STOCK
)
PairRecord = of_table(models.Pair, "PairRecord", "A pair; its name is both tickers.")
AccountRecord = of_table(models.AccountRecord, "AccountRecord")
RejectedRecord = of_table(
    models.RejectedAlert,
    "RejectedRecord",
    "An alert that could not become a signal.",
    reasons=(str | dict[str, str], example({"order_action": "required"})),
)
EventRecord = of_table(
    models.EventRow,
    "EventRecord",
    "One change: of each field what became what.",
    changes=(dict[str, tuple[Any, Any]], example(models.EventRow.EXAMPLE["changes"])),
)
AlarmRecord = of_table(
    models.Alarm,
    "AlarmRecord",
    "Something that is or was wrong, what it means and what to do.",
    title=(str, example(alarms.WORDS["waiting"].title)),
    advice=(str, example(alarms.WORDS["waiting"].advice)),
    page=(str, example("/dashboard?signal=7", "where a person acts on it")),
)
TokenRecord = of_table(models.ApiToken, "TokenRecord", "An API token without its text.")
TokenMade = of_table(
    models.ApiToken,
    "TokenMade",
    "The same with its text, which is told this once.",
    token=(Annotated[str, Field(pattern=r"^pairs_")], example("pairs_mZ3tq1bYc0K5...")),
)
Unregistered = of_table(models.Unregistered, "Unregistered")


class AuditRecord(Answer):
    """An act, or refusals of one kind from one address within a minute."""

    id: int = example(3)
    time: Moment = example("2026-11-24 15:30:00")
    what: str = example("pair.updated")
    who: str = example("admin")
    address: str = example("192.0.2.7")
    subject: str = example("NMFC-ROIC", "what it was done to")
    count: int = example(1)
    changes: Text = example(
        '{"status":[0,1]}', "of a registry change what became what, as JSON text"
    )


# --- receipts, sums, positions, errors --------------------------------------------------


class Done(Answer):
    """What was done, in words."""

    message: str = example("Item deleted")


class HowMany(Answer):
    """How many there are."""

    count: int = example(3)


class ToldPlace(Answer):
    """One of the places that alarms are sent to, and whether it took a message."""

    place: int = example(1)
    kind: str = example("mailto")
    sent: bool = example(True)
    why: Text = example(None, "why it took none, without its address")


class MessageKind(Answer):
    """A kind of messages beside the alarms, and how one would look."""

    kind: Literal[alarms.MESSAGES] = example("trips")
    on: bool = example(False, "by the setting `messages`")
    title: str = example("Pairs-API: Trip closed")
    text: str = example("NMFC-ROIC long 100: +68.00 USD, held 3 h 40 min, slippage +1.50")


class AlarmTest(Answer):
    """Who took the test message."""

    message: str = example("1 of 1 took the message.")
    places: list[ToldPlace]


Warned = Annotated[str | None, Field(description="what to mend in the alert's message")]


Ruled = Annotated[str | None, Field(description="why a rule holds the alert back")]


class Receipt(Answer):
    """What became of an alert, and its signal."""

    message: Literal[
        "Signal created successfully.",
        "recorded with problematic ticker!",
        "recorded with unknown or passive ticker!",
        "Signal already recorded.",
    ] = example("Signal created successfully.")
    rowid: int = example(1)
    warning: Warned = None
    reason: Ruled = None


class DryReceipt(Answer):
    """What would become of an alert, and its signal; nothing was stored."""

    dry: Literal[True]
    message: str = example("Nothing was stored; its status would be waiting.")
    rowid: int | None = example(None, "of the signal that the alert repeats, else null")
    signal: DrySignal | None = example(DrySignal.EXAMPLE, "null: it repeats a deleted one")
    warning: Warned = None
    reason: Ruled = None


class Slippage(Answer):
    """Averages; null where nothing has one."""

    all: Number = example(0.02)
    buy: Number = example(0.03)
    sell: Number = example(-0.01)


class SlippageCost(Answer):
    """What slippage cost in one currency: its signals with a slippage, their legs' value traded."""

    money: Number = example(-12.5, "slippage times contracts; above 0 is in your favour")
    value: Number = example(40310, "price times quantity filled of all legs")
    bp: Number = example(-3.1, "money in basis points of value; null where none is known")
    signals: int = example(7)


ByCurrency = Annotated[
    dict[str, SlippageCost],
    Field(description="by the currency of leg 1", examples=[{"USD": SlippageCost.EXAMPLE}]),
]


class SlippageByAction(Answer):
    """The same for buys and for sells, each by the currency of leg 1."""

    buy: dict[str, SlippageCost] = example(
        {"USD": {"money": -20, "value": 22100, "bp": -9.05, "signals": 4}}
    )
    sell: dict[str, SlippageCost] = example(
        {"USD": {"money": 7.5, "value": 18210, "bp": 4.12, "signals": 3}}
    )


class Totals(Answer):
    """Sums over all signals that pass the filters."""

    count: int = example(3)
    quantity: Number = example(210)
    by_status: dict[str, int] = example({"filled": 2, "canceled": 1})
    average_slippage: Slippage
    slippage: ByCurrency
    slippage_by_action: SlippageByAction


class HedgeState(Answer):
    """How many pairs are held hedged, unhedged, or have an order at the broker that works."""

    hedged: int = example(7)
    unhedged: int = example(1, "without those whose order is younger than `alarm_minutes`")
    amounts: dict[str, Number] = example({"USD": 24486}, "cost of the unhedged shares by currency")
    filling: int = example(1)
    filling_since: Moment | None = example("2026-11-24 15:29:18")


class LastChange(Answer):
    """The last thing that happened to a signal."""

    rowid: int = example(7)
    name: str = example("NMFC-ROIC")
    order_action: Literal["buy", "sell"] = example("sell")
    order_status: str = example("filled")
    status_msg: Text = example("")
    time: Moment = example("2026-11-24 15:29:48")


class Figures(Answer):
    """What waits and is open now, and what happened since."""

    waiting: int = example(1)
    held: int = example(0, "signals that wait for approval")
    open: int = example(2, "signals with an order at the broker that works")
    filled: int = example(5)
    canceled: int = example(1)
    not_traded: int = example(0, "refused for a reason: a trade that did not happen")
    failed: int = example(0, "by an error of the broker or the bridge")
    average_slippage: Number = example(0.02)
    slippage: ByCurrency
    last_alert: Moment | None = example("2026-11-24 15:30:00")
    account: AccountRecord | None = example(AccountRecord.EXAMPLE, "the newest record")
    hedge: HedgeState
    oldest_open: Moment | None = example("2026-11-24 15:29:18", "of what waits or works")
    last: LastChange | None = example(LastChange.EXAMPLE)


class Holding(Answer):
    """What is held of one symbol."""

    symbol: str = example("NMFC")
    active_pos: float = example(100)
    active_cost: Number = example(12.5)
    active_pnl: Number = example(14)
    currency: str = example("USD")
    mark: Number = example(12.64, "the price now: active_cost + active_pnl / active_pos")
    expected: Number = example(100, "what all newest alerts say is held; null: not known")


class WorkingOrder(Answer):
    """The newest order of a pair that is at the broker, and how much of `symbol` is filled."""

    rowid: int = example(7)
    symbol: str = example("NMFC")
    filled: Number = example(54)
    size: Number = example(90)
    order_status: Literal[statuses.PLACED] = example(statuses.PART_FILLED)
    since: Moment = example("2026-11-24 15:30:00")


class PairHolding(Answer):
    """A registered pair and what is held of it; sums only where both legs have one currency."""

    name: str = example("NMFC-ROIC")
    active: Literal[0, 1] = example(1, "0: the pair is paused")
    side: Literal[positions.SIDES] = example("long", "of leg 1")
    since: Moment | None = example(
        "2026-11-24 15:30:00", "when the position began; null: not known"
    )
    hedge: float = example(0.72)
    actual_hedge: Number = example(0.72)
    mark: Literal[positions.MARKS] = example(positions.FINE)
    broken: bool = example(False, "whether the hedge needs a person")
    active_pnl: Number = example(20)
    currency: Text = example("USD")
    unhedged_leg: Literal[1, 2] | None = example(None, "of which too much is held")
    unhedged: Number = example(0)
    unhedged_amount: Number = example(0)
    spread: Number = example(2.44, "mark of leg 1 minus hedge times that of leg 2")
    entry: Number = example(2.3, "the same of the average costs")
    working: WorkingOrder | None = example(None, "its order at the broker")
    legs: list[Holding] = example(
        [
            Holding.EXAMPLE,
            Holding.EXAMPLE
            | {"symbol": "ROIC", "active_pos": -72, "active_cost": 14.25, "active_pnl": 6}
            | {"mark": 14.17, "expected": -72},
        ]
    )


class Total(Answer):
    """All positions in one currency: sums of what is known; null where nothing is."""

    currency: str = example("USD")
    active_pnl: Number = example(20)
    long: Number = example(1250)
    short: Number = example(-900)
    unknown: list[str] = example(["IBM"], "symbols whose PnL or cost is not known")


class Expectation(Answer):
    """What the newest alerts of all pairs and singles say is held of a symbol, and what is."""

    symbol: str = example("NMFC")
    expected: Number = example(100)
    active_pos: float = example(100)


class Positions(Answer):
    """What is held: by pair, single, and in sum; what alerts expect; what nobody registered."""

    pairs: list[PairHolding]
    singles: list[Holding] = example([])
    totals: list[Total]
    expected: list[Expectation]
    unregistered: list[Unregistered] = example([])


Mode = Literal[guards.MODES]
Count = int | None


class Limits(Answer):
    """The most that is let through; null is no limit."""

    entries: Count = example(20, "entries a day")
    ticker_entries: Count = example(None, "entries a day of one ticker")
    contracts: Number = example(5000, "contracts of one order that enters")
    value: Number = example(None, "contracts times price of a single's order")
    open: Count = example(8, "pairs and singles with a position at once")
    loss: Number = example(2500, "loss of a day, in the account's currency")
    drawdown: Number = example(None, "loss since the highest net liquidation")


class UsedToday(Answer):
    """What of the limits is used; null is not known."""

    day: str = example("2026-11-24", "in the zone of the settings")
    entries: int = example(3, "entries that were let through")
    ticker_entries: dict[str, int] = example({"MA-V": 2, "AAPL": 1})
    open: int = example(2, "pairs and singles with a position")
    loss: Number = example(120.5, "null where no account record is recent")
    drawdown: Number = example(None)


class TradingState(Answer):
    """Which alerts are traded now, and what waits."""

    mode: Mode = example("on", "the stricter of this and the ticker's own holds")
    since: Moment | None = example("2026-11-24 15:30:00")
    by: Text = example("admin", "`system`: a limit of loss did it")
    reason: Text = example("Fed at 20:00")
    limits: Limits
    today: UsedToday
    held: int = example(0, "signals that wait for approval")
    waiting: int = example(1, "signals that the bridge may trade")
    at_broker: int = example(2, "signals with open orders")
    tickers: dict[str, Mode] = example({"MA-V": "exits"}, "tickers with a mode of their own")
    entry_minutes: Number = example(15, "after which an entry expires; 0: never")


class TradingChanged(TradingState):
    """The same, and what became of the signals that waited."""

    canceled: int = example(1, "signals that were canceled")
    cut: int = example(0, "reversals that were cut to their exit")


TradingRow = of_table(models.Trading, "TradingRow")


class BridgeState(Answer):
    """When the bridge last asked, and what waits for it."""

    last_seen: Moment | None = example("2026-11-24 15:30:00")
    waiting: int = example(1)
    oldest_waiting_s: int | None = example(12)


class Problem(Answer):
    """Why not: a sentence, or the reason for each faulty field."""

    message: str | dict[str, str] = example("item not found.")


class Unauthorized(Answer):
    """Why one may not, in words and, where a token is to blame, as a code."""

    message: str = example("Request does not contain an access token.")
    error: str = Field("", examples=["authorization_required"])


# --- ways in ----------------------------------------------------------------------------


class Tokens(Answer):
    """An access token and the refresh token that follows it."""

    access_token: str = example("eyJhbGciOi...")
    refresh_token: str = example("eyJhbGciOi...")


class LoginTokens(Tokens):
    """Tokens, and for how many minutes the access token holds."""

    expire: int = example(30)


class SessionState(Answer):
    """Whose session it is, and until when."""

    username: str = example("admin")
    admin: bool = example(True)
    expires: Moment = example("2026-11-24 16:00:00")
    extendable: bool = example(True)


class SessionRecord(Answer):
    """A running session."""

    id: str = example("hV0cRk3oQ1xN7bT2sLw9Zg")
    created: Moment = example("2026-11-24 15:00:00")
    expires: Moment = example("2026-12-24 15:00:00")
    current: bool = example(True)
    last_seen: Moment | None = example("2026-11-24 15:30:00")
    browser: str = example("Firefox on Linux")
    address: str = example("192.0.2.7")


class SessionsEnded(Answer):
    """How many sessions ended."""

    message: str = example("Sessions ended")
    ended: int = example(2)


class UserName(Answer):
    """A user."""

    username: str = example("admin")


class UserRecord(UserName):
    """A user, and whether they are an administrator."""

    admin: bool = example(True)


class FactorState(Answer):
    """Since when one's second factor is on (null: it is off), and how many codes are left."""

    since: Moment | None = example("2026-11-24 15:30:00")
    recovery_codes: int = example(10)


class FactorBegun(Answer):
    """What an authenticator needs, as text and as a QR code."""

    secret: Annotated[str, Field(pattern=r"^[A-Z2-7]{32}$")] = example(
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    )
    uri: Annotated[str, Field(pattern=r"^otpauth://totp/Pairs-API.*&issuer=Pairs-API")] = example(
        "otpauth://totp/Pairs-API%20example.com:admin"
        "?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Pairs-API%20example.com"
    )
    qr: Annotated[str, Field(pattern=r"^data:image/svg\+xml")] = example("data:image/svg+xml,...")


class RecoveryCodes(Answer):
    """Codes that each replace an authenticator's once."""

    recovery_codes: list[Annotated[str, Field(pattern=r"^[a-z2-7]{4}(-[a-z2-7]{4}){3}$")]] = (
        example(["k2hd-7pqa-m4zr-t3we", "x6vb-qn5l-2sjc-fy7u"])
    )


class FactorRecord(Answer):
    """A user with a second factor."""

    username: str = example("admin")
    since: Moment = example("2026-11-24 15:30:00")


class RefusedPosts(Answer):
    """How many posts left no row since this process started, by reason."""

    since: Moment = example("2026-11-24 08:00:00")
    address: int = example(0)
    passphrase: int = example(3)


class PassphraseRecord(Answer):
    """A passphrase without its text."""

    label: str = example("second-chart")
    last_used: Moment | None = example("2026-11-24 15:30:00")
    retired: Moment | None = example(None)
    origin: Literal["page", "settings"] = example("page")


class PassphraseMade(Answer):
    """A passphrase that was made."""

    message: str = example("'passphrase' created successfully.")
    passphrase: str = example("q2V9...")


class AlertTemplate(Answer):
    """What to paste into an alert, and where it goes."""

    template: str = example('{"passphrase": "***", ...}')
    webhook_url: str = example("https://example.com/v3/webhook")
    passphrase: str = example("***")


class BridgeFile(Answer):
    """The bridge's file, and whether this server refuses the bridge: no key lets it read."""

    config: str = example("[environment]\nENV : production\n...")
    refused: bool = example(False)


class EquationLeg(Answer):
    """A leg as the broker spells it, what its exchange tells, and its stock's state."""

    symbol: str = example("MA")
    exchange: Text = example("NYSE", "as it was named; null if none was")
    sectype: str = example("STK", "the most likely type of security")
    currency: str = example("USD", "the most likely one")
    certain: bool = example(True, "whether type and currency are certain")
    primary: Text = example("NYSE", "the broker's name of the exchange, if it is known")
    registered: bool = example(True)
    active: bool = example(False)


class EquationRead(Answer):
    """What an equation means, and what the registry knows of it."""

    name: str = example("MA-V")
    type: Literal["single", "pair"] = example("pair")
    hedge: Number = example(1.3)
    legs: list[EquationLeg]
    registered: bool = example(True)
    active: bool = example(True)
    registered_hedge: Number = example(1.3, "of the registered pair")
    weighed: bool = example(True, "whether the text says a hedge; without one it is 1")


# --- messages of the websocket ------------------------------------------------------------


class Hello(Answer):
    """The first message: the newest event, the server's time, the version of the pages' files."""

    type: Literal["hello"]
    event: int = example(7)
    server_time: Moment = example("2026-11-24 15:30:00")
    ping: Literal[True]
    assets: str = example("2f1c7b90aa3e")


class Pong(Answer):
    """The answer to a text with `ping` in it."""

    type: Literal["pong"]


class Resync(Answer):
    """Too much was missed to be told: read the lists anew."""

    type: Literal["resync"]


class BridgeHeard(Answer):
    """The bridge has asked what waits; only those who are logged in hear of it."""

    type: Literal["bridge"]
    last_seen: Moment | None = example("2026-11-24 15:30:00")
    waiting: int = example(1)
    oldest_waiting_s: int | None = example(12)


class AlarmsChanged(Answer):
    """An alarm began, ended or was seen: whoever shows them asks for the list."""

    type: Literal["alarms"]


class SignalEvent(Answer):
    """A signal was stored, changed or deleted."""

    type: Literal["signal.created", "signal.updated", "signal.deleted"] = example("signal.updated")
    event: int = example(7)
    signal: SignalRecord
    changed: list[str] = example(["order_status"])


class StockEvent(Answer):
    """A stock was registered, changed or deleted."""

    type: Literal["stock.created", "stock.updated", "stock.deleted"] = example("stock.updated")
    event: int = example(8)
    stock: StockState
    changed: list[str] = example(["active"])


class PairEvent(Answer):
    """A pair was registered, changed or deleted."""

    type: Literal["pair.created", "pair.updated", "pair.deleted"] = example("pair.updated")
    event: int = example(9)
    pair: PairRecord
    changed: list[str] = example(["status"])


class AccountEvent(Answer):
    """The account was recorded, or a record of it changed."""

    type: Literal["account.created", "account.updated", "account.deleted"] = example(
        "account.created"
    )
    event: int = example(10)
    account: AccountRecord
    changed: list[str] = example(["DailyPnL"])


class PositionEvent(Answer):
    """The bridge reported a position."""

    type: Literal["position.updated"]
    event: int = example(11)
    position: TickerRecord
    changed: list[str] = example(["active_pos", "active_pnl"])


class RejectedEvent(Answer):
    """An alert was rejected or dealt with; only those who are logged in hear of it."""

    type: Literal["rejected.created", "rejected.deleted"] = example("rejected.created")
    event: int = example(12)
    rejected: RejectedRecord
    changed: list[str] = example(["body"])


class TradingEvent(Answer):
    """The mode or a limit was set; only those who are logged in hear of it."""

    type: Literal["trading.created", "trading.updated"] = example("trading.updated")
    event: int = example(13)
    trading: TradingRow
    changed: list[str] = example(["mode", "since", "by", "reason"])


Event = (
    SignalEvent
    | StockEvent
    | PairEvent
    | AccountEvent
    | PositionEvent
    | RejectedEvent
    | TradingEvent
)
MESSAGES = (
    *(Hello, SignalEvent, StockEvent, PairEvent, AccountEvent, PositionEvent, RejectedEvent),
    TradingEvent,
    *(BridgeHeard, AlarmsChanged, Pong, Resync),
)


class Missed(Answer):
    """What followed an event, for a host that holds no websocket open."""

    event: int = example(7)
    server_time: Moment = example("2026-11-24 15:30:00")
    assets: str = example("2f1c7b90aa3e")
    messages: list[Event | BridgeHeard | Resync] = example([SignalEvent.EXAMPLE])
