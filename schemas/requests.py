"""What the pages and programs send: users, logins, tokens, and what a query may ask for."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from models import SCOPES, Record
from schemas.types import (
    UNIX_TEXT,
    Id,
    OptionalFlag,
    OptionalText,
    Ticker,
    optional_text,
    shown,
    shown_text,
    shown_whole,
    text_of,
    word_of,
)
from schemas.values import Body, to_flag, to_number, to_text, unless_blank
from schemas.words import SOURCES
from trading import instants
from trading.alarms import MESSAGES

_BLANK = BeforeValidator(unless_blank)


def _to_name(value: Any) -> str:
    text = to_text(value)
    if not re.fullmatch(r"[^\s/]{1,80}", text) or not text.isprintable():
        raise ValueError("must be 1 to 80 characters without spaces or slashes")
    if text in SOURCES:
        raise ValueError("is reserved")
    return text


def _to_label(value: Any) -> str:
    text = to_text(value).strip()
    if not 1 <= len(text) <= 80 or not text.isprintable():
        raise ValueError("must be 1 to 80 characters")
    return text


def _to_password(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not 1 <= len(value) <= 200:
        raise ValueError("must have 1 to 200 characters")
    return value


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = to_number(value)
        if not number.is_integer() or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(number)

    return check


_MAY_LACK = shown("string", "null", maxLength=200)
Name = Annotated[str, BeforeValidator(_to_name), shown_text(80, minLength=1, pattern=r"[^\s/]+")]
Password = Annotated[
    str, BeforeValidator(_to_password), shown("string", minLength=1, maxLength=200)
]
OptionalPassword = Annotated[Password | None, _BLANK, _MAY_LACK]
OldPassword = Annotated[str | None, BeforeValidator(lambda v: v and _to_password(v)), _MAY_LACK]
Code = optional_text(100)


class UserForm(Body):
    """A user to make, or a new password; for one's own the old one goes along."""

    EXAMPLE = {"username": "desk", "password": "a long password", "admin": False}

    username: Name
    password: Password
    admin: OptionalFlag = None
    old_password: OldPassword = None


class LoginForm(Body):
    """Who logs in, and for how many minutes."""

    EXAMPLE = {"username": "admin", "password": "123", "expire": 30}

    username: text_of(200)
    password: Password
    expire: Annotated[
        Annotated[int, BeforeValidator(_whole(1, 1440))] | None,
        _BLANK,
        AfterValidator(lambda v: v or 10),
        shown_whole(1, 1440),
    ] = 10
    code: Code = None


class FactorForm(Body):
    """What the owner of a second factor proves to be it with."""

    EXAMPLE = {"password": "123", "code": "123456"}

    password: OptionalPassword = None
    code: Code = None


class TokenForm(Body):
    """An API token to make; without days it lasts until it is revoked."""

    EXAMPLE = {"name": "reporting", "scope": "read", "days": 90}

    name: Annotated[str, BeforeValidator(_to_label), shown_text(80, minLength=1)]
    scope: word_of(*SCOPES)
    days: Annotated[
        Annotated[int, BeforeValidator(_whole(1, 3650))] | None, _BLANK, shown_whole(1, 3650)
    ] = None


class PassphraseForm(Body):
    """A passphrase beside those of the settings; left out, one is made."""

    EXAMPLE = {"label": "second-chart"}

    label: Name
    passphrase: OptionalText = None


class SeenForm(Body):
    """Alarms up to the id `last` have been seen."""

    EXAMPLE = {"last": 7}

    last: Id


class MessageForm(Body):
    """Which kind of message to send as a test."""

    EXAMPLE = {"kind": "summary"}

    kind: word_of(*MESSAGES)


# --- queries ----------------------------------------------------------------------------

LONGEST_FILTER = 400  # characters


def _short(value: Any) -> str:
    text = to_text(value)
    if len(text) > LONGEST_FILTER:
        raise ValueError(f"must have at most {LONGEST_FILTER} characters")
    return text.strip()


