"""A person's own trades: they take the same way as alerts, and a double click is one order."""

from typing import NamedTuple

from models import AlertId, EventRow, Record, Refused, Signal, registered, signal_name
from services import decisions, positions, signals
from services.signals import Receipt
from trading import alerts, instants, judging, statuses
from trading.guards import Policy
from trading.positions import side

DIGITS = 8  # of a size; more are the rounding of floats
LOOKED = 10  # newest signals of a ticker that are read; some may be the bridge's own
AT_WORK = (*statuses.OFFERED, *statuses.PLACED)


class Books(NamedTuple):
    """What is known of a ticker's position (of leg 1 for a pair); None: not known.

    `open` is the newest signal of it that waits, is held, or has an order at the broker.
    """

    position: float | None
    open: Signal | None


def place(order: Record, source: str, policy: Policy) -> Receipt:
    """Stores an order as a signal; `order` is an alert's {column: value}.

    The books tell a position that it does not carry. Raises Refused if they do not know.
    """
    name = signals.called(order["ticker"])
    same = {key: order[key] for key in ("order_action", "order_contracts")}
    if known := _repeated(order["alert_id"], name, same):
        return known
    before, after = (
        alerts.signed(order.get(key), order.get(f"{key}_size") or 0.0)
        for key in ("pre_mar_pos", "mar_pos")
    )
    if before is None:
        before = books(order["ticker"]).position
    if before is None:
        raise Refused(f"the position of {name} is not known; send pre_mar_pos and mar_pos.")
    if after is None:
        change = order["order_contracts"] * (1 if order["order_action"] == "buy" else -1)
        after = round(before + change, DIGITS)
    order = order | _positions(before, after) | {"own": True, "source": source}
    [receipt] = signals.receive([order], policy)
    return receipt


def close(name: str, alert_id: str | None, source: str, policy: Policy) -> Receipt:
    """Closes the position of a pair or single; no mode and no limit holds that back.

    Raises Missing, or Refused if nothing is held or an order of it is not finished.
    """
    ticker = registered(name).equation
    if known := _repeated(alert_id, signals.called(ticker), {"mar_pos": "flat"}):
        return known
    position, unfinished = books(ticker)
    if unfinished:
        raise Refused(
            f"signal {unfinished.rowid} of {name} is {unfinished.order_status}: wait until it is "
            "finished, or cancel it."
        )
    if position is None:
        raise Refused(f"the position of {name} is not known; send an order with its positions.")
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
        "own": True,
        "source": source,
        **_positions(position, 0.0),
    }
    [receipt] = signals.receive([order], policy)
    return receipt


def books(ticker: str) -> Books:
    """What is known of a ticker's position.

    It is what the account reports. If something was traded since, or while an order waits or is at
    the broker, it is what the newest of these signals leads to.
    """
    found = judging.judge(ticker, True, decisions.rows_for([ticker])).columns
    legs = found["stk_ticker1"], found["stk_ticker2"]
    if legs[0] is None:
        raise Refused(f"{statuses.meaning(statuses.PROBLEMATIC)}.")
    mine = Signal.of_legs(*legs)
    # The broker may still fill an order that it has taken with an error.
    taken = (Signal.order_status == statuses.ERROR) & Signal.order_id1.is_null(False)
    taken &= Signal.timestamp > instants.ago(positions.ORDER_LIVES)
    unfinished = mine.where(Signal.order_status.in_(statuses.OPEN) | taken).first()
    at_work = Signal.order_status.in_(AT_WORK)
    in_part = (Signal.order_status == statuses.CANCELED) & Signal.stk_price1.is_null(False)
    moving = mine.where(at_work | (Signal.order_status == statuses.FILLED) | in_part).limit(LOOKED)
    last = next(filter(_is_strategys, moving), None)
    reported, held = _held("-".join(filter(None, legs)), legs)
    works = mine.where(at_work).exists()
    if last and (works or reported is None or _traded_at(last) >= reported):
        return Books(_leads_to(last), unfinished)
    return Books(held, unfinished)


def _is_strategys(signal: Signal) -> bool:
    return not alerts.is_from_bridge(signal.status_msg, signal.order_comment)


def _traded_at(signal: Signal) -> str:
    """When the newest fill of a signal was reported, or its order ended."""
    told = {"order_status", "stk_price1", "filled_qty1"}
    for event in reversed(EventRow.of("signal", str(signal.rowid))):
        if not told.isdisjoint(event.changed):
            return event.time
    return signal.timestamp


def _leads_to(signal: Signal) -> float | None:
    """The position (of leg 1) after a signal, also if it was canceled when a part was filled."""
    after = alerts.signed(signal.mar_pos, signal.mar_pos_size)
    if after is None or signal.order_status != statuses.CANCELED:
        return after
    if signal.filled_qty1 is None:
        return None
    left = signal.order_contracts - signal.filled_qty1
    return round(after - left * (1 if signal.order_action == "buy" else -1), DIGITS)


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
    return {
        "pre_mar_pos": side(before),
        "pre_mar_pos_size": abs(before),
        "mar_pos": side(after),
        "mar_pos_size": abs(after),
    }


def _repeated(alert_id: str | None, name: str, told: Record) -> Receipt | None:
    """The receipt of an order that came before with this id.

    `told` are columns that a repeat has in common with it. Raises Refused if it was another order.
    """
    known = AlertId.known([alert_id]) if alert_id else []
    if not known:
        return None
    rowid = known[0][2]
    signal = Signal.get_or_none(Signal.rowid == rowid)
    if signal is None:
        return Receipt(rowid, "duplicate")
    sent = {column: signals.sent_first(signal, column) for column in told}
    if signal_name(signal.columns()) != name or sent != told:
        raise Refused("this alert_id was used before by another order.")
    return Receipt(rowid, "duplicate")
