"""The second factor: set up, confirmed, asked for at the login; codes are good once, and few."""

import asyncio
import base64
import re
import time
import urllib.parse

import pyotp
import pytest

import models
import security
from tests.conftest import ON_SQLITE

pytestmark = pytest.mark.gen_test(timeout=60)

WRONG = {"message": "Invalid Credentials!"}
BAD_CODE = {"message": {"code": "is wrong, or was used before"}}
NEEDED = (401, "code_required")


def code_of(secret, steps=0):
    """The authenticator's code, now or some time steps away."""
    return pyotp.TOTP(secret).at(time.time() + 30 * steps)


def wrong_code(secret):
    """A code that is none of the steps around the present one."""
    near = {code_of(secret, steps) for steps in range(-3, 4)}
    return next(code for code in ("000000", "111111", "222222") if code not in near)


class Owner:
    """user1 with a second factor that is on."""

    def __init__(self, api, secret, codes, token):
        self.api, self.secret, self.codes, self.token = api, secret, codes, token

    async def log_in(self, code=None, password="123", **more):
        body = {"username": "user1", "password": password, **more}
        if code is not None:
            body["code"] = code
        return await self.api.post("/v3/login", body)

    async def use(self, path, **body):
        return await self.api.post(path, {"password": "123", **body}, token=self.token)


async def set_up(api, token):
    """Turns the factor of a token's user on: (secret, recovery codes)."""
    begun = await api.post("/v3/factor", {"password": "123"}, token=token)
    assert begun.status == 201, begun.text
    secret = begun.json["secret"]
    done = await api.put("/v3/factor", {"code": code_of(secret)}, token=token)
    assert done.status == 200, done.text
    return secret, done.json["recovery_codes"]


@pytest.fixture
def owner(io_loop, app, api, plain_user):
    """user1, as some time after the confirmation: the present code was not used."""

    async def some_time_ago():
        made = await set_up(api, plain_user)
        await app.writer.submit(lambda: models.Factor.update(last_step=0).execute())
        return made

    return Owner(api, *io_loop.run_sync(some_time_ago), plain_user)


def outcome(answer):
    """(status, error) of a login."""
    return answer.status, answer.json.get("error")


# Setting up


