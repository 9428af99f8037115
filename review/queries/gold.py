"""Gold tasks as their reviewer is told of them: like any fresh one, before the answer and after it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from review.domain import content
from review.domain.actors import Actor, ActorKind, Role
from review.domain.decisions import Verdict, difference
from review.domain.lifecycle import ItemStatus, ReleaseState, TaskState, release_after
from review.domain.outputs import Output
from review.domain.rulings import AUDIT_SAMPLE, CompiledPolicy, Ruling, compiled
from review.store.tables import Decision, GoldAnswer, Item, ItemPayload, Policy, System, Task

if TYPE_CHECKING:
    from review.queries.items import Event, Whole

FIRST_VERSION = 1
_AS_OTHERS = {
    "gold.answered": "item.decided", "gold.undone": "decision.undone", "gold.escalated": "task.escalated",
}  # fmt: skip


def is_told(actor: Actor) -> bool:
    """Whether the actor is one who gets gold tasks, and must not know them: a reviewer."""
    return actor.kind is ActorKind.PERSON and actor.role is Role.REVIEWER


def task_of(session: Session, actor: Actor, item_id: UUID) -> Task | None:
    """The gold task on an item that a reviewer was given."""
    if not is_told(actor):
        return None
    wanted = select(Task).where(
        col(Task.item_id) == item_id, col(Task.gold_id).is_not(None), col(Task.assigned_to_id) == actor.id
    )
    task: Task | None = session.execute(wanted.order_by(col(Task.id)).limit(1)).scalar()
    return task


def told(session: Session, actor: Actor, found: "Whole") -> "Whole":
    """An item as the actor may know it: one that was a gold task of theirs, as a fresh one."""
    if found.item.decision_id is None:
        return found  # no gold task is made of what is not decided
    task = task_of(session, actor, found.item.id)
    if task is None:
        return found
    fresh, decision = _told(session, found.item, found.system, found.content, task)
    return replace(found, item=fresh, decision=decision, decided_by=actor.name if decision else None)


def told_items(session: Session, actor: Actor, rows: Sequence[tuple[Item, str]]) -> list[tuple[Item, str]]:
    """The same for a listing."""
    if not is_told(actor):
        return list(rows)
    given = select(col(Task.item_id)).where(
        col(Task.item_id).in_([item.id for item, _ in rows]), col(Task.gold_id).is_not(None),
        col(Task.assigned_to_id) == actor.id,
    )  # fmt: skip
    mine = set(session.execute(given).scalars())
    return [(_told_item(session, actor, item) if item.id in mine else item, slug) for item, slug in rows]


def statuses(session: Session, actor: Actor) -> dict[UUID, str]:
    """The items that were gold tasks of the actor's, with the status that they are told of each."""
    if not is_told(actor):
        return {}
    answered = select(col(GoldAnswer.id)).where(
        col(GoldAnswer.task_id) == col(Task.id), col(GoldAnswer.superseded_at).is_(None)
    )
    rows = session.execute(
        select(col(Task.item_id), answered.exists())
        .join(Item, col(Item.id) == col(Task.item_id))
        .where(col(Task.gold_id).is_not(None), col(Task.assigned_to_id) == actor.id, col(Item.decision_id).is_not(None))
        .order_by(col(Task.id).desc())
    ).all()
    return {item_id: (ItemStatus.DECIDED if is_answered else ItemStatus.WAITING).value for item_id, is_answered in rows}


def _told_item(session: Session, actor: Actor, item: Item) -> Item:
    task = task_of(session, actor, item.id) if item.decision_id else None
    if task is None:
        return item
    packed = session.execute(select(col(ItemPayload.content)).where(col(ItemPayload.item_id) == item.id)).scalar_one()
    return _told(session, item, session.get_one(System, item.system_id), content.parse(packed), task)[0]


def _told(session: Session, item: Item, system: System, sent: Any, task: Task) -> tuple[Item, Decision | None]:
    rules = policy_at(session, system.id, task.created_at)
    ruling = ruling_of(rules.policy, system, item, sent)
    given = select(GoldAnswer).where(col(GoldAnswer.task_id) == task.id, col(GoldAnswer.superseded_at).is_(None))
    answer: GoldAnswer | None = session.execute(given).scalar()
    decision = as_decision(answer, item.id, sent["output"]) if answer else None
    model = session.execute(_MODEL.where(col(Item.system_id) == system.id)).one()
    state, digest = released(ruling, sent["output"], decision)
    fresh = item.model_dump() | {
        "received_at": task.created_at, "produced_at": item.produced_at + (task.created_at - item.received_at),
        "policy_version": rules.version, "rule": ruling.rule, "route": ruling.route.value,
        "reasons": list(ruling.reasons), "inclusion_probability": ruling.inclusion_probability,
        "model_name": model[0], "model_version": model[1], "due_at": task.due_at, "lapses_at": None,
        "status": (ItemStatus.DECIDED if decision else ItemStatus.WAITING).value,
        "version": FIRST_VERSION if task.state == TaskState.OPEN.value else FIRST_VERSION + 1,
        "release_state": state.value, "release_digest": digest, "release_fetched_at": None,
        "release_consumed_at": None, "decision_id": decision.id if decision else None,
    }  # fmt: skip
    return Item(**fresh), decision


