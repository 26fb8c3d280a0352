"""Every table: its columns, named as in the API, its indexes, and the methods that find rows.

Rules are in `trading`, changes in `services`. The API's document is made from this module: it shows
the type of a column, whether it may be null, its `help_text`, and the example of its table.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import orjson
import peewee
from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    TextField,
    fn,
)

import security
from database.opening import RowId, proxy
from database.rows import Compiled, newest_of_each
from trading import equation, fills, instants, statuses
from trading.alarms import KINDS, gravity
from trading.fills import EXACT, plain
from trading.guards import MODES, ON, Limits
from trading.judging import CURRENCIES
from trading.positions import SIDES

Record = dict[str, Any]

TYPES = ("single", "pair")
SECURITY_TYPES = ("STK", "CASH", "CRYPTO")
# {scope of an API token: what it may do}
SCOPES = {
    "read": {"read"},
    "signals": {"read", "signals"},
    "registry": {"read", "registry"},
    "admin": {"read", "signals", "registry", "admin"},
}


class Missing(Exception):
    """The row that was asked for does not exist."""


class Ended(Missing):
    """The session or API token of the caller has ended."""


class Refused(Exception):
    """The change is not allowed. `reason` is for the caller: a text, or {field: reason}."""

    def __init__(self, reason: str | dict[str, str]):
        super().__init__(reason)
        self.reason = reason


class Moment(CharField):
    """A time in UTC, stored as text: `2026-11-24 15:30:00`."""

    def __init__(self, **options: Any):
        super().__init__(max_length=19, **options)


class Base(peewee.Model):
    """What all our tables share."""

    class Meta:
        database = proxy
        legacy_table_names = False

    @classmethod
    def find(cls, key: Any) -> Any:
        """The row with this key or name (see `named`). Raises Missing."""
        if row := cls.get_or_none(cls.named() == key):
            return row
        raise Missing

    @classmethod
    def named(cls) -> peewee.Field:
        """The column that `find` looks in: the primary key, or the name that people use."""
        return cls._meta.primary_key

    @classmethod
    def page(cls, limit: int, before: int | None = None) -> peewee.ModelSelect:
        """The newest rows first: at most `limit` (0: all), only ids below `before` if given."""
        return newest(cls.select(), limit, before)

    def columns(self) -> Record:
        """The row as {column: value}."""
        return {name: self.__data__.get(name) for name in self._meta.sorted_field_names}


def of_symbol(column: peewee.Field, symbol: str) -> Any:
    """A condition: the column holds this symbol, in any spelling."""
    ways = equation.spellings(symbol)
    return column == ways[0] if len(ways) == 1 else column.in_(ways)


def newest(rows: peewee.ModelSelect, limit: int, before: int | None = None) -> peewee.ModelSelect:
    """The newest of these rows first; see `Base.page`."""
    key = rows.model._meta.primary_key
    if before is not None:
        rows = rows.where(key < before)
    rows = rows.order_by(key.desc())
    return rows.limit(limit) if limit else rows


# --- events ---------------------------------------------------------------------------


class EventRow(Base):
    """A change of a row in another table. Events never change; ids rise in commit order."""

    EXAMPLE = {
        "id": 7,
        "time": "2026-11-24 15:30:05",
        "type": "signal.updated",
        "subject": "1",
        "source": "bridge",
        "changes": {"order_status": ["waiting", "created"], "order_id1": [None, 1010]},
    }

    id = RowId(help_text="rises in the order of commits")
    time = Moment()
    type = CharField(40, help_text="what changed and how: `signal.updated`")
    subject = CharField(200, help_text="which row changed: its rowid, symbol or name")
    source = CharField(80, help_text="who changed it: webhook, bridge, system, import, or a user")
    changes = TextField(help_text="the old and the new value of each field that changed")
    record = TextField(help_text="the record after the change, as JSON")

    class Meta:
        table_name = "event"
        indexes = ((("subject", "id"), False),)

    @classmethod
    def last_id(cls) -> int:
        """The id of the newest event, 0 before the first."""
        return _LAST_EVENT().fetchone()[0] or 0

    @classmethod
    def told_after(cls, event_id: int, most: int) -> list[tuple[int, str, str, str]]:
        """At most `most` events that follow this one: (id, type, record, changes).

        The record and the changes are JSON texts.
        """
        return _EVENTS_AFTER((event_id, most)).fetchall()

    @classmethod
    def after(cls, event_id: int, limit: int) -> list["EventRow"]:
        """At most `limit` events that follow this one, oldest first."""
        return list(cls.select().where(cls.id > event_id).order_by(cls.id).limit(limit))

    @classmethod
    def of(cls, noun: str, subject: str) -> list["EventRow"]:
        """All events of one row, oldest first; `noun` is its kind, such as `signal`."""
        mine = (cls.subject == subject) & (cls.type.startswith(f"{noun}."))
        return list(cls.select().where(mine).order_by(cls.id))

    @classmethod
    def newest_of_each(cls, subjects: Collection[str], most: int) -> list[tuple]:
        """The last `most` events of each of these: (id, subject, time, type, changes)."""
        columns = ("subject", "time", "type", "changes")
        owners = [(subject,) for subject in subjects]
        own = "subject = owner.column1 ORDER BY id DESC"
        return newest_of_each("event", "id", columns, owners, most, own)

    @classmethod
    def last_time(cls) -> str | None:
        """The time of the newest event; None if there is none."""
        return cls.select(cls.time).order_by(cls.id.desc()).limit(1).scalar()

    @classmethod
    def last_of_signals(cls) -> "EventRow | None":
        """The newest event of a signal that was stored or changed; None if there is none."""
        return cls.select().where(_TOLD_OF_SIGNALS).order_by(cls.id.desc()).first()

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """The changes as {column: [old, new]}."""
        return orjson.loads(self.changes)


# Spelled as the index has it, so that the databases use the index.
_TOLD_OF_SIGNALS = peewee.SQL("type IN ('signal.created', 'signal.updated')")
EventRow.add_index(EventRow.index(EventRow.id, name="event_of_signal", where=_TOLD_OF_SIGNALS))
_LAST_EVENT = Compiled(lambda: EventRow.select(fn.MAX(EventRow.id)))
_EVENTS_AFTER = Compiled(
    lambda: (
        EventRow.select(EventRow.id, EventRow.type, EventRow.record, EventRow.changes)
        .where(EventRow.id > 0)
        .order_by(EventRow.id)
        .limit(1)
    )
)


class Told(Base):
    """A table whose changes make events. Only `services.events` adds, changes and removes rows."""

    noun: str  # the kind of a row in the type of its events
    UNTOLD: frozenset[str] = frozenset()  # columns whose changes make no event

    def subject(self) -> str:
        """The name of this row in its events."""
        return str(self.get_id())

    def record(self) -> Record:
        """The row as clients see it."""
        return record_of(self.noun, self.columns())

    def filled(self) -> Record:
        """The columns for an event: all that have a value, without the key and UNTOLD."""
        skipped = {self._meta.primary_key.name, *self.UNTOLD}
        columns = self.columns().items()
        return {name: each for name, each in columns if name not in skipped and each is not None}


# --- signals --------------------------------------------------------------------------

# Written this way, only the partial index fits the condition; another index would have to sort.
OFFERED = peewee.SQL("COALESCE(order_status, '') IN ('waiting', 'rerouted')")


class Signal(Told):
    """An alert that was stored, and the state of its orders."""

    noun = "signal"
    EXAMPLE = {
        "rowid": 1,
        "timestamp": "2026-11-24 15:30:00",
        "ticker": "MA-3*V",
        "order_action": "buy",
        "order_contracts": 10,
        "order_price": -2,
        "mar_pos": "long",
        "mar_pos_size": 10,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long",
        "order_status": "filled",
        "ticker_type": "pair",
        "stk_ticker1": "MA",
        "stk_ticker2": "V",
        "hedge_param": 3,
        "order_id1": 1010,
        "order_id2": 1011,
        "stk_price1": 300.1,
        "stk_price2": 100.756,
        "fill_price": -2.168,
        "slip": 0.168,
        "error_msg": None,
        "status_msg": "",
    }

    rowid = RowId()
    timestamp = Moment(index=True, help_text="when the alert came in, UTC")
    ticker = TextField(help_text="the ticker or equation as it was sent")
    order_action = CharField(4, choices=("buy", "sell"))
    order_contracts = DoubleField(help_text="quantity of leg 1")
    order_price = DoubleField(null=True, help_text="price on the chart; for a pair the spread")
    mar_pos = CharField(5, null=True, choices=SIDES, help_text="position after the order")
    mar_pos_size = DoubleField(default=0, help_text="size of the position after the order")
    pre_mar_pos = CharField(5, null=True, choices=SIDES, help_text="position before the order")
    pre_mar_pos_size = DoubleField(default=0, help_text="size of the position before the order")
    order_comment = TextField(null=True, help_text="comment of the strategy")
    order_status = CharField(40, help_text="state of the signal and its orders")
    ticker_type = CharField(6, null=True, choices=TYPES, help_text="null: not understood")
    stk_ticker1 = CharField(200, null=True, help_text="symbol of leg 1")
    stk_ticker2 = CharField(200, null=True, help_text="symbol of leg 2; null for a single")
    hedge_param = DoubleField(null=True, help_text="quantity of leg 2 for each 1 of leg 1")
    order_id1 = BigIntegerField(null=True, help_text="the broker's order id for leg 1")
    order_id2 = BigIntegerField(null=True, help_text="the broker's order id for leg 2")
    stk_price1 = DoubleField(null=True, help_text="average fill price of leg 1")
    stk_price2 = DoubleField(null=True, help_text="average fill price of leg 2")
    fill_price = DoubleField(
        null=True, help_text="fill price of leg 1, minus hedge_param times that of leg 2"
    )
    slip = DoubleField(null=True, help_text="slippage per contract; above 0 is good for the trader")
    error_msg = TextField(null=True, help_text="error that the bridge reported")
    status_msg = TextField(null=True, help_text="reason for the status")
    filled_qty1 = DoubleField(null=True, help_text="quantity of leg 1 that was filled")
    filled_qty2 = DoubleField(null=True, help_text="quantity of leg 2 that was filled")
    alert_time = Moment(null=True, help_text="when TradingView sent the alert, UTC")
    warning = TextField(null=True, help_text="what to correct in the alert's message")
    expires = Moment(null=True, help_text="from when it is not offered any more, UTC; null: never")
    strategy_pos = DoubleField(
        null=True, help_text="position of the strategy, where only the exit of a reversal is traded"
    )

    class Meta:
        indexes = (
            (("order_status", "rowid"), False),
            (("ticker_type", "rowid"), False),
            (("stk_ticker1", "stk_ticker2", "rowid"), False),
        )

    @classmethod
    def of_order(cls, order_id: int, symbol: str | None) -> tuple["Signal", int]:
        """The newest signal with this order id, and the leg (1 or 2) that has it.

        If a symbol is given, the leg must trade it. Raises Missing.
        """
        mine = (cls.order_id1 == order_id) | (cls.order_id2 == order_id)
        for signal in cls.select().where(mine).order_by(cls.rowid.desc()):
            for leg, (leg_id, ticker) in enumerate(signal.orders(), 1):
                if leg_id == order_id and (symbol is None or fills.matches(symbol, ticker or "")):
                    return signal, leg
        raise Missing

    def orders(self) -> tuple[tuple[int | None, str | None], ...]:
        """(order id, symbol) of leg 1 and of leg 2."""
        return (self.order_id1, self.stk_ticker1), (self.order_id2, self.stk_ticker2)

    @classmethod
    def offered(cls) -> Any:
        """A condition: the bridge may trade the signal now; one that has expired it may not."""
        return OFFERED & (cls.expires.is_null() | (cls.expires > instants.now()))

    @classmethod
    def newest_offered(cls, columns: tuple[str, ...], limit: int) -> list[tuple]:
        """The values of these columns, for the newest signals that the bridge may trade."""
        return _NEWEST((instants.now(), limit), columns, True).fetchall()

    @classmethod
    def expired(cls, latest: str) -> list["Signal"]:
        """The signals that wait or are held and are too old to be traded, oldest first.

        No alert that comes now expires after `latest`. Where a signal does, the clock was set back
        since it came, and nobody knows how old it is.
        """
        return cls.undecided((cls.expires <= instants.now()) | (cls.expires > latest))

    @classmethod
    def undecided(cls, *conditions: Any) -> list["Signal"]:
        """The signals that wait or are held and meet the conditions, oldest first."""
        # Two queries, because each has an index.
        found = [
            signal
            for waits in (OFFERED, cls.order_status == statuses.HELD)
            for signal in cls.select().where(waits, *conditions)
        ]
        return sorted(found, key=lambda signal: signal.rowid)

    @classmethod
    def count_held(cls) -> int:
        """How many signals are held until a person approves them."""
        return _COUNT_HELD((statuses.HELD,)).fetchone()[0]

    @classmethod
    def held_legs(cls) -> list[tuple[str, str | None]]:
        """The legs of the signals that are held until a person approves them."""
        return _HELD_LEGS((statuses.HELD,)).fetchall()

    @classmethod
    def newest_ones(cls, columns: tuple[str, ...], limit: int) -> list[tuple]:
        """The values of these columns, for the newest signals."""
        return _NEWEST((limit,), columns, False).fetchall()

    @classmethod
    def newest_moves(cls, legs: Collection[tuple[str, str | None]]) -> list[tuple]:
        """The last LOOKED_BACK signals of each of these legs, newest first.

        Each is a tuple (leg 1, leg 2, and the columns of MOVE).
        """
        values = [value for each in legs for value in (*filter(None, each), LOOKED_BACK)]
        return _MOVES(values, *(leg2 is not None for _, leg2 in legs)).fetchall() if legs else []

    @classmethod
    def newest_of_each(cls, legs: Collection[tuple[str, str | None]], most: int) -> list[tuple]:
        """The last `most` signals of each of these legs, newest first, in a query or two.

        Each is a tuple (the columns of MOVE, leg 1, leg 2).
        """
        columns = (*MOVE[1:], "stk_ticker1", "stk_ticker2")
        pairs = [each for each in legs if each[1] is not None]
        singles = [each[:1] for each in legs if each[1] is None]
        both = "stk_ticker1 = owner.column1 AND stk_ticker2 = owner.column2 ORDER BY rowid DESC"
        # Only the index of legs has this order; by that of rowid PostgreSQL might walk the table.
        alone = (
            "stk_ticker1 = owner.column1 AND stk_ticker2 IS NULL "
            "ORDER BY stk_ticker2 DESC, rowid DESC"
        )
        return [
            *newest_of_each("signal", MOVE[0], columns, pairs, most, both),
            *newest_of_each("signal", MOVE[0], columns, singles, most, alone),
        ]

    @classmethod
    def count_offered(cls) -> int:
        """How many signals wait for the bridge."""
        return cls.select().where(cls.offered()).count()

    @classmethod
    def count_by_status(cls) -> list[tuple[str, int]]:
        """(status, number of signals) for each status."""
        counted = cls.select(cls.order_status, fn.COUNT(cls.rowid))
        return list(counted.group_by(cls.order_status).tuples())

    @classmethod
    def oldest_offered(cls) -> str | None:
        """When the oldest signal that waits for the bridge came in; None if none waits."""
        # By rowid, because the partial index holds only the signals that wait.
        return cls.select(cls.timestamp).where(cls.offered()).order_by(cls.rowid).limit(1).scalar()

    @classmethod
    def oldest_open(cls) -> str | None:
        """When the oldest signal came in that waits or has orders at the broker; None if none."""

        def oldest(status: str) -> str | None:
            rows = cls.select(cls.timestamp).where(cls.order_status == status)
            return rows.order_by(cls.rowid).limit(1).scalar()

        found = (cls.oldest_offered(), *map(oldest, statuses.PLACED))
        return min(filter(None, found), default=None)

    @classmethod
    def count_open(cls) -> int:
        """How many signals have orders at the broker that are not finished."""
        return cls.select().where(cls.order_status.in_(statuses.PLACED)).count()

    @classmethod
    def last_alert(cls) -> str | None:
        """When the newest signal came in; None if there is none."""
        return cls.select(cls.timestamp).order_by(cls.rowid.desc()).limit(1).scalar()

    @classmethod
    def placed_after(cls, moment: str) -> list[Record]:
        """The later signals with orders at the broker, with the columns of `fills.ORDER`."""
        rows = _PLACED((*statuses.PLACED, moment)).fetchall()
        return [dict(zip(("rowid", "timestamp", *fills.ORDER), row, strict=True)) for row in rows]

    @classmethod
    def of_legs(cls, leg1: str, leg2: str | None) -> peewee.ModelSelect:
        """The signals with these legs, in any spelling, the newest first."""
        second = cls.stk_ticker2.is_null() if leg2 is None else of_symbol(cls.stk_ticker2, leg2)
        mine = cls.select().where(of_symbol(cls.stk_ticker1, leg1), second)
        return mine.order_by(cls.rowid.desc())

    @classmethod
    def has_open(cls, symbol: str) -> bool:
        """Whether a signal with this symbol, in any spelling, is not finished."""
        trades = of_symbol(cls.stk_ticker1, symbol) | of_symbol(cls.stk_ticker2, symbol)
        return cls.select().where(cls.order_status.in_(statuses.OPEN), trades).exists()


# Not in Meta, because a partial index needs the model's columns, which exist only now.
Signal.add_index(Signal.index(Signal.rowid, name="signal_offered", where=OFFERED))
for _name in ("order_id1", "order_id2"):
    _column = getattr(Signal, _name)
    Signal.add_index(
        Signal.index(_column, Signal.rowid, name=f"signal_{_name}", where=_column.is_null(False))
    )

_HELD_LEGS = Compiled(
    lambda: Signal.select(Signal.stk_ticker1, Signal.stk_ticker2).where(Signal.order_status == "")
)

LOOKED_BACK = 6  # signals of a strategy that are read to know its position
MOVE = (
    *("rowid", "pre_mar_pos", "pre_mar_pos_size", "mar_pos", "mar_pos_size"),
    *("alert_time", "timestamp", "order_price", "order_comment", "status_msg", "order_status"),
    "strategy_pos",
)


def _newest(columns: tuple[str, ...], is_offered: bool) -> peewee.Query:
    rows = Signal.select(*(getattr(Signal, name) for name in columns))
    rows = rows.where(Signal.offered()) if is_offered else rows
    return rows.order_by(Signal.rowid.desc()).limit(1)


def _moves(*are_pairs: bool) -> peewee.Query:
    columns = [getattr(Signal, name) for name in ("stk_ticker1", "stk_ticker2", *MOVE)]

    def of(is_pair: bool) -> peewee.Query:
        leg2 = Signal.stk_ticker2 == "" if is_pair else Signal.stk_ticker2.is_null()
        mine = Signal.select(*columns).where(Signal.stk_ticker1 == "", leg2)
        last = mine.order_by(Signal.rowid.desc()).limit(1)
        return peewee.Select([last], [peewee.SQL("*")])

    first, *others = map(of, are_pairs)
    for other in others:
        first = first.union_all(other)
    return first


_PLACED = Compiled(
    lambda: Signal.select(
        *(getattr(Signal, name) for name in ("rowid", "timestamp", *fills.ORDER))
    ).where(Signal.order_status.in_(statuses.PLACED), Signal.timestamp > "")
)
_COUNT_HELD = Compiled(
    lambda: Signal.select(fn.COUNT(Signal.rowid)).where(Signal.order_status == "")
)
_NEWEST = Compiled(_newest)
_MOVES = Compiled(_moves)


class AlertId(Base):
    """The id that an alert carries. It is kept for ever, so a repeated alert stores nothing.

    If the same id comes with another content, the fingerprint differs.
    """

    id = RowId()
    alert_id = CharField(200)
    fingerprint = CharField(32, help_text="hash of the alert's content")
    signal = BigIntegerField(help_text="rowid of its signal")

    class Meta:
        indexes = ((("alert_id", "fingerprint"), True),)

    @classmethod
    def known(cls, alert_ids: Collection[str]) -> list[tuple[str, str, int]]:
        """(alert_id, fingerprint, rowid of the signal) of all stored alerts with these ids."""
        return _ALERT_IDS(alert_ids, len(alert_ids)).fetchall() if alert_ids else []


_ALERT_IDS = Compiled(
    lambda count: AlertId.select(AlertId.alert_id, AlertId.fingerprint, AlertId.signal).where(
        AlertId.alert_id.in_([""] * count)
    )
)


class RejectedAlert(Told):
    """The body of an alert that could not become a signal."""

    noun = "rejected"
    EXAMPLE = {
        "id": 1,
        "timestamp": "2026-11-24 15:30:00",
        "address": "52.89.214.238",
        "size": 59,
        "reasons": {"order_action": "required"},
        "body": '{"passphrase": "***", "ticker": "AAPL"}',
        "known": True,
    }

    id = RowId()
    timestamp = Moment(help_text="when it came in, UTC")
    address = CharField(64, help_text="address of the sender")
    size = IntegerField(help_text="size of its body in bytes")
    reasons = TextField(help_text="the reason for each wrong field, or one sentence")
    body = TextField(
        null=True,
        help_text="its text with the passphrase masked; null if it has no valid passphrase",
    )
    known = BooleanField(help_text="whether it had a valid passphrase")

    class Meta:
        indexes = ((("known", "id"), False),)

    @classmethod
    def count_by_sender(cls) -> list[tuple[bool, int]]:
        """(whether they had a valid passphrase, number of rejected alerts) for both cases."""
        return list(cls.select(cls.known, fn.COUNT(cls.id)).group_by(cls.known).tuples())


# --- the registry ---------------------------------------------------------------------


class Stock(Told):
    """A symbol of the registry, how it is traded, and the position that the bridge reports."""

    noun = "stock"
    UNTOLD = frozenset({"reported"})  # a report with the same figures makes no event
    EXAMPLE = {
        "symbol": "AAPL",
        "sectype": "STK",
        "xch": "SMART",
        "prixch": "ISLAND",
        "currency": "USD",
        "order_type": "RELATIVE",
        "active": 1,
        "active_pos": 7,
        "active_pnl": 14,
        "active_cost": 148.123,
    }

    id = RowId()
    symbol = CharField(200, unique=True, help_text="in the broker's spelling")
    sectype = CharField(20, default="STK", choices=SECURITY_TYPES, help_text="type of security")
    xch = CharField(40, default="SMART", help_text="exchange that orders are sent to")
    prixch = CharField(40, default="ISLAND", help_text="primary exchange")
    currency = CharField(20, default="USD")
    order_type = CharField(20, default="RELATIVE", help_text="type of the orders")
    active = IntegerField(default=0, choices=(0, 1), help_text="1: traded as a single")
    active_pos = DoubleField(default=0, help_text="shares held; below 0 is short")
    active_pnl = DoubleField(null=True, default=0, help_text="PnL of the day in the currency")
    active_cost = DoubleField(null=True, default=0, help_text="average cost of a share")
    reported = Moment(null=True, help_text="when the position was last reported, UTC")
    mode = CharField(5, default=ON, choices=MODES, help_text="which of its alerts are traded")

    @classmethod
    def named(cls) -> peewee.Field:
        return cls.symbol

    def subject(self) -> str:
        return self.symbol

    @property
    def equation(self) -> str:
        """The stock as alerts write it."""
        return self.symbol

    @property
    def legs(self) -> tuple[str, ...]:
        """What an order of it trades."""
        return (self.symbol,)

    @classmethod
    def spelled(cls, symbol: str) -> list["Stock"]:
        """The stocks with this symbol in any spelling (`BF.B` or `BF B`); this spelling is first.

        `USDCAD` also finds `USD.CAD`, but only if that is a currency or crypto pair.
        """
        others = cls.symbol.in_(equation.spellings(symbol))
        if equation.dotted(symbol):
            others &= cls.sectype.in_(CURRENCIES)
        rows = cls.select().where((cls.symbol == symbol) | others)
        return sorted(rows, key=lambda stock: stock.symbol != symbol)

    @classmethod
    def find_spelled(cls, symbol: str) -> "Stock":
        """The first stock of `spelled`. Raises Missing."""
        if stocks := cls.spelled(symbol):
            return stocks[0]
        raise Missing

    @classmethod
    def find_held(cls, symbol: str) -> "Stock":
        """The stock of a position that the broker reports.

        For a currency or crypto pair the broker gives only the base: `USD` for `USD.CAD`. Raises
        Missing, also if several pairs have this base: the position could belong to any of them.
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
    def judged(cls, symbols: Collection[str]) -> dict[str, tuple[int, str, str, str]]:
        """{symbol: (active, sectype, currency, mode)} of the registered ones of these symbols."""
        rows = _STOCKS(symbols, len(symbols)).fetchall() if symbols else []
        return {symbol: tuple(rest) for symbol, *rest in rows}

    @classmethod
    def held(cls) -> list["Held"]:
        """What all stocks hold."""
        return [Held(*row) for row in _HELD().fetchall()]

    @classmethod
    def currencies(cls) -> dict[str, str]:
        """{symbol: currency} of what is not traded in US dollars, in all spellings of a leg.

        Where two spellings are registered, each has its own currency.
        """
        rows = cls.select(cls.symbol, cls.currency).where(cls.currency != "USD").tuples()
        told = dict(rows)
        ways = {way: each for symbol, each in told.items() for way in equation.spellings(symbol)}
        return ways | told

    @classmethod
    def is_reported(cls) -> bool:
        """Whether the bridge has ever reported a position."""
        return cls.select().where(cls.reported.is_null(False)).exists()