async def test_it_is_on_only_when_a_code_has_shown_that_the_authenticator_has_it(api, plain_user):
    begun = await api.post("/v3/factor", {"password": "123"}, token=plain_user)
    uri = urllib.parse.urlsplit(begun.json["uri"])
    query = urllib.parse.parse_qs(uri.query)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert query["secret"] == [begun.json["secret"]]
    assert len(base64.b32decode(begun.json["secret"])) == 20
    assert begun.json["qr"].startswith("data:image/svg+xml")
    assert (await api.post("/v3/login", {"username": "user1", "password": "123"})).status == 200
    answer = await api.put(
        "/v3/factor", {"code": wrong_code(begun.json["secret"])}, token=plain_user
    )
    assert (answer.status, answer.json) == (400, BAD_CODE)
    assert (await api.get("/v3/factor", token=plain_user)).json["since"] is None
    answer = await api.put("/v3/factor", {"code": code_of(begun.json["secret"])}, token=plain_user)
    codes = answer.json["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in codes)
    state = (await api.get("/v3/factor", token=plain_user)).json
    assert (bool(state["since"]), state["recovery_codes"]) == (True, 10)


async def test_beginning_needs_the_password_and_does_not_replace_one_that_is_on(api, owner):
    for body, reason in (({}, "required"), ({"password": "wrong"}, "incorrect password.")):
        answer = await api.post("/v3/factor", body, token=owner.token)
        assert (answer.status, answer.json) == (400, {"message": {"password": reason}})
    answer = await owner.use("/v3/factor")
    assert answer.status == 400
    assert "already" in answer.json["message"]
    assert (await owner.log_in(code_of(owner.secret))).status == 200


async def test_nothing_waits_for_a_code_that_was_not_begun(api, plain_user):
    answer = await api.put("/v3/factor", {"code": "123456"}, token=plain_user)
    assert answer.status == 404
    for body in ({}, {"code": ""}, {"code": None}):
        answer = await api.put("/v3/factor", body, token=plain_user)
        assert (answer.status, answer.json) == (400, {"message": {"code": "required"}})


async def test_turning_it_on_ends_the_sessions_that_gave_no_code(api, callers, plain_user):
    other = await callers.token("user1")
    await set_up(api, plain_user)
    assert (await api.get("/v3/session", token=other)).status == 401
    assert (await api.get("/v3/session", token=plain_user)).status == 200


async def test_neither_secret_nor_codes_stand_in_the_database_or_come_again(api, owner, app):
    stored = str([list(table.select().tuples()) for table in models.TABLES])
    hidden = [owner.secret, *owner.codes, *map(security.bare_code, owner.codes)]
    assert not [text for text in hidden if text in stored]
    row = models.Factor.select().get()
    assert security.unseal(app.token_key, row.secret) == owner.secret
    assert security.unseal("another key" * 4, row.secret) != owner.secret
    text = (await api.get("/v3/factor", token=owner.token)).text
    assert not [secret for secret in hidden if secret in text]


# Logging in


async def test_a_login_needs_password_and_code(owner):
    assert outcome(await owner.log_in()) == NEEDED
    assert outcome(await owner.log_in(wrong_code(owner.secret))) == NEEDED
    answer = await owner.log_in(code_of(owner.secret))
    assert answer.status == 200
    assert "access_token" in answer.json


@ON_SQLITE
@pytest.mark.parametrize("code", [None, "", "123456", "right", "recovery"])
async def test_with_a_wrong_password_nobody_learns_that_there_is_a_factor(owner, code):
    given = {"right": code_of(owner.secret), "recovery": owner.codes[0]}.get(code, code)
    answer = await owner.log_in(given, password="124")
    assert (answer.status, answer.json) == (401, WRONG)
    # Nor is a code used up by it.
    assert (await owner.log_in(given)).status == (200 if code in ("right", "recovery") else 401)


async def test_a_code_is_ignored_where_there_is_no_factor(api):
    body = {"username": "admin", "password": "123", "code": "000000"}
    assert (await api.post("/v3/login", body)).status == 200


async def test_a_code_is_taken_once(owner):
    code = code_of(owner.secret)
    assert (await owner.log_in(code)).status == 200
    assert outcome(await owner.log_in(code)) == NEEDED
    assert (await owner.log_in(code_of(owner.secret, 1))).status == 200


async def test_a_code_older_than_one_that_was_taken_is_dead(owner):
    assert (await owner.log_in(code_of(owner.secret, 1))).status == 200
    assert outcome(await owner.log_in(code_of(owner.secret, 0))) == NEEDED


async def test_the_code_that_confirmed_does_not_log_in(api, callers):
    token = await callers.token("user1")
    begun = await api.post("/v3/factor", {"password": "123"}, token=token)
    code = code_of(begun.json["secret"])  # made once: its time step may end meanwhile
    assert (await api.put("/v3/factor", {"code": code}, token=token)).status == 200
    body = {"username": "user1", "password": "123", "code": code}
    assert outcome(await api.post("/v3/login", body)) == NEEDED


@ON_SQLITE
@pytest.mark.parametrize("steps", [-3, -2, 3, 4])
async def test_codes_of_another_time_are_refused(owner, steps):
    assert outcome(await owner.log_in(code_of(owner.secret, steps))) == NEEDED


@pytest.mark.parametrize("kind", ["totp", "recovery"])
async def test_of_two_logins_with_one_code_at_the_same_instant_one_gets_in(owner, kind):
    code = owner.codes[0] if kind == "recovery" else code_of(owner.secret)
    answers = await asyncio.gather(*(owner.log_in(code) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]


async def test_a_recovery_code_is_good_once_however_it_is_typed(owner):
    first, second = owner.codes[:2]
    assert (await owner.log_in(first)).status == 200
    assert outcome(await owner.log_in(first)) == NEEDED
    assert (await owner.log_in(f" {second.upper().replace('-', ' ')} ")).status == 200
    state = (await owner.api.get("/v3/factor", token=owner.token)).json
    assert state["recovery_codes"] == 8


@ON_SQLITE
@pytest.mark.parametrize(
    "code", ["", " ", "0", "1234567", "12345", "٠١٢٣٤٥", "x" * 100, "a-b-c-d", "null", "\u0000"]
)
async def test_nonsense_is_no_code(owner, code):
    assert outcome(await owner.log_in(code)) == NEEDED


@ON_SQLITE
@pytest.mark.parametrize("code", [["123456"], {"a": 1}, True, "x" * 101])
async def test_a_code_that_is_no_text_is_400(owner, code):
    answer = await owner.log_in(code)
    assert (answer.status, list(answer.json["message"])) == (400, ["code"])


async def test_another_users_codes_are_nothing_here(api, owner, admin):
    secret, codes = await set_up(api, admin)
    assert outcome(await owner.log_in(code_of(secret))) == NEEDED
    assert outcome(await owner.log_in(codes[0])) == NEEDED


async def test_a_new_password_leaves_the_factor_on(owner, admin):
    body = {"username": "user1", "password": "new-password"}
    assert (await owner.api.put("/v3/reguser", body, token=admin)).status == 200
    assert outcome(await owner.log_in(password="new-password")) == NEEDED


async def test_another_token_key_opens_no_secret_but_recovery_codes_still_count(serve):
    async with serve() as api:
        token = await api.token("user1")
        secret, codes = await set_up(api, token)
    async with serve(token_key="another key" * 4) as api:
        login = {"username": "user1", "password": "123"}
        answer = await api.post("/v3/login", {**login, "code": code_of(secret)})
        assert outcome(answer) == NEEDED
        assert (await api.post("/v3/login", {**login, "code": codes[0]})).status == 200


# Guessing


@pytest.mark.parametrize("overrides", [{"login_attempts": 1000}], indirect=True)
async def test_who_knows_the_password_may_not_try_many_codes(owner, app):
    wrong = wrong_code(owner.secret)
    # From ever new addresses and without the growing delay, so that this limit alone decides.
    app.gate._names.LONGEST = app.gate._names.FIRST = 0
    statuses = [(await owner.log_in(wrong)).status for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert (await owner.log_in(code_of(owner.secret))).status == 429
    assert (await owner.log_in(owner.codes[0])).status == 200, "the owner still gets in"


@pytest.mark.parametrize("overrides", [{"login_attempts": 4}], indirect=True)
async def test_wrong_codes_count_as_failed_logins_of_that_address(owner):
    for _ in range(4):
        assert outcome(await owner.log_in("not-a-recovery-code")) == NEEDED
    answer = await owner.log_in(owner.codes[0])
    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("overrides", [{"login_attempts": 2}], indirect=True)
async def test_asking_for_the_code_costs_no_attempt_and_forgives_none(owner, app):
    for _ in range(4):
        assert outcome(await owner.log_in()) == NEEDED
    for _ in range(2):
        assert (await owner.log_in("wrong-wrong")).status == 401
        failed = app.gate._names._counts["user1"]
    assert failed == 2
    assert (await owner.log_in()).status == 429


# Turning off


@pytest.mark.parametrize("path", ["/v3/factor/off", "/v3/factor/codes"])
async def test_turning_off_and_new_codes_need_password_and_code(owner, path):
    good = code_of(owner.secret)
    api, token = owner.api, owner.token
    for body, fault in (
        ({}, {"password": "required"}),
        ({"code": good}, {"password": "required"}),
        ({"password": "wrong", "code": good}, {"password": "incorrect password."}),
        ({"password": "123"}, {"code": "required"}),
        ({"password": "123", "code": wrong_code(owner.secret)}, BAD_CODE["message"]),
    ):
        answer = await api.post(path, body, token=token)
        assert (answer.status, answer.json) == (400, {"message": fault}), body
    assert (await owner.use(path, code=good)).status == 200


async def test_when_it_is_off_the_password_is_enough(owner):
    assert (await owner.use("/v3/factor/off", code=owner.codes[3])).status == 200
    assert (await owner.log_in()).status == 200
    assert models.RecoveryCode.select().count() == 0
    again = await owner.use("/v3/factor/off", code=owner.codes[4])
    assert (again.status, again.json) == (400, BAD_CODE)


async def test_new_recovery_codes_replace_the_old(owner):
    answer = await owner.use("/v3/factor/codes", code=owner.codes[0])
    fresh = answer.json["recovery_codes"]
    assert len(set(fresh) - set(owner.codes)) == 10
    assert outcome(await owner.log_in(owner.codes[1])) == NEEDED
    assert (await owner.log_in(fresh[0])).status == 200


async def test_an_admin_turns_off_anothers_but_not_the_own(owner, admin):
    api = owner.api
    listed = (await api.get("/v3/factors", token=admin)).json["factors"]
    assert [each["username"] for each in listed] == ["user1"]
    assert (await api.delete("/v3/factor/of/user1", token=owner.token)).status == 403
    assert (await api.delete("/v3/factor/of/admin", token=admin)).status == 400
    assert (await api.delete("/v3/factor/of/nobody", token=admin)).status == 404
    assert (await api.delete("/v3/factor/of/user1", token=admin)).status == 200
    assert (await api.delete("/v3/factor/of/user1", token=admin)).status == 404
    assert (await owner.log_in()).status == 200
    assert (await api.get("/v3/factors", token=admin)).json == {"factors": []}


async def test_the_factor_goes_with_its_user(owner, admin):
    assert (await owner.api.delete("/v3/user/user1", token=admin)).status == 200
    assert models.Factor.select().count() == models.RecoveryCode.select().count() == 0
