"""The bridge's calls in its own order, each answer read as the bridge's code reads it."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.conftest import alert
from tests.handlers.conftest import ACCOUNT, PASS
from trading import instants

pytestmark = pytest.mark.gen_test(timeout=60)

WAITING = "/v3/signals/status/waiting/0"
UPDATE = "/v3/signal/updateorder"
LARGEST = 1.7976931348623157e308
KEY = "a-key-of-the-bridge"
# As its HTTP library sends them: a new connection for each call, never an Authorization of its own.
HEADERS = {
    "User-Agent": "python-requests/2.32.3",
    "Accept": "*/*",
    "Connection": "keep-alive",
    "Content-Type": "application/json",
}


# How the bridge reads an answer: it fails wherever the bridge would raise or give up.


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_nothing(value: Any) -> bool:
    return value is None


def either(*checks: Callable) -> Callable:
    return lambda value: any(check(value) for check in checks)


def one_of(*words: str) -> Callable:
    return lambda value: value in words


NEEDED = {
    "rowid": is_number,
    "ticker": is_text,
    "ticker_type": one_of("single", "pair"),
    "ticker1": is_text,
    "order_action": one_of("buy", "sell"),
    "order_contracts": lambda value: is_number(value) and value > 0,
    "order_price": either(is_number, is_nothing),
    "mar_pos": one_of("long", "short", "flat"),
    "pre_mar_pos": one_of("long", "short", "flat"),
    "mar_pos_size": is_number,
    "pre_mar_pos_size": is_number,
    "order_status": is_text,
    "status_msg": either(is_text, is_nothing),
}
OF_A_SINGLE = {"ticker2": is_nothing}
OF_A_PAIR = {"ticker2": is_text, "hedge_param": is_number}


def tradable(signal: dict) -> dict:
    """A signal with all that trading it needs."""
    kind = OF_A_PAIR if signal["ticker_type"] == "pair" else OF_A_SINGLE
    for key, check in (NEEDED | kind).items():
        assert check(signal[key]), (key, signal[key])
    return signal


def read_signal(answer) -> dict:
    """The signal itself, without a key around it."""
    return tradable(json.loads(answer.text))


def read_poll(answer) -> dict:
    """{rowid: signal}, and their rowids as they came; the status is not looked at."""
    signals = json.loads(answer.text)["signals"]
    found = {}
    for signal in signals:
        assert signal["order_status"] in ("waiting", "rerouted")
        found[signal["rowid"]] = tradable(signal)
    return {"rowids": [signal["rowid"] for signal in signals], **found}


def read_ticker(answer) -> dict:
    """The ticker itself; a missing key ends the bridge's loop."""
    ticker = json.loads(answer.text)
    for key in ("xch", "prixch", "currency", "order_type"):
        assert is_text(ticker[key]), key
    assert ticker["sectype"] in ("STK", "CASH", "CRYPTO")
    return ticker


def read_account(answer) -> int | None:
    """The rowid of the newest record; none makes the bridge skip its update."""
    signals = json.loads(answer.text)["signals"]
    return signals[0]["rowid"] if signals else None


def read_status(answer) -> int:
    """All that is read of a PUT's or POST's answer."""
    return answer.status


def seen(value: Any, expected: Any) -> Any:
    """The part of what was read that the table speaks of."""
    if not isinstance(expected, dict):
        return value
    return {key: seen(value[key], part) for key, part in expected.items()}


# The table's rows


@dataclass(frozen=True)
class Exchange:
    """A call and what must be read from its answer.

    With `back` the signal of this rowid, as it was last read, goes back with the body over it.
    """

    name: str
    method: str
    path: str
    read: Callable
    expected: Any
    body: dict[str, Any] = field(default_factory=dict)
    back: int | None = None
    passphrase: str = "webhook"


def alerted(name: str, ticker: str, **fields: Any) -> Exchange:
    """TradingView's alert, without which the bridge has nothing to do."""
    body = alert(**{"ticker": ticker, "order_contracts": 10, "mar_pos_size": 10} | fields)
    return Exchange(name, "POST", "/v3/webhook", read_status, 201, body)