class Held(NamedTuple):
    """The columns of a stock that its position needs."""

    symbol: str
    sectype: str
    currency: str
    active: int
    active_pos: float
    active_cost: float | None
    active_pnl: float | None
    reported: str | None


_HELD = Compiled(lambda: Stock.select(*(getattr(Stock, name) for name in Held._fields)))


class Pair(Told):
    """Two symbols that are traded together: buy 1 of ticker1 and sell `hedge` of ticker2."""

    noun = "pair"
    EXAMPLE = {
        "name": "NMFC-ROIC",
        "ticker1": "NMFC",
        "ticker2": "ROIC",
        "hedge": 0.72,
        "status": 1,
        "notes": None,
    }

    id = RowId()
    name = CharField(400, unique=True, help_text="both symbols: `NMFC-ROIC`")
    ticker1 = CharField(200, index=True, help_text="symbol of leg 1")
    ticker2 = CharField(200, index=True, help_text="symbol of leg 2")
    hedge = DoubleField(help_text="quantity of leg 2 for each 1 of leg 1")
    status = IntegerField(default=0, choices=(0, 1), help_text="1: its signals are traded")
    notes = TextField(null=True, help_text="notes of the owner")
    mode = CharField(5, default=ON, choices=MODES, help_text="which of its alerts are traded")

    @classmethod
    def named(cls) -> peewee.Field:
        return cls.name

    def subject(self) -> str:
        return self.name

    @property
    def equation(self) -> str:
        """The pair as alerts write it: `NMFC-0.72*ROIC`."""
        return f"{self.ticker1}-{self.hedge:.15g}*{self.ticker2}"

    @property
    def legs(self) -> tuple[str, ...]:
        """What an order of it trades."""
        return self.ticker1, self.ticker2

    @classmethod
    def with_leg(cls, symbol: str) -> peewee.ModelSelect:
        """The pairs that have this symbol, in any spelling, as a leg."""
        return cls.select().where(of_symbol(cls.ticker1, symbol) | of_symbol(cls.ticker2, symbol))

    @classmethod
    def active(cls) -> list[tuple[str, str, str]]:
        """(name, leg 1, leg 2) of the pairs that are not paused."""
        return _ACTIVE((1,)).fetchall()

    @classmethod
    def judged(cls, names: Collection[str]) -> dict[str, tuple[int, float, str]]:
        """{name: (status, hedge, mode)} of those of these pairs that are registered."""
        rows = _PAIRS(names, len(names)).fetchall() if names else []
        return {name: tuple(rest) for name, *rest in rows}


