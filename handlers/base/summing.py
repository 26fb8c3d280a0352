"""When old signals are summed up."""

import asyncio
import contextlib
import logging

import models
from database import Overloaded, Writer
from limits import Rarely

log = logging.getLogger("pairs")


class Summing:
    """Sums up block after block in the writer, once somebody has asked for sums or for a text.

    Each block is a job of its own, so alerts get their turn in between. Nobody waits for it, and
    nothing fails with it: what is not summed up is read, and whoever asks next begins anew.
    """

    def __init__(self, writer: Writer):
        self._writer = writer
        self._rarely = Rarely(60)
        self._runs = False

    def wake(self) -> None:
        """Begins, unless that is going on or was done within the last minute."""
        if not self._runs and self._rarely.due("summing"):
            self._go_on()

    def _go_on(self) -> None:
        with contextlib.suppress(Overloaded):
            self._writer.submit(models.summarise).add_done_callback(self._made)
            self._runs = True

    def _made(self, done: asyncio.Future) -> None:
        self._runs = False
        if done.cancelled():
            return
        if error := done.exception():
            log.warning("old signals were not summed up: %s", error)
        elif done.result():
            self._go_on()
