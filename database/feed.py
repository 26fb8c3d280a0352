"""Reads new events from their table, and listens to what other processes announce."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import psycopg2

from database.kinds import AWAY, Shared

CHUNK = 100  # events read at a time
RETRY = 0.2  # seconds until events are read again after the database was away
FIRST_PAUSE = 0.1  # seconds until the second try to connect; the pause doubles each time
LONGEST_PAUSE = 1.0  # seconds


class Feed:
    """Hands the events of all processes to this process's hub, each once and in the order of ids.

    It reads the events that follow the last one it handed over. Ids become visible in their order
    (see `database.kinds.Shared`), so no event with a lower id can appear later.
    """

    def __init__(
        self,
        hub: Any,
        read: Callable[[int, int], list],
        newest: Callable[[], int],
        changed: Callable[[], None],
    ):
        """`read(event, most)` returns at most `most` events that follow the event with this id.

        `newest()` returns the id of the last event. `changed()` is called after new events.
        """
        self._hub, self._read, self._newest, self._changed = hub, read, newest, changed
        self.seen = hub.last_event
        self._heard = 0.0
        self._timer: asyncio.Handle | None = None

    def look(self, heard: float) -> None:
        """Reads the events that were committed since the last look, and hands them to the hub.

        `heard` is when this process heard of them, on the monotonic clock.
        """
        self._heard = self._heard or heard
        if self._timer is not None:
            return
        found, loop = [], asyncio.get_running_loop()
        try:
            if self._hub.listeners:
                found = self._read(self._hub.last_event, CHUNK)
            else:  # nobody listens, so the events need not be read
                self._hub.last_event = max(self._hub.last_event, self._newest())
        except AWAY:
            self._timer = loop.call_later(RETRY, self._look_again)
            return
        if found:
            self._hub.publish(found, self._heard)
        if len(found) == CHUNK:  # there may be more; the event loop does other work first
            self._timer = loop.call_soon(self._look_again)
        else:
            self._heard = 0.0
        if self.seen != self._hub.last_event:
            self.seen = self._hub.last_event
            self._changed()

    def _look_again(self) -> None:
        self._timer = None
        self.look(self._heard)

    def close(self) -> None:
        """Stops reading."""
        if self._timer is not None:
            self._timer.cancel()


class Ear:
    """Listens to PostgreSQL on a connection of its own, which the event loop watches.

    It connects again after the connection was lost. `hear(topic, text)` is called for each
    announcement. `missed()` is called after each connect, because announcements may have been lost.
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
        """Starts to listen. `loop` is Tornado's: it can watch a file descriptor on any system."""
        self._task = asyncio.get_running_loop().create_task(self._listen(loop))

    async def close(self) -> None:
        """Stops listening and closes the connection."""
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

        descriptor = connection.fileno()
        loop.add_handler(descriptor, readable, loop.READ)
        try:
            await lost
        finally:
            loop.remove_handler(descriptor)
