"""How the rows of each of the original's tables are taken over."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Protocol

import models
import schemas
import security
from commands import changes
from models.original import SOURCE, Takeover
from settings import DEMO_PASSWORD, DEMO_USERS
from trading import statuses

SHORTEST = 8  # characters of a password that nobody is told to change


class Report(Protocol):
    """Hears what came, what was there already, what did not come, and what to do now."""

    def came(self, table: str) -> None: ...

    def there(self, table: str) -> None: ...

    def left(self, table: str, row: str, reason: dict[str, str] | str) -> None: ...

    def changed(self, table: str, row: str, change: str) -> None: ...

    def advise(self, text: str) -> None: ...


class Take:
    """How the rows of one table are taken over."""

    table = ""
    name = "rowid"  # what a row is called by in the report

    def __init__(self, report: Report):
        self.report = report

    def order(self, rows: Iterator[dict]) -> Iterable[dict]:
        """The order to take them in."""
        return rows

    def prepare(self, row: dict) -> Any:
        """What is to be stored, None where it does not fit."""
        try:
            return self.read(row)
        except schemas.BadFields as bad:
            self.leave(row, bad.reasons)
            return None

    def leave(self, row: dict, reason: dict[str, str] | str) -> None:
        """Reports that a row did not come."""
        self.report.left(self.table, f"{self.table} {row.get(self.name)}", reason)

    def came(self, row: dict, stored: dict) -> None:
        """Reports that a row came, and how it was changed."""
        self.report.came(self.table)
        for change in self.changes(row, stored):
            self.report.changed(self.table, str(row.get(self.name)), change)

    changes = staticmethod(lambda row, stored: ())

    def read(self, row: dict) -> Any:
        """What `store` needs of a row; raises BadFields."""
        raise NotImplementedError

    def store(self, row: dict, ready: Any) -> None:
        """Stores a row, or reports why not, in the running transaction."""
        raise NotImplementedError

    def settle(self) -> None:
        """At the end of each transaction."""

    def end(self) -> None:
        """At the end of all."""


class _Signals(Take):
    table = "signals"

    def __init__(self, report: Report):
        super().__init__(report)
        self._offered = self._moved = 0
        self._takeover: Takeover | None = None

    def order(self, rows: Iterator[dict]) -> Iterator[dict]:
        """First those that keep their rowids, so that no other takes one of these."""
        first, others = Takeover(), []
        for row in rows:
            if isinstance(row.get("rowid"), int) and first.keeps(row["rowid"]):
                yield row
            else:
                others.append(row)
        yield from others

    read = staticmethod(schemas.original_signal)
    changes = staticmethod(changes.of_signal)

    def store(self, row: dict, columns: dict) -> None:
        takeover = self._takeover = self._takeover or Takeover()
        if takeover.is_taken(columns["rowid"]):
            if takeover.is_another(columns["rowid"], columns):
                self.leave(row, "a signal of this rowid came from another database")
            else:
                self.report.there(self.table)
            return
        self._moved += takeover.take(columns) != columns["rowid"]
        self._offered += columns["order_status"] in statuses.OFFERED
        self.came(row, columns)

    def settle(self) -> None:
        if self._takeover:
            self._takeover.settle()
        self._takeover = None

    def end(self) -> None:
        if self._moved:
            self.report.advise(f"New rowids, for theirs were taken here: {self._moved:,} signals.")
        if self._offered:
            self.report.advise(
                f"Of the signals that came {self._offered:,} wait: the bridge will trade them. "
                "Cancel on the dashboard what it should not."
            )


class _Registered(Take):
    """What the registry holds under its name."""

    model: type[models.Stock] | type[models.Pair]
    switch = "active"  # the column that pauses it
    paused = ""  # why one comes in paused that was active

    def known_as(self, fields: dict) -> str:
        """The name that the registry has it under."""
        return fields["symbol"]

    def store(self, row: dict, fields: dict) -> None:
        if _is_there(self.model, self.known_as(fields)):
            self.report.there(self.table)
            return
        refused = self._refusal(fields)
        off = fields | {self.switch: 0}
        if refused and fields.get(self.switch) and not self._refusal(off):
            self.report.changed(self.table, str(row.get(self.name)), self.paused)
            refused = None
        if refused:
            self.leave(row, refused)
        else:
            self.came(row, fields)

    def _refusal(self, fields: dict) -> dict[str, str] | str | None:
        """Registers it, or says why not."""
        try:
            self.model.register(fields, SOURCE)
        except models.Refused as refused:
            return refused.reason
        return None


def _is_there(model: type[models.Stock] | type[models.Pair], name: str) -> bool:
    try:
        return model.find(name) is not None
    except models.Missing:
        return False


class _Stocks(_Registered):
    table = "stocks"
    name = "symbol"
    model = models.Stock
    paused = "paused, for it is a leg of an active pair"

    read = staticmethod(schemas.original_stock)
    changes = staticmethod(changes.of_stock)


class _Tickers(_Stocks):
    table = "tickers"


class _Pairs(_Registered):
    table = "pairs"
    name = "name"
    model = models.Pair
    switch = "status"
    paused = "paused, for a leg of it is active alone"

    changes = staticmethod(changes.of_pair)

    def read(self, row: dict) -> dict:
        return schemas.original_pair(row, partial(_is_there, models.Stock))

    def known_as(self, fields: dict) -> str:
        return f"{fields['ticker1']}-{fields['ticker2']}"


class _Users(Take):
    table = "users"
    name = "username"

    def read(self, row: dict):
        """(the form, the password's hash)."""
        form = schemas.original_user(row)
        known = models.User.get_or_none(models.User.username == form.username)
        return form, "" if known else security.hash_password(form.password)

    def store(self, row: dict, ready: tuple) -> None:
        form, hashed = ready
        if models.User.get_or_none(models.User.username == form.username):
            self.report.there(self.table)
            return
        models.User.register(form.username, hashed, bool(form.admin))
        self.report.came(self.table)
        if form.username in DEMO_USERS and form.password == DEMO_PASSWORD:
            self.report.advise(
                f"{form.username} has the demo's password, with which production does not start; "
                f"set another one: python server.py user passwd {form.username}"
            )
        elif form.password == DEMO_PASSWORD or len(form.password) < SHORTEST:
            self.report.advise(
                f"{form.username} has a known or short password; set another one: "
                f"python server.py user passwd {form.username}"
            )


class _Account(Take):
    table = "account"

    read = staticmethod(schemas.original_account)

    changes = staticmethod(changes.of_account)

    def __init__(self, report: Report):
        super().__init__(report)
        self._came_by: Counter[tuple] = Counter()

    def store(self, row: dict, fields: dict) -> None:
        if self._is_there(fields):
            self.report.there(self.table)
            return
        models.AccountRecord.add(SOURCE, **fields)
        self.came(row, fields)

    def _is_there(self, fields: dict) -> bool:
        """Whether as many like it are stored as came by: a second may have several."""
        record = models.AccountRecord
        stored = record.select().where(record.timestamp == fields["timestamp"])
        like = sum(all(getattr(row, key) == fields[key] for key in fields) for row in stored)
        self._came_by[tuple(fields.items())] += 1
        return like >= self._came_by[tuple(fields.items())]


TAKES = {each.table: each for each in (_Signals, _Stocks, _Tickers, _Pairs, _Users, _Account)}
