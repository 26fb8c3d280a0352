"""The API explains itself to programs: /v3/openapi.json.

The document (OpenAPI 3.1) is built from the routes and from what stands beside each method: its
right, its contract and its docstring.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from handlers.base import BaseHandler
from handlers.contract import Contract, Right, contract, right
from schemas.answers import MESSAGES, Problem, Unauthorized
from settings import VERSION

DOCUMENT = "/v3/openapi.json"
METHODS = ("get", "post", "put", "delete")
REF = "#/components/schemas/"
JSON = "application/json"
Json = dict[str, Any]

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
# {status of an error: (what it means, an example)}
REFUSALS: dict[int, tuple[str, Json]] = {
    400: ("something in the request cannot be", {"message": {"field": "must be a number"}}),
    401: ("no token where one is needed, or one that does not hold", Unauthorized.EXAMPLE),
    403: ("the right is missing", {"message": "'admin' privilege required."}),
    404: ("there is no such item", {"message": "item not found."}),
    413: ("the body is too long", {"message": "the body must not exceed 65536 bytes"}),
    429: ("too much in too short a time", {"message": "too many requests"}),
    503: ("the storage is unavailable", {"message": "the storage is unavailable; try again"}),
}
# The statuses of errors that follow from a right; 400 and 503 follow from none.
BY_RIGHT = {
    Right.OPEN: (),
    Right.READ: (401, 403, 429),
    Right.POLL: (401, 403, 429),
    Right.TOKEN: (401, 403),
    Right.FRESH: (401, 403),
    Right.ADMIN: (401, 403),
    Right.SENDER: (401, 403, 413, 429),
}


class Call(NamedTuple):
    """One method of one route; `names` are those of the variable parts of its path."""

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
        """What it takes and answers."""
        return self.function.contract

    @property
    def right(self) -> Right:
        """Who may call it."""
        return self.function.right

    @property
    def list_key(self) -> str:
        """The key under which a list answers, or ""; errors of all its methods carry it too."""
        return getattr(self.handler, "list_key", "")

    @property
    def is_tagged(self) -> bool:
        """Whether its answer has an ETag: what the caller has already is not sent again."""
        return self.method == "get" and bool(self.list_key)

    @property
    def tag(self) -> str:
        """Its group in the document: the module of its handler."""
        return self.handler.__module__.rpartition(".")[2].capitalize()

    @property
    def takes_passphrase(self) -> bool:
        """Whether its body may carry a passphrase."""
        return self.right is Right.SENDER or self.handler.__name__ == "Webhook"

    def models(self, said: Any) -> list[type[BaseModel]]:
        """The models that a contract names: itself, a list of one, several, or an attribute's."""
        if isinstance(said, str):
            return self.models(getattr(self.handler, said))
        if isinstance(said, list | tuple):
            return [model for each in said for model in self.models(each)]
        return [said] if said not in (None, dict) else []


def calls(routes: list[tuple]) -> Iterator[Call]:
    """All methods of the API's routes, without pages."""
    for pattern, handler, *_ in routes:
        if "(?:" in pattern or not pattern.startswith(("/v3/", "/ws/")):
            continue
        own = [name for name in METHODS if hasattr(getattr(handler, name), "right")]
        path = _path(pattern, [getattr(handler, name) for name in own])
        for name in own:
            yield Call(path, name, handler, re.findall(r"{(\w+)}", path))


def _path(pattern: str, functions: list[Any]) -> str:
    """The pattern with names for its groups; where methods name one differently, with both."""
    segments = [list(inspect.signature(each).parameters)[1:] for each in functions]
    for names in zip(*segments, strict=True):
        name = "_or_".join(dict.fromkeys(names))
        pattern = re.sub(r"\([^)]*\)", f"{{{name}}}", pattern, count=1)
    return pattern


def describe(routes: list[tuple]) -> Json:
    """The whole document."""
    found = list(calls(routes))
    paths: Json = {}
    models = {Problem, Unauthorized, *MESSAGES}
    for call in found:
        paths.setdefault(call.path, {})[call.method] = _operation(call)
        models.update(call.models([call.contract.takes, *call.contract.gives.values()]))
    about = {call.tag: sys.modules[call.handler.__module__].__doc__ for call in found}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pairs-API", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": _first_line(text)} for tag, text in about.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(models),
            "responses": {str(status): _refusal(status) for status in REFUSALS},
            "securitySchemes": SCHEMES,
        },
        "x-websocket": {"address": "/ws/signals", "messages": [_ref(each) for each in MESSAGES]},
    }


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": REF + model.__name__}


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


