"""Tasks: what is on a person's desk, and what waits."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, case, exists, func, or_, select, text
from sqlmodel import Session, col

from review.domain.actors import HOLDPOINT, Actor, Permission
from review.domain.lifecycle import SKIP, highest_level
from review.domain.rulings import compiled
from review.errors import NotFound
from review.queries import gold, items
from review.queries.items import Whole
from review.store.tables import Decision, Escalation, Item, Person, Policy, Queue, System, Task, TaskSkip

COUNT_LIMIT = 1_000
# Spelled out, not bound: only then does SQLite use the partial index whose condition it is.
_OPEN = text("task.state = 'open'")


@dataclass(frozen=True, slots=True)
class Work:
    """A held task with all that is needed to decide it."""

    task: Task
    whole: Whole
    taxonomy: list[str]
    can_escalate: bool
    handed_up: tuple[Escalation, str] | None


_AROUND = (
    select(col(Policy.document), col(Queue.escalates_to_id))
    .join(Queue, col(Queue.id) == bindparam("queue"))
    .where(col(Policy.system_id) == bindparam("system"), col(Policy.version) == bindparam("version"))
)


def work(session: Session, actor: Actor, task: Task) -> Work:
    """The content and context of a task."""
    found = items.whole(session, actor, task.item_id)
    around = {"queue": task.queue_id, "system": found.item.system_id, "version": found.item.policy_version}
    document, above = session.connection().execute(_AROUND, around).one()
    handed_up = items.handed_up(session, task.item_id) if task.escalated_from_id else []
    return Work(
        task, found, list(compiled(document).policy.taxonomy), above is not None, handed_up[0] if handed_up else None
    )


def item_version(session: Session, task_id: UUID) -> int:
    """The version that a task's item has now; raises NotFound where there is no such task."""
    version: int | None = session.execute(
        select(col(Item.version)).join(Task, col(Task.item_id) == col(Item.id)).where(col(Task.id) == task_id)
    ).scalar()
    if version is None:
        raise NotFound("There is no such task.")
    return version


def on_desk(session: Session, actor: Actor, *, first: UUID | None = None, now: datetime) -> Task | None:
    """The task that this person holds now: the one named `first` if they hold it, else the longest held."""
    task: Task | None = session.execute(
        select(Task)
        .where(_OPEN, col(Task.holder_id) == actor.id, col(Task.lease_expires_at) > now)
        .order_by(case((col(Task.id) == first, 0), else_=1), col(Task.claimed_at), col(Task.id))
        .limit(1)
    ).scalar()
    return task


def n_waiting(session: Session, actor: Actor, *, now: datetime) -> int:
    """How many tasks nobody holds in the queues this person works; counting stops at 1,000."""
    levels = select(col(Queue.id)).where(col(Queue.level) <= highest_level(actor.role))
    skipped = exists().where(
        col(TaskSkip.task_id) == col(Task.id), col(TaskSkip.person_id) == actor.id, col(TaskSkip.at) > now - SKIP
    )
    free = (
        select(col(Task.id))
        .where(
            _OPEN,
            col(Task.queue_id).in_(levels),
            or_(col(Task.lease_expires_at).is_(None), col(Task.lease_expires_at) <= now),
            ~skipped,
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
    return n + gold.n_answered_since(session, actor, since)


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
    holder_id: UUID | None


def escalated(session: Session, actor: Actor, *, now: datetime, limit: int = 200) -> list[Waiting]:
    """What waits for leads, the most urgent first, with who handed it up and why."""
    actor.require(Permission.READ_ESCALATIONS)
    by, holder = Person.__table__.alias("by_person"), Person.__table__.alias("holder")  # type: ignore[attr-defined]
    rows = session.execute(
        select(
            Task, Escalation, col(Item.external_id), col(System.name), func.coalesce(by.c.name, HOLDPOINT.name),
            holder.c.name,
        )
        .join(Escalation, col(Escalation.to_task_id) == col(Task.id))
        .join(Item, col(Item.id) == col(Task.item_id))
        .join(System, col(System.id) == col(Item.system_id))
        .outerjoin(by, by.c.id == col(Escalation.by_id))
        .outerjoin(holder, (holder.c.id == col(Task.holder_id)) & (col(Task.lease_expires_at) > now))
        .where(_OPEN, col(Task.queue_id).in_(select(col(Queue.id)).where(col(Queue.level) > 0)))
        .order_by(col(Task.priority).desc(), col(Task.due_at), col(Task.id))
        .limit(limit)
    ).all()  # fmt: skip
    return [
        Waiting(
            task.id,
            task.item_id,
            external_id,
            system,
            up.reason,
            up.note,
            by_name,
            up.at,
            task.due_at,
            holder_name,
            task.holder_id if holder_name else None,
        )
        for task, up, external_id, system, by_name, holder_name in rows
    ]
