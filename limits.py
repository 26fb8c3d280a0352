"""How often somebody may try: token buckets, counted in this process alone."""

import time
from collections.abc import Callable

from cachetools import LRUCache, TTLCache

MOST_KEYS = 10_000  # of each; what was quiet for longest is forgotten


class Bucket:
    """A token bucket for each key: `burst` at once, then `rate` a second; keys are bounded."""

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_KEYS,
    ):
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._levels: LRUCache[str, tuple[float, float]] = LRUCache(most)

    def take(self, key: str) -> float:
        """Takes a token; the seconds until there is one where there is none, else 0."""
        now = self._clock()
        level, seen = self._levels.get(key, (self._burst, now))
        level = min(self._burst, level + (now - seen) * self._rate)
        wait = 0.0 if level >= 1 else (1 - level) / self._rate
        self._levels[key] = (level if wait else level - 1, now)
        return wait

    def give_back(self, key: str) -> None:
        """Undoes a `take`."""
        if key in self._levels:
            level, seen = self._levels[key]
            self._levels[key] = (min(self._burst, level + 1), seen)


class Rarely:
    """What is done for a key once in so many seconds at the most; keys are bounded."""

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic, most: int = MOST_KEYS
    ):
        self._done: TTLCache[str, bool] = TTLCache(most, seconds, clock)

    def due(self, key: str) -> bool:
        """Whether it is time again; then it counts as done."""
        if key in self._done:
            return False
        self._done[key] = True
        return True


class Failures:
    """Failures in a row by name: each further one makes the next answer wait longer.

    It is a delay and never a refusal, so that nobody can lock an owner out.
    """

    FREE = 5
    FIRST, LONGEST = 0.25, 4.0  # seconds

    def __init__(self, most: int = MOST_KEYS):
        self._counts: LRUCache[str, int] = LRUCache(most)

    def delay(self, name: str) -> float:
        """The seconds that an attempt under this name waits."""
        beyond = self._counts.get(name, 0) - self.FREE
        return min(self.LONGEST, self.FIRST * 2.0 ** min(beyond, 10)) if beyond >= 0 else 0.0

    def failed(self, name: str) -> None:
        """Counts one more."""
        self._counts[name] = self._counts.get(name, 0) + 1

    def undo(self, name: str) -> None:
        """Takes the last one back."""
        if self._counts.get(name):
            self._counts[name] -= 1

    def succeeded(self, name: str) -> None:
        """Forgets them."""
        self._counts.pop(name, None)
