"""POST /v3/webhook: what an alert may say, what becomes of it, and that a repeat stores nothing."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import ON_SQLITE, alert

pytestmark = pytest.mark.gen_test(timeout=60)

CREATED = "Signal created successfully."
PROBLEMATIC = "recorded with problematic ticker!"
REFUSED = "recorded with unknown or passive ticker!"
REPEATED = "Signal already recorded."
NOT_AN_OBJECT = {"message": "the body must be a JSON object"}
KEYS = [
    *("rowid", "timestamp", "ticker", "order_action", "order_contracts", "order_price"),
    *("mar_pos", "mar_pos_size", "pre_mar_pos", "pre_mar_pos_size", "order_comment"),
    *("order_status", "ticker_type", "stk_ticker1", "stk_ticker2", "hedge_param"),
    *("order_id1", "order_id2", "stk_price1", "stk_price2", "fill_price", "slip", "error_msg"),
    *("status_msg", "ticker1", "ticker2", "price1", "price2"),
]
MINIMAL = {
    "passphrase": "webhook",
    "ticker": "AAPL",
    "order_action": "buy",
    "order_contracts": 1,
}


async def stored(api, body, **more):
    """Posts an alert that must be taken in: its record."""
    answer = await api.post("/v3/webhook", body, **more)
    assert answer.status == 201, answer.text
    return (await api.get(f"/v3/signal/{answer.json['rowid']}")).json


async def count(api):
    return (await api.get("/v3/totals")).json["count"]


def moments_ago(text):
    return datetime.now(UTC) - datetime.fromisoformat(text).replace(tzinfo=UTC)


# The answer and the record


async def test_the_seeds_example_is_stored_as_the_seed_shows_it(api, desk):
    body = {
        "passphrase": "webhook",
        "ticker": "AAPL",
        "order_action": "buy",
        "order_contracts": "100",
        "order_price": "400.2",
        "mar_pos": "long",
        "mar_pos_size": "100",
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": "0",
        "order_comment": " Enter Long",
        "order_status": "waiting",
    }
    answer = await api.post("/v3/webhook", body)
    assert (answer.status, answer.json) == (201, {"message": CREATED, "rowid": 1})
    answer = await api.get("/v3/signal/1")
    record = answer.json
    assert list(record) == KEYS
    assert moments_ago(record.pop("timestamp")) < timedelta(seconds=30)
    assert record == dict.fromkeys(KEYS[2:]) | {
        "rowid": 1,
        "ticker": "AAPL",
        "order_action": "buy",
        "order_contracts": 100,
        "order_price": 400.2,
        "mar_pos": "long",
        "mar_pos_size": 100,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "order_comment": "Enter Long",
        "order_status": "waiting",
        "ticker_type": "single",
        "stk_ticker1": "AAPL",
        "ticker1": "AAPL",
    }
    assert '"order_contracts":100,' in answer.text


async def test_what_is_left_out_gets_its_default(api, desk):
    record = await stored(api, MINIMAL)
    assert (record["mar_pos_size"], record["pre_mar_pos_size"]) == (0, 0)
    assert record["order_status"] == "waiting"
    for key in ("order_price", "mar_pos", "pre_mar_pos", "order_comment", "status_msg", "slip"):
        assert record[key] is None, key


@pytest.mark.parametrize("field", ["mar_pos_size", "pre_mar_pos_size"])
@pytest.mark.parametrize("value", [None, ""])
async def test_a_size_is_never_null(api, desk, field, value):
    assert (await stored(api, MINIMAL | {field: value}))[field] == 0


async def test_optional_fields_may_be_null(api, desk):
    fields = [key for key in KEYS if key not in ("ticker", "order_action", "order_contracts")]
    nulls = dict.fromkeys([*fields, "alert_id", "bypass_ticker_status"])
    record = await stored(api, nulls | MINIMAL)
    assert record["order_status"] == "waiting"


async def test_unknown_fields_are_ignored(api, desk):
    record = await stored(
        api, MINIMAL | {"rowid": 77, "foo": {"a": [1]}, "": None, "filled_qty1": 3}
    )
    assert list(record) == KEYS
    assert record["rowid"] == 1


TAKEN = {
    "order_contracts": [
        (100, 100),
        ("100", 100),
        (100.0, 100),
        (0.5, 0.5),
        ("1.5", 1.5),
        ("1e-5", 0.00001),
        ("+2.50", 2.5),
        (10**12, 10**12),
        ("1e12", 10**12),
    ],
    "order_price": [
        ("400.2", 400.2),
        (0, 0),
        (-0.01, -0.01),
        ("-1e2", -100),
        (10**12, 10**12),
        ("-1e12", -(10**12)),
        ("", None),
    ],
    "mar_pos_size": [
        ("7.25", 7.25),
    ],
    "pre_mar_pos_size": [
        (0, 0),
    ],
    "order_action": [
        ("BUY", "buy"),
        ("Sell", "sell"),
        (" sell ", "sell"),
    ],
    "mar_pos": [
        ("short", "short"),
        ("LONG", "long"),
    ],
    "pre_mar_pos": [
        ("flat", "flat"),
    ],
    "order_comment": [
        ("  Enter Long\n", "Enter Long"),
        ("x" * 4000, "x" * 4000),
        (" " + "x" * 4000 + " ", "x" * 4000),
        ("Größe ✓ 🚀 <b>", "Größe ✓ 🚀 <b>"),
        (5, "5"),
    ],
    "order_status": [
        ("created", "created"),
        ("my own state", "my own state"),
        ("x" * 40, "x" * 40),
    ],
    "status_msg": [
        ("created due to sync", "created due to sync"),
        ("x" * 2000, "x" * 2000),
        ("x" * 2001, "x" * 2000),
    ],
    "error_msg": [
        ("y" * 60000, "y" * 2000),
    ],
    "order_id1": [
        (1010, 1010),
    ],
    "order_id2": [
        ("1011", 1011),
    ],
    "stk_price1": [
        ("14.2", 14.2),
    ],
    "price1": [
        ("14.2", 14.2),
    ],
    "timestamp": [
        ("2026-11-22 09:40:13", "2026-11-22 09:40:13"),
        ("2026-11-22 09:40:13.987654", "2026-11-22 09:40:13"),
        ("2026-11-22T09:40:13", "2026-11-22 09:40:13"),
        ("2026-11-22T09:40:13Z", "2026-11-22 09:40:13"),
        ("2026-11-22T09:40:13.5Z", "2026-11-22 09:40:13"),
        ("2026-11-22T09:40:13+02:00", "2026-11-22 07:40:13"),
        ("2026-11-22T23:40:13-05:30", "2026-11-23 05:10:13"),
        (1705331385, "2024-01-15 15:09:45"),
        (1705331385.158, "2024-01-15 15:09:45"),
        (1705331385158, "2024-01-15 15:09:45"),
        ("1705331385", "2024-01-15 15:09:45"),
        ("1705331385158", "2024-01-15 15:09:45"),
    ],
}
TOO_MUCH = [1.0000001e12, 2**200, str(2**200), "1e300", 1.7976931348623157e308]
BAD = {
    "order_contracts": [
        *(0, -1, "0", "-5", None, "", " ", True, [], {}, [5], "ten", "1,000", "1_000", "0x10"),
        *("nan", "inf", "NaN", "1e999", 10**400, "٣", "1 2", "--1", "1e", *TOO_MUCH),
    ],
    "order_price": ["abc", True, [1], {}, "Infinity", "1e999", 10**309, *TOO_MUCH, -1e13],
    "mar_pos_size": [-1, "-0.5", True, "many", [0], *TOO_MUCH],
    "pre_mar_pos_size": [-1, {}, "x", *TOO_MUCH],
    "order_action": ["hold", "", None, 1, True, ["buy"], "buysell", "b"],
    "mar_pos": ["up", 1, True, ["long"], {}],
    "pre_mar_pos": ["none", False],
    "ticker": ["", "  ", "\t\n", None, True, [], ["AAPL"], {}, "A" * 201],
    "order_comment": ["x" * 4001, [], {"a": 1}, True],
    "order_status": ["x" * 41, True, {}, ["a", "b"], [[]], []],
    "timestamp": [
        *("yesterday", "2026-13-01 00:00:00", "2026-02-30T00:00:00", True, [], "09:40"),
        *("2026-11-22 25:00:00", "9" * 400, 2026, "20261122", -1705331385),
    ],
    "alert_time": ["now", True, [], "2026-11-22"],
    "order_id1": ["abc", 1.5, True, [], 2**63, "9" * 25],
    "stk_price1": ["abc", True, *TOO_MUCH],
    "fill_price": [-1e13],
    "slip": ["1e13"],
    "bypass_ticker_status": ["yes", "no", "on", 2, -1, "1.0", "", [], {}],
    "alert_id": ["x" * 201, True, [], {}],
    "status_msg": [[], True],
}


@pytest.mark.parametrize("field", TAKEN)
async def test_values_are_taken_as_clients_write_them(api, desk, field):
    for sent, expected in TAKEN[field]:
        value = (await stored(api, MINIMAL | {field: sent}))[field]
        assert (value, type(value)) == (expected, type(expected)), sent


@ON_SQLITE
@pytest.mark.parametrize("field", BAD)
async def test_a_bad_value_is_400_and_names_its_field(api, desk, field):
    for bad in BAD[field]:
        answer = await api.post("/v3/webhook", MINIMAL | {field: bad})
        assert (answer.status, list(answer.json)) == (400, ["message"]), bad
        assert list(answer.json["message"]) == [field], bad
        assert isinstance(answer.json["message"][field], str), bad
    assert await count(api) == 0


@pytest.mark.parametrize("field", ["ticker", "order_action", "order_contracts", "passphrase"])
async def test_a_required_field_that_is_missing_is_400_and_named(api, desk, field):
    body = {key: value for key, value in MINIMAL.items() if key != field}
    answer = await api.post("/v3/webhook", body)
    assert answer.status == 400
    assert list(answer.json["message"]) == [field]


async def test_all_faulty_fields_are_named_at_once(api):
    body = {
        "order_action": "hold",
        "order_contracts": -1,
        "order_price": "x",
        "mar_pos": "up",
        "mar_pos_size": -1,
        "timestamp": "now",
    }
    answer = await api.post("/v3/webhook", body | {"passphrase": "webhook"})
    assert answer.status == 400
    assert set(answer.json["message"]) == {*body, "ticker"}
    answer = await api.post("/v3/webhook", body)
    assert set(answer.json["message"]) == {*body, "ticker", "passphrase"}


@ON_SQLITE
@pytest.mark.parametrize("wrong", ["Webhook", "webhook\n", "", 5, None, True, ["webhook"], {}])
async def test_a_wrong_passphrase_is_400_in_the_words_of_the_seed(api, desk, wrong):
    answer = await api.post("/v3/webhook", MINIMAL | {"passphrase": wrong})
    expected = {"message": {"passphrase": "incorrect passphrase."}}
    assert (answer.status, answer.json) == (400, expected)
    assert await count(api) == 0


@pytest.mark.parametrize("overrides", [{"passphrases": ["pässwörd", "second one"]}], indirect=True)
async def test_any_valid_passphrase_will_do_and_the_demos_is_gone(api, desk):
    for good in ("pässwörd", "second one"):
        await stored(api, MINIMAL | {"passphrase": good})
    assert (await api.post("/v3/webhook", MINIMAL)).status == 400


# The body as it comes


@pytest.mark.parametrize(
    "wrap",
    [b"%s\n", b"\r\n\t %s \n\n", b"\xef\xbb\xbf%s", b"\xef\xbb\xbf\n%s\n"],
    ids=["newline", "white space", "BOM", "BOM and newline"],
)
async def test_white_space_and_a_bom_around_the_body_are_allowed(api, desk, wrap):
    answer = await api.post("/v3/webhook", raw=wrap % json.dumps(MINIMAL).encode())
    assert (answer.status, answer.json["message"]) == (201, CREATED)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain; charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "image/png",
        "no type at all;;;",
        "",
    ],
)
async def test_the_content_type_is_ignored(api, desk, content_type):
    comment = "&a=" * 1300
    body = alert(ticker="AAPL", order_comment=comment)
    record = await stored(api, body, headers={"Content-Type": content_type})
    assert record["order_comment"] == comment


NO_OBJECTS = [
    b"[]",
    b'[{"passphrase": "webhook"}]',
    b'"webhook"',
    b"5",
    b"null",
    b"true",
    b" [5]\n",
]
# tests/test_body_faults.py has more of them.
NO_JSON = {
    b"": "line 1, column 1: the body is empty",
    b"\n{'passphrase': 'webhook'}": "line 2, column 2: a field's name must stand in double quotes",
    b'{"a": 1} {"b": 2}': "line 1, column 10: a second object follows the first; send one",
    b'{"a": NaN}': 'line 1, column 7: the value of "a" is NaN, which is no number',
    b"\xff\xfe{\x00}\x00": "line 1, column 1: this is no UTF-8",
    b'{"a":' * 10000: "it is nested too deeply",
}


async def test_what_is_no_json_object_is_400(api):
    for raw in NO_OBJECTS:
        answer = await api.post("/v3/webhook", raw=raw)
        assert (answer.status, answer.json) == (400, NOT_AN_OBJECT), raw[:50]


async def test_what_is_no_json_is_400_and_told_where_and_why(api):
    for raw, fault in NO_JSON.items():
        answer = await api.post("/v3/webhook", raw=raw)
        assert answer.status == 400
        assert answer.json == {"message": f"{NOT_AN_OBJECT['message']}: {fault}"}


async def test_control_characters_in_a_text_are_taken_as_they_are(api, desk):
    raw = json.dumps(MINIMAL)[:-1].encode() + b', "order_comment": "Exit\n\tLong\r\x01."}'
    assert (await api.post("/v3/webhook", raw=raw)).status == 201
    assert (await api.get("/v3/signal/1")).json["order_comment"] == "Exit\n\tLong\r\x01."


SIZES = [
    ("short", -1276, 1276),
    ("short", "-1276", 1276),
    ("SHORT", " -0.5 ", 0.5),
    ("short", "1276", 1276),
    ("short", -0.0, 0),
    ("long", 5, 5),
    ("short", -1e13, None),
    ("long", -5, None),
    ("flat", "-5", None),
    (None, -5, None),
]


@pytest.mark.parametrize("prefix", ["", "pre_"])
async def test_a_size_may_be_signed_as_the_position_beside_it_says(api, desk, prefix):
    await stored(api, MINIMAL)
    position, size = prefix + "mar_pos", prefix + "mar_pos_size"
    for beside, sent, expected in SIZES:
        for body in ({position: beside, size: sent}, {size: sent, position: beside}):
            put = {"passphrase": "webhook", "rowid": 1, **body}
            answers = [await api.post("/v3/webhook", MINIMAL | body)]
            answers.append(await api.put("/v3/webhook", put))
            if expected is None:
                assert [each.status for each in answers] == [400, 400], body
                assert all(list(each.json["message"]) == [size] for each in answers)
            else:
                record = (await api.get(f"/v3/signal/{answers[0].json['rowid']}")).json
                assert record[size] == answers[1].json[size] == expected, body


async def test_a_time_of_the_alert_is_taken_in_each_form(api, desk):
    for sent in ("2026-11-22T09:40:13Z", 1705331385158, "1705331385", "", None):
        await stored(api, MINIMAL | {"alert_time": sent})


@pytest.mark.parametrize(
    ("size", "status"), [(64 * 1024, 201), (64 * 1024 + 1, 413), (900_000, 413)]
)
async def test_a_body_holds_64_kib(api, desk, size, status):
    text = json.dumps(MINIMAL | {"extra": ""})
    raw = text.replace('"extra": ""', f'"extra": "{"x" * (size - len(text))}"').encode()
    assert len(raw) == size
    answer = await api.post("/v3/webhook", raw=raw)
    assert answer.status == status
    assert answer.json["message"]


async def test_the_passphrase_in_the_query_string_counts_for_nothing(api, desk):
    body = {key: value for key, value in MINIMAL.items() if key != "passphrase"}
    answer = await api.post("/v3/webhook?passphrase=webhook", body)
    assert (answer.status, list(answer.json["message"])) == (400, ["passphrase"])


async def test_text_that_no_database_can_store_is_replaced_and_not_lost(api, desk):
    raw = json.dumps(MINIMAL)[:-1] + r', "order_comment": "a\ud800b\u0000c\ud83d\ude80"}'
    answer = await api.post("/v3/webhook", raw=raw.encode())
    assert answer.status == 201
    comment = (await api.get("/v3/signal/1")).json["order_comment"]
    assert comment == "a\ufffdb\ufffdc\U0001f680"


# The registry


OUTCOMES = [
    ("AAPL", {}, CREATED, "waiting", None),
    ("NMFC-0.72*NASDAQ:ROIC", {}, CREATED, "waiting", None),
    ("NYSE:MA-3*NYSE:V", {"order_status": "created"}, CREATED, "created", None),
    ("MA-3.000000001*V", {}, CREATED, "waiting", None),
    ("(NYSE:MA)-(3*NYSE:V)", {}, CREATED, "waiting", None),
    ("MA-3E+0*V", {}, CREATED, "waiting", None),
    ("XETR:AAPL", {}, REFUSED, "error", "exchange mismatch!"),
    ("XETR:AAPL", {"order_status": "waiting"}, REFUSED, "error", "exchange mismatch!"),
    ("EURONEXT:IBM", {"bypass_ticker_status": True}, REFUSED, "error", "exchange mismatch!"),
    ("NMFC-0.72*MIL:ROIC", {}, REFUSED, "error", "exchange mismatch!"),
    ("ELSEWHERE:AAPL", {}, CREATED, "waiting", None),
    ("NYSE:BF.B", {"status_msg": "hello"}, CREATED, "waiting", "hello"),
    ("MSFT", {}, REFUSED, "error", "unknown ticker"),
    ("aapl", {}, REFUSED, "error", "unknown ticker"),
    ("AAPL-MSFT", {}, REFUSED, "error", "unknown ticker"),
    ("V-3*MA", {}, REFUSED, "error", "unknown ticker"),
    ("MSFT", {"order_status": "waiting"}, REFUSED, "error", "unknown ticker"),
    ("IBM", {}, REFUSED, "canceled", "passive ticker"),
    ("IBM", {"order_status": "waiting"}, REFUSED, "canceled", "passive ticker"),
    ("NMFC", {}, REFUSED, "canceled", "passive ticker"),
    ("KO-PEP", {}, REFUSED, "canceled", "passive ticker"),
    ("KO-2*PEP", {}, REFUSED, "canceled", "passive ticker"),
    ("NMFC-0.73*ROIC", {}, REFUSED, "canceled", "wrong hedge"),
    ("NMFC-ROIC", {"order_status": "waiting"}, REFUSED, "canceled", "wrong hedge"),
    ("MA-3.00000001*V", {}, REFUSED, "canceled", "wrong hedge"),
    ("A/B", {}, PROBLEMATIC, "error", "problematic ticker!"),
    ("A/B", {"order_status": "waiting"}, PROBLEMATIC, "error", "problematic ticker!"),
    ("A/B", {"bypass_ticker_status": True}, PROBLEMATIC, "error", "problematic ticker!"),
    ("IBM", {"bypass_ticker_status": True}, CREATED, "waiting", None),
    ("IBM", {"bypass_ticker_status": "true"}, CREATED, "waiting", None),
    ("IBM", {"bypass_ticker_status": 1}, CREATED, "waiting", None),
    ("IBM", {"bypass_ticker_status": "false"}, REFUSED, "canceled", "passive ticker"),
    ("IBM", {"bypass_ticker_status": 0}, REFUSED, "canceled", "passive ticker"),
    ("KO-2*PEP", {"bypass_ticker_status": True}, CREATED, "waiting", None),
    ("NMFC-9*ROIC", {"bypass_ticker_status": True}, CREATED, "waiting", None),
    ("MSFT", {"bypass_ticker_status": True}, REFUSED, "error", "unknown ticker"),
]
EQUATIONS = [
    ("AAPL", "AAPL", None, None),
    ("NASDAQ:AAPL", "AAPL", None, None),
    ("1*AAPL", "AAPL", None, None),
    ("NYSE:BF.A", "BF A", None, None),
    ("BRK.B", "BRK B", None, None),
    ("BF B", "BF B", None, None),
    ("EUR.USD", "EUR.USD", None, None),
    ("TSX:REI.UN", "REI.UN", None, None),
    ("TSX:TECK.B", "TECK.B", None, None),
    ("LSE:BP.", "BP.", None, None),
    ("LSE:BP.-LSE:SHEL", "BP.", "SHEL", 1),
    ("(AAPL)", "AAPL", None, None),
    ("HKEX:700", "700", None, None),
    ("SPX500", "SPX500", None, None),
    ("ES1!", "ES1!", None, None),
    ("NMFC-0.72*NASDAQ:ROIC", "NMFC", "ROIC", 0.72),
    ("NYSE:MA-3*NYSE:V", "MA", "V", 3),
    ("A-B*2.2", "A", "B", 2.2),
    ("A-.5*B", "A", "B", 0.5),
    ("A-5e-05*B", "A", "B", 0.00005),
    ("A - 1.25*B", "A", "B", 1.25),
    ("1E+0*A-1.5E+2*B", "A", "B", 150),
    ("((A)-((150*B)))", "A", "B", 150),
    ("A-(1.25*B)", "A", "B", 1.25),
    ("1*A-3*B", "A", "B", 3),
    ("A-B", "A", "B", 1),
    ("A-B/4", "A", "B", 0.25),
]
UNREADABLE = [
    *("1.5*A-B", "A/B", "A+B", "A-B-C", "TEST 123", "A-", "*A", "A-0*B", "A--1*B", "A-B*0"),
    *("A-0.5B", "A-(B-C)", "A-1.5E +2*B", "(A-B)*2", "(" * 200, "(" * 99 + "A" + ")" * 98),
    *("-A", "A BC", "A-B/0", "2*A", "=A", "A-1e999*B", "Ä", "💥", "A" + "-" * 100),
]


async def test_the_registry_decides_what_is_traded(api, desk):
    offered = []
    for rowid, row in enumerate(OUTCOMES, 1):
        ticker, more, message, status, status_msg = row
        answer = await api.alert(ticker=ticker, **more)
        assert (answer.status, answer.json) == (201, {"message": message, "rowid": rowid}), row
        record = (await api.get(f"/v3/signal/{rowid}")).json
        assert (record["order_status"], record["status_msg"]) == (status, status_msg), row
        assert record["ticker"] == ticker
        offered += [rowid] if status == "waiting" else []
    waiting = (await api.get("/v3/signals/status/waiting/0")).json["signals"]
    assert [record["rowid"] for record in waiting] == offered[::-1]


async def test_an_equation_sets_the_legs_and_the_hedge(api):
    for ticker, leg1, leg2, hedge in EQUATIONS:
        record = await stored(api, alert(ticker=ticker))
        assert record["ticker"] == ticker
        assert record["ticker_type"] == ("pair" if leg2 else "single"), ticker
        assert (record["stk_ticker1"], record["stk_ticker2"]) == (leg1, leg2), ticker
        assert (record["ticker1"], record["ticker2"]) == (leg1, leg2), ticker
        assert record["hedge_param"] == hedge, ticker
        assert record["status_msg"] == "unknown ticker", ticker


async def test_an_unreadable_equation_is_kept_as_an_error(api, desk):
    for ticker in UNREADABLE:
        answer = await api.alert(ticker=ticker)
        assert (answer.status, answer.json["message"]) == (201, PROBLEMATIC), ticker
        record = (await api.get(f"/v3/signal/{answer.json['rowid']}")).json
        assert record["ticker"] == ticker
        assert (record["order_status"], record["status_msg"]) == ("error", "problematic ticker!")
        assert (record["stk_ticker1"], record["hedge_param"]) == (None, None), ticker
    assert (await api.get("/v3/signals/status/waiting/0")).json == {"signals": []}


async def test_a_row_id_is_never_used_twice(api, desk, admin):
    for expected in (1, 2, 3):
        assert (await api.alert()).json["rowid"] == expected
        assert (await api.delete(f"/v3/signal/{expected}", token=admin)).status == 200
    events = (await api.get("/v3/events?limit=1000", token=admin)).json["events"]
    ids = [event["id"] for event in events]
    assert ids == sorted(set(ids))


async def test_a_signal_makes_one_event_that_says_what_it_holds(api, desk, admin):
    await api.alert()
    events = (await api.get("/v3/signal/1/events", token=admin)).json["events"]
    record = (await api.get("/v3/signal/1")).json
    assert [(e["type"], e["subject"], e["source"]) for e in events] == [
        ("signal.created", "1", "webhook")
    ]
    changes = events[0]["changes"]
    assert changes.pop("expires")[1] > record["timestamp"]
    assert {key: [None, record[key]] for key in changes} == changes
    assert {"ticker", "order_contracts", "order_status", "hedge_param"} < set(changes)


# The sender's own id


WAYS = {
    "in the body": lambda key: ({"alert_id": key}, {}),
    "in the header": lambda key: ({}, {"Idempotency-Key": key}),
}


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", WAYS)
async def test_an_alert_sent_twice_is_stored_once(api, desk, admin, first, second):
    body, headers = WAYS[first]("NASDAQ:AAPL|5|2026-11-22T09:40:13Z")
    answer = await api.post("/v3/webhook", alert(**body), headers=headers)
    assert (answer.status, answer.json) == (201, {"message": CREATED, "rowid": 1})
    await api.alert()
    body, headers = WAYS[second]("NASDAQ:AAPL|5|2026-11-22T09:40:13Z")
    again = alert(order_comment="again", **body)
    answer = await api.post("/v3/webhook", again, headers=headers)
    assert (answer.status, answer.json) == (200, {"message": REPEATED, "rowid": 1})
    assert await count(api) == 2
    assert len((await api.get("/v3/signal/1/events", token=admin)).json["events"]) == 1


@pytest.mark.parametrize("blank", ["", None, "  "])
async def test_a_blank_alert_id_is_none(api, desk, blank):
    for rowid in (1, 2):
        body = alert() | {"alert_id": blank}
        answer = await api.post("/v3/webhook", body, headers={"Idempotency-Key": ""})
        assert (answer.status, answer.json["rowid"]) == (201, rowid)


UNFILLED = ["{{strategy.order.id}}", "x {{time}}-1", "{{" * 150, "a{{"]


@pytest.mark.parametrize("sent", UNFILLED)
async def test_an_alert_id_with_an_unfilled_placeholder_is_none(api, desk, sent):
    header = {"Idempotency-Key": sent}
    for rowid, (body, headers) in enumerate(
        [({"alert_id": sent}, {}), ({}, header), ({"alert_id": sent}, header)] * 2, 1
    ):
        answer = await api.post("/v3/webhook", alert() | body, headers=headers)
        assert (answer.status, answer.json["rowid"]) == (201, rowid)


async def test_beside_an_unfilled_alert_id_the_header_counts(api, desk):
    body, headers = alert(alert_id="{{id}}"), {"Idempotency-Key": "7"}
    assert (await api.post("/v3/webhook", body, headers=headers)).status == 201
    assert (await api.alert(alert_id=7)).json == {"message": REPEATED, "rowid": 1}


async def test_alert_ids_are_compared_as_whole_texts(api, desk):
    for rowid, key in enumerate(["a", "A", "a ", "x" * 200, "x" * 199, 5], 1):
        assert (await api.alert(alert_id=key)).json["rowid"] == rowid
    assert (await api.alert(alert_id="5")).json == {"message": REPEATED, "rowid": 6}


async def test_an_alert_id_longer_than_200_in_the_header_is_400(api, desk):
    answer = await api.post("/v3/webhook", alert(), headers={"Idempotency-Key": "x" * 201})
    assert (answer.status, list(answer.json["message"])) == (400, ["alert_id"])


@pytest.mark.parametrize("ticker", ["AAPL", "MSFT", "A/B"])
async def test_fifty_of_the_same_alert_at_once_are_stored_once(api, desk, ticker):
    answers = await asyncio.gather(
        *(api.alert(ticker=ticker, alert_id="one and only") for _ in range(50))
    )
    assert sorted(answer.status for answer in answers) == [200] * 49 + [201]
    assert {answer.json["rowid"] for answer in answers} == {1}
    assert await count(api) == 1


async def test_a_rejected_alert_does_not_use_up_its_id(api, desk):
    assert (await api.alert(alert_id="x", order_action="hold")).status == 400
    answer = await api.alert(alert_id="x")
    assert (answer.status, answer.json["rowid"]) == (201, 1)


async def test_an_alert_id_holds_for_ever(serve):
    async with serve() as api:
        await api.register_pair()
        assert (await api.alert(alert_id="kept")).json["rowid"] == 1
        await api.alert(alert_id="deleted")
        assert (await api.delete("/v3/signal/2", token=await api.token())).status == 200
        assert (await api.alert(alert_id="deleted")).json == {"message": REPEATED, "rowid": 2}
    async with serve() as api:
        for key, rowid in (("kept", 1), ("deleted", 2)):
            answer = await api.alert(alert_id=key)
            assert (answer.status, answer.json) == (200, {"message": REPEATED, "rowid": rowid})
        assert (await api.alert(alert_id="new")).json["rowid"] == 3


# More than can be stored


@pytest.mark.parametrize("overrides", [{"queue_limit": 4}], indirect=True)
async def test_beyond_the_queue_an_alert_is_503_and_told_when_to_come_back(api, app, desk):
    full = threading.Event()
    app.writer.submit(full.wait)  # until somebody is refused; a note of the passphrase waits too

    async def one(number):
        answer = await api.alert(alert_id=str(number))
        full.set()
        return answer

    answers = await asyncio.gather(*map(one, range(60)))
    accepted = [answer for answer in answers if answer.status == 201]
    busy = [answer for answer in answers if answer.status == 503]
    assert len(accepted) + len(busy) == 60
    assert accepted
    assert busy
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in busy)
    assert all(set(answer.json) == {"message"} for answer in busy)
    assert await count(api) == len(accepted)
