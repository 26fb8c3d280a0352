"""Hearing what processes tell each other through PostgreSQL."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import psycopg2

from database.shared import Shared

FIRST_PAUSE = 0.1  # seconds before the next try to connect
LONGEST_PAUSE = 1.0


class Ear:
    """A connection of its own that the event loop watches; it comes back by itself.

    `hear(topic, text)` is called for all that is announced; `missed()` whenever the connection
    stands anew, for something may have been said meanwhile.
    """

    def __init__(
        self,
        database: Shared,
        hear: Callable[[str, str], None],
        missed: Callable[[], None],
    ):
        self._database = database
        self._hear = hear
        self._missed = missed
        self._task: asyncio.Task | None = None

    def start(self, loop: Any) -> None:
        """Listens on Tornado's event loop, which can watch a socket on any system."""
        self._task = asyncio.get_running_loop().create_task(self._listen(loop))

    async def close(self) -> None:
        """Ends the connection."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _listen(self, loop: Any) -> None:
        threads, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while True:
            try:
                connection = await threads.run_in_executor(None, self._database.listening)
            except psycopg2.Error:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            try:
                self._missed()
                await self._until_lost(connection, loop)
            finally:
                connection.close()

    async def _until_lost(self, connection: Any, loop: Any) -> None:
        lost = asyncio.get_running_loop().create_future()

        def readable(*_: Any) -> None:
            try:
                connection.poll()
            except psycopg2.Error:
                lost.done() or lost.set_result(None)
            while connection.notifies:
                topic, _, text = connection.notifies.pop(0).payload.partition(" ")
                self._hear(topic, text)

        line = connection.fileno()
        loop.add_handler(line, readable, loop.READ)
        try:
            await lost
        finally:
            loop.remove_handler(line)
