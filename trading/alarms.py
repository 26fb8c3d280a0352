"""Alarms: what each kind means, when it begins and when it is over, as pure functions.

Instants are Unix seconds here. Stored instants are cut off to whole seconds: what they tell of may
have happened up to a second later. No rule calls something late before it surely is.

To add a kind, add it to `WORDS` and add its cases in `services/survey.py` (what lasts),
`services/happenings.py` (what an event tells) or `services/holdings.py` (positions).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from trading import fills, guards, statuses
from trading.positions import Hedge

CUT_OFF = 1.0  # seconds that a stored instant may lie behind
# Messages beside the alarms: trips that closed, entries that a rule refused, a day's summary.
MESSAGES = ("trips", "refused", "summary")
MORE = "more"  # the subject of the one alarm for all that are too many of a kind
Row = Mapping[str, Any]


def is_offered(row: Row) -> bool:
    """Whether the signal waits for the bridge."""
    return row["order_status"] in statuses.OFFERED


def unfilled_leg(row: Row) -> int | None:
    """The leg of a pair (1 or 2) that is not filled while the other one is."""
    try:
        return fills.lagging_leg(fills.order_of(row))
    except ValueError:  # the numbers do not tell
        return None


def lagging_leg(row: Row) -> int | None:
    """The unfilled leg of a pair that may still fill."""
    return unfilled_leg(row) if row["order_status"] in statuses.HALF_WAY else None


def outcome_kind(row: Row) -> str | None:
    """The kind of alarm that a signal which ended is, if any.

    What a rule has refused is no alarm by itself; an exit that it has stopped is one.
    """
    if guards.suppresses_exit(row):
        return "exit"
    kinds = {statuses.FAILED: "error", statuses.NOT_TRADED: "not_traded"}
    if (row["status_msg"] or "").startswith(statuses.RULED):
        return None
    return kinds.get(statuses.classify(row["order_status"], row["status_msg"]))


def is_held(row: Row) -> bool:
    """Whether the signal waits for a person's approval."""
    return row["order_status"] == statuses.HELD


class Kind(NamedTuple):
    """A kind of alarm.

    An alarm that `happened` stays open until a person has seen it; the others end by themselves.
    `goes_on` reads the row of the signal or rejected alert that the alarm is about: the alarm is
    over once that is False or the row is gone. It is None for a kind that no row ends. `page` is
    where a person acts: `{}` in it stands for the alarm's subject. With `adds_up` one alarm counts
    all that happens until a person has seen it, and is told once.
    """

    title: str
    advice: str
    happened: bool = False
    goes_on: Callable[[Row], bool] | None = None
    page: str = "/dashboard?signal={}"
    adds_up: bool = False


