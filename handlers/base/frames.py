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


def missed_messages(missed: Iterable[models.Missed], *, private: bool) -> list[bytes]:
    """The same unframed, for who asks without a websocket; `private`: one who is logged in."""
    return [
        schemas.event_message(each.type, each.id, each.record, each.changed)
        for each in missed
        if private or not _is_private(each.type)
    ]


def frames_after(event: int, most: int) -> list[live.Frame]:
    """The frames of the next events that any process has stored."""
    return missed_frames(models.events_after(event, most))


def _frame(type: str, event: int, record: dict[str, Any], changed: Iterable[str]) -> live.Frame:
    message = schemas.event_message(type, event, record, changed)
    return live.Frame(event, live.frame(message), private=_is_private(type))


def _is_private(type: str) -> bool:
    # Only logged-in listeners hear of rejected alerts.
    return type.startswith("rejected.")