def polls(name: str, *rowids: int, **signals: dict) -> Exchange:
    """The waiting list: these rowids in this order, and fields of some (`_1` is rowid 1)."""
    fields = {int(rowid[1:]): shown for rowid, shown in signals.items()}
    return Exchange(name, "GET", WAITING, read_poll, {"rowids": list(rowids), **fields})


def asks(name: str, rowid: int, /, **fields: Any) -> Exchange:
    return Exchange(name, "GET", f"/v3/signal/{rowid}", read_signal, {"rowid": rowid} | fields)


def asks_ticker(path: str, **fields: Any) -> Exchange:
    return Exchange(f"ticker {path}", "GET", f"/v3/ticker/{path}", read_ticker, fields)


def puts(name: str, rowid: int | None, /, status: int = 200, **changed: Any) -> Exchange:
    """An outcome: the signal goes back as it was read, or (None) as it was recorded."""
    return Exchange(name, "PUT", "/v3/webhook", read_status, status, changed, back=rowid)


def reports(order_id: str, symbol: str, price: float, quantity: float, status=200) -> Exchange:
    """A fill: the order id is text, price and quantity are those of the order so far."""
    body = {"price": price, "order_id": order_id, "symbol": symbol, "filled_qty": quantity}
    name = f"{quantity} of {symbol} filled by {order_id}"
    return Exchange(name, "PUT", UPDATE, read_status, status, body)


def cancels(order_id: int, symbol: str, status: int = 200) -> Exchange:
    """A cancel: the order id is a number this time, price and quantity mean nothing."""
    body = {"symbol": symbol, "order_id": order_id, "cancel": True, "price": -1, "filled_qty": -1}
    return Exchange(f"cancel {order_id}", "PUT", UPDATE, read_status, status, body)


def holds(symbol: str, position: int, cost: float, pnl: int, status: int = 200) -> Exchange:
    body = {"symbol": symbol, "active_pos": position, "active_cost": cost, "active_pnl": pnl}
    name = f"position of {symbol}"
    return Exchange(name, "PUT", "/v3/ticker/updatepnl", read_status, status, body)


def keeps(name: str, status: int = 201, **values: float) -> Exchange:
    return Exchange(name, "POST", "/v3/regpnl", read_status, status, ACCOUNT | values)


def asks_account(name: str, rowid: int | None) -> Exchange:
    return Exchange(name, "GET", "/v3/pnl/1", read_account, rowid)


def replaces(name: str, rowid: int, status: int = 200) -> Exchange:
    body = ACCOUNT | {
        "rowid": rowid,
        "timestamp": "2026-11-22 09:42:52",
        "NetLiquidation": 101000.0,
    }
    body |= {"DailyPnL": -1.0, "RealizedPnL": -1.0, "UnrealizedPnL": -1.0}
    return Exchange(name, "PUT", "/v3/regpnl", read_status, status, body)


def wrong(exchange: Exchange) -> Exchange:
    """The same with a passphrase that is not ours."""
    name = f"{exchange.name}, wrong passphrase"
    return replace(exchange, name=name, expected=400, passphrase="webhooks")


def placed(name: str, rowid: int, id1: int, id2: int | None = None) -> Exchange:
    """The outcome that every order begins with."""
    ids = {"order_id1": id1} | ({"order_id2": id2} if id2 else {})
    return puts(name, rowid, order_status="created", status_msg="", error_msg="", **ids)


# The table: a registry as the owner made it, then a day of the bridge

