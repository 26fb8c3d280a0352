"""Signals: how an alert is judged and stored, how its orders fill, and the lists of them."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import peewee
from peewee import BigIntegerField, CharField, DoubleField, TextField

from database import RowId
from models.base import Base, Missing, Refused, Told, same
from models.filters import OFFERED, Filters, conditions, during
from models.statements import compiled
from trading import equation, fills, judging, statuses


class Signal(Told):
    """An alert that was taken in, and what became of its orders."""

    noun = "signal"

    rowid = RowId()
    timestamp = CharField(19, index=True)
    ticker = TextField()
    order_action = CharField(4)
    order_contracts = DoubleField()
    order_price = DoubleField(null=True)
    mar_pos = CharField(5, null=True)
    mar_pos_size = DoubleField(default=0)
    pre_mar_pos = CharField(5, null=True)
    pre_mar_pos_size = DoubleField(default=0)
    order_comment = TextField(null=True)
    order_status = CharField(40)
    ticker_type = CharField(6, null=True)
    stk_ticker1 = CharField(200, null=True)
    stk_ticker2 = CharField(200, null=True)
    hedge_param = DoubleField(null=True)
    order_id1 = BigIntegerField(null=True)
    order_id2 = BigIntegerField(null=True)
    stk_price1 = DoubleField(null=True)
    stk_price2 = DoubleField(null=True)
    fill_price = DoubleField(null=True)
    slip = DoubleField(null=True)
    error_msg = TextField(null=True)
    status_msg = TextField(null=True)
    filled_qty1 = DoubleField(null=True)
    filled_qty2 = DoubleField(null=True)
    alert_time = CharField(19, null=True)
    warning = TextField(null=True)

    class Meta:
        indexes = (
            (("order_status", "rowid"), False),
            (("ticker_type", "rowid"), False),
            (("stk_ticker1", "stk_ticker2", "rowid"), False),
        )

    @classmethod
    def revise(
        cls, rowid: int, sent: dict[str, tuple], source: str, *, bypass: bool, owner: bool
    ) -> "Signal":
        """Lays the sent fields over a signal: {column: spellings}, the first that differs wins.

        A changed equation is judged again. Without the owner's token a filled signal keeps all that
        its fill was made of, and one that began to fill is not offered again. Raises Missing or
        Refused.
        """
        signal = cls.find(rowid)
        old = signal.record()
        fields = {
            column: next((value for value in values if not same(old[column], value)), old[column])
            for column, values in sent.items()
        }
        if "ticker" in fields and fields["ticker"] != signal.ticker:
            verdict = judging.judge(fields["ticker"], bypass, compiled)
            fields |= verdict.columns
        if not owner:
            fields = signal._without_setbacks(fields)
        if fields.get("order_status") in statuses.OFFERED:
            signal._check_offer(fields)
        signal.change(source, fields)
        return signal

    def _check_offer(self, fields: dict[str, Any]) -> None:
        """Raises Refused for what the bridge could not trade."""
        if fields.get("ticker_type", self.ticker_type) is None:
            raise Refused({"order_status": "a problematic ticker cannot be traded"})
        legs = (fields.get(name, getattr(self, name)) for name in ("stk_ticker1", "stk_ticker2"))
        if not all(judging.is_registered(leg, compiled) for leg in legs if leg):
            raise Refused({"order_status": "an unknown ticker cannot be traded"})

    def _without_setbacks(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields that a stale record may set: no fill is undone, nothing is traded twice."""
        fill = (self.stk_price1, self.stk_price2, self.filled_qty1, self.filled_qty2)
        began = any(value is not None for value in fill)
        if self.order_status == statuses.FILLED or (
            began and fields.get("order_status") in statuses.OFFERED
        ):
            return {k: v for k, v in fields.items() if k in _AFTER_FILL}
        return fields

    @classmethod
    def find(cls, rowid: int) -> "Signal":
        """The signal of this rowid; raises Missing."""
        if signal := cls.get_or_none(cls.rowid == rowid):
            return signal
        raise Missing

    @classmethod
    def of_order(cls, order_id: int, symbol: str | None) -> tuple["Signal", int]:
        """The newest signal with this order id, and the leg (1 or 2) it belongs to."""
        mine = (cls.order_id1 == order_id) | (cls.order_id2 == order_id)
        for signal in cls.select().where(mine).order_by(cls.rowid.desc()):
            legs = (
                (1, signal.order_id1, signal.stk_ticker1),
                (2, signal.order_id2, signal.stk_ticker2),
            )
            for leg, leg_id, ticker in legs:
                if leg_id == order_id and (symbol is None or fills.matches(symbol, ticker or "")):
                    return signal, leg
        raise Missing

    @classmethod
    def update_order(
        cls, order_id: int, symbol: str | None, apply: Callable, source: str
    ) -> "Signal":
        """Applies a fill or cancel, `apply(order, leg) -> order`, to the signal of an order id."""
        signal, leg = cls.of_order(order_id, symbol)
        try:
            order = fills.Order(**{name: getattr(signal, name) for name in _ORDER_COLUMNS})
            signal.change(source, asdict(apply(order, leg)))
        except ValueError as error:
            raise Refused(str(error)) from None
        return signal

    @classmethod
    def drop(cls, rowid: int, source: str) -> None:
        """Deletes a signal; its history stays."""
        cls.find(rowid).remove(source)

    @classmethod
    def newest(cls, filters: Filters, columns: tuple[str, ...], limit: int) -> list[tuple]:
        """The newest signals that pass the filters, as tuples of these columns."""
        if filters == Filters():
            return compiled.newest_signals(columns, limit)
        if filters == Filters(status=statuses.WAITING):
            return compiled.newest_signals(columns, limit, OFFERED)
        rows = cls.select(*(getattr(cls, name) for name in columns))
        for condition in conditions(cls, cls.bounded(filters)):
            rows = rows.where(condition)
        return list(rows.order_by(cls.rowid.desc()).limit(limit).tuples())

    @classmethod
    def bounded(cls, filters: Filters) -> Filters:
        """The filters with the rowids that their times lie between, for lists go by rowid.

        A long list looks them up once: that reads the whole range in the index of times.
        """
        if filters.first is not None or not (filters.since or filters.until):
            return filters
        ends = cls.select(peewee.fn.MIN(cls.rowid), peewee.fn.MAX(cls.rowid)).where(
            during(cls, filters)
        )
        first, last = ends.tuples().get()
        before = (last or 0) + 1
        if filters.before is not None:
            before = min(before, filters.before)
        return replace(filters, first=first or 0, before=before)

    @classmethod
    def count_offered(cls) -> int:
        """How many wait for the bridge."""
        return cls.select().where(cls.order_status.in_(statuses.OFFERED)).count()

    @classmethod
    def count_by_status(cls) -> list[tuple[str, int]]:
        """(status, how many) of all signals."""
        counted = cls.select(cls.order_status, peewee.fn.COUNT(cls.rowid))
        return list(counted.group_by(cls.order_status).tuples())

    @classmethod
    def oldest_offered(cls) -> str | None:
        """Since when the oldest that waits does."""
        # By rowid, whose index holds those that wait and no others.
        return cls.select(cls.timestamp).where(OFFERED).order_by(cls.rowid).limit(1).scalar()

    @classmethod
    def count_open(cls) -> int:
        """How many have orders at the broker that are not finished."""
        placed = [status for status in statuses.OPEN if status not in statuses.OFFERED]
        return cls.select().where(cls.order_status.in_(placed)).count()

    @classmethod
    def last_alert(cls) -> str | None:
        """When the newest signal came in."""
        return cls.select(cls.timestamp).order_by(cls.rowid.desc()).limit(1).scalar()

    @classmethod
    def has_open(cls, symbol: str) -> bool:
        """Whether a signal that is not finished trades this symbol."""
        ways = equation.spellings(symbol)
        trades = cls.stk_ticker1.in_(ways) | cls.stk_ticker2.in_(ways)
        return cls.select().where(cls.order_status.in_(statuses.OPEN), trades).exists()


# Kept out of Meta: a partial index needs the model's own columns.
Signal.add_index(Signal.index(Signal.rowid, name="signal_offered", where=OFFERED))
for _name in ("order_id1", "order_id2"):
    _column = getattr(Signal, _name)
    Signal.add_index(
        Signal.index(_column, Signal.rowid, name=f"signal_{_name}", where=_column.is_null(False))
    )

_ORDER_COLUMNS = list(fills.Order.__dataclass_fields__)
# What a record read before the fill may still set: nothing that the fill was made of.
_AFTER_FILL = {
    *("order_comment", "error_msg", "mar_pos", "mar_pos_size"),
    *("pre_mar_pos", "pre_mar_pos_size"),
}


class AlertId(Base):
    """The sender's own id of an alert, kept for ever: a repeat stores nothing.

    `fingerprint` is what makes another alert with the same id another one.
    """

    id = RowId()
    alert_id = CharField(200)
    fingerprint = CharField(32)
    signal = BigIntegerField()

    class Meta:
        indexes = ((("alert_id", "fingerprint"), True),)
