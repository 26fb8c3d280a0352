"""Equations: every form that charts send, and that no text has more than one reading."""

import ast
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading.equation import (
    Equation,
    Leg,
    Problematic,
    dotted,
    is_symbol,
    parse,
    spellings,
)


def written(equation):
    """The equation as a text that reads back as the same."""
    leg1, *leg2 = (
        f"{leg.exchange}:{leg.symbol}" if leg.exchange else leg.symbol
        for leg in (equation.leg1, equation.leg2)
        if leg
    )
    hedge = repr(equation.hedge).removesuffix(".0").replace("e+", "e")
    weight = "" if equation.hedge == 1 else f"{hedge}*"
    return "".join([leg1, *(f"-{weight}{each}" for each in leg2)])


def named(equation):
    """The registry's name, symbols only."""
    return "-".join(leg.symbol for leg in equation.legs)


SINGLES = [
    ("AAPL", "AAPL", None),
    ("NASDAQ:AAPL", "AAPL", "NASDAQ"),
    ("1*AAPL", "AAPL", None),
    ("AAPL*1", "AAPL", None),
    ("1.0 * NASDAQ:AAPL", "AAPL", "NASDAQ"),
    ("  AAPL\n", "AAPL", None),
    ("aapl", "aapl", None),
    ("NYSE:BF.A", "BF A", "NYSE"),
    ("BRK.B", "BRK B", None),
    ("BF B", "BF B", None),
    ("NYSE:BF B", "BF B", "NYSE"),
    ("A.B.C", "A.B C", None),
    ("A.B C", "A.B C", None),
    ("EUR.USD", "EUR.USD", None),
    ("TSX:REI.UN", "REI.UN", "TSX"),
    ("TSX:TECK.B", "TECK.B", "TSX"),
    ("tsx:teck.b", "teck.b", "tsx"),
    ("TSX:TECK B", "TECK B", "TSX"),
    ("LSE:BT.A", "BT.A", "LSE"),
    ("OMXSTO:VOLV.B", "VOLV.B", "OMXSTO"),
    ("UNKNOWN:A.B", "A.B", "UNKNOWN"),
    ("nyse:BRK.B", "BRK B", "nyse"),
    ("NYSE_DLY:BRK.B", "BRK B", "NYSE_DLY"),
    ("OTC:A.B", "A B", "OTC"),
    ("LSE:BP.", "BP.", "LSE"),
    ("BP.", "BP.", None),
    ("1*LSE:BP.", "BP.", "LSE"),
    ("A.B.", "A.B.", None),
    ("BRK.1", "BRK.1", None),
    ("(AAPL)", "AAPL", None),
    ("((NASDAQ:AAPL))", "AAPL", "NASDAQ"),
    ("(1*AAPL)", "AAPL", None),
    ("1*(AAPL)", "AAPL", None),
    ("(BF.B)", "BF B", None),
    ("(700)", "700", None),
    ("1E+0*A", "A", None),
    ("HKEX:700", "700", "HKEX"),
    ("700", "700", None),
    ("KRX:0008E0", "0008E0", "KRX"),
    ("SPX500", "SPX500", None),
    ("1000SHIB", "1000SHIB", None),
    ("ES1!", "ES1!", None),
    ("6E1!", "6E1!", None),
    ("CME_MINI:ES1!", "ES1!", "CME_MINI"),
    ("NSE:M&M", "M&M", "NSE"),
    ("5E", "5E", None),
]

