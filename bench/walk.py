"""Lists our functions that one alert and one fill enter, from the first byte to the last socket.

`python -m bench.walk` prints file, function and thread, in the order of the calls. A comprehension
counts as a part of its function. Each call is made a few times first, so that caches are filled.
"""

import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bench.load import ALERT
from bench.processes import ROOT
from listening import BoundedServer
from server import open_application
from settings import DEMO_PASSWORD, load

WARM = 3  # calls that are made before the counted one
FILL = {"passphrase": ALERT["passphrase"], "order_id": 1010, "symbol": "NMFC", "price": 12.5}

Entered = dict[tuple[str, str], str]  # {(file, function): thread}


class Profiler:
    """Notes the functions of this project that any thread enters while it is on."""

    def __init__(self):
        self.on = False
        self.entered: Entered = {}
        threading.setprofile(self.note)
        sys.setprofile(self.note)

    def note(self, frame: Any, event: str, _: Any) -> None:
        """Notes a function; Python calls this at each call and return."""
        code = frame.f_code
        if not self.on or event != "call" or code.co_name.endswith(("comp>", "genexpr>")):
            return
        path = code.co_filename.removeprefix(f"{ROOT}/")
        if path != code.co_filename and not path.startswith((".venv", "bench")):
            name = (path, code.co_qualname)
            self.entered.setdefault(name, threading.current_thread().name)


class Desk:
    """A client of the server with an open websocket."""

    def __init__(self, port: int):
        self._address = f"http://127.0.0.1:{port}"
        self._client = AsyncHTTPClient()
        self._headers: dict[str, str] = {}
        self._socket: WebSocketClientConnection | None = None

    async def send(self, method: str, path: str, body: dict) -> dict:
        """Sends a request and returns the JSON of the answer."""
        sent = {"method": method, "headers": self._headers, "body": json.dumps(body)}
        return json.loads((await self._client.fetch(self._address + path, **sent)).body)

    async def prepare(self) -> None:
        """Registers the pair of the alert and opens the websocket."""
        login = {"username": "admin", "password": DEMO_PASSWORD}
        token = (await self.send("POST", "/v3/login", login))["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        pair = {"ticker1": "NMFC", "ticker2": "ROIC", "hedge": 0.72, "status": 1}
        await self.send("POST", "/v3/regpair", pair)
        self._headers = {}
        address = self._address.replace("http", "ws")
        self._socket = await websocket_connect(f"{address}/ws/signals")
        await self._socket.read_message()

    async def told(self, method: str, path: str, body: dict) -> dict:
        """Does the same as `send`, and waits until the websocket has received the change."""
        answer = await self.send(method, path, body)
        await self._socket.read_message()
        return answer


async def walk() -> dict[str, Entered]:
    """The functions that an alert and a fill enter, by the name of the call."""
    profiler = Profiler()
    with tempfile.TemporaryDirectory() as place:
        conf = load({"database": f"sqlite:///{place}/walk.db", "log_level": "error"}, {})
        application = open_application(conf)
        application.start()
        server, (socket, port) = BoundedServer(application), bind_unused_port()
        server.add_socket(socket)
        desk = Desk(port)
        await desk.prepare()

        async def count(call: Callable[[int], Awaitable[dict]]) -> Entered:
            for number in range(WARM):
                await call(number)
            profiler.entered, profiler.on = {}, True
            await call(WARM)
            profiler.on = False
            return profiler.entered

        alert = await count(lambda _: desk.told("POST", "/v3/webhook", ALERT))
        placed = {"passphrase": ALERT["passphrase"], "rowid": WARM + 1, "order_id1": 1010}
        await desk.told("PUT", "/v3/webhook", placed | {"order_status": "created"})
        path = "/v3/signal/updateorder"
        fill = await count(lambda n: desk.told("PUT", path, FILL | {"filled_qty": n + 1}))
        server.stop()
        await application.close()
    return {"alert": alert, "fill": fill}


def main() -> None:
    """Prints the functions of each call."""
    for name, entered in asyncio.run(walk()).items():
        files = {path for path, _ in entered}
        print(f"{name}: {len(entered)} functions in {len(files)} files")
        for (path, function), thread in entered.items():
            print(f"    {path:24} {function:48} {thread}")


if __name__ == "__main__":
    main()
