"""How a task ended that its holder did not decide: nobody is asked about it any more."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from review.domain.lifecycle import ItemStatus, TaskState
from review.domain.releases import is_overdue
from review.store.tables import Item, Task


class End(StrEnum):
    """Why nobody is asked any more."""

    OVERDUE = "overdue"  # the fail-safe has the word, whether or not it is on record yet
    ANSWERED = "answered"  # Holdpoint answered for another reason
    SETTLED = "settled"  # people did


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that ended, with its item."""

    item_id: UUID
    external_id: str
    why: End


def end_of(session: Session, task_id: UUID, *, now: datetime) -> Ended | None:
    """Why a task is nobody's any more; None for one that is open, or was closed by who held it."""
    row = session.execute(
        select(
            col(Task.state), col(Task.gold_id), col(Item.id), col(Item.external_id), col(Item.status),
            col(Item.release_state), col(Item.lapses_at),
        )
        .join(Item, col(Item.id) == col(Task.item_id))
        .where(col(Task.id) == task_id)
    ).first()  # fmt: skip
    if row is None or row.gold_id is not None:
        return None
    is_late = row.lapses_at is not None and row.lapses_at <= now
    if row.state == TaskState.OPEN.value:
        late = is_overdue(row.release_state, row.lapses_at, now)
        return Ended(row.id, row.external_id, End.OVERDUE) if late else None
    if row.state != TaskState.WITHDRAWN.value:
        return None
    if row.status != ItemStatus.LAPSED.value:
        return Ended(row.id, row.external_id, End.SETTLED)
    return Ended(row.id, row.external_id, End.OVERDUE if is_late else End.ANSWERED)
