"""Announcements, and events that another process has stored, as one process receives them."""

import asyncio

import orjson
import pytest
from tornado.websocket import websocket_connect

from database.feed import CHUNK
from database.opening import announce
from models import EventRow
from services import registry, signals
from tests.conftest import ON_POSTGRESQL, PATIENCE
from tests.receiving import receive_one

pytestmark = pytest.mark.gen_test(timeout=60)


@pytest.fixture
def heard(app):
    """A queue with the texts that the application receives for the topic `test`."""
    queue = asyncio.Queue()
    app.announced["test"] = queue.put_nowait
    return queue


@pytest.fixture
def soon(app, storage, heard):
    """The next text; on PostgreSQL the connect may come first, which gives None."""

    async def next_text():
        text = await asyncio.wait_for(heard.get(), PATIENCE)
        while text is None:
            text = await asyncio.wait_for(heard.get(), PATIENCE)
        return text

    return next_text


async def listening(app, storage, heard):
    """Waits until this process receives what others announce."""
    if storage.name == "postgresql":
        assert await asyncio.wait_for(heard.get(), PATIENCE) is None


async def test_what_is_announced_is_heard_after_the_commit(app, storage, heard, soon):
    await listening(app, storage, heard)

    def tell():
        announce("test", "one é")
        announce("unknown", "to nobody")
        announce("test")

    await app.writer.submit(tell)
    assert [await soon(), await soon()] == ["one é", ""]


async def test_what_was_rolled_back_is_not_announced(app, storage, heard, soon):
    await listening(app, storage, heard)

    def fail():
        announce("test", "never")
        raise KeyError

    with pytest.raises(KeyError):
        await app.writer.submit(fail)
    await app.writer.submit(lambda: announce("test", "next"))
    assert await soon() == "next"


async def test_a_text_that_is_too_long_fails_alone(app, storage, heard, soon):
    await listening(app, storage, heard)
    jobs = (lambda: announce("test", "é" * 2500), lambda: announce("test", "short"))
    long, short = await asyncio.gather(*map(app.writer.submit, jobs), return_exceptions=True)
    assert (type(long), short) == (ValueError, None)
    assert await soon() == "short"


@ON_POSTGRESQL
async def test_a_line_that_was_cut_says_that_something_may_be_missed(
    app, storage, heard, soon, database_url
):
    await listening(app, storage, heard)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    cursor = storage.outside(database_url).cursor()
    cursor.execute(cut)
    assert await asyncio.wait_for(heard.get(), PATIENCE) is None
    await app.writer.submit(lambda: announce("test", "back"))
    assert await soon() == "back"


class Socket:
    """A websocket client that notes the ids and records of events."""

    async def connect(self, api):
        self._line = await websocket_connect(api.base_url.replace("http", "ws") + "/ws/signals")
        self.hello = orjson.loads(await self._line.read_message())
        return self

    async def take(self, count):
        """The next messages."""
        read = self._line.read_message
        return [orjson.loads(await asyncio.wait_for(read(), PATIENCE)) for _ in range(count)]


def store_elsewhere(count):
    """A job that stores events as another process would: this process is not told of them."""

    def work():
        registry.put_stock({"symbol": "AAPL", "active": 1}, "x")
        for _ in range(count - 2):
            receive_one(
                {"ticker": "AAPL", "order_action": "buy", "order_contracts": 1.0}, "webhook"
            )
        signals.revise(1, {"order_comment": ("last",)}, "x", bypass=False, owner=True)

    return work


@ON_POSTGRESQL
async def test_more_events_than_are_read_at_once_come_in_order_as_they_were(app, api):
    socket = await Socket().connect(api)
    count = 2 * CHUNK + 100
    await app.writer.submit(store_elsewhere(count))
    messages = await socket.take(count)
    assert [each["event"] for each in messages] == list(range(1, count + 1))
    assert messages[1]["signal"]["order_comment"] is None
    assert messages[-1]["signal"]["order_comment"] == "last"


@ON_POSTGRESQL
async def test_whoever_begins_to_listen_is_told_the_last_event_of_all_processes(app, api):
    await app.writer.submit(store_elsewhere(10))
    socket = await Socket().connect(api)
    assert socket.hello["event"] == EventRow.last_id() == 10
    await app.writer.submit(store_elsewhere(5))  # the stock and the comment are there already
    assert [each["event"] for each in await socket.take(3)] == [11, 12, 13]
