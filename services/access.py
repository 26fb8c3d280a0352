"""Users, their sessions and second factors, API tokens, and passphrases of alerts."""

import time

import security
from database.opening import announce
from models import (
    DAY,
    TOKEN_KEY,
    ApiToken,
    Ended,
    Factor,
    Missing,
    Passphrase,
    PassphraseUse,
    RecoveryCode,
    Refused,
    Secret,
    Session,
    User,
    Visit,
)
from trading import instants

# Announced: what other processes keep of these tables and must read anew.
SESSIONS = "sessions"
PASSPHRASES = "passphrases"
MOST_TOKENS = 50  # of one user
CODES = 10  # recovery codes made at once


class CodeRefused(Exception):
    """A code is missing, wrong, or was used before."""


# --- users ------------------------------------------------------------------------------


def register_user(username: str, password_hash: str, admin: bool) -> User:
    """A new user; raises Refused."""
    if User.get_or_none(User.username == username):
        raise Refused("'user' with that name already exists.")
    return User.create(username=username, password_hash=password_hash, admin=admin)


def change_password(
    username: str, password_hash: str, admin: bool | None, keep_session: str = ""
) -> None:
    """Sets a new password and ends the user's sessions but the one named; raises Missing."""
    user = User.find(username)
    if user.admin and admin is False:
        _refuse_last_admin(user)
    user.password_hash = password_hash
    user.admin = user.admin if admin is None else admin
    user.save()
    end_other_sessions(user, keep_session)


def put_user(username: str, password_hash: str, admin: bool | None) -> bool:
    """Sets a user's password and ends all sessions, or makes the user (True)."""
    if User.get_or_none(User.username == username) is None:
        register_user(username, password_hash, admin or False)
        return True
    change_password(username, password_hash, admin)
    return False


def delete_user(username: str) -> None:
    """Deletes a user and ends the sessions; the last admin stays. Raises Missing or Refused."""
    user = User.find(username)
    if user.admin:
        _refuse_last_admin(user)
    Session.delete().where(Session.user == user).execute()
    user.delete_instance()
    announce(SESSIONS)


def _refuse_last_admin(user: User) -> None:
    if not User.select().where(User.admin, User.id != user.id).exists():
        raise Refused("the last admin must stay.")


def with_password(names: list[str], password: str) -> list[str]:
    """Which of these users have this password."""
    users = User.select().where(User.username.in_(names)).order_by(User.id)
    return [
        user.username for user in users if security.verify_password(password, user.password_hash)
    ]


# --- sessions ---------------------------------------------------------------------------


def log_in(
    user: User, code: str | None, key: str, agent: str, address: str, **session
) -> tuple[Session | None, bool]:
    """(a session for whoever gave the password, whether a recovery code was used up for it).

    Raises CodeRefused where the user has a second factor and no good code was given. The session
    is None where the password has changed since it was verified.
    """
    recovered = spend_code(user, code or "", key) if Factor.of(user) else False
    made = start_session(user, **session)
    if made:
        note_visit(made.id, agent, address)
    return made, recovered


def start_session(user: User, minutes: int, days: int, cookie: str) -> Session | None:
    """A new session: the cookie lives `minutes`, the refresh token `days`.

    None when the user or the password has changed since it was verified.
    """
    verified = (User.id == user.id) & (User.password_hash == user.password_hash)
    if not User.select().where(verified).exists():
        return None
    now = int(time.time())
    return Session.create(
        id=security.random_id(),
        user=user,
        cookie_digest=security.digest(cookie),
        refresh_id=security.random_id(),
        minutes=minutes,
        started=now,
        cookie_expires=now + 60 * minutes,
        expires=now + max(days * DAY, 60 * minutes),
    )


def rotate_session(session_id: str, refresh_id: str) -> Session | None:
    """Gives the session its next refresh id; a refresh id used twice ends it (None)."""
    session = Session.by_id(session_id)
    if session is None:
        return None
    if not security.same(refresh_id, session.refresh_id):
        session.delete_instance()
        announce(SESSIONS)
        return None
    session.refresh_id = security.random_id()
    session.save(only=["refresh_id"])
    return session


