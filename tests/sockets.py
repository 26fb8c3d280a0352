"""A websocket client that reads what the server tells."""

import asyncio

import orjson

from tests import documented

PATIENCE = 60  # seconds to wait; what takes longer never comes


class Client:
    """A websocket client of the server under test."""

    def __init__(self, connection):
        self.connection = connection

    async def next(self):
        """The next message that is not about alarms; None if the server has closed the socket."""
        while True:
            text = await asyncio.wait_for(self.connection.read_message(), PATIENCE)
            if text is None:
                return None
            message = orjson.loads(text)
            documented.check_message(message)
            if message["type"] != "alarms":
                return message

    async def take(self, count):
        """The next `count` messages."""
        return [await self.next() for _ in range(count)]

    async def until(self, event):
        """The messages up to the one with this event."""
        messages = [await self.next()]
        while messages[-1].get("event") != event:
            messages.append(await self.next())
        return messages

    async def closed(self):
        """Waits until the server closes the socket; returns (code, reason)."""
        while await self.next() is not None:
            pass
        return self.connection.close_code, self.connection.close_reason
