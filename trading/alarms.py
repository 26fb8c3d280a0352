"""What must not go unnoticed: the rules of all alarms, as pure functions of what is known.

Instants are Unix seconds here. Stored instants are whole seconds, cut off: whatever is read from
them may have happened up to a second later, and no rule calls something late before it surely is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from trading import fills
from trading.alerts import near
from trading.positions import Hedge
from trading.statuses import HALF_WAY, OFFERED

UNHEDGED = "unhedged"
LEG = "leg"
BRIDGE = "bridge"
EXPECTED = "expected"
MISSED = "missed"
ERRORS = "error"
NOT_TRADED = "not_traded"
WAITING = "waiting"
REJECTED = "rejected"
ORDER_ID = "order_id"
ALERT_ID = "alert_id"

CUT_OFF = 1.0  # seconds that a stored instant may lie behind

# The gravest first: alarms are listed, shown and sent in this order.
TITLES = {
    UNHEDGED: "A pair is not hedged",
    LEG: "One leg is filled, the other is not",
    BRIDGE: "The bridge is silent",
    EXPECTED: "The account holds something else than the strategies",
    MISSED: "An alert is missing",
    ERRORS: "A signal failed",
    NOT_TRADED: "An alert was not traded",
    WAITING: "A signal waits too long",
    REJECTED: "An alert was rejected",
    ORDER_ID: "An order id was given out again",
    ALERT_ID: "An alert id was used twice",
}
ADVICE = {
    UNHEDGED: "Look at the positions in TWS: buy or sell the leg that is missing, or close the one "
    "that is left. It is over once the positions match again.",
    LEG: "The pair is not hedged. Look at the open order in TWS: let it fill, change its price, or "
    "close the filled leg.",
    BRIDGE: "See whether the bridge and TWS or Gateway run and reach this server, and restart the "
    "bridge. Nothing is traded until it asks again.",
    EXPECTED: "See in TWS what was filled and what not, and trade the difference by hand.",
    MISSED: "Compare the strategy's position with the account's, trade the difference by hand, and "
    "look at TradingView's alert log for the one that did not arrive.",
    ERRORS: "Nothing may have been traded. Read the message, mend the cause, then set the signal "
    "to waiting or trade it by hand.",
    NOT_TRADED: "The strategy holds it, the account does not. Read the reason, mend its cause in "
    "the registry or the alert, then set the signal to waiting or trade it by hand.",
    WAITING: "The bridge asks, but does not take it. Read the bridge's log; then trade it by hand "
    "and set its status, or cancel it.",
    REJECTED: "It is no signal yet. Correct and resubmit it in Setup under Rejected alerts, and "
    "mend the alert's message in TradingView.",
    ORDER_ID: "The broker's reports go to the newer signal. See in TWS what became of the older "
    "order and set its signal's status by hand.",
    ALERT_ID: "It was stored as a signal of its own. Mend the alert's message in TradingView: the "
    "alert_id must differ with each alert, so put {{timenow}} and {{strategy.order.id}} in it.",
}
KINDS = tuple(TITLES)
# What has happened stays open until somebody has seen it; the others end by themselves.
HAPPENINGS = (MISSED, ERRORS, NOT_TRADED, REJECTED, ALERT_ID)
MORE = "more"  # the subject of the one alarm for all that are too many of a kind


def gravity(kind: str) -> int:
    """The place of a kind among all, 0 for the gravest; one of an older release comes last."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


class Case(NamedTuple):
    """One thing that is wrong: with what (a rowid or a name), since when, and in words.

    `number` is how many signals or shares it is about: once it has doubled it is told again.
    """

    kind: str
    subject: str
    since: float
    what: str
    number: float = 1.0

    @property
    def key(self) -> str:
        """What tells this case from all others that are open."""
        return f"{self.kind}:{self.subject}"

    def words(self, number: float) -> str:
        """What is wrong, where this is the case for `number` that are too many of its kind."""
        return self.what if self.subject != MORE else f"{number:,.0f} more. The last: {self.what}"

    def is_news(self, number: float, what: str) -> bool:
        """Whether it differs from what was told: not by a few more of very many."""
        if self.subject == MORE:
            return self.kind in HAPPENINGS or self.number != number
        few = abs(self.number - number) < max(1.0, 0.05 * number)
        return self.what != what and (self.number == number or not few)


class Silence(NamedTuple):
    """What is known of the bridge; `since` is when the open alarm of its silence says it began."""

    polled: float
    started: float
    waiting: int
    since: float | None = None


def silent_bridge(known: Silence, now: float, limit: float) -> Case | None:
    """No poll for longer than `limit` while signals wait.

    Before this server started nobody could poll. An open case ends with a poll or when nothing
    waits, never by a restart alone.
    """
    if not known.waiting:
        return None
    since = max(known.polled, known.started) if known.since is None else known.since
    if known.since is None and now - since <= limit:
        return None
    # It was opened after `limit`, so a later poll is that far from its beginning.
    if known.since is not None and known.polled - since >= limit:
        return None
    count = "1 signal waits" if known.waiting == 1 else f"{known.waiting:,} signals wait"
    what = f"{count}, and nobody asks for them."
    return Case(BRIDGE, BRIDGE, since, what, float(known.waiting))


class Held(NamedTuple):
    """A signal and since when it is in the state that a rule is about."""

    rowid: int
    name: str
    since: float


def late(held: Held, back: float, now: float, limit: float) -> Case | None:
    """A signal that waits for longer than `limit` although the bridge is there.

    `back` is when the bridge returned from a silence, which has an alarm of its own.
    """
    if now - max(held.since, back) - CUT_OFF <= limit:
        return None
    return Case(WAITING, str(held.rowid), held.since, f"Signal {held.rowid}, {held.name}.")


