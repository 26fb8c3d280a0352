"""Stocks and pairs: registering, changing, deleting, and who may be active beside whom."""

from functools import partial
from urllib.parse import quote

import pytest

from services import registry
from tests.conftest import ON_SQLITE

pytestmark = pytest.mark.gen_test(timeout=60)

NOT_FOUND = {"message": "item not found."}
DELETED = {"message": "Item deleted"}
STOCK_EXISTS = {"message": "'stock' with that name already exists."}
PAIR_EXISTS = {"message": "'pair' with that name already exists."}
ACTIVE_IN_PAIR = {"message": " ticker is already active in a pair!"}
LEG_ACTIVE = {"message": " one of the tickers is already active!"}


@pytest.fixture
def register(api, admin):
    """Calls a register route as admin: (status, JSON)."""

    async def call(method, noun, **body):
        answer = await api.call(method, f"/v3/reg{noun}", body, token=admin)
        return answer.status, answer.json

    return call


async def names(api, noun, n=0):
    key = {"stock": "symbol", "pair": "name"}[noun]
    return [each[key] for each in (await api.get(f"/v3/{noun}s/{n}")).json[f"{noun}s"]]


# Stocks


async def test_a_stock_is_registered_read_changed_and_deleted(api, register, admin):
    full = {"symbol": "AAPL", "prixch": "SMART", "secxch": "NASDAQ", "active": 1}
    assert await register("POST", "stock", **full) == (
        201,
        {"message": "Stock created successfully."},
    )
    answer = await api.get("/v3/stock/AAPL")
    assert (answer.status, list(answer.json.items())) == (200, list(full.items()))
    changed = full | {"prixch": "ISLAND", "secxch": "BYX", "active": 0}
    assert await register("PUT", "stock", **changed) == (200, changed)
    assert (await api.get("/v3/stocks/0")).json == {"stocks": [changed]}
    answer = await api.delete("/v3/stock/AAPL", token=admin)
    assert (answer.status, answer.json) == (200, DELETED)
    for answer in (
        await api.get("/v3/stock/AAPL"),
        await api.delete("/v3/stock/AAPL", token=admin),
    ):
        assert (answer.status, answer.json) == (404, NOT_FOUND)


async def test_a_stock_has_the_seeds_defaults(api, register):
    await register("POST", "stock", symbol="AAPL")
    expected = {"symbol": "AAPL", "prixch": "SMART", "secxch": "ISLAND", "active": 0}
    assert (await api.get("/v3/stock/AAPL")).json == expected


async def test_a_stock_is_registered_once(register):
    await register("POST", "stock", symbol="AAPL", active=1)
    assert await register("POST", "stock", symbol="AAPL") == (400, STOCK_EXISTS)


async def test_put_registers_a_stock_that_is_not_there(api, register):
    expected = {"symbol": "IBM", "prixch": "SMART", "secxch": "NYSE", "active": 0}
    assert await register("PUT", "stock", symbol="IBM", secxch="NYSE") == (201, expected)
    assert (await api.get("/v3/stock/IBM")).json == expected


@pytest.mark.parametrize("change", [{}, {"active": 0}, {"prixch": "IEX"}, {"secxch": "BYX"}])
async def test_what_a_put_of_a_stock_does_not_send_stays(register, change):
    full = {"symbol": "AAPL", "prixch": "SMART", "secxch": "NASDAQ", "active": 1}
    await register("POST", "stock", **full)
    assert await register("PUT", "stock", symbol="AAPL", **change) == (200, full | change)


SYMBOLS = ["AAPL", "BF B", "TECK.B", "BP.", "EUR.USD", "700", "ES1!", "M&M", "A.B C", "aapl"]
SYMBOLS.append("X" * 50)


