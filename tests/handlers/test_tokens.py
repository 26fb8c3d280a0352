"""API tokens: what each scope may call, what none may, and how they end."""

import asyncio
import re

import pytest

import models
import security
from tests.conftest import ON_SQLITE
from tests.handlers.conftest import carried
from tests.handlers.test_rights import INVALID, NOT_ADMIN, TABLE, body_of
from trading import instants

pytestmark = pytest.mark.gen_test(timeout=60)

SCOPE = "the token's scope does not allow this."
NO_PAGE = "no pages"
# What an API token must cover, for each call; None: only a login may. A call that nobody needs a
# token for is open here too.
OPEN, NONE = "open", None
SCOPES = {
    ("POST", "/v3/webhook"): OPEN,
    ("POST", "/v3/login"): OPEN,
    ("GET", "/v3/openapi.json"): OPEN,
    ("POST", "/v3/refresh"): "refresh",
    ("PUT", "/v3/webhook"): "signals",
    ("POST", "/v3/signal/updateorder"): "signals",
    ("PUT", "/v3/signal/updateorder"): "signals",
    ("POST", "/v3/price"): "signals",
    ("PUT", "/v3/price"): "signals",
    ("PUT", "/v3/ticker/updatepnl"): "signals",
    ("POST", "/v3/regpnl"): "signals",
    ("PUT", "/v3/regpnl"): "signals",
    ("POST", "/v3/rejected/5/resubmit"): "signals",
    ("PUT", "/v3/trading"): "signals",
    ("GET", "/v3/limits"): "admin",
    ("PUT", "/v3/limits"): "admin",
    ("POST", "/v3/signal/1/approve"): "signals",
    ("POST", "/v3/signal/1/refuse"): "signals",
    ("POST", "/v3/order"): "signals",
    ("POST", "/v3/alarms/acknowledge"): "signals",
    ("POST", "/v3/alarm/5/acknowledge"): "signals",
    ("POST", "/v3/alarms/test"): "admin",
    ("POST", "/v3/messages"): "admin",
    ("POST", "/v3/regstock"): "registry",
    ("PUT", "/v3/regstock"): "registry",
    ("DELETE", "/v3/stock/AAPL"): "registry",
    ("POST", "/v3/regticker"): "registry",
    ("PUT", "/v3/regticker"): "registry",
    ("DELETE", "/v3/ticker/AAPL"): "registry",
    ("POST", "/v3/regpair"): "registry",
    ("PUT", "/v3/regpair"): "registry",
    ("DELETE", "/v3/pair/MA-V"): "registry",
    ("DELETE", "/v3/signal/1"): "admin",
    ("DELETE", "/v3/rejected/5"): "admin",
    ("DELETE", "/v3/pnl/5"): "admin",
    ("GET", "/v3/users/5"): "admin",
    ("GET", "/v3/user/nobody"): "admin",
    ("GET", "/v3/passphrases"): "admin",
    ("POST", "/v3/passphrases"): "admin",
    ("DELETE", "/v3/passphrase/old"): "admin",
    ("GET", "/v3/template"): "admin",
    ("GET", "/v3/bridge/config"): "admin",
    ("GET", "/v3/audit/5"): "admin",
    ("GET", "/v3/refused"): "admin",
    # Whoever holds a token that leaked must find no way to stay when it is revoked.
    ("POST", "/v3/logout"): NONE,
    ("GET", "/v3/session"): NONE,
    ("POST", "/v3/session"): NONE,
    ("GET", "/v3/sessions"): NONE,
    ("DELETE", "/v3/sessions"): NONE,
    ("GET", "/v3/sessions/user1"): NONE,
    ("DELETE", "/v3/session/nosuchsession"): NONE,
    ("GET", "/v3/factor"): NONE,
    ("POST", "/v3/factor"): NONE,
    ("PUT", "/v3/factor"): NONE,
    ("POST", "/v3/factor/off"): NONE,
    ("POST", "/v3/factor/codes"): NONE,
    ("GET", "/v3/factors"): NONE,
    ("DELETE", "/v3/factor/of/nobody"): NONE,
    ("GET", "/v3/tokens"): NONE,
    ("POST", "/v3/tokens"): NONE,
    ("GET", "/v3/tokens/user1"): NONE,
    ("DELETE", "/v3/token/5"): NONE,
    ("POST", "/v3/reguser"): NONE,
    ("PUT", "/v3/reguser"): NONE,
    ("DELETE", "/v3/user/nobody"): NONE,
}
COVERED = {
    "read": {"read"},
    "signals": {"read", "signals"},
    "registry": {"read", "registry"},
    "admin": {"read", "signals", "registry", "admin"},
}
OPEN_PAGES = ("/", "/login", "/logout", "/healthz", "/readyz", "/metrics", "/static/nothing.js")