REGISTRY = [
    {"symbol": "NMFC", "prixch": "NYSE"},
    {"symbol": "AAPL", "prixch": "NASDAQ", "order_type": "LIMIT"},
    {"symbol": "BF B", "prixch": "NYSE", "order_type": "MARKET"},
    {"symbol": "EUR.USD", "sectype": "CASH", "xch": "IDEALPRO", "prixch": "IDEALPRO"},
    {"symbol": "BTC.USD", "sectype": "CRYPTO", "xch": "PAXOS", "prixch": "PAXOS"},
]
TICKER = {
    "symbol": "NMFC",
    "sectype": "STK",
    "xch": "SMART",
    "prixch": "NYSE",
    "currency": "USD",
    "order_type": "RELATIVE",
    "active": 0,
    "active_pos": 0.0,
    "active_pnl": 0.0,
    "active_cost": 0.0,
}
RECORDED = {
    "rowid": 1,
    "timestamp": "2026-11-22 09:40:13",
    "ticker": "NMFC-0.72*NYSE:ROIC",
    "order_action": "buy",
    "order_contracts": 10,
    "order_price": 2.3,
    "mar_pos": "long",
    "mar_pos_size": 10,
    "pre_mar_pos": "flat",
    "pre_mar_pos_size": 0,
    "order_comment": "Enter Long",
    "order_status": "waiting",
    "ticker_type": "pair",
    "ticker1": "NMFC",
    "ticker2": "ROIC",
    "hedge_param": 0.72,
    "order_id1": None,
    "order_id2": None,
    "price1": None,
    "price2": None,
    "fill_price": None,
    "slip": None,
    "error_msg": None,
    "status_msg": None,
}
RECORDED_PUT = RECORDED | {
    "order_status": "created",
    "order_id1": 1010,
    "order_id2": 1011,
    "error_msg": "",
    "status_msg": "",
}
PAIR = "NMFC-0.72*NYSE:ROIC"
UNPRICED = {"price1": None, "price2": None, "fill_price": None, "slip": None}
FILLED = {"price1": 12.5, "price2": 14.2, "fill_price": 2.276, "slip": 0.024}

