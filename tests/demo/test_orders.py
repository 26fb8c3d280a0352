"""What the demo's bridge makes of signals: refusals, quantities, and leg 2."""

from dataclasses import replace

import pytest

from demo.bridge import SYNC, Ask


def signal(**fields):
    """A signal as the waiting list has it: buy 10 of a pair, from flat to long 10."""
    return {
        "ticker": "NMFC-0.72*NASDAQ:ROIC",
        "ticker_type": "pair",
        "ticker1": "NMFC",
        "ticker2": "ROIC",
        "hedge_param": 0.72,
        "order_action": "buy",
        "order_contracts": 10,
        "order_price": 2.3,
        "pre_mar_pos": "flat",
        "pre_mar_pos_size": 0,
        "mar_pos": "long",
        "mar_pos_size": 10,
        "status_msg": None,
    } | fields


REFUSALS = [
    ({}, ""),
    ({"mar_pos_size": 8}, "position size mismatch"),
    ({"order_action": "sell"}, "position size mismatch"),
    ({"pre_mar_pos": "long", "pre_mar_pos_size": 5, "mar_pos_size": 15}, "pyramiding"),
    ({"pre_mar_pos": "short", "pre_mar_pos_size": 4, "mar_pos_size": 6}, ""),
    ({"pre_mar_pos": "short", "pre_mar_pos_size": 10, "mar_pos": "flat", "mar_pos_size": 0}, ""),
    ({"mar_pos_size": 8, "status_msg": SYNC}, ""),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSALS)
def test_sizes_must_add_up_and_nothing_is_added_to_a_position(fields, reason):
    assert Ask.of(signal(**fields)).refusal() == reason


SYNCS = [(10, ""), (4, "+synced(10->4)"), (0, "+synced(10->0)"), (-4, "+synced(10->-4)")]


@pytest.mark.parametrize(("needed", "message"), SYNCS)
def test_another_quantity_is_told(needed, message):
    assert Ask.of(signal()).synced(needed) == message


def test_a_sale_that_turns_into_a_purchase_is_told_below_zero():
    exit_long = signal(
        order_action="sell", pre_mar_pos="long", pre_mar_pos_size=10, mar_pos="flat", mar_pos_size=0
    )
    assert Ask.of(exit_long).synced(3) == "+synced(10->-3)"


def test_leg_2_goes_the_other_way_in_whole_shares():
    ask = Ask.of(signal())
    assert ask.orders() == [("NMFC", 1, 10), ("ROIC", -1, 7)]
    assert replace(ask, change=-4).orders() == [("NMFC", -1, 4), ("ROIC", 1, 2)]


def test_a_leg_of_less_than_one_share_gets_no_order():
    assert replace(Ask.of(signal()), change=1).orders() == [("NMFC", 1, 1)]


LEFT_OVER = [(-7, None), (0, ("sell", 7, "short", 7)), (-9, ("buy", 2, "short", 7))]


@pytest.mark.parametrize(("held", "expected"), LEFT_OVER)
def test_a_second_leg_that_does_not_fit_gets_a_signal_of_its_own(held, expected):
    sync = Ask.of(signal()).second_leg(held)
    if expected is None:
        assert sync is None
        return
    alert = sync.alert()
    keys = ("order_action", "order_contracts", "mar_pos", "mar_pos_size")
    assert tuple(alert[key] for key in keys) == expected
    assert (alert["ticker"], alert["status_msg"]) == ("ROIC", SYNC)
    assert "order_price" not in alert
