"""The audit: what it tells of whom, what it costs in a flood, and what it never holds."""

import asyncio
import csv
import io
import json

import pytest

import models
from handlers.audit import Refusals
from services import audit as audits
from tests.handlers.test_factor import code_of, set_up

pytestmark = pytest.mark.gen_test(timeout=60)


@pytest.fixture
def audit(api, admin):
    """Reads the audit, oldest first: [(what, who, subject, count)]."""

    async def read(query="", token=admin):
        answer = await api.get(f"/v3/audit/0?{query}", token=token)
        assert answer.status == 200, answer.text
        keys = ("what", "who", "subject", "count")
        return [tuple(row[key] for key in keys) for row in reversed(answer.json["audit"])]

    return read


async def log_in(api, username="user1", password="123", **more):
    return await api.post("/v3/login", {"username": username, "password": password, **more})


# What is told


async def test_users_and_their_passwords(api, admin, audit):
    body = {"username": "zoe", "password": "12345678"}
    await api.post("/v3/reguser", body, token=admin)
    await api.put("/v3/reguser", body, token=admin)
    token = (await log_in(api, "zoe", "12345678")).json["access_token"]
    await api.put("/v3/reguser", body | {"old_password": "12345678"}, token=token)
    await api.post("/v3/logout", token=token)
    await api.delete("/v3/user/zoe", token=admin)
    await api.delete("/v3/user/zoe", token=admin)
    await api.post("/v3/reguser", {"username": "user1", "password": "12345678"}, token=admin)
    assert await audit() == [
        ("user.created", "admin", "zoe", 1),
        ("user.changed", "admin", "zoe", 1),
        ("login.succeeded", "zoe", "", 1),
        ("user.password", "zoe", "zoe", 1),
        ("login.ended", "zoe", "", 1),
        ("user.deleted", "admin", "zoe", 1),
    ]
    (row,) = (await api.get("/v3/audit/1", token=admin)).json["audit"]
    assert (row["address"], row["changes"]) == ("127.0.0.1", None)


async def test_registry_with_what_changed(api, admin, audit):
    await api.put("/v3/regstock", {"symbol": "AAPL"}, token=admin)
    await api.put("/v3/regstock", {"symbol": "AAPL", "active": 1}, token=admin)
    await api.put("/v3/regstock", {"symbol": "AAPL", "active": 1}, token=admin)
    pair = {"ticker1": "A", "ticker2": "B", "hedge": 2}
    await api.post("/v3/regpair", pair, token=admin)
    await api.put("/v3/regpair", {"name": "A-B", "hedge": 3}, token=admin)
    await api.delete("/v3/pair/A-B", token=admin)
    await api.delete("/v3/ticker/AAPL", token=admin)
    kinds = [row[0] for row in await audit()]
    assert kinds == [
        *("stock.created", "stock.updated", "stock.created", "stock.created", "pair.created"),
        *("pair.updated", "pair.deleted", "stock.deleted"),
    ]
    rows = (await api.get("/v3/audit/0?what=pair.updated", token=admin)).json["audit"]
    assert json.loads(rows[0]["changes"]) == {"hedge": [2, 3]}
    assert (rows[0]["who"], rows[0]["subject"], rows[0]["address"]) == ("admin", "A-B", "127.0.0.1")


async def test_a_change_that_was_refused_is_not_told_as_one(api, admin, audit):
    await api.post("/v3/regpair", {"ticker1": "A", "ticker2": "A", "hedge": 1}, token=admin)
    await api.post("/v3/reguser", {"username": "admin", "password": "12345678"}, token=admin)
    await api.delete("/v3/passphrase/nothing", token=admin)
    assert await audit() == []


