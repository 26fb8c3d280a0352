"""A short scripted day on which one thing or another goes wrong that a server should tell of."""

from collections.abc import Callable, Iterable

from demo.client import Client
from demo.day import Play
from demo.market import DAY
from demo.tradingview import Move
from demo.universe import PAIRS, Chart

BRIDGE_STOPS, DROPPED_ALERT, STUCK_LEG = "bridge-stops", "dropped-alert", "stuck-leg"
FAULTS = (BRIDGE_STOPS, DROPPED_ALERT, STUCK_LEG)
LENGTH = 6300  # seconds of trading time
SILENT = range(2100, 4200)  # while the bridge is gone
_STICKS = 600  # from then on the next pair's second leg never fills
# Seconds of trading time, above all that happens on a day without faults.
_LIMITS = {
    "alarm_bridge_minutes": 600 / 60,
    "alarm_minutes": 1200 / 60,
    "alarm_leg_seconds": 900,
    "alarm_missed_seconds": 60,
    "alarm_report_seconds": 240,
    "alarm_pause_seconds": 60,
}


def alarm_settings(pace: float) -> dict[str, str]:
    """The server's limits on a day that lasts so many seconds."""
    share = max(pace, 1.0) / DAY
    return {name: f"{limit * share:.6f}" for name, limit in _LIMITS.items()}


class FaultyDay(Play):
    """Three pairs are traded, and what was asked for goes wrong; all else is as it should be."""

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
        self._script = self._moves()

    @property
    def is_over(self) -> bool:
        return self._second >= LENGTH

    def _bar(self) -> None:
        """No strategy decides anything here: the moves are written down."""

    def _moves(self) -> dict[int, Callable[[], None]]:
        first, second, third = PAIRS[0], PAIRS[1], PAIRS[3]
        dropped = self._drop if DROPPED_ALERT in self._faults else self._send
        return {
            300: lambda: self._send(first, Move(0, first.contracts)),
            310: lambda: self._send(second, Move(0, second.contracts)),
            600: lambda: self._send(third, Move(0, third.contracts)),
            900: lambda: dropped(second, Move(second.contracts, 0)),
            1500: lambda: self._send(second, Move(0, -second.contracts)),
            2110: lambda: self._send(first, Move(first.contracts, 0)),
            4800: lambda: self._send(third, Move(third.contracts, 0)),
        }

    def _send(self, chart: Chart, move: Move) -> None:
        self.tradingview.send(self.tradingview.alert(chart, move), chart)

    def _drop(self, chart: Chart, move: Move) -> None:
        self.journal.say("fault", f"an alert is lost: {move.comment} {chart.ticker}")

    def _bridge_turn(self) -> None:
        if BRIDGE_STOPS not in self._faults or self._second not in SILENT:
            super()._bridge_turn()
        elif self._second == SILENT.start:
            self.journal.say("fault", "the bridge stops")
