"""Taking tasks and letting them go: claim, renew, give back, skip."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, text, update
from sqlmodel import Session, col

from review.commands import audit
from review.domain.actors import Actor, Permission
from review.domain.lifecycle import highest_level, lease_until
from review.errors import Forbidden, LeaseLost, NotFound
from review.store.tables import Queue, Task, TaskSkip

# Spelled out, not bound: only then does SQLite use the partial index whose condition it is.
OPEN = text("task.state = 'open'")


def free(actor: Actor, now: datetime) -> list[ColumnElement[bool]]:
    """The conditions under which this person may be given a task: nobody holds it and they did not skip it."""
    skipped = exists().where(col(TaskSkip.task_id) == col(Task.id), col(TaskSkip.person_id) == actor.id)
    lapsed = or_(col(Task.lease_expires_at).is_(None), col(Task.lease_expires_at) <= now)
    return [OPEN, lapsed, ~skipped]  # type: ignore[list-item]


def claim(session: Session, actor: Actor, *, queue: str | None = None, now: datetime) -> Task | None:
    """Take the next free task, by priority and then due time, from one queue or from all that the actor may work.

    Returns None where nothing is free. Raises Forbidden or NotFound for a queue that is not the actor's to work.
    """
    actor.require(Permission.DECIDE)
    for queue_id in _queues_by_urgency(session, actor, queue, now):
        next_id = _next(actor, queue_id, now).with_for_update(skip_locked=True).scalar_subquery()
        task = _take(session, actor, col(Task.id) == next_id, now)
        if task is not None:
            return task
    return None


def claim_one(session: Session, actor: Actor, task_id: UUID, *, now: datetime) -> Task:
    """Take this very task, if nobody else holds it; taking again what the actor holds starts a new hold.

    Raises NotFound, Forbidden for a level above the actor's, or LeaseLost where someone else has it or it is closed.
    """
    actor.require(Permission.DECIDE)
    level = session.execute(
        select(col(Queue.level)).join(Task, col(Task.queue_id) == col(Queue.id)).where(col(Task.id) == task_id)
    ).scalar()
    if level is None:
        raise NotFound("There is no such task.")
    if level > highest_level(actor.role):
        raise Forbidden("This task was handed up: it is for a lead.")
    lapsed = or_(
        col(Task.lease_expires_at).is_(None), col(Task.lease_expires_at) <= now, col(Task.holder_id) == actor.id
    )
    task = _take(session, actor, (col(Task.id) == task_id) & lapsed, now)
    if task is None:
        raise LeaseLost("Someone else is working on this task, or it is done.")
    return task


def _queues_by_urgency(session: Session, actor: Actor, slug: str | None, now: datetime) -> list[UUID]:
    queues = _workable(session, actor, slug)
    if len(queues) < 2:
        return queues
    heads = []
    for queue_id in queues:
        head = session.execute(_next(actor, queue_id, now, col(Task.priority), col(Task.due_at))).first()
        if head is not None:
            heads.append((-head[1], head[2], head[0], queue_id))
    return [queue_id for *_, queue_id in sorted(heads)]


def _workable(session: Session, actor: Actor, slug: str | None) -> list[UUID]:
    query = select(col(Queue.id), col(Queue.level))
    rows = session.execute(query.where(col(Queue.slug) == slug) if slug else query).all()
    allowed = [queue_id for queue_id, level in rows if level <= highest_level(actor.role)]
    if slug and not rows:
        raise NotFound(f"There is no queue “{slug}”.", field="queue")
    if slug and not allowed:
        raise Forbidden(f"The queue “{slug}” is for leads.", field="queue")
    return allowed


def _next(actor: Actor, queue_id: UUID, now: datetime, *columns: Any) -> Any:
    """The head of one queue for this person; walks the claim index and stops at the first row."""
    return (
        select(col(Task.id), *columns)
        .where(col(Task.queue_id) == queue_id, *free(actor, now))
        .order_by(col(Task.priority).desc(), col(Task.due_at), col(Task.id))
        .limit(1)
    )


def _take(session: Session, actor: Actor, which: ColumnElement[bool], now: datetime) -> Task | None:
    task: Task | None = session.execute(
        update(Task)
        .where(which, OPEN)
        .values(
            holder_id=actor.person_id,
            lease_token=secrets.token_urlsafe(16),
            claimed_at=now,
            lease_expires_at=lease_until(now),
        )
        .returning(Task)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).scalar()
    if task is not None:
        audit.record(session, actor, "task.claimed", ("item", task.item_id), now=now, task_id=task.id)
    return task


def held(task_id: UUID, actor: Actor, token: str, now: datetime) -> list[ColumnElement[bool]]:
    """The conditions under which the actor holds this task now, by this token."""
    return [
        col(Task.id) == task_id,
        OPEN,  # type: ignore[list-item]
        col(Task.holder_id) == actor.id,
        col(Task.lease_token) == token,
        col(Task.lease_expires_at) > now,
    ]


def lease_lost(session: Session, task_id: UUID) -> LeaseLost | NotFound:
    """The error for a task that the actor does not hold (any more)."""
    state = session.execute(select(col(Task.state)).where(col(Task.id) == task_id)).scalar()
    if state is None:
        return NotFound("There is no such task.")
    if state != "open":
        return LeaseLost("This task is done already. Nothing was written; take the next one.")
    return LeaseLost("Your hold on this task has ended. Nothing was written; claim it again.")


def renew(session: Session, actor: Actor, task_id: UUID, token: str, *, now: datetime) -> datetime:
    """Hold the task for another full lease. Returns when it ends; raises LeaseLost if it had ended."""
    actor.require(Permission.DECIDE)
    until = lease_until(now)
    item_id = session.execute(
        update(Task)
        .where(*held(task_id, actor, token, now))
        .values(lease_expires_at=until)
        .returning(col(Task.item_id))
        .execution_options(synchronize_session=False)
    ).scalar()
    if item_id is None:
        raise lease_lost(session, task_id)
    audit.record(session, actor, "task.renewed", ("item", item_id), now=now, task_id=task_id)
    return until


def give_back(session: Session, actor: Actor, task_id: UUID, token: str, *, now: datetime) -> None:
    """Let the task go, for anyone to take. Raises LeaseLost if the hold had ended."""
    _let_go(session, actor, task_id, token, "task.given_back", now)


def skip(session: Session, actor: Actor, task_id: UUID, token: str, *, now: datetime) -> None:
    """Let the task go to others: it does not come back to this person. Raises LeaseLost if the hold had ended."""
    _let_go(session, actor, task_id, token, "task.skipped", now)
    session.merge(TaskSkip(task_id=task_id, person_id=actor.person_id, at=now))


def _let_go(session: Session, actor: Actor, task_id: UUID, token: str, action: str, now: datetime) -> None:
    actor.require(Permission.DECIDE)
    item_id = session.execute(
        update(Task)
        .where(*held(task_id, actor, token, now))
        .values(holder_id=None, lease_token=None, claimed_at=None, lease_expires_at=None)
        .returning(col(Task.item_id))
        .execution_options(synchronize_session=False)
    ).scalar()
    if item_id is None:
        raise lease_lost(session, task_id)
    audit.record(session, actor, action, ("item", item_id), now=now, task_id=task_id)


def take_again(session: Session, actor: Actor, task_id: UUID, now: datetime) -> Task:
    """Open a decided task again, held by the actor whose decision on it was undone."""
    task = session.get(Task, task_id, populate_existing=True)
    if task is None:
        raise NotFound("There is no such task.")
    task.state, task.closed_at = "open", None
    task.holder_id, task.lease_token = actor.id, secrets.token_urlsafe(16)
    task.claimed_at, task.lease_expires_at = now, lease_until(now)
    session.flush()
    return task
