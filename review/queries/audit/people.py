"""Checking who may do what against the events that made it so."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlmodel import Session, col

from review.queries.audit import rows
from review.queries.audit.findings import Kind, Problem
from review.store.tables import Person


class _Rights(NamedTuple):
    """A person as their events leave them, with the place of the last of these."""

    username: Any
    role: Any
    active: bool
    seq: int | None


class People:
    """Every person has the name, the role and the access that their events gave them last.

    Memory grows with the number of people, not with what they did.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._told: dict[str, _Rights] = {}

    def add(self, events: Sequence[Row[Any]]) -> None:
        """Take in what these events tell of people."""
        for event in events:
            if event.subject_kind != "person":
                continue
            body, before = rows.body_of(event), self._told.get(event.subject_id)
            after = _after(event, body, before)
            if after is not None:
                self._told[event.subject_id] = after

    def end(self) -> Problem | None:
        """Check all people, once all events were taken in."""
        told = dict(self._told)
        query = select(*rows.untyped(Person, "id", "username", "role", "active")).order_by(col(Person.id))
        for chunk in rows.chunks(self.session, query):
            for row in chunk:
                problem = _compared(row, told.pop(rows.name(row.id), None))
                if problem is not None:
                    return problem
        for person_id, rights in told.items():
            return Problem(Kind.REMOVED, "person", person_id, rights.seq, "their event is there, their record is not")
        return None


def _after(event: Row[Any], body: dict[str, Any], before: _Rights | None) -> _Rights | None:
    if event.action == "person.added":
        return _Rights(body.get("username"), body.get("role"), active=True, seq=event.seq)
    if before is None:
        return None
    match event.action:
        case "person.role_changed":
            return before._replace(role=body.get("after"), seq=event.seq)
        case "person.activated" | "person.deactivated":
            return before._replace(active=event.action == "person.activated", seq=event.seq)
    return None


def _compared(row: Row[Any], rights: _Rights | None) -> Problem | None:
    name = rows.name(row.id)
    if rights is None:
        return Problem(Kind.INSERTED, "person", name, None, "no event tells of them")
    if (row.username, row.role, row.active) == rights[:3]:
        return None
    detail = "their name, role or access is not what their last event made it"
    return Problem(Kind.CHANGED, "person", name, rights.seq, detail)
