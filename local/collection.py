"""Makes the Postman collection from the API's document: python -m local.collection.

The calls run one after the other against a new demo, each with a test and its example answers.
"""

import json
from pathlib import Path
from typing import Any

from handlers import ROUTES
from handlers.base.document import describe

Json = dict[str, Any]
FILE = Path(__file__).parent / "pairs-api-v3.postman_collection.json"
ABOUT = """\
Every call of Pairs-API v3 but the websocket, made from its OpenAPI document (/v3/openapi.json).
Set `base_url`, `username`, `password` and `passphrase`; run it whole against a new demo, or log in
and send what you like.
"""
VARIABLES = {
    "base_url": "http://127.0.0.1:5000",
    "username": "admin",
    "password": "123",
    "passphrase": "webhook",
    **dict.fromkeys(("access_token", "refresh_token"), ""),
    **dict.fromkeys(("rowid", "account", "rejected", "token_id"), "1"),
}
TAGS = (
    *("Registry", "Webhook", "Signals", "Rejected", "Account", "Users", "Sessions", "Factor"),
    *("Tokens", "Passphrases", "Audit", "Alarms", "Openapi"),
)
METHODS = ("post", "get", "put", "delete")
FIRST = ("post_Login",)
LAST = ("post_Refresh", "post_Logout")
EARLY = ("post_Webhook", "put_Webhook", "get_RejectedAlerts")  # first in their folders
# What later calls need of an answer.
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
    "post_Resubmit": {"rowid": "{{rejected}}"},
    "delete_OneToken": {"rowid": "{{token_id}}"},
    "post_Acknowledge": {"rowid": "999"},  # there may be an alarm by now, or not
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
    "post_Acknowledge": 404,
    "delete_OthersFactor": 404,
    "delete_OneSession": 404,
    "delete_RejectedAlerts": 404,
}


