"""Several server processes on one PostgreSQL, and clients that act as browsers and senders."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from bench.processes import clean_environment, server
from tests.conftest import PATIENCE, Api, alert


class Servers:
    """Processes that serve the same database, each on a port of its own."""

    def __init__(self, url, folder, count, **settings):
        more = {f"PAIRS_{name.upper()}": str(value) for name, value in settings.items()}
        self._environment = clean_environment(**more)
        self._url, self._folder = url, folder
        with ThreadPoolExecutor(count) as pool:  # all start at the same time
            started = pool.map(self._start, [0] * count, range(count))
            self._processes = {process.port: process for process in started}
        self.ports = [*self._processes]

    def _start(self, port, number):
        log = self._folder / f"{number}.log"
        return server(self._url, "--port", str(port), environment=self._environment, log=log)

    @property
    def start_seconds(self):
        """The seconds that the slowest process took to start: how fast this machine is now."""
        return max(process.start_seconds for process in self._processes.values())

    def restart(self, port, number):
        """Ends the process on this port with a signal, and starts another one there."""
        self.stop(port, number)
        self.start(port)

    def stop(self, port, number):
        """Ends the process on this port with a signal; returns its exit code."""
        return self._processes[port].end(number)

    def start(self, port):
        """Starts a process on the port of one that was ended. Raises RuntimeError."""
        self._processes[port] = self._start(port, self.ports.index(port))

    def end(self):
        """Ends all processes; returns their exit codes."""
        return [process.end() for process in self._processes.values()]

    def logs(self):
        """The text of all logs."""
        return "".join(process.log.read_text() for process in self._processes.values())


def apis(ports):
    """A client for each server."""
    client = AsyncHTTPClient(force_instance=True)
    return [Api(client, f"http://127.0.0.1:{port}") for port in ports]


class Browser:
    """Listens to a server, connects again after the last event it saw, and notes all event ids."""

    def __init__(self, port, token=None):
        self.events = []
        self.close_code = None
        self.hello = None
        self._after = None
        self._url = f"ws://127.0.0.1:{port}/ws/signals"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._changed = asyncio.Condition()

    async def connect(self, after=None):
        """Opens and returns a websocket. Raises OSError or HTTPClientError."""
        url = self._url if after is None else f"{self._url}?after={after}"
        socket = await websocket_connect(HTTPRequest(url, headers=self._headers))
        self.hello = orjson.loads(await asyncio.wait_for(socket.read_message(), PATIENCE))
        self._after = self.hello["event"] if after is None else after
        return socket

    async def listen(self, socket):
        """Notes events until the server closes the socket."""
        while (text := await socket.read_message()) is not None:
            message = orjson.loads(text)
            assert message["type"] != "resync"
            if "event" not in message:
                continue  # the bridge has polled: a message, but no event
            self._after = message["event"]
            async with self._changed:
                self.events.append(message["event"])
                self._changed.notify_all()
        self.close_code = socket.close_code

    async def stay(self, socket):
        """Listens for ever; connects again each time that the server was gone."""
        while True:
            await self.listen(socket)
            socket = None
            while socket is None:
                try:
                    socket = await self.connect(self._after)
                except (OSError, HTTPClientError):
                    await asyncio.sleep(0.05)

    async def until(self, event):
        """Waits until this event has come."""
        async with self._changed:
            reached = self._changed.wait_for(lambda: self.events and self.events[-1] >= event)
            await asyncio.wait_for(reached, PATIENCE)


class Senders:
    """Send alerts, each with its own id, until they are told to stop.

    An alert that was not stored is sent again, to the same or to another server.
    """

    def __init__(self, clients, senders=8):
        self.answers = []
        self.count = 0  # alerts that were sent at least once
        self._clients = itertools.cycle(clients)
        self._stopped = False
        self._reached = asyncio.Condition()
        self._sending = asyncio.gather(*(self._send() for _ in range(senders)))

    async def stop(self):
        """Stops, and waits until all alerts are stored."""
        self._stopped = True
        await self._sending

    async def _send(self):
        while not self._stopped:
            alert_id, status = f"alert {self.count}", 0
            self.count += 1
            while status not in (200, 201):
                status = await self._try(next(self._clients), alert_id)

    async def _try(self, api, alert_id):
        try:
            answer = await api.alert(ticker="AAPL", alert_id=alert_id, order_comment=alert_id)
        except (OSError, HTTPClientError):
            await asyncio.sleep(0.05)
            return 0
        assert answer.status in (200, 201, 503), answer.text
        async with self._reached:
            self.answers.append((answer.status, alert_id, answer.json.get("rowid")))
            self._reached.notify_all()
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) >= 1
            await asyncio.sleep(0.1)
        return answer.status

    async def until(self, more):
        """Waits until `more` further alerts are answered."""
        goal = len(self.answers) + more
        async with self._reached:
            await self._reached.wait_for(lambda: len(self.answers) >= goal)

    def check(self, signals):
        """Fails unless every alert is stored once, with the rowid of its answer."""
        stored = {signal["rowid"]: signal["order_comment"] for signal in signals}
        comments = sorted(stored.values())
        assert comments == sorted(f"alert {number}" for number in range(self.count))
        taken = [each for each in self.answers if each[0] != 503]
        assert all(stored[rowid] == alert_id for _, alert_id, rowid in taken)
        assert len(taken) == self.count


def body(**fields):
    """The body of an alert of a registered stock."""
    return alert(**{"ticker": "AAPL"} | fields)
