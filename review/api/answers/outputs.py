"""Answers to producers: where an output was routed, and what they may use."""

from datetime import datetime
from typing import Any, NotRequired
from uuid import UUID

from typing_extensions import TypedDict

from review.api.answers.common import exactly
from review.api.problems import Problem
from review.commands.intake import Taken
from review.domain.actors import ActorKind
from review.domain.decisions import Verdict
from review.domain.lifecycle import ItemStatus, ReleaseState
from review.domain.modes import Mode
from review.domain.policies import Route
from review.domain.releases import ReleaseReason
from review.queries.releases import Release


@exactly
class DecidedBy(TypedDict):
    """What kind of actor let the content through, or held it back."""

    kind: ActorKind


@exactly
class ReleaseAnswer(TypedDict):
    """What the producer may use: the exact content where the state is released, and its SHA-256.

    `reason` and `notice` say why, where that is not a person's doing. The content of a stopped system's release is
    the text that stands in, if there is one.
    """

    state: ReleaseState
    content: Any
    sha256: str | None
    verdict: Verdict | None
    decided_by: DecidedBy | None
    decision_id: UUID | None
    reason: ReleaseReason | None
    notice: str | None


def release(found: Release) -> ReleaseAnswer:
    """The answer of GET /items/{id}/release."""
    return {
        "state": found.state,
        "content": found.content,
        "sha256": found.sha256,
        "verdict": Verdict(found.verdict) if found.verdict else None,
        "decided_by": {"kind": ActorKind(found.decided_by_kind)} if found.decided_by_kind else None,
        "decision_id": found.decision_id,
        "reason": found.reason,
        "notice": found.notice,
    }


@exactly
class RoutedAnswer(TypedDict):
    """Where an output was routed, and why; and the mode that its system is in."""

    item_id: UUID
    route: Route
    reasons: list[str]
    policy_version: int
    inclusion_probability: float
    status: ItemStatus
    due_at: datetime | None
    mode: Mode


@exactly
class SubmittedAnswer(RoutedAnswer):
    """Where an output was routed, why, and what may be used of it now."""

    release: ReleaseAnswer


@exactly
class LineAnswer(RoutedAnswer):
    """What became of one line of a batch."""

    line: int
    release_state: ReleaseState
    replayed: bool


@exactly
class RejectedLine(TypedDict):
    """A line of a batch that was refused, and why."""

    line: int
    problem: Problem


BatchRoutes = TypedDict("BatchRoutes", {"pass": int, "review": int, "block": int})


@exactly
class BatchAnswer(TypedDict):
    """What became of a batch; the routes count accepted and replayed lines. The mode is the system's at the end."""

    accepted: int
    replayed: int
    rejected: list[RejectedLine]
    routes: BatchRoutes
    mode: Mode
    results: NotRequired[list[LineAnswer]]


def routed(taken: Taken) -> RoutedAnswer:
    """Where an output was routed."""
    return {
        "item_id": taken.item_id,
        "route": Route(taken.route),
        "reasons": list(taken.reasons),
        "policy_version": taken.policy_version,
        "inclusion_probability": taken.inclusion_probability,
        "status": ItemStatus(taken.status),
        "due_at": taken.due_at,
        "mode": Mode(taken.mode),
    }


def submitted(taken: Taken, found: Release) -> SubmittedAnswer:
    """The answer of POST /outputs."""
    return {**routed(taken), "release": release(found)}


def line(number: int, taken: Taken) -> LineAnswer:
    """One result of a batch."""
    state = ReleaseState(taken.release_state)
    return {**routed(taken), "line": number, "release_state": state, "replayed": taken.replayed}
