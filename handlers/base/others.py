"""The other processes that serve the same database."""

from functools import partial
from typing import Any

from tornado.ioloop import IOLoop

from database import EVENT, UNANSWERED, Ear, Reader
from handlers.base.frames import frames_after
from live import Follower


class Others:
    """What other processes on the same database store and announce."""

    def __init__(self, app: Any):
        self._app = app
        self._reader = Reader(app.database)
        read = partial(self._reader.run, frames_after)
        self.follower = Follower(app.hub, read, UNANSWERED)
        app.announced[EVENT] = self._stored
        self._ear = Ear(app.database, app.hear, self._missed)

    def _stored(self, text: str | None) -> None:
        self.follower.reach(text and int(text))
        self._app.watchman.wake()

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
        self.follower.close()
        self._reader.close()
