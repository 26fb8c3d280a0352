"""The types of the fields that clients send: how each is checked, and how the document shows it."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from schemas.values import (
    MOST,
    to_bare,
    to_count,
    to_flag,
    to_id,
    to_instant,
    to_known,
    to_number,
    to_quantity,
    to_size,
    to_status,
    to_symbol,
    to_text,
    to_ticker,
    to_word,
    unless_blank,
    unless_unfilled,
)
from trading.guards import MODES
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


# --- the types; of several BeforeValidators the last one runs first ------------------------

_BLANK = BeforeValidator(unless_blank)


def text_of(most: int) -> Any:
    """Text of at most so many characters."""
    return Annotated[str, Field(max_length=most), BeforeValidator(to_text), shown_text(most)]


def optional_text(most: int) -> Any:
    """The same, or not given."""
    return Annotated[text_of(most) | None, _BLANK, shown_text(most, blank=True)]


def word_of(*words: str, change: Any = str.lower) -> Any:
    """One of these words; `change` is how they are written."""
    steps = [BeforeValidator(each) for each in (change, str.strip, to_text)]
    return Annotated[Literal[words], *steps, shown_word(*words)]


def optional_word(*words: str) -> Any:
    """The same, or not given."""
    return Annotated[word_of(*words) | None, _BLANK, shown_word(*words, blank=True)]


_Bounded = Annotated[float, Field(ge=-MOST, le=MOST)]
Price = Annotated[_Bounded, BeforeValidator(to_number)]  # a spread may have one below 0
OptionalPrice = Annotated[
    Price | None, _BLANK, shown_number(blank=True, minimum=-MOST, maximum=MOST)
]
Positive = Annotated[
    float,
    Field(ge=-MOST, gt=0, le=MOST),
    BeforeValidator(to_number),
    shown_number(r"\+?" + ABOVE_ZERO, exclusiveMinimum=0, maximum=MOST),
]
OptionalPositive = Annotated[
    Positive | None,
    _BLANK,
    shown_number(r"\+?" + ABOVE_ZERO, blank=True, exclusiveMinimum=0, maximum=MOST),
]
Size = Annotated[
    Price | None,
    _BLANK,
    AfterValidator(to_size),
    shown_number(blank=True, minimum=-MOST, maximum=MOST, description="below 0 only beside short"),
]
_UNKNOWN = "the largest double, like all beyond 1e12, means not known"
# What the bridge reports: null where it is not known.
Reported = Annotated[
    Annotated[float | None, BeforeValidator(to_known)] | None,
    _BLANK,
    shown_number(blank=True, description=_UNKNOWN),
]
Quantity = Annotated[
    Annotated[_Bounded | None, BeforeValidator(to_quantity)] | None,
    _BLANK,
    shown_number(r"\+?" + DIGITS, blank=True, minimum=0, maximum=MOST),
]
SHOWN_OR_NULL = WithJsonSchema({"enum": [*_FLAGS, None]})
Flag = Annotated[bool, BeforeValidator(lambda v: v is not None and to_flag(v)), SHOWN_OR_NULL]
OptionalFlag = Annotated[Annotated[bool, BeforeValidator(to_flag)] | None, SHOWN_OR_NULL]
Switch = Annotated[int, BeforeValidator(to_flag), SHOWN_FLAG]
Id = Annotated[int, BeforeValidator(to_id), shown("integer", "string", pattern=ID, **WHOLE)]
OptionalId = Annotated[
    Id | None, _BLANK, shown("integer", "string", blank=True, pattern=ID, **WHOLE)
]
Word = Annotated[
    str, BeforeValidator(to_word), shown("string", pattern="[A-Za-z][A-Za-z0-9 ]{0,18}[A-Za-z0-9]")
]
Message = Annotated[
    Annotated[str, BeforeValidator(lambda v: to_text(v)[:2000])] | None,
    WithJsonSchema(
        {"type": ["string", "number", "null"], "description": "cut at 2,000 characters"}
    ),
]
Comment = Annotated[
    Annotated[str, Field(max_length=4000), BeforeValidator(str.strip), BeforeValidator(to_text)]
    | None,
    shown_text(4000, blank=True),
]
_COUNT = {"minimum": 0, "maximum": 999_999}
OptionalCount = Annotated[
    Annotated[int, BeforeValidator(to_count)] | None,
    _BLANK,
    shown("integer", "string", blank=True, pattern=r"\d{1,6}", **_COUNT),
]
Mode = word_of(*MODES)
Position = optional_word("long", "short", "flat")
Action = word_of("buy", "sell")
Kind = optional_word("single", "pair")
SecurityType = word_of("STK", "CASH", "CRYPTO", change=str.upper)
Ticker = Annotated[
    str,
    Field(max_length=200),
    BeforeValidator(to_ticker),
    shown_text(200, minLength=1, pattern=r"[\s\S]*\S[\s\S]*"),
]
Symbol = Annotated[str, Field(max_length=50), BeforeValidator(to_symbol), shown_symbol(50)]
# As long as an equation can make it, so that a whole record may come back.
OptionalSymbol = Annotated[
    Annotated[str, Field(max_length=200), BeforeValidator(to_symbol)] | None,
    _BLANK,
    shown_symbol(200, blank=True),
]
Leg = Annotated[str, Field(max_length=50), BeforeValidator(to_bare), shown_symbol(50)]
OptionalLeg = Annotated[Leg | None, _BLANK, shown_symbol(50, blank=True)]
Exchange = Annotated[
    str,
    Field(max_length=40),
    BeforeValidator(to_text),
    Field(min_length=1),
    shown_text(40, minLength=1),
]
Moment = Annotated[str, BeforeValidator(to_instant)]
Instant = Annotated[Moment | None, _BLANK, SHOWN_INSTANT]
AlertTime = Annotated[Moment | None, BeforeValidator(unless_unfilled), SHOWN_INSTANT]
Status = Annotated[str, Field(max_length=40), BeforeValidator(to_status)]
OptionalStatus = Annotated[
    Status | None,
    _BLANK,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "null"], "maxLength": 40},
                {
                    "type": "array",
                    "items": {"type": ["string", "number"], "minLength": 1, "maxLength": 40},
                    "minItems": 1,
                    "maxItems": 1,
                },
            ],
            "description": "the bridge sends some as a list of one text",
        }
    ),
]
ShortText = text_of(200)
OptionalText = optional_text(200)
AlertId = Annotated[ShortText | None, BeforeValidator(unless_unfilled), shown_text(200, blank=True)]
