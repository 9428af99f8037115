"""The mode that a system is in now, whether or not anything ran when one that was set until a time was over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from review.domain.actors import Actor, Permission
from review.domain.modes import Mode, mode_at
from review.domain.rulings import compiled
from review.errors import NotFound
from review.store.tables import Policy, System

TIME_IS_OVER = "The time that it was set for is over."
_MODE: Any = select(  # built once: producers ask it all the time
    System.id,
    System.mode,
    System.mode_reason,
    System.mode_changed_at,
    System.mode_until,  # type: ignore[call-overload]
).where(col(System.slug) == bindparam("slug"))


@dataclass(frozen=True, slots=True)
class ModeNow:
    """How a system runs, why, since when (None: always), and until when where that was said."""

    system: str
    mode: Mode
    reason: str
    since: datetime | None
    until: datetime | None


def mode_of(session: Session, actor: Actor, slug: str, *, now: datetime) -> ModeNow:
    """The mode of one system, for people and for its own key; raises NotFound for others."""
    row = session.connection().execute(_MODE, {"slug": slug}).first()
    if row is None or not actor.may_see_system(row.id):
        raise NotFound(f"There is no system “{slug}”.", field="system")
    if actor.system_id is None:
        actor.require(Permission.READ_OVERVIEW)
    return as_of(slug, row, now)


def fallback_of(session: Session, actor: Actor, slug: str) -> str | None:
    """What the producers of a system are given while it is stopped, by the policy in force; for people."""
    actor.require(Permission.READ_OVERVIEW)
    document = session.execute(
        select(col(Policy.document))
        .join(System, col(System.active_policy_id) == col(Policy.id))
        .where(col(System.slug) == slug)
    ).scalar()
    return compiled(document).policy.fallback if document else None


def as_of(slug: str, row: Any, now: datetime) -> ModeNow:
    """The mode that a system's row says, at this moment."""
    mode = mode_at(row.mode, row.mode_until, now)
    if mode == row.mode:
        return ModeNow(slug, mode, row.mode_reason, row.mode_changed_at, row.mode_until)
    return ModeNow(slug, mode, TIME_IS_OVER, row.mode_until, None)
