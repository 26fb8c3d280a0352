"""/healthz, /readyz and /metrics: what those learn who watch the server."""

import asyncio
import threading
from functools import partial

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tornado.websocket import websocket_connect

import models
from tests.conftest import ON_SQLITE
from tests.handlers.test_gate import PROXY, behind

pytestmark = pytest.mark.gen_test(timeout=60)


async def test_a_server_that_works_is_alive_and_ready(api):
    for path, word in (("/healthz", "alive"), ("/readyz", "ready")):
        answer = await api.get(path)
        assert (answer.status, answer.json) == (200, {"status": word})


async def not_ready(api, app):
    """The reason of a 503, asked for anew."""
    app.readiness._answer = None
    answer = await api.get("/readyz")
    assert answer.status == 503
    assert set(answer.json) == {"message"}
    return answer.json["message"]


async def test_a_server_that_stops_is_alive_and_no_longer_ready(api, app):
    app.draining = True
    assert await not_ready(api, app) == "the server is stopping"
    assert (await api.get("/healthz")).status == 200


async def test_a_server_whose_writer_hangs_is_not_ready(api, app, monkeypatch):
    monkeypatch.setattr("handlers.health.PATIENCE", 0.05)
    go_on = threading.Event()
    hanging = app.writer.submit(go_on.wait)
    try:
        assert await not_ready(api, app) == "the database takes too long to be written"
    finally:
        go_on.set()
    await hanging


async def test_a_server_whose_queue_is_full_is_not_ready(api, app, monkeypatch):
    monkeypatch.setattr(app.writer, "_limit", 0)
    assert await not_ready(api, app) == "too much is waiting to be stored"


@ON_SQLITE
async def test_a_server_that_may_not_write_is_not_ready(api, app):
    """The disk turns read-only, as far as SQLite can tell."""
    await app.writer.submit(lambda: app.database.execute_sql("PRAGMA query_only = 1"))
    assert await not_ready(api, app) == "the database cannot be written"
    assert (await api.get("/healthz")).status == 200


@ON_SQLITE
async def test_a_server_without_room_on_its_disk_is_not_ready_and_logs_the_cause(
    api, app, desk, caplog
):
    def limit(pages):
        app.database.pragma("max_page_count", pages, permanent=True)

    await app.writer.submit(partial(limit, 1))  # SQLite takes the present size instead
    assert await not_ready(api, app) == "the database cannot be written"
    alerts = [api.alert(order_comment="x" * 50_000) for _ in range(3)]
    answers = await asyncio.gather(*alerts, not_ready(api, app))
    assert [answer.status for answer in answers[:3]] == [503] * 3
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) >= 5
    assert all("full" in line for line in told if "503" in line or "ready" in line), told
    await app.writer.submit(partial(limit, 1_000_000))
    app.readiness._answer = None
    assert (await api.get("/readyz")).status == 200
    assert (await api.alert()).status == 201


async def test_a_database_that_lacks_a_step_is_not_ready(api, app):
    def forget():
        app.database.execute_sql("DELETE FROM schema_migration WHERE name = '0001_first_release'")

    await app.writer.submit(forget)
    assert (await not_ready(api, app)).startswith("the database lacks 0001")


async def test_health_is_asked_with_get_or_head_only(api):
    for path in ("/healthz", "/readyz"):
        answer = await api.post(path, {})
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        answer = await api.call("HEAD", path)
        assert (answer.status, answer.text) == (200, "")


async def test_head_says_too_that_the_server_is_not_ready(api, app):
    app.draining = True
    answer = await api.call("HEAD", "/readyz")
    assert (answer.status, answer.text) == (503, "")


# --- metrics -----------------------------------------------------------------------------


async def scrape(api, **more):
    """{(name, (label values, in the order of their names)): value} of all samples."""
    answer = await api.get("/metrics", **more)
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.usefixtures("desk")
async def test_requests_are_counted_by_route_method_and_class_of_status(api):
    for count in (1, 2):
        await api.alert(ticker="AAPL", alert_id=str(count))
    await api.alert(order_action="hold")
    await api.get("/v3/signal/1")
    await api.get("/v3/signal/2")
    await api.get("/v3/nothing/here")
    await api.call("BREW", "/v3/webhook")
    await api.call("STEEP", "/v3/webhook")
    found = await scrape(api)

    def count(*labels):
        route, method, status = labels
        return found.get(("pairs_request_seconds_count", (method, route, status)))

    assert count("/v3/webhook", "POST", "2xx") == 2
    assert count("/v3/webhook", "POST", "4xx") == 1
    assert count("/v3/signal/*", "GET", "2xx") == 2
    assert count("/v3", "GET", "4xx") == 1
    assert count("/v3/webhook", "other", "4xx") == 2
    beyond = found["pairs_request_seconds_bucket", ("+Inf", "POST", "/v3/webhook", "2xx")]
    assert beyond == 2
    assert found["pairs_request_seconds_sum", ("POST", "/v3/webhook", "2xx")] > 0
    assert found["pairs_writer_batch_size_count", ()] >= 3
    assert found["pairs_writer_waiting", ()] == 0


