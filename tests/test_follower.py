"""One process's own events and those of others reach its listeners once and in their order."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from live import Follower, Frame, Hub, Listener
from tests.conftest import PATIENCE, tries

STEPS = ("own", "other", "gap", "first", "last", "hear", "turn", "unsure")


class Line:
    """Notes what is sent."""

    def __init__(self):
        self.sent, self.more = [], asyncio.Event()

    def send(self, data):
        self.sent.append(data)
        self.more.set()
        left = asyncio.get_running_loop().create_future()
        left.set_result(None)
        return left


class Process:
    """A process with one listener, beside others that store events too."""

    def __init__(self):
        self.stored, self.told, self.reads = [], [], 0
        self.last, self.line = 0, Line()
        self.hub = Hub(0)
        self.follower = Follower(self.hub, self.read, ())
        listener = Listener(self.line, 0, None, by_cookie=False)
        listener.catch_up([])
        self.hub.listeners.add(listener)

    async def read(self, after, most):
        self.reads += 1
        found = [event for event in self.stored if event > after][:most]
        await asyncio.sleep(0)
        return [frame(event) for event in found]

    def publish(self, event):
        """As the application does for what a handler has stored."""
        if self.follower.comes_next([event]):
            self.hub.publish(event, [frame(event)])
        else:
            self.follower.reach(event)

    async def do(self, step):
        """Something happens."""
        if step in ("own", "other", "gap"):
            self.last += 1
        if step in ("own", "other"):
            self.stored.append(self.last)
        if step == "own":
            self.told.append(self.last)
        if step in ("first", "last") and self.told:  # handlers go on in any order
            self.publish(self.told.pop(0 if step == "first" else -1))
        if step == "hear" and self.stored:
            self.follower.reach(self.stored[-1])
        if step == "unsure":
            self.follower.reach(None)
        if step == "turn":
            await asyncio.sleep(0)

    async def settle(self):
        """All that was stored is told and sent."""
        while self.told:
            await self.do("first")
        await self.do("hear")
        while len(b"".join(self.line.sent).split()) < len(self.stored):
            self.line.more.clear()
            await self.line.more.wait()


def frame(event):
    return Frame(event, f"{event} ".encode(), private=False)


@given(st.lists(st.sampled_from(STEPS), max_size=40))
@settings(max_examples=tries(300))
def test_every_event_is_heard_once_in_order_however_it_came(steps):
    async def play():
        process = Process()
        for step in steps:
            await process.do(step)
        await asyncio.wait_for(process.settle(), PATIENCE)
        assert b"".join(process.line.sent).split() == [b"%d" % event for event in process.stored]

    asyncio.run(play())


def test_ones_own_events_are_not_read_while_nobody_else_stores():
    async def play():
        process = Process()
        for _ in range(5):
            for step in ("own", "hear", "first", "turn", "turn"):
                await process.do(step)
        await process.settle()
        assert process.reads == 0
        for step in ("other", "own", "first"):
            await process.do(step)
        await process.settle()
        assert process.reads == 1

    asyncio.run(play())