def extend_session(session_id: str) -> Session:
    """Lets the cookie live its minutes again from now on; raises Missing."""
    session = Session.by_id(session_id)
    if session is None:
        raise Missing
    wanted = int(time.time()) + 60 * session.minutes
    session.cookie_expires = max(session.cookie_expires, min(wanted, session.extendable_until))
    session.save(only=["cookie_expires"])
    return session


def end_session(session_id: str) -> str:
    """Ends a session and with it its tokens: the id; raises Missing."""
    if not Session.delete().where(Session.id == session_id).execute():
        raise Missing
    announce(SESSIONS)
    return session_id


def end_other_sessions(user: User, keep_session: str) -> int:
    """Ends a user's sessions but the one named: how many."""
    announce(SESSIONS)
    return Session.delete().where(Session.user == user, Session.id != keep_session).execute()


def sweep_sessions() -> int:
    """Deletes the sessions whose time is over: how many."""
    return Session.delete().where(Session.expires <= time.time()).execute()


def end_idle_sessions(days: int) -> int:
    """Ends the sessions that nobody used for that long: how many."""
    limit = instants.epoch() - days * DAY
    seen = Visit.select(Visit.session).where(Visit.seen > limit)
    idle = (Session.started <= limit) & Session.id.not_in(seen)
    return Session.delete().where(idle).execute()


def note_visit(session_id: str, agent: str, address: str) -> None:
    """The session is in use; nothing where it has just ended."""
    if not Session.select().where(Session.id == session_id).exists():
        return
    fields = {"agent": agent[:300], "address": address, "seen": instants.epoch()}
    row = Visit.insert(session=session_id, **fields)
    row.on_conflict(conflict_target=[Visit.session], update=fields).execute()


def watching(by_cookie: dict[str, bool]) -> set[str]:
    """Of these keys of listeners (True: by cookie), those whose session or token still holds."""
    tokens = [int(key.removeprefix(TOKEN_KEY)) for key in by_cookie if key.startswith(TOKEN_KEY)]
    sessions = [key for key in by_cookie if not key.startswith(TOKEN_KEY)]
    alive = set()
    if sessions:
        now, found = time.time(), Session.live().where(Session.id.in_(sessions))
        alive |= {row.id for row in found if not by_cookie[row.id] or row.cookie_expires > now}
    if tokens:
        lasting = ApiToken.expires.is_null() | (ApiToken.expires > instants.now())
        alive |= {row.key for row in ApiToken.select().where(ApiToken.id.in_(tokens), lasting)}
    return alive


def insist(key: str) -> None:
    """Raises Ended unless the session or token of this key still holds."""
    if key not in watching({key: False}):
        raise Ended


# --- the second factor: codes of an authenticator (TOTP, RFC 6238) and recovery codes ----


def begin_factor(user: User, key: str) -> str:
    """A new secret that waits for its first code; raises Refused where one is on."""
    if Factor.of(user):
        raise Refused("the second factor is on already; turn it off first.")
    secret = security.totp_secret()
    Factor.delete().where(Factor.user == user).execute()
    Factor.create(user=user, secret=security.seal(key, secret))
    return secret


def confirm_factor(user: User, code: str, key: str, keep_session: str) -> list[str]:
    """Turns it on and ends the user's other sessions: the recovery codes, told this once.

    Raises Missing where nothing waits, CodeRefused.
    """
    waiting = Factor.get_or_none(Factor.user == user, Factor.since.is_null())
    if waiting is None:
        raise Missing
    if not _take_code(waiting, code, key):
        raise CodeRefused
    Factor.update(since=instants.now()).where(Factor.user == user).execute()
    end_other_sessions(user, keep_session)
    return renew_recovery_codes(user)


def spend_code(user: User, code: str, key: str) -> bool:
    """Takes a code for good, True where it is a recovery code; raises CodeRefused."""
    factor = Factor.of(user)
    if factor and security.looks_like_totp(code):
        if _take_code(factor, code, key):
            return False
    elif factor and _take_recovery_code(user, code):
        return True
    raise CodeRefused


