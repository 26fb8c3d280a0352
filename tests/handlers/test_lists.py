"""Lists of signals: how many, which, in which order; as CSV; all of them; and their figures."""

import asyncio
import contextlib
import csv
import io
import json
import re
from functools import partial
from urllib.parse import quote

import pytest

import models
from database import opening
from handlers import signals
from schemas.requests import SORTS
from tests.handlers.conftest import carried, prepared_desk
from tests.receiving import receive_one

pytestmark = pytest.mark.gen_test(timeout=60)

PAIR, SINGLE = "NMFC-0.72*NASDAQ:ROIC", "AAPL"
# ticker, side, contracts, status, day of November 2026, comment
ROWS = [
    (PAIR, "buy", 10, "waiting", 1, "Enter Long"),
    (SINGLE, "sell", 5, "filled", 2, "Exit 100%"),
    ("NYSE:MA-3*NYSE:V", "buy", 2.5, "rerouted", 3, "enter_long"),
    (SINGLE, "buy", 1, "canceled", 4, None),
    ("NASDAQ:AAPL", "buy", 4, "created", 5, "Grüße"),
    (PAIR, "sell", 3, "filled(...)", 6, "x"),
    ("MSFT", "buy", 7, "waiting", 7, "unknown"),
    ("NYSE:BF.B", "sell", 8, "critical err", 8, "=1+1"),
]


@pytest.fixture
def rows(app, desk, io_loop):
    """The signals above, rowids 1 to 8."""

    def store():
        for ticker, action, contracts, status, day, comment in ROWS:
            alert = {
                "ticker": ticker,
                "order_action": action,
                "order_contracts": contracts,
                "order_status": status,
            }
            alert |= {"timestamp": f"2026-11-0{day} 12:00:00", "order_comment": comment}
            receive_one(alert, "test")

    async def submit():
        await app.writer.submit(store)

    io_loop.run_sync(submit)


async def ids(api, path, **more):
    answer = await api.get(path, **more)
    assert answer.status == 200, answer.text
    assert list(answer.json) == ["signals"]
    return [record["rowid"] for record in answer.json["signals"]]


# How many


LISTS = ["/v3/signals/{}", "/v3/signals/status/waiting/{}", "/v3/signals/ticker/AAPL/{}"]


@pytest.mark.parametrize("path", LISTS)
async def test_n_is_a_whole_number_and_0_means_all(api, rows, plain_user, path):
    everything = await ids(api, path.format(0), token=plain_user)
    assert everything == sorted(everything, reverse=True)
    assert len(everything) >= 2
    for n in (1, 2, 3, 50, 101, "00", "02", "9" * 18, "9" * 40):
        expected = everything[: int(n) or None]
        assert await ids(api, path.format(n), token=plain_user) == expected, n


@pytest.mark.parametrize("path", LISTS)
async def test_any_other_n_is_400_and_tells_nothing(api, rows, plain_user, path):
    for token in (None, plain_user):
        for n in ("-1", "-0", "+1", "1.5", "1e3", "x", "%20", "1%20", "٣", "0x10", "null", "csv"):
            answer = await api.get(path.format(n), token=token)
            assert (answer.status, answer.json["signals"]) == (400, []), n
            assert set(answer.json) == {"message", "signals"}


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v3/signals/{}", 5),
        ("/v3/signals/{}.csv", 5),
        ("/v3/signals/ticker/AAPL/{}", 5),
        ("/v3/signals/status/created/{}", 5),
        ("/v3/signals/status/waiting/{}", 20),
    ],
)
async def test_a_visitor_gets_a_few_and_a_token_all(api, app, desk, plain_user, path, most):
    def store():
        for n in range(30):
            status = "created" if "created" in path else "waiting"
            alert = {
                "ticker": SINGLE,
                "order_action": "buy",
                "order_contracts": n + 1,
                "order_status": status,
            }
            receive_one(alert, "test")

    await app.writer.submit(store)

    async def count(n, query="", token=None):
        answer = await api.get(path.format(n) + query, token=token)
        assert answer.status == 200
        if ".csv" in path:
            return answer.text.count("\r\n") - 1
        return len(answer.json["signals"])

    assert await count(0) == most
    assert await count(most + 1) == most
    assert await count(2) == 2
    assert await count(0, "?limit=0") == most
    assert await count(0, "?limit=1000") == most
    assert await count(0, token=plain_user) == 30
    assert await count(25, token=plain_user) == 25


async def test_the_smaller_of_n_and_limit_counts(api, rows, plain_user):
    get = partial(ids, api, token=plain_user)
    assert await get("/v3/signals/0?limit=3") == [8, 7, 6]
    assert await get("/v3/signals/2?limit=3") == [8, 7]
    assert await get("/v3/signals/3?limit=0") == [8, 7, 6]


