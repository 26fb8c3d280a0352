"""Who may call what, and who it is that calls."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

import models


class Right(enum.Enum):
    """Who may call a method."""

    OPEN = "anyone"
    READ = "anyone where visitors may read, else a token"
    POLL = "the same, or a bridge key"
    TOKEN = "a token"  # noqa: S105 a description
    FRESH = "a fresh token"
    ADMIN = "a fresh token of an admin"
    SENDER = "a fresh token, or the passphrase in the body"


def right(needed: Right) -> Callable[[Callable], Callable]:
    """Marks a handler's method with the right it needs; a method without a mark is refused."""

    def mark(method: Callable) -> Callable:
        method.right = needed
        return method

    return mark


@dataclass(frozen=True)
class Identity:
    """Who asks, told by a token or by the browser's cookie."""

    user: models.User
    session: models.Session
    fresh: bool
    by_cookie: bool
