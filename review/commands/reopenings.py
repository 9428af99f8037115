"""Looking again at what was settled: a lead says why, what was decided stays on record, and someone is asked anew."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session, col

from review.commands import audit, gold, lapses, outbox, queues
from review.domain.actors import Actor, Permission
from review.domain.calendars import Service
from review.domain.lifecycle import ItemStatus, ReleaseState, TaskKind
from review.domain.policies import Policy as Rules
from review.domain.policies import Route, Rule
from review.domain.reasons import check_reason
from review.domain.releases import was_held
from review.domain.rulings import compiled
from review.errors import NotFound, WrongState
from review.store.tables import Decision, Item, Policy, Queue, Task, TaskBar, TaskSkill

_DEFAULT_PRIORITY = 50


def reopen(session: Session, actor: Actor, item_id: UUID, *, reason: str, now: datetime) -> Task:
    """Ask again about an item that people or Holdpoint had settled. Returns the new task, in the item's queue.

    What was decided stays on record, superseded, and who decided it is not asked again. What was not used yet goes
    back to pending, if it was held; what was used stays used. Raises WrongState where nothing was settled.
    """
    actor.require(Permission.RESOLVE)
    check_reason(reason)
    lapses.settle_overdue(session, [item_id], now=now)
    item = session.get(Item, item_id, populate_existing=True, with_for_update=True)
    if item is None:
        raise NotFound("There is no such item.")
    if item.status not in (ItemStatus.DECIDED.value, ItemStatus.LAPSED.value):
        raise WrongState("Only what was decided, or what Holdpoint answered, can be reopened.")
    rules, rule = _rules_of(session, item)
    _supersede(session, actor, item, now)
    gold.retire_unsettled(session, actor, item_id, now=now)
    task = _ask(session, item, rules, rule, now)
    _take_back(item, task, rule)
    session.flush()
    told: dict[str, Any] = {"task_id": task.id, "reason": reason}
    audit.record(session, actor, "item.reopened", ("item", item_id), now=now, **told)
    outbox.enqueue(
        session, "item.reopened", item_id, now=now, external_id=item.external_id, release_state=item.release_state,
        **told,
    )  # fmt: skip
    return task


def _rules_of(session: Session, item: Item) -> tuple[Rules, Rule | None]:
    of_item = (col(Policy.system_id) == item.system_id, col(Policy.version) == item.policy_version)
    policy = compiled(session.execute(select(col(Policy.document)).where(*of_item)).scalar_one())
    return policy.policy, policy.rule(item.rule, item.reasons)


def _supersede(session: Session, actor: Actor, item: Item, now: datetime) -> None:
    """Let nothing stand that was decided on the item, and keep those who decided from deciding on it again."""
    rows = session.execute(
        update(Decision)
        .where(col(Decision.item_id) == item.id, col(Decision.superseded_at).is_(None))
        .values(superseded_at=now)
        .returning(col(Decision.id), col(Decision.decided_by_id))
        .execution_options(synchronize_session=False)
    ).all()
    for decision_id, _ in rows:
        audit.record(session, actor, "decision.superseded", ("item", item.id), now=now, decision_id=decision_id)
    _bar(session, item.id, [person_id for _, person_id in rows if person_id is not None])


def _bar(session: Session, item_id: UUID, people: Sequence[UUID]) -> None:
    barred = set(session.execute(select(col(TaskBar.person_id)).where(col(TaskBar.item_id) == item_id)).scalars())
    for person_id in set(people) - barred:
        session.add(TaskBar(item_id=item_id, person_id=person_id, reason="answered"))


def _ask(session: Session, item: Item, rules: Rules, rule: Rule | None, now: datetime) -> Task:
    """The new task, under the limits that the item's tasks had."""
    first = session.execute(
        select(Task).where(col(Task.item_id) == item.id, col(Task.gold_id).is_(None)).order_by(col(Task.id)).limit(1)
    ).scalar()
    queue_id = first.queue_id if first else queues.ensure(session, (rule and rule.queue) or rules.queue, now=now)
    task = Task(
        item_id=item.id,
        queue_id=queue_id,
        kind=TaskKind.REVIEW.value,
        priority=first.priority if first else rule.priority if rule else _DEFAULT_PRIORITY,
        due_at=_due_at(session, queue_id, (rule and rule.due) or rules.due, now),
        created_at=now,
        is_limited=True,
    )
    session.add(task)
    session.flush()
    session.add_all(TaskSkill(task_id=task.id, skill=skill) for skill in dict.fromkeys(rule.skills if rule else ()))
    return task


def _due_at(session: Session, queue_id: UUID, due: timedelta, now: datetime) -> datetime:
    service = session.execute(select(col(Queue.service)).where(col(Queue.id) == queue_id)).scalar()
    return Service.model_validate(service).after(now, due) if service else now + due


def _take_back(item: Item, task: Task, rule: Rule | None) -> None:
    """Where the item stands with its new task; what was given out cannot be taken back."""
    item.status, item.version, item.decision_id = ItemStatus.WAITING.value, item.version + 1, None
    item.due_at, item.lapses_at = task.due_at, None
    if item.release_consumed_at is not None or not was_held(Route(item.route), item.reasons, rule):
        return
    item.release_state, item.release_digest, item.release_fetched_at = ReleaseState.PENDING.value, None, None
    item.lapses_at = task.due_at if rule and rule.on_lapse else None
