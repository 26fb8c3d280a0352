"""Events reach the listeners of a process once and in order, whichever process stored them."""

import asyncio

import peewee
from hypothesis import given, settings
from hypothesis import strategies as st

from database import feed
from database.feed import CHUNK, Feed
from handlers.live import Frame, Hub, Listener
from tests.conftest import PATIENCE, tries

STEPS = ("store", "many", "gap", "look", "turn", "away", "back", "leave", "come")


class Away(peewee.OperationalError):
    """The database cannot be reached."""


class Line:
    """Notes what is sent."""

    def __init__(self):
        self.sent, self.more = [], asyncio.Event()

    def send(self, data):
        self.sent += map(int, data.split())
        self.more.set()
        left = asyncio.get_running_loop().create_future()
        left.set_result(None)
        return left


class Process:
    """A process with listeners; other processes write to its table of events, too."""

    def __init__(self):
        self.stored, self.last, self.away = [], 0, False
        self.hub = Hub(0)
        self.feed = Feed(self.hub, lambda *about: self.read(*about), self.newest, lambda: None)
        self.lines = []  # of each listener, with the event it began after
        self.come()

    def read(self, after, most):
        if self.away:
            raise Away
        found = [event for event in self.stored if event > after][:most]
        return [Frame(event, b"%d " % event, private=False) for event in found]

    def newest(self):
        if self.away:
            raise Away
        return self.stored[-1] if self.stored else 0

    def come(self):
        """A listener begins; without listeners no event was read."""
        if not self.hub.listeners:
            self.hub.last_event = self.last
        line = Line()
        listener = Listener(line, self.hub.last_event, None, by_cookie=False)
        self.lines.append((self.hub.last_event, line))
        self.hub.listeners.add(listener)
        listener.catch_up([])

    async def do(self, step):
        """An event is stored."""
        if step in ("store", "many", "gap"):
            for _ in range(CHUNK + 1 if step == "many" else 1):
                self.last += 1
                if step != "gap":
                    self.stored.append(self.last)
        if step == "look":
            self.feed.look(0.0)
        if step in ("away", "back"):
            self.away = step == "away"
        if step == "leave":
            self.hub.listeners.clear()
            self.lines.clear()
        if step == "come":
            self.come()
        if step == "turn":
            await asyncio.sleep(0)

    async def settle(self):
        """Waits until all stored events are sent."""
        self.away = False
        self.feed.look(0.0)
        for begun, line in self.lines:
            while len(line.sent) < len([event for event in self.stored if event > begun]):
                line.more.clear()
                await line.more.wait()


@given(st.lists(st.sampled_from(STEPS), max_size=40))
@settings(max_examples=tries(200))
def test_every_event_is_heard_once_in_order_however_it_came(steps):
    async def play():
        process = Process()
        for step in steps:
            await process.do(step)
        await asyncio.wait_for(process.settle(), PATIENCE)
        for begun, line in process.lines:
            assert line.sent == [event for event in process.stored if event > begun]
        process.feed.close()

    retry, feed.RETRY = feed.RETRY, 0.0
    try:
        asyncio.run(play())
    finally:
        feed.RETRY = retry


def test_with_nobody_there_nothing_is_read():
    async def play():
        process = Process()
        await process.do("leave")
        process.read = None  # the feed would call it
        for step in ("store", "look", "store", "look"):
            await process.do(step)
        assert process.hub.last_event == 2

    asyncio.run(play())