PAIRS = [
    ("NMFC-0.72*NASDAQ:ROIC", "NMFC-ROIC", 0.72),
    ("NYSE:MA-3*NYSE:V", "MA-V", 3),
    ("A-B*2.2", "A-B", 2.2),
    ("A-.5*B", "A-B", 0.5),
    ("A-5e-05*B", "A-B", 0.00005),
    ("A-5E-05*B", "A-B", 0.00005),
    ("A-B*1e3", "A-B", 1000),
    ("A-1.5E+2*B", "A-B", 150),
    ("A-15E+1*B", "A-B", 150),
    ("A-B*1.5E+2", "A-B", 150),
    ("A-B*1.5e+02", "A-B", 150),
    ("A-B/1E+2", "A-B", 0.01),
    ("A-(1.5E+2)*B", "A-B", 150),
    ("1E+0*A-150*B", "A-B", 150),
    ("A - 1.25*B", "A-B", 1.25),
    ("A\t-1.25 * B ", "A-B", 1.25),
    ("A-(1.25*B)", "A-B", 1.25),
    ("A - ( B * 1.25 )", "A-B", 1.25),
    ("A-(B/4)", "A-B", 0.25),
    ("A-(B)", "A-B", 1),
    ("(NYSE:MA)-(3*NYSE:V)", "MA-V", 3),
    ("(NYSE:MA-3*NYSE:V)", "MA-V", 3),
    ("MA-(3*(V))", "MA-V", 3),
    ("MA-3*(V)", "MA-V", 3),
    ("A-((150*B))", "A-B", 150),
    ("A-(B)*150", "A-B", 150),
    ("A-(B)/(4)", "A-B", 0.25),
    ("1*(MA)-3*(V)", "MA-V", 3),
    ("((MA)-(3*V))", "MA-V", 3),
    ("(((MA)-(((3)*V))))", "MA-V", 3),
    ("( BF B ) - ( BF.A )", "BF B-BF A", 1),
    ("LSE:BP.-LSE:SHEL", "BP.-SHEL", 1),
    ("LSE:SHEL-2*LSE:BP.", "SHEL-BP.", 2),
    ("LSE:SHEL-LSE:BP.*2", "SHEL-BP.", 2),
    ("LSE:SHEL - (LSE:BP./4)", "SHEL-BP.", 0.25),
    ("TSX:TECK.A-TSX:TECK.B", "TECK.A-TECK.B", 1),
    ("1*A-3*B", "A-B", 3),
    ("A*1-B*3", "A-B", 3),
    ("A-B", "A-B", 1),
    ("A-B/4", "A-B", 0.25),
    ("BF.A-0.5*BF.B", "BF A-BF B", 0.5),
    ("BF A-0.5*BF B", "BF A-BF B", 0.5),
    ("EUR.USD-GBP.USD", "EUR.USD-GBP.USD", 1),
    ("HKEX:700-3*HKEX:5", "700-5", 3),
    ("6E1!-2*6B1!", "6E1!-6B1!", 2),
    ("CME:6E-3*B", "6E-B", 3),
    ("ES1!-SPX500", "ES1!-SPX500", 1),
]

PROBLEMATIC = {
    "weight of the first leg": ["1.5*A-B", "2*AAPL", "AAPL*2", "A*3-B", "0*A", "1E-0*B"],
    "operator": ["A/B", "A+B", "A-B-C", "A*B", "A-B*C", "A-B/C", "A/1", "A-4/B", "A-+B", "A^2"],
    "spaces": ["TEST 123", "A  B", "A B C", "A\u00a0B", "A BC", "700 B", "BF B.C", "A-1 2*B"],
    "incomplete": [
        "",
        "  ",
        "A-",
        "*A",
        "-A",
        "-",
        "A-*B",
        "A-3*",
        "A-/B",
        ":",
        "A:",
        ":A",
        "A:B:C",
    ],
    "exponent": [
        *("A-1.5E +2*B", "A-1.5E+ 2*B", "A-1.5+2*B", "A-1.5E++2*B", "A-1.5E+B"),
        *("1.5E+2*A-B",),
    ],
    "forgotten *": [
        *("A-0.5B", "A-.5B", "0.5B", "A-(0.5B)", "A-1.5E2B", "X:0.5B", "A-3NYSE:V"),
        *("A-2(B)",),
    ],
    "dots": [".", ".A", "A..", "BP. A", "A.:B", "A..B", "1.5", "X:1.5", "5.B", "X:5.B", "X:5 B"],
    "parentheses": [
        *("A-(B", "A-B)", "A-()", "()", ")A(", "(A)(B)", "A(B)", "A-B()", "(A-)B"),
        *("A(-B)",),
    ],
    "parentheses that change something": [
        *("A-(B-C)", "(A-B)*2", "(A-B)/4", "2*(A-B)", "1*(A-B)", "(A-B)*1", "A-(B*2)/3"),
        *("(A-3)*B", "A-2*(3*B)", "A/(B/4)", "A-((B-C))", "(A-B)-C", "A-4/(B)"),
        *("((A-B))*2", "(A)/(B)", "-(A)"),
    ],
    "hedge": ["A-0*B", "A-0.0*B", "A--1*B", "A-(-1*B)", "A-B/0", "A-1e999*B", "A-1e-999*B"],
    "hedge, evaluated": ["A-B/1e-320", "A-B/1e999", "A-B*0", "A-nan*B", "A-1_0*B"],
    "two readings": ["A-700", "700-A", "3*700", "A-3*700", "700-5", "5E-05*B", "A-5e-05"],
    "two readings, by spaces": ["5E - 3*B", "5E-B*3", "5e-B", "1.5E-A"],
    "alphabet": [
        "ÄPFEL",
        "A\u2212B",
        "A-\u0663*B",
        "A\u2010B",
        "\ud800",
        "A\0",
        "A,B",
        "A\nB",
        "<b>",
    ],
}


