"""The hot path's SQL, compiled once from the models: storing signals, the lists polled all day.

A compiled statement costs a tenth of building the query anew. All other code uses the models.
"""

from collections.abc import Collection
from typing import Any

import peewee

from database import insert_rows, is_sqlite

EVENT_COLUMNS = ["id", "time", "type", "subject", "source", "changes", "record"]
MOVE_COLUMNS = (
    *("rowid", "pre_mar_pos", "pre_mar_pos_size", "mar_pos", "mar_pos_size"),
    *("alert_time", "timestamp", "order_comment", "status_msg"),
)
LOOKED_BACK = 6  # signals of a ticker that tell where its strategy stands


class Statements:
    """The compiled statements of one database."""

    _sqlite: bool | None = None  # what they were compiled for

    def bind(
        self, database, signal, event, alert_id, stock, pair, passphrase, session, user, api_token
    ) -> None:
        """Compiles all statements for this database's SQL."""
        self._database = database
        if self._sqlite is is_sqlite(database):
            return
        self._sqlite = is_sqlite(database)
        self._signal = signal
        columns = [name for name in signal._meta.sorted_field_names if name != "rowid"]
        self.blank: dict[str, Any] = dict.fromkeys(columns) | {
            field.name: value for field, value in signal._meta.defaults.items()
        }
        self._alert_id = alert_id
        self._signal_columns = ["rowid", *columns]
        self._insert_event = _insert(
            event, ["time", "type", "subject", "source", "changes", "record"]
        )
        told = event.select(event.id, event.type, event.record, event.changes)
        self._events_after = _text(told.where(event.id > 0).order_by(event.id).limit(1))
        self._last_event = _text(event.select(peewee.fn.MAX(event.id)))
        self._stock, self._pair = stock, pair
        self._moves = {is_pair: _text(_moves(signal, is_pair)) for is_pair in (False, True)}
        self._texts: dict[tuple, str] = {}
        valid = passphrase.select(passphrase.id, passphrase.value, passphrase.last_used)
        self._passphrases = _text(valid.where(passphrase.retired.is_null()))
        sessions = session.select(session, user).join(user)
        self._sessions = {
            name: _text(sessions.where(getattr(session, name) == ""))
            for name in ("id", "cookie_digest")
        }
        tokens = api_token.select(api_token, user).join(user)
        self._api_tokens = _text(tokens.where(api_token.digest == ""))
        self._lists: dict[tuple, str] = {}

    def _one(self, sql: str, *values: Any) -> tuple | None:
        return self._database.execute_sql(sql, values).fetchone()

    def draw_ids(self, count: int) -> list[tuple[int, int]]:
        """The next (rowid, event id) of new signals, in a writing transaction."""
        return self._database.draw_ids({"signal": "rowid", "event": "id"}, count)

    def store_signals(
        self, signals: list[tuple], events: list[tuple], alert_ids: list[tuple]
    ) -> None:
        """Stores rows given with their ids: all columns of signals and events in the models' order.

        Alert ids are given as (alert_id, fingerprint, signal).
        """
        insert_rows(self._database, "signal", self._signal_columns, signals)
        insert_rows(self._database, "event", EVENT_COLUMNS, events)
        if alert_ids:
            columns = ["alert_id", "fingerprint", "signal"]
            insert_rows(self._database, "alert_id", columns, alert_ids)

    def insert_event(self, row: tuple) -> int:
        """Stores an event (time, type, subject, source, changes, record): its id."""
        cursor = self._database.execute_sql(self._insert_event, row)
        return cursor.lastrowid if is_sqlite(self._database) else cursor.fetchone()[0]

    def events_after(self, event_id: int, most: int) -> list[tuple]:
        """(id, type, record, changes) of the events that follow, oldest first."""
        return self._database.execute_sql(self._events_after, (event_id, most)).fetchall()

    def last_event(self) -> int | None:
        """The id of the newest event."""
        return self._one(self._last_event)[0]

    def _found(self, keys: Collection[str], key: peewee.Field, *fields: peewee.Field) -> list:
        """Rows (key, the fields ...) for many keys."""
        if not keys:
            return []
        name = (key.model, key.name, len(keys))
        if name not in self._texts:
            self._texts[name] = _text(key.model.select(key, *fields).where(key.in_(list(keys))))
        return self._database.execute_sql(self._texts[name], tuple(keys)).fetchall()

    def signals_of_alerts(self, alert_ids: Collection[str]) -> list[tuple]:
        """(alert_id, fingerprint, rowid) of all alerts that came with one of these ids."""
        row = self._alert_id
        return self._found(alert_ids, row.alert_id, row.fingerprint, row.signal)

    def stocks(self, symbols: Collection[str]) -> dict[str, tuple]:
        """(active, sectype, currency) of registered stocks by symbol."""
        row = self._stock
        found = self._found(symbols, row.symbol, row.active, row.sectype, row.currency)
        return {symbol: tuple(rest) for symbol, *rest in found}

    def pairs(self, names: Collection[str]) -> dict[str, tuple]:
        """(status, hedge) of registered pairs by name."""
        row = self._pair
        found = self._found(names, row.name, row.status, row.hedge)
        return {name: tuple(rest) for name, *rest in found}

    def stock(self, symbol: str) -> tuple | None:
        """(active, sectype, currency) of a registered stock."""
        return self.stocks([symbol]).get(symbol)

    def pair(self, name: str) -> tuple | None:
        """(status, hedge) of a registered pair."""
        return self.pairs([name]).get(name)

    def newest_moves(self, legs: Collection[tuple[str, str | None]]) -> list[tuple]:
        """(leg1, leg2, MOVE_COLUMNS ...) of the last signals of these legs, newest first."""
        if not legs:
            return []
        name = tuple(leg2 is not None for _, leg2 in legs)
        if name not in self._texts:
            each = (f"SELECT * FROM ({self._moves[two]}) m{n}" for n, two in enumerate(name))  # noqa: S608
            self._texts[name] = " UNION ALL ".join(each)
        values = [
            value
            for leg1, leg2 in legs
            for value in ((leg1, LOOKED_BACK) if leg2 is None else (leg1, leg2, LOOKED_BACK))
        ]
        return self._database.execute_sql(self._texts[name], values).fetchall()

    def passphrases(self) -> list[tuple]:
        """(id, value, last used) of the valid passphrases."""
        return self._database.execute_sql(self._passphrases).fetchall()

    def session(self, column: str, value: str) -> tuple | None:
        """All columns of the session with this id or cookie_digest, then those of its user."""
        return self._one(self._sessions[column], value)

    def api_token(self, digest: str) -> tuple | None:
        """All columns of the API token with this digest, then those of its user."""
        return self._one(self._api_tokens, digest)

    def newest_signals(
        self, columns: tuple[str, ...], limit: int, where: Any = None
    ) -> list[tuple]:
        """The newest signals' columns; `where` is an SQL condition without values."""
        key = (columns, where and where.sql)
        if key not in self._lists:
            chosen = self._signal.select(*(getattr(self._signal, name) for name in columns))
            rows = chosen.where(where) if where else chosen
            self._lists[key] = _text(rows.order_by(self._signal.rowid.desc()).limit(1))
        return self._database.execute_sql(self._lists[key], (limit,)).fetchall()


def _text(query: peewee.Query) -> str:
    return query.sql()[0]


def _moves(signal: type[peewee.Model], is_pair: bool) -> peewee.Query:
    leg2 = signal.stk_ticker2 == "" if is_pair else signal.stk_ticker2.is_null()
    columns = ["stk_ticker1", "stk_ticker2", *MOVE_COLUMNS]
    rows = signal.select(*(getattr(signal, name) for name in columns))
    mine = rows.where(signal.stk_ticker1 == "", leg2)
    return mine.order_by(signal.rowid.desc()).limit(LOOKED_BACK)


def _insert(model: type[peewee.Model], columns: list[str]) -> str:
    fields = [getattr(model, name) for name in columns]
    return _text(model.insert_many([[None] * len(columns)], fields=fields))


compiled = Statements()
