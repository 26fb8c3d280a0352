"""Makes the Postman collection from the API's document: python -m local.collection.

The requests run one after the other on a new demo, each with a test of its answer.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handlers.app import ROUTES
from handlers.openapi import describe

Json = dict[str, Any]
Call = tuple[str, str, Json]  # path, method, operation
FILE = Path(__file__).parent / "pairs-api-v3.postman_collection.json"
ABOUT = """\
Every call of Pairs-API v3 but the websocket, made from its OpenAPI document (/v3/openapi.json).
Set `base_url`, `username`, `password` and `passphrase`; run all of it against a new demo, or log in
and send single requests.
"""
VARIABLES = {
    "base_url": "http://127.0.0.1:5000",
    "username": "admin",
    "password": "123",
    "passphrase": "webhook",
    **dict.fromkeys(("access_token", "refresh_token"), ""),
    **dict.fromkeys(("rowid", "account", "rejected", "token_id"), "1"),
}
# These calls are in folders of their own, all others in the folder of their tag.
FOLDERS = {"post_Login": "Log in", "post_Refresh": "Log out", "post_Logout": "Log out"}
METHODS = ("post", "get", "put", "delete")
EARLY = ("post_Webhook", "put_Webhook", "get_RejectedAlerts", "post_Refresh")  # before the others
# {call: {variable: the part of its answer that later calls need}}
KEPT = {
    "post_Login": {"access_token": "access_token", "refresh_token": "refresh_token"},
    "post_Refresh": {"access_token": "access_token", "refresh_token": "refresh_token"},
    "post_Webhook": {"rowid": "rowid"},
    "get_RejectedAlerts": {"rejected": "rejected[0].id"},
    "get_AccountRecords": {"account": "signals[0].rowid"},
    "post_OwnTokens": {"token_id": "id"},
}
# Values of paths and bodies that depend on earlier calls, or are not the document's example.
GIVEN = {
    "get_OneSignal": {"rowid": "{{rowid}}"},
    "delete_OneSignal": {"rowid": "{{rowid}}"},
    "get_SignalEvents": {"rowid": "{{rowid}}"},
    "put_Webhook": {"rowid": "{{rowid}}"},
    "put_Register": {"rowid": "{{account}}"},
    "delete_AccountRecords": {"count_or_rowid": "{{account}}"},
    **dict.fromkeys(("post_Approval", "post_Refusal"), {"rowid": "{{rowid}}"}),
    "post_Resubmit": {"rowid": "{{rejected}}"},
    "delete_OneToken": {"rowid": "{{token_id}}"},
    "post_Acknowledge": {"rowid": "999"},  # there may be an alarm by now, or none: ask for none
    "get_OneTicker": {"symbol": "EUR.USD"},
    "delete_OneTicker": {"symbol": "EUR.USD"},
    "delete_OneUser": {"username": "desk"},
    "post_Login": {"username": "{{username}}", "password": "{{password}}"},
    **dict.fromkeys(
        ("post_OwnFactor", "put_OwnFactor", "post_FactorOff", "post_FactorCodes"),
        {"password": "{{password}}"},
    ),
}
# Calls that cannot succeed here: they need an authenticator, another session, a second alert.
REFUSED = {
    "put_OwnFactor": 400,
    "post_FactorOff": 400,
    "post_FactorCodes": 400,
    "post_Test": 400,
    "post_Messages": 400,
    "post_Acknowledge": 404,
    "delete_OthersFactor": 404,
    "delete_OneSession": 404,
    "delete_RejectedAlerts": 404,
    "post_OwnOrder CloseForm": 404,  # nothing is registered under this name
    "post_Approval": 400,  # the signal is not held
    "post_Refusal": 400,
}


def make(document: Json) -> Json:
    """The collection; the same document makes the same collection."""
    folders = _folders(document).items()
    return {
        "info": {
            "_postman_id": "6f0d7c1e-3a52-4c8e-9d0b-7b1f5a2e43c3",
            "name": "Pairs-API v3",
            "description": ABOUT,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": _bearer("access_token"),
        "variable": [{"key": key, "value": value} for key, value in VARIABLES.items()],
        "item": [{"name": name, "item": requests} for name, requests in folders if requests],
    }


def _folders(document: Json) -> dict[str, list[Json]]:
    """Requests by folder, in the order in which they run: a call comes after those it needs."""
    tags = [tag["name"] for tag in document["tags"]]
    folders = {name: [] for name in ("Log in", "Registry", *tags, "Delete", "Log out")}
    for call in sorted(_calls(document), key=_place):
        _, method, operation = call
        tag = "Delete" if method == "delete" else operation["tags"][0]
        folders[FOLDERS.get(operation["operationId"], tag)] += _requests(call)
    folders["Delete"].reverse()
    # An alert that cannot be read is kept, to be corrected and resubmitted.
    webhook = ("/v3/webhook", "post", document["paths"]["/v3/webhook"]["post"])
    faulty = {"passphrase": "webhook", "ticker": "AAPL"}
    folders["Webhook"].append(_request(webhook, "Send a faulty alert", faulty, 400))
    return folders


def _calls(document: Json) -> Iterator[Call]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/v3/"):
                yield path, method, operation


def _place(call: Call) -> tuple[bool, int]:
    return call[2]["operationId"] not in EARLY, METHODS.index(call[1])


def _requests(call: Call) -> list[Json]:
    """One request, or one for each example of its body."""
    operation = call[2]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = content.get("examples") or {"": {"value": None}}
    title, known = operation["summary"], operation["operationId"]
    return [
        _request(
            call,
            f"{title}: {name}" if len(examples) > 1 else title,
            body["value"],
            REFUSED.get(f"{known} {name}", REFUSED.get(known)),
        )
        for name, body in examples.items()
    ]


def _request(call: Call, name: str, body: Json | None, refused: int | None) -> Json:
    """One request of the collection; `refused` is the status of the error that must answer it."""
    path, method, operation = call
    given = GIVEN.get(operation["operationId"], {})
    return {
        "name": name,
        "event": [{"listen": "test", "script": {"exec": _script(operation, refused)}}],
        "request": {
            "method": method.upper(),
            "url": _url(path, operation["parameters"], given),
            "description": operation["description"],
            **_auth(operation),
            **({"body": _body(body, given)} if body else {}),
        },
    }


def _url(path: str, parameters: list[Json], given: Json) -> Json:
    segments = path.strip("/").replace("{", ":").replace("}", "").split("/")
    url = {"raw": "{{base_url}}/" + "/".join(segments), "host": ["{{base_url}}"], "path": segments}
    parts: dict[str, list[Json]] = {"variable": [], "query": []}
    for each in parameters:
        name, text = each["name"], each.get("description", "")
        if each["in"] == "path":
            value = given.get(name, each["example"])
            parts["variable"].append({"key": name, "value": value, "description": text})
        elif each["in"] == "query":
            value = str(each["schema"].get("examples", [""])[0])
            told = {"key": name, "value": value, "description": text}
            parts["query"].append(told if each.get("required") else told | {"disabled": True})
    return url | {key: those for key, those in parts.items() if those}


def _auth(operation: Json) -> Json:
    if operation["operationId"] == "post_Refresh":
        return {"auth": _bearer("refresh_token")}
    return {} if operation["security"] else {"auth": {"type": "noauth"}}


def _bearer(variable: str) -> Json:
    value = {"key": "token", "value": "{{" + variable + "}}", "type": "string"}
    return {"type": "bearer", "bearer": [value]}


def _body(example: Json, given: Json) -> Json:
    given = given | {"passphrase": "{{passphrase}}"}
    values = {key: given.get(key, value) for key, value in example.items()}
    text = json.dumps(values, indent=4)
    text = re.sub(r'"({{(rowid|account)}})"', r"\1", text)  # these are numbers
    return {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}


def _script(operation: Json, refused: int | None) -> list[str]:
    """Lines that test the answer's status and fields, and keep what later calls need."""
    if refused:
        return _tests([refused], ["message"])
    answers = {int(status): answer for status, answer in operation["responses"].items()}
    statuses = [status for status in answers if status < 300]
    example = answers[statuses[0]]["content"]["application/json"].get("example", {})
    kept = KEPT.get(operation["operationId"], {}).items()
    return _tests(statuses, list(example)) + [
        f'pm.collectionVariables.set("{name}", pm.response.json().{part})' for name, part in kept
    ]


def _tests(statuses: list[int], fields: list[str]) -> list[str]:
    told, answer = " or ".join(map(str, statuses)), "pm.response.json()"
    status = f"pm.expect({statuses}).to.include(pm.response.code)"
    keys = f"pm.expect({answer}).to.include.all.keys({json.dumps(fields)})" if fields else answer
    return [
        f'pm.test("answers {told}", () => {status})',
        f'pm.test("has its fields", () => {keys})',
    ]


def text(document: Json) -> str:
    """The collection as it stands in its file."""
    return json.dumps(make(document), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(describe(ROUTES)), "utf-8")