@pytest.mark.parametrize(("text", "symbol", "exchange"), SINGLES)
def test_single(text, symbol, exchange):
    equation = parse(text)
    assert equation == Equation(Leg(symbol, exchange))
    assert (equation.leg2, equation.kind, named(equation)) == (None, "single", symbol)


@pytest.mark.parametrize(("text", "name", "hedge"), PAIRS)
def test_pair(text, name, hedge):
    equation = parse(text)
    assert (named(equation), equation.hedge) == (name, hedge)
    assert (len(equation.legs), equation.kind) == (2, "pair")


def test_pair_keeps_the_exchange_of_each_leg():
    equation = parse("NMFC-0.72*NASDAQ:ROIC")
    assert equation == Equation(Leg("NMFC", None), Leg("ROIC", "NASDAQ"), 0.72)


@pytest.mark.parametrize("text", [text for texts in PROBLEMATIC.values() for text in texts])
def test_problematic(text):
    with pytest.raises(Problematic):
        parse(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1*AAPL", "AAPL"),
        ("NYSE:BF.A", "NYSE:BF A"),
        ("1*A - (B/4)", "A-0.25*B"),
        ("A-1.0*B", "A-B"),
        ("A-3.0*B", "A-3*B"),
        ("A-.00005*B", "A-5e-05*B"),
        ("A-10000000000000000*B", "A-1e16*B"),
        ("A-1000000*B", "A-1000000*B"),
    ],
)
def test_spellings_of_one_equation(text, canonical):
    assert parse(text) == parse(canonical)
    assert written(parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("AAPL", "BF B", "BF.B", "TECK.B", "BP.", "EUR.USD", "REI.UN"),
        *("700", "ES1!", "6E1!", "0008E0", "M&M", "5E", "A.B C", "A.B."),
    ],
)
def test_symbol(text):
    assert is_symbol(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "AAPL ", " AAPL", "NYSE:MA", "1*AAPL", "(AAPL)", "A-B", "A/B", "1.5", "5."),
        *("TEST 123", "REI UN", "0.5B", "BP..", "BP. ", "BP. A", "Ä", "A\n", "A:"),
    ],
)
def test_not_a_symbol(text):
    assert not is_symbol(text)


words = st.from_regex(
    r"[A-Za-z0-9_&!]{1,6}(\.[A-Za-z0-9_&!]{1,4}){0,2}(\.| [A-Za-z])?", fullmatch=True
)
symbols = words.filter(is_symbol)
exchanges = st.sampled_from(["", "NYSE:", "LSE:"]) | st.from_regex(
    r"[A-Z_][A-Z0-9_]{0,5}:", fullmatch=True
)
legs = st.builds("{}{}".format, exchanges, symbols).map(lambda text: parse(text).leg1)
hedges = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
pieces = st.sampled_from(
    [
        *"AbE57.-*/()+: ",
        "BF.B",
        "BF B",
        "BP.",
        "EUR.USD",
        "X:",
        "5e-05",
        "1E+2",
        "0.72",
        "1",
        "5E",
        "  ",
        "\t",
        "é",
    ]
)
texts = st.text() | st.lists(pieces, max_size=12).map("".join)


def readable(text):
    """Whether parse() accepts the text; lets anything but Problematic through."""
    try:
        parse(text)
    except Problematic:
        return False
    return True


@given(legs, legs, hedges)
def test_what_is_written_reads_back(leg1, leg2, hedge):
    for equation in (Equation(leg1), Equation(leg1, leg2, hedge)):
        text = written(equation)
        if readable(text):
            assert parse(text) == equation
        else:  # Only bare symbols that could be numbers have no place in a pair.
            assert any(leg.symbol[0].isdigit() and not leg.exchange for leg in (leg1, leg2))


@given(texts)
@example("5E - 3*B")
@example("5E-(05B)")
@example("A.B.C")
def test_what_is_read_writes_back(text):
    if readable(text):
        equation = parse(text)
        assert parse(written(equation)) == equation
        assert all(is_symbol(leg.symbol) for leg in (equation.leg1, equation.leg2) if leg)


