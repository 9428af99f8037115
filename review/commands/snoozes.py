"""Putting a task off: nobody is offered it until a time; when it is due stays as it is."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from review.commands import audit, tasks
from review.commands.eligibility import TASK
from review.domain.actors import Actor, Permission
from review.domain.lifecycle import ReleaseState
from review.errors import Invalid
from review.store.tables import Item
from review.store.types import UtcDateTime

LONGEST = timedelta(days=7)
_PUT_OFF = (
    update(TASK)
    .where(tasks.HELD)
    .values(
        holder_id=None, lease_token=None, claimed_at=None, lease_expires_at=None,
        snoozed_until=bindparam("until", type_=UtcDateTime()),
    )
    .returning(TASK.c.item_id)
)  # fmt: skip


def snooze(session: Session, actor: Actor, task_id: UUID, token: str, until: datetime, *, now: datetime) -> None:
    """Let the task go, and have nobody offered it before a time: at most 7 days from now, and before its fail-safe.

    Raises Invalid for another time, LeaseLost if the hold had ended.
    """
    item_id = put_off(session, actor, task_id, token, until, "task.snoozed", now=now, until=until)
    tasks.stay_away(session, actor, item_id, now)  # or they would be given another seat of the item at once


def put_off(
    session: Session, actor: Actor, task_id: UUID, token: str, at: datetime, action: str, *, now: datetime, **told: Any
) -> UUID:
    """The same, on record as what it was for. Returns the item's id."""
    actor.require(Permission.DECIDE)
    _check(at, _latest(session, task_id, now), now)
    held = {"task": task_id, "me": actor.person_id, "token": token, "now": now, "until": at}
    item_id: UUID | None = session.connection().execute(_PUT_OFF, held).scalar()
    if item_id is None:
        raise tasks.lease_lost(session, task_id)
    audit.record(session, actor, action, ("item", item_id), now=now, task_id=task_id, **told)
    return item_id


def _check(until: datetime, latest: datetime, now: datetime) -> None:
    if until <= now:
        raise Invalid("That time is over. Choose a later one.", field="until")
    if until > latest:
        why = "7 days from now" if latest == now + LONGEST else "when the policy's fail-safe answers"
        raise Invalid(f"At the latest until {why}, {latest:%Y-%m-%d %H:%M} UTC.", field="until")


def _latest(session: Session, task_id: UUID, now: datetime) -> datetime:
    lapses_at: datetime | None = session.execute(
        select(col(Item.lapses_at))
        .join(TASK, TASK.c.item_id == col(Item.id))
        .where(TASK.c.id == task_id, col(Item.release_state) == ReleaseState.PENDING.value)
    ).scalar()
    return min(lapses_at, now + LONGEST) if lapses_at else now + LONGEST
