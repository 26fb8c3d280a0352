"""What the demo's prices do: the same with the same seed, and a fall that lasts."""

import pytest

from demo.market import CHARTS, SCRIPTED, SINGLES, STEP, Market


def prices(market):
    return {leg.symbol: market.price(leg.symbol) for chart in CHARTS for leg in chart.legs}


def test_a_single_that_falls_stays_worth_its_share_and_no_other_price_changes():
    market, other = Market(5), Market(5)
    single = SINGLES[1]
    for second in range(0, 3600, STEP):
        if second == 600:
            market.fall(single, 0.5)
        market.step()
        other.step()
    fallen, usual = prices(market), prices(other)
    assert fallen.pop("MSFT") == pytest.approx(usual.pop("MSFT") / 2, abs=0.01)
    assert fallen == usual


def test_the_charts_of_the_rules_have_prices_that_move():
    market = Market(5)
    before = [market.value(chart) for chart in SCRIPTED]
    for _ in range(60):
        market.step()
    assert all(market.value(chart) != was for chart, was in zip(SCRIPTED, before, strict=True))
