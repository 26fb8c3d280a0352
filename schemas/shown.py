"""How the API's document shows the types of fields: as exactly as they are checked."""

from typing import Any

from pydantic import WithJsonSchema

from trading.instants import UNIX

DIGITS = r"(\d+\.?\d*|\.\d+)"
ABOVE_ZERO = r"(\d*[1-9]\d*\.?\d*|\d*\.\d*[1-9]\d*)"
_EXPONENT = r"([eE][+-]?\d{1,2})?"
_RANGE = {"minimum": -1.7976931348623157e308, "maximum": 1.7976931348623157e308}
SYMBOL = r"([A-Za-z0-9_&!]+|[A-Za-z_&!][A-Za-z0-9_&!]*(\.[A-Za-z0-9_&!]+)*(\.| [A-Za-z])?)"


def shown(*types: str, blank: bool = False, **more: Any) -> WithJsonSchema:
    """How the document shows a field; a `blank` one may also be null or "", and is absent then."""
    if blank:
        types = (*types, "null")
        if "pattern" in more:
            more["pattern"] = f"({more['pattern']})?"
        if "enum" in more:
            more["enum"] = [*more["enum"], "", None]
    if "pattern" in more:
        more["pattern"] = f"^{more['pattern']}$"
    return WithJsonSchema({"type": list(types) if len(types) > 1 else types[0], **more})


def shown_number(pattern: str = "[+-]?" + DIGITS, *, blank: bool = False, **more: Any):
    """A number, or its numeral as text."""
    bounds = {**_RANGE, **more}
    return shown("number", "string", blank=blank, pattern=pattern + _EXPONENT, **bounds)


def shown_whole(low: int, high: int) -> WithJsonSchema:
    """A whole number above 0, or its numeral as text; null or "" where it is left out."""
    bounds = {"minimum": low, "maximum": high, "multipleOf": 1}
    return shown("number", "string", blank=True, pattern=r"0*[1-9]\d{0,2}", **bounds)


def shown_text(most: int | None = None, *, blank: bool = False, **more: Any) -> WithJsonSchema:
    """Text; a number stands for its numeral."""
    bound = {"maxLength": most} if most else {}
    return shown("string", "number", blank=blank, **bound, **more)


def shown_symbol(most: int, *, blank: bool = False) -> WithJsonSchema:
    """A bare symbol; some exchanges number theirs."""
    whole = {"minimum": 0, "maximum": 2**53 - 1}
    return shown("string", "integer", blank=blank, pattern=SYMBOL, maxLength=most, **whole)


def shown_word(*words: str, blank: bool = False) -> WithJsonSchema:
    """One of these words, in capitals or not."""
    return shown("string", blank=blank, enum=list(words))


_INSTANT = {"format": "date-time", "description": "ISO 8601, or YYYY-MM-DD HH:MM:SS in UTC"}
_TOLD = {"description": "Unix seconds, or milliseconds"}
UNIX_TEXT = {"type": "string", "pattern": f"^{UNIX}$", **_TOLD}
_UNIX = {"type": "number", "minimum": 1e8, "exclusiveMaximum": 1e13, **_TOLD}
SHOWN_INSTANT = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", **_INSTANT},
            UNIX_TEXT,
            _UNIX,
            {"type": "null"},
            {"const": ""},
        ]
    }
)
WHOLE = {"minimum": -(2**63) + 1, "maximum": 2**63 - 1}
ID = r"[+-]?\d{1,18}"
_FLAGS = [True, False, 0, 1, "true", "false"]
SHOWN_FLAG = WithJsonSchema({"enum": _FLAGS})
SHOWN_OPTIONAL_FLAG = WithJsonSchema({"enum": [*_FLAGS, None]})
