"""What the demo tells while it plays: one short line for each event."""

from collections.abc import Callable

_OPEN = 9 * 3600 + 30 * 60


def clock(second: int) -> str:
    """A second of the trading day as a time of day: 0 is 09:30:00."""
    minutes, seconds = divmod(_OPEN + second, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


class Journal:
    """Lines with the trading day's time; `show` takes each."""

    def __init__(self, show: Callable[[str], object]):
        self._show = show
        self.second = 0

    def say(self, kind: str, text: str) -> None:
        """One event."""
        self._show(f"{clock(self.second)}  {kind:<8}  {text}")
