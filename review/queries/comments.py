"""The thread of an item, as far as somebody may read it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.domain.actors import Actor, Permission
from review.errors import NotFound
from review.queries import blind, gold
from review.store.tables import Comment, Item, Person


@dataclass(frozen=True, slots=True)
class Remark:
    """One comment, with its author's name."""

    id: UUID
    by: str
    at: datetime
    text: str
    mentions: list[str]


@dataclass(frozen=True, slots=True)
class Thread:
    """The comments that somebody may read, oldest first; `is_blind` where others' are kept from them for now."""

    remarks: list[Remark]
    is_blind: bool


def thread(session: Session, actor: Actor, item_id: UUID) -> Thread:
    """The comments on an item. While answers are blind, people who may be asked read their own alone.

    Raises NotFound or Forbidden where the actor may not read the item; producers read no comments.
    """
    actor.require(Permission.READ_ITEMS)
    item = session.get(Item, item_id)
    if item is None:
        raise NotFound("There is no such item.")
    query = (
        select(Comment, col(Person.name))
        .join(Person, col(Person.id) == col(Comment.by_id))
        .where(col(Comment.item_id) == item_id)
        .order_by(col(Comment.id))
    )
    since = blind.hidden_since(session, item) if actor.may(Permission.DECIDE) else None
    if since is not None:
        query = query.where((col(Comment.by_id) == actor.id) | (col(Comment.at) < since))
    given = gold.task_of(session, actor, item_id) if item.decision_id else None
    if given is not None:  # to its reviewer a gold item is a fresh one: nobody has written about it
        query = query.where(col(Comment.by_id) == actor.id, col(Comment.at) >= given.created_at)
    rows = session.execute(query).all()
    return Thread([Remark(one.id, name, one.at, one.text, one.mentions) for one, name in rows], since is not None)
