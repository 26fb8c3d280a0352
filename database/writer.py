"""The one writer: whatever waits is committed together."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import peewee

from database.kinds import is_shared
from database.shared import AWAY, Entangled, cause
from tally import Histogram

BATCH = 500
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Overloaded(Exception):
    """More waits than the queue holds; nothing was taken in."""


UNANSWERED = (*AWAY, Overloaded)  # what to expect of a database that is away or busy


class _Job(NamedTuple):
    work: Callable[[], Any]
    future: asyncio.Future
    asks: Any


class Writer:
    """One thread that owns the writing connection and commits whatever waits together.

    A function handed to it runs inside a transaction with its neighbours; its caller is answered
    after the commit. A function that raises fails alone: where what it wrote cannot be told from
    its neighbours', or was sent with the commit only, all is rolled back, and all of them run once
    more, each with a savepoint. So it must do nothing but read and write the database. A commit
    that fails raises in all of them.

    `foresee` is called before a batch's transaction begins with what its jobs are going to ask for,
    so that one question answers them all.
    """

    def __init__(
        self,
        database: peewee.Database,
        limit: int = 2000,
        foresee: Callable[[list], None] | None = None,
    ):
        self.commits = 0
        self.batches = Histogram(_SIZES)
        self.committed = 0.0  # when the newest batch was, on the monotonic clock
        self._database = database
        self._foresee = foresee
        self._limit = limit
        self._waiting = 0
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="writer")

    def start(self) -> None:
        """Starts the thread; call it on the event loop that will await the results."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many wait or are being written."""
        return self._waiting

    def submit(self, work: Callable[[], Any], asks: Any = None) -> asyncio.Future:
        """A future of what the function returns, done once it is on disk; raises Overloaded.

        `asks` is what `foresee` is told of it.
        """
        if self._waiting >= self._limit:
            raise Overloaded
        self._waiting += 1
        future = self._loop.create_future()
        self._queue.put(_Job(work, future, asks))
        return future

    async def close(self) -> None:
        """Writes all that waits, then ends the thread."""
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._take()
            if batch:
                outcomes = self._commit(batch)
                self._loop.call_soon_threadsafe(self._deliver, batch, outcomes)
        self._database.close()

    def _take(self) -> tuple[list[_Job], bool]:
        batch, job = [], self._queue.get()
        while job is not None:
            batch.append(job)
            if len(batch) == BATCH or self._queue.empty():
                return batch, False
            job = self._queue.get()
        return batch, True

    def _commit(self, batch: list[_Job]) -> list[tuple[Any, Exception | None]]:
        # Whatever a job or the commit raises goes to the callers: nothing is swallowed here.
        try:
            with contextlib.suppress(Entangled):
                return self._transact(batch)
            return self._transact(batch, alone=True)
        except Exception as error:  # noqa: BLE001
            if isinstance(error, peewee.PeeweeException):
                with contextlib.suppress(peewee.PeeweeException):
                    self._database.close()  # the next batch starts on a new connection
            return [(None, cause(error))] * len(batch)

    def _transact(
        self, batch: list[_Job], alone: bool = False
    ) -> list[tuple[Any, Exception | None]]:
        with contextlib.ExitStack() as transaction:
            self._begin(transaction, [] if alone else [job.asks for job in batch if job.asks])
            if len(batch) == 1:
                if is_shared(self._database):
                    self._database.together = not alone
                outcomes = [(batch[0].work(), None)]
            else:
                outcomes = [self._attempt(job.work, alone) for job in batch]
        self.commits += 1
        self.committed = time.monotonic()
        self.batches.observe(len(batch))
        return outcomes

    def _begin(self, transaction: contextlib.ExitStack, asks: list) -> None:
        """Begins, on a new connection where the old one broke since the last batch.

        That is the one thing that is tried again, for nothing of this batch has been sent yet.
        Beyond it an error may mean that all was committed and only the answer was lost: the callers
        are told that it failed, and an alert that is repeated is known by its `alert_id`.
        """
        fresh = self._database.connect(reuse_if_open=True)
        try:
            self._enter(transaction, asks)
        except AWAY:
            if fresh or not (is_shared(self._database) and self._database.lost()):
                raise
            self._database.close()
            self._enter(transaction, asks)

    def _enter(self, transaction: contextlib.ExitStack, asks: list) -> None:
        if asks and self._foresee:
            self._foresee(asks)
        transaction.enter_context(self._database.atomic())

    def _attempt(self, work: Callable[[], Any], alone: bool) -> tuple[Any, Exception | None]:
        self._database.begin_job(alone)
        try:
            result = work()
        except Entangled:
            raise
        except Exception as error:  # noqa: BLE001
            self._database.undo_job()
            return None, error
        self._database.keep_job()
        return result, None

    def _deliver(self, batch: list[_Job], outcomes: list[tuple[Any, Exception | None]]) -> None:
        self._waiting -= len(batch)
        for job, (result, error) in zip(batch, outcomes, strict=True):
            if job.future.done():
                continue
            if error is not None:
                job.future.set_exception(error)
                job.future.exception()  # seen: whoever waited may have given up meanwhile
            else:
                job.future.set_result(result)