# --- schemas ----------------------------------------------------------------------------


def _schemas(models: set[type[BaseModel]]) -> Json:
    ordered = sorted(models, key=lambda model: model.__name__)
    wanted = [(model, "validation") for model in ordered]
    _, found = models_json_schema(wanted, ref_template=REF + "{model}")
    schemas = found["$defs"]
    for model in ordered:
        schemas[model.__name__]["examples"] = [model.EXAMPLE]
    for schema in schemas.values():
        schema.pop("title", None)
        keeps = schema.pop("x-keeps", False)
        for field in schema.get("properties", {}).values():
            _clean(field)
            if keeps:  # what is not sent stays: there is no default
                field.pop("default", None)
    return schemas


def _clean(field: Json) -> Json:
    """The schema of a field without its title, its examples, and a default that is null."""
    field.pop("title", None)
    field.pop("examples", None)  # the example of the whole shows them
    if field.get("default", "") is None:
        del field["default"]
    return field


def _object(properties: Json, required: list[str]) -> Json:
    fields = {"required": required, "properties": properties, "additionalProperties": False}
    return {"type": "object", **fields}


# --- one call ---------------------------------------------------------------------------


def _operation(call: Call) -> Json:
    told = inspect.getdoc(call.function).replace("{noun}", getattr(call.handler, "noun", ""))
    summary, _, text = told.partition("\n")
    operation = {
        "tags": [call.tag],
        "operationId": f"{call.method}_{call.handler.__name__}",
        "summary": summary.rstrip("."),
        "description": f"{text.strip()}\n\n{_right(call)}".strip(),
        "parameters": list(_parameters(call)),
        "responses": {str(status): each for status, each in sorted(_responses(call).items())},
        "security": _security(call),
    }
    return operation | {"requestBody": _body(call)} if call.contract.takes else operation


def _right(call: Call) -> str:
    told = f"Right: {call.right.value}."
    if call.right is Right.OPEN:
        return told
    scope = call.function.scope
    return told + (f" An API token must cover `{scope}`." if scope else " No API token will do.")


def _security(call: Call) -> list[dict[str, list]]:
    """The ways to log in, of which one is needed; an empty one stands for none."""
    if call.right is Right.OPEN:
        return []
    cookie = {"session": []} if call.method == "get" else {"session": [], "xsrf": []}
    visitor = [{}] if call.right in (Right.READ, Right.POLL, Right.SENDER) else []
    bridge = [{"bridgeKey": []}] if call.right is Right.POLL else []
    return [*visitor, {"token": []}, cookie, *bridge]


def _parameters(call: Call) -> Iterator[Json]:
    yield from _path_parameters(call)
    if call.contract.query:
        asked = _query_parameters(call.contract.query)
        yield from (each for each in asked if each["name"] not in call.names)  # the path decides
    for name, text in call.contract.headers.items():
        yield _header(name, text)
    if call.is_tagged:
        yield _header("If-None-Match", "the ETag of what is known already")


def _path_parameters(call: Call) -> Iterator[Json]:
    segments = list(inspect.signature(call.function).parameters.values())[1:]
    for name, segment in zip(call.names, segments, strict=True):
        schema = TypeAdapter(segment.annotation).json_schema()
        example, text = schema.pop("examples")[0], schema.pop("description")
        told = {"description": text, "schema": schema, "example": example}
        yield {"name": name, "in": "path", "required": True, **told}


def _query_parameters(form: type[BaseModel]) -> Iterator[Json]:
    whole = form.model_json_schema()
    for name, schema in whole["properties"].items():
        _clean(schema)
        told = {"description": schema.pop("description")} if "description" in schema else {}
        if name in whole.get("required", ()):
            told["required"] = True
        if name in form.EXAMPLE:
            schema["examples"] = [form.EXAMPLE[name]]
        yield {"name": name, "in": "query", **told, "schema": schema}


def _header(name: str, text: str) -> Json:
    return {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}


