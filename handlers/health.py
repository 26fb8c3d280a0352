"""For those who watch the server: is it alive, and can it work."""

import asyncio
import logging
import time
from typing import Any

import peewee

from database import Overloaded, steps
from handlers.base import BaseHandler, Right, right
from models.health import try_to_write

PATIENCE = 2.0  # seconds for the writer to come round
KEPT = 1.0  # seconds that an answer about the storage holds

log = logging.getLogger("pairs")


class Alive(BaseHandler):
    """/healthz: the process answers."""

    def prepare(self) -> None:
        """Touches no database, which may be what is broken."""
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
    """Whether the storage can be written, asked once a second however many want to know."""

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
        # Who asked may hang up; the others still want to know.
        return await asyncio.shield(self._answer)

    async def _ask(self) -> str | None:
        application = self._application
        try:
            async with asyncio.timeout(PATIENCE):
                # In the writer's own transaction, beside whatever waits there.
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
