"""Checking rows that never change, and each have one event, against those events: escalations and policies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlmodel import Session, col

from review.domain.audit import ESCALATION_FIELDS
from review.domain.content import sha256
from review.queries.audit import rows
from review.queries.audit.findings import Kind, Problem, first
from review.store.tables import AuditEvent, Escalation, Policy


@dataclass(frozen=True, slots=True)
class Telling:
    """How events tell of the rows of one table.

    `what` names one row; the event's body has its id as `what`_id, and the row has the event's subject in `subject`.
    """

    what: str
    action: str
    table: Any
    fields: tuple[str, ...]
    subject: str
    agrees: Callable[[Row[Any], Row[Any], dict[str, Any]], bool]


def _escalation_agrees(row: Row[Any], _event: Row[Any], body: dict[str, Any]) -> bool:
    return rows.digest_of(row, ESCALATION_FIELDS) == body.get("escalation_digest")


_OF_POLICY = ("version", "digest", "written_by", "approved_by", "restores")


def _policy_agrees(row: Row[Any], event: Row[Any], body: dict[str, Any]) -> bool:
    try:
        digest = sha256(row.document.encode())
    except rows.UNREADABLE:
        return False
    said = (event.subject_id, event.actor_name, event.at, *(body.get(name) for name in _OF_POLICY))
    kept = (rows.name(row.system_id), row.activated_by, row.activated_at, *(getattr(row, name) for name in _OF_POLICY))
    return digest == row.digest and kept == said


ESCALATIONS = Telling("escalation", "task.escalated", Escalation, ESCALATION_FIELDS, "item_id", _escalation_agrees)
POLICIES = Telling(
    "policy", "policy.activated", Policy,
    ("id", "system_id", "document", "activated_at", "activated_by", *_OF_POLICY), "system_id", _policy_agrees,
)  # fmt: skip


class Told:
    """The rows of one table: each is as its event says, and each has one."""

    def __init__(self, session: Session, telling: Telling) -> None:
        self.session, self.of, self.n = session, telling, 0

    def add(self, events: Sequence[Row[Any]]) -> Problem | None:
        """Check the rows that these events tell of."""
        told = [(event, rows.body_of(event)) for event in events if event.action == self.of.action]
        self.n += len(told)
        query = select(*rows.untyped(self.of.table, *self.of.fields))
        kept = rows.by_id(self.session, query, self.of.table.id, (self._id(body) for _, body in told))
        return first(self._check(event, body, kept.get(str(self._id(body)))) for event, body in told)

    def _id(self, body: dict[str, Any]) -> Any:
        return body.get(f"{self.of.what}_id")

    def _check(self, event: Row[Any], body: dict[str, Any], row: Row[Any] | None) -> Problem | None:
        name = str(self._id(body))
        if row is None:
            return Problem(Kind.REMOVED, self.of.what, name, event.seq, "its event is there, its record is not")
        if not self.of.agrees(row, event, body):
            return Problem(Kind.CHANGED, self.of.what, name, event.seq, "it is not as its event says")
        return None

    def end(self) -> Problem | None:
        """Check that there are no rows that no event tells of."""
        if self.session.execute(select(func.count()).select_from(self.of.table)).scalar_one() == self.n:
            return None
        query = select(*rows.untyped(self.of.table, "id", self.of.subject)).order_by(self.of.table.id)
        for chunk in rows.chunks(self.session, query):
            told = self._told(rows.name(getattr(row, self.of.subject)) for row in chunk)
            for row in chunk:
                if rows.name(row.id) not in told:
                    return Problem(Kind.INSERTED, self.of.what, rows.name(row.id), None, "no event tells of it")
        return None

    def _told(self, subjects: Any) -> set[str]:
        query: Select[Any] = select(col(AuditEvent.body).label("body")).where(
            col(AuditEvent.subject_id).in_(set(subjects)), col(AuditEvent.action) == self.of.action
        )
        return {str(self._id(rows.body_of(event))) for event in self.session.execute(query)}
