"""What the handlers share."""

from handlers.base.errors import ApiError, Errors, explain, unauthorized
from handlers.base.frames import event_frame, frames_after, missed_frames
from handlers.base.handler import (
    COOKIE,
    MOST_BODY,
    BaseHandler,
    NotFound,
    session_state,
)
from handlers.base.lists import (
    LONGEST_FILTER,
    VISITOR_LIMIT,
    Chunk,
    Form,
    ListHandler,
    count_of,
    encode,
    rowid_of,
)
from handlers.base.rights import Identity, Right, right

__all__ = [
    "COOKIE",
    "LONGEST_FILTER",
    "MOST_BODY",
    "VISITOR_LIMIT",
    "ApiError",
    "BaseHandler",
    "Chunk",
    "Errors",
    "Form",
    "Identity",
    "ListHandler",
    "NotFound",
    "Right",
    "count_of",
    "encode",
    "event_frame",
    "explain",
    "frames_after",
    "missed_frames",
    "right",
    "rowid_of",
    "session_state",
    "unauthorized",
]
