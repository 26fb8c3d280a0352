"""Websocket clients in a process of their own; a few of them read, the rest only receive.

Reads {"port", "clients", "seconds"} from stdin, prints `ready`, then the latencies as JSON.
"""

import asyncio
import base64
import json
import os
import re
import sys
import time

READERS = 20  # clients whose messages are read; parsing all would measure this process
STAMP = re.compile(rb'"order_comment":"(\d+)"')


class Client(asyncio.Protocol):
    """One client; a reader notes when each alert arrives, by the stamp in its comment."""

    def __init__(self, port: int, latencies: list[float] | None, opened: asyncio.Future):
        self._port, self._latencies, self._opened = port, latencies, opened
        self._rest = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws/signals HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self._opened.done():
            self._opened.set_result(b" 101 " in data[:20])
        if self._latencies is None:
            return
        now = time.monotonic_ns()
        self._rest += data
        last = 0
        for found in STAMP.finditer(self._rest):
            self._latencies.append((now - int(found[1])) / 1e6)
            last = found.end()
        # A stamp may be cut in two; what is before the last one is done.
        self._rest = self._rest[last:][-4096:]


async def main() -> None:
    """Connects, says so, listens for the given time, prints what was read."""
    asked = json.loads(sys.stdin.readline())
    loop, latencies = asyncio.get_running_loop(), []
    for number in range(asked["clients"]):
        opened = loop.create_future()
        mine = latencies if number % max(1, asked["clients"] // READERS) == 0 else None
        await loop.create_connection(
            lambda mine=mine, opened=opened: Client(asked["port"], mine, opened),
            "127.0.0.1",
            asked["port"],
        )
        if not await opened:
            raise RuntimeError("the websocket was refused")
    print("ready", flush=True)
    await asyncio.sleep(asked["seconds"])
    print(json.dumps(latencies), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
