"""The hot path's SQL, compiled once from the models: storing signals, the lists polled all day.

A compiled statement costs a tenth of building the query anew. All other code uses the models.
"""

from typing import Any

import peewee

from database import inserted_id, is_shared


class Statements:
    """The compiled statements of one database."""

    _shared: bool | None = None  # what they were compiled for

    def bind(
        self, database, signal, event, alert_id, stock, pair, passphrase, session, user, api_token
    ) -> None:
        """Compiles all statements for this database's SQL."""
        self._database = database
        if self._shared is is_shared(database):
            return
        self._shared = is_shared(database)
        self._signal = signal
        columns = [name for name in signal._meta.sorted_field_names if name != "id"]
        self.blank: dict[str, Any] = dict.fromkeys(columns) | {
            field.name: value for field, value in signal._meta.defaults.items()
        }
        self._insert_signal = _insert(signal, columns)
        event_columns = ["time", "type", "subject", "source", "changes"]
        self._insert_event = _insert(event, event_columns)
        self._last_event = _text(event.select(peewee.fn.MAX(event.id)))
        self._insert_alert_id = _insert(alert_id, ["alert_id", "signal"])
        self._of_alert = _text(alert_id.select(alert_id.signal).where(alert_id.alert_id == ""))
        known = stock.select(stock.active, stock.sectype, stock.currency)
        self._stock = _text(known.where(stock.symbol == ""))
        self._pair = _text(pair.select(pair.active, pair.hedge).where(pair.name == ""))
        if self._shared:
            self._bind_shared(signal, event, alert_id, columns, event_columns)
            self._bind_foresight(signal, event, alert_id, pair, stock)
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

    def _bind_shared(
        self, signal, event, alert_id, columns: list[str], event_columns: list[str]
    ) -> None:
        rowid = f"currval('{_sequence(signal)}')"  # this connection's last signal
        values = [
            peewee.SQL(f"{rowid}::text") if name == "subject" else None for name in event_columns
        ]
        fields = [getattr(event, name) for name in event_columns]
        told = event.insert_many([values], fields=fields).returning(event.id, event.subject)
        noted = alert_id.insert_many(
            [[None, peewee.SQL(rowid)]], fields=[alert_id.alert_id, alert_id.signal]
        )
        self._insert_its_event, self._insert_its_alert_id = _text(told), _text(noted)
        self._number_signal = _numbered(signal, columns)
        self._number_event = _numbered(event, event_columns)

    def _bind_foresight(self, signal, event, alert_id, pair, stock) -> None:
        last_ids = "s.last_value - (NOT s.is_called)::int, e.last_value - (NOT e.is_called)::int"
        sequences = f"{_sequence(signal)} s, {_sequence(event)} e"
        self._last_ids = f"SELECT {last_ids} FROM {sequences}"  # noqa: S608
        every = (
            _found(0, alert_id.alert_id, alert_id.signal),
            _found(1, pair.name, pair.active, pair.hedge),
            _found(2, stock.symbol, stock.active, stock.sectype, stock.currency),
            f"SELECT NULL, NULL, json_build_array({last_ids}) FROM {sequences}",  # noqa: S608
        )
        self._foresee = " UNION ALL ".join(every)

    def _one(self, sql: str, *values: Any) -> tuple | None:
        return self._database.run((sql, values)).fetchone()

    def store_signal(
        self, row: dict[str, Any], alert_id: str | None, event: tuple
    ) -> tuple[int, int]:
        """Stores a new signal, its alert id and its event: the ids of signal and event.

        The row is given as all its columns in the model's order, the event as (time, type, source,
        changes). PostgreSQL takes all of it in one round trip, or that of all jobs of a batch.
        """
        time, type, source, changes = event
        if not is_shared(self._database):
            rowid = self.insert_signal(row)
            if alert_id:
                self.insert_alert_id(alert_id, rowid)
            return rowid, self.insert_event((time, type, str(rowid), source, changes))
        if self._database.together:
            return self._store_later(row, alert_id, event)
        calls = [(self._insert_signal, tuple(row.values()))]
        if alert_id:
            calls.append((self._insert_its_alert_id, (alert_id,)))
        calls.append((self._insert_its_event, event))
        event_id, rowid = self._database.run(*calls).fetchone()
        return int(rowid), event_id

    def _store_later(self, row: dict, alert_id: str | None, event: tuple) -> tuple[int, int]:
        # Nobody else can draw ids meanwhile; the INSERTs set the sequences to these.
        rowid, event_id = (last + 1 for last in self._database.look_up(self._last_ids))
        time, type, source, changes = event
        calls = [(self._number_signal, (rowid, *row.values()))]
        found = {(self._last_ids, ()): (rowid, event_id)}
        if alert_id:
            calls.append((self._insert_alert_id, (alert_id, rowid)))
            found[self._of_alert, (alert_id,)] = (rowid,)
        calls.append((self._number_event, (event_id, time, type, str(rowid), source, changes)))
        self._database.later(*calls)
        self._database.expect(found)
        return rowid, event_id

    def foresee(self, alert_ids: list[str], pairs: list[str], stocks: list[str]) -> None:
        """Has PostgreSQL tell, as the next transaction begins, all about these and the last ids."""
        asked = (self._of_alert, alert_ids), (self._pair, pairs), (self._stock, stocks)

        def answers(rows: list[tuple]) -> dict:
            found = {(sql, (key,)): None for sql, keys in asked for key in keys}
            for number, key, row in rows:
                call = (self._last_ids, ()) if key is None else (asked[number][0], (key,))
                found[call] = tuple(row)
            return found

        self._database.ask_ahead((self._foresee, (alert_ids, pairs, stocks)), answers)

    def insert_signal(self, row: dict[str, Any]) -> int:
        """Stores a signal given as all its columns in the model's order: its rowid."""
        cursor = self._database.run((self._insert_signal, tuple(row.values())))
        return inserted_id(self._database, cursor)

    def insert_event(self, row: tuple) -> int:
        """Stores an event (time, type, subject, source, changes): its id."""
        cursor = self._database.run((self._insert_event, row))
        return inserted_id(self._database, cursor)

    def last_event(self) -> int | None:
        """The id of the newest event."""
        return self._one(self._last_event)[0]

    def insert_alert_id(self, text: str, signal: int) -> None:
        """Notes the alert id that a signal was stored under."""
        self._database.run((self._insert_alert_id, (text, signal)))

    def signal_of_alert(self, alert_id: str) -> int | None:
        """The rowid that this alert id was stored under."""
        row = self._database.look_up(self._of_alert, (alert_id,))
        return row and row[0]

    def stock(self, symbol: str) -> tuple | None:
        """(active, sectype, currency) of a registered stock."""
        return self._database.look_up(self._stock, (symbol,))

    def pair(self, name: str) -> tuple | None:
        """(active, hedge) of a registered pair."""
        return self._database.look_up(self._pair, (name,))

    def passphrases(self) -> list[tuple]:
        """(id, value, last used) of the valid passphrases."""
        return self._database.run((self._passphrases, ())).fetchall()

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
            self._lists[key] = _text(rows.order_by(self._signal.id.desc()).limit(1))
        return self._database.execute_sql(self._lists[key], (limit,)).fetchall()


def _text(query: peewee.Query) -> str:
    return query.sql()[0]


def _sequence(model: type[peewee.Model]) -> str:
    return f"{model._meta.table_name}_id_seq"


def _found(number: int, key: peewee.Field, *fields: peewee.Field) -> str:
    """PostgreSQL's SELECT of (number, key, the fields as a list) for many keys."""
    chosen = (peewee.SQL(str(number)), key, peewee.fn.json_build_array(*fields))
    return _text(key.model.select(*chosen).where(key == peewee.fn.ANY("")))


def _numbered(model: type[peewee.Model], columns: list[str]) -> str:
    """PostgreSQL's INSERT of a row with its id, which the sequence then goes on from."""
    number = peewee.SQL(f"setval('{_sequence(model)}', %s)", (0,))
    fields = [model.id, *(getattr(model, name) for name in columns)]
    return _text(model.insert_many([[number, *[None] * len(columns)]], fields=fields))


def _insert(model: type[peewee.Model], columns: list[str]) -> str:
    fields = [getattr(model, name) for name in columns]
    return _text(model.insert_many([[None] * len(columns)], fields=fields))


compiled = Statements()