def _take_code(factor: Factor, code: str, key: str) -> bool:
    secret = security.unseal(key, factor.secret)
    if secret is None:
        return False
    step = security.totp_step(secret, code, time.time(), factor.last_step)
    # Asked of the database again: another process may have taken it in this instant.
    unused = (Factor.user == factor.user_id) & (Factor.last_step < (step or 0))
    return step is not None and Factor.update(last_step=step).where(unused).execute() == 1


def drop_factor(user: User) -> None:
    """Turns it off; raises Missing where there is none."""
    RecoveryCode.delete().where(RecoveryCode.user == user).execute()
    if not Factor.delete().where(Factor.user == user).execute():
        raise Missing


def renew_recovery_codes(user: User) -> list[str]:
    """New recovery codes in the place of all old ones."""
    RecoveryCode.delete().where(RecoveryCode.user == user).execute()
    codes = [security.recovery_code() for _ in range(CODES)]
    for code in codes:
        RecoveryCode.create(user=user, digest=security.digest(security.bare_code(code)))
    return codes


def _take_recovery_code(user: User, code: str) -> bool:
    """Whether it is one of the user's; it is none from now on."""
    digest = security.digest(security.bare_code(code))
    mine = (RecoveryCode.user == user) & (RecoveryCode.digest == digest)
    return RecoveryCode.delete().where(mine).execute() == 1


# --- API tokens -------------------------------------------------------------------------


def make_token(user: User, name: str, scope: str, days: int | None) -> tuple[ApiToken, str]:
    """(the new token, its text, told this once); raises Refused."""
    mine = ApiToken.select().where(ApiToken.user == user)
    if mine.where(ApiToken.name == name).exists():
        raise Refused({"name": "a token of yours has that name"})
    if mine.count() >= MOST_TOKENS:
        raise Refused(f"{MOST_TOKENS} tokens are enough; revoke one first.")
    text = security.api_token()
    made = ApiToken.create(
        user=user,
        name=name,
        scope=scope,
        digest=security.digest(text),
        created=instants.now(),
        expires=days and instants.ago(-DAY * days),
    )
    return made, text


def revoke_token(rowid: int) -> None:
    """Ends a token at once; raises Missing."""
    if not ApiToken.delete().where(ApiToken.id == rowid).execute():
        raise Missing
    announce(SESSIONS)


# --- passphrases of alerts, and the server's own keys -------------------------------------


def register_passphrase(label: str, value: str) -> Passphrase:
    """A new passphrase; raises Refused."""
    if Passphrase.get_or_none(Passphrase.label == label):
        raise Refused("'passphrase' with that label already exists.")
    announce(PASSPHRASES)
    return Passphrase.create(label=label, value=value)


def retire_passphrase(label: str, *, others: bool) -> None:
    """From now on alerts that carry it are refused; raises Missing.

    Raises Refused where it is the last and the settings have no `others`: all would be refused.
    """
    valid = {row.label for row in Passphrase.valid()}
    if valid == {label} and not others:
        raise Refused("it is the last valid passphrase; add another first.")
    unused = Passphrase.retired.is_null()
    mine = Passphrase.update(retired=instants.now()).where(Passphrase.label == label, unused)
    if not mine.execute():
        raise Missing
    announce(PASSPHRASES)


def touch(table: type[Passphrase] | type[ApiToken], rowid: int) -> None:
    """Notes that this row was used just now."""
    table.update(last_used=instants.now()).where(table.id == rowid).execute()


def touch_setting(digest: str) -> None:
    """Notes that the passphrase of the settings with this digest was used just now."""
    row = PassphraseUse.insert(digest=digest, last_used=instants.now())
    conflict = {"conflict_target": [PassphraseUse.digest], "preserve": [PassphraseUse.last_used]}
    row.on_conflict(**conflict).execute()


def ensure_secret(name: str) -> str:
    """The server's own key of this name, made when it is first asked for."""
    secret, _ = Secret.get_or_create(name=name, defaults={"value": security.random_id(256)})
    return secret.value
