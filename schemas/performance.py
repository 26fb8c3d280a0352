"""What the books answer: trips, performance, and the series of a pair's chart."""

from typing import Literal

from schemas.answers import Answer, ByCurrency, Moment, Number, Text, example
from schemas.requests import Flag, Since, Until, Words
from schemas.values import Body

Money = dict[str, Number]
Seconds = int | None


class PerformanceQuery(Body):
    """Of which period, and of which pair or single."""

    EXAMPLE = {"since": "2026-11-01", "until": "2026-11-30"}

    ticker: Words = None
    since: Since = None
    until: Until = None


class TripsQuery(PerformanceQuery):
    """Which trips: those that ended in the period, and those that are open."""

    EXAMPLE = {"ticker": "NMFC-ROIC", "since": "2026-11-01"}

    open: Flag = None


class TripRecord(Answer):
    """A ticker's way from flat to flat; `closed` is null while it is open."""

    ticker: str = example("NMFC-ROIC")
    side: Literal["long", "short"] = example("long", "of leg 1")
    opened: Moment = example("2026-11-24 15:30:00")
    closed: Moment | None = example("2026-11-24 19:10:00")
    held_s: int = example(13200)
    contracts: float = example(100, "the largest position of leg 1")
    entry: Number = example(2.24, "average price of getting in; of a pair the spread")
    exit: Number = example(2.92)
    pnl: Number = example(68, "realised; null if it is incomplete, or its legs have two currencies")
    currency: Text = example("USD")
    slip_money: Number = example(1.5, "slippage times contracts; above 0 is good for the trader")
    commission_est: Number = example(4, "an estimate from the settings")
    signals: list[int] = example([1, 7])
    left_over: float = example(0, "shares of leg 2 that rounding left")
    incomplete: bool = example(False, "it began before the records")


TRIP_KEYS = tuple(TripRecord.model_fields)


class _Statistics(Answer):
    trips: int = example(12, "closed trips whose PnL is known")
    wins: int = example(7)
    losses: int = example(5)
    win_rate: Number = example(0.5833, "0 to 1")
    profit_factor: Number = example(1.4, "sum of wins by sum of losses; null without losses")
    average_win: Number = example(210.5)
    average_loss: Number = example(-150.25)
    expectancy: Number = example(60.2, "average PnL of a trip")
    median_held_s: Seconds = example(7200)


class Drawdown(Answer):
    """The largest fall of the realised PnL from a high."""

    amount: Number = example(320.5)
    since: Moment | None = example("2026-11-20 15:00:00", "of the high; null: from the start")
    until: Moment = example("2026-11-22 18:00:00")


class CurrencyResult(_Statistics):
    """What was earned in one currency."""

    realised: Number = example(722.4)
    unrealised: Number = example(120, "as the bridge reports it now")
    drawdown: Drawdown | None = example(Drawdown.EXAMPLE)
    slip_money: Number = example(-12.5)
    slip_bp: Number = example(-1.2, "basis points of the value traded")
    commission_est: Number = example(48, "an estimate from the settings")


class TickerResult(_Statistics):
    """What a pair or single has earned."""

    ticker: str = example("NMFC-ROIC")
    currency: str = example("USD", "of leg 1")
    realised: Money = example({"USD": 68})
    open: bool = example(False)


class DayResult(Answer):
    """Realised PnL of a day, UTC."""

    day: str = example("2026-11-24")
    realised: Money = example({"USD": 68})


class HourResult(Answer):
    """Realised PnL by hour of the day, UTC."""

    hour: int = example(19)
    realised: Money = example({"USD": 68})


class SideResult(_Statistics):
    """Trips of one side in one currency."""

    side: Literal["long", "short"] = example("long")
    currency: str = example("USD")
    realised: Number = example(68)


class SlipGroup(Answer):
    """Slippage of the signals with something in common."""

    name: str = example("NMFC-ROIC")
    slippage: ByCurrency


class BadSlip(Answer):
    """One of the worst slippages."""

    rowid: int = example(7)
    ticker: str = example("NMFC-ROIC")
    time: Moment = example("2026-11-24 19:10:00")
    slip_money: Number = example(-8.5)
    currency: str = example("USD")


class SlippageReport(Answer):
    """What slippage cost, by what the signals have in common."""

    tickers: list[SlipGroup]
    hours: list[SlipGroup] = example([])
    actions: list[SlipGroup] = example([])
    kinds: list[SlipGroup] = example([])
    order_types: list[SlipGroup] = example([], "as leg 1 is registered now")
    worst: list[BadSlip]


class Outcomes(Answer):
    """What became of the alerts."""

    filled: int = example(40)
    partial: int = example(1)
    working: int = example(2)
    not_needed: int = example(3)
    not_traded: int = example(2)
    failed: int = example(0)
    rejected: int = example(1, "alerts that could not be read")
    missing: int = example(0, "alerts that never came")
    reasons: dict[str, int] = example({"the ticker is not registered": 2})


class Spread(Answer):
    """Seconds: median, 95th percentile and number."""

    median: Number = example(1)
    p95: Number = example(9)
    n: int = example(40)


class Latency(Answer):
    """How long each step took; the bridge polls every 10 s and reports fills every 5 min."""

    alert_received: Spread
    received_created: Spread
    created_fill: Spread
    fill_filled: Spread


class AccountFigures(Answer):
    """What the account itself says."""

    timestamp: Moment = example("2026-11-24 15:30:00")
    DailyPnL: Number = example(12.3)
    RealizedPnL: Number = example(90.1)
    UnrealizedPnL: Number = example(-56.8)


class Performance(Answer):
    """What the fills of a period brought; money of two currencies is never added."""

    currencies: dict[str, CurrencyResult] = example({"USD": CurrencyResult.EXAMPLE})
    pairs: list[TickerResult]
    days: list[DayResult]
    hours: list[HourResult]
    sides: list[SideResult]
    slippage: SlippageReport
    outcomes: Outcomes
    latency: Latency
    incomplete: int = example(0, "trips that began before the records; they count nowhere")
    account: AccountFigures | None = example(AccountFigures.EXAMPLE)


class FillMark(Answer):
    """A signal that was filled."""

    rowid: int = example(7)
    time: Moment = example("2026-11-24 15:30:00")
    order_action: Literal["buy", "sell"] = example("buy")
    contracts: float = example(100)
    price: Number = example(2.24)
    slip_money: Number = example(1.5)


class SpreadPoint(Answer):
    """The spread at a report of the positions."""

    time: Moment = example("2026-11-24 15:35:00")
    spread: Number = example(2.31)


class PairSeries(Answer):
    """What a pair's chart shows. Distances are above 0 if they are good for the open trip."""

    name: str = example("NMFC-ROIC")
    fills: list[FillMark]
    trips: list[TripRecord]
    spreads: list[SpreadPoint]
    entry: Number = example(2.24)
    now: Number = example(2.31)
    distance: Number = example(0.07)
    favourable: Number = example(0.12, "the best distance so far")
    adverse: Number = example(-0.02, "the worst")
    mean: Number = example(None, "from 30 reports on")
    sigma: Number = example(None)
    median_held_s: Seconds = example(7200)
    left_over: float = example(0, "shares of leg 2 that rounding left, while it is flat")
