"""A short day on which chosen faults happen: of the bridge, a strategy, the broker, or money."""

from collections.abc import Callable, Iterable

from demo.books import Entry
from demo.client import Client
from demo.day import Play
from demo.market import DAY, PAIRS, SINGLES, STEP
from demo.tradingview import Move

BRIDGE_STOPS, DROPPED_ALERT, STUCK_LEG = "bridge-stops", "dropped-alert", "stuck-leg"
LOST_POSITION, RUNAWAY, LOSING_DAY = "lost-position", "runaway", "losing-day"
FAULTS = (BRIDGE_STOPS, DROPPED_ALERT, STUCK_LEG, LOST_POSITION, RUNAWAY, LOSING_DAY)
# Moves by second of the day: (chart, size before, size after). 1 means the chart's contracts.
_MOVES = {
    300: (PAIRS[0], 0, 1),
    310: (PAIRS[1], 0, 1),
    600: (PAIRS[3], 0, 1),
    900: (PAIRS[1], 1, 0),
    1500: (PAIRS[1], 0, -1),
    2110: (PAIRS[0], 1, 0),
    2400: (PAIRS[2], 0, 1),
    5400: (PAIRS[4], 0, 1),
    6000: (PAIRS[3], 1, 0),
    6250: (SINGLES[1], 0, 1),
    6500: (PAIRS[2], 1, 0),
    7000: (PAIRS[5], 0, 1),
    7010: (SINGLES[1], 1, 0),
}
_DROPPED = 900  # the move whose alert is lost
_STICKS = 600  # leg 2 of the next pair after this second never fills
_SILENT = range(2100, 5700)  # an hour in which the bridge does nothing
_EXPIRES = 2400  # the entry that is too old when the bridge is back
_LOST = 6100  # leg 2 of the pair that was entered last is not at the broker any more
_RUNS_AWAY, _SENT = range(6200, 6300, STEP), 200  # a single's entries in this time
_FALLS, _LEFT = 6700, 0.5  # a single is worth half of what it was
_STOPPED = 7000  # the entry after the loss
ENTRIES, LOSS = 5, 5_000  # limits: of a ticker's entries a day, and of a day's loss
# Settings in seconds of trading time; a day without faults stays below them.
_LIMITS = {
    "entry_minutes": 1800 / 60,
    "alarm_bridge_minutes": 600 / 60,
    "alarm_minutes": 1200 / 60,
    "alarm_leg_seconds": 900,
    "alarm_missed_seconds": 60,
    "alarm_report_seconds": 240,
    "alarm_pause_seconds": 60,
}


def fault_settings(pace: float) -> dict[str, str]:
    """The settings of the server for a day with faults that would last `pace` seconds if whole."""
    share = max(pace, 1.0) / DAY
    return {name: f"{limit * share:.3g}" for name, limit in _LIMITS.items()}


class FaultyDay(Play):
    """A short day on which six pairs and a single are traded and the given faults happen."""

    length = 8100  # seconds of trading time

    def __init__(
        self,
        sender: Client,
        bridge: Client,
        seed: int,
        show: Callable[[str], object],
        faults: Iterable[str],
    ):
        self._faults = frozenset(faults)
        sticks = ((_STICKS, "stuck"),) if STUCK_LEG in self._faults else ()
        super().__init__(sender, bridge, seed, show, {"pair": sticks, "single": ()})
        self._aging: Entry | None = None  # waits while the bridge is silent

    def _prepare(self) -> None:
        self.desk.limit(ticker_entries=ENTRIES, loss=LOSS)

    def _alerts(self) -> None:
        self._break()
        if self._second in _MOVES:
            chart, before, after = _MOVES[self._second]
            move = Move(before * chart.contracts, after * chart.contracts)
            if self._second == _DROPPED and DROPPED_ALERT in self._faults:
                self.journal.say("fault", f"an alert is lost: {move.comment} {chart.ticker}")
            elif self._second == _STOPPED and LOSING_DAY in self._faults:
                self.tradingview.send(chart, move, "canceled", "entries are off")
            else:
                self.tradingview.send(chart, move)
        if self._second == _EXPIRES and BRIDGE_STOPS in self._faults:
            self._aging = self.ledger.entries[max(self.ledger.entries)]

    def _break(self) -> None:
        """Does what the faults do at this second."""
        if self._second == _LOST and LOST_POSITION in self._faults:
            symbol = PAIRS[4].leg2.symbol
            self.journal.say("fault", f"the broker loses the position in {symbol}")
            self.gateway.account.lose(symbol)
        elif self._second in _RUNS_AWAY and RUNAWAY in self._faults:
            self._run_away()
        elif self._second == _FALLS and LOSING_DAY in self._faults:
            self.journal.say("fault", f"{SINGLES[1].name} falls by half")
            self.market.fall(SINGLES[1], _LEFT)

    def _run_away(self) -> None:
        """Sends this step's part of the entries; those beyond the limit must be refused."""
        step, part = (self._second - _RUNS_AWAY.start) // STEP, _SENT // len(_RUNS_AWAY)
        move = Move(0, SINGLES[0].contracts)
        own_id = self.tradingview.alert(SINGLES[0], move)["alert_id"]
        message = f"limit: {ENTRIES} of {ENTRIES} entries of this ticker today"
        for number in range(part * step, part * (step + 1)):
            outcome = ("canceled", message) if number >= ENTRIES else ()
            self.tradingview.send(SINGLES[0], move, *outcome, alert_id=f"{own_id}|{number}")

    def _bridge_turn(self) -> None:
        if BRIDGE_STOPS not in self._faults or self._second not in _SILENT:
            if self._aging:
                self._expire(self._aging)
                self._aging = None
            super()._bridge_turn()
        elif self._second == _SILENT.start:
            self.journal.say("fault", "the bridge stops")

    def _expire(self, entry: Entry) -> None:
        """Enters that a signal has become too old."""
        minutes = self.desk.state()["entry_minutes"]
        entry.status, entry.message = "canceled", f"expired after {minutes:g} min"
