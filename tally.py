"""Counting while the server works: a few numbers in memory, nothing else."""

from bisect import bisect_left


class Histogram:
    """How many observations were at most each bound, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]):
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last one is beyond all bounds
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Counts one; a value at a bound is within it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, int]]:
        """(bound, observations up to it), the last one is +Inf."""
        names, sums, up_to = [*map(str, self.bounds), "+Inf"], [], 0
        for name, count in zip(names, self.counts, strict=True):
            up_to += count
            sums.append((name, up_to))
        return sums
