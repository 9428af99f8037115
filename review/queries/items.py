"""Items: one with its story, and many by filter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select
from sqlmodel import Session, col

from review.domain import content
from review.domain.actors import HOLDPOINT, Actor, Permission
from review.domain.rulings import compiled
from review.errors import Invalid, NotFound
from review.queries import blind, gold
from review.store.tables import AuditEvent, Decision, Escalation, Item, ItemPayload, Person, Policy, Queue, System, Task

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Whole:
    """An item with its content, its system, and the decision that stands."""

    item: Item
    system: System
    content: dict[str, Any]
    decision: Decision | None
    decided_by: str | None


WHOLE = (
    select(Item, System, col(ItemPayload.content))
    .join(System, col(System.id) == col(Item.system_id))
    .join(ItemPayload, col(ItemPayload.item_id) == col(Item.id))
    .where(col(Item.id) == bindparam("item"))
)
_STANDING = (
    select(Decision, col(Person.name))
    .outerjoin(Person, col(Person.id) == col(Decision.decided_by_id))
    .where(col(Decision.id) == bindparam("decision"))
)


def require_sight(actor: Actor, system_id: UUID) -> None:
    """Raise Forbidden for people without the right to read items, NotFound for another system's item."""
    if not actor.may_see_system(system_id):
        raise NotFound("There is no such item.")
    if actor.system_id is None:
        actor.require(Permission.READ_ITEMS)


def whole(session: Session, actor: Actor, item_id: UUID) -> Whole:
    """One item with everything a person needs to judge it; raises NotFound where the actor may not know of it."""
    row = session.execute(WHOLE, {"item": item_id}).first()
    if row is None:
        raise NotFound("There is no such item.")
    return whole_of(session, actor, *row)


def whole_of(session: Session, actor: Actor, item: Item, system: System, packed: bytes) -> Whole:
    """The same from a row of WHOLE, for statements that ask for more beside it."""
    require_sight(actor, item.system_id)
    decision, decided_by = _standing(session, item)
    return gold.told(session, actor, Whole(item, system, content.parse(packed), decision, decided_by))


def _standing(session: Session, item: Item) -> tuple[Decision | None, str | None]:
    """The decision that stands, with who made it; most items on a desk have none, which costs nothing."""
    if item.decision_id is None:
        return None, None
    decision, decided_by = session.execute(_STANDING, {"decision": item.decision_id}).one()
    return decision, decided_by


def taxonomy(session: Session, item: Item) -> list[str]:
    """The codes that an item's words can be labelled with, by the policy it came under."""
    document = session.execute(
        select(col(Policy.document)).where(
            col(Policy.system_id) == item.system_id, col(Policy.version) == item.policy_version
        )
    ).scalar_one()
    return list(compiled(document).policy.taxonomy)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items to list; `q` is an item id, the beginning of an external id, or words of the content."""

    system: str | None = None
    status: str | None = None
    queue: str | None = None
    q: str | None = None


def listing(
    session: Session, actor: Actor, wanted: Filter, *, before: UUID | None = None, limit: int = 50
) -> list[tuple[Item, str]]:
    """Items with their system's slug, newest first, `limit` of them older than the item `before` (keyset)."""
    if actor.system_id is None:
        actor.require(Permission.READ_ITEMS)
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"limit is 1 to {MAX_PAGE}.", field="limit")
    query = select(Item, col(System.slug)).join(System, col(System.id) == col(Item.system_id))
    query = query.where(*_conditions(session, actor, wanted))
    if before is not None:
        query = query.where(col(Item.id) < before)
    rows = session.execute(query.order_by(col(Item.id).desc()).limit(limit)).all()
    return gold.told_items(session, actor, [(item, slug) for item, slug in rows])


def _conditions(session: Session, actor: Actor, wanted: Filter) -> list[Any]:
    conditions: list[Any] = []
    if actor.system_id is not None:
        conditions.append(col(Item.system_id) == actor.system_id)
    if wanted.system:
        conditions.append(col(Item.system_id) == _id_of(session, System, wanted.system, "system"))
    if wanted.status:
        conditions.append(_told_status(session, actor, wanted.status))
    if wanted.queue:
        queue_id = _id_of(session, Queue, wanted.queue, "queue")
        in_queue = select(col(Task.item_id)).where(col(Task.queue_id) == queue_id, col(Task.state) == "open")
        if gold.is_told(actor):
            in_queue = in_queue.where(or_(col(Task.gold_id).is_(None), col(Task.assigned_to_id) == actor.id))
        conditions.append(col(Item.id).in_(in_queue))
    if wanted.q:
        conditions.append(searched(wanted.q))
    return conditions


