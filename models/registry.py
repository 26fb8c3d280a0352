"""The registry of stocks and pairs that alerts are checked against."""

from typing import Any

import peewee
from peewee import CharField, DoubleField, IntegerField, TextField

from database import RowId
from models.base import Event, Missing, Refused, Told, newest
from models.signals import Signal


class Stock(Told):
    """A symbol of the registry with its routing and the position the bridge reports."""

    noun = "stock"

    id = RowId()
    symbol = CharField(200, unique=True)
    sectype = CharField(20, default="STK")
    exchange = CharField(40, default="SMART")
    primary_exchange = CharField(40, default="ISLAND")
    currency = CharField(20, default="USD")
    order_type = CharField(20, default="RELATIVE")
    active = IntegerField(default=0)
    position = DoubleField(default=0)
    pnl = DoubleField(default=0)
    cost = DoubleField(default=0)

    def subject(self) -> str:
        return self.symbol

    @classmethod
    def find(cls, symbol: str) -> "Stock":
        """The stock of this symbol; raises Missing."""
        if stock := cls.get_or_none(cls.symbol == symbol):
            return stock
        raise Missing

    @classmethod
    def register(cls, fields: dict[str, Any], source: str) -> list[Event]:
        """A new stock; raises Refused."""
        if cls.get_or_none(cls.symbol == fields["symbol"]):
            raise Refused("'stock' with that name already exists.")
        cls._check_active(fields)
        return [cls.add(source, **fields)]

    @classmethod
    def put(cls, fields: dict[str, Any], source: str) -> tuple["Stock", bool, list[Event]]:
        """Updates the stock, or registers it: (stock, made anew, events)."""
        stock = cls.get_or_none(cls.symbol == fields["symbol"])
        if stock is None:
            events = cls.register(fields, source)
            return cls.find(fields["symbol"]), True, events
        cls._check_active(fields)
        return stock, False, stock.change(source, fields)

    @staticmethod
    def _check_active(fields: dict[str, Any]) -> None:
        if (
            fields.get("active")
            and Pair.with_leg(fields["symbol"]).where(Pair.active == 1).exists()
        ):
            raise Refused(" ticker is already active in a pair!")

    @classmethod
    def drop(cls, symbol: str, source: str) -> list[Event]:
        """Deletes a stock that no pair and no open signal needs."""
        stock = cls.find(symbol)
        if Pair.with_leg(symbol).exists():
            raise Refused(f"'{symbol}' is a leg of a pair; delete the pair first.")
        if Signal.has_open(symbol):
            raise Refused(
                f"'{symbol}' has an open signal; it can be deleted once that is finished."
            )
        return [stock.remove(source)]

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
    leg1 = CharField(200, index=True)
    leg2 = CharField(200, index=True)
    hedge = DoubleField()
    active = IntegerField(default=0)
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
        """The pairs that this symbol is a leg of."""
        return cls.select().where((cls.leg1 == symbol) | (cls.leg2 == symbol))

    @classmethod
    def register(cls, fields: dict[str, Any], source: str) -> list[Event]:
        """A new pair, and its legs where they are not registered yet; raises Refused."""
        name = f"{fields['leg1']}-{fields['leg2']}"
        if cls.get_or_none(cls.name == name):
            raise Refused("'pair' with that name already exists.")
        if fields["leg1"] == fields["leg2"]:
            raise Refused({"ticker2": "must differ from ticker1"})
        legs = [Stock.get_or_none(Stock.symbol == fields[leg]) for leg in ("leg1", "leg2")]
        if any(leg and leg.sectype == "CRYPTO" for leg in legs):
            raise Refused("crypto cannot be a leg of a pair.")
        if fields.get("active"):
            cls._check_legs(legs)
        events = [
            Stock.add(source, symbol=fields[key])
            for key, leg in zip(("leg1", "leg2"), legs, strict=True)
            if leg is None
        ]
        return [*events, cls.add(source, name=name, **fields)]

    @staticmethod
    def _check_legs(legs: list[Stock | None]) -> None:
        if any(leg and leg.active for leg in legs):
            raise Refused(" one of the tickers is already active!")

    def revise(self, fields: dict[str, Any], source: str) -> list[Event]:
        """Changes hedge, status or notes; raises Refused."""
        for key in ("leg1", "leg2"):
            if fields.get(key, getattr(self, key)) != getattr(self, key):
                raise Refused({f"ticker{key[-1]}": "a pair's tickers cannot change"})
        if fields.get("active"):
            self._check_legs(
                [Stock.get_or_none(Stock.symbol == leg) for leg in (self.leg1, self.leg2)]
            )
        return self.change(source, fields)

    @classmethod
    def put(cls, name: str, fields: dict[str, Any], source: str) -> tuple["Pair", list[Event]]:
        """Changes the pair of this name."""
        pair = cls.find(name)
        return pair, pair.revise(fields, source)

    @classmethod
    def drop(cls, name: str, source: str) -> list[Event]:
        """Deletes a pair; its legs stay registered."""
        return [cls.find(name).remove(source)]

    @classmethod
    def page(cls, limit: int, before: int | None = None) -> peewee.ModelSelect:
        """The newest pairs first; 0 means all."""
        return newest(cls.select(), limit, before)