async def test_a_symbol_is_spelled_as_the_broker_does_and_found_under_it(api, register, admin):
    for symbol in SYMBOLS:
        assert (await register("POST", "stock", symbol=f" {symbol} "))[0] == 201, symbol
        path = "/v3/stock/" + symbol.replace(" ", "%20").replace("&", "%26")
        assert (await api.get(path)).json["symbol"] == symbol
        assert (await api.delete(path, token=admin)).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_faulty_stock_is_400_with_all_its_faults(api, register, method):
    for symbol in ("", " ", None, True, [], "A-B", "A/B", "NYSE:MA", "0.5B", "1*A", "X" * 51, "Ä"):
        status, answer = await register(method, "stock", symbol=symbol)
        assert (status, list(answer["message"])) == (400, ["symbol"]), symbol
    bad = {"prixch": "", "secxch": "x" * 41, "active": 2}
    status, answer = await register(method, "stock", **bad)
    assert (status, set(answer["message"])) == (400, {"symbol", *bad})
    for active in ("yes", -1, 0.5, [], "", None):
        status, answer = await register(method, "stock", symbol="AAPL", active=active)
        assert (status, list(answer["message"])) == (400, ["active"]), active
    assert await names(api, "stock") == []


@pytest.mark.parametrize("active", [1, True, "true", 0, False, "false"])
async def test_active_is_answered_as_0_or_1(register, active):
    _, stock = await register("PUT", "stock", symbol="AAPL", active=active)
    assert stock["active"] == (active in (1, True, "true"))
    assert type(stock["active"]) is int


# Pairs


async def test_a_pair_is_registered_read_changed_and_deleted(api, register, admin):
    new = {"ticker1": "MA", "ticker2": "V", "hedge": 1.3, "status": 0}
    assert await register("POST", "pair", **new) == (
        201,
        {"message": "'pair' created successfully."},
    )
    record = {"name": "MA-V", **new, "notes": None}
    answer = await api.get("/v3/pair/MA-V")
    assert (answer.status, list(answer.json.items())) == (200, list(record.items()))
    changed = record | {"hedge": 1.4, "status": 1}
    assert await register("PUT", "pair", **{k: v for k, v in changed.items() if v is not None}) == (
        200,
        changed,
    )
    assert (await api.get("/v3/pairs/0")).json == {"pairs": [changed]}
    answer = await api.delete("/v3/pair/MA-V", token=admin)
    assert (answer.status, answer.json) == (200, DELETED)
    for answer in (await api.get("/v3/pair/MA-V"), await api.delete("/v3/pair/MA-V", token=admin)):
        assert (answer.status, answer.json) == (404, NOT_FOUND)
    assert set(await names(api, "stock")) == {"MA", "V"}


async def test_a_pair_registers_its_legs_inactive_and_with_defaults(api, register):
    await register("POST", "stock", symbol="V", secxch="NYSE")
    await register("POST", "pair", ticker1="MA", ticker2="V", hedge="3", status=1, notes=" mine ")
    record = (await api.get("/v3/pair/MA-V")).json
    assert (record["hedge"], record["status"], record["notes"]) == (3, 1, "mine")
    stocks = (await api.get("/v3/stocks/0")).json["stocks"]
    assert stocks == [
        {"symbol": "MA", "prixch": "SMART", "secxch": "ISLAND", "active": 0},
        {"symbol": "V", "prixch": "SMART", "secxch": "NYSE", "active": 0},
    ]


async def test_a_pair_is_registered_once_and_its_reverse_is_another(api, register):
    await register("POST", "pair", ticker1="MA", ticker2="V", hedge=3)
    again = await register("POST", "pair", ticker1="MA", ticker2="V", hedge=4)
    assert again == (400, PAIR_EXISTS)
    assert (await register("POST", "pair", ticker1="V", ticker2="MA", hedge=3))[0] == 201
    assert await names(api, "pair") == ["V-MA", "MA-V"]


