"""The registry: the stocks and pairs by which alerts are judged."""

from models import Pair, Record, Refused, Signal, Stock, Unregistered
from services import decisions, events
from trading import equation, exchanges, instants

CRYPTO = "CRYPTO"
MOST_UNREGISTERED = 500


def register_stock(fields: Record, source: str, noun: str = "stock") -> Stock:
    """Registers and returns a new stock. Raises Refused, whose text uses `noun`."""
    if Stock.get_or_none(Stock.symbol == fields["symbol"]):
        raise Refused(f"'{noun}' with that name already exists.")
    _check_stock(fields)
    return events.add(Stock, source, **fields)


def put_stock(fields: Record, source: str) -> tuple[Stock, bool]:
    """Changes the stock with this symbol, or registers it. Returns (stock, whether it is new)."""
    stock = Stock.get_or_none(Stock.symbol == fields["symbol"])
    if stock is None:
        register_stock(fields, source)
        return Stock.find(fields["symbol"]), True
    _check_stock(fields)
    _change(stock, fields, source)
    return stock, False


def _change(row: Stock | Pair, fields: Record, source: str) -> None:
    """Changes a row; what waits follows a stricter mode."""
    before = decisions.modes_of_waiting() if "mode" in fields else {}
    events.change(row, source, fields)
    if before:
        decisions.take_hold(before, source)


def _check_stock(fields: Record) -> None:
    pairs = Pair.with_leg(fields["symbol"])
    if fields.get("active") and pairs.where(Pair.status == 1).exists():
        raise Refused(" ticker is already active in a pair!")
    if fields.get("sectype") == CRYPTO and pairs.exists():
        raise Refused("crypto cannot be a leg of a pair.")


def read_equation(text: str) -> Record:
    """What an equation means, and what the registry knows of it. Raises Problematic."""
    read = equation.parse(text)
    legs = [_read_leg(leg) for leg in read.legs]
    name = "-".join(leg["symbol"] for leg in legs)
    pair = Pair.get_or_none(Pair.name == name) if read.leg2 else None
    known = {"registered": pair is not None, "active": bool(pair and pair.status)}
    if not read.leg2:
        known = {key: legs[0][key] for key in known}
    return {
        **{"name": name, "type": read.kind, "hedge": read.hedge, "legs": legs},
        **known,
        "registered_hedge": pair and pair.hedge,
        "weighed": any(sign in text.partition("-")[2] for sign in "*/"),
    }


def _read_leg(leg: equation.Leg) -> Record:
    stocks = Stock.spelled(leg.symbol)
    return {
        "symbol": stocks[0].symbol if stocks else leg.symbol,
        "exchange": leg.exchange,
        **_guess(leg),
        "primary": exchanges.primary(leg.exchange),
        "registered": bool(stocks),
        "active": any(stock.active for stock in stocks),
    }


def _guess(leg: equation.Leg) -> Record:
    """What a leg most likely is: its type and currency, and whether that is certain.

    A symbol like `EURGBP` is a currency pair or crypto, unless its exchange says otherwise.
    """
    kind = exchanges.security_type(leg.exchange) if leg.exchange else "STK"
    symbol = leg.symbol.upper()
    base, _, quote = (equation.dotted(symbol) or "").partition(".")
    named = bool(quote) and not exchanges.currencies(leg.exchange)
    if named and kind == "STK" and quote in exchanges.ALL_CURRENCIES:
        kind = "CASH" if base in exchanges.ALL_CURRENCIES else CRYPTO
    if kind == "STK":
        currency = exchanges.usual_currency(leg.exchange)
        one = not leg.exchange or len(exchanges.currencies(leg.exchange)) == 1
        return {"sectype": kind, "currency": currency or "USD", "certain": one and not named}
    currency = quote if quote in exchanges.ALL_CURRENCIES else "USD"
    return {"sectype": kind, "currency": currency, "certain": False}


def first_steps() -> Record:
    """What the first start has reached: what may be traded, and whether an alert came."""
    pair = Pair.select().where(Pair.status == 1).order_by(Pair.id.desc()).first()
    stock = Stock.select().where(Stock.active == 1).order_by(Stock.id.desc()).first()
    ticker = pair.equation if pair else stock and stock.symbol
    return {"ticker": ticker, "alert": Signal.select(Signal.rowid).limit(1).exists()}


def hold(symbol: str, fields: Record, source: str) -> Stock:
    """Stores the position, cost and PnL that the broker reports. Raises Missing."""
    stock = Stock.find_held(symbol)
    Stock.update(reported=instants.now()).where(Stock.id == stock.id).execute()
    events.change(stock, source, fields, "position")
    return stock


def hold_unregistered(symbol: str, fields: Record) -> None:
    """Stores the position of a symbol that is not registered; deletes it if it is 0."""
    Unregistered.delete().where(Unregistered.symbol == symbol).execute()
    if fields.get("active_pos") and Unregistered.select().count() < MOST_UNREGISTERED:
        known = {k: v for k, v in fields.items() if v is not None}
        Unregistered.create(symbol=symbol, reported=instants.now(), **known)


def delete_stock(symbol: str, source: str) -> None:
    """Deletes a stock. Raises Missing, or Refused if a pair or an open signal needs it."""
    stock = Stock.find(symbol)
    if Pair.with_leg(symbol).exists():
        raise Refused(f"'{symbol}' is a leg of a pair; delete the pair first.")
    if Signal.has_open(symbol):
        raise Refused(f"'{symbol}' has an open signal; it can be deleted once that is finished.")
    events.remove(stock, source)


def register_pair(fields: Record, source: str) -> Pair:
    """Registers and returns a new pair, and registers legs that are new. Raises Refused."""
    name = f"{fields['ticker1']}-{fields['ticker2']}"
    if Pair.get_or_none(Pair.name == name):
        raise Refused("'pair' with that name already exists.")
    if fields["ticker1"] in equation.spellings(fields["ticker2"]):
        raise Refused({"ticker2": "must differ from ticker1"})
    legs = {fields[key]: Stock.spelled(fields[key]) for key in ("ticker1", "ticker2")}
    if any(stock.sectype == CRYPTO for stocks in legs.values() for stock in stocks):
        raise Refused("crypto cannot be a leg of a pair.")
    if fields.get("status"):
        _check_legs(*legs.values())
    for leg, stocks in legs.items():
        if not stocks:
            events.add(Stock, source, symbol=leg)
    return events.add(Pair, source, name=name, **fields)


def change_pair(name: str, fields: Record, source: str) -> Pair:
    """Changes the hedge, status, notes or mode of a pair. Raises Missing or Refused."""
    pair = Pair.find(name)
    for key in ("ticker1", "ticker2"):
        if fields.get(key, getattr(pair, key)) != getattr(pair, key):
            raise Refused({key: "a pair's tickers cannot change"})
    if fields.get("status"):
        _check_legs(Stock.spelled(pair.ticker1), Stock.spelled(pair.ticker2))
    _change(pair, fields, source)
    return pair


def _check_legs(*legs: list[Stock]) -> None:
    if any(stock.active for stocks in legs for stock in stocks):
        raise Refused(" one of the tickers is already active!")


def delete_pair(name: str, source: str) -> None:
    """Deletes a pair; its legs stay registered. Raises Missing."""
    events.remove(Pair.find(name), source)
