"""The hub and the websocket: each change is sent once and in order, and no client slows another."""

import asyncio
import base64
import contextlib
import socket
import struct
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tornado.httpclient import HTTPClientError

from handlers import live
from tests.conftest import ON_SQLITE, PATIENCE, alert


async def silent(client, api):
    """Whether no other message was sent: the next one is that of a later change."""
    answer = await api.alert()
    message = await client.next()
    return (
        message["type"] == "signal.created" and message["signal"]["rowid"] == answer.json["rowid"]
    )


# --- what is told -----------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_the_first_message_is_a_hello(api, connect):
    await api.register_pair()
    await api.alert()
    hello = await (await connect()).next()
    assert hello.keys() >= {"type", "event", "server_time"}
    assert hello["type"] == "hello"
    assert hello["event"] == 4, "two legs, a pair and a signal were made"
    assert len(hello["server_time"]) == len("2026-01-01 00:00:00")


@pytest.mark.gen_test
async def test_a_new_signal_is_told_with_its_full_record(api, greeted):
    await api.register_pair()
    client = await greeted()
    rowid = (await api.alert()).json["rowid"]
    message = await client.next()
    assert set(message) == {"type", "event", "signal", "changed"}
    assert message["type"] == "signal.created"
    assert message["event"] == 4
    assert message["signal"] == (await api.get(f"/v3/signal/{rowid}")).json
    assert {"ticker", "order_status", "order_contracts"} <= set(message["changed"])


@pytest.mark.gen_test
async def test_a_change_is_told_with_the_record_after_it_and_the_changed_fields(api, greeted):
    rowid = (await api.alert()).json["rowid"]
    client = await greeted()
    body = {"passphrase": "webhook", "rowid": rowid, "order_comment": "now", "order_price": 7}
    assert (await api.put("/v3/webhook", body)).status == 200
    message = await client.next()
    assert message["type"] == "signal.updated"
    assert sorted(message["changed"]) == ["order_comment", "order_price"]
    assert message["signal"] == (await api.get(f"/v3/signal/{rowid}")).json


@pytest.mark.gen_test
async def test_a_deleted_signal_is_told_with_its_last_record(api, greeted):
    rowid = (await api.alert()).json["rowid"]
    record = (await api.get(f"/v3/signal/{rowid}")).json
    client, token = await greeted(), await api.token()
    assert (await api.delete(f"/v3/signal/{rowid}", token=token)).status == 200
    message = await client.next()
    assert message["type"] == "signal.deleted"
    assert message["signal"] == record


@pytest.mark.gen_test
async def test_stocks_and_pairs_are_told_in_the_same_shape(api, greeted):
    client = await greeted()
    await api.register_pair("AA", "BB", hedge=2)
    leg1, leg2, pair = await client.take(3)
    assert [each["type"] for each in (leg1, leg2, pair)] == [
        *("stock.created", "stock.created", "pair.created")
    ]
    assert leg1["stock"]["symbol"] == "AA"
    assert pair["pair"]["name"] == "AA-BB"
    assert pair["event"] == leg2["event"] + 1 == leg1["event"] + 2


@pytest.mark.gen_test
async def test_a_message_is_told_only_after_its_commit(api, greeted):
    client = await greeted()
    posts = [asyncio.ensure_future(api.alert(order_comment=str(n))) for n in range(30)]
    for _ in posts:
        message = await client.next()
        answer = await api.get(f"/v3/signal/{message['signal']['rowid']}")
        assert answer.json == message["signal"]
    await asyncio.gather(*posts)


@pytest.mark.gen_test
async def test_every_listener_hears_every_event_once_and_in_order(api, greeted):
    clients = [await greeted() for _ in range(60)]
    await asyncio.gather(*(api.alert(order_comment=str(n)) for n in range(40)))
    for client in clients:
        assert [each["event"] for each in await client.take(40)] == list(range(1, 41))


@pytest.mark.gen_test
async def test_a_repeated_alert_is_told_once(api, greeted):
    client = await greeted()
    for _ in range(3):
        await api.alert(alert_id="the same")
    assert (await client.next())["event"] == 1
    assert await silent(client, api)


@pytest.mark.gen_test
async def test_a_ping_in_words_is_answered(greeted):
    client = await greeted()
    await client.connection.write_message('{"type": "ping"}')
    assert await client.next() == {"type": "pong"}


@pytest.mark.parametrize("said", [b"", b"ping", b"\xff\x00", "\0", "no question", "ping" * 30])
@pytest.mark.gen_test
async def test_what_is_no_ping_is_ignored_and_the_socket_stays_open(api, greeted, caplog, said):
    client = await greeted()
    await client.connection.write_message(said, binary=isinstance(said, bytes))
    await api.alert()
    assert (await client.next())["type"] == "signal.created"
    assert "failed" not in caplog.text


