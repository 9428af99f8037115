"""Who acts: people, their sign-ins, and keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from review.store.tables.constraints import one_of
from review.store.types import UtcDateTime, new_id


class Person(SQLModel, table=True):
    """Someone who signs in. What was done before `sessions_valid_from` in any tab no longer counts as signed in."""

    __table_args__ = (one_of("role", "reviewer", "lead", "owner", "auditor", "admin"),)

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
