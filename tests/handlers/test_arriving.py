"""Requests on the wire: bodies too long, addresses in each form, HEAD, and paths below /v4."""

import asyncio
import json
import re
import tracemalloc

import peewee
import pytest

import models
from handlers import bodies
from handlers.gate import Bucket
from tests.conftest import ON_SQLITE, alert
from tests.handlers.test_rights import LISTS, TABLE
from tests.receiving import receive_one

pytestmark = pytest.mark.gen_test(timeout=60)

MIB = 1024 * 1024
TOO_LONG = {"message": "the body must not exceed 65536 bytes"}


async def connect(api):
    """A connection to the server under test."""
    host, port = api.base_url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def send_body(writer, size, *, chunked, method="POST", path="/v3/webhook"):
    """Sends a request whose body has this many bytes, in parts."""
    length = b"Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}".encode()
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode() + length + b"\r\n\r\n")
    for begun in range(0, size, MIB):
        part = b"x" * min(MIB, size - begun)
        writer.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        await writer.drain()
    if chunked:
        writer.write(b"0\r\n\r\n")


async def read_answer(reader):
    """The status, the headers and the JSON of the next answer on this connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(first.split()[1]), headers, json.loads(body)


def kept():
    """The size, text and address of each rejected alert."""
    rows = models.RejectedAlert.select().order_by(models.RejectedAlert.id)
    return [(row.size, row.body, row.address) for row in rows]


async def until_kept(api, count):
    """Waits until so many rejected alerts are stored."""
    while len(kept()) < count:  # noqa: ASYNC110 a sender that hung up is told nothing
        await api.get("/v3/stocks/0")


# Bodies over the limit


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_413_and_the_connection_goes_on(api, chunked):
    sizes = [bodies.MOST_BODY + 1, MIB + 1, 3 * MIB]
    reader, writer = await connect(api)
    for size in sizes:
        await send_body(writer, size, chunked=chunked)
        status, headers, told = await read_answer(reader)
        assert (status, told) == (413, TOO_LONG)
        assert headers.get("connection") != "close"
    writer.close()
    assert [row[:2] for row in kept()] == [(size, None) for size in sizes]


@pytest.mark.slow
@ON_SQLITE
async def test_a_body_of_100_megabytes_is_413_and_stands_in_no_memory(api):
    tracemalloc.start()
    for chunked in (False, True):
        reader, writer = await connect(api)
        await send_body(writer, 100_000_000, chunked=chunked)
        assert (await read_answer(reader))[0] == 413
        writer.close()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * MIB
    assert [row[0] for row in kept()] == [100_000_000] * 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v3/webhook"),
        ("POST", "/v3/price"),
        ("PUT", "/v3/regpnl"),
        ("POST", "/v3/login"),
        ("POST", "/v3/webhook/"),
    ],
)
async def test_every_call_that_takes_a_body_bounds_it(api, method, path):
    reader, writer = await connect(api)
    await send_body(writer, 2 * MIB, chunked=False, method=method, path=path)
    assert (await read_answer(reader))[::2] == (413, TOO_LONG)
    writer.close()


async def test_a_sender_that_waits_to_be_told_to_go_on_is_told(api):
    reader, writer = await connect(api)
    head = f"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {2 * MIB}\r\n"
    writer.write(head.encode() + b"Expect: 100-continue\r\n\r\n")
    assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"x" * 2 * MIB)
    assert (await read_answer(reader))[0] == 413
    writer.close()


async def test_a_body_without_an_end_is_answered_before_its_end(api, monkeypatch):
    monkeypatch.setattr(bodies, "MOST_DROPPED", MIB)
    reader, writer = await connect(api)
    writer.write(b"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write(b"100001\r\n" + b"x" * (MIB + 1))
    status, headers, _ = await read_answer(reader)
    assert (status, headers["connection"]) == (413, "close")
    assert await reader.read() == b""
    writer.close()
    assert [row[0] for row in kept()] == [MIB + 1]


async def test_a_body_over_the_limit_that_stalls_is_answered_in_time(api, app):
    reader, writer = await connect(api)
    writer.write(b"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n")
    writer.write(b"x" * 70_000)
    while not any(getattr(each, "give_up", None) for each in app.in_hand):
        await api.get("/v3/stocks/0")
    app.hang_up_on_stalled()
    assert kept() == []
    app.hang_up_on_stalled(0)
    status, headers, _ = await read_answer(reader)
    assert (status, headers["connection"]) == (413, "close")
    writer.close()
    assert len(kept()) == 1
    assert 65536 < kept()[0][0] <= 70_000


async def test_a_sender_that_hangs_up_within_a_body_over_the_limit_leaves_its_row(api, app):
    _, writer = await connect(api)
    writer.write(b"POST /v3/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n")
    writer.write(b"x" * 70_000)
    await writer.drain()
    while not any(getattr(each, "give_up", None) for each in app.in_hand):
        await api.get("/v3/stocks/0")
    writer.close()
    await until_kept(api, 1)
    assert kept()[0][1:] == (None, "127.0.0.1")


# Addresses


async def ask(api, target, method="GET", body=b""):
    """The answer to a request with exactly this target: (status, headers, body)."""
    reader, writer = await connect(api)
    head = f"{method} {target} HTTP/1.1\r\nHost: pairs.example.com\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    head, _, told = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    # What differs from answer to answer.
    for name in ("Date", "X-Request-Id"):
        headers.pop(name, None)
    return int(first.split()[1]), headers, told


FORMS = ["{}/", "http://pairs.example.com{}", "HTTPS://pairs.example.com:5000{}", "http://x{}/"]
PATHS = sorted({path for _, path, _ in TABLE if path != "/"} | {"/nowhere", "/v3", "/v4/x"})


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
async def test_each_path_is_found_in_each_form(api, form):
    for path in PATHS:
        for query in ("", "?n=1"):
            plain = (await ask(api, path + query))[0]
            assert (await ask(api, form.format(path) + query))[0] == plain, path


async def test_the_query_stays_beside_an_address_in_another_form(api, desk):
    await api.alert(ticker="AAPL")
    await api.alert()
    for target in ("/v3/signals/5/?ticker=AAPL", "http://x/v3/signals/5/?ticker=AAPL"):
        records = json.loads((await ask(api, target))[2])["signals"]
        assert [record["rowid"] for record in records] == [1]
    for target in ("/setup/?a=/", "http://x/setup?a=/"):
        assert (await ask(api, target))[1]["Location"] == "/login?next=%2Fsetup%3Fa%3D%2F"


@pytest.mark.parametrize("target", ["http://x", "http://x/", "http://x?a=1"])
async def test_a_site_alone_means_its_first_page(api, target):
    status, headers, _ = await ask(api, target)
    assert (status, headers["Location"]) == (302, "/dashboard")


@pytest.mark.parametrize(
    "target", ["/v3/webhook/", "http://pairs.example.com/v3/webhook", "http://x:1/v3/webhook/"]
)
async def test_an_alert_arrives_by_each_form_of_the_address(api, desk, target):
    body = json.dumps(alert(ticker="AAPL")).encode()
    status, _, told = await ask(api, target, "POST", body)
    assert (status, json.loads(told)["rowid"]) == (201, 1)
    assert (await ask(api, target, "POST", b"webhook"))[0] == 400
    assert len(kept()) == 1


@pytest.mark.parametrize(
    "target", ["/v3/stocks/0//", "/v3/stocks//", "//v3/stocks/0", "ftp://x/v3/stocks/0", "*"]
)
async def test_no_other_form_is_taken_for_a_path(api, target):
    assert (await ask(api, target))[0] in (400, 404)


# HEAD

# What differs from one moment to the next.
CHANGING = {"/metrics", "/dashboard", "/list", "/positions", "/login", "/docs", "/docs/guide"}


async def test_head_is_answered_like_get_without_the_body(api, desk):
    await api.alert(ticker="AAPL")
    paths = {path for method, path, _ in TABLE if method == "GET"}
    for path in sorted(paths - CHANGING):
        status, headers, _ = await ask(api, path)
        assert await ask(api, path, "HEAD") == (status, headers, b""), path


async def test_head_of_a_page_has_no_body(api):
    for path in sorted(CHANGING | {"/nowhere"}):
        status, headers, _ = await ask(api, path)
        told = await ask(api, path, "HEAD")
        assert (told[0], told[2]) == (status, b"")
        assert told[1]["Content-Type"] == headers["Content-Type"]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v3/signals/0", "/v3/signals/0.csv"])
async def test_head_of_a_long_list_reads_only_its_beginning(api, app, desk, admin, path):
    def store():
        for _ in range(900):
            alert = {
                "ticker": "AAPL",
                "order_action": "buy",
                "order_contracts": 1,
                "order_comment": "x" * 3000,
            }
            receive_one(alert)

    await app.writer.submit(store)
    token = {"token": admin}
    got, told = await api.get(path, **token), await api.call("HEAD", path, **token)
    assert (got.status, told.status, told.text) == (200, 200, "")
    assert len(got.text) > 2 * MIB
    # How a body is framed, and what differs from answer to answer.
    for name in ("Date", "X-Request-Id", "Transfer-Encoding"):
        for answer in (got, told):
            answer.headers.pop(name, None)
    assert dict(got.headers) == dict(told.headers)


async def test_a_list_that_is_known_is_304_by_head_too(api, desk):
    tag = (await api.get("/v3/signals/5")).headers["Etag"]
    answer = await api.call("HEAD", "/v3/signals/5", headers={"If-None-Match": tag})
    assert (answer.status, answer.headers["Etag"]) == (304, tag)


async def test_head_of_the_waiting_list_is_no_poll_of_the_bridge(api, app):
    await api.call("HEAD", "/v3/signals/status/waiting/0")
    assert app.polls.last() == 0
    await api.get("/v3/signals/status/waiting/0")
    assert app.polls.last() > 0


async def test_head_opens_no_websocket(api):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    assert (await api.call("HEAD", "/ws/signals", headers=upgrade)).status == 400


async def test_a_connection_goes_on_after_head(api):
    reader, writer = await connect(api)
    ask_head = b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    writer.write(ask_head + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    assert (await read_answer(reader))[::2] == (200, {"status": "alive"})
    writer.close()


# Other versions, and the empty list


@pytest.mark.parametrize("path", ["/v4", "/v4/", "/v4/signals/status/waiting/0", "/v4/x%00?y=%ff"])
async def test_a_path_below_v4_says_which_version_is_spoken_here(api, path):
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        status, headers, told = await ask(api, path, method)
        assert (status, headers["Content-Type"]) == (404, "application/json"), method
        if method != "HEAD":
            assert json.loads(told) == {"message": "this server speaks /v3", "signals": []}


@pytest.mark.parametrize("path", ["/v4x", "/v/4", "/v40/signals"])
async def test_what_only_looks_like_v4_is_no_such_path(api, path):
    assert (await api.get(path)).json is None


async def test_each_refusal_of_a_list_route_carries_the_empty_list(api, callers, monkeypatch):
    user, expired = await callers.token("user1"), await callers.token(seconds=-10)
    monkeypatch.setattr(Bucket, "take", lambda *_: 1.0)
    found = {}
    for path, key in LISTS.items():
        for answer in (
            await api.call("PATCH", path),
            await api.get(path, token=expired),
            await api.get(path, token=user),
            await api.get(path, headers={"Via": "a proxy"}),
        ):
            if answer.status != 200:
                assert answer.json[key] == [], (path, answer.text)
                found.setdefault(answer.status, set()).add(path)
    assert found[405] == found[401] == set(LISTS)
    assert {403, 429} < set(found)


async def test_a_list_route_without_storage_carries_it_too(api, app, callers, monkeypatch):
    token = await callers.token()

    def fail(*_, **__):
        raise peewee.OperationalError("gone")

    monkeypatch.setattr(type(app), "open_database_here", fail)
    for path, key in LISTS.items():
        answer = await api.get(path, token=token)
        assert (answer.status, answer.json[key]) == (503, [])
        assert re.fullmatch(r"\d+", answer.headers["Retry-After"])