# The gravest first: alarms are listed, shown and sent in this order.
WORDS = {
    "unhedged": Kind(
        "A pair is not hedged",
        "Look at the positions in TWS: buy or sell the leg that is missing, or close the one "
        "that is left. It is over once the positions match again.",
        page="/positions?pair={}",
    ),
    "leg": Kind(
        "One leg is filled, the other is not",
        "The pair is not hedged. Look at the open order in TWS: let it fill, change its price, or "
        "close the filled leg.",
        goes_on=lambda row: lagging_leg(row) is not None,
    ),
    "stopped": Kind(
        "The server has stopped entries",
        "A loss is beyond its limit: only exits are traded. Set the mode back by hand when you "
        "want to enter again; while the loss lasts, the next report stops entries again.",
        happened=True,
        page="/setup#limits",
    ),
    "exit": Kind(
        "An exit was not traded",
        "The strategy has left a position that the account may still hold. Look at the position, "
        "and close it by hand or offer the signal again.",
        happened=True,
        goes_on=lambda row: outcome_kind(row) == "exit",
    ),
    "bridge": Kind(
        "The bridge is silent",
        "See whether the bridge and TWS or Gateway run and reach this server, and restart the "
        "bridge. Nothing is traded until it asks again.",
        page="/setup#bridge",
    ),
    "expected": Kind(
        "The account holds something else than the strategies",
        "See in TWS what was filled and what not, and trade the difference by hand.",
        page="/positions",
    ),
    "missed": Kind(
        "An alert is missing",
        "Compare the strategy's position with the account's, trade the difference by hand, and "
        "look at TradingView's alert log for the one that did not arrive.",
        happened=True,
    ),
    "error": Kind(
        "A signal failed",
        "Nothing may have been traded. Read the message, mend the cause, then set the signal "
        "to waiting or trade it by hand.",
        happened=True,
        goes_on=lambda row: outcome_kind(row) == "error",
    ),
    "not_traded": Kind(
        "An alert was not traded",
        "The strategy holds it, the account does not. Read the reason, mend its cause in "
        "the registry or the alert, then set the signal to waiting or trade it by hand.",
        happened=True,
        goes_on=lambda row: outcome_kind(row) == "not_traded",
    ),
    "held": Kind(
        "A signal waits for approval",
        "Approve it or refuse it on the dashboard. It expires like any entry.",
        goes_on=is_held,
    ),
    "refused": Kind(
        "A rule has held alerts back",
        "The strategy may hold a position that the account does not. See the signals that were "
        "not traded, and the limits in Setup.",
        happened=True,
        page="/list?status=not_traded",
        adds_up=True,
    ),
    "waiting": Kind(
        "A signal waits too long",
        "The bridge asks, but does not take it. Read the bridge's log; then trade it by hand "
        "and set its status, or cancel it.",
        goes_on=is_offered,
    ),
    "rejected": Kind(
        "An alert was rejected",
        "It is no signal yet. Correct and resubmit it in Setup under Rejected alerts, and "
        "mend the alert's message in TradingView.",
        happened=True,
        goes_on=lambda row: True,
        page="/setup#rejected",
    ),
    "order_id": Kind(
        "An order id was given out again",
        "The broker's reports go to the newer signal. See in TWS what became of the older "
        "order and set its signal's status by hand.",
        goes_on=lambda row: row["order_status"] in statuses.PLACED,
    ),
    "alert_id": Kind(
        "An alert id was used twice",
        "It was stored as a signal of its own. Mend the alert's message in TradingView: the "
        "alert_id must differ with each alert, so put {{timenow}} and {{strategy.order.id}} in it.",
        happened=True,
    ),
}
KINDS = tuple(WORDS)
HAPPENINGS = tuple(name for name, kind in WORDS.items() if kind.happened)


