"""Rows as the database has them, before any type is made of them: a value that cannot be read was tampered with."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, Select, select, type_coerce
from sqlalchemy.types import NullType
from sqlmodel import Session

from review.domain.audit import DECISION_FIELDS, Entry, row_digest
from review.errors import ReviewError
from review.store.tables import AuditEvent

CHUNK = 1_000
UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, ReviewError)
_JSON = frozenset({"correction", "difference", "labels", "spans"})
_TIMES = frozenset({"claimed_at", "decided_at", "at"})
_IDS = frozenset({"id", "item_id", "task_id", "decided_by_id", "from_task_id", "to_task_id", "by_id"})
_TRUTHS = frozenset({"is_final"})


def untyped(table: Any, *names: str) -> list[Any]:
    """Columns whose values come as the driver gives them."""
    return [type_coerce(getattr(table, name), NullType()).label(name) for name in names]


def chunks(session: Session, query: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
    """The rows of a query in pieces, through a cursor of the database: memory stays flat."""
    return session.execute(query, execution_options={"yield_per": CHUNK}).partitions()


def events() -> Select[Any]:
    """Whole audit events."""
    return select(*untyped(AuditEvent, *Entry.__slots__, "digest", "seq", "chain"))


def as_id(value: Any) -> UUID:
    """An id; raises one of UNREADABLE for what is none."""
    if isinstance(value, UUID):
        return value
    found = UUID(value)
    if found.hex != value:
        raise ValueError("not an id as it is written")
    return found


def name(value: Any) -> str:
    """An id as people see it elsewhere; what is none, as it is."""
    try:
        return str(as_id(value))
    except UNREADABLE:
        return str(value)


def as_time(value: Any) -> datetime:
    """A time in UTC; raises one of UNREADABLE for what is none."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    found = datetime.fromisoformat(value)
    if found.isoformat(" ", "microseconds") != value:
        raise ValueError("not a time as it is written")
    return found.replace(tzinfo=UTC)


def as_truth(value: Any) -> bool:
    """True or false, which SQLite keeps as 1 or 0; raises one of UNREADABLE for what is neither."""
    if not isinstance(value, int) or value not in (0, 1):
        raise ValueError("neither true nor false")
    return bool(value)


def digest_of_event(row: Row[Any]) -> str | None:
    """The digest over an event's fields as they are now; None where they cannot be read."""
    try:
        entry = Entry(
            as_id(row.id), as_time(row.at), row.actor_kind, _field("id", row.actor_id),
            row.actor_name, row.action, row.subject_kind, row.subject_id, row.body,
        )  # fmt: skip
        return entry.digest()
    except UNREADABLE:
        return None


def digest_of_decision(row: Row[Any]) -> str | None:
    """The digest over a decision's fields as they are now; None where they cannot be read."""
    return digest_of(row, DECISION_FIELDS)


def digest_of(row: Row[Any], fields: Sequence[str]) -> str | None:
    """The digest over these fields of a row as they are now; None where they cannot be read."""
    try:
        return row_digest(fields, {name: _field(name, getattr(row, name)) for name in fields})
    except UNREADABLE:
        return None


def _field(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _IDS:
        return as_id(value)
    if name in _TIMES:
        return as_time(value)
    if name in _TRUTHS:
        return as_truth(value)
    return orjson.loads(value) if name in _JSON else value


def by_id(session: Session, query: Select[Any], column: Any, ids: Iterable[Any]) -> dict[str, Row[Any]]:
    """The rows of a query that have one of these ids in a column, by their own ids; what is no id is passed over."""
    wanted = {UUID(found) for found in ids if _is_id(found)}
    if not wanted:
        return {}
    return {name(row.id): row for row in session.execute(query.where(column.in_(wanted)))}


def _is_id(value: Any) -> bool:
    try:
        return bool(str(UUID(value)) == value)
    except UNREADABLE:
        return False


def body_of(row: Row[Any]) -> dict[str, Any]:
    """An event's body; empty where it cannot be read."""
    try:
        body = orjson.loads(row.body)
    except UNREADABLE:
        return {}
    return body if isinstance(body, dict) else {}
