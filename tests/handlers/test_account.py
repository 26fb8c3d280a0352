"""The broker's side: tickers, positions, the account's records, and when the bridge was here."""

import json

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

import models
from tests.conftest import ON_SQLITE
from tests.handlers.conftest import ACCOUNT

pytestmark = pytest.mark.gen_test(timeout=60)

TICKER = {
    "symbol": "NMFC",
    "sectype": "STK",
    "xch": "SMART",
    "prixch": "NYSE",
    "currency": "USD",
    "order_type": "RELATIVE",
    "active": 0,
    "active_pos": 0,
    "active_pnl": 0,
    "active_cost": 0,
}
NOT_FOUND = {"message": "item not found."}
PASS = {"passphrase": "webhook"}
LARGEST = 1.7976931348623157e308


@pytest.fixture
def register(api, admin):
    """Calls /v3/regticker as admin: (status, JSON)."""

    async def call(method="POST", **body):
        answer = await api.call(method, "/v3/regticker", body, token=admin)
        return answer.status, answer.json

    return call


# Tickers


async def test_a_ticker_has_the_bridges_ten_keys_and_defaults(api, register, admin):
    assert await register(symbol="NMFC", prixch="NYSE") == (
        201,
        {"message": "'ticker' created successfully."},
    )
    answer = await api.get("/v3/ticker/NMFC")
    assert (answer.status, list(answer.json.items())) == (200, list(TICKER.items()))
    await register(symbol="AAPL")
    tickers = (await api.get("/v3/tickers/0")).json["tickers"]
    assert tickers == [TICKER | {"symbol": "AAPL", "prixch": "ISLAND"}, TICKER]
    assert (await register(symbol="NMFC")) == (
        400,
        {"message": "'ticker' with that name already exists."},
    )
    answer = await api.delete("/v3/ticker/NMFC", token=admin)
    assert (answer.status, answer.json) == (200, {"message": "Item deleted"})
    assert (await api.get("/v3/ticker/NMFC")).json == NOT_FOUND


async def test_a_ticker_is_changed_by_what_is_sent_or_made_where_it_is_not_there(api, register):
    status, made = await register("PUT", symbol="EUR.USD", sectype="cash", order_type="market")
    expected = TICKER | {"symbol": "EUR.USD", "sectype": "CASH", "order_type": "MARKET"}
    assert (status, made) == (201, expected | {"prixch": "ISLAND"})
    status, changed = await register("PUT", symbol="EUR.USD", xch="IDEALPRO", active_pos="-3")
    assert (status, changed) == (200, made | {"xch": "IDEALPRO", "active_pos": -3})


async def test_prixch_is_the_routing_exchange_of_a_stock_and_the_primary_one_of_a_ticker(
    api, register, admin
):
    await register(symbol="NMFC", xch="ARCA", prixch="NYSE")
    stock = (await api.get("/v3/stock/NMFC")).json
    assert stock == {"symbol": "NMFC", "prixch": "ARCA", "secxch": "NYSE", "active": 0}
    body = {"symbol": "NMFC", "prixch": "SMART", "secxch": "BYX"}
    await api.put("/v3/regstock", body, token=admin)
    ticker = (await api.get("/v3/ticker/NMFC")).json
    assert (ticker["xch"], ticker["prixch"]) == ("SMART", "BYX")


@ON_SQLITE
@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("sectype", "FUTURE", "must be STK, CASH or CRYPTO"),
        ("sectype", None, "must be text"),
        ("currency", "", "must be a word of 1 to 20 letters"),
        ("currency", "U$D", "must be a word of 1 to 20 letters"),
        ("order_type", "x" * 21, "must be a word of 1 to 20 letters"),
        ("active_pos", "many", "must be a number"),
        ("active_cost", None, "must be a number"),
        ("active_pnl", 10**400, "is out of range"),
        ("active", 2, "must be true or false"),
        ("symbol", "A-B", "problematic ticker!"),
    ],
)
async def test_a_faulty_field_of_a_ticker_is_named(register, field, value, reason):
    body = {"symbol": "NMFC", field: value}
    for method in ("POST", "PUT"):
        assert await register(method, **body) == (400, {"message": {field: reason}})


async def test_a_leg_of_a_pair_cannot_become_crypto(api, desk, register):
    refused = (400, {"message": "crypto cannot be a leg of a pair."})
    assert await register("PUT", symbol="NMFC", sectype="CRYPTO") == refused


