"""Who may call what, how each refusal reads, and the shape of every error."""

import base64
import re

import jwt
import pytest

from handlers.app import ROUTES, PairsApplication
from handlers.base import BaseHandler
from handlers.contract import refuse_undecided
from tests.conftest import ON_SQLITE, alert
from tests.handlers.conftest import ACCOUNT

# method, an address, who may: one row for each method of each route.
TABLE = [
    ("POST", "/v3/webhook", "open"),
    ("PUT", "/v3/webhook", "sender"),
    ("POST", "/v3/signal/updateorder", "sender"),
    ("PUT", "/v3/signal/updateorder", "sender"),
    ("POST", "/v3/price", "sender"),
    ("PUT", "/v3/price", "sender"),
    ("GET", "/v3/signals/5", "read"),
    ("GET", "/v3/signals/status/waiting/5", "read"),
    ("GET", "/v3/signals/ticker/AAPL/5", "read"),
    ("GET", "/v3/signal/1", "read"),
    ("DELETE", "/v3/signal/1", "admin"),
    ("GET", "/v3/signal/1/events", "token"),
    ("GET", "/v3/events", "token"),
    ("GET", "/v3/totals", "read"),
    ("GET", "/v3/figures", "read"),
    ("GET", "/v3/messages", "token"),
    ("POST", "/v3/messages", "admin"),
    ("GET", "/v3/trips/5", "token"),
    ("GET", "/v3/performance", "token"),
    ("GET", "/v3/pair/MA-V/series", "token"),
    ("GET", "/v3/trading", "token"),
    ("PUT", "/v3/trading", "fresh"),
    ("GET", "/v3/limits", "admin"),
    ("PUT", "/v3/limits", "admin"),
    ("POST", "/v3/signal/1/approve", "fresh"),
    ("POST", "/v3/signal/1/refuse", "fresh"),
    ("POST", "/v3/order", "fresh"),
    ("GET", "/v3/rejected/5", "token"),
    ("GET", "/v3/rejected/count", "token"),
    ("DELETE", "/v3/rejected/5", "admin"),
    ("POST", "/v3/rejected/5/resubmit", "fresh"),
    ("POST", "/v3/regstock", "fresh"),
    ("PUT", "/v3/regstock", "fresh"),
    ("GET", "/v3/stocks/5", "read"),
    ("GET", "/v3/stock/AAPL", "read"),
    ("DELETE", "/v3/stock/AAPL", "admin"),
    ("POST", "/v3/regticker", "fresh"),
    ("PUT", "/v3/regticker", "fresh"),
    ("GET", "/v3/tickers/5", "read"),
    ("PUT", "/v3/ticker/updatepnl", "sender"),
    ("GET", "/v3/ticker/AAPL", "read"),
    ("DELETE", "/v3/ticker/AAPL", "admin"),
    ("POST", "/v3/regpnl", "sender"),
    ("PUT", "/v3/regpnl", "sender"),
    ("GET", "/v3/pnl/5", "read"),
    ("DELETE", "/v3/pnl/5", "admin"),
    ("GET", "/v3/positions", "read"),
    ("GET", "/v3/bridge", "token"),
    ("GET", "/v3/equation", "token"),
    ("POST", "/v3/regpair", "fresh"),
    ("PUT", "/v3/regpair", "fresh"),
    ("GET", "/v3/pairs/5", "read"),
    ("GET", "/v3/pair/MA-V", "read"),
    ("DELETE", "/v3/pair/MA-V", "admin"),
    ("POST", "/v3/login", "open"),
    ("POST", "/v3/logout", "token"),
    ("POST", "/v3/refresh", "refresh token"),
    ("GET", "/v3/session", "token"),
    ("POST", "/v3/session", "token"),
    ("GET", "/v3/sessions/user1", "admin"),
    ("DELETE", "/v3/session/nosuchsession", "fresh"),
    ("GET", "/v3/sessions", "token"),
    ("DELETE", "/v3/sessions", "fresh"),
    ("GET", "/v3/factor", "token"),
    ("POST", "/v3/factor", "fresh"),
    ("PUT", "/v3/factor", "fresh"),
    ("POST", "/v3/factor/off", "fresh"),
    ("POST", "/v3/factor/codes", "fresh"),
    ("GET", "/v3/factors", "admin"),
    ("DELETE", "/v3/factor/of/nobody", "admin"),
    ("GET", "/v3/tokens", "token"),
    ("POST", "/v3/tokens", "fresh"),
    ("GET", "/v3/tokens/user1", "admin"),
    ("DELETE", "/v3/token/5", "fresh"),
    ("GET", "/v3/audit/5", "admin"),
    ("GET", "/v3/refused", "admin"),
    ("POST", "/v3/reguser", "admin"),
    ("PUT", "/v3/reguser", "fresh"),  # one's own password; another's needs an admin, see below
    ("GET", "/v3/users/5", "admin"),
    ("GET", "/v3/user/nobody", "admin"),
    ("DELETE", "/v3/user/nobody", "admin"),
    ("GET", "/v3/passphrases", "admin"),
    ("POST", "/v3/passphrases", "admin"),
    ("DELETE", "/v3/passphrase/old", "admin"),
    ("GET", "/v3/template", "fresh"),
    ("GET", "/v3/bridge/config", "fresh"),
    ("GET", "/v3/openapi.json", "open"),
    ("GET", "/v3/alarms", "token"),
    ("POST", "/v3/alarms/test", "admin"),
    ("POST", "/v3/alarms/acknowledge", "fresh"),
    ("POST", "/v3/alarm/5/acknowledge", "fresh"),
    ("GET", "/healthz", "open"),
    ("GET", "/readyz", "open"),
    ("GET", "/metrics", "local"),
    ("GET", "/ws/signals", "read"),
    ("GET", "/", "open"),
    ("GET", "/dashboard", "read"),
    ("GET", "/list", "read"),
    ("GET", "/positions", "read"),
    ("GET", "/docs", "read"),
    ("GET", "/docs/guide", "read"),
    ("GET", "/docs/panel.png", "read"),
    ("GET", "/performance", "token"),
    ("GET", "/pair/MA-V", "token"),
    ("GET", "/setup", "token"),
    ("GET", "/audit", "admin"),
    ("GET", "/static/nothing.js", "open"),
    ("GET", "/login", "open"),
    ("POST", "/logout", "open"),
]
LISTS = {
    "/v3/signals/5": "signals",
    "/v3/signals/status/waiting/5": "signals",
    "/v3/signals/ticker/AAPL/5": "signals",
    "/v3/signal/1/events": "events",
    "/v3/events": "events",
    "/v3/trips/5": "trips",
    "/v3/messages": "messages",
    "/v3/rejected/5": "rejected",
    "/v3/stocks/5": "stocks",
    "/v3/tickers/5": "tickers",
    "/v3/pnl/5": "signals",
    "/v3/pairs/5": "pairs",
    "/v3/sessions/user1": "sessions",
    "/v3/sessions": "sessions",
    "/v3/factors": "factors",
    "/v3/tokens": "tokens",
    "/v3/tokens/user1": "tokens",
    "/v3/audit/5": "audit",
    "/v3/users/5": "users",
    "/v3/passphrases": "passphrases",
    "/v3/alarms": "alarms",
}
API = [row for row in TABLE if row[1].startswith("/v3")]
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND")
UNSAFE = ("POST", "PUT", "DELETE")