@ON_SQLITE
@pytest.mark.parametrize(
    ("legs", "message"),
    [
        (("A-B", "C"), "problematic ticker!"),
        (("A", "B-C"), "problematic ticker!"),
        (("-", "C"), "problematic ticker!"),
        (("A/B", "C"), "problematic ticker!"),
        (("NYSE:A", "C"), "problematic ticker!"),
        (("MA", "MA"), {"ticker2"}),
        ((" MA", "MA "), {"ticker2"}),
        (("", "V"), {"ticker1"}),
        (("MA", " "), {"ticker2"}),
        ((None, None), {"ticker1", "ticker2"}),
        (("MA", True), {"ticker2"}),
        (("M" * 51, ["V"]), {"ticker1", "ticker2"}),
    ],
)
async def test_a_pair_of_faulty_legs_is_400(api, register, legs, message):
    status, answer = await register("POST", "pair", ticker1=legs[0], ticker2=legs[1], hedge=1)
    assert status == 400
    found = answer["message"]
    assert (found if isinstance(message, str) else set(found)) == message
    assert await names(api, "pair") == await names(api, "stock") == []


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_faulty_hedge_or_status_is_400(register, method):
    await register("POST", "pair", ticker1="MA", ticker2="V", hedge=3)
    legs = {"ticker1": "MA" if method == "PUT" else "KO", "ticker2": "V"}
    for hedge in (0, -1, "x", None, True, "nan", 1e999, [3]):
        body = legs | {"hedge": "1e999" if hedge == 1e999 else hedge}
        status, answer = await register(method, "pair", **body)
        assert (status, list(answer["message"])) == (400, ["hedge"]), hedge
    for active in (2, "yes", 0.5, []):
        status, answer = await register(method, "pair", **legs, hedge=1, status=active)
        assert (status, list(answer["message"])) == (400, ["status"]), active
    status, answer = await register("POST", "pair")
    assert (status, set(answer["message"])) == (400, {"ticker1", "ticker2", "hedge"})


@pytest.mark.parametrize("crypto", ["ticker1", "ticker2"])
async def test_crypto_cannot_be_a_leg(app, register, crypto):
    fields = {"symbol": "BTC.USD", "sectype": "CRYPTO"}
    await app.writer.submit(partial(registry.register_stock, fields, "test"))
    legs = {"ticker1": "MA", "ticker2": "V", crypto: "BTC.USD"}
    status, answer = await register("POST", "pair", **legs, hedge=1)
    assert status == 400
    assert answer["message"]


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        ({}, {}),
        ({"hedge": 4}, {"hedge": 4}),
        ({"hedge": "0.5"}, {"hedge": 0.5}),
        ({"status": 0}, {"status": 0}),
        ({"notes": "new"}, {"notes": "new"}),
        ({"notes": None}, {"notes": None}),
        ({"ticker1": "MA"}, {}),
        ({"ticker1": "MA", "ticker2": "V", "hedge": 2}, {"hedge": 2}),
    ],
)
async def test_what_a_put_of_a_pair_does_not_send_stays(register, change, stored):
    new = {"ticker1": "MA", "ticker2": "V", "hedge": 3, "status": 1, "notes": "old"}
    await register("POST", "pair", **new)
    expected = {"name": "MA-V", **new, **stored}
    assert await register("PUT", "pair", name="MA-V", **change) == (200, expected)


async def test_a_pair_may_be_named_by_its_tickers(register):
    await register("POST", "pair", ticker1="MA", ticker2="V", hedge=3)
    status, pair = await register("PUT", "pair", ticker1="MA", ticker2="V", hedge=4)
    assert (status, pair["name"], pair["hedge"]) == (200, "MA-V", 4)


@ON_SQLITE
@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({"name": "MA-X"}, 404, None),
        ({"ticker1": "V", "ticker2": "MA"}, 404, None),
        ({"name": "MA-V", "ticker1": "KO"}, 400, {"ticker1"}),
        ({"name": "MA-V", "ticker2": "KO"}, 400, {"ticker2"}),
        ({"hedge": 2}, 400, {"name"}),
        ({"ticker1": "MA", "hedge": 2}, 400, {"name"}),
        ({"name": " ", "hedge": 2}, 400, {"name"}),
        ({"name": ["MA-V"]}, 400, {"name"}),
    ],
)
async def test_a_put_must_name_a_pair_and_keep_its_tickers(register, body, status, fields):
    await register("POST", "pair", ticker1="MA", ticker2="V", hedge=3)
    found, answer = await register("PUT", "pair", **body)
    assert found == status
    if status == 404:
        assert answer == NOT_FOUND
    else:
        assert set(answer["message"]) == fields


# Who may be active


