"""Closing a task with a verdict, undoing a fresh one, and handing a task up."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlmodel import Session, col

from review.commands import audit, gold, opinions, outbox, tasks
from review.commands.eligibility import TASK
from review.domain import content, decisions
from review.domain.actors import Actor, Permission
from review.domain.audit import ESCALATION_FIELDS, decision_digest, row_digest
from review.domain.decisions import UNDO_SECONDS, Answer, EscalationReason, Verdict, checked, refuse_untakeable
from review.domain.lifecycle import ItemStatus, LeaseToken, ReleaseState, TaskKind, TaskState, release_after
from review.domain.panels import Step
from review.domain.policies import Route
from review.domain.releases import was_held
from review.domain.rulings import compiled
from review.errors import LeaseLost, NotFound, WrongState
from review.store.tables import Decision, Escalation, Item, ItemPayload, Policy, Queue, Task
from review.store.types import new_id

# Built once, over the tables: decisions are hot.
_ITEM: Table = Item.__table__  # type: ignore[attr-defined]
_CLOSED = (
    "id", "item_id", "queue_id", "kind", "gold_id", "holder_id", "is_limited", "priority", "due_at", "claimed_at",
    "created_at",
)  # fmt: skip
_CLOSE = (
    update(TASK)
    .where(tasks.HELD)
    .values(state=bindparam("new_state"), closed_at=bindparam("now"), lease_expires_at=None)
    .returning(*(TASK.c[name] for name in _CLOSED))
)
_KNOWN = (
    "external_id",
    "version",
    "rule",
    "reasons",
    "lapses_at",
    "release_state",
    "release_digest",
)  # what deciding rests on
_TO_DECIDE: Any = (
    select(*(_ITEM.c[name] for name in _KNOWN), col(ItemPayload.content), col(Policy.document))
    .join(ItemPayload, col(ItemPayload.item_id) == _ITEM.c.id)
    .join(Policy, (col(Policy.system_id) == _ITEM.c.system_id) & (col(Policy.version) == _ITEM.c.policy_version))
    .where(_ITEM.c.id == bindparam("item"))
    .with_for_update(of=_ITEM)  # two who answer at the same moment: the second sees what the first said
)
_SETTLE = (
    update(_ITEM)
    .where(_ITEM.c.id == bindparam("item"), _ITEM.c.version == bindparam("seen_version"))
    .values(
        status=ItemStatus.DECIDED.value,
        version=_ITEM.c.version + 1,
        decision_id=bindparam("new_decision"),
        release_state=bindparam("new_release"),
        release_digest=bindparam("new_digest"),
    )
    .returning(_ITEM.c.id)
)
_RECORD = insert(Decision)


class Decided(NamedTuple):
    """A decision just recorded, and where it left the item's release."""

    id: UUID
    item_id: UUID
    verdict: Verdict
    at: datetime
    release_state: ReleaseState
    release_digest: str | None


def decide(
    session: Session, actor: Actor, task_id: UUID, lease: LeaseToken, answer: Answer, *, now: datetime
) -> Decided:
    """Close the leased task with the actor's verdict; the item's release follows from it.

    Raises LeaseLost if the hold ended, WrongState if the item changed since it was shown, Invalid if the answer
    does not fit the output; nothing is written then.
    """
    actor.require(Permission.DECIDE)
    task = _close(session, actor, task_id, lease.token, TaskState.DECIDED, now)
    if task.gold_id is not None:
        return Decided(*gold.answer(session, actor, task, lease.item_version, answer, now=now))
    item = session.connection().execute(_TO_DECIDE, {"item": task.item_id}).one()
    _refuse_late(item, lease.item_version, now)
    policy, sent = compiled(item.document), content.parse(item.content)
    answer = checked(answer, sent["output"], policy.policy.taxonomy)
    refuse_untakeable(answer, sent.get("allowed_verdicts"), sent.get("correction_schema"))
    step = opinions.next_step(session, actor, task, policy.rule(item.rule, item.reasons), answer)
    decision = _decision(actor, task, item.version, answer, sent["output"], now)
    decision["is_final"] = step is Step.FINAL
    session.connection().execute(_RECORD, decision)
    if step is Step.FINAL:
        standing = _settle(session, item, decision, sent["output"])
        if task.is_limited:
            opinions.withdraw_others(session, task, now)
    else:
        standing = ReleaseState(item.release_state), item.release_digest
        opinions.ask_on(session, task, step, now)
    _tell(session, actor, item.external_id, decision, now)
    return Decided(decision["id"], task.item_id, answer.verdict, now, *standing)