MISSING = ("authorization_required", "Request does not contain an access token.")
EXPIRED = ("token_expired", "The token has expired.")
INVALID = ("token_invalid", "The token is invalid.")
REVOKED = ("token_revoked", "The token has been revoked.")
NOT_FRESH = ("fresh_token_required", "The token is not fresh.")
NO_PASSPHRASE = {"passphrase": "required"}
NOT_ADMIN = "'admin' privilege required."
PASSES = "passes"

BROKEN = {"invalid": INVALID, "expired": EXPIRED, "revoked": REVOKED}
# Who is refused, and how, for each right; a caller that is not named passes.
REFUSED = {
    "open": {},
    "read": BROKEN,
    "token": {"nobody": MISSING, **BROKEN},
    "fresh": {"nobody": MISSING, **BROKEN, "not fresh": NOT_FRESH},
    "admin": {"nobody": MISSING, **BROKEN, "not fresh": NOT_FRESH, "user": NOT_ADMIN},
    "sender": {"nobody": NO_PASSPHRASE, **BROKEN, "not fresh": NOT_FRESH},
    "refresh token": {
        "nobody": MISSING,
        "expired": EXPIRED,
        **dict.fromkeys(("invalid", "revoked", "not fresh", "user", "admin"), INVALID),
    },
}
CALLERS = ["nobody", "invalid", "expired", "revoked", "not fresh", "user", "admin"]


