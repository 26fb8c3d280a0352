"""Logins, tokens and sessions, users and passphrases: what ends when, and what is never told."""

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import jwt
import pytest

import models
from tests.conftest import ON_SQLITE, alert

pytestmark = pytest.mark.gen_test(timeout=60)

WRONG = {"message": "Invalid Credentials!"}
REVOKED = {"message": "The token has been revoked.", "error": "token_revoked"}
NOT_FRESH = {"message": "The token is not fresh.", "error": "fresh_token_required"}
NOT_FOUND = {"message": "item not found."}


async def log_in(api, username="user1", password="123", **more):
    return await api.post("/v3/login", {"username": username, "password": password, **more})


async def refresh(api, token):
    return await api.post("/v3/refresh", token=token)


async def works(api, token):
    """Whether an access token still holds; the only other answer is that it was revoked."""
    answer = await api.get("/v3/session", token=token)
    assert answer.status == 200 or answer.json == REVOKED
    return answer.status == 200


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def cookies_of(answer):
    return SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))


# Login


async def test_a_login_gives_both_tokens_and_the_session_cookie(api):
    answer = await log_in(api, "admin", expire=30)
    assert answer.status == 200
    assert list(answer.json) == ["access_token", "refresh_token", "expire"]
    assert answer.json["expire"] == 30
    cookie = cookies_of(answer)["session"]
    assert len(cookie.value) >= 43  # 256 bits
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["secure"]
    ends = datetime.strptime(cookie["expires"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert abs(ends - datetime.now(UTC) - timedelta(minutes=30)) < timedelta(seconds=30)
    answer = await api.get("/v3/session", headers={"Cookie": f"session={cookie.value}"})
    assert (answer.json["username"], answer.json["admin"]) == ("admin", True)


@pytest.mark.parametrize(
    ("overrides", "headers", "secure"),
    [
        ({}, {"X-Forwarded-Proto": "https"}, False),
        ({"trusted_proxies": ["127.0.0.1"]}, {"X-Forwarded-Proto": "https"}, True),
        ({"url": "https://pairs.example.com"}, {}, True),
        ({"url": "http://pairs.example.com"}, {}, False),
    ],
    indirect=["overrides"],
)
async def test_behind_https_the_cookie_is_secure(serve, headers, secure):
    async with serve() as api:
        body = {"username": "user1", "password": "123"}
        answer = await api.post("/v3/login", body, headers=headers)
        assert bool(cookies_of(answer)["session"]["secure"]) == secure


@ON_SQLITE
@pytest.mark.parametrize(
    ("headers", "given"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://elsewhere.example.com"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
    ],
)
async def test_a_login_sent_by_another_site_does_not_change_who_the_browser_is(api, headers, given):
    body = {"username": "user1", "password": "123"}
    answer = await api.post("/v3/login", body, headers=headers)
    assert answer.status == 200
    assert ("session" in cookies_of(answer)) == given


@ON_SQLITE
@pytest.mark.parametrize(
    ("given", "minutes"), [(None, 10), (1, 1), (30, 30), ("30", 30), (1440, 1440), ("", 10)]
)
async def test_a_token_lives_as_long_as_was_asked_for(api, given, minutes):
    answer = await log_in(api, **({} if given is None else {"expire": given}))
    assert answer.json["expire"] == minutes
    access, lasting = (claims_of(answer.json[f"{kind}_token"]) for kind in ("access", "refresh"))
    assert access["exp"] == pytest.approx(time.time() + 60 * minutes, abs=5)
    assert lasting["exp"] == pytest.approx(time.time() + 30 * 86400, abs=5)


async def test_a_lifetime_that_is_not_1_to_1440_minutes_is_400(api):
    for expire in (0, -1, 1441, 1.5, "x", True, [10], {}, 1e300, "nan"):
        answer = await log_in(api, expire=expire)
        assert (answer.status, list(answer.json["message"])) == (400, ["expire"]), expire


@ON_SQLITE
@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("user1", "124"),
        ("user1", "123 "),
        ("user1", "x" * 200),
        ("User1", "123"),
        ("nobody", "123"),
        ("", "123"),
        ("user1' OR '1'='1", "123"),
        ("user1", "\u0000"),
        (5, "123"),
    ],
)
async def test_wrong_credentials_are_401(api, username, password):
    answer = await log_in(api, username, password)
    assert (answer.status, answer.json) == (401, WRONG)
    assert "Set-Cookie" not in answer.headers


