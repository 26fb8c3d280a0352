"""Changes requests at random: bodies, queries, paths, headers, bytes and websocket frames.

The same seed of `random.Random` makes the same requests. `bench.mutants` sends them.
"""

import itertools
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]
Header = tuple[str, str]
WORDS = (
    *("", " ", "webhook", "admin", "user1", "true", "NaN", "Infinity", "1e999", "-0", "1_000", "٣"),
    *("waiting", "error", "held", "NMFC", "A-B", "NMFC-0.72*NASDAQ:ROIC", "1*A-B", "A/B", "EURUSD"),
    *("-1*(A-2*B)", "2026-11-22T09:40:13Z", "1764408000000", "0000-00-00", "9999-12-31 23:59:59"),
    *("buy", "sell", "long", "short", "flat", "exits", "ask", "off", "../../etc/passwd", "%00"),
    *("'; DROP TABLE signal; --", "<script>", "{{close}}", "\0", "\ud800", "\u202e", "é🚀", "\x85"),
    *("x" * 201, "y" * 4001, "9" * 400, "\n", "\r\nX: y", "/", "//", ".", "..", "*", "%", "?", "#"),
)
NUMBERS = (
    *(0, 1, -1, 2, 5, 100, 0.5, -0.01, 1e-320, 1e308, 1e12, 2**31, 2**53, 2**63 - 1, 2**63, 2**64),
    *(-(2**63), 10**30, 10**400, float("nan"), float("inf"), float("-inf")),
)
HEADERS = (
    *("Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Type", "Cookie"),
    *("Content-Encoding", "Date", "Forwarded", "If-Modified-Since", "If-None-Match", "Origin"),
    *("Idempotency-Key", "Range", "Referer", "Sec-Fetch-Site", "Upgrade", "User-Agent", "Via"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip", "X-Request-Id", "X-XSRFToken"),
    *("X-HTTP-Method-Override", "Access-Control-Request-Method", "Expect", "TE"),
)
VALUES = (
    *("", "*", "gzip", "gzip;q=0", "br, gzip;q=0.5", "Bearer", "Bearer x.y.z", "Basic !!!", "null"),
    *(
        "Bearer pat_" + "x" * 40,
        "Basic Og==",
        "application/x-www-form-urlencoded",
        "multipart/form",
    ),
    *("text/html", "multipart/form-data; boundary=", "bytes=0-5", "websocket", 'W/"1"', '"', "\t"),
    *("session=x", 'session="\\0', "zone=Europe/Berlin; zone=Nowhere", "_xsrf=2|zz", "127.0.0.1"),
    *("::1", "1.2.3.4, 5.6.7.8", "for=;proto=", "http://[", "http://x:99999999", "https://a@b:c"),
    *("100-continue", "close", "keep-alive, Upgrade", "trailers", "\xff\xfe", "x" * 5000, "%0d%0a"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "TRACE", "BREW")
# Not /readyz: while a machine is overloaded, its right answer is 503.
PAGES = (
    *("/", "/dashboard", "/list", "/positions", "/setup", "/login", "/logout", "/performance"),
    *("/pair/NMFC-ROIC", "/docs", "/docs/guide", "/docs/phone.png", "/healthz"),
    *("/metrics", "/favicon.ico", "/static/0/js/api.js", "/v3", "/v3/nothing", "/v4/signals/0"),
)
OF_PAGES = ("status", "ticker", "ticker_webhook", "start_date", "end_date", "q", "type", "next")
# How often a call is sent beside the others: an alert matters most, passwords are slow to hash.
WEIGHTS = {"/v3/webhook": 50, "/v3/signal/updateorder": 10, "/v3/ticker/updatepnl": 5}
WEIGHTS |= {"/v3/regpnl": 5, "/v3/price": 5, "/v3/order": 5, "/ws/signals": 20}
WEIGHTS |= dict.fromkeys(("/v3/login", "/v3/reguser"), 0.1)
WEIGHTS |= dict.fromkeys(("/v3/factor", "/v3/factor/off", "/v3/factor/codes"), 0.1)


@dataclass
class Example:
    """A call of the API's document, or a page: what a right request has."""

    method: str
    path: str  # with {names} of its variable parts
    parts: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Json | None = None

    @property
    def weight(self) -> float:
        """How often it is sent beside the others."""
        return WEIGHTS.get(self.path, 1)


@dataclass
class Request:
    """A request to send; `broken`: its framing is no right HTTP, so that no answer is owed."""

    path: str  # of its example
    raw: bytes
    broken: bool
    frames: list[bytes]  # to send where it became a websocket


def examples(document: Json) -> list[Example]:
    """One for each example of each call of the API's document, and one for each page."""
    found = [
        Example("GET", page, query=dict.fromkeys(OF_PAGES, "") if len(page) < 13 else {})
        for page in PAGES
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found += _of_operation(method.upper(), path, operation)
    return found


def _of_operation(method: str, path: str, operation: Json) -> Iterator[Example]:
    parts, query = {}, {}
    for each in operation["parameters"]:
        if each["in"] == "path":
            parts[each["name"]] = str(each["example"])
        elif each["in"] == "query":
            query[each["name"]] = str(each["schema"].get("examples", [""])[0])
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    for example in (content.get("examples") or {"": {"value": None}}).values():
        yield Example(method, path, parts, query, example["value"])


def request(random: Random, example: Example, caller: list[Header]) -> Request:
    """A request that begins as this example, with the headers of who calls."""
    method = example.method if random.random() < 0.96 else random.choice(METHODS)
    headers, frames = [("Host", "127.0.0.1"), *caller], []
    if random.random() < 0.3:
        headers += [(random.choice(HEADERS), _header(random)) for _ in range(random.randint(1, 3))]
    if example.path == "/ws/signals":
        headers += _websocket(random)
        frames = [frame(random) for _ in range(random.randint(1, 12))]
    body = b""
    if example.body is not None or random.random() < 0.05:
        body = damaged(random, mutated(random, example.body or {"passphrase": "webhook"}))
        length, body = _framed(random, body)
        headers.append(length)
    lines = [f"{method} {_target(random, example)} HTTP/1.1", *(f"{k}: {v}" for k, v in headers)]
    raw = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
    if broken := random.random() < 0.05:
        raw = _broken(random, raw)
    return Request(example.path, raw, broken, frames)


def odd(random: Random, depth: int = 0) -> Any:
    """A value that a field may not expect."""
    match random.randrange(10):
        case 0 | 1 | 2:
            return random.choice(NUMBERS)
        case 3 | 4 | 5:
            return odd_text(random)
        case 6:
            return str(random.choice(NUMBERS))
        case 7:
            return random.choice((None, True, False, [], {}))
        case 8 if depth < 3:
            return [odd(random, depth + 1) for _ in range(random.randrange(4))]
        case 9 if depth < 3:
            return {odd_text(random): odd(random, depth + 1) for _ in range(random.randrange(3))}
    return random.randint(-10, 1000)


def odd_text(random: Random) -> str:
    """A text that a field may not expect."""
    if random.random() < 0.6:
        return random.choice(WORDS)
    return "".join(
        chr(random.choice((*range(300), 0x2028, 0x1F680))) for _ in range(random.randrange(9))
    )


def mutated(random: Random, body: Json) -> bytes:
    """The JSON of this body with some fields replaced, dropped or added."""
    made = dict(body)
    for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
        name = random.choice([*made, *body, odd_text(random)])
        if random.random() < 0.2:
            made.pop(name, None)
        else:
            made[name] = odd(random)
    if "passphrase" in body and random.random() < 0.9:
        made["passphrase"] = "webhook"
    return json.dumps(made, ensure_ascii=random.random() < 0.9).encode("utf-8", "surrogatepass")


def damaged(random: Random, raw: bytes) -> bytes:
    """These bytes, one time in five cut, changed, wrapped, nested too deep or too long."""
    at = random.randrange(len(raw))
    match random.randrange(40):
        case 0:
            return raw[:at]
        case 1:
            return raw[:at] + random.randbytes(random.randint(1, 4)) + raw[at:]
        case 2:
            return raw[:at] + bytes([raw[at] ^ (1 << random.randrange(8))]) + raw[at + 1 :]
        case 3:
            return b"\xef\xbb\xbf" + raw
        case 4:
            return raw.decode("utf-8", "replace").encode("utf-16")
        case 5:
            return random.choice((b"[" + raw + b"]", raw + raw, raw[:-1] + b", " + raw[1:], b""))
        case 6:
            return b'{"extra": ' + b"[" * 5000 + b"]" * 5000 + b", " + raw[1:]
        case 7 if random.random() < 0.3:
            return (
                b'{"extra": "' + b"x" * random.choice((60_000, 65_536, 300_000)) + b'", ' + raw[1:]
            )
    return raw


def _target(random: Random, example: Example) -> str:
    path = example.path
    for name, value in example.parts.items():
        if random.random() < 0.4:
            value = random.choice((odd_text(random), str(random.randint(0, 60)), "0.csv"))
        path = path.replace("{" + name + "}", _quoted(random, value))
    if random.random() < 0.03:
        at = random.randint(1, len(path))
        path = path[:at] + _quoted(random, odd_text(random)) + path[at:]
    given = {k: v for k, v in example.query.items() if random.random() < 0.5}
    for name in random.sample([*example.query, "x"], min(2, len(example.query) + 1)):
        if random.random() < 0.6:
            given[name] = str(odd(random))
    pairs = [f"{_quoted(random, k)}={_quoted(random, v)}" for k, v in given.items()]
    if random.random() < 0.02:
        pairs.append(random.choice(("=", "&&", "%", "%zz=%", "a=b=c;d", *pairs)))
    # An alert that is only tried is not stored, and could not be counted.
    counted = example.path == "/v3/webhook" and random.random() < 0.9
    return path if counted or not pairs else f"{path}?{'&'.join(pairs)}"


def _quoted(random: Random, text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=random.choice(("", ":*", "/.,:*-")))


def _header(random: Random) -> str:
    value = random.choice((*VALUES, odd_text(random)))
    return "".join(each for each in value if each >= " " or each == "\t").replace("\x7f", "")


def _framed(random: Random, body: bytes) -> tuple[Header, bytes]:
    """(the header that says where the body ends, the body), sometimes in chunks."""
    if random.random() < 0.9:
        return ("Content-Length", str(len(body))), body
    cuts = sorted(random.randint(0, len(body)) for _ in range(random.randrange(4)))
    parts = [body[a:b] for a, b in itertools.pairwise((0, *cuts, len(body))) if b > a]
    chunks = [b"%x\r\n%b\r\n" % (len(each), each) for each in parts]
    return ("Transfer-Encoding", "chunked"), b"".join([*chunks, b"0\r\n\r\n"])


def _broken(random: Random, raw: bytes) -> bytes:
    """A request that is no right HTTP any more, or hardly."""
    at = random.randrange(len(raw))
    both = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nHost"
    return random.choice(
        (
            raw[:at],
            raw[:at] + random.randbytes(8) + raw[at:],
            raw.replace(b"\r\n", b"\n"),
            raw.replace(b"Host", b"Content-Length: -1\r\nHost"),
            raw.replace(b"Host", both),
            raw.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost"),
            raw.replace(b"Host", b"X" * 70_000 + b": y\r\nHost"),
            raw.replace(b"Content-Length: ", b"Content-Length: 9"),
            raw.replace(b" HTTP/1.1", random.choice((b"", b" HTTP/1.0", b" HTTP/9", b" \0"))),
            raw.replace(b"Host: ", b"Host: \xff\0"),
            random.randbytes(random.randint(1, 300)),
            raw + raw,
        )
    )


def _websocket(random: Random) -> list[Header]:
    headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", random.choice(("dGhlIHNhbXBsZSBub25jZQ==",) * 8 + ("", "x", "é"))),
        ("Sec-WebSocket-Version", random.choice(("13",) * 9 + ("8", "", "x"))),
    ]
    if random.random() < 0.2:
        extension = "permessage-deflate; x=" + _header(random)
        headers.append(("Sec-WebSocket-Extensions", extension))
    return headers


def frame(random: Random) -> bytes:
    """A websocket frame, many of them against RFC 6455."""
    data = random.choice(
        (b"ping", b'{"type":"ping"}', odd_text(random).encode("utf-8", "surrogatepass"))
    )
    if random.random() < 0.2:
        data = random.randbytes(random.choice((0, 1, 2, 125, 126, 127, 5000)))
    opcode = random.choice((1, 1, 1, 1, 2, 9, 10, 0, 8, random.randrange(16)))
    first = (0x80 if random.random() < 0.9 else 0) | (
        random.randrange(8) << 4 if random.random() < 0.1 else 0
    )
    size = (
        len(data) if random.random() < 0.95 else random.choice((0, 125, 70_000, 2**62, 2**63 + 1))
    )
    masked = 0x80 if random.random() < 0.9 else 0
    if size < 126:
        head = bytes((first | opcode, masked | size))
    elif size < 65536:
        head = bytes((first | opcode, masked | 126)) + struct.pack(">H", size)
    else:
        head = bytes((first | opcode, masked | 127)) + struct.pack(">Q", size)
    if not masked:
        return head + data
    key = random.randbytes(4)
    return head + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(data))