def route_of(path):
    """The pattern and handler that serve an address: the first that fits, as in Tornado."""
    return next(route for route in ROUTES if re.fullmatch(route[0], path))


async def token_of(caller, callers):
    """A new token of this kind of caller."""
    match caller:
        case "nobody":
            return None
        case "invalid":
            return "not.a.token"
        case "expired":
            return await callers.token(seconds=-10)
        case "revoked":
            return await callers.revoked()
        case "not fresh":
            return await callers.token(fresh=False)
        case "user":
            return await callers.token("user1")
    return await callers.token("admin")


def refusal(answer):
    """How an answer refuses the caller, in the words of the table."""
    if answer.status == 401:
        return answer.json["error"], answer.json["message"]
    if answer.status == 403:
        return answer.json["message"]
    if answer.status == 400 and answer.json["message"] == NO_PASSPHRASE:
        return NO_PASSPHRASE
    return PASSES


def body_of(method):
    return b"{}" if method in UNSAFE else None


# Every route is in the table


def test_each_method_of_each_route_is_in_the_table():
    served = {
        (method, pattern)
        for pattern, handler, *_ in ROUTES
        for method in METHODS
        if hasattr(getattr(handler, method.lower(), None), "right")
    }
    assert {(method, route_of(path)[0]) for method, path, _ in TABLE} == served
    assert len(TABLE) == len(served)


@ON_SQLITE
def test_a_route_that_does_not_say_who_may_call_it_keeps_the_server_from_starting(conf, store):
    class Undecided(BaseHandler):
        async def get(self):
            self.reply({})

    with pytest.raises(TypeError, match="GET /v3/new does not say who may call it"):
        refuse_undecided([*ROUTES, (r"/v3/new", Undecided)])
    PairsApplication(conf, store, "x" * 32)


# Rights


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.gen_test(timeout=60)
async def test_rights_of_each_caller_on_each_route(api, callers, caller):
    expected, found = {}, {}
    for method, path, right in API:
        token = await token_of(caller, callers)
        answer = await api.call(method, path, raw=body_of(method), token=token)
        expected[method, path] = REFUSED[right].get(caller, PASSES)
        found[method, path] = refusal(answer)
    assert found == expected


@ON_SQLITE
@pytest.mark.parametrize("overrides", [{"anonymous_reads": False}], indirect=True)
@pytest.mark.parametrize("caller", ["nobody", "invalid", "expired", "revoked", "not fresh", "user"])
@pytest.mark.gen_test(timeout=60)
async def test_without_anonymous_reads_every_read_needs_a_token(api, callers, caller):
    expected, found = {}, {}
    token = await token_of(caller, callers)
    for method, path, right in TABLE:
        if right == "read" and path.startswith(("/v3", "/ws")):
            expected[path] = REFUSED["token"].get(caller, PASSES)
            found[path] = refusal(await api.call(method, path, token=token))
    assert len(found) == 15
    assert found == expected


@ON_SQLITE
@pytest.mark.parametrize(
    ("overrides", "redirected"),
    [
        ({}, ["/setup"]),
        ({"anonymous_reads": False}, ["/dashboard", "/list", "/positions", "/setup"]),
    ],
    indirect=["overrides"],
)
@pytest.mark.gen_test(timeout=60)
async def test_a_page_that_needs_a_login_leads_to_it_and_back(api, redirected):
    found = []
    for path in ("/dashboard", "/list", "/positions", "/setup", "/login"):
        answer = await api.get(path + "?a=1")
        if answer.status == 302:
            assert answer.headers["Location"] == f"/login?next=%2F{path[1:]}%3Fa%3D1"
            found.append(path)
        else:
            assert answer.status == 200
    assert found == redirected