@ON_SQLITE
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"username", "password"}),
        ({"username": "user1"}, {"password"}),
        ({"password": "123"}, {"username"}),
        ({"username": None, "password": None}, {"username", "password"}),
        ({"username": ["user1"], "password": ["123"]}, {"username", "password"}),
        ({"username": "user1", "password": 123}, {"password"}),
        ({"username": "user1", "password": "x" * 201}, {"password"}),
        ({"username": "user1", "password": ""}, {"password"}),
        ({"username": "x" * 201, "password": "123", "expire": 0}, {"username", "expire"}),
    ],
)
async def test_a_faulty_login_is_400_with_all_its_faults(api, body, fields):
    answer = await api.post("/v3/login", body)
    assert (answer.status, set(answer.json["message"])) == (400, fields)


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(api, register, costly_passwords):
    await register("POST", username="zoe", password="a-very-secret-word")

    async def fastest(name):
        times = []
        for _ in range(5):
            started = time.process_time()  # the server's too, and nobody else's
            assert (await log_in(api, name, "wrong")).status == 401
            times.append(time.process_time() - started)
        return min(times)

    known, unknown = await fastest("zoe"), await fastest("nobody")
    assert 1 / 3 < unknown / known < 3


@pytest.mark.parametrize("overrides", [{"login_attempts": 3}], indirect=True)
async def test_too_many_failed_logins_are_429_for_that_name(api):
    for _ in range(3):
        assert (await log_in(api, "user1", "wrong")).status == 401
    for password in ("wrong", "123"):
        answer = await log_in(api, "user1", password)
        assert answer.status == 429
        assert list(answer.json) == ["message"]
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert (await log_in(api, "admin")).status == 200


@pytest.mark.parametrize("overrides", [{"login_attempts": 3}], indirect=True)
async def test_good_logins_are_never_too_many(api):
    assert {(await log_in(api)).status for _ in range(6)} == {200}


# Tokens


async def test_a_login_is_fresh_and_a_refresh_is_not(api):
    tokens = (await log_in(api)).json
    body = {"symbol": "AAPL"}
    assert (await api.put("/v3/regstock", body, token=tokens["access_token"])).status == 201
    answer = await refresh(api, tokens["refresh_token"])
    assert answer.status == 200
    assert list(answer.json) == ["access_token", "refresh_token"]
    assert await works(api, answer.json["access_token"])
    answer = await api.put("/v3/regstock", body, token=answer.json["access_token"])
    assert (answer.status, answer.json) == (401, NOT_FRESH)


async def test_refresh_tokens_follow_one_another(api):
    token = (await log_in(api)).json["refresh_token"]
    seen = {token}
    for _ in range(3):
        answer = await refresh(api, token)
        assert answer.status == 200
        token = answer.json["refresh_token"]
        assert token not in seen
        seen.add(token)


@pytest.mark.parametrize("used", [0, 1])
async def test_a_refresh_token_used_twice_ends_the_whole_session(api, used):
    first = (await log_in(api)).json
    other = (await log_in(api)).json
    chain = [first]
    for _ in range(2):
        chain.append((await refresh(api, chain[-1]["refresh_token"])).json)
    answer = await refresh(api, chain[used]["refresh_token"])
    assert (answer.status, answer.json) == (401, REVOKED)
    answer = await refresh(api, chain[-1]["refresh_token"])
    assert (answer.status, answer.json) == (401, REVOKED)
    assert [await works(api, each["access_token"]) for each in chain] == [False] * 3
    assert await works(api, other["access_token"])


