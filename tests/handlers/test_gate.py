"""From where requests come and how often: proxies, sources of alerts, limits, other sites."""

import asyncio
import threading
import time
from types import SimpleNamespace

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.websocket import websocket_connect

import models
from handlers.gate import VISITOR_SOCKETS
from tests.conftest import ON_SQLITE, alert
from tests.handlers.test_rights import KEYS, basic

pytestmark = pytest.mark.gen_test(timeout=60)

PROXY = {"trusted_proxies": ["127.0.0.1"]}


def behind(address, **more):
    """The headers that our proxy adds for a client at this address."""
    return {"X-Forwarded-For": address, **more}


async def refused_from(api, admin, **headers):
    """The address that a refused post is recorded with."""
    await api.post("/v3/webhook", raw=b"[]", headers=headers)
    return (await api.get("/v3/rejected/1", token=admin)).json["rejected"][0]["address"]


# Proxies


@ON_SQLITE
@pytest.mark.parametrize("overrides", [{}, {"trusted_proxies": ["10.0.0.0/8"]}], indirect=True)
async def test_a_header_from_elsewhere_changes_neither_address_nor_scheme(api, admin):
    for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded"):
        assert await refused_from(api, admin, **{name: "203.0.113.9"}) == "127.0.0.1"
    answer = await api.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in answer.headers


@ON_SQLITE
@pytest.mark.parametrize("overrides", [PROXY], indirect=True)
async def test_a_trusted_proxy_tells_the_address_and_the_scheme(api, admin):
    headers = behind("6.6.6.6, 203.0.113.9")
    assert await refused_from(api, admin, **headers) == "203.0.113.9"
    assert await refused_from(api, admin, **{"X-Real-Ip": "6.6.6.6"}) == "127.0.0.1"
    answer = await api.get(
        "/login", headers=behind("203.0.113.9", **{"X-Forwarded-Proto": "https"})
    )
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    for odd in ("gopher", "https, http", ""):
        answer = await api.get("/login", headers={"X-Forwarded-Proto": odd})
        assert "Strict-Transport-Security" not in answer.headers


@ON_SQLITE
@pytest.mark.parametrize(
    "overrides",
    [{"trusted_proxies": each} for each in ([], ["127.0.0.1"], ["::ffff:127.0.0.1"])],
    indirect=True,
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::ffff:127.0.0.1"])
async def test_a_peer_that_arrives_as_ipv6_is_its_ipv4_address(app, peer):
    context = SimpleNamespace(remote_ip=peer, protocol="http")
    request = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/", "HTTP/1.1"),
        headers=HTTPHeaders({"Host": "x", "X-Forwarded-For": "::ffff:203.0.113.9"}),
        connection=SimpleNamespace(context=context, stream=SimpleNamespace()),
    )
    app.find_handler(request)
    app.in_hand.discard(request)
    proxies = app.conf.trusted_proxies
    assert request.remote_ip == ("203.0.113.9" if proxies else "127.0.0.1")


# From where alerts may come

ONLY_TRADINGVIEW = PROXY | {
    "webhook_sources": ["tradingview"],
    "bridge_addresses": ["203.0.113.0/24"],
    "bridge_keys": KEYS,
}


@ON_SQLITE
@pytest.mark.parametrize("overrides", [ONLY_TRADINGVIEW], indirect=True)
@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("52.89.214.238", {}, 201),
        ("203.0.113.77", {}, 201),
        ("198.51.100.1", {}, 403),
        ("198.51.100.1", basic(KEYS[1]), 201),
        ("198.51.100.1", basic("a-wrong-key-of-it"), 403),
        ("52.89.214.238, 198.51.100.1", {}, 403),
    ],
)
async def test_alerts_come_from_the_sources_of_the_settings_only(
    api, desk, app, address, headers, status
):
    answer = await api.post("/v3/webhook", alert(), headers=behind(address) | headers)
    assert answer.status == status
    assert models.Signal.select().count() == (status == 201)
    assert app.gate.refused["address"] == (status == 403)
    if status == 403:
        assert answer.json == {"message": "alerts may not come from this address."}
        row = models.RejectedAlert.get()
        assert (row.known, row.body, row.address) == (False, None, "198.51.100.1")


