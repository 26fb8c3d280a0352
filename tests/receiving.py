"""Stores a single alert."""

from services import signals
from trading.guards import NO_RULES


def receive_one(alert, source="test", policy=NO_RULES):
    """Stores an alert, given as {column: value}; returns its receipt."""
    return signals.receive([{**alert, "source": source}], policy)[0]
