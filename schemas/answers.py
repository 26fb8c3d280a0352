"""What is answered beside the records: receipts, figures, positions, and all that is an error."""

from typing import Literal

from pydantic import Field

from schemas.records import Answer, Moment, Number, Text
from trading import positions


class Done(Answer):
    """What was done, in words."""

    EXAMPLE = {"message": "Item deleted"}

    message: str


class HowMany(Answer):
    """How many there are."""

    EXAMPLE = {"count": 3}

    count: int


class ToldPlace(Answer):
    """One of the places that alarms are sent to, and whether it took a message."""

    EXAMPLE = {"place": 1, "kind": "mailto", "sent": True}

    place: int
    kind: str
    sent: bool


class AlarmTest(Answer):
    """Who took the test message."""

    EXAMPLE = {"message": "1 of 1 took the message.", "places": [ToldPlace.EXAMPLE]}

    message: str
    places: list[ToldPlace]


class Receipt(Answer):
    """What became of an alert, and its signal."""

    EXAMPLE = {"message": "Signal created successfully.", "rowid": 1}

    message: Literal[
        "Signal created successfully.",
        "recorded with problematic ticker!",
        "recorded with unknown or passive ticker!",
        "Signal already recorded.",
    ]
    rowid: int
    warning: str | None = Field(None, description="what to mend in the alert's message")


class Slippage(Answer):
    """Averages; null where nothing has one."""

    EXAMPLE = {"all": 0.02, "buy": 0.03, "sell": -0.01}

    all: Number
    buy: Number
    sell: Number


class SlippageCost(Answer):
    """What slippage cost in one currency: its signals with a slippage, their legs' value traded."""

    EXAMPLE = {"money": -12.5, "value": 40310, "bp": -3.1, "signals": 7}

    money: Number = Field(description="slippage times contracts; above 0 is in your favour")
    value: Number = Field(description="price times quantity filled of all legs")
    bp: Number = Field(description="money in basis points of value; null where none is known")
    signals: int


class SlippageByAction(Answer):
    """The same for buys and for sells, each by the currency of leg 1."""

    EXAMPLE = {
        "buy": {"USD": {"money": -20, "value": 22100, "bp": -9.05, "signals": 4}},
        "sell": {"USD": {"money": 7.5, "value": 18210, "bp": 4.12, "signals": 3}},
    }

    buy: dict[str, SlippageCost]
    sell: dict[str, SlippageCost]


class Totals(Answer):
    """Sums over all signals that pass the filters."""

    EXAMPLE = {
        "count": 3,
        "quantity": 210,
        "by_status": {"filled": 2, "canceled": 1},
        "average_slippage": Slippage.EXAMPLE,
        "slippage": {"USD": SlippageCost.EXAMPLE},
        "slippage_by_action": SlippageByAction.EXAMPLE,
    }

    count: int
    quantity: Number
    by_status: dict[str, int]
    average_slippage: Slippage
    slippage: dict[str, SlippageCost] = Field(description="by the currency of leg 1")
    slippage_by_action: SlippageByAction


class Figures(Answer):
    """What waits and is open now, and what happened since."""

    EXAMPLE = {
        "waiting": 1,
        "open": 2,
        "filled": 5,
        "canceled": 1,
        "not_traded": 0,
        "errors": 0,
        "average_slippage": 0.02,
        "slippage": {"USD": SlippageCost.EXAMPLE},
        "last_alert": "2026-11-24 15:30:00",
    }

    waiting: int
    open: int
    filled: int
    canceled: int
    not_traded: int = Field(description="refused for a reason: a trade that did not happen")
    errors: int
    average_slippage: Number
    slippage: dict[str, SlippageCost] = Field(description="by the currency of leg 1")
    last_alert: Moment | None


class Holding(Answer):
    """What is held of one symbol."""

    EXAMPLE = {
        "symbol": "NMFC",
        "active_pos": 100,
        "active_cost": 12.5,
        "active_pnl": 14,
        "currency": "USD",
    }

    symbol: str
    active_pos: float
    active_cost: Number
    active_pnl: Number
    currency: str


class PairHolding(Answer):
    """A pair that is held; sums only where both legs have one currency."""

    EXAMPLE = {
        "name": "NMFC-ROIC",
        "active": 1,
        "hedge": 0.72,
        "actual_hedge": 0.72,
        "mark": positions.FINE,
        "active_pnl": 20,
        "currency": "USD",
        "unhedged_leg": None,
        "unhedged": 0,
        "unhedged_amount": 0,
        "legs": [
            Holding.EXAMPLE,
            Holding.EXAMPLE | {"symbol": "ROIC", "active_pos": -72, "active_pnl": 6},
        ],
    }

    name: str
    active: Literal[0, 1] = Field(description="0: the pair is paused while it is held")
    hedge: float
    actual_hedge: Number
    mark: Literal[positions.MARKS]
    active_pnl: Number
    currency: Text
    unhedged_leg: Literal[1, 2] | None = Field(description="of which too much is held")
    unhedged: Number
    unhedged_amount: Number
    legs: list[Holding]


class Total(Answer):
    """All positions in one currency: sums of what is known; null where nothing is."""

    EXAMPLE = {
        **{"currency": "USD", "active_pnl": 20, "long": 1250, "short": -900},
        "unknown": ["IBM"],
    }

    currency: str
    active_pnl: Number
    long: Number
    short: Number
    unknown: list[str] = Field(description="symbols whose PnL or cost is not known")


class Expectation(Answer):
    """What the newest alerts of all pairs and singles say is held of a symbol, and what is."""

    EXAMPLE = {"symbol": "NMFC", "expected": 100, "active_pos": 100}

    symbol: str
    expected: Number
    active_pos: float


class Unregistered(Answer):
    """A position that the bridge reports of a symbol that the registry does not know."""

    EXAMPLE = {
        "symbol": "PLTR",
        "active_pos": 7,
        "active_cost": 31.4,
        "active_pnl": 2,
        "reported": "2026-11-24 15:30:00",
    }

    symbol: str
    active_pos: float
    active_cost: float
    active_pnl: float
    reported: Moment


class Positions(Answer):
    """What is held: by pair, single, and in sum; what alerts expect; what nobody registered."""

    EXAMPLE = {
        "pairs": [PairHolding.EXAMPLE],
        "singles": [],
        "totals": [Total.EXAMPLE],
        "expected": [Expectation.EXAMPLE],
        "unregistered": [],
    }

    pairs: list[PairHolding]
    singles: list[Holding]
    totals: list[Total]
    expected: list[Expectation]
    unregistered: list[Unregistered]


class BridgeState(Answer):
    """When the bridge last asked, and what waits for it."""

    EXAMPLE = {"last_seen": "2026-11-24 15:30:00", "waiting": 1, "oldest_waiting_s": 12}

    last_seen: Moment | None
    waiting: int
    oldest_waiting_s: int | None


class Problem(Answer):
    """Why not: a sentence, or the reason for each faulty field."""

    EXAMPLE = {"message": "item not found."}

    message: str | dict[str, str]


class Unauthorized(Answer):
    """Why one may not, in words and, where a token is to blame, as a code."""

    EXAMPLE = {
        "message": "Request does not contain an access token.",
        "error": "authorization_required",
    }

    message: str
    error: str = ""