def registered(name: str) -> Pair | Stock:
    """The pair of this name, else the stock with this symbol. Raises Missing."""
    return Pair.get_or_none(Pair.name == name) or Stock.find_spelled(name)


_STOCKS = Compiled(
    lambda count: Stock.select(
        Stock.symbol, Stock.active, Stock.sectype, Stock.currency, Stock.mode
    ).where(Stock.symbol.in_([""] * count))
)
_ACTIVE = Compiled(
    lambda: Pair.select(Pair.name, Pair.ticker1, Pair.ticker2).where(Pair.status == 0)
)
_PAIRS = Compiled(
    lambda count: Pair.select(Pair.name, Pair.status, Pair.hedge, Pair.mode).where(
        Pair.name.in_([""] * count)
    )
)


class Unregistered(Base):
    """The last reported position of a symbol that is not in the registry."""

    EXAMPLE = {
        "symbol": "PLTR",
        "active_pos": 7,
        "active_cost": 31.4,
        "active_pnl": 2,
        "reported": "2026-11-24 15:30:00",
    }

    symbol = CharField(200, primary_key=True, help_text="in the broker's spelling")
    active_pos = DoubleField(help_text="shares held; below 0 is short")
    active_cost = DoubleField(default=0, help_text="average cost of a share")
    active_pnl = DoubleField(default=0, help_text="PnL of the day in the currency")
    reported = Moment(help_text="when it was last reported, UTC")


