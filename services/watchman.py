"""The watchman looks when something may have begun, writes it down, and has it told."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import security
from database.reader import Reader
from database.writer import UNANSWERED, Writer
from services import alarms
from services.look import Look
from services.reporter import Reporter
from services.survey import Surveyor
from services.teller import Teller, wait_for

SOON = 0.25  # seconds from an event to the look
EASE = 50  # after a look the watchman rests that many times as long as the look took ...
LONGEST_EASE = 2.0  # ... but at most these seconds
IDLE = 10.0  # seconds between two looks with nothing to expect
LEASE = 30.0  # seconds that one process looks for all, unless it says so again

log = logging.getLogger("pairs")


class Watchman:
    """Looks for what is wrong and has it told, in one of the processes that share a database."""

    def __init__(self, conf: Any, writer: Writer, reader: Reader, polled: Callable[[], float]):
        self.teller = Teller(conf, writer, reader)
        self._reporter = Reporter(conf, writer, reader, self.teller)
        self._surveyor = Surveyor(conf, time.time())
        self._writer, self._reader = writer, reader
        self._polled = polled
        self._name = security.random_id()[:16]
        self._lease_until = self._next_try = 0.0
        self._shared = False
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task] = []

    def start(self, shared: bool) -> None:
        """Begins to look; where the database is shared, only if no other process does."""
        loop = asyncio.get_running_loop()
        self._shared = shared
        self._tasks = [
            loop.create_task(self._watch()),
            loop.create_task(self.teller.work(self._holds)),
            loop.create_task(self._reporter.work(self._holds)),
        ]

    def wake(self) -> None:
        """Makes the next look due now."""
        self._something.set()

    def take_over(self) -> None:
        """Tries to get the lease now: the process that held it has stopped."""
        self._next_try = 0.0
        self.wake()

    def bridge_seen(self) -> None:
        """Makes the next look due now if the bridge counted as silent; it has just asked."""
        if self._surveyor.bridge_is_silent:
            self.wake()

    async def close(self) -> None:
        """Stops looking and gives up the lease, so another process can look at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._shared and self._lease_until:
            try:
                await self._writer.submit(lambda: alarms.release_watch(self._name))
            except UNANSWERED:
                log.warning("the watch could not be handed over; it lapses")
        self._reader.close()

    async def _watch(self) -> None:
        while True:
            pause, began = IDLE, time.monotonic()
            self._something.clear()
            try:
                if await self._is_mine():
                    pause = await self._look()
            except UNANSWERED as error:
                log.warning("looking for alarms failed: %s", error)
                self._surveyor.forget()  # what it has seen was not written down
            except Exception:  # a mistake in one look must not end the watch
                log.exception("looking for alarms failed")
                self._surveyor.forget()
            took = time.monotonic() - began
            await asyncio.sleep(min(max(SOON, EASE * took), LONGEST_EASE))
            await wait_for(self._something, pause)

    async def _is_mine(self) -> bool:
        """Whether this process looks; says so again before its time is over."""
        now = time.monotonic()
        if not self._shared or now < self._next_try:
            return self._holds()
        if not self._holds():
            self._surveyor.forget()
        taken = await self._writer.submit(lambda: alarms.take_watch(self._name, LEASE))
        self._lease_until = now + LEASE if taken else 0.0
        self._next_try = now + LEASE / 2
        return taken

    def _holds(self) -> bool:
        """Whether this process holds the lease; without other processes it always does."""
        return not self._shared or time.monotonic() < self._lease_until

    async def _look(self) -> float:
        """One look: the seconds until the next one is due by itself."""
        look: Look = await self._reader.run(self._surveyor.look, self._polled())
        if look.changes:
            settled = await self._writer.submit(
                lambda: alarms.settle(look.base, look.reached, look.begun, look.over)
            )
            if not settled:  # another process has looked further
                self._surveyor.forget()
                return 0.0
            if look.begun:
                self.teller.wake()
        if look.more:
            return 0.0
        return IDLE if look.wake is None else min(IDLE, look.wake - time.time())
