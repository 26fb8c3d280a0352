"""Sessions: seen and ended by their users, never given a cookie from outside, idle at an end."""

import asyncio
import re
import threading
import time
from functools import partial

import pytest

import models
from handlers.sessions import in_words
from services import access
from tests.handlers.test_users import cookies_of, log_in, works

pytestmark = pytest.mark.gen_test(timeout=60)

LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def own(api, token):
    # Asked by the browser that logged in: asking is a use that is noted, too.
    answer = await api.get("/v3/sessions", token=token, headers={"User-Agent": LINUX})
    return answer.json["sessions"]


async def begin(api, agent=LINUX, cookie=None):
    """Logs user1 in as a browser: (access token, the cookie's value)."""
    headers = {"User-Agent": agent} | ({"Cookie": f"session={cookie}"} if cookie else {})
    body = {"username": "user1", "password": "123"}
    answer = await api.post("/v3/login", body, headers=headers)
    assert answer.status == 200
    return answer.json["access_token"], cookies_of(answer)["session"].value


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (LINUX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/138.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("python-requests/2.32.3", "python-requests/2.32.3"),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
async def test_a_browser_is_told_in_words(agent, words):
    assert in_words(agent) == words


async def test_a_user_sees_the_own_sessions_and_no_others(api, admin):
    token, _ = await begin(api)
    await begin(api, "curl/8.5.0")
    rows = await own(api, token)
    assert [(row["browser"], row["current"]) for row in rows] in (
        [("curl/8.5.0", False), ("Firefox on Linux", True)],
        [("Firefox on Linux", True), ("curl/8.5.0", False)],
    )
    assert {row["address"] for row in rows} == {"127.0.0.1"}
    assert all(re.fullmatch(r"[\d: -]{19}", row["last_seen"]) for row in rows)
    assert len(await own(api, admin)) == 1


async def test_a_user_ends_one_session_or_all_others_but_nobody_elses(api, admin):
    mine, (other, _), (third, _) = (await begin(api))[0], await begin(api), await begin(api)
    (boss,) = await own(api, admin)
    answer = await api.delete(f"/v3/session/{boss['id']}", token=mine)
    assert (answer.status, answer.json) == (404, {"message": "item not found."})
    assert await works(api, admin)
    (ended,) = [row for row in await own(api, other) if row["current"]]
    assert (await api.delete(f"/v3/session/{ended['id']}", token=mine)).status == 200
    assert [await works(api, each) for each in (mine, other, third)] == [True, False, True]
    answer = await api.delete("/v3/sessions", token=mine)
    assert (answer.status, answer.json["ended"]) == (200, 1)
    assert [await works(api, each) for each in (mine, third, admin)] == [True, False, True]


async def test_ending_a_session_drops_its_sockets_at_once(api, greeted):
    mine, other = (await begin(api))[0], (await begin(api))[0]
    line = await greeted(token=other)
    await api.delete("/v3/sessions", token=mine)
    assert (await line.closed())[0] == 4401


async def test_a_cookie_that_ended_drops_its_socket_beside_one_of_the_sessions_token(
    api, app, greeted
):
    token, cookie = await begin(api)
    line = await greeted(headers={"Cookie": f"session={cookie}"})
    await greeted(token=token)
    await app.writer.submit(lambda: models.Session.update(cookie_expires=1).execute())
    app.hub.recheck()
    assert len(app.hub.listeners) == 1
    assert await line.next() is None
    assert line.connection.close_code == 4401


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_what_waited_for_its_hash_while_its_session_ended_is_not_done(
    api, app, admin, callers, method
):
    held = threading.Event()
    app.hashing.thread.submit(held.wait)
    body = {"username": "backdoor", "password": "12345678", "admin": True}
    late = asyncio.ensure_future(api.call(method, "/v3/reguser", body, token=admin))
    while not app.hashing.waiting:  # noqa: ASYNC110 there is no event of it
        await asyncio.sleep(0)
    try:
        other = await callers.token()
        assert (await api.delete("/v3/sessions", token=other)).status == 200
    finally:
        held.set()
    answer = await late
    assert (answer.status, answer.json["error"]) == (401, "token_revoked")
    assert models.User.get_or_none(models.User.username == "backdoor") is None


@pytest.mark.parametrize("given", ["x" * 43, "admin", "' OR 1=1 --"])
async def test_a_login_never_keeps_a_cookie_that_was_given(api, given):
    _, cookie = await begin(api, cookie=given)
    assert cookie != given
    assert (await api.get("/v3/session", headers={"Cookie": f"session={given}"})).status == 401


async def test_a_login_over_a_session_ends_it_and_has_an_id_of_its_own(api):
    token, first = await begin(api)
    _, second = await begin(api, cookie=first)
    assert first != second
    assert not await works(api, token)
    assert (await api.get("/v3/session", headers={"Cookie": f"session={first}"})).status == 401
    assert models.Session.select().count() == 1


async def test_a_login_that_another_site_sends_ends_nothing(api):
    token, cookie = await begin(api)
    headers = {"Cookie": f"session={cookie}", "Sec-Fetch-Site": "cross-site"}
    body = {"username": "user1", "password": "123"}
    assert (await api.post("/v3/login", body, headers=headers)).status == 200
    assert await works(api, token)


async def test_a_failed_login_ends_nothing(api):
    token, cookie = await begin(api)
    headers = {"Cookie": f"session={cookie}"}
    body = {"username": "user1", "password": "wrong"}
    assert (await api.post("/v3/login", body, headers=headers)).status == 401
    assert await works(api, token)


@pytest.mark.parametrize("was", [True, False])
async def test_a_change_of_rights_ends_the_sessions_of_before(api, admin, was):
    body = {"username": "zoe", "password": "12345678"}
    await api.post("/v3/reguser", body | {"admin": was}, token=admin)
    token = (await log_in(api, "zoe", "12345678")).json["access_token"]
    await api.put("/v3/reguser", body | {"admin": not was}, token=admin)
    assert not await works(api, token)
    token = (await log_in(api, "zoe", "12345678")).json["access_token"]
    assert (await api.get("/v3/users/0", token=token)).status == (403 if was else 200)


async def test_last_seen_is_noted_once_a_minute_at_the_most(api, app):
    token, _ = await begin(api)
    await app.writer.submit(lambda: models.Visit.update(seen=1).execute())
    before = app.writer.commits
    for _ in range(10):
        await own(api, token)
    await app.writer.submit(lambda: None)
    assert models.Visit.select().get().seen > time.time() - 60
    assert app.writer.commits - before <= 2


async def test_alerts_are_not_delayed_by_who_is_seen(api, app):
    await api.alert()
    await app.writer.submit(lambda: None)
    before = app.writer.commits
    for _ in range(5):
        await api.alert()
    # One more where this process says in the meantime that it looks for alarms.
    assert app.writer.commits - before in (5, 6)


@pytest.mark.parametrize("overrides", [{"idle_days": 7}], indirect=True)
async def test_a_session_that_nobody_uses_ends(app, callers):
    def age(session, days, seen):
        then = models.Session.update(started=time.time() - 86400 * days)
        then.where(models.Session.id == session.id).execute()
        if seen is not None:
            access.note_visit(session.id, "x", "y")
            then = models.Visit.update(seen=time.time() - 86400 * seen)
            then.where(models.Visit.session == session.id).execute()

    made = [(await callers.session("user1"))[0] for _ in range(4)]
    for session, (days, seen) in zip(made, ((8, 8), (8, 1), (8, None), (6, None)), strict=True):
        await app.writer.submit(partial(age, session, days, seen))
    await app.sweep()
    assert {row.id for row in models.Session.select()} == {made[1].id, made[3].id}
    assert models.Visit.select().count() == 1
