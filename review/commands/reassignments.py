"""Giving many tasks to one person, or freeing them, at once: looked at first, then done to that very set, then undone
if need be."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, true, update
from sqlmodel import Session, col

from review.commands import audit, outbox
from review.commands.assignments import MAY_GET, Worker, find_worker, queues_of, tell_given
from review.commands.eligibility import NOT_HELD, OPEN, TASK
from review.commands.freeing import GIVEN, chunks, free_unable, tell_freed
from review.domain.actors import Actor, Permission
from review.domain.queues import Chosen
from review.errors import Invalid, NotFound, WrongState
from review.queries import items
from review.store.tables import Item, Person, Queue, Reassignment, System

MOST = 5_000
FOR = timedelta(minutes=10)  # how long a preview can be carried out, and what was done can be undone
_SAMPLE = 10


class Preview(NamedTuple):
    """What would be reassigned, under the id that carries it out; and what is left out of what was chosen."""

    id: UUID
    n: int
    n_held: int  # somebody is working on them
    n_not_allowed: int  # the person may not take them
    sample: list[tuple[UUID, str]]  # tasks with their items' external ids, the most urgent first


def preview(session: Session, actor: Actor, chosen: Chosen, to: str | None, *, now: datetime) -> Preview:
    """Choose open tasks, to be given to a person (a username) or freed. Nothing is changed yet.

    Raises Invalid where the person cannot be given any, or where more than 5,000 tasks match.
    """
    actor.require(Permission.MANAGE_QUEUES)
    worker = find_worker(session, to, now) if to is not None else None
    rows = _matching(session, chosen, worker, now)
    if len(rows) > MOST:
        raise Invalid(f"More than {MOST:,} tasks match. Narrow it: by queue, priority or age.", field="chosen")
    free = [row for row in rows if not row.is_held]
    taken = _one_seat_an_item([row for row in free if row.is_allowed])
    session.execute(
        delete(Reassignment).where(col(Reassignment.by_id) == actor.person_id, col(Reassignment.done_at).is_(None))
    )
    kept = Reassignment(
        by_id=actor.person_id, to_id=worker.id if worker else None, made_at=now,
        task_ids={str(row.id): str(row.assigned_to_id) if row.assigned_to_id else None for row in taken},
    )  # fmt: skip
    session.add(kept)
    session.flush()
    sample = [(row.id, row.external_id) for row in taken[:_SAMPLE]]
    return Preview(kept.id, len(taken), len(rows) - len(free), len(free) - len(taken), sample)


def _matching(session: Session, chosen: Chosen, worker: Worker | None, now: datetime) -> Sequence[Any]:
    """The tasks that are chosen and would change, the most urgent first."""
    allowed: ColumnElement[bool] = true()
    if worker is not None:
        allowed = MAY_GET & TASK.c.queue_id.in_(queues_of(session, worker.id))
    assigned = TASK.c.assigned_to_id
    changes = assigned.is_not(None) if worker is None else or_(assigned.is_(None), assigned != worker.id)
    query = (
        select(
            TASK.c.id, TASK.c.item_id, TASK.c.is_limited, assigned, col(Item.external_id),
            (~NOT_HELD).label("is_held"), allowed.label("is_allowed"),
        )
        .join(Item, col(Item.id) == TASK.c.item_id)
        .where(OPEN, TASK.c.gold_id.is_(None), changes, *_conditions(session, chosen, now))
        .order_by(TASK.c.priority.desc(), TASK.c.due_at, TASK.c.id)
        .limit(MOST + 1)
    )  # fmt: skip
    return session.execute(query, {"me": worker.id if worker else None, "now": now}).all()


def _conditions(session: Session, chosen: Chosen, now: datetime) -> list[Any]:
    conditions: list[Any] = []
    if chosen.system is not None:
        conditions.append(col(Item.system_id) == _id_of(session, System, col(System.slug), chosen.system, "system"))
    if chosen.queue is not None:
        conditions.append(TASK.c.queue_id == _id_of(session, Queue, col(Queue.slug), chosen.queue, "queue"))
    if chosen.q is not None:
        conditions.append(items.searched(chosen.q))
    if chosen.kind is not None:
        conditions.append(TASK.c.kind == chosen.kind.value)
    if chosen.older_than_minutes is not None:
        conditions.append(TASK.c.created_at <= now - timedelta(minutes=chosen.older_than_minutes))
    if chosen.priority_from is not None:
        conditions.append(TASK.c.priority >= chosen.priority_from)
    if chosen.assigned_to is not None:
        person_id = _id_of(session, Person, col(Person.username), chosen.assigned_to, "assigned_to")
        conditions.append(TASK.c.assigned_to_id == person_id)
    if chosen.is_assigned is not None:
        has = TASK.c.assigned_to_id
        conditions.append(has.is_not(None) if chosen.is_assigned else has.is_(None))
    return conditions


def _id_of(session: Session, table: Any, column: Any, wanted: str, field: str) -> UUID:
    found: UUID | None = session.execute(select(table.id).where(column == wanted)).scalar()
    if found is None:
        raise NotFound(f"There is no {field.replace('_', ' ')} “{wanted}”.", field=field)
    return found


def _one_seat_an_item(rows: Sequence[Any]) -> list[Any]:
    """One person gets one of the tasks of an item that several look at."""
    seen: set[UUID] = set()
    kept = []
    for row in rows:
        if not (row.is_limited and row.item_id in seen):
            kept.append(row)
        seen.add(row.item_id)
    return kept


def carry_out(session: Session, actor: Actor, reassignment_id: UUID, *, now: datetime) -> int:
    """Do what was looked at, within 10 minutes: to those tasks and no others. Returns how many were still as they were.

    Raises NotFound for what is not one's own, WrongState where it was done or is too old.
    """
    actor.require(Permission.MANAGE_QUEUES)
    kept = _mine(session, actor, reassignment_id)
    if kept.done_at is not None:
        raise WrongState("This was done already.")
    if now - kept.made_at > FOR:
        raise WrongState("This was looked at too long ago. Look again: what waits has changed.")
    worker = _to(session, kept, now)
    n = 0
    for ids in chunks([UUID(id_) for id_ in kept.task_ids]):
        n += _give(session, actor, kept, worker, ids, now)
    kept.done_at = now
    session.flush()
    told = {"reassignment_id": kept.id, "n": n, "to": worker.username if worker else None}
    outbox.enqueue(session, "tasks.reassigned", None, now=now, **told)
    return n


def _to(session: Session, kept: Reassignment, now: datetime) -> Worker | None:
    if kept.to_id is None:
        return None
    username = session.execute(select(col(Person.username)).where(col(Person.id) == kept.to_id)).scalar_one()
    return find_worker(session, username, now)


def _give(
    session: Session, actor: Actor, kept: Reassignment, worker: Worker | None, ids: Sequence[UUID], now: datetime
) -> int:
    """Give or free those of the tasks that are as they were looked at. Returns how many."""
    allowed: ColumnElement[bool] = MAY_GET if worker is not None else true()
    wanted: Any = (
        select(*GIVEN, TASK.c.assigned_to_id)
        .where(TASK.c.id.in_(ids), OPEN, NOT_HELD, allowed)
        .order_by(TASK.c.id)
        .with_for_update()
    )
    rows = session.execute(wanted, {"me": kept.to_id, "now": now}).all()
    rows = [row for row in rows if _text(row.assigned_to_id) == kept.task_ids[str(row.id)]]
    _set(session, [row.id for row in rows], kept.to_id)
    for row in rows:
        if worker is None:
            tell_freed(session, actor, row, "by a lead", now=now, reassignment_id=kept.id)
        else:
            tell_given(
                session, actor, row, worker, before=row.assigned_to_id, now=now, reassignment_id=kept.id,
            )  # fmt: skip
    return len(rows)


def undo(session: Session, actor: Actor, reassignment_id: UUID, *, now: datetime) -> int:
    """Take back, within 10 minutes, what nobody has claimed since. Returns how many tasks are as they were before.

    Raises NotFound for what is not one's own, WrongState where it was not done, was undone, or is too old.
    """
    actor.require(Permission.MANAGE_QUEUES)
    kept = _mine(session, actor, reassignment_id)
    if kept.done_at is None or kept.undone_at is not None:
        raise WrongState("There is nothing to undo: it was not done, or was undone already.")
    if now - kept.done_at > FOR:
        raise WrongState(f"This can be undone for {FOR.seconds // 60} minutes; that time is over.")
    n = sum(_give_back(session, actor, kept, ids, now) for ids in chunks([UUID(id_) for id_ in kept.task_ids]))
    free_unable(session, now=now)  # who had a task before may be away or paused by now
    kept.undone_at = now
    session.flush()
    outbox.enqueue(session, "tasks.reassignment_undone", None, now=now, reassignment_id=kept.id, n=n)
    return n


def _give_back(session: Session, actor: Actor, kept: Reassignment, ids: Sequence[UUID], now: datetime) -> int:
    has = TASK.c.assigned_to_id
    wanted: Any = (
        select(*GIVEN)
        .where(
            TASK.c.id.in_(ids), OPEN, NOT_HELD, has.is_(None) if kept.to_id is None else has == kept.to_id,
            or_(TASK.c.claimed_at.is_(None), TASK.c.claimed_at < kept.done_at),
        )
        .order_by(TASK.c.id)
        .with_for_update()
    )  # fmt: skip
    rows = session.execute(wanted, {"now": now}).all()
    for before in {kept.task_ids[str(row.id)] for row in rows}:
        same = [row.id for row in rows if kept.task_ids[str(row.id)] == before]
        _set(session, same, UUID(before) if before else None)
    for row in rows:
        told = {"task_id": row.id, "to": kept.task_ids[str(row.id)], "reassignment_id": kept.id}
        audit.record(session, actor, "task.reassignment_undone", ("item", row.item_id), now=now, **told)
    return len(rows)


def _set(session: Session, ids: Sequence[UUID], to: UUID | None) -> None:
    if ids:
        session.connection().execute(update(TASK).where(TASK.c.id.in_(ids)).values(assigned_to_id=to))


def _text(id_: UUID | None) -> str | None:
    return str(id_) if id_ else None


def _mine(session: Session, actor: Actor, reassignment_id: UUID) -> Reassignment:
    """One's own reassignment, which nobody else carries out at the same moment."""
    kept = session.get(Reassignment, reassignment_id, with_for_update=True, populate_existing=True)
    if kept is None or kept.by_id != actor.person_id:
        raise NotFound("There is no such reassignment of yours. Look again at what you would reassign.")
    return kept
