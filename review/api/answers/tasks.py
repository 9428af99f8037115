"""Answers to people at work: what they hold, and what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from review.api.answers import items
from review.api.answers.common import exactly
from review.commands.decisions import Decided
from review.domain.decisions import Verdict
from review.domain.lifecycle import ReleaseState
from review.queries.tasks import Work
from review.store.tables import Decision, Task


@exactly
class LeaseAnswer(TypedDict):
    """The hold on a task: send the token with what is done under it, before it ends."""

    token: str
    expires_at: datetime


@exactly
class RenewedAnswer(TypedDict):
    """The hold as it is now."""

    lease: LeaseAnswer


def renewed(token: str, until: datetime) -> RenewedAnswer:
    """The answer of POST /tasks/{id}/renew."""
    return {"lease": {"token": token, "expires_at": until}}


@exactly
class HandedUpAnswer(TypedDict):
    """Who handed a task up, and why."""

    reason: str
    note: str
    by: str
    at: datetime


@exactly
class SaidAnswer(TypedDict):
    """What one of several people answered; who it was is told when the item is settled."""

    verdict: Verdict
    correction: Any
    difference: list[dict[str, Any]] | None
    labels: list[str]
    spans: list[dict[str, Any]]
    note: str


@exactly
class WorkAnswer(TypedDict):
    """A task that the person holds now, with all that is needed to decide it.

    `answers` are what people said of it, in no order: in a task of kind adjudication, and nowhere else. `lease` is
    null where a decision was undone by someone who may not take its task now: then it waits for others.
    """

    task_id: UUID
    kind: str
    due_at: datetime
    lease: LeaseAnswer | None
    item: items.ItemAnswer
    taxonomy: list[str]
    can_escalate: bool
    handed_up: HandedUpAnswer | None
    answers: list[SaidAnswer]


def work(found: Work) -> WorkAnswer:
    """The answer of POST /tasks/claim."""
    return {
        "task_id": found.task.id,
        "kind": found.task.kind,
        "due_at": found.task.due_at,
        "lease": _lease(found.task),
        "item": items.item(found.whole),
        "taxonomy": found.taxonomy,
        "can_escalate": found.can_escalate,
        "handed_up": _handed_up(found),
        "answers": [_said(decision) for decision in found.answers],
    }


def _said(decision: Decision) -> SaidAnswer:
    return {
        "verdict": Verdict(decision.verdict),
        "correction": decision.correction,
        "difference": decision.difference,
        "labels": decision.labels,
        "spans": decision.spans,
        "note": decision.note,
    }


def _lease(task: Task) -> LeaseAnswer | None:
    if task.lease_token is None or task.lease_expires_at is None:
        return None
    return {"token": task.lease_token, "expires_at": task.lease_expires_at}


def _handed_up(found: Work) -> HandedUpAnswer | None:
    if found.handed_up is None:
        return None
    escalation, by = found.handed_up
    return {"reason": escalation.reason, "note": escalation.note, "by": by, "at": escalation.at}


@exactly
class DecidedRelease(TypedDict):
    """Where a decision left the item's release."""

    state: ReleaseState
    sha256: str | None


@exactly
class DecidedAnswer(TypedDict):
    """The decision that was recorded."""

    decision_id: UUID
    item_id: UUID
    verdict: Verdict
    release: DecidedRelease


def decided(told: Decided) -> DecidedAnswer:
    """The answer of POST /tasks/{id}/decision."""
    return {
        "decision_id": told.id,
        "item_id": told.item_id,
        "verdict": told.verdict,
        "release": {"state": told.release_state, "sha256": told.release_digest},
    }


@exactly
class EscalatedAnswer(TypedDict):
    """The task that was closed, and the one that waits for leads in its place."""

    task_id: UUID
    item_id: UUID
    escalated_to: UUID


def escalated(task_id: UUID, above: Task) -> EscalatedAnswer:
    """The answer of POST /tasks/{id}/escalate."""
    return {"task_id": task_id, "item_id": above.item_id, "escalated_to": above.id}
