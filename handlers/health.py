"""Health checks: whether the process answers, and whether it can work."""

import asyncio
import logging
import time
from typing import Any

import peewee

from database.opening import steps
from database.writer import Overloaded
from handlers.base import BaseHandler
from handlers.contract import Right, right
from services.health import try_to_write

PATIENCE = 2.0  # seconds that a check of the database may take
KEPT = 1.0  # seconds that the answer of a check is kept

log = logging.getLogger("pairs")


class Alive(BaseHandler):
    """/healthz: the process answers."""

    def prepare(self) -> None:
        """Opens no connection to the database, which may be what is broken."""
        if self.verb != "get":
            super().prepare()

    @right(Right.OPEN)
    async def get(self) -> None:
        self.reply({"status": "alive"})


class Ready(Alive):
    """/readyz: the database can be written and has all tables of this release."""

    @right(Right.OPEN)
    async def get(self) -> None:
        if problem := await self.application.readiness.problem():
            self.reply({"message": problem}, 503)
        else:
            self.reply({"status": "ready"})


class Readiness:
    """Whether the database can be written: checked at most once a second for all who ask."""

    def __init__(self, application: Any):
        self._application = application
        self._asked = -KEPT
        self._answer: asyncio.Future | None = None

    async def problem(self) -> str | None:
        """Why the server cannot work, None if it can."""
        if self._application.draining:
            return "the server is stopping"
        now = time.monotonic()
        if self._answer is None or (self._answer.done() and now - self._asked > KEPT):
            self._asked = now
            self._answer = asyncio.ensure_future(self._ask())
        # One caller may hang up while others still wait for the same answer.
        return await asyncio.shield(self._answer)

    async def _ask(self) -> str | None:
        application = self._application
        try:
            async with asyncio.timeout(PATIENCE):
                # In a transaction of the writer, with whatever else waits there.
                await asyncio.shield(application.writer.submit(try_to_write))
                _, lacking = await application.reader.run(steps, application.database)
        except TimeoutError:
            return "the database takes too long to be written"
        except Overloaded:
            return "too much is waiting to be stored"
        except peewee.PeeweeException as error:
            log.warning("not ready: %s", error)
            return "the database cannot be written"
        return f"the database lacks {', '.join(lacking)}" if lacking else None


routes = [
    (r"/healthz", Alive),
    (r"/readyz", Ready),
]
