"""The registry's word on equations, told from tables without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import equation, exchanges
from trading.guards import MODES
from trading.judging import is_registered, judge, plan


class Rows(dict):
    """Rows by name, as a database would answer them; notes what it was asked."""

    def __init__(self, rows):
        super().__init__(rows)
        self.asked = []

    def get(self, name):
        self.asked.append(name)
        return super().get(name)


class Registry:
    """The rows of stocks and pairs."""

    def __init__(self, stocks=(), pairs=()):
        self.stocks, self.pairs = Rows(stocks), Rows(pairs)


def stock(currency="USD", active=1, sectype="STK"):
    return active, sectype, currency, "on"


def told(ticker, registry, bypass=False):
    """(outcome, message, legs) of an equation."""
    outcome, columns, _ = judge(ticker, bypass, registry)
    return outcome, columns.get("status_msg"), (columns["stk_ticker1"], columns["stk_ticker2"])


RECORDED = "recorded", None
MISMATCH = "refused", "exchange mismatch!"
UNKNOWN = "refused", "unknown ticker"
PASSIVE = "refused", "passive ticker"

# What is registered, the ticker, the word on it, leg 1 then.
SPELLED = [
    ({"BRK B": stock()}, "NYSE:BRK.B", RECORDED, "BRK B"),
    ({"BRK B": stock()}, "BRK.B", RECORDED, "BRK B"),
    ({"BRK B": stock()}, "BRK B", RECORDED, "BRK B"),
    ({"BRK.B": stock()}, "NYSE:BRK.B", RECORDED, "BRK.B"),
    ({"BRK.B": stock()}, "BRK B", RECORDED, "BRK.B"),
    ({"BRK B": stock(), "BRK.B": stock(active=0)}, "NYSE:BRK.B", RECORDED, "BRK B"),
    ({"BRK B": stock(active=0), "BRK.B": stock()}, "BRK.B", PASSIVE, "BRK B"),
    ({"TECK.B": stock("CAD")}, "TSX:TECK.B", RECORDED, "TECK.B"),
    ({"TECK.B": stock("CAD")}, "TECK.B", RECORDED, "TECK.B"),
    ({"TECK B": stock("CAD")}, "TSX:TECK.B", RECORDED, "TECK B"),
    ({"TECK.B": stock("CAD"), "TECK B": stock()}, "TSX:TECK.B", RECORDED, "TECK.B"),
    ({"TECK.B": stock("CAD")}, "NYSE:TECK.B", MISMATCH, "TECK.B"),
    ({}, "TSX:TECK.B", UNKNOWN, "TECK.B"),
    ({}, "NYSE:BRK.B", UNKNOWN, "BRK B"),
    ({"BP.": stock("GBP")}, "LSE:BP.", RECORDED, "BP."),
    ({"BP.": stock("GBP")}, "BP.", RECORDED, "BP."),
    ({"BP": stock("GBP")}, "LSE:BP.", UNKNOWN, "BP."),
    ({"USD.CAD": stock("CAD", 1, "CASH")}, "FX:USDCAD", RECORDED, "USD.CAD"),
    ({"USDCAD": stock("CAD", 1, "CASH")}, "USDCAD", RECORDED, "USD.CAD"),
    ({"USD.CAD": stock("CAD")}, "USDCAD", UNKNOWN, "USDCAD"),
]


@pytest.mark.parametrize(("stocks", "ticker", "word", "leg"), SPELLED)
def test_a_spelling_that_is_registered_wins_then_the_one_of_the_market(stocks, ticker, word, leg):
    assert told(ticker, Registry(stocks)) == (*word, (leg, None))


# The currency registered, prefixes that fit, prefixes of other markets; unknown ones always fit.
MARKETS = [
    ("USD", "NYSE NASDAQ AMEX BATS OTC LSE SIX TSX HKEX nasdaq", "EURONEXT MIL XETR OMXSTO NSE"),
    ("CAD", "TSX TSXV NEO CSE TSE TSX_DLY", "EURONEXT MIL NYSE NASDAQ LSE ASX nyse NYSE_DLY"),
    ("EUR", "EURONEXT MIL XETR LSE SIX BME OMXHEX", "NYSE NASDAQ TSX HKEX ASX OSL"),
    ("GBP", "LSE AQUIS SIX", "NYSE EURONEXT TSX"),
    ("GBX", "LSE AQUIS", "NYSE EURONEXT SIX"),
    ("CHF", "SIX BX", "LSE NYSE XETR"),
    ("HKD", "HKEX SZSE SGX", "NYSE TSE KRX"),
    ("CNY", "HKEX SSE SZSE", "NYSE TSE"),
    ("CNH", "HKEX SSE SZSE", "NYSE TSE"),
    ("JPY", "TSE", "HKEX NYSE"),
    ("SEK", "OMXSTO", "OSL OMXCOP NYSE"),
]


@pytest.mark.parametrize(("currency", "fit", "others"), MARKETS)
def test_a_prefix_names_the_market_of_the_registered_currency(currency, fit, others):
    registry = Registry({"SU": stock(currency)})
    for prefix in [*fit.split(), "NOWHERE", "FX", "X"]:
        assert told(f"{prefix}:SU", registry) == (*RECORDED, ("SU", None)), prefix
    assert told("SU", registry) == (*RECORDED, ("SU", None))
    for prefix in others.split():
        for bypass in (False, True):
            assert told(f"{prefix}:SU", registry, bypass) == (*MISMATCH, ("SU", None)), prefix


PAIRED = [
    ("MA-3*V", RECORDED),
    ("NYSE:MA-3*NYSE:V", RECORDED),
    ("((NYSE:MA)-(3*NYSE:V))", RECORDED),
    ("MA-3*XETR:V", MISMATCH),
    ("XETR:MA-3*V", MISMATCH),
    ("NYSE:MA-XETR:V*3", MISMATCH),
    ("X:MA-3*X:V", RECORDED),
    ("MA-2*V", ("refused", "wrong hedge")),
    ("MA-2*XETR:V", MISMATCH),
    ("V-3*XETR:MA", UNKNOWN),
]


@pytest.mark.parametrize(("ticker", "word"), PAIRED)
def test_each_leg_of_a_pair_has_its_own_market(ticker, word):
    registry = Registry({"MA": stock(active=0), "V": stock(active=0)}, {"MA-V": (1, 3.0)})
    assert told(ticker, registry)[:2] == word


def test_a_leg_that_is_not_registered_itself_belongs_to_any_market():
    registry = Registry(pairs={"MA-V": (1, 3.0)})
    assert told("XETR:MA-3*XETR:V", registry) == (*RECORDED, ("MA", "V"))


@pytest.mark.parametrize("name", ["BF A-BF B", "BF.A-BF.B", "BF A-BF.B"])
@pytest.mark.parametrize("ticker", ["BF.A-2*BF.B", "NYSE:BF.A-2*NYSE:BF.B", "BF A-(2*BF B)"])
def test_a_pair_of_class_shares_is_found_however_it_is_registered(name, ticker):
    symbols = name.split("-")
    registry = Registry(dict.fromkeys(symbols, stock(active=0)), {name: (1, 2.0)})
    assert told(ticker, registry) == (*RECORDED, tuple(symbols))


def test_the_legs_are_those_whose_tickers_the_bridge_finds():
    registry = Registry({"BF A": stock(), "BF B": stock()}, {"BF.A-BF.B": (1, 2.0)})
    assert told("NYSE:BF.A-2*NYSE:BF.B", registry) == (*RECORDED, ("BF A", "BF B"))
    assert is_registered("BF.A", registry)
    assert not is_registered("BF.C", registry)


SYMBOLS = ["MA", "V", "BF.A", "BF B", "TECK.B", "BP.", "USDCAD", "EUR.USD", "700", "BP"]
rows = st.builds(
    stock,
    st.sampled_from(["USD", "CAD", "EUR", "GBP"]),
    st.integers(0, 1),
    st.sampled_from(["STK", "CASH", "CRYPTO"]),
)
legs = st.builds(
    "{}{}".format,
    st.sampled_from(["", "NYSE:", "TSX:", "LSE:", "FX:", "HKEX:"]),
    st.sampled_from(SYMBOLS),
)
tickers = legs | st.builds("{}-({})*2".format, legs, legs) | st.just("A/B")
spelled = st.sampled_from([way for symbol in SYMBOLS for way in equation.spellings(symbol)])
names = st.builds("{}-{}".format, spelled, spelled)
registries = st.builds(
    Registry,
    st.dictionaries(spelled, rows),
    st.dictionaries(names, st.tuples(st.integers(0, 1), st.sampled_from([1.0, 2.0]))),
)


@given(tickers, registries, st.booleans())
def test_what_is_asked_ahead_is_all_that_is_looked_up(ticker, registry, bypass):
    judge(ticker, bypass, registry)
    planned = plan(ticker)
    assert set(registry.pairs.asked) <= set(planned.names)
    assert set(registry.stocks.asked) <= set(planned.symbols)


@given(tickers, registries)
def test_a_single_that_is_recorded_has_a_ticker_for_the_bridge(ticker, registry):
    outcome, columns, mode = judge(ticker, False, registry)
    assert mode in MODES
    assert outcome in ("recorded", "refused", "problematic")
    assert (outcome == "recorded") == ("order_status" not in columns)
    if outcome == "recorded" and columns["ticker_type"] == "single":
        assert is_registered(columns["stk_ticker1"], registry)


def test_an_exchange_in_the_united_states_trades_in_dollars():
    for exchange in ("NYSE", "NASDAQ", "AMEX", "ARCA", "BATS", "CBOE", "OTC"):
        assert exchanges.is_us(exchange)
        assert exchanges.is_us(f"{exchange.lower()}_dly")
    assert {exchanges.currencies(exchange) for exchange in exchanges.US} == {frozenset({"USD"})}
    for exchange in ("TSX", "LSE", "OMXSTO", "UNKNOWN", "X", ""):
        assert not exchanges.is_us(exchange)
    assert exchanges.currencies(None) == exchanges.currencies("UNKNOWN") == frozenset()
