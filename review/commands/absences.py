"""Who is away and when: tasks that were given to them are offered to others then, and they are given no new ones."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, freeing
from review.domain.actors import Actor, Permission
from review.errors import Invalid, NotFound
from review.store.tables import Absence, Person

_LONGEST = timedelta(days=366)


def add(
    session: Session, actor: Actor, *, person: str | None = None, from_at: datetime, until_at: datetime, now: datetime
) -> Absence:
    """Say that one is away from a moment until another, or that somebody else is (a username), as leads may.

    Raises Forbidden, NotFound, or Invalid where the time is over or too long.
    """
    person_id = actor.person_id if person is None else _other(session, actor, person)
    if until_at <= from_at:
        raise Invalid("until_at is after from_at. Swap them, or write a later day.", field="until_at")
    if until_at <= now:
        raise Invalid("until_at is over already. Write a day to come.", field="until_at")
    if until_at - now > _LONGEST:
        raise Invalid("until_at is more than a year away. Write it when it is nearer.", field="until_at")
    if until_at - from_at > _LONGEST:
        raise Invalid("One absence is a year at most. Deactivate who is gone for longer.", field="until_at")
    absence = Absence(person_id=person_id, from_at=from_at, until_at=until_at)
    session.add(absence)
    session.flush()
    audit.record(
        session, actor, "absence.added", ("person", person_id), now=now,
        absence_id=absence.id, from_at=from_at, until_at=until_at,
    )  # fmt: skip
    freeing.free_unable(session, now=now)
    return absence


def remove(session: Session, actor: Actor, absence_id: UUID, *, now: datetime) -> None:
    """Take back that one is away, or somebody else, as leads may."""
    absence = session.get(Absence, absence_id, with_for_update=True)
    if absence is None:
        raise NotFound("There is no such absence.")
    if absence.person_id != actor.person_id:
        actor.require(Permission.MANAGE_QUEUES)
    session.delete(absence)
    audit.record(session, actor, "absence.removed", ("person", absence.person_id), now=now, absence_id=absence_id)


def _other(session: Session, actor: Actor, username: str) -> UUID:
    found: UUID | None = session.execute(select(col(Person.id)).where(col(Person.username) == username)).scalar()
    if found != actor.id:
        actor.require(Permission.MANAGE_QUEUES)
    if found is None:
        raise NotFound(f"There is no person “{username}”.", field="person")
    return found
