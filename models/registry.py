"""The registry of stocks and pairs that alerts are checked against."""

from typing import Any

import peewee
from peewee import CharField, DoubleField, IntegerField, TextField

from database import RowId
from models.base import Missing, Refused, Told, newest
from models.signals import Signal
from trading import equation, fills, instants
from trading.judging import CURRENCIES

CRYPTO = "CRYPTO"


class Stock(Told):
    """A symbol of the registry with its routing and the position the bridge reports."""

    noun = "stock"

    id = RowId()
    symbol = CharField(200, unique=True)
    sectype = CharField(20, default="STK")
    xch = CharField(40, default="SMART")
    prixch = CharField(40, default="ISLAND")
    currency = CharField(20, default="USD")
    order_type = CharField(20, default="RELATIVE")
    active = IntegerField(default=0)
    active_pos = DoubleField(default=0)
    active_pnl = DoubleField(null=True, default=0)
    active_cost = DoubleField(null=True, default=0)
    reported = CharField(19, null=True)  # when the position was last reported, changed or not

    def subject(self) -> str:
        return self.symbol

    def record(self) -> dict[str, Any]:
        """The row without `reported`: a report that changes nothing is no event."""
        return {k: v for k, v in super().record().items() if k != "reported"}

    @classmethod
    def find(cls, symbol: str) -> "Stock":
        """The stock of this symbol; raises Missing."""
        if stock := cls.get_or_none(cls.symbol == symbol):
            return stock
        raise Missing

    @classmethod
    def spelled(cls, symbol: str) -> list["Stock"]:
        """The stock, and those of this symbol in its other spelling: `BF.B` and `BF B` are one.

        `USDCAD` is `USD.CAD` only where it is registered as a currency or crypto pair.
        """
        others = cls.symbol.in_(equation.spellings(symbol))
        if equation.dotted(symbol):
            others &= cls.sectype.in_(CURRENCIES)
        rows = cls.select().where((cls.symbol == symbol) | others)
        return sorted(rows, key=lambda stock: stock.symbol != symbol)

    @classmethod
    def find_spelled(cls, symbol: str) -> "Stock":
        """The first of these; raises Missing."""
        if stocks := cls.spelled(symbol):
            return stocks[0]
        raise Missing

    @classmethod
    def find_held(cls, symbol: str) -> "Stock":
        """The stock of a position; the broker names a currency or crypto pair by its base alone.

        Raises Missing, also where more than one has that base: none may get the other's money.
        """
        if stock := cls.get_or_none(cls.symbol == symbol):
            return stock
        based = cls.select().where(cls.sectype.in_(CURRENCIES), cls.symbol.startswith(symbol))
        found: dict[str, Stock] = {}
        for stock in based:
            broker = equation.spellings(stock.symbol)[0]
            if fills.matches(symbol, broker):
                found[broker] = stock if stock.symbol == broker else found.get(broker, stock)
        if len(found) != 1:
            raise Missing
        return found.popitem()[1]

    @classmethod
    def register(cls, fields: dict[str, Any], source: str, noun: str = "stock") -> None:
        """A new stock; raises Refused, which calls it by the caller's noun."""
        if cls.get_or_none(cls.symbol == fields["symbol"]):
            raise Refused(f"'{noun}' with that name already exists.")
        cls._check(fields)
        cls.add(source, **fields)

    @classmethod
    def put(cls, fields: dict[str, Any], source: str) -> tuple["Stock", bool]:
        """Updates the stock, or registers it: (stock, made anew)."""
        stock = cls.get_or_none(cls.symbol == fields["symbol"])
        if stock is None:
            cls.register(fields, source)
            return cls.find(fields["symbol"]), True
        cls._check(fields)
        stock.change(source, fields)
        return stock, False

    @staticmethod
    def _check(fields: dict[str, Any]) -> None:
        pairs = Pair.with_leg(fields["symbol"])
        if fields.get("active") and pairs.where(Pair.status == 1).exists():
            raise Refused(" ticker is already active in a pair!")
        if fields.get("sectype") == CRYPTO and pairs.exists():
            raise Refused("crypto cannot be a leg of a pair.")

    @classmethod
    def hold(cls, symbol: str, fields: dict[str, Any], source: str) -> "Stock":
        """Sets position, cost and PnL as the broker reports them; raises Missing."""
        stock = cls.find_held(symbol)
        cls.update(reported=instants.now()).where(cls.id == stock.id).execute()
        stock.change(source, fields, "position")
        return stock

    @classmethod
    def drop(cls, symbol: str, source: str) -> None:
        """Deletes a stock that no pair and no open signal needs."""
        stock = cls.find(symbol)
        if Pair.with_leg(symbol).exists():
            raise Refused(f"'{symbol}' is a leg of a pair; delete the pair first.")
        if Signal.has_open(symbol):
            raise Refused(
                f"'{symbol}' has an open signal; it can be deleted once that is finished."
            )
        stock.remove(source)

    @classmethod
    def currencies(cls) -> dict[str, str]:
        """The currency of each stock that is not traded in US dollars."""
        return dict(cls.select(cls.symbol, cls.currency).where(cls.currency != "USD").tuples())

    @classmethod
    def page(cls, limit: int, before: int | None = None) -> peewee.ModelSelect:
        """The newest stocks first; 0 means all."""
        return newest(cls.select(), limit, before)


