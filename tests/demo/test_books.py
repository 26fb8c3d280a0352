"""The demo's own books: what the server is compared with must be right itself."""

import pytest

from demo.books import START, Account, Entry, Ledger, Position

POSITIONS = [
    # trades, then (quantity, average cost, realized)
    ([(100, 10.0)], (100, 10.0, 0.0)),
    ([(100, 10.0), (100, 12.0)], (200, 11.0, 0.0)),
    ([(100, 10.0), (-40, 13.0)], (60, 10.0, 120.0)),
    ([(100, 10.0), (-100, 9.0)], (0, 0.0, -100.0)),
    ([(100, 10.0), (-150, 12.0)], (-50, 12.0, 200.0)),
    ([(-100, 10.0)], (-100, 10.0, 0.0)),
    ([(-100, 10.0), (-300, 14.0)], (-400, 13.0, 0.0)),
    ([(-100, 10.0), (40, 8.0)], (-60, 10.0, 80.0)),
    ([(-100, 10.0), (250, 11.0)], (150, 11.0, -100.0)),
    ([(100, 10.0), (-100, 9.0), (10, 5.0)], (10, 5.0, -100.0)),
]


@pytest.mark.parametrize(("trades", "expected"), POSITIONS)
def test_a_position_averages_what_opens_and_realizes_what_closes(trades, expected):
    position = Position()
    for quantity, price in trades:
        position.trade(quantity, price)
    assert (position.quantity, position.cost, position.realized) == pytest.approx(expected)


def test_the_account_adds_up_in_dollars():
    prices = {"KO": 60.0, "PEP": 170.0, "USD.CAD": 1.25}
    account = Account(prices.__getitem__)
    account.trade("KO", 400, 60.0)
    account.trade("PEP", -144, 170.0)
    account.trade("USD.CAD", 10_000, 1.25)
    account.trade("KO", -100, 62.0)
    prices |= {"KO": 61.0, "PEP": 171.0, "USD.CAD": 1.5}
    # 200 realized; 300 - 144 and 2,500 CAD at 1.5 open; 300 * 61 + 144 * 171 + 10,000 held
    assert account.figures() == {
        "NetLiquidation": 502_023.0,
        "GrossPositionValue": 52_924.0,
        "MaintMarginReq": 13_231.0,
        "AvailableFunds": 488_792.0,
        "BuyingPower": 1_955_167.0,
        "DailyPnL": 2_022.7,
        "RealizedPnL": 200.0,
        "UnrealizedPnL": 1_822.7,
    }
    assert account.pnl("KO") == 300
    assert account.pnl("USD.CAD") == 2_500


def test_a_new_day_begins_at_the_close_and_forgets_what_is_flat():
    prices = {"KO": 60.0, "PEP": 170.0}
    account = Account(prices.__getitem__)
    account.trade("KO", 400, 60.0)
    account.trade("PEP", 10, 170.0)
    prices |= {"KO": 61.0, "PEP": 175.0}
    account.trade("PEP", -10, 175.0)
    account.new_day()
    assert account.net() == START + 450
    assert account.positions == {"KO": Position(400, 60.0, 0.0)}
    assert account.figures()["DailyPnL"] == 0
    prices["KO"] = 60.5
    figures = account.figures()
    assert (figures["DailyPnL"], figures["UnrealizedPnL"]) == (-200.0, 200.0)


def test_a_lost_position_is_gone_without_a_trade_and_what_was_realized_stays():
    account = Account({"KO": 61.0}.__getitem__)
    account.trade("KO", 400, 60.0)
    account.trade("KO", -100, 62.0)
    account.lose("KO")
    assert account.positions == {"KO": Position(0.0, 0.0, 200.0)}
    assert account.net() == START + 200


def pair(**fields):
    return Entry(**{"action": "buy", "contracts": 10, "price": -2.0, "hedge": 0.72} | fields)


LEGS = ("MA", "V")
FILLS = [
    # entry, reports in the order they come, then (status, message, fill price, slippage)
    (pair(legs=LEGS), {}, ("waiting", None, None, None)),
    (pair(legs=LEGS, status="created", message=""), {}, ("created", "", None, None)),
    (pair(legs=LEGS), {1: (300.1, 10.0)}, ("filled(...)", "remained(MA): 0.0", None, None)),
    (pair(legs=LEGS, message=""), {2: (100.5, 7.0)}, ("filled(...)", "", None, None)),
    (
        pair(legs=LEGS, contracts=100, hedge=3.0),
        {1: (300.1, 100.0), 2: (100.756, 300.0)},
        ("filled", "", -2.168, 0.168),
    ),
    (
        pair(legs=LEGS, action="sell"),
        {2: (100.0, 7.0), 1: (71.5, 10.0)},
        ("filled", "", -0.5, 1.5),
    ),
    (
        pair(legs=LEGS),
        {1: (70.0, 10.0), 2: (100.0, 3.0)},
        ("part.filled", "remained(V): 4.0", -2.0, 0.0),
    ),
    (
        pair(legs=LEGS),
        {2: (100.0, 3.0), 1: (70.0, 4.0)},
        ("part.filled", "remained(MA): 6.0", -2.0, 0.0),
    ),
    (
        pair(legs=("KO",), hedge=1.0, price=60.0),
        {1: (60.25, 4.0)},
        ("part.filled", "remained: 6.0", 60.25, -0.25),
    ),
    (
        pair(legs=("KO",), hedge=1.0, price=60.0, action="sell"),
        {1: (60.25, 10.0)},
        ("filled", "", 60.25, 0.25),
    ),
    (
        pair(legs=("KO",), hedge=1.0, price=None),
        {1: (60.25, 10.0)},
        ("filled", "", 60.25, None),
    ),
]


@pytest.mark.parametrize(("entry", "reports", "expected"), FILLS)
def test_a_signal_is_what_its_reports_make_of_it(entry, reports, expected):
    entry.reports = reports
    record = entry.record()
    told = [record[key] for key in ("order_status", "status_msg", "fill_price", "slip")]
    assert tuple(told) == expected


CANCELS = [
    # reports before the cancel and after it, then (status, message)
    ([], [], ("canceled", "mult.act.orders")),
    ([(60.0, 4.0)], [], ("canceled", "(*)part.filled | remained: 6.0")),
    ([(60.0, 4.0)], [(60.0, 4.0)], ("canceled", "(*)part.filled | remained: 6.0")),
    ([(60.0, 4.0)], [(60.5, 7.0)], ("part.filled", "remained: 3.0")),
    ([(60.0, 4.0)], [(60.5, 10.0)], ("filled", "")),
    ([], [(60.0, 10.0)], ("filled", "")),
]


@pytest.mark.parametrize(("before", "after", "expected"), CANCELS)
def test_a_cancel_holds_until_more_was_filled(before, after, expected):
    ledger = Ledger()
    ledger.entries[7] = Entry("buy", 10, 60.0, ("KO",), status="created", message="")
    ledger.placed(7, (1001,))
    for report in before:
        assert ledger.reported(1001, *report)
    ledger.canceled(1001)
    for report in after:
        assert ledger.reported(1001, *report) == (report not in before)
    assert ledger.entries[7].state() == expected
