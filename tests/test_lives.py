"""Random lives of orders; after each step they are compared with a small model of the rules.

The application's schemas and models run on a real SQLite file, without HTTP: a step then costs a
millisecond, so that many more lives are played; tests/handlers covers the way through the socket.
"""

import json
from math import floor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from database.kinds import is_sqlite
from handlers.errors import explain
from models import SIGNAL_KEYS, EventRow, Missing, Refused, Signal, record_of
from schemas.forms import Price, Revision, read_alert, read_order_update
from schemas.values import BadFields, check, read_object
from services import registry, search, signals
from services.search import Filters
from tests.conftest import tries
from tests.receiving import receive_one
from trading.fills import plain

# {equation: (status, message, legs, hedge) by the registry}
JUDGED = {
    "NMFC-0.72*NYSE:ROIC": ("waiting", None, "NMFC", "ROIC", 0.72),
    "MA-3*V": ("waiting", None, "MA", "V", 3),
    "AAPL": ("waiting", None, "AAPL", None, None),
    "FX:EURUSD": ("waiting", None, "EUR.USD", None, None),
    "COINBASE:BTCUSD": ("waiting", None, "BTC.USD", None, None),
    "BF.B": ("waiting", None, "BF B", None, None),
    "KO-PEP": ("canceled", "passive ticker", "KO", "PEP", 1),
    "MSFT": ("error", "unknown ticker", "MSFT", None, None),
    "A/B": ("error", "problematic ticker!", None, None, None),
}
# What the bridge makes of a signal; True stands for the ids of the orders it placed.
OUTCOMES = [
    {"order_status": "created", "status_msg": "", "error_msg": "", "ids": True},
    {"order_status": "created", "status_msg": "+synced(10->-4)", "order_contracts": 4, "ids": True},
    {"order_status": "error", "status_msg": "+err", "error_msg": "| 399 - text  ", "ids": True},
    {"order_status": "rerouted", "status_msg": "+route", "error_msg": ""},
    {"order_status": "critical err", "status_msg": "+crit. err", "error_msg": "| 201 - no  "},
    {"order_status": "canceled", "status_msg": "duplicate order"},
    {"order_status": ["canceled"], "status_msg": "insufficient funds"},
]
OFFERED = ("waiting", "rerouted")
UNTRADED = (None, "MSFT")
NEVER_CLEARED = {"order_status", "timestamp", "ticker_type", "hedge_param"}
NEVER_CLEARED |= {"stk_ticker1", "stk_ticker2"}
AFTER_FILL = {"order_comment", "error_msg", "mar_pos", "mar_pos_size"}
AFTER_FILL |= {"pre_mar_pos", "pre_mar_pos_size"}
SHORT = {"stk_ticker1": "ticker1", "stk_ticker2": "ticker2"}
SHORT |= {"stk_price1": "price1", "stk_price2": "price2"}

prices = st.sampled_from([0.0, 0.1, 1.09953, 12.5, 14.2, 100.756, 300.1, 301])
contracts = st.sampled_from([0.5, 1, 2, 10, 25])
parts = st.sampled_from([0, 0.25, 0.5, 0.75, 1, 1, 1.25])
picks = st.integers(0, 15)
alerts = {
    "ticker": st.sampled_from([*list(JUDGED)[:2], *list(JUDGED)[:6]]),
    "action": st.sampled_from(["buy", "sell"]),
    "amount": contracts,
    "price": st.none() | st.sampled_from([0, -2.0, 2.3, 50]),
}
reports = {"pick": picks, "price": prices, "part": parts, "base": st.booleans()}
MOST_LIVES = 6


