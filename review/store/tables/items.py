"""Outputs on record, what was said of them, and what is known of them."""

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
        Index("ix_item_lapses_at", "lapses_at",
              sqlite_where=text("release_state = 'pending' AND lapses_at IS NOT NULL"),
              postgresql_where=text("release_state = 'pending' AND lapses_at IS NOT NULL")),
        Index("ix_item_bundle", "system_id", "bundle", sqlite_where=text("bundle IS NOT NULL"),
              postgresql_where=text("bundle IS NOT NULL")),
        one_of("status", "passed", "waiting", "decided", "lapsed"),
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
    bundle: str | None = None
    bundle_position: int | None = None
    bundle_size: int | None = None  # where its producer said it: the bundle is pending until so many are on record
    requested_by: str | None = None
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
    lapses_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    release_fetched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    release_consumed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_id: UUID | None = Field(default=None)


class ItemPayload(SQLModel, table=True):
    """The content of an item, as canonical JSON; beside the item so that queue work never reads it."""

    __tablename__ = "item_payload"

    item_id: UUID = Field(primary_key=True, foreign_key="item.id")
    content: str = Field(sa_type=Text)


class Decision(SQLModel, table=True):
    """The immutable record of a verdict. An undone one stays, with the time it was superseded.

    `is_final` marks the one that stands for its item: a blind review that others must join is not. What Holdpoint
    itself decided has a `cause`: lapsed, queue_full or stopped.
    """

    __table_args__ = (
        Index("uq_decision_task", "task_id", unique=True, sqlite_where=text("superseded_at IS NULL"),
              postgresql_where=text("superseded_at IS NULL")),
        Index("uq_decision_final", "item_id", unique=True, sqlite_where=text("is_final AND superseded_at IS NULL"),
              postgresql_where=text("is_final AND superseded_at IS NULL")),
        Index("ix_decision_decided_at", "decided_at"),
        Index("ix_decision_item_id", "item_id"),
        Index("ix_decision_by", "decided_by_id", "decided_at"),
        one_of("verdict", "approve", "correct", "reject"),
        CheckConstraint("(verdict = 'correct') = (correction IS NOT NULL)", name="correction"),
        one_of("decided_by_kind", "person", "system"),
        CheckConstraint("(decided_by_kind = 'system') = (cause IS NOT NULL)", name="cause"),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    item_id: UUID = Field(foreign_key="item.id")
    task_id: UUID | None = Field(default=None, foreign_key="task.id")
    item_version: int
    is_final: bool = True
    cause: str | None = None
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


class Comment(SQLModel, table=True):
    """One remark in the thread of an item, with the usernames it mentions."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    item_id: UUID = Field(foreign_key="item.id", index=True)
    by_id: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_type=UtcDateTime)
    text: str = Field(sa_type=Text)
    mentions: list[str] = Field(sa_type=CanonicalJson)


class Question(SQLModel, table=True):
    """What a reviewer asked the producer about an item, and the answer."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    item_id: UUID = Field(foreign_key="item.id", index=True)
    task_id: UUID = Field(foreign_key="task.id")
    text: str = Field(sa_type=Text)
    asked_by_id: UUID = Field(foreign_key="person.id")
    asked_at: datetime = Field(sa_type=UtcDateTime)
    answer: str | None = Field(default=None, sa_type=Text)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Gold(SQLModel, table=True):
    """An item whose right answer is known, shown to reviewers like any other."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system_id: UUID = Field(foreign_key="system.id", index=True)
    item_id: UUID = Field(foreign_key="item.id", unique=True)
    verdict: str
    correction: Any = Field(default=None, sa_type=CanonicalJson, nullable=True)
    added_by_id: UUID = Field(foreign_key="person.id")
    added_at: datetime = Field(sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class GoldAnswer(SQLModel, table=True):
    """What a reviewer said of a gold item, and whether it was right. An undone one stays, superseded."""

    __tablename__ = "gold_answer"
    __table_args__ = (
        Index("uq_gold_answer_gold_person", "gold_id", "person_id", unique=True,
              sqlite_where=text("superseded_at IS NULL"), postgresql_where=text("superseded_at IS NULL")),
        Index("ix_gold_answer_person", "person_id", "system_id", "at"),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    gold_id: UUID = Field(foreign_key="gold.id")
    system_id: UUID = Field(foreign_key="system.id")
    person_id: UUID = Field(foreign_key="person.id")
    task_id: UUID = Field(foreign_key="task.id")
    verdict: str
    correction: Any = Field(default=None, sa_type=CanonicalJson, nullable=True)
    labels: list[str] = Field(sa_type=CanonicalJson)
    spans: list[dict[str, Any]] = Field(sa_type=CanonicalJson)
    note: str = Field(sa_type=Text)
    is_right: bool
    at: datetime = Field(sa_type=UtcDateTime)
    superseded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
