"""From where, with what and when last a session is used."""

from peewee import BigIntegerField, CharField, ForeignKeyField

from models.base import Base
from models.factor import Factor
from models.users import Session, User
from trading import instants


class Visit(Base):
    """The browser or program of a session; `seen` is in Unix seconds, a minute late at the most."""

    session = ForeignKeyField(Session, primary_key=True, on_delete="CASCADE")
    agent = CharField(300)
    address = CharField(64)
    seen = BigIntegerField()

    @classmethod
    def note(cls, session_id: str, agent: str, address: str) -> None:
        """The session is in use; nothing where it has just ended."""
        if not Session.select().where(Session.id == session_id).exists():
            return
        fields = {"agent": agent[:300], "address": address, "seen": instants.epoch()}
        row = cls.insert(session=session_id, **fields)
        row.on_conflict(conflict_target=[cls.session], update=fields).execute()

    @classmethod
    def of(cls, sessions: list[Session]) -> dict[str, "Visit"]:
        """{session id: visit} of those that were seen."""
        ids = [session.id for session in sessions]
        return {row.session_id: row for row in cls.select().where(cls.session.in_(ids))}

    @classmethod
    def addresses(cls, most: int) -> set[str]:
        """From where the sessions last seen are used."""
        return {row.address for row in cls.select().order_by(cls.seen.desc()).limit(most)}

    @classmethod
    def end_idle(cls, days: int) -> int:
        """Ends the sessions that nobody used for that long: how many."""
        limit = instants.epoch() - days * 86400
        seen = cls.select(cls.session).where(cls.seen > limit)
        idle = (Session.started <= limit) & Session.id.not_in(seen)
        return Session.delete().where(idle).execute()


def log_in(
    user: User, code: str | None, key: str, agent: str, address: str, **session
) -> tuple[Session | None, bool]:
    """(a session for whoever gave the password, whether a recovery code was used up for it).

    Raises CodeRefused where the user has a second factor and no good code was given. The session
    is None where the password has changed since it was verified.
    """
    recovered = Factor.spend(user, code or "", key) if Factor.of(user) else False
    made = Session.start(user, **session)
    if made:
        Visit.note(made.id, agent, address)
    return made, recovered
