"""Events for producers and tools, written with the change they tell of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session

from review.store.tables import OutboxMessage
from review.store.types import new_id

_INSERT = insert(OutboxMessage)


def enqueue(session: Session, topic: str, item_id: UUID | None, *, now: datetime, **body: Any) -> None:
    """Put one message beside the change, in its transaction."""
    message = {"id": new_id(), "at": now, "topic": topic, "item_id": item_id, "body": body}
    session.connection().execute(_INSERT, message)
