"""Pauses: a person who takes no tasks of a system for now, until a lead lifts it with a reason."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session, col

from review.commands import audit, freeing, outbox
from review.commands.eligibility import TASK
from review.domain.actors import Actor, Permission
from review.errors import Invalid, NotFound, WrongState
from review.store.tables import Item, Pause, Person, System

_MAX_REASON = 2_000


def pause(session: Session, actor: Actor, username: str, system: str, *, reason: str, now: datetime) -> Pause | None:
    """Keep a person (a username) from the tasks of a system (a slug). Raises NotFound where there is none."""
    person_id = session.execute(select(col(Person.id)).where(col(Person.username) == username)).scalar()
    system_id = session.execute(select(col(System.id)).where(col(System.slug) == system)).scalar()
    if person_id is None:
        raise NotFound(f"There is no person “{username}”.", field="person")
    if system_id is None:
        raise NotFound(f"There is no system “{system}”.", field="system")
    return begin(session, actor, person_id, system_id, reason=reason, now=now)


def begin(
    session: Session, actor: Actor, person_id: UUID, system_id: UUID, *, reason: str, now: datetime
) -> Pause | None:
    """The same by ids, for Holdpoint too; None where they are kept from its tasks already.

    Two who do it at once: the second's transaction fails with IntegrityError, and Store.commit runs it again.
    """
    actor.require(Permission.MANAGE_QUEUES)
    if person_id == actor.id:
        raise WrongState("Nobody pauses themselves: write an absence, or ask another lead.")
    reason = _checked(reason)
    live = col(Pause.person_id) == person_id, col(Pause.system_id) == system_id, col(Pause.lifted_at).is_(None)
    if session.execute(select(col(Pause.id)).where(*live)).first():
        return None
    begun = Pause(person_id=person_id, system_id=system_id, reason=reason, since=now)
    session.add(begun)
    session.flush()
    _tell(session, actor, "person.paused", begun, reason, now)
    freeing.free_unable(session, now=now)
    of_system = select(col(Item.id)).where(col(Item.system_id) == system_id)
    is_unheld = or_(TASK.c.lease_expires_at.is_(None), TASK.c.lease_expires_at <= now)
    freeing.withdraw_gold(session, now, TASK.c.assigned_to_id == person_id, TASK.c.item_id.in_(of_system), is_unheld)
    return begun


def lift(session: Session, actor: Actor, pause_id: UUID, *, reason: str, now: datetime) -> None:
    """Let a person take the tasks of the system again; the reason goes on record. Nobody lifts their own."""
    actor.require(Permission.MANAGE_QUEUES)
    reason = _checked(reason)
    begun = session.get(Pause, pause_id, with_for_update=True, populate_existing=True)
    if begun is None:
        raise NotFound("There is no such pause.")
    if begun.lifted_at is not None:
        raise WrongState("This pause was lifted already.")
    if begun.person_id == actor.id:
        raise Invalid("Nobody lifts their own pause. Ask another lead.", field="reason")
    begun.lifted_at = now
    session.flush()
    _tell(session, actor, "person.pause_lifted", begun, reason, now)


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= _MAX_REASON:
        raise Invalid(f"Say why, in up to {_MAX_REASON:,} characters.", field="reason")
    return reason


def _tell(session: Session, actor: Actor, action: str, begun: Pause, reason: str, now: datetime) -> None:
    username, slug = session.execute(
        select(col(Person.username), col(System.slug))
        .join(System, col(System.id) == begun.system_id)
        .where(col(Person.id) == begun.person_id)
    ).one()
    told = {"pause_id": begun.id, "person": username, "system": slug, "reason": reason}
    audit.record(session, actor, action, ("person", begun.person_id), now=now, **told)
    outbox.enqueue(session, action, None, now=now, **told)
