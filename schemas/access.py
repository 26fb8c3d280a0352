"""What is answered of ways in: logins, sessions, users, second factors, tokens, the audit."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.records import Answer, Moment, Text


class Tokens(Answer):
    """An access token and the refresh token that follows it."""

    EXAMPLE = {"access_token": "eyJhbGciOi...", "refresh_token": "eyJhbGciOi..."}

    access_token: str
    refresh_token: str


class LoginTokens(Tokens):
    """Tokens, and for how many minutes the access token holds."""

    EXAMPLE = Tokens.EXAMPLE | {"expire": 30}

    expire: int


class SessionState(Answer):
    """Whose session it is, and until when."""

    EXAMPLE = {
        "username": "admin",
        "admin": True,
        "expires": "2026-11-24 16:00:00",
        "extendable": True,
    }

    username: str
    admin: bool
    expires: Moment
    extendable: bool


class SessionRecord(Answer):
    """A running session."""

    EXAMPLE = {
        "id": "hV0cRk3oQ1xN7bT2sLw9Zg",
        "created": "2026-11-24 15:00:00",
        "expires": "2026-12-24 15:00:00",
        "current": True,
        "last_seen": "2026-11-24 15:30:00",
        "browser": "Firefox on Linux",
        "address": "192.0.2.7",
    }

    id: str
    created: Moment
    expires: Moment
    current: bool
    last_seen: Moment | None
    browser: str
    address: str


class SessionsEnded(Answer):
    """How many sessions ended."""

    EXAMPLE = {"message": "Sessions ended", "ended": 2}

    message: str
    ended: int


class UserName(Answer):
    """A user."""

    EXAMPLE = {"username": "admin"}

    username: str


class FactorState(Answer):
    """Since when one's second factor is on (null: it is off), and how many codes are left."""

    EXAMPLE = {"since": "2026-11-24 15:30:00", "recovery_codes": 10}

    since: Moment | None
    recovery_codes: int


class FactorBegun(Answer):
    """What an authenticator needs, as text and as a QR code."""

    EXAMPLE = {
        "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "uri": "otpauth://totp/Pairs-API%20example.com:admin"
        "?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Pairs-API%20example.com",
        "qr": "data:image/svg+xml,...",
    }

    secret: Annotated[str, Field(pattern=r"^[A-Z2-7]{32}$")]
    uri: Annotated[str, Field(pattern=r"^otpauth://totp/Pairs-API.*&issuer=Pairs-API")]
    qr: Annotated[str, Field(pattern=r"^data:image/svg\+xml")]


class RecoveryCodes(Answer):
    """Codes that each replace an authenticator's once."""

    EXAMPLE = {"recovery_codes": ["k2hd-7pqa-m4zr-t3we", "x6vb-qn5l-2sjc-fy7u"]}

    recovery_codes: list[Annotated[str, Field(pattern=r"^[a-z2-7]{4}(-[a-z2-7]{4}){3}$")]]


class FactorRecord(Answer):
    """A user with a second factor."""

    EXAMPLE = {"username": "admin", "since": "2026-11-24 15:30:00"}

    username: str
    since: Moment


class TokenRecord(Answer):
    """An API token without its text."""

    EXAMPLE = {
        "id": 1,
        "name": "reporting",
        "scope": "read",
        "created": "2026-11-24 15:30:00",
        "last_used": None,
        "expires": "2027-02-22 15:30:00",
    }

    id: int
    name: str
    scope: Literal["read", "signals", "registry", "admin"]
    created: Moment
    last_used: Moment | None
    expires: Moment | None


class TokenMade(TokenRecord):
    """The same with its text, which is told this once."""

    EXAMPLE = {"token": "pairs_mZ3tq1bYc0K5...", **TokenRecord.EXAMPLE}

    token: Annotated[str, Field(pattern=r"^pairs_")]


class AuditRecord(Answer):
    """An act, or refusals of one kind from one address within a minute."""

    EXAMPLE = {
        "id": 3,
        "time": "2026-11-24 15:30:00",
        "what": "pair.updated",
        "who": "admin",
        "address": "192.0.2.7",
        "subject": "NMFC-ROIC",
        "count": 1,
        "changes": '{"status":[0,1]}',
    }

    id: int
    time: Moment
    what: str
    who: str
    address: str
    subject: str
    count: int
    changes: Text = Field(description="of a registry change what became what, as JSON text")


class RefusedPosts(Answer):
    """How many posts left no row since this process started, by reason."""

    EXAMPLE = {"since": "2026-11-24 08:00:00", "address": 0, "passphrase": 3}

    since: Moment
    address: int
    passphrase: int


class PassphraseRecord(Answer):
    """A passphrase without its text."""

    EXAMPLE = {
        "label": "second-chart",
        "last_used": "2026-11-24 15:30:00",
        "retired": None,
        "origin": "page",
    }

    label: str
    last_used: Moment | None
    retired: Moment | None
    origin: Literal["page", "settings"]


class PassphraseMade(Answer):
    """A passphrase that was made."""

    EXAMPLE = {"message": "'passphrase' created successfully.", "passphrase": "q2V9..."}

    message: str
    passphrase: str


class AlertTemplate(Answer):
    """What to paste into an alert, and where it goes."""

    EXAMPLE = {
        "template": '{"passphrase": "***", ...}',
        "webhook_url": "https://example.com/v3/webhook",
    }

    template: str
    webhook_url: str
