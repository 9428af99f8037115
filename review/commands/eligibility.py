"""Who may be given which task, as conditions of the claim: one statement decides, so nobody slips in between."""

from typing import Any

from sqlalchemy import Table, and_, bindparam, exists, or_, text
from sqlmodel import col

from review.store.tables import Gold, Item, Pause, PersonSkill, Queue, QueueMember, Task, TaskBar, TaskSkill, TaskSkip
from review.store.types import UtcDateTime

# The table and not the model: an UPDATE through the ORM costs as much again as the UPDATE.
TASK: Table = Task.__table__  # type: ignore[attr-defined]
# Spelled out, not bound: only then does SQLite use the partial index whose condition it is.
OPEN: Any = text("task.state = 'open'")
NOW: Any = bindparam("now", type_=UtcDateTime())
ME: Any = bindparam("me")

NOT_HELD = or_(TASK.c.lease_expires_at.is_(None), TASK.c.lease_expires_at <= NOW)
_SKIPPED = exists().where(
    col(TaskSkip.task_id) == TASK.c.id, col(TaskSkip.person_id) == ME, col(TaskSkip.at) > bindparam("skipped_after")
)
_PAUSED = exists().where(
    col(Pause.person_id) == ME, col(Pause.lifted_at).is_(None),
    col(Item.id) == TASK.c.item_id, col(Item.system_id) == col(Pause.system_id),
)  # fmt: skip
_OTHER: Any = TASK.alias("other")
_HOLDS_ANOTHER = exists().where(
    _OTHER.c.item_id == TASK.c.item_id, _OTHER.c.id != TASK.c.id, _OTHER.c.state == "open", _OTHER.c.holder_id == ME,
    _OTHER.c.lease_expires_at > NOW,
)  # fmt: skip
_BARRED = exists().where(col(TaskBar.item_id) == TASK.c.item_id, col(TaskBar.person_id) == ME)
_UNSKILLED = exists().where(
    col(TaskSkill.task_id) == TASK.c.id,
    ~exists().where(col(PersonSkill.person_id) == ME, col(PersonSkill.skill) == col(TaskSkill.skill)),
)
# Few tasks are limited; for all others the three questions are not asked. A gold task is for one person.
ALLOWED = and_(
    or_(~TASK.c.is_limited, and_(~_BARRED, ~_HOLDS_ANOTHER, ~_UNSKILLED)),
    or_(TASK.c.gold_id.is_(None), TASK.c.assigned_to_id == ME),
    ~_PAUSED,
)
NOT_ANOTHERS = or_(TASK.c.assigned_to_id.is_(None), TASK.c.assigned_to_id == ME)
NOT_SNOOZED = or_(TASK.c.snoozed_until.is_(None), TASK.c.snoozed_until <= NOW)
OFFERED = and_(
    NOT_ANOTHERS,
    NOT_SNOOZED,
    ~_SKIPPED,
    ALLOWED,
)
HAS_GOLD = exists().where(col(Gold.retired_at).is_(None))
_OF_QUEUE = exists().where(col(QueueMember.queue_id) == col(Queue.id))
WORKS_QUEUE = or_(~_OF_QUEUE, _OF_QUEUE.where(col(QueueMember.person_id) == ME))
