"""Queues: a policy that names one brings it into being, with the queue for what is handed up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.store.tables import Queue

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