# --- what may be traded ----------------------------------------------------------------


class Trading(Told):
    """The mode of trading for all tickers, and the limits. There is at most one row."""

    noun = "trading"
    UNTOLD = frozenset({"peak"})
    EXAMPLE = {
        "mode": "exits",
        "since": "2026-11-24 15:30:00",
        "by": "admin",
        "reason": "Fed at 20:00",
        "entries": 20,
        "ticker_entries": None,
        "contracts": 5000,
        "value": None,
        "open": 8,
        "loss": 2500,
        "drawdown": None,
    }

    id = RowId()
    mode = CharField(5, default=ON, choices=MODES, help_text="which alerts are traded")
    since = Moment(null=True, help_text="when the mode was set, UTC; null: never")
    by = CharField(80, null=True, help_text="who set the mode; `system`: a limit of loss did")
    reason = CharField(200, null=True, help_text="why it was set")
    entries = IntegerField(null=True, help_text="most entries a day")
    ticker_entries = IntegerField(null=True, help_text="most entries a day of one ticker")
    contracts = DoubleField(null=True, help_text="most contracts of one order that enters")
    value = DoubleField(null=True, help_text="most contracts times price of a single's order")
    open = IntegerField(null=True, help_text="most pairs and singles with a position at once")
    loss = DoubleField(null=True, help_text="largest loss of a day, in the account's currency")
    drawdown = DoubleField(
        null=True, help_text="largest loss since the highest net liquidation, in its currency"
    )
    peak = DoubleField(null=True, help_text="highest net liquidation since `drawdown` was set")

    @classmethod
    def current(cls) -> "Trading":
        """The row; a new one, which is not stored, if nothing was ever set."""
        return cls.get_or_none() or cls()

    @classmethod
    def in_force(cls) -> tuple[str, Limits]:
        """The mode and the limits."""
        row = _IN_FORCE().fetchone()
        return (row[0], Limits(*row[1:])) if row else (ON, Limits())

    @classmethod
    def switch(cls) -> Record:
        """The mode, since when, by whom and why."""
        row = _SWITCH().fetchone() or (ON, None, None, None)
        return dict(zip(SWITCH, row, strict=True))

    def limits(self) -> Limits:
        """The limits."""
        return Limits(*(getattr(self, name) for name in Limits._fields))


