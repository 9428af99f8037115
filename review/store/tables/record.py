"""What is on record for good: audit events, signed checkpoints, and events to send."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel

from review.store.types import CanonicalJson, UtcDateTime, new_id


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