async def test_passphrases_tokens_and_sessions(api, admin, audit, callers):
    await api.post("/v3/passphrases", {"label": "new", "passphrase": "hush-hush"}, token=admin)
    await api.delete("/v3/passphrase/new", token=admin)
    made = await api.post("/v3/tokens", {"name": "robot", "scope": "read"}, token=admin)
    await api.delete(f"/v3/token/{made.json['id']}", token=admin)
    session, _ = await callers.session("user1")
    await api.delete(f"/v3/session/{session.id}", token=admin)
    await api.delete("/v3/sessions", token=admin)
    rows = await audit()
    assert rows == [
        ("passphrase.created", "admin", "new", 1),
        ("passphrase.retired", "admin", "new", 1),
        ("token.created", "admin", "robot (read)", 1),
        ("token.revoked", "admin", "admin: robot", 1),
        ("session.ended", "admin", "user1", 1),
        ("session.ended", "admin", "admin", 1),
    ]
    for secret in ("hush-hush", made.json["token"], session.id):
        assert secret not in str(rows)


async def test_the_second_factor(api, app, admin, plain_user, audit):
    secret, codes = await set_up(api, plain_user)
    await log_in(api, code=codes[0])
    await log_in(api, code="nonsense")
    body = {"password": "123", "code": codes[1]}
    await api.post("/v3/factor/codes", body, token=plain_user)
    await app.writer.submit(lambda: models.Factor.update(last_step=0).execute())
    body["code"] = code_of(secret)
    await api.post("/v3/factor/off", body, token=plain_user)
    await set_up(api, plain_user)
    await api.delete("/v3/factor/of/user1", token=admin)
    assert await audit() == [
        ("factor.on", "user1", "", 1),
        ("factor.recovery", "user1", "", 1),
        ("login.succeeded", "user1", "", 1),
        ("factor.codes", "user1", "", 1),
        ("factor.off", "user1", "", 1),
        ("factor.on", "user1", "", 1),
        ("factor.off", "admin", "user1", 1),
        ("login.code", "user1", "", 1),
    ]


async def test_failed_logins_name_users_but_never_what_was_typed(api, audit):
    for name, password in (("user1", "wrong"), ("user1", "wrong"), ("my-password-by-mistake", "x")):
        await log_in(api, name, password)
    assert await audit() == [("login.failed", "", "", 3)]
    await log_in(api, "user1", "wrong")
    assert await audit() == [("login.failed", "", "", 4)]


async def test_refusals_of_every_sort(api, plain_user, audit, overrides):
    await api.get("/v3/users/0", token=plain_user)
    await api.post("/v3/passphrases", {"label": "x"}, token=plain_user)
    await api.post("/v3/webhook", {"passphrase": "wrong", "ticker": "AAPL"})
    await api.put("/v3/price", {"passphrase": "wrong", "order_id": 1})
    await api.get("/v3/events", token="pairs_guessed")
    await api.get("/v3/events")
    assert sorted(await audit()) == [
        ("refused.forbidden", "user1", "", 2),
        ("refused.passphrase", "", "", 2),
        ("refused.token", "", "", 1),
    ]


@pytest.mark.parametrize(
    "overrides", [{"webhook_sources": ["192.0.2.1"], "wrong_passphrases": 3}], indirect=True
)
async def test_posts_that_leave_no_row_are_counted(api, admin, audit):
    for _ in range(4):
        await api.alert()
    for _ in range(5):
        await api.put("/v3/price", {"passphrase": "wrong", "order_id": 1})
    counts = (await api.get("/v3/refused", token=admin)).json
    assert set(counts) == {"since", "address", "passphrase"}
    # Of the first four three are still kept as rejected alerts; then the limit is reached.
    assert (counts["address"], counts["passphrase"]) == (4, 6)
    assert sorted(await audit()) == [
        ("refused.forbidden", "", "", 3),
        ("refused.limited", "", "", 6),
        ("refused.passphrase", "", "", 5),
    ]


# A flood


