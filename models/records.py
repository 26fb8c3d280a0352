"""Records: rows as clients see them, in the columns' own names but for two older spellings."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from trading.numbers import EXACT, plain

Record = dict[str, Any]

# The record's keys, which are the columns' names.
SIGNAL_KEYS = (
    *("rowid", "timestamp", "ticker", "order_action", "order_contracts", "order_price"),
    *("mar_pos", "mar_pos_size", "pre_mar_pos", "pre_mar_pos_size", "order_comment"),
    *("order_status", "ticker_type", "stk_ticker1", "stk_ticker2", "hedge_param"),
    *("order_id1", "order_id2", "stk_price1", "stk_price2", "fill_price", "slip"),
    *("error_msg", "status_msg"),
)
# The bridge's spellings, with the same values as their stk_ twins.
TWINS = {
    "ticker1": "stk_ticker1",
    "ticker2": "stk_ticker2",
    "price1": "stk_price1",
    "price2": "stk_price2",
}
_RECORD_KEYS = SIGNAL_KEYS + tuple(TWINS)
_NUMBERS = {
    *("order_contracts", "order_price", "mar_pos_size", "pre_mar_pos_size", "hedge_param"),
    *("stk_price1", "stk_price2", "fill_price", "slip"),
}
_NUMBER_INDEXES = tuple(SIGNAL_KEYS.index(key) for key in SIGNAL_KEYS if key in _NUMBERS)
_TWIN_INDEXES = tuple(SIGNAL_KEYS.index(twin) for twin in TWINS.values())


def signal_record(row: Iterable[Any]) -> Record:
    """The record of a row given as SIGNAL_KEYS."""
    values = list(row)
    # `plain`, written out for the columns that need it: lists call this for every row.
    for index in _NUMBER_INDEXES:
        value = values[index]
        if type(value) is float and value.is_integer() and abs(value) < EXACT:
            values[index] = int(value)
    values += [values[index] for index in _TWIN_INDEXES]
    return dict(zip(_RECORD_KEYS, values, strict=True))


def signal_of(columns: Record) -> Record:
    """The record of a signal given as {column: value}."""
    return signal_record(columns[key] for key in SIGNAL_KEYS)


ACCOUNT = (
    *("rowid", "timestamp", "AvailableFunds", "BuyingPower", "DailyPnL", "GrossPositionValue"),
    *("MaintMarginReq", "NetLiquidation", "RealizedPnL", "UnrealizedPnL"),
)


def account_record(columns: Record) -> Record:
    """An account record given as {column: value}."""
    return {key: plain(columns[key]) for key in ACCOUNT}


TICKER = (
    *("symbol", "sectype", "xch", "prixch", "currency", "order_type", "active"),
    *("active_pos", "active_pnl", "active_cost"),
)
PAIR = ("name", "ticker1", "ticker2", "hedge", "status", "notes")
# Mind the clash: the seed's prixch is the routing exchange, the bridge's is the primary one.
SEED = {"symbol": "symbol", "prixch": "xch", "secxch": "prixch", "active": "active"}
# A stock in the seed's spelling with all that the seed does not name.
STOCK = SEED | {
    key: key
    for key in ("sectype", "currency", "order_type", "active_pos", "active_pnl", "active_cost")
}


def stock_record(columns: Record, keys: Mapping[str, str] = SEED) -> Record:
    """A stock as the seed spells it: SEED, or STOCK with the rest of its fields."""
    return {key: plain(columns[column]) for key, column in keys.items()}


def ticker_record(columns: Record) -> Record:
    """A stock as the bridge spells it."""
    return {key: plain(columns[key]) for key in TICKER}


def pair_record(columns: Record) -> Record:
    """A pair as the wire has it."""
    return {key: plain(columns[key]) for key in PAIR}


def rejected_record(columns: Record) -> Record:
    """A rejected alert; its reasons are {field: reason} or a sentence."""
    return {**columns, "reasons": orjson.loads(columns["reasons"])}


_OF: dict[str, Callable[[Record], Record]] = {
    "signal": signal_of,
    "stock": lambda columns: stock_record(columns, STOCK),
    "pair": pair_record,
    "rejected": rejected_record,
    "account": account_record,
    "position": ticker_record,
}


def text_of(noun: str, columns: Record) -> str:
    """The record of a row as JSON, as events keep it and sockets are told it."""
    return orjson.dumps(_OF[noun](columns)).decode()
