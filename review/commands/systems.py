"""Systems: each has a named owner and a deputy from its first moment, and a policy that holds everything."""

import re
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, policies
from review.domain.actors import Actor, Permission
from review.domain.policies import HOLD_EVERYTHING
from review.errors import Conflict, Invalid, NotFound
from review.store.tables import Person, System

_SLUG = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")


def add(
    session: Session, actor: Actor, *, slug: str, name: str = "", description: str = "",
    owner: str, deputy: str, now: datetime,
) -> System:  # fmt: skip
    """Put a system on record with its owner and deputy (usernames of two active people).

    It starts with a policy that holds everything. Raises Invalid, NotFound or Conflict naming the field.
    """
    actor.require(Permission.ADMINISTER)
    if not _SLUG.fullmatch(slug):
        raise Invalid("A system's slug is lower-case letters, digits, and . _ : - in it.", field="slug")
    if session.execute(select(col(System.id)).where(col(System.slug) == slug)).first():
        raise Conflict(f"There is a system “{slug}” already.", field="slug")
    owner_id, deputy_id = _people(session, owner, deputy)
    system = System(
        slug=slug, name=name or slug, description=description, owner_id=owner_id, deputy_id=deputy_id,
        sample_key=secrets.token_bytes(32), created_at=now,
    )  # fmt: skip
    session.add(system)
    session.flush()
    audit.record(session, actor, "system.added", ("system", system.id), now=now, slug=slug, owner=owner, deputy=deputy)
    policies.activate(session, actor, slug, HOLD_EVERYTHING, now=now)
    return system


def set_people(session: Session, actor: Actor, slug: str, *, owner: str, deputy: str, now: datetime) -> None:
    """Name another owner and deputy (usernames of two active people)."""
    actor.require(Permission.ADMINISTER)
    system = session.execute(select(System).where(col(System.slug) == slug)).scalar()
    if system is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    system.owner_id, system.deputy_id = _people(session, owner, deputy)
    audit.record(session, actor, "system.people_changed", ("system", system.id), now=now, owner=owner, deputy=deputy)


def set_critical(session: Session, actor: Actor, slug: str, *, critical: bool, now: datetime) -> None:
    """Say whether a second person has to approve each version of a system's policy before it comes into force."""
    actor.require(Permission.ADMINISTER)
    system = session.execute(select(System).where(col(System.slug) == slug).with_for_update(key_share=True)).scalar()
    if system is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    system.is_critical = critical
    audit.record(session, actor, "system.critical_changed", ("system", system.id), now=now, critical=critical)


def _people(session: Session, owner: str, deputy: str) -> tuple[UUID, UUID]:
    if owner == deputy:
        raise Invalid("The deputy is another person than the owner.", field="deputy")
    return _active(session, owner, "owner"), _active(session, deputy, "deputy")


def _active(session: Session, username: str, field: str) -> UUID:
    person: UUID | None = session.execute(
        select(col(Person.id)).where(col(Person.username) == username, col(Person.active))
    ).scalar()
    if person is None:
        raise NotFound(f"The {field} “{username}” is not an active person here. Add them first.", field=field)
    return person