async def test_pages_follow_one_another_by_before(api, rows, plain_user):
    get = partial(ids, api, token=plain_user)
    assert await get("/v3/signals/3") == [8, 7, 6]
    assert await get("/v3/signals/3?before=6") == [5, 4, 3]
    assert await get("/v3/signals/3?before=3") == [2, 1]
    assert await get("/v3/signals/3?before=1") == []
    assert await get("/v3/signals/3?before=0") == []
    assert await get("/v3/signals/1?before=999999") == [8]
    assert await get("/v3/signals/ticker/AAPL/5?before=5") == [4, 2]


# Which


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v3/signals/0", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("/v3/signals/status/waiting/0", [3, 1]),
        ("/v3/signals/status/rerouted/0", [3]),
        ("/v3/signals/status/filled/0", [2]),
        ("/v3/signals/status/filled(...)/0", [6]),
        ("/v3/signals/status/critical%20err/0", [8]),
        ("/v3/signals/status/error/0", [7]),
        ("/v3/signals/status/nothing/0", []),
        ("/v3/signals/status/Waiting/0", []),
        ("/v3/signals/ticker/NMFC-ROIC/0", [6, 1]),
        ("/v3/signals/ticker/MA-V/0", [3]),
        ("/v3/signals/ticker/V-MA/0", []),
        ("/v3/signals/ticker/AAPL/0", [5, 4, 2]),
        ("/v3/signals/ticker/NMFC/0", []),
        ("/v3/signals/ticker/BF%20B/0", [8]),
        ("/v3/signals/ticker/MSFT/0", [7]),
        ("/v3/signals/ticker/%3F%3F/0", []),
        ("/v3/signals/0?status=waiting", [3, 1]),
        ("/v3/signals/0?status=created", [5]),
        ("/v3/signals/0?ticker=NMFC-ROIC", [6, 1]),
        ("/v3/signals/0?ticker=AAPL", [5, 4, 2]),
        ("/v3/signals/0?type=pair", [6, 3, 1]),
        ("/v3/signals/0?type=single", [8, 7, 5, 4, 2]),
        ("/v3/signals/0?since=2026-11-06%2012:00:00", [8, 7, 6]),
        ("/v3/signals/0?since=2026-11-06T12:00:01Z", [8, 7]),
        ("/v3/signals/0?since=2026-11-06T14:00:00%2B02:00", [8, 7, 6]),
        ("/v3/signals/0?since=2026-11-07", [8, 7]),
        ("/v3/signals/0?until=2026-11-02", [2, 1]),
        ("/v3/signals/0?until=2026-11-02%2011:59:59", [1]),
        ("/v3/signals/0?since=2026-11-02&until=2026-11-04", [4, 3, 2]),
        ("/v3/signals/0?since=2026-11-04&until=2026-11-02", []),
        ("/v3/signals/0?since=2026-11-02&until=2026-11-06&before=5&limit=2", [4, 3]),
        ("/v3/signals/0?q=enter", [3, 1]),
        ("/v3/signals/0?q=ENTER%20LONG", [1]),
        ("/v3/signals/0?q=100%25", [2]),
        ("/v3/signals/0?q=r_l", [3]),
        ("/v3/signals/0?q=%25", [2]),
        ("/v3/signals/0?q=Gr%C3%BC%C3%9Fe", [5]),
        ("/v3/signals/0?q=roic", [6, 1]),
        ("/v3/signals/0?q=unknown%20ticker", [7]),
        ("/v3/signals/0?q='%20OR%201=1", []),
        ("/v3/signals/0?q=", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("/v3/signals/0?status=&ticker=&type=&since=&until=&before=&q=", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("/v3/signals/0?type=pair&status=waiting&since=2026-11-02", [3]),
        ("/v3/signals/0?ticker=AAPL&status=filled&type=single&q=exit", [2]),
        ("/v3/signals/ticker/AAPL/0?type=pair", []),
        ("/v3/signals/ticker/AAPL/0?status=canceled", [4]),
        ("/v3/signals/status/waiting/0?ticker=MA-V", [3]),
        ("/v3/signals/status/filled/0?status=waiting", [2]),
    ],
)
async def test_a_list_holds_what_its_filters_say_newest_first(
    api, rows, plain_user, path, expected
):
    assert await ids(api, path, token=plain_user) == expected


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("type=both", {"type"}),
        ("since=yesterday", {"since"}),
        ("until=2026-13-01", {"until"}),
        ("before=x", {"before"}),
        ("before=-1", {"before"}),
        ("since=x&until=y&type=z&before=b", {"since", "until", "type", "before"}),
    ],
)
async def test_a_faulty_filter_is_400_and_named(api, rows, query, fields):
    for path in ("/v3/signals/0", "/v3/signals/status/waiting/0", "/v3/totals"):
        answer = await api.get(f"{path}?{query}")
        assert (answer.status, set(answer.json["message"])) == (400, fields)


async def test_a_faulty_limit_is_400(api, rows):
    for limit in ("-1", "x", "1.5"):
        answer = await api.get(f"/v3/signals/0?limit={limit}")
        assert (answer.status, answer.json["signals"]) == (400, [])


