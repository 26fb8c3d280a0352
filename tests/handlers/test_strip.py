"""The figures of the dashboard's strip beside the counts: account, hedge, what works, the last."""

import pytest

from models import Signal
from tests.handlers.conftest import PASS, hold
from trading import instants

pytestmark = pytest.mark.gen_test(timeout=60)
NOTHING = {"hedged": 0, "unhedged": 0, "amounts": {}, "filling": 0, "filling_since": None}


async def figures(api):
    answer = await api.get("/v3/figures")
    assert answer.status == 200, answer.text
    return answer.json


async def place(api, status="created", **fields):
    """Stores an alert whose order is at the broker; returns its rowid."""
    rowid = (await api.alert(**fields)).json["rowid"]
    change = {"rowid": rowid, "order_status": status, "order_id1": 1000 + rowid}
    assert (await api.put("/v3/webhook", PASS | change)).status == 200
    return rowid


async def test_the_strip_of_a_new_server_is_empty(api):
    told = await figures(api)
    keys = ("account", "hedge", "oldest_open", "open", "last")
    assert [told[key] for key in keys] == [None, NOTHING, None, 0, None]


async def test_the_account_is_the_newest_record(api, desk):
    token = await api.token()
    for value in (100, 200):
        await api.post("/v3/regpnl", {"NetLiquidation": value} | PASS)
    [newest] = (await api.get("/v3/pnl/1", token=token)).json["signals"]
    assert (await figures(api))["account"] == newest
    assert newest["NetLiquidation"] == 200


# positions of the pair NMFC-0.72*ROIC, the state of its newest order, what is told of it
HEDGES = [
    ((0, 0), None, {}),
    ((100, -72), None, {"hedged": 1}),
    ((100, -70), None, {"hedged": 1}),  # within 5 %
    ((100, 0), None, {"unhedged": 1, "amounts": {"USD": 1000}}),
    ((0, -72), None, {"unhedged": 1, "amounts": {"USD": 720}}),
    ((0, -72), "filled", {"unhedged": 1, "amounts": {"USD": 720}}),
    ((100, 0), "created", {"filling": 1}),
    ((100, -20), "part.filled", {"filling": 1}),
    ((100, -72), "filled(...)", {"filling": 1}),
]


@pytest.mark.parametrize(("held", "status", "expected"), HEDGES)
async def test_a_pair_is_hedged_unhedged_or_filling(api, desk, held, status, expected):
    for symbol, position in zip(("NMFC", "ROIC"), held, strict=True):
        assert (await hold(api, symbol, position)).status == 200
    since = None
    if status:
        rowid = await place(api, status)
        since = (await api.get(f"/v3/signal/{rowid}")).json["timestamp"]
    told = (await figures(api))["hedge"]
    assert told == NOTHING | expected | {"filling_since": since if "filling" in expected else None}


# minutes since the signal of an order came, positions of its pair, what is told of it
HANGING = [
    (4, (100, 0), {"filling": 1}),
    (6, (100, 0), {"unhedged": 1, "amounts": {"USD": 1000}}),
    (6, (100, -72), {"filling": 1}),
    (25 * 60, (100, 0), {"unhedged": 1, "amounts": {"USD": 1000}}),
    (25 * 60, (100, -72), {"hedged": 1}),
]


@pytest.mark.parametrize(("minutes", "held", "expected"), HANGING)
async def test_an_order_that_hangs_explains_no_missing_leg(api, app, desk, minutes, held, expected):
    for symbol, position in zip(("NMFC", "ROIC"), held, strict=True):
        assert (await hold(api, symbol, position)).status == 200
    await place(api)
    since = instants.ago(60 * minutes)
    await app.writer.submit(lambda: Signal.update(timestamp=since).execute())
    told = (await figures(api))["hedge"]
    assert told == NOTHING | expected | {"filling_since": since if "filling" in expected else None}


async def test_the_figures_follow_each_change_at_once(api, desk):
    for position, key in ((100, "unhedged"), (0, None), (100, "unhedged")):
        assert (await hold(api, "NMFC", position)).status == 200
        told = await figures(api)
        assert told["hedge"] == NOTHING | ({key: 1, "amounts": {"USD": 1000}} if key else {})
    for count in (1, 2):
        await api.alert()
        told = await figures(api)
        assert (told["waiting"], told["account"]) == (count, None)
    await api.post("/v3/regpnl", {"NetLiquidation": 100} | PASS)
    assert (await figures(api))["account"]["NetLiquidation"] == 100


async def test_the_oldest_open_signal_waits_or_works(api, app, desk):
    rowids = [await place(api), (await api.alert()).json["rowid"], await place(api, "filled")]
    times = dict(zip(rowids, ("2026-11-02", "2026-11-01", "2026-10-01"), strict=True))

    def set_times():
        for rowid, day in times.items():
            Signal.update(timestamp=f"{day} 12:00:00").where(Signal.rowid == rowid).execute()

    await app.writer.submit(set_times)
    told = await figures(api)
    assert (told["oldest_open"], told["open"]) == ("2026-11-01 12:00:00", 1)


async def test_the_last_is_what_happened_last_to_any_signal(api, desk):
    rowid = await place(api, "created", order_action="sell")
    await api.alert(ticker="NOPE")
    last = (await figures(api))["last"]
    assert (last["name"], last["order_status"]) == ("NOPE", "error")
    change = {"rowid": rowid, "order_status": "canceled", "status_msg": "insufficient funds"}
    await api.put("/v3/webhook", PASS | change)
    assert (await hold(api, "NMFC", 5)).status == 200  # an event of something else
    last = (await figures(api))["last"]
    events = (await api.get(f"/v3/signal/{rowid}/events", token=await api.token())).json["events"]
    assert last == {
        "rowid": rowid,
        "name": "NMFC-ROIC",
        "order_action": "sell",
        "order_status": "canceled",
        "status_msg": "insufficient funds",
        "time": events[-1]["time"],
    }