@ON_SQLITE
@pytest.mark.parametrize("overrides", [ONLY_TRADINGVIEW], indirect=True)
async def test_the_sources_are_for_posts_of_alerts_only(api, desk):
    await api.post("/v3/webhook", alert(order_id1=7), headers=behind("52.89.214.238"))
    elsewhere = behind("198.51.100.1")
    body = {"passphrase": "webhook", "rowid": 1, "order_comment": "x"}
    assert (await api.put("/v3/webhook", body, headers=elsewhere)).status == 200
    body = {"passphrase": "webhook", "order_id": 7, "stk_price": 1}
    assert (await api.put("/v3/price", body, headers=elsewhere)).status == 200
    assert (await api.get("/v3/signals/1", headers=elsewhere)).status == 200


# Limits


@pytest.mark.parametrize("overrides", [PROXY | {"wrong_passphrases": 5}], indirect=True)
async def test_wrong_passphrases_are_limited_by_address_and_leave_no_more_rows(api, app, desk):
    flooder, sender = behind("198.51.100.1"), behind("203.0.113.9")
    found = []
    for number in range(20):
        body = alert(passphrase=f"guess {number}")
        answer = await api.post("/v3/webhook", body, headers=flooder)
        found.append(answer.status)
        assert (await api.post("/v3/webhook", alert(), headers=sender)).status == 201
    assert found == [400] * 5 + [429] * 15
    assert int(answer.headers["Retry-After"]) in range(1, 13)
    assert models.RejectedAlert.select().count() == 5
    assert app.gate.refused["passphrase"] == 15
    body = {"passphrase": "guess", "order_id": 1, "stk_price": 1}
    assert (await api.put("/v3/price", body, headers=flooder)).status == 429
    assert (await api.put("/v3/price", body, headers=sender)).status == 400
    # Nobody who shares the address loses an alert, nor what became of an order.
    assert (await api.post("/v3/webhook", alert(), headers=flooder)).status == 201
    body = {"passphrase": "webhook", "rowid": 1, "order_comment": "x"}
    assert (await api.put("/v3/webhook", body, headers=flooder)).status == 200
    answer = await api.post("/v3/webhook", alert(order_contracts=-1), headers=flooder)
    assert answer.status == 400
    assert models.RejectedAlert.select().where(models.RejectedAlert.known).count() == 1