SWITCH = ("mode", "since", "by", "reason")
_SWITCH = Compiled(lambda: Trading.select(*(getattr(Trading, name) for name in SWITCH)))
_IN_FORCE = Compiled(
    lambda: Trading.select(Trading.mode, *(getattr(Trading, name) for name in Limits._fields))
)


class Entered(Base):
    """How many entries of a ticker the rules have let through on a day."""

    id = RowId()
    day = CharField(10, help_text="in the zone of the settings: `2026-11-24`")
    name = CharField(401, help_text="a pair's name or a symbol")
    entries = IntegerField()

    class Meta:
        indexes = ((("day", "name"), True),)

    @classmethod
    def of(cls, day: str) -> dict[str, int]:
        """{ticker: entries} of a day."""
        return dict(_ENTERED((day,)).fetchall())

    @classmethod
    def add(cls, day: str, counts: Mapping[str, int]) -> None:
        """Counts more entries of these tickers, in the running transaction."""
        values = [value for name, count in counts.items() for value in (day, name, count)]
        _ADD_ENTERED(values, len(counts))


def _add_entered(count: int) -> peewee.Query:
    rows = Entered.insert_many([("", "", 0)] * count, ["day", "name", "entries"])
    both = Entered.entries + peewee.EXCLUDED.entries
    columns = [Entered.day, Entered.name]
    return rows.on_conflict(conflict_target=columns, update={Entered.entries: both})


