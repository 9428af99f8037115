"""Checking what producers used against the events that tell of it: what was given out once, and with which digest."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlmodel import Session, col

from review.domain.lifecycle import ReleaseState
from review.queries.audit import rows
from review.queries.audit.findings import Kind, Problem, first
from review.store.tables import AuditEvent, Item

_USED = "release.consumed"


class Uses:
    """Every item that was used says so with the time and the digest of its event, and no other item does."""

    def __init__(self, session: Session) -> None:
        self.session, self.n = session, 0

    def add(self, events: Sequence[Row[Any]]) -> Problem | None:
        """Check the items that these events tell of."""
        told = [event for event in events if event.action == _USED]
        self.n += len(told)
        query = select(*rows.untyped(Item, "id", "release_state", "release_digest", "release_consumed_at"))
        kept = rows.by_id(self.session, query, col(Item.id), (event.subject_id for event in told))
        return first(_check(event, kept.get(event.subject_id)) for event in told)

    def end(self) -> Problem | None:
        """Check that no item is marked as used that no event tells of."""
        used = select(func.count()).select_from(Item).where(col(Item.release_consumed_at).is_not(None))
        if self.session.execute(used).scalar_one() == self.n:
            return None
        query = select(*rows.untyped(Item, "id")).where(col(Item.release_consumed_at).is_not(None))
        for chunk in rows.chunks(self.session, query.order_by(col(Item.id))):
            told = self._told([rows.name(row.id) for row in chunk])
            for row in chunk:
                if rows.name(row.id) not in told:
                    detail = "it is marked as used, and no event tells of that"
                    return Problem(Kind.CHANGED, "item", rows.name(row.id), None, detail)
        return None

    def _told(self, item_ids: Sequence[str]) -> set[str]:
        query: Select[Any] = select(col(AuditEvent.subject_id)).where(
            col(AuditEvent.subject_id).in_(item_ids), col(AuditEvent.action) == _USED
        )
        return set(self.session.execute(query).scalars())


def _check(event: Row[Any], item: Row[Any] | None) -> Problem | None:
    if item is None:
        return Problem(Kind.REMOVED, "item", event.subject_id, event.seq, "it was used, and is gone")
    told = (ReleaseState.RELEASED, rows.body_of(event).get("sha256"), event.at)
    if (item.release_state, item.release_digest, item.release_consumed_at) == told:
        return None
    return Problem(Kind.CHANGED, "item", event.subject_id, event.seq, "its release is not as it was used")
