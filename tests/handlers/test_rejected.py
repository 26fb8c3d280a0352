"""Alerts that could not become signals: what is kept of them, how many, and their second try."""

import asyncio
import json

import pytest

from tests.conftest import alert

pytestmark = pytest.mark.gen_test(timeout=60)

NOT_FOUND = {"message": "item not found."}
NOT_AN_OBJECT = "the body must be a JSON object"
AWKWARD = 'pä"ss\\w/ö€🚀'
SPELLINGS = {
    "plain": AWKWARD.replace("\\", "\\\\").replace('"', '\\"'),
    "ASCII": json.dumps(AWKWARD)[1:-1],
    "upper case": "p\\u00E4\\u0022ss\\u005Cw\\u002F\\u00F6\\u20AC\\uD83D\\uDE80",
    "slash": json.dumps(AWKWARD)[1:-1].replace("/", "\\/"),
    "not JSON at all": AWKWARD,
}


@pytest.fixture
def rejected(api, admin):
    """The list of rejected alerts, newest first."""

    async def read(n=0):
        answer = await api.get(f"/v3/rejected/{n}", token=admin)
        assert answer.status == 200
        return answer.json["rejected"]

    return read


@pytest.fixture
def resubmit(api, admin):
    """Resubmits a rejected alert, corrected or as it is."""

    async def call(rowid, body=None, token=admin):
        return await api.post(f"/v3/rejected/{rowid}/resubmit", body, token=token)

    return call


async def events_of(api, admin, noun):
    events = (await api.get("/v3/events?limit=1000", token=admin)).json["events"]
    return [event for event in events if event["type"].startswith(f"{noun}.")]


async def count(api):
    return (await api.get("/v3/totals")).json["count"]


FLOODED = {"strangers_kept": 20, "rejected_kept": 5, "wrong_passphrases": 1000}


async def send(api, *bodies):
    """Posts what must be refused: texts as they are, the rest as JSON."""
    for body in bodies:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await api.post("/v3/webhook", raw=raw)
        assert answer.status in (400, 413), answer.text


# What is kept


async def test_a_faulty_alert_is_kept_with_its_reasons_and_its_text(api, rejected):
    body = alert(order_action="hold", order_contracts=-1, order_comment="webhook and webhook")
    answer = await api.post("/v3/webhook", body)
    assert answer.status == 400
    (row,) = await rejected()
    assert set(row) == {"id", "timestamp", "address", "size", "reasons", "body", "known"}
    assert row["reasons"] == answer.json["message"]
    assert set(row["reasons"]) == {"order_action", "order_contracts"}
    assert row["address"] in ("127.0.0.1", "::1")
    assert row["size"] == len(json.dumps(body))
    assert row["known"] is True
    assert row["body"] == json.dumps(body).replace("webhook", "***")
    assert len(row["timestamp"]) == 19


UNPARSABLE = [
    b'{"passphrase": "webhook", "ticker": "AAPL",',
    b"passphrase=webhook&ticker=AAPL",
    b'["webhook"]',
    b'"webhook"',
    b'{"passphrase": "webhook", "order_price": NaN}',
    b'{"passphrase": "webhook"}\xff\xfe',
    b'{"passphrase": ["webhook"]}',
    b'{"other": "webhook"}',
    b'{"passphrase": "w\\u0065bhoo\\u006B"',
    b"webhook\x00webhook",
]


async def test_a_text_that_holds_the_passphrase_is_kept_masked_also_unparsable(api, rejected):
    await send(api, *UNPARSABLE)
    rows = (await rejected())[::-1]
    assert len(rows) == len(UNPARSABLE)
    for raw, row in zip(UNPARSABLE, rows, strict=True):
        assert row["known"], raw
        assert "***" in row["body"], raw
        assert "webhook" not in row["body"], raw
        assert "0065bhoo" not in row["body"], raw
        assert row["size"] == len(raw)


@pytest.mark.parametrize("overrides", [{"passphrases": [AWKWARD, "short"]}], indirect=True)
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_passphrase_is_masked_however_it_is_written(api, rejected, spelling):
    raw = '{"passphrase": "%s", "ticker": "AAPL", "order_comment": "%s short"'
    raw %= (SPELLINGS[spelling], SPELLINGS[spelling])
    await send(api, raw.encode(), (raw + "}").encode())
    for row in await rejected():
        assert row["body"].startswith('{"passphrase": "***", "ticker": "AAPL"')
        assert '"order_comment": "*** ***"' in row["body"]


@pytest.mark.parametrize("overrides", [{"passphrases": ["abc", "abcdef", "cde"]}], indirect=True)
async def test_of_passphrases_that_overlap_nothing_is_left(api, rejected):
    await send(api, b"xx abcdef yy abc zz cde")
    (row,) = await rejected()
    assert row["body"] == "xx *** yy *** zz ***"


async def test_a_retired_passphrase_is_a_strangers(api, admin, rejected):
    body = {"label": "x", "passphrase": "retired-one"}
    await api.post("/v3/passphrases", body, token=admin)
    await send(api, alert(passphrase="retired-one", ticker=""))
    await api.delete("/v3/passphrase/x", token=admin)
    await send(api, alert(passphrase="retired-one", ticker=""))
    later, earlier = await rejected()
    assert (earlier["known"], later["known"]) == (True, False)
    assert later["body"] is None
    assert "retired-one" not in str(await rejected())


