"""Alarms: each case once, whoever looks; what is told of it, when, and who has seen it."""

import time
from collections.abc import Iterable
from typing import Any

import peewee
from peewee import BigIntegerField, CharField, DoubleField, IntegerField, TextField

from database import RowId, announce
from models.base import Base, EventRow, Missing
from trading import instants
from trading.alarms import HAPPENINGS, MORE, Case, gravity

ALARMS = "alarms"  # announced: one began, ended or was seen
NOBODY_LOOKS = "nobody looks"  # ... or the process that looked for all has stopped
MOST_SHOWN = 100
# Seconds after a failed try; when these are used up only a reminder tries again.
RETRIES = (5.0, 300.0, 1800.0, 7200.0)
CLAIM = 120.0  # seconds that a process has for sending what it took


class Alarm(Base):
    """One case: open until `closed`. `due` is when to tell of it next, `told` who has been told.

    `number` is the case's own, `told_number` what it was when it began or had last doubled.
    An alarm is no event: it is made of events, and whoever missed a change asks for the list.
    """

    id = RowId()
    key = CharField(240)
    kind = CharField(20)
    subject = CharField(200)
    what = TextField()
    number = DoubleField(default=1)
    told_number = DoubleField(default=0)
    since = CharField(19)
    opened = CharField(19)
    acknowledged = CharField(19, null=True)
    acknowledged_by = CharField(80, null=True)
    closed = CharField(19, null=True)
    notified = CharField(19, null=True)
    due = DoubleField(null=True)
    tries = IntegerField(default=0)
    told = TextField(default="")

    @classmethod
    def open_ones(cls) -> list["Alarm"]:
        """All that are open: the gravest first, of a kind what nobody has seen, then the newest."""
        rows = cls.select().where(cls.closed.is_null()).order_by(cls.id.desc())
        return sorted(rows, key=lambda row: (gravity(row.kind), row.acknowledged is not None))

    @classmethod
    def shown(cls, closed_too: bool = False) -> list["Alarm"]:
        """All that are open, the gravest first; or the newest alarms, those that are closed too."""
        if closed_too:
            return list(cls.select().order_by(cls.id.desc()).limit(MOST_SHOWN))
        return cls.open_ones()

    @classmethod
    def count_open(cls) -> dict[str, int]:
        """How many are open, by kind."""
        rows = cls.select(cls.kind, peewee.fn.COUNT(cls.id)).where(cls.closed.is_null())
        return dict(rows.group_by(cls.kind).tuples())

    @classmethod
    def last_closed(cls, kind: str) -> str | None:
        """When an alarm of this kind last ended."""
        return cls.select(peewee.fn.MAX(cls.closed)).where(cls.kind == kind).scalar()

    def record(self) -> dict[str, Any]:
        """The row as {column: value}."""
        return dict(self.__data__)

    @classmethod
    def begin(cls, cases: Iterable[tuple[Case, float]]) -> None:
        """Opens an alarm for each case, given with when to tell of it; an open one is renewed."""
        # All at once, for alerts wait meanwhile.
        wanted: dict[str, tuple[Case, float]] = {}
        for case, due in cases:
            wanted.setdefault(case.key, (case, due))
        for row in cls.select().where(cls._open(wanted)):
            row._renew(*wanted.pop(row.key))
        now = instants.now()
        rows = [cls._fields(case, due, now) for case, due in wanted.values()]
        if rows:
            cls.insert_many(rows).execute()

    @staticmethod
    def _fields(case: Case, due: float, now: str) -> dict[str, Any]:
        return {
            "key": case.key,
            "kind": case.kind,
            "subject": case.subject,
            "what": case.words(case.number),
            "number": case.number,
            "told_number": case.number,
            "since": instants.from_epoch(case.since) if case.since else now,
            "opened": now,
            "due": due,
        }

    def _renew(self, case: Case, due: float) -> None:
        """The case as it is now; what has doubled is told again, though somebody has seen it."""
        adds_up = case.subject == MORE and case.kind in HAPPENINGS
        self.number = case.number + (self.number if adds_up else 0)
        self.what = case.words(self.number)
        if self.number >= 2 * self.told_number:
            self.told_number, self.due, self.tries, self.told = self.number, due, 0, ""
            self.acknowledged = self.acknowledged_by = None
        self.save()

    @classmethod
    def end(cls, keys: Iterable[str]) -> None:
        """Closes the open alarms of these cases."""
        cls.update(closed=instants.now()).where(cls._open(keys)).execute()

    @classmethod
    def _open(cls, keys: Iterable[str]) -> Any:
        return cls.key.in_(list(keys)) & cls.closed.is_null()

    @classmethod
    def acknowledge(cls, rowid: int, username: str) -> "Alarm":
        """Somebody has seen it; raises Missing."""
        cls._note_seen(cls.id == rowid, username)
        if alarm := cls.get_or_none(cls.id == rowid):
            return alarm
        raise Missing

    @classmethod
    def acknowledge_all(cls, last: int, username: str) -> int:
        """The same of all that are open, up to this id: how many."""
        return cls._note_seen(cls.id <= last, username)

    @classmethod
    def _note_seen(cls, which: Any, username: str) -> int:
        """No reminder follows, and what has happened is closed."""
        now = instants.now()
        seen = {"acknowledged": now, "acknowledged_by": username}
        unseen = which & cls.closed.is_null() & cls.acknowledged.is_null()
        happened = cls.kind.in_(HAPPENINGS)
        count = cls.update(seen | {"closed": now}).where(unseen, happened).execute()
        count += cls.update(seen).where(unseen, ~happened).execute()
        if count:
            announce(ALARMS)
        return count

    # --- telling ---------------------------------------------------------------------

    @classmethod
    def _untold(cls) -> Any:
        return cls.closed.is_null() & cls.acknowledged.is_null() & cls.due.is_null(False)

    @classmethod
    def next_due(cls) -> float | None:
        """When the next one is to be told."""
        return cls.select(peewee.fn.MIN(cls.due)).where(cls._untold()).scalar()

    @classmethod
    def claim(cls, now: float) -> list["Alarm"]:
        """Takes what is due, the gravest first: of several who try at once one gets it."""
        taken = cls.update(due=now + CLAIM).where(cls._untold(), cls.due <= now).returning(cls)
        return sorted(taken.execute(), key=lambda alarm: (gravity(alarm.kind), alarm.id))

    @classmethod
    def note_told(
        cls, rowid: int, places: Iterable[str], done: bool, reminder: float | None
    ) -> None:
        """After a try: which places know; all of them (`done`), or another try follows."""
        alarm = cls.get_or_none(cls.id == rowid)
        if alarm is None:
            return
        now = time.time()
        if done:
            fields = {"notified": instants.now(), "tries": 0, "told": ""}
            fields["due"] = now + reminder if reminder else None
        else:
            pause = RETRIES[alarm.tries] if alarm.tries < len(RETRIES) else reminder
            fields = {"tries": alarm.tries + 1, "told": " ".join(sorted(places))}
            fields["due"] = now + pause if pause else None
        cls.update(fields).where(cls.id == rowid).execute()


