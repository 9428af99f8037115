"""Checking items and their contents against the events of their intake."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, except_, func, select
from sqlmodel import Session, col

from review.domain.audit import item_line
from review.domain.content import parse, sha256
from review.queries.audit import rows, standing
from review.queries.audit.findings import Kind, Problem, first
from review.store.tables import AuditEvent, Decision, Item, ItemPayload, Policy

RECEIVED = "outputs.received"


@dataclass(slots=True)
class _Batch:
    """The items of one intake as they come by, and what its event says of them."""

    event_id: Any
    seq: int | None
    n: int
    digest: str
    first_id: str
    n_seen: int = 0
    over: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, line: str) -> None:
        """Take the line of the next item, in order of ids, into the digest."""
        self.over.update(f"{'' if self.n_seen == 0 else chr(10)}{line}".encode())
        self.n_seen += 1


class Items:
    """Every content gives its item's digest, and the items of an intake give the digest that its event keeps.

    Each item stands where its routing and its decision put it. Items of intakes at the same time come by mixed, so a
    few batches are open at once; memory stays flat.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.n = session, 0
        self._open: dict[Any, _Batch] = {}
        self._wrong: _Batch | None = None
        self._misplaced: Problem | None = None

    def check(self, n_told: int | None) -> Problem | None:
        """Walk all items; `n_told` is how many the events tell of, where all events could be read."""
        found: Problem | None = None
        for chunk in rows.chunks(self.session, _items()):
            for row in chunk:
                found = first([found, self._add(row)])
                self.n += 1
        for batch in self._open.values():
            self._keep_wrong(batch)
        found = first([found, self._explained()])
        if found is None and n_told is not None and n_told != self.n:
            found = self._vanished()
        return found or self._misplaced

    def _add(self, row: Row[Any]) -> Problem | None:
        item_id = rows.name(row.id)
        if row.action != RECEIVED:
            return Problem(Kind.INSERTED, "item", item_id, None, "no event tells of its intake")
        if row.content is None:
            return Problem(Kind.REMOVED, "item", item_id, row.seq, "its content is gone")
        batch = self._batch_of(row, item_id)
        if batch is None:
            return None  # its event was changed, which is a finding of its own
        batch.add(_line(row))
        if batch.n_seen == batch.n:
            del self._open[batch.event_id]
            if batch.over.hexdigest() != batch.digest:
                self._keep_wrong(batch)
        if self._misplaced is None and not standing.follows(row):
            detail = "its status or its release does not follow from its routing and its decision"
            self._misplaced = Problem(Kind.CHANGED, "item", item_id, None, detail)
        if _digest_of(row.content) != row.content_digest:
            return Problem(Kind.CHANGED, "item", item_id, row.seq, "its content does not give its digest")
        return None

    def _batch_of(self, row: Row[Any], item_id: str) -> _Batch | None:
        if row.intake_event_id not in self._open:
            body = rows.body_of(row)
            n, digest = body.get("n"), body.get("digest")
            if not isinstance(n, int) or not isinstance(digest, str):
                return None
            self._open[row.intake_event_id] = _Batch(row.intake_event_id, row.seq, n, digest, item_id)
        return self._open[row.intake_event_id]

    def _keep_wrong(self, batch: _Batch) -> None:
        if self._wrong is None or _place(batch) < _place(self._wrong):
            self._wrong = batch

    def _explained(self) -> Problem | None:
        """What is wrong with the first intake whose items do not give the digest that its event keeps."""
        batch = self._wrong
        if batch is None:
            return None
        n = self.session.execute(
            select(func.count()).select_from(Item).where(col(Item.intake_event_id) == rows.as_id(batch.event_id))
        ).scalar_one()
        told = f"its intake, event {rows.name(batch.event_id)}, was of {batch.n:,} outputs; there are {n:,}"
        if n < batch.n:
            return Problem(Kind.REMOVED, "item", None, batch.seq, told)
        only = batch.first_id if batch.n_seen < batch.n or batch.n == 1 else None
        if n > batch.n:
            return Problem(Kind.INSERTED, "item", only, batch.seq, told)
        detail = f"the {n:,} items of its intake, event {rows.name(batch.event_id)}, do not give the digest it keeps"
        return Problem(Kind.CHANGED, "item", only, batch.seq, detail)

    def _vanished(self) -> Problem | None:
        """The first intake of which no item is left."""
        left = except_(
            select(col(AuditEvent.id)).where(col(AuditEvent.action) == RECEIVED), select(col(Item.intake_event_id))
        )
        row = self.session.execute(
            select(*rows.untyped(AuditEvent, "id", "seq"))
            .where(col(AuditEvent.id).in_(left))
            .order_by(col(AuditEvent.seq))
            .limit(1)
        ).first()
        if row is None:
            return None
        return Problem(
            Kind.REMOVED, "item", None, row.seq, f"no item of its intake, event {rows.name(row.id)}, is left"
        )


def _items() -> Select[Any]:
    return (
        select(
            *rows.untyped(Item, "id", "content_digest", "intake_event_id", "system_id", "external_id", "route", "rule"),
            *rows.untyped(Item, "reasons", "policy_version", "inclusion_probability"),
            *rows.untyped(ItemPayload, "content"),
            *rows.untyped(AuditEvent, "action", "body", "seq"),
            *standing.COLUMNS,
            standing.N_STANDING.label("n_standing"),
        )
        .outerjoin(ItemPayload, col(ItemPayload.item_id) == col(Item.id))
        .outerjoin(Decision, standing.IS_ITS_OWN)
        .outerjoin(Policy, standing.IS_ITS_POLICY)
        .outerjoin(AuditEvent, col(AuditEvent.id) == col(Item.intake_event_id))
        .order_by(col(Item.id))
    )


def _line(row: Row[Any]) -> str:
    """The item's line as its intake wrote it; of an item that no intake could have written, no such line."""
    try:
        ruled = (row.route, row.rule, parse(row.reasons), row.policy_version, row.inclusion_probability)
        return item_line(rows.as_id(row.id), row.content_digest, rows.as_id(row.system_id), row.external_id, ruled)
    except rows.UNREADABLE:
        return ""


def _digest_of(content: Any) -> str | None:
    try:
        return sha256(content.encode())
    except rows.UNREADABLE:
        return None


def _place(batch: _Batch) -> float:
    return float("inf") if batch.seq is None else batch.seq