@ON_SQLITE
@pytest.mark.parametrize("cookie", ["nonsense", "'; DROP TABLE session", "0" * 43, ""])
@pytest.mark.gen_test(timeout=60)
async def test_setup_opens_with_a_session_cookie_only(api, callers, cookie):
    answer = await api.get("/setup", headers={"Cookie": f"session={cookie}"})
    assert answer.status == 302
    _, good = await callers.session("user1")
    assert (await api.get("/setup", headers={"Cookie": f"session={good}"})).status == 200


@ON_SQLITE
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v3/reguser"), ("PUT", "/v3/reguser"), ("GET", "/v3/user/user1")]
)
@pytest.mark.gen_test(timeout=60)
async def test_users_may_not_touch_other_users(api, callers, method, path):
    body = {"username": "user2", "password": "12345678"} if method != "GET" else None
    answer = await api.call(method, path, body, token=await callers.token("user1"))
    assert (answer.status, answer.json) == (403, {"message": NOT_ADMIN})


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_what_is_not_a_bearer_token_counts_as_no_token(api):
    for value in ("Basic YWRtaW46MTIz", "Token abc", "abc", ""):
        answer = await api.get("/v3/events", headers={"Authorization": value})
        assert (answer.status, answer.json["error"]) == (401, "authorization_required"), value


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_forged_tokens_are_invalid(api, app, callers):
    good = await callers.token()
    claims = jwt.decode(good, options={"verify_signature": False})
    forged = {
        "another key": jwt.encode(claims, "k" * 32, algorithm="HS256"),
        "no signature": jwt.encode(claims, None, algorithm="none"),
        "cut off": good[:-10],
        "other payload": ".".join(
            jwt.encode(claims | {"sub": "root"}, "k" * 32).split(".")[:2] + good.split(".")[2:]
        ),
        "refresh token": await callers.token(kind="refresh"),
        "never ends": jwt.encode(
            {k: v for k, v in claims.items() if k != "exp"}, app.token_key, algorithm="HS256"
        ),
        "nothing": "",
    }
    for name, token in forged.items():
        answer = await api.get("/v3/events", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status, answer.json["error"]) == (401, "token_invalid"), name
        assert answer.json == {"message": INVALID[1], "error": INVALID[0], "events": []}
    assert (await api.get("/v3/events", token=good)).status == 200


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_a_token_names_its_user_and_no_other(api, app, callers):
    session, _ = await callers.session("user1")
    claims = {"type": "access", "sub": "admin", "sid": session.id, "fresh": True}
    claims |= {"jti": "x", "exp": 4102444800}
    token = jwt.encode(claims, app.token_key, algorithm="HS256")
    assert (await api.get("/v3/users/0", token=token)).status == 401


# The passphrase in place of a token


@ON_SQLITE
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.gen_test(timeout=60)
async def test_the_right_passphrase_replaces_the_token_of_the_bridge(api, callers, caller):
    token = await token_of(caller, callers)
    for method, path, right in API:
        if right == "sender":
            answer = await api.call(method, path, {"passphrase": "webhook"}, token=token)
            stores = (method, path) == ("POST", "/v3/regpnl")  # also what tells of no figure
            assert answer.status == (201 if stores else 400), answer.text
            assert "passphrase" not in answer.json["message"]
            answer = await api.call(method, path, {"passphrase": "wrong"}, token=token)
            assert answer.status == 400
            assert answer.json["message"] == {"passphrase": "incorrect passphrase."}


@pytest.mark.gen_test(timeout=60)
async def test_beside_a_passphrase_the_owners_token_is_not_looked_at(api, admin):
    await api.register_stock()
    await api.alert(ticker="AAPL", order_status="filled")
    reopened = {"rowid": 1, "order_status": "created"}
    answer = await api.put("/v3/webhook", reopened | {"passphrase": "webhook"}, token=admin)
    assert answer.json["order_status"] == "filled", "the bridge never takes a fill back"
    answer = await api.put("/v3/webhook", reopened, token=admin)
    assert answer.json["order_status"] == "created"


