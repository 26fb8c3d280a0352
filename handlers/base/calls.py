"""The API's calls: each method of each route, and what is said beside it."""

import inspect
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from handlers.base.contract import Contract
from handlers.base.rights import Right

METHODS = ("get", "post", "put", "delete")


class Call(NamedTuple):
    """One method of one route."""

    path: str
    method: str
    handler: type
    names: list[str]

    @property
    def function(self) -> Any:
        """The method itself."""
        return getattr(self.handler, self.method)

    @property
    def contract(self) -> Contract:
        """What stands beside it."""
        return self.function.contract

    @property
    def right(self) -> Right:
        """Who may call it."""
        return self.function.right

    @property
    def list_key(self) -> str:
        """Under which key a list answers, or ""; errors of all its methods carry it."""
        return getattr(self.handler, "list_key", "")

    def models(self, said: Any) -> list[type[BaseModel]]:
        """The models that a contract names: itself, a list of one, several, or an attribute's."""
        if isinstance(said, str):
            return self.models(getattr(self.handler, said))
        if isinstance(said, list | tuple):
            return [model for each in said for model in self.models(each)]
        return [said] if said not in (None, dict) else []

    @property
    def tagged(self) -> bool:
        """Whether an answer that is known need not be sent again."""
        return self.method == "get" and bool(self.list_key)


def calls(routes: list[tuple]) -> Iterator[Call]:
    """All methods of the API's routes; pages are none."""
    for pattern, handler, *_ in routes:
        if "(?:" in pattern or not pattern.startswith(("/v3/", "/ws/")):
            continue
        own = [name for name in METHODS if hasattr(getattr(handler, name), "right")]
        path = _template(pattern, [_segments(getattr(handler, name)) for name in own])
        for name in own:
            yield Call(path, name, handler, re.findall(r"{(\w+)}", path))


def _segments(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)[1:]


def _template(pattern: str, named: list[list[str]]) -> str:
    """The pattern with names for its groups; where methods name one differently, with both."""
    for position in range(pattern.count("(")):
        names = dict.fromkeys(names[position] for names in named)
        pattern = re.sub(r"\([^)]*\)", f"{{{'_or_'.join(names)}}}", pattern, count=1)
    return pattern
