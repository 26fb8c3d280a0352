"""An alert is one signal however often it comes; another one under its id is another signal."""

import asyncio

import pytest

from models import Signal

pytestmark = pytest.mark.usefixtures("desk")
WARNING = "alert_id was used before by another alert"


def receipts(answers):
    return [(each.status, each.json["rowid"], each.json.get("warning")) for each in answers]


@pytest.mark.gen_test
async def test_a_repeat_is_the_first_whatever_became_of_it_meanwhile(api, admin):
    first = await api.alert(alert_id="x")
    changed = {"rowid": 1, "order_contracts": 55, "mar_pos_size": 55, "order_status": "created"}
    assert (await api.put("/v3/webhook", changed, token=admin)).status == 200
    again = await api.alert(alert_id="x", order_comment="a comment is no part of it")
    assert receipts([first, again]) == [(201, 1, None), (200, 1, None)]
    assert (await api.delete("/v3/signal/1", token=admin)).status == 200
    assert receipts([await api.alert(alert_id="x")]) == [(200, 1, None)]
    assert Signal.select().count() == 0


OTHERS = [
    {"ticker": "MA-3*V"},
    {"order_action": "sell"},
    {"order_contracts": 99},
    {"order_price": -0.02},
    {"mar_pos": "short"},
    {"mar_pos_size": 200},
    {"pre_mar_pos": "long"},
    {"pre_mar_pos_size": 1},
]


@pytest.mark.gen_test
@pytest.mark.parametrize("sent_as", ["body", "header"])
async def test_another_alert_under_a_used_id_is_stored_with_a_warning(api, sent_as):
    def post(**fields):
        if sent_as == "body":
            return api.alert(alert_id=7, **fields)
        return api.alert(headers={"Idempotency-Key": "7"}, **fields)

    answers = [await post()]
    for fields in OTHERS:
        answers += [await post(**fields), await post(**fields)]
    expected = [(201, 1, None)]
    for rowid in range(2, len(OTHERS) + 2):
        expected += [(201, rowid, WARNING), (200, rowid, None)]
    assert receipts(answers) == expected
    assert receipts([await post()]) == [(200, 1, None)]


@pytest.mark.gen_test
async def test_repeats_and_others_that_arrive_at_once_are_told_apart(api):
    sizes = [1, 2, 3] * 10
    answers = await asyncio.gather(
        *(api.alert(alert_id="x", order_contracts=size) for size in sizes)
    )
    by_size = {}
    for size, answer in zip(sizes, answers, strict=True):
        by_size.setdefault(size, set()).add(answer.json["rowid"])
    assert sorted(map(len, by_size.values())) == [1, 1, 1]
    assert sorted(answer.status for answer in answers) == [200] * 27 + [201] * 3
    assert sum("warning" in answer.json for answer in answers) == 2
    assert Signal.select().count() == 3


@pytest.mark.gen_test
async def test_the_warning_is_told_in_the_signals_history(api, admin):
    await api.alert(alert_id="x")
    await api.alert(alert_id="x", order_contracts=5)
    history = await api.get("/v3/signal/2/events", token=admin)
    assert history.json["events"][0]["changes"]["warning"] == [None, WARNING]