async def test_a_flood_of_refusals_is_a_row_a_minute(api, app, audit):
    before = app.writer.commits
    for _ in range(10):
        await asyncio.gather(
            *(api.put("/v3/price", {"passphrase": "x", "order_id": 1}) for _ in range(30))
        )
    assert app.writer.commits - before == 0
    rows = await audit()
    assert ("refused.passphrase", "", "", 300) in rows
    assert [row[0] for row in rows] == ["refused.passphrase", "refused.limited"]


@pytest.mark.parametrize("overrides", [{"audit_kept": 5}], indirect=True)
async def test_a_flood_pushes_no_act_out(api, app, admin, audit):
    await api.put("/v3/regstock", {"symbol": "KEPT"}, token=admin)
    for number in range(20):
        app.refusals.count("login.failed", f"192.0.2.{number}")
    rows = await audit()
    assert [row[0] for row in rows] == ["stock.created"] + ["login.failed"] * 5
    for number in range(6):
        await api.put("/v3/regstock", {"symbol": f"S{number}"}, token=admin)
    rows = await audit()
    assert [row[2] for row in rows if row[0] == "stock.created"] == [f"S{n}" for n in range(1, 6)]


@pytest.mark.parametrize("overrides", [{"audit_kept": 5}], indirect=True)
async def test_no_user_pushes_out_what_else_was_done(api, admin, plain_user, audit):
    body = {"username": "user2", "password": "123"}
    await api.post("/v3/reguser", body, token=admin)
    for number in range(8):
        await api.put("/v3/regstock", {"symbol": "FLIP", "prixch": f"X{number}"}, token=plain_user)
    kinds = [row[0] for row in await audit()]
    assert kinds == ["user.created", "stock.created"] + ["stock.updated"] * 5


async def test_refusals_from_everywhere_are_bounded():
    refusals = Refusals()
    for number in range(5000):
        refusals.count("login.failed", f"10.{number >> 8}.{number & 255}.1")
    rows = refusals.take()
    assert len(rows) <= 501
    assert sum(row["count"] for row in rows) == 5000
    assert refusals.take() == []
    for number in range(50):
        refusals.count("login.failed", f"2001:db8::{number:x}")
    assert [row["count"] for row in refusals.take()] == [50]


async def test_refusals_are_written_at_the_latest_when_the_server_stops(serve):
    async with serve() as api:
        await log_in(api, "user1", "wrong")
    async with serve() as api:
        token = await api.token()
        rows = (await api.get("/v3/audit/0?what=login.failed", token=token)).json["audit"]
        assert [(row["who"], row["count"]) for row in rows] == [("user1", 1)]


async def test_the_sweep_writes_them(api, app):
    await log_in(api, "user1", "wrong")
    assert models.Audit.select().count() == 0
    await app.sweep()
    assert models.Audit.select().count() == 1


# Reading it


@pytest.fixture
def days(io_loop, app):
    """Acts of three days, the oldest first."""

    def make():
        trace = audits.Trace("zoe", "192.0.2.7")
        for day, kind in enumerate(("user.created", "stock.updated", "userland"), 1):
            audits.note(kind, trace, 100, f"day {day}")
            row = models.Audit.select().order_by(models.Audit.id.desc()).get()
            row.time = f"2026-03-0{day} 12:00:00"
            row.save()
        audits.note("pair.deleted", audits.Trace("admin", "192.0.2.8"), 100, "today")

    io_loop.run_sync(lambda: app.writer.submit(make))


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("", ["day 1", "day 2", "day 3", "today"]),
        ("who=zoe", ["day 1", "day 2", "day 3"]),
        ("who=192.0.2.8", ["today"]),
        ("who=zo", []),
        ("what=user", ["day 1"]),
        ("what=user.created", ["day 1"]),
        ("what=registry", ["day 2", "today"]),
        ("what=%25", []),
        ("since=2026-03-02", ["day 2", "day 3", "today"]),
        ("until=2026-03-02", ["day 1", "day 2"]),
        ("since=2026-03-02&until=2026-03-02T23:59:59Z&who=zoe&what=registry", ["day 2"]),
        ("before=3", ["day 1", "day 2"]),
    ],
)
async def test_the_audit_is_filtered(audit, days, query, subjects):
    assert [row[2] for row in await audit(query)] == subjects


