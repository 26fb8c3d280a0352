"""What a day shows of the rules that decide before a trade, each on a chart of its own."""

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from demo.desk import Desk
from demo.market import ASKED, EXITING, LATE, SCALPED, Chart
from demo.tradingview import CUT, Move, TradingView

_REAL_DAY = 86_400
ENTRIES = 6  # of a ticker on one day; no strategy of the demo makes more
_DELAY = timedelta(hours=2)  # of an alert that comes much too late
_EVERY, _HOLDS = 2400, 900  # seconds from one entry of SCALPED to the next, and to its exit
_FIRST = 1360
_BEYOND = _FIRST + ENTRIES * _EVERY  # second of the entry that is one too many
# Moves by second of the day: (chart, size before, size after). 1 means the chart's contracts. They
# lie between the bars, when no signal waits.
_MOVES = {
    3790: (ASKED, 0, 1),
    5590: (EXITING, 0, 1),
    8590: (ASKED, 1, 0),
    9190: (ASKED, 0, -1),
    10390: (EXITING, 1, -1),
    12190: (ASKED, -1, 0),
    14890: (EXITING, -1, 0),
}
for _second in range(_FIRST, _BEYOND + 1, _EVERY):
    _MOVES |= {_second: (SCALPED, 0, 1), _second + _HOLDS: (SCALPED, 1, 0)}
_HELD, _CUT, _TOO_LATE = (3790, 9190), 10390, 17890
_APPROVED, _CLOSED, _STRICTER, _REFUSED = 3890, 7390, 7990, 9290


class Closed(NamedTuple):
    """The minutes of the real day at which the server lets no entries through, in Unix seconds."""

    begins: float
    ends: float

    @classmethod
    def after(cls, seconds: float) -> "Closed":
        """The first whole minute that begins so many seconds from now."""
        begins = 60 * (int(time.time() + seconds) // 60 + 1)
        return cls(begins, begins + 60)

    def is_now(self) -> bool:
        """Whether it is one of them; they come again every day."""
        return (time.time() - self.begins) % _REAL_DAY < self.ends - self.begins

    @property
    def entry_hours(self) -> str:
        """The setting of the server: the other minutes of the day."""
        return f"UTC {_clock(self.ends)}-{_clock(self.begins)}"


def _clock(instant: float) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%H:%M}"


class Rules:
    """Sends the alerts that a rule holds back, and does what a person does about them."""

    def __init__(self, tradingview: TradingView, desk: Desk):
        self._tradingview, self._desk = tradingview, desk
        self._limit = ENTRIES
        self._expired = ""  # the message of an entry that is too old; empty if none ever is

    def open(self) -> None:
        """Sets the modes and the limit of the day. What was entered on the real day counts, too."""
        state = self._desk.state()
        if state["entry_minutes"]:
            self._expired = f"expired after {state['entry_minutes']:g} min"
        self._limit = state["today"]["ticker_entries"].get(SCALPED.name, 0) + ENTRIES
        self._desk.limit(ticker_entries=self._limit)
        self._desk.set_mode(ASKED, "ask")
        self._desk.set_mode(EXITING, "on")

    def turn(self, second: int) -> None:
        """Does what is due at this second of the day."""
        if second in _MOVES:
            chart, before, after = _MOVES[second]
            move = Move(before * chart.contracts, after * chart.contracts)
            self._tradingview.send(chart, move, *self._outcome(second))
        elif second == _TOO_LATE and self._expired:
            fired = f"{datetime.now(UTC) - _DELAY:%Y-%m-%dT%H:%M:%SZ}"
            self._enter(LATE, self._expired, alert_time=fired)
        elif second == _APPROVED:
            self._desk.approve(ASKED)
        elif second == _CLOSED:
            self._desk.close(ASKED, ASKED.contracts)
        elif second == _STRICTER:
            self._desk.set_mode(EXITING, "exits")
        elif second == _REFUSED:
            self._desk.refuse(ASKED)

    def evening(self) -> None:
        """Sends an entry when the entry hours are over."""
        self._enter(SCALPED, "outside entry hours")

    def _enter(self, chart: Chart, message: str, **changes: str) -> None:
        """Sends an entry that is canceled with this message."""
        move = Move(0, chart.contracts)
        self._tradingview.send(chart, move, "canceled", message, **changes)

    def _outcome(self, second: int) -> tuple[str, ...]:
        """The status and message that an alert gets; empty if it waits."""
        if second in _HELD:
            return "held", "held for approval"
        if second == _CUT:
            return "waiting", CUT
        if second == _BEYOND:
            return "canceled", f"limit: {self._limit} of {self._limit} entries of this ticker today"
        return ()