def _rowid(value: Any) -> int:
    text = _short(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError("must be a rowid")
    return int(text)


def _bound(*, last: bool) -> Any:
    def read(value: Any) -> str:
        return instants.parse_bound(_short(value), last=last)

    days = [{"type": "string", "format": each} for each in ("date", "date-time")]
    when = "last" if last else "first"
    form = {
        "anyOf": [*days, UNIX_TEXT, {"const": ""}],
        "description": f"UTC; of a day its {when} second counts",
    }
    return Annotated[Annotated[str, BeforeValidator(read)] | None, _BLANK, WithJsonSchema(form)]


def _query(kind: Any, **schema: Any) -> Any:
    """An optional part of a query: text that `kind` reads."""
    return Annotated[kind | None, _BLANK, shown("string", **schema)]


def _offset(value: Any) -> int:
    try:
        return _rowid(value)
    except ValueError:
        raise ValueError("must be a whole number, 0 or above") from None


# What lists of signals may be sorted by.
SORTS = (
    *("rowid", "timestamp", "ticker", "order_comment", "order_action", "order_contracts"),
    *("order_price", "order_status", "fill_price", "slip"),
)
_SORTS = (*SORTS, *(f"-{name}" for name in SORTS))


def _sort(value: Any) -> str:
    text = _short(value)
    if text not in _SORTS:
        raise ValueError(f"must be one of {', '.join(SORTS)}, with - before for descending")
    return text


_NUMERAL = r"(\d{1,18})?"
_TRIMMED = BeforeValidator(str.strip)
_Short = Annotated[str, BeforeValidator(_short)]
Words = _query(_Short, maxLength=LONGEST_FILTER)
Kind = _query(
    Annotated[Literal["single", "pair"], BeforeValidator(_short)], enum=["single", "pair", ""]
)
Before = _query(Annotated[int, BeforeValidator(_rowid)], pattern=_NUMERAL)
Most = _query(_Short, pattern=_NUMERAL)
Offset = _query(Annotated[int, BeforeValidator(_offset)], pattern=_NUMERAL)
Sort = _query(
    Annotated[str, BeforeValidator(_sort)],
    enum=[*_SORTS, ""],
    description="by which field, `-` before it for descending; missing values come last",
)
_FLAGS = {"0": False, "1": True}
Flag = _query(
    Annotated[bool, BeforeValidator(lambda text: to_flag(_FLAGS.get(text.strip(), text)))],
    enum=["0", "1", "true", "false", ""],
)
Since = _bound(last=False)
Until = _bound(last=True)


class SignalQuery(Body):
    """Which signals: those that pass all filters given."""

    EXAMPLE = {"ticker": "NMFC-ROIC", "since": "2026-11-01"}

    status: Words = None
    ticker: Words = None
    type: Kind = None
    since: Since = None
    until: Until = None
    q: Words = None
    before: Before = None

    def filters(self, **fixed: str) -> Record:
        """The filters given, and those that the path fixes, by the models' names for them."""
        given = {**self.__dict__, **fixed}
        return {_FILTERS[key]: given[key] for key in _FILTERS if given[key] is not None}


_FILTERS = {"status": "status", "ticker": "name", "type": "kind", "q": "text"}
_FILTERS |= {key: key for key in ("since", "until", "before")}


class SignalListQuery(SignalQuery):
    """The same, how many, in which order, and how many to leave out before.

    Without `sort` the newest are first. `before` goes with that order only.
    """

    limit: Most = None
    sort: Sort = None
    offset: Offset = None


class FiguresQuery(Body):
    """Since when; today in UTC if left out."""

    EXAMPLE = {"since": "2026-11-24"}

    since: Since = None


class AuditQuery(Body):
    """Which rows of the audit; `before` is the id of the last row of the page before."""

    EXAMPLE = {"who": "admin", "what": "login"}

    who: Words = None
    what: Words = None
    since: Since = None
    until: Until = None
    before: Before = None


class AlertQuery(Body):
    """Whether the alert is only judged, and not stored."""

    EXAMPLE = {"dry": "1"}

    dry: Flag = None


class EventsQuery(Body):
    """After which event, and how many."""

    EXAMPLE = {"after": "0", "limit": "100"}

    after: Annotated[str, _TRIMMED, shown("string", pattern=r"\d+")] = "0"
    limit: Annotated[str, _TRIMMED, shown("string", pattern=r"\d+")] = "100"


class SocketQuery(Body):
    """The last event that is known, to catch up from."""

    after: Annotated[str, _TRIMMED, shown("string", pattern=r"(\d+)?")] = ""


class AlarmsQuery(Body):
    """Whether to list closed alarms too."""

    all: Annotated[str, _TRIMMED, shown("string", description="1 lists closed ones too")] = ""


class EquationQuery(Body):
    """The equation to read."""

    EXAMPLE = {"text": "NYSE:MA-1.3*NYSE:V"}

    text: Ticker


class TemplateQuery(Body):
    """Whether to show the secrets."""

    reveal: Annotated[str, _TRIMMED, shown("string", description="1 shows the secrets")] = ""
