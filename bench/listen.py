"""Websocket clients in a process of their own; a few of them read, the rest only receive.

Reads {"port", "clients"} from stdin and prints `ready`; then reads how many alerts were sent, and
prints {"readers", "latencies"} once all of them have come, or do not come.
"""

import asyncio
import base64
import json
import os
import re
import sys
import time

READERS = 20  # clients whose messages are read; parsing all would measure this process
PATIENCE = 10.0  # seconds for what is under way
LOOK = 0.05
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
    """Connects, says so, listens until all has come, prints what was read."""
    asked = json.loads(sys.stdin.readline())
    loop, latencies, readers = asyncio.get_running_loop(), [], 0
    for number in range(asked["clients"]):
        opened = loop.create_future()
        reads = number % max(1, asked["clients"] // READERS) == 0
        readers += reads
        await loop.create_connection(
            lambda opened=opened, reads=reads: Client(
                asked["port"], latencies if reads else None, opened
            ),
            "127.0.0.1",
            asked["port"],
        )
        if not await opened:
            raise RuntimeError("the websocket was refused")
    print("ready", flush=True)
    sent = int(await asyncio.to_thread(sys.stdin.readline))
    for _ in range(int(PATIENCE / LOOK)):
        if len(latencies) >= readers * sent:
            break
        await asyncio.sleep(LOOK)
    print(json.dumps({"readers": readers, "latencies": latencies}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
