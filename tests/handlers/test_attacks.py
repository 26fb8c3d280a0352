"""What an outsider might try on the wire: smuggled requests, odd paths, headers and tokens."""

import asyncio
import contextlib
import itertools
import logging
import re
import threading
import time
from urllib.parse import quote

import jwt
import pytest

import models
from services import events, performance
from tests.conftest import ON_SQLITE, alert
from trading import instants

pytestmark = pytest.mark.gen_test(timeout=60)


async def wire(api, raw):
    """All that the server answers to these bytes before it hangs up or falls silent."""
    host, port = api.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(raw)
    answer = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        while part := await asyncio.wait_for(reader.read(65536), 1):
            answer += part
    writer.close()
    return answer


SMUGGLED = b"DELETE /v3/signal/1 HTTP/1.1\r\nHost: x\r\n\r\n"
# Two readers of these could disagree about where the request ends.
AMBIGUOUS = {
    "both lengths": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 40\r\n",
    "a list of lengths": b"Content-Length: 4, 40\r\n",
    "a signed length": b"Content-Length: +4\r\n",
    "a hexadecimal length": b"Content-Length: 0x4\r\n",
    "a length with an underscore": b"Content-Length: 4_0\r\n",
    "no number": b"Content-Length: four\r\n",
    "an odd coding": b"Transfer-Encoding: xchunked\r\n",
    "two codings": b"Transfer-Encoding: chunked, identity\r\n",
    "a space before the colon": b"Content-Length : 4\r\nTransfer-Encoding : chunked\r\n",
    "a folded header": b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n",
    "a bare line feed": b"X: y\nContent-Length: 4\n",
}


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_a_request_whose_end_is_ambiguous_runs_nothing_behind_it(api, desk, name):
    await api.alert()
    head = b"POST /v3/webhook HTTP/1.1\r\nHost: x\r\n" + AMBIGUOUS[name] + b"\r\n"
    answer = await wire(api, head + b"0\r\n\r\n" + SMUGGLED)
    statuses = [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1")]
    assert len(statuses) <= 1, answer
    assert not set(statuses) & {b"200", b"201", b"500"}
    assert models.Signal.select().count() == 1


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET  /v3/stocks/0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v3/stocks/0\r\n\r\n",
        b"GET /v3/stocks/0 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /v3/stocks/0 HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_and_the_server_goes_on(api, raw):
    answer = await wire(api, raw)
    assert b" 200 " not in answer[:20]
    assert b" 500 " not in answer[:20]
    assert (await api.get("/v3/stocks/0")).status == 200


@ON_SQLITE
@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.toml",
        "/static/..%2fsettings.toml",
        "/static/%2e%2e/settings.toml",
        "/static/js/../../settings.toml",
        "/static/..%5csettings.toml",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/js/api.js%00.css",
        "/static/js",
        "/static/",
        "/static/vendor/../../package.json",
        "/../settings.toml",
    ],
)
async def test_no_path_leads_out_of_the_static_files(api, path):
    answer = await wire(
        api, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.split()[1] in (b"400", b"404"), answer[:80]
    assert b"PAIRS_" not in answer
    assert b"root:" not in answer


@ON_SQLITE
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.com",
        "//evil.example.com",
        "/\\evil.example.com",
        "\\\\evil.example.com",
        "/\t/evil.example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        " //evil.example.com",
        "/dashboard\r\nSet-Cookie: a=b",
    ],
)
async def test_the_login_leads_to_pages_of_this_site_only(api, target):
    page = (await api.get("/login?next=" + quote(target, safe=""))).text
    assert "evil.example.com" not in page
    assert "javascript:" not in page
    assert 'data-next="/dashboard"' in page or 'value="/dashboard"' in page


