"""Gold items and what reviewers answer on them: known answers, kept apart from decisions, and what follows."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session, col

from review.commands import audit, freeing, gold_tasks, pauses
from review.commands.eligibility import TASK
from review.domain import content, decisions, gold
from review.domain.actors import HOLDPOINT, Actor, ActorKind, Permission
from review.domain.decisions import UNDO_SECONDS, Answer, Verdict
from review.domain.gold import Standing
from review.domain.lifecycle import ReleaseState, TaskKind, TaskState
from review.domain.rulings import compiled
from review.errors import Conflict, Invalid, NotFound, WrongState
from review.queries import gold as told
from review.queries import items
from review.queries.items import Whole
from review.store.tables import Gold, GoldAnswer, Policy, System, Task


def mark(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> Gold:
    """Keep a decided item as one whose answer is known: the decision that stands on it.

    Raises WrongState for what no person decided, Invalid for one of a bundle, Conflict where it is gold already.
    """
    actor.require(Permission.RESOLVE)
    found = items.whole(session, actor, item_id)
    decision = found.decision
    if decision is None or decision.decided_by_kind != ActorKind.PERSON.value:
        raise WrongState("Only an item that a person decided has a known answer.")
    if found.item.bundle is not None:
        raise Invalid("An item of a bundle cannot be shown again by itself.", field="item_id")
    if session.execute(select(col(Gold.id)).where(col(Gold.item_id) == item_id)).first():
        raise Conflict("This item is gold already, or was.")
    added = Gold(
        system_id=found.item.system_id, item_id=item_id, verdict=decision.verdict, correction=decision.correction,
        added_by_id=actor.person_id, added_at=now,
    )  # fmt: skip
    session.add(added)
    session.flush()
    known = {"item_id": item_id, "verdict": added.verdict, "correction": added.correction}
    audit.record(session, actor, "gold.added", ("gold", added.id), now=now, **known)
    return added


def retire(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> None:
    """Show a gold item to nobody any more; the answers given so far still count. Raises NotFound."""
    actor.require(Permission.RESOLVE)
    if not retire_unsettled(session, actor, item_id, now=now):
        raise NotFound("This item is not gold.")


def retire_unsettled(session: Session, actor: Actor, item_id: UUID, *, now: datetime) -> bool:
    """The same where the known answer stands no more, by whoever saw to that; False where the item is not gold."""
    retired = session.execute(
        update(Gold)
        .where(col(Gold.item_id) == item_id, col(Gold.retired_at).is_(None))
        .values(retired_at=now)
        .returning(col(Gold.id))
        .execution_options(synchronize_session=False)
    ).scalar()
    if retired is None:
        return False
    freeing.withdraw_gold(session, now, TASK.c.gold_id == retired)
    audit.record(session, actor, "gold.retired", ("gold", retired), now=now, item_id=item_id)
    return True


class Answered(NamedTuple):
    """What the author of a gold answer is told, in the order of a decision's: they cannot tell it from one."""

    id: UUID
    item_id: UUID
    verdict: Verdict
    at: datetime
    release_state: ReleaseState
    release_digest: str | None


def answer(session: Session, actor: Actor, task: Any, seen_version: int, given: Answer, *, now: datetime) -> Answered:
    """Keep the answer on a gold task that the actor just closed. The item does not change; the actor may be paused.

    Raises what a decision would: WrongState for another version, Invalid where the answer does not fit the output.
    """
    if seen_version != told.FIRST_VERSION:
        raise WrongState("The item changed while you looked at it. Nothing was written; look again.")
    found = items.whole(session, HOLDPOINT, task.item_id)
    policy = told.policy_at(session, found.system.id, task.created_at).policy
    sent = found.content
    given = decisions.checked(given, sent["output"], policy.policy.taxonomy)
    decisions.refuse_untakeable(given, sent.get("allowed_verdicts"), sent.get("correction_schema"))
    kept = _keep(session, actor, task, found, given, now)
    _pause_below(session, actor, found.system, now)
    decision = told.as_decision(kept, found.item.id, sent["output"])
    standing = told.released(told.ruling_of(policy, found.system, found.item, sent), sent["output"], decision)
    return Answered(kept.id, task.item_id, given.verdict, now, *standing)