async def test_a_leg_of_an_active_pair_cannot_be_active_alone(api, register):
    await register("POST", "pair", ticker1="MA", ticker2="V", hedge=3, status=1)
    for leg in ("MA", "V"):
        assert await register("PUT", "stock", symbol=leg, active=1) == (400, ACTIVE_IN_PAIR)
        assert (await register("PUT", "stock", symbol=leg, active=0, secxch="NYSE"))[0] == 200
    await register("PUT", "pair", name="MA-V", status=0)
    assert (await register("PUT", "stock", symbol="MA", active=1))[0] == 200
    assert (await api.get("/v3/stock/MA")).json["active"] == 1


@pytest.mark.parametrize("leg", ["MA", "V"])
async def test_a_pair_of_an_active_stock_cannot_be_active(api, register, leg):
    await register("POST", "stock", symbol=leg, active=1)
    new = {"ticker1": "MA", "ticker2": "V", "hedge": 3}
    assert await register("POST", "pair", **new, status=1) == (400, LEG_ACTIVE)
    assert (await register("POST", "pair", **new, status=0))[0] == 201
    assert await register("PUT", "pair", name="MA-V", status=1) == (400, LEG_ACTIVE)
    assert (await register("PUT", "pair", name="MA-V", hedge=4))[0] == 200
    await register("PUT", "stock", symbol=leg, active=0)
    assert (await register("PUT", "pair", name="MA-V", status=1))[0] == 200


async def test_a_stock_may_be_a_leg_of_two_active_pairs(register):
    for other in ("V", "KO"):
        new = {"ticker1": "MA", "ticker2": other, "hedge": 3, "status": 1}
        assert (await register("POST", "pair", **new))[0] == 201


# Deleting


async def test_a_leg_of_a_pair_cannot_be_deleted(api, register, admin):
    await register("POST", "pair", ticker1="MA", ticker2="V", hedge=3)
    for leg in ("MA", "V"):
        answer = await api.delete(f"/v3/stock/{leg}", token=admin)
        assert (answer.status, list(answer.json)) == (400, ["message"])
    await api.delete("/v3/pair/MA-V", token=admin)
    assert (await api.delete("/v3/stock/MA", token=admin)).status == 200


@pytest.mark.parametrize(
    ("state", "status"),
    [
        *((state, 400) for state in ("waiting", "rerouted", "created", "filled(...)")),
        ("part.filled", 400),
        *((state, 200) for state in ("filled", "canceled", "error", "critical err")),
    ],
)
async def test_the_ticker_of_an_open_signal_cannot_be_deleted(api, register, admin, state, status):
    await register("POST", "stock", symbol="AAPL", active=1)
    await api.alert(ticker="NASDAQ:AAPL", order_status=state)
    assert (await api.delete("/v3/stock/AAPL", token=admin)).status == status
    assert await names(api, "stock") == (["AAPL"] if status == 400 else [])


# Lists and events


@pytest.mark.parametrize("noun", ["stock", "pair"])
async def test_a_list_is_newest_first_and_as_long_as_asked(api, register, noun):
    for symbol in ("A", "B", "C"):
        if noun == "stock":
            await register("POST", "stock", symbol=symbol)
        else:
            await register("POST", "pair", ticker1=symbol, ticker2="Z", hedge=1)
    newest = ["C", "B", "A"] if noun == "stock" else ["C-Z", "B-Z", "A-Z"]
    for n, expected in ((0, 3), (1, 1), (2, 2), (3, 3), (99, 3), ("007", 3), ("9" * 30, 3)):
        assert await names(api, noun, n) == newest[:expected], n
    for n in ("-1", "1.5", "x", "1e3", "%20", "+1", "٣", "0x1", "1;"):
        answer = await api.get(f"/v3/{noun}s/{n}")
        assert (answer.status, answer.json[f"{noun}s"]) == (400, []), n


async def test_each_change_of_the_registry_is_one_event(api, register, admin):
    await register("POST", "pair", ticker1="MA", ticker2="V", hedge=3)
    for _ in range(2):
        await register("PUT", "pair", name="MA-V", hedge=4)
        await register("PUT", "stock", symbol="MA", active=1)
    await api.delete("/v3/pair/MA-V", token=admin)
    await api.delete("/v3/stock/V", token=admin)
    events = (await api.get("/v3/events", token=admin)).json["events"]
    assert [(each["type"], each["subject"]) for each in events] == [
        ("stock.created", "MA"),
        ("stock.created", "V"),
        ("pair.created", "MA-V"),
        ("pair.updated", "MA-V"),
        ("stock.updated", "MA"),
        ("pair.deleted", "MA-V"),
        ("stock.deleted", "V"),
    ]
    assert {each["source"] for each in events} == {"admin"}
    assert events[3]["changes"] == {"hedge": [3, 4]}
    assert events[4]["changes"] == {"active": [0, 1]}


