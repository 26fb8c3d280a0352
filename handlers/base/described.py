"""The texts of the API's document: what it is, who may call, what is refused and how."""

from typing import Any

from pydantic import BaseModel

from handlers.base.errors import Errors
from handlers.base.rights import Right
from schemas.answers import Problem, Unauthorized

ABOUT = """\
Takes the alerts of TradingView, keeps them as signals, and tells the bridge and the dashboard.

Errors are `{"message": "..."}` or `{"message": {"field": "reason"}}`; those of a list carry the
empty list too. Numbers may be sent as numerals in text; times are UTC. Unknown fields of a body
are ignored, and its Content-Type is not looked at. HEAD is answered like GET, without the body.
"""

SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "the access token of `POST /v3/login`, or an API token",
    },
    "refreshToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "the refresh token of `POST /v3/login`",
    },
    "bridgeKey": {"type": "http", "scheme": "basic", "description": "a key of the bridge"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "the browser's session; changes need the XSRF token too",
    },
    "xsrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-XSRFToken",
        "description": "the token that each page carries",
    },
}


def _by_login(unsafe: bool) -> list[dict[str, list]]:
    cookie = {"session": [], "xsrf": []} if unsafe else {"session": []}
    return [{"token": []}, cookie]


SECURITY = {
    Right.OPEN: lambda unsafe: [],
    Right.READ: lambda unsafe: [{}, *_by_login(unsafe)],
    Right.POLL: lambda unsafe: [{}, *_by_login(unsafe), {"bridgeKey": []}],
    Right.SENDER: lambda unsafe: [{}, *_by_login(unsafe)],
    Right.TOKEN: _by_login,
    Right.FRESH: _by_login,
    Right.ADMIN: _by_login,
}

_MISSING = {"message": Errors.MISSING[1], "error": Errors.MISSING[0]}
_RETRY = {"Retry-After": "seconds to wait"}
_TEXTS: dict[int, tuple[str, dict[str, str], dict[str, Any]]] = {
    400: ("something in the request cannot be", {}, {"message": {"field": "must be a number"}}),
    401: ("no token where one is needed, or one that does not hold", {}, _MISSING),
    403: ("the right is missing", {}, {"message": "'admin' privilege required."}),
    404: ("there is no such item", {}, {"message": "item not found."}),
    413: ("the body is too long", {}, {"message": "the body must not exceed 65536 bytes"}),
    429: ("too much in too short a time", _RETRY, {"message": "too many requests"}),
    503: (
        "the storage is unavailable",
        _RETRY,
        {"message": "the storage is unavailable; try again"},
    ),
}
_BY_RIGHT = {
    Right.OPEN: (),
    Right.READ: (401, 403, 429),
    Right.POLL: (401, 403, 429),
    Right.TOKEN: (401, 403),
    Right.FRESH: (401, 403),
    Right.ADMIN: (401, 403),
    Right.SENDER: (401, 403, 413, 429),
}


STATUSES = tuple(_TEXTS)


def refusals(call: Any) -> list[int]:
    """The statuses of the errors that a call may answer."""
    taking = {413} if call.contract.takes else set()
    return sorted({400, 503, *_BY_RIGHT[call.right], *call.contract.refuses} | taking)


def refusal(status: int, list_key: str = "") -> dict[str, Any]:
    """An error's answer; that of a list carries the empty list under its key."""
    text, headers, example = _TEXTS[status]
    model = Unauthorized if status == 401 else Problem
    schema: dict[str, Any] = {"$ref": f"#/components/schemas/{model.__name__}"}
    if list_key:
        schema, example = _with_empty(model, list_key), {**example, list_key: []}
    answer = {
        "description": text,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
    if headers:
        answer["headers"] = {
            name: {"description": what, "required": True, "schema": {"type": "string"}}
            for name, what in headers.items()
        }
    return answer


def _with_empty(model: type[BaseModel], list_key: str) -> dict[str, Any]:
    schema = model.model_json_schema()
    fields = schema["properties"]
    for field in fields.values():
        field.pop("title", None)
    empty = {"type": "array", "maxItems": 0, "items": {}}
    return {
        "type": "object",
        "required": [*schema["required"], list_key],
        "properties": {**fields, list_key: empty},
        "additionalProperties": False,
    }
