"""The marks of a handler's method: who may call it, and what it takes and answers.

The document of the API is built from them.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field
from tornado.web import RequestHandler

MODEL = Any  # a pydantic model, a list of one (under the handler's key), or an attribute's name


class Right(enum.Enum):
    """Who may call a method."""

    OPEN = "anyone"
    READ = "anyone where visitors may read, else a token"
    POLL = "anyone where visitors may read, else a token or a bridge key"
    TOKEN = "a token"  # noqa: S105 a description
    FRESH = "a fresh token"
    ADMIN = "a fresh token of an admin"
    LOCAL = "a token, or this machine itself"
    SENDER = "a fresh token, or the passphrase in the body"


# The scope that an API token must cover where the method names none. Without a scope, no API
# token may call the method.
_SCOPES = {Right.READ: "read", Right.POLL: "read", Right.LOCAL: "read", Right.SENDER: "signals"}


def right(needed: Right, scope: str | None = None) -> Callable[[Callable], Callable]:
    """Marks a handler's method with the right it needs; a method without a mark is refused.

    `scope` is what an API token must cover to call it. Whatever makes or ends a login or a token
    (users, passwords, second factors, sessions, API tokens) has no scope: with a leaked token
    nobody must make another one, or keep an owner out. An `admin` token may make and retire
    passphrases, which only let in alerts.
    """

    def mark(method: Callable) -> Callable:
        method.right = needed
        method.scope = scope or _SCOPES.get(needed)
        return method

    return mark


def refuse_undecided(routes: list[tuple]) -> None:
    """Raises unless every method of every route says who may call it."""
    for pattern, handler, *_ in routes:
        for name in set(RequestHandler.SUPPORTED_METHODS) - {"HEAD"}:  # it needs GET's right
            method = getattr(handler, name.lower(), None)
            own = method is not getattr(RequestHandler, name.lower(), None)
            if own and not isinstance(getattr(method, "right", None), Right):
                raise TypeError(f"{name} {pattern} does not say who may call it")


@dataclass(frozen=True)
class Contract:
    """What the document says of a method beside its right and its docstring.

    `gives` holds an answer for each status, or several of which it is one; `takes` is the form of
    the body, or several of which one fits; `beside` what stands beside the items of a list, with
    an example; `refuses` the statuses of errors beyond those that follow from the right; `headers`
    what a caller may add; `csv` the columns of the list as a sheet.
    """

    gives: dict[int, MODEL]
    takes: MODEL = None
    query: MODEL = None
    refuses: tuple[int, ...] = ()
    beside: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    csv: tuple[str, ...] = ()
    body_optional: bool = False


def contract(gives: dict[int, MODEL], takes: MODEL = None, **more: Any) -> Callable:
    """Says what a method takes and answers (see Contract)."""

    def mark(method: Callable) -> Callable:
        method.contract = Contract(gives, takes, **more)
        return method

    return mark


def segment(pattern: str, example: str, description: str) -> Any:
    """A part of an address, as the document shows it."""
    return Annotated[
        str, Field(pattern=f"^{pattern}$", description=description, examples=[example])
    ]


Count = segment(r"\d+", "5", "how many, newest first; 0 for all")
SheetCount = segment(r"\d+(\.csv)?", "5", "how many, newest first; 0 for all; .csv for a sheet")
RowId = segment(r"\d{1,18}", "1", "a row's id")
Status = segment(r"[^/]+", "waiting", "a status; `waiting` lists all that the bridge may trade")
Name = segment(r"[^/]+", "NMFC-ROIC", "a pair's name or a single ticker")
PairName = segment(r"[^/]+", "NMFC-ROIC", "a pair's name")
Symbol = segment(r"[^/]+", "AAPL", "a stock's symbol")
Username = segment(r"[^/]+", "user1", "a user's name")
Label = segment(r"[^/]+", "second-chart", "a passphrase's label")
SessionId = segment(r"[^/]+", "hV0cRk3oQ1", "a session's id")
