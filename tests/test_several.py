"""Several processes work as one: events are in order, races have one winner, news come at once."""

import asyncio
import contextlib
import signal
import time

import pytest

from database.kinds import LIMITS, WRITE_LOCK
from handlers import passphrases
from tests.conftest import ON_POSTGRESQL, PATIENCE, alert
from tests.several import Browser, Senders, Servers, apis

pytestmark = [pytest.mark.postgresql, pytest.mark.slow, pytest.mark.gen_test(timeout=180)]

ALERTS = 60  # answered before and after each fault


@pytest.fixture(scope="module")
def three(postgresql, tmp_path_factory):
    """Three processes on one database."""
    with postgresql.empty() as url:
        servers = Servers(url, tmp_path_factory.mktemp("three"), 3, wrong_passphrases=1_000_000)
        yield servers
        codes, logs = servers.end(), servers.logs()
    assert codes == [0, 0, 0]
    assert "level=error" not in logs, logs


@pytest.fixture
def each(three):
    """A client for each of them."""
    return apis(three.ports)


async def all_events(api, after=0):
    """The ids of all stored events after this one."""
    token, ids = await api.token(), []
    while True:
        path = f"/v3/events?after={ids[-1] if ids else after}&limit=1000"
        found = [event["id"] for event in (await api.get(path, token=token)).json["events"]]
        if not found:
            return ids
        ids += found


async def everything(api):
    """All signals."""
    return (await api.get("/v3/signals/0", token=await api.token())).json["signals"]


async def test_every_browser_sees_every_event_once_in_order_while_a_process_dies(
    postgresql, tmp_path
):
    with postgresql.empty() as url:
        servers = Servers(url, tmp_path, 3)
        try:
            await watch_a_kill(servers)
        finally:
            servers.end()


async def watch_a_kill(servers):
    clients = apis(servers.ports)
    await clients[0].register_stock("AAPL")
    start = (await all_events(clients[1]))[-1]
    token = await clients[0].token()
    browsers = [Browser(port, token) for port in servers.ports for _ in range(3)]
    lines = [await browser.connect(start) for browser in browsers]
    staying = [asyncio.ensure_future(b.stay(line)) for b, line in zip(browsers, lines, strict=True)]
    senders = Senders(clients)
    for port in servers.ports[:2]:
        await senders.until(ALERTS)
        await asyncio.to_thread(servers.restart, port, signal.SIGKILL)
    await senders.until(ALERTS)
    await senders.stop()
    stored = await all_events(clients[2], start)
    assert len(stored) == senders.count
    for browser in browsers:
        await browser.until(stored[-1])
        assert browser.events == stored
    senders.check(await everything(clients[0]))
    for task in staying:
        task.cancel()


async def test_processes_that_start_at_once_make_tables_users_and_keys_once(
    three, each, postgresql
):
    tokens = [await api.token() for api in each]
    for api in each:
        for token in tokens:
            users = (await api.get("/v3/users/0", token=token)).json["users"]
            assert [(user["username"], user["admin"]) for user in users] == [
                ("user1", False),
                ("admin", True),
            ]


async def test_an_alert_id_that_comes_to_all_at_the_same_instant_is_one_signal(each):
    for number in range(40):
        same = [api.alert(alert_id=f"race {number}") for api in each * 2]
        answers = await asyncio.gather(*same)
        assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
        assert len({answer.json["rowid"] for answer in answers}) == 1
        repeats = [answer.json["message"] for answer in answers if answer.status == 200]
        assert repeats == ["Signal already recorded."] * 5


RACES = {
    "a stock": ("/v3/regstock", lambda n: {"symbol": f"RACE{n}"}),
    "a pair": ("/v3/regpair", lambda n: {"ticker1": f"RA{n}", "ticker2": f"RB{n}", "hedge": 1}),
    "a user": ("/v3/reguser", lambda n: {"username": f"racer{n}", "password": "12345678"}),
    "a passphrase": ("/v3/passphrases", lambda n: {"label": f"race{n}"}),
}