Alarm.add_index(
    Alarm.index(Alarm.key, name="alarm_open", unique=True, where=Alarm.closed.is_null())
)


class AlarmWatch(Base):
    """How far the events have been looked through, and which process does it."""

    name = CharField(40, primary_key=True)
    position = BigIntegerField()
    started = CharField(19)
    holder = CharField(40, default="")
    until = DoubleField(default=0)

    @classmethod
    def begin(cls) -> None:
        """The first start: what has happened before it is no alarm."""
        if cls.get_or_none() is None:
            cls.create(name="alarms", position=EventRow.last_id(), started=instants.now())

    @classmethod
    def take(cls, holder: str, seconds: float) -> bool:
        """Whether this process is the one that looks, for the next seconds."""
        now = time.time()
        free = (cls.holder == holder) | (cls.until < now)
        return cls.update(holder=holder, until=now + seconds).where(free).execute() > 0

    @classmethod
    def release(cls, holder: str) -> None:
        """Lets another process look at once."""
        if cls.update(until=0).where(cls.holder == holder).execute():
            announce(ALARMS, NOBODY_LOOKS)

    @classmethod
    def settle(
        cls, base: int, reached: int, begun: list[tuple[Case, float]], over: list[str]
    ) -> bool:
        """Opens cases (each with when to tell of it) and closes others, in one transaction.

        False where another process has looked further meanwhile: then nothing is changed.
        """
        if not cls.update(position=reached).where(cls.position == base).execute():
            return False
        if begun:
            Alarm.begin(begun)
        if over:
            Alarm.end(over)
        if begun or over:
            announce(ALARMS)
        return True
