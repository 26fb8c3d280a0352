"""The error for a body that is no JSON object says where it is wrong, and what."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.faults import MOST_STEPS
from schemas.values import read_object

START = "the body must be a JSON object"
UNFILLED = "is a placeholder that was not filled"
UNCLOSED = "the text that begins here lacks its closing quote"
BARE = "a field's name must stand in double quotes"
# body: (line, column, what is wrong)
FAULTS = {
    "": (1, 1, "the body is empty"),
    " \r\n\t": (1, 1, "the body is empty"),
    "buy AAPL": (1, 1, "a { is missing"),
    "\n  NaN": (2, 3, "a { is missing"),
    '{"a": 1': (1, 8, "a comma or } is missing"),
    '{"a": 1\n\n': (1, 8, "a comma or } is missing"),
    '{"a": [1, 2': (1, 12, "a comma or ] is missing"),
    "{": (1, 2, "a } is missing"),
    '{\n  "a": "x",\n  "b": 1 "c": 2\n}': (3, 10, "a comma or } is missing"),
    '{\n  "a": "x"\n  "b": 1\n}': (3, 3, "a comma or } is missing"),
    '{"a": "Exit "TP"", "b": 1}': (1, 14, "a comma or } is missing"),
    '{"a": 1]': (1, 8, "a comma or } is missing"),
    '{"a": 1,}': (1, 8, "the comma before } is one too many"),
    '{"a": [1, ], "b": 2}': (1, 9, "the comma before ] is one too many"),
    '{"a": 1,,"b": 2}': (1, 9, "there is a comma too many"),
    '{"a": 1}{"b": 2}': (1, 9, "a second object follows the first; send one"),
    '{"a": 1}\n{"a": 1}': (2, 1, "a second object follows the first; send one"),
    '{"a": 1}}': (1, 9, "something follows the object"),
    "{'a': 1}": (1, 2, BARE),
    "{a: 1}": (1, 2, BARE),
    '{a": 1}': (1, 2, BARE),
    "{\u201ca\u201d: 1}": (1, 2, BARE),
    "{\"a\": 'x'}": (1, 7, 'the value of "a" must stand in double quotes (")'),
    '{"a": \u201cx\u201d}': (1, 7, 'the value of "a" must stand in double quotes (")'),
    '{"a" 1}': (1, 6, 'a : is missing after "a"'),
    '{"a": "x}': (1, 7, UNCLOSED),
    '{"a: "x"}': (1, 2, UNCLOSED),
    '{"a": "x, "b": 1}': (1, 7, UNCLOSED),
    '{"a": "x,\n "b": 1}': (1, 7, UNCLOSED),
    '{"a": "x\n}': (1, 7, UNCLOSED),
    '{"a": "\\d"}': (1, 8, r"a backslash in a text is written \\"),
    '{"order_price": {{plot("SL")}}}': (1, 17, f'the value of "order_price" {UNFILLED}'),
    '{"sl": "{{plot("SL")}}", "b": 1}': (1, 8, f'the value of "sl" {UNFILLED}'),
    '{"a": {"sl": {{close}}}}': (1, 14, f'the value of "sl" {UNFILLED}'),
    "{{strategy.order.alert_message}}": (1, 2, f"here {UNFILLED}"),
    '{"sl": NaN}': (1, 8, 'the value of "sl" is NaN, which is no number'),
    '{"sl": -Infinity, "b": 1}': (1, 8, 'the value of "sl" is -Infinity, which is no number'),
    '{"sl": [1, NaN]}': (1, 12, 'the value of "sl" is NaN, which is no number'),
    '{"sl": , "b": 1}': (1, 8, 'the value of "sl" is missing'),
    '{"sl": }': (1, 8, 'the value of "sl" is missing'),
    '{"sl":': (1, 7, 'the value of "sl" is missing'),
    '{"ticker": NASDAQ:AAPL, "b": 1}': (1, 12, 'the value of "ticker" must stand in quotes'),
    '{"ticker": AAPL", "b": 1}': (1, 12, 'the value of "ticker" must stand in quotes'),
    '{"a": 007}': (1, 7, 'the value of "a" must stand in quotes'),
    '{"a": True}': (1, 7, 'the value of "a" must stand in quotes'),
    '{"a": ' + "1" * 5000 + "}": (1, 7, 'the value of "a" has too many digits'),
    '{"a": {"b": 1}, "c": [[]], "' + "x" * 90 + '\x00": ?}': (
        *(1, 123),
        f'the value of "{"x" * 40}" must stand in quotes',
    ),
}


def fault_of(raw):
    """The sentence of the error for these bytes."""
    with pytest.raises(ValueError, match=START) as caught:
        read_object(raw)
    return str(caught.value)


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_with_its_place_and_its_field(text):
    line, column, what = FAULTS[text]
    for raw in (text.encode(), b"\xef\xbb\xbf" + text.encode()):
        assert fault_of(raw) == f"{START}: line {line}, column {column}: {what}"


@pytest.mark.parametrize("raw", [b"[]", b'[{"a": 1}]', b'"x"', b"5", b"null", b" true\n"])
def test_of_json_that_is_no_object_only_that_is_told(raw):
    assert fault_of(raw) == START


@pytest.mark.parametrize(
    ("raw", "place"),
    [(b"\xff\xfe{", (1, 1)), (b'{\n"a": "\xff"}', (2, 7)), (b"\xef\xbb\xbf{\x80", (1, 2))],
)
def test_what_is_no_utf_8_is_told_with_its_place(raw, place):
    assert fault_of(raw) == f"{START}: line {place[0]}, column {place[1]}: this is no UTF-8"


def test_nested_too_deeply_is_told():
    for raw in (b'{"a":' * 10000, b'{"a":' + b"[" * 30000 + b"]" * 30000 + b"}"):
        assert fault_of(raw) == f"{START}: it is nested too deeply"


@given(st.dictionaries(st.text(), st.text(), max_size=3))
def test_control_characters_are_taken_as_they_are(body):
    raw = json.dumps(body, ensure_ascii=False)
    for code in range(32):
        raw = raw.replace(f"\\u{code:04x}", chr(code))
    for escape, char in (("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("\\b", "\b")):
        raw = raw.replace(escape, char) if "\\\\" not in raw else raw
    if raw.encode("utf-8", "replace").decode() == raw:
        assert read_object(raw.encode()) == json.loads(raw, strict=False)


PIECES = [
    '{"a":',
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "1",
    "-",
    "e5",
    "true",
    "NaN",
    "x",
    "\\",
    "\n",
]
PIECES += ["\n", '"b": 2', "{{", "'", " ", "0.5", "\\u00e9", "é", "\x01", "\x85", "\x0c"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_the_parser_refuses_has_a_fault_in_our_own_words(text):
    def refuse(name):
        raise ValueError(name)

    try:
        found = json.loads(text, strict=False, parse_constant=refuse)
    except ValueError:
        assert fault_of(text.encode()).startswith(f"{START}: line ")
        assert "expecting" not in fault_of(text.encode())
    else:
        if isinstance(found, dict):
            assert read_object(text.encode()) == found


HOSTILE = {
    "escapes": b'{"a": "' + b'\\"' * 32000,
    "spaces": b"{" + b" " * 65000,
    "lines": b"{" + b"\n" * 65000,
    "word": b'{"a": ' + b"x" * 65000,
    "placeholders": b'{"a": "' + b"{{" * 32000 + b'" "',
    "digits": b'{"a": ' + b"1" * 65000,
    "items": b'{"a": [' + b"1," * 32000,
    "lists": b'{"a": [' + b"[]," * 21000,
    "fields": b"{" + b'"a":1,' * 9000,
}


def test_a_hostile_body_costs_no_more_for_its_fault_than_its_length_allows():
    begun = time.process_time()
    for raw in HOSTILE.values():
        assert len(fault_of(raw)) < 200
    assert time.process_time() - begun < 5


def test_a_fault_too_far_on_is_told_in_the_words_of_the_parser():
    raw = b'{"a": [' + b"1," * MOST_STEPS
    place = f"line 1, column {len(raw) + 1}: expecting value"
    assert fault_of(raw) == f"{START}: {place}"