async def test_a_list_shows_the_same_record_as_the_signal_alone(api, rows, plain_user):
    for path in ("/v3/signals/50", "/v3/signals/0", "/v3/signals/0?q=e"):
        answer = await api.get(path, token=plain_user)
        assert answer.json["signals"]
        for record in answer.json["signals"]:
            alone = (await api.get(f"/v3/signal/{record['rowid']}")).json
            assert list(record.items()) == list(alone.items())


async def test_an_unchanged_list_need_not_be_sent_again(api, rows):
    first = await api.get("/v3/signals/status/waiting/0")
    tag = {"If-None-Match": first.headers["Etag"]}
    assert (await api.get("/v3/signals/status/waiting/0", headers=tag)).status == 304
    await api.alert()
    assert (await api.get("/v3/signals/status/waiting/0", headers=tag)).status == 200


TAGGED = [
    *("/v3/signals/0", "/v3/signals/0.csv", "/v3/signals/50", "/v3/signals/0?q=e"),
    *("/v3/signals/ticker/AAPL/0", "/v3/signal/1/events", "/v3/events", "/v3/rejected/0"),
    *("/v3/stocks/0", "/v3/tickers/0", "/v3/pairs/0", "/v3/pnl/0", "/v3/users/0"),
    *("/v3/tokens", "/v3/factors", "/v3/passphrases"),
]


@pytest.mark.slow
@pytest.mark.parametrize("path", TAGGED)
async def test_any_list_that_is_known_costs_304_and_no_body(api, rows, admin, path):
    first = await api.get(path, token=admin)
    tag = {"If-None-Match": first.headers["Etag"]}
    again = await api.get(path, token=admin, headers=tag)
    assert (again.status, again.text) == (304, "")
    assert again.headers["Etag"] == first.headers["Etag"]
    other = await api.get(path, token=admin, headers={"If-None-Match": '"another"'})
    assert (other.status, other.text) == (200, first.text)


async def test_a_tag_stands_for_the_content_also_of_what_makes_no_event(api, app, rows, admin):
    first = await api.get("/v3/stocks/0", token=admin)
    tag = {"If-None-Match": first.headers["Etag"]}
    await app.writer.submit(lambda: models.Stock.update(xch="ISLAND").execute())
    changed = await api.get("/v3/stocks/0", token=admin, headers=tag)
    assert changed.status == 200
    assert changed.json["stocks"] != first.json["stocks"]


async def test_who_sees_less_has_another_tag(api, rows, admin):
    whole = await api.get("/v3/signals/0", token=admin)
    tag = {"If-None-Match": whole.headers["Etag"]}
    answer = await api.get("/v3/signals/0", headers=tag)
    assert (answer.status, len(answer.json["signals"])) == (200, 5)


async def test_a_list_of_several_chunks_has_a_tag_too(api, app, rows, admin):
    def fill():
        row = models.Signal.get_by_id(1).columns()
        del row["rowid"]
        models.Signal.insert_many([row] * 1100).execute()

    await app.writer.submit(fill)
    first = await api.get("/v3/signals/0", token=admin)
    assert len(first.json["signals"]) == 1108
    tag = {"If-None-Match": first.headers["Etag"]}
    assert (await api.get("/v3/signals/0", token=admin, headers=tag)).status == 304


async def test_another_process_knows_the_tag(serve, desk):
    tags = []
    for _ in range(2):
        async with serve() as api:
            tags.append((await api.get("/v3/stocks/0")).headers["Etag"])
    assert tags[0] == tags[1]


# One signal


@pytest.mark.parametrize("rowid", ["0", "9", "-1", "x", "1.0", "9" * 30, "%20", "1;DROP"])
async def test_a_signal_that_is_not_there_is_404(api, rows, admin, rowid):
    for method in ("GET", "DELETE"):
        answer = await api.call(method, f"/v3/signal/{rowid}", token=admin)
        assert (answer.status, answer.json) == (404, {"message": "item not found."})


async def test_a_deleted_signal_is_gone_and_its_history_stays(api, rows, admin):
    answer = await api.delete("/v3/signal/3", token=admin)
    assert (answer.status, answer.json) == (200, {"message": "Item deleted"})
    assert (await api.get("/v3/signal/3")).status == 404
    assert (await api.delete("/v3/signal/3", token=admin)).status == 404
    assert await ids(api, "/v3/signals/0", token=admin) == [8, 7, 6, 5, 4, 2, 1]
    events = (await api.get("/v3/signal/3/events", token=admin)).json["events"]
    assert [event["type"] for event in events] == ["signal.created", "signal.deleted"]


# CSV


COMMENTS = [
    'say "hi"',
    "a,b;c",
    "two\nlines",
    "cr\r\nlf",
    "Größe ✓ 🚀",
    "=SUM(A1:A9)",
    "+1",
    "-1+2",
    "@cmd",
    "\t=1",
    "\uff1dSUM(A1:A9)",
    "\uff20cmd",
    "'quoted",
    "",
]
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff20")


async def read_csv(api, path="/v3/signals/0.csv", **more):
    answer = await api.get(path, **more)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    return answer.text, list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize("ask", ["suffix", "header"])
