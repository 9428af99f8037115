"""The mode of a system: set by who answers for it, announced, and at an end when its time is over."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from review.commands import audit, outbox
from review.domain.actors import HOLDPOINT, Actor
from review.domain.modes import STRICTNESS, Mode, mode_at
from review.domain.reasons import check_reason
from review.errors import Forbidden, Invalid, NotFound
from review.queries import modes
from review.queries.modes import TIME_IS_OVER, ModeNow
from review.store.tables import System


def set_mode(
    session: Session, actor: Actor, slug: str, mode: Mode, *, reason: str, until: datetime | None = None, now: datetime
) -> ModeNow:
    """Set how a system runs from now on, or until a time, after which it is normal again. Everyone is told why.

    Only for its owner, its deputy, or an admin. Raises Invalid naming the field; nothing is written then.
    """
    system = answered_for(session, actor, slug)
    check_reason(reason)
    if until is not None and until <= now:
        raise Invalid("until is a time in the future. Leave it out for no end.", field="until")
    if until is not None and mode is Mode.NORMAL:
        raise Invalid("normal has no end. Leave until out.", field="until")
    return _change(session, actor, system, mode, reason, until, now, since=now)


def answered_for(session: Session, actor: Actor, slug: str) -> System:
    """A system that the actor answers for; its mode stays as it is until this transaction ends."""
    system = held(session, slug)
    if not actor.answers_for(system.owner_id, system.deputy_id):
        raise Forbidden(f"Only the owner or deputy of {slug}, or an admin, may do this.")
    return system


def held(session: Session, slug: str) -> System:
    """A system whose mode nobody else changes until this transaction ends, and by which nothing is taken in."""
    query = select(System).where(col(System.slug) == slug).with_for_update(key_share=True)
    system: System | None = session.execute(query).scalar()
    if system is None:
        raise NotFound(f"There is no system “{slug}”.", field="system")
    return system


def tighten(session: Session, system: System, mode: Mode, *, reason: str, now: datetime) -> bool:
    """Set a held system to a stricter mode, by Holdpoint itself; one that is as strict already stays as it is."""
    before = mode_at(system.mode, system.mode_until, now)
    if STRICTNESS[mode] <= STRICTNESS[before]:
        return False
    _change(session, HOLDPOINT, system, mode, reason, None, now, since=now)
    return True


def end_due(session: Session, *, now: datetime) -> int:
    """Put on record, and announce, that the time of a mode is over. Returns for how many systems it was."""
    over = select(System).where(col(System.mode) != Mode.NORMAL.value, col(System.mode_until) <= now)
    systems = session.execute(over.with_for_update(key_share=True, skip_locked=True)).scalars().all()
    for system in systems:
        _change(session, HOLDPOINT, system, Mode.NORMAL, TIME_IS_OVER, None, now, since=system.mode_until or now)
    return len(systems)


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
