"""Stocks (also spelled as tickers) and pairs: what alerts are checked against."""

from collections.abc import Callable
from typing import Any

import schemas
from handlers.base import (
    BaseHandler,
    Count,
    ListHandler,
    PairName,
    Right,
    Symbol,
    contract,
    count_of,
    right,
)
from models import Audit, EventRow, Missing, Pair, Stock, Unregistered
from schemas import answers, records

MOST_CHANGES = 10  # a pair and both its legs are three


class RegistryHandler(BaseHandler):
    """A handler that changes the registry, which the audit tells with the event of each change."""

    async def change(self, verb: Callable, *args: Any) -> Any:
        """As `store`, and the audit tells of each event that the verb wrote."""
        trace, most = self.trace, self.conf.audit_kept

        def work() -> Any:
            before = EventRow.last_id()
            result = verb(*args)
            for event in EventRow.after(before, MOST_CHANGES):
                Audit.note(event.type, trace, most, event.subject, event.id)
            return result

        return await self.store(work)


class StockRegister(RegistryHandler):
    """/v3/regstock: POST registers a stock, PUT updates or registers it."""

    noun = "stock"
    created = "Stock created successfully."
    form = schemas.StockForm
    answer = records.StockRecord
    record = staticmethod(schemas.stock_record)

    @right(Right.FRESH, scope="registry")
    @contract({201: answers.Done}, "form")
    async def post(self) -> None:
        """Register a {noun}."""
        form = schemas.check(self.form, self.json_body())
        columns = form.columns()
        await self.change(Stock.register, columns, self.source, self.noun)
        self.reply({"message": self.created}, 201)

    @right(Right.FRESH, scope="registry")
    @contract({200: "answer", 201: "answer"}, "form")
    async def put(self) -> None:
        """Update a {noun}, or register it; what is not sent stays."""
        form = schemas.check(self.form, self.json_body())
        stock, made = await self.change(Stock.put, form.columns(), self.source)
        self.reply(self.record(stock.record()), 201 if made else 200)


class TickerRegister(StockRegister):
    """/v3/regticker: the same in the bridge's spelling."""

    noun = "ticker"
    created = "'ticker' created successfully."
    form = schemas.TickerForm
    answer = records.TickerRecord
    record = staticmethod(schemas.ticker_record)


class StockList(ListHandler):
    """/v3/stocks/{n}: the newest stocks."""

    list_key = "stocks"
    noun = "stock"
    answer = records.StockRecord
    record = staticmethod(schemas.stock_record)

    @right(Right.POLL)
    @contract({200: ["answer"]})
    async def get(self, count: Count) -> None:
        """List the newest {noun}s."""
        record = self.record
        await self.reply_rows(Stock.page, lambda row: record(row.record()), count_of(count))


class TickerList(StockList):
    """/v3/tickers/{n}: the same in the bridge's spelling."""

    list_key = "tickers"
    noun = "ticker"
    answer = records.TickerRecord
    record = staticmethod(schemas.ticker_record)


class Holding(BaseHandler):
    """/v3/ticker/updatepnl: a position as the bridge reports it."""

    @right(Right.SENDER)
    @contract({200: records.TickerRecord}, schemas.HoldingForm, refuses=(404,))
    async def put(self) -> None:
        """Report a position."""
        form = schemas.check(schemas.HoldingForm, self.json_body())
        fields = form.columns()
        try:
            stock = await self.store(Stock.hold, form.symbol, fields, self.source)
        except Missing:
            await self.store(Unregistered.note, form.symbol, fields)
            raise
        self.reply(schemas.ticker_record(stock.record()))


class OneStock(RegistryHandler):
    """/v3/stock/{symbol}."""

    @right(Right.POLL)
    @contract({200: records.StockRecord}, refuses=(404,))
    async def get(self, symbol: Symbol) -> None:
        """Read a stock."""
        self.reply(schemas.stock_record(Stock.find(symbol).record()))

    @right(Right.ADMIN, scope="registry")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, symbol: Symbol) -> None:
        """Delete a stock."""
        await self.change(Stock.drop, symbol, self.source)
        self.reply({"message": "Item deleted"})


class OneTicker(OneStock):
    """/v3/ticker/{symbol}; the bridge may ask for it by its other spelling."""

    @right(Right.POLL)
    @contract({200: records.TickerRecord}, refuses=(404,))
    async def get(self, symbol: Symbol) -> None:
        """Read a ticker."""
        self.reply(schemas.ticker_record(Stock.find_spelled(symbol).record()))


class PairRegister(RegistryHandler):
    """/v3/regpair: POST registers a pair and its legs, PUT changes a pair."""

    @right(Right.FRESH, scope="registry")
    @contract({201: answers.Done}, schemas.PairForm)
    async def post(self) -> None:
        """Register a pair and its legs."""
        form = schemas.check(schemas.PairForm, self.json_body())
        await self.change(Pair.register, form.columns(), self.source)
        self.reply({"message": "'pair' created successfully."}, 201)

    @right(Right.FRESH, scope="registry")
    @contract({200: records.PairRecord}, schemas.PairChange, refuses=(404,))
    async def put(self) -> None:
        """Change a pair."""
        form = schemas.check(schemas.PairChange, self.json_body())
        pair = await self.change(Pair.put, form.key(), form.columns(), self.source)
        self.reply(_pair(pair))


class PairList(ListHandler):
    """/v3/pairs/{n}: the newest pairs."""

    list_key = "pairs"

    @right(Right.POLL)
    @contract({200: [records.PairRecord]})
    async def get(self, count: Count) -> None:
        """List the newest pairs."""
        await self.reply_rows(
            Pair.page, lambda row: schemas.pair_record(row.record()), count_of(count)
        )


def _pair(row: Pair) -> dict:
    return schemas.pair_record(row.record())


class OnePair(RegistryHandler):
    """/v3/pair/{name}."""

    @right(Right.POLL)
    @contract({200: records.PairRecord}, refuses=(404,))
    async def get(self, name: PairName) -> None:
        """Read a pair."""
        self.reply(_pair(Pair.find(name)))

    @right(Right.ADMIN, scope="registry")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, name: PairName) -> None:
        """Delete a pair."""
        await self.change(Pair.drop, name, self.source)
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
