"""The strategy's true last alert is the newest that is offered, in whatever order they come."""

import asyncio
import itertools

import pytest

from models import Signal
from tests.handlers.conftest import step

pytestmark = pytest.mark.usefixtures("desk")


async def statuses(api, count):
    listed = (await api.get("/v3/signals/5")).json["signals"][:count]
    return [(each["order_status"], each["status_msg"]) for each in reversed(listed)]


@pytest.mark.gen_test
@pytest.mark.parametrize("ticker", ["NMFC-0.72*NASDAQ:ROIC", "AAPL"])
async def test_an_entry_that_comes_after_its_exit_is_not_offered(api, ticker):
    for before, after in [(50, 0), (100, 0), (0, 100)]:
        assert (await api.alert(ticker=ticker, **step(before, after))).status == 201
    assert await statuses(api, 2) == [("waiting", None), ("canceled", "overtaken by 2")]
    offered = (await api.get("/v3/signals/status/waiting/0")).json["signals"]
    assert offered[0]["rowid"] == 2


@pytest.mark.gen_test
async def test_what_follows_two_swapped_alerts_starts_from_where_they_ended(api):
    for before, after in [(50, 0), (100, 0), (0, 100), (0, 70), (70, 0)]:
        await api.alert(**step(before, after))
    assert [status for status, _ in await statuses(api, 3)] == ["canceled", "waiting", "waiting"]


@pytest.mark.gen_test
async def test_alerts_of_another_ticker_between_them_do_not_matter(api):
    await api.alert(**step(50, 0))
    await api.alert(**step(100, 0))
    await api.alert(ticker="MA-3*V", **step(0, 10))
    await api.alert(**step(0, 100))
    assert (await statuses(api, 1)) == [("canceled", "overtaken by 2")]


@pytest.mark.gen_test
async def test_the_bridges_own_signals_do_not_matter(api):
    await api.alert(ticker="AAPL", **step(50, 0))
    await api.alert(ticker="AAPL", **step(100, 0))
    sync = step(0, 7, order_comment="Enter Long due to sync", status_msg="created due to sync")
    await api.alert(ticker="AAPL", bypass_ticker_status=True, **sync)
    await api.alert(ticker="AAPL", **step(0, 100))
    assert [status for status, _ in await statuses(api, 2)] == ["waiting", "canceled"]


@pytest.mark.gen_test
async def test_swapped_alerts_that_are_stored_together_are_told_apart(app, api):
    await api.alert(**step(50, 0))
    for rowid in itertools.count(2, 2):
        results = await asyncio.gather(
            api.alert(**step(100, 0)), api.alert(**step(0, 100)), return_exceptions=False
        )
        assert [each.status for each in results] == [201, 201]
        late = Signal.select().order_by(Signal.rowid.desc()).get()
        # Either they arrived swapped, or in their order.
        starts_flat = late.pre_mar_pos == "flat"
        assert late.order_status == ("canceled" if starts_flat else "waiting")
        if rowid >= 10:
            break


@pytest.mark.gen_test
@pytest.mark.parametrize("overrides", [{"entry_minutes": 0}], indirect=True)
async def test_an_older_alert_time_proves_that_an_alert_came_late(api):
    times = ["2026-11-27T12:00:00Z", 1795780803, "2026-11-27 12:00:01", "{{timenow}}", None]
    for alert_time in times:
        answer = await api.alert(**step(0, 100, alert_time=alert_time))
        assert answer.status == 201, answer.text
    assert await statuses(api, 5) == [
        ("waiting", None),
        ("waiting", None),
        ("canceled", "overtaken by 2"),
        ("waiting", None),
        ("waiting", None),
    ]


@pytest.mark.gen_test
async def test_what_its_sender_does_not_offer_stays_as_it_was_sent(api):
    await api.alert(**step(50, 0))
    await api.alert(**step(100, 0))
    await api.alert(**step(0, 100, order_status="filled"))
    assert await statuses(api, 1) == [("filled", None)]


@pytest.mark.gen_test
async def test_a_refused_alert_tells_where_its_strategy_stands(api):
    for before, after in [(50, 0), (100, 0), (0, 100)]:
        await api.alert(ticker="KO-PEP", **step(before, after))
    assert await statuses(api, 1) == [("canceled", "passive ticker")]