def _refuse_late(item: Any, seen_version: int, now: datetime) -> None:
    if item.version != seen_version:
        raise WrongState("The item changed while you looked at it. Nothing was written; look again.")
    if item.lapses_at is not None and item.lapses_at <= now and item.release_state == ReleaseState.PENDING.value:
        raise LeaseLost("The time for this item is over: the policy's fail-safe has answered. Take the next one.")


def _close(session: Session, actor: Actor, task_id: UUID, token: str, state: TaskState, now: datetime) -> Any:
    """The row of the task that is closed now."""
    held = {"task": task_id, "me": actor.person_id, "token": token, "now": now, "new_state": state.value}
    row = session.connection().execute(_CLOSE, held).first()
    if row is None:
        raise tasks.lease_lost(session, task_id)
    return row


def _decision(actor: Actor, task: Any, item_version: int, answer: Answer, output: Any, now: datetime) -> dict[str, Any]:
    corrected = answer.verdict is Verdict.CORRECT
    return {
        "id": new_id(),
        "item_id": task.item_id,
        "task_id": task.id,
        "item_version": item_version,
        "cause": None,
        "verdict": answer.verdict.value,
        "correction": answer.correction,
        "difference": decisions.difference(output, answer.correction) if corrected else None,
        "labels": answer.labels,
        "spans": [span.model_dump() for span in answer.spans],
        "note": answer.note,
        "decided_by_kind": actor.kind.value,
        "decided_by_id": actor.id,
        "claimed_at": task.claimed_at,
        "decided_at": now,
        "superseded_at": None,
    }


def _settle(session: Session, item: Any, decision: dict[str, Any], output: Any) -> tuple[ReleaseState, str | None]:
    """Write where the item stands now; returns the state of its release, and the digest that it is bound to."""
    verdict, before = Verdict(decision["verdict"]), ReleaseState(item.release_state)
    after, digest = release_after(verdict, before), item.release_digest
    if after is ReleaseState.RELEASED and before is not ReleaseState.RELEASED:
        digest = content.content_digest(output if verdict is Verdict.APPROVE else decision["correction"])
    settled = {
        "item": decision["item_id"],
        "seen_version": item.version,
        "new_decision": decision["id"],
        "new_release": after.value,
        "new_digest": digest,
    }
    session.connection().execute(_SETTLE, settled).one()
    return after, digest


def _tell(session: Session, actor: Actor, external_id: str, decision: dict[str, Any], now: datetime) -> None:
    item_id, told = decision["item_id"], {"decision_id": decision["id"], "verdict": decision["verdict"]}
    action = "item.decided" if decision["is_final"] else "item.reviewed"
    audit.record(
        session, actor, action, ("item", item_id), now=now,
        task_id=decision["task_id"], decision_digest=decision_digest(decision), **told,
    )  # fmt: skip
    if decision["is_final"]:
        outbox.enqueue(session, action, item_id, now=now, external_id=external_id, **told)


def undo(session: Session, actor: Actor, decision_id: UUID, *, now: datetime) -> Task:
    """Take back one's own decision within 10 seconds, unless the producer has fetched the release; the task is
    held again. The decision stays on record, superseded. Raises NotFound, or WrongState when it is too late."""
    actor.require(Permission.DECIDE)
    decision = session.execute(
        update(Decision)
        .where(
            col(Decision.id) == decision_id,
            col(Decision.decided_by_id) == actor.person_id,
            col(Decision.superseded_at).is_(None),
            col(Decision.decided_at) >= now - timedelta(seconds=UNDO_SECONDS),
        )
        .values(superseded_at=now)
        .returning(Decision)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).scalar()
    gold_task = gold.take_back(session, actor, decision_id, now=now) if decision is None else None
    if gold_task is not None:
        return tasks.take_again(session, actor, gold_task, now)
    if decision is None:
        raise WrongState(f"A decision can be undone by its author for {UNDO_SECONDS} seconds; that time is over.")
    if decision.task_id is None:
        raise WrongState("This decision was made on no task: a lead can reopen the item.")
    item = _reopen_item(session, decision) if decision.is_final else _take_back(session, decision)
    task = tasks.take_again(session, actor, decision.task_id, now)
    audit.record(session, actor, "decision.undone", ("item", item.id), now=now, decision_id=decision.id)
    if decision.is_final:
        gold.retire_unsettled(session, actor, item.id, now=now)
        told = {"external_id": item.external_id, "decision_id": decision.id}
        outbox.enqueue(session, "item.reopened", item.id, now=now, **told)
    return task