@pytest.mark.parametrize(
    ("registered", "asked", "found"),
    [
        ("USD.CAD", "USDCAD", True),
        ("USDCAD", "USD.CAD", True),
        ("BF B", "BF%20B", True),
        ("USDCAD", "USD.EUR", False),
        ("EUR.USD", "EUR", False),
    ],
)
async def test_a_currency_pair_is_found_in_either_spelling(api, register, registered, asked, found):
    sectype = "STK" if " " in registered else "CASH"
    await register(symbol=registered, sectype=sectype, currency=registered[-3:])
    answer = await api.get(f"/v3/ticker/{asked}")
    assert answer.status == (200 if found else 404)
    assert not found or answer.json["symbol"] == registered


async def test_a_stock_of_six_letters_has_one_spelling(api, register):
    await register(symbol="ABCDEF")
    assert (await api.get("/v3/ticker/ABC.DEF")).status == 404


# Currency and crypto pairs in alerts

CASH = {"sectype": "CASH", "currency": "CAD", "active": 1}
JUDGED = [
    # rows registered, the alert's ticker, leg 1 then, status and message
    ({"USD.CAD": CASH}, "USDCAD", "USD.CAD", "waiting", None),
    ({"USD.CAD": CASH}, "FX_IDC:USDCAD", "USD.CAD", "waiting", None),
    ({"USD.CAD": CASH}, "USD.CAD", "USD.CAD", "waiting", None),
    ({"USDCAD": CASH}, "USDCAD", "USD.CAD", "waiting", None),
    ({"USDCAD": CASH}, "USD.CAD", "USD.CAD", "waiting", None),
    ({"USD.CAD": CASH | {"active": 0}, "USDCAD": CASH}, "USDCAD", "USD.CAD", "canceled", "passive"),
    ({"USD.CAD": CASH, "USDCAD": CASH | {"active": 0}}, "USDCAD", "USD.CAD", "waiting", None),
    ({"USD.CAD": CASH | {"currency": "USD"}}, "USDCAD", "USD.CAD", "error", "currency mismatch!"),
    ({"USDCAD": CASH | {"currency": "EUR"}}, "USDCAD", "USD.CAD", "error", "currency mismatch!"),
    ({"USD.CAD": CASH | {"currency": "EUR"}}, "USD.CAD", "USD.CAD", "error", "currency mismatch!"),
    (
        {"USD.CAD": CASH, "USDCAD": CASH | {"currency": "EUR"}},
        *("USDCAD", "USD.CAD", "waiting", None),
    ),
    (
        {"BTC.USD": {"sectype": "CRYPTO", "active": 1}},
        *("COINBASE:BTCUSD", "BTC.USD", "waiting", None),
    ),
    ({"DOGEUSD": {"sectype": "CRYPTO", "active": 1}}, "DOGEUSD", "DOGE.USD", "waiting", None),
    ({"USDCAD": {"sectype": "STK", "active": 1}}, "USDCAD", "USDCAD", "waiting", None),
    ({"USD.CAD": {"sectype": "STK", "active": 1}}, "USDCAD", "USDCAD", "error", "unknown ticker"),
    ({}, "USDCAD", "USDCAD", "error", "unknown ticker"),
]


@pytest.mark.parametrize(("rows", "ticker", "leg", "status", "message"), JUDGED)
async def test_an_alert_of_a_currency_pair_is_read_as_the_broker_spells_it(
    api, register, rows, ticker, leg, status, message
):
    for symbol, fields in rows.items():
        assert (await register(symbol=symbol, **fields))[0] == 201
    await api.alert(ticker=ticker)
    signal = (await api.get("/v3/signal/1")).json
    message = "passive ticker" if message == "passive" else message
    assert (signal["ticker"], signal["ticker1"], signal["ticker2"]) == (ticker, leg, None)
    assert (signal["order_status"], signal["status_msg"]) == (status, message)
    if status == "waiting":
        assert (await api.get(f"/v3/ticker/{leg}")).status == 200, "the bridge asks for it"
    if leg == "USD.CAD":
        for name in ("USDCAD", "USD.CAD"):
            listed = (await api.get(f"/v3/signals/ticker/{name}/5")).json["signals"]
            assert [each["rowid"] for each in listed] == [1]


@pytest.mark.parametrize("name", ["EUR.USD-GBP.USD", "EURUSD-GBPUSD"])
async def test_a_pair_of_currency_pairs_is_found_in_either_spelling(api, register, name):
    for symbol in ("EUR.USD", "GBP.USD"):
        await register(symbol=symbol, sectype="CASH")
    leg1, leg2 = name.split("-")
    await api.register_pair(leg1, leg2, 1.2)
    await api.alert(ticker="FX:EURUSD-1.2*FX:GBPUSD")
    signal = (await api.get("/v3/signal/1")).json
    assert (signal["ticker1"], signal["ticker2"]) == ("EUR.USD", "GBP.USD")
    assert (signal["order_status"], signal["hedge_param"]) == ("waiting", 1.2)


