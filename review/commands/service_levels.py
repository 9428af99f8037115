"""Service levels at work: each task is said to be due soon and overdue, and its queue's steps are taken, once each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, exists, insert, select, update
from sqlmodel import Session, col

from review.commands import audit, lapses, outbox
from review.commands.eligibility import OPEN, TASK
from review.domain.actors import HOLDPOINT
from review.domain.audit import ESCALATION_FIELDS, row_digest
from review.domain.calendars import DUE_SOON, Service, Step, Turn
from review.domain.lifecycle import TaskKind, TaskState
from review.store.tables import Escalation, Queue, ServiceStep, Task
from review.store.types import UtcDateTime

_REASON = "overdue"
_DEFAULT = Service()
# Counting the turns in the same statement makes each happen once, also where two workers look at the same moment.
_AT_TURN: Any = (
    select(TASK.c.id)
    .where(
        TASK.c.queue_id == bindparam("queue"), TASK.c.n_steps == bindparam("n"), OPEN,
        TASK.c.due_at <= bindparam("until", type_=UtcDateTime()),
    )
    .order_by(TASK.c.due_at)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
)  # fmt: skip
_TURN = (
    update(TASK)
    .where(TASK.c.id.in_(_AT_TURN), TASK.c.n_steps == bindparam("n"), OPEN)
    .values(n_steps=TASK.c.n_steps + 1)
    .returning(*TASK.c)
)
_HAND_UP = (
    update(TASK)
    .where(TASK.c.id == bindparam("task"), OPEN)
    .values(
        state=TaskState.ESCALATED.value,
        closed_at=bindparam("now", type_=UtcDateTime()),
        lease_expires_at=None,
    )
    .returning(TASK.c.id)
)


class _Watched(NamedTuple):
    """A queue whose tasks are looked at now."""

    id: UUID
    slug: str
    above: UUID | None
    service: Service


def run(session: Session, *, now: datetime, at_most: int = 200) -> int:
    """Say what is due soon and overdue, and take the steps that are due, in each queue those of the longest overdue
    first. Returns how many were done; at least `at_most` means that more may be left."""
    rows = session.execute(select(col(Queue.id), col(Queue.slug), col(Queue.escalates_to_id), col(Queue.service)))
    n = 0
    for id_, slug, above, service in rows.all():
        queue = _Watched(id_, slug, above, Service.model_validate(service) if service else _DEFAULT)
        for index, turn in enumerate(queue.service.turns):
            n += _take(session, queue, index, turn, now, at_most)
    return n


def _take(session: Session, queue: _Watched, index: int, turn: Turn, now: datetime, at_most: int) -> int:
    """Bring the tasks that are at one turn past it. Returns how many there were."""
    asked = {"queue": queue.id, "n": index, "until": queue.service.reached(turn, now), "at_most": at_most}
    rows = session.connection().execute(_TURN, asked).all()
    fresh = [] if not rows else _fresh(session, turn, [row for row in rows if _is_meant(row, turn, now)], now)
    for task in sorted(fresh, key=lambda row: (row.due_at, row.id)):
        _happen(session, queue, turn, task, now)
    return len(rows)


def _is_meant(task: Any, turn: Turn, now: datetime) -> bool:
    """What is overdue already is not said to be due soon; a task whose answer is known is no promise to anyone."""
    return task.gold_id is None and not (turn.name == DUE_SOON and task.due_at <= now)


def _fresh(session: Session, turn: Turn, rows: Sequence[Any], now: datetime) -> list[Any]:
    """Those for which this did not happen before, now on record: steps can be settled anew, and happen once."""
    ids = [row.id for row in rows]
    known = set(
        session.execute(
            select(col(ServiceStep.task_id)).where(
                col(ServiceStep.task_id).in_(ids), col(ServiceStep.step) == turn.name
            )
        ).scalars()
    )
    fresh = [row for row in rows if row.id not in known]
    if fresh:
        taken = [{"task_id": row.id, "step": turn.name, "at": now} for row in fresh]
        session.connection().execute(insert(ServiceStep), taken)
    return fresh


def _happen(session: Session, queue: _Watched, turn: Turn, task: Any, now: datetime) -> None:
    told: dict[str, Any] = {"task_id": task.id, "queue": queue.slug, "due_at": task.due_at}
    subject = ("item", task.item_id)
    if turn.step is None:
        audit.record(session, HOLDPOINT, f"task.{turn.name}", subject, now=now, **told)
        outbox.enqueue(session, f"task.{turn.name}", task.item_id, now=now, **told)
        return
    told |= {"step": turn.name, "does": turn.step.action}
    audit.record(session, HOLDPOINT, "task.step_taken", subject, now=now, **told)
    match turn.step.action:
        case "raise_priority":
            _raise_priority(session, task, turn.step)
        case "notify":
            outbox.enqueue(session, "task.notify", task.item_id, now=now, notify=turn.step.notify, **told)
        case "hand_up":
            _hand_up(session, queue, task, now)
        case "fail_safe":
            lapses.lapse_one(session, task.item_id, now=now)


def _raise_priority(session: Session, task: Any, step: Step) -> None:
    session.connection().execute(
        update(TASK).where(TASK.c.id == task.id, TASK.c.priority < step.priority).values(priority=step.priority)
    )


def _hand_up(session: Session, queue: _Watched, task: Any, now: datetime) -> None:
    """Close the task, also under the hands of who holds it, and open one for leads: one an item."""
    if queue.above is None or _is_with_leads(session, task.item_id):
        return
    if session.connection().execute(_HAND_UP, {"task": task.id, "now": now}).first() is None:
        return
    above = Task(
        item_id=task.item_id, queue_id=queue.above, kind=TaskKind.ESCALATION.value, priority=task.priority,
        due_at=task.due_at, created_at=now, escalated_from_id=task.id, is_limited=task.is_limited,
    )  # fmt: skip
    session.add(above)
    session.flush()
    up = Escalation(
        item_id=task.item_id, from_task_id=task.id, to_task_id=above.id, reason=_REASON, note="", by_id=None, at=now
    )
    session.add(up)
    session.flush()
    told: dict[str, Any] = {"task_id": task.id, "to_task_id": above.id, "reason": _REASON}
    digest = row_digest(ESCALATION_FIELDS, up.model_dump())
    audit.record(
        session, HOLDPOINT, "task.escalated", ("item", task.item_id), now=now, escalation_id=up.id,
        escalation_digest=digest, **told,
    )  # fmt: skip
    outbox.enqueue(session, "task.escalated", task.item_id, now=now, **told)


def _is_with_leads(session: Session, item_id: UUID) -> bool:
    of_leads = (TaskKind.ESCALATION.value, TaskKind.ADJUDICATION.value)
    found = exists().where(TASK.c.item_id == item_id, OPEN, TASK.c.kind.in_(of_leads))
    return bool(session.execute(select(found)).scalar())
