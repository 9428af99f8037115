"""What tests of queues share: settling them, skills, and what is written beside a change."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from review.commands import absences, assignments, queues, service_levels
from review.domain.queues import Settings, Skills
from review.store.tables import AuditEvent, Item, OutboxMessage, Person, Task
from tests.support.world import World


def settle(world: World, slug: str = "default", who: str = "lea", **fields: Any) -> None:
    with world.store.write() as session:
        settings = Settings.model_validate({"name": slug.title(), **fields})
        queues.settle(session, world.actors[who], slug, settings, now=world.now)


def skilled(world: World, username: str, *skills: str) -> None:
    with world.store.write() as session:
        wanted = Skills.model_validate({"skills": skills})
        queues.set_skills(session, world.actors["lea"], username, wanted, now=world.now)


def assign(world: World, task: Task, to: str | None, who: str = "lea") -> None:
    with world.store.write() as session:
        assignments.assign(session, world.actors[who], task.id, to, now=world.now)


def assign_waiting(world: World, at_most: int = 200) -> int:
    with world.store.write() as session:
        return assignments.assign_waiting(session, now=world.now, at_most=at_most)


def serve(world: World, at_most: int = 200) -> int:
    with world.store.write() as session:
        return service_levels.run(session, now=world.now, at_most=at_most)


def away(world: World, username: str | None, *, who: str = "lea", starts: float = 0, hours: float = 24) -> Any:
    from_at: datetime = world.now + timedelta(hours=starts)
    with world.store.write() as session:
        return absences.add(
            session, world.actors[who], person=username, from_at=from_at, until_at=from_at + timedelta(hours=hours),
            now=world.now,
        )  # fmt: skip


def assigned(world: World) -> dict[str, str | None]:
    """By external id of open tasks' items, to whom they are assigned."""
    with world.store.read() as session:
        rows = session.execute(
            select(col(Item.external_id), col(Person.username))
            .join(Task, col(Task.item_id) == col(Item.id))
            .outerjoin(Person, col(Person.id) == col(Task.assigned_to_id))
            .where(col(Task.state) == "open")
            .order_by(col(Task.id))
        )
        return {row[0]: row[1] for row in rows}


def tasks_of(world: World, external_id: str | None = None, *, state: str | None = None) -> list[Task]:
    """Tasks, the oldest first."""
    with world.store.read() as session:
        query = select(Task).join(Item, col(Item.id) == col(Task.item_id)).order_by(col(Task.id))
        if external_id is not None:
            query = query.where(col(Item.external_id) == external_id)
        if state is not None:
            query = query.where(col(Task.state) == state)
        return list(session.execute(query).scalars())


def events(world: World, action: str) -> list[AuditEvent]:
    with world.store.read() as session:
        found = select(AuditEvent).where(col(AuditEvent.action) == action).order_by(col(AuditEvent.id))
        return list(session.execute(found).scalars())


def messages(world: World, topic: str) -> list[dict[str, Any]]:
    with world.store.read() as session:
        found = select(OutboxMessage).where(col(OutboxMessage.topic) == topic).order_by(col(OutboxMessage.id))
        return [one.body for one in session.execute(found).scalars()]
