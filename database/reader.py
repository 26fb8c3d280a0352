"""Long reads, which run on a thread of their own and not on the event loop."""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import peewee

from database.kinds import AWAY, cause
from database.opening import read_only
from database.writer import Overloaded

# Seconds that a thread computes before another one may go on: while something is read, and else.
BRIEF = 0.0001
USUAL = sys.getswitchinterval()
_lock = threading.Lock()
_reading = 0  # reads that run, of all readers


@contextlib.contextmanager
def _brief_turns() -> Iterator[None]:
    """A block beside which other threads need not wait for long."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _reading
    with _lock:
        _reading += change
        sys.setswitchinterval(BRIEF if _reading else USUAL)


class Reader:
    """A thread with a read-only connection, for lists that are too long for the event loop."""

    def __init__(self, database: peewee.Database, limit: int = 500):
        self._database = database
        self._limit = limit
        self._waiting = 0
        self._pool = ThreadPoolExecutor(1, "reader")

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """Calls the function on the reader's thread and returns its result. Raises Overloaded."""
        if self._waiting >= self._limit:
            raise Overloaded
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._read, work, args)
        finally:
            self._waiting -= 1

    def _read(self, work: Callable[..., Any], args: tuple) -> Any:
        if self._database.is_closed():
            read_only(self._database)
        try:
            with _brief_turns():
                return work(*args)
        except AWAY as error:
            self._database.close()  # the next call starts on a new connection
            raise cause(error) from None

    def close(self) -> None:
        """Waits for the reads that were begun, and closes the connection."""
        self._pool.submit(self._database.close)
        self._pool.shutdown()
