"""The broker's side: tickers, positions, the account's records, and when the bridge was here."""

import pytest

import models
from tests.conftest import ON_SQLITE
from tests.handlers.conftest import ACCOUNT, PASS, hold

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
        ("active_cost", True, "must be a number"),
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
        ("BF B", "BF.B", True),
        ("BP.", "BP", False),
        ("USDCAD", "USD.EUR", False),
        ("EUR.USD", "EUR", False),
    ],
)
async def test_a_ticker_is_found_in_either_spelling(api, register, registered, asked, found):
    await register(symbol=registered, sectype="CASH" if "USD" in registered else "STK")
    answer = await api.get(f"/v3/ticker/{asked}")
    assert answer.status == (200 if found else 404)
    assert not found or answer.json["symbol"] == registered


async def test_a_stock_of_six_letters_has_one_spelling(api, register):
    await register(symbol="ABCDEF")
    assert (await api.get("/v3/ticker/ABC.DEF")).status == 404


async def listed(api, name):
    """The rowids of a ticker's signals."""
    signals = (await api.get(f"/v3/signals/ticker/{name}/5")).json["signals"]
    return [signal["rowid"] for signal in signals]


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
    names = {"USD.CAD": ("USDCAD", "USD.CAD")}.get(leg, (leg.replace(" ", "%20"),))
    for name in names:
        assert await listed(api, name) == [1]


CURRENCIES = {"TECK.B": "CAD", "SU": "CAD", "BRK B": "USD", "BP.": "GBP"}
MARKETS = [  # the alert's ticker, leg 1 then, its message
    ("TSX:TECK.B", "TECK.B", None),
    ("TECK.B", "TECK.B", None),
    ("NYSE:TECK.B", "TECK.B", "exchange mismatch!"),
    ("NYSE:BRK.B", "BRK B", None),
    ("LSE:BP.", "BP.", None),
    ("TSX:SU", "SU", None),
    ("SU", "SU", None),
    ("ELSEWHERE:SU", "SU", None),
    ("EURONEXT:SU", "SU", "exchange mismatch!"),
    ("MIL:SU", "SU", "exchange mismatch!"),
]


async def test_a_prefix_tells_the_spelling_and_must_name_the_registered_market(api, register):
    for symbol, currency in CURRENCIES.items():
        assert (await register(symbol=symbol, currency=currency, active=1))[0] == 201
    for rowid, (ticker, leg, message) in enumerate(MARKETS, 1):
        await api.alert(ticker=ticker)
        signal = (await api.get(f"/v3/signal/{rowid}")).json
        assert (signal["ticker"], signal["ticker1"], signal["ticker2"]) == (ticker, leg, None)
        status = "error" if message else "waiting"
        assert (signal["order_status"], signal["status_msg"]) == (status, message), ticker
    for ways, leg in {("TECK.B", "TECK%20B"): "TECK.B", ("BRK.B", "BRK%20B"): "BRK B"}.items():
        rowids = [rowid for rowid, row in enumerate(MARKETS, 1) if row[1] == leg]
        for way in ways:
            assert (await api.get(f"/v3/ticker/{way}")).json["symbol"] == leg
            assert await listed(api, way) == rowids[::-1]


async def test_an_open_signal_keeps_its_ticker_however_that_is_spelled(api, register, admin):
    await register(symbol="TECK.B", currency="CAD", active=1)
    await api.alert(ticker="TECK B")
    assert (await api.delete("/v3/ticker/TECK.B", token=admin)).status == 400


async def test_a_class_share_is_one_stock_in_both_spellings(api, register):
    await register(symbol="BF B", active=1)
    body = {"ticker1": "DEO", "ticker2": "BF.B", "hedge": 1, "status": 1}
    answer = await api.post("/v3/regpair", body, token=await api.token())
    assert answer.json == {"message": " one of the tickers is already active!"}


