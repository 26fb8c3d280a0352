"""Who may call what, and who it is that calls."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

import models


class Right(enum.Enum):
    """Who may call a method."""

    OPEN = "anyone"
    READ = "anyone where visitors may read, else a token"
    POLL = "anyone where visitors may read, else a token or a bridge key"
    TOKEN = "a token"  # noqa: S105 a description
    FRESH = "a fresh token"
    ADMIN = "a fresh token of an admin"
    LOCAL = "a token, or this machine itself"
    SENDER = "a fresh token, or the passphrase in the body"


# What an API token must cover; of any other right a method says it itself, or none will do.
_SCOPES = {Right.READ: "read", Right.POLL: "read", Right.LOCAL: "read", Right.SENDER: "signals"}


def right(needed: Right, scope: str | None = None) -> Callable[[Callable], Callable]:
    """Marks a handler's method with the right it needs; a method without a mark is refused.

    `scope` is what an API token must cover to call it. Nothing that makes a login or a token has
    one (new users, passwords, second factors, sessions, API tokens): a token that leaked must not
    outlive its end. An `admin` token may make and retire passphrases, which let in alerts only.
    """

    def mark(method: Callable) -> Callable:
        method.right = needed
        method.scope = scope or _SCOPES.get(needed)
        return method

    return mark


@dataclass(frozen=True)
class Identity:
    """Who asks, told by a token or by the browser's cookie; an API token has no session."""

    user: models.User
    session: models.Session | None
    fresh: bool
    by_cookie: bool
    token: models.ApiToken | None = None

    def covers(self, scope: str | None) -> bool:
        """Whether the caller may use what is marked with this scope; a login may use all."""
        return self.token is None or scope in models.SCOPES[self.token.scope]

    @property
    def key(self) -> str:
        """What its sockets and its last use are known by."""
        return self.token.key if self.token else self.session.id
