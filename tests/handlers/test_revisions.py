"""PUT /v3/webhook: what stays, which spelling wins, and when an equation is checked again."""

import pytest

from tests.conftest import ON_SQLITE, alert

pytestmark = pytest.mark.gen_test(timeout=60)

NOT_FOUND = {"message": "item not found."}


async def record_of(api, rowid=1):
    return (await api.get(f"/v3/signal/{rowid}")).json


async def revise(api, rowid=1, token=None, **fields):
    """Puts these fields, by passphrase unless there is a token."""
    by = {} if token else {"passphrase": "webhook"}
    return await api.put("/v3/webhook", {**by, "rowid": rowid, **fields}, token=token)


async def updates(api, admin, rowid=1):
    """The signal's updates: (source, changes)."""
    events = (await api.get(f"/v3/signal/{rowid}/events", token=admin)).json["events"]
    return [
        (each["source"], each["changes"]) for each in events if each["type"] != "signal.created"
    ]


async def fill(api, rowid=1):
    """Makes the signal a filled pair: NMFC at 12.5, ROIC at 14.2."""
    await revise(api, rowid, order_status="created", order_id1=1010, order_id2=1011)
    for order_id, price in ((1010, 12.5), (1011, 14.2)):
        await api.post(
            "/v3/price", {"passphrase": "webhook", "order_id": order_id, "stk_price": price}
        )
    record = await record_of(api, rowid)
    assert record["order_status"] == "filled"
    return record


# Which signal, and the answer


async def test_the_answer_is_the_record_without_its_timestamp(api, desk):
    await api.alert()
    answer = await revise(api, order_status="created")
    assert answer.status == 200
    record = await record_of(api)
    del record["timestamp"]
    assert answer.json == record
    assert list(answer.json) == list(record)
    assert record["order_status"] == "created"


@pytest.mark.parametrize("rowid", [2, "2", 0, -1, 2**62, "999999999999"])
async def test_a_signal_that_is_not_there_is_404(api, desk, rowid):
    await api.alert()
    answer = await revise(api, rowid, order_status="created")
    assert (answer.status, answer.json) == (404, NOT_FOUND)


@pytest.mark.parametrize("rowid", ["1", " 1 ", 1.0])
async def test_the_rowid_may_be_text_of_digits(api, desk, rowid):
    await api.alert()
    answer = await revise(api, rowid, order_comment="seen")
    assert (answer.status, answer.json["rowid"]) == (200, 1)


@pytest.mark.parametrize("rowid", [None, "", "abc", "1.5", 1.5, True, [1], {}, 2**63, "9" * 30])
async def test_what_cannot_be_a_rowid_is_400(api, rowid):
    answer = await revise(api, rowid)
    assert (answer.status, list(answer.json["message"])) == (400, ["rowid"])


async def test_only_the_rowid_is_required(api, desk, admin):
    await api.alert()
    before = await record_of(api)
    assert (await revise(api)).status == 200
    answer = await api.put("/v3/webhook", {"passphrase": "webhook"})
    assert (answer.status, answer.json) == (400, {"message": {"rowid": "required"}})
    assert await record_of(api) == before
    assert await updates(api, admin) == []


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"rowid": NaN}', b"\xff"])
async def test_a_body_that_is_no_object_is_400(api, admin, raw):
    for token in (None, admin):
        answer = await api.put("/v3/webhook", raw=raw, token=token)
        assert answer.status == 400
        assert answer.json["message"].startswith("the body must be a JSON object")


# What changes


@pytest.mark.parametrize(
    ("field", "sent", "answered"),
    [
        ("order_action", "SELL", "sell"),
        ("order_contracts", "4.5", 4.5),
        ("order_price", None, None),
        ("order_price", "-2", -2),
        ("mar_pos", "short", "short"),
        ("mar_pos_size", "3", 3),
        ("mar_pos_size", None, 0),
        ("pre_mar_pos", None, None),
        ("pre_mar_pos_size", 2.5, 2.5),
        ("order_comment", " by hand ", "by hand"),
        ("order_comment", None, None),
        ("order_status", "created", "created"),
        ("order_status", ["canceled"], "canceled"),
        ("order_status", "filled(...)", "filled(...)"),
        ("order_status", "a state of my own", "a state of my own"),
        ("order_status", "x" * 40, "x" * 40),
        ("order_id1", "1010", 1010),
        ("order_id1", 1010, 1010),
        ("order_id2", "7", 7),
        ("stk_price1", "12.5", 12.5),
        ("price2", 0, 0),
        ("fill_price", -2.168, -2.168),
        ("slip", "0.168", 0.168),
        ("status_msg", "+synced(10->-4)", "+synced(10->-4)"),
        ("status_msg", "", ""),
        ("status_msg", "m" * 2500, "m" * 2000),
        ("error_msg", "| 1147/399 - text  ", "| 1147/399 - text  "),
        ("error_msg", "e" * 2500, "e" * 2000),
    ],
)
async def test_a_field_that_is_sent_replaces_what_was_stored(api, desk, field, sent, answered):
    await api.alert(order_id1=1, order_id2=2)
    before = await record_of(api)
    assert (await revise(api, **{field: sent})).status == 200
    after = await record_of(api)
    twin = {"stk_price1": "price1", "price2": "stk_price2"}.get(field, field)
    assert after == before | {field: answered, twin: answered}


