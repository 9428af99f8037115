"""Taking tasks back from people who cannot do them now, so that everyone of the queue is offered them again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, exists, or_, select, update
from sqlmodel import Session, col

from review.commands import audit
from review.commands.eligibility import NOT_HELD, NOW, OPEN, TASK
from review.domain.actors import HOLDPOINT, Actor, Role
from review.domain.lifecycle import TaskState, highest_level
from review.store.tables import Absence, Item, Pause, Person, PersonSkill, Queue, QueueMember, TaskBar, TaskSkill

GIVEN = (TASK.c.id, TASK.c.item_id, TASK.c.queue_id, TASK.c.due_at)


def roles_of(level: int) -> list[str]:
    """The roles that work queues of a level."""
    return [role.value for role in Role if highest_level(role) >= level]


_IS_AWAY = exists().where(
    col(Absence.person_id) == TASK.c.assigned_to_id, col(Absence.from_at) <= NOW, col(Absence.until_at) > NOW
)
_IS_PAUSED = exists().where(
    col(Pause.person_id) == TASK.c.assigned_to_id, col(Pause.lifted_at).is_(None),
    col(Item.id) == TASK.c.item_id, col(Item.system_id) == col(Pause.system_id),
)  # fmt: skip
_HAS_MEMBERS = exists().where(col(QueueMember.queue_id) == TASK.c.queue_id)
_IS_NO_MEMBER = and_(_HAS_MEMBERS, ~_HAS_MEMBERS.where(col(QueueMember.person_id) == TASK.c.assigned_to_id))
_HAS_SKILL = (
    exists()
    .where(col(PersonSkill.person_id) == TASK.c.assigned_to_id, col(PersonSkill.skill) == col(TaskSkill.skill))
    .correlate(TASK, TaskSkill)  # two levels out: SQLAlchemy finds one by itself
)
_IS_UNSKILLED = and_(TASK.c.is_limited, exists().where(col(TaskSkill.task_id) == TASK.c.id, ~_HAS_SKILL))
_IS_BARRED = and_(
    TASK.c.is_limited,
    exists().where(col(TaskBar.item_id) == TASK.c.item_id, col(TaskBar.person_id) == TASK.c.assigned_to_id),
)
_IS_GONE = or_(
    ~col(Person.active),
    and_(col(Queue.level) == 0, col(Person.role).not_in(roles_of(0))),
    and_(col(Queue.level) > 0, col(Person.role).not_in(roles_of(1))),
)
_UNABLE = (
    select(
        *GIVEN,
        case((_IS_GONE, "gone"), (_IS_NO_MEMBER, "no member"), (_IS_AWAY, "away"), (_IS_PAUSED, "paused"),
             (_IS_BARRED, "barred"), else_="unskilled").label("why"),
    )
    .join(Person, col(Person.id) == TASK.c.assigned_to_id)
    .join(Queue, col(Queue.id) == TASK.c.queue_id)
    .where(
        OPEN, TASK.c.assigned_to_id.is_not(None), TASK.c.gold_id.is_(None), NOT_HELD,
        or_(_IS_GONE, _IS_NO_MEMBER, _IS_AWAY, _IS_PAUSED, _IS_BARRED, _IS_UNSKILLED),
    )
    .with_for_update(of=TASK, skip_locked=True)
)  # fmt: skip


def free_unable(session: Session, *, now: datetime) -> int:
    """Offer to everyone again what was given to people who are away, paused, gone, or no longer of its queue.

    What somebody is working on stays theirs. Returns how many tasks were freed.
    """
    rows = session.connection().execute(_UNABLE, {"now": now}).all()
    for chunk in chunks([row.id for row in rows]):
        session.connection().execute(update(TASK).where(TASK.c.id.in_(chunk)).values(assigned_to_id=None))
    for row in rows:
        tell_freed(session, HOLDPOINT, row, row.why, now=now)
    return len(rows)


def withdraw_gold(session: Session, now: datetime, *which: Any) -> None:
    """Close open gold tasks whose answers nobody waits for any more; there is nothing to ask anyone else."""
    _withdraw(session, now, TASK.c.gold_id.is_not(None), *which)


def withdraw(session: Session, now: datetime, *which: Any) -> None:
    """Ask nobody about settled items any more; a gold task asks nobody about where its item stands."""
    _withdraw(session, now, TASK.c.gold_id.is_(None), *which)


def _withdraw(session: Session, now: datetime, *which: Any) -> None:
    session.connection().execute(
        update(TASK).where(OPEN, *which).values(state=TaskState.WITHDRAWN.value, closed_at=now, lease_expires_at=None)
    )


def tell_freed(session: Session, actor: Actor, task: Any, why: str, *, now: datetime, **also: Any) -> None:
    """Put on record that a task is offered to everyone of its queue again."""
    audit.record(session, actor, "task.freed", ("item", task.item_id), now=now, task_id=task.id, why=why, **also)


def chunks(ids: Sequence[UUID], size: int = 500) -> Iterable[Sequence[UUID]]:
    """The ids in pieces that a statement takes."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