STRANGERS = [
    alert(passphrase="guess"),
    alert(passphrase="Webhook"),
    alert(passphrase=None),
    b"",
    b"not JSON",
    b"\x00\xff\xfe",
    b"w e b h o o k",
    "webhook".encode("utf-16"),
]


async def test_of_strangers_nothing_but_time_address_size_and_reason_is_kept(api, rejected):
    await send(api, *STRANGERS)
    rows = (await rejected())[::-1]
    assert len(rows) == len(STRANGERS)
    for sent, row in zip(STRANGERS, rows, strict=True):
        assert (row["known"], row["body"]) == (False, None), sent
        assert row["size"] == len(sent if isinstance(sent, bytes) else json.dumps(sent))
        assert row["timestamp"]
        assert row["address"]
    assert rows[0]["reasons"] == {"passphrase": "incorrect passphrase."}
    assert rows[4]["reasons"].startswith(NOT_AN_OBJECT)


async def test_a_body_over_64_kib_leaves_its_size_and_no_text(api, rejected):
    await send(api, json.dumps(alert(extra="x" * 65536)).encode())
    (row,) = await rejected()
    assert (row["body"], row["known"]) == (None, False)
    assert row["size"] > 65536


async def test_a_reason_that_names_a_field_never_holds_the_passphrase(api, rejected):
    await send(api, b'{"passphrase": "x", "webhook": }')
    (row,) = await rejected()
    assert row["reasons"].endswith(': the value of "***" is missing')


async def test_no_reason_repeats_what_was_sent(api, rejected):
    secret = "webhook"
    for field in ("ticker", "order_action", "order_contracts", "mar_pos", "timestamp", "alert_id"):
        await send(api, alert(**{field: [secret, "guess-me"]}))
    for row in await rejected():
        assert "guess-me" not in str(row["reasons"])
        assert secret not in str(row)


async def test_what_is_taken_in_is_not_rejected(api, desk, rejected):
    for ticker in ("AAPL", "MSFT", "IBM", "A/B"):
        assert (await api.alert(ticker=ticker)).status == 201
    assert await rejected() == []


async def test_faulty_calls_of_other_routes_are_not_kept(api, rejected):
    for path in ("/v3/webhook", "/v3/signal/updateorder", "/v3/price"):
        await api.put(path, {"passphrase": "webhook"})
        await api.put(path, raw=b"{")
    assert await rejected() == []


async def test_the_list_is_newest_first_and_as_long_as_asked(api, rejected):
    await send(api, *(alert(order_contracts=-n) for n in range(1, 5)))
    for n, ids in ((0, [4, 3, 2, 1]), (2, [4, 3]), (9, [4, 3, 2, 1])):
        assert [row["id"] for row in await rejected(n)] == ids


# How many are kept


@pytest.mark.parametrize("overrides", [{"strangers_kept": 3, "rejected_kept": 5}], indirect=True)
async def test_both_sorts_have_a_cap_of_their_own_and_keep_the_newest(api, rejected):
    for n in range(1, 9):
        await send(api, alert(order_contracts=-n), alert(passphrase="guess", n=n))
    rows = await rejected()
    assert [row["id"] for row in rows if row["known"]] == [15, 13, 11, 9, 7]
    assert [row["id"] for row in rows if not row["known"]] == [16, 14, 12]


@pytest.mark.parametrize("overrides", [FLOODED], indirect=True)
async def test_a_flood_of_strangers_never_pushes_out_the_owners(api, admin, rejected):
    await send(api, *(alert(order_contracts=-n) for n in range(1, 4)))
    await asyncio.gather(*(send(api, alert(passphrase=f"guess{n}")) for n in range(200)))
    rows = await rejected()
    assert [row["id"] for row in rows if row["known"]] == [3, 2, 1]
    assert len(rows) == 23
    assert len(await events_of(api, admin, "rejected")) == 3


async def test_only_the_owners_rejected_alerts_make_events(api, admin):
    await send(api, *STRANGERS, alert(ticker=""))
    (event,) = await events_of(api, admin, "rejected")
    assert (event["type"], event["source"]) == ("rejected.created", "webhook")
    assert event["subject"] == str(len(STRANGERS) + 1)
    assert "webhook" not in str(event["changes"])


# The second try


async def test_a_rejected_alert_can_be_corrected(api, desk, admin, rejected, resubmit):
    await send(api, alert(order_action="hold", order_comment="kept"))
    corrected = {**json.loads((await rejected())[0]["body"]), "order_action": "sell"}
    answer = await resubmit(1, corrected)
    assert (answer.status, answer.json) == (
        201,
        {"message": "Signal created successfully.", "rowid": 1},
    )
    record = (await api.get("/v3/signal/1")).json
    assert (record["order_action"], record["order_comment"]) == ("sell", "kept")
    assert record["order_status"] == "waiting"
    assert await rejected() == []
    (event,) = await events_of(api, admin, "signal")
    assert (event["type"], event["source"]) == ("signal.created", "admin")


