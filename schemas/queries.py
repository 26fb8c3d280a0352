"""What the query of an address may ask for."""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from schemas.shown import UNIX_TEXT, shown
from schemas.values import Body, Record, optional, to_text
from trading import instants

LONGEST_FILTER = 400  # characters


def _short(value: Any) -> str:
    text = to_text(value)
    if len(text) > LONGEST_FILTER:
        raise ValueError(f"must have at most {LONGEST_FILTER} characters")
    return text.strip()


def _kind(value: Any) -> str:
    text = _short(value)
    if text not in ("single", "pair"):
        raise ValueError("must be single or pair")
    return text


def _rowid(value: Any) -> int:
    text = _short(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError("must be a rowid")
    return int(text)


def _bound(*, last: bool):
    def read(value: Any) -> str:
        return instants.parse_bound(_short(value), last=last)

    days = [{"type": "string", "format": each} for each in ("date", "date-time")]
    form = {"anyOf": [*days, UNIX_TEXT, {"const": ""}]}
    when = "last" if last else "first"
    text = f"UTC; of a day its {when} second counts"
    return optional(read), WithJsonSchema({**form, "description": text})


_TRIMMED = BeforeValidator(str.strip)
Words = Annotated[str | None, optional(_short), shown("string", maxLength=LONGEST_FILTER)]
Before = Annotated[int | None, optional(_rowid), shown("string", pattern=r"(\d{1,18})?")]
Since = Annotated[str | None, *_bound(last=False)]
Until = Annotated[str | None, *_bound(last=True)]
Most = Annotated[str | None, optional(_short), shown("string", pattern=r"(\d{1,18})?")]


class SignalQuery(Body):
    """Which signals: those that pass all filters given."""

    EXAMPLE = {"ticker": "NMFC-ROIC", "since": "2026-11-01"}

    status: Words = None
    ticker: Words = None
    type: Annotated[str | None, optional(_kind), shown("string", enum=["single", "pair", ""])] = (
        None
    )
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
    """The same, and how many."""

    limit: Most = None


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


class TemplateQuery(Body):
    """Whether to show the passphrase."""

    reveal: Annotated[str, _TRIMMED, shown("string", description="1 shows the passphrase")] = ""