START = [
    polls("nothing waits"),
    asks_account("no record yet", None),
    keeps("the first account record"),
    asks_account("the record to update", 1),
    replaces("an account update", 1),
    replaces("the same again", 1),
    keeps("values the gateway does not have", DailyPnL=LARGEST, UnrealizedPnL=LARGEST),
    asks_account("the newest record", 2),
    replaces("a record that is not there", 9, status=404),
    holds("AAPL", 7, 148.123, 14),
    asks_ticker("AAPL", active_pos=7, active_cost=148.123, active_pnl=14, order_type="LIMIT"),
    holds("AAPL", 0, 0.0, 0),
    asks_ticker("AAPL", active_pos=0, active_cost=0, active_pnl=0, active=1, prixch="NASDAQ"),
    holds("EUR", -20000, 1.085, -31),
    asks_ticker("EUR.USD", active_pos=-20000, active_cost=1.085, active_pnl=-31, sectype="CASH"),
    holds("SPY", 3, 500.5, 0, status=404),
]
LEG_2_FIRST = [  # signal 1
    alerted("a pair", PAIR, order_price=2.3, timestamp="2026-11-22 09:40:13"),
    polls("the recorded signal", 1, _1=RECORDED),
    asks_ticker("NMFC", **TICKER),
    asks_ticker("ROIC", symbol="ROIC", xch="SMART", prixch="ISLAND", sectype="STK"),
    puts("placed, as recorded", None, **RECORDED_PUT),
    polls("what is placed waits no more"),
    asks("placed", 1, **RECORDED_PUT),
    reports("1011", "ROIC", 14.2, 7.0),
    asks("leg 2", 1, order_status="filled(...)", status_msg="", **UNPRICED | {"price2": 14.2}),
    reports("1010", "NMFC", 12.5, 10.0),
    asks("both legs", 1, order_status="filled", status_msg="", **FILLED),
    reports("1010", "NMFC", 12.5, 10.0),
    reports("1011", "ROIC", 14.2, 7.0),
    reports("1010", "NMFC", 12.6, 11.0),
    cancels(1010, "NMFC"),
    puts("placed, again", None, **RECORDED_PUT),
    asks("filled it stays", 1, order_status="filled", status_msg="", order_id1=1010, **FILLED),
    reports("1010", "ROIC", 14.2, 7.0, status=404),
    reports("77", "SPY", 500.0, 1.0, status=404),
    cancels(77, "SPY", status=404),
]
LEG_1_FIRST = [  # signal 2
    alerted("a pair filled in parts", PAIR, order_price=2.3),
    polls("the pair", 2),
    placed("placed", 2, 1020, 1021),
    reports("1020", "NMFC", 12.5, 4.0),
    asks("leg 1", 2, order_status="filled(...)", status_msg="remained(NMFC): 6.0", slip=None),
    reports("1021", "ROIC", 14.2, 3.0),
    asks("parts", 2, order_status="part.filled", status_msg="remained(NMFC): 6.0", **FILLED),
    reports("1021", "ROIC", 14.2, 3.0),
    reports("1020", "NMFC", 12.4, 3.0),
    asks("as before", 2, order_status="part.filled", status_msg="remained(NMFC): 6.0", **FILLED),
    reports("1020", "NMFC", 12.6, 10.0),
    asks("leg 2 is short", 2, order_status="part.filled", status_msg="remained(ROIC): 4.0"),
    reports("1021", "ROIC", 14.25, 7.0),
    asks("all of it", 2, order_status="filled", status_msg="", fill_price=2.34, slip=-0.04),
]
CANCELED = [  # signals 3 and 4
    alerted("a single", "NASDAQ:AAPL", order_action="sell", order_price=50),
    polls("the single", 3, _3={"ticker": "NASDAQ:AAPL", "ticker1": "AAPL", "hedge_param": None}),
    asks_ticker("AAPL", order_type="LIMIT"),
    placed("placed", 3, 1092),
    reports("1092", "AAPL", 50.25, 4.0),
    asks("in part", 3, order_status="part.filled", status_msg="remained: 6.0", slip=0.25),
    cancels(1092, "AAPL"),
    asks(
        *("canceled in part", 3),
        **{"order_status": "canceled", "status_msg": "(*)part.filled | remained: 6.0"},
        **{"price1": 50.25, "fill_price": 50.25, "slip": 0.25},
    ),
    reports("1092", "AAPL", 50.25, 4.0),
    asks("a repeat", 3, order_status="canceled", status_msg="(*)part.filled | remained: 6.0"),
    reports("1092", "AAPL", 50.2, 7.0),
    asks("it went on", 3, order_status="part.filled", status_msg="remained: 3.0", slip=0.2),
    alerted("the opposite", "NASDAQ:AAPL", order_price=51),
    polls("one waits", 4),
    placed("placed", 4, 1093),
    cancels(1093, "AAPL"),
    asks("canceled", 4, order_status="canceled", status_msg="mult.act.orders", **UNPRICED),
    reports("1093", "AAPL", 50.5, 10.0),
    asks("it was filled before", 4, order_status="filled", status_msg="", slip=0.5),
]
SYMBOLS = [  # signals 5 to 7
    alerted("foreign exchange", "FX:EURUSD", order_price=1.1),
    polls("in the gateway's form", 5, _5={"ticker": "FX:EURUSD", "ticker1": "EUR.USD"}),
    asks_ticker("EUR.USD", sectype="CASH", xch="IDEALPRO", currency="USD", order_type="RELATIVE"),
    placed("placed", 5, 1030),
    reports("1030", "EUR", 1.0995, 10.0),
    asks("the base alone", 5, order_status="filled", fill_price=1.0995, slip=0.0005),
    alerted("a class share", "NYSE:BF.B"),
    polls("with a space", 6, _6={"ticker": "NYSE:BF.B", "ticker1": "BF B"}),
    asks_ticker("BF%20B", symbol="BF B", prixch="NYSE", order_type="MARKET"),
    placed("placed", 6, 1031),
    reports("1031", "BF B", 48.0, 10.0),
    asks("the class share", 6, order_status="filled", fill_price=48),
    alerted("crypto", "COINBASE:BTCUSD"),
    polls("crypto", 7, _7={"ticker1": "BTC.USD"}),
    asks_ticker("BTC.USD", sectype="CRYPTO", xch="PAXOS"),
    placed("placed", 7, 1032),
    reports("1032", "BTC", 90000.5, 10.0),
    asks("crypto's base", 7, order_status="filled", fill_price=90000.5),
]
DUPLICATES = [  # signals 8 to 11
    *(alerted("the same", PAIR, order_price=price) for price in (2.3, 2.4, 2.5)),
    alerted("another spelling", "NMFC-0.72*ROIC"),
    polls("newest first", 11, 10, 9, 8, _9={"ticker": PAIR}, _11={"ticker": "NMFC-0.72*ROIC"}),
    asks("older", 9, order_status="waiting", ticker=PAIR),
    puts("a duplicate", 9, order_status="canceled", status_msg="duplicate order"),
    asks("oldest", 8, order_status="waiting"),
    puts("a duplicate", 8, order_status="canceled", status_msg="duplicate order"),
    polls("the newest of each", 11, 10),
    asks("a duplicate's end", 8, order_status="canceled", status_msg="duplicate order"),
    puts("pyramiding", 11, order_status="canceled", status_msg="pyramiding"),
    puts("not found", 10, order_status="rerouted", status_msg="+route", error_msg=""),
    polls("once more", 10, _10={"order_status": "rerouted", "status_msg": "+route"}),
    placed("at the primary exchange", 10, 1040, 1041),
    polls("nothing"),
    asks("placed", 10, order_status="created", order_id1=1040, order_id2=1041, **UNPRICED),
]


