"""Stocks (also spelled as tickers) and pairs: what alerts are checked against."""

import schemas
from handlers.base import BaseHandler, ListHandler, Right, count_of, right
from models import Pair, Stock


class StockRegister(BaseHandler):
    """/v3/regstock: POST registers a stock, PUT updates or registers it."""

    noun = "stock"
    created = "Stock created successfully."
    form = schemas.StockForm
    record = staticmethod(schemas.stock_record)

    @right(Right.FRESH)
    async def post(self) -> None:
        form = schemas.check(self.form, self.json_body())
        columns = form.columns()
        self.publish(await self.store(Stock.register, columns, self.source, self.noun))
        self.reply({"message": self.created}, 201)

    @right(Right.FRESH)
    async def put(self) -> None:
        form = schemas.check(self.form, self.json_body())
        stock, made, events = await self.store(Stock.put, form.columns(), self.source)
        self.publish(events)
        self.reply(self.record(stock.record()), 201 if made else 200)


class TickerRegister(StockRegister):
    """/v3/regticker: the same in the bridge's spelling."""

    noun = "ticker"
    created = "'ticker' created successfully."
    form = schemas.TickerForm
    record = staticmethod(schemas.ticker_record)


class StockList(ListHandler):
    """/v3/stocks/{n}: the newest stocks."""

    list_key = "stocks"
    record = staticmethod(schemas.stock_record)

    @right(Right.POLL)
    async def get(self, count: str) -> None:
        record = self.record
        await self.reply_rows(Stock.page, lambda row: record(row.record()), count_of(count))


class TickerList(StockList):
    """/v3/tickers/{n}: the same in the bridge's spelling."""

    list_key = "tickers"
    record = staticmethod(schemas.ticker_record)


class Holding(BaseHandler):
    """/v3/ticker/updatepnl: a position as the bridge reports it."""

    @right(Right.SENDER)
    async def put(self) -> None:
        form = schemas.check(schemas.HoldingForm, self.json_body())
        stock, events = await self.store(Stock.hold, form.symbol, form.columns(), self.source)
        self.publish(events)
        self.reply(schemas.ticker_record(stock.record()))


class OneStock(BaseHandler):
    """/v3/stock/{symbol}."""

    @right(Right.POLL)
    async def get(self, symbol: str) -> None:
        self.reply(schemas.stock_record(Stock.find(symbol).record()))

    @right(Right.ADMIN)
    async def delete(self, symbol: str) -> None:
        self.publish(await self.store(Stock.drop, symbol, self.source))
        self.reply({"message": "Item deleted"})


class OneTicker(OneStock):
    """/v3/ticker/{symbol}; the bridge may ask for a currency pair by its other spelling."""

    @right(Right.POLL)
    async def get(self, symbol: str) -> None:
        self.reply(schemas.ticker_record(Stock.find_spelled(symbol).record()))


class PairRegister(BaseHandler):
    """/v3/regpair: POST registers a pair and its legs, PUT changes a pair."""

    @right(Right.FRESH)
    async def post(self) -> None:
        form = schemas.check(schemas.PairForm, self.json_body())
        self.publish(await self.store(Pair.register, form.columns(), self.source))
        self.reply({"message": "'pair' created successfully."}, 201)

    @right(Right.FRESH)
    async def put(self) -> None:
        form = schemas.check(schemas.PairChange, self.json_body())
        pair, events = await self.store(Pair.put, form.key(), form.columns(), self.source)
        self.publish(events)
        self.reply(_pair(pair))


class PairList(ListHandler):
    """/v3/pairs/{n}: the newest pairs."""

    list_key = "pairs"

    @right(Right.POLL)
    async def get(self, count: str) -> None:
        await self.reply_rows(
            Pair.page, lambda row: schemas.pair_record(row.record()), count_of(count)
        )


def _pair(row: Pair) -> dict:
    return schemas.pair_record(row.record())


class OnePair(BaseHandler):
    """/v3/pair/{name}."""

    @right(Right.POLL)
    async def get(self, name: str) -> None:
        self.reply(_pair(Pair.find(name)))

    @right(Right.ADMIN)
    async def delete(self, name: str) -> None:
        self.publish(await self.store(Pair.drop, name, self.source))
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/regstock", StockRegister),
    (r"/v3/stocks/([^/]+)", StockList),
    (r"/v3/stock/([^/]+)", OneStock),
    (r"/v3/regticker", TickerRegister),
    (r"/v3/tickers/([^/]+)", TickerList),
    (r"/v3/ticker/updatepnl", Holding),
    (r"/v3/ticker/([^/]+)", OneTicker),
    (r"/v3/regpair", PairRegister),
    (r"/v3/pairs/([^/]+)", PairList),
    (r"/v3/pair/([^/]+)", OnePair),
]