def _told_status(session: Session, actor: Actor, status: str) -> Any:
    """The condition of a status, of gold tasks of the actor's as they are told of it."""
    told = gold.statuses(session, actor)
    if not told:
        return _status(status)
    like_this = [item_id for item_id, is_told in told.items() if is_told == status]
    return or_(and_(_status(status), col(Item.id).not_in(told)), col(Item.id).in_(like_this))


def _status(status: str) -> Any:
    if status not in ("passed", "waiting", "decided", "lapsed"):
        raise Invalid("status is passed, waiting, decided or lapsed.", field="status")
    return (
        and_(col(Item.status) != "passed", col(Item.status) == status)
        if status != "passed"
        else col(Item.status) == status
    )


def _id_of(session: Session, table: type[System] | type[Queue], slug: str, field: str) -> UUID:
    found: UUID | None = session.execute(select(col(table.id)).where(col(table.slug) == slug)).scalar()
    if found is None:
        raise NotFound(f"There is no {field} “{slug}”.", field=field)
    return found


def searched(q: str) -> Any:
    """The condition of a search: an item id, the beginning of an external id, or words of the content."""
    q = q.strip()
    try:
        return col(Item.id) == UUID(q)
    except ValueError:
        pass
    escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    inside = content.canonical(q).decode()[1:-1].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    has_words = (
        select(col(ItemPayload.item_id))
        .where(col(ItemPayload.item_id) == col(Item.id), col(ItemPayload.content).ilike(f"%{inside}%", escape="\\"))
        .exists()
    )
    return or_(col(Item.external_id).like(f"{escaped}%", escape="\\"), has_words)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an item's history."""

    at: datetime
    actor_kind: str
    actor_name: str
    action: str
    body: dict[str, Any]
    seq: int | None
    actor_id: UUID | None = None


def history(session: Session, actor: Actor, item_id: UUID) -> list[Event]:
    """Everything that happened to an item, oldest first, from the audit trail; of blind answers only one's own."""
    found = session.get(Item, item_id)
    if found is None:
        raise NotFound("There is no such item.")
    require_sight(actor, found.system_id)
    rows = session.execute(
        select(AuditEvent)
        .where(or_(col(AuditEvent.subject_id) == str(item_id), col(AuditEvent.id) == found.intake_event_id))
        .order_by(col(AuditEvent.at), col(AuditEvent.id))
    ).scalars()
    events = [Event(e.at, e.actor_kind, e.actor_name, e.action, content.parse(e.body), e.seq, e.actor_id) for e in rows]
    return blind.told_events(session, actor, found, gold.told_events(session, actor, item_id, events))


def decisions_of(session: Session, item_id: UUID) -> Sequence[tuple[Decision, str | None]]:
    """Every decision on an item with its author's name, oldest first, superseded ones too."""
    rows = session.execute(
        select(Decision, col(Person.name))
        .outerjoin(Person, col(Person.id) == col(Decision.decided_by_id))
        .where(col(Decision.item_id) == item_id)
        .order_by(col(Decision.id))
    ).all()
    return [(decision, name) for decision, name in rows]


def told_decisions(session: Session, actor: Actor, item: Item) -> Sequence[tuple[Decision, str | None]]:
    """The same, as the actor may know of them: of blind answers and of gold tasks, their own alone."""
    told = gold.told_decisions(session, actor, item.id, decisions_of(session, item.id))
    return blind.told_decisions(session, actor, item, told)


def handed_up(session: Session, item_id: UUID) -> Sequence[tuple[Escalation, str]]:
    """Every time an item was handed up, with the name of who did, newest first."""
    rows = session.execute(
        select(Escalation, func.coalesce(col(Person.name), HOLDPOINT.name))
        .outerjoin(Person, col(Person.id) == col(Escalation.by_id))
        .where(col(Escalation.item_id) == item_id)
        .order_by(col(Escalation.id).desc())
    ).all()
    return [(escalation, name) for escalation, name in rows]
