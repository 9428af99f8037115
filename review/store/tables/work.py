"""Queues and tasks: who is asked about which item, and until when."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from review.store.tables.constraints import one_of
from review.store.types import CanonicalJson, UtcDateTime, new_id


class Queue(SQLModel, table=True):
    """A named stream of tasks; level 0 is for reviewers, 1 for what they hand up."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    level: int = 0
    escalates_to_id: UUID | None = Field(default=None, foreign_key="queue.id")
    ceiling: int | None = None
    load_cap: int | None = None  # open tasks a person is assigned at most; without one, nothing is assigned by itself
    service: dict[str, Any] | None = Field(default=None, sa_type=CanonicalJson)
    created_at: datetime = Field(sa_type=UtcDateTime)


class QueueMember(SQLModel, table=True):
    """Someone who works a queue. A queue without members is open to everyone of its level."""

    __tablename__ = "queue_member"

    queue_id: UUID = Field(primary_key=True, foreign_key="queue.id")
    person_id: UUID = Field(primary_key=True, foreign_key="person.id")


class Pause(SQLModel, table=True):
    """A person who takes no tasks of a system for now, and why. Lifted by a lead."""

    __table_args__ = (
        Index("uq_pause_person_system", "person_id", "system_id", unique=True, sqlite_where=text("lifted_at IS NULL"),
              postgresql_where=text("lifted_at IS NULL")),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    system_id: UUID = Field(foreign_key="system.id")
    reason: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=UtcDateTime)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Task(SQLModel, table=True):
    """One unit of a person's work on an item. It is leased while lease_expires_at is in the future."""

    __table_args__ = (
        Index("ix_task_claim", "queue_id", text("priority DESC"), "due_at", "id",
              sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
        Index("ix_task_holder", "holder_id",
              sqlite_where=text("state = 'open' AND holder_id IS NOT NULL"),
              postgresql_where=text("state = 'open' AND holder_id IS NOT NULL")),
        Index("ix_task_steps", "queue_id", "n_steps", "due_at",
              sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
        Index("ix_task_assigned", "assigned_to_id",
              sqlite_where=text("state = 'open' AND assigned_to_id IS NOT NULL"),
              postgresql_where=text("state = 'open' AND assigned_to_id IS NOT NULL")),
        Index("ix_task_item_id", "item_id"),
        one_of("kind", "review", "second_review", "adjudication", "escalation"),
        one_of("state", "open", "decided", "escalated", "withdrawn"),
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
    assigned_to_id: UUID | None = Field(default=None, foreign_key="person.id")
    snoozed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_limited: bool = False  # not everyone of the queue may take it: see TaskBar and TaskSkill
    gold_id: UUID | None = Field(default=None, foreign_key="gold.id")
    n_steps: int = Field(default=0, sa_column_kwargs={"server_default": "0"})  # of its queue's service level, taken


class TaskBar(SQLModel, table=True):
    """Someone who may not take the tasks of an item: they decided on it, or asked for it."""

    __tablename__ = "task_bar"

    item_id: UUID = Field(primary_key=True, foreign_key="item.id")
    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    reason: str


class TaskSkill(SQLModel, table=True):
    """A skill that is needed to take a task."""

    __tablename__ = "task_skill"

    task_id: UUID = Field(primary_key=True, foreign_key="task.id")
    skill: str = Field(primary_key=True)


class TaskSkip(SQLModel, table=True):
    """A task that a person skipped: it comes back to others, not to them."""

    __tablename__ = "task_skip"

    task_id: UUID = Field(primary_key=True, foreign_key="task.id")
    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    at: datetime = Field(sa_type=UtcDateTime)


class Escalation(SQLModel, table=True):
    """A task handed up: by whom (nobody: by Holdpoint, when it was overdue), why, and the task it became."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    item_id: UUID = Field(foreign_key="item.id", index=True)
    from_task_id: UUID = Field(foreign_key="task.id", unique=True)
    to_task_id: UUID = Field(foreign_key="task.id", unique=True)
    reason: str
    note: str = Field(sa_type=Text)
    by_id: UUID | None = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcDateTime)


class ServiceStep(SQLModel, table=True):
    """One step of a queue's service level that was carried out for a task: each once."""

    __tablename__ = "service_step"

    task_id: UUID = Field(primary_key=True, foreign_key="task.id")
    step: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)


class Reassignment(SQLModel, table=True):
    """The tasks that a lead chose to give to one person, or to free, at once: looked at first, done, perhaps undone.

    `task_ids` are what was chosen, by task the person (or nobody) who had it assigned before.
    """

    id: UUID = Field(default_factory=new_id, primary_key=True)
    by_id: UUID = Field(foreign_key="person.id", index=True)
    to_id: UUID | None = Field(foreign_key="person.id")
    task_ids: dict[str, str | None] = Field(sa_type=CanonicalJson)
    made_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BulkChoice(SQLModel, table=True):
    """The items that a lead chose to decide at once: looked at first, then decided once."""

    __tablename__ = "bulk_choice"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system_id: UUID = Field(foreign_key="system.id")
    by_id: UUID = Field(foreign_key="person.id", index=True)
    tasks: dict[str, int] = Field(sa_type=CanonicalJson)  # each task's id, and its item's version as it was seen
    made_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
