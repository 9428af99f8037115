"""Keys for the HTTP interface: shown once when made, kept as a hash."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit
from review.domain.actors import Actor, Permission
from review.domain.content import sha256
from review.errors import NotFound, WrongState
from review.store.tables import ApiKey, Person, System


def create_for_system(session: Session, actor: Actor, slug: str, *, now: datetime) -> str:
    """A new key that sends and reads one system's outputs. Returns the key itself, for the only time."""
    system_id = session.execute(select(col(System.id)).where(col(System.slug) == slug)).scalar()
    if system_id is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    return _create(session, actor, now, system_id=system_id)


def create_for_person(session: Session, actor: Actor, username: str, *, now: datetime) -> str:
    """A new key that acts as this person, with their rights. Returns the key itself, for the only time."""
    person_id = session.execute(
        select(col(Person.id)).where(col(Person.username) == username, col(Person.active))
    ).scalar()
    if person_id is None:
        raise NotFound(f"“{username}” is not an active person here.", field="user")
    return _create(session, actor, now, person_id=person_id)


def _create(
    session: Session, actor: Actor, now: datetime, *, system_id: UUID | None = None, person_id: UUID | None = None
) -> str:
    actor.require(Permission.ADMINISTER)
    token = f"hp_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        hash=sha256(token.encode()), hint=f"{token[:7]}…", system_id=system_id, person_id=person_id, created_at=now
    )
    session.add(key)
    session.flush()
    audit.record(session, actor, "key.created", ("key", key.id), now=now, system_id=system_id, person_id=person_id)
    return token


def revoke(session: Session, actor: Actor, key_id: UUID, *, now: datetime) -> None:
    """Make a key useless from now on."""
    actor.require(Permission.ADMINISTER)
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("There is no such key.")
    if key.revoked_at is not None:
        raise WrongState("This key was revoked already.")
    key.revoked_at = now
    audit.record(session, actor, "key.revoked", ("key", key_id), now=now)