_ENTERED = Compiled(lambda: Entered.select(Entered.name, Entered.entries).where(Entered.day == ""))
_ADD_ENTERED = Compiled(_add_entered)


# --- the account ----------------------------------------------------------------------


class AccountRecord(Told):
    """The account at one time, in its currency; a figure that is not known is null."""

    noun = "account"
    EXAMPLE = {
        "rowid": 1,
        "timestamp": "2026-11-24 15:30:00",
        "AvailableFunds": 80001,
        "BuyingPower": 320001,
        "DailyPnL": 12.3,
        "GrossPositionValue": 20000,
        "MaintMarginReq": 5000,
        "NetLiquidation": 100000,
        "RealizedPnL": 90.1,
        "UnrealizedPnL": -56.8,
    }

    rowid = RowId()
    timestamp = Moment(help_text="when it was reported, UTC")
    AvailableFunds = DoubleField(null=True, help_text="cash for new positions")
    BuyingPower = DoubleField(null=True, help_text="value of what may be bought, with margin")
    GrossPositionValue = DoubleField(null=True, help_text="value of all positions, long and short")
    MaintMarginReq = DoubleField(null=True, help_text="margin that the positions need")
    NetLiquidation = DoubleField(null=True, help_text="value of the account if all were closed now")
    DailyPnL = DoubleField(null=True, help_text="PnL of the day")
    RealizedPnL = DoubleField(null=True, help_text="PnL of closed positions")
    UnrealizedPnL = DoubleField(null=True, help_text="PnL of open positions")

    @classmethod
    def newest(cls) -> Record | None:
        """The newest record, as answers tell it; None if there is none."""
        return next((row.record() for row in cls.page(1)), None)


class Bridge(Base):
    """When the bridge polled last; not every poll is stored."""

    name = CharField(40, primary_key=True)
    last_seen = Moment()

    @classmethod
    def seen(cls) -> str | None:
        """The time of the last poll that was stored; None if there is none."""
        return cls.select(cls.last_seen).scalar()


# --- alarms ---------------------------------------------------------------------------

MOST_CLOSED = 200  # closed alarms that are listed


class Alarm(Base):
    """Something that is wrong. It is open as long as `closed` is null.

    Changes of alarms make no events: a client that missed one reads the list again.
    """

    EXAMPLE = {
        "id": 1,
        "kind": "waiting",
        "subject": "7",
        "what": "Signal 7, NMFC-0.72*NASDAQ:ROIC, has been waiting since 15:30.",
        "number": 1,
        "since": "2026-11-24 15:30:00",
        "opened": "2026-11-24 15:35:00",
        "acknowledged": None,
        "acknowledged_by": None,
        "closed": None,
        "notified": "2026-11-24 15:35:02",
    }

    id = RowId()
    key = CharField(240, help_text="kind and subject; only one alarm with this key can be open")
    kind = CharField(20, choices=KINDS)
    subject = CharField(200, help_text="a rowid, symbol or pair; `more` stands for all others")
    what = TextField(help_text="what is wrong, in one sentence")
    number = DoubleField(
        default=1, help_text="number of signals or shares; of alarms if the subject is `more`"
    )
    told_number = DoubleField(default=0, help_text="the number in the last message")
    since = Moment(help_text="since when it is wrong, UTC")
    opened = Moment(help_text="when the server noticed it, UTC")
    acknowledged = Moment(null=True, help_text="when a user acknowledged it, UTC")
    acknowledged_by = CharField(80, null=True, help_text="the user who acknowledged it")
    closed = Moment(null=True, help_text="when it ended, UTC")
    notified = Moment(null=True, help_text="when the last message about it was sent, UTC")
    due = DoubleField(null=True, help_text="when to send the next message, Unix seconds")
    tries = IntegerField(default=0, help_text="messages that failed in a row")
    told = TextField(default="", help_text="places that have accepted the message")

    @classmethod
    def open_ones(cls) -> list["Alarm"]:
        """All open alarms: the most serious kind first, then those not acknowledged, the newest."""
        rows = cls.select().where(cls.closed.is_null()).order_by(cls.id.desc())
        return sorted(rows, key=lambda row: (gravity(row.kind), row.acknowledged is not None))

    @classmethod
    def shown(cls, closed_too: bool = False) -> list["Alarm"]:
        """The open alarms as `open_ones`; with `closed_too` also MOST_CLOSED that ended last."""
        if not closed_too:
            return cls.open_ones()
        closed = cls.select().where(cls.closed.is_null(False))
        last = closed.order_by(cls.closed.desc(), cls.id.desc()).limit(MOST_CLOSED)
        return [*cls.open_ones(), *last]

    @classmethod
    def count_open(cls) -> dict[str, int]:
        """{kind: number of open alarms}."""
        rows = cls.select(cls.kind, fn.COUNT(cls.id)).where(cls.closed.is_null())
        return dict(rows.group_by(cls.kind).tuples())

    @classmethod
    def last_closed(cls, kind: str) -> str | None:
        """When an alarm of this kind last ended; None if none has ended."""
        return cls.select(fn.MAX(cls.closed)).where(cls.kind == kind).scalar()


Alarm.add_index(
    Alarm.index(Alarm.key, name="alarm_open", unique=True, where=Alarm.closed.is_null())
)
Alarm.add_index(
    Alarm.index(Alarm.closed, Alarm.id, name="alarm_closed", where=Alarm.closed.is_null(False))
)


