"""The API's document: whole, valid, true to the forms, with an example of everything.

That answers are as it says is checked with every call of the tests' client (tests/documented.py).
"""

import inspect
from types import SimpleNamespace

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tornado.web import RequestHandler

from handlers.app import ROUTES
from handlers.base import NotFound
from handlers.contract import Right
from handlers.openapi import METHODS, calls, describe
from models import SIGNAL_KEYS, signal_record
from schemas.answers import MESSAGES, SignalRecord
from schemas.values import check
from tests import documented
from tests.conftest import alert

OPERATIONS = {
    f"{method} {path}": operation
    for path, methods in documented.document()["paths"].items()
    for method, operation in methods.items()
}
JSON = "application/json"


def faults(schema, value):
    """What is wrong with a value, by a schema of the document."""
    return [each.message for each in documented.validator(schema).iter_errors(value)]


@pytest.mark.slow
def test_it_is_openapi():
    OpenAPIV31SpecValidator(documented.document()).validate()


def test_every_method_of_every_route_is_in_it():
    served = set()
    for pattern, handler, *_ in ROUTES:
        if pattern.startswith(("/v3", "/ws")) and handler is not NotFound:
            own = [name for name in METHODS if hasattr(getattr(handler, name), "right")]
            served |= {(handler, name) for name in own}
            for name in set(map(str.lower, RequestHandler.SUPPORTED_METHODS)) - set(METHODS):
                assert not hasattr(getattr(handler, name, None), "right"), (pattern, name)
    assert {(call.handler, call.method) for call in calls(ROUTES)} == served
    assert len(OPERATIONS) == len(served)


def test_a_method_without_a_contract_is_refused():
    class Silent(RequestHandler):
        async def get(self):
            """Say nothing."""

        get.right = Right.OPEN

    with pytest.raises(AttributeError, match="contract"):
        describe([*ROUTES, (r"/v3/silent", Silent)])


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_it_does_and_shows_each_part(name):
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["tags"]
    assert "Right: " in operation["description"]
    for each in operation["parameters"]:
        if each["in"] == "path":
            assert each["description"]
            assert faults(each["schema"], each["example"]) == []
        for example in each["schema"].get("examples", []):
            assert faults(each["schema"], example) == []
    for body in operation.get("requestBody", {}).get("content", {}).values():
        for example in body["examples"].values():
            assert faults(body["schema"], example["value"]) == []
    for status in operation["responses"]:
        answer = documented.answer_of(operation, int(status))
        told = answer.get("content", {}).get(JSON)
        if told and name != "get /v3/openapi.json":
            assert faults(told["schema"], told["example"]) == []


@pytest.mark.parametrize("call", calls(ROUTES), ids=lambda call: f"{call.method} {call.path}")
def test_the_example_of_a_body_passes_the_check_of_bodies(call):
    for form in call.models(call.contract.takes):
        assert form.EXAMPLE
        check(form, form.EXAMPLE)


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


def test_models_have_names_of_their_own():
    names = documented.document()["components"]["schemas"]
    assert not [name for name in names if "__" in name]


@pytest.mark.parametrize("model", MESSAGES, ids=lambda model: model.__name__)
def test_the_example_of_a_message_is_one(model):
    model.model_validate(model.EXAMPLE)
    assert inspect.getdoc(model)


def test_a_signals_fields_stand_in_the_order_of_the_answers():
    row = [None] * len(SIGNAL_KEYS)
    assert list(SignalRecord.model_fields) == list(signal_record(row))


@pytest.mark.parametrize(
    "told",
    [
        {"status": 418, "json": {"message": "x"}},
        {"status": 200, "json": {"signals": [{"rowid": 1}]}},
        {"status": 200, "json": {"signals": [], "more": 1}},
        {"status": 404, "json": {"message": "x", "signals": []}},
        {"status": 400, "json": {"message": "x"}},
        {"status": 200, "json": None, "kind": "text/html"},
    ],
    ids=str,
)
def test_an_answer_that_is_not_in_it_fails_a_test(told):
    kind = told.get("kind", JSON)
    answer = SimpleNamespace(
        status=told["status"], json=told["json"], text="x", headers={"Content-Type": kind}
    )
    with pytest.raises(AssertionError):
        documented.check("GET", "/v3/signals/5?limit=2", answer)


@pytest.mark.gen_test(timeout=60)
async def test_it_is_served_to_anybody(api):
    answer = await api.get("/v3/openapi.json")
    assert answer.status == 200
    assert answer.json["openapi"] == "3.1.0"
    assert set(answer.json["paths"]) == set(documented.document()["paths"])


@pytest.mark.gen_test(timeout=60)
async def test_the_page_says_what_the_websocket_says(api):
    page = await api.get("/docs")
    assert page.status == 200
    for each in ("hello", "signal.updated", "rejected.created", "resync"):
        assert f"<code>{each}</code>" in page.text


@pytest.mark.parametrize("overrides", [{"anonymous_reads": False}], indirect=True)
@pytest.mark.gen_test(timeout=60)
async def test_the_page_needs_a_login_where_visitors_may_not_read(api):
    page = await api.get("/docs")
    assert (page.status, page.headers["Location"]) == (302, "/login?next=%2Fdocs")


ORDER = {"passphrase": "webhook", "order_id": 7, "stk_price": 5}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v3/webhook", alert(ticker="A\nB")),
        ("POST", "/v3/webhook", alert(bypass_ticker_status=None)),
        ("PUT", "/v3/signal/updateorder", {**ORDER, "cancel": None}),
        ("PUT", "/v3/signal/updateorder", {**ORDER, "partial": None}),
        ("PUT", "/v3/signal/updateorder", {"passphrase": "webhook", "order_id": 7, "price": 5}),
        ("PUT", "/v3/signal/updateorder", {**ORDER, "partial": "true", "order_contracts": 1}),
    ],
)
@pytest.mark.gen_test
async def test_a_body_that_is_taken_is_told_as_right(api, desk, method, path, body):
    await api.alert(order_id1=7)
    answer = await api.call(method, path, body)
    assert answer.status < 300, answer.text
    schema = documented.operation_of(method, path)["requestBody"]["content"][JSON]["schema"]
    assert faults(schema, body) == []
