"""Users, their sessions, the passphrases of alerts, and the server's own keys."""

import time
from typing import Any

import peewee
from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

import security
from database import RowId, announce
from models.base import Base, Missing, Refused, newest
from models.statements import compiled
from trading import instants

# What other processes keep of these tables and must look at anew, told by those who change them.
SESSIONS = "sessions"
PASSPHRASES = "passphrases"


class User(Base):
    """Who may log in; the hash is argon2id."""

    id = RowId()
    username = CharField(80, unique=True)
    password_hash = CharField(200)
    admin = BooleanField(default=False)

    @classmethod
    def find(cls, username: str) -> "User":
        """The user of this name; raises Missing."""
        if user := cls.get_or_none(cls.username == username):
            return user
        raise Missing

    @classmethod
    def register(cls, username: str, password_hash: str, admin: bool) -> "User":
        """A new user; raises Refused."""
        if cls.get_or_none(cls.username == username):
            raise Refused("'user' with that name already exists.")
        return cls.create(username=username, password_hash=password_hash, admin=admin)

    @classmethod
    def rekey(
        cls, username: str, password_hash: str, admin: bool | None, keep_session: str
    ) -> None:
        """Sets a new password and ends the user's sessions but the one named."""
        user = cls.find(username)
        if user.admin and admin is False:
            user._refuse_last_admin()
        user.password_hash = password_hash
        user.admin = user.admin if admin is None else admin
        user.save()
        Session.end_others(user, keep_session)

    @classmethod
    def put(cls, username: str, password_hash: str, admin: bool | None) -> bool:
        """Sets a user's password and ends all sessions, or makes the user (True)."""
        if cls.get_or_none(cls.username == username) is None:
            cls.register(username, password_hash, admin or False)
            return True
        cls.rekey(username, password_hash, admin, keep_session="")
        return False

    @classmethod
    def drop(cls, username: str) -> None:
        """Deletes a user and ends the sessions; the last admin stays."""
        user = cls.find(username)
        if user.admin:
            user._refuse_last_admin()
        Session.delete().where(Session.user == user).execute()
        user.delete_instance()
        announce(SESSIONS)

    def _refuse_last_admin(self) -> None:
        if not User.select().where(User.admin, User.id != self.id).exists():
            raise Refused("the last admin must stay.")

    @classmethod
    def page(cls, limit: int, before: int | None = None) -> peewee.ModelSelect:
        """The newest users first; 0 means all."""
        return newest(cls.select(), limit, before)


DAY = 86400


def with_user(model: type[Base], row: tuple) -> Any:
    """A row of a table that has a user, and the user, from all columns of both."""
    fields = (*model._meta.sorted_fields, *User._meta.sorted_fields)
    values = [field.python_value(each) for field, each in zip(fields, row, strict=True)]
    own = dict(zip(model._meta.sorted_field_names, values, strict=False))
    own["user"] = User(**dict(zip(User._meta.sorted_field_names, values[len(own) :], strict=True)))
    return model(**own)


