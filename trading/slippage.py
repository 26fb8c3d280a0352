"""What slippage cost: in money, and against the value that was traded.

A signal's slippage in money is its slippage times its contracts, in the currency of leg 1; above 0
it is in the trader's favour. Its value is the sum over its legs of price times quantity filled,
without signs. Of a pair whose legs have two currencies, or without a leg's price, there is none.
Money of different currencies is never added.
"""

from collections.abc import Iterable
from dataclasses import dataclass

_BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Slipped:
    """Sums over signals that have a slippage and trade the same legs.

    `valued` is the money of those whose value is known.
    """

    currency1: str
    currency2: str | None
    signals: int
    money: float
    valued: float
    value: float

    @property
    def has_value(self) -> bool:
        """Whether both legs' values can be added."""
        return self.currency2 in (None, self.currency1)


def by_currency(groups: Iterable[Slipped]) -> dict[str, dict[str, float | None]]:
    """{currency: {money, value, bp, signals}}; `bp` is None where no value is known."""
    sorted_by: dict[str, list[Slipped]] = {}
    for group in groups:
        if group.signals:
            sorted_by.setdefault(group.currency1, []).append(group)
    return {currency: _sums(sorted_by[currency]) for currency in sorted(sorted_by)}


def _sums(groups: list[Slipped]) -> dict[str, float | None]:
    valued = [group for group in groups if group.has_value]
    value = sum(group.value for group in valued)
    return {
        "money": round(sum(group.money for group in groups), 4) + 0.0,
        "value": round(value, 4),
        "bp": basis_points(sum(group.valued for group in valued), value),
        "signals": sum(group.signals for group in groups),
    }


def basis_points(money: float, value: float) -> float | None:
    """Money in hundredths of a percent of a value; None where there is no value."""
    return round(money / value * _BASIS_POINTS, 2) + 0.0 if value else None