async def test_csv_holds_the_same_rows_and_columns(api, rows, plain_user, ask):
    if ask == "suffix":
        text, lines = await read_csv(api, token=plain_user)
    else:
        accept = {"Accept": "text/csv, */*;q=0.1"}
        text, lines = await read_csv(api, "/v3/signals/0", headers=accept, token=plain_user)
    records = (await api.get("/v3/signals/0", token=plain_user)).json["signals"]
    assert [int(line["rowid"]) for line in lines] == [8, 7, 6, 5, 4, 3, 2, 1]
    beside = ["filled_qty1", "filled_qty2", "slip_money", "currency"]
    assert text.split("\r\n")[0].split(",") == list(records[0])[:24] + beside
    assert text.endswith("\r\n")
    for line, record in zip(lines, records, strict=True):
        assert line["timestamp"] == record["timestamp"].replace(" ", "T") + "Z"
        for key in ("ticker", "order_status", "order_contracts", "hedge_param", "stk_ticker2"):
            assert line[key] == ("" if record[key] is None else str(record[key])), key


async def test_csv_keeps_every_text_and_runs_none(api, desk, admin):
    for comment in COMMENTS:
        await api.alert(order_comment=f"x{comment}")
        await api.alert(order_comment=comment)
    _, lines = await read_csv(api, token=admin)
    records = (await api.get("/v3/signals/0", token=admin)).json["signals"]
    for line, record in zip(lines, records, strict=True):
        comment = record["order_comment"] or ""
        shown = line["order_comment"]
        assert shown == ("'" + comment if comment.startswith(FORMULA) else comment)
        assert line["order_price"] == "-0.01"


async def test_csv_takes_filters_and_n_like_json(api, rows, plain_user):
    for path, expected in (
        ("/v3/signals/2.csv", [8, 7]),
        ("/v3/signals/0.csv?type=pair", [6, 3, 1]),
        ("/v3/signals/status/waiting/0.csv", [3, 1]),
        ("/v3/signals/ticker/AAPL/1.csv", [5]),
        ("/v3/signals/status/nothing/0.csv", []),
    ):
        _, lines = await read_csv(api, path, token=plain_user)
        assert [int(line["rowid"]) for line in lines] == expected, path


async def test_csv_tells_fills_and_slippage_in_money(api, desk, admin):
    rowids = [(await api.alert(order_contracts=10, ticker=t)).json["rowid"] for t in (PAIR, "X*")]
    sap = {"symbol": "SAP", "currency": "EUR", "active": 1}
    assert (await api.post("/v3/regticker", sap, token=admin)).status == 201
    single = await api.alert(ticker="SAP", order_contracts=4, order_price=10)
    rowids.append(single.json["rowid"])
    await api.put("/v3/webhook", {"rowid": rowids[2], "order_id1": 5}, token=admin)
    fill = {"order_id": 5, "symbol": "SAP", "price": 10.25, "filled_qty": 4}
    await api.put("/v3/signal/updateorder", fill, token=admin)
    _, lines = await read_csv(api, token=admin)
    keys = ("filled_qty1", "filled_qty2", "slip_money", "currency")
    assert [[line[key] for key in keys] for line in lines] == [
        ["4", "", "-1", "EUR"],
        ["", "", "", ""],  # nobody knows what the ticker means
        ["", "", "", "USD"],
    ]
    assert set(keys).isdisjoint((await api.get("/v3/signal/1")).json)


NAMES = [
    ("0.csv", "signals"),
    ("5.csv?sort=slip&limit=3", "signals"),
    (
        "0.csv?ticker=NMFC-ROIC&since=2026-11-23&until=2026-11-29",
        "signals-NMFC-ROIC-2026-11-23-to-2026-11-29",
    ),
    ("ticker/NMFC-ROIC/0.csv?since=2026-11-23", "signals-NMFC-ROIC-from-2026-11-23"),
    ("status/part.filled/0.csv?until=2026-11-23T05:00:00Z", "signals-part.filled-to-2026-11-23"),
    ("0.csv?type=pair&status=not_traded&q=a%22%0D%0Ab/../c", "signals-pair-not-traded-a-b-..-c"),
    ("0.csv?q=" + "x" * 300, "signals-" + "x" * 40),
    ("0.csv?ticker=%D0%90%D0%91", "signals"),
]


@pytest.mark.parametrize(("path", "name"), NAMES)
async def test_a_sheet_is_called_after_what_was_asked_for(api, desk, admin, path, name):
    answer = await api.get(f"/v3/signals/{path}", token=admin)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'


async def test_the_days_in_a_sheets_name_are_those_of_the_browsers_zone(api, desk, admin):
    path = "/v3/signals/0.csv?since=2026-11-23+05:00:00&until=2026-11-30+04:59:59"
    cookie = {"Cookie": "zone=America/New_York"}
    answer = await api.get(path, token=admin, headers=cookie)
    assert "signals-2026-11-23-to-2026-11-29.csv" in answer.headers["Content-Disposition"]


