"""Requests as they arrive, before a handler is found: their address, and bodies of any length."""

import re
from collections.abc import Awaitable

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest

from handlers.base import MOST_BODY

MOST_DROPPED = 256 * 1024 * 1024  # bytes that are read before a longer body is answered
_ENDLESS = 2**62
_SITE = re.compile(r"https?://[^/]*", re.IGNORECASE)


def take_origin_form(request: HTTPServerRequest) -> None:
    """Sets the address to a bare path, without a site before it or one slash after it."""
    path = request.path
    if not path.startswith("/"):
        path = _SITE.sub("", path, count=1) or "/"  # as it is sent to a proxy
    if path.endswith("/") and len(path) > 1:
        path = path[:-1]
    if path != request.path:
        request.path = path
        request.uri = f"{path}?{request.query}" if request.query else path


class BoundedBody(HTTPMessageDelegate):
    """Hands a body on until it is too long; the rest is read, counted and dropped.

    Tornado would close the connection instead, and most senders read no answer before they have
    sent all. A body that is too long and does not end is answered at MOST_DROPPED bytes, or by
    `give_up` (see `PairsApplication.hang_up_on_stalled`); then Tornado closes the connection.
    The request gets `size`, the bytes of its body.
    """

    def __init__(self, request: HTTPServerRequest, handler: HTTPMessageDelegate):
        self._request, self._handler = request, handler
        self._size = 0
        self.headers_received = handler.headers_received
        request.connection.set_max_body_size(_ENDLESS)

    def data_received(self, data: bytes) -> Awaitable[None] | None:
        before, self._size = self._size, self._size + len(data)
        if before <= MOST_BODY:
            if self._size > MOST_BODY:
                self._request.give_up = self._give_up
            return self._handler.data_received(data)
        if self._size > MOST_DROPPED:
            self._give_up()
        return None

    def _give_up(self) -> None:
        self._request.unread = True
        self.finish()

    def finish(self) -> None:
        if self._request.body is None:  # the handler was not called yet
            self._request.size = self._size
            self._handler.finish()

    def on_connection_close(self) -> None:
        if self._size > MOST_BODY:
            self.finish()  # nobody reads the answer, but the alert is kept as rejected
        else:
            self._handler.on_connection_close()