def gravity(kind: str) -> int:
    """The place of a kind among all, 0 for the gravest; a kind of an older release comes last."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def page_of(kind: str, subject: str) -> str:
    """The path of the page where a person acts on an alarm; "" for a kind of an older release."""
    if kind not in WORDS:
        return ""
    page = WORDS[kind].page
    if subject == MORE:
        return page.partition("?signal=")[0].partition("?pair=")[0]
    return page.format(quote(subject, safe=""))


class Case(NamedTuple):
    """One thing that is wrong: its kind, a rowid or name, since when, and a sentence.

    `number` is how many signals or shares it is about: once it has doubled it is told again.
    """

    kind: str
    subject: str
    since: float
    what: str
    number: float = 1.0

    @property
    def key(self) -> str:
        """The name of this case: one alarm of it is open at a time."""
        return f"{self.kind}:{self.subject}"

    def words(self, number: float) -> str:
        """The sentence; where this case stands for `number` others, it says so."""
        if WORDS[self.kind].adds_up and number > 1:
            return f"{number:,.0f} alerts. The last: {self.what}"
        return self.what if self.subject != MORE else f"{number:,.0f} more. The last: {self.what}"

    @property
    def adds_up(self) -> bool:
        """Whether its number is added to that of the open alarm, because it tells what is new."""
        return WORDS[self.kind].adds_up or (self.subject == MORE and self.kind in HAPPENINGS)

    def is_news(self, number: float, what: str) -> bool:
        """Whether it differs from what was told; a few more of very many are no news."""
        if self.adds_up:
            return True
        if self.subject == MORE:
            return self.number != number
        few = abs(self.number - number) < max(1.0, 0.05 * number)
        return self.what != what and (self.number == number or not few)


# --- signals ------------------------------------------------------------------------------


def silent_bridge(
    polled: float, started: float, waiting: int, since: float | None, now: float, limit: float
) -> Case | None:
    """The bridge has not polled for longer than `limit` seconds while signals wait.

    `since` is when the open alarm of it says that the silence began. Nobody could poll before the
    server `started`. An open alarm ends with a poll or when nothing waits, never by a restart.
    """
    if since is None:
        since = max(polled, started)
        is_silent = now - since > limit
    else:  # it was opened after `limit`, so a later poll is that far from its beginning
        is_silent = polled - since < limit
    if not waiting or not is_silent:
        return None
    count = "1 signal waits" if waiting == 1 else f"{waiting:,} signals wait"
    what = f"{count}, and nobody asks for them."
    return Case("bridge", "bridge", since, what, float(waiting))


def name_of(row: Row) -> str:
    """What a signal is about: `AAPL`, `NMFC-ROIC`."""
    return "-".join(filter(None, (row["stk_ticker1"], row["stk_ticker2"]))) or row["ticker"]


def about(row: Row) -> str:
    """A signal in words: `Signal 7, NMFC-ROIC`."""
    return f"Signal {row['rowid']}, {name_of(row)}"


def held(row: Row) -> Case:
    """A signal waits for a person's approval."""
    return Case("held", str(row["rowid"]), 0.0, f"{about(row)}.")


def late(row: Row, since: float, back: float, now: float, limit: float) -> Case | None:
    """A signal has waited since `since`, longer than `limit` seconds, although the bridge polls.

    `back` is when the bridge returned from a silence, which has an alarm of its own.
    """
    if now - max(since, back) - CUT_OFF <= limit:
        return None
    return Case("waiting", str(row["rowid"]), since, f"{about(row)}.")


def one_legged(row: Row, leg: int, since: float, now: float, limit: float) -> Case | None:
    """The `leg` of a pair is not filled and the other one is, for longer than `limit` seconds."""
    if now - since - CUT_OFF <= limit:
        return None
    what = f"{about(row)}: {row[f'stk_ticker{leg}']} is not filled."
    return Case("leg", str(row["rowid"]), since, what)


def held_since(
    row: Row,
    history: Iterable[tuple[float, Mapping[str, tuple]]],
    holds: Callable[[Row], Any],
) -> float | None:
    """Since when something holds without a break for a row, for which it holds now.

    `history` is (instant, {column: (old, new)}), newest first; it may begin late. None: unknown.
    """
    since = None
    for moment, changes in history:
        since = moment
        row = {**row, **{column: old for column, (old, _) in changes.items()}}
        if not holds(row):
            break
    return since


# --- positions ----------------------------------------------------------------------------


def unhedged(name: str, symbol: str, hedge: Hedge, currency: str, notes: str = "") -> Case:
    """A pair of which one leg is held without the other, or far too much of one."""
    shares = abs(hedge.unhedged)
    money = "" if hedge.amount is None else f", {abs(hedge.amount):,.2f} {currency}"
    what = f"{name}: {_amount(shares)} {symbol} unhedged{money}.{notes}"
    return Case("unhedged", name, 0.0, what, shares)


def unexpected(symbol: str, expected: float, held: float) -> Case | None:
    """A symbol of which the account holds over one share more or less than the alerts say."""
    apart = abs(expected - held)
    if apart <= 1:
        return None
    what = f"{symbol}: the alerts say {size_words(expected)}, the account holds {size_words(held)}."
    return Case("expected", symbol, 0.0, what, apart)


def size_words(size: float) -> str:
    """A signed position: `long 100`, `flat`."""
    return f"{'long' if size > 0 else 'short'} {_amount(abs(size))}" if size else "flat"


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) else f"{number:,.2f}"
