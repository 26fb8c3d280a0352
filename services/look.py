"""One look for alarms: what is known when it begins, and what it finds."""

import time
from collections import Counter
from typing import Any

from models import Alarm, AlarmWatch
from trading.alarms import CUT_OFF, HAPPENINGS, KINDS, MORE, Case

UNWRITTEN = 500  # events looked through in vain before the place among them is written down
MOST_OPEN = 100  # alarms of one kind; one more stands for all others


class Look:
    """One look at what is stored.

    `begun` are cases to open or renew, each with when to tell of it; `over` are the keys of alarms
    to close. `base` and `reached` are the last events before and in this look, `more` says that
    events are left for the next look. `wake` is when the next case may begin, None if unknown.
    """

    def __init__(self, conf: Any):
        self.conf = conf
        self.now = time.time()
        self.watch = AlarmWatch.get()
        self.base = self.reached = self.watch.position
        self.more = False
        self.open = {row.key: row for row in Alarm.open_ones()}
        self.begun: list[tuple[Case, float]] = []
        self.over: list[str] = []
        self.wake: float | None = None
        self.unread = 0  # signals that wait too long and were not read
        self._found: dict[str, tuple[Case, float]] = {}

    @property
    def changes(self) -> bool:
        """Whether there is something to write."""
        return bool(self.begun or self.over or self.reached - self.base >= UNWRITTEN)

    def add(self, case: Case, due: float | None = None) -> None:
        """Notes a case and when to tell of it: at once, if `due` is None."""
        if case.kind not in self.conf.alarms_off:
            self._found.setdefault(case.key, (case, self.now if due is None else due))

    def add_late(self, case: Case | None, begins: float) -> None:
        """Notes a case; if there is none yet, the next look is due when it `begins`."""
        if case:
            self.add(case)
        else:
            self.wait_until(begins + CUT_OFF)

    def wait_until(self, moment: float) -> None:
        """Makes the next look due at this instant at the latest."""
        self.wake = moment if self.wake is None else min(self.wake, moment)

    def explain(self, key: str) -> None:
        """Withdraws a case: drops it from this look and closes its open alarm."""
        self._found.pop(key, None)
        if key in self.open:
            self.over.append(key)

    def finish(self) -> "Look":
        """Chooses what to open or renew: at most `MOST_OPEN` of a kind, and one for all others."""
        room = Counter(dict.fromkeys(KINDS, MOST_OPEN))
        room.subtract(row.kind for row in self.open.values() if row.subject != MORE)
        chosen, others = [], {}
        for case, due in self._found.values():
            if case.key in self.open:
                chosen.append((case, due))
            elif room[case.kind] > 0:
                room[case.kind] -= 1
                chosen.append((case, due))
            else:
                others.setdefault(case.kind, []).append((case, due))
        for kind, cases in others.items():
            last, due = cases[-1]
            number = len(cases) + (self.unread if kind == "waiting" else 0)
            chosen.append((last._replace(subject=MORE, number=float(number)), due))
        self.begun = [each for each in chosen if self._is_news(each[0])]
        self.over += [
            key
            for key, row in self.open.items()
            if row.subject == MORE and row.kind not in HAPPENINGS and row.kind not in others
        ]
        return self

    def _is_news(self, case: Case) -> bool:
        known = self.open.get(case.key)
        return known is None or case.is_news(known.number, known.what)
