"""Walking the chain of sealed events beside its signed checkpoints."""

from collections.abc import Iterator
from typing import Any, Protocol

from sqlalchemy import Row, select
from sqlmodel import Session, col

from review.domain import audit
from review.queries.audit import rows
from review.queries.audit.findings import Kind, Problem
from review.store.tables import AuditCheckpoint, AuditEvent

_REACH = 64  # how far entries may have been moved by renumbering and still be recognised


class Verifier(Protocol):
    """Checks the signatures of checkpoints; review.store.secrets keeps the key."""

    def verifies(self, message: bytes, signature: str) -> bool:
        """Whether the signature is over the message."""


class Chain:
    """The chain as far as it was walked: each event is checked against its digest, its place and the one before."""

    def __init__(self, session: Session, key: Verifier) -> None:
        self.session, self.key = session, key
        self.seq, self.head, self.n_checkpoints = 0, audit.GENESIS, 0
        self._signed_to = 0
        query = select(*rows.untyped(AuditCheckpoint, "seq", "head", "at", "signature")).order_by(
            col(AuditCheckpoint.seq)
        )
        self._checkpoints = (row for chunk in rows.chunks(session, query) for row in chunk)
        self._next = next(self._checkpoints, None)

    def add(self, event: Row[Any]) -> Problem | None:
        """Check the next event, and the checkpoint that was signed there."""
        return self._out_of_place(event) or self._altered(event) or self._unlinked(event) or self._step(event)

    def end(self) -> Problem | None:
        """Check that the chain ends where the last checkpoint says it does."""
        if self._next is not None:
            return self._unsigned(self._next) or self._gone(self.seq + 1, "the chain was signed further than it goes")
        if self._signed_to < self.seq:
            seq = self._signed_to + 1
            detail = "no signed checkpoint reaches it; or the checkpoint that did was removed"
            return Problem(Kind.INSERTED, "event", self._id_at(seq), seq, detail)
        return None

    def _out_of_place(self, event: Row[Any]) -> Problem | None:
        expected = self.seq + 1
        if event.seq == expected:
            return None
        if isinstance(event.seq, int) and event.seq > expected:
            return self._gone(expected, f"the next entry is {event.seq:,}")
        return Problem(
            Kind.INSERTED, "event", rows.name(event.id), expected, f"its position {event.seq} was taken already"
        )

    def _gone(self, seq: int, detail: str) -> Problem:
        return Problem(Kind.REMOVED, "event", None, seq, detail)

    def _altered(self, event: Row[Any]) -> Problem | None:
        if rows.digest_of_event(event) == event.digest:
            return None
        return Problem(Kind.CHANGED, "event", rows.name(event.id), event.seq, "its fields do not give its digest")

    def _unlinked(self, event: Row[Any]) -> Problem | None:
        if audit.link(self.head, event.seq, event.digest) == event.chain:
            return None
        moved = self._moved_at(event.seq)
        if moved < 0:
            return self._gone(event.seq, "the entries after it were renumbered")
        if moved > 0:
            seq = event.seq - moved if self._is_authentic(event, moved) else event.seq
            return self._put_in(seq)
        detail = "it does not follow from the entry before it: one of the two was changed, or they changed places"
        return Problem(Kind.CHANGED, "event", rows.name(event.id), event.seq, detail)

    def _step(self, event: Row[Any]) -> Problem | None:
        self.seq, self.head = event.seq, event.chain
        while self._next is not None and not _is_after(self._next, self.seq):
            problem = self._unsigned(self._next) or self._rewritten(self._next)
            if problem is not None:
                return problem
            self._signed_to = self.seq
            self.n_checkpoints += 1
            self._next = next(self._checkpoints, None)
        return None

    def _unsigned(self, checkpoint: Row[Any]) -> Problem | None:
        if self._is_signed(checkpoint):
            return None
        detail = "its signature is not by this installation's audit key over what it says"
        seq = checkpoint.seq if isinstance(checkpoint.seq, int) else None
        return Problem(Kind.CHANGED, "checkpoint", None, seq, detail)

    def _is_signed(self, checkpoint: Row[Any]) -> bool:
        try:
            message = audit.checkpoint_message(checkpoint.seq, checkpoint.head, rows.as_time(checkpoint.at))
            return self.key.verifies(message, checkpoint.signature)
        except rows.UNREADABLE:
            return False

    def _rewritten(self, checkpoint: Row[Any]) -> Problem | None:
        if checkpoint.seq == self.seq and checkpoint.head == self.head:
            return None
        moved = self._moved_at(checkpoint.seq)
        if moved > 0:
            return self._put_in(checkpoint.seq - moved + 1)
        seq = self._signed_to + 1
        kind = Kind.REMOVED if moved < 0 else Kind.CHANGED
        detail = f"the chain from {seq:,} to {self.seq:,} was rewritten: it does not lead to the head that was signed"
        return Problem(kind, "event", None if moved < 0 else self._id_at(seq), seq, detail)

    def _moved_at(self, seq: int) -> int:
        """How many places the entries from here on were moved back by, as the next signed heads tell."""
        for checkpoint in self._signed_from(seq):
            around = col(AuditEvent.seq).between(checkpoint.seq - _REACH, checkpoint.seq + _REACH)
            query = rows.events().where(around, col(AuditEvent.chain) == checkpoint.head)
            head = self.session.execute(query).first()
            if head is not None and self._is_beside_its_own(head, checkpoint.seq):
                return int(head.seq - checkpoint.seq)
        return 0

    def _is_beside_its_own(self, head: Row[Any], signed_seq: int) -> bool:
        """Whether a signed entry is still beside the one it followed, or that follows it: no entry moved alone."""
        before, after = self._event_at(head.seq - 1), self._event_at(head.seq + 1)
        return (
            after is None
            or audit.link(head.chain, signed_seq + 1, after.digest) == after.chain
            or (before is not None and audit.link(before.chain, signed_seq, head.digest) == head.chain)
        )

    def _event_at(self, seq: int) -> Row[Any] | None:
        return self.session.execute(rows.events().where(col(AuditEvent.seq) == seq)).first()

    def _signed_from(self, seq: int) -> Iterator[Row[Any]]:
        query = select(*rows.untyped(AuditCheckpoint, "seq", "head", "at", "signature"))
        query = query.where(col(AuditCheckpoint.seq) >= seq - _REACH).order_by(col(AuditCheckpoint.seq)).limit(_REACH)
        found = self.session.execute(query).all()
        return (row for row in found if isinstance(row.seq, int) and row.seq >= seq and self._is_signed(row))

    def _is_authentic(self, event: Row[Any], moved: int) -> bool:
        """Whether a moved entry is one of the chain's own, as the entry after it, or a signed head, tells."""
        after = self._event_at(event.seq + 1)
        if after is not None:
            return bool(audit.link(event.chain, after.seq - moved, after.digest) == after.chain)
        return any(row.head == event.chain for row in self._signed_from(event.seq - moved))

    def _put_in(self, seq: int) -> Problem:
        return Problem(Kind.INSERTED, "event", self._id_at(seq), seq, "the entries after it were renumbered")

    def _id_at(self, seq: int) -> str | None:
        found = self._event_at(seq)
        return None if found is None else rows.name(found.id)


def _is_after(checkpoint: Row[Any], seq: int) -> bool:
    return isinstance(checkpoint.seq, int) and checkpoint.seq > seq