async def test_of_two_refreshes_at_the_same_instant_one_is_a_reuse(api):
    tokens = (await log_in(api)).json
    answers = await asyncio.gather(*(refresh(api, tokens["refresh_token"]) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 401]
    assert not await works(api, tokens["access_token"])


async def test_an_access_token_refreshes_nothing(api):
    tokens = (await log_in(api)).json
    answer = await refresh(api, tokens["access_token"])
    assert (answer.status, answer.json["error"]) == (401, "token_invalid")
    answer = await api.get("/v3/session", token=tokens["refresh_token"])
    assert (answer.status, answer.json["error"]) == (401, "token_invalid")
    assert (await api.post("/v3/refresh")).json["error"] == "authorization_required"


async def test_logout_ends_both_tokens_and_the_cookie_at_once(api):
    answer = await log_in(api)
    tokens, cookie = answer.json, cookies_of(answer)["session"].value
    again = (await refresh(api, tokens["refresh_token"])).json
    answer = await api.post("/v3/logout", token=again["access_token"])
    assert (answer.status, answer.json) == (200, {"message": "Successfully logged out"})
    assert not await works(api, tokens["access_token"])
    assert not await works(api, again["access_token"])
    assert (await refresh(api, again["refresh_token"])).json == REVOKED
    assert (await api.get("/v3/session", headers={"Cookie": f"session={cookie}"})).status == 401
    answer = await api.post("/v3/logout", token=again["access_token"])
    assert (answer.status, answer.json) == (401, REVOKED)


async def test_a_logout_ends_no_other_session(api):
    one, other = (await log_in(api)).json, (await log_in(api)).json
    await api.post("/v3/logout", token=one["access_token"])
    assert await works(api, other["access_token"])


async def test_tokens_outlive_a_restart_and_a_logout_is_not_forgotten(serve):
    async with serve() as api:
        kept = await log_in(api, "admin")
        ended = (await log_in(api)).json
        await api.post("/v3/logout", token=ended["access_token"])
        reused = (await log_in(api)).json
        await refresh(api, reused["refresh_token"])
    async with serve() as api:
        assert await works(api, kept.json["access_token"])
        cookie = cookies_of(kept)["session"].value
        answer = await api.get("/v3/session", headers={"Cookie": f"session={cookie}"})
        assert answer.json["username"] == "admin"
        assert (await refresh(api, kept.json["refresh_token"])).status == 200
        assert not await works(api, ended["access_token"])
        assert (await refresh(api, ended["refresh_token"])).json == REVOKED
        assert (await refresh(api, reused["refresh_token"])).json == REVOKED
        assert not await works(api, reused["access_token"])


async def test_the_last_ten_characters_of_a_token_are_not_enough(api, plain_user):
    for tail in (plain_user[-10:], "x" * 100 + plain_user[-10:]):
        answer = await api.get("/v3/session", token=tail)
        assert (answer.status, answer.json["error"]) == (401, "token_invalid")
        answer = await api.get("/v3/session", headers={"Cookie": f"session={tail}"})
        assert answer.status == 401


# Users


@pytest.fixture
def register(api, admin):
    """Calls /v3/reguser as admin: (status, JSON)."""

    async def call(method, token=admin, **body):
        answer = await api.call(method, "/v3/reguser", body, token=token)
        return answer.status, answer.json

    return call


async def test_a_user_is_registered_read_and_deleted(api, register, admin):
    status, answer = await register("POST", username="zoe", password="12345678")
    assert (status, answer) == (201, {"message": "'user' created successfully."})
    answer = await api.get("/v3/user/zoe", token=admin)
    assert (answer.status, answer.json) == (200, {"username": "zoe"})
    answer = await api.get("/v3/users/0", token=admin)
    assert answer.json == {
        "users": [{"username": n, "admin": n == "admin"} for n in ("zoe", "user1", "admin")]
    }
    assert (await api.get("/v3/users/1", token=admin)).json == {
        "users": [{"username": "zoe", "admin": False}]
    }
    session = (await log_in(api, "zoe", "12345678")).json
    assert (await api.get("/v3/users/0", token=session["access_token"])).status == 403
    answer = await api.delete("/v3/user/zoe", token=admin)
    assert (answer.status, answer.json) == (200, {"message": "Item deleted"})
    assert not await works(api, session["access_token"])
    assert (await refresh(api, session["refresh_token"])).json == REVOKED
    assert (await log_in(api, "zoe", "12345678")).status == 401
    for method in ("GET", "DELETE"):
        answer = await api.call(method, "/v3/user/zoe", token=admin)
        assert (answer.status, answer.json) == (404, NOT_FOUND)


async def test_a_user_made_anew_under_an_old_name_does_not_inherit_its_tokens(api, register, admin):
    session = (await log_in(api)).json
    await api.delete("/v3/user/user1", token=admin)
    await register("POST", username="user1", password="12345678", admin=True)
    assert not await works(api, session["access_token"])
    assert (await refresh(api, session["refresh_token"])).json == REVOKED


@pytest.mark.parametrize(
    ("given", "status"), [(True, 200), ("true", 200), (1, 200), (False, 403), (None, 403), (0, 403)]
)
async def test_an_admin_is_made_by_saying_so(api, register, given, status):
    assert (await register("POST", username="zoe", password="12345678", admin=given))[0] == 201
    token = (await log_in(api, "zoe", "12345678")).json["access_token"]
    assert (await api.get("/v3/users/0", token=token)).status == status


async def test_a_user_is_registered_once(register):
    status, answer = await register("POST", username="user1", password="12345678")
    assert (status, list(answer)) == (400, ["message"])


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_faulty_user_is_400_with_all_its_faults(register, method):
    for name in ("", "a b", "a/b", None, True, ["x"], "x" * 81, "\n"):
        status, answer = await register(method, username=name, password="12345678")
        assert (status, list(answer["message"])) == (400, ["username"]), name
    for password in ("", None, 12345678, ["x"], "x" * 201):
        status, answer = await register(method, username="zoe", password=password)
        assert (status, list(answer["message"])) == (400, ["password"]), password
    status, answer = await register(method, admin="yes")
    assert (status, set(answer["message"])) == (400, {"username", "password", "admin"})


async def test_put_makes_a_user_that_is_not_there(api, register):
    status, _ = await register("PUT", username="zoe", password="12345678")
    assert status == 201
    assert (await log_in(api, "zoe", "12345678")).status == 200


async def test_a_new_password_from_an_admin_ends_all_the_users_sessions(api, register, admin):
    sessions = [(await log_in(api)).json, (await log_in(api)).json]
    assert (await register("PUT", username="user1", password="new-password"))[0] == 200
    for session in sessions:
        assert not await works(api, session["access_token"])
        assert (await refresh(api, session["refresh_token"])).json == REVOKED
    assert (await log_in(api)).status == 401
    assert (await log_in(api, "user1", "new-password")).status == 200
    assert await works(api, admin)


async def test_ones_own_new_password_ends_ones_other_sessions_only(api, register):
    mine, other = (await log_in(api)).json, (await log_in(api)).json
    body = {"username": "user1", "password": "new-password", "old_password": "123"}
    status, _ = await register("PUT", token=mine["access_token"], **body)
    assert status == 200
    assert await works(api, mine["access_token"])
    assert not await works(api, other["access_token"])
    assert (await log_in(api, "user1", "new-password")).status == 200


@pytest.mark.parametrize("old", [{}, {"old_password": None}, {"old_password": "wrong"}])
async def test_ones_own_new_password_needs_the_old_one(api, register, old, plain_user):
    status, answer = await register(
        "PUT", token=plain_user, username="user1", password="new-password", **old
    )
    assert (status, list(answer["message"])) == (400, ["old_password"])
    assert (await log_in(api)).status == 200


async def test_ones_own_new_password_needs_a_fresh_token(api, register, callers):
    token = await callers.token("user1", fresh=False)
    body = {"username": "user1", "password": "new-password", "old_password": "123"}
    assert await register("PUT", token=token, **body) == (401, NOT_FRESH)


async def test_nobody_makes_himself_an_admin(api, register, plain_user):
    body = {"username": "user1", "password": "new-password", "old_password": "123", "admin": True}
    await register("PUT", token=plain_user, **body)
    assert (await api.get("/v3/users/0", token=plain_user)).status == 403


async def test_the_last_admin_stays(api, register, admin):
    answer = await api.delete("/v3/user/admin", token=admin)
    assert (answer.status, list(answer.json)) == (400, ["message"])
    await register("POST", username="root", password="12345678", admin=True)
    root = (await log_in(api, "root", "12345678")).json["access_token"]
    assert (await api.delete("/v3/user/admin", token=root)).status == 200
    assert not await works(api, admin)
    assert (await api.delete("/v3/user/root", token=root)).status == 400
    assert await works(api, root)


async def test_the_last_admin_stays_an_admin(api, register, admin):
    await register("POST", username="root", password="12345678", admin=True)
    status, _ = await register("PUT", username="root", password="12345678", admin=False)
    assert status == 200
    token = (await log_in(api, "root", "12345678")).json["access_token"]
    assert (await api.get("/v3/users/0", token=token)).status == 403
    body = {"username": "admin", "password": "new-pass", "old_password": "123", "admin": False}
    await register("PUT", **body)
    assert (await api.get("/v3/users/0", token=admin)).status == 200


@pytest.mark.parametrize("deed", ["demote", "delete"])
async def test_two_admins_cannot_unseat_each_other_at_once(api, register, admin, deed):
    await register("POST", username="root", password="12345678", admin=True)
    root = (await log_in(api, "root", "12345678")).json["access_token"]

    async def unseat(name, token):
        if deed == "delete":
            return await api.delete(f"/v3/user/{name}", token=token)
        body = {"username": name, "password": "12345678", "admin": False}
        return await api.put("/v3/reguser", body, token=token)

    answers = await asyncio.gather(unseat("root", admin), unseat("admin", root))
    assert sorted(answer.status for answer in answers) in ([200, 400], [200, 401])
    assert models.User.select().where(models.User.admin).count() == 1


async def test_no_answer_holds_a_password_or_its_hash(api, register, admin):
    await register("POST", username="zoe", password="a-very-secret-word")
    await log_in(api, "zoe", "a-very-secret-word")
    for path in ("/v3/users/0", "/v3/user/zoe", "/v3/sessions/zoe", "/v3/events"):
        text = (await api.get(path, token=admin)).text
        assert "argon2" not in text
        assert "a-very-secret-word" not in text
    assert set((await api.get("/v3/sessions/zoe", token=admin)).json["sessions"][0]) == {
        *("id", "created", "expires", "current", "last_seen", "browser", "address")
    }


async def test_the_database_keeps_hashes_only(api, register, costly_passwords, admin):
    await register("POST", username="zoe", password="a-very-secret-word")
    answer = await log_in(api, "zoe", "a-very-secret-word")
    secrets = [
        "a-very-secret-word",
        cookies_of(answer)["session"].value,
        answer.json["access_token"],
        answer.json["refresh_token"],
    ]
    stored = [str(row) for table in models.TABLES for row in table.select().tuples()]
    assert not [secret for secret in secrets if any(secret in row for row in stored)]
    hashed = models.User.find("zoe").password_hash
    assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", hashed)


# Sessions


async def test_a_session_whose_time_is_over_opens_nothing_and_is_swept(app, api, callers):
    async def status(cookie):
        return (await api.get("/v3/session", headers={"Cookie": f"session={cookie}"})).status

    running, good = await callers.session("user1")
    idle, old = await callers.session("user1", minutes=0)
    _, ended = await callers.session("user1", minutes=0, days=0)
    assert [await status(cookie) for cookie in (good, old, ended)] == [200, 401, 401]
    await app.sweep()
    assert {row.id for row in models.Session.select()} == {running.id, idle.id}


async def test_the_browser_learns_when_its_session_ends_and_may_extend_it(api):
    token = (await log_in(api, expire=20)).json["access_token"]
    before = (await api.get("/v3/session", token=token)).json
    assert set(before) == {"username", "admin", "expires", "extendable"}
    ends = datetime.fromisoformat(before["expires"]).replace(tzinfo=UTC)
    assert abs(ends - datetime.now(UTC) - timedelta(minutes=20)) < timedelta(seconds=30)
    after = (await api.post("/v3/session", token=token)).json
    assert after["expires"] >= before["expires"]


async def test_an_admin_sees_and_ends_sessions(api, admin):
    tokens = [(await log_in(api)).json["access_token"] for _ in range(2)]
    sessions = (await api.get("/v3/sessions/user1", token=admin)).json["sessions"]
    assert len(sessions) == 2
    assert [each["current"] for each in sessions] == [False, False]
    ended = claims_of(tokens[0])["sid"]
    answer = await api.delete(f"/v3/session/{ended}", token=admin)
    assert answer.status == 200
    assert [await works(api, token) for token in tokens] == [False, True]
    answer = await api.delete(f"/v3/session/{ended}", token=admin)
    assert (answer.status, answer.json) == (404, NOT_FOUND)
    (current,) = (await api.get("/v3/sessions/admin", token=admin)).json["sessions"]
    assert current["current"] is True


# Passphrases


async def try_passphrase(api, value):
    answer = await api.post("/v3/webhook", alert(passphrase=value))
    assert answer.status in (201, 400)
    return answer.status == 201


async def test_passphrases_can_be_rotated_without_losing_an_alert(api, admin):
    answer = await api.post("/v3/passphrases", {"label": "new", "passphrase": "n€w"}, token=admin)
    assert (answer.status, answer.json["passphrase"]) == (201, "n€w")
    made = await api.post("/v3/passphrases", {"label": "made"}, token=admin)
    value = made.json["passphrase"]
    assert len(value) >= 16
    for valid in ("webhook", "n€w", value):
        assert await try_passphrase(api, valid)
    answer = await api.delete("/v3/passphrase/new", token=admin)
    assert answer.status == 200
    assert not await try_passphrase(api, "n€w")
    assert await try_passphrase(api, value)
    assert (await api.delete("/v3/passphrase/new", token=admin)).json == NOT_FOUND
    rows = (await api.get("/v3/passphrases", token=admin)).json["passphrases"]
    assert [(row["label"], bool(row["retired"]), row["origin"]) for row in rows] == [
        ("made", False, "page"),
        ("new", True, "page"),
        ("settings 1", False, "settings"),
    ]
    assert all(row["last_used"] for row in rows)
    assert "webhook" not in str(rows)
    assert value not in str(rows)


async def test_a_retired_passphrase_stays_retired_across_a_restart(serve):
    async with serve() as api:
        token = await api.token()
        for label in ("kept", "gone"):
            body = {"label": label, "passphrase": f"the {label} one"}
            await api.post("/v3/passphrases", body, token=token)
        await api.delete("/v3/passphrase/gone", token=token)
    async with serve() as api:
        assert await try_passphrase(api, "the kept one")
        assert not await try_passphrase(api, "the gone one")


@pytest.mark.parametrize("path", ["/v3/webhook", "/v3/signal/updateorder", "/v3/price"])
async def test_a_retired_passphrase_opens_no_route(api, admin, path):
    body = {"label": "x", "passphrase": "short-lived"}
    await api.post("/v3/passphrases", body, token=admin)
    call = {"passphrase": "short-lived", "rowid": 1, "order_id": 1, "stk_price": 1}
    assert (await api.put(path, call)).status == 404
    await api.delete("/v3/passphrase/x", token=admin)
    answer = await api.put(path, call)
    assert (answer.status, answer.json["message"]) == (
        400,
        {"passphrase": "incorrect passphrase."},
    )


async def test_a_faulty_passphrase_is_400(api, admin):
    await api.post("/v3/passphrases", {"label": "x"}, token=admin)
    for body, field in (
        ({}, "label"),
        ({"label": "a b"}, "label"),
        ({"label": "y", "passphrase": "x" * 201}, "passphrase"),
        ({"label": "y", "passphrase": ["x"]}, "passphrase"),
    ):
        answer = await api.post("/v3/passphrases", body, token=admin)
        assert (answer.status, list(answer.json["message"])) == (400, [field])
    assert (await api.post("/v3/passphrases", {"label": "x"}, token=admin)).status == 400


async def test_the_alert_template_shows_the_passphrase_only_when_asked(api, plain_user):
    shown = (await api.get("/v3/template?reveal=1", token=plain_user)).json
    hidden = (await api.get("/v3/template", token=plain_user)).json
    assert '"passphrase": "webhook"' in shown["template"]
    assert '"passphrase": "***"' in hidden["template"]
    assert shown["webhook_url"].endswith("/v3/webhook")
    for field in ("alert_id", "{{ticker}}", "{{strategy.order.contracts}}"):
        assert field in shown["template"]


# Production


@ON_SQLITE
@pytest.mark.parametrize(
    "overrides",
    [
        {
            "mode": "production",
            "passphrases": ["a passphrase of ours"],
            "admin_name": "boss",
            "admin_password": "a good password",
        }
    ],
    indirect=True,
)
async def test_production_has_its_own_admin_and_wants_long_passwords(serve, tmp_path):
    async with serve(database=f"sqlite:///{tmp_path}/new.db") as api:
        assert (await log_in(api, "admin")).status == 401
        token = (await log_in(api, "boss", "a good password")).json["access_token"]
        body = {"username": "zoe", "password": "1234567"}
        for method in ("POST", "PUT"):
            answer = await api.call(method, "/v3/reguser", body, token=token)
            assert (answer.status, list(answer.json["message"])) == (400, ["password"])
        body["password"] = "12345678"
        assert (await api.post("/v3/reguser", body, token=token)).status == 201
        assert not await try_passphrase(api, "webhook")
        assert await try_passphrase(api, "a passphrase of ours")
        assert (await api.get("/v3/signals/5")).status == 401
        assert (await api.get("/v3/stocks/0")).status == 401
