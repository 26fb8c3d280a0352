"""Stores alarms: opens and closes them, says which are to be told, and notes who has seen them."""

import time
from collections.abc import Iterable
from typing import Any

from peewee import fn

from database.opening import announce
from models import Alarm, AlarmWatch, EventRow, Record
from trading import instants
from trading.alarms import HAPPENINGS, WORDS, Case, gravity

ALARMS = "alarms"  # announced: an alarm began, ended or was seen
NOBODY_LOOKS = "nobody looks"  # announced so: the process that looked for all has stopped
# Seconds until the next try after one that failed; after the last only a reminder tries again.
RETRIES = (5.0, 300.0, 1800.0, 7200.0)
CLAIM = 120.0  # seconds that a process has for sending the alarms that it claimed


def begin(cases: Iterable[tuple[Case, float]]) -> None:
    """Opens an alarm for each case, given with when to tell of it; an open one is renewed."""
    wanted = {case.key: (case, due) for case, due in cases}
    for row in Alarm.select().where(_open(wanted)):
        _renew(row, *wanted.pop(row.key))
    now = instants.now()
    rows = [_fields(case, due, now) for case, due in wanted.values()]
    if rows:  # in one statement, because alerts wait meanwhile
        Alarm.insert_many(rows).execute()


def _fields(case: Case, due: float, now: str) -> Record:
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


def _renew(row: Alarm, case: Case, due: float) -> None:
    """Stores the case as it is now; if its number has doubled it is told again, even if seen.

    A rule that goes on refusing alerts is told once."""
    row.number = case.number + (row.number if case.adds_up else 0)
    row.what = case.words(row.number)
    if row.number >= 2 * row.told_number and not WORDS[case.kind].adds_up:
        row.told_number, row.due, row.tries, row.told = row.number, due, 0, ""
        row.acknowledged = row.acknowledged_by = None
    row.save()


def end(keys: Iterable[str]) -> None:
    """Closes the open alarms of these cases."""
    Alarm.update(closed=instants.now()).where(_open(keys)).execute()


def _open(keys: Iterable[str]) -> Any:
    return Alarm.key.in_(list(keys)) & Alarm.closed.is_null()


def acknowledge(rowid: int, username: str) -> Alarm:
    """Acknowledges an alarm; raises Missing."""
    _note_seen(Alarm.id == rowid, username)
    return Alarm.find(rowid)


def acknowledge_all(last: int, username: str) -> int:
    """Acknowledges all open alarms up to this id; returns their number."""
    return _note_seen(Alarm.id <= last, username)


def _note_seen(which: Any, username: str) -> int:
    """Stops reminders, and closes alarms of what has happened: how many were unseen."""
    now = instants.now()
    seen = {"acknowledged": now, "acknowledged_by": username}
    unseen = which & Alarm.closed.is_null() & Alarm.acknowledged.is_null()
    happened = Alarm.kind.in_(HAPPENINGS)
    count = Alarm.update(seen | {"closed": now}).where(unseen, happened).execute()
    count += Alarm.update(seen).where(unseen, ~happened).execute()
    if count:
        announce(ALARMS)
    return count


# --- telling ---------------------------------------------------------------------


def _untold() -> Any:
    return Alarm.closed.is_null() & Alarm.acknowledged.is_null() & Alarm.due.is_null(False)


def next_due() -> float | None:
    """When the next one is to be told."""
    return Alarm.select(fn.MIN(Alarm.due)).where(_untold()).scalar()


def claim(now: float) -> list[Alarm]:
    """Takes what is due, the gravest first: if several processes try at once, one gets it."""
    taken = Alarm.update(due=now + CLAIM).where(_untold(), Alarm.due <= now).returning(Alarm)
    return sorted(taken.execute(), key=lambda alarm: (gravity(alarm.kind), alarm.id))


def note_told(rowid: int, places: Iterable[str], done: bool, reminder: float | None) -> None:
    """Notes which places were told; unless all were (`done`), another try follows."""
    alarm = Alarm.get_or_none(Alarm.id == rowid)
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
    Alarm.update(fields).where(Alarm.id == rowid).execute()


# --- which process looks -------------------------------------------------------------


def begin_watch() -> None:
    """Makes the row of the watch at the first start; events before it raise no alarm."""
    if AlarmWatch.get_or_none() is None:
        AlarmWatch.create(name="alarms", position=EventRow.last_id(), started=instants.now())


def take_watch(holder: str, seconds: float) -> bool:
    """Whether this process is the one that looks, for the next seconds."""
    now = time.time()
    # Nobody takes it for so long: if it ends later, a clock was set back since.
    longest = now + 2 * seconds
    free = (AlarmWatch.holder == holder) | ~AlarmWatch.until.between(now, longest)
    return AlarmWatch.update(holder=holder, until=now + seconds).where(free).execute() > 0


def release_watch(holder: str) -> None:
    """Lets another process look at once."""
    if AlarmWatch.update(until=0).where(AlarmWatch.holder == holder).execute():
        announce(ALARMS, NOBODY_LOOKS)


def settle(base: int, reached: int, begun: list[tuple[Case, float]], over: list[str]) -> bool:
    """Opens cases (each with when to tell of it) and closes others, in one transaction.

    False where another process has looked further meanwhile: then nothing is changed.
    """
    if not AlarmWatch.update(position=reached).where(AlarmWatch.position == base).execute():
        return False
    if begun:
        begin(begun)
    if over:
        end(over)
    if begun or over:
        announce(ALARMS)
    return True
