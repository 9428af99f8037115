"""Tasks: what is on a person's desk, and what waits."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from review.domain.actors import Actor, Permission
from review.domain.lifecycle import highest_level
from review.domain.policies import compiled
from review.queries import items
from review.queries.items import Whole
from review.store.tables import Decision, Escalation, Item, Person, Policy, Queue, System, Task

COUNT_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Work:
    """A held task with all that is needed to decide it."""

    task: Task
    whole: Whole
    taxonomy: list[str]
    can_escalate: bool
    handed_up: tuple[Escalation, str] | None


def work(session: Session, actor: Actor, task: Task) -> Work:
    """The content and context of a task."""
    found = items.whole(session, actor, task.item_id)
    document, above = session.execute(
        select(col(Policy.document), col(Queue.escalates_to_id))
        .join(Queue, col(Queue.id) == task.queue_id)
        .where(col(Policy.system_id) == found.item.system_id, col(Policy.version) == found.item.policy_version)
    ).one()
    handed_up = items.handed_up(session, task.item_id) if task.escalated_from_id else []
    return Work(
        task, found, list(compiled(document).policy.taxonomy), above is not None, handed_up[0] if handed_up else None
    )


def on_desk(session: Session, actor: Actor, *, now: datetime) -> Task | None:
    """The task that this person holds now, the longest held first."""
    task: Task | None = session.execute(
        select(Task)
        .where(col(Task.holder_id) == actor.id, col(Task.state) == "open", col(Task.lease_expires_at) > now)
        .order_by(col(Task.claimed_at), col(Task.id))
        .limit(1)
    ).scalar()
    return task


def n_waiting(session: Session, actor: Actor, *, now: datetime) -> int:
    """How many tasks nobody holds in the queues this person works; counting stops at 1,000."""
    levels = select(col(Queue.id)).where(col(Queue.level) <= highest_level(actor.role))
    free = (
        select(col(Task.id))
        .where(
            col(Task.state) == "open",
            col(Task.queue_id).in_(levels),
            or_(col(Task.lease_expires_at).is_(None), col(Task.lease_expires_at) <= now),
        )
        .limit(COUNT_LIMIT)
    )
    return int(session.execute(select(func.count()).select_from(free.subquery())).scalar_one())


def n_decided_since(session: Session, actor: Actor, since: datetime) -> int:
    """How many standing decisions this person made since a moment."""
    n: int = session.execute(
        select(func.count())
        .select_from(Decision)
        .where(
            col(Decision.decided_by_id) == actor.id,
            col(Decision.decided_at) >= since,
            col(Decision.superseded_at).is_(None),
        )
    ).scalar_one()
    return n


@dataclass(frozen=True, slots=True)
class Waiting:
    """One task that was handed up and is not closed yet."""

    task_id: UUID
    item_id: UUID
    external_id: str
    system: str
    reason: str
    note: str
    by: str
    at: datetime
    due_at: datetime
    holder: str | None


def escalated(session: Session, actor: Actor, *, now: datetime, limit: int = 200) -> list[Waiting]:
    """What waits for leads, the most urgent first, with who handed it up and why."""
    actor.require(Permission.READ_ESCALATIONS)
    by, holder = Person.__table__.alias("by_person"), Person.__table__.alias("holder")  # type: ignore[attr-defined]
    rows = session.execute(
        select(Task, Escalation, col(Item.external_id), col(System.name), by.c.name, holder.c.name)
        .join(Escalation, col(Escalation.to_task_id) == col(Task.id))
        .join(Item, col(Item.id) == col(Task.item_id))
        .join(System, col(System.id) == col(Item.system_id))
        .join(by, by.c.id == col(Escalation.by_id))
        .outerjoin(holder, (holder.c.id == col(Task.holder_id)) & (col(Task.lease_expires_at) > now))
        .where(col(Task.state) == "open")
        .order_by(col(Task.priority).desc(), col(Task.due_at), col(Task.id))
        .limit(limit)
    ).all()
    return [
        Waiting(
            task.id, task.item_id, external_id, system, up.reason, up.note, by_name, up.at, task.due_at, holder_name
        )
        for task, up, external_id, system, by_name, holder_name in rows
    ]
