"""The tables. What must always hold is a constraint here; what is checked on the way in is in the domain."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from review.store.types import CanonicalJson, UtcDateTime, new_id

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def _one_of(column: str, *values: str, name: str | None = None) -> CheckConstraint:
    # Not IN: SQLite builds the list of an IN anew for every row that it checks, a quarter of an insert's time.
    return CheckConstraint(" OR ".join(f"{column} = '{value}'" for value in values), name=name or column)


class Person(SQLModel, table=True):
    """Someone who signs in. What was done before `sessions_valid_from` in any tab no longer counts as signed in."""

    __table_args__ = (_one_of("role", "reviewer", "lead", "owner", "auditor", "admin"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    username: str = Field(unique=True)
    name: str
    email: str = Field(unique=True)
    role: str
    password_hash: str | None = None
    active: bool = True
    sessions_valid_from: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class SignInAttempt(SQLModel, table=True):
    """One attempt to sign in, kept to limit the next ones."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_username_at", "username", "at"),
        Index("ix_sign_in_attempt_address_at", "address", "at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    username: str
    address: str
    at: datetime = Field(sa_type=UtcDateTime)
    succeeded: bool


class System(SQLModel, table=True):
    """One production AI system, with a named owner and a deputy."""

    __table_args__ = (
        CheckConstraint("owner_id <> deputy_id", name="owner_and_deputy_differ"),
        _one_of("mode", "normal", "review_all", "stopped"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    description: str = ""
    owner_id: UUID = Field(foreign_key="person.id")
    deputy_id: UUID = Field(foreign_key="person.id")
    mode: str = "normal"
    mode_reason: str = ""
    mode_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    mode_changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_critical: bool = False
    sample_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    active_policy_id: UUID | None = Field(default=None)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Policy(SQLModel, table=True):
    """One version of a system's rules; never edited once active."""

    __table_args__ = (UniqueConstraint("system_id", "version"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system_id: UUID = Field(foreign_key="system.id")
    version: int
    document: str = Field(sa_type=Text)
    digest: str
    activated_at: datetime = Field(sa_type=UtcDateTime)
    activated_by: str
    written_by: str
    approved_by: str | None = None
    restores: int | None = None  # the earlier version whose document this is again


class ApiKey(SQLModel, table=True):
    """A key of a producing system or of a person; only its hash is kept."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("(system_id IS NULL) <> (person_id IS NULL)", name="one_holder"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    hash: str = Field(unique=True)
    hint: str
    system_id: UUID | None = Field(default=None, foreign_key="system.id")
    person_id: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


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


class PersonSkill(SQLModel, table=True):
    """What a person is able to judge, as `name:value` (language:de)."""

    __tablename__ = "person_skill"

    person_id: UUID = Field(primary_key=True, foreign_key="person.id")
    skill: str = Field(primary_key=True)


class Absence(SQLModel, table=True):
    """From when until when a person is away: nothing is assigned to them."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    from_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime = Field(sa_type=UtcDateTime)


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


class Item(SQLModel, table=True):
    """One output on record, and where it stands. What was said of it is in its tasks and decisions."""

    __table_args__ = (
        UniqueConstraint("system_id", "external_id"),
        Index("ix_item_system_id_id", "system_id", "id"),
        Index("ix_item_reviewed", "status", "id", sqlite_where=text("status <> 'passed'"),
              postgresql_where=text("status <> 'passed'")),
        _one_of("kind", "answer", "classification", "action"),
        Index("ix_item_lapses_at", "lapses_at",
              sqlite_where=text("release_state = 'pending' AND lapses_at IS NOT NULL"),
              postgresql_where=text("release_state = 'pending' AND lapses_at IS NOT NULL")),
        Index("ix_item_bundle", "system_id", "bundle", sqlite_where=text("bundle IS NOT NULL"),
              postgresql_where=text("bundle IS NOT NULL")),
        _one_of("status", "passed", "waiting", "decided", "lapsed"),
        _one_of("route", "pass", "review", "block"),
        _one_of("release_state", "pending", "released", "withheld"),
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
        _one_of("kind", "review", "second_review", "adjudication", "escalation"),
        _one_of("state", "open", "decided", "escalated", "withdrawn"),
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


class BulkChoice(SQLModel, table=True):
    """The items that a lead chose to decide at once: looked at first, then decided once."""

    __tablename__ = "bulk_choice"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system_id: UUID = Field(foreign_key="system.id")
    by_id: UUID = Field(foreign_key="person.id", index=True)
    tasks: dict[str, int] = Field(sa_type=CanonicalJson)  # each task's id, and its item's version as it was seen
    made_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Calibration(SQLModel, table=True):
    """How likely an output of one model is wrong at each confidence, learned from what people decided."""

    __table_args__ = (Index("ix_calibration_latest", "system_id", "model_version", "fitted_at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system_id: UUID = Field(foreign_key="system.id")
    model_version: str
    fitted_at: datetime = Field(sa_type=UtcDateTime)
    points: list[tuple[float, float]] = Field(sa_type=CanonicalJson)  # (confidence, probability of error)
    n: int
    auc: float | None
    auc_low: float
    auc_high: float


class ServiceStep(SQLModel, table=True):
    """One step of a queue's service level that was carried out for a task: each once."""

    __tablename__ = "service_step"

    task_id: UUID = Field(primary_key=True, foreign_key="task.id")
    step: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)


class PolicyDraft(SQLModel, table=True):
    """A policy being written; a critical system's is approved by a second person before it is activated."""

    __tablename__ = "policy_draft"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system_id: UUID = Field(foreign_key="system.id", index=True)
    document: str = Field(sa_type=Text)
    written_by_id: UUID = Field(foreign_key="person.id")
    written_at: datetime = Field(sa_type=UtcDateTime)
    approved_by_id: UUID | None = Field(default=None, foreign_key="person.id")
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    restores: int | None = None  # the earlier version whose document this is again
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Contingency(SQLModel, table=True):
    """What is done when a system's model fails it: written beforehand, carried out when its producer reports it."""

    __table_args__ = (
        UniqueConstraint("system_id", "trigger"),
        _one_of("trigger", "model_unavailable", "price_changed", "version_deprecated"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system_id: UUID = Field(foreign_key="system.id")
    trigger: str
    mode: str | None  # the mode the system is set to, or none
    fallback: str = Field(sa_type=Text)  # the model or the text that stands in
    instructions: str = Field(sa_type=Text)
    written_by_id: UUID = Field(foreign_key="person.id")
    written_at: datetime = Field(sa_type=UtcDateTime)


class Drill(SQLModel, table=True):
    """One time a contingency was carried out, for real or as an exercise, and how it went."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    contingency_id: UUID = Field(foreign_key="contingency.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    is_exercise: bool
    detail: str = Field(sa_type=Text)
    result: str = Field(sa_type=Text)
    by_name: str


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
        _one_of("verdict", "approve", "correct", "reject"),
        CheckConstraint("(verdict = 'correct') = (correction IS NOT NULL)", name="correction"),
        _one_of("decided_by_kind", "person", "system"),
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


class AuditEvent(SQLModel, table=True):
    """One append-only entry, written with the change it tells of; the sealer adds its place in the chain."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_unsealed", "id", sqlite_where=text("seq IS NULL"), postgresql_where=text("seq IS NULL")),
        Index("ix_audit_event_subject", "subject_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    action: str
    subject_kind: str
    subject_id: str
    body: str = Field(sa_type=Text)
    digest: str
    seq: int | None = Field(default=None, sa_type=BigInteger, unique=True)
    chain: str | None = None


class AuditCheckpoint(SQLModel, table=True):
    """A signed statement of the chain's head at one position."""

    __tablename__ = "audit_checkpoint"

    seq: int = Field(sa_type=BigInteger, primary_key=True)
    head: str
    at: datetime = Field(sa_type=UtcDateTime)
    signature: str


class OutboxMessage(SQLModel, table=True):
    """An event to send, written with the change it tells of."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index("ix_outbox_message_waiting", "id", sqlite_where=text("sent_at IS NULL"),
              postgresql_where=text("sent_at IS NULL")),
    )  # fmt: skip

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    topic: str
    item_id: UUID | None
    body: dict[str, Any] = Field(sa_type=CanonicalJson)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
