"""Rows of the original's database as columns of ours; what does not fit is refused, not guessed."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator

from models.records import SIGNAL_KEYS
from schemas.account import AccountForm
from schemas.registry import PairForm, StockForm, TickerForm
from schemas.signals import Alert, with_twins
from schemas.types import Id, Positive
from schemas.users import UserForm
from schemas.values import (
    BadFields,
    Body,
    Record,
    check,
    to_flag,
    to_instant,
    to_status,
    to_symbol,
)
from trading import equation, fills, statuses

_LEGS = ("stk_ticker1", "stk_ticker2", "hedge_param")
Instant = Annotated[str, BeforeValidator(to_instant)]
Leg = Annotated[str, BeforeValidator(to_symbol)]


class _SignalRow(Alert):
    rowid: Id
    timestamp: Instant
    order_status: Annotated[str, BeforeValidator(to_status)]


class _SingleLeg(Body):
    stk_ticker1: Leg


class _PairLegs(Body):
    stk_ticker1: Leg
    stk_ticker2: Leg
    hedge_param: Positive


class _AccountRow(AccountForm):
    timestamp: Instant


def original_signal(row: Record) -> Record:
    """A row of `signals` in any release's spelling, its rowid among them; raises BadFields.

    The legs are those stored with it where they are whole, else what its equation says.
    """
    row = with_twins(_given(row))
    form = check(_SignalRow, row)
    columns = {key: getattr(form, key) for key in form.model_fields_set if key in SIGNAL_KEYS}
    columns |= _stored_legs(row) or _read_legs(form.ticker)
    columns |= _told_quantities(columns)
    if columns["order_status"] in statuses.OFFERED and columns["ticker_type"] is None:
        raise BadFields({"ticker": "a problematic ticker cannot be traded"})
    return columns


def _told_quantities(columns: Record) -> Record:
    """What each leg has filled: the original tells it in its status message alone."""
    names = fills.Order.__dataclass_fields__
    known = {name: columns.get(name) for name in names}
    try:
        filled_qty1, filled_qty2 = fills.quantities(fills.Order(**known))
    except ValueError:
        return {}
    return {"filled_qty1": filled_qty1, "filled_qty2": filled_qty2}


def _given(row: Record) -> Record:
    """Without what is null or blank."""
    return {key: value for key, value in row.items() if value is not None and value != ""}


def _stored_legs(row: Record) -> Record | None:
    kind = row.get("ticker_type")
    form = {"single": _SingleLeg, "pair": _PairLegs}.get(kind)
    try:
        legs = form and check(form, row)
    except BadFields:
        return None
    if legs is None:
        return None
    if any(leg != _spelled(leg) for leg in (legs.stk_ticker1, getattr(legs, "stk_ticker2", ""))):
        return None
    return {"ticker_type": kind, **{key: getattr(legs, key, None) for key in _LEGS}}


def _read_legs(ticker: str) -> Record:
    try:
        read = equation.parse(ticker)
    except equation.Problematic:
        return {"ticker_type": None, **dict.fromkeys(_LEGS)}
    legs = (read.leg1.symbol, read.leg2.symbol if read.leg2 else None, read.hedge)
    return {"ticker_type": read.kind, **dict(zip(_LEGS, legs, strict=True))}


def original_stock(row: Record) -> Record:
    """A row of `stocks` (the seed's spelling) or `tickers` (the bridge's); raises BadFields."""
    form, row = TickerForm if "xch" in row else StockForm, _given(row)
    if "symbol" in row:
        row["symbol"] = _spelled(row["symbol"], row.get("currency", "USD"))
    return check(form, row).columns()


def _spelled(symbol: Any, currency: str = "USD") -> Any:
    """A symbol as the broker spells it: a US class share `BF B`, what is longer `REI.UN`."""
    if not isinstance(symbol, str):
        return symbol
    if currency == "USD":
        symbol = re.sub(r"\.([A-Za-z])$", r" \1", symbol.strip())
    return re.sub(r" ([A-Za-z]{2,})$", r".\1", symbol.strip())


def original_pair(row: Record, is_registered: Callable[[str], bool]) -> Record:
    """A row of `pairs`; where it has no tickers its name tells them. Raises BadFields."""
    row = _given(row)
    if "ticker1" not in row and "ticker2" not in row and "name" in row:
        row |= _legs_of_name(str(row["name"]))
    for key in ("ticker1", "ticker2"):
        if key in row and not is_registered(row[key]):
            row[key] = _spelled(row[key])
    return check(PairForm, row).columns()


def _legs_of_name(name: str) -> Record:
    legs = name.split("-")
    if len(legs) != 2:
        raise BadFields({"name": "does not tell the tickers"})
    return dict(zip(("ticker1", "ticker2"), legs, strict=True))


def original_user(row: Record) -> UserForm:
    """A row of `users`; the one named admin is an administrator. Raises BadFields."""
    flags = [row.get("admin"), row.get("is_admin")]
    admin = row.get("username") == "admin" or any(map(_is_true, flags))
    return check(UserForm, {**row, "admin": admin})


def _is_true(flag: Any) -> bool:
    try:
        return to_flag(flag)
    except ValueError:
        return False


def original_account(row: Record) -> Record:
    """A row of `account`; raises BadFields."""
    return check(_AccountRow, row).columns()
