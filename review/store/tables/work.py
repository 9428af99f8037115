"""Queues and tasks: who works on which item, and until when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from review.store.tables.constraints import one_of
from review.store.types import UtcDateTime, new_id


class Queue(SQLModel, table=True):
    """A named stream of tasks; level 0 is for reviewers, 1 for what they hand up."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    level: int = 0
    escalates_to_id: UUID | None = Field(default=None, foreign_key="queue.id")
    created_at: datetime = Field(sa_type=UtcDateTime)


class Task(SQLModel, table=True):
    """One unit of a person's work on an item. It is leased while lease_expires_at is in the future."""

    __table_args__ = (
        Index("ix_task_claim", "queue_id", text("priority DESC"), "due_at", "id",
              sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
        Index("ix_task_holder", "holder_id",
              sqlite_where=text("state = 'open' AND holder_id IS NOT NULL"),
              postgresql_where=text("state = 'open' AND holder_id IS NOT NULL")),
        Index("ix_task_item_id", "item_id"),
        one_of("kind", "review", "second_review", "adjudication", "escalation"),
        one_of("state", "open", "decided", "escalated"),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    item_id: UUID = Field(foreign_key="item.id")
    queue_id: UUID = Field(foreign_key="queue.id")
    kind: str
    state: str = "open"
    priority: int
    due_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    holder_id: UUID | None = Field(default=None, foreign_key="person.id")
    lease_token: str | None = None
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    escalated_from_id: UUID | None = Field(default=None, foreign_key="task.id")


class TaskSkip(SQLModel, table=True):
    """A task that a person skipped: it comes back to others, not to them."""

    __tablename__ = "task_skip"

    task_id: UUID = Field(primary_key=True, foreign_key="task.id")
    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    at: datetime = Field(sa_type=UtcDateTime)


class Escalation(SQLModel, table=True):
    """A task handed up: by whom, why, and the task it became."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    item_id: UUID = Field(foreign_key="item.id", index=True)
    from_task_id: UUID = Field(foreign_key="task.id", unique=True)
    to_task_id: UUID = Field(foreign_key="task.id", unique=True)
    reason: str
    note: str = Field(sa_type=Text)
    by_id: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcDateTime)