def syncs(rowid: int, ticker: str, order_id: int) -> list[Exchange]:
    """The bridge's own signal for the second leg, from POST to fill."""
    body = {
        "bypass_ticker_status": True,
        "order_action": "sell",
        "order_contracts": 7,
        "mar_pos": "short",
        "mar_pos_size": 7,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Short due to sync",
        "order_status": "waiting",
        "ticker": ticker,
        "status_msg": "created due to sync",
    }
    own = {"ticker": ticker, "ticker1": ticker, "status_msg": "created due to sync"}
    created = {"order_status": "created", "status_msg": "", "order_id1": order_id, "error_msg": ""}
    return [
        Exchange(f"sync of {ticker}", "POST", "/v3/webhook", read_status, 201, body),
        polls("its own signal", rowid, **{f"_{rowid}": own | {"order_price": None, "slip": None}}),
        asks_ticker(ticker.replace(" ", "%20"), symbol=ticker),
        puts("placed", rowid, bypass_ticker_status=True, **created),
        reports(str(order_id), ticker.partition(".")[0], 14.2, 7.0),
        asks("filled", rowid, order_status="filled", fill_price=14.2, slip=None),
    ]


SYNCS = [*syncs(12, "ROIC", 1050), *syncs(13, "BF B", 1051), *syncs(14, "EUR.USD", 1052)]
ERROR = "| 1147/399 - text  "
OUTCOMES = {  # signals 15 on
    "placed, synced": {
        **{"order_status": "created", "status_msg": "+synced(10->-4)", "error_msg": ""},
        **{"order_contracts": 4, "order_id1": 1060, "order_id2": 1061},
    },
    "placed, a new order": {
        **{"order_status": "created", "status_msg": "+synced(new order)", "error_msg": ""},
        **{"order_id1": 1062, "order_id2": 1063},
    },
    "placed, with a message": {
        **{"order_status": "error", "status_msg": "+synced(10->-4)+err", "error_msg": ERROR},
        **{"order_id1": 1064, "order_id2": 1065, "order_contracts": 4},
    },
    "rejected": {
        **{"order_status": "critical err", "status_msg": "+crit. err"},
        "error_msg": "| 1147/201 - Order rejected  ",
    },
    "sizes": {"order_status": "canceled", "status_msg": "position size mismatch"},
    "adding": {"order_status": "canceled", "status_msg": "pyramiding"},
    "no sizes": {"order_status": "canceled", "status_msg": "missing position size"},
    "nothing left": {"order_status": "canceled", "status_msg": "+synced(10->0)"},
    "money": {"order_status": ["canceled"], "status_msg": "insufficient funds"},
    "crypto": {"order_status": ["canceled"], "status_msg": "crypto in pairs"},
}


