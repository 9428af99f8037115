"""Production AI systems: their policies, and what is done when their models fail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from review.store.tables.constraints import one_of
from review.store.types import CanonicalJson, UtcDateTime, new_id


class System(SQLModel, table=True):
    """One production AI system, with a named owner and a deputy."""

    __table_args__ = (
        CheckConstraint("owner_id <> deputy_id", name="owner_and_deputy_differ"),
        one_of("mode", "normal", "review_all", "stopped"),
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
        one_of("trigger", "model_unavailable", "price_changed", "version_deprecated"),
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
