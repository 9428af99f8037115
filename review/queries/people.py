"""People as the console needs them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from review.domain.actors import Actor, Role, person_actor
from review.store.engine import holds_rows
from review.store.tables import Pause, Person, System


def signed_in(session: Session, username: str, since: datetime) -> Actor | None:
    """The person as they are now, if their sign-in at `since` still counts: active, and not signed out after it.

    In a transaction that writes, changes to the person wait until it ends.
    """
    query = select(Person).where(
        col(Person.username) == username, col(Person.active), col(Person.sessions_valid_from) <= since
    )
    person = session.execute(query.with_for_update(read=True) if holds_rows(session) else query).scalar()
    return person_actor(person.id, person.name, Role(person.role)) if person else None


def everyone(session: Session) -> list[Person]:
    """All people, by name."""
    return list(session.execute(select(Person).order_by(col(Person.name))).scalars())


@dataclass(frozen=True, slots=True)
class Paused:
    """Someone who takes no tasks of a system for now, and why."""

    id: UUID
    person: str
    name: str
    system: str
    system_name: str
    reason: str
    since: datetime


def pauses(session: Session, actor: Actor) -> list[Paused]:
    """The actor's own pauses that are not lifted, oldest first."""
    return _paused(session, col(Pause.person_id) == actor.id)


def all_pauses(session: Session) -> list[Paused]:
    """Everyone's pauses that are not lifted, oldest first."""
    return _paused(session)


def _paused(session: Session, *only: ColumnElement[bool]) -> list[Paused]:
    rows = session.execute(
        select(Pause, col(Person.username), col(Person.name), col(System.slug), col(System.name))
        .join(Person, col(Person.id) == col(Pause.person_id))
        .join(System, col(System.id) == col(Pause.system_id))
        .where(col(Pause.lifted_at).is_(None), *only)
        .order_by(col(Pause.since), col(Pause.id))
    ).all()
    return [
        Paused(pause.id, username, name, slug, system, pause.reason, pause.since)
        for pause, username, name, slug, system in rows
    ]
