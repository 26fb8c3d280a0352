"""API tokens: long-lived, named, for programs; each may do a part of what its user may."""

import peewee
from peewee import CharField, ForeignKeyField

import security
from database import RowId, announce
from models.base import Base, Ended, Missing, Refused
from models.statements import compiled
from models.users import SESSIONS, Session, User, with_user
from trading import instants

# What each scope covers.
SCOPES = {
    "read": {"read"},
    "signals": {"read", "signals"},
    "registry": {"read", "registry"},
    "admin": {"read", "signals", "registry", "admin"},
}
MOST = 50  # of one user
_KEY = "token:"


class ApiToken(Base):
    """A token of a user, kept as the hash of 256 random bits.

    It ends with its user, by hand, or at its time. It outlives a new password, as elsewhere: the
    programs that hold it were not given the password. Its user sees it listed, and revokes it.
    """

    id = RowId()
    user = ForeignKeyField(User, on_delete="CASCADE")
    name = CharField(80)
    scope = CharField(10)
    digest = CharField(64, unique=True)
    created = CharField(19)
    last_used = CharField(19, null=True)
    expires = CharField(19, null=True)

    @classmethod
    def make(cls, user: User, name: str, scope: str, days: int | None) -> tuple["ApiToken", str]:
        """(the new token, its text, told this once); raises Refused."""
        mine = cls.select().where(cls.user == user)
        if mine.where(cls.name == name).exists():
            raise Refused({"name": "a token of yours has that name"})
        if mine.count() >= MOST:
            raise Refused(f"{MOST} tokens are enough; revoke one first.")
        text = security.api_token()
        made = cls.create(
            user=user,
            name=name,
            scope=scope,
            digest=security.digest(text),
            created=instants.now(),
            expires=days and instants.ago(-86400 * days),
        )
        return made, text

    @classmethod
    def found(cls, text: str) -> "ApiToken | None":
        """The token of this text with its user, also one whose time is over."""
        row = compiled.api_token(security.digest(text))
        return row and with_user(cls, row)

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= instants.now()

    @property
    def key(self) -> str:
        """What listeners opened with it are known by; never a session's id."""
        return f"{_KEY}{self.id}"

    @classmethod
    def of(cls, user: User) -> list["ApiToken"]:
        """A user's tokens, newest first."""
        return list(cls.select().where(cls.user == user).order_by(cls.id.desc()))

    @classmethod
    def find(cls, rowid: int) -> "ApiToken":
        """The token of this id with its user; raises Missing."""
        if row := cls.select(cls, User).join(User).where(cls.id == rowid).first():
            return row
        raise Missing

    @classmethod
    def revoke(cls, rowid: int) -> None:
        """Ends a token at once; raises Missing."""
        if not cls.delete().where(cls.id == rowid).execute():
            raise Missing
        announce(SESSIONS)

    @classmethod
    def touch(cls, rowid: int) -> None:
        """Notes that it was used just now."""
        cls.update(last_used=instants.now()).where(cls.id == rowid).execute()

    @classmethod
    def _alive(cls, rowids: list[int]) -> peewee.ModelSelect:
        lasting = cls.expires.is_null() | (cls.expires > instants.now())
        return cls.select().where(cls.id.in_(rowids), lasting)


def watching(by_cookie: dict[str, bool]) -> set[str]:
    """Of these keys of listeners (True: by cookie), those whose session or token still holds."""
    tokens = [int(key.removeprefix(_KEY)) for key in by_cookie if key.startswith(_KEY)]
    sessions = {key: cookie for key, cookie in by_cookie.items() if not key.startswith(_KEY)}
    alive = Session.watching(sessions) if sessions else set()
    return alive | {token.key for token in (ApiToken._alive(tokens) if tokens else ())}


def insist(key: str) -> None:
    """Raises Ended unless the session or token of this key still holds."""
    if key not in watching({key: False}):
        raise Ended