async def test_a_pair_with_a_dot_at_an_end_is_registered_alerted_and_listed(api, register):
    await api.register_pair("BP.", "SHEL", 2)
    await api.alert(ticker="LSE:BP.-(2*LSE:SHEL)")
    signal = (await api.get("/v3/signal/1")).json
    assert (signal["ticker1"], signal["ticker2"]) == ("BP.", "SHEL")
    assert (signal["order_status"], signal["hedge_param"]) == ("waiting", 2)
    assert (await api.get("/v3/pair/BP.-SHEL")).status == 200
    assert await listed(api, "BP.-SHEL") == await listed(api, "(BP.)-(SHEL)") == [1]


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
    assert list(held) == ["pairs", "singles", "totals", "expected", "unregistered"]
    third, second, first = held["pairs"]
    assert [each["name"] for each in held["pairs"]] == ["KO-PEP", "MA-V", "NMFC-ROIC"]
    assert (third["active"], third["mark"]) == (0, "flat")
    assert first == {
        "name": "NMFC-ROIC",
        "active": 1,
        "side": "long",
        "since": first["since"],
        "hedge": 0.72,
        "actual_hedge": 0.72,
        "mark": "fine",
        "broken": False,
        "active_pnl": 17.5,
        "currency": "USD",
        "unhedged_leg": None,
        "unhedged": 0,
        "unhedged_amount": 0,
        "spread": first["spread"],
        "entry": first["entry"],
        "working": None,
        "legs": [
            {
                "symbol": "NMFC",
                "active_pos": 100,
                "active_cost": 12.5,
                "active_pnl": 30,
                "currency": "USD",
                "mark": 12.8,
                "expected": None,
            },
            {
                "symbol": "ROIC",
                "active_pos": -72,
                "active_cost": 14.25,
                "active_pnl": -12.5,
                "currency": "USD",
                "mark": 14.25 + 12.5 / 72,
                "expected": None,
            },
        ],
    }
    assert first["entry"] == pytest.approx(12.5 - 0.72 * 14.25)
    assert first["spread"] == pytest.approx(12.8 - 0.72 * (14.25 + 12.5 / 72))
    assert (second["side"], second["since"], second["spread"], second["entry"]) == (
        *("flat", None),
        *(None, None),
    )
    assert (second["mark"], second["unhedged"], second["unhedged_amount"]) == (
        "left over",
        -30,
        -3000,
    )
    assert [single["symbol"] for single in held["singles"]] == ["IBM"]
    assert held["totals"] == [
        {"currency": "USD", "active_pnl": 21.5, "long": 2750, "short": -4026, "unknown": []},
    ]


async def test_a_pair_that_is_paused_is_told_with_what_it_holds(api, desk):
    token = await api.token()
    await hold(api, "KO", 10, 60, 1)  # a pair that was paused before
    await hold(api, "MA", 10, 300, 5)
    await api.put("/v3/regpair", {"name": "MA-V", "status": 0}, token=token)
    held = (await api.get("/v3/positions")).json
    shown = {each["name"]: (each["active"], each["mark"]) for each in held["pairs"]}
    assert shown == {
        "KO-PEP": (0, "leg missing"),
        "MA-V": (0, "leg missing"),
        "NMFC-ROIC": (1, "flat"),
    }
    assert held["singles"] == []
    await hold(api, "KO", 0, 60, 0)
    held = (await api.get("/v3/positions")).json
    shown = {each["name"]: (each["active"], each["mark"]) for each in held["pairs"]}
    assert shown == {"KO-PEP": (0, "flat"), "MA-V": (0, "leg missing"), "NMFC-ROIC": (1, "flat")}


async def pair_of(api, name="NMFC-ROIC"):
    held = (await api.get("/v3/positions")).json
    return next(each for each in held["pairs"] if each["name"] == name)


SHORT = {"order_action": "sell", "mar_pos": "short", "pre_mar_pos": "flat", "pre_mar_pos_size": 0}
MORE_SHORT = SHORT | {"pre_mar_pos": "short", "pre_mar_pos_size": 100, "mar_pos_size": 150}


async def test_a_position_began_with_the_alert_that_opened_it(api, desk):
    await api.alert(**SHORT, timestamp="2026-11-20 15:30:00")
    await api.alert(**MORE_SHORT, timestamp="2026-11-21 15:30:00")
    await api.alert(ticker="NMFC-0.9*ROIC", timestamp="2026-11-22 15:30:00")  # was refused
    flat = await pair_of(api)
    assert (flat["side"], flat["since"]) == ("flat", None)
    await hold(api, "NMFC", -150, 12.5, 0)
    held = await pair_of(api)
    assert (held["side"], held["since"]) == ("short", "2026-11-20 15:30:00")


async def test_a_position_without_an_alert_began_with_the_report_that_told_it(api, desk, admin):
    await hold(api, "NMFC", 100, 12.5, 0)
    await hold(api, "NMFC", 120, 12.5, 0)
    events = (await api.get("/v3/events?subject=NMFC", token=admin)).json["events"]
    opened = [each["time"] for each in events if each["changes"].get("active_pos") == [0, 100]]
    assert [(await pair_of(api))["since"]] == opened
    for pnl in range(101):
        await hold(api, "NMFC", 120, 12.5, 1 + pnl)
    assert (await pair_of(api))["since"] is None, "it is too long ago to be looked for"


