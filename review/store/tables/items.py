"""Outputs on record, and what was decided of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from review.store.tables.constraints import one_of
from review.store.types import CanonicalJson, UtcDateTime, new_id


class Item(SQLModel, table=True):
    """One output on record, and where it stands. What was said of it is in its tasks and decisions."""

    __table_args__ = (
        UniqueConstraint("system_id", "external_id"),
        Index("ix_item_system_id_id", "system_id", "id"),
        Index("ix_item_reviewed", "status", "id", sqlite_where=text("status <> 'passed'"),
              postgresql_where=text("status <> 'passed'")),
        one_of("kind", "answer", "classification", "action"),
        one_of("status", "passed", "waiting", "decided"),
        one_of("route", "pass", "review", "block"),
        one_of("release_state", "pending", "released", "withheld"),
        CheckConstraint("confidence IS NULL OR (confidence >= 0 AND confidence <= 1)", name="confidence"),
        CheckConstraint("inclusion_probability >= 0 AND inclusion_probability <= 1", name="inclusion_probability"),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system_id: UUID = Field(foreign_key="system.id")
    external_id: str
    kind: str
    model_name: str
    model_version: str
    confidence: float | None
    group: str | None
    subject_id: str | None
    traceparent: str | None
    produced_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    content_digest: str
    intake_event_id: UUID
    policy_version: int
    rule: str | None
    route: str
    reasons: list[str] = Field(sa_type=CanonicalJson)
    inclusion_probability: float
    status: str
    version: int = 1
    due_at: datetime | None = Field(sa_type=UtcDateTime)
    release_state: str
    release_digest: str | None
    release_fetched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_id: UUID | None = Field(default=None)


class ItemPayload(SQLModel, table=True):
    """The content of an item, as canonical JSON; beside the item so that queue work never reads it."""

    __tablename__ = "item_payload"

    item_id: UUID = Field(primary_key=True, foreign_key="item.id")
    content: str = Field(sa_type=Text)


class Decision(SQLModel, table=True):
    """The immutable record of a verdict. An undone one stays, with the time it was superseded."""

    __table_args__ = (
        Index("uq_decision_task", "task_id", unique=True, sqlite_where=text("superseded_at IS NULL"),
              postgresql_where=text("superseded_at IS NULL")),
        Index("ix_decision_decided_at", "decided_at"),
        Index("ix_decision_item_id", "item_id"),
        Index("ix_decision_by", "decided_by_id", "decided_at"),
        one_of("verdict", "approve", "correct", "reject"),
        CheckConstraint("(verdict = 'correct') = (correction IS NOT NULL)", name="correction"),
        one_of("decided_by_kind", "person", "system"),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    item_id: UUID = Field(foreign_key="item.id")
    task_id: UUID = Field(foreign_key="task.id")
    item_version: int
    verdict: str
    correction: Any = Field(default=None, sa_type=CanonicalJson, nullable=True)
    difference: list[dict[str, Any]] | None = Field(default=None, sa_type=CanonicalJson)
    labels: list[str] = Field(sa_type=CanonicalJson)
    spans: list[dict[str, Any]] = Field(sa_type=CanonicalJson)
    note: str = Field(sa_type=Text)
    decided_by_kind: str
    decided_by_id: UUID | None = Field(foreign_key="person.id")
    claimed_at: datetime | None = Field(sa_type=UtcDateTime)
    decided_at: datetime = Field(sa_type=UtcDateTime)
    superseded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
