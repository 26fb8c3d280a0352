"""Stocks and pairs: what alerts are checked against."""

import schemas
from handlers.base import BaseHandler, ListHandler, Right, right
from models import Pair, Stock


class StockRegister(BaseHandler):
    """/v3/regstock: POST registers a stock, PUT updates or registers it."""

    @right(Right.FRESH)
    async def post(self) -> None:
        form = schemas.check(schemas.StockForm, self.json_body())
        self.publish(await self.store(Stock.register, form.columns(), self.source))
        self.reply({"message": "Stock created successfully."}, 201)

    @right(Right.FRESH)
    async def put(self) -> None:
        form = schemas.check(schemas.StockForm, self.json_body())
        stock, made, events = await self.store(Stock.put, form.columns(), self.source)
        self.publish(events)
        self.reply(schemas.stock_record(stock.record()), 201 if made else 200)


class StockList(ListHandler):
    """/v3/stocks/{n}: the newest stocks."""

    list_key = "stocks"

    @right(Right.READ)
    async def get(self, count: str) -> None:
        await self.reply_rows(Stock.page, lambda row: schemas.stock_record(row.record()), count)


class OneStock(BaseHandler):
    """/v3/stock/{symbol}."""

    @right(Right.READ)
    async def get(self, symbol: str) -> None:
        self.reply(schemas.stock_record(Stock.find(symbol).record()))

    @right(Right.ADMIN)
    async def delete(self, symbol: str) -> None:
        self.publish(await self.store(Stock.drop, symbol, self.source))
        self.reply({"message": "Item deleted"})


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
        self.reply(schemas.pair_record(pair.record()))


class PairList(ListHandler):
    """/v3/pairs/{n}: the newest pairs."""

    list_key = "pairs"

    @right(Right.READ)
    async def get(self, count: str) -> None:
        await self.reply_rows(Pair.page, lambda row: schemas.pair_record(row.record()), count)


class OnePair(BaseHandler):
    """/v3/pair/{name}."""

    @right(Right.READ)
    async def get(self, name: str) -> None:
        self.reply(schemas.pair_record(Pair.find(name).record()))

    @right(Right.ADMIN)
    async def delete(self, name: str) -> None:
        self.publish(await self.store(Pair.drop, name, self.source))
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/regstock", StockRegister),
    (r"/v3/stocks/([^/]+)", StockList),
    (r"/v3/stock/([^/]+)", OneStock),
    (r"/v3/regpair", PairRegister),
    (r"/v3/pairs/([^/]+)", PairList),
    (r"/v3/pair/([^/]+)", OnePair),
]