@pytest.mark.parametrize("overrides", [{"passphrases": ["right", "other"]}], indirect=True)
async def test_a_rejected_alert_can_be_resubmitted_as_it_is(api, desk, rejected, resubmit):
    # Its passphrase was wrong, but the right one occurs in it.
    await send(api, alert(passphrase="wrong", order_comment="right"))
    answer = await resubmit(1)
    assert (answer.status, answer.json["rowid"]) == (201, 1)
    assert (await api.get("/v3/signal/1")).json["order_comment"] == "***"
    assert await rejected() == []


async def test_a_correction_needs_no_passphrase(api, desk, resubmit):
    await send(api, alert(passphrase="guess"))
    assert (await resubmit(1, alert(passphrase=None))).status == 201


@pytest.mark.parametrize(
    ("ticker", "message"),
    [
        ("MSFT", "recorded with unknown or passive ticker!"),
        ("A/B", "recorded with problematic ticker!"),
    ],
)
async def test_a_correction_is_judged_like_any_alert(api, desk, resubmit, ticker, message):
    await send(api, alert(ticker=""))
    answer = await resubmit(1, alert(ticker=ticker))
    assert (answer.status, answer.json) == (201, {"message": message, "rowid": 1})


async def test_a_correction_that_is_still_wrong_stays_rejected(api, desk, rejected, resubmit):
    await send(api, alert(order_action="hold"))
    before = await rejected()
    answer = await resubmit(1)
    assert (answer.status, list(answer.json["message"])) == (400, ["order_action"])
    answer = await resubmit(1, alert(order_action="hold", order_contracts=0))
    assert answer.status == 400
    assert set(answer.json["message"]) == {"order_action", "order_contracts"}
    answer = await resubmit(1, [])
    assert (answer.status, answer.json) == (400, {"message": NOT_AN_OBJECT})
    assert await rejected() == before
    assert await count(api) == 0


@pytest.mark.parametrize("raw", [b"not JSON", b'{"passphrase": "webhook",'])
async def test_what_has_no_readable_text_needs_a_correction(api, desk, rejected, resubmit, raw):
    await send(api, raw)
    answer = await resubmit(1)
    assert (answer.status, list(answer.json)) == (400, ["message"])
    assert len(await rejected()) == 1
    assert (await resubmit(1, alert())).status == 201
    assert await rejected() == []


async def test_a_rejected_alert_becomes_one_signal_only(api, desk, resubmit):
    await send(api, alert(ticker=""))
    answers = await asyncio.gather(*(resubmit(1, alert()) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 404, 404, 404, 404]
    assert (await resubmit(1, alert())).json == NOT_FOUND
    assert await count(api) == 1


async def test_a_correction_of_an_alert_that_came_after_all_stores_nothing(
    api, desk, rejected, resubmit
):
    await send(api, alert(alert_id="x", order_action="hold"))
    await api.alert(alert_id="x")
    answer = await resubmit(1, alert(alert_id="x"))
    assert (answer.status, answer.json["rowid"]) == (200, 1)
    assert await count(api) == 1
    assert await rejected() == []


@pytest.mark.parametrize("rowid", ["2", "0", "-1", "x", "9" * 25, "%ff"])
async def test_one_that_is_not_there_is_404(api, admin, resubmit, rowid):
    await send(api, alert(ticker=""))
    expected = 400 if rowid == "%ff" else 404
    assert (await resubmit(rowid, alert())).status == expected
    assert (await api.delete(f"/v3/rejected/{rowid}", token=admin)).status == expected


async def test_a_rejected_alert_can_be_dismissed(api, admin, rejected):
    await send(api, alert(ticker=""), b"stranger")
    for rowid in (1, 2):
        answer = await api.delete(f"/v3/rejected/{rowid}", token=admin)
        assert (answer.status, answer.json) == (200, {"message": "Item deleted"})
    assert await rejected() == []
    answer = await api.delete("/v3/rejected/1", token=admin)
    assert (answer.status, answer.json["message"]) == (404, NOT_FOUND["message"])
    await send(api, alert(ticker=""))
    assert [row["id"] for row in await rejected()] == [3]


async def test_rejected_alerts_outlive_a_restart(serve):
    async with serve() as api:
        await send(api, alert(order_action="hold"), b"stranger")
    async with serve() as api:
        answer = await api.get("/v3/rejected/0", token=await api.token())
        assert [(row["id"], row["known"]) for row in answer.json["rejected"]] == [
            (2, False),
            (1, True),
        ]


@pytest.mark.parametrize("overrides", [FLOODED], indirect=True)
async def test_they_are_counted_without_being_read(api, admin, rejected):
    """Whoever sent them, however long they are."""
    for number in range(1, 8):
        await send(api, alert(order_action="x" * 60_000), {"number": number})
        answer = await api.get("/v3/rejected/count", token=admin)
        assert answer.json == {"count": len(await rejected())}
        assert len(answer.text) < 50
    assert answer.json == {"count": 5 + 7}
