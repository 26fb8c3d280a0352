"""Stocks (also spelled as tickers) and pairs: what alerts are checked against."""

from collections.abc import Callable
from functools import partial
from typing import Any

from handlers.base import BaseHandler
from handlers.contract import Count, PairName, Right, Symbol, contract, right
from handlers.lists import ListHandler, count_of
from models import Missing, Pair, Stock
from schemas import answers
from schemas.forms import HoldingForm, PairChange, PairForm, StockForm, TickerForm
from schemas.records import stock_record, ticker_record
from schemas.requests import EquationQuery
from schemas.values import BadFields, check
from services import audit, events, registry
from trading.equation import Problematic

MOST_CHANGES = 10  # a pair and both its legs are three


class RegistryHandler(BaseHandler):
    """A handler that changes the registry; the audit names the event of each change."""

    async def change(self, verb: Callable, *args: Any) -> Any:
        """As `store`, and notes each event that the verb wrote in the audit."""
        trace, most = self.trace, self.conf.audit_kept

        def work() -> Any:
            result, written = events.written_by(partial(verb, *args), MOST_CHANGES)
            for event in written:
                audit.note(event.type, trace, most, event.subject, event.id)
            return result

        return await self.store(work)


class StockRegister(RegistryHandler):
    """/v3/regstock: POST registers a stock, PUT updates or registers it."""

    noun = "stock"
    created = "Stock created successfully."
    form = StockForm
    answer = answers.StockRecord
    record = staticmethod(stock_record)

    @right(Right.FRESH, scope="registry")
    @contract({201: answers.Done}, "form")
    async def post(self) -> None:
        """Register a {noun}."""
        form = check(self.form, self.json_body())
        await self.change(registry.register_stock, form.columns(), self.source, self.noun)
        self.reply({"message": self.created}, 201)

    @right(Right.FRESH, scope="registry")
    @contract({200: "answer", 201: "answer"}, "form")
    async def put(self) -> None:
        """Update a {noun}, or register it; what is not sent stays."""
        form = check(self.form, self.json_body())
        stock, made = await self.change(registry.put_stock, form.columns(), self.source)
        self.reply(self.record(stock.columns()), 201 if made else 200)


class TickerRegister(StockRegister):
    """/v3/regticker: POST and PUT as /v3/regstock, in the bridge's spelling."""

    noun = "ticker"
    created = "'ticker' created successfully."
    form = TickerForm
    answer = answers.TickerRecord
    record = staticmethod(ticker_record)


class StockList(ListHandler):
    """/v3/stocks/{n}: the newest stocks."""

    list_key = "stocks"
    noun = "stock"
    answer = answers.StockRecord
    record = staticmethod(stock_record)

    @right(Right.POLL)
    @contract({200: ["answer"]})
    async def get(self, count: Count) -> None:
        """List the newest {noun}s."""
        record = self.record
        await self.reply_rows(Stock.page, lambda stock: record(stock.columns()), count_of(count))


class TickerList(StockList):
    """/v3/tickers/{n}: the newest stocks in the bridge's spelling."""

    list_key = "tickers"
    noun = "ticker"
    answer = answers.TickerRecord
    record = staticmethod(ticker_record)


class Holding(BaseHandler):
    """/v3/ticker/updatepnl: a position as the bridge reports it."""

    @right(Right.SENDER)
    @contract({200: answers.TickerRecord}, HoldingForm, refuses=(404,))
    async def put(self) -> None:
        """Report a position."""
        form = check(HoldingForm, self.json_body())
        fields = form.columns()
        try:
            stock = await self.store(registry.hold, form.symbol, fields, self.source)
        except Missing:
            await self.store(registry.hold_unregistered, form.symbol, fields)
            raise
        self.reply(ticker_record(stock.columns()))


class OneStock(RegistryHandler):
    """/v3/stock/{symbol}: GET reads a stock, DELETE deletes it."""

    @right(Right.POLL)
    @contract({200: answers.StockRecord}, refuses=(404,))
    async def get(self, symbol: Symbol) -> None:
        """Read a stock."""
        self.reply(stock_record(Stock.find(symbol).columns()))

    @right(Right.ADMIN, scope="registry")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, symbol: Symbol) -> None:
        """Delete a stock."""
        await self.change(registry.delete_stock, symbol, self.source)
        self.reply({"message": "Item deleted"})


class OneTicker(OneStock):
    """/v3/ticker/{symbol}: GET reads a stock in the bridge's spelling, DELETE deletes it.

    The bridge may also spell the symbol as the broker does.
    """

    @right(Right.POLL)
    @contract({200: answers.TickerRecord}, refuses=(404,))
    async def get(self, symbol: Symbol) -> None:
        """Read a ticker."""
        self.reply(ticker_record(Stock.find_spelled(symbol).columns()))


class Equation(BaseHandler):
    """/v3/equation: what an equation means, and what the registry knows of it."""

    @right(Right.TOKEN, scope="read")
    @contract({200: answers.EquationRead}, query=EquationQuery, refuses=(400,))
    async def get(self) -> None:
        """Read an equation."""
        try:
            self.reply(registry.read_equation(self.query(EquationQuery).text))
        except Problematic as problem:
            raise BadFields({"text": str(problem)}) from None


class PairRegister(RegistryHandler):
    """/v3/regpair: POST registers a pair and its legs, PUT changes a pair."""

    @right(Right.FRESH, scope="registry")
    @contract({201: answers.Done}, PairForm)
    async def post(self) -> None:
        """Register a pair and its legs."""
        form = check(PairForm, self.json_body())
        await self.change(registry.register_pair, form.columns(), self.source)
        self.reply({"message": "'pair' created successfully."}, 201)

    @right(Right.FRESH, scope="registry")
    @contract({200: answers.PairRecord}, PairChange, refuses=(404,))
    async def put(self) -> None:
        """Change a pair."""
        form = check(PairChange, self.json_body())
        pair = await self.change(registry.change_pair, form.key(), form.columns(), self.source)
        self.reply(pair.record())


class PairList(ListHandler):
    """/v3/pairs/{n}: the newest pairs."""

    list_key = "pairs"

    @right(Right.POLL)
    @contract({200: [answers.PairRecord]})
    async def get(self, count: Count) -> None:
        """List the newest pairs."""
        await self.reply_rows(Pair.page, Pair.record, count_of(count))


class OnePair(RegistryHandler):
    """/v3/pair/{name}: GET reads a pair, DELETE deletes it."""

    @right(Right.POLL)
    @contract({200: answers.PairRecord}, refuses=(404,))
    async def get(self, name: PairName) -> None:
        """Read a pair."""
        self.reply(Pair.find(name).record())

    @right(Right.ADMIN, scope="registry")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, name: PairName) -> None:
        """Delete a pair."""
        await self.change(registry.delete_pair, name, self.source)
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/regstock", StockRegister),
    (r"/v3/stocks/([^/]+)", StockList),
    (r"/v3/stock/([^/]+)", OneStock),
    (r"/v3/regticker", TickerRegister),
    (r"/v3/tickers/([^/]+)", TickerList),
    (r"/v3/ticker/updatepnl", Holding),
    (r"/v3/ticker/([^/]+)", OneTicker),
    (r"/v3/equation", Equation),
    (r"/v3/regpair", PairRegister),
    (r"/v3/pairs/([^/]+)", PairList),
    (r"/v3/pair/([^/]+)", OnePair),
]