# A fresh output comes from the model that runs now.
_MODEL = select(col(Item.model_name), col(Item.model_version)).order_by(col(Item.id).desc()).limit(1)


class InForce(NamedTuple):
    """A version of a policy, and since when it was in force."""

    version: int
    since: datetime
    policy: CompiledPolicy


def policy_at(session: Session, system_id: UUID, at: datetime) -> InForce:
    """The version of a system's policy that was in force at a moment, or its first."""
    versions = select(col(Policy.version), col(Policy.activated_at), col(Policy.document))
    row = session.execute(
        versions.where(col(Policy.system_id) == system_id)
        .order_by((col(Policy.activated_at) <= at).desc(), col(Policy.version).desc())
        .limit(1)
    ).one()
    return InForce(row.version, row.activated_at, compiled(row.document))


def ruling_of(policy: CompiledPolicy, system: System, item: Item, sent: dict[str, Any]) -> Ruling:
    """What a policy says of an item if it came now; what would pass, as drawn for the sample."""
    fields = {name: value for name, value in sent.items() if name in Output.model_fields}
    output = Output.model_validate({**fields, "system": system.slug, "external_id": item.external_id})
    ruling = policy.ruling(output, system.sample_key)
    if ruling.reviewed:
        return ruling
    return ruling._replace(reasons=(*ruling.reasons, AUDIT_SAMPLE), reviewed=True)


def released(ruling: Ruling, output: Any, decision: Decision | None) -> tuple[ReleaseState, str | None]:
    """Where the release of a fresh item would be, and the digest that it would be bound to."""
    before = ReleaseState.PENDING if ruling.held else ReleaseState.RELEASED
    after = release_after(Verdict(decision.verdict), before) if decision else before
    if after is not ReleaseState.RELEASED:
        return after, None
    corrected = decision is not None and ruling.held and decision.verdict == Verdict.CORRECT.value
    return after, content.content_digest(decision.correction if corrected and decision else output)


def as_decision(answer: GoldAnswer, item_id: UUID, output: Any) -> Decision:
    """A gold answer as the decision that it is to its author; never written."""
    return Decision(
        id=answer.id, item_id=item_id, task_id=answer.task_id, item_version=FIRST_VERSION, verdict=answer.verdict,
        correction=answer.correction, labels=answer.labels, spans=answer.spans, note=answer.note,
        difference=difference(output, answer.correction) if answer.verdict == Verdict.CORRECT.value else None,
        decided_by_kind=ActorKind.PERSON.value, decided_by_id=answer.person_id, claimed_at=None, decided_at=answer.at,
    )  # fmt: skip


def told_decisions(
    session: Session, actor: Actor, item_id: UUID, rows: Sequence[tuple[Decision, str | None]]
) -> Sequence[tuple[Decision, str | None]]:
    """The decisions on an item that the actor may know of: of a gold task of theirs, their own answer alone."""
    task = task_of(session, actor, item_id)
    if task is None:
        return rows
    answers = session.execute(
        select(GoldAnswer, col(ItemPayload.content))
        .join(ItemPayload, col(ItemPayload.item_id) == item_id)
        .where(col(GoldAnswer.task_id) == task.id)
        .order_by(col(GoldAnswer.id))
    ).all()
    found = []
    for answer, packed in answers:
        decision = as_decision(answer, item_id, content.parse(packed)["output"])
        decision.superseded_at = answer.superseded_at
        found.append((decision, actor.name))
    return found


def told_events(session: Session, actor: Actor, item_id: UUID, events: Sequence["Event"]) -> list["Event"]:
    """An item's history as the actor may know it: reviewers and producers hear nothing of others' gold tasks, and
    a reviewer of their own as of any other."""
    if actor.kind is ActorKind.PERSON and not is_told(actor):
        return list(events)
    golden = {
        str(task_id): assigned == actor.id
        for task_id, assigned in session.execute(
            select(col(Task.id), col(Task.assigned_to_id)).where(
                col(Task.item_id) == item_id, col(Task.gold_id).is_not(None)
            )
        )
    }
    mine = task_of(session, actor, item_id)
    if mine is None:
        return [event for event in events if str(event.body.get("task_id")) not in golden]
    return [
        replace(
            event,
            at=mine.created_at if event.action == "outputs.received" else event.at,
            action=_AS_OTHERS.get(event.action, event.action),
        )
        for event in events
        if event.action == "outputs.received"
        or golden.get(str(event.body.get("task_id")))
        or (event.action == "item.viewed" and event.at >= mine.created_at and event.actor_name == actor.name)
    ]


def n_answered_since(session: Session, actor: Actor, since: datetime) -> int:
    """How many gold tasks a person answered since a moment: to them, decisions like others."""
    n: int = session.execute(
        select(func.count())
        .select_from(GoldAnswer)
        .where(
            col(GoldAnswer.person_id) == actor.id, col(GoldAnswer.at) >= since, col(GoldAnswer.superseded_at).is_(None)
        )
    ).scalar_one()
    return n
