"""The original's faults, one row each: none of them may come back."""

import json
from types import SimpleNamespace

import pytest

from tests.conftest import alert

pytestmark = pytest.mark.gen_test(timeout=60)

HUGE = 2**63


def changed(**fields):
    """An alert with these fields as they are, nulls too."""
    return json.dumps(alert() | fields).encode()


# What the original lost with a 500: name, body, status now
LOST = [
    ("an unknown first ticker", changed(ticker="QQQQ-0.5*ROIC"), 201),
    ("an unknown single", changed(ticker="QQQQ"), 201),
    ("a class share", changed(ticker="NYSE:BF.A"), 201),
    ("a class share in a pair", changed(ticker="BF.A-0.5*BF.B"), 201),
    ("spaces around the minus", changed(ticker="NMFC - 0.72*ROIC"), 201),
    ("a null ticker", changed(ticker=None), 400),
    ("an empty ticker", changed(ticker=""), 400),
    ("a timestamp", changed(timestamp="2026-11-22 09:40:13"), 201),
    ("a timestamp with T and Z", changed(timestamp="2026-11-22T09:40:13.123Z"), 201),
    ("a timestamp that is none", changed(timestamp="{{timenow}}"), 400),
    ("a timestamp that is a number", changed(timestamp=1763800813), 201),
    ("contracts beyond 64 bits", changed(order_contracts=HUGE), 400),
    ("a price beyond 64 bits", changed(order_price=-HUGE), 400),
    ("a size beyond 64 bits", changed(mar_pos_size=HUGE), 400),
    ("an order id beyond 64 bits", changed(order_id1=HUGE), 400),
    ("a lone surrogate", changed()[:-1] + b', "order_comment": "\\ud800"}', 201),
    ("a lone surrogate as ticker", changed()[:-1] + b', "ticker": "\\udfff"}', 201),
    ("a list", b'[{"passphrase": "webhook"}]', 400),
    ("an empty list", b"[]", 400),
    ("a text", b'"webhook"', 400),
]
# What the original took in: name, body, what is stored now (None: refused)
TAKEN = [
    ("a passphrase in a list", changed(passphrase=["webhook"]), None),
    ("contracts of null", changed(order_contracts=None), None),
    ("a price of NaN", changed(order_price=float("nan")), None),
    ("a price of Infinity", changed(order_price=float("inf")), None),
    ("a price of -Infinity", changed(order_price=float("-inf")), None),
    ("NaN as text", changed(order_price="NaN"), None),
    ("Infinity as text", changed(order_contracts="Infinity"), None),
    ("a number beyond all", changed()[:-1] + b', "order_price": 1e999}', None),
    ("1.5 contracts", changed(order_contracts=1.5), {"order_contracts": 1.5}),
    ("2.5 contracts as text", changed(order_contracts="2.5"), {"order_contracts": 2.5}),
    ("contracts of true", changed(order_contracts=True), None),
    ("contracts of -5", changed(order_contracts=-5), None),
    ("a long comment", changed(order_comment="x" * 60_000), None),
    ("a size of null", changed(mar_pos_size=None), {"mar_pos_size": 0}),
    ("a bypass of 'false'", changed(ticker="IBM", bypass_ticker_status="false"), "passive ticker"),
    ("a bypass of 'no'", changed(ticker="IBM", bypass_ticker_status="no"), None),
    ("A/B as B alone", changed(ticker="NMFC/AAPL"), "problematic ticker!"),
    ("A+B as B alone", changed(ticker="NMFC+AAPL"), "problematic ticker!"),
]


@pytest.mark.parametrize(("raw", "status"), [row[1:] for row in LOST], ids=[row[0] for row in LOST])
async def test_an_alert_that_the_original_lost_is_a_signal_or_kept(api, desk, admin, raw, status):
    answer = await api.post("/v3/webhook", raw=raw)
    assert answer.status == status
    signals = (await api.get("/v3/signals/0")).json["signals"]
    kept = (await api.get("/v3/rejected/0", token=admin)).json["rejected"]
    assert (len(signals), len(kept)) == ((1, 0) if status == 201 else (0, 1))
    if kept and b"webhook" in raw:
        assert kept[0]["body"] == raw.decode().replace("webhook", "***")


@pytest.mark.parametrize(
    ("raw", "stored"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN]
)
async def test_what_the_original_took_in_is_refused_or_stored_as_it_is(api, desk, raw, stored):
    answer = await api.post("/v3/webhook", raw=raw)
    signals = (await api.get("/v3/signals/0")).json["signals"]
    if stored is None:
        assert (answer.status, signals) == (400, [])
    elif isinstance(stored, str):
        assert (answer.status, signals[0]["status_msg"]) == (201, stored)
        assert signals[0]["order_status"] in ("error", "canceled")
    else:
        assert answer.status == 201
        assert {key: signals[0][key] for key in stored} == stored


