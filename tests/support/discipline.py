"""Several people on one item in tests: policies that ask for them, and what stands then."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from review.commands import people, policies
from review.domain.actors import HOLDPOINT, Role, person_actor
from review.store.tables import Item, PersonSkill, Task
from tests.support.world import World


def activate(world: World, rule: str = "", rest: str = "") -> None:
    """Put a policy in force that holds everything by one rule with these fields."""
    comma = ", " if rule else ""
    document = f'queue: default\nrules:\n  - {{name: all, when: "true", route: review{comma}{rule}}}\n{rest}'
    with world.store.write() as session:
        policies.activate(session, HOLDPOINT, "helper", document, now=world.now)


def person(world: World, username: str, role: Role = Role.REVIEWER, *skills: str) -> str:
    """Add someone with skills; the world knows them as an actor."""
    with world.store.write() as session:
        added = people.add(
            session, HOLDPOINT, username=username, name=username.title(), email=f"{username}@example.com",
            role=role, password_hash=None, now=world.now,
        )  # fmt: skip
        session.add_all(PersonSkill(person_id=added.id, skill=skill) for skill in skills)
        session.flush()
        world.actors[username] = person_actor(added.id, added.name, role)
    return username


def item(world: World, item_id: UUID) -> Item:
    with world.store.read() as session:
        return session.get_one(Item, item_id)


def tasks_of(world: World, item_id: UUID) -> list[Task]:
    """The tasks of an item, oldest first."""
    with world.store.read() as session:
        query = select(Task).where(col(Task.item_id) == item_id).order_by(col(Task.created_at), col(Task.id))
        return list(session.execute(query).scalars())


def say(world: World, who: str, **answer: Any) -> Any:
    """Claim the next task as somebody and decide it."""
    task = world.claim(who)
    assert task is not None, f"{who} is given nothing"
    return world.decide(task, who, **answer)