class Pair(Told):
    """Two symbols traded against each other: buy 1 of leg1, sell `hedge` of leg2."""

    noun = "pair"

    id = RowId()
    name = CharField(400, unique=True)
    ticker1 = CharField(200, index=True)
    ticker2 = CharField(200, index=True)
    hedge = DoubleField()
    status = IntegerField(default=0)
    notes = TextField(null=True)

    def subject(self) -> str:
        return self.name

    @classmethod
    def find(cls, name: str) -> "Pair":
        """The pair of this name; raises Missing."""
        if pair := cls.get_or_none(cls.name == name):
            return pair
        raise Missing

    @classmethod
    def with_leg(cls, symbol: str) -> peewee.ModelSelect:
        """The pairs that this symbol, however spelled, is a leg of."""
        ways = equation.spellings(symbol)
        return cls.select().where(cls.ticker1.in_(ways) | cls.ticker2.in_(ways))

    @classmethod
    def register(cls, fields: dict[str, Any], source: str) -> None:
        """A new pair, and its legs where they are not registered yet; raises Refused."""
        name = f"{fields['ticker1']}-{fields['ticker2']}"
        if cls.get_or_none(cls.name == name):
            raise Refused("'pair' with that name already exists.")
        if fields["ticker1"] in equation.spellings(fields["ticker2"]):
            raise Refused({"ticker2": "must differ from ticker1"})
        legs = {fields[key]: Stock.spelled(fields[key]) for key in ("ticker1", "ticker2")}
        if any(stock.sectype == CRYPTO for stocks in legs.values() for stock in stocks):
            raise Refused("crypto cannot be a leg of a pair.")
        if fields.get("status"):
            cls._check_legs(*legs.values())
        for leg, stocks in legs.items():
            if not stocks:
                Stock.add(source, symbol=leg)
        cls.add(source, name=name, **fields)

    @staticmethod
    def _check_legs(*legs: list[Stock]) -> None:
        if any(stock.active for stocks in legs for stock in stocks):
            raise Refused(" one of the tickers is already active!")

    def revise(self, fields: dict[str, Any], source: str) -> None:
        """Changes hedge, status or notes; raises Refused."""
        for key in ("ticker1", "ticker2"):
            if fields.get(key, getattr(self, key)) != getattr(self, key):
                raise Refused({key: "a pair's tickers cannot change"})
        if fields.get("status"):
            self._check_legs(Stock.spelled(self.ticker1), Stock.spelled(self.ticker2))
        self.change(source, fields)

    @classmethod
    def put(cls, name: str, fields: dict[str, Any], source: str) -> "Pair":
        """Changes the pair of this name."""
        pair = cls.find(name)
        pair.revise(fields, source)
        return pair

    @classmethod
    def drop(cls, name: str, source: str) -> None:
        """Deletes a pair; its legs stay registered."""
        cls.find(name).remove(source)

    @classmethod
    def page(cls, limit: int, before: int | None = None) -> peewee.ModelSelect:
        """The newest pairs first; 0 means all."""
        return newest(cls.select(), limit, before)
