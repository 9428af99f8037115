"""Gold items, and how reviewers answer them, for those who run queues; never for a reviewer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from review.domain import gold
from review.domain.actors import Actor, Permission
from review.domain.decisions import Verdict
from review.domain.estimates import Estimate
from review.domain.policies import GoldTasks
from review.domain.rulings import compiled
from review.queries import people, systems
from review.queries.people import Paused
from review.store.tables import Gold, GoldAnswer, Item, Pause, Person, Policy, System


def rules(session: Session, actor: Actor, slug: str) -> GoldTasks | None:
    """How a system's policy checks its reviewers; None where it does not."""
    actor.require(Permission.READ_QUEUES)
    document = session.execute(
        select(col(Policy.document))
        .join(System, col(System.active_policy_id) == col(Policy.id))
        .where(col(System.id) == systems.id_of(session, slug))
    ).scalar()
    return compiled(document).policy.gold if document else None


def of_item(session: Session, actor: Actor, item_id: UUID) -> Gold | None:
    """What keeps an item as gold, or did until it was retired."""
    actor.require(Permission.READ_QUEUES)
    found: Gold | None = session.execute(select(Gold).where(col(Gold.item_id) == item_id)).scalar()
    return found


@dataclass(frozen=True, slots=True)
class Marked:
    """One gold item, and how often it was answered right."""

    id: UUID
    item_id: UUID
    external_id: str
    verdict: Verdict
    correction: Any
    added_by: str
    added_at: datetime
    accuracy: Estimate


def listed(session: Session, actor: Actor, slug: str) -> list[Marked]:
    """The gold items of a system, the newest first."""
    actor.require(Permission.READ_QUEUES)
    system_id = systems.id_of(session, slug)
    rows = session.execute(
        select(Gold, col(Item.external_id), col(Person.name), _n(col(GoldAnswer.is_right)), _n())
        .join(Item, col(Item.id) == col(Gold.item_id))
        .join(Person, col(Person.id) == col(Gold.added_by_id))
        .outerjoin(GoldAnswer, (col(GoldAnswer.gold_id) == col(Gold.id)) & col(GoldAnswer.superseded_at).is_(None))
        .where(col(Gold.system_id) == system_id, col(Gold.retired_at).is_(None))
        .group_by(col(Gold.id), col(Item.external_id), col(Person.name))
        .order_by(col(Gold.id).desc())
    ).all()
    return [
        Marked(
            one.id, one.item_id, external_id, Verdict(one.verdict), one.correction, by, one.added_at,
            gold.share_right(n_right, n),
        )
        for one, external_id, by, n_right, n in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """How one reviewer answered the gold tasks of a system since a pause of theirs was lifted last: what counts."""

    person: str
    name: str
    accuracy: Estimate
    paused: Paused | None


def reviewers(session: Session, actor: Actor, slug: str) -> list[Checked]:
    """Everyone who answered gold tasks of a system, by name."""
    actor.require(Permission.READ_QUEUES)
    system_id = systems.id_of(session, slug)
    lifted_at = (
        select(func.max(col(Pause.lifted_at)))
        .where(col(Pause.person_id) == col(GoldAnswer.person_id), col(Pause.system_id) == system_id)
        .scalar_subquery()
    )
    counts = or_(lifted_at.is_(None), col(GoldAnswer.at) > lifted_at)
    rows = session.execute(
        select(col(Person.username), col(Person.name), _n(counts & col(GoldAnswer.is_right)), _n(counts))
        .join(GoldAnswer, col(GoldAnswer.person_id) == col(Person.id))
        .where(col(GoldAnswer.system_id) == system_id, col(GoldAnswer.superseded_at).is_(None))
        .group_by(col(Person.username), col(Person.name))
        .order_by(col(Person.name), col(Person.username))
    ).all()
    paused = {pause.person: pause for pause in people.all_pauses(session) if pause.system == slug}
    return [
        Checked(username, name, gold.share_right(n_right, n), paused.get(username))
        for username, name, n_right, n in rows
    ]


def _n(*only: Any) -> Any:
    return func.count(col(GoldAnswer.id)).filter(*only) if only else func.count(col(GoldAnswer.id))
