"""Passwords, tokens, random ids and their comparison; pure, no database."""

import base64
import contextlib
import ctypes
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import argon2
import jwt

_M_MMAP_THRESHOLD = -3  # of malloc.h: what is larger goes back to the system when it is freed


def _give_back_memory() -> None:
    """Lets the 19 MiB of a hash go back to the system after each.

    glibc takes the next ones from its heap, which does not shrink again, once one was freed;
    not where the limit was set by hand.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # Windows, macOS, musl
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)


_give_back_memory()
# OWASP's argon2id parameters: 19 MiB, two passes, one lane.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_NOBODY = _HASHER.hash(secrets.token_hex(16))
_ALGORITHM = "HS256"
_LEEWAY = 10  # seconds that the clock of the process which issued a token may be ahead of ours


class TokenInvalid(Exception):
    """The token is not one of ours, or not of the kind asked for."""


class TokenExpired(Exception):
    """The token was ours, and its time is over."""


@dataclass(frozen=True)
class Token:
    """What a token says: whose it is, its session, and whether a password was just given."""

    username: str
    session: str
    fresh: bool
    serial: str


def hash_password(password: str) -> str:
    """The argon2id hash of a password (about 30 ms)."""
    return _HASHER.hash(_bytes(password))


def verify_password(password: str, hashed: str | None) -> bool:
    """Whether the password fits; a missing hash (no such user) costs the same time."""
    try:
        return _HASHER.verify(hashed or _NOBODY, _bytes(password)) and hashed is not None
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def same(given: object, expected: str) -> bool:
    """Whether a value from outside is exactly this text, compared in constant time."""
    return isinstance(given, str) and hmac.compare_digest(_bytes(given), _bytes(expected))


def basic_password_in(credentials: str, expected: Iterable[str]) -> bool:
    """Whether HTTP's Basic credentials (RFC 7617) carry one of these passwords; any user name."""
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True)
    except ValueError:
        return False
    _, _, password = decoded.partition(b":")
    return any(same(password.decode("latin-1"), each) for each in expected)


def random_id(bits: int = 128) -> str:
    """A new random id, URL-safe text."""
    return secrets.token_urlsafe(bits // 8)


def digest(text: str) -> str:
    """What the database keeps of a secret id: its SHA-256 in hex."""
    return hashlib.sha256(_bytes(text)).hexdigest()


API_TOKEN = "pairs_"  # noqa: S105 how API tokens begin, so that scanners of leaks know them


def api_token() -> str:
    """A new API token: 256 random bits behind the prefix."""
    return API_TOKEN + random_id(256)


def seal(key: str, secret: str) -> str:
    """A secret of at most 32 characters as a database may keep it, unreadable without the key.

    Where the key itself is in the database (no `token_key` in the settings) this hides it from
    nobody who reads all of it. With another key it opens as something else, and no code fits.
    """
    nonce = secrets.token_bytes(16)
    return base64.b64encode(nonce + _crossed(key, nonce, secret.encode())).decode()


def unseal(key: str, sealed: str) -> str:
    """The secret, or nonsense where it was sealed with another key."""
    raw = base64.b64decode(sealed)
    return _crossed(key, raw[:16], raw[16:]).decode("latin-1")


def _crossed(key: str, nonce: bytes, text: bytes) -> bytes:
    # A pad that is never used twice, from a keyed hash: as good as a cipher for one block.
    pad = hmac.digest(_bytes(key), b"seal\0" + nonce, "sha256")
    return bytes(a ^ b for a, b in zip(text, pad, strict=False))


def totp_secret() -> str:
    """A new secret for an authenticator: 160 random bits in base 32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def looks_like_totp(code: str) -> bool:
    """Whether this is meant as an authenticator's code and not as a recovery code."""
    return re.fullmatch(r"[0-9]{6}", bare_code(code)) is not None


def totp_step(secret: str, code: str, now: float, after: int) -> int | None:
    """The time step later than `after` whose code this is, one before and one behind allowed."""
    import pyotp

    try:
        totp = pyotp.TOTP(secret)
        present = int(now) // totp.interval
        fits = [
            step
            for step in range(present - 1, present + 2)
            if same(bare_code(code), totp.generate_otp(step)) and step > after
        ]
    except ValueError:  # sealed with another key, it is no secret any more
        return None
    return fits[0] if fits else None


def totp_uri(secret: str, username: str, site: str) -> str:
    """What an authenticator reads from the QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=site)


def recovery_code() -> str:
    """A new recovery code: 80 random bits in four groups of letters and digits."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def bare_code(code: str) -> str:
    """A code as it is compared: without spaces and dashes, in small letters."""
    return re.sub(r"[\s-]", "", code).lower()


def keyed_digest(key: str, text: str) -> str:
    """A hash of a text that may be easy to guess, of no use without the key."""
    return hmac.new(_bytes(key), b"name\0" + _bytes(text), "sha256").hexdigest()


def issue(
    key: str, kind: str, username: str, session: str, seconds: int, *, fresh=False, serial=""
) -> str:
    """A signed token ("access" or "refresh") that lives the given seconds."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "type": kind,
        "sub": username,
        "sid": session,
        "fresh": fresh,
        "jti": serial or random_id(),
        "iat": now,
        "exp": now + seconds,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


@lru_cache(1000)  # a token comes with every request; whether its time is over is asked each time
def _verified(key: str, text: str) -> dict[str, Any]:
    options = {"require": ["exp", "sub"], "verify_exp": False}
    claims = jwt.decode(text, key, algorithms=[_ALGORITHM], options=options, leeway=_LEEWAY)
    if type(claims["exp"]) is not int:
        raise jwt.InvalidTokenError
    return claims


def read(key: str, kind: str, text: str) -> Token:
    """What a token of this kind says; raises TokenExpired or TokenInvalid."""
    try:
        claims = _verified(key, text)
    except jwt.InvalidTokenError:
        raise TokenInvalid from None
    if claims["exp"] <= time.time():
        raise TokenExpired
    if claims.get("type") != kind:
        raise TokenInvalid
    return Token(
        claims["sub"],
        str(claims.get("sid")),
        claims.get("fresh") is True,
        str(claims.get("jti")),
    )


def masking_pattern(secret: str) -> re.Pattern[str]:
    """Finds a secret in JSON text, also where its characters are written as escapes."""
    return re.compile("".join(f"(?:{'|'.join(_spellings(char))})" for char in secret))


_SHORT_ESCAPES = {char: re.escape(json.dumps(char)[1:-1]) for char in '"\\\b\f\n\r\t'} | {
    "/": re.escape("\\/")
}


def _spellings(char: str) -> list[str]:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    escaped = "".join(
        r"\\u" + "".join(_any_case(digit) for digit in units[i : i + 4])
        for i in range(0, len(units), 4)
    )
    short = _SHORT_ESCAPES.get(char)
    return [re.escape(char), escaped] + ([short] if short else [])


def _any_case(digit: str) -> str:
    return f"[{digit}{digit.upper()}]" if digit.isalpha() else digit
