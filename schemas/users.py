"""Users, logins and passphrases on the wire."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

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


class UserForm(Body):
    """A user to make, or a new password."""

    username: Annotated[str, BeforeValidator(to_name)]
    password: Annotated[str, BeforeValidator(to_password)]
    admin: Annotated[bool | None, BeforeValidator(lambda v: v if v is None else to_flag(v))] = None
    old_password: Annotated[str | None, BeforeValidator(lambda v: v and to_password(v))] = None


class LoginForm(Body):
    """Who logs in, and for how many minutes."""

    username: Annotated[str, BeforeValidator(to_text), AfterValidator(at_most(200))]
    password: Annotated[str, BeforeValidator(to_password)]
    expire: Annotated[int, optional(whole(1, 1440), 10)] = 10
    code: Annotated[str | None, optional(lambda v: at_most(100)(to_text(v)))] = None


class FactorForm(Body):
    """What the owner of a second factor proves to be it with."""

    password: Annotated[str | None, optional(to_password)] = None
    code: Annotated[str | None, optional(lambda v: at_most(100)(to_text(v)))] = None


class TokenForm(Body):
    """An API token to make; without days it lasts until it is revoked."""

    name: Annotated[str, BeforeValidator(to_label)]
    scope: Annotated[str, BeforeValidator(one_of("read", "signals", "registry", "admin"))]
    days: Annotated[int | None, optional(whole(1, 3650))] = None


class PassphraseForm(Body):
    """A passphrase beside those of the settings; left out, one is made."""

    label: Annotated[str, BeforeValidator(to_name)]
    passphrase: Annotated[str | None, optional(lambda v: at_most(200)(to_text(v)))] = None
