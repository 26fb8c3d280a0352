"""Numbers, flags and texts as clients write them, and the check of a whole body."""

import json
import math
import re
import sys
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo

from models import Record
from schemas import faults
from trading import equation, instants
from trading.fills import EXACT, plain

_NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MOST = 1e12  # of a quantity, or of a price on either side of 0
_WORDS = {"true": True, "false": False}
_LONGEST_NUMERAL = 400  # characters
_BEYOND = "must not be beyond 1e12"
# What we say of pydantic's kinds of errors; of the others its own message is passed on.
_REASONS = {
    "missing": "required",
    "value_error": "{error}",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": _BEYOND,
    "less_than_equal": _BEYOND,
    "string_too_long": "must have at most {max_length} characters",
    "literal_error": "must be {expected}",
}


def to_number(value: Any) -> float:
    """A finite number, given as one or as a numeral; raises ValueError."""
    if isinstance(value, str):
        value = value.strip()
        if len(value) > _LONGEST_NUMERAL or not _NUMERAL.match(value):
            raise ValueError("must be a number")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise ValueError("is out of range")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("is out of range")
    return number


def to_flag(value: Any) -> bool:
    """True or false, given as a boolean, 0, 1 or one of the two words; raises ValueError."""
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise ValueError("must be true or false")


def is_true(value: Any) -> bool:
    """Whether a value is a flag that is set; what is no flag is not."""
    try:
        return to_flag(value)
    except ValueError:
        return False


def to_text(value: Any) -> str:
    """Text that any database can store; a number becomes its numeral. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be text")
    return _UNSTORABLE.sub("\ufffd", str(value))


def to_id(value: Any) -> int:
    """A whole number of 64 bits, also as text of digits; raises ValueError."""
    digits = isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,19}\s*", value, re.ASCII)
    number = int(value) if digits or (isinstance(value, float) and value.is_integer()) else value
    if isinstance(number, bool) or not isinstance(number, int) or abs(number) >= 2**63:
        raise ValueError("must be a whole number")
    return number


def to_count(value: Any) -> int:
    """A whole number from 0 to a million, also as text of digits; raises ValueError."""
    number = to_id(value)
    if not 0 <= number < 10**6:
        raise ValueError("must be a whole number from 0 to 999,999")
    return number


def to_known(value: Any) -> float | None:
    """A number of the broker's; None for what lies beyond all that it can mean. Raises ValueError.

    The gateway sends the largest double where it has no value.
    """
    number = to_number(value)
    return number if abs(number) <= MOST else None


def to_quantity(value: Any) -> float | None:
    """A quantity; None for the largest double, which the gateway sends where it has none.

    Raises ValueError below 0. The type of the field refuses what is beyond MOST.
    """
    number = to_number(value)
    if -MOST <= number < 0:
        raise ValueError("must not be below 0")
    return None if number == sys.float_info.max else number


def to_size(size: float | None, info: ValidationInfo) -> float:
    """A position's size; it may have the position's sign: -1276 beside `short` is 1276."""
    if size is None:
        return 0.0
    if size < 0 and info.data.get(info.field_name.removesuffix("_size")) != "short":
        raise ValueError("must not be below 0 unless the position is short")
    return abs(size)


def to_instant(value: Any) -> str:
    """A time in UTC as we store it; raises ValueError."""
    return instants.parse(to_text(value))


def to_status(value: Any) -> str:
    """A status, trimmed; raises ValueError."""
    # The bridge sends some as a list of one text.
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    text = to_text(value).strip()
    if not text:
        raise ValueError("must not be blank")
    return text


def to_ticker(value: Any) -> str:
    """A ticker or an equation, as it was sent; raises ValueError."""
    text = to_text(value)
    if not text.strip():
        raise ValueError("required")
    return text


def to_word(value: Any) -> str:
    """A word of the broker's, in capitals; raises ValueError."""
    word = to_text(value).strip().upper()
    if not re.fullmatch(r"[A-Z][A-Z0-9 ]{0,19}", word):
        raise ValueError("must be a word of 1 to 20 letters")
    return word


def to_bare(value: Any) -> str:
    """What may be a symbol, trimmed; raises ValueError."""
    # Some exchanges number their symbols: 700, however JSON writes it.
    if isinstance(value, int | float) and not (0 <= value < EXACT and int(value) == value):
        raise ValueError("problematic ticker!")
    text = to_text(plain(value)).strip()
    if not text:
        raise ValueError("required")
    return text


def to_symbol(value: Any) -> str:
    """A symbol, trimmed; raises ValueError."""
    text = to_bare(value)
    if not equation.is_symbol(text):
        raise ValueError("problematic ticker!")
    return text


def unless_blank(value: Any) -> Any:
    """The value, or None where it is blank text: an optional field counts as not sent then."""
    return None if isinstance(value, str) and not value.strip() else value


def unless_unfilled(value: Any) -> Any:
    """The same; a placeholder that TradingView did not fill counts as not sent too."""
    return None if isinstance(value, str) and "{{" in value else unless_blank(value)


class Body(BaseModel):
    """A request's body or query; unknown fields are ignored."""

    EXAMPLE: ClassVar[Record] = {}

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    def columns(self) -> Record:
        """The fields that were sent."""
        sent = self.model_fields_set
        return {key: value for key, value in self.__dict__.items() if key in sent}


# Of forms that change something: the document must not show defaults, for what is not sent stays.
KEEPS = ConfigDict(json_schema_extra={"x-keeps": True})
Form = TypeVar("Form", bound=Body)


class BadFields(Exception):
    """The reason for each faulty field, or one sentence."""

    def __init__(self, reasons: dict[str, str] | str):
        super().__init__(reasons)
        self.reasons = reasons


def check(form: type[Form], body: Record) -> Form:
    """The body as this form; raises BadFields with all faulty fields at once."""
    try:
        return form.model_validate(body)
    except ValidationError as error:
        # Where a field has several errors the first one is told.
        raise BadFields(dict(map(_told, reversed(error.errors())))) from None


def _told(error: dict) -> tuple[str, str]:
    """(the field, what is wrong with it)."""
    field = str(error["loc"][0]) if error["loc"] else "body"
    if reason := _REASONS.get(error["type"]):
        more = error.get("ctx", {})
        if "expected" in more:  # the words that a field may have
            more = {"expected": more["expected"].replace("'", "")}
        return field, reason.format(**more)
    return field, error["msg"][:1].lower() + error["msg"][1:]


def read_object(raw: bytes) -> Record:
    """The JSON object that these bytes hold; raises ValueError with the sentence to answer."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()  # without the BOM
        raise ValueError(faults.told(before, len(before), "this is no UTF-8")) from None
    try:
        body = _JSON.decode(text)
    except RecursionError:
        raise ValueError(f"{faults.NO_OBJECT}: it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(faults.explain(text, error)) from None
    if not isinstance(body, dict):
        raise ValueError(faults.NO_OBJECT)  # noqa: TRY004 the body is wrong, not a type of ours
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Made once: `json.loads` would make one for every body. Line feeds and tabs in a text are taken.
_JSON = json.JSONDecoder(parse_constant=_refuse_constant, strict=False)