BAD = {
    "order_action": ["hold", None, "", 1],
    "order_contracts": [0, -1, None, "x", True, "nan"],
    "order_price": ["x", True, [], "1e999"],
    "mar_pos": ["up", True],
    "mar_pos_size": [-1, "x"],
    "order_comment": ["x" * 4001, []],
    "order_status": ["x" * 41, ["a", "b"], {}, True],
    "timestamp": ["now", True],
    "ticker": ["", "  ", None, "A" * 201, ["AAPL"]],
    "order_id1": ["x", 1.5, 2**63, True, [1]],
    "hedge_param": [0, -1, "x"],
    "price1": ["x", True],
    "bypass_ticker_status": ["yes", 2, "", []],
}


@ON_SQLITE
@pytest.mark.parametrize("field", BAD)
async def test_a_bad_value_is_400_and_changes_nothing(api, desk, field):
    await api.alert()
    before = await record_of(api)
    for bad in BAD[field]:
        answer = await revise(api, **{"error_msg": "changed", field: bad})
        assert (answer.status, list(answer.json["message"])) == (400, [field]), bad
    assert await record_of(api) == before


async def test_a_change_makes_one_event_with_old_and_new(api, desk, admin):
    await api.alert()
    await revise(api, order_status="created", order_id1=5, order_comment="Enter Long")
    await revise(api, order_status="created", order_id1="5")
    await revise(api, token=admin, order_comment="mine")
    assert await updates(api, admin) == [
        ("bridge", {"order_status": ["waiting", "created"], "order_id1": [None, 5]}),
        ("admin", {"order_comment": ["Enter Long", "mine"]}),
    ]


TICKERS = [
    *("NMFC-0.72*NASDAQ:ROIC", "AAPL", "NYSE:BF.B", "EUR.USD", "HKEX:700", "A/B", "MSFT", "KO-PEP"),
    *("A.B.C", "1*A-3*B", "A - 1.25*B", "X" * 200, "NSE:M&M-" + "Y" * 100),
]


async def test_the_whole_record_sent_back_changes_nothing(api, desk, admin):
    for rowid, ticker in enumerate(TICKERS, 1):
        await api.alert(ticker=ticker, order_contracts=1.5, order_id1=9, price1=1)
        record = await record_of(api, rowid)
        for token in (None, admin):
            by = {} if token else {"passphrase": "webhook"}
            answer = await api.put("/v3/webhook", record | by, token=token)
            assert answer.status == 200, (ticker, answer.text)
        assert await record_of(api, rowid) == record
        assert await updates(api, admin, rowid) == [], ticker


@ON_SQLITE
@pytest.mark.parametrize(
    ("sent", "price"),
    [
        ({"stk_price1": 5}, 5),
        ({"price1": 6}, 6),
        ({"stk_price1": 5, "price1": 1}, 5),
        ({"stk_price1": 1, "price1": 6}, 6),
        ({"stk_price1": 5, "price1": 6}, 6),
        ({"price1": 6, "stk_price1": 5}, 6),
        ({"stk_price1": 1, "price1": 1}, 1),
        ({"stk_price1": None, "price1": 1}, None),
        ({"stk_price1": 1, "price1": None}, None),
        ({"stk_price1": 5, "price1": None}, None),
        ({"stk_price1": "1.0", "price1": 6}, 6),
    ],
)
async def test_of_two_spellings_the_one_that_differs_wins_then_the_short_one(
    api, desk, sent, price
):
    await api.alert(stk_price1=1)
    assert (await revise(api, **sent)).status == 200
    record = await record_of(api)
    assert (record["stk_price1"], record["price1"]) == (price, price)


