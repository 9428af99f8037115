"""Tasks: what is on a person's desk, and what waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from review.domain.actors import HOLDPOINT, Actor, Permission
from review.domain.lifecycle import SKIP, TaskKind, highest_level
from review.domain.rulings import compiled
from review.errors import NotFound
from review.queries import blind, gold, items
from review.queries.items import Whole
from review.store.tables import Decision, Escalation, Item, Person, Policy, Queue, System, Task

COUNT_LIMIT = 1_000
DISAGREEMENT = "disagreement"
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
    answers: Sequence[Decision] = ()  # what others said, where the task settles their disagreement


_WORK = (
    items.WHOLE.add_columns(col(Policy.document), col(Queue.escalates_to_id))
    .join(Policy, (col(Policy.system_id) == col(Item.system_id)) & (col(Policy.version) == col(Item.policy_version)))
    .join(Queue, col(Queue.id) == bindparam("queue"))
)


def work(session: Session, actor: Actor, task: Task) -> Work:
    """The content and context of a task."""
    *row, document, above = session.execute(_WORK, {"item": task.item_id, "queue": task.queue_id}).one()
    found = items.whole_of(session, actor, *row)
    handed_up = items.handed_up(session, task.item_id) if task.escalated_from_id else []
    taxonomy = list(compiled(document).policy.taxonomy)
    return Work(
        task, found, taxonomy, above is not None, handed_up[0] if handed_up else None, blind.answers(session, task)
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


def n_waiting(
    session: Session, actor: Actor, *only: ColumnElement[bool], queues: ColumnElement[bool], now: datetime
) -> int:
    """How many tasks nobody holds, in the `queues` of the actor's level and under the conditions of a claim (`only`);
    counting stops at 1,000."""
    mine = select(col(Queue.id)).where(col(Queue.level) <= highest_level(actor.role), queues)
    return _n_free(session, actor, col(Task.queue_id).in_(mine), *only, now=now)


def n_others(session: Session, actor: Actor, *, now: datetime) -> int:
    """How many tasks nobody holds, whoever may take them; counting stops at 1,000."""
    return _n_free(session, actor, now=now)


def _n_free(session: Session, actor: Actor, *only: ColumnElement[bool], now: datetime) -> int:
    is_free = or_(col(Task.lease_expires_at).is_(None), col(Task.lease_expires_at) <= now)
    free = select(col(Task.id)).where(_OPEN, is_free, *only).limit(COUNT_LIMIT)
    query = select(func.count()).select_from(free.subquery())
    return int(session.execute(query, {"me": actor.id, "now": now, "skipped_after": now - SKIP}).scalar_one())


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
class Offered:
    """One open task of an item: to whom it is assigned, and who works on it now."""

    id: UUID
    kind: TaskKind
    queue: str
    assigned_to: str | None
    holder: str | None


def open_of(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> list[Offered]:
    """The open tasks of an item, oldest first."""
    actor.require(Permission.READ_QUEUES)
    assigned, holder = aliased(Person), aliased(Person)
    rows = session.execute(
        select(col(Task.id), col(Task.kind), col(Queue.name), col(assigned.name), col(holder.name))
        .join(Queue, col(Queue.id) == col(Task.queue_id))
        .outerjoin(assigned, col(assigned.id) == col(Task.assigned_to_id))
        .outerjoin(holder, (col(holder.id) == col(Task.holder_id)) & (col(Task.lease_expires_at) > now))
        .where(_OPEN, col(Task.item_id) == item_id, col(Task.gold_id).is_(None))
        .order_by(col(Task.id))
    ).all()
    return [Offered(id_, TaskKind(kind), queue, to, by) for id_, kind, queue, to, by in rows]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One task that waits for a lead: it was handed up, or people disagree about its item."""

    task_id: UUID
    item_id: UUID
    external_id: str
    system: str
    reason: str
    note: str
    by: str
    at: datetime
    snoozed_until: datetime | None
    priority: int
    due_at: datetime
    holder: str | None
    holder_id: UUID | None


def escalated(session: Session, actor: Actor, *, now: datetime, limit: int = 200) -> list[Waiting]:
    """What waits for leads, the most urgent first, with who handed it up and why; of blind answers nothing."""
    actor.require(Permission.READ_ESCALATIONS)
    by, holder = Person.__table__.alias("by_person"), Person.__table__.alias("holder")  # type: ignore[attr-defined]
    rows = session.execute(
        select(
            Task, Escalation, col(Item.external_id), col(System.name), func.coalesce(by.c.name, HOLDPOINT.name),
            holder.c.name,
        )
        .outerjoin(Escalation, col(Escalation.to_task_id) == col(Task.id))
        .join(Item, col(Item.id) == col(Task.item_id))
        .join(System, col(System.id) == col(Item.system_id))
        .outerjoin(by, by.c.id == col(Escalation.by_id))
        .outerjoin(holder, (holder.c.id == col(Task.holder_id)) & (col(Task.lease_expires_at) > now))
        .join(Queue, col(Queue.id) == col(Task.queue_id))
        .where(_OPEN, or_(col(Queue.level) > 0, col(Task.kind) == TaskKind.ADJUDICATION.value))
        .order_by(col(Task.priority).desc(), col(Task.due_at), col(Task.id))
        .limit(limit)
    ).all()  # fmt: skip
    return [
        Waiting(
            task.id,
            task.item_id,
            external_id,
            system,
            up.reason if up else DISAGREEMENT if task.kind == TaskKind.ADJUDICATION.value else "",
            up.note if up else "",
            by_name,
            up.at if up else task.created_at,
            task.snoozed_until if task.snoozed_until and task.snoozed_until > now else None,
            task.priority,
            task.due_at,
            holder_name,
            task.holder_id if holder_name else None,
        )
        for task, up, external_id, system, by_name, holder_name in rows
    ]
