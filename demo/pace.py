"""How fast the trading day goes by."""

import time

from demo.market import DAY, STEP

SLOW = 1200  # seconds for each further day: a few alerts a minute
_MOST_BEHIND = 1.0  # seconds that a late step may be made up for


class Pace:
    """Waits until the next step is due; a pace of 0 never waits."""

    def __init__(self, seconds: float):
        self._step = seconds * STEP / DAY
        self._due = time.monotonic()

    def wait(self) -> None:
        """Returns when the next step may be played."""
        now = time.monotonic()
        self._due = max(self._due + self._step, now - _MOST_BEHIND)
        if self._step and self._due > now:
            time.sleep(self._due - now)