def outcome(rowid: int, name: str, changed: dict) -> list[Exchange]:
    """A signal put back with an outcome: that is stored, and it waits no more."""
    status = changed["order_status"]
    stored = changed | {"order_status": status[0] if isinstance(status, list) else status}
    as_posted = {"ticker": PAIR, "order_price": 2.3, "mar_pos_size": 10, "ticker2": "ROIC"}
    return [
        alerted(name, PAIR, order_price=2.3),
        polls(name, rowid),
        puts(name, rowid, **changed),
        asks(name, rowid, **as_posted | UNPRICED | stored),
        polls(f"after: {name}"),
    ]


PUT_BACK = [
    exchange
    for rowid, (name, changed) in enumerate(OUTCOMES.items(), 15)
    for exchange in outcome(rowid, name, changed)
]
AFTER_ERROR = [  # signals 15 and 17: synced to 4 contracts, hence to 2 of leg 2
    reports("1065", "ROIC", 14.2, 2.0),
    reports("1064", "NMFC", 12.5, 4.0),
    asks("a message only", 17, order_status="filled", status_msg="", error_msg=ERROR, **FILLED),
    reports("1060", "NMFC", 12.5, 4.0),
    reports("1061", "ROIC", 14.2, 1.0),
    asks("synced", 15, order_status="part.filled", status_msg="remained(ROIC): 1.0", **FILLED),
]
REFUSED = [
    wrong(puts("outcome", 16, order_status="canceled", status_msg="pyramiding")),
    wrong(syncs(0, "ROIC", 0)[0]),
    wrong(reports("1062", "NMFC", 12.5, 10.0)),
    wrong(cancels(1062, "NMFC")),
    wrong(holds("AAPL", 5, 1.0, 1)),
    wrong(keeps("account record")),
    wrong(replaces("account update", 2)),
    puts("a signal that is not there", None, status=404, **RECORDED_PUT | {"rowid": 99}),
    asks("as it was", 16, order_status="created", status_msg="+synced(new order)", **UNPRICED),
    asks_ticker("AAPL", active_pos=0),
    asks_account("no record came", 2),
    polls("nothing waits"),
]
DAY = [
    *(START + LEG_2_FIRST + LEG_1_FIRST + CANCELED + SYMBOLS),
    *(DUPLICATES + SYNCS + PUT_BACK + AFTER_ERROR + REFUSED),
]


class Bridge:
    """Makes the calls as the bridge's HTTP library does and keeps the signals it read."""

    def __init__(self, api, key: str = ""):
        self._api = api
        self._known: dict[int, dict] = {}
        # A key in the configured URLs goes along as Basic credentials.
        credentials = base64.b64encode(f"bridge:{key}".encode()).decode()
        self._headers = HEADERS | ({"Authorization": f"Basic {credentials}"} if key else {})

    async def make(self, exchange: Exchange) -> None:
        """Makes the call and reads its answer."""
        body = None
        if exchange.method != "GET":
            whole = self._known[exchange.back] if exchange.back else {}
            body = whole | exchange.body | {"passphrase": exchange.passphrase}
        answer = await self._api.call(exchange.method, exchange.path, body, headers=self._headers)
        found = exchange.read(answer)
        assert seen(found, exchange.expected) == exchange.expected, (exchange.name, answer.text)
        if exchange.read is read_signal:
            found = {found["rowid"]: found}
        if exchange.read in (read_poll, read_signal):
            self._known |= found


OPEN, LOCKED = {}, {"anonymous_reads": False, "bridge_keys": [KEY]}


async def play(bridge: Bridge, api, admin) -> None:
    """The owner's registry, then the day."""
    for ticker in REGISTRY:
        answer = await api.put("/v3/regticker", ticker, token=admin)
        assert answer.status == 200, answer.text
    for exchange in DAY:
        await bridge.make(exchange)