@pytest.mark.parametrize("what", RACES)
async def test_what_is_registered_everywhere_at_once_exists_once(each, what):
    path, make = RACES[what]
    token = await each[0].token()
    for number in range(8):
        posts = (api.post(path, make(number), token=token) for api in each)
        answers = await asyncio.gather(*posts)
        assert sorted(answer.status for answer in answers) == [201, 400, 400]
        refusals = {answer.json["message"] for answer in answers if answer.status == 400}
        assert len(refusals) == 1
        assert "already exists" in refusals.pop()


async def test_a_socket_may_come_back_to_another_process(each, three):
    start = max(await all_events(each[0]), default=0)
    for number in range(12):
        assert (await each[number % 3].alert()).status == 201
    stored = await all_events(each[1], start)
    for port in three.ports:
        browser = Browser(port)
        line = await browser.connect(start)
        listening = asyncio.ensure_future(browser.listen(line))
        await browser.until(stored[-1])
        assert browser.events == stored
        line.close()
        await listening


async def next_event(line):
    """The next message about an event; messages about alarms may come at any time."""
    while (text := await asyncio.wait_for(line.read_message(), PATIENCE)) == '{"type":"alarms"}':
        pass
    return text


async def test_a_browser_hears_of_records_as_the_process_that_stored_them_tells(each, three):
    """The message is the same at each process, for every noun."""
    token = await each[0].token()
    heard = {port: [] for port in three.ports}
    lines = []
    for port in three.ports:
        browser = Browser(port, token)
        lines.append(await browser.connect())
    body = {"symbol": "TOLD", "active": 1}
    await each[0].post("/v3/regstock", body, token=token)
    rowid = (await each[1].alert(ticker="TOLD", order_status="created", order_id1=77)).json["rowid"]
    fill = {"passphrase": "webhook", "order_id": 77, "stk_price": 5}
    await each[2].post("/v3/signal/updateorder", fill)
    await each[0].alert(order_contracts=None)
    await each[1].delete(f"/v3/signal/{rowid}", token=token)
    for port, line in zip(three.ports, lines, strict=True):
        for _ in range(5):
            heard[port].append(await next_event(line))
        line.close()
    one, *others = heard.values()
    assert all(other == one for other in others)
    types = ("stock.created", "signal.created", "signal.updated", "rejected.created")
    for text, type in zip(one, (*types, "signal.deleted"), strict=True):
        assert f'"type":"{type}"' in text


async def sockets(three, token):
    """A browser of this login at each process, and tasks that end when their sockets are closed."""
    browsers = [Browser(port, token) for port in three.ports]
    lines = [await browser.connect() for browser in browsers]
    return browsers, [
        asyncio.ensure_future(browser.listen(line))
        for browser, line in zip(browsers, lines, strict=True)
    ]


async def end_by_logout(each, login, admin):
    await each[0].post("/v3/logout", token=login["access_token"])


async def end_by_reuse(each, login, admin):
    refreshed = await each[0].post("/v3/refresh", token=login["refresh_token"])
    assert refreshed.status == 200
    assert (await each[1].post("/v3/refresh", token=login["refresh_token"])).status == 401


async def end_by_admin(each, login, admin):
    [session] = (await each[2].get("/v3/sessions/user1", token=admin)).json["sessions"]
    assert (await each[2].delete(f"/v3/session/{session['id']}", token=admin)).status == 200


async def end_by_password(each, login, admin):
    new = {"username": "user1", "password": "123"}
    assert (await each[1].put("/v3/reguser", new, token=admin)).status == 200


@pytest.mark.parametrize("end", [end_by_logout, end_by_reuse, end_by_admin, end_by_password])
async def test_a_session_that_ends_at_one_process_ends_everywhere(each, three, end):
    admin, login = await each[0].token(), await each[1].login("user1")
    browsers, listening = await sockets(three, login["access_token"])
    staying, kept = await sockets(three, admin)
    await end(each, login, admin)
    for api in each:
        answer = await api.get("/v3/events", token=login["access_token"])
        assert (answer.status, answer.json["error"]) == (401, "token_revoked")
    await asyncio.wait_for(asyncio.gather(*listening), PATIENCE)
    assert [browser.close_code for browser in browsers] == [4401] * 3
    assert not any(task.done() for task in kept)
    for task in kept:
        task.cancel()


async def test_a_passphrase_is_made_and_retired_everywhere_at_once(each):
    token = await each[0].token()
    made = {"label": "desk", "passphrase": "the desk's own"}
    for status, change in (
        (201, each[0].post("/v3/passphrases", made, token=token)),
        (400, each[2].delete("/v3/passphrase/desk", token=token)),
    ):
        assert (await change).status in (200, 201)
        for api in each:
            await until_answered(api, status)