@ON_SQLITE
@pytest.mark.parametrize("given", ["a b", "x\ty", "é", "<script>", "a" * 65, "a;b", ""])
async def test_a_request_id_that_is_not_sane_is_not_sent_back(api, given):
    answer = await api.get("/v3/stocks/0", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given
    assert len(answer.headers["X-Request-Id"]) == 16


@ON_SQLITE
@pytest.mark.parametrize(
    "change",
    [
        {"iat": 4102444800, "exp": 4102448400},
        {"nbf": 4102444800},
        {"type": "refresh"},
        {"type": None},
        {"sub": ""},
        {"sub": None},
        {"sid": "x"},
        {"exp": "soon"},
    ],
)
async def test_a_token_of_ours_with_odd_claims_opens_nothing(api, app, callers, change):
    good = await callers.token()
    claims = jwt.decode(good, options={"verify_signature": False}) | change
    token = jwt.encode(claims, app.token_key, algorithm="HS256")
    assert (await api.get("/v3/events", token=token)).status == 401


@ON_SQLITE
@pytest.mark.parametrize(
    ("issued", "ends", "refused"),
    [
        (-5, 600, None),
        (10, 600, None),
        (3600, 7200, "token_invalid"),
        (-600, 0, "token_expired"),
        (10, -1, "token_expired"),
    ],
)
async def test_the_clock_of_whoever_issued_a_token_may_be_ahead_by_ten_seconds(
    api, app, callers, issued, ends, refused
):
    """In seconds from now; when it ends is exact."""
    now = int(time.time())
    claims = jwt.decode(await callers.token(), options={"verify_signature": False})
    claims |= {"iat": now + issued, "exp": now + ends}
    token = jwt.encode(claims, app.token_key, algorithm="HS256")
    answer = await api.get("/v3/events", token=token)
    assert (answer.status, answer.json.get("error")) == ((401 if refused else 200), refused)


@ON_SQLITE
@pytest.mark.filterwarnings("ignore:The HMAC key is")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_another_algorithm_is_not_ours(api, app, callers, algorithm):
    claims = jwt.decode(await callers.token(), options={"verify_signature": False})
    token = jwt.encode(claims, app.token_key.ljust(64, "x"), algorithm=algorithm)
    same = jwt.encode(claims, app.token_key, algorithm=algorithm)
    for each in (token, same):
        assert (await api.get("/v3/events", token=each)).status == 401


@ON_SQLITE
async def test_many_parameters_and_cookies_are_no_burden(api):
    begun = time.process_time()
    await api.get("/v3/signals/5?" + "&".join(f"a{n}=1" for n in range(900)))
    await api.get("/dashboard", headers={"Cookie": "; ".join(f"c{n}=1" for n in range(2000))})
    answer = await api.post("/v3/webhook", alert(**{f"x{n}": n for n in range(2000)}))
    assert answer.status == 201
    assert time.process_time() - begun < 10, "seconds of work"


@ON_SQLITE
@pytest.mark.parametrize("call", [("A" * 60_000, "/v3/stocks/0"), ("GET", "/" + "a" * 60_000)])
async def test_a_request_makes_a_short_line_in_the_log(api, caplog, capsys, call):
    caplog.set_level(logging.INFO, "pairs.access")
    await wire(api, f"{' '.join(call)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    line = capsys.readouterr().err
    assert f"method={call[0][:3]}" in line
    assert len(line) < 500


# Work for who is gone


@ON_SQLITE
async def test_who_hangs_up_leaves_the_queue_of_long_reads(api, app, admin, monkeypatch):
    read, go_on = [], threading.Event()
    monkeypatch.setattr(performance, "performance", lambda *asked: read.append(asked) or {})
    busy = asyncio.ensure_future(app.searcher.run(go_on.wait))
    head = f"GET /v3/performance HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin}\r\n\r\n"
    host, port = api.base_url.removeprefix("http://").split(":")
    lines = [(await asyncio.open_connection(host, int(port)))[1] for _ in range(50)]
    for line in lines:
        line.write(head.encode())
    while app.requests_in_hand() < len(lines):  # noqa: ASYNC110 nothing tells of it
        await asyncio.sleep(0.01)
    for line in lines:
        line.close()
    while app.requests_in_hand():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert (await api.get("/v3/stocks/1")).status == 200, "other reads go on"
    go_on.set()
    await busy
    assert (await app.searcher.run(len, read)) == 0


# Numbers at the edge of what is taken

EDGES = (1e12, 1e-300, 1)
LEGS = ("MA", "V", "AAPL")
BOOKS = (
    *("/v3/performance", "/v3/trips/0", "/v3/trips/0.csv", "/performance", "/positions"),
    *("/v3/pair/MA-V/series", "/v3/pair/AAPL/series", "/pair/MA-V", "/pair/AAPL"),
    *("/v3/positions", "/v3/totals", "/v3/figures", "/v3/signals/0.csv", "/list?sort=-slip"),
)


async def fill(api, admin, ticker, action, size, price):
    """A signal that was filled at this price."""
    sent = {"ticker": ticker, "order_action": action, "order_contracts": size}
    made = await api.alert(**sent, order_price=1, bypass_ticker_status=True)
    filled = {"order_status": "filled", "stk_price1": price, "slip": 1e12, "order_id1": 1}
    filled |= {"stk_price2": -price, "order_id2": 2} if "*" in ticker else {}
    answer = await api.put("/v3/webhook", {"rowid": made.json["rowid"], **filled}, token=admin)
    assert answer.status == 200, answer.text


async def test_the_books_of_the_largest_and_smallest_numbers_are_read(api, app, desk, admin):
    for size, price, hedge in itertools.product(EDGES, (1e12, -1e-300), ("1e300", "1e-300")):
        await fill(api, admin, f"MA-{hedge}*V", "buy", size, price)
        await fill(api, admin, "AAPL", "sell", size, price)

    def report():
        """Positions of next to nothing and a PnL beyond measure, each in a second of its own."""
        later = iter(range(10**6))
        for cost, pnl, symbol in itertools.product((1e12, -1e12, 1) * 8, (1e12,), LEGS):
            told = {"active_pos": 1e-300, "active_cost": cost, "active_pnl": pnl}
            stock = models.Stock.find(symbol)
            events.change(stock, "bridge", told | {"active_pnl": pnl + next(later)}, "position")
            made = models.EventRow.last_id()
            time = instants.from_epoch(instants.epoch() + next(later))
            models.EventRow.update(time=time).where(models.EventRow.id == made).execute()

    await app.writer.submit(report)
    for path in BOOKS:
        answer = await api.get(path, token=admin)
        assert answer.status == 200, path
        if path.endswith(".csv"):
            assert not re.search(r",-?(nan|inf)", answer.text), "null in JSON is blank in a sheet"
