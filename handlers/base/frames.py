"""Events as the websocket's frames."""

from collections.abc import Iterable

import live
import models
import schemas
from models.replay import Outgoing


def frames_of(rows: Iterable[Outgoing]) -> list[live.Frame]:
    """The frames of events that were read."""
    return [
        live.Frame(event, live.frame(schemas.event_message(type, event, *told)), _is_private(type))
        for event, type, *told in rows
    ]


def messages_of(rows: Iterable[Outgoing], *, private: bool) -> list[bytes]:
    """The same unframed, for who asks without a websocket; `private`: one who is logged in."""
    return [
        schemas.event_message(type, event, *told)
        for event, type, *told in rows
        if private or not _is_private(type)
    ]


def frames_after(event: int, most: int) -> list[live.Frame]:
    """The frames of the next events that any process has stored."""
    return frames_of(models.told_after(event, most))


def _is_private(type: str) -> bool:
    # Only logged-in listeners hear of rejected alerts.
    return type.startswith("rejected.")