async def test_a_faulty_csv_call_is_answered_in_json(api, rows):
    for path in ("/v3/signals/x.csv", "/v3/signals/-1.csv", "/v3/signals/0.csv?type=x"):
        answer = await api.get(path)
        assert (answer.status, answer.json["signals"]) == (400, [])


# In other orders

NUMBERS = ("rowid", "order_contracts", "order_price", "fill_price", "slip")


def in_order(records, sort):
    """The rowids in this order, by a plain sort: missing ones last, of equal ones the newest."""
    name, down = sort.removeprefix("-"), sort.startswith("-")

    def value(record):
        if name == "ticker":
            legs = [leg for leg in (record["stk_ticker1"], record["stk_ticker2"]) if leg]
            return ("-".join(legs) or record["ticker"]).lower()
        found = record[name]
        return found if found is None or name in NUMBERS else found.lower().encode()

    newest = sorted(records, key=lambda record: -record["rowid"])
    there = [each for each in newest if value(each) is not None]
    groups = sorted({value(each) for each in there}, reverse=down)
    ordered = [each for group in groups for each in there if value(each) == group]
    return [each["rowid"] for each in (*ordered, *(each for each in newest if each not in there))]


# price, slippage and comment of rowids 1 to 5
VARIOUS = [(5, None, "b"), (None, -0.5, "B"), (5, 0.25, None), (-3, 0.25, "a"), (None, 0, "É")]


@pytest.fixture
def various(app, rows, io_loop):
    """Gives the signals of `rows` the values of VARIOUS, some of them equal or missing."""

    def change():
        for rowid, (price, slip, comment) in enumerate(VARIOUS, 1):
            fields = {"order_price": price, "fill_price": price, "slip": slip}
            changed = models.Signal.update(**fields, order_comment=comment)
            changed.where(models.Signal.rowid == rowid).execute()

    async def submit():
        await app.writer.submit(change)

    io_loop.run_sync(submit)


@pytest.mark.slow
@pytest.mark.parametrize("name", SORTS)
async def test_lists_are_sorted_over_everything_that_matches(api, various, plain_user, name):
    records = (await api.get("/v3/signals/0", token=plain_user)).json["signals"]
    for sort in (name, f"-{name}"):
        expected = in_order(records, sort)
        for number, offset in ((0, 0), (3, 0), (3, 2), (5, 7), (2, 8), (1, 10**17)):
            path = f"/v3/signals/{number}?sort={sort}&offset={offset}"
            wanted = expected[offset:][: number or None]
            assert await ids(api, path, token=plain_user) == wanted, path
        pairs = [each for each in records if each["ticker_type"] == "pair"]
        found = await ids(api, f"/v3/signals/0?sort={sort}&type=pair", token=plain_user)
        assert found == in_order(pairs, sort)
        _, lines = await read_csv(api, f"/v3/signals/0.csv?sort={sort}", token=plain_user)
        assert [int(line["rowid"]) for line in lines] == expected


async def test_an_offset_alone_leaves_out_the_newest(api, rows, plain_user):
    assert await ids(api, "/v3/signals/3?offset=2", token=plain_user) == [6, 5, 4]
    path = "/v3/signals/0?offset=1&limit=2&before=6&since=2026-11-02"
    assert await ids(api, path, token=plain_user) == [4, 3]
    assert await ids(api, "/v3/signals/status/waiting/0?offset=1", token=plain_user) == [1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("sort=x", "sort"), ("sort=--slip", "sort"), ("sort=error_msg", "sort")),
        *(("offset=-1", "offset"), ("offset=x", "offset"), ("offset=1.5", "offset")),
        ("sort=slip&before=3", "before"),
    ],
)
async def test_a_faulty_order_is_refused(api, rows, query, field):
    for path in ("/v3/signals/0", "/v3/signals/0.csv", "/v3/signals/ticker/AAPL/2"):
        answer = await api.get(f"{path}?{query}")
        assert (answer.status, list(answer.json["message"])) == (400, [field])


async def test_visitors_see_as_few_in_any_order(api, rows):
    assert len(await ids(api, "/v3/signals/0?sort=-slip")) == 5
    assert len(await ids(api, "/v3/signals/0?offset=1")) == 5


@pytest.mark.slow
async def test_a_long_sorted_list_is_whole_and_leaves_out_what_is_gone(api, many, admin):
    expected = in_order((await api.get("/v3/signals/0", token=admin)).json["signals"], "ticker")
    assert await ids(api, "/v3/signals/0?sort=ticker", token=admin) == expected
    page = signals.pages_of([*expected[:3], 10**9, *expected[3:6]], ("rowid",))
    assert [row[0] for row in (*page(4, None), *page(4, None))] == expected[:6]


# All of them


MANY = 3100


