"""Users and logins."""

import contextlib
import time

import schemas
import security
from handlers.base import (
    COOKIE,
    ApiError,
    BaseHandler,
    Count,
    CredentialHandler,
    Errors,
    ListHandler,
    Right,
    Username,
    contract,
    count_of,
    right,
    unauthorized,
    visitor,
)
from models import Audit, CodeRefused, Factor, Missing, Session, Trace, User, log_in
from network import site_of
from schemas import access, answers


class TokenHandler(CredentialHandler):
    """A handler that hands out tokens."""

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


class Login(TokenHandler):
    """/v3/login: a name, a password and perhaps a code, for tokens and the browser's cookie.

    That a code is needed, and that it was wrong, is told only to whoever sent the right password;
    so a second factor does not hide that a password was guessed, it makes the guess worthless.
    """

    @right(Right.OPEN)
    @contract({200: access.LoginTokens}, schemas.LoginForm, refuses=(401, 429))
    async def post(self) -> None:
        """Log in."""
        form = schemas.check(schemas.LoginForm, self.json_body())
        user = await self.try_password(form.username, form.password)
        cookie = security.random_id(256)
        session = user and await self._enter(user, form, cookie)
        if session is None:
            raise ApiError(401, "Invalid Credentials!")
        self.application.gate.login_succeeded(form.username, self.remote)
        # A login that another site sends must not change who this browser is.
        if self._from_here():
            self.set_session_cookie(cookie, session.cookie_expires)
        self.reply({**self.tokens(session, fresh=True), "expire": form.expire})

    async def _enter(self, user: User, form: schemas.LoginForm, cookie: str) -> Session | None:
        gate, factor = self.application.gate, Factor.of(user)
        if factor and form.code is None:
            gate.password_fitted(user.username, self.remote)
            raise _code_required("Enter the code of your authenticator.")
        counted = factor and security.looks_like_totp(form.code)
        if counted:
            gate.begin_code(user.username)
        try:
            session = await self.store(self._start, user, form, cookie)
        except CodeRefused:
            self.application.refusals.count("login.code", self.remote, user.username)
            raise _code_required("The code is wrong, or it was used before.") from None
        if counted:
            gate.code_fitted(user.username)
        return session

    def _start(self, user: User, form: schemas.LoginForm, cookie: str) -> Session | None:
        """Runs in the writer: the code, the session and the audit are one transaction."""
        key, most = self.application.token_key, self.conf.audit_kept
        times = {"minutes": form.expire, "days": self.conf.refresh_days}
        session, recovered = log_in(
            user, form.code, key, *visitor(self.request), cookie=cookie, **times
        )
        trace = Trace(user.username, self.remote)
        if recovered:
            Audit.note("factor.recovery", trace, most)
        if session:
            Audit.note("login.succeeded", trace, most)
            self._end_former()
        return session

    def _end_former(self) -> None:
        """The session that this browser had until now ends: nothing leads back to it."""
        if self.identity and self.identity.by_cookie and self._from_here():
            with contextlib.suppress(Missing):
                Session.end(self.identity.session.id)

    def _from_here(self) -> bool:
        site, origin = (self.request.headers.get(k) for k in ("Sec-Fetch-Site", "Origin"))
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or site_of(origin) == self.request.host


def _code_required(message: str) -> ApiError:
    return ApiError(401, message, error="code_required")


class Logout(BaseHandler):
    """/v3/logout: ends the session, its tokens and its cookie."""

    @right(Right.TOKEN)
    @contract({200: answers.Done})
    async def post(self) -> None:
        """Log out: the session and its tokens end."""
        with contextlib.suppress(Missing):  # another logout was faster
            await self.act("login.ended", "", Session.end, self.identity.session.id)
        self.application.hub.recheck()
        self.clear_cookie(COOKIE)
        self.reply({"message": "Successfully logged out"})


class Refresh(TokenHandler):
    """/v3/refresh: the refresh token for new tokens; used twice, it ends the session."""

    @right(Right.OPEN)
    @contract({200: access.Tokens}, refuses=(401,))
    async def post(self) -> None:
        """Get new tokens for the refresh token."""
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


class UserRegister(CredentialHandler):
    """/v3/reguser: POST makes a user, PUT sets a new password or makes the user."""

    @right(Right.ADMIN)
    @contract({201: answers.Done}, schemas.UserForm)
    async def post(self) -> None:
        """Make a user."""
        form = schemas.check(schemas.UserForm, self.json_body())
        hashed = await self.hashed(form.password)
        fields = (form.username, hashed, form.admin or False)
        await self.act("user.created", form.username, User.register, *fields)
        self.reply({"message": "'user' created successfully."}, 201)

    @right(Right.FRESH)
    @contract({200: answers.Done, 201: answers.Done}, schemas.UserForm, refuses=(429,))
    async def put(self) -> None:
        """Set a new password, or make the user."""
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
        fields = (form.username, await self.hashed(form.password), None, keep)
        await self.act("user.password", form.username, User.rekey, *fields)
        self.application.hub.recheck()
        self.reply({"message": "'user' updated successfully."})

    async def _others_password(self, form: schemas.UserForm) -> None:
        hashed = await self.hashed(form.password)
        fields = (form.username, hashed, form.admin)
        made = await self.act(_put_kind, form.username, User.put, *fields)
        self.application.hub.recheck()
        word = "created" if made else "updated"
        self.reply({"message": f"'user' {word} successfully."}, 201 if made else 200)


def _put_kind(made: bool) -> str:
    return "user.created" if made else "user.changed"


class UserList(ListHandler):
    """/v3/users/{n}: the newest users' names."""

    list_key = "users"

    @right(Right.ADMIN, scope="admin")
    @contract({200: [access.UserName]})
    async def get(self, count: Count) -> None:
        """List the newest users."""
        users = User.page(count_of(count))
        self.reply_list([{"username": user.username} for user in users])


class OneUser(BaseHandler):
    """/v3/user/{username}."""

    @right(Right.ADMIN, scope="admin")
    @contract({200: access.UserName}, refuses=(404,))
    async def get(self, username: Username) -> None:
        """Read a user."""
        self.reply({"username": User.find(username).username})

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, username: Username) -> None:
        """Delete a user."""
        await self.act("user.deleted", username, User.drop, username)
        self.application.hub.recheck()
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/login", Login),
    (r"/v3/logout", Logout),
    (r"/v3/refresh", Refresh),
    (r"/v3/reguser", UserRegister),
    (r"/v3/users/([^/]+)", UserList),
    (r"/v3/user/([^/]+)", OneUser),
]
