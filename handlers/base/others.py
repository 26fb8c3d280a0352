"""The other processes that serve the same database."""

import time
from typing import Any

from tornado.ioloop import IOLoop

from database import EVENT, Ear


class Others:
    """Hears what other processes on the same database store and announce."""

    def __init__(self, app: Any):
        self._app = app
        app.announced[EVENT] = lambda _: app.look_for_events(time.monotonic())
        self._ear = Ear(app.database, app.hear, self._missed)

    def start(self) -> None:
        """Listens from now on."""
        self._ear.start(IOLoop.current())

    def _missed(self) -> None:
        self._app.database.close()  # whatever cut the one line may have cut this one
        for topic in self._app.announced:
            self._app.hear(topic, None)

    async def close(self) -> None:
        """Listens no more."""
        await self._ear.close()
