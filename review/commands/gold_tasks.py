"""Mixing gold tasks in: what a reviewer is given in place of a task, by a chance that nobody can foresee."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, select
from sqlmodel import Session, col

from review.commands import audit, pauses
from review.domain import gold
from review.domain.actors import HOLDPOINT, Actor
from review.domain.calendars import Service
from review.domain.gold import Standing
from review.domain.lifecycle import ItemStatus, TaskKind, lease_until
from review.domain.modes import Mode, mode_at
from review.domain.policies import GoldTasks
from review.domain.rulings import Ruling, compiled, draw
from review.errors import Forbidden
from review.queries import gold as told
from review.queries import items
from review.queries.items import Whole
from review.store.tables import (
    Decision,
    Gold,
    GoldAnswer,
    Item,
    Pause,
    PersonSkill,
    Policy,
    Queue,
    System,
    Task,
    TaskBar,
)
from review.store.types import id_of_time

_TRIES = 10  # gold items that are looked at for one claim


class Instead(NamedTuple):
    """What a reviewer is given in place of a task: a gold task, or, where `paused` says why, nothing of its system."""

    system_id: UUID
    task: Task | None = None
    paused: str = ""


def instead_of(session: Session, actor: Actor, task: Task, now: datetime) -> Instead | None:
    """What the actor is given in place of a task that was just taken for them; None for the task itself.

    Nobody can tell beforehand: it is drawn by a keyed hash of the person, the task, and how many they answered.
    """
    if task.gold_id is not None or not told.is_told(actor):
        return None
    system, rules = _rules_of(session, task.item_id, now)
    if rules is None:
        return None
    answers = answers_of(session, actor.person_id, system.id)
    is_learning = standing_of(session, actor.person_id, system.id, answers, rules) is Standing.LEARNING
    drawn = draw(system.sample_key, f"gold:{actor.id}:{len(answers)}:{task.id}")
    if not is_learning and drawn >= rules.rate:
        return None
    made = _made(session, actor, system, task, now)
    if made is None and not is_learning:
        return None
    return Instead(system.id, made, "" if made else gold.nothing_left(system.name, rules))


def require_learned(session: Session, actor: Actor, task_id: UUID, now: datetime) -> None:
    """Raise Forbidden where the actor does not choose tasks of its system yet, but is given them."""
    task = session.get(Task, task_id)
    if task is None or task.gold_id is not None or not told.is_told(actor):
        return
    system, rules = _rules_of(session, task.item_id, now)
    if rules is None:
        return
    answers = answers_of(session, actor.person_id, system.id)
    if standing_of(session, actor.person_id, system.id, answers, rules) is Standing.LEARNING:
        raise Forbidden(f"You are new to {system.name}: take the next task as it comes.")


def give(session: Session, actor: Actor, instead: Instead, now: datetime) -> Task | None:
    """Give what stands in a task's place; None where the actor is now kept from the system's tasks instead."""
    if instead.task is None:
        reason = instead.paused
        pauses.begin(session, HOLDPOINT, actor.person_id, instead.system_id, reason=reason, now=now)
        return None
    session.add(instead.task)
    session.flush()
    audit.record(
        session, actor, "task.claimed", ("item", instead.task.item_id), now=now, task_id=instead.task.id
    )  # fmt: skip
    return instead.task


def _rules_of(session: Session, item_id: UUID, now: datetime) -> tuple[System, GoldTasks | None]:
    """An item's system, and how its reviewers are checked at this moment."""
    system, document = session.execute(
        select(System, col(Policy.document))
        .join(Item, col(Item.system_id) == col(System.id))
        .join(Policy, col(Policy.id) == col(System.active_policy_id))
        .where(col(Item.id) == item_id)
    ).one()
    is_usual = mode_at(system.mode, system.mode_until, now) is Mode.NORMAL
    return system, compiled(document).policy.gold if is_usual else None


def answers_of(session: Session, person_id: UUID, system_id: UUID) -> list[bool]:
    """What the person answered right and wrong, in order of time, since a pause of theirs was lifted last."""
    rows = session.execute(
        select(col(GoldAnswer.is_right), col(GoldAnswer.at))
        .where(
            col(GoldAnswer.person_id) == person_id,
            col(GoldAnswer.system_id) == system_id,
            col(GoldAnswer.superseded_at).is_(None),
        )
        .order_by(col(GoldAnswer.at), col(GoldAnswer.id))
    ).all()
    since = _lifted_at(session, person_id, system_id)
    return [is_right for is_right, at in rows if since is None or at > since]


