"""The mode of a system: set by who answers for it, announced, and at an end when its time is over."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, outbox
from review.domain.actors import HOLDPOINT, Actor
from review.domain.modes import STRICTNESS, Mode, mode_at
from review.domain.reasons import MAX_REASON, check_reason
from review.errors import Forbidden, Invalid, NotFound
from review.queries import modes
from review.queries.modes import TIME_IS_OVER, ModeNow
from review.store.engine import advisory_lock
from review.store.tables import System

_LONGEST = timedelta(days=366)
_NO_END = " Its end is taken away."


def set_mode(
    session: Session, actor: Actor, slug: str, mode: Mode, *, reason: str, until: datetime | None = None, now: datetime
) -> ModeNow:
    """Set how a system runs from now on, or until a time, after which it is normal again. Everyone is told why.

    Only for its owner, its deputy, or an admin. Raises Invalid naming the field; nothing is written then.
    """
    system = answered_for(session, actor, slug)
    check_reason(reason)
    return _change(session, actor, system, mode, reason, _checked(until, mode, now), now, since=now)


def _checked(until: datetime | None, mode: Mode, now: datetime) -> datetime | None:
    """When a mode ends, in UTC."""
    if until is None:
        return None
    if mode is Mode.NORMAL:
        raise Invalid("normal has no end. Leave until out.", field="until")
    if not now < until <= now + _LONGEST:
        raise Invalid(f"until is a time in the next {_LONGEST.days} days. Leave it out for no end.", field="until")
    return until.astimezone(UTC)


def answered_for(session: Session, actor: Actor, slug: str) -> System:
    """A system that the actor answers for; its mode stays as it is until this transaction ends."""
    system = held(session, slug)
    if not actor.answers_for(system.owner_id, system.deputy_id):
        raise Forbidden(f"Only the owner or deputy of {slug}, or an admin, may do this.")
    return system


def held(session: Session, slug: str) -> System:
    """A system whose mode nobody else changes until this transaction ends, and for which nothing is taken in."""
    system_id = session.execute(select(col(System.id)).where(col(System.slug) == slug)).scalar()
    if system_id is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    advisory_lock(session, system_id)
    query = select(System).where(col(System.id) == system_id).with_for_update(key_share=True)
    system: System = session.execute(query.execution_options(populate_existing=True)).scalar_one()
    return system


def keep(session: Session, system_id: UUID | None) -> None:
    """Let nobody change a system's mode until this transaction ends: who answers after a change has seen it.

    A lock on the row would do that too, but PostgreSQL lets any number share one past who waits to change it: under
    load a stop would wait for ever.
    """
    if system_id is not None:
        advisory_lock(session, system_id, shared=True)


def tighten(session: Session, system: System, mode: Mode, *, reason: str, now: datetime) -> bool:
    """Set a held system to a stricter mode, by Holdpoint itself; one that is as strict already stays as it is.

    One that would end by itself does not any more, so that what is wanted is not over with it.
    """
    before = mode_at(system.mode, system.mode_until, now)
    if STRICTNESS[mode] <= STRICTNESS[before]:
        if mode is Mode.NORMAL or system.mode_until is None:
            return False
        mode, reason = before, reason[: MAX_REASON - len(_NO_END)] + _NO_END
    _change(session, HOLDPOINT, system, mode, reason, None, now, since=now)
    return True


def end_due(session: Session, *, now: datetime) -> int:
    """Put on record, and announce, that the time of a mode is over. Returns for how many systems it was."""
    over = select(col(System.slug)).where(col(System.mode) != Mode.NORMAL.value, col(System.mode_until) <= now)
    n = 0
    for slug in session.execute(over.order_by(col(System.id))).scalars().all():
        system = held(session, slug)
        if system.mode_until is not None and system.mode_until <= now:
            _change(session, HOLDPOINT, system, Mode.NORMAL, TIME_IS_OVER, None, now, since=system.mode_until)
            n += 1
    return n


def _change(
    session: Session, actor: Actor, system: System, mode: Mode, reason: str, until: datetime | None, now: datetime,
    *, since: datetime,
) -> ModeNow:  # fmt: skip
    told: dict[str, Any] = {"mode": mode.value, "before": system.mode, "reason": reason, "until": until}
    system.mode, system.mode_reason = mode.value, reason
    system.mode_until, system.mode_changed_at = until, since
    session.flush()
    audit.record(session, actor, "system.mode_changed", ("system", system.id), now=now, **told)
    outbox.enqueue(session, "system.mode_changed", None, now=now, system=system.slug, **told)
    return modes.as_of(system.slug, system, now)
