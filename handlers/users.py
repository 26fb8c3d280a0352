"""Users, logins and sessions."""

import asyncio
import contextlib
import time
from urllib.parse import urlsplit

import schemas
import security
from handlers.base import (
    COOKIE,
    ApiError,
    BaseHandler,
    Errors,
    ListHandler,
    Right,
    count_of,
    right,
    session_state,
    unauthorized,
)
from models import Missing, Session, User
from trading import instants


class CredentialHandler(BaseHandler):
    """A handler that hashes or verifies passwords, off the event loop."""

    async def verify(self, username: str, password: str) -> User | None:
        """The user whose password this is; 429 after too many failures."""
        gate, address = self.application.gate, self.remote
        await asyncio.sleep(gate.begin_login(username, address))
        user = User.get_or_none(User.username == username)
        hashed = user.password_hash if user else None
        if not await self.application.hash(security.verify_password, password, hashed):
            return None
        gate.login_succeeded(username, address)
        return user

    async def hashed(self, password: str) -> str:
        """The hash of a new password; raises BadFields when it is too short."""
        if not self.conf.demo and len(password) < 8:
            raise schemas.BadFields({"password": "must have at least 8 characters"})
        return await self.application.hash(security.hash_password, password)

    def tokens(self, session: Session, *, fresh: bool) -> dict[str, str]:
        """A new access token and the session's present refresh token."""
        key, name = self.application.token_key, session.user.username
        return {
            "access_token": security.issue(
                key, "access", name, session.id, 60 * session.minutes, fresh=fresh
            ),
            "refresh_token": security.issue(
                key,
                "refresh",
                name,
                session.id,
                session.expires - int(time.time()),
                serial=session.refresh_id,
            ),
        }


class Login(CredentialHandler):
    """/v3/login: a name and a password for tokens and the browser's cookie."""

    @right(Right.OPEN)
    async def post(self) -> None:
        form = schemas.check(schemas.LoginForm, self.json_body())
        user = await self.verify(form.username, form.password)
        cookie, days = security.random_id(256), self.conf.refresh_days
        session = user and await self.store(Session.start, user, form.expire, days, cookie)
        if session is None:
            raise ApiError(401, "Invalid Credentials!")
        # A login that another site sends must not change who this browser is.
        if self._from_here():
            self.set_session_cookie(cookie, session.cookie_expires)
        self.reply({**self.tokens(session, fresh=True), "expire": form.expire})

    def _from_here(self) -> bool:
        site, origin = (self.request.headers.get(k) for k in ("Sec-Fetch-Site", "Origin"))
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or urlsplit(origin).netloc == self.request.host


class Logout(BaseHandler):
    """/v3/logout: ends the session, its tokens and its cookie."""

    @right(Right.TOKEN)
    async def post(self) -> None:
        with contextlib.suppress(Missing):  # another logout was faster
            await self.store(Session.end, self.identity.session.id)
        self.application.hub.recheck()
        self.clear_cookie(COOKIE)
        self.reply({"message": "Successfully logged out"})


class Refresh(CredentialHandler):
    """/v3/refresh: the refresh token for new tokens; used twice, it ends the session."""

    @right(Right.OPEN)
    async def post(self) -> None:
        claims = self._claims()
        session = await self.store(Session.rotate, claims.session, claims.serial)
        if session is None:
            self.application.hub.recheck()
            raise unauthorized(*Errors.REVOKED)
        self.reply(self.tokens(session, fresh=False))

    def _claims(self) -> security.Token:
        # The Bearer here is the refresh token.
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized(*Errors.MISSING)
        return self.read_token("refresh", token.strip())


class OwnSession(BaseHandler):
    """/v3/session: GET tells whose session this is, POST lets the cookie live on."""

    @right(Right.TOKEN)
    async def get(self) -> None:
        self._answer(self.identity.session)

    @right(Right.TOKEN)
    async def post(self) -> None:
        session = await self.store(Session.extend, self.identity.session.id)
        cookie = self.get_cookie(COOKIE)
        if self.identity.by_cookie and cookie:
            self.set_session_cookie(cookie, session.cookie_expires)
        self._answer(session)

    def _answer(self, session: Session) -> None:
        user = session.user
        self.reply({"username": user.username, "admin": user.admin, **session_state(session)})


class SessionList(ListHandler):
    """/v3/sessions/{username}: a user's running sessions."""

    list_key = "sessions"

    @right(Right.ADMIN)
    async def get(self, username: str) -> None:
        User.find(username)
        self.reply_list(
            [
                {
                    "id": session.id,
                    "created": instants.from_epoch(session.started),
                    "expires": instants.from_epoch(session.expires),
                    "current": session.id == self.identity.session.id,
                }
                for session in Session.of(username)
            ]
        )


class OneSession(BaseHandler):
    """/v3/session/{id}: ends a session."""

    @right(Right.ADMIN)
    async def delete(self, session_id: str) -> None:
        await self.store(Session.end, session_id)
        self.application.hub.recheck()
        self.reply({"message": "Item deleted"})


class UserRegister(CredentialHandler):
    """/v3/reguser: POST makes a user, PUT sets a new password or makes the user."""

    @right(Right.ADMIN)
    async def post(self) -> None:
        form = schemas.check(schemas.UserForm, self.json_body())
        hashed = await self.hashed(form.password)
        await self.store(User.register, form.username, hashed, form.admin or False)
        self.reply({"message": "'user' created successfully."}, 201)

    @right(Right.FRESH)
    async def put(self) -> None:
        form = schemas.check(schemas.UserForm, self.json_body())
        if form.username == self.identity.user.username:
            await self._own_password(form)
        else:
            self.require(Right.ADMIN)
            await self._others_password(form)

    async def _own_password(self, form: schemas.UserForm) -> None:
        if form.old_password is None:
            raise schemas.BadFields({"old_password": "required"})
        if await self.verify(form.username, form.old_password) is None:
            raise schemas.BadFields({"old_password": "incorrect password."})
        # Rights are given by another administrator, never by oneself.
        keep = self.identity.session.id
        await self.store(User.rekey, form.username, await self.hashed(form.password), None, keep)
        self.application.hub.recheck()
        self.reply({"message": "'user' updated successfully."})

    async def _others_password(self, form: schemas.UserForm) -> None:
        hashed = await self.hashed(form.password)
        made = await self.store(User.put, form.username, hashed, form.admin)
        self.application.hub.recheck()
        word = "created" if made else "updated"
        self.reply({"message": f"'user' {word} successfully."}, 201 if made else 200)


class UserList(ListHandler):
    """/v3/users/{n}: the newest users' names."""

    list_key = "users"

    @right(Right.ADMIN)
    async def get(self, count: str) -> None:
        users = User.page(count_of(count))
        self.reply_list([{"username": user.username} for user in users])


class OneUser(BaseHandler):
    """/v3/user/{username}."""

    @right(Right.ADMIN)
    async def get(self, username: str) -> None:
        self.reply({"username": User.find(username).username})

    @right(Right.ADMIN)
    async def delete(self, username: str) -> None:
        await self.store(User.drop, username)
        self.application.hub.recheck()
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/login", Login),
    (r"/v3/logout", Logout),
    (r"/v3/refresh", Refresh),
    (r"/v3/session", OwnSession),
    (r"/v3/sessions/([^/]+)", SessionList),
    (r"/v3/session/([^/]+)", OneSession),
    (r"/v3/reguser", UserRegister),
    (r"/v3/users/([^/]+)", UserList),
    (r"/v3/user/([^/]+)", OneUser),
]