@pytest.mark.parametrize("spelling", ["stk_ticker1", "ticker1"])
async def test_a_leg_may_be_named_in_either_spelling(api, desk, spelling):
    await api.alert()
    assert (await revise(api, **{spelling: "NMFX"})).json["ticker1"] == "NMFX"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (None, "2026-11-22 09:40:13"),
        ("2026-11-22 09:40:13", "2026-11-22 09:40:13"),
        ("2026-11-22 09:40:13.5", "2026-11-22 09:40:13"),
        ("2026-11-22T09:40:13Z", "2026-11-22 09:40:13"),
        ("2026-11-22 09:40:14", "2026-11-22 09:40:14"),
        ("2026-11-22T10:40:14+01:00", "2026-11-22 09:40:14"),
        ("2025-01-01T00:00:00", "2025-01-01 00:00:00"),
    ],
)
async def test_the_time_stays_unless_another_one_is_sent(api, desk, admin, sent, stored):
    await api.alert(timestamp="2026-11-22 09:40:13")
    assert (await revise(api, timestamp=sent)).status == 200
    assert (await record_of(api))["timestamp"] == stored
    assert len(await updates(api, admin)) == (stored != "2026-11-22 09:40:13")


# The equation


async def pause(api, admin):
    """Pauses one pair, deletes another, changes the hedge of a third."""
    for name, change in (("NMFC-ROIC", {"status": 0}), ("MA-V", {"hedge": 4})):
        answer = await api.put("/v3/regpair", {"name": name, **change}, token=admin)
        assert answer.status == 200
    assert (await api.delete("/v3/pair/KO-PEP", token=admin)).status == 200


@pytest.mark.parametrize("ticker", ["NMFC-0.72*NASDAQ:ROIC", "MA-3*V", "KO-PEP"])
async def test_an_unchanged_equation_is_not_checked_again(api, desk, admin, ticker):
    await api.alert(ticker=ticker, bypass_ticker_status=True)
    await pause(api, admin)
    before = await record_of(api)
    answer = await api.put(
        "/v3/webhook", before | {"passphrase": "webhook", "order_status": "created"}
    )
    assert (answer.status, answer.json["order_status"]) == (200, "created")
    assert await record_of(api) == before | {"order_status": "created"}


@ON_SQLITE
@pytest.mark.parametrize(
    ("ticker", "more", "status", "status_msg"),
    [
        ("MA-3*V", {}, "waiting", None),
        ("MA-3*V", {"order_status": "created", "status_msg": "x"}, "created", "x"),
        ("AAPL", {}, "waiting", None),
        ("KO-PEP", {"order_status": "created"}, "canceled", "passive ticker"),
        ("NMFC-0.8*ROIC", {"order_status": "created"}, "canceled", "wrong hedge"),
        ("MSFT", {"order_status": "created"}, "error", "unknown ticker"),
        ("A/B", {"order_status": "created"}, "error", "problematic ticker!"),
        ("KO-PEP", {"bypass_ticker_status": True}, "waiting", None),
        ("NMFC-0.8*ROIC", {"bypass_ticker_status": "true"}, "waiting", None),
        ("KO-PEP", {"bypass_ticker_status": False}, "canceled", "passive ticker"),
    ],
)
async def test_a_changed_equation_is_checked(api, desk, ticker, more, status, status_msg):
    await api.alert()
    answer = await revise(api, ticker=ticker, **more)
    assert answer.status == 200
    record = await record_of(api)
    assert record["ticker"] == ticker
    assert (record["order_status"], record["status_msg"]) == (status, status_msg)


@pytest.mark.parametrize(
    ("ticker", "kind", "leg1", "leg2", "hedge"),
    [
        ("AAPL", "single", "AAPL", None, None),
        ("NYSE:MA-3*NYSE:V", "pair", "MA", "V", 3),
        ("A/B", None, None, None, None),
    ],
)
async def test_a_changed_equation_sets_the_legs_whatever_else_is_sent(
    api, desk, ticker, kind, leg1, leg2, hedge
):
    await api.alert()
    old = await record_of(api)
    answer = await api.put("/v3/webhook", old | {"passphrase": "webhook", "ticker": ticker})
    assert answer.status == 200
    record = await record_of(api)
    assert [record[key] for key in ("ticker_type", "stk_ticker1", "stk_ticker2")] == [
        kind,
        leg1,
        leg2,
    ]
    assert (record["ticker1"], record["ticker2"], record["hedge_param"]) == (leg1, leg2, hedge)


@pytest.mark.parametrize("field", ["hedge_param", "ticker1", "stk_ticker2", "ticker_type"])
async def test_a_pair_that_is_offered_keeps_what_the_bridge_needs(api, desk, field):
    await api.alert()
    await revise(api, **{field: None})
    for record in (await api.get("/v3/signals/status/waiting/0")).json["signals"]:
        assert record["ticker_type"] == "pair"
        assert isinstance(record["hedge_param"], float)
        assert record["ticker1"]
        assert record["ticker2"]


# What is filled stays filled