@ON_SQLITE
@pytest.mark.parametrize("wrong", ["Webhook", "webhook ", "", None, 1, ["webhook"], {"a": 1}, True])
@pytest.mark.gen_test(timeout=60)
async def test_a_wrong_passphrase_is_400_on_every_route_that_takes_one(api, wrong):
    for method, path, right in API:
        if right == "sender" or path == "/v3/webhook":
            answer = await api.call(method, path, {"passphrase": wrong})
            assert answer.status == 400
            assert answer.json["message"]["passphrase"] == "incorrect passphrase."


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_a_fresh_token_needs_no_passphrase_where_the_bridge_sends_one(api, callers):
    await api.register_stock()
    await api.alert(ticker="AAPL", order_id1=7)
    token = await callers.token("user1")
    answer = await api.put("/v3/webhook", {"rowid": 1, "order_comment": "by hand"}, token=token)
    assert (answer.status, answer.json["order_comment"]) == (200, "by hand")
    answer = await api.post("/v3/price", {"order_id": 7, "stk_price": 5}, token=token)
    assert (answer.status, answer.json["fill_price"]) == (200, 5)


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_a_stale_token_does_not_keep_out_alerts_and_logins(api, callers):
    token = await callers.token(seconds=-10)
    body = {"passphrase": "webhook", "ticker": "AAPL", "order_action": "buy", "order_contracts": 1}
    assert (await api.post("/v3/webhook", body, token=token)).status == 201
    body = {"username": "user1", "password": "123"}
    assert (await api.post("/v3/login", body, token=token)).status == 200


# The bridge's key

POLLED = {
    *("/v3/signals/5", "/v3/signals/status/waiting/5", "/v3/signals/ticker/AAPL/5", "/v3/signal/1"),
    *("/v3/stocks/5", "/v3/stock/AAPL", "/v3/pairs/5", "/v3/pair/MA-V"),
    *("/v3/tickers/5", "/v3/ticker/AAPL", "/v3/pnl/5"),
}
KEYS = ["a-key-of-the-bridge", "Another_key_of_it"]


