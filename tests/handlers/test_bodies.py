"""Random and mutated bodies: never a 500, and whatever carried the passphrase is not lost."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import models
from tests.conftest import alert, tries

TOGETHER = 20  # bodies of one example, sent at the same time ...
HASHED = 10  # ... but not more than one address may have waiting for password hashes


def examples(bodies):
    """Hypothesis settings for this many bodies."""
    return settings(
        max_examples=tries(bodies / TOGETHER),
        suppress_health_check=list(HealthCheck),
    )


# --- values, bodies, bytes ---------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(),
    st.integers(-5, 5),
    st.sampled_from([2**53, 2**63, -(2**63), 2**64, 10**30, 10**400]),
    st.floats(),
)
ODD = 'a9 "\\/\x00\x1f\ud800\udfff\u2028é🚀-*'
TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(st.sampled_from(ODD), min_size=1, max_size=8),
    st.text(st.sampled_from(ODD), min_size=1, max_size=8),
    st.sampled_from(["", " ", "webhook", "true", "NaN", "1e999", "-1", "1_000", "٣", "\ud800"]),
    st.sampled_from(["x" * 201, "y" * 4001, "9" * 500, "2026-11-22T09:40:13Z", "A-B-C", "NMFC"]),
    NUMBERS.map(str),
)
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.one_of(
    PLAIN,
    PLAIN,
    st.lists(PLAIN, max_size=3),
    st.dictionaries(st.text(max_size=5), PLAIN, max_size=3),
    st.integers(1, 200).map(lambda depth: json.loads("[" * depth + "]" * depth)),
)
EQUATION = st.text("AB -*/.+():1e0\t", max_size=12)


WORDS = ("comment", "status", "msg", "alert_id", "notes", "name", "label", "ticker", "xch")


def nearly_right(name):
    """Values of the kind that a field of this name takes, few of them usual."""
    if any(word in name for word in WORDS):
        return TEXTS
    return st.one_of(NUMBERS, NUMBERS.map(str))


@st.composite
def mutated(draw, base, fields):
    """This body with some fields replaced, dropped or added."""
    body = dict(base)
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=4)):
        match draw(st.integers(0, 7)):
            case 0:
                body.pop(name, None)
            case 1 | 2 | 3:
                body[name] = draw(VALUES)
            case _:
                body[name] = draw(nearly_right(name))
    if "ticker" in body and not draw(st.integers(0, 3)):
        body["ticker"] = draw(EQUATION)
    return body


CUTS = ["whole"] * 24 + [
    "truncated",
    "inserted",
    "BOM",
    "UTF-16",
    "wrapped",
    "twice",
    "deep",
    "huge",
]


@st.composite
def damaged(draw, bodies):
    """The bytes of a body, sometimes damaged."""
    text = json.dumps(draw(bodies))
    raw = text.encode()
    match draw(st.sampled_from(CUTS)):
        case "truncated":
            return raw[: draw(st.integers(0, len(raw)))]
        case "inserted":
            at = draw(st.integers(0, len(raw)))
            return raw[:at] + draw(st.binary(min_size=1, max_size=4)) + raw[at:]
        case "BOM":
            return b"\xef\xbb\xbf \n" + raw + b"\r\n"
        case "UTF-16":
            return text.encode("utf-16")
        case "wrapped":
            return b"[" + raw + b"]"
        case "twice":
            return raw[:-1] + b", " + raw[1:]
        case "deep":
            return b'{"extra": ' + b"[" * 5000 + b"]" * 5000 + b", " + raw[1:]
        case "huge":
            return b'{"extra": "' + b"x" * 65536 + b'", ' + raw[1:]
    return raw


def bytes_of(bodies):
    return st.lists(
        st.integers(0, 19).flatmap(lambda n: damaged(bodies) if n else st.binary(max_size=40)),
        min_size=TOGETHER,
        max_size=TOGETHER,
    )


FIELDS = {
    *alert(),
    *("order_status", "status_msg", "error_msg", "timestamp", "bypass_ticker_status", "alert_id"),
    *("order_id1", "stk_price1", "price2", "ticker1", "hedge_param", "slip", "fill_price", "extra"),
}
ALERTS = mutated(alert(), FIELDS)
REVISIONS = mutated(alert(rowid=1, stk_ticker1="NMFC"), {*FIELDS, "rowid", "ticker_type"})
UPDATES = mutated(
    {"passphrase": "webhook", "order_id": 1, "stk_price": 5, "price": 5, "filled_qty": 1},
    {"order_id", "stk_price", "price", "filled_qty", "symbol", "cancel", "partial", "passphrase"}
    | {"order_contracts"},
)
STOCKS = mutated({"symbol": "AAPL"}, {"symbol", "prixch", "secxch", "active"})
PAIRS = mutated(
    {"ticker1": "A", "ticker2": "B", "hedge": 1},
    {"name", "ticker1", "ticker2", "hedge", "status", "notes"},
)
LOGINS = mutated({"username": "x", "password": "y"}, {"username", "password", "expire"})
USERS = mutated(
    {"username": "x", "password": "12345678"}, {"username", "password", "admin", "old_password"}
)
PASSPHRASES = mutated({"label": "x"}, {"label", "passphrase"})


# --- alerts ------------------------------------------------------------------------------


def carries_the_passphrase(raw):
    """Whether this is an object with the right passphrase in its field."""
    if len(raw) > 65536:
        return False
    try:
        body = json.loads(raw.decode("utf-8-sig"), strict=False)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("passphrase") == "webhook"


def stored():
    """How many (signals, rejected alerts with a passphrase, rejected alerts) there are."""
    rejected = models.RejectedAlert.select()
    known = rejected.where(models.RejectedAlert.known)
    return models.Signal.select().count(), known.count(), rejected.count()


async def send_alerts(api, bodies):
    """Posts alerts at the same time; each is afterwards a signal or a rejected alert."""
    signals, known, rejected = stored()
    answers = await asyncio.gather(*(api.post("/v3/webhook", raw=raw) for raw in bodies))
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {200, 201, 400, 413}, statuses
    carried = [carries_the_passphrase(raw) for raw in bodies]
    refused = [status in (400, 413) for status in statuses]
    assert all(one or two for one, two in zip(carried, refused, strict=True))
    signals_now, known_now, rejected_now = stored()
    assert signals_now - signals == statuses.count(201)
    assert rejected_now - rejected == sum(refused)
    owed = sum(one and two for one, two in zip(carried, refused, strict=True))
    assert known_now - known >= owed


async def check_pages(api, token):
    """Whatever was stored can be shown."""
    for path in ("/v3/signals/0", "/v3/signals/0.csv", "/v3/rejected/0", "/dashboard", "/list"):
        assert (await api.get(path, token=token)).status == 200, path


@pytest.fixture
def overrides():
    many = 10**6
    return {
        "strangers_kept": many,
        "rejected_kept": many,
        "login_attempts": many,
        "wrong_passphrases": many,
    }


def test_whatever_carries_the_passphrase_is_a_signal_or_a_rejected_alert(io_loop, api, desk, admin):
    @examples(500)
    @given(bytes_of(ALERTS))
    def check(batch):
        io_loop.run_sync(lambda: send_alerts(api, batch))

    check()
    io_loop.run_sync(lambda: check_pages(api, admin))


# --- the other bodies --------------------------------------------------------------------

ROUTES = [
    ("PUT", "/v3/webhook", REVISIONS, False),
    ("PUT", "/v3/signal/updateorder", UPDATES, False),
    ("POST", "/v3/price", UPDATES, False),
    ("POST", "/v3/regstock", STOCKS, True),
    ("PUT", "/v3/regstock", STOCKS, True),
    ("POST", "/v3/regpair", PAIRS, True),
    ("PUT", "/v3/regpair", PAIRS, True),
    ("POST", "/v3/login", LOGINS, False),
    ("PUT", "/v3/reguser", USERS, True),
    ("POST", "/v3/passphrases", PASSPHRASES, True),
    ("POST", "/v3/rejected/1/resubmit", ALERTS, True),
]


@pytest.mark.slow
@pytest.mark.parametrize("row", ROUTES, ids=[f"{row[0]} {row[1]}" for row in ROUTES])
def test_no_body_breaks_a_route(io_loop, api, desk, admin, row):
    method, path, body, by_admin = row
    token = admin if by_admin else None

    async def send(batch):
        for part in (batch[:HASHED], batch[HASHED:]):
            calls = (api.call(method, path, raw=raw, token=token) for raw in part)
            for answer in await asyncio.gather(*calls):
                assert answer.status in (200, 201, 400, 401, 404, 413), answer.text
                assert answer.json is not None

    @examples(60)
    @given(bytes_of(body))
    def check(batch):
        io_loop.run_sync(lambda: send(batch))

    io_loop.run_sync(lambda: api.alert(order_id1=1, order_id2=1))
    io_loop.run_sync(lambda: api.alert(ticker=""))
    check()
    for shown in ("/v3/signals/0", "/v3/stocks/0", "/v3/pairs/0", "/v3/events", "/dashboard"):
        assert io_loop.run_sync(lambda path=shown: api.get(path, token=admin)).status == 200


@pytest.mark.parametrize("path", ["/v3/webhook", "/static/js/api.js", "/nowhere"])
@pytest.mark.gen_test(timeout=60)
async def test_a_body_that_stalls_ends_its_connection(api, app, path):
    host, port = api.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{".encode())
    while not app.in_hand:
        await api.get("/v3/stocks/0")
    app.hang_up_on_stalled()
    assert not reader.at_eof()
    app.hang_up_on_stalled(0)
    assert await reader.read() == b""
    writer.close()


@pytest.mark.gen_test(timeout=60)
async def test_an_answer_in_the_making_is_no_stalled_body(api, app, desk):
    answer = asyncio.ensure_future(api.alert())
    while not any(each.body is not None for each in app.in_hand):  # noqa: ASYNC110
        await asyncio.sleep(0)
    app.hang_up_on_stalled(0)
    assert (await answer).status == 201