# Equations


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (
            "NYSE:MA-1.3*NYSE:V",
            {"name": "MA-V", "type": "pair", "hedge": 1.3, "registered": True, "active": True},
        ),
        ("XOM-CVX", {"name": "XOM-CVX", "hedge": 1.0, "registered": False, "active": False}),
        ("KO-PEP", {"registered": True, "active": False, "registered_hedge": 1.0}),
        ("AAPL", {"name": "AAPL", "type": "single", "hedge": None, "active": True}),
        ("NASDAQ:MSFT", {"name": "MSFT", "registered": False, "registered_hedge": None}),
        ("NYSE:BF.B", {"name": "BF B", "registered": True}),
    ],
)
async def test_an_equation_is_read_before_it_is_registered(api, admin, desk, text, means):
    answer = await api.get(f"/v3/equation?text={quote(text)}", token=admin)
    assert answer.status == 200
    assert means.items() <= answer.json.items()


async def test_a_leg_of_an_equation_tells_its_exchange_and_its_stock(api, admin, desk):
    legs = (await api.get("/v3/equation?text=XETR:SAP-2*NYSE:MA", token=admin)).json["legs"]
    assert legs == [
        {
            **{"symbol": "SAP", "exchange": "XETR", "sectype": "STK", "currency": "EUR"},
            **{"certain": True, "primary": None, "registered": False, "active": False},
        },
        {
            **{"symbol": "MA", "exchange": "NYSE", "sectype": "STK", "currency": "USD"},
            **{"certain": True, "primary": "NYSE", "registered": True, "active": False},
        },
    ]


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("AAPL", ("STK", "USD", True)),
        ("NASDAQ:GOOGLE", ("STK", "USD", True)),
        ("XETR:SAP", ("STK", "EUR", True)),
        ("LSE:VOD", ("STK", "GBP", False)),
        ("TSX:CNR", ("STK", "CAD", False)),
        ("NOWHERE:X", ("STK", "USD", False)),
        ("EURGBP", ("CASH", "GBP", False)),
        ("eur.jpy", ("CASH", "JPY", False)),
        ("OANDA:EURUSD", ("CASH", "USD", False)),
        ("BTCUSD", ("CRYPTO", "USD", False)),
        ("BINANCE:ETHUSDT", ("CRYPTO", "USD", False)),
        ("CRYPTO:BTCEUR", ("CRYPTO", "EUR", False)),
        ("ABCDEF", ("STK", "USD", False)),
    ],
)
async def test_type_and_currency_of_a_leg_are_guessed_and_said_to_be_certain_or_not(
    api, admin, desk, text, guess
):
    [leg] = (await api.get(f"/v3/equation?text={quote(text)}", token=admin)).json["legs"]
    assert (leg["sectype"], leg["currency"], leg["certain"]) == guess


@pytest.mark.parametrize(
    ("text", "weighed"), [("MA-V", False), ("2*MA-V", None), ("MA-1*V", True), ("MA-V/2", True)]
)
async def test_an_equation_without_a_hedge_is_told_from_one_with_the_hedge_1(
    api, admin, desk, text, weighed
):
    answer = await api.get(f"/v3/equation?text={quote(text)}", token=admin)
    assert answer.json.get("weighed") is weighed


@pytest.mark.parametrize(
    "text", ["", "2*MA-V", "MA-V-KO", "MA-1,3*V", "MA-0*V", "*" * 201, "\udc00"]
)
async def test_an_equation_without_a_clear_meaning_is_refused_with_a_reason(api, admin, text):
    address = quote(text, errors="surrogatepass")
    answer = await api.get(f"/v3/equation?text={address}", token=admin)
    assert answer.status == 400
    assert answer.json["message"]