@pytest.mark.parametrize("overrides", [OPEN, LOCKED], indirect=True, ids=["open", "by key"])
async def test_the_bridge_reads_each_recorded_exchange(api, conf, desk, admin):
    await play(Bridge(api, *conf.bridge_keys), api, admin)


@pytest.mark.slow
async def test_all_fills_of_the_day_again_change_nothing(api, desk, admin):
    async def events():
        return (await api.get("/v3/events?limit=1000", token=admin)).json["events"]

    bridge = Bridge(api)
    await play(bridge, api, admin)
    before = await events()
    fills = [each for each in DAY if each.path == UPDATE and "cancel" not in each.body]
    for exchange in [*fills, *fills[::-1]]:
        await bridge.make(exchange)
    assert await events() == before


# What the server has decided before, as the bridge reads and trades it


def signed(position: str, size: float) -> float:
    return {"long": size, "short": -size, "flat": 0}[position]


def refusal(signal: dict) -> str:
    """Why the bridge would not trade a signal; empty if it trades it."""
    if signal["status_msg"] == "created due to sync":
        return ""
    before = signed(signal["pre_mar_pos"], signal["pre_mar_pos_size"])
    target = signed(signal["mar_pos"], signal["mar_pos_size"])
    change = signal["order_contracts"] * (1 if signal["order_action"] == "buy" else -1)
    if before + change != target:
        return "position size mismatch"
    return "pyramiding" if before * target > 0 and abs(target) > abs(before) else ""


async def offered(api) -> list[dict]:
    """What the bridge trades of its waiting list: each signal passes its checks."""
    found = read_poll(await api.call("GET", WAITING, headers=HEADERS))
    signals = [found[rowid] for rowid in found["rowids"]]
    assert [refusal(signal) for signal in signals] == [""] * len(signals)
    return signals


async def decide(api, admin, path: str, body: dict, method: str = "PUT"):
    answer = await api.call(method, path, body, token=admin)
    assert answer.status in (200, 201), answer.text
    return answer.json


def fills(signal: dict, order_id: int) -> list[Exchange]:
    """The bridge places a signal as it has read it, and reports its fills twice."""
    rowid, size = signal["rowid"], float(signal["order_contracts"])
    legs = [(order_id, signal["ticker1"], size)]
    if signal["ticker2"]:
        legs.append((order_id + 1, signal["ticker2"], float(int(size * signal["hedge_param"]))))
    ids = [each for each, _, _ in legs]
    done = [reports(str(each), symbol, 10.0, quantity) for each, symbol, quantity in legs]
    return [
        asks("as it was in the list", rowid, **signal),
        placed("placed", rowid, *ids),
        polls("it waits no more"),
        *(done + done),
        asks("filled", rowid, order_status="filled", status_msg="", order_contracts=size),
    ]


SHORT = {"order_action": "sell", "order_comment": "Reverse", "order_contracts": 16}
REVERSAL = SHORT | {"pre_mar_pos": "long", "pre_mar_pos_size": 10}
REVERSAL |= {"mar_pos": "short", "mar_pos_size": 6}
TICKERS = pytest.mark.parametrize("ticker", [PAIR, "NASDAQ:AAPL"])


@TICKERS
@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("limit", [None, {"contracts": 15}])
async def test_the_bridge_trades_the_exit_of_a_reversal_that_was_cut(
    api, desk, admin, ticker, waits, limit
):
    bridge = Bridge(api)
    strict = ("/v3/limits", limit) if limit else ("/v3/trading", {"mode": "exits"})
    if waits and not limit:
        await bridge.make(alerted("a reversal", ticker, **REVERSAL))
        await decide(api, admin, *strict)
    else:
        await decide(api, admin, *strict)
        await bridge.make(alerted("a reversal", ticker, **REVERSAL))
    [signal] = await offered(api)
    size = {"order_action": "sell", "order_contracts": 10, "mar_pos": "flat", "mar_pos_size": 0}
    await bridge.make(polls("its exit", 1, _1=size | {"pre_mar_pos": "long", "ticker": ticker}))
    for exchange in fills(signal, 1100):
        await bridge.make(exchange)