async def until_answered(api, status):
    """Waits until alerts with the desk's own passphrase get this status."""
    begun = time.monotonic()
    while (await api.alert(passphrase="the desk's own")).status != status:
        assert time.monotonic() - begun < PATIENCE


@ON_POSTGRESQL
async def test_a_process_that_keeps_its_passphrases_hears_of_new_ones(
    api, database_url, tmp_path, monkeypatch
):
    monkeypatch.setattr(passphrases, "KEPT", 3600)
    servers = Servers(database_url, tmp_path, 1)
    try:
        [other], token = apis(servers.ports), await api.token()
        made = {"label": "desk", "passphrase": "the desk's own"}
        await api.alert()  # from now on the passphrases are kept for an hour
        assert (await other.post("/v3/passphrases", made, token=token)).status == 201
        await until_answered(api, 201)
        assert (await other.delete("/v3/passphrase/desk", token=token)).status == 200
        await until_answered(api, 400)
    finally:
        servers.end()


async def test_a_paused_stock_or_pair_is_refused_by_all(each):
    token = await each[0].token()
    await each[0].register_pair("PAUSE", "PAUSED", 2)
    for status in (0, 1, 0):
        change = {"name": "PAUSE-PAUSED", "status": status}
        assert (await each[1].put("/v3/regpair", change, token=token)).status == 200
        for api in each:
            answer = await api.alert(ticker="PAUSE-2*PAUSED")
            passive = answer.json["message"] == "recorded with unknown or passive ticker!"
            assert passive == (status == 0)


# --- what is decided before a trade --------------------------------------------------------


@pytest.fixture
def token(each, io_loop):
    return io_loop.run_sync(each[0].token)


@pytest.fixture
def ruled(each, token, io_loop):
    """Rules that a test sets hold for it alone."""
    yield
    nothing = dict.fromkeys(("entries", "ticker_entries", "loss"))

    async def reset():
        await each[0].put("/v3/limits", nothing, token=token)
        await each[0].put("/v3/trading", {"mode": "on"}, token=token)

    io_loop.run_sync(reset)


def entry(ticker, **fields):
    """The body of an alert that enters."""
    return {"ticker": ticker, "mar_pos": "long", "pre_mar_pos": "flat", **fields}


async def status_of(api, rowid):
    return (await api.get(f"/v3/signal/{rowid}")).json["order_status"]


async def test_a_mode_holds_in_all_processes_before_its_answer_is_out(each, token, ruled):
    await each[0].register_stock("MODES")
    expected = {"on": "waiting", "ask": "held", "exits": "canceled", "off": "canceled"}
    for number, mode in enumerate([*expected] * 5):
        answer = await each[number % 3].put("/v3/trading", {"mode": mode}, token=token)
        assert answer.status == 200
        for api in each:
            assert (await api.get("/v3/trading", token=token)).json["mode"] == mode
        alerts = await asyncio.gather(*(api.alert(**entry("MODES")) for api in each))
        for told in alerts:
            message = (await each[0].get(f"/v3/signal/{told.json['rowid']}")).json["status_msg"]
            status = await status_of(each[0], told.json["rowid"])
            ended = mode == "ask" and message.startswith("overtaken by ")
            assert status == ("canceled" if ended else expected[mode])


async def test_nothing_waits_after_trading_is_off_whoever_sends_meanwhile(each, token, ruled):
    await each[0].register_stock("RUSH")
    for number in range(5):
        await each[0].put("/v3/trading", {"mode": "on"}, token=token)
        sent = [asyncio.ensure_future(api.alert(**entry("RUSH"))) for api in each * 6]
        off = await each[number % 3].put("/v3/trading", {"mode": "off"}, token=token)
        assert off.json["waiting"] == 0
        for api in each:
            assert (await api.get("/v3/signals/status/waiting/0")).json["signals"] == []
        await asyncio.gather(*sent)
        assert (await each[0].get("/v3/signals/status/waiting/0")).json["signals"] == []


