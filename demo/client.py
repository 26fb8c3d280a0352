"""A small HTTP client: one connection for each call, as the bridge does it."""

import base64
import http.client
import json
from collections import Counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_CLASSES = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
PASSPHRASE = "webhook"  # a demo server's
_PATIENCE = 30  # seconds for an answer


class Unreachable(Exception):
    """The server cannot be reached, or its answer broke off."""


class Answer(NamedTuple):
    """A status, and the JSON object of the body (empty where there is none)."""

    status: int
    json: dict[str, Any]


class Client:
    """Calls one server; counts what it answered by status."""

    def __init__(self, url: str, key: str = ""):
        parts = urlsplit(url)
        self._open, self._host, self._port = _CLASSES[parts.scheme], parts.hostname, parts.port
        self._base = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if key:
            basic = base64.b64encode(f"bridge:{key}".encode()).decode()
            self._headers["Authorization"] = f"Basic {basic}"
        self.statuses: Counter[int] = Counter()

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """One request; text is sent as it is, the rest as JSON. Raises Unreachable."""
        headers = self._headers | ({"Authorization": f"Bearer {token}"} if token else {})
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        line = self._open(self._host, self._port, timeout=_PATIENCE)
        try:
            line.request(method, self._base + path, text and text.encode(), headers)
            answer = line.getresponse()
            answered = answer.read()
        except (OSError, http.client.HTTPException) as broken:
            raise Unreachable(str(broken) or type(broken).__name__) from broken
        finally:
            line.close()
        self.statuses[answer.status] += 1
        return Answer(answer.status, _object(answered))

    def get(self, path: str, token: str = "") -> Answer:
        """A GET."""
        return self.call("GET", path, token=token)

    def post(self, path: str, body: Any, token: str = "") -> Answer:
        """A POST."""
        return self.call("POST", path, body, token)

    def put(self, path: str, body: Any) -> Answer:
        """A PUT."""
        return self.call("PUT", path, body)


def is_address(url: str) -> bool:
    """Whether a client can be made for it."""
    try:
        parts = urlsplit(url)
        return parts.scheme in _CLASSES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _object(text: bytes) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
