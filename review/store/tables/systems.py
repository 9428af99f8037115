"""Production AI systems and their policies."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from review.store.tables.constraints import one_of
from review.store.types import UtcDateTime, new_id


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
