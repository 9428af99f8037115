"""People as the console needs them."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from review.domain.actors import Actor, Role, person_actor
from review.store.engine import holds_rows
from review.store.tables import Person


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
