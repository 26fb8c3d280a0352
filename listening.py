"""Sockets that listen, bound here or inherited, and kept open across a restart."""

import contextlib
import os
import signal
import socket
import sys
import time
import weakref
from typing import NoReturn

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import Application

OWN_FILES = 32  # database, logs, sockets that listen
BACKLOG = 1024  # connections that may wait while the server starts again
UNHEARD = 0.3  # seconds in which a new connection's request is expected
HURRY = 1  # seconds for a body to arrive where there is no room for another connection
MOST_QUIET = 75  # seconds without a request, after which a connection is closed
RESTART = getattr(signal, "SIGUSR2", None)  # not on Windows


def open_sockets(host: str, port: int, inherited: list[int]) -> list[socket.socket]:
    """The sockets to listen on: those inherited as file descriptors, else new ones; OSError."""
    if not inherited:
        return bind_sockets(port, host, backlog=BACKLOG)
    sockets = [socket.socket(fileno=number) for number in inherited]
    for each in sockets:
        each.listen(BACKLOG)
        # All processes that hold the socket share this flag; none may set it back.
        each.setblocking(False)
    return sockets


def start_anew(sockets: list[socket.socket]) -> NoReturn:
    """Replaces this process by a new one of the same program, which listens on the same sockets.

    The sockets stay open: a client that connects meanwhile waits in the backlog.
    """
    for each in sockets:
        each.set_inheritable(True)
    numbers = ",".join(str(each.fileno()) for each in sockets)
    # A second signal must not end the new program before it handles signals.
    signal.signal(RESTART, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # the log's disk is full
        sys.stdout.flush()
        sys.stderr.flush()
    command = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, command, os.environ | {"PAIRS_LISTEN_FDS": numbers})  # noqa: S606


def most_connections() -> int:
    """How many connections may be open: the system's limit, less the files that we need."""
    try:
        import resource
    except ImportError:  # Windows
        return 450
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return max(most, OWN_FILES + 1) - OWN_FILES


class BoundedServer(HTTPServer):
    """Where too many connections are open, a new one takes the place of one that asks nothing.

    Else accepting it would fail in a loop. The application sets a stream's `quiet_since` to None
    while it has a request of it in hand; its `hang_up_on_stalled` ends those that do not arrive.
    """

    def __init__(self, app: Application, **options):
        super().__init__(app, **options)
        # Tornado's way costs a timer and a task for every request: see `hang_up_on_quiet`.
        self.conn_params.header_timeout = None
        self._app = app
        self._most = most_connections()
        self._streams: weakref.WeakSet[IOStream] = weakref.WeakSet()

    def handle_stream(self, stream: IOStream, address: tuple) -> None:
        stream.accepted = stream.quiet_since = time.monotonic()
        if len(self._streams) >= self._most and not self._has_room():
            stream.close()
            return
        self._streams.add(stream)
        # Once for the whole connection; Tornado would set and undo it with every answer.
        stream.set_nodelay(True)
        stream.set_nodelay = bool  # it takes the call and does nothing
        super().handle_stream(stream, address)

    def _has_room(self) -> bool:
        """Whether one more may be open; closes the tenth that has asked nothing for longest.

        If all have asked something, it closes those whose body does not arrive.
        """
        opened = self._open()
        if len(opened) < self._most:
            return True
        quiet = [each for each in opened if each.quiet_since is not None and not each.writing()]
        quiet.sort(key=lambda stream: stream.quiet_since)
        for each in quiet[: len(quiet) // 10 + 1]:  # several, because looking reads them all
            each.close()
        if not quiet:
            self._app.hang_up_on_stalled(HURRY)
        return len(self._open()) < self._most

    def _open(self) -> list[IOStream]:
        return [stream for stream in self._streams if not stream.closed()]

    def unheard(self) -> int:
        """How many connections are so new that their first request may still be on its way."""
        since = time.monotonic() - UNHEARD
        return sum(
            stream.accepted > since and stream.quiet_since == stream.accepted
            for stream in self._open()
        )

    def hang_up_on_quiet(self, longest: float = MOST_QUIET) -> None:
        """Closes the connections that have not asked anything for longer than these seconds."""
        since = time.monotonic() - longest
        for stream in self._open():
            asks_nothing = stream.quiet_since is not None and stream.quiet_since < since
            if asks_nothing and not stream.writing():  # it may still take its last answer
                stream.close()

    def hang_up(self) -> None:
        """Closes all connections in one step; no request can come in between."""
        for stream in self._open():
            stream.close()