# --- replay -----------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_what_was_missed_comes_as_it_was_told_live_and_then_the_rest(api, greeted):
    witness = await greeted()
    await api.register_pair()
    rowid = (await api.alert()).json["rowid"]
    body = {"passphrase": "webhook", "rowid": rowid, "order_id1": 7}
    await api.put("/v3/webhook", body)
    fill = {"passphrase": "webhook", "order_id": 7, "symbol": "NMFC", "price": 1, "filled_qty": 5}
    await api.post("/v3/signal/updateorder", fill)
    await api.delete(f"/v3/signal/{rowid}", token=await api.token())
    told = await witness.take(7)
    for after in range(7):
        late = await greeted(after=after)
        assert await late.take(7 - after) == told[after:]
    up_to_date = await greeted(after=7)
    assert await silent(up_to_date, api)
    assert (await late.next())["event"] == 8


@pytest.mark.slow
@pytest.mark.gen_test(timeout=60)
async def test_a_replay_amid_a_rush_has_no_gap_and_no_repeat(api, greeted):
    token, total = await api.token(), 400

    async def send(number):
        for position in range(total // 8):
            await api.alert(order_comment=f"{number}/{position}")

    senders = [asyncio.ensure_future(send(number)) for number in range(8)]
    witness, late = await greeted(token=token), []
    while not all(sender.done() for sender in senders) and len(late) < 30:
        newest = (await witness.next())["event"]
        marks = (0, newest // 2, newest)
        late += [(mark, await greeted(token=token, after=mark)) for mark in marks]
    await asyncio.gather(*senders)
    assert len(late) > 3
    for after, client in late:
        events = [each["event"] for each in await client.until(total)]
        assert events == list(range(after + 1, total + 1))


@pytest.mark.gen_test
@pytest.mark.parametrize("overrides", [{"replay_limit": 5}])
async def test_whoever_is_too_far_behind_is_told_to_reload_and_then_hears_what_is_new(api, connect):
    for _ in range(6):
        await api.alert()
    near = await connect(after=1)
    assert [each["event"] for each in (await near.take(6))[1:]] == [2, 3, 4, 5, 6]
    far = await connect(after=0)
    hello, word = await far.take(2)
    assert hello["type"] == "hello"
    assert word == {"type": "resync"}
    assert await silent(far, api)


@pytest.mark.gen_test
async def test_an_event_that_never_was_is_too_far(api, connect):
    await api.alert()
    client = await connect(after=99)
    assert [each["type"] for each in await client.take(2)] == ["hello", "resync"]
    assert await silent(client, api)


@pytest.mark.gen_test
async def test_a_visitors_replay_reaches_back_a_hundred_events(api, connect):
    for _ in range(101):
        await api.alert()
    near = await connect(after=1)
    assert [each["event"] for each in (await near.take(101))[1:]] == list(range(2, 102))
    far = await connect(after=0)
    assert (await far.take(2))[1] == {"type": "resync"}
    user = await connect(after=0, token=await api.token("user1"))
    assert len((await user.take(102))[1:]) == 101


@ON_SQLITE
@pytest.mark.gen_test
@pytest.mark.parametrize("after", ["-1", "x", "1e3", "1.5"])
async def test_a_position_that_is_no_number_is_refused(connect, after):
    with pytest.raises(HTTPClientError) as refused:
        await connect(after=after)
    assert refused.value.code == 400


# --- rights -----------------------------------------------------------------------------------


async def cookie_of(api, username="admin"):
    """The browser's cookie after a login."""
    answer = await api.post("/v3/login", {"username": username, "password": "123"})
    return answer.headers["Set-Cookie"].partition(";")[0]


@pytest.mark.gen_test
async def test_rejected_alerts_are_told_to_those_who_logged_in_only(api, greeted):
    by_token = await greeted(token=await api.token("user1"))
    by_cookie = await greeted(headers={"Cookie": await cookie_of(api)})
    visitor = await greeted()
    body = alert(order_contracts=-1)
    assert (await api.post("/v3/webhook", body)).status == 400
    for client in (by_token, by_cookie):
        message = await client.next()
        assert message["type"] == "rejected.created"
        assert message["rejected"]["reasons"] == {"order_contracts": "must be above 0"}
    assert await silent(visitor, api)
    late_visitor, late_user = (
        await greeted(after=0),
        await greeted(after=0, token=await api.token()),
    )
    assert (await late_visitor.next())["type"] == "signal.created"
    assert (await late_user.next())["type"] == "rejected.created"


async def refusal(connect, **named):
    """The status of the answer that refuses an upgrade."""
    with pytest.raises(HTTPClientError) as refused:
        await connect(**named)
    return refused.value.code


@pytest.mark.gen_test
async def test_a_token_that_does_not_hold_is_refused(api, connect):
    token = await api.token()
    await api.post("/v3/logout", token=token)
    assert await refusal(connect, token="nonsense") == 401
    assert await refusal(connect, token=token) == 401


@pytest.mark.gen_test
@pytest.mark.parametrize("overrides", [{"anonymous_reads": False}])
async def test_where_visitors_may_not_read_they_may_not_listen(api, connect, greeted):
    assert await refusal(connect) == 401
    assert await refusal(connect, headers={"Cookie": "session=made-up"}) == 401
    await greeted(token=await api.token("user1"))
    await greeted(headers={"Cookie": await cookie_of(api, "user1")})


@ON_SQLITE
@pytest.mark.gen_test
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost", "http://[", ""]
)
async def test_a_page_of_another_site_may_not_listen(connect, origin):
    assert await refusal(connect, headers={"Origin": origin}) == 403


@pytest.mark.gen_test
async def test_a_page_of_this_site_may_listen(api, greeted):
    await greeted(headers={"Origin": api.base_url})


@pytest.mark.gen_test
async def test_a_call_that_is_no_upgrade_is_refused_in_json(api):
    answer = await api.get("/ws/signals")
    assert answer.status == 400
    assert "websocket" in answer.json["message"]


@pytest.mark.gen_test
async def test_a_plain_get_answers_what_the_socket_would_have_said(api, greeted):
    token = await api.token()
    await api.register_pair()
    clients = [await greeted(token=token), await greeted()]
    begun = (await api.get("/ws/signals?after=0")).json["event"]
    await api.alert()
    await api.post("/v3/webhook", {"passphrase": "webhook"})
    await api.register_stock()
    for client, who in zip(clients, (token, None), strict=True):
        told = (await api.get(f"/ws/signals?after={begun}", token=who)).json
        events = [each for each in told["messages"] if each["type"] != "bridge"]
        assert events == await client.until(told["event"])
        assert ("rejected.created" in [each["type"] for each in events]) == bool(who)
        assert (told["messages"][-1]["type"] == "bridge") == bool(who)
        again = (await api.get(f"/ws/signals?after={told['event']}")).json
        assert (again["event"], again["messages"]) == (told["event"], [])


@pytest.mark.gen_test
@pytest.mark.parametrize("overrides", [{"replay_limit": 2}])
async def test_a_plain_get_from_too_far_back_says_to_read_all_anew(api):
    for _ in range(3):
        await api.alert()
    token = await api.token()
    told = (await api.get("/ws/signals?after=0", token=token)).json
    assert (told["event"], told["messages"][0]) == (3, {"type": "resync"})
    assert (await api.get("/ws/signals?after=1", token=token)).json["messages"][0]["event"] == 2
    assert (await api.get("/ws/signals?after=99")).json["messages"] == [{"type": "resync"}]


@pytest.mark.gen_test
async def test_logging_out_closes_the_sessions_sockets_and_no_others(api, greeted):
    token, cookie = await api.token(), await cookie_of(api)
    mine = [await greeted(token=token), await greeted(token=token)]
    others = [
        await greeted(token=await api.token()),
        await greeted(headers={"Cookie": cookie}),
        await greeted(),
    ]
    assert (await api.post("/v3/logout", token=token)).status == 200
    for client in mine:
        assert await client.closed() == (4401, "session ended")
    rowid = (await api.alert()).json["rowid"]
    for client in others:
        assert (await client.next())["signal"]["rowid"] == rowid


@pytest.mark.gen_test
async def test_logging_out_in_one_tab_closes_the_other(api, greeted):
    cookies = f"{await cookie_of(api)}; _xsrf=abcd"
    tabs = [await greeted(headers={"Cookie": cookies}) for _ in range(2)]
    headers = {"Cookie": cookies, "X-Xsrftoken": "abcd"}
    assert (await api.post("/logout", raw=b"", headers=headers)).status == 302
    for tab in tabs:
        assert await tab.closed() == (4401, "session ended")


@pytest.mark.gen_test
async def test_a_new_password_a_deleted_user_and_an_ended_session_close_their_sockets(api, greeted):
    admin = await api.token()
    await api.post("/v3/reguser", {"username": "temp", "password": "12345678"}, token=admin)

    async def listening():
        token = (await api.login("temp", "12345678"))["access_token"]
        return await greeted(token=token)

    client = await listening()
    session = (await api.get("/v3/sessions/temp", token=admin)).json["sessions"][0]["id"]
    assert (await api.delete(f"/v3/session/{session}", token=admin)).status == 200
    assert (await client.closed())[0] == 4401
    client = await listening()
    change = {"username": "temp", "password": "12345678"}
    assert (await api.put("/v3/reguser", change, token=admin)).status == 200
    assert (await client.closed())[0] == 4401
    client = await listening()
    assert (await api.delete("/v3/user/temp", token=admin)).status == 200
    assert (await client.closed())[0] == 4401


# --- slow clients -----------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def deaf_client(base_url):
    """A client that opens a websocket, reads hello, and then reads nothing more."""
    place = urlsplit(base_url)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, ("127.0.0.1", place.port))
        key = base64.b64encode(b"sixteen bytes!!!").decode()
        request = (
            f"GET /ws/signals HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await loop.sock_sendall(line, request.encode())
        seen = b""
        while b'"hello"' not in seen:
            seen += await asyncio.wait_for(loop.sock_recv(line, 1024), PATIENCE)
        yield line


def huge_alert():
    """An alert whose event is about 24 KB long."""
    wide = "\u4e2d"
    return {"order_comment": wide * 4000, "status_msg": wide * 2000, "error_msg": wide * 2000}


@pytest.mark.slow
@pytest.mark.gen_test(timeout=60)
async def test_a_client_that_never_reads_is_closed_and_the_others_go_on(api, app, greeted):
    healthy = await greeted()
    async with deaf_client(api.base_url):
        assert len(app.hub.listeners) == 2
        sent = 0
        while len(app.hub.listeners) == 2 and sent < 1000:
            answers = await asyncio.gather(*(api.alert(**huge_alert()) for _ in range(10)))
            assert [each.status for each in answers] == [201] * 10
            heard = await healthy.take(10)
            assert [each["event"] for each in heard] == list(range(sent + 1, sent + 11))
            sent += 10
        assert len(app.hub.listeners) == 1, "the deaf client is still served"
        assert await silent(healthy, api)


class DeafLine:
    """A stream that accepts no data."""

    dropped = None

    def send(self, data):
        return asyncio.get_running_loop().create_future()

    def drop(self, code, reason):
        self.dropped = (code, reason)


@pytest.mark.gen_test
@pytest.mark.parametrize(("size", "most"), [(10, live.MOST_MESSAGES), (4096, 1024)])
async def test_a_listener_holds_so_many_messages_or_bytes_and_no_more(size, most):
    for catching_up in (False, True):
        line = DeafLine()
        listener = live.Listener(line, 0, None, by_cookie=False)
        if not catching_up:
            listener.catch_up([])
        data = live.frame(b"x" * (size - 4 if size > 125 else size))
        limit = live.MOST_MESSAGES if catching_up else most
        for number in range(1, limit + 1):
            listener.deliver(live.batch_of([live.Frame(number, data, False)]))
        assert line.dropped is None
        listener.deliver(live.batch_of([live.Frame(limit + 1, data, False)]))
        assert line.dropped == (1013, "too slow")


def test_a_listener_is_allowed_at_least_two_thousand_messages_or_four_megabytes():
    assert live.MOST_MESSAGES >= 2000
    assert live.MOST_BYTES >= 4 * 1024 * 1024


@pytest.mark.gen_test
async def test_a_client_that_left_is_forgotten(api, app, greeted):
    client = await greeted()
    client.connection.close()
    await client.closed()
    await api.alert()
    assert not app.hub.listeners


# --- frames and batches -----------------------------------------------------------------------


def unframe(data):
    """The messages of unmasked text frames, read as RFC 6455 says; anything else is an error."""
    messages = []
    while data:
        first, size = data[0], data[1]
        assert first == 0x81, "a whole text message in one frame"
        assert size < 128, "a server never masks"
        start = 2
        if size == 126:
            (size,), start = struct.unpack(">H", data[2:4]), 4
            assert size > 125, "the shortest form must be used"
        elif size == 127:
            (size,), start = struct.unpack(">Q", data[2:10]), 10
            assert size > 65535, "the shortest form must be used"
        assert len(data) >= start + size
        messages.append(data[start : start + size])
        data = data[start + size :]
    return messages


@given(st.integers(0, 70_000))
@example(0)
@example(125)
@example(126)
@example(127)
@example(65_535)
@example(65_536)
def test_a_frame_of_any_size_is_as_the_rfc_says(size):
    message = b"x" * size
    assert unframe(live.frame(message)) == [message]


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=20))
def test_a_batch_is_its_frames_one_after_the_other(parts):
    frames = [
        live.Frame(number, live.frame(b"m" * size), private)
        for number, (size, private) in enumerate(parts, 1)
    ]
    batch = live.batch_of(frames)
    assert unframe(batch.whole) == [b"m" * size for size, _ in parts]
    assert unframe(batch.public) == [b"m" * size for size, private in parts if not private]
