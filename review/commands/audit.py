"""Writing the audit trail: an event with its change, and the sealing of events into the chain."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, col

from review.domain import audit
from review.domain.actors import Actor
from review.domain.content import canonical
from review.store.engine import advisory_lock
from review.store.tables import AuditCheckpoint, AuditEvent
from review.store.types import new_id

_SEALER_LOCK = 7_201_477
_INSERT = insert(AuditEvent)


class Signer(Protocol):
    """Signs checkpoints; review.store.secrets keeps the key."""

    def sign(self, message: bytes) -> str:
        """The signature, in hexadecimal."""


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: tuple[str, UUID | str | None],
    *,
    now: datetime,
    event_id: UUID | None = None,
    **body: Any,
) -> UUID:
    """Write one event in the caller's transaction; `subject` is (kind, id). Returns the event's id.

    Where the actor came by a key, the event says by which.
    """
    if actor.key_id is not None:
        body["key"] = actor.key_id
    entry = audit.Entry(
        event_id or new_id(), now, actor.kind.value, actor.id, actor.name, action, subject[0], str(subject[1] or ""),
        canonical(body).decode(),
    )  # fmt: skip
    values = {name: getattr(entry, name) for name in audit.Entry.__slots__}
    session.connection().execute(_INSERT, {**values, "digest": entry.digest()})
    return entry.id


def seal(session: Session, signer: Signer, *, now: datetime, at_most: int = 5_000) -> int:
    """Chain the events that are not sealed yet, in order of their ids, and sign the head. Returns how many."""
    advisory_lock(session, _SEALER_LOCK)
    waiting = session.execute(
        select(col(AuditEvent.id), col(AuditEvent.digest))
        .where(col(AuditEvent.seq).is_(None))
        .order_by(col(AuditEvent.id))
        .limit(at_most)
    ).all()
    if not waiting:
        return 0
    seq, head = head_of(session)
    rows = []
    for event_id, digest in waiting:
        seq += 1
        head = audit.link(head, seq, digest)
        rows.append({"event": event_id, "new_seq": seq, "new_chain": head})
    session.connection().execute(_SEAL, rows)
    signature = signer.sign(audit.checkpoint_message(seq, head, now))
    session.add(AuditCheckpoint(seq=seq, head=head, at=now, signature=signature))
    return len(rows)


_SEAL = (
    update(AuditEvent)
    .where(col(AuditEvent.id) == bindparam("event"))
    .values(seq=bindparam("new_seq"), chain=bindparam("new_chain"))
)


def head_of(session: Session) -> tuple[int, str]:
    """The last sealed position and its chain value; (0, genesis) where nothing is sealed."""
    last = session.execute(
        select(col(AuditEvent.seq), col(AuditEvent.chain))
        .where(col(AuditEvent.seq).is_not(None))
        .order_by(col(AuditEvent.seq).desc())
        .limit(1)
    ).first()
    return (last[0], last[1]) if last else (0, audit.GENESIS)