async def test_the_audit_is_paged(api, admin, days):
    first = (await api.get("/v3/audit/2", token=admin)).json["audit"]
    rest = await api.get(f"/v3/audit/2?before={first[-1]['id']}", token=admin)
    assert [row["subject"] for row in first + rest.json["audit"]] == [
        *("today", "day 3", "day 2", "day 1")
    ]


async def test_faulty_filters_are_400_all_at_once(api, admin):
    query = f"since=x&until=2026-13-01&before=-1&who={'x' * 401}"
    answer = await api.get(f"/v3/audit/5?{query}", token=admin)
    assert answer.status == 400
    assert set(answer.json["message"]) == {"since", "until", "before", "who"}
    assert answer.json["audit"] == []


async def test_the_audit_is_a_sheet_in_which_no_cell_runs(api, app, admin):
    trace = audits.Trace("=cmd|' /C calc'!A0", "192.0.2.7")
    subject = '\n=SUM(1,2) "quoted"\n,new line'
    await app.writer.submit(lambda: audits.note("user.created", trace, 100, subject))
    answer = await api.get("/v3/audit/0.csv?what=user", token=admin)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert 'filename="audit.csv"' in answer.headers["Content-Disposition"]
    head, row = csv.reader(io.StringIO(answer.text))
    assert head == ["id", "time", "what", "who", "address", "subject", "count", "changes"]
    assert row[1].endswith("Z")
    assert row[3] == "'" + trace.who
    assert row[5] == "'" + subject


async def test_only_admins_read_it(api, plain_user):
    for path in ("/v3/audit/5", "/v3/audit/0.csv", "/v3/refused"):
        assert (await api.get(path, token=plain_user)).status == 403
    answer = await api.get("/audit", token=plain_user)
    assert (answer.status, answer.json) == (403, None)
    answer = await api.get("/audit?who=x")
    assert answer.headers["Location"] == "/login?next=%2Faudit%3Fwho%3Dx"


async def test_the_last_passphrase_stays(api, app, admin):
    app.conf = app.conf.model_copy(update={"mode": "production", "passphrases": []})
    for label in ("one", "two"):
        await api.post("/v3/passphrases", {"label": label}, token=admin)
    assert (await api.delete("/v3/passphrase/one", token=admin)).status == 200
    answer = await api.delete("/v3/passphrase/two", token=admin)
    assert (answer.status, "last" in answer.json["message"]) == (400, True)
    assert (await api.delete("/v3/passphrase/one", token=admin)).status == 404


async def test_who_resubmitted_an_alert_and_who_set_a_signal_to_waiting(api, admin, audit):
    await api.register_stock("AAPL")
    await api.post("/v3/webhook", {"passphrase": "webhook", "ticker": "AAPL"})
    body = {
        "passphrase": "webhook",
        "ticker": "AAPL",
        "order_action": "buy",
        "order_contracts": 5,
    }
    assert (await api.post("/v3/rejected/1/resubmit", body, token=admin)).status == 201
    change = {"passphrase": "webhook", "rowid": 1, "order_status": "error"}
    await api.put("/v3/webhook", change)
    by_hand = {"rowid": 1, "order_status": "waiting"}
    await api.put("/v3/webhook", by_hand, token=admin)
    await api.put("/v3/webhook", by_hand, token=admin)
    acts = [row for row in await audit() if row[0].split(".")[0] in ("alert", "signal")]
    assert acts == [
        ("alert.resubmitted", "admin", "rejected 1", 1),
        ("signal.offered", "admin", "signal 1", 1),
    ]
    (row,) = (await api.get("/v3/audit/1", token=admin)).json["audit"]
    changes = json.loads(row["changes"])
    changes.pop("expires", None)  # it counts anew, perhaps in the next second
    assert changes == {"order_status": ["error", "waiting"]}