def basic(key, name="bridge"):
    """The header that an address such as https://bridge:KEY@host makes a client send."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()}


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.parametrize(
    "overrides", [{"anonymous_reads": False, "bridge_keys": KEYS}], indirect=True
)
@pytest.mark.gen_test(timeout=60)
async def test_a_bridge_key_reads_what_the_bridge_needs_and_nothing_else(api):
    for key, name in (*zip(KEYS, ("bridge", ""), strict=True), (KEYS[0], "x")):
        expected, found = {}, {}
        for method, path, right in API:
            answer = await api.call(method, path, raw=body_of(method), headers=basic(key, name))
            if method == "GET" and path in POLLED:
                expected[method, path] = PASSES
            else:
                right = "token" if right == "read" else right
                expected[method, path] = REFUSED[right].get("nobody", PASSES)
            found[method, path] = refusal(answer)
        assert found == expected
    assert (await api.get("/dashboard", headers=basic(KEYS[0]))).status == 302


@ON_SQLITE
@pytest.mark.parametrize("overrides", [{}, {"anonymous_reads": False}], indirect=True)
@pytest.mark.parametrize(
    "value",
    [
        *(
            basic(key)["Authorization"]
            for key in ("", "a-key-of-the-bridg", "a-key-of-the-bridge ")
        ),
        *("Basic", "Basic %%%", "Basic /////w==", "basic YnJpZGdl"),
    ],
)
@pytest.mark.gen_test(timeout=60)
async def test_a_wrong_bridge_key_is_told_where_one_is_needed(api, app, value):
    app.conf = app.conf.model_copy(update={"bridge_keys": KEYS})
    for path in POLLED:
        answer = await api.get(path, headers={"Authorization": value})
        assert refusal(answer) == ("bridge_key_invalid", "The bridge key is invalid.")
        check_shape(path, answer)
    body = {"passphrase": "webhook", "order_id": 1, "stk_price": 1}
    answer = await api.post("/v3/price", body, headers={"Authorization": value})
    assert answer.status == 404, "the passphrase decides here"
    answer = await api.post("/v3/webhook", alert(), headers={"Authorization": value})
    assert answer.status == 201


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_without_bridge_keys_basic_credentials_mean_nothing(api):
    assert (await api.get("/v3/stocks/0", headers=basic("anything"))).status == 200


@ON_SQLITE
@pytest.mark.parametrize("overrides", [{"bridge_keys": KEYS}], indirect=True)
@pytest.mark.gen_test(timeout=60)
async def test_a_bridge_key_reads_beyond_the_visitors_limits(api, desk):
    for _ in range(7):
        await api.alert()
        await api.post("/v3/regpnl", ACCOUNT | {"passphrase": "webhook"})
    for path in ("/v3/signals/0", "/v3/pnl/0"):
        assert len((await api.get(path)).json["signals"]) == 5
        answer = await api.get(path, headers=basic(KEYS[0]))
        assert len(answer.json["signals"]) == 7
        assert set(answer.json) == {"signals"}


# The browser's cookie


async def browser(api, callers, username="admin"):
    """The headers of a browser that has opened a page: its cookies, and the page's XSRF token."""
    _, session = await callers.session(username)
    page = await api.get("/login", headers={"Cookie": f"session={session}"})
    token = re.search(r'<meta name="xsrf-token" content="([^"]+)">', page.text)[1]
    xsrf = re.search(r"_xsrf=[^;]+", page.headers["Set-Cookie"])[0]
    return {"Cookie": f"session={session}; {xsrf}"}, {"X-XSRFToken": token}


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.parametrize(
    ("method", "path"), [row[:2] for row in API if row[0] in UNSAFE and row[2] != "open"]
)
@pytest.mark.gen_test(timeout=60)
async def test_a_cookie_alone_may_not_change_anything(api, callers, method, path):
    if path == "/v3/refresh":  # takes no cookie at all
        return
    cookies, xsrf = await browser(api, callers)
    other = {"X-XSRFToken": (await browser(api, callers))[1]["X-XSRFToken"]}
    for more in ({}, other, {"X-XSRFToken": ""}, {"X-XSRFToken": "x"}):
        answer = await api.call(method, path, raw=b"{}", headers=cookies | more)
        assert answer.status == 403, more
        assert isinstance(answer.json["message"], str)
    answer = await api.call(method, path, raw=b"{}", headers=cookies | xsrf)
    assert answer.status not in (401, 403), answer.text


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_a_cookie_reads_as_its_user_without_an_xsrf_token(api, callers):
    cookies, _ = await browser(api, callers, "user1")
    answer = await api.get("/v3/session", headers=cookies)
    assert (answer.json["username"], answer.json["admin"]) == ("user1", False)
    answer = await api.get("/v3/users/0", headers=cookies)
    assert (answer.status, answer.json) == (403, {"message": NOT_ADMIN, "users": []})


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_the_passphrase_needs_no_xsrf_token(api, callers):
    cookies, _ = await browser(api, callers)
    body = {"passphrase": "webhook", "order_id": 1, "stk_price": 1}
    assert (await api.post("/v3/price", body, headers=cookies)).status == 404


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_the_logout_page_needs_the_xsrf_token_of_its_form(api, callers):
    cookies, xsrf = await browser(api, callers)
    assert (await api.post("/logout", raw=b"", headers=cookies)).status == 403
    form = f"_xsrf={xsrf['X-XSRFToken'].replace('|', '%7C')}".encode()
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await api.post("/logout", raw=form, headers=cookies | form_type)
    assert (answer.status, answer.headers["Location"]) == (302, "/login")
    assert (await api.get("/setup", headers=cookies)).status == 302


# The shape of answers


def check_shape(path, answer):
    """An error is {"message": ...} in JSON, with the empty list on a list route."""
    assert answer.headers["Content-Type"].startswith("application/json"), path
    assert isinstance(answer.json["message"], str | dict), path
    allowed = {"message"} | ({"error"} if answer.status == 401 else set())
    if key := LISTS.get(path):
        assert answer.json[key] == [], path
        allowed.add(key)
    assert set(answer.json) == allowed, path


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_a_method_that_a_route_does_not_have_is_405_and_says_which_it_has(api):
    methods = {}
    for method, path, _ in TABLE:
        methods.setdefault(path, set()).add(method)
    for path, allowed in methods.items():
        allowed |= {"HEAD"} if "GET" in allowed else set()
        for method in set(METHODS) - allowed:
            answer = await api.call(method, path, raw=body_of(method))
            assert answer.status == 405, (method, path)
            assert set(re.split(r",\s*", answer.headers["Allow"])) == allowed, (method, path)
            if path.startswith("/v3") and method != "HEAD":
                check_shape(path, answer)


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.parametrize("overrides", [{"anonymous_reads": False}], indirect=True)
@pytest.mark.gen_test(timeout=60)
async def test_401_and_403_have_the_shape_of_every_error(api, callers):
    for token in (None, "x.y.z", await callers.token("user1")):
        for method, path, _ in API:
            if path != "/v3/logout":
                answer = await api.call(method, path, raw=body_of(method), token=token)
                if answer.status in (400, 401, 403, 404):
                    check_shape(path, answer)


