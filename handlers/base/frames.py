"""Events as the websocket's frames."""

from collections.abc import Iterable
from typing import Any

import live
import models
import schemas


def event_frame(event: models.Event) -> live.Frame:
    """The frame of an event that was just stored."""
    return _frame(event.type, event.id, event.record, event.changes)


def missed_frames(missed: Iterable[models.Missed]) -> list[live.Frame]:
    """The frames of events that were read."""
    return [_frame(each.type, each.id, each.record, each.changed) for each in missed]


def frames_after(event: int, most: int) -> list[live.Frame]:
    """The frames of the next events that any process has stored."""
    return missed_frames(models.events_after(event, most))


def _frame(type: str, event: int, record: dict[str, Any], changed: Iterable[str]) -> live.Frame:
    message = schemas.event_message(type, event, record, changed)
    # Only logged-in listeners hear of rejected alerts.
    return live.Frame(event, live.frame(message), private=type.startswith("rejected."))
