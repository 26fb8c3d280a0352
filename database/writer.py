"""The one writer: whatever waits is committed together."""

import asyncio
import contextlib
import itertools
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import peewee
from prometheus_client import Histogram

from database.kinds import is_shared, undoable
from database.shared import AWAY, cause

BATCH = 500
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Overloaded(Exception):
    """More waits than the queue holds; nothing was taken in."""


UNANSWERED = (*AWAY, Overloaded)  # what to expect of a database that is away or busy
Outcome = tuple[Any, Exception | None]


class _Job(NamedTuple):
    work: Callable[[], Any] | None  # None: an alert
    alert: Any
    future: asyncio.Future


class Writer:
    """One thread that owns the writing connection and commits whatever waits together.

    Alerts that wait side by side are handed to `receive` as one list; it returns a result for each.
    Any other work runs by itself. What raises is undone alone, by a savepoint; where a list fails,
    its alerts are done again one by one. A commit that fails raises in all callers. Whoever calls
    is answered after the commit, so work must do nothing but read and write the database.
    """

    def __init__(
        self,
        database: peewee.Database,
        receive: Callable[[list], list],
        limit: int = 2000,
        then: Callable[[], None] = lambda: None,
    ):
        self.commits = 0
        self.batches = Histogram(
            "pairs_writer_batch_size", "Writes committed together.", buckets=_SIZES, registry=None
        )
        self.committed = 0.0  # when the newest batch was, on the monotonic clock
        self._database = database
        self._receive = receive
        self._limit = limit
        self._then = then  # called on the event loop after each commit was answered
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

    def submit(self, work: Callable[[], Any]) -> asyncio.Future:
        """A future of what the function returns, done once it is on disk; raises Overloaded."""
        return self._put(work, None)

    def receive(self, alert: Any) -> asyncio.Future:
        """A future of what became of an alert, done once it is on disk; raises Overloaded."""
        return self._put(None, alert)

    def _put(self, work: Callable[[], Any] | None, alert: Any) -> asyncio.Future:
        if self._waiting >= self._limit:
            raise Overloaded
        self._waiting += 1
        future = self._loop.create_future()
        self._queue.put(_Job(work, alert, future))
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

    def _commit(self, batch: list[_Job]) -> list[Outcome]:
        # Whatever the commit raises goes to the callers: nothing is swallowed here.
        try:
            return self._transact(batch)
        except Exception as error:  # noqa: BLE001
            if isinstance(error, peewee.PeeweeException):
                with contextlib.suppress(peewee.PeeweeException):
                    self._database.close()  # the next batch starts on a new connection
            return [(None, cause(error))] * len(batch)

    def _transact(self, batch: list[_Job]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        with contextlib.ExitStack() as transaction:
            self._begin(transaction)
            for lone, jobs in itertools.groupby(batch, key=lambda job: job.work):
                if lone is None:
                    outcomes += self._receive_all([job.alert for job in jobs])
                else:
                    outcomes += [self._attempt(job.work) for job in jobs]
        self.commits += 1
        self.committed = time.monotonic()
        self.batches.observe(len(batch))
        return outcomes

    def _begin(self, transaction: contextlib.ExitStack) -> None:
        """Begins, on a new connection where the old one broke since the last batch.

        That is the one thing that is tried again, for nothing of this batch has been sent yet.
        Beyond it an error may mean that all was committed and only the answer was lost: the callers
        are told that it failed, and an alert that is repeated is known by its `alert_id`.
        """
        fresh = self._database.connect(reuse_if_open=True)
        try:
            transaction.enter_context(self._database.atomic())
        except AWAY:
            if fresh or not (is_shared(self._database) and self._database.lost()):
                raise
            self._database.close()
            transaction.enter_context(self._database.atomic())

    def _receive_all(self, alerts: list[Any]) -> list[Outcome]:
        results, error = self._attempt(lambda: self._receive(alerts))
        if error is None:
            return [(result, None) for result in results]
        if len(alerts) == 1:
            return [(None, error)]
        return [outcome for alert in alerts for outcome in self._receive_all([alert])]

    def _attempt(self, work: Callable[[], Any]) -> Outcome:
        """What the work returns or raises, undone where it raises."""
        try:
            with undoable(self._database):
                return work(), None
        except Exception as error:  # noqa: BLE001
            if not self._database.still_writes():
                raise
            return None, error

    def _deliver(self, batch: list[_Job], outcomes: list[Outcome]) -> None:
        self._answer(batch, outcomes)
        self._then()

    def _answer(self, batch: list[_Job], outcomes: list[Outcome]) -> None:
        self._waiting -= len(batch)
        for job, (result, error) in zip(batch, outcomes, strict=True):
            if job.future.done():
                continue
            if error is not None:
                job.future.set_exception(error)
                job.future.exception()  # seen: whoever waited may have given up meanwhile
            else:
                job.future.set_result(result)
