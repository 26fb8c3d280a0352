"""A person's own trades: they take the same way as alerts, and a double click is one order."""

from typing import NamedTuple

from models import AlertId, EventRow, Pair, Record, Refused, Signal, Stock, signal_name
from services import decisions, positions, signals
from services.signals import Receipt
from trading import judging, statuses
from trading.guards import Policy

DIGITS = 8  # of a size; more are the rounding of floats


class Books(NamedTuple):
    """What is known of a ticker's position (of leg 1 for a pair); None: not known.

    `open` is the newest signal of it that waits or has an order at the broker.
    """

    position: float | None
    open: Signal | None


def place(order: Record, source: str, policy: Policy) -> Receipt:
    """Stores an order as a signal; `order` is an alert's {column: value}.

    If it carries no positions, the books tell them. Raises Refused if they do not know.
    """
    name = signals.called(order["ticker"])
    if known := _repeated(order["alert_id"], name):
        return known
    if order.get("mar_pos") is None and order.get("pre_mar_pos") is None:
        before = books(order["ticker"]).position
        if before is None:
            raise Refused(f"the position of {name} is not known; send pre_mar_pos and mar_pos.")
        change = order["order_contracts"] * (1 if order["order_action"] == "buy" else -1)
        order = order | _positions(before, round(before + change, DIGITS))
    [receipt] = signals.receive([{**order, "source": source}], policy)
    return receipt


def close(name: str, alert_id: str | None, source: str, policy: Policy) -> Receipt:
    """Closes the position of a pair or single; no mode and no limit holds that back.

    Raises Missing, or Refused if nothing is held or an order of it is not finished.
    """
    ticker = ticker_of(name)
    if known := _repeated(alert_id, signals.called(ticker)):
        return known
    position, unfinished = books(ticker)
    if unfinished:
        raise Refused(
            f"signal {unfinished.rowid} of {name} is {unfinished.order_status}: wait until it is "
            "finished, or cancel it."
        )
    if not position:
        raise Refused(f"nothing is held of {name}.")
    order = {
        "ticker": ticker,
        "order_action": "sell" if position > 0 else "buy",
        "order_contracts": abs(position),
        "order_comment": "Close by hand",
        "alert_id": alert_id,
        "bypass": True,
        "free": True,
        "source": source,
        **_positions(position, 0.0),
    }
    [receipt] = signals.receive([order], policy)
    return receipt


def ticker_of(name: str) -> str:
    """The equation of a registered pair, or the symbol of a stock. Raises Missing."""
    pair = Pair.get_or_none(Pair.name == name)
    return pair.equation if pair else Stock.find_spelled(name).symbol


def books(ticker: str) -> Books:
    """What is known of a ticker's position.

    It is what the account reports, unless something was traded since. Then, and while an order is
    open, it is what the newest alert says.
    """
    found = judging.judge(ticker, True, decisions.rows_for([ticker])).columns
    legs = found["stk_ticker1"], found["stk_ticker2"]
    if legs[0] is None:
        raise Refused(f"{statuses.meaning(statuses.PROBLEMATIC)}.")
    mine = Signal.of_legs(*legs)
    unfinished = mine.where(Signal.order_status.in_(statuses.OPEN)).first()
    reported, held = _held("-".join(filter(None, legs)), legs)
    last = mine.where(~Signal.order_status.in_(statuses.OPEN)).first()
    ended = last and EventRow.newest_of_each([str(last.rowid)], 1)
    is_newer = bool(ended) and (reported is None or ended[0][2] >= reported)
    if unfinished or is_newer or reported is None:
        return Books(positions.wanted([legs])[legs].size, unfinished)
    return Books(held, None)


def _held(name: str, legs: tuple[str, str | None]) -> tuple[str | None, float]:
    """(when leg 1 was last reported, what the account holds of the ticker)."""
    held = positions.positions_now()
    reported = held.reported.get(legs[0])
    if legs[1] is None:
        alone = next((each for each in held.singles if each.symbol == legs[0]), None)
        return reported, alone.position if alone else 0.0
    for each in (*held.pairs, *held.idle):
        if each.pair.name == name:
            return reported, each.shares[0]
    return reported, 0.0


def _positions(before: float, after: float) -> Record:
    """The columns that tell the positions before and after an order."""
    words = {-1: "short", 0: "flat", 1: "long"}
    return {
        "pre_mar_pos": words[(before > 0) - (before < 0)],
        "pre_mar_pos_size": abs(before),
        "mar_pos": words[(after > 0) - (after < 0)],
        "mar_pos_size": abs(after),
    }


def _repeated(alert_id: str | None, name: str) -> Receipt | None:
    """The receipt of an order that came before with this id. Raises Refused if it was another."""
    known = AlertId.known([alert_id]) if alert_id else []
    if not known:
        return None
    rowid = known[0][2]
    signal = Signal.get_or_none(Signal.rowid == rowid)
    if signal and signal_name(signal.columns()) != name:
        raise Refused("this alert_id was used before by another order.")
    return Receipt(rowid, "duplicate")
