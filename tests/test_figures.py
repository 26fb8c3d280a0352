"""Sums over any signals are equal to what a plain loop over the rows computes."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Signal
from services import registry, search
from services.search import SEARCHED, Filters, totals
from services.signals import BLANK
from services.strip import Strip
from tests.conftest import tries
from trading import statuses

CURRENCIES = {"MA": "USD", "V": "USD", "RY": "CAD", "TD": "CAD", "EURUSD": "GBP"}
LEGS = [
    *(("pair", "MA", "V"), ("pair", "RY", "TD"), ("pair", "MA", "RY")),
    *(("single", "RY", None), ("single", "EUR.USD", None), (None, None, None)),
]
KIND = ("ticker_type", "stk_ticker1", "stk_ticker2")
TEXTS = [None, "Enter Long 17", "enter LONG 9", "Grüße", "50%_"]
maybe = st.none() | st.sampled_from([0.0, 7.0, 0.5])
prices = st.none() | st.sampled_from([100.756, -37.63, 0.1, 1e12])
rows = st.builds(
    lambda legs, more: {**BLANK, **more, **dict(zip(KIND, legs, strict=True))},
    st.sampled_from(LEGS),
    st.fixed_dictionaries(
        {
            "timestamp": st.sampled_from(["2026-11-01 10:00:00", "2026-11-02 10:00:00"]),
            "ticker": st.just("MA-3*V"),
            "order_status": st.sampled_from(
                ["filled", "waiting", "rerouted", "error", "critical err"]
            ),
            "order_action": st.sampled_from(["buy", "sell"]),
            "order_contracts": st.sampled_from([1e-300, 0.1, 1.0, 100.0, 1e6]),
            "hedge_param": st.sampled_from([1e-300, 0.29, 3.0, 1e300]),
            "slip": st.none() | st.sampled_from([0.25, -1.5, 0.0, 1e12]),
            "stk_price1": prices,
            "stk_price2": prices,
            "filled_qty1": maybe,
            "filled_qty2": maybe,
            "order_comment": st.sampled_from(TEXTS),
        }
    ),
)
filters = st.builds(
    Filters,
    status=st.sampled_from([None, "filled", "waiting", "failed", "error"]),
    name=st.sampled_from([None, "MA-V", "RY"]),
    kind=st.sampled_from([None, "pair"]),
    since=st.sampled_from([None, "2026-11-02"]),
    text=st.sampled_from([None, "LONG", "%_", "grüße"]),
)
MEANT = {"waiting": ("waiting", "rerouted"), "failed": ("error", "critical err")}


def passes(row, wanted):
    """Whether a row matches the filters."""
    names = {"MA-V": ("MA", "V"), "RY": ("RY", None)}
    found = [row[name].encode().lower() for name in SEARCHED if row[name]]
    return (
        (wanted.status is None or row["order_status"] in MEANT.get(wanted.status, [wanted.status]))
        and wanted.kind in (None, row["ticker_type"])
        and (wanted.name is None or names[wanted.name] == (row["stk_ticker1"], row["stk_ticker2"]))
        and (wanted.since is None or row["timestamp"] >= wanted.since)
        and (wanted.text is None or any(wanted.text.encode().lower() in text for text in found))
    )


def value_of(row):
    """The value of a signal; None if it is not known."""
    if row["stk_price1"] is None:
        return None
    filled_qty1 = row["order_contracts"] if row["filled_qty1"] is None else row["filled_qty1"]
    value = abs(row["stk_price1"]) * filled_qty1
    if row["stk_ticker2"] is None:
        return value
    filled_qty2 = row["filled_qty2"]
    if filled_qty2 is None and row["hedge_param"] <= 1e12:
        filled_qty2 = math.floor(row["order_contracts"] * row["hedge_param"])
    if row["stk_price2"] is None or filled_qty2 is None:
        return None
    return value + abs(row["stk_price2"]) * filled_qty2


def cost_of(found):
    """{currency: money, value, basis points, signals} of these rows, summed one by one."""
    costs = {}
    currencies = {**CURRENCIES, "EUR.USD": "GBP"}
    for row in found:
        if row["slip"] is None:
            continue
        currency = currencies.get(row["stk_ticker1"], "USD")
        cost = costs.setdefault(currency, {"money": [], "value": [], "valued": []})
        cost["money"].append(row["slip"] * row["order_contracts"])
        value = value_of(row)
        if value is not None and (
            row["stk_ticker2"] is None or currencies[row["stk_ticker2"]] == currency
        ):
            cost["value"].append(value)
            cost["valued"].append(cost["money"][-1])
    for currency, cost in costs.items():
        money, value, valued = (math.fsum(cost[key]) for key in ("money", "value", "valued"))
        bp = valued / value * 10_000 if value else None
        costs[currency] = {"money": money, "value": value, "bp": bp, "signals": len(cost["money"])}
    return costs


def assert_cost(told, found):
    expected = cost_of(found)
    assert list(told) == sorted(expected)
    for currency, cost in expected.items():
        for key, value in cost.items():
            near = value if value is None else pytest.approx(value, rel=1e-6, abs=0.01)
            assert told[currency][key] == near


def test_totals_are_those_of_a_plain_walk(store):
    for symbol, currency in CURRENCIES.items():
        registry.register_stock({"symbol": symbol, "currency": currency}, "test")

    @settings(max_examples=tries(40), suppress_health_check=list(HealthCheck))
    @given(st.lists(rows, max_size=8), filters)
    def check(stored, wanted):
        with store.atomic() as transaction:
            for row in stored:
                Signal.insert(row).execute()
            found = [row for row in stored if passes(row, wanted)]
            told = totals(wanted)
            assert told["count"] == sum(told["by_status"].values()) == len(found)
            assert told["quantity"] == pytest.approx(sum(row["order_contracts"] for row in found))
            assert_cost(told["slippage"], found)
            for side, average in told["average_slippage"].items():
                some = [row for row in found if side in ("all", row["order_action"])]
                slips = [row["slip"] for row in some if row["slip"] is not None]
                expected = pytest.approx(math.fsum(slips) / len(slips), abs=1e-4) if slips else None
                assert average == expected
                if side != "all":
                    assert_cost(told["slippage_by_action"][side], some)
            assert len(search.newest(wanted, ("rowid",), 100)) == len(found)
            assert (
                Strip(5).figures("2026-11-02")["failed"]
                == totals(Filters(status="failed", since="2026-11-02"))["count"]
            )
            transaction.rollback()

    check()


def test_the_search_finds_what_classify_calls_not_traded_and_failed(store):
    messages = [each.example for each in statuses.MEANINGS]
    texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
    messages += [None, "", *(text.upper() for text in statuses.REASONS), "wrong hedge "]

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.tuples(
                st.sampled_from((*statuses.KNOWN, "other")),
                st.sampled_from(messages) | texts,
            ),
            max_size=20,
        )
    )
    def check(stored):
        with store.atomic() as transaction:
            wanted = {statuses.NOT_TRADED: [], statuses.FAILED: []}
            for status, message in stored:
                row = {"timestamp": "2026-11-02 10:00:00", "ticker": "MA", "order_action": "buy"}
                row |= {"order_contracts": 1, "order_status": status, "status_msg": message}
                rowid = Signal.insert({**BLANK, **row}).execute()
                wanted.get(statuses.classify(status, message), []).insert(0, rowid)
            told = Strip(5).figures("2026-11-02")
            for word, rowids in zip(
                (search.NOT_TRADED, search.FAILED), wanted.values(), strict=True
            ):
                found = search.newest(Filters(status=word), ("rowid",), 100)
                assert [rowid for (rowid,) in found] == rowids
                assert told[word] == len(rowids)
            transaction.rollback()

    check()


def test_a_day_that_lost_money_is_no_gain_though_its_average_is_one(store):
    for slippage, contracts in ((1.0, 1.0), (-0.5, 100.0)):
        row = {
            "ticker": "MA",
            "stk_ticker1": "MA",
            "ticker_type": "single",
            "stk_price1": 50.0,
            "order_action": "buy",
        }
        row |= {"slip": slippage, "order_contracts": contracts, "order_status": "filled"}
        Signal.insert({**BLANK, **row, "timestamp": "2026-11-02 10:00:00"}).execute()
    told = Strip(5).figures("2026-11-02")
    assert told["average_slippage"] == 0.25
    assert told["slippage"] == {"USD": {"money": -49, "value": 5050, "bp": -97.03, "signals": 2}}