@ON_SQLITE
@pytest.mark.parametrize(
    "overrides", [PROXY | {"visitor_reads": 1, "visitor_burst": 3}], indirect=True
)
async def test_visitors_reads_are_limited_by_address(api, app, admin):
    visitor = behind("2001:db8:1:2::7")
    answers = [await api.get("/v3/signals/5", headers=visitor) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json == {
        "message": "too many requests; log in, or ask less often",
        "signals": [],
    }
    assert answers[3].headers["Retry-After"] == "1"
    for path in ("/dashboard", "/ws/signals", "/v3/figures"):
        answer = await api.get(path, headers=behind("2001:db8:1:2:ffff::1"))
        assert answer.status == 429, "the same network"
    assert (await api.get("/v3/signals/5", headers=behind("203.0.113.9"))).status == 200
    for _ in range(6):
        assert (await api.get("/v3/signals/5", headers=visitor, token=admin)).status == 200
        assert (await api.get("/v3/signals/5")).status == 200, "on this machine"
    assert (await api.get(app.assets.url("js/api.js"), headers=visitor)).status == 200


@ON_SQLITE
@pytest.mark.parametrize("overrides", [PROXY], indirect=True)
async def test_visitors_lines_are_limited_by_address(api, app, admin):
    url = api.base_url.replace("http", "ws", 1) + "/ws/signals"

    async def listen(address, **more):
        headers = behind(address, **more)
        line = await websocket_connect(HTTPRequest(url, headers=headers))
        await line.read_message()
        return line

    lines = [await listen("203.0.113.9") for _ in range(VISITOR_SOCKETS)]
    with pytest.raises(HTTPClientError) as refused:
        await listen("203.0.113.9")
    assert refused.value.code == 429
    lines.append(await listen("203.0.113.9", Authorization=f"Bearer {admin}"))
    lines.append(await listen("203.0.113.10"))
    app.hub.close()
    for line in lines:
        assert await line.read_message() is None
    assert await listen("203.0.113.9")


@ON_SQLITE
@pytest.mark.parametrize("overrides", [{"visitor_reads": 1, "visitor_burst": 1}], indirect=True)
async def test_a_forwarded_visitor_is_no_local_one_although_the_proxy_is(api):
    headers = {"X-Forwarded-For": "127.0.0.1"}
    found = [(await api.get("/v3/stocks/0", headers=headers)).status for _ in range(2)]
    assert found == [200, 429]


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.parametrize("overrides", [PROXY | {"login_attempts": 2}], indirect=True)
async def test_failed_logins_delay_the_owner_elsewhere_but_do_not_lock_out(api):
    for number in range(7):
        headers = behind(f"198.51.100.{number}")
        body = {"username": "admin", "password": "wrong"}
        assert (await api.post("/v3/login", body, headers=headers)).status == 401
    first, *others = [await seconds_of_login(api) for _ in range(6)]
    assert first >= 1
    assert min(others) < 1, "a right password ends the delay"


async def seconds_of_login(api):
    """How long a right login from another address takes."""
    begun = time.monotonic()
    body = {"username": "admin", "password": "123"}
    assert (await api.post("/v3/login", body, headers=behind("203.0.113.9"))).status == 200
    return time.monotonic() - begun


@ON_SQLITE
@pytest.mark.parametrize("overrides", [PROXY | {"login_attempts": 2}], indirect=True)
async def test_a_flood_of_logins_is_refused_before_a_password_is_verified(api, app):
    flooder = behind("198.51.100.1")

    async def one(number):
        body = {"username": f"name{number}", "password": "wrong"}
        return (await api.post("/v3/login", body, headers=flooder)).status

    found = await asyncio.gather(*(one(number) for number in range(60)))
    assert found.count(401) == 10, "five times as many as for one name"
    assert found.count(429) == 50
    body = {"username": "admin", "password": "123"}
    assert (await api.post("/v3/login", body, headers=behind("203.0.113.9"))).status == 200


@ON_SQLITE
@pytest.mark.parametrize("overrides", [PROXY], indirect=True)
async def test_a_flood_of_logins_takes_no_place_from_those_elsewhere(api, app):
    async def one(number, address):
        body = {"username": f"name{number}", "password": "wrong"}
        return (await api.post("/v3/login", body, headers=behind(address))).status

    held = threading.Event()
    app.hashing.thread.submit(held.wait)
    flood = [asyncio.ensure_future(one(number, "198.51.100.1")) for number in range(60)]
    try:
        for _, each in zip(range(10), asyncio.as_completed(flood), strict=False):
            assert await each == 503
        owner = asyncio.ensure_future(one("", "203.0.113.9"))
        while not owner.done() and app.hashing.waiting.total() < 11:  # noqa: ASYNC110 there is no event
            await asyncio.sleep(0)
    finally:
        held.set()
    assert await owner == 401
    assert 401 in await asyncio.gather(*flood)


# Other sites

ORIGIN = "https://desk.example.com"


@ON_SQLITE
@pytest.mark.parametrize("overrides", [{"cors_origins": [ORIGIN]}], indirect=True)
async def test_the_sites_of_the_settings_may_call_the_api(api, admin):
    answer = await api.get("/v3/signals/1", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in answer.headers
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
    for path, methods in (("/v3/regstock", {"POST", "PUT"}), ("/v3/events", {"GET", "HEAD"})):
        answer = await api.call("OPTIONS", path, headers=asks)
        assert (answer.status, answer.text) == (204, "")
        assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == methods
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    answer = await api.get("/v3/nowhere", headers={"Origin": ORIGIN})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (404, ORIGIN)


@ON_SQLITE
@pytest.mark.parametrize("overrides", [{}, {"cors_origins": [ORIGIN]}], indirect=True)
async def test_no_other_site_may_and_pages_are_for_nobody_elsewhere(api):
    for origin in ("https://evil.example.com", ORIGIN + ".evil.com", "null", ""):
        headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        answer = await api.get("/v3/signals/1", headers=headers)
        assert answer.status == 200
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert (await api.call("OPTIONS", "/v3/events", headers=headers)).status == 405
    answer = await api.get("/dashboard", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert (await api.call("OPTIONS", "/dashboard", headers={"Origin": ORIGIN})).status == 405


@ON_SQLITE
@pytest.mark.parametrize("path", ["/dashboard", "/list", "/login", "/nowhere", "/setup"])
async def test_every_page_carries_its_guards(api, callers, path):
    _, cookie = await callers.session("admin")
    answer = await api.get(path, headers={"Cookie": f"session={cookie}"})
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "Server" not in answer.headers
