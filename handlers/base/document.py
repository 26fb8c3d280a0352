"""The API's document (OpenAPI 3.1), built from the routes and from what stands beside methods."""

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from handlers.base.calls import Call, calls
from handlers.base.described import ABOUT, SCHEMES, SECURITY, STATUSES, refusal, refusals
from handlers.base.rights import Right
from schemas.answers import Problem, Unauthorized
from schemas.events import MESSAGES
from settings import VERSION

Json = dict[str, Any]
REF = "#/components/schemas/"
JSON = "application/json"


def describe(routes: list[tuple]) -> Json:
    """The whole document."""
    found = list(calls(routes))
    paths: Json = {}
    for call in found:
        paths.setdefault(call.path, {})[call.method] = _operation(call)
    models = {Problem, Unauthorized, *MESSAGES}
    for call in found:
        said = [call.contract.takes, *call.contract.gives.values()]
        models |= {model for each in said for model in call.models(each)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pairs-API", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": _tags(found),
        "paths": paths,
        "components": {
            "schemas": _schemas(models),
            "responses": {str(status): refusal(status) for status in STATUSES},
            "securitySchemes": SCHEMES,
        },
        "x-websocket": {
            "address": "/ws/signals",
            "messages": [{"$ref": REF + model.__name__} for model in MESSAGES],
        },
    }


def _tags(found: list[Call]) -> list[Json]:
    about = {_tag(call): sys.modules[call.handler.__module__].__doc__ for call in found}
    return [{"name": tag, "description": text.splitlines()[0]} for tag, text in about.items()]


def _tag(call: Call) -> str:
    return call.handler.__module__.rpartition(".")[2].capitalize()


def _schemas(models: set[type[BaseModel]]) -> Json:
    ordered = sorted(models, key=lambda model: model.__name__)
    _, found = models_json_schema(
        [(model, "validation") for model in ordered], ref_template=REF + "{model}"
    )
    schemas = found["$defs"]
    for model in ordered:
        schemas[model.__name__]["examples"] = [model.EXAMPLE]
    for schema in schemas.values():
        keeps = schema.pop("x-keeps", False)
        schema.pop("title", None)
        for field in schema.get("properties", {}).values():
            field.pop("title", None)
            if keeps or field.get("default", "") is None:
                field.pop("default", None)
    return schemas


def _operation(call: Call) -> Json:
    told = (inspect.getdoc(call.function) or "").replace("{noun}", _noun(call))
    summary, _, text = told.partition("\n")
    unsafe = call.method != "get"
    operation = {
        "tags": [_tag(call)],
        "operationId": f"{call.method}_{call.handler.__name__}",
        "summary": summary.rstrip("."),
        "description": f"{text.strip()}\n\n{_right(call)}".strip(),
        "parameters": _parameters(call),
        "responses": {str(status): each for status, each in sorted(_responses(call).items())},
        "security": SECURITY[call.right](unsafe),
    }
    if call.contract.takes:
        operation["requestBody"] = _body(call)
    return operation


def _right(call: Call) -> str:
    told = f"Right: {call.right.value}."
    if call.right is Right.OPEN:
        return told
    scope = call.function.scope
    return f"{told} " + (
        f"An API token must cover `{scope}`." if scope else "No API token will do."
    )


def _noun(call: Call) -> str:
    return getattr(call.handler, "noun", "")


def _parameters(call: Call) -> list[Json]:
    found = list(_path_parameters(call))
    if call.contract.query:
        asked = _query_parameters(call.contract.query)
        found += [each for each in asked if each["name"] not in call.names]  # the path decides
    found += [_header(name, text) for name, text in call.contract.headers.items()]
    if call.tagged:
        found.append(_header("If-None-Match", "the ETag of what is known already"))
    return found


def _path_parameters(call: Call) -> Iterator[Json]:
    signature = inspect.signature(call.function).parameters
    for name, own in zip(call.names, list(signature)[1:], strict=True):
        schema = TypeAdapter(signature[own].annotation).json_schema()
        example, text = schema.pop("examples")[0], schema.pop("description")
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": text,
            "schema": schema,
            "example": example,
        }


