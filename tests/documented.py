"""Checks answers against the API's document; the tests do it with every answer."""

import re
from functools import cache

import jsonschema_rs

from handlers.app import ROUTES
from handlers.openapi import calls, describe


@cache
def document():
    """The API's document, made once in each process."""
    return describe(ROUTES)


@cache
def _paths():
    """(pattern, path in the document or None) for each route, in their order."""
    told = {}
    for call in calls(ROUTES):
        for pattern, handler, *_ in ROUTES:
            if handler is call.handler:
                told[pattern] = call.path
    return [(re.compile(pattern + "$"), told.get(pattern)) for pattern, *_ in ROUTES]


def operation_of(method, path):
    """The operation in the document for a request, or None."""
    bare = path.partition("?")[0]
    found = next((told for pattern, told in _paths() if pattern.match(bare)), None)
    return found and document()["paths"][found].get(method.lower())


def answer_of(operation, status):
    """What the document says about an operation's answer with this status, or None."""
    answer = operation["responses"].get(str(status))
    if answer and "$ref" in answer:
        answer = document()["components"]["responses"][str(status)]
    return answer


@cache
def _validator(operation_id, status):
    operations = (each for path in document()["paths"].values() for each in path.values())
    operation = next(each for each in operations if each["operationId"] == operation_id)
    schema = answer_of(operation, status)["content"]["application/json"]["schema"]
    return validator(schema)


def validator(schema):
    """A validator for a schema of the document."""
    return jsonschema_rs.validator_for({**schema, "components": document()["components"]})


@cache
def _messages():
    names = (each["$ref"] for each in document()["x-websocket"]["messages"])
    return validator({"oneOf": [{"$ref": name} for name in names]})


def check_message(message):
    """Raises AssertionError unless the document has this message of the websocket."""
    assert _messages().is_valid(message), f"not documented: {message}"


def check(method, path, answer):
    """Raises AssertionError unless the document has this answer's status, type and fields."""
    operation = operation_of(method, path)
    if operation is None or answer.status == 405:
        return
    told = answer_of(operation, answer.status)
    assert told is not None, f"{method} {path} answers {answer.status}, which is not documented"
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if answer.text or "content" not in told:
        assert kind in told.get("content", {"": {}}) or not answer.text, (method, path, kind)
    if answer.json is not None:
        problems = _validator(operation["operationId"], answer.status).iter_errors(answer.json)
        faults = [f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in problems]
        assert not faults, f"{method} {path} {answer.status}: {faults[:3]}"