class AlarmWatch(Base):
    """Which process looks for alarms, and up to which event it has looked."""

    name = CharField(40, primary_key=True)
    position = BigIntegerField(help_text="id of the last event that was looked at")
    started = Moment(help_text="when a process looked for the first time, UTC")
    holder = CharField(40, default="", help_text="the process that looks")
    until = DoubleField(default=0, help_text="until when it may look, Unix seconds")


# --- who may do what ------------------------------------------------------------------


class User(Base):
    """A person or program that may log in."""

    id = RowId()
    username = CharField(80, unique=True)
    password_hash = CharField(200, help_text="argon2id")
    admin = BooleanField(default=False)

    @classmethod
    def named(cls) -> peewee.Field:
        return cls.username


def _with_user(model: type[Base], row: tuple | None) -> Any:
    """The row of a table that has a user, made from all columns of the table and of User."""
    if row is None:
        return None
    fields = (*model._meta.sorted_fields, *User._meta.sorted_fields)
    values = [field.python_value(each) for field, each in zip(fields, row, strict=True)]
    own = dict(zip(model._meta.sorted_field_names, values, strict=False))
    own["user"] = User(**dict(zip(User._meta.sorted_field_names, values[len(own) :], strict=True)))
    return model(**own)


DAY = 86400


class Session(Base):
    """A login. Its tokens and its cookie end with it. Times are Unix seconds.

    The cookie ends `minutes` after the login or the last extension, but at the latest a day after
    the login. An access token ends `minutes` after it was made. The session and its refresh tokens
    end after `refresh_days`, or after `idle_days` if nobody uses the session (see the settings).
    """

    id = CharField(40, primary_key=True)
    user = ForeignKeyField(User, on_delete="CASCADE")
    cookie_digest = CharField(64, unique=True)
    refresh_id = CharField(40, help_text="id of the only refresh token that is valid")
    minutes = IntegerField()
    started = BigIntegerField()
    cookie_expires = BigIntegerField()
    expires = BigIntegerField(index=True)

    @classmethod
    def live(cls) -> peewee.ModelSelect:
        """All sessions that have not ended, with their users."""
        return cls.select(cls, User).join(User).where(cls.expires > time.time())

    @classmethod
    def _found(cls, column: str, value: str) -> "Session | None":
        found = _with_user(cls, _SESSION((value,), column).fetchone())
        return found if found and found.expires > time.time() else None

    @classmethod
    def by_id(cls, session_id: str) -> "Session | None":
        """The session with this id; None if it has ended or never existed."""
        return cls._found("id", session_id)

    @classmethod
    def by_cookie(cls, cookie: str) -> "Session | None":
        """The session of this browser cookie; None if the cookie or the session has ended."""
        session = cls._found("cookie_digest", security.digest(cookie))
        return session if session and session.cookie_expires > time.time() else None

    @property
    def extendable_until(self) -> int:
        """The latest end of the cookie: a day after the login, when a password was given."""
        return min(self.started + DAY, self.expires)

    @classmethod
    def of(cls, username: str) -> list["Session"]:
        """A user's sessions that have not ended, newest first."""
        mine = User.username == username
        return list(cls.live().where(mine).order_by(cls.started.desc(), cls.id))


class Visit(Base):
    """The browser or program that last used a session, and when."""

    session = ForeignKeyField(Session, primary_key=True, on_delete="CASCADE")
    agent = CharField(300)
    address = CharField(64)
    seen = BigIntegerField(help_text="last use in Unix seconds, up to a minute too early")

    @classmethod
    def of(cls, sessions: list[Session]) -> dict[str, "Visit"]:
        """{session id: visit} of those of these sessions that have one."""
        ids = [session.id for session in sessions]
        return {row.session_id: row for row in cls.select().where(cls.session.in_(ids))}

    @classmethod
    def addresses(cls, most: int) -> set[str]:
        """The addresses of the `most` visits that were seen last."""
        return {row.address for row in cls.select().order_by(cls.seen.desc()).limit(most)}


class ApiToken(Base):
    """A user's token for programs. Only the hash of its 256 random bits is stored.

    It ends when the user revokes it, at `expires`, or when the user is deleted. A new password does
    not end it, because the programs that use the token do not know the password.
    """

    EXAMPLE = {
        "id": 1,
        "name": "reporting",
        "scope": "read",
        "created": "2026-11-24 15:30:00",
        "last_used": None,
        "expires": "2027-02-22 15:30:00",
    }

    id = RowId()
    user = ForeignKeyField(User, on_delete="CASCADE")
    name = CharField(80)
    scope = CharField(10, choices=tuple(SCOPES), help_text="what it may do")
    digest = CharField(64, unique=True)
    created = Moment(help_text="UTC")
    last_used = Moment(null=True, help_text="UTC")
    expires = Moment(null=True, help_text="UTC; null: it is valid until it is revoked")

    @classmethod
    def found(cls, text: str) -> "ApiToken | None":
        """The token with this text, with its user, even if it has expired; None if unknown."""
        return _with_user(cls, _API_TOKEN((security.digest(text),)).fetchone())

    @property
    def is_over(self) -> bool:
        """Whether it has expired."""
        return self.expires is not None and self.expires <= instants.now()

    @property
    def key(self) -> str:
        """The name of the sockets that were opened with it; never equal to a session's id."""
        return f"{TOKEN_KEY}{self.id}"

    @classmethod
    def of(cls, user: User) -> list["ApiToken"]:
        """A user's tokens, newest first."""
        return list(cls.select().where(cls.user == user).order_by(cls.id.desc()))

    @classmethod
    def find(cls, key: int) -> "ApiToken":
        """The token with this id, with its user. Raises Missing."""
        if row := cls.select(cls, User).join(User).where(cls.id == key).first():
            return row
        raise Missing


TOKEN_KEY = "token:"  # noqa: S105 how `ApiToken.key` begins, no secret

_SESSION = Compiled(
    lambda column: Session.select(Session, User).join(User).where(getattr(Session, column) == "")
)
_API_TOKEN = Compiled(
    lambda: ApiToken.select(ApiToken, User).join(User).where(ApiToken.digest == "")
)


class Factor(Base):
    """A user's TOTP secret, encrypted with the token key."""

    user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    secret = CharField(200)
    since = Moment(null=True, help_text="when it was turned on; null: it waits for its first code")
    last_step = BigIntegerField(
        default=0, help_text="time step of the last accepted code; no code is accepted twice"
    )

    @classmethod
    def of(cls, user: User) -> "Factor | None":
        """The user's second factor; None if it is not turned on."""
        return cls.get_or_none(cls.user == user, cls.since.is_null(False))

    @classmethod
    def all_on(cls) -> list["Factor"]:
        """All that are turned on, ordered by the name of the user."""
        rows = cls.select(cls, User).join(User).where(cls.since.is_null(False))
        return list(rows.order_by(User.username))