def lagging_leg(row: Mapping[str, Any]) -> int | None:
    """The leg of a signal (1 or 2) that is not filled while the other one is."""
    if row["order_status"] not in HALF_WAY:
        return None
    return unfilled_leg(row)


def unfilled_leg(row: Mapping[str, Any]) -> int | None:
    """The same whatever the signal's status says."""
    try:
        order = fills.Order(**{name: row[name] for name in fills.Order.__dataclass_fields__})
        return fills.lagging_leg(order)
    except ValueError:  # numbers of which nothing follows
        return None


def one_legged(held: Held, leg: str, now: float, limit: float) -> Case | None:
    """A pair of which one leg is filled and the other, `leg`, is not after `limit`."""
    if now - held.since - CUT_OFF <= limit:
        return None
    what = f"Signal {held.rowid}, {held.name}: {leg} is not filled."
    return Case(LEG, str(held.rowid), held.since, what)


def is_offered(row: Mapping[str, Any]) -> bool:
    """Whether the signal waits for the bridge."""
    return row["order_status"] in OFFERED


def held_since(
    row: Mapping[str, Any],
    history: Iterable[tuple[float, Mapping[str, tuple]]],
    holds: Callable[[Mapping[str, Any]], Any],
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


class Alert(NamedTuple):
    """An alert's strategy positions before and after it, signed; None where it has none.

    `by_owner`: resubmitted by hand, and so perhaps long after its time; `overtaken`: it came after
    one that it preceded.
    """

    rowid: int
    name: str
    before: float | None
    after: float | None
    by_owner: bool = False
    overtaken: bool = False


@dataclass(frozen=True)
class Strategy:
    """What the alerts of one ticker have told so far.

    `last` is the newest move; `at` the positions that the next one may start from, the last one
    first; `gap` a jump that no alert has explained, and the rowid of the alert that showed it;
    `rowid` is that of the newest alert.
    """

    last: tuple[float, float]
    at: tuple[float, ...]
    gap: tuple[float, float, int] | None = None
    rowid: int = 0


def follow(known: Strategy | None, alert: Alert) -> tuple[Strategy | None, Case | int | None]:
    """The strategy after an alert; with it a missed alert, or the rowid of one that was found.

    An alert that comes twice explains itself. One that was overtaken by the next fills the gap
    which that had shown.
    """
    if alert.before is None or alert.after is None:
        return known, None
    move = (alert.before, alert.after)
    if known is None:
        return Strategy(move, (alert.after,), rowid=alert.rowid), None
    if known.gap and _same(move, known.gap[:2]):
        return replace(known, gap=None), known.gap[2]
    if alert.overtaken:
        return replace(known, gap=_narrowed(known.gap, move)), None
    if alert.by_owner:
        return replace(known, at=(*known.at, alert.after)), None
    if _same(move, known.last):
        return known, None
    after = Strategy(move, (alert.after,), rowid=alert.rowid)
    if any(near(alert.before, each) for each in known.at):
        return after, None
    told = known.at[0]
    what = (
        f"{alert.name}: signal {alert.rowid} starts from {_size(alert.before)}, "
        f"but signal {known.rowid} before it ended at {_size(told)}."
    )
    gap = (told, alert.before, alert.rowid)
    return replace(after, gap=gap), Case(MISSED, str(alert.rowid), 0.0, what)


def _narrowed(
    gap: tuple[float, float, int] | None, move: tuple[float, float]
) -> tuple[float, float, int] | None:
    """What remains of a gap after an alert that fills one end of it."""
    if gap and near(gap[0], move[0]):
        return (move[1], gap[1], gap[2])
    if gap and near(gap[1], move[1]):
        return (gap[0], move[0], gap[2])
    return gap


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(near(a, b) for a, b in zip(one, other, strict=True))


def _size(size: float) -> str:
    word = "flat" if not size else "long" if size > 0 else "short"
    return word if not size else f"{word} {_amount(abs(size))}"


# --- positions ---------------------------------------------------------------------------


class Disagreement(NamedTuple):
    """Positions that do not match, and the reports that say so, as of now.

    `oldest` and `newest` are the first and the last report among those of the symbols held.
    """

    case: Case
    oldest: float
    newest: float


def confirmed(found: Disagreement, first: float | None, apart: float) -> bool:
    """Whether two reports in a row disagree, the second at least `apart` seconds after `first`."""
    return first is not None and found.oldest - first >= apart


def unhedged(name: str, symbol: str, hedge: Hedge, currency: str, notes: str = "") -> Case:
    """A pair of which one leg is held without the other, or far too much of one."""
    shares = abs(hedge.unhedged)
    money = "" if hedge.amount is None else f", {_amount(abs(hedge.amount), 2)} {currency}"
    what = f"{name}: {_amount(shares)} {symbol} unhedged{money}.{notes}"
    return Case(UNHEDGED, name, 0.0, what, shares)


def unexpected(symbol: str, expected: float, held: float) -> Case | None:
    """A symbol of which something else is held than the alerts say, by more than one share."""
    apart = abs(expected - held)
    if apart <= 1:
        return None
    what = f"{symbol}: the alerts say {_size(expected)}, the account holds {_size(held)}."
    return Case(EXPECTED, symbol, 0.0, what, apart)


def _amount(number: float, digits: int = 0) -> str:
    whole = not digits and number == round(number)
    return f"{number:,.0f}" if whole else f"{number:,.{digits or 2}f}"