class Life:
    """One signal as the contract has it: the record, and what each leg has filled so far."""

    def __init__(self, record):
        self.record = dict(record)
        self.filled = {1: None, 2: None}

    @property
    def legs(self):
        return (1, 2) if self.record["stk_ticker2"] else (1,)

    def names(self, leg):
        """The names that the broker may use for a leg; for a currency pair also its base."""
        name = self.record[f"stk_ticker{leg}"] or ""
        return {name, name.split(".")[0]} - {""}

    def size(self, leg):
        amount = self.record["order_contracts"]
        return amount if leg == 1 else floor(amount * self.record["hedge_param"])

    def known(self, leg):
        """A leg's quantity; a price without one means all of it."""
        return self.size(leg) if self.filled[leg] is None else self.filled[leg]

    def remained(self, leg):
        name = f"({self.record[f'stk_ticker{leg}']})" if len(self.legs) == 2 else ""
        return f"remained{name}: {float(self.size(leg) - self.known(leg))}"

    def traded(self):
        """The legs that have an order; a leg of less than one share has none."""
        return [leg for leg in self.legs if leg == 1 or self.size(leg) > 0]

    def priced(self, legs=None):
        return all(self.record[f"stk_price{leg}"] for leg in legs or self.traded())

    def result(self):
        """Fill price and slippage, computed from the prices."""
        read = self.record.get
        fill = read("stk_price1")
        if len(self.legs) == 2:
            fill = round(fill - read("hedge_param") * read("stk_price2"), 4)
        if read("order_price") is None:
            return fill, read("slip")
        gain = read("order_price") - fill
        return fill, round(gain if read("order_action") == "buy" else -gain, 4)

    def takes(self, leg, price, more):
        """Whether a fill changes anything; a canceled one needs a first price or more of it."""
        status = self.record["order_status"]
        first = not self.record[f"stk_price{leg}"]
        if not price or leg not in self.traded():
            return False
        return status != "filled" and (status != "canceled" or first or more)

    def price(self, leg, price):
        if self.record["order_status"] == "canceled":
            self.record["status_msg"] = ""
        self.record[f"stk_price{leg}"] = price
        if self.priced(self.legs):
            self.record["fill_price"], self.record["slip"] = self.result()

    def report(self, leg, price, quantity):
        """A fill as the bridge reports it."""
        if quantity < (self.filled[leg] or 0):
            return
        if not self.takes(leg, price, quantity > self.known(leg)):
            return
        self.price(leg, price)
        self.filled[leg] = quantity
        short = [each for each in self.traded() if self.known(each) < self.size(each)]
        if not self.priced():
            message = self.remained(1) if leg == 1 else self.record["status_msg"]
            self.settle("filled(...)", message)
        elif short:
            self.settle("part.filled", self.remained(short[0]))
        else:
            self.settle("filled", "")

    def fill(self, leg, price, amount=None):
        """A fill as the seed reports it; a partial one has the amount that is still ordered."""
        if leg not in self.legs or not self.takes(leg, price, more=False):
            return
        self.price(leg, price)
        old, status = self.record["order_contracts"], self.record["order_status"]
        if amount is None:
            self.record["order_status"] = "filled" if self.priced() else "filled(...)"
        elif (status, old) != ("part.filled", amount):
            self.record["order_contracts"] = amount
            self.settle("part.filled", f"canceled amount: {plain(float(old - amount))}")

    def cancel(self, bridge):
        status = self.record["order_status"]
        if status in ("filled", "canceled"):
            return
        message = "mult.act.orders" if bridge else "multiple active orders"
        if bridge and status == "part.filled":
            message = f"(*)part.filled | {self.record['status_msg'] or ''}"
        self.settle("canceled", message)

    def settle(self, status, message):
        self.record |= {"order_status": status, "status_msg": message}

    def put(self, sent, owner):
        """A PUT; returns the status of the answer."""
        sent = {k: v for k, v in sent.items() if v is not None or k not in NEVER_CLEARED}
        fill = [self.record["stk_price1"], self.record["stk_price2"], *self.filled.values()]
        began = any(value is not None for value in fill) and sent.get("order_status") in OFFERED
        if not owner and (began or self.record["order_status"] == "filled"):
            sent = {k: v for k, v in sent.items() if k in AFTER_FILL}
        if sent.get("order_status") in OFFERED and self.record["stk_ticker1"] in UNTRADED:
            return 400
        self.record |= sent
        return 200


