"""How the rows of each of the original's tables are taken over."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import models
import schemas
import security
from models.original import SOURCE, Takeover
from settings import DEMO_PASSWORD
from trading import statuses

SHORTEST = 8  # characters of a password that nobody is told to change


class Report(Protocol):
    """Hears what came, what was there already, what did not come, and what to do now."""

    def came(self, table: str) -> None: ...

    def there(self, table: str) -> None: ...

    def left(self, table: str, row: str, reason: dict[str, str] | str) -> None: ...

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

    def store(self, row: dict, columns: dict) -> None:
        takeover = self._takeover = self._takeover or Takeover()
        if takeover.is_taken(columns["id"]):
            if takeover.is_another(columns["id"], columns):
                self.leave(row, "a signal of this rowid came from another database")
            else:
                self.report.there(self.table)
            return
        self._moved += takeover.take(columns) != columns["id"]
        self._offered += columns["status"] in statuses.OFFERED
        self.report.came(self.table)

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

    def known_as(self, fields: dict) -> str:
        """The name that the registry has it under."""
        return fields["symbol"]

    def store(self, row: dict, fields: dict) -> None:
        try:
            self.model.find(self.known_as(fields))
            self.report.there(self.table)
        except models.Missing:
            self._register(row, fields)

    def _register(self, row: dict, fields: dict) -> None:
        try:
            self.model.register(fields, SOURCE)
            self.report.came(self.table)
        except models.Refused as refused:
            self.leave(row, refused.reason)


class _Stocks(_Registered):
    table = "stocks"
    name = "symbol"
    model = models.Stock

    read = staticmethod(schemas.original_stock)


class _Tickers(_Stocks):
    table = "tickers"


class _Pairs(_Registered):
    table = "pairs"
    name = "name"
    model = models.Pair

    read = staticmethod(schemas.original_pair)

    def known_as(self, fields: dict) -> str:
        return f"{fields['leg1']}-{fields['leg2']}"


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
        if form.password == DEMO_PASSWORD or len(form.password) < SHORTEST:
            self.report.advise(
                f"{form.username} has a known or short password; set another one: "
                f"python server.py user passwd {form.username}"
            )


class _Account(Take):
    table = "account"

    read = staticmethod(schemas.original_account)

    def store(self, row: dict, fields: dict) -> None:
        record = models.AccountRecord
        if record.get_or_none(record.timestamp == fields["timestamp"]):
            self.report.there(self.table)
            return
        record.add(SOURCE, **fields)
        self.report.came(self.table)


TAKES = {each.table: each for each in (_Signals, _Stocks, _Tickers, _Pairs, _Users, _Account)}
