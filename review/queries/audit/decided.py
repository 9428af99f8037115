"""Checking decisions against the events that tell of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlmodel import Session, col

from review.domain.audit import DECISION_FIELDS
from review.queries.audit import rows
from review.queries.audit.findings import Kind, Problem, first
from review.store.tables import AuditEvent, Decision

_DECIDED = frozenset({"item.decided", "item.reviewed", "item.lapsed"})
_UNDONE = frozenset({"decision.undone", "decision.superseded"})


class Decisions:
    """Every decision's row gives the digest that its event keeps; every superseded one was undone or reopened."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.n_decided = self.n_undone = 0

    def add(self, events: Sequence[Row[Any]]) -> Problem | None:
        """Check the decisions that these events tell of."""
        told = [(event, rows.body_of(event)) for event in events if event.action in _DECIDED | _UNDONE]
        query = select(*rows.untyped(Decision, *DECISION_FIELDS, "superseded_at"))
        kept = rows.by_id(self.session, query, col(Decision.id), (body.get("decision_id") for _, body in told))
        return first(self._check(event, body, kept.get(str(body.get("decision_id")))) for event, body in told)

    def _check(self, event: Row[Any], body: dict[str, Any], decision: Row[Any] | None) -> Problem | None:
        decided = event.action in _DECIDED
        self.n_decided += decided
        self.n_undone += not decided
        name = str(body.get("decision_id"))
        if decision is None:
            return Problem(Kind.REMOVED, "decision", name, event.seq, "its event is there, its record is not")
        if decided and rows.digest_of_decision(decision) != body.get("decision_digest"):
            return Problem(Kind.CHANGED, "decision", name, event.seq, "it does not give the digest its event keeps")
        if not decided and decision.superseded_at != event.at:
            detail = "it was undone, and its record does not say so"
            return Problem(Kind.CHANGED, "decision", name, event.seq, detail)
        return None

    def end(self) -> Problem | None:
        """Check that there are no decisions, and no superseded ones, that no event tells of."""
        n, n_superseded = self.session.execute(select(func.count(), func.count(col(Decision.superseded_at)))).one()
        if n > self.n_decided:
            return self._untold(_DECIDED, Kind.INSERTED, "no event tells of it")
        if n_superseded > self.n_undone:
            return self._untold(_UNDONE, Kind.CHANGED, "it is marked as undone, and no event tells of that")
        return None

    def _untold(self, actions: frozenset[str], kind: Kind, detail: str) -> Problem | None:
        query = select(*rows.untyped(Decision, "id", "item_id")).order_by(col(Decision.id))
        if actions == _UNDONE:
            query = query.where(col(Decision.superseded_at).is_not(None))
        for chunk in rows.chunks(self.session, query):
            told = self._told(actions, chunk)
            for decision in chunk:
                if rows.name(decision.id) not in told:
                    return Problem(kind, "decision", rows.name(decision.id), None, detail)
        return None

    def _told(self, actions: frozenset[str], decisions: Sequence[Row[Any]]) -> set[str]:
        subjects = {rows.name(decision.item_id) for decision in decisions}
        query: Select[Any] = select(col(AuditEvent.body).label("body")).where(
            col(AuditEvent.subject_id).in_(subjects), col(AuditEvent.action).in_(actions)
        )
        return {str(rows.body_of(event).get("decision_id")) for event in self.session.execute(query)}
