"""Systems and queues as the console lists them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from review.errors import NotFound
from review.store.tables import Person, Policy, Queue, System


@dataclass(frozen=True, slots=True)
class Listed:
    """One system with its people and the policy in force."""

    slug: str
    name: str
    description: str
    mode: str
    mode_until: datetime | None
    is_critical: bool
    owner_id: UUID
    owner: str
    owner_name: str
    deputy_id: UUID
    deputy: str
    deputy_name: str
    policy_version: int | None
    policy_since: datetime | None


def listed(session: Session) -> list[Listed]:
    """All systems, by name."""
    owner, deputy = aliased(Person), aliased(Person)
    rows = session.execute(
        select(
            col(System.slug), col(System.name), col(System.description), col(System.mode),
            col(System.mode_until), col(System.is_critical),
            col(owner.id), col(owner.username), col(owner.name), col(deputy.id), col(deputy.username), col(deputy.name),
            col(Policy.version), col(Policy.activated_at),
        )
        .join(owner, col(owner.id) == col(System.owner_id))
        .join(deputy, col(deputy.id) == col(System.deputy_id))
        .outerjoin(Policy, col(Policy.id) == col(System.active_policy_id))
        .order_by(col(System.name))
    )  # fmt: skip
    return [Listed(*row) for row in rows]


def id_of(session: Session, slug: str) -> UUID:
    """The id of a system; raises NotFound where there is none of this slug."""
    found: UUID | None = session.execute(select(col(System.id)).where(col(System.slug) == slug)).scalar()
    if found is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    return found


def slugs(session: Session) -> list[str]:
    """The slugs of all systems."""
    return list(session.execute(select(col(System.slug)).order_by(col(System.slug))).scalars())


def queue_slugs(session: Session) -> list[str]:
    """The slugs of all queues, those for reviewers first."""
    return list(session.execute(select(col(Queue.slug)).order_by(col(Queue.level), col(Queue.slug))).scalars())