@TICKERS
async def test_the_bridge_is_not_offered_what_has_expired_and_may_still_ask_for_it(
    api, app, desk, admin, ticker, monkeypatch
):
    bridge = Bridge(api)
    await bridge.make(alerted("an entry", ticker))
    await bridge.make(alerted("an entry", ticker))
    older, newer = (await offered(api))[::-1]
    monkeypatch.setattr(instants, "now", lambda: "2099-01-01 00:00:00")
    for status, message in (("waiting", None), ("canceled", "expired after 15 min")):
        await bridge.make(polls("nothing"))
        for signal in (older, newer):
            ended = {"order_status": status, "status_msg": message}
            await bridge.make(asks("expired", signal["rowid"], **ended))
        await app.expire()
    # It had read both before, and cancels the older one now.
    duplicate = {"order_status": "canceled", "status_msg": "duplicate order"}
    await bridge.make(puts("an older duplicate", 1, **duplicate))
    await bridge.make(asks("a duplicate", 1, **duplicate))
    await bridge.make(placed("the newer one was placed", 2, 1100, 1101))
    await bridge.make(asks("placed", 2, order_status="created", order_id1=1100))


@TICKERS
@pytest.mark.parametrize("move", [{}, REVERSAL], ids=["entry", "reversal"])
async def test_the_bridge_trades_what_was_held_once_it_is_approved(api, desk, admin, ticker, move):
    bridge = Bridge(api)
    await decide(api, admin, "/v3/trading", {"mode": "ask"})
    await bridge.make(alerted("held", ticker, **move))
    await bridge.make(polls("nothing"))
    await decide(api, admin, "/v3/signal/1/approve", {}, "POST")
    [signal] = await offered(api)
    sent = alert(**{"ticker": ticker, "order_contracts": 10, "mar_pos_size": 10} | move)
    del sent["passphrase"]
    assert seen(signal, sent) == sent
    await bridge.make(polls("approved", 1))
    for exchange in fills(signal, 1100):
        await bridge.make(exchange)


CLOSES = [
    ("NMFC-ROIC", {"NMFC": 100, "ROIC": -72}, "sell", 100),
    ("NMFC-ROIC", {"NMFC": -7, "ROIC": 5}, "buy", 7),
    ("AAPL", {"AAPL": 30}, "sell", 30),
    ("BF B", {"BF B": -3}, "buy", 3),
]


@pytest.mark.parametrize(("name", "held", "action", "size"), CLOSES)
async def test_the_bridge_trades_a_close_by_hand(api, desk, admin, name, held, action, size):
    bridge = Bridge(api)
    for symbol, position in held.items():
        await bridge.make(holds(symbol, position, 10.0, 0))
    await decide(api, admin, "/v3/trading", {"mode": "off"})
    await decide(api, admin, "/v3/order", {"close": name}, "POST")
    [signal] = await offered(api)
    assert (signal["order_action"], signal["order_contracts"]) == (action, size)
    await bridge.make(polls("the close", 1))
    for exchange in fills(signal, 1100):
        await bridge.make(exchange)


@pytest.mark.parametrize("mode", ["on", "ask", "exits"])
async def test_an_own_trade_passes_the_bridges_checks(api, desk, admin, mode):
    await decide(api, admin, "/v3/trading", {"mode": mode})
    await api.put("/v3/ticker/updatepnl", {"symbol": "AAPL", "active_pos": 30} | PASS)
    for action, size in (("sell", 10), ("sell", 45), ("buy", 5), ("sell", 30)):
        body = {"ticker": "AAPL", "order_action": action, "order_contracts": size}
        rowid = (await decide(api, admin, "/v3/order", body, "POST"))["rowid"]
        signal = json.loads((await api.get(f"/v3/signal/{rowid}")).text)
        assert refusal(signal) in ("", "pyramiding")
        await decide(api, admin, "/v3/webhook", {"rowid": rowid, "order_status": "canceled"})
