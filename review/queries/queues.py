"""Queues as leads see them: how they are run, what waits in them, who works them, and who is away or paused."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from review.domain.actors import Actor, Permission, Role
from review.domain.calendars import Service
from review.domain.lifecycle import highest_level
from review.domain.queues import Settings
from review.errors import NotFound
from review.queries import people
from review.queries.people import Paused
from review.store.tables import Absence, Person, PersonSkill, Queue, QueueMember, Task

# Spelled out, not bound: only then does SQLite use the partial index whose condition it is.
_OPEN = text("task.state = 'open'")


@dataclass(frozen=True, slots=True)
class Run:
    """One queue: how it is run, and what is in it now."""

    slug: str
    level: int
    escalates_to: str | None
    settings: Settings
    n_open: int
    n_overdue: int
    n_assigned: int
    n_held: int


@dataclass(frozen=True, slots=True)
class Away:
    """From when until when somebody is away."""

    id: UUID
    person_id: UUID
    person: str
    name: str
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Worker:
    """Someone who can be given tasks: what they work, what they can judge, how much they have."""

    username: str
    name: str
    role: Role
    queues: list[str]
    skills: list[str]
    n_assigned: int
    absences: list[Away]
    pauses: list[Paused]


def listed(session: Session, actor: Actor, *, now: datetime) -> list[Run]:
    """All queues, those for reviewers first."""
    actor.require(Permission.READ_QUEUES)
    return _runs(session, now)


def one(session: Session, actor: Actor, slug: str, *, now: datetime) -> Run:
    """One queue; raises NotFound where there is none of this name."""
    actor.require(Permission.READ_QUEUES)
    found = _runs(session, now, col(Queue.slug) == slug)
    if not found:
        raise NotFound(f"There is no queue “{slug}”.", field="queue")
    return found[0]


def _runs(session: Session, now: datetime, *only: ColumnElement[bool]) -> list[Run]:
    above = aliased(Queue)
    rows = session.execute(
        select(Queue, col(above.slug))
        .outerjoin(above, col(above.id) == col(Queue.escalates_to_id))
        .where(*only)
        .order_by(col(Queue.level), col(Queue.name), col(Queue.id))
    ).all()
    members = _members(session)
    return [_run(session, queue, slug, members[queue.id], now) for queue, slug in rows]


def _run(session: Session, queue: Queue, above: str | None, members: list[str], now: datetime) -> Run:
    service = Service.model_validate(queue.service) if queue.service else None
    settings = Settings(
        name=queue.name, members=members, ceiling=queue.ceiling, load_cap=queue.load_cap, service=service
    )
    is_held, is_assigned = col(Task.lease_expires_at) > now, col(Task.assigned_to_id).is_not(None)
    counts = session.execute(
        select(func.count(), _n(col(Task.due_at) <= now), _n(is_assigned), _n(is_held))
        .select_from(Task)
        .where(_OPEN, col(Task.queue_id) == queue.id)
    ).one()
    return Run(queue.slug, queue.level, above, settings, *counts)


def _n(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _members(session: Session) -> dict[UUID, list[str]]:
    rows = session.execute(
        select(col(QueueMember.queue_id), col(Person.username))
        .join(Person, col(Person.id) == col(QueueMember.person_id))
        .order_by(col(Person.username))
    ).all()
    return _grouped(rows)


def _grouped(rows: Iterable[Sequence[Any]]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for key, value in rows:
        found[key].append(value)
    return found


def workers(session: Session, actor: Actor, *, now: datetime) -> list[Worker]:
    """Everyone who can be given tasks, by name, with absences that are not over and pauses that are not lifted."""
    actor.require(Permission.READ_QUEUES)
    roles = [role.value for role in Role if highest_level(role) >= 0]
    found = session.execute(
        select(Person).where(col(Person.active), col(Person.role).in_(roles)).order_by(col(Person.name))
    ).scalars()
    skills = _grouped(session.execute(
        select(col(PersonSkill.person_id), col(PersonSkill.skill)).order_by(col(PersonSkill.skill))
    ).all())  # fmt: skip
    loads = dict(session.execute(
        select(col(Task.assigned_to_id), func.count())
        .where(_OPEN, col(Task.assigned_to_id).is_not(None))
        .group_by(col(Task.assigned_to_id))
    ).all())  # fmt: skip
    away, paused = _grouped(_away(session, now)), people.all_pauses(session)
    queues, members = _levels(session), _members(session)
    return [
        Worker(
            one.username, one.name, Role(one.role), _worked_by(one, queues, members), skills[one.id],
            loads.get(one.id, 0), away[one.id], [pause for pause in paused if pause.person == one.username],
        )
        for one in found
    ]  # fmt: skip


def _levels(session: Session) -> list[Any]:
    return list(session.execute(select(col(Queue.id), col(Queue.slug), col(Queue.level)).order_by(col(Queue.slug))))


def _worked_by(person: Person, queues: list[Any], members: dict[UUID, list[str]]) -> list[str]:
    return [
        slug
        for id_, slug, level in queues
        if level <= highest_level(Role(person.role)) and (not members[id_] or person.username in members[id_])
    ]


def absences(session: Session, actor: Actor, *, now: datetime) -> list[Away]:
    """Absences that are not over, the next first: everyone's for those who read queues, else one's own."""
    found = [away for _, away in _away(session, now)]
    if actor.may(Permission.READ_QUEUES):
        return found
    return [away for away in found if away.person_id == actor.person_id]


def _away(session: Session, now: datetime) -> list[tuple[UUID, Away]]:
    rows = session.execute(
        select(Absence, col(Person.username), col(Person.name))
        .join(Person, col(Person.id) == col(Absence.person_id))
        .where(col(Absence.until_at) > now)
        .order_by(col(Absence.from_at), col(Absence.id))
    ).all()
    return [
        (absence.person_id, Away(absence.id, absence.person_id, username, name, absence.from_at, absence.until_at))
        for absence, username, name in rows
    ]