@pytest.mark.parametrize(
    "change",
    [
        {"order_status": "created"},
        {"order_status": ["canceled"], "status_msg": "insufficient funds"},
        {"order_status": "waiting", "order_id1": None, "order_id2": None},
        {"order_status": "part.filled", "price1": 1},
        {"ticker": "A/B"},
        {"ticker": "KO-PEP", "order_status": "created"},
    ],
)
async def test_the_passphrase_never_takes_filled_back(api, desk, change):
    await api.alert()
    before = await fill(api)
    assert (await revise(api, **change)).status == 200
    after = await record_of(api)
    for key in ("order_status", "fill_price", "slip", "stk_price1", "stk_price2"):
        assert after[key] == before[key], key


@pytest.mark.parametrize("kind", ["not fresh", "cookie"])
async def test_who_gives_the_passphrase_is_the_bridge_whoever_he_is(
    api, desk, admin, callers, kind
):
    await api.alert()
    await fill(api)
    if kind == "cookie":
        _, cookie = await callers.session("admin")
        headers = {"Cookie": f"session={cookie}"}
    else:
        headers = {"Authorization": f"Bearer {await callers.token(fresh=False)}"}
    body = {"passphrase": "webhook", "rowid": 1, "order_status": "created", "order_comment": "x"}
    answer = await api.put("/v3/webhook", body, headers=headers)
    assert (answer.status, answer.json["order_status"]) == (200, "filled")
    source, changes = (await updates(api, admin))[-1]
    assert (source, changes) == ("bridge", {"order_comment": ["Enter Long", "x"]})


@pytest.mark.parametrize("leg", ["stk_price1", "stk_price2"])
async def test_what_began_to_fill_is_not_offered_again_by_a_stale_record(api, desk, leg):
    await api.alert(order_status="created")
    await revise(api, **{leg: 0, "order_status": "filled(...)"})
    for state in ("waiting", "rerouted"):
        assert (await revise(api, order_status=state)).json["order_status"] == "filled(...)"
    assert (await api.get("/v3/signals/status/waiting/0")).json == {"signals": []}


@pytest.mark.parametrize("form", ["bridge", "seed"])
async def test_a_whole_record_from_before_the_fill_takes_nothing_of_it_back(api, desk, form):
    await api.alert(order_contracts=10)
    stale = await record_of(api)
    await revise(api, order_status="created", order_id1=1010, order_id2=1011)
    body = {"passphrase": "webhook", "order_id": 1010, "price": 12.5}
    body |= {"symbol": "NMFC", "filled_qty": 4} if form == "bridge" else {}
    await api.put("/v3/signal/updateorder", body)
    before = await record_of(api)
    assert before["order_status"] == "filled(...)"
    for _ in range(2):
        answer = await revise(api, **stale | {"order_status": "rerouted", "status_msg": "+route"})
        assert answer.status == 200
        assert await record_of(api) == before


async def test_a_problematic_signal_is_never_offered(api, desk, admin):
    await api.alert(ticker="A/B")
    for token in (None, admin):
        for state in ("waiting", "rerouted"):
            assert (await revise(api, token=token, order_status=state)).status == 400
    assert (await revise(api, ticker="AAPL", order_status="waiting")).status == 200
    await revise(api, ticker="A+B", order_status="waiting")
    assert (await api.get("/v3/signals/status/waiting/0")).json == {"signals": []}


async def test_what_the_bridge_would_not_find_is_never_offered(api, desk, admin):
    await api.alert(ticker="MSFT")
    for token in (None, admin):
        for state in ("waiting", "rerouted"):
            answer = await revise(api, token=token, order_status=state)
            reason = {"order_status": "an unknown ticker cannot be traded"}
            assert (answer.status, answer.json) == (400, {"message": reason})
    await api.register_stock("MSFT", active=0)
    assert (await revise(api, token=admin, order_status="waiting")).status == 200
    assert (await api.get("/v3/ticker/MSFT")).status == 200


async def test_the_owners_token_may_take_filled_back(api, desk, plain_user):
    await api.alert()
    await fill(api)
    answer = await revise(api, token=plain_user, order_status="created", fill_price=None)
    assert (answer.json["order_status"], answer.json["fill_price"]) == ("created", None)


async def test_what_the_passphrase_may_still_change_on_a_filled_signal(api, desk):
    await api.alert()
    await fill(api)
    answer = await revise(api, order_comment="seen", error_msg="late")
    assert (answer.json["order_comment"], answer.json["error_msg"]) == ("seen", "late")


async def test_a_signal_changed_by_several_at_once_keeps_all_changes(api, desk, admin):
    await api.post("/v3/webhook", alert())
    changes = {"order_comment": "a", "error_msg": "b", "order_id1": 1, "order_price": 5}
    for answer in [await revise(api, **{key: value}) for key, value in changes.items()]:
        assert answer.status == 200
    record = await record_of(api)
    assert {key: record[key] for key in changes} == changes
