"""The thread of an item: remarks that colleagues write to each other, and whom they mention."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, outbox
from review.domain import content
from review.domain.actors import Actor
from review.errors import Invalid
from review.queries import items
from review.store.tables import Comment, Person

MAX_COMMENT = 4_000
_MENTION = re.compile(r"(?<![\w@])@([\w.+-]*\w)")


def comment(session: Session, actor: Actor, item_id: UUID, text: str, *, now: datetime) -> Comment:
    """Add a remark to an item's thread; people it mentions by @username are told.

    Raises NotFound where the actor may not know of the item, Invalid for nothing or too much, or for a mention of
    nobody.
    """
    author_id = actor.person_id
    found = items.whole(session, actor, item_id)
    if not text.strip() or len(text) > MAX_COMMENT:
        raise Invalid(f"Write something, in up to {MAX_COMMENT:,} characters.", field="text")
    content.refuse_unkeepable(text, "text")
    mentions = _mentioned(session, text)
    added = Comment(item_id=item_id, by_id=author_id, at=now, text=text, mentions=mentions)
    session.add(added)
    session.flush()
    told: dict[str, Any] = {"comment_id": added.id, "mentions": mentions}
    digest = content.content_digest(text)
    audit.record(session, actor, "item.commented", ("item", item_id), now=now, text_digest=digest, **told)
    if mentions:
        outbox.enqueue(
            session, "person.mentioned", item_id, now=now, external_id=found.item.external_id, by=actor.name, **told
        )
    return added


def _mentioned(session: Session, text: str) -> list[str]:
    names = list(dict.fromkeys(_MENTION.findall(text)))
    known = set(
        session.execute(select(col(Person.username)).where(col(Person.username).in_(names), col(Person.active)))
        .scalars()
    )  # fmt: skip
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Invalid(f"There is nobody with the username “{unknown[0]}”. Check its spelling.", field="text")
    return names
