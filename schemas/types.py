"""The types of the fields that clients send: each is checked as it is shown."""

import sys
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from schemas.shown import (
    ABOVE_ZERO,
    DIGITS,
    ID,
    SHOWN_FLAG,
    SHOWN_INSTANT,
    WHOLE,
    shown,
    shown_number,
    shown_symbol,
    shown_text,
    shown_word,
)
from schemas.values import (
    MOST,
    above_zero,
    at_most,
    is_unfilled,
    not_negative,
    one_of,
    optional,
    to_flag,
    to_id,
    to_instant,
    to_number,
    to_price,
    to_size,
    to_status,
    to_symbol,
    to_text,
    to_ticker,
    to_word,
)

Number = Annotated[float | None, optional(to_number), shown_number(blank=True)]
OptionalPrice = Annotated[
    float | None, optional(to_price), shown_number(blank=True, minimum=-MOST, maximum=MOST)
]


def to_known(value: Any) -> float | None:
    """A number of the broker's; None for what lies beyond all that it can mean. Raises ValueError.

    The gateway says the largest double where it has no value.
    """
    number = to_number(value)
    return number if abs(number) <= MOST else None


def to_quantity(value: Any) -> float | None:
    """A quantity; None for the largest double, by which the gateway has none. Raises ValueError."""
    return None if to_number(value) == sys.float_info.max else not_negative(value)


_UNKNOWN = "the largest double, like all beyond 1e12, means not known"
# What the bridge reports: null where it is not known.
Reported = Annotated[
    float | None, optional(to_known), shown_number(blank=True, description=_UNKNOWN)
]
Quantity = Annotated[
    float | None,
    optional(to_quantity),
    shown_number(r"\+?" + DIGITS, blank=True, minimum=0, maximum=MOST),
]
Word = Annotated[
    str, BeforeValidator(to_word), shown("string", pattern="[A-Za-z][A-Za-z0-9 ]{0,18}[A-Za-z0-9]")
]
Size = Annotated[
    float,
    BeforeValidator(to_size),
    shown_number(blank=True, minimum=-MOST, maximum=MOST, description="below 0 only beside short"),
]
Positive = Annotated[
    float,
    BeforeValidator(above_zero),
    shown_number(r"\+?" + ABOVE_ZERO, exclusiveMinimum=0, maximum=MOST),
]
OptionalPositive = Annotated[
    float | None,
    optional(above_zero),
    shown_number(r"\+?" + ABOVE_ZERO, blank=True, exclusiveMinimum=0, maximum=MOST),
]
Flag = Annotated[bool, BeforeValidator(lambda v: v is not None and to_flag(v)), SHOWN_FLAG]
Id = Annotated[int, BeforeValidator(to_id), shown("integer", "string", pattern=ID, **WHOLE)]
OptionalId = Annotated[
    int | None, optional(to_id), shown("integer", "string", blank=True, pattern=ID, **WHOLE)
]
Message = Annotated[
    str | None,
    BeforeValidator(lambda v: v if v is None else to_text(v)[:2000]),
    WithJsonSchema(
        {"type": ["string", "number", "null"], "description": "cut at 2,000 characters"}
    ),
]
Comment = Annotated[
    str | None,
    BeforeValidator(lambda v: v if v is None else at_most(4000)(to_text(v).strip())),
    shown_text(4000, blank=True),
]
Position = Annotated[
    str | None,
    optional(one_of("long", "short", "flat")),
    shown_word("long", "short", "flat", blank=True),
]
Action = Annotated[str, BeforeValidator(one_of("buy", "sell")), shown_word("buy", "sell")]
Ticker = Annotated[str, BeforeValidator(to_ticker), shown_text(200, minLength=1, pattern=r".*\S.*")]
Symbol = Annotated[
    str,
    BeforeValidator(to_symbol),
    AfterValidator(at_most(50)),
    shown_symbol(50),
]
# As long as an equation can make it, so that a whole record may come back.
OptionalSymbol = Annotated[
    str | None,
    optional(lambda v: at_most(200)(to_symbol(v))),
    shown_symbol(200, blank=True),
]
Switch = Annotated[int, BeforeValidator(lambda v: int(to_flag(v))), SHOWN_FLAG]
Exchange = Annotated[
    str,
    BeforeValidator(to_text),
    AfterValidator(at_most(40)),
    Field(min_length=1),
    shown_text(40, minLength=1),
]
Instant = Annotated[str | None, optional(to_instant), SHOWN_INSTANT]
AlertTime = Annotated[
    str | None, optional(lambda v: None if is_unfilled(v) else to_instant(v)), SHOWN_INSTANT
]
Status = Annotated[
    str | None,
    optional(to_status),
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
ShortText = Annotated[str, BeforeValidator(to_text), AfterValidator(at_most(200)), shown_text(200)]
OptionalText = Annotated[
    str | None, optional(lambda v: at_most(200)(to_text(v))), shown_text(200, blank=True)
]
AlertId = Annotated[
    str | None,
    optional(lambda v: None if is_unfilled(v) else at_most(200)(to_text(v))),
    shown_text(200, blank=True),
]
Kind = Annotated[
    str | None, optional(one_of("single", "pair")), shown_word("single", "pair", blank=True)
]