@given(legs, legs, st.sampled_from("/+"), st.sampled_from(["", " ", "2*"]))
def test_no_quotient_and_no_sum_is_readable(leg1, leg2, operator, between):
    text = f"{written(Equation(leg1))}{operator}{between}{written(Equation(leg2))}"
    assert not readable(text)


@given(texts, texts)
@example("A-1E", "2*B")
@example("1E", "0*A")
def test_a_plus_stands_in_an_exponent_only_and_changes_nothing_there(before, after):
    text = f"{before}+{after}"
    if readable(text):
        plain = re.sub(r"(?<=[\d.][eE])\+(?=\d)", "", text)
        assert "+" not in plain
        assert parse(text) == parse(plain)


@given(symbols)
def test_a_symbol_is_read_alone_and_in_any_market_and_has_each_of_its_spellings(symbol):
    for exchange in ("", "NYSE:", "TSX:", "X:"):
        assert parse(f"{exchange}{symbol}").leg1.symbol in spellings(symbol)
    for way in spellings(symbol):
        assert is_symbol(way)
        assert set(spellings(way)) == set(spellings(symbol))


# Parentheses


WHOLE = ["A", "1*A", "A*1", "A-B", "A-2*B", "A-B*2", "A-B/2", "1*A-2*B", "A*1-B/2"]


@st.composite
def parenthesised(draw):
    """An equation, and the same with parentheses anywhere."""
    text = draw(st.sampled_from(WHOLE))
    places = [""] * (len(text) + 1)
    for _ in range(draw(st.integers(1, 4))):
        first, last = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        places[first] += "("
        places[last] = ")" + places[last]
    inside = "".join(place + char for place, char in zip(places, [*text, ""], strict=True))
    return text, inside


def arithmetic(text):
    """What Python's grammar makes of it, in which parentheses leave no trace."""
    try:
        return ast.dump(ast.parse(text, mode="eval"))
    except SyntaxError:
        return None


@given(parenthesised())
@example(("A-2*B", "(A)-(2*(B))"))
@example(("A-B*2", "(A-B)*2"))
def test_parentheses_are_readable_where_they_change_nothing_and_nowhere_else(texts):
    plain, inside = texts
    same = arithmetic(inside) == arithmetic(plain)
    assert readable(inside) == same
    assert not same or parse(inside) == parse(plain)


@pytest.mark.parametrize("depth", [1, 10, 99])
def test_parentheses_may_be_as_deep_as_a_ticker_is_long(depth):
    assert parse(f"{'(' * depth}A{')' * depth}") == Equation(Leg("A"))
    assert not readable(f"{'(' * depth}A{')' * (depth - 1)}")


@given(texts)
def test_white_space_around_changes_nothing(text):
    assert readable(f" {text}\n") == readable(text)


@pytest.mark.parametrize(
    "text",
    [
        *("1", "A", "A.", "1.", "-", "(", ")", "()", "(A", "A)", "(A)", "((A)-", " ", "A:", "A "),
        *("1e", "A-", "5E-", "5E+", "A. ", "9" * 9 + "A"),
    ],
)
def test_long_texts_take_linear_time(text):
    started = time.process_time()
    readable(text * 100_000)
    readable(f"A-{text * 100_000}*B")
    assert time.process_time() - started < 5, "seconds of work; squared it is hours"


@pytest.mark.parametrize(
    ("symbol", "broker", "ways"),
    [
        ("USDCAD", "USD.CAD", ("USD.CAD", "USDCAD")),
        ("USD.CAD", "USD.CAD", ("USD.CAD", "USDCAD")),
        ("DOGEUSD", "DOGE.USD", ("DOGE.USD", "DOGEUSD")),
        ("1INCHUSD", "1INCH.USD", ("1INCH.USD", "1INCHUSD")),
        ("AAPL", None, ("AAPL",)),
        ("GOOGL", None, ("GOOGL",)),
        ("BF B", None, ("BF B", "BF.B")),
        ("TECK.B", None, ("TECK.B", "TECK B")),
        ("A.B.C", None, ("A.B.C", "A.B C")),
        ("A.B C", None, ("A.B C", "A.B.C")),
        ("BP.", None, ("BP.",)),
        ("REI.UN", None, ("REI.UN",)),
        ("usdcad", None, ("usdcad",)),
        ("USDCA1", None, ("USDCA1",)),
        ("A.B.CAD", None, ("A.B.CAD",)),
        ("", None, ("",)),
    ],
)
def test_a_currency_pair_and_a_class_share_have_two_spellings(symbol, broker, ways):
    assert (dotted(symbol), spellings(symbol)) == (broker, ways)
