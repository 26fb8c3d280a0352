"""What becomes of an alert before it trades: modes, hours, limits and age, as pure functions.

An alert is judged here when it is stored, when a person offers it again, and when a mode changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

from trading import alerts, instants, statuses
from trading.hours import Hours

ON, ASK, EXITS, OFF = "on", "ask", "exits", "off"
MODES = (ON, ASK, EXITS, OFF)  # the stricter one comes later
MODE_WORDS = {
    ON: "Every alert is traded.",
    ASK: "Entries and reversals wait for approval.",
    EXITS: "Only exits are traded.",
    OFF: "Nothing is traded.",
}

# The kinds of alerts. SYNC is the bridge's own order, which completes a leg.
ENTRY, EXIT, REVERSAL, SYNC = "entry", "exit", "reversal", "sync"
KINDS = (ENTRY, EXIT, REVERSAL, SYNC)
ENTERING = (ENTRY, REVERSAL)

CLOCKS_DIFFER = 60  # seconds between the clocks of machines that share a database, at most
FRESH = 900  # seconds; an older account record does not tell today's loss

Row = Mapping[str, Any]


def stricter(*modes: str) -> str:
    """The strictest of these modes."""
    return max(modes, key=MODES.index)


def kind_of(row: Row) -> str:
    """The kind of an alert, by the positions before and after it.

    An exit makes a position smaller, a reversal ends on the other side; anything else is an entry,
    also if the alert carries no positions.
    """
    if alerts.is_from_bridge(row["status_msg"], row["order_comment"]):
        return SYNC
    before, after = row["pre_mar_pos"], row["mar_pos"]
    if before not in ("long", "short"):
        return ENTRY
    smaller = after == before and row["mar_pos_size"] < row["pre_mar_pos_size"]
    if after == "flat" or smaller:
        return EXIT
    return REVERSAL if after in ("long", "short") and after != before else ENTRY


class Limits(NamedTuple):
    """The most that is let through; None: no limit.

    `entries` a day, `ticker_entries` a day for each ticker; `contracts` and `value` (contracts
    times price, of singles) of one order; `open`: pairs and singles with a position; `loss` of the
    day and `drawdown`, both in the account's currency.
    """

    entries: int | None = None
    ticker_entries: int | None = None
    contracts: float | None = None
    value: float | None = None
    open: int | None = None
    loss: float | None = None
    drawdown: float | None = None


NO_LIMITS = Limits()


class Today(NamedTuple):
    """What was let through: entries of today, those of this ticker, and open tickers.

    `is_open` says whether this ticker is one of the open ones.
    """

    entries: int = 0
    ticker_entries: int = 0
    open: int = 0
    is_open: bool = False


NOTHING = Today()


@dataclass(frozen=True)
class Policy:
    """The rules of the settings: how long an entry may wait, and when it may come."""

    entry_minutes: float = 0.0
    hours: Hours = Hours((), (), "")
    zone: str = ""

    def expires(self, alert_time: str | None, arrived: float) -> str | None:
        """The second from which an entry is not offered any more; None: it never expires.

        It counts from the alert's own time, or from its arrival (in Unix seconds) if that is
        earlier or the only one.
        """
        if not self.entry_minutes:
            return None
        began = min(instants.unix(alert_time), arrived) if alert_time else arrived
        seconds = ceil(round(self.entry_minutes * 60, 6))  # instants have no fractions
        return instants.from_epoch(int(began) + seconds)

    def latest(self, now: float) -> str:
        """The last second in which an alert that arrives `now` (Unix seconds) may expire.

        It leaves room for the clocks of several machines, which may differ.
        """
        return self.expires(None, now + CLOCKS_DIFFER) or instants.LAST

    @property
    def expired(self) -> str:
        """The message of an alert that has waited too long."""
        return f"{statuses.EXPIRED}{self.entry_minutes:g} min"


NO_RULES = Policy()  # nothing expires, and any time will do


class Decision(NamedTuple):
    """The fields that a decision changes in an alert's row, and the rule that decided.

    Without a rule the alert is offered as it came.
    """

    fields: dict[str, Any]
    rule: str | None = None


PASSED = Decision({})


def decide(
    row: Row, mode: str, policy: Policy, limits: Limits, today: Today, now: float
) -> Decision:
    """What becomes of an alert that the registry accepts, and that arrives `now` (Unix seconds).

    The mode comes first, then age, hours, sizes and counts. What enters beyond a rule is canceled;
    a reversal is cut to its exit, but one that is too old is canceled whole.
    """
    decided = PASSED if mode == ON else by_mode(row, mode)
    kind = kind_of(row)
    if decided.rule == "mode" or kind not in ENTERING:
        return decided
    expires = policy.expires(row["alert_time"], now)
    if expires and expires <= instants.from_epoch(now):
        return _canceled(policy.expired, "age")
    if not policy.hours.allow(now):
        return _held_back(row, kind, statuses.OUTSIDE_HOURS, "hours")
    if limits != NO_LIMITS and (reason := _beyond(row, limits, today)):
        return _held_back(row, kind, f"{statuses.LIMIT}{reason}", "limit")
    return Decision(decided.fields | {"expires": expires}, decided.rule)


def by_mode(row: Row, mode: str) -> Decision:
    """What a mode makes of an alert; the rule is `mode`, or `ask` if the alert is held."""
    kind = kind_of(row)
    if mode == OFF:
        return _canceled(statuses.TRADING_OFF, "mode")
    if mode == ON or kind not in ENTERING:
        return PASSED
    if mode == ASK:
        held = {"order_status": statuses.HELD, "status_msg": statuses.HELD_MESSAGE}
        return Decision(held, "ask")
    if kind == REVERSAL and row["pre_mar_pos_size"]:
        return Decision(_cut(row, statuses.CUT), "mode")
    return _canceled(statuses.ENTRIES_OFF, "mode")


def _canceled(message: str, rule: str) -> Decision:
    return Decision({"order_status": statuses.CANCELED, "status_msg": message}, rule)


def _held_back(row: Row, kind: str, message: str, rule: str) -> Decision:
    if kind == REVERSAL and row["pre_mar_pos_size"]:
        return Decision(_cut(row, f"{statuses.CUT}, {message}"), rule)
    return _canceled(message, rule)


def _cut(row: Row, message: str) -> dict[str, Any]:
    """The fields of a reversal that becomes its exit: the size that is held, and then flat.

    An order that is smaller than that keeps its size: no rule makes an order larger.
    """
    return {
        "order_contracts": min(row["order_contracts"], row["pre_mar_pos_size"]),
        "mar_pos": "flat",
        "mar_pos_size": 0.0,
        "order_status": statuses.WAITING,
        "status_msg": message,
        "expires": None,
        "strategy_pos": alerts.signed(row["mar_pos"], row["mar_pos_size"]),
    }


def _beyond(row: Row, limits: Limits, today: Today) -> str | None:
    """The limit that an entry exceeds, with its figures; None if there is none."""
    contracts, price = row["order_contracts"], row["order_price"]
    if limits.contracts is not None and contracts > limits.contracts:
        return f"{contracts:,.10g} contracts, at most {limits.contracts:,.10g}"
    if limits.value is not None and price is not None and row["stk_ticker2"] is None:
        value = contracts * abs(price)
        if value > limits.value:
            return f"worth {value:,.2f}, at most {limits.value:,.2f}"
    if limits.entries is not None and today.entries >= limits.entries:
        return f"{today.entries} of {limits.entries} entries today"
    if limits.ticker_entries is not None and today.ticker_entries >= limits.ticker_entries:
        return f"{today.ticker_entries} of {limits.ticker_entries} entries of this ticker today"
    if limits.open is not None and not today.is_open and today.open >= limits.open:
        return f"{today.open} of {limits.open} tickers open"
    return None


def suppresses_exit(row: Row) -> bool:
    """Whether a rule has canceled a signal that would have made a position smaller."""
    is_ruled = (row["status_msg"] or "").startswith(statuses.RULED)
    return row["order_status"] == statuses.CANCELED and is_ruled and kind_of(row) != ENTRY


def rule_of(message: str | None) -> str | None:
    """The rule whose message this is: mode, ask, age, hours, limit or person; None for others."""
    message = message or ""
    message = message.removeprefix(f"{statuses.CUT}, ")
    return next((rule for begins, rule in _RULES.items() if message.startswith(begins)), None)


_RULES = {
    statuses.ENTRIES_OFF: "mode",
    statuses.TRADING_OFF: "mode",
    statuses.CUT: "mode",
    statuses.HELD_MESSAGE: "ask",
    statuses.EXPIRED: "age",
    statuses.OUTSIDE_HOURS: "hours",
    statuses.LIMIT: "limit",
    statuses.REFUSED_BY: "person",
}
RULES = tuple(dict.fromkeys(_RULES.values()))
TOLD = ("age", "hours", "limit")  # rules whose refusals are an alarm; the others a person has set


class Loss(NamedTuple):
    """What the account has lost: today, and since its highest value; None: not known."""

    today: float | None = None
    drawdown: float | None = None

    def beyond(self, limits: Limits) -> str | None:
        """The limit that is exceeded, with its figures; None if there is none."""
        for name, lost, most in (
            ("daily loss", self.today, limits.loss),
            ("drawdown", self.drawdown, limits.drawdown),
        ):
            if lost is not None and most is not None and lost > most:
                return f"{name} {lost:,.2f}, at most {most:,.2f}"
        return None


def loss_of(record: Row | None, peak: float | None, now: float) -> Loss:
    """The loss that an account record tells `now`; one older than FRESH tells nothing."""
    if record is None or now - instants.unix(record["timestamp"]) > FRESH:
        return Loss()
    pnl, net = record["DailyPnL"], record["NetLiquidation"]
    return Loss(
        None if pnl is None else max(0.0, -pnl),
        None if net is None or peak is None else max(0.0, peak - net),
    )