async def test_the_passphrase_is_not_read_from_the_query_string(api, desk):
    body = alert(passphrase=None)
    for method, path in (("POST", "/v3/webhook"), ("PUT", "/v3/webhook"), ("POST", "/v3/price")):
        answer = await api.call(method, f"{path}?passphrase=webhook", body)
        assert (answer.status, "passphrase" in answer.json["message"]) == (400, True)


async def test_no_alert_breaks_the_dashboard(api, desk):
    for _, raw, _ in LOST + TAKEN:
        await api.post("/v3/webhook", raw=raw)
    for path in ("/dashboard", "/list", "/list?start_date=x&tradetype=y"):
        assert (await api.get(path)).status == 200
    answer = await api.get("/v3/signals/0")
    json.loads(answer.text, parse_constant=pytest.fail)


async def test_a_comment_of_20_megabytes_is_413(api, desk):
    answer = await api.post("/v3/webhook", raw=changed(order_comment="x" * 20_000_000))
    assert answer.status == 413
    assert (await api.get("/v3/totals")).json["count"] == 0


@pytest.mark.parametrize(
    ("cancel", "status"), [("false", "filled"), ("true", "canceled"), (0, "filled"), ("no", None)]
)
async def test_a_cancel_of_false_in_words_cancels_nothing(api, desk, cancel, status):
    await api.alert(ticker="AAPL", order_status="created", order_id1=5)
    body = {"passphrase": "webhook", "order_id": 5, "stk_price": 1, "cancel": cancel}
    answer = await api.post("/v3/signal/updateorder", body)
    expected = (200, status) if status else (400, "created")
    found = (await api.get("/v3/signal/1")).json["order_status"]
    assert (answer.status, found) == expected


async def test_minus_one_signals_without_a_token_are_none(api, desk):
    for _ in range(7):
        await api.alert()
    for path in ("/v3/signals/-1", "/v3/signals/status/waiting/-1", "/v3/signals/ticker/NMFC/-1"):
        answer = await api.get(path)
        assert (answer.status, answer.json["signals"]) == (400, [])


@pytest.mark.parametrize("noun", ["signal/9", "stock/NONE", "pair/A-B", "user/nobody"])
async def test_deleting_what_is_not_there_is_404(api, admin, noun):
    answer = await api.delete(f"/v3/{noun}", token=admin)
    assert (answer.status, answer.json) == (404, {"message": "item not found."})


async def test_a_user_can_be_deleted(api, admin):
    assert (await api.delete("/v3/user/user1", token=admin)).status == 200
    answer = await api.post("/v3/login", {"username": "user1", "password": "123"})
    assert answer.status == 401


@pytest.mark.parametrize(
    "cookie",
    [
        "session=anything",
        "session={tail}",
        "session={token}",
        "session=admin; user=admin; logged_in=True",
        "access_token={token}",
    ],
)
async def test_setup_opens_with_a_real_session_only(api, admin, cookie):
    value = cookie.format(token=admin, tail=admin[-10:])
    answer = await api.get("/setup", headers={"Cookie": value})
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=%2Fsetup")


async def test_a_restart_keeps_tokens_and_remembers_a_logout(serve):
    async with serve() as api:
        tokens = SimpleNamespace(kept=await api.token(), ended=await api.token())
        await api.post("/v3/logout", token=tokens.ended)
    async with serve() as api:
        assert (await api.get("/v3/events", token=tokens.kept)).status == 200
        answer = await api.get("/v3/events", token=tokens.ended)
        assert (answer.status, answer.json["error"]) == (401, "token_revoked")


@pytest.mark.parametrize("last", ["NMFC", "ROIC"])
async def test_a_partial_fill_of_a_pair_is_compared_leg_by_leg(api, desk, last):
    await api.alert(order_contracts=10, order_status="created", order_id1=1, order_id2=2)
    reports = {"NMFC": (1, 12.5, 8.0), "ROIC": (2, 14.2, 6.0)}
    for symbol in sorted(reports, key=lambda each: each == last):
        order_id, price, quantity = reports[symbol]
        body = {"passphrase": "webhook", "order_id": order_id, "symbol": symbol, "price": price}
        await api.put("/v3/signal/updateorder", body | {"filled_qty": quantity})
    record = (await api.get("/v3/signal/1")).json
    assert (record["order_status"], record["status_msg"]) == (
        "part.filled",
        "remained(NMFC): 2.0",
    )