@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_a_faulty_place_in_the_feed_is_called_by_its_name(api, callers):
    for path in ("/v3/events?after=abc", "/v3/events?after=-1", "/ws/signals?after=abc"):
        answer = await api.get(path, token=await callers.token())
        expected = "after must be the id of an event, a whole number"
        assert (answer.status, answer.json["message"]) == (400, expected)


@ON_SQLITE
@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v3/signals/x", "signals"),
        ("/v3/signals/-1.csv", "signals"),
        ("/v3/signals/5?since=yesterday", "signals"),
        ("/v3/signals/5?q=%ff", "signals"),
        ("/v3/signals/status/waiting/x", "signals"),
        ("/v3/signals/status/%ff/5", "signals"),
        ("/v3/signals/ticker/AAPL/x", "signals"),
        ("/v3/stocks/x", "stocks"),
        ("/v3/stocks/%ff", "stocks"),
        ("/v3/pairs/x", "pairs"),
        ("/v3/users/x", "users"),
        ("/v3/rejected/x", "rejected"),
        ("/v3/events?after=x", "events"),
        ("/v3/events?limit=x", "events"),
        ("/v3/signal/99/events", "events"),
        ("/v3/signal/x/events", "events"),
        ("/v3/sessions/nobody", "sessions"),
    ],
)
@pytest.mark.gen_test(timeout=60)
async def test_an_error_of_a_list_route_carries_the_empty_list(api, callers, path, key):
    answer = await api.get(path, token=await callers.token())
    assert answer.status in (400, 404)
    assert answer.json[key] == []
    assert answer.json["message"]


@ON_SQLITE
@pytest.mark.parametrize(
    "path",
    ["/v3", "/v3/", "/v3/nope", "/v3/webhook//", "/v3/signals", "/v3/signal/1/2/3", "/v3/bridge2"],
)
@pytest.mark.gen_test(timeout=60)
async def test_an_unknown_path_below_v3_is_404_in_json(api, path):
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = await api.call(method, path, raw=body_of(method))
        assert answer.status == 404, method
        check_shape(path, answer)


@ON_SQLITE
@pytest.mark.parametrize("path", ["/nope", "/static/nope.js", "/favicon.ico", "/v2/webhook"])
@pytest.mark.gen_test(timeout=60)
async def test_an_unknown_path_elsewhere_is_404_and_not_json(api, path):
    answer = await api.get(path)
    assert (answer.status, answer.json) == (404, None)


@pytest.mark.slow
@ON_SQLITE
@pytest.mark.gen_test(timeout=60)
async def test_every_answer_says_how_it_may_be_cached_and_which_request_it_answers(api, callers):
    for method, path, _ in API:
        for token in (None, await callers.token()):
            answer = await api.call(method, path, raw=body_of(method), token=token)
            is_list = method == "GET" and path in LISTS
            cached = "private, no-cache" if is_list else "no-store"
            assert answer.headers["Cache-Control"] == cached, (method, path)
            assert re.fullmatch(r"[\w.-]{1,64}", answer.headers["X-Request-Id"]), (method, path)
    answer = await api.get("/v3/nope")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"]


@ON_SQLITE
@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("abc-123", True),
        ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", True),
        ("x" * 64, True),
        ("x" * 5000, False),
        ("a b", False),
        ("a;b=<script>", False),
        ("", False),
    ],
)
@pytest.mark.gen_test(timeout=60)
async def test_a_sane_request_id_is_taken_over(api, sent, taken):
    answer = await api.get("/v3/stocks/0", headers={"X-Request-Id": sent})
    assert (answer.headers["X-Request-Id"] == sent) == taken
    assert answer.headers["X-Request-Id"]
