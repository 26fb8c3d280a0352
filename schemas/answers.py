"""What is answered beside the records: receipts, figures, tokens, and all that is an error."""

from typing import Literal

from pydantic import Field

from schemas.records import Answer, Moment, Number, Text


class Done(Answer):
    """What was done, in words."""

    EXAMPLE = {"message": "Item deleted"}

    message: str


class Receipt(Answer):
    """What became of an alert, and its signal."""

    EXAMPLE = {"message": "Signal created successfully.", "rowid": 1}

    message: Literal[
        "Signal created successfully.",
        "recorded with problematic ticker!",
        "recorded with unknown or passive ticker!",
        "Signal already recorded.",
    ]
    rowid: int


class Slippage(Answer):
    """Averages; null where nothing has one."""

    EXAMPLE = {"all": 0.02, "buy": 0.03, "sell": -0.01}

    all: Number
    buy: Number
    sell: Number


class Totals(Answer):
    """Sums over all signals that pass the filters."""

    EXAMPLE = {
        "count": 3,
        "quantity": 210,
        "by_status": {"filled": 2, "canceled": 1},
        "average_slippage": Slippage.EXAMPLE,
    }

    count: int
    quantity: Number
    by_status: dict[str, int]
    average_slippage: Slippage


class Figures(Answer):
    """What waits and is open now, and what happened since."""

    EXAMPLE = {
        "waiting": 1,
        "open": 2,
        "filled": 5,
        "canceled": 1,
        "errors": 0,
        "average_slippage": 0.02,
        "last_alert": "2026-11-24 15:30:00",
    }

    waiting: int
    open: int
    filled: int
    canceled: int
    errors: int
    average_slippage: Number
    last_alert: Moment | None


class Holding(Answer):
    """What is held of one symbol."""

    EXAMPLE = {
        "symbol": "NMFC",
        "active_pos": 100,
        "active_cost": 12.5,
        "active_pnl": 14,
        "currency": "USD",
    }

    symbol: str
    active_pos: float
    active_cost: float
    active_pnl: float
    currency: str


class PairHolding(Answer):
    """A pair that is held; sums only where both legs have one currency."""

    EXAMPLE = {
        "name": "NMFC-ROIC",
        "hedge": 0.72,
        "actual_hedge": 0.72,
        "mark": "ok",
        "active_pnl": 20,
        "currency": "USD",
        "unhedged": 0,
        "unhedged_amount": 0,
        "legs": [
            Holding.EXAMPLE,
            Holding.EXAMPLE | {"symbol": "ROIC", "active_pos": -72, "active_pnl": 6},
        ],
    }

    name: str
    hedge: float
    actual_hedge: Number
    mark: str
    active_pnl: Number
    currency: Text
    unhedged: Number
    unhedged_amount: Number
    legs: list[Holding]


class Total(Answer):
    """All positions in one currency; null where no number holds it."""

    EXAMPLE = {"currency": "USD", "active_pnl": 20, "long": 1250, "short": -900}

    currency: str
    active_pnl: Number
    long: Number
    short: Number


class Positions(Answer):
    """What is held: by pair, single, and in sum."""

    EXAMPLE = {"pairs": [PairHolding.EXAMPLE], "singles": [], "totals": [Total.EXAMPLE]}

    pairs: list[PairHolding]
    singles: list[Holding]
    totals: list[Total]


class BridgeState(Answer):
    """When the bridge last asked, and what waits for it."""

    EXAMPLE = {"last_seen": "2026-11-24 15:30:00", "waiting": 1, "oldest_waiting_s": 12}

    last_seen: Moment | None
    waiting: int
    oldest_waiting_s: int | None


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
        "id": "hV0cRk3oQ1",
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
        "secret": "JBSWY3DPEHPK3PXP",
        "uri": "otpauth://totp/Pairs-API:admin?secret=JBSWY3DPEHPK3PXP",
        "qr": "data:image/svg+xml,...",
    }

    secret: str
    uri: str
    qr: str


class RecoveryCodes(Answer):
    """Codes that each replace an authenticator's once."""

    EXAMPLE = {"recovery_codes": ["abcd-efgh-ijkl", "mnop-qrst-uvwx"]}

    recovery_codes: list[str]


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

    EXAMPLE = {"token": "pat_...", **TokenRecord.EXAMPLE}

    token: str


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


class Problem(Answer):
    """Why not: a sentence, or the reason for each faulty field."""

    EXAMPLE = {"message": "item not found."}

    message: str | dict[str, str]


class Unauthorized(Answer):
    """Why one may not, in words and, where a token is to blame, as a code."""

    EXAMPLE = {
        "message": "Request does not contain an access token.",
        "error": "authorization_required",
    }

    message: str
    error: str = ""
