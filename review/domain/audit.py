"""The audit trail's arithmetic: an event's digest, the chain over digests, and signed checkpoints of its head."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from review.domain.content import canonical, sha256

GENESIS = "0" * 64
DECISION_FIELDS = (
    "id", "item_id", "task_id", "item_version", "is_final", "cause", "verdict", "correction", "difference", "labels",
    "spans", "note", "decided_by_kind", "decided_by_id", "claimed_at", "decided_at",
)  # fmt: skip
ESCALATION_FIELDS = ("id", "item_id", "from_task_id", "to_task_id", "reason", "note", "by_id", "at")


@dataclass(frozen=True, slots=True)
class Entry:
    """One audit event, as far as its digest goes."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    action: str
    subject_kind: str
    subject_id: str
    body: str

    def digest(self) -> str:
        """SHA-256 over every field in canonical JSON."""
        return sha256(
            canonical(
                [
                    str(self.id),
                    self.at.isoformat(),
                    self.actor_kind,
                    str(self.actor_id) if self.actor_id else None,
                    self.actor_name,
                    self.action,
                    self.subject_kind,
                    self.subject_id,
                    self.body,
                ]
            )
        )


def link(previous: str, seq: int, digest: str) -> str:
    """The chain's value at `seq`: SHA-256 over the value before it, the position and the event's digest."""
    return sha256(f"{previous}:{seq}:{digest}".encode())


def item_line(
    item_id: UUID,
    content_digest: str,
    system_id: UUID,
    external_id: str,
    ruling: tuple[str, str | None, Sequence[str], int, float],
) -> str:
    """What an intake's digest says of one item: all that never changes of it.

    `ruling` is the route, the rule, the reasons, the policy version and the inclusion probability.
    """
    return canonical([item_id, content_digest, system_id, external_id, ruling]).decode()


def digest_over(lines: Iterable[str]) -> str:
    """One digest over the lines of an intake's items, in order of their ids."""
    return sha256("\n".join(lines).encode())


def checkpoint_message(seq: int, head: str, at: datetime) -> bytes:
    """The bytes that a checkpoint's signature is over."""
    return f"holdpoint-audit:{seq}:{head}:{at.isoformat()}".encode()


def decision_digest(decision: Mapping[str, Any]) -> str:
    """SHA-256 over a decision's immutable fields, as its audit event keeps it."""
    return row_digest(DECISION_FIELDS, decision)


def row_digest(fields: Sequence[str], row: Mapping[str, Any]) -> str:
    """SHA-256 over these fields of a row that never changes."""
    return sha256(canonical({name: row[name] for name in fields}))