async def test_an_order_at_the_broker_is_told_with_what_is_filled(api, desk):
    rowid = (await api.alert(order_contracts=90)).json["rowid"]
    assert (await pair_of(api))["working"] is None
    placed = {"rowid": rowid, "order_status": "created", "order_id1": 7, "order_id2": 8}
    await api.put("/v3/webhook", placed | PASS)
    since = (await api.get(f"/v3/signal/{rowid}")).json["timestamp"]
    told = {"rowid": rowid, "symbol": "NMFC", "filled": 0, "size": 90, "since": since}
    assert (await pair_of(api))["working"] == told | {"order_status": "created"}
    report = {"order_id": 7, "symbol": "NMFC", "price": 12.5, "filled_qty": 54}
    await api.put("/v3/signal/updateorder", report | PASS)
    found = (await pair_of(api))["working"]
    assert (found["symbol"], found["filled"], found["size"]) == ("NMFC", 54, 90)
    await api.put("/v3/signal/updateorder", report | PASS | {"filled_qty": 90})
    found = (await pair_of(api))["working"]
    assert (found["symbol"], found["filled"], found["size"]) == ("ROIC", 0, 64)
    report = {"order_id": 8, "symbol": "ROIC", "price": 14.5, "filled_qty": 64}
    await api.put("/v3/signal/updateorder", report | PASS)
    assert (await pair_of(api))["working"] is None


async def test_what_alerts_expect_is_told_beside_what_is_held(api, desk):
    await hold(api, "NMFC", 100, 12.5, 30)
    await hold(api, "ROIC", -60, 14.25, 0)
    await api.alert()
    assert (await api.get("/v3/positions")).json["expected"] == [
        {"symbol": "NMFC", "expected": 100, "active_pos": 100},
        {"symbol": "ROIC", "expected": -72, "active_pos": -60},
    ]
    assert [leg["expected"] for leg in (await pair_of(api))["legs"]] == [100, -72]


async def test_a_position_that_nobody_registered_is_told_until_it_is_flat(api, desk):
    assert (await hold(api, "PLTR", 7, 31.4, 2)).status == 404
    [told] = (await api.get("/v3/positions")).json["unregistered"]
    del told["reported"]
    expected = {"symbol": "PLTR", "active_pos": 7, "active_cost": 31.4, "active_pnl": 2}
    assert told == expected
    assert (await hold(api, "PLTR", 0, 0, 2)).status == 404
    assert (await api.get("/v3/positions")).json["unregistered"] == []
    await hold(api, "PLTR", 7, 31.4, 2)
    await api.register_stock("PLTR")
    assert (await api.get("/v3/positions")).json["unregistered"] == []


async def test_a_report_that_changes_nothing_is_no_event(api, desk):
    token = await api.token()
    await hold(api, "NMFC", 100, 12.5, 30)
    before = (await api.get("/v3/events?after=0", token=token)).json
    answer = await hold(api, "NMFC", 100, 12.5, 30)
    assert "reported" not in answer.json
    assert (await api.get("/v3/events?after=0", token=token)).json == before


async def test_trades_that_did_not_happen_are_counted_and_listed(api, desk):
    await api.alert(ticker="NOPE")
    await api.alert(ticker="NMFC-0.9*ROIC")
    await api.alert(ticker="KO-PEP")  # paused by its owner
    await api.alert()
    assert (await api.get("/v3/figures")).json["not_traded"] == 2
    token = await api.token()
    listed = (await api.get("/v3/signals/0?status=not_traded", token=token)).json["signals"]
    assert [each["status_msg"] for each in listed] == ["wrong hedge", "unknown ticker"]


async def test_a_position_is_counted_once_when_its_pair_got_a_second_spelling(api, register):
    for symbol in ("EURUSD", "EUR.USD"):
        await register(symbol=symbol, sectype="CASH")
        await hold(api, "EUR", 5, 1.1, 3)
    held = (await api.get("/v3/positions")).json
    assert [single["symbol"] for single in held["singles"]] == ["EUR.USD"]
    total = {"currency": "USD", "active_pnl": 3, "long": 5.5, "short": 0, "unknown": []}
    assert held["totals"] == [total]


async def test_legs_in_two_currencies_have_no_sum(api, register):
    await register(symbol="SAP", currency="EUR", active_pos=1, active_cost=9, active_pnl=3)
    await register(symbol="ORCL", active_pos=-1, active_cost=8, active_pnl=4)
    await api.register_pair("SAP", "ORCL", 1)
    held = (await api.get("/v3/positions")).json
    keys = ("active_pnl", "currency", "spread", "entry")
    assert [held["pairs"][0][key] for key in keys] == [None] * 4
    assert [total["currency"] for total in held["totals"]] == ["EUR", "USD"]