class Session(Base):
    """A login: its tokens and its cookie end with it. Times are Unix seconds.

    Idle: the cookie ends `minutes` after the login or the last `extend`, an access token `minutes`
    after it was made. Absolute: the cookie ends a day after the login, the session and its refresh
    tokens `days` after it. A session that nobody uses ends sooner where the settings say so
    (`Visit.end_idle`).
    """

    id = CharField(40, primary_key=True)
    user = ForeignKeyField(User, on_delete="CASCADE")
    cookie_digest = CharField(64, unique=True)
    refresh_id = CharField(40)
    minutes = IntegerField()
    started = BigIntegerField()
    cookie_expires = BigIntegerField()
    expires = BigIntegerField(index=True)

    @classmethod
    def start(cls, user: User, minutes: int, days: int, cookie: str) -> "Session | None":
        """A new session: the cookie lives `minutes`, the refresh token `days`.

        None when the user or the password has changed since it was verified.
        """
        verified = (User.id == user.id) & (User.password_hash == user.password_hash)
        if not User.select().where(verified).exists():
            return None
        now = int(time.time())
        return cls.create(
            id=security.random_id(),
            user=user,
            cookie_digest=security.digest(cookie),
            refresh_id=security.random_id(),
            minutes=minutes,
            started=now,
            cookie_expires=now + 60 * minutes,
            expires=now + max(days * DAY, 60 * minutes),
        )

    @classmethod
    def _live(cls) -> peewee.ModelSelect:
        return cls.select(cls, User).join(User).where(cls.expires > time.time())

    @classmethod
    def _found(cls, column: str, value: str) -> "Session | None":
        row = compiled.session(column, value)
        found = row and with_user(cls, row)
        return found if found and found.expires > time.time() else None

    @classmethod
    def by_id(cls, session_id: str) -> "Session | None":
        """The running session of this id."""
        return cls._found("id", session_id)

    @classmethod
    def by_cookie(cls, cookie: str) -> "Session | None":
        """The running session of this browser cookie."""
        session = cls._found("cookie_digest", security.digest(cookie))
        return session if session and session.cookie_expires > time.time() else None

    @classmethod
    def rotate(cls, session_id: str, refresh_id: str) -> "Session | None":
        """Gives the session its next refresh id; a refresh id used twice ends it (None)."""
        session = cls.by_id(session_id)
        if session is None:
            return None
        if not security.same(refresh_id, session.refresh_id):
            session.delete_instance()
            announce(SESSIONS)
            return None
        session.refresh_id = security.random_id()
        session.save(only=["refresh_id"])
        return session

    @property
    def extendable_until(self) -> int:
        """A cookie stands for a password that was given, so it lives a day at the most."""
        return min(self.started + DAY, self.expires)

    @classmethod
    def extend(cls, session_id: str) -> "Session":
        """Lets the cookie live its minutes again from now on; raises Missing."""
        session = cls.by_id(session_id)
        if session is None:
            raise Missing
        wanted = int(time.time()) + 60 * session.minutes
        session.cookie_expires = max(session.cookie_expires, min(wanted, session.extendable_until))
        session.save(only=["cookie_expires"])
        return session

    @classmethod
    def end(cls, session_id: str) -> str:
        """Ends a session and with it its tokens: the id; raises Missing."""
        if not cls.delete().where(cls.id == session_id).execute():
            raise Missing
        announce(SESSIONS)
        return session_id

    @classmethod
    def end_others(cls, user: User, keep_session: str) -> int:
        """Ends a user's sessions but the one named: how many."""
        announce(SESSIONS)
        return cls.delete().where(cls.user == user, cls.id != keep_session).execute()

    @classmethod
    def of(cls, username: str) -> list["Session"]:
        """A user's running sessions, newest first."""
        mine = User.username == username
        return list(cls._live().where(mine).order_by(cls.started.desc(), cls.id))

    @classmethod
    def watching(cls, by_cookie: dict[str, bool]) -> set[str]:
        """Of these session ids (True: by cookie), those whose time is not over."""
        now, found = time.time(), cls._live().where(cls.id.in_(list(by_cookie)))
        return {row.id for row in found if not by_cookie[row.id] or row.cookie_expires > now}

    @classmethod
    def sweep(cls) -> int:
        """Deletes the sessions whose time is over: how many."""
        return cls.delete().where(cls.expires <= time.time()).execute()


class Passphrase(Base):
    """A passphrase beside those of the settings; readable, for the alert template shows it."""

    id = RowId()
    label = CharField(80, unique=True)
    value = CharField(200)
    last_used = CharField(19, null=True)
    retired = CharField(19, null=True)

    @classmethod
    def valid(cls) -> list["Passphrase"]:
        """Those in use, newest first."""
        return list(cls.select().where(cls.retired.is_null()).order_by(cls.id.desc()))

    @classmethod
    def register(cls, label: str, value: str) -> "Passphrase":
        """A new passphrase; raises Refused."""
        if cls.get_or_none(cls.label == label):
            raise Refused("'passphrase' with that label already exists.")
        announce(PASSPHRASES)
        return cls.create(label=label, value=value)

    @classmethod
    def retire(cls, label: str, *, others: bool) -> None:
        """From now on alerts that carry it are refused; raises Missing.

        Raises Refused where it is the last and the settings have no `others`: all would be refused.
        """
        valid = {row.label for row in cls.valid()}
        if valid == {label} and not others:
            raise Refused("it is the last valid passphrase; add another first.")
        mine = cls.update(retired=instants.now()).where(cls.label == label, cls.retired.is_null())
        if not mine.execute():
            raise Missing
        announce(PASSPHRASES)

    @classmethod
    def touch(cls, rowid: int) -> None:
        """Notes that it was used just now."""
        cls.update(last_used=instants.now()).where(cls.id == rowid).execute()


class PassphraseUse(Base):
    """When a passphrase of the settings was last used; it is known by a keyed hash alone."""

    digest = CharField(64, primary_key=True)
    last_used = CharField(19)

    @classmethod
    def touch(cls, digest: str) -> None:
        """Notes that it was used just now."""
        row = cls.insert(digest=digest, last_used=instants.now())
        row.on_conflict(conflict_target=[cls.digest], preserve=[cls.last_used]).execute()

    @classmethod
    def all(cls) -> dict[str, str]:
        """{digest: last use}."""
        return dict(cls.select(cls.digest, cls.last_used).tuples())


class Secret(Base):
    """A key that the server made for itself."""

    name = CharField(40, primary_key=True)
    value = TextField()

    @classmethod
    def ensure(cls, name: str) -> str:
        """The secret of this name, made when it is first asked for."""
        secret, _ = cls.get_or_create(name=name, defaults={"value": security.random_id(256)})
        return secret.value