def needed(method, path, right):
    """The scope that a call needs, by the table above; every other read needs `read`."""
    if (method, path) in SCOPES:
        return SCOPES[method, path]
    assert method == "GET", "a call that changes something must be in the table"
    assert right in ("read", "token")
    return "read"


async def make(api, login, name="robot", scope="read", **more):
    return await api.post("/v3/tokens", {"name": name, "scope": scope, **more}, token=login)


@pytest.fixture
def token(io_loop, api, admin):
    """Makes a token of the administrator's: its text."""
    names = iter(range(99))

    async def of(scope, login=admin, **more):
        answer = await make(api, login, f"t{next(names)}", scope, **more)
        assert answer.status == 201, answer.text
        return answer.json["token"]

    return of


def refused(answer, path):
    """How a call was refused, None where it was not."""
    if answer.status == 401:
        return answer.json["error"]
    if answer.status == 403:
        return answer.json["message"] if answer.json else NO_PAGE
    return None


# What each may


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.parametrize("anonymous", [True, False])
@pytest.mark.parametrize("scope", list(COVERED))
async def test_each_scope_on_each_route(api, app, token, scope, anonymous):
    app.conf = app.conf.model_copy(update={"anonymous_reads": anonymous})
    text = await token(scope)
    expected, found = {}, {}
    for method, path, right in TABLE:
        answer = await api.call(method, path, raw=body_of(method), token=text)
        if path.startswith(("/v3", "/ws")):
            wanted = needed(method, path, right)
            allowed = wanted == OPEN or wanted in COVERED[scope]
            expected[method, path] = None if allowed else SCOPE
            if wanted == "refresh":
                expected[method, path] = "token_invalid"
        else:
            expected[method, path] = None if path in OPEN_PAGES else NO_PAGE
        found[method, path] = refused(answer, path)
    assert found == expected


async def test_the_table_names_no_route_that_is_gone():
    assert set(SCOPES) <= {(method, path) for method, path, _ in TABLE}


async def test_a_token_may_no_more_than_its_user(api, token, plain_user):
    text = await token("admin", login=plain_user)
    for method, path, right in TABLE:
        if right == "admin" and SCOPES.get((method, path)) in COVERED["admin"]:
            answer = await api.call(method, path, raw=body_of(method), token=text)
            assert (answer.status, answer.json["message"]) == (403, NOT_ADMIN), path
    assert (await api.put("/v3/regstock", {"symbol": "AAPL"}, token=text)).status == 201


async def test_a_token_loses_the_admins_right_with_its_user(api, token, admin):
    body = {"username": "boss", "password": "12345678", "admin": True}
    await api.post("/v3/reguser", body, token=admin)
    login = (await api.login("boss", "12345678"))["access_token"]
    text = await token("admin", login=login)
    assert (await api.get("/v3/users/0", token=text)).status == 200
    await api.put("/v3/reguser", body | {"admin": False}, token=admin)
    assert (await api.get("/v3/users/0", token=text)).status == 403
    assert (await api.get("/v3/events", token=text)).status == 200


