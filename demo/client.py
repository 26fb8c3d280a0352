"""The demo's HTTP client. Each call opens its own connection, as the bridge does."""

import base64
import http.client
import json
from collections import Counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PASSPHRASE = "webhook"  # valid at every demo server
_TIMEOUT = 30  # seconds


class Unreachable(Exception):
    """The server cannot be reached, or its answer was not complete."""


class Answer(NamedTuple):
    """The status, and the JSON object of the body; empty if the body is no object."""

    status: int
    json: dict[str, Any]


class Client:
    """Calls a server and counts its answers by status."""

    def __init__(self, url: str, key: str = ""):
        self._url = urlsplit(url)
        self._headers = {"Content-Type": "application/json"}
        if key:
            basic = base64.b64encode(f"bridge:{key}".encode()).decode()
            self._headers["Authorization"] = f"Basic {basic}"
        self.statuses: Counter[int] = Counter()

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """Sends a request. A text body is sent as it is, any other as JSON. Raises Unreachable."""
        headers = self._headers | ({"Authorization": f"Bearer {token}"} if token else {})
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        secure = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._url.hostname, self._url.port, timeout=_TIMEOUT)
        try:
            place = self._url.path.rstrip("/") + path
            connection.request(method, place, text and text.encode(), headers)
            answer = connection.getresponse()
            answered = answer.read()
        except (OSError, http.client.HTTPException) as broken:
            raise Unreachable(str(broken) or type(broken).__name__) from broken
        finally:
            connection.close()
        self.statuses[answer.status] += 1
        return Answer(answer.status, _object(answered))

    def get(self, path: str, token: str = "") -> Answer:
        """Sends a GET."""
        return self.call("GET", path, token=token)

    def post(self, path: str, body: Any, token: str = "") -> Answer:
        """Sends a POST."""
        return self.call("POST", path, body, token)

    def put(self, path: str, body: Any, token: str = "") -> Answer:
        """Sends a PUT."""
        return self.call("PUT", path, body, token)


def _object(text: bytes) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
