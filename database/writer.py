"""The one writer: it commits all jobs that wait in one transaction."""

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

from database.kinds import AWAY, cause, is_shared, undoable

BATCH = 500
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Overloaded(Exception):
    """The queue is full; the job was not taken."""


UNANSWERED = (*AWAY, Overloaded)  # raised if the database is away or busy
Outcome = tuple[Any, Exception | None]


class _Job(NamedTuple):
    work: Any  # an alert, or a function
    future: asyncio.Future


class Writer:
    """A thread that owns the only writing connection and commits all jobs that wait together.

    A job is an alert (a mapping) or a function. Alerts that follow each other in the queue go to
    `receive` as one list; it returns a list with one result for each. A function is called without
    arguments. If a job raises, only its own changes are undone; if a list of alerts fails, each of
    its alerts is tried alone. If the commit fails, all callers get the error. A caller is answered
    after the commit, so a job must only read and write the database.
    """

    def __init__(
        self,
        database: peewee.Database,
        receive: Callable[[list], list],
        limit: int = 2000,
    ):
        self.commits = 0
        self.batches = Histogram(
            "pairs_writer_batch_size", "Writes committed together.", buckets=_SIZES, registry=None
        )
        self.waiting = 0  # jobs that wait or are being written
        self._database = database
        self._receive = receive
        self._limit = limit
        # Called on the event loop once the futures are done, before their callers go on, also
        # after a commit that failed. Its argument is when the batch ended, on the monotonic clock.
        self.then: Callable[[float], None] = lambda committed: None
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="writer")

    def start(self) -> None:
        """Starts the thread; call it on the event loop that will await the results."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def submit(self, job: Any) -> asyncio.Future:
        """Queues a job. The future gets its result or error after the commit. Raises Overloaded."""
        if self.waiting >= self._limit:
            raise Overloaded
        self.waiting += 1
        future = self._loop.create_future()
        self._queue.put(_Job(job, future))
        return future

    async def close(self) -> None:
        """Waits until all jobs are written, and ends the thread."""
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._take()
            if batch:
                outcomes = self._commit(batch)
                self._loop.call_soon_threadsafe(self._deliver, batch, outcomes, time.monotonic())
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
        """Runs the jobs in one transaction; returns (result, error) of each.

        If the transaction fails, its error is the outcome of every job, so all callers get it.
        """
        only_alerts = not any(callable(job.work) for job in batch)
        try:
            return self._transact(batch, only_alerts)
        except Exception as error:  # noqa: BLE001
            if isinstance(error, peewee.PeeweeException):
                with contextlib.suppress(peewee.PeeweeException):
                    self._database.close()  # the next batch starts on a new connection
            if only_alerts and len(batch) > 1 and not isinstance(error, AWAY):
                return [outcome for job in batch for outcome in self._commit([job])]
            return [(None, cause(error))] * len(batch)

    def _transact(self, batch: list[_Job], only_alerts: bool) -> list[Outcome]:
        with contextlib.ExitStack() as transaction:
            self._begin(transaction)
            if only_alerts:  # no savepoint: if it fails, the whole transaction is undone
                results = self._receive([job.work for job in batch])
                outcomes = [(result, None) for result in results]
            else:
                outcomes = self._run_each(batch)
        self.commits += 1
        self.batches.observe(len(batch))
        return outcomes

    def _begin(self, transaction: contextlib.ExitStack) -> None:
        """Begins the transaction, on a new connection if the old one broke since the last batch.

        Only the begin is tried twice, because nothing of this batch was sent yet. A later error may
        mean that everything was committed and only the answer was lost. Then the callers get an
        error; an alert that is sent again is recognized by its `alert_id`.
        """
        fresh = self._database.connect(reuse_if_open=True)
        try:
            transaction.enter_context(self._database.atomic())
        except AWAY:
            if fresh or not (is_shared(self._database) and self._database.lost()):
                raise
            self._database.close()
            transaction.enter_context(self._database.atomic())

    def _run_each(self, batch: list[_Job]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for is_function, jobs in itertools.groupby(batch, key=lambda job: callable(job.work)):
            if is_function:
                outcomes += [self._attempt(job.work) for job in jobs]
            else:
                outcomes += self._receive_all([job.work for job in jobs])
        return outcomes

    def _receive_all(self, alerts: list[Any]) -> list[Outcome]:
        results, error = self._attempt(lambda: self._receive(alerts))
        if error is None:
            return [(result, None) for result in results]
        if len(alerts) == 1:
            return [(None, error)]
        return [outcome for alert in alerts for outcome in self._receive_all([alert])]

    def _attempt(self, work: Callable[[], Any]) -> Outcome:
        """(result, error) of the work; its changes are undone if it raises."""
        try:
            with undoable(self._database):
                return work(), None
        except Exception as error:  # noqa: BLE001
            if not self._database.still_writes():
                raise
            return None, error

    def _deliver(self, batch: list[_Job], outcomes: list[Outcome], committed: float) -> None:
        self.waiting -= len(batch)
        for job, (result, error) in zip(batch, outcomes, strict=True):
            if job.future.done():
                continue
            if error is not None:
                job.future.set_exception(error)
                job.future.exception()  # no warning if the caller no longer waits
            else:
                job.future.set_result(result)
        self.then(committed)
