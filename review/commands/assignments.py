"""Giving tasks to one person: by a lead, or by itself to whoever has the fewest. Nobody else is offered them then."""

import heapq
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, exists, func, or_, select, update
from sqlmodel import Session, col

from review.commands import audit, freeing, outbox
from review.commands.eligibility import ALLOWED, ME, NOT_HELD, OFFERED, OPEN, TASK, WORKS_QUEUE
from review.commands.freeing import GIVEN, roles_of, tell_freed
from review.domain.actors import HOLDPOINT, Actor, Permission, Role
from review.domain.lifecycle import SKIP, highest_level
from review.errors import Invalid, NotFound, WrongState
from review.store.engine import advisory_lock
from review.store.tables import Absence, Person, Queue, QueueMember, TaskSkip

_ASSIGNER_LOCK = 7_201_480
_OTHER: Any = TASK.alias("other_seat")
# One person has one seat at an item that several look at.
_HAS_SEAT = and_(
    TASK.c.is_limited,
    exists().where(
        _OTHER.c.item_id == TASK.c.item_id, _OTHER.c.id != TASK.c.id, _OTHER.c.state == "open",
        _OTHER.c.assigned_to_id == ME,
    ),
)  # fmt: skip
MAY_GET = and_(ALLOWED, ~_HAS_SEAT)
_NEXT: Any = (
    select(TASK.c.id)
    .where(
        TASK.c.queue_id == bindparam("queue"), OPEN, TASK.c.assigned_to_id.is_(None), TASK.c.gold_id.is_(None),
        NOT_HELD, OFFERED, ~_HAS_SEAT,
    )
    .order_by(TASK.c.priority.desc(), TASK.c.due_at, TASK.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)  # fmt: skip
_GIVE_NEXT = (
    update(TASK)
    .where(TASK.c.id == _NEXT, OPEN, TASK.c.assigned_to_id.is_(None))
    .values(assigned_to_id=ME)
    .returning(*GIVEN)
)
_GIVE_ONE = (
    update(TASK)
    .where(TASK.c.id == bindparam("task"), OPEN, NOT_HELD, MAY_GET)
    .values(assigned_to_id=ME)
    .returning(*GIVEN)
)


class Worker(NamedTuple):
    """A person as far as giving them tasks goes."""

    id: UUID
    username: str
    name: str


def assign(session: Session, actor: Actor, task_id: UUID, to: str | None, *, now: datetime) -> None:
    """Give a task to one person (a username), or to nobody: then everyone of its queue is offered it again.

    Raises NotFound, Invalid where they do not work its queue or may not take it, WrongState where somebody is on it.
    """
    actor.require(Permission.MANAGE_QUEUES)
    task = session.execute(
        select(TASK.c.state, TASK.c.item_id, TASK.c.queue_id, TASK.c.assigned_to_id, TASK.c.lease_expires_at).where(
            TASK.c.id == task_id
        )
    ).first()
    if task is None:
        raise NotFound("There is no such task.")
    if to is None:
        if task.assigned_to_id is not None:
            _take_away(session, actor, task_id, now)
        return
    worker = find_worker(session, to, now)
    if task.assigned_to_id == worker.id:
        return
    if task.queue_id not in queues_of(session, worker.id):
        raise Invalid(f"{worker.name} does not work the queue of this task. Choose someone who does.", field="to")
    given = session.connection().execute(_GIVE_ONE, {"task": task_id, "me": worker.id, "now": now}).first()
    if given is None:
        raise _why_not(task, worker, now)
    session.execute(
        delete(TaskSkip).where(col(TaskSkip.task_id) == task_id, col(TaskSkip.person_id) == worker.id)
    )  # fmt: skip
    tell_given(session, actor, given, worker, before=task.assigned_to_id, now=now)


def _take_away(session: Session, actor: Actor, task_id: UUID, now: datetime) -> None:
    freed = session.connection().execute(
        update(TASK)
        .where(TASK.c.id == task_id, OPEN, NOT_HELD)
        .values(assigned_to_id=None)
        .returning(*GIVEN),
        {"now": now},
    ).first()  # fmt: skip
    if freed is None:
        raise WrongState("Somebody is working on this task, or it is done. Nothing was written.")
    tell_freed(session, actor, freed, "by a lead", now=now)


def _why_not(task: Any, worker: Worker, now: datetime) -> Invalid | WrongState:
    if task.state != "open":
        return WrongState("This task is done already. Nothing was written.")
    if task.lease_expires_at is not None and task.lease_expires_at > now:
        return WrongState("Somebody is working on this task now. Nothing was written.")
    return Invalid(
        f"{worker.name} may not take this task: they are paused for its system, lack a skill that it asks for, or have "
        "another part in its item. Choose someone else.",
        field="to",
    )


def find_worker(session: Session, username: str, now: datetime) -> Worker:
    """The active person of this username; raises Invalid where there is none, or they are away."""
    row = session.execute(
        select(col(Person.id), col(Person.username), col(Person.name), _away_until(now))
        .where(col(Person.username) == username, col(Person.active))
    ).first()  # fmt: skip
    if row is None:
        raise Invalid(f"“{username}” is not an active person here.", field="to")
    if row[3] is not None:
        raise Invalid(f"{row.name} is away until {row[3]:%d %B %Y}. Choose someone else.", field="to")
    return Worker(*row[:3])


def _away_until(now: datetime) -> Any:
    return (
        select(func.max(col(Absence.until_at)))
        .where(col(Absence.person_id) == col(Person.id), col(Absence.from_at) <= now, col(Absence.until_at) > now)
        .scalar_subquery()
    )


def queues_of(session: Session, person_id: UUID) -> set[UUID]:
    """The queues that a person works: of their level, and open to all or with them as a member."""
    role = session.execute(select(col(Person.role)).where(col(Person.id) == person_id)).scalar_one()
    rows = session.execute(
        select(col(Queue.id)).where(col(Queue.level) <= highest_level(Role(role)), WORKS_QUEUE), {"me": person_id}
    )
    return set(rows.scalars())


def assign_waiting(session: Session, *, now: datetime, at_most: int = 200) -> int:
    """Free what was given to those who cannot do it now, and give what waits to those with the fewest tasks.

    Returns how many tasks were given; fewer than `at_most` means that nothing is left to give now.
    """
    advisory_lock(session, _ASSIGNER_LOCK)
    freeing.free_unable(session, now=now)
    n = 0
    for queue in session.execute(_capped().order_by(col(Queue.level).desc(), col(Queue.id))).all():
        n += _fill(session, HOLDPOINT, queue, now, at_most - n)
    return n


def assign_queue(session: Session, actor: Actor, slug: str, *, now: datetime, at_most: int = 5_000) -> int:
    """The same for one queue, at once. Returns how many tasks were given. Raises NotFound, or Invalid without a cap."""
    actor.require(Permission.MANAGE_QUEUES)
    advisory_lock(session, _ASSIGNER_LOCK)
    queue = session.execute(_capped().where(col(Queue.slug) == slug)).first()
    if queue is None:
        if session.execute(select(col(Queue.id)).where(col(Queue.slug) == slug)).first() is None:
            raise NotFound(f"There is no queue “{slug}”.", field="queue")
        raise Invalid(
            "This queue has no load cap: say first how many tasks a person is given at most.", field="load_cap"
        )
    freeing.free_unable(session, now=now)
    return _fill(session, actor, queue, now, at_most)


def _capped() -> Any:
    return select(col(Queue.id), col(Queue.level), col(Queue.load_cap)).where(col(Queue.load_cap).is_not(None))


def _fill(session: Session, actor: Actor, queue: Any, now: datetime, at_most: int) -> int:
    """Give tasks of one queue, the most urgent first, each to whoever has the fewest, until all have their fill."""
    n, waiting = 0, _loads(session, queue, now)
    heapq.heapify(waiting)
    while waiting and n < at_most and waiting[0][0] < queue.load_cap:
        load, worker = heapq.heappop(waiting)
        asked = {"queue": queue.id, "me": worker.id, "now": now, "skipped_after": now - SKIP}
        given = session.connection().execute(_GIVE_NEXT, asked).first()
        if given is not None:
            tell_given(session, actor, given, worker, before=None, now=now)
            heapq.heappush(waiting, (load + 1, worker))
            n += 1
    return n


def _loads(session: Session, queue: Any, now: datetime) -> list[tuple[int, Worker]]:
    """Who works a queue and is there, with how many open tasks they have been given, in all queues."""
    load = (
        select(func.count())
        .select_from(TASK)
        .where(OPEN, TASK.c.assigned_to_id == col(Person.id), TASK.c.gold_id.is_(None))
        .correlate(Person)
        .scalar_subquery()
    )
    of_queue = exists().where(col(QueueMember.queue_id) == queue.id)
    rows = session.execute(
        select(load, col(Person.id), col(Person.username), col(Person.name)).where(
            col(Person.active), col(Person.role).in_(roles_of(queue.level)), _away_until(now).is_(None),
            or_(~of_queue, of_queue.where(col(QueueMember.person_id) == col(Person.id))),
        )
    )  # fmt: skip
    return [(n, Worker(*worker)) for n, *worker in rows]


def tell_given(
    session: Session, actor: Actor, task: Any, worker: Worker, *, before: UUID | None, now: datetime, **also: Any
) -> None:
    """Put on record that a task was given to a person, and tell tools; of many at once, they are told once of all."""
    told: dict[str, Any] = {"task_id": task.id, "to": worker.username}
    audit.record(session, actor, "task.assigned", ("item", task.item_id), now=now, before=before, **told, **also)
    if not also:
        outbox.enqueue(session, "task.assigned", task.item_id, now=now, due_at=task.due_at, **told)
