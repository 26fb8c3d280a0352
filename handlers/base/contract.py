"""What a method takes and answers, said beside it: the API's document is built from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

MODEL = Any  # a pydantic model, a list of one (under the handler's key), or an attribute's name


@dataclass(frozen=True)
class Contract:
    """What the document says of a method beside its right and its docstring.

    `takes` is the body's form, several where one of them fits; `gives` an answer for each status;
    `beside` what stands beside the items of a list, with an example; `refuses` the statuses of
    errors beyond those that follow from the right; `headers` what a caller may add.
    """

    gives: dict[int, MODEL]
    takes: MODEL = None
    query: MODEL = None
    refuses: tuple[int, ...] = ()
    beside: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    csv: bool = False
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
