"""What producers were asked about an item, and what they answered."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.domain.actors import Actor
from review.errors import NotFound
from review.queries import blind, gold, items
from review.store.tables import Item, Person, Question, Task

SOMEBODY = "A reviewer"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its answer, if there is one; producers are told no name, nor is anyone while it is blind."""

    id: UUID
    text: str
    by: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None


def asked(session: Session, actor: Actor, item_id: UUID) -> list[Asked]:
    """The questions about an item, oldest first. Raises NotFound where the actor may not know of it."""
    item = session.get(Item, item_id)
    if item is None:
        raise NotFound("There is no such item.")
    items.require_sight(actor, item.system_id)
    query = (
        select(Question, col(Person.name), col(Task.id), col(Task.gold_id))
        .join(Person, col(Person.id) == col(Question.asked_by_id))
        .join(Task, col(Task.id) == col(Question.task_id))
        .where(col(Question.item_id) == item_id)
        .order_by(col(Question.id))
    )
    mine = gold.task_of(session, actor, item_id) if item.decision_id else None
    is_named = actor.system_id is None and blind.hidden_since(session, item) is None
    return [
        Asked(
            one.id, one.text, name if is_named or one.asked_by_id == actor.id else SOMEBODY, one.asked_at, one.answer,
            one.answered_at,
        )
        for one, name, task_id, gold_id in session.execute(query).all()
        if (task_id == mine.id if mine else gold_id is None)
    ]  # fmt: skip