class Orders(RuleBasedStateMachine):
    """Plays alerts, the bridge and the seed's clients against the models and against lives."""

    def __init__(self, store):
        super().__init__()
        self.transaction = store.atomic()
        self.undoing = self.transaction.__enter__()
        self.lives: dict[int, Life] = {}
        self.copies: list[dict] = []
        self.reports: list[tuple] = []
        self.alert_ids: dict[str, int] = {}
        self.replayed: dict[int, dict] = {}
        self.last_event = EventRow.last_id()
        self.changes = 0
        self.next_order = 11

    def teardown(self):
        self.undoing.rollback()
        self.transaction.__exit__(None, None, None)

    # What the application does

    def serve(self, verb, body):
        """The status and the signal's rowid of one request; all that changed has its event."""
        try:
            rowid = verb(read_object(json.dumps(body).encode()))
        except (Missing, Refused, BadFields) as problem:
            assert EventRow.last_id() == self.last_event, "a refusal writes nothing"
            return explain(problem, 500).status, None
        self.read_events()
        return 200, rowid

    def read_events(self):
        for row in EventRow.after(self.last_event, 100):
            self.last_event = row.id
            self.changes += 1
            blank = dict.fromkeys(Signal._meta.sorted_field_names) | {"rowid": int(row.subject)}
            record = self.replayed.setdefault(int(row.subject), blank)
            assert all(record[name] == old for name, (old, _) in row.changed.items())
            record |= {name: new for name, (_, new) in row.changed.items()}

    def update(self, body, symbol, change, read=read_order_update):
        """An order's report, twice: the second must not change anything."""

        def verb(sent):
            update = read(sent)
            about = update.order_id, update.symbol, update.apply
            return signals.report(*about, "bridge").rowid

        rowid, leg = self.find(int(body["order_id"]), symbol)
        if rowid:
            change(self.lives[rowid], leg)
        expected = (200, rowid) if rowid else (404, None)
        assert self.serve(verb, body) == expected
        self.repeat(verb, body, expected)

    def repeat(self, verb, body, expected):
        before = self.last_event
        assert self.serve(verb, body) == expected
        assert self.last_event == before

    def find(self, order_id, symbol):
        for rowid in sorted(self.lives, reverse=True):
            life = self.lives[rowid]
            for leg in (1, 2):
                named = symbol is None or symbol in life.names(leg)
                if named and life.record[f"order_id{leg}"] == order_id:
                    return rowid, leg
        return None, None

    # Alerts, and what the bridge reads and puts back

    @initialize(**alerts)
    def first(self, ticker, action, amount, price):
        self.receive(ticker, action, amount, price)
        self.read(0)
        self.place(0, same_ids=False)

    @precondition(lambda self: len(self.lives) < MOST_LIVES)
    @rule(
        **alerts | {"ticker": st.sampled_from([*list(JUDGED)[:6], *JUDGED])},
        alert_id=st.none() | st.sampled_from("ab"),
        synced=st.booleans(),
        placed=st.booleans(),
    )
    def alert(self, ticker, action, amount, price, alert_id, synced, placed):
        self.receive(ticker, action, amount, price, alert_id, synced)
        if placed:
            self.place(0, same_ids=False)

    def receive(self, ticker, action, amount, price, alert_id=None, synced=False):
        body = {"ticker": ticker, "order_action": action, "order_contracts": amount}
        body |= {"order_price": price, "alert_id": alert_id, "mar_pos": "long"}
        expected = JUDGED[ticker]
        if synced:
            body |= {"ticker": "ROIC", "bypass_ticker_status": True, "status_msg": "due to sync"}
            expected = ("waiting", "due to sync", "ROIC", None, None)

        def verb(sent):
            return receive_one(read_alert(sent), "webhook").rowid

        known = self.alert_ids.get(alert_id)
        status, rowid = self.serve(verb, body)
        assert status == 200
        assert rowid == known or rowid not in self.lives
        if rowid not in self.lives:
            self.begin(rowid, body, expected)
        if alert_id:
            self.alert_ids[alert_id] = rowid
            self.repeat(verb, body, (200, rowid))

    def begin(self, rowid, body, expected):
        status, message, leg1, leg2, hedge = expected
        record = dict.fromkeys(SIGNAL_KEYS)
        record |= {key: value for key, value in body.items() if key in record}
        record |= {"rowid": rowid, "mar_pos_size": 0, "pre_mar_pos_size": 0}
        record |= {"order_status": status, "status_msg": message, "hedge_param": hedge}
        record |= {"stk_ticker1": leg1, "stk_ticker2": leg2}
        record["ticker_type"] = ("pair" if leg2 else "single") if leg1 else None
        record["timestamp"] = Signal.find(rowid).timestamp
        self.lives[rowid] = Life(record)

    @rule(pick=picks)
    def read(self, pick):
        self.copies.append(record_of("signal", Signal.find(self.newest(pick)).columns()))

    def newest(self, pick):
        return sorted(self.lives)[-1 - pick % len(self.lives)]

    @rule(pick=picks, same_ids=st.booleans())
    def place(self, pick, same_ids):
        copy = record_of("signal", Signal.find(self.newest(pick)).columns())
        self.put_copy(copy, OUTCOMES[0], "both", same_ids)

    @precondition(lambda self: self.copies)
    @rule(
        pick=picks,
        outcome=st.sampled_from(OUTCOMES),
        spelling=st.sampled_from(["both", "short", "long"]),
        same_ids=st.booleans(),
    )
    def put_back(self, pick, outcome, spelling, same_ids):
        self.put_copy(self.copies[-1 - pick % len(self.copies)], outcome, spelling, same_ids)

    def put_copy(self, copy, outcome, spelling, same_ids):
        body = copy | {key: value for key, value in outcome.items() if key != "ids"}
        if "ids" in outcome:
            first = 11 if same_ids else self.next_order
            self.next_order = max(self.next_order, first + 2)
            body["order_id1"] = first
            if copy["ticker_type"] == "pair":
                body["order_id2"] = first + 1
        sent = {key: body[key] for key in SIGNAL_KEYS}
        if isinstance(sent["order_status"], list):
            sent["order_status"] = sent["order_status"][0]
        unsent = {"both": (), "short": SHORT.keys(), "long": SHORT.values()}[spelling]
        self.put({key: value for key, value in body.items() if key not in unsent}, sent)

    @precondition(lambda self: self.changes % 4 == 0)
    @rule(pick=picks, status=st.sampled_from(["created", "waiting", "canceled"]))
    def owner_corrects(self, pick, status):
        rowid = self.newest(pick) if pick else 999
        sent = {"order_status": status}
        self.put({"rowid": rowid} | sent, sent, owner=True)

    def put(self, body, sent, owner=False):
        def verb(given):
            revision = check(Revision, given)
            who = "admin" if owner else "bridge"
            fields, bypass = revision.sent(), revision.bypass_ticker_status
            rights = {"bypass": bypass, "owner": owner}
            return signals.revise(revision.rowid, fields, who, **rights).rowid

        life = self.lives.get(body["rowid"])
        status = life.put(sent, owner) if life else 404
        expected = (status, body["rowid"] if status == 200 else None)
        assert self.serve(verb, body) == expected
        self.repeat(verb, body, expected)

    # Fills and cancels of orders at the broker

    def orders(self, running=False):
        """(order id, life of its signal, leg) of all orders, or of those that are not filled."""
        return [
            (life.record[f"order_id{leg}"], life, leg)
            for life in self.lives.values()
            for leg in life.legs
            if life.record[f"order_id{leg}"] is not None
            if not running or life.record["order_status"] != "filled"
        ]

    def order(self, pick):
        """An order, mostly one that is not filled; one time in sixteen an unknown one."""
        among = (self.orders(running=True) if pick % 4 else []) or self.orders()
        return among[pick // 4 % len(among)] if among and pick else (77, None, 1)

    @precondition(lambda self: self.orders(running=True))
    @rule(**reports)
    def report(self, pick, price, part, base):
        order_id, life, leg = self.order(pick)
        names = (sorted(life.names(leg)) if life else []) or ["SPY"]
        quantity = float(part * (life.size(leg) if life else 1))
        self.reports.append((order_id, names[0 if base else -1], price, quantity))
        self.report_again(0)

    one_more_report = report

    @precondition(lambda self: self.reports)
    @rule(pick=picks)
    def report_again(self, pick):
        order_id, symbol, price, quantity = self.reports[-1 - pick % len(self.reports)]
        body = {"order_id": str(order_id), "symbol": symbol, "price": price}
        body |= {"filled_qty": quantity}
        self.update(body, symbol, lambda life, leg: life.report(leg, price, quantity))

    @precondition(lambda self: self.orders(running=True))
    @rule(pick=picks, price=prices, short=st.booleans())
    def seed_price(self, pick, price, short):
        order_id, _, _ = self.order(pick)
        body = {"order_id": order_id, "stk_price": price}

        def read(sent):
            return check(Price, sent) if short else read_order_update(sent)

        self.update(body, None, lambda found, leg: found.fill(leg, price), read)

    @precondition(lambda self: self.orders(running=True))
    @rule(pick=picks, price=prices, amount=contracts)
    def seed_partial(self, pick, price, amount):
        order_id, _, _ = self.order(pick)
        body = {"order_id": order_id, "stk_price": price, "partial": True}
        self.update(
            body | {"order_contracts": amount},
            None,
            lambda found, leg: found.fill(leg, price, amount),
        )

    @rule(pick=picks, bridge=st.booleans())
    def cancel(self, pick, bridge):
        order_id, life, leg = self.order(pick)
        symbol = (max(life.names(leg), default="SPY") if life else "SPY") if bridge else None
        body = {"order_id": order_id, "cancel": True}
        if bridge:
            body |= {"symbol": symbol, "price": -1, "filled_qty": -1}
        self.update(body, symbol, lambda found, leg: found.cancel(bridge))

    # What holds after each step

    @invariant()
    def the_records_are_the_models_and_the_events_replay_to_them(self):
        rows = {signal.rowid: signal.columns() for signal in Signal.select()}
        assert rows == self.replayed
        assert rows.keys() == self.lives.keys()
        for rowid, life in self.lives.items():
            shown = record_of("signal", rows[rowid])
            assert {key: shown[key] for key in life.record} == life.record
            assert {short: shown[short] for short in SHORT.values()} == {
                short: life.record[long] for long, short in SHORT.items()
            }
            assert life.filled == {1: rows[rowid]["filled_qty1"], 2: rows[rowid]["filled_qty2"]}

    @invariant()
    def what_is_priced_has_its_fill_price_and_slippage(self):
        for life in self.lives.values():
            if life.record["order_status"] in ("filled", "part.filled") and life.priced(life.legs):
                assert (life.record["fill_price"], life.record["slip"]) == life.result()

    @invariant()
    def the_bridge_is_offered_what_waits_newest_first(self):
        waiting = [
            rowid
            for rowid, life in sorted(self.lives.items(), reverse=True)
            if life.record["order_status"] in OFFERED
        ]
        assert [
            row[0] for row in search.newest(Filters(status="waiting"), ("rowid",), 100)
        ] == waiting


@pytest.mark.slow
def test_random_lives_of_orders_follow_the_contract(store):
    for leg1, leg2, hedge, active in (("NMFC", "ROIC", 0.72, 1), ("MA", "V", 3, 1)):
        registry.register_pair(
            {"ticker1": leg1, "ticker2": leg2, "hedge": hedge, "status": active}, "test"
        )
    registry.register_pair({"ticker1": "KO", "ticker2": "PEP", "hedge": 1}, "test")
    for symbol in ("AAPL", "BF B"):
        registry.register_stock({"symbol": symbol, "active": 1}, "test")
    for symbol, sectype in (("EUR.USD", "CASH"), ("BTC.USD", "CRYPTO")):
        registry.register_stock({"symbol": symbol, "sectype": sectype, "active": 1}, "test")
    run_state_machine_as_test(
        lambda: Orders(store),
        settings=settings(
            max_examples=tries(50 if is_sqlite(store) else 15),
            stateful_step_count=40,
            derandomize=True,
        ),
    )