def make(document: Json) -> Json:
    """The collection; the same document gives the same."""
    calls = list(_calls(document))
    order = {name: place for place, name in enumerate((*EARLY, *FIRST, *LAST))}
    calls.sort(key=lambda call: (order.get(call[2]["operationId"], 99), METHODS.index(call[1])))
    folders = {"Log in": [c for c in calls if _name(c) in FIRST]}
    rest = [call for call in calls if _name(call) not in FIRST + LAST]
    for tag in TAGS:
        folders[tag] = [c for c in rest if tag in c[2]["tags"] and c[1] != "delete"]
    folders["Delete"] = [c for c in reversed(rest) if c[1] == "delete"]
    folders["Log out"] = [c for c in calls if _name(c) in LAST]
    items = {name: _all_items(document, found) for name, found in folders.items()}
    items["Webhook"].append(_faulty(document))
    return {
        "info": {
            "_postman_id": "6f0d7c1e-3a52-4c8e-9d0b-7b1f5a2e43c3",
            "name": "Pairs-API v3",
            "description": ABOUT,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": _bearer("access_token"),
        "variable": [{"key": key, "value": value} for key, value in VARIABLES.items()],
        "item": [{"name": name, "item": found} for name, found in items.items()],
    }


def _calls(document: Json):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/v3/"):
                yield path, method, operation


def _name(call: tuple) -> str:
    return call[2]["operationId"]


def _all_items(document: Json, found: list[tuple]) -> list[Json]:
    return [item for call in found for item in _items(document, call)]


def _items(document: Json, call: tuple) -> list[Json]:
    """One request, or one for each example of its body."""
    content = call[2].get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = content.get("examples") or {"": None}
    many = len(examples) > 1
    return [
        _item(document, call, f"{call[2]['summary']}{f': {name}' if many else ''}", example)
        for name, example in examples.items()
    ]


def _item(document: Json, call: tuple, name: str, example: Json | None) -> Json:
    path, method, operation = call
    given = GIVEN.get(operation["operationId"], {})
    request = {
        "method": method.upper(),
        "header": [],
        "url": _url(path, operation["parameters"], given),
        "description": operation["description"],
        **_auth(operation),
    }
    if example:
        request["header"] = [{"key": "Content-Type", "value": "application/json"}]
        request["body"] = _body(example["value"], given)
    answers = {int(code): _answer(document, operation, code) for code in operation["responses"]}
    expected = REFUSED.get(operation["operationId"])
    statuses = [expected] if expected else [code for code in answers if code < 300]
    fields = answers[statuses[0]]["content"]["application/json"].get("example", {})
    script = _tests(statuses, fields, KEPT.get(operation["operationId"], {}))
    return {
        "name": name,
        "event": [{"listen": "test", "script": {"type": "text/javascript", "exec": script}}],
        "request": request,
        "response": [
            _shown(*answer, request) for answer in answers.items() if answer[0] in statuses
        ],
    }


def _faulty(document: Json) -> Json:
    """An alert that cannot be read: it is kept, to be corrected and resubmitted."""
    path = "/v3/webhook"
    call = (path, "post", document["paths"][path]["post"])
    body = {"value": {"passphrase": "webhook", "ticker": "AAPL"}}
    item = _item(document, call, "Send a faulty alert", body)
    item["event"][0]["script"]["exec"] = _tests([400], {"message": ""}, {})
    return {**item, "response": []}


def _answer(document: Json, operation: Json, code: str) -> Json:
    answer = operation["responses"][code]
    return document["components"]["responses"][code] if "$ref" in answer else answer


def _url(path: str, parameters: list[Json], given: Json) -> Json:
    segments = path.strip("/").replace("{", ":").replace("}", "").split("/")
    values = [
        {
            "key": each["name"],
            "value": given.get(each["name"], each["example"]),
            "description": each["description"],
        }
        for each in parameters
        if each["in"] == "path"
    ]
    asked = [
        {
            "key": each["name"],
            "value": str(each["schema"].get("examples", [""])[0]),
            "description": each.get("description", ""),
            "disabled": True,
        }
        for each in parameters
        if each["in"] == "query"
    ]
    url: Json = {
        "raw": "{{base_url}}/" + "/".join(segments),
        "host": ["{{base_url}}"],
        "path": segments,
    }
    return url | ({"variable": values} if values else {}) | ({"query": asked} if asked else {})


def _auth(operation: Json) -> Json:
    if operation["operationId"] == "post_Refresh":
        return {"auth": _bearer("refresh_token")}
    return {} if operation["security"] else {"auth": {"type": "noauth"}}


def _bearer(variable: str) -> Json:
    value = {"key": "token", "value": "{{" + variable + "}}", "type": "string"}
    return {"type": "bearer", "bearer": [value]}


def _body(value: Json, given: Json) -> Json:
    values = {**value, **{key: each for key, each in given.items() if key in value}}
    if "passphrase" in values:
        values["passphrase"] = "{{passphrase}}"
    text = json.dumps(values, indent=4)
    for name in ("rowid", "account"):
        text = text.replace(f'"rowid": "{{{{{name}}}}}"', f'"rowid": {{{{{name}}}}}')
    return {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}


def _tests(statuses: list[int], fields: Json, kept: dict[str, str]) -> list[str]:
    lines = [
        f'pm.test("answers {" or ".join(map(str, statuses))}", () => '
        f"pm.expect({statuses}).to.include(pm.response.code))",
        "const answer = pm.response.json()",
    ]
    if fields:
        keys = json.dumps(list(fields))
        lines.append(
            f'pm.test("has its fields", () => pm.expect(answer).to.include.all.keys({keys}))'
        )
    lines += [
        f'pm.collectionVariables.set("{name}", answer.{where})' for name, where in kept.items()
    ]
    return lines


def _shown(code: int, answer: Json, request: Json) -> Json:
    content = answer.get("content", {}).get("application/json", {})
    return {
        "name": f"{code}: {answer['description']}",
        "originalRequest": request,
        "code": code,
        "_postman_previewlanguage": "json",
        "header": [{"key": "Content-Type", "value": "application/json"}],
        "body": json.dumps(content["example"], indent=4) if "example" in content else "",
    }


def text(document: Json) -> str:
    """The collection as it stands in its file."""
    return json.dumps(make(document), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(describe(ROUTES)), "utf-8")
