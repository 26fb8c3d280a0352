"""Numbers, flags and texts as clients write them, and as they are answered."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.types import SYMBOL
from schemas.values import BadFields, read_object, to_flag, to_number, to_symbol, to_text
from services.original import original_pair, original_stock
from trading.fills import plain

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (100, 100),
        (0.5, 0.5),
        (-0.0, 0),
        ("100", 100),
        ("400.2", 400.2),
        ("1e-5", 0.00001),
        ("1E+3", 1000),
        (" 7\n", 7),
        ("+2.50", 2.5),
        ("-.5", -0.5),
        ("5.", 5),
        ("007", 7),
        (2**63, 2.0**63),
        ("9" * 300, 1e300),
        ("0." + "0" * 300 + "1", 1e-301),
        ("1e-999", 0),
    ],
)
def test_a_number_may_be_a_numeral(sent, number):
    assert to_number(sent) == number
    assert type(to_number(sent)) is float


REFUSED = [
    *(True, False, None, [], [1], {}, "", " ", "x", "1,000", "1_000", "1 000", "0x10", "1e", "e5"),
    *(
        "--1",
        "+",
        ".",
        "١",
        "½",
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "1e999",
        "9" * 401,
        "9" * 100_000,
    ),
    *(math.nan, math.inf, -math.inf, 10**309, 10**5000, b"1", 1j),
]


def test_anything_else_is_no_number():
    for value in REFUSED:
        with pytest.raises(ValueError, match=r"must be a number|is out of range"):
            to_number(value)


@given(FINITE)
def test_no_number_is_truncated(number):
    assert to_number(number) == to_number(repr(number)) == to_number(f" {number!r} ") == number


FLAGS = [
    *((value, True) for value in (True, 1, "true", "True", "TRUE")),
    *((value, False) for value in (False, 0, "false", "False", "FALSE")),
]


def test_a_flag_is_a_boolean_0_1_or_a_word():
    for value, flag in FLAGS:
        assert to_flag(value) is flag, value


def test_anything_else_is_no_flag():
    for value in ("yes", "no", "on", "t", "y", "", "0.0", 2, -1, 1.5, None, [], [True], {}, "wahr"):
        with pytest.raises(ValueError, match="must be true or false"):
            to_flag(value)


@given(st.integers(-(2**70), 2**70))
def test_whole_numbers_below_2_to_the_53_are_answered_as_such(number):
    answered = plain(float(number))
    assert answered == float(number)
    assert type(answered) is (int if abs(number) < 2**53 else float)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100.0, "100"),
        (-3.0, "-3"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (2.0**53 - 1, "9007199254740991"),
        (2.0**53, "9007199254740992.0"),
        (1e300, "1e+300"),
        (None, "null"),
        (7, "7"),
        ("1.0", '"1.0"'),
    ],
)
def test_a_number_is_answered_in_its_plain_form(value, text):
    assert json.dumps(plain(value)) == text


@given(st.text(st.characters()))
def test_every_text_can_be_stored_and_a_storable_one_stays(text):
    stored = to_text(text)
    assert stored.encode().decode() == stored
    assert "\0" not in stored
    assert len(stored) == len(text)
    assert [new for old, new in zip(text, stored, strict=True) if old != new] == [
        "\ufffd" for each in text if each == "\0" or "\ud800" <= each <= "\udfff"
    ]


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), FINITE, st.text())))
def test_every_json_object_is_read_as_it_is(body):
    for raw in (json.dumps(body).encode(), json.dumps(body, ensure_ascii=False).encode()):
        assert read_object(raw) == read_object(b"\xef\xbb\xbf \n" + raw + b"\t\r\n") == body


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(raw):
    try:
        assert isinstance(read_object(raw), dict)
    except ValueError:
        assert not raw.startswith(b"{}")


@given(st.from_regex(SYMBOL, fullmatch=True))
def test_every_symbol_that_the_document_allows_is_taken(text):
    assert to_symbol(text) == text


@pytest.mark.parametrize(
    ("symbol", "spelled"),
    [
        ("AAPL", "AAPL"),
        ("BF B", "BF B"),
        ("BF.B", "BF B"),
        ("BP.", "BP."),
        ("REI UN", "REI.UN"),
        ("EUR.USD", "EUR.USD"),
        ("700", "700"),
    ],
)
def test_a_symbol_of_the_original_comes_as_the_broker_spells_it(symbol, spelled):
    assert original_stock({"symbol": symbol, "active": 1}) == {"symbol": spelled, "active": 1}
    pair = original_pair({"name": f"{symbol}-BRK.B", "hedge": 2}, lambda _: False)
    assert (pair["ticker1"], pair["ticker2"]) == (spelled, "BRK B")


def test_a_symbol_of_another_market_keeps_its_dot():
    row = {"symbol": "TECK.B", "xch": "SMART", "currency": "CAD"}
    assert original_stock(row)["symbol"] == "TECK.B"
    pair = original_pair({"name": "TECK.B-MA", "hedge": 2}, lambda leg: leg == "TECK.B")
    assert pair["ticker1"] == "TECK.B"


@pytest.mark.parametrize("name", ["AAPL", "A-B-C", "", "A-", "A-2*B"])
def test_a_pair_of_the_original_whose_name_tells_no_tickers_does_not_come(name):
    with pytest.raises(BadFields):
        original_pair({"name": name, "hedge": 2}, lambda _: False)