def _lifted_at(session: Session, person_id: UUID, system_id: UUID) -> datetime | None:
    lifted: datetime | None = session.execute(
        select(col(Pause.lifted_at))
        .where(col(Pause.person_id) == person_id, col(Pause.system_id) == system_id, col(Pause.lifted_at).is_not(None))
        .order_by(col(Pause.lifted_at).desc())
        .limit(1)
    ).scalar()
    return lifted


def standing_of(
    session: Session, person_id: UUID, system_id: UUID, answers: Sequence[bool], rules: GoldTasks
) -> Standing:
    """Where the person stands with the system's gold tasks; a lead who lifted a pause vouched for them."""
    lifted = _lifted_at(session, person_id, system_id)
    return gold.standing(answers, rules, is_vouched_for=lifted is not None)


def _made(session: Session, actor: Actor, system: System, task: Task, now: datetime) -> Task | None:
    """A gold task like the one in whose place it comes, held by the actor; None where none is left for them."""
    rules = told.policy_at(session, system.id, task.created_at)
    for found in _left(session, actor, system, task):
        ruling = told.ruling_of(rules.policy, found.system, found.item, found.content)
        if _fits(session, actor, ruling, task):
            chance = draw(system.sample_key, f"when:{actor.id}:{task.id}")
            came_at = max(rules.since, task.created_at - timedelta(seconds=chance))
            return _like(session, actor, task, found.item.id, ruling, came_at, now)
    return None


def _left(session: Session, actor: Actor, system: System, task: Task) -> list[Whole]:
    """Gold items that the actor has not met in any way, a few of them by chance."""
    met = (
        exists().where(col(Task.item_id) == col(Gold.item_id), col(Task.assigned_to_id) == actor.id,
                       col(Task.gold_id).is_not(None)),
        exists().where(col(Decision.item_id) == col(Gold.item_id), col(Decision.decided_by_id) == actor.id),
        exists().where(col(TaskBar.item_id) == col(Gold.item_id), col(TaskBar.person_id) == actor.id),
    )  # fmt: skip
    ids = session.execute(
        select(col(Gold.item_id))
        .join(Item, col(Item.id) == col(Gold.item_id))
        .where(
            col(Gold.system_id) == system.id, col(Gold.retired_at).is_(None),
            col(Item.status) == ItemStatus.DECIDED.value, *(~one for one in met),
        )
    ).scalars()  # fmt: skip
    by_chance = sorted(ids, key=lambda item_id: draw(system.sample_key, f"which:{actor.id}:{task.id}:{item_id}"))
    return [items.whole(session, HOLDPOINT, item_id) for item_id in by_chance[:_TRIES]]


def _fits(session: Session, actor: Actor, ruling: Ruling, task: Task) -> bool:
    """Whether a fresh output like this could come to the actor in the task's queue."""
    slug = session.execute(select(col(Queue.slug)).where(col(Queue.id) == task.queue_id)).scalar_one()
    if ruling.queue != slug or ruling.inclusion_probability == 0:
        return False
    skills = select(col(PersonSkill.skill)).where(col(PersonSkill.person_id) == actor.id)
    return set(ruling.skills) <= set(session.execute(skills).scalars())


def _like(
    session: Session, actor: Actor, task: Task, item_id: UUID, ruling: Ruling, came_at: datetime, now: datetime
) -> Task:
    gold_id = session.execute(select(col(Gold.id)).where(col(Gold.item_id) == item_id)).scalar_one()
    service = session.execute(select(col(Queue.service)).where(col(Queue.id) == task.queue_id)).scalar()
    due_at = Service.model_validate(service).after(came_at, ruling.due) if service else came_at + ruling.due
    return Task(
        id=id_of_time(came_at), item_id=item_id, queue_id=task.queue_id, kind=TaskKind.REVIEW.value,
        priority=task.priority, due_at=due_at, created_at=came_at, assigned_to_id=actor.person_id, gold_id=gold_id,
        holder_id=actor.person_id, lease_token=secrets.token_urlsafe(16), claimed_at=now,
        lease_expires_at=lease_until(now),
    )  # fmt: skip
