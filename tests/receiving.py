"""Stores a single alert."""

from services import signals


def receive_one(alert, source="test"):
    """Stores an alert, given as {column: value}; returns its receipt."""
    return signals.receive([{**alert, "source": source}])[0]