class RecoveryCode(Base):
    """The hash of a code of 80 random bits, with which a user may log in once without a device."""

    digest = CharField(64, primary_key=True)
    user = ForeignKeyField(User, on_delete="CASCADE")

    @classmethod
    def left(cls, user: User) -> int:
        """How many codes the user still has."""
        return cls.select().where(cls.user == user).count()


class Passphrase(Base):
    """A passphrase in addition to those of the settings. It is readable: the template shows it."""

    id = RowId()
    label = CharField(80, unique=True)
    value = CharField(200)
    last_used = Moment(null=True)
    retired = Moment(null=True)

    @classmethod
    def valid(cls) -> list["Passphrase"]:
        """The passphrases that are not retired, newest first."""
        return list(cls.select().where(cls.retired.is_null()).order_by(cls.id.desc()))

    @classmethod
    def valid_values(cls) -> list[tuple[int, str, str | None]]:
        """(id, value, last used) of the passphrases that are not retired."""
        return _PASSPHRASES().fetchall()


_PASSPHRASES = Compiled(
    lambda: Passphrase.select(Passphrase.id, Passphrase.value, Passphrase.last_used).where(
        Passphrase.retired.is_null()
    )
)


class PassphraseUse(Base):
    """When a passphrase of the settings was last used. Only a keyed hash of it is stored."""

    digest = CharField(64, primary_key=True)
    last_used = Moment()

    @classmethod
    def all(cls) -> dict[str, str]:
        """{digest: last use} of all rows."""
        return dict(cls.select(cls.digest, cls.last_used).tuples())


class Secret(Base):
    """A secret key that the server has made."""

    name = CharField(40, primary_key=True)
    value = TextField()


class Audit(Base):
    """An act of a user, or refusals of one sort within a minute."""

    EXAMPLE = {
        "id": 3,
        "time": "2026-11-24 15:30:00",
        "who": "admin",
        "address": "192.0.2.7",
        "subject": "NMFC-ROIC",
        "count": 1,
    }

    id = RowId()
    time = Moment(help_text="UTC")
    kind = CharField(40, help_text="what was done or refused: `login`, `pair.updated`")
    who = CharField(80)
    address = CharField(64)
    subject = CharField(400, help_text="what it was done to")
    count = IntegerField(default=1)
    event = BigIntegerField(null=True, help_text="id of the event, if the registry was changed")
    refused = BooleanField()

    class Meta:
        indexes = ((("refused", "id"), False), (("kind", "address", "id"), False))


class Fact(Base):
    """A fact that the server keeps about itself, such as the time of the last backup."""

    name = CharField(40, primary_key=True)
    value = TextField()

    @classmethod
    def of(cls, name: str) -> str | None:
        """The value of this fact; None if it was never noted."""
        return cls.select(cls.value).where(cls.name == name).scalar()


TABLES = [
    *(EventRow, Signal, AlertId, RejectedAlert, Stock, Pair, Unregistered, AccountRecord, Bridge),
    *(Trading, Entered),
    *(Alarm, AlarmWatch, User, Session, Visit, ApiToken, Factor, RecoveryCode),
    *(Passphrase, PassphraseUse, Secret, Audit, Fact),
]

# --- records: rows as clients see them --------------------------------------------------

# The keys of the example are the fields of the record; the columns begin in the same order.
SIGNAL_KEYS = tuple(Signal.EXAMPLE)
# {the bridge's name of a field: ours}. A record has both, with the same value.
TWINS = {
    "ticker1": "stk_ticker1",
    "ticker2": "stk_ticker2",
    "price1": "stk_price1",
    "price2": "stk_price2",
}
_RECORD_KEYS = SIGNAL_KEYS + tuple(TWINS)
_TWIN_INDEXES = tuple(SIGNAL_KEYS.index(twin) for twin in TWINS.values())
_NUMBER_INDEXES = tuple(
    index
    for index, key in enumerate(SIGNAL_KEYS)
    if isinstance(Signal._meta.fields[key], DoubleField)
)


def signal_record(row: Iterable[Any]) -> Record:
    """The record of a signal, given as the values of SIGNAL_KEYS in their order."""
    values = list(row)
    # The same as `plain` for these columns; written here, because lists call it for every row.
    for index in _NUMBER_INDEXES:
        value = values[index]
        if type(value) is float and value.is_integer() and abs(value) < EXACT:
            values[index] = int(value)
    values += [values[index] for index in _TWIN_INDEXES]
    return dict(zip(_RECORD_KEYS, values, strict=True))


def signal_name(record: Mapping[str, Any]) -> str:
    """How a signal is called: by its pair, by its symbol, or by what was sent."""
    leg1, leg2 = record["stk_ticker1"], record["stk_ticker2"]
    return f"{leg1}-{leg2}" if leg1 and leg2 else leg1 or record["ticker"]


# {the seed's name of a field of a stock: our column}. Its prixch is our xch, not our prixch.
SEED = {"symbol": "symbol", "prixch": "xch", "secxch": "prixch", "active": "active"}
# The same with the columns that the seed does not have.
STOCK = SEED | {
    key: key
    for key in ("sectype", "currency", "order_type", "active_pos", "active_pnl", "active_cost")
}


def record_of(noun: str, columns: Record, keys: Mapping[str, str] | None = None) -> Record:
    """The record of a row that is given as {column: value}.

    `keys` is {key of the record: column}; without it the record has the keys of the table's
    example. The noun `position` is a stock with the bridge's names, `stock` with the seed's names.
    """
    if noun == "signal":
        return signal_record(columns[key] for key in SIGNAL_KEYS)
    keys = keys or _KEYS[noun]
    record = {key: plain(columns[column]) for key, column in keys.items()}
    return record | {"reasons": orjson.loads(record["reasons"])} if noun == "rejected" else record


_KEYS = {
    noun: {key: key for key in table.EXAMPLE}
    for noun, table in (
        *(("pair", Pair), ("position", Stock), ("rejected", RejectedAlert)),
        *(("account", AccountRecord), ("alarm", Alarm), ("token", ApiToken)),
        ("trading", Trading),
        ("unregistered", Unregistered),
    )
} | {"stock": STOCK}
