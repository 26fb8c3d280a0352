"""What the server knows of itself."""

from peewee import CharField, TextField

from models.base import Base

LAST_BACKUP = "last_backup"  # an instant
PRUNED_EVENT = "pruned_event"  # the id of the last event that was pruned


class Fact(Base):
    """One fact under its name."""

    name = CharField(40, primary_key=True)
    value = TextField()

    @classmethod
    def of(cls, name: str) -> str | None:
        """What was noted last."""
        return cls.select(cls.value).where(cls.name == name).scalar()

    @classmethod
    def note(cls, name: str, value: str) -> None:
        """Notes it in the place of what was noted before."""
        cls.insert(name=name, value=value).on_conflict(
            conflict_target=[cls.name], preserve=[cls.value]
        ).execute()
