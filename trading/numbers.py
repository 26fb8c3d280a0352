"""Whole numbers among floats."""

from typing import Any

EXACT = 2**53  # below it every whole number is a float of its own


def plain(value: Any) -> Any:
    """A whole number below 2**53 without its `.0`; anything else as it is."""
    if type(value) is float and value.is_integer() and -EXACT < value < EXACT:
        return int(value)
    return value