async def statuses(api):
    """The stored signals by status, without those that there are none of."""
    found = await scrape(api)
    named = {labels[0]: value for (name, labels), value in found.items() if name == "pairs_signals"}
    return {status: count for status, count in named.items() if count}


@pytest.mark.usefixtures("desk")
async def test_signals_are_counted_and_the_count_follows_what_happens(api, admin):
    assert await statuses(api) == {}
    for number in range(3):
        await api.alert(ticker="AAPL", alert_id=str(number))
    await api.alert(ticker="NOPE")
    assert await statuses(api) == {"waiting": 3, "error": 1}
    await api.put("/v3/webhook", {"rowid": 1, "order_status": "my own"}, token=admin)
    await api.put("/v3/webhook", {"rowid": 2, "order_status": "canceled"}, token=admin)
    await api.put("/v3/webhook", {"rowid": 2, "order_comment": "why"}, token=admin)
    await api.delete("/v3/signal/3", token=admin)
    assert await statuses(api) == {"other": 1, "canceled": 1, "error": 1}


async def test_sockets_rejected_alerts_and_the_bridge_are_told(api, callers):
    assert ("pairs_bridge_age_seconds", ()) not in await scrape(api)
    await api.get("/v3/signals/status/waiting/0")
    await api.post("/v3/webhook", raw=b'{"passphrase": "webhook"')
    await api.post("/v3/webhook", raw=b"[]")
    headers = {"Authorization": f"Bearer {await callers.token()}"}
    url = api.base_url.replace("http", "ws") + "/ws/signals"
    line = await websocket_connect(url)
    assert await line.read_message()
    await api.alert()
    while b"signal.created" not in (await line.read_message()).encode():
        pass
    found = await scrape(api, headers=headers)
    line.close()
    assert found["pairs_websockets", ("no",)] == 1
    assert found["pairs_websockets", ("yes",)] == 0
    assert found["pairs_rejected_alerts", ("yes",)] == 1
    assert found["pairs_rejected_alerts", ("no",)] == 1
    assert found["pairs_refused_posts_total", ("address",)] == 0
    assert 0 <= found["pairs_bridge_age_seconds", ()] < 60
    assert found["pairs_push_seconds_count", ()] == 1
    assert found["pairs_push_seconds_sum", ()] < 60


@pytest.mark.parametrize("overrides", [PROXY], indirect=True)
async def test_metrics_are_for_this_machine_and_for_tokens(api, callers, admin):
    assert (await api.get("/metrics")).status == 200
    for headers in (behind("203.0.113.9"), behind("127.0.0.1"), {"Forwarded": "for=127.0.0.1"}):
        answer = await api.get("/metrics", headers=headers)
        assert (answer.status, answer.json["error"]) == (401, "authorization_required")
    away = behind("203.0.113.9")
    for token in (admin, await callers.token("user1", fresh=False)):
        assert (await api.get("/metrics", headers=away, token=token)).status == 200
    answer = await api.get("/metrics", headers=away, token="not.a.token")
    assert (answer.status, answer.json["error"]) == (401, "token_invalid")


@pytest.mark.parametrize("overrides", [PROXY], indirect=True)
async def test_metrics_are_for_api_tokens_of_any_scope(api, admin):
    for scope in models.SCOPES:
        form = {"name": scope, "scope": scope}
        made = (await api.post("/v3/tokens", form, token=admin)).json["token"]
        answer = await api.get("/metrics", headers=behind("203.0.113.9"), token=made)
        assert answer.status == 200


async def test_many_ask_for_readiness_and_the_writer_is_asked_once(api, app):
    written = (await scrape(api))["pairs_writer_batch_size_sum", ()]
    answers = await asyncio.gather(*(api.get("/readyz") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    found = await scrape(api)
    # With what the server writes on its own.
    assert found["pairs_writer_batch_size_sum", ()] - written < 5
