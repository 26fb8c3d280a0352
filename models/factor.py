"""The second factor of a login: codes of an authenticator (TOTP, RFC 6238) and recovery codes."""

import time

from peewee import BigIntegerField, CharField, ForeignKeyField

import security
from models.base import Base, Missing, Refused
from models.users import Session, User
from trading import instants

CODES = 10  # recovery codes made at once


class CodeRefused(Exception):
    """A code is missing, wrong, or was used before."""


class Factor(Base):
    """A user's TOTP secret, sealed with the token key; it counts once `since` is set.

    `last_step` is the time step of the last code that was taken: none is taken twice.
    """

    user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    secret = CharField(200)
    since = CharField(19, null=True)
    last_step = BigIntegerField(default=0)

    @classmethod
    def of(cls, user: User) -> "Factor | None":
        """The user's second factor, where it is on."""
        return cls.get_or_none(cls.user == user, cls.since.is_null(False))

    @classmethod
    def begin(cls, user: User, key: str) -> str:
        """A new secret that waits for its first code; raises Refused where one is on."""
        if cls.of(user):
            raise Refused("the second factor is on already; turn it off first.")
        secret = security.totp_secret()
        cls.delete().where(cls.user == user).execute()
        cls.create(user=user, secret=security.seal(key, secret))
        return secret

    @classmethod
    def confirm(cls, user: User, code: str, key: str, keep_session: str) -> list[str]:
        """Turns it on and ends the user's other sessions: the recovery codes, told this once.

        Raises Missing where nothing waits, CodeRefused.
        """
        waiting = cls.get_or_none(cls.user == user, cls.since.is_null())
        if waiting is None:
            raise Missing
        if not waiting._take(code, key):
            raise CodeRefused
        cls.update(since=instants.now()).where(cls.user == user).execute()
        Session.end_others(user, keep_session)
        return RecoveryCode.renew(user)

    @classmethod
    def spend(cls, user: User, code: str, key: str) -> bool:
        """Takes a code for good, True where it is a recovery code; raises CodeRefused."""
        factor = cls.of(user)
        if factor and security.looks_like_totp(code):
            if factor._take(code, key):
                return False
        elif factor and RecoveryCode.take(user, code):
            return True
        raise CodeRefused

    def _take(self, code: str, key: str) -> bool:
        secret = security.unseal(key, self.secret)
        step = security.totp_step(secret, code, time.time(), self.last_step)
        # Asked of the database again: another process may have taken it in this instant.
        unused = (Factor.user == self.user_id) & (Factor.last_step < (step or 0))
        return step is not None and Factor.update(last_step=step).where(unused).execute() == 1

    @classmethod
    def drop(cls, user: User) -> None:
        """Turns it off; raises Missing where there is none."""
        RecoveryCode.delete().where(RecoveryCode.user == user).execute()
        if not cls.delete().where(cls.user == user).execute():
            raise Missing

    @classmethod
    def all_on(cls) -> list["Factor"]:
        """Whose is on, by name."""
        rows = cls.select(cls, User).join(User).where(cls.since.is_null(False))
        return list(rows.order_by(User.username))


class RecoveryCode(Base):
    """A code for the day the authenticator is lost: 80 random bits, kept as a hash, used once."""

    digest = CharField(64, primary_key=True)
    user = ForeignKeyField(User, on_delete="CASCADE")

    @classmethod
    def renew(cls, user: User) -> list[str]:
        """New codes in the place of all old ones."""
        cls.delete().where(cls.user == user).execute()
        codes = [security.recovery_code() for _ in range(CODES)]
        for code in codes:
            cls.create(user=user, digest=security.digest(security.bare_code(code)))
        return codes

    @classmethod
    def take(cls, user: User, code: str) -> bool:
        """Whether it is one of the user's; it is none from now on."""
        mine = (cls.user == user) & (cls.digest == security.digest(security.bare_code(code)))
        return cls.delete().where(mine).execute() == 1

    @classmethod
    def left(cls, user: User) -> int:
        """How many the user still has."""
        return cls.select().where(cls.user == user).count()