@pytest.mark.parametrize(
    ("rows", "legs", "message"),
    [
        (
            {"EUR.USD": {"sectype": "CASH", "active": 1}, "EURUSD": {"sectype": "CASH"}},
            ("EURUSD", "GBPUSD"),
            " one of the tickers is already active!",
        ),
        (
            {"BTC.USD": {"sectype": "CRYPTO"}, "BTCUSD": {}},
            ("BTCUSD", "GBPUSD"),
            "crypto cannot be a leg of a pair.",
        ),
        ({}, ("EUR.USD", "EURUSD"), {"ticker2": "must differ from ticker1"}),
    ],
)
async def test_a_pair_is_refused_by_its_legs_however_they_are_spelled(
    api, register, admin, rows, legs, message
):
    for symbol, fields in rows.items():
        await register(symbol=symbol, **fields)
    body = {"ticker1": legs[0], "ticker2": legs[1], "hedge": 1, "status": 1}
    for ticker1, ticker2 in (legs, legs[::-1]):
        body |= {"ticker1": ticker1, "ticker2": ticker2}
        answer = await api.post("/v3/regpair", body, token=admin)
        assert (answer.status, answer.json) == (400, {"message": message})


async def test_an_alias_cannot_be_deleted_while_its_signal_is_open(api, register, admin):
    await register(symbol="USDCAD", **CASH)
    await api.alert(ticker="USDCAD")
    assert (await api.delete("/v3/ticker/USDCAD", token=admin)).status == 400


# Positions


async def hold(api, symbol, position, cost=1.0, pnl=0):
    body = {"symbol": symbol, "active_pos": position, "active_cost": cost, "active_pnl": pnl}
    return await api.put("/v3/ticker/updatepnl", body | PASS)


async def test_a_position_sets_its_three_fields_and_no_other(api, register, admin):
    await register(symbol="NMFC", prixch="NYSE", order_type="LIMIT", active=1)
    before = (await api.get("/v3/ticker/NMFC")).json
    for _ in range(2):
        answer = await hold(api, "NMFC", 7, 148.123, 14)
        expected = before | {"active_pos": 7, "active_cost": 148.123, "active_pnl": 14}
        assert (answer.status, answer.json) == (200, expected)
    events = (await api.get("/v3/events", token=admin)).json["events"]
    (event,) = [each for each in events if each["type"] == "position.updated"]
    assert (event["subject"], event["source"]) == ("NMFC", "bridge")
    assert event["changes"] == {
        "active_pos": [0, 7],
        "active_cost": [0, 148.123],
        "active_pnl": [0, 14],
    }


HELD = [
    (["EUR.USD"], "EUR", "EUR.USD"),
    (["EURUSD"], "EUR", "EURUSD"),
    (["EURUSD", "EUR.USD"], "EUR", "EUR.USD"),
    (["EUR.USD", "EUR.GBP"], "EUR", None),
    (["EUR.USD", "EUR.GBP", "EUR"], "EUR", "EUR"),
    (["EUR.USD"], "EU", None),
    (["BF B"], "BF B", "BF B"),
    ([], "SPY", None),
]


@pytest.mark.parametrize(("registered", "symbol", "found"), HELD)
async def test_a_position_comes_under_the_brokers_symbol(api, register, registered, symbol, found):
    for each in registered:
        sectype = "CASH" if len(each) > 5 else "STK"
        await register(symbol=each, sectype=sectype, currency=each[-3:].strip())
    answer = await hold(api, symbol, 3)
    assert answer.status == (200 if found else 404)
    held = {each["symbol"]: each for each in (await api.get("/v3/tickers/0")).json["tickers"]}
    assert [name for name, each in held.items() if each["active_pos"]] == [found] * bool(found)


