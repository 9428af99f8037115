"""Queues: a policy that names one brings it into being; leads settle who works it, how full it may be, and when."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session, col

from review.commands import audit, freeing
from review.commands.eligibility import OPEN, TASK
from review.domain.actors import Actor, Permission, Role
from review.domain.calendars import Service
from review.domain.lifecycle import highest_level
from review.domain.queues import Settings, Skills
from review.errors import Invalid, NotFound
from review.store.tables import Person, PersonSkill, Queue, QueueMember

ESCALATIONS = "escalations"


def ensure(session: Session, slug: str, *, now: datetime) -> UUID:
    """The id of the queue with this name, made for reviewers where it is new."""
    found: UUID | None = session.execute(select(col(Queue.id)).where(col(Queue.slug) == slug)).scalar()
    if found is not None:
        return found
    above = None if slug == ESCALATIONS else ensure(session, ESCALATIONS, now=now)
    queue = Queue(
        slug=slug,
        name=slug.replace("-", " ").replace("_", " ").capitalize(),
        level=1 if above is None else 0,
        escalates_to_id=above,
        created_at=now,
    )
    session.add(queue)
    session.flush()
    return queue.id


def settle(session: Session, actor: Actor, slug: str, settings: Settings, *, now: datetime) -> None:
    """Change how a queue is run, all of it at once. Due times that were promised before stay as they are.

    Raises NotFound for a queue that is none, Invalid naming the field where people or steps do not fit it.
    """
    actor.require(Permission.MANAGE_QUEUES)
    queue = _held(session, slug)
    members = [_member(session, queue, username) for username in dict.fromkeys(settings.members)]
    _check_steps(session, queue, settings.service)
    service = settings.service.model_dump(mode="json") if settings.service else None
    if service != queue.service:
        _start_anew(session, queue)
    queue.name, queue.ceiling, queue.load_cap, queue.service = (
        settings.name, settings.ceiling, settings.load_cap, service,
    )  # fmt: skip
    session.execute(delete(QueueMember).where(col(QueueMember.queue_id) == queue.id))
    if members:
        session.execute(insert(QueueMember), [{"queue_id": queue.id, "person_id": one} for one in members])
    session.flush()
    told = settings.model_dump(mode="json")
    audit.record(session, actor, "queue.settled", ("queue", queue.id), now=now, queue=slug, **told)
    freeing.free_unable(session, now=now)


def _held(session: Session, slug: str) -> Queue:
    """The queue, which nobody else changes until this transaction ends."""
    query = select(Queue).where(col(Queue.slug) == slug).with_for_update(key_share=True)
    queue: Queue | None = session.execute(query).scalar()
    if queue is None:
        raise NotFound(f"There is no queue “{slug}”. A policy that names it brings it into being.", field="queue")
    return queue


def _member(session: Session, queue: Queue, username: str) -> UUID:
    person = _active(session, username, "members")
    if highest_level(Role(person.role)) < queue.level:
        who = "leads" if queue.level else "reviewers and leads"
        raise Invalid(f"{person.name} is {person.role}: only {who} work this queue. Leave them out.", field="members")
    return person.id


def _active(session: Session, username: str, field: str) -> Person:
    person: Person | None = session.execute(
        select(Person).where(col(Person.username) == username, col(Person.active))
    ).scalar()
    if person is None:
        raise Invalid(f"“{username}” is not an active person here. Leave them out, or add them first.", field=field)
    return person


def _check_steps(session: Session, queue: Queue, service: Service | None) -> None:
    for step in service.steps if service else ():
        field = f"service.steps[{step.name}]"
        if step.action == "hand_up" and queue.escalates_to_id is None:
            raise Invalid(f"{field} hands up, and nobody is above this queue. Take another action.", field=field)
        for username in step.notify:
            _active(session, username, f"{field}.notify")


def _start_anew(session: Session, queue: Queue) -> None:
    """Look at every open task by the new steps; each step that was taken for a task stays taken."""
    session.connection().execute(
        update(TASK).where(TASK.c.queue_id == queue.id, OPEN, TASK.c.n_steps > 0).values(n_steps=0)
    )


def set_skills(session: Session, actor: Actor, username: str, skills: Skills, *, now: datetime) -> None:
    """Say what a person is able to judge, all of it at once; tasks that ask for a skill go to those who have it."""
    actor.require(Permission.MANAGE_QUEUES)
    person = _active(session, username, "person")
    wanted = sorted(set(skills.skills))
    session.execute(delete(PersonSkill).where(col(PersonSkill.person_id) == person.id))
    rows: list[dict[str, Any]] = [{"person_id": person.id, "skill": skill} for skill in wanted]
    if rows:
        session.execute(insert(PersonSkill), rows)
    audit.record(session, actor, "person.skills_changed", ("person", person.id), now=now, skills=wanted)
    freeing.free_unable(session, now=now)