def _take_back(session: Session, decision: Decision) -> Item:
    """Undo one review of several: who was asked because of it no longer is, unless they are at it already."""
    item = session.get(Item, decision.item_id, populate_existing=True, with_for_update=True)
    if item is None or item.status != ItemStatus.WAITING.value:
        raise WrongState("The item is settled: a lead can reopen it.")
    opinions.take_back(session, decision)
    return item


def _reopen_item(session: Session, decision: Decision) -> Item:
    item = session.get(Item, decision.item_id, populate_existing=True, with_for_update=True)
    if item is None or item.decision_id != decision.id:
        raise NotFound("This decision no longer stands.")
    is_held = _was_held(session, item)
    if is_held and _was_seen(session, item):
        raise WrongState("The producer has fetched this release already: it cannot be undone. Tell a lead.")
    item.status = ItemStatus.WAITING.value
    item.version += 1
    item.decision_id = None
    if is_held:
        item.release_state, item.release_digest = ReleaseState.PENDING.value, None
    session.flush()
    return item


def _was_seen(session: Session, item: Item) -> bool:
    """Whether the producer was given this release, or one of its bundle, which were released at once."""
    if item.bundle is None:
        return item.release_fetched_at is not None
    of_bundle = col(Item.system_id) == item.system_id, col(Item.bundle) == item.bundle
    seen_at = func.coalesce(col(Item.release_fetched_at), col(Item.release_consumed_at))
    query = select(seen_at).where(*of_bundle).order_by(col(Item.id)).with_for_update()
    return any(session.execute(query).scalars().all())


def _was_held(session: Session, item: Item) -> bool:
    of_item = (col(Policy.system_id) == item.system_id, col(Policy.version) == item.policy_version)
    document = session.execute(select(col(Policy.document)).where(*of_item)).scalar_one()
    return was_held(Route(item.route), item.reasons, compiled(document).rule(item.rule, item.reasons))


def escalate(
    session: Session,
    actor: Actor,
    task_id: UUID,
    lease: LeaseToken,
    reason: EscalationReason,
    note: str,
    *,
    now: datetime,
) -> Task:
    """Hand the leased task up: it closes with the reason, and a new one opens in the queue above. Returns that one.

    Raises LeaseLost if the hold ended, WrongState where nobody is above or the item changed since it was shown.
    """
    actor.require(Permission.DECIDE)
    content.refuse_unkeepable(note, "note")
    task = _close(session, actor, task_id, lease.token, TaskState.ESCALATED, now)
    above = session.execute(select(col(Queue.escalates_to_id)).where(col(Queue.id) == task.queue_id)).scalar()
    if above is None:
        raise WrongState("Nobody is above this queue: decide the task, or give it back.")
    if task.gold_id is not None:
        return gold.hand_up(session, actor, task, above, reason.value, now=now)
    _raise_version(session, task, lease.item_version)
    handed_up = Task(
        item_id=task.item_id,
        queue_id=above,
        kind=TaskKind.ESCALATION.value,
        priority=task.priority,
        due_at=task.due_at,
        created_at=now,
        escalated_from_id=task.id,
        is_limited=task.is_limited,
    )
    session.add(handed_up)
    session.flush()
    escalation = Escalation(
        item_id=task.item_id, from_task_id=task.id, to_task_id=handed_up.id, reason=reason.value, note=note,
        by_id=actor.person_id, at=now,
    )  # fmt: skip
    session.add(escalation)
    told: dict[str, Any] = {"task_id": task.id, "to_task_id": handed_up.id, "reason": reason.value}
    audit.record(
        session, actor, "task.escalated", ("item", task.item_id), now=now,
        escalation_id=escalation.id, escalation_digest=row_digest(ESCALATION_FIELDS, escalation.model_dump()), **told,
    )  # fmt: skip
    outbox.enqueue(session, "task.escalated", task.item_id, now=now, **told)
    return handed_up


def _raise_version(session: Session, task: Any, seen_version: int) -> None:
    """Refuse what was seen in another version; those who look at the item beside the actor keep theirs."""
    moved = session.execute(
        update(Item)
        .where(col(Item.id) == task.item_id, col(Item.version) == seen_version)
        .values(version=seen_version if opinions.has_peers(session, task) else seen_version + 1)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongState("The item changed while you looked at it. Nothing was written; look again.")
