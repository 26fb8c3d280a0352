"""Why a body is no JSON object: the first fault in it, with its line and column."""

import json
import re
import sys
from collections.abc import Callable

NO_OBJECT = "the body must be a JSON object"
LONGEST_NAME = 40  # characters of a field's name that are shown
MOST_STEPS = 5000  # of the search, a few for each field; it runs on the event loop

_SPACE = re.compile(r"[ \t\r\n]*+")
_TEXT = re.compile(r'"([^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*+)*)')
_WORD = re.compile(r'[^\s,:{}\[\]"]++')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?\Z", re.ASCII)
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
_CURLY = "\u201c\u201d\u201e\u2018\u2019"
_UNCLOSED = "the text that begins here lacks its closing quote"
_UNFILLED = "is a placeholder that was not filled"

Step = Callable[[], "Step"]


def explain(text: str, error: ValueError) -> str:
    """The sentence that tells why this text is no JSON object; `error` is what the parser said."""
    try:
        _Walk(text).whole()
    except _Fault as fault:
        return told(text, fault.at, fault.what)
    if isinstance(error, json.JSONDecodeError):
        return told(text, error.pos, error.msg.lower())
    return f"{NO_OBJECT}: {error}"


def told(text: str, at: int, what: str) -> str:
    """What is wrong at a place of the text."""
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return f"{NO_OBJECT}: line {line}, column {column}: {what}"


class _Fault(Exception):
    def __init__(self, at: int, what: str):
        super().__init__(what)
        self.at, self.what = at, what


class _Walk:
    """Reads a text from its start to its first fault; each step returns the next step."""

    def __init__(self, text: str):
        self._text, self._at = text, 0
        self._open: list[str] = []  # the brackets that are open
        self._names: list[str] = []  # the field that each of them stands at
        self._last = (0, 0)  # the start and end of the last text

    def whole(self) -> None:
        """Raises _Fault where the text is no JSON object, unless that is too far on."""
        if (first := self._next()) != "{":
            raise _Fault(self._at, "a { is missing" if first else "the body is empty")
        step = self._enter()
        for _ in range(MOST_STEPS):
            if not self._open:
                break
            step = step()
        if not self._open and (follows := self._next()):
            second = "a second object follows the first; send one"
            raise _Fault(self._at, second if follows == "{" else "something follows the object")

    def _next(self) -> str:
        """Goes to the next character that is no space and returns it; "" at the text's end."""
        self._at = _SPACE.match(self._text, self._at).end()
        if self._at < len(self._text):
            return self._text[self._at]
        self._at = len(self._text.rstrip(" \t\r\n"))
        return ""

    def _enter(self) -> Step:
        self._open.append(self._text[self._at])
        self._names.append(self._names[-1] if self._names else "")
        self._at += 1
        if self._next() == self._end:
            return self._leave()
        return self._name if self._end == "}" else self._value

    @property
    def _end(self) -> str:
        return "}" if self._open[-1] == "{" else "]"

    def _leave(self) -> Step:
        self._at += 1
        self._open.pop()
        self._names.pop()
        self._last = (0, 0)
        return self._after

    def _name(self) -> Step:
        first = self._next()
        if first != '"':
            raise _Fault(self._at, self._no_name(first))
        self._names[-1] = self._read_text()
        if self._next() != ":":
            start, end = self._last
            if re.search(r"[:\n]", self._text[start:end]):
                raise _Fault(start, _UNCLOSED)
            raise _Fault(self._at, f"a : is missing after {self._field}")
        self._at += 1
        return self._value

    def _no_name(self, first: str) -> str:
        if not first:
            return "a } is missing"
        if self._text.startswith("{{", self._at - 1) or self._text.startswith("{{", self._at):
            return f"here {_UNFILLED}"
        if first == ",":
            return "there is a comma too many"
        return "a field's name must stand in double quotes"

    @property
    def _field(self) -> str:
        shown = "".join(filter(str.isprintable, self._names[-1]))
        return f'"{shown[:LONGEST_NAME]}"'

    def _value(self) -> Step:
        match self._next():
            case '"':
                self._read_text()
                return self._after
            case "{" if self._text.startswith("{{", self._at):
                raise _Fault(self._at, f"the value of {self._field} {_UNFILLED}")
            case "{" | "[":
                return self._enter()
        word = _WORD.match(self._text, self._at)
        if what := self._no_value(word[0] if word else ""):
            raise _Fault(self._at, f"the value of {self._field} {what}")
        self._at, self._last = word.end(), (0, 0)
        return self._after

    def _no_value(self, word: str) -> str:
        """What is wrong with a value without quotes; "" where it is right."""
        if not word:
            return "is missing"
        if word in _NO_NUMBERS:
            return f"is {word}, which is no number"
        if word[0] == "'" or word[0] in _CURLY:
            return 'must stand in double quotes (")'
        if _NUMBER.match(word):
            too_long = word.lstrip("-").isdigit() and len(word) > sys.get_int_max_str_digits()
            return "has too many digits" if too_long else ""
        return "" if word in ("true", "false", "null") else "must stand in quotes"

    def _read_text(self) -> str:
        found = _TEXT.match(self._text, self._at)
        self._last = (self._at, found.end())
        match self._text[found.end() : found.end() + 1]:
            case "":
                raise _Fault(self._at, _UNCLOSED)
            case "\\":
                raise _Fault(found.end(), r"a backslash in a text is written \\")
        self._at = found.end() + 1
        return found[1]

    def _after(self) -> Step:
        found = self._next()
        if found == self._end:
            return self._leave()
        if found != ",":
            raise self._no_comma()
        comma, self._at = self._at, self._at + 1
        if self._next() == self._end:
            raise _Fault(comma, f"the comma before {self._end} is one too many")
        return self._name if self._end == "}" else self._value

    def _no_comma(self) -> _Fault:
        """Why a value does not end where it seems to."""
        start, end = self._last
        text = self._text[start + 1 : end]
        if "{{" in text and "}}" not in text:
            return _Fault(start, f"the value of {self._field} {_UNFILLED}")
        if "\n" in text or text.rstrip().endswith(","):
            return _Fault(start, _UNCLOSED)
        return _Fault(self._at, f"a comma or {self._end} is missing")