def prepared_many(url):
    """Fills a database as `prepared_desk` does, and adds some thousand signals of both kinds."""
    prepared_desk(url)
    with contextlib.closing(opening.open_database(url)) as store, store.atomic():
        for n in range(MANY):
            alert = {
                "ticker": PAIR if n % 3 else SINGLE,
                "order_action": "buy",
                "order_contracts": n + 1,
                "order_comment": f"n{n}",
            }
            receive_one(alert, "test")


@pytest.fixture
def fill(request, fill):
    return prepared_many if "many" in request.fixturenames else fill


@pytest.fixture
def many(desk):
    """Adds some thousand signals of both kinds to the database."""


async def paged(api, token, path, size):
    """The list page by page."""
    records, before = [], MANY + 1
    while True:
        query = f"{'&' if '?' in path else '?'}before={before}"
        answer = await api.get(path.replace("{}", str(size), 1) + query, token=token)
        page = answer.json["signals"]
        records += page
        if len(page) < size:
            return records
        before = page[-1]["rowid"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/v3/signals/{}", MANY),
        ("/v3/signals/status/waiting/{}", MANY),
        ("/v3/signals/ticker/AAPL/{}", 1034),
        ("/v3/signals/{}?type=pair", 2066),
        ("/v3/signals/{}?since=2000-01-01", MANY),
        ("/v3/signals/{}?q=n1", 1111),
    ],
)
async def test_all_at_once_is_the_same_as_page_by_page(api, many, admin, path, count):
    everything = (await api.get(path.replace("{}", "0", 1), token=admin)).json["signals"]
    assert len(everything) == count
    assert everything == await paged(api, admin, path, 700)


@pytest.mark.slow
async def test_a_long_list_is_exactly_as_long_as_asked(api, many, admin):
    for n in (99, 100, 101, 500, 501, 1000, 1001, MANY - 1, MANY, MANY + 1):
        found = await ids(api, f"/v3/signals/{n}", token=admin)
        assert found == list(range(MANY, max(MANY - n, 0), -1)), n


async def test_all_as_csv_is_the_same_as_all_as_json(api, many, admin):
    _, lines = await read_csv(api, token=admin)
    records = (await api.get("/v3/signals/0", token=admin)).json["signals"]
    assert len(lines) == MANY
    assert [(line["rowid"], line["order_comment"]) for line in lines] == [
        (str(record["rowid"]), record["order_comment"]) for record in records
    ]


# Totals and figures


async def test_many_ask_for_the_list_page_at_once(api):
    answers = await asyncio.gather(*(api.get("/list") for _ in range(30)))
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize(
    ("query", "count", "quantity"),
    [
        ("", 8, 40.5),
        ("?type=pair", 3, 15.5),
        ("?ticker=AAPL", 3, 10),
        ("?status=waiting", 2, 12.5),
        ("?since=2026-11-05&until=2026-11-07", 3, 14),
        ("?q=enter", 2, 12.5),
        ("?status=failed", 1, 8),
        ("?status=nothing", 0, 0),
    ],
)
async def test_totals_are_those_of_the_list(api, rows, plain_user, query, count, quantity):
    totals = (await api.get("/v3/totals" + query)).json
    assert (totals["count"], totals["quantity"]) == (count, quantity)
    assert sum(totals["by_status"].values()) == count
    records = (await api.get("/v3/signals/0" + query, token=plain_user)).json["signals"]
    assert len(records) == count


async def test_the_average_slippage_counts_signals_that_have_one(api, desk):
    for action, price in (("buy", 51), ("buy", 49), ("buy", 52), ("sell", 47)):
        fields = {"ticker": SINGLE, "order_action": action, "order_price": 50}
        rowid = (await api.alert(**fields, order_id1=1)).json["rowid"]
        body = {"passphrase": "webhook", "order_id": 1, "stk_price": price}
        assert (await api.post("/v3/price", body)).json["rowid"] == rowid
    await api.alert(ticker=SINGLE)
    totals = (await api.get("/v3/totals")).json
    assert totals["average_slippage"] == {"all": -1.25, "buy": -0.6667, "sell": -3}
    empty = (await api.get("/v3/totals?status=nothing")).json
    assert empty["average_slippage"] == {"all": None, "buy": None, "sell": None}
    assert empty["slippage"] == {}
    assert empty["slippage_by_action"] == {"buy": {}, "sell": {}}