UNKNOWN = [LARGEST, -LARGEST, 1.1e12, str(2**200), None, ""]


@pytest.mark.parametrize("unknown", UNKNOWN)
async def test_totals_are_of_what_is_known_and_say_what_is_not(api, desk, unknown):
    await hold(api, "NMFC", 100, 12.5, 30)
    await hold(api, "ROIC", -72, 14.25, -12.5)
    await hold(api, "V", -30, 100, 5)
    answer = await hold(api, "NMFC", unknown, unknown, unknown)
    assert answer.status == 200
    told = [answer.json[key] for key in ("active_pos", "active_cost", "active_pnl")]
    assert told == [100, None, None], "a position stays the last one that was known"
    held = (await api.get("/v3/positions")).json
    assert held["totals"] == [
        {
            **{"currency": "USD", "active_pnl": -7.5, "long": None, "short": -4026},
            "unknown": ["NMFC"],
        }
    ]
    pair = held["pairs"][-1]
    assert (pair["name"], pair["active_pnl"]) == ("NMFC-ROIC", None)
    assert (await api.get("/positions")).status == 200


async def test_a_position_that_is_sent_in_part_keeps_the_rest(api, desk):
    await hold(api, "NMFC", 100, 12.5, 30)
    before = (await api.get("/v3/ticker/NMFC")).json
    for part in ({}, {"active_pnl": 31}, {"active_pos": 90, "active_cost": 12}):
        answer = await api.put("/v3/ticker/updatepnl", {"symbol": "NMFC"} | part | PASS)
        before |= part
        assert (answer.status, answer.json) == (200, before)


async def test_a_ticker_goes_back_as_it_was_told(api, desk, register):
    await hold(api, "NMFC", 100, None, LARGEST)
    told = (await api.get("/v3/ticker/NMFC")).json
    assert told["active_cost"] is told["active_pnl"] is None
    assert await register("PUT", **told) == (200, told)


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


PNL = ("DailyPnL", "RealizedPnL", "UnrealizedPnL")
NOT_KNOWN = [
    *({"UnrealizedPnL": each} for each in UNKNOWN),
    {"NetLiquidation": LARGEST, "BuyingPower": 2**200},
    dict.fromkeys(PNL, -1.0),
    dict.fromkeys(ACCOUNT),
]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_what_the_gateway_does_not_know_is_null(api, admin, method):
    for unknown in NOT_KNOWN:
        await api.post("/v3/regpnl", ACCOUNT | PASS | (unknown if method == "POST" else {}))
        record = (await api.get("/v3/pnl/1")).json["signals"][0]
        if method == "PUT":
            change = {"rowid": record["rowid"]} | unknown
            record = (await api.put("/v3/regpnl", change | PASS)).json
        assert {k: record[k] for k in ACCOUNT} == ACCOUNT | dict.fromkeys(unknown)
    for page in ("/dashboard", "/positions", "/v3/pnl/0.csv"):
        assert (await api.get(page)).status == 200


async def test_a_loss_of_one_is_a_loss(api):
    for lost in ({"DailyPnL": -1}, {"DailyPnL": -1, "RealizedPnL": -1}):
        await api.post("/v3/regpnl", ACCOUNT | PASS | lost)
        record = (await api.get("/v3/pnl/1")).json["signals"][0]
        assert {k: record[k] for k in ACCOUNT} == ACCOUNT | lost


async def test_what_is_not_sent_of_a_record_is_null(api):
    for key in ACCOUNT:
        answer = await api.post("/v3/regpnl", {key: 5} | PASS)
        record = (await api.get("/v3/pnl/1")).json["signals"][0]
        assert answer.status == 201
        assert {k: record[k] for k in ACCOUNT} == dict.fromkeys(ACCOUNT) | {key: 5}
    assert (await api.post("/v3/regpnl", PASS)).status == 201


@pytest.mark.parametrize(("field", "value"), [("BuyingPower", "x"), ("MaintMarginReq", True)])
async def test_a_faulty_record_names_its_fields_and_stores_nothing(api, field, value):
    answer = await api.post("/v3/regpnl", ACCOUNT | {field: value} | PASS)
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


async def test_who_is_logged_in_hears_of_a_poll(api, admin, desk, greeted):
    known, stranger = await greeted(token=admin), await greeted()
    await api.get(WAITING)
    told = await known.next()
    await api.alert()
    assert told["type"] == "bridge"
    assert told == {
        "type": "bridge",
        **(await state(api, admin)),
        "waiting": 0,
        "oldest_waiting_s": None,
    }
    assert (await stranger.next())["type"] == "signal.created"