async def test_the_passphrase_still_counts_beside_a_token_of_a_small_scope(api, token):
    text = await token("read")
    body = {"order_id": 1, "stk_price": 1}
    assert (await api.post("/v3/price", body, token=text)).status == 403
    body["passphrase"] = "webhook"
    assert (await api.post("/v3/price", body, token=text)).status == 404
    body["passphrase"] = "wrong"
    assert (await api.post("/v3/price", body, token=text)).status == 400


async def test_what_a_token_changes_is_told_as_its_users(api, token):
    text = await token("registry")
    await api.put("/v3/regstock", {"symbol": "AAPL"}, token=text)
    assert (await api.get("/v3/events", token=text)).json["events"][-1]["source"] == "admin"


async def test_a_token_opens_no_page_and_is_no_cookie(api, token):
    text = await token("admin")
    answer = await api.get("/setup", token=text)
    assert answer.status == 403
    assert answer.headers["Content-Type"].startswith("text/html")
    page = await api.get("/login", token=text)
    assert carried(page)["user"] is None
    answer = await api.get("/setup", headers={"Cookie": f"session={text}"})
    assert answer.headers["Location"].startswith("/login")


# Making, listing, ending


async def test_a_token_is_shown_once_and_kept_as_a_hash(api, admin):
    made = await make(api, admin, "robot", "signals")
    text = made.json["token"]
    assert re.fullmatch(r"pairs_[\w-]{43}", text)
    listed = (await api.get("/v3/tokens", token=admin)).json["tokens"]
    assert listed == [{k: v for k, v in made.json.items() if k != "token"}]
    assert (listed[0]["name"], listed[0]["scope"]) == ("robot", "signals")
    assert listed[0]["expires"] is None
    stored = str([list(table.select().tuples()) for table in models.TABLES])
    assert text not in stored
    assert security.digest(text) in stored


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name", "scope"}),
        ({"name": "", "scope": "all"}, {"name", "scope"}),
        ({"name": "x" * 81, "scope": ""}, {"name", "scope"}),
        ({"name": "a\nb", "scope": ["read"]}, {"name", "scope"}),
        ({"name": "x", "scope": "read", "days": 0}, {"days"}),
        ({"name": "x", "scope": "read", "days": 3651}, {"days"}),
        ({"name": "x", "scope": "read", "days": "soon"}, {"days"}),
    ],
)
async def test_a_faulty_token_is_400(api, admin, body, fields):
    answer = await api.post("/v3/tokens", body, token=admin)
    assert (answer.status, set(answer.json["message"])) == (400, fields)


async def test_names_are_ones_own_and_tokens_are_few(api, admin, plain_user):
    assert (await make(api, admin)).status == 201
    answer = await make(api, admin)
    assert (answer.status, list(answer.json["message"])) == (400, ["name"])
    assert (await make(api, plain_user)).status == 201
    for number in range(49):
        assert (await make(api, admin, f"n{number}")).status == 201
    assert (await make(api, admin, "one more")).status == 400


async def test_a_token_ends_when_it_is_revoked(api, token, admin):
    text = await token("read")
    rowid = (await api.get("/v3/tokens", token=admin)).json["tokens"][0]["id"]
    assert (await api.get("/v3/events", token=text)).status == 200
    assert (await api.delete(f"/v3/token/{rowid}", token=admin)).status == 200
    answer = await api.get("/v3/events", token=text)
    assert (answer.status, answer.json["error"], answer.json["message"]) == (401, *INVALID)
    assert (await api.delete(f"/v3/token/{rowid}", token=admin)).status == 404


async def test_a_token_ends_at_its_time(api, app, token):
    text = await token("read", days=1)
    row = models.ApiToken.select().get()
    assert instants.ago(-86400 - 5) > row.expires > instants.ago(-86400 + 60)
    await app.writer.submit(lambda: models.ApiToken.update(expires=instants.ago(1)).execute())
    answer = await api.get("/v3/stocks/0", token=text)
    assert (answer.status, answer.json["error"]) == (401, "token_expired")


