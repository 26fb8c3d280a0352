"""Alarms: looking for what is wrong, telling of it once, telling again."""

from alarms.delivery import Place
from alarms.watchman import Watchman

__all__ = ["Place", "Watchman"]
