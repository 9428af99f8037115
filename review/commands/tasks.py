"""Taking tasks and letting them go: claim, renew, give back, skip. Statements are built once: claims are hot."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select, update
from sqlmodel import Session, col

from review.commands import audit, gold_tasks
from review.commands.eligibility import (
    ALLOWED,
    HAS_GOLD,
    ME,
    NOT_ANOTHERS,
    NOT_HELD,
    NOW,
    OFFERED,
    OPEN,
    TASK,
    WORKS_QUEUE,
)
from review.domain.actors import Actor, Permission
from review.domain.lifecycle import SKIP, highest_level, lease_until
from review.errors import Forbidden, LeaseLost, NotFound
from review.store.tables import Queue, Task, TaskSkip

# The head of one queue for one person: walks the claim index and stops at the first row.
_HEAD: Any = (
    select(TASK.c.id, TASK.c.priority, TASK.c.due_at)
    .where(TASK.c.queue_id == bindparam("queue"), OPEN, NOT_HELD, OFFERED)
    .order_by(TASK.c.priority.desc(), TASK.c.due_at, TASK.c.id)
    .limit(1)
)
_HOLD = {
    "holder_id": ME,
    "lease_token": bindparam("token"),
    "claimed_at": NOW,
    "lease_expires_at": bindparam("until"),
}
_NEXT_ID = _HEAD.with_only_columns(TASK.c.id).with_for_update(skip_locked=True).scalar_subquery()
_TAKE_NEXT = update(TASK).where(TASK.c.id == _NEXT_ID, OPEN).values(_HOLD).returning(*TASK.c)
_TAKE_ONE = (
    update(TASK)
    .where(TASK.c.id == bindparam("task"), OPEN, or_(NOT_HELD, TASK.c.holder_id == ME), NOT_ANOTHERS, ALLOWED)
    .values(_HOLD)
    .returning(*TASK.c)
)
_QUEUES = select(col(Queue.id), col(Queue.level), WORKS_QUEUE.label("is_mine"), HAS_GOLD.label("has_gold"))
HELD = and_(
    TASK.c.id == bindparam("task"),
    OPEN,
    TASK.c.holder_id == ME,
    TASK.c.lease_token == bindparam("token"),
    TASK.c.lease_expires_at > NOW,
)
_RENEW = update(TASK).where(HELD).values(lease_expires_at=bindparam("until")).returning(TASK.c.item_id)
_NOBODYS = {"holder_id": None, "lease_token": None, "claimed_at": None, "lease_expires_at": None}
_LET_GO = update(TASK).where(HELD).values(_NOBODYS).returning(TASK.c.item_id)


def claim(session: Session, actor: Actor, *, queue: str | None = None, now: datetime) -> Task | None:
    """Take the next free task, by priority and then due time, from one queue or from all that the actor may work.

    Returns None where nothing is free. Raises Forbidden or NotFound for a queue that is not the actor's to work.
    """
    actor.require(Permission.DECIDE)
    queues, has_gold = _workable(session, actor, queue)
    take = _take_or_gold if has_gold else _take_next
    for queue_id in _by_urgency(session, actor, queues, now):
        task = take(session, actor, queue_id, now)
        if task is not None:
            return task
    return None


def claim_one(session: Session, actor: Actor, task_id: UUID, *, now: datetime) -> Task:
    """Take this very task, if nobody else holds it; taking again what the actor holds starts a new hold.

    Raises NotFound, Forbidden for a level above the actor's, or LeaseLost where someone else has it or it is closed.
    """
    actor.require(Permission.DECIDE)
    queue = session.execute(
        select(col(Queue.level), WORKS_QUEUE.label("is_mine"), HAS_GOLD.label("has_gold"))
        .join(Task, col(Task.queue_id) == col(Queue.id))
        .where(col(Task.id) == task_id),
        {"me": actor.person_id},
    ).first()
    if queue is None:
        raise NotFound("There is no such task.")
    if queue.level > highest_level(actor.role):
        raise Forbidden("This task was handed up: it is for a lead.")
    if not queue.is_mine:
        raise Forbidden("This task is for the members of its queue.")
    if queue.has_gold:
        gold_tasks.require_learned(session, actor, task_id, now)
    task = _take(session, actor, _TAKE_ONE, now, task=task_id)
    if task is None:
        raise LeaseLost("Someone else is working on this task, or it is done.")
    return task


def _by_urgency(session: Session, actor: Actor, queues: list[UUID], now: datetime) -> list[UUID]:
    if len(queues) < 2:
        return queues
    heads = []
    for queue_id in queues:
        head = (
            session.connection()
            .execute(_HEAD, {"queue": queue_id, "me": actor.id, "now": now, "skipped_after": now - SKIP})
            .first()
        )
        if head is not None:
            heads.append((-head[1], head[2], head[0], queue_id))
    return [queue_id for *_, queue_id in sorted(heads)]


def _workable(session: Session, actor: Actor, slug: str | None) -> tuple[list[UUID], bool]:
    """The queues that the actor works, of one name or all; and whether there are any gold tasks."""
    wanted = _QUEUES.where(col(Queue.slug) == slug) if slug else _QUEUES
    rows = session.connection().execute(wanted, {"me": actor.person_id}).all()
    allowed = [row.id for row in rows if row.is_mine and row.level <= highest_level(actor.role)]
    if slug and not rows:
        raise NotFound(f"There is no queue “{slug}”.", field="queue")
    if slug and not allowed:
        who = "for its members" if rows[0].level <= highest_level(actor.role) else "for leads"
        raise Forbidden(f"The queue “{slug}” is {who}.", field="queue")
    return allowed, any(row.has_gold for row in rows)


def _take_next(session: Session, actor: Actor, queue_id: UUID, now: datetime) -> Task | None:
    return _take(session, actor, _TAKE_NEXT, now, queue=queue_id, skipped_after=now - SKIP)


def _take_or_gold(session: Session, actor: Actor, queue_id: UUID, now: datetime) -> Task | None:
    """The next task of a queue, or a gold task in its place: then that task was never taken."""
    while True:
        with session.begin_nested() as point:
            task = _take_next(session, actor, queue_id, now)
            instead = gold_tasks.instead_of(session, actor, task, now) if task else None
            if instead is not None:
                point.rollback()
        if instead is None:
            return task
        given = gold_tasks.give(session, actor, instead, now)
        if given is not None:
            return given


def _take(session: Session, actor: Actor, statement: Any, now: datetime, **which: Any) -> Task | None:
    hold = {"me": actor.person_id, "token": secrets.token_urlsafe(16), "now": now, "until": lease_until(now)}
    row = session.connection().execute(statement, {**hold, **which}).first()
    if row is None:
        return None
    audit.record(session, actor, "task.claimed", ("item", row.item_id), now=now, task_id=row.id)
    return Task(**row._mapping)


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
    until = lease_until(now)
    _change(session, actor, _RENEW, task_id, token, "task.renewed", now, until=until)
    return until


def give_back(session: Session, actor: Actor, task_id: UUID, token: str, *, now: datetime) -> None:
    """Let the task go, for anyone to take. Raises LeaseLost if the hold had ended."""
    _change(session, actor, _LET_GO, task_id, token, "task.given_back", now)


def skip(session: Session, actor: Actor, task_id: UUID, token: str, *, now: datetime) -> None:
    """Let the task go to others: for an hour its item does not come back to this person. Raises LeaseLost."""
    item_id = _change(session, actor, _LET_GO, task_id, token, "task.skipped", now)
    stay_away(session, actor, item_id, now)


def stay_away(session: Session, actor: Actor, item_id: UUID, now: datetime) -> None:
    """Offer this person no open task of an item for an hour: not the seat beside the one that they let go either."""
    for task_id in session.execute(select(TASK.c.id).where(TASK.c.item_id == item_id, OPEN)).scalars().all():
        session.merge(TaskSkip(task_id=task_id, person_id=actor.person_id, at=now))


def _change(
    session: Session, actor: Actor, statement: Any, task_id: UUID, token: str, action: str, now: datetime, **also: Any
) -> UUID:
    """Change what the actor holds, on record; returns the item's id."""
    actor.require(Permission.DECIDE)
    held = {"task": task_id, "me": actor.person_id, "token": token, "now": now, **also}
    item_id: UUID | None = session.connection().execute(statement, held).scalar()
    if item_id is None:
        raise lease_lost(session, task_id)
    audit.record(session, actor, action, ("item", item_id), now=now, task_id=task_id)
    return item_id


def release_all(session: Session, person_id: UUID) -> None:
    """Let go of all that a person holds, where what they may do has changed."""
    session.connection().execute(update(TASK).where(TASK.c.holder_id == person_id, OPEN).values(_NOBODYS))


def take_again(session: Session, actor: Actor, task_id: UUID, now: datetime) -> Task:
    """Open a decided task again, held by the actor whose decision on it was undone; by nobody where they may not
    take it now, such as while they are paused."""
    task = session.get(Task, task_id, populate_existing=True)
    if task is None:
        raise NotFound("There is no such task.")
    task.state, task.closed_at = "open", None
    asked = {"me": actor.person_id, "now": now}
    if session.connection().execute(select(TASK.c.id).where(TASK.c.id == task_id, ALLOWED), asked).first():
        task.holder_id, task.lease_token = actor.id, secrets.token_urlsafe(16)
        task.claimed_at, task.lease_expires_at = now, lease_until(now)
    else:
        task.holder_id = task.lease_token = task.claimed_at = task.lease_expires_at = None
    session.flush()
    return task