async def test_slippage_is_money_of_each_currency_and_basis_points_of_value(api, desk, admin):
    await api.post("/v3/regticker", {"symbol": "RY", "currency": "CAD"}, token=admin)
    await api.put("/v3/regticker", {"symbol": "RY", "active": 1}, token=admin)
    orders = [  # ticker, action, contracts, price, then the legs' prices
        ("MA-3*V", "buy", 20, -2.0, (300.1, 100.756)),
        ("RY", "sell", 10, 50, (49,)),
        ("AAPL", "buy", 1, 51, (50,)),
    ]
    for number, (ticker, action, contracts, price, legs) in enumerate(orders):
        fields = {"order_action": action, "order_contracts": contracts, "order_price": price}
        ids = {f"order_id{leg}": 10 * number + leg for leg in (1, 2)}
        assert (await api.alert(ticker=ticker, **fields, **ids)).status == 201
        for leg, filled in enumerate(legs, 1):
            body = {"passphrase": "webhook", "order_id": ids[f"order_id{leg}"], "stk_price": filled}
            assert (await api.post("/v3/price", body)).status == 200
    pair = {"money": 3.36, "value": 20 * 300.1 + 60 * 100.756}
    usd = {"money": 4.36, "value": round(pair["value"] + 50, 4), "bp": 3.6, "signals": 2}
    cad = {"money": -10, "value": 490, "bp": -204.08, "signals": 1}
    totals = (await api.get("/v3/totals")).json
    assert totals["slippage"] == {"CAD": cad, "USD": usd}
    assert totals["slippage_by_action"] == {"buy": {"USD": usd}, "sell": {"CAD": cad}}
    assert (await api.get("/v3/figures")).json["slippage"] == totals["slippage"]
    assert carried(await api.get("/dashboard"))["figures"]["slippage"] == totals["slippage"]
    assert carried(await api.get("/list"))["totals"] == totals


async def test_a_currency_pairs_slippage_is_in_one_currency_in_each_spelling(api, desk, admin):
    stock = {"symbol": "USDJPY", "sectype": "CASH", "currency": "JPY", "active": 1}
    assert (await api.put("/v3/regticker", stock, token=admin)).status == 201
    fields = {"order_contracts": 10, "order_price": 150, "order_id1": 1}
    assert (await api.alert(ticker="USDJPY", **fields)).status == 201
    fill = {"passphrase": "webhook", "order_id": 1, "stk_price": 150.5}
    assert (await api.post("/v3/price", fill)).json["stk_ticker1"] == "USD.JPY"
    slippage = (await api.get("/v3/totals")).json["slippage"]
    assert {code: each["money"] for code, each in slippage.items()} == {"JPY": -5}
    [line] = (await read_csv(api, token=admin))[1]
    assert (line["currency"], line["slip_money"]) == ("JPY", "-5")
    currencies = carried(await api.get("/list"))["currencies"]
    assert currencies == {"USDJPY": "JPY", "USD.JPY": "JPY"}


async def test_the_list_of_what_failed_shows_what_its_number_counts(api, rows, admin):
    for status in ("critical err", "error", "canceled"):
        rowid = (await api.alert(ticker="AAPL")).json["rowid"]
        change = {"rowid": rowid, "order_status": status}
        assert (await api.put("/v3/webhook", change, token=admin)).status == 200
    today = models.EventRow.last_time()[:10]
    counted = (await api.get(f"/v3/figures?since={today}")).json["failed"]
    path = f"/v3/signals/0?status=failed&since={today}"
    listed = (await api.get(path, token=admin)).json["signals"]
    assert [each["order_status"] for each in listed] == ["error", "critical err"]
    assert counted == 2


async def test_figures_say_what_waits_now_and_what_happened_since(api, rows):
    figures = (await api.get("/v3/figures?since=2026-11-05")).json
    strip = {"account", "hedge", "oldest_open", "last"}
    assert {key: figures[key] for key in figures.keys() - strip} == {
        "waiting": 2,
        "held": 0,
        "open": 2,
        "filled": 0,
        "canceled": 0,
        "not_traded": 1,
        "failed": 1,
        "average_slippage": None,
        "slippage": {},
        "last_alert": "2026-11-08 12:00:00",
    }
    figures = (await api.get("/v3/figures?since=2026-11-01")).json
    assert (figures["filled"], figures["not_traded"], figures["failed"]) == (1, 1, 1)
    answer = await api.get("/v3/figures?since=x")
    assert (answer.status, list(answer.json["message"])) == (400, ["since"])


async def test_figures_of_an_empty_book_are_zero(api):
    figures = (await api.get("/v3/figures")).json
    assert figures["last_alert"] is None
    assert {figures[key] for key in ("waiting", "open", "filled", "not_traded", "failed")} == {0}


# Events


