"""Users, logins and passphrases on the wire."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from schemas.shown import SHOWN_OPTIONAL_FLAG, shown, shown_text, shown_whole, shown_word
from schemas.types import OptionalText
from schemas.values import (
    Body,
    at_most,
    one_of,
    optional,
    to_flag,
    to_label,
    to_name,
    to_password,
    to_text,
    whole,
)

SCOPES = ("read", "signals", "registry", "admin")
_NAME = shown_text(80, minLength=1, pattern=r"[^\s/]+")
_PASSWORD = {"minLength": 1, "maxLength": 200}
Name = Annotated[str, BeforeValidator(to_name), _NAME]
Password = Annotated[str, BeforeValidator(to_password), shown("string", **_PASSWORD)]
OptionalPassword = Annotated[
    str | None, optional(to_password), shown("string", "null", maxLength=200)
]
OptionalFlag = Annotated[
    bool | None, BeforeValidator(lambda v: v if v is None else to_flag(v)), SHOWN_OPTIONAL_FLAG
]
Code = Annotated[
    str | None, optional(lambda v: at_most(100)(to_text(v))), shown_text(100, blank=True)
]
OldPassword = Annotated[
    str | None,
    BeforeValidator(lambda v: v and to_password(v)),
    shown("string", "null", maxLength=200),
]


class UserForm(Body):
    """A user to make, or a new password; for one's own the old one goes along."""

    EXAMPLE = {"username": "desk", "password": "a long password", "admin": False}

    username: Name
    password: Password
    admin: OptionalFlag = None
    old_password: OldPassword = None


class LoginForm(Body):
    """Who logs in, and for how many minutes."""

    EXAMPLE = {"username": "admin", "password": "123", "expire": 30}

    username: Annotated[
        str, BeforeValidator(to_text), AfterValidator(at_most(200)), shown_text(200)
    ]
    password: Password
    expire: Annotated[
        int,
        optional(whole(1, 1440), 10),
        shown_whole(1, 1440),
    ] = 10
    code: Code = None


class FactorForm(Body):
    """What the owner of a second factor proves to be it with."""

    EXAMPLE = {"password": "123", "code": "123456"}

    password: OptionalPassword = None
    code: Code = None


class TokenForm(Body):
    """An API token to make; without days it lasts until it is revoked."""

    EXAMPLE = {"name": "reporting", "scope": "read", "days": 90}

    name: Annotated[str, BeforeValidator(to_label), shown_text(80, minLength=1)]
    scope: Annotated[str, BeforeValidator(one_of(*SCOPES)), shown_word(*SCOPES)]
    days: Annotated[
        int | None,
        optional(whole(1, 3650)),
        shown_whole(1, 3650),
    ] = None


class PassphraseForm(Body):
    """A passphrase beside those of the settings; left out, one is made."""

    EXAMPLE = {"label": "second-chart"}

    label: Name
    passphrase: OptionalText = None
