"""Sessions: each user sees and ends their own, an administrator anybody's."""

from handlers.base import (
    COOKIE,
    BaseHandler,
    ListHandler,
    Right,
    SessionId,
    Username,
    contract,
    in_words,
    right,
    session_state,
)
from models import Audit, Missing, Session, User, Visit
from schemas import access, answers
from trading import instants


class OwnSession(BaseHandler):
    """/v3/session: GET tells whose session this is, POST lets the cookie live on."""

    @right(Right.TOKEN)
    @contract({200: access.SessionState})
    async def get(self) -> None:
        """Tell whose session this is."""
        self._answer(self.identity.session)

    @right(Right.TOKEN)
    @contract({200: access.SessionState})
    async def post(self) -> None:
        """Let the browser's session live on."""
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
    @contract({200: [access.SessionRecord]}, refuses=(404,))
    async def get(self, username: Username) -> None:
        """List a user's running sessions."""
        User.find(username)
        self.reply_sessions(username)

    def reply_sessions(self, username: str) -> None:
        """Answers a user's sessions, newest first."""
        sessions = Session.of(username)
        visits = Visit.of(sessions)
        self.reply_list([self._record(each, visits.get(each.id)) for each in sessions])

    def _record(self, session: Session, visit: Visit | None) -> dict:
        return {
            "id": session.id,
            "created": instants.from_epoch(session.started),
            "expires": instants.from_epoch(session.expires),
            "current": session.id == self.identity.session.id,
            "last_seen": visit and instants.from_epoch(visit.seen),
            "browser": in_words(visit.agent) if visit else "",
            "address": visit.address if visit else "",
        }


class OwnSessions(SessionList):
    """/v3/sessions: GET lists one's own sessions, DELETE ends all but the present one."""

    @right(Right.TOKEN)
    @contract({200: [access.SessionRecord]})
    async def get(self) -> None:
        """List one's own running sessions."""
        self.reply_sessions(self.identity.user.username)

    @right(Right.FRESH)
    @contract({200: access.SessionsEnded})
    async def delete(self) -> None:
        """End all of one's sessions but this one."""
        user, keep = self.identity.user, self.identity.session.id
        ended = await self.act("session.ended", user.username, Session.end_others, user, keep)
        self.application.hub.recheck()
        self.reply({"message": "Sessions ended", "ended": ended})


class OneSession(BaseHandler):
    """/v3/session/{id}: ends a session, one's own or, as an administrator, another's."""

    @right(Right.FRESH)
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, session_id: SessionId) -> None:
        """End a session."""
        trace, most = self.trace, self.conf.audit_kept
        only = None if self.identity.user.admin else self.identity.user.id

        def end() -> None:
            session = Session.by_id(session_id)
            if session is None or only not in (None, session.user_id):
                raise Missing  # that another has a session of this id is nobody's business
            Session.end(session_id)
            Audit.note("session.ended", trace, most, session.user.username)

        await self.store(end)
        self.application.hub.recheck()
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/session", OwnSession),
    (r"/v3/sessions", OwnSessions),
    (r"/v3/sessions/([^/]+)", SessionList),
    (r"/v3/session/([^/]+)", OneSession),
]