async def test_positions_show_pairs_singles_and_sums_once(api, desk):
    await hold(api, "NMFC", 100, 12.5, 30)
    await hold(api, "ROIC", -72, 14.25, -12.5)
    await hold(api, "V", -30, 100, 5)
    await hold(api, "IBM", 10, 150, -1)
    answer = await api.get("/v3/positions")
    assert answer.status == 200
    held = answer.json
    assert list(held) == ["pairs", "singles", "totals"]
    second, first = held["pairs"]
    assert [first["name"], second["name"]] == ["NMFC-ROIC", "MA-V"]
    assert first == {
        "name": "NMFC-ROIC",
        "hedge": 0.72,
        "actual_hedge": 0.72,
        "mark": "fine",
        "active_pnl": 17.5,
        "currency": "USD",
        "unhedged": 0,
        "unhedged_amount": 0,
        "legs": [
            {
                "symbol": "NMFC",
                "active_pos": 100,
                "active_cost": 12.5,
                "active_pnl": 30,
                "currency": "USD",
            },
            {
                "symbol": "ROIC",
                "active_pos": -72,
                "active_cost": 14.25,
                "active_pnl": -12.5,
                "currency": "USD",
            },
        ],
    }
    assert (second["mark"], second["unhedged"], second["unhedged_amount"]) == (
        "left over",
        -30,
        -3000,
    )
    assert [single["symbol"] for single in held["singles"]] == ["IBM"]
    assert held["totals"] == [
        {"currency": "USD", "active_pnl": 21.5, "long": 2750, "short": -4026},
    ]


async def test_a_position_is_counted_once_when_its_pair_got_a_second_spelling(api, register):
    for symbol in ("EURUSD", "EUR.USD"):
        await register(symbol=symbol, sectype="CASH")
        await hold(api, "EUR", 5, 1.1, 3)
    held = (await api.get("/v3/positions")).json
    assert [single["symbol"] for single in held["singles"]] == ["EUR.USD"]
    assert held["totals"] == [{"currency": "USD", "active_pnl": 3, "long": 5.5, "short": 0}]


async def test_legs_in_two_currencies_have_no_sum(api, register):
    await register(symbol="SAP", currency="EUR", active_pnl=3)
    await register(symbol="ORCL", active_pnl=4)
    await api.register_pair("SAP", "ORCL", 1)
    held = (await api.get("/v3/positions")).json
    assert (held["pairs"][0]["active_pnl"], held["pairs"][0]["currency"]) == (None, None)
    assert [total["currency"] for total in held["totals"]] == ["EUR", "USD"]


async def test_positions_beyond_all_bounds_are_shown_without_a_number(api, desk):
    await hold(api, "NMFC", LARGEST, LARGEST, LARGEST)
    await hold(api, "ROIC", -LARGEST, LARGEST, LARGEST)
    held = (await api.get("/v3/positions")).json
    assert held["totals"][0] == {"currency": "USD", "active_pnl": None, "long": None, "short": None}


# The account


async def test_an_account_record_is_kept_read_and_replaced(api, admin):
    answer = await api.post("/v3/regpnl", ACCOUNT | PASS)
    assert (answer.status, answer.json) == (201, {"message": "'record' created successfully."})
    answer = await api.get("/v3/pnl/1")
    assert set(answer.json) == {"signals", "notoken_limit"}
    assert answer.json["notoken_limit"] == 5
    (record,) = answer.json["signals"]
    assert record == ACCOUNT | {"rowid": 1, "timestamp": record["timestamp"]}
    change = ACCOUNT | {"NetLiquidation": 101000.0, "DailyPnL": -1.0}
    change |= {"rowid": 1, "timestamp": "2026-11-22 09:42:52"}
    answer = await api.put("/v3/regpnl", change | PASS)
    assert (answer.status, answer.json) == (200, change)
    assert (await api.get("/v3/pnl/1", token=admin)).json == {"signals": [change]}
    events = (await api.get("/v3/events", token=admin)).json["events"]
    assert [event["type"] for event in events] == ["account.created", "account.updated"]
    assert set(events[1]["changes"]) == {"NetLiquidation", "DailyPnL", "timestamp"}
    assert (await api.put("/v3/regpnl", change | PASS)).status == 200
    assert len((await api.get("/v3/events", token=admin)).json["events"]) == 2


async def test_a_replacement_leaves_what_it_does_not_name(api):
    await api.post("/v3/regpnl", ACCOUNT | PASS)
    before = (await api.get("/v3/pnl/1")).json["signals"][0]
    answer = await api.put("/v3/regpnl", {"rowid": "1", "DailyPnL": 5, "timestamp": None} | PASS)
    assert answer.json == before | {"DailyPnL": 5}


async def test_a_value_that_the_gateway_does_not_have_is_kept(api):
    await api.post("/v3/regpnl", ACCOUNT | PASS | {"UnrealizedPnL": LARGEST})
    assert (await api.get("/v3/pnl/1")).json["signals"][0]["UnrealizedPnL"] == LARGEST
    assert (await api.get("/dashboard")).status == 200