def _query_parameters(form: type[BaseModel]) -> Iterator[Json]:
    for name, schema in form.model_json_schema()["properties"].items():
        schema.pop("title", None)
        if schema.get("default", "") is None:
            del schema["default"]
        told = {"description": schema.pop("description")} if "description" in schema else {}
        if name in form.EXAMPLE:
            schema["examples"] = [form.EXAMPLE[name]]
        yield {"name": name, "in": "query", **told, "schema": schema}


def _header(name: str, text: str) -> Json:
    return {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}


def _body(call: Call) -> Json:
    forms = call.models(call.contract.takes)
    shown = [_with_passphrase(call, form) for form in forms]
    schema = shown[0] if len(shown) == 1 else {"anyOf": shown}
    secret = {"passphrase": "webhook"} if _takes_passphrase(call) else {}
    examples = {
        form.__name__: {"summary": _first_line(form), "value": secret | form.EXAMPLE}
        for form in forms
    }
    return {
        "required": not call.contract.body_optional,
        "description": "Its Content-Type is not looked at; at most 64 KiB.",
        "content": {JSON: {"schema": schema, "examples": examples}},
    }


def _takes_passphrase(call: Call) -> bool:
    return call.right is Right.SENDER or call.handler.__name__ == "Webhook"


def _with_passphrase(call: Call, form: type[BaseModel]) -> Json:
    if not _takes_passphrase(call):
        return {"$ref": REF + form.__name__}
    text = "one of the passphrases in force"
    secret: Json = {
        "description": f"{text}; where it is sent it decides, and no token is looked at"
    }
    own: Json = {"type": "object", "properties": {"passphrase": secret}}
    if call.right is Right.OPEN:
        secret |= {"type": "string", "description": text}
        own["required"] = ["passphrase"]
    return {"allOf": [{"$ref": REF + form.__name__}, own]}


def _responses(call: Call) -> dict[int, Json]:
    found = {status: _answer(call, said) for status, said in call.contract.gives.items()}
    if call.tagged:
        found[304] = {"description": "all is as it is known"}
    for status in refusals(call):
        found[status] = _refusal(call, status)
    return found


def _answer(call: Call, said: Any) -> Json:
    if said is None:
        return {"description": "the connection becomes a websocket"}
    answer: Json = {
        "description": "this document",
        "content": {JSON: {"schema": {"type": "object"}}},
    }
    for model in call.models(said)[:1]:
        answer = {"description": _first_line(model), "content": _content(call, said, model)}
    if call.tagged:
        text = "stands for this content; lists that are sent in parts have none"
        answer["headers"] = {"ETag": {"description": text, "schema": {"type": "string"}}}
    return answer


def _content(call: Call, said: Any, model: type[BaseModel]) -> Json:
    schema, example = {"$ref": REF + model.__name__}, model.EXAMPLE
    if isinstance(said, list):
        schema, example = _listed(call, schema), {call.list_key: [example]}
    content = {JSON: {"schema": schema, "example": example}}
    if call.contract.csv:
        head = ",".join(model.EXAMPLE) + "\r\n"
        content["text/csv"] = {"schema": {"type": "string"}, "example": head}
    return content


def _listed(call: Call, item: Json) -> Json:
    beside = {
        name: TypeAdapter(type(value)).json_schema() for name, value in call.contract.beside.items()
    }
    return {
        "type": "object",
        "required": [call.list_key],
        "properties": {call.list_key: {"type": "array", "items": item}, **beside},
        "additionalProperties": False,
    }


def _refusal(call: Call, status: int) -> Json:
    if call.list_key:
        return refusal(status, call.list_key)
    return {"$ref": f"#/components/responses/{status}"}


def _first_line(model: type[BaseModel]) -> str:
    return (inspect.getdoc(model) or "").partition("\n")[0]