@pytest.mark.parametrize("limit", ["entries", "ticker_entries"])
async def test_of_alerts_that_come_to_all_at_once_exactly_so_many_pass(each, token, ruled, limit):
    name = f"MOST{limit[0].upper()}"
    await each[0].register_stock(name)
    today = (await each[0].get("/v3/trading", token=token)).json["today"]["entries"]
    most = today + 3 if limit == "entries" else 3
    await each[1].put("/v3/limits", {limit: most}, token=token)
    answers = await asyncio.gather(*(api.alert(**entry(name)) for api in each * 17))
    passed = [told for told in answers if "reason" not in told.json]
    assert len(passed) == 3
    assert {told.json.get("reason", "").partition(" of ")[0] for told in answers} == {
        *("", f"limit: {most}")
    }
    for api in each:
        told = (await api.get("/v3/trading", token=token)).json["today"]
        assert told["ticker_entries"][name] == 3


async def test_of_decisions_at_once_in_all_processes_one_holds(each, token, ruled):
    await each[0].register_stock("DECIDE")
    await each[0].put("/v3/trading", {"mode": "ask"}, token=token)
    for number in range(6):
        rowid = (await each[number % 3].alert(**entry("DECIDE"))).json["rowid"]
        acts = [(api, act) for api in each for act in ("approve", "refuse")]
        answers = await asyncio.gather(
            *(api.post(f"/v3/signal/{rowid}/{act}", {}, token=token) for api, act in acts)
        )
        assert sorted(answer.status for answer in answers) == [200] + [400] * 5
        [done] = [answer.json["order_status"] for answer in answers if answer.status == 200]
        assert await status_of(each[0], rowid) == done


async def test_a_double_click_that_reaches_several_processes_is_one_order(each, token):
    await each[0].register_stock("CLICK")
    for number in range(6):
        body = {"ticker": "CLICK", "order_action": "buy", "order_contracts": 10}
        body["alert_id"] = f"click {number}"
        clicks = (api.post("/v3/order", body, token=token) for api in each * 2)
        answers = await asyncio.gather(*clicks)
        assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
        assert len({answer.json["rowid"] for answer in answers}) == 1


async def test_a_loss_that_several_processes_hear_of_stops_entries_once(each, token, ruled):
    await each[0].put("/v3/trading", {"mode": "on"}, token=token)
    await each[0].put("/v3/limits", {"loss": 50}, token=token)
    start = (await all_events(each[0]))[-1]
    body = {"passphrase": "webhook", "DailyPnL": -60}
    await asyncio.gather(*(api.post("/v3/regpnl", body) for api in each * 4))
    told = (await each[1].get(f"/v3/events?after={start}&limit=1000", token=token)).json["events"]
    stops = [event for event in told if event["type"].startswith("trading.")]
    assert [(event["source"], event["changes"]["mode"]) for event in stops] == [
        ("system", ["on", "exits"])
    ]
    for api in each:
        state = (await api.get("/v3/trading", token=token)).json
        assert (state["mode"], state["by"]) == ("exits", "system")


async def test_a_short_list_is_never_older_than_an_answer_of_another_process(each, three):
    async def poll(api):
        while True:
            await api.get("/v3/signals/1")

    crowd = [asyncio.create_task(poll(api)) for api in apis(three.ports) for _ in range(4)]
    for number in range(60):
        rowid = (await each[number % 3].alert()).json["rowid"]
        for api in each:
            newest = (await api.get("/v3/signals/1")).json["signals"]
            assert newest[0]["rowid"] >= rowid
    assert not any(task.done() for task in crowd)
    for task in crowd:
        task.cancel()


async def test_a_process_that_is_frozen_while_it_writes_holds_nobody_up_for_long(
    postgresql, tmp_path
):
    with postgresql.empty() as url:
        servers = Servers(url, tmp_path, 1)
        [api] = apis(servers.ports)
        with contextlib.closing(postgresql.outside(url)) as frozen:
            cursor = frozen.cursor()
            cursor.execute(LIMITS)
            cursor.execute(f"BEGIN; SELECT pg_advisory_xact_lock({WRITE_LOCK})")
            statuses = []
            begun = time.monotonic()
            while 201 not in statuses and time.monotonic() - begun < PATIENCE:
                statuses.append((await api.post("/v3/webhook", alert())).status)
        assert set(statuses) == {503, 201}
        servers.end()
