"""Answers about items: listings, one with its content, and its history."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from review.api.answers import outputs
from review.api.answers.common import Author, author, exactly
from review.domain.actors import Actor, ActorKind
from review.domain.decisions import Verdict
from review.domain.lifecycle import ItemStatus, ReleaseState
from review.domain.outputs import OutputKind
from review.domain.policies import Route
from review.queries.items import Event, Whole
from review.queries.releases import Gate, Release, told_state
from review.store.tables import Item, Task


@exactly
class ModelAnswer(TypedDict):
    """Which model, and which version of it."""

    name: str
    version: str


@exactly
class SummaryAnswer(TypedDict):
    """An item without its content."""

    item_id: UUID
    external_id: str
    version: int
    system: str
    kind: OutputKind
    model: ModelAnswer
    confidence: float | None
    group: str | None
    route: Route
    rule: str | None
    reasons: list[str]
    policy_version: int
    inclusion_probability: float
    status: ItemStatus
    release_state: ReleaseState
    received_at: datetime
    due_at: datetime | None


def summary(item: Item, system: str, gate: Gate = Gate.OPEN) -> SummaryAnswer:
    """One item of a listing; its release as it stands behind this gate."""
    return {
        "item_id": item.id,
        "external_id": item.external_id,
        "version": item.version,
        "system": system,
        "kind": OutputKind(item.kind),
        "model": {"name": item.model_name, "version": item.model_version},
        "confidence": item.confidence,
        "group": item.group,
        "route": Route(item.route),
        "rule": item.rule,
        "reasons": item.reasons,
        "policy_version": item.policy_version,
        "inclusion_probability": item.inclusion_probability,
        "status": ItemStatus(item.status),
        "release_state": told_state(item.release_state, gate),
        "received_at": item.received_at,
        "due_at": item.due_at,
    }


@exactly
class PageAnswer(TypedDict):
    """Items, newest first; the cursor gives the page after them, and is null where there is none."""

    items: list[SummaryAnswer]
    next_cursor: UUID | None


def page(rows: list[tuple[Item, str]], limit: int, gates: Mapping[UUID, Gate] = MappingProxyType({})) -> PageAnswer:
    """The answer of GET /items; with what stands before the releases where their producer asks."""
    more = rows[-1][0].id if len(rows) == limit else None
    told = [summary(item, system, gates.get(item.id, Gate.OPEN)) for item, system in rows]
    return {"items": told, "next_cursor": more}


@exactly
class ItemAnswer(SummaryAnswer):
    """An item with the output as it was sent."""

    system_name: str
    input: Any
    context: list[Any]
    output: Any
    alternatives: list[Any]
    flags: list[dict[str, Any]]
    subject_id: str | None
    traceparent: str | None
    metadata: dict[str, Any]
    allowed_verdicts: list[Verdict] | None
    correction_schema: dict[str, Any] | None
    produced_at: datetime


def item(found: Whole, gate: Gate = Gate.OPEN) -> ItemAnswer:
    """An item with its content."""
    sent = found.content
    return {
        **summary(found.item, found.system.slug, gate),
        "system_name": found.system.name,
        "input": sent["input"],
        "context": sent["context"],
        "output": sent["output"],
        "alternatives": sent["alternatives"],
        "flags": sent["flags"],
        "subject_id": found.item.subject_id,
        "traceparent": found.item.traceparent,
        "metadata": sent["metadata"],
        "allowed_verdicts": sent.get("allowed_verdicts"),
        "correction_schema": sent.get("correction_schema"),
        "produced_at": found.item.produced_at,
    }


@exactly
class DecisionAnswer(TypedDict):
    """The decision that stands on an item."""

    decision_id: UUID
    verdict: Verdict
    correction: Any
    labels: list[str]
    spans: list[dict[str, Any]]
    note: str
    decided_at: datetime
    decided_by: Author


@exactly
class WholeAnswer(ItemAnswer):
    """An item with its content, its release and the decision that stands."""

    release: outputs.ReleaseAnswer
    decision: DecisionAnswer | None


def whole(found: Whole, release: Release, *, told: Actor) -> WholeAnswer:
    """The answer of GET /items/{id}; its producer is told of no decision that is behind the gate."""
    gate = Gate.OPEN if told.system_id is None else release.gate
    decision = _decision(found, told) if gate is Gate.OPEN else None
    return {**item(found, gate), "release": outputs.release(release), "decision": decision}


def _decision(found: Whole, told: Actor) -> DecisionAnswer | None:
    decision = found.decision
    if decision is None:
        return None
    return {
        "decision_id": decision.id,
        "verdict": Verdict(decision.verdict),
        "correction": decision.correction,
        "labels": decision.labels,
        "spans": decision.spans,
        "note": decision.note,
        "decided_at": decision.decided_at,
        "decided_by": author(decision.decided_by_kind, found.decided_by, told=told),
    }


@exactly
class EventAnswer(TypedDict):
    """One thing that happened to an item, with its place in the audit chain once it is sealed."""

    at: datetime
    actor: Author
    action: str
    body: dict[str, Any]
    seq: int | None


@exactly
class HistoryAnswer(TypedDict):
    """Everything that happened to an item, oldest first."""

    item_id: UUID
    events: list[EventAnswer]


_OF_ANSWERS = {"item.decided", "item.reviewed", "item.lapsed", "decision.undone", "decision.superseded"}
_TO_PRODUCERS = {
    "n", "n_tasks", "policy_version", "mode", "digest", "task_id", "to_task_id", "decision_id", "decision_digest",
    "verdict", "cause", "state", "sha256", "reason", "comment_id", "question_id", "text_digest", "escalation_id",
    "escalation_digest", "queue", "due_at", "until", "step", "does", "why",
}  # fmt: skip


def history(item_id: UUID, events: list[Event], gate: Gate = Gate.OPEN, *, told: Actor) -> HistoryAnswer:
    """The answer of GET /items/{id}/history; its producer is told of no answer that is behind the gate."""
    shown = [event for event in events if gate is Gate.OPEN or event.action not in _OF_ANSWERS]
    return {"item_id": item_id, "events": [_event(event, told) for event in shown]}


def _body(event: Event, told: Actor) -> dict[str, Any]:
    """What an event says; to a producer, nothing of who is asked, and not by which key a person came."""
    if told.system_id is None:
        return event.body
    shown = _TO_PRODUCERS if event.actor_kind == ActorKind.PERSON else _TO_PRODUCERS | {"key"}
    return {name: value for name, value in event.body.items() if name in shown}


def _event(event: Event, told: Actor) -> EventAnswer:
    return {
        "at": event.at,
        "actor": author(event.actor_kind, event.actor_name, told=told),
        "action": event.action,
        "body": _body(event, told),
        "seq": event.seq,
    }


@exactly
class ReopenedAnswer(TypedDict):
    """The item that is looked at again, the task that it is now, and what its producer may use meanwhile."""

    item_id: UUID
    task_id: UUID
    version: int
    status: ItemStatus
    release_state: ReleaseState
    due_at: datetime


def reopened(found: Item, task: Task) -> ReopenedAnswer:
    """The answer of POST /items/{id}/reopen."""
    return {
        "item_id": found.id,
        "task_id": task.id,
        "version": found.version,
        "status": ItemStatus(found.status),
        "release_state": ReleaseState(found.release_state),
        "due_at": task.due_at,
    }
