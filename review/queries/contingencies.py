"""What is written down for the case that a system's model fails it, and when it was carried out or exercised."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.domain.actors import Actor, Permission
from review.errors import NotFound
from review.store.tables import Contingency, Drill, Person, System


@dataclass(frozen=True, slots=True)
class Plan:
    """A contingency, who wrote it, and each time that it was carried out or exercised, newest first."""

    contingency: Contingency
    written_by: str
    drills: Sequence[Drill]


def plans(session: Session, actor: Actor, slug: str) -> list[Plan]:
    """The plans of a system, for people; raises NotFound where there is no such system."""
    actor.require(Permission.READ_OVERVIEW)
    system_id = session.execute(select(col(System.id)).where(col(System.slug) == slug)).scalar()
    if system_id is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    rows = session.execute(
        select(Contingency, col(Person.name))
        .join(Person, col(Person.id) == col(Contingency.written_by_id))
        .where(col(Contingency.system_id) == system_id)
        .order_by(col(Contingency.trigger))
    ).all()
    drills = _drills(session, [contingency.id for contingency, _ in rows])
    return [Plan(contingency, name, drills[contingency.id]) for contingency, name in rows]


def _drills(session: Session, contingency_ids: Sequence[UUID]) -> dict[UUID, list[Drill]]:
    found: dict[UUID, list[Drill]] = defaultdict(list)
    chosen = select(Drill).where(col(Drill.contingency_id).in_(contingency_ids)).order_by(col(Drill.id).desc())
    for drill in session.execute(chosen).scalars():
        found[drill.contingency_id].append(drill)
    return found
