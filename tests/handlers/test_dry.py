"""An alert sent with `?dry=1`: judged and answered as it would be, and nothing is stored."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import AlertId, EventRow, RejectedAlert, Signal
from tests.conftest import alert, tries

pytestmark = pytest.mark.usefixtures("desk")
OWN = ("rowid", "timestamp")  # the fields that only a stored signal has, or has later


@pytest.fixture
def overrides():
    """Settings with a limit that a test reaches soon."""
    return {"wrong_passphrases": 3}


def rows():
    """How many rows an alert can leave behind there are; alarms are made from events."""
    return [each.select().count() for each in (Signal, AlertId, EventRow, RejectedAlert)]


async def rehearse(api, body, **more):
    """Sends the body dry; returns the answer once it is sure that nothing was stored."""
    before = rows()
    answer = await api.post("/v3/webhook?dry=1", body, **more)
    assert rows() == before
    return answer


def foretold(real, record):
    """The answer to a dry alert whose real one was answered like this and has this record."""
    said, warning = real.json["message"], real.json.get("warning")
    if real.status not in (200, 201):
        return real.status, said, warning
    becomes = f"its status would be {record['order_status']}."
    if real.status == 200:
        becomes = f"the alert repeats signal {record['rowid']}."
    return 200, f"Nothing was stored; {becomes}", warning


@pytest.mark.gen_test
async def test_a_dry_alert_is_answered_with_the_signal_that_it_would_be(api):
    answer = await rehearse(api, alert(ticker="NYSE:MA-3*NYSE:V"))
    signal = answer.json.pop("signal")
    message = "Nothing was stored; its status would be waiting."
    assert answer.json == {"dry": True, "message": message, "rowid": None}
    stored = await api.alert(ticker="NYSE:MA-3*NYSE:V")
    record = (await api.get(f"/v3/signal/{stored.json['rowid']}")).json
    assert signal["rowid"] is None
    assert (signal["stk_ticker1"], signal["order_status"]) == ("MA", "waiting")
    assert {k: signal[k] for k in signal if k not in OWN} == {
        k: record[k] for k in record if k not in OWN
    }


@pytest.mark.gen_test
async def test_a_dry_repeat_names_the_first_signal(api, admin):
    first = (await api.alert(alert_id="x")).json["rowid"]
    by_header = {"headers": {"Idempotency-Key": "x"}}
    for body, more in ((alert(alert_id="x"), {}), (alert(), by_header)):
        answer = await rehearse(api, body, **more)
        assert answer.json["message"] == f"Nothing was stored; the alert repeats signal {first}."
        assert (answer.json["rowid"], answer.json["signal"]["rowid"]) == (first, first)
    await api.delete(f"/v3/signal/{first}", token=admin)
    answer = await rehearse(api, alert(alert_id="x"))
    assert (answer.json["rowid"], answer.json["signal"]) == (first, None)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(("dry=1", 200), ("dry=true", 200), ("dry=0&dry=1", 200)),
        *(("dry=0", 201), ("dry=false", 201), ("dry=", 201), ("other=1", 201)),
        *(("dry=2", 400), ("dry=yes", 400), ("dry=on", 400), ("dry=%ff", 400)),
    ],
)
async def test_dry_is_a_flag_like_all_others(api, query, status):
    answer = await api.post(f"/v3/webhook?{query}", alert())
    assert answer.status == status
    assert Signal.select().count() == (status == 201)
    if status == 400:
        unread = "bad request." if query == "dry=%ff" else {"dry": "must be true or false"}
        assert answer.json["message"] == unread
        assert RejectedAlert.select().count() == 1  # the alert was not lost


@pytest.mark.gen_test
async def test_wrong_passphrases_are_limited_as_those_of_alerts_that_count(api):
    statuses = []
    for query in ("?dry=1", "", "?dry=1", "?dry=1", ""):
        answer = await api.post(f"/v3/webhook{query}", alert(passphrase="wrong"))
        statuses.append(answer.status)
    assert statuses == [400, 400, 400, 429, 429]
    assert (await api.post("/v3/webhook?dry=1", alert(passphrase=None))).status == 429
    assert (await api.post("/v3/webhook?dry=1", alert())).status == 200
    assert RejectedAlert.select().count() == 1


@pytest.mark.gen_test
async def test_dry_alerts_beside_real_ones_leave_only_the_real_ones(api):
    answers = await asyncio.gather(
        *(
            api.post(f"/v3/webhook{'?dry=1' if n % 2 else ''}", alert(alert_id=n // 2))
            for n in range(20)
        )
    )
    assert {each.status for each in answers} == {200, 201}
    assert rows() == [10, 10, EventRow.select().count(), 0]
    assert EventRow.select().where(EventRow.type == "signal.created").count() == 10


bodies = st.fixed_dictionaries(
    {
        "ticker": st.sampled_from(
            ["NMFC-0.72*NASDAQ:ROIC", "NYSE:MA-3*NYSE:V", "AAPL", "KO-PEP", "NOPE", "A-*B", ""]
        ),
        "order_action": st.sampled_from(["buy", "SELL", "hold"]),
        "order_contracts": st.sampled_from([1, "7.5", 0, -3, None, 1e13]),
    },
    optional={
        "passphrase": st.sampled_from(["wrong", None]),
        "alert_id": st.sampled_from(["a", "b"]),
        "order_status": st.sampled_from(["created", "waiting", "odd"]),
        "order_comment": st.text(max_size=5),
        "mar_pos_size": st.sampled_from([0, 100, "x"]),
        "alert_time": st.sampled_from(["2026-11-24T15:30:00Z", "2026-11-24T15:29:00Z", "now"]),
        "bypass_ticker_status": st.sampled_from([True, 0, "maybe"]),
        "status_msg": st.sampled_from(["created due to sync", "x"]),
    },
)


def test_the_dry_answer_is_the_real_one_that_follows(api, app, io_loop):
    app.gate.count_stranger = lambda address: None  # wrong passphrases without a limit

    async def both(body):
        dry = await rehearse(api, body)
        real = await api.post("/v3/webhook", body)
        rowid = real.json.get("rowid")
        record = (await api.get(f"/v3/signal/{rowid}")).json if rowid else None
        answered = dry.status, dry.json["message"], dry.json.get("warning")
        assert answered == foretold(real, record)
        if dry.status != 200:
            return
        signal = dry.json["signal"]
        assert dry.json["rowid"] == (rowid if real.status == 200 else None)
        assert {**signal, "rowid": rowid, "timestamp": ""} == {**record, "timestamp": ""}

    @settings(max_examples=tries(60), suppress_health_check=list(HealthCheck))
    @given(bodies)
    def check(fields):
        io_loop.run_sync(lambda: both(alert(**fields)))

    check()