def _body(call: Call) -> Json:
    forms = call.models(call.contract.takes)
    shown = [_with_passphrase(call, form) for form in forms]
    secret = {"passphrase": "webhook"} if call.takes_passphrase else {}
    examples = {
        form.__name__: {"summary": _first_line(form.__doc__), "value": secret | form.EXAMPLE}
        for form in forms
    }
    return {
        "required": not call.contract.body_optional,
        "description": "Its Content-Type is not looked at; at most 64 KiB.",
        "content": {JSON: {"schema": _any_of(shown), "examples": examples}},
    }


def _any_of(schemas: list[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _with_passphrase(call: Call, form: type[BaseModel]) -> Json:
    if not call.takes_passphrase:
        return _ref(form)
    text = "one of the passphrases in force"
    if call.right is Right.OPEN:
        secret = {"type": "string", "description": text}
        own = {"properties": {"passphrase": secret}, "required": ["passphrase"]}
    else:
        text += "; where it is sent it decides, and no token is looked at"
        own = {"properties": {"passphrase": {"description": text}}}
    return {"allOf": [_ref(form), {"type": "object", **own}]}


# --- its answers ------------------------------------------------------------------------


def _responses(call: Call) -> dict[int, Json]:
    found = {status: _answer(call, said) for status, said in call.contract.gives.items()}
    if call.is_tagged:
        found[304] = {"description": "all is as it is known"}
    taking = (413,) if call.contract.takes else ()
    for status in (400, 503, *BY_RIGHT[call.right], *call.contract.refuses, *taking):
        shared = {"$ref": f"#/components/responses/{status}"}
        found[status] = _refusal(status, call.list_key) if call.list_key else shared
    return found


def _answer(call: Call, said: Any) -> Json:
    if said is None:
        return {"description": "the connection becomes a websocket"}
    if said is dict:
        content = {JSON: {"schema": {"type": "object"}}}
        return {"description": "this document", "content": content}
    models = call.models(said)
    text = " Or: ".join(_first_line(each.__doc__) for each in models)
    answer = {"description": text, "content": _content(call, said, models)}
    if call.is_tagged:
        text = "stands for this content; lists that are sent in parts have none"
        answer["headers"] = {"ETag": {"description": text, "schema": {"type": "string"}}}
    return answer


def _content(call: Call, said: Any, models: list[type[BaseModel]]) -> Json:
    schema, example = _any_of([*map(_ref, models)]), models[0].EXAMPLE
    if isinstance(said, list):
        beside = {
            name: TypeAdapter(type(each)).json_schema()
            for name, each in call.contract.beside.items()
        }
        items = {call.list_key: {"type": "array", "items": schema}}
        schema, example = _object(items | beside, [call.list_key]), {call.list_key: [example]}
    content = {JSON: {"schema": schema, "example": example}}
    if call.contract.csv:
        head = ",".join(call.contract.csv) + "\r\n"
        content["text/csv"] = {"schema": {"type": "string"}, "example": head}
    return content


def _refusal(status: int, list_key: str = "") -> Json:
    """An error's answer; that of a list carries the empty list under its key."""
    text, example = REFUSALS[status]
    model = Unauthorized if status == 401 else Problem
    schema = _ref(model)
    if list_key:
        schema, example = _with_empty(model, list_key), example | {list_key: []}
    answer = {"description": text, "content": {JSON: {"schema": schema, "example": example}}}
    if status in (429, 503):
        header = {"description": "seconds to wait", "required": True, "schema": {"type": "string"}}
        answer["headers"] = {"Retry-After": header}
    return answer


def _with_empty(model: type[BaseModel], list_key: str) -> Json:
    schema = model.model_json_schema()
    fields = {name: _clean(field) for name, field in schema["properties"].items()}
    empty = {"type": "array", "maxItems": 0, "items": {}}
    return _object(fields | {list_key: empty}, [*schema["required"], list_key])


# --- what is served ---------------------------------------------------------------------


class OpenApi(BaseHandler):
    """/v3/openapi.json: what this API takes and answers."""

    @right(Right.OPEN)
    @contract({200: dict})
    async def get(self) -> None:
        """Describe the API (OpenAPI 3.1)."""
        self.set_header("Content-Type", "application/json")
        self.add_header("Vary", "Accept-Encoding")
        self.finish(self.packed(self.application.document))


routes = [(DOCUMENT, OpenApi)]