async def test_the_feed_gives_all_changes_oldest_first_from_any_point(api, rows, admin):
    everything = (await api.get("/v3/events?limit=1000", token=admin)).json["events"]
    all_ids = [event["id"] for event in everything]
    assert all_ids == sorted(all_ids)
    assert set(everything[0]) == {"id", "time", "type", "subject", "source", "changes"}
    middle = all_ids[len(all_ids) // 2]
    for after, limit in ((0, 3), (middle, 2), (middle, 1000), (all_ids[-1], 5), (10**30, 5)):
        path = f"/v3/events?after={after}&limit={limit}"
        found = (await api.get(path, token=admin)).json["events"]
        expected = [event for event in everything if event["id"] > after][:limit]
        assert found == expected


async def test_a_signals_history_tells_each_change_and_who_made_it(api, rows, admin):
    body = {"passphrase": "webhook", "rowid": 1, "order_status": "created", "order_id1": 5}
    await api.put("/v3/webhook", body)
    await api.put("/v3/webhook", {"rowid": 1, "order_comment": "mine"}, token=admin)
    events = (await api.get("/v3/signal/1/events", token=admin)).json["events"]
    assert [(event["type"], event["source"], event["subject"]) for event in events] == [
        ("signal.created", "test", "1"),
        ("signal.updated", "bridge", "1"),
        ("signal.updated", "admin", "1"),
    ]
    assert events[1]["changes"] == {"order_status": ["waiting", "created"], "order_id1": [None, 5]}
    assert events[2]["changes"] == {"order_comment": ["Enter Long", "mine"]}


async def test_numbers_in_the_feed_are_written_as_in_records(api, rows, admin):
    answer = await api.get("/v3/signal/2/events", token=admin)
    changes = json.loads(answer.text)["events"][0]["changes"]
    assert changes["order_contracts"] == [None, 5]
    assert '"order_contracts":[null,5]' in answer.text


async def test_a_sum_that_no_number_holds_is_null_and_breaks_nothing(api, app, desk):
    def store():  # as an import may
        for _ in range(2):
            alert = {"ticker": "AAPL", "order_action": "buy", "order_contracts": 1.7e308}
            receive_one(alert)

    await app.writer.submit(store)
    totals = (await api.get("/v3/totals")).json
    assert (totals["count"], totals["quantity"]) == (2, None)
    assert (await api.get("/dashboard")).status == 200


@pytest.mark.parametrize(("text", "found"), [("ÄRGER", 1), ("äRGER", 0), ("Ärger", 1), ("[", 0)])
async def test_a_search_knows_no_case_of_a_to_z_alone_on_any_database(api, desk, text, found):
    await api.alert(order_comment="Großer Ärger")
    answer = await api.get(f"/v3/signals/0?q={quote(text)}")
    assert len(answer.json["signals"]) == found


@pytest.mark.parametrize(
    "path", ["stock/A%00B", "pair/A%00-B", "signals/status/x%00/3", "signal/%00"]
)
async def test_a_nul_in_a_path_names_nothing(api, desk, path):
    assert (await api.get(f"/v3/{path}")).status == 400


async def test_a_bound_may_be_a_unix_time(api, rows, plain_user):
    since, until = 1793707200, 1793880000  # the 3rd and the 5th of November 2026, 12:00
    for factor in (1, 1000):
        query = f"since={since * factor}&until={until * factor}"
        assert await ids(api, f"/v3/signals/0?{query}", token=plain_user) == [5, 4, 3]


@pytest.mark.parametrize("overrides", [{"zone": "Asia/Tokyo"}], indirect=True)
@pytest.mark.parametrize(
    ("start", "since"),
    [
        ("1705331385", "2024-01-15 15:09:45"),
        ("1705331385158", "2024-01-15 15:09:45"),
        ("2024-01-15T15:09:45Z", "2024-01-15 15:09:45"),
        ("2024-01-15 15:09:45", "2024-01-15 06:09:45"),
    ],
)
async def test_the_pages_zone_moves_no_instant_that_needs_none(api, app, desk, start, since):
    order = {"ticker": SINGLE, "order_action": "buy", "order_contracts": 1}
    for moment in (since, since[:-1] + "4"):  # the second before
        work = partial(receive_one, {**order, "timestamp": moment}, "test")
        await app.writer.submit(work)
    page = carried(await api.get(f"/list?start_date={quote(start)}"))
    assert [each["timestamp"] for each in page["signals"]] == [since]


# What a page makes of its address


@pytest.mark.parametrize(
    ("sent", "called"),
    [
        ("MA-1.3*V", "MA-V"),
        ("NYSE:MA-NYSE:V", "MA-V"),
        ("NASDAQ:AAPL", "AAPL"),
        ("NOPE", "NOPE"),
        ("MA - (", "MA - ("),
        ("", ""),
    ],
)
@pytest.mark.parametrize("page", ["/dashboard", "/list"])
async def test_a_filters_ticker_is_shown_as_signals_call_it(api, desk, admin, page, sent, called):
    answer = await api.get(f"{page}?ticker_webhook={quote(sent)}", token=None)
    field = re.search(r'<input[^>]*name="ticker_webhook"[^>]*>', answer.text)[0]
    assert f'value="{called}"' in field


async def test_a_currency_pairs_ticker_is_shown_as_the_broker_spells_it(api, desk, admin):
    stock = {"symbol": "EURUSD", "sectype": "CASH", "active": 1}
    assert (await api.put("/v3/regticker", stock, token=admin)).status == 201
    answer = await api.get("/list?ticker_webhook=FX:EURUSD")
    field = re.search(r'<input[^>]*name="ticker_webhook"[^>]*>', answer.text)[0]
    assert 'value="EUR.USD"' in field


async def test_an_unknown_status_filters_nothing(api, rows):
    every = carried(await api.get("/dashboard"))["signals"]
    assert every
    assert carried(await api.get("/dashboard?status=wating"))["signals"] == every
    chosen = await api.get("/dashboard?status=rerouted")
    assert re.search(r'<option[^>]*value="rerouted"[^>]*selected', chosen.text)
