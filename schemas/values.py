"""Numbers, flags and texts as clients write them, and the check of a whole body."""

import json
import math
import re
import sys
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo

from schemas import faults
from trading import equation, instants
from trading.numbers import EXACT, plain

Record = dict[str, Any]


_NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MOST = 1e12  # of a quantity, or of a price on either side of 0
_WORDS = {"true": True, "false": False}
_LONGEST_NUMERAL = 400
# Events use them for their own sources.
RESERVED_NAMES = {"webhook", "bridge", "system", "import"}


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


def above_zero(value: Any) -> float:
    """A quantity above 0."""
    number = to_price(value)
    if number <= 0:
        raise ValueError("must be above 0")
    return number


def not_negative(value: Any) -> float:
    """A quantity; nothing above MOST is one."""
    number = to_price(value)
    if number < 0:
        raise ValueError("must not be below 0")
    return number


def to_price(value: Any) -> float:
    """A price, which a spread may have below 0."""
    number = to_number(value)
    if abs(number) > MOST:
        raise ValueError("must not be beyond 1e12")
    return number


def to_size(value: Any, info: ValidationInfo) -> float:
    """A position's size; it may have the position's sign: -1276 beside `short` is 1276."""
    if is_blank(value):
        return 0.0
    number = to_price(value)
    if number >= 0:
        return number
    if info.data.get(info.field_name.removesuffix("_size")) != "short":
        raise ValueError("must not be below 0 unless the position is short")
    return -number


def to_instant(value: Any) -> str:
    return instants.parse(to_text(value))


def is_blank(value: Any) -> bool:
    """Whether a value counts as not given."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_unfilled(value: Any) -> bool:
    """Whether a placeholder of TradingView's stands where it should have put a value."""
    return isinstance(value, str) and "{{" in value


def to_status(value: Any) -> str:
    # The bridge sends some states as a list of one text.
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    text = to_text(value).strip()
    if not text:
        raise ValueError("must not be blank")
    if len(text) > 40:
        raise ValueError("must have at most 40 characters")
    return text


def to_ticker(value: Any) -> str:
    text = to_text(value)
    if not text.strip():
        raise ValueError("required")
    return at_most(200)(text)


def at_most(length: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > length:
            raise ValueError(f"must have at most {length} characters")
        return text

    return check


def one_of(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        given = to_text(value).strip().lower()
        for word in words:
            if word.lower() == given:
                return word
        raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")

    return check


def to_word(value: Any) -> str:
    word = to_text(value).strip().upper()
    if not re.fullmatch(r"[A-Z][A-Z0-9 ]{0,19}", word):
        raise ValueError("must be a word of 1 to 20 letters")
    return word


def optional(check: Callable[[Any], Any], absent: Any = None) -> BeforeValidator:
    """Null and blank count as not given."""

    def validate(value: Any) -> Any:
        # `is_blank`, written out: this runs for most fields of every alert.
        blank = value is None or (isinstance(value, str) and not value.strip())
        return absent if blank else check(value)

    return BeforeValidator(validate)


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
    text = to_bare(value)
    if not equation.is_symbol(text):
        raise ValueError("problematic ticker!")
    return text


def whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = to_number(value)
        if not number.is_integer() or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(number)

    return check


def to_name(value: Any) -> str:
    text = to_text(value)
    if not re.fullmatch(r"[^\s/]{1,80}", text) or not text.isprintable():
        raise ValueError("must be 1 to 80 characters without spaces or slashes")
    if text in RESERVED_NAMES:
        raise ValueError("is reserved")
    return text


def to_label(value: Any) -> str:
    text = to_text(value).strip()
    if not 1 <= len(text) <= 80 or not text.isprintable():
        raise ValueError("must be 1 to 80 characters")
    return text


def to_password(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not 1 <= len(value) <= 200:
        raise ValueError("must have 1 to 200 characters")
    return value


class Body(BaseModel):
    """A request's body or query; unknown fields are ignored."""

    EXAMPLE: ClassVar[Record] = {}

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


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
        raise BadFields({_key(each): _reason(each) for each in reversed(error.errors())}) from None


def _key(error: dict) -> str:
    return str(error["loc"][0]) if error["loc"] else "body"


def _reason(error: dict) -> str:
    if error["type"] == "missing":
        return "required"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return error["msg"][:1].lower() + error["msg"][1:]


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


def json_text(text: str) -> str:
    """The text as a JSON string."""
    return json.dumps(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Made once: `json.loads` would make one for every body. Line feeds and tabs in a text are taken.
_JSON = json.JSONDecoder(parse_constant=_refuse_constant, strict=False)
