"""What slippage cost: money by currency, and basis points of the value traded."""

import pytest

from trading.fills import Slipped, basis_points, by_currency

PAIR = Slipped("USD", "USD", signals=2, money=-20.0, valued=-20.0, value=20_000.0)


def test_money_of_different_currencies_is_never_added():
    groups = [PAIR, Slipped("CAD", None, 1, 7.5, 7.5, 3000.0), PAIR]
    assert by_currency(groups) == {
        "CAD": {"money": 7.5, "value": 3000, "bp": 25, "signals": 1},
        "USD": {"money": -40, "value": 40_000, "bp": -10, "signals": 4},
    }


def test_what_has_no_value_counts_as_money_alone():
    two_currencies = Slipped("USD", "CAD", 1, -5.0, -5.0, 9000.0)
    half_valued = Slipped("USD", None, 2, 10.0, 4.0, 1000.0)
    found = by_currency([PAIR, two_currencies, half_valued])
    assert found["USD"] == {"money": -15, "value": 21_000, "bp": -7.62, "signals": 5}
    alone = by_currency([two_currencies])["USD"]
    assert alone == {"money": -5, "value": 0, "bp": None, "signals": 1}


def test_who_has_no_slippage_names_no_currency():
    assert by_currency([]) == by_currency([Slipped("USD", None, 0, 0.0, 0.0, 0.0)]) == {}


@pytest.mark.parametrize(
    ("money", "value", "expected"),
    [(-12.5, 40310, -3.1), (0.0, 10, 0.0), (-1e-9, 10, 0.0), (1, 0, None), (1, 1, 10_000)],
)
def test_basis_points(money, value, expected):
    found = basis_points(money, value)
    assert found == expected
    assert str(found) != "-0.0"
