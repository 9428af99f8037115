"""Several people on one item: until it is settled, nobody learns what another said of it, or that they said it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from review.domain.actors import Actor, ActorKind, Permission
from review.domain.lifecycle import ItemStatus, TaskKind, TaskState
from review.store.tables import Decision, Item, Task

if TYPE_CHECKING:
    from review.queries.items import Event

_OTHERS = (TaskKind.SECOND_REVIEW.value, TaskKind.ADJUDICATION.value)
_ANSWERS = frozenset({"item.reviewed", "decision.undone"})
# What happens to a blind item and tells nobody who is asked about it.
_WITHOUT_PEOPLE = frozenset({
    "outputs.received", "item.lapsed", "item.question_answered", "item.reopened", "decision.superseded",
    "release.fetched", "release.consumed",
})  # fmt: skip


def hidden_since(session: Session, item: Item) -> datetime | None:
    """From when on answers on an item are hidden; None where they are not: it is settled, or one person is asked.

    What was decided before a lead reopened the item was told to everyone already.
    """
    if item.status != ItemStatus.WAITING.value:
        return None
    rows = session.execute(
        select(col(Task.kind), func.max(col(Task.created_at)))
        .where(col(Task.item_id) == item.id, col(Task.gold_id).is_(None))
        .group_by(col(Task.kind))
    ).all()
    latest: dict[str, datetime] = {row[0]: row[1] for row in rows}
    asked = latest.get(TaskKind.REVIEW.value)
    others = [latest[kind] for kind in _OTHERS if kind in latest]
    return asked if asked is not None and any(at >= asked for at in others) else None


def told_decisions(
    session: Session, actor: Actor, item: Item, rows: Sequence[tuple[Decision, str | None]]
) -> list[tuple[Decision, str | None]]:
    """Of the decisions on an item with their authors' names, those that the actor may know of."""
    since = hidden_since(session, item)
    if since is None:
        return list(rows)
    return [
        (decision, name) for decision, name in rows if decision.decided_at < since or decision.decided_by_id == actor.id
    ]


def told_events(session: Session, actor: Actor, item: Item, events: "Sequence[Event]") -> "list[Event]":
    """Of an item's history, what the actor may know of: while it is blind, no answer but their own."""
    since = hidden_since(session, item)
    if since is None:
        return list(events)
    return [event for event in events if event.at < since or not _tells(event, actor)]


def _tells(event: "Event", actor: Actor) -> bool:
    """Whether an event tells the actor of another's answer, or of who gives one; leads see who has a task."""
    if event.actor_id is not None and event.actor_id == actor.id:
        return False
    if actor.may(Permission.RESOLVE):
        return event.actor_kind == ActorKind.PERSON and event.action in _ANSWERS
    return event.action not in _WITHOUT_PEOPLE


@dataclass(frozen=True, slots=True)
class Progress:
    """How many people were asked about an item, and how many answered."""

    n_asked: int
    n_answered: int


def progress(session: Session, actor: Actor, item: Item) -> Progress | None:
    """How far the people asked about a blind item are, for leads; None for others, and where nothing is blind."""
    since = hidden_since(session, item) if actor.may(Permission.RESOLVE) else None
    if since is None:
        return None
    rows = session.execute(
        select(col(Task.state), func.count())
        .where(
            col(Task.item_id) == item.id, col(Task.gold_id).is_(None), col(Task.created_at) >= since,
            col(Task.state).in_([TaskState.OPEN.value, TaskState.DECIDED.value]),
        )
        .group_by(col(Task.state))
    ).all()  # fmt: skip
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    return Progress(sum(counts.values()), counts.get(TaskState.DECIDED.value, 0))


def answers(session: Session, task: Task) -> list[Decision]:
    """What people said of the item of a task that settles their disagreement; nothing for any other task.

    Their order tells nobody who was first.
    """
    if task.kind != TaskKind.ADJUDICATION.value:
        return []
    found = session.execute(
        select(Decision).where(
            col(Decision.item_id) == task.item_id,
            col(Decision.superseded_at).is_(None),
            col(Decision.task_id).is_not(None),
            col(Decision.decided_by_id).is_not(None),
        )
    ).scalars()
    return sorted(found, key=lambda decision: _shuffled(decision.id))


def _shuffled(decision_id: UUID) -> bytes:
    return hashlib.sha256(decision_id.bytes).digest()