@pytest.mark.parametrize(
    ("field", "value"), [("DailyPnL", None), ("BuyingPower", "x"), ("MaintMarginReq", True)]
)
async def test_a_faulty_record_names_its_fields_and_stores_nothing(api, field, value):
    for body in (ACCOUNT | {field: value}, {k: v for k, v in ACCOUNT.items() if k != field}):
        answer = await api.post("/v3/regpnl", body | PASS)
        assert (answer.status, list(answer.json["message"])) == (400, [field])
    assert (await api.get("/v3/pnl/0")).json["signals"] == []


async def test_an_unknown_record_is_404_and_a_deleted_one_is_gone(api, admin):
    await api.post("/v3/regpnl", ACCOUNT | PASS)
    assert (await api.put("/v3/regpnl", {"rowid": 2} | PASS)).json == NOT_FOUND
    assert (await api.delete("/v3/pnl/1", token=admin)).json == {"message": "Item deleted"}
    answer = await api.delete("/v3/pnl/1", token=admin)
    assert (answer.status, answer.json) == (404, NOT_FOUND | {"signals": []})


async def test_account_records_are_had_as_a_sheet(api, admin):
    for _ in range(2):
        await api.post("/v3/regpnl", ACCOUNT | PASS)
    await api.put("/v3/regpnl", {"rowid": 1, "timestamp": "2026-11-22 09:42:52"} | PASS)
    answer = await api.get("/v3/pnl/0.csv", token=admin)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="account.csv"'
    head, newest, oldest, end = answer.text.split("\r\n")
    assert head.split(",")[:4] == ["rowid", "timestamp", "AvailableFunds", "BuyingPower"]
    assert oldest == "1,2026-11-22T09:42:52Z,80001,320001,12.3,20000,5000,100000,90.1,-56.8"
    assert (newest[:2], end) == ("2,", "")


# When the bridge was here

WAITING = "/v3/signals/status/waiting/0"


async def state(api, admin):
    answer = await api.get("/v3/bridge", token=admin)
    assert answer.status == 200
    return answer.json


async def seen(api, admin):
    """The state once the bridge was seen; it is told after the poll was answered."""
    while not (found := await state(api, admin))["last_seen"]:
        pass
    return found


async def test_before_the_first_poll_the_bridge_was_never_seen(api, admin):
    nothing = {"last_seen": None, "waiting": 0, "oldest_waiting_s": None}
    assert await state(api, admin) == nothing


async def test_a_poll_without_token_and_cookie_is_the_bridges(api, desk, admin):
    for headers in ({"Cookie": "zone=UTC"}, {"Authorization": "Basic eDp5"}):
        await api.get(WAITING, headers=headers)
    await api.get(WAITING, token=admin)
    await api.get("/v3/signals/5")
    await api.get("/v3/signals/status/created/0")
    assert (await state(api, admin))["last_seen"] is None
    await api.alert(timestamp="2026-01-02 03:04:05")
    await api.alert()
    await api.get(WAITING)
    found = await seen(api, admin)
    assert found["waiting"] == 2
    assert found["oldest_waiting_s"] > 86400


@pytest.mark.parametrize("overrides", [{"bridge_keys": ["a-key-of-the-bridge"]}], indirect=True)
async def test_where_there_are_keys_a_poll_carries_one(api, admin):
    await api.get(WAITING)
    assert (await state(api, admin))["last_seen"] is None
    header = {"Authorization": "Basic YnJpZGdlOmEta2V5LW9mLXRoZS1icmlkZ2U="}
    await api.get("/v3/tickers/0", headers=header)
    assert (await state(api, admin))["last_seen"] is None
    await api.get(WAITING, headers=header)
    assert await seen(api, admin)


async def test_polls_are_written_down_now_and_then_and_outlive_the_server(serve):
    async with serve() as api:
        for _ in range(5):
            await api.get(WAITING)
    seen = models.Bridge.seen()
    assert seen
    assert models.Bridge.select().count() == 1
    async with serve() as api:
        assert (await state(api, await api.token()))["last_seen"] == seen


async def test_who_is_logged_in_hears_of_a_poll(api, admin, desk):
    address = api.base_url.replace("http", "ws") + "/ws/signals"
    token = {"Authorization": f"Bearer {admin}"}
    known = await websocket_connect(HTTPRequest(address, headers=token))
    stranger = await websocket_connect(address)
    for line in (known, stranger):
        assert json.loads(await line.read_message())["type"] == "hello"
    await api.get(WAITING)
    told = json.loads(await known.read_message())
    await api.alert()
    assert told["type"] == "bridge"
    assert told == {
        "type": "bridge",
        **(await state(api, admin)),
        "waiting": 0,
        "oldest_waiting_s": None,
    }
    assert json.loads(await stranger.read_message())["type"] == "signal.created"
    known.close()
    stranger.close()
