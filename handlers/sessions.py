"""Logins and their sessions: each user sees and ends their own, an administrator anybody's."""

import contextlib
import re
import time

import security
from handlers.base import BaseHandler, CredentialHandler, session_state
from handlers.contract import Right, SessionId, Username, contract, right
from handlers.errors import ApiError, Errors, unauthorized
from handlers.identity import COOKIE, visitor
from handlers.lists import ListHandler
from models import Factor, Missing, Session, User, Visit
from network import site_of
from schemas import answers
from schemas.requests import LoginForm
from schemas.values import check
from services import access, audit
from services.access import CodeRefused
from trading import instants

# The first that is found names the browser: most browsers also claim to be those further down.
_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Vivaldi": "Vivaldi",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "HeadlessChrome": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def in_words(agent: str) -> str:
    """What a browser calls itself, such as "Firefox on Linux"; of a program, its name and version.

    It is shown to the user whose session it is; a client may claim anything here.
    """
    browser = next((name for key, name in _BROWSERS.items() if f"{key}/" in agent), "")
    system = next((name for key, name in _SYSTEMS.items() if key in agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    program = re.match(r"[\w.+-]{1,40}(/[\w.]{1,20})?", agent)
    return program[0] if program else ""


class TokenHandler(CredentialHandler):
    """A handler that hands out tokens."""

    def tokens(self, session: Session, *, fresh: bool) -> dict[str, str]:
        """A new access token and the session's present refresh token."""
        key, of = self.application.token_key, (session.user.username, session.id)
        left = session.expires - int(time.time())
        access_token = security.issue(key, "access", *of, 60 * session.minutes, fresh=fresh)
        refresh_token = security.issue(key, "refresh", *of, left, serial=session.refresh_id)
        return {"access_token": access_token, "refresh_token": refresh_token}


class Login(TokenHandler):
    """/v3/login: a name, a password and perhaps a code, for tokens and the browser's cookie.

    Only who sent the right password is told that a code is needed, or that it was wrong: a second
    factor does not hide that a password was guessed, but the guess alone lets nobody in.
    """

    @right(Right.OPEN)
    @contract({200: answers.LoginTokens}, LoginForm, refuses=(401, 429))
    async def post(self) -> None:
        """Log in."""
        form = check(LoginForm, self.json_body())
        user = await self.try_password(form.username, form.password)
        cookie = security.random_id(256)
        session = user and await self._enter(user, form, cookie)
        if session is None:
            raise ApiError(401, "Invalid Credentials!")
        self.application.gate.login_succeeded(form.username, self.request.remote_ip)
        # A login that another site sends must not change who is logged in here.
        if self._from_here():
            self.set_session_cookie(cookie, session.cookie_expires)
        self.reply({**self.tokens(session, fresh=True), "expire": form.expire})

    async def _enter(self, user: User, form: LoginForm, cookie: str) -> Session | None:
        gate, factor = self.application.gate, Factor.of(user)
        if factor and form.code is None:
            gate.password_fitted(user.username, self.request.remote_ip)
            raise _code_required("Enter the code of your authenticator.")
        counted = factor and security.looks_like_totp(form.code)
        if counted:
            gate.begin_code(user.username)
        try:
            session = await self.store(self._start, user, form, cookie)
        except CodeRefused:
            self.application.refusals.count("login.code", self.request.remote_ip, user.username)
            raise _code_required("The code is wrong, or it was used before.") from None
        if counted:
            gate.code_fitted(user.username)
        return session

    def _start(self, user: User, form: LoginForm, cookie: str) -> Session | None:
        """Runs in the writer: the code, the session and the audit are one transaction."""
        key, most = self.application.token_key, self.conf.audit_kept
        times = {"minutes": form.expire, "days": self.conf.refresh_days}
        came = visitor(self.request)
        session, recovered = access.log_in(user, form.code, key, *came, cookie=cookie, **times)
        trace = audit.Trace(user.username, self.request.remote_ip)
        if recovered:
            audit.note("factor.recovery", trace, most)
        if session:
            audit.note("login.succeeded", trace, most)
            self._end_former()
        return session

    def _end_former(self) -> None:
        """Ends the session that this browser had until now: its cookie is replaced."""
        if self.identity and self.identity.by_cookie and self._from_here():
            with contextlib.suppress(Missing):
                access.end_session(self.identity.session.id)

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
            await self.act("login.ended", "", access.end_session, self.identity.session.id)
        self.application.hub.recheck()
        self.clear_cookie(COOKIE)
        self.reply({"message": "Successfully logged out"})


class Refresh(TokenHandler):
    """/v3/refresh: new tokens for the refresh token; one that is used twice ends the session."""

    @right(Right.OPEN)
    @contract({200: answers.Tokens}, refuses=(401,))
    async def post(self) -> None:
        """Get new tokens for the refresh token."""
        claims = self._claims()
        session = await self.store(access.rotate_session, claims.session, claims.serial)
        if session is None:
            self.application.hub.recheck()
            raise unauthorized(*Errors.REVOKED)
        self.reply(self.tokens(session, fresh=False))

    def _claims(self) -> security.Token:
        # The bearer token is the refresh token here.
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized(*Errors.MISSING)
        return self.read_token("refresh", token.strip())


class OwnSession(BaseHandler):
    """/v3/session: GET tells whose session this is, POST lets the cookie live on."""

    @right(Right.TOKEN)
    @contract({200: answers.SessionState})
    async def get(self) -> None:
        """Tell whose session this is."""
        self._answer(self.identity.session)

    @right(Right.TOKEN)
    @contract({200: answers.SessionState})
    async def post(self) -> None:
        """Let the browser's session live on."""
        session = await self.store(access.extend_session, self.identity.session.id)
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
    @contract({200: [answers.SessionRecord]}, refuses=(404,))
    async def get(self, username: Username) -> None:
        """List a user's running sessions."""
        User.find(username)
        self.reply_sessions(username)

    def reply_sessions(self, username: str) -> None:
        """Answers a user's sessions, newest first."""
        sessions, current = Session.of(username), self.identity.session.id
        visits = Visit.of(sessions)
        self.reply_list([_record(each, visits.get(each.id), current) for each in sessions])


def _record(session: Session, visit: Visit | None, current: str) -> dict:
    return {
        "id": session.id,
        "created": instants.from_epoch(session.started),
        "expires": instants.from_epoch(session.expires),
        "current": session.id == current,
        "last_seen": visit and instants.from_epoch(visit.seen),
        "browser": in_words(visit.agent) if visit else "",
        "address": visit.address if visit else "",
    }


class OwnSessions(SessionList):
    """/v3/sessions: GET lists one's own sessions, DELETE ends all but the present one."""

    @right(Right.TOKEN)
    @contract({200: [answers.SessionRecord]})
    async def get(self) -> None:
        """List one's own running sessions."""
        self.reply_sessions(self.identity.user.username)

    @right(Right.FRESH)
    @contract({200: answers.SessionsEnded})
    async def delete(self) -> None:
        """End all of one's sessions but this one."""
        user, keep = self.identity.user, self.identity.session.id
        end = access.end_other_sessions, user, keep
        ended = await self.act("session.ended", user.username, *end)
        self.application.hub.recheck()
        self.reply({"message": "Sessions ended", "ended": ended})


class OneSession(BaseHandler):
    """/v3/session/{id}: ends a session, one's own or, as an administrator, another's."""

    @right(Right.FRESH)
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, session_id: SessionId) -> None:
        """End a session."""
        session, me = Session.by_id(session_id), self.identity.user
        if session is None or not (me.admin or session.user == me):
            raise Missing  # nobody learns that another user has a session of this id
        name = session.user.username
        await self.act("session.ended", name, access.end_session, session_id)
        self.application.hub.recheck()
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/login", Login),
    (r"/v3/logout", Logout),
    (r"/v3/refresh", Refresh),
    (r"/v3/session", OwnSession),
    (r"/v3/sessions", OwnSessions),
    (r"/v3/sessions/([^/]+)", SessionList),
    (r"/v3/session/([^/]+)", OneSession),
]
