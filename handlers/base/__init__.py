"""What the handlers share."""

from handlers.base.agents import in_words
from handlers.base.arriving import MOST_BODY, BoundedBody, take_origin_form
from handlers.base.contract import (
    Count,
    Label,
    Name,
    PairName,
    RowId,
    SessionId,
    SheetCount,
    Status,
    Symbol,
    Username,
    contract,
)
from handlers.base.credentials import CredentialHandler
from handlers.base.errors import ApiError, Errors, explain, unauthorized
from handlers.base.files import Static, library_url
from handlers.base.frames import frames_after, frames_of, messages_of
from handlers.base.gate import Gate
from handlers.base.handler import (
    BaseHandler,
    NotFound,
    OtherVersion,
    session_state,
)
from handlers.base.hashing import Hashing
from handlers.base.identity import COOKIE, visitor
from handlers.base.lists import (
    VISITOR_LIMIT,
    Chunk,
    ListHandler,
    count_of,
    encode,
    rowid_of,
)
from handlers.base.others import Others
from handlers.base.page import PageHandler, environment
from handlers.base.passphrases import Passphrases
from handlers.base.refusals import Refusals
from handlers.base.rights import Identity, Right, right
from handlers.base.sheets import csv_form, csv_lines
from handlers.base.turn import Turn

__all__ = [
    "Count",
    "Label",
    "Name",
    "PairName",
    "RowId",
    "SessionId",
    "SheetCount",
    "Status",
    "Symbol",
    "Username",
    "contract",
    "COOKIE",
    "MOST_BODY",
    "VISITOR_LIMIT",
    "ApiError",
    "BaseHandler",
    "BoundedBody",
    "Chunk",
    "CredentialHandler",
    "Errors",
    "Gate",
    "Hashing",
    "Identity",
    "ListHandler",
    "NotFound",
    "OtherVersion",
    "Others",
    "Passphrases",
    "PageHandler",
    "Refusals",
    "Right",
    "Static",
    "Turn",
    "count_of",
    "csv_form",
    "csv_lines",
    "encode",
    "environment",
    "frames_after",
    "frames_of",
    "explain",
    "in_words",
    "library_url",
    "messages_of",
    "right",
    "rowid_of",
    "session_state",
    "take_origin_form",
    "unauthorized",
    "visitor",
]