def _keep(session: Session, actor: Actor, task: Any, found: Whole, given: Answer, now: datetime) -> GoldAnswer:
    known = session.get_one(Gold, task.gold_id)
    is_right = gold.is_right((Verdict(known.verdict), known.correction), (given.verdict, given.correction))
    kept = GoldAnswer(
        gold_id=known.id, system_id=found.system.id, person_id=actor.person_id, task_id=task.id,
        verdict=given.verdict.value, correction=given.correction, labels=given.labels,
        spans=[span.model_dump() for span in given.spans], note=given.note, is_right=is_right, at=now,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    answered = {"task_id": task.id, "decision_id": kept.id, "verdict": kept.verdict, "is_right": is_right}
    digest = content.sha256(content.canonical([kept.verdict, kept.correction, kept.labels, kept.spans, kept.note]))
    audit.record(
        session, actor, "gold.answered", ("item", task.item_id), now=now, answer_digest=digest, **answered
    )  # fmt: skip
    return kept


def _pause_below(session: Session, actor: Actor, system: System, now: datetime) -> None:
    """Keep the actor from the system's tasks where their accuracy is below its bar, and say so."""
    document = session.execute(select(col(Policy.document)).where(col(Policy.id) == system.active_policy_id)).scalar()
    rules = compiled(document).policy.gold if document else None
    if rules is None:
        return
    answers = gold_tasks.answers_of(session, actor.person_id, system.id)
    if gold_tasks.standing_of(session, actor.person_id, system.id, answers, rules) is Standing.BELOW:
        reason = gold.below_the_bar(system.name, answers, rules)
        pauses.begin(session, HOLDPOINT, actor.person_id, system.id, reason=reason, now=now)


def take_back(session: Session, actor: Actor, answer_id: UUID, *, now: datetime) -> UUID | None:
    """Take back one's own gold answer, for as long as a decision; it stays on record, superseded.

    Returns its task, or None where there is no such answer in time.
    """
    row = session.execute(
        update(GoldAnswer)
        .where(
            col(GoldAnswer.id) == answer_id,
            col(GoldAnswer.person_id) == actor.person_id,
            col(GoldAnswer.superseded_at).is_(None),
            col(GoldAnswer.at) >= now - timedelta(seconds=UNDO_SECONDS),
        )
        .values(superseded_at=now)
        .returning(col(GoldAnswer.task_id), col(GoldAnswer.gold_id))
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        return None
    item_id = session.execute(select(col(Gold.item_id)).where(col(Gold.id) == row.gold_id)).scalar_one()
    undone = {"task_id": row.task_id, "decision_id": answer_id}
    audit.record(session, actor, "gold.undone", ("item", item_id), now=now, **undone)
    task_id: UUID = row.task_id
    return task_id


def hand_up(session: Session, actor: Actor, task: Any, above: UUID, reason: str, *, now: datetime) -> Task:
    """What the actor is told of a gold task that they handed up: nobody is asked about it."""
    up = Task(
        item_id=task.item_id, queue_id=above, kind=TaskKind.ESCALATION.value, state=TaskState.WITHDRAWN.value,
        priority=task.priority, due_at=task.due_at, created_at=now, closed_at=now, escalated_from_id=task.id,
        assigned_to_id=actor.person_id, gold_id=task.gold_id,
    )  # fmt: skip
    session.add(up)
    session.flush()
    handed = {"task_id": task.id, "to_task_id": up.id, "reason": reason}
    audit.record(session, actor, "gold.escalated", ("item", task.item_id), now=now, **handed)
    return up
