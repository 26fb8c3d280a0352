"""Passwords, tokens, codes and random ids: make them and compare them. No database is used."""

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

_M_MMAP_THRESHOLD = -3  # from malloc.h: a larger block goes back to the system when freed


def _give_back_memory() -> None:
    """Give the 19 MiB of a password's hash back to the system after each hash.

    Without this, glibc takes all but the first from its heap, which does not shrink again.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # Windows, macOS, musl
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)


_give_back_memory()
# OWASP's argon2id parameters: 19 MiB, two passes, one lane.
HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# The hash of a random password that was not kept, at the cost of HASHER.
NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "Xfa512Xxs4pwWlUNlXV8oA$KY+yygg8dQ/fvtGW7GDakSCbuEqRztNpWeKgB0lkDd4"
)
_ALGORITHM = "HS256"
_LEEWAY = 10  # seconds that the clock of the process which issued a token may be ahead of ours


class TokenInvalid(Exception):
    """The token was not made here, or is not of the wanted kind."""


class TokenExpired(Exception):
    """The token was made here, and its time is over."""


@dataclass(frozen=True)
class Token:
    """What a token says: its user, its session, and whether the password was given just now."""

    username: str
    session: str
    fresh: bool
    serial: str


def hash_password(password: str) -> str:
    """The argon2id hash of a password; takes about 30 ms."""
    return HASHER.hash(_bytes(password))


def verify_password(password: str, hashed: str | None) -> bool:
    """Whether the password fits; takes as long without a hash, when there is no such user."""
    try:
        return HASHER.verify(hashed or NOBODY, _bytes(password)) and hashed is not None
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
    """The SHA-256 of a secret id in hex, which the database keeps instead of the id."""
    return hashlib.sha256(_bytes(text)).hexdigest()


API_TOKEN = "pairs_"  # noqa: S105 how API tokens begin: tools that look for leaked secrets find them by it


def api_token() -> str:
    """A new API token: the prefix and 256 random bits."""
    return API_TOKEN + random_id(256)


def seal(key: str, secret: str) -> str:
    """Encrypt a secret for the database.

    Without `token_key` in the settings the key is in the same database: then this hides the secret
    from nobody who reads all of it.
    """
    return base64.b64encode(_box(key).encrypt(secret.encode())).decode()


def unseal(key: str, sealed: str) -> str | None:
    """Decrypt what seal() made; None where it was sealed with another key."""
    from nacl.exceptions import CryptoError

    try:
        return _box(key).decrypt(base64.b64decode(sealed)).decode()
    except CryptoError:
        return None


def _box(key: str) -> Any:
    from nacl.secret import SecretBox  # imported when used: not everybody has a second factor

    return SecretBox(hashlib.blake2b(b"seal\0" + _bytes(key), digest_size=32).digest())


def totp_secret() -> str:
    """A new secret for an authenticator: 160 random bits in base 32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def looks_like_totp(code: str) -> bool:
    """Whether this looks like a code of an authenticator; a recovery code does not."""
    return re.fullmatch(r"[0-9]{6}", bare_code(code)) is not None


def totp_step(secret: str, code: str, now: float, after: int) -> int | None:
    """The time step that a code belongs to; None where it fits none or is not later than `after`.

    The present step, the one before and the one after are tried.
    """
    import pyotp

    totp = pyotp.TOTP(secret)
    present = int(now) // totp.interval
    fits = [
        step
        for step in range(present - 1, present + 2)
        if same(bare_code(code), totp.generate_otp(step)) and step > after
    ]
    return fits[0] if fits else None


def totp_uri(secret: str, username: str, site: str) -> str:
    """The address that the QR code shows to an authenticator."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=site)


def recovery_code() -> str:
    """A new recovery code: 80 random bits in four groups of letters and digits."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def bare_code(code: str) -> str:
    """A code without spaces and dashes and in small letters, as codes are compared."""
    return re.sub(r"[\s-]", "", code).lower()


def keyed_digest(key: str, text: str) -> str:
    """A hash of a text that may be easy to guess; nobody can check a guess without the key."""
    return hmac.new(_bytes(key), b"name\0" + _bytes(text), "sha256").hexdigest()


def issue(
    key: str, kind: str, username: str, session: str, seconds: int, *, fresh=False, serial=""
) -> str:
    """A signed token of a kind, "access" or "refresh", that is valid for so many seconds."""
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


@lru_cache(1000)  # every request brings a token; read() checks its time, which is not cached
def _verified(key: str, text: str) -> dict[str, Any]:
    options = {"require": ["exp", "sub"], "verify_exp": False}
    claims = jwt.decode(text, key, algorithms=[_ALGORITHM], options=options, leeway=_LEEWAY)
    if type(claims["exp"]) is not int:
        raise jwt.InvalidTokenError
    return claims


def read(key: str, kind: str, text: str) -> Token:
    """What a token of a kind says; raises TokenExpired or TokenInvalid."""
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
    """A pattern that finds a secret in JSON text, also where its characters are escaped."""
    return re.compile("".join(f"(?:{'|'.join(_spellings(char))})" for char in secret))


_SHORT_ESCAPES = {char: re.escape(json.dumps(char)[1:-1]) for char in '"\\\b\f\n\r\t'} | {
    "/": re.escape("\\/")
}


def _spellings(char: str) -> list[str]:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    escaped = "".join(rf"\\u(?i:{units[i : i + 4]})" for i in range(0, len(units), 4))
    short = _SHORT_ESCAPES.get(char)
    return [re.escape(char), escaped] + ([short] if short else [])