async def test_a_token_ends_with_its_user_and_not_with_the_password(api, token, admin, plain_user):
    text = await token("read", login=plain_user)
    body = {"username": "user1", "password": "new-password"}
    await api.put("/v3/reguser", body, token=admin)
    assert (await api.get("/v3/events", token=text)).status == 200
    await api.delete("/v3/user/user1", token=admin)
    await api.post("/v3/reguser", body, token=admin)
    assert (await api.get("/v3/events", token=text)).status == 401


async def test_tokens_are_revoked_by_their_users_and_by_admins_only(api, admin, plain_user):
    mine = (await make(api, plain_user)).json["id"]
    boss = (await make(api, admin)).json["id"]
    assert (await api.delete(f"/v3/token/{boss}", token=plain_user)).status == 404
    assert (await api.get("/v3/tokens/admin", token=plain_user)).status == 403
    assert (await api.get("/v3/tokens", token=plain_user)).json["tokens"][0]["id"] == mine
    listed = (await api.get("/v3/tokens/user1", token=admin)).json["tokens"]
    assert [each["id"] for each in listed] == [mine]
    assert (await api.delete(f"/v3/token/{mine}", token=admin)).status == 200
    assert (await api.delete(f"/v3/token/{boss}", token=admin)).status == 200
    assert (await api.delete("/v3/token/x", token=admin)).status == 404


async def test_what_looks_like_a_token_is_none(api, token):
    text = await token("read")
    for wrong in ("pairs_", text[:-1], text + "x", text.swapcase(), "pairs_" + "é" * 43):
        headers = {"Authorization": f"Bearer {wrong}".encode().decode("latin-1")}
        answer = await api.get("/v3/events", headers=headers)
        assert (answer.status, answer.json["error"]) == (401, "token_invalid"), wrong
    answer = await api.post("/v3/refresh", token=text)
    assert (answer.status, answer.json["error"]) == (401, "token_invalid")


async def test_the_last_use_is_noted_once_a_minute_at_the_most(api, app, token):
    text = await token("read")
    assert models.ApiToken.select().get().last_used is None
    before = app.writer.commits
    for _ in range(20):
        await api.get("/v3/events", token=text)
    await app.writer.submit(lambda: None)
    assert models.ApiToken.select().get().last_used
    assert app.writer.commits - before <= 2


# Sockets


@pytest.mark.parametrize("overrides", [{"anonymous_reads": False}], indirect=True)
async def test_revoking_a_token_drops_its_sockets_at_once_and_no_other(api, token, admin, greeted):
    text, other = await token("read"), await token("read")
    lines = [await greeted(token=each) for each in (text, text, other)]
    rowids = [each["id"] for each in (await api.get("/v3/tokens", token=admin)).json["tokens"]]
    await api.delete(f"/v3/token/{min(rowids)}", token=admin)
    ended = await asyncio.gather(lines[0].closed(), lines[1].closed())
    assert [code for code, _ in ended] == [4401, 4401]
    await lines[2].connection.write_message('{"type": "ping"}')
    assert await lines[2].next() == {"type": "pong"}


async def test_a_socket_ends_with_the_tokens_time_and_with_its_user(
    api, app, token, admin, plain_user, greeted
):
    one = await greeted(token=await token("read"))
    await app.writer.submit(lambda: models.ApiToken.update(expires=instants.ago(1)).execute())
    await app.sweep()
    assert (await one.closed())[0] == 4401
    two = await greeted(token=await token("read", login=plain_user))
    await api.delete("/v3/user/user1", token=admin)
    assert (await two.closed())[0] == 4401


async def test_a_socket_of_a_token_hears_what_the_logged_in_hear(api, token, greeted):
    line = await greeted(token=await token("read"))
    await api.post("/v3/webhook", raw=b'{"passphrase": "webhook", "ticker": ""}')
    heard = "bridge"  # another test's may still be on its way through the same database
    while heard == "bridge":
        heard = (await line.next())["type"]
    assert heard == "rejected.created"
