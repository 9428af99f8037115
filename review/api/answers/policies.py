"""The answers about policies, their drafts, and dry runs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from typing_extensions import TypedDict

from review.api.answers.common import exactly
from review.domain.dry_runs import DryRun, Outcome, Tally, Told
from review.domain.estimates import Estimate
from review.domain.policies import Fault, check
from review.domain.remarks import Remark
from review.queries.policies import Draft, Standing
from review.store.tables import Policy


@exactly
class VersionAnswer(TypedDict):
    """One version of a policy, without its text."""

    version: int
    sha256: str
    activated_at: datetime
    activated_by: str
    written_by: str
    approved_by: str | None
    restores: int | None


@exactly
class PoliciesAnswer(TypedDict):
    """The versions of a system's policy, newest first, and what the key's holder may do about them."""

    system: str
    is_critical: bool
    may_change: bool
    active_version: int
    versions: list[VersionAnswer]


@exactly
class PolicyAnswer(TypedDict):
    """One version of a policy, with its text."""

    version: int
    sha256: str
    activated_at: datetime
    activated_by: str
    written_by: str
    approved_by: str | None
    restores: int | None
    document: str


def _version(policy: Policy) -> VersionAnswer:
    return {
        "version": policy.version,
        "sha256": policy.digest,
        "activated_at": policy.activated_at,
        "activated_by": policy.activated_by,
        "written_by": policy.written_by,
        "approved_by": policy.approved_by,
        "restores": policy.restores,
    }


def policies(standing: Standing, versions: Sequence[Policy]) -> PoliciesAnswer:
    """The answer of GET /systems/{slug}/policies."""
    return {
        "system": standing.slug,
        "is_critical": standing.is_critical,
        "may_change": standing.may_change,
        "active_version": standing.active_version,
        "versions": [_version(policy) for policy in versions],
    }


def policy(found: Policy) -> PolicyAnswer:
    """The answer where one version is read or put in force."""
    return {**_version(found), "document": found.document}


@exactly
class FaultAnswer(TypedDict):
    """One thing that is wrong with a policy; its line counts from 1."""

    line: int | None
    field: str | None
    detail: str


@exactly
class RemarkAnswer(TypedDict):
    """One thing to look at in a policy that is not wrong."""

    field: str
    detail: str


@exactly
class CheckAnswer(TypedDict):
    """Everything that is wrong with a policy, from the top; and what to look at where nothing is."""

    faults: list[FaultAnswer]
    remarks: list[RemarkAnswer]


def checked(faults: Sequence[Fault], remarks: Sequence[Remark]) -> CheckAnswer:
    """The answer of POST /systems/{slug}/policies/check."""
    return {
        "faults": [_fault(fault) for fault in faults],
        "remarks": [{"field": one.field, "detail": one.told} for one in remarks],
    }


def _fault(fault: Fault) -> FaultAnswer:
    return {"line": fault.line, "field": fault.error.field, "detail": fault.error.message}


@exactly
class DraftAnswer(TypedDict):
    """A draft, with what still keeps it from coming into force."""

    draft_id: UUID
    system: str
    document: str
    sha256: str
    written_by: str
    written_at: datetime
    needs_approval: bool
    approved_by: str | None
    approved_at: datetime | None
    restores: int | None
    closed_at: datetime | None
    faults: list[FaultAnswer]


@exactly
class DraftsAnswer(TypedDict):
    """The open drafts of a system, the one changed last first."""

    drafts: list[DraftAnswer]


def draft(found: Draft) -> DraftAnswer:
    """The answer where one draft is read or changed."""
    return {
        "draft_id": found.id,
        "system": found.system,
        "document": found.document,
        "sha256": found.digest,
        "written_by": found.written_by,
        "written_at": found.written_at,
        "needs_approval": found.needs_approval,
        "approved_by": found.approved_by,
        "approved_at": found.approved_at,
        "restores": found.restores,
        "closed_at": found.closed_at,
        "faults": [_fault(fault) for fault in check(found.document)[1]],
    }


@exactly
class RolledBackAnswer(TypedDict):
    """The version that an earlier one is again; or the draft of it, where a second person has to approve."""

    policy: PolicyAnswer | None
    draft: DraftAnswer | None


@exactly
class EstimateAnswer(TypedDict):
    """A share with its interval; null where there is nothing to estimate from."""

    value: float | None
    low: float
    high: float
    n: int
    method: str


@exactly
class RuleAnswer(TypedDict):
    """How many outputs one rule decided on; null where none did."""

    rule: str | None
    outcome: Outcome
    n: int


@exactly
class TallyAnswer(TypedDict):
    """What one policy makes of the outputs."""

    outcomes: dict[str, int]
    rules: list[RuleAnswer]
    tasks: int
    tasks_a_day: float
    tasks_a_day_by_queue: dict[str, float]
    failed_conditions: int
    known_errors: dict[str, int]
    slipped: EstimateAnswer


@exactly
class ToldAnswer(TypedDict):
    """One output that the two policies treat differently."""

    item_id: UUID
    external_id: str
    received_at: datetime
    confidence: float | None
    verdict: str | None
    before: Outcome
    rule_before: str | None
    after: Outcome
    rule_after: str | None


@exactly
class MovedAnswer(TypedDict):
    """How many outputs would go another way."""

    before: Outcome
    after: Outcome
    n: int


@exactly
class DryRunAnswer(TypedDict):
    """A policy beside the version in force, over the last outputs on record."""

    outputs: int
    days: float
    active_version: int
    sha256: str
    active: TallyAnswer
    draft: TallyAnswer
    changed: int
    moved: list[MovedAnswer]
    first_changed: list[ToldAnswer]
    first_slipped: list[ToldAnswer]


def dry_run(found: DryRun) -> DryRunAnswer:
    """The answer of POST /systems/{slug}/policies/dry_run."""
    return {
        "outputs": found.n,
        "days": found.days,
        "active_version": found.version,
        "sha256": found.digest,
        "active": _tally(found, found.active),
        "draft": _tally(found, found.draft),
        "changed": found.n_changed,
        "moved": [{"before": before, "after": after, "n": n} for (before, after), n in found.n_moved.most_common()],
        "first_changed": [_told(told) for told in found.changed],
        "first_slipped": [_told(told) for told in found.slipped],
    }


def _tally(found: DryRun, tally: Tally) -> TallyAnswer:
    return {
        "outcomes": {outcome.value: tally.n_by_outcome[outcome] for outcome in Outcome},
        "rules": [{"rule": rule, "outcome": outcome, "n": n} for (rule, outcome), n in tally.n_by_rule.most_common()],
        "tasks": tally.n_tasks,
        "tasks_a_day": found.a_day(tally.n_tasks),
        "tasks_a_day_by_queue": {queue: found.a_day(n) for queue, n in tally.n_tasks_by_queue.most_common()},
        "failed_conditions": tally.n_failed,
        "known_errors": {outcome.value: tally.n_errors_by_outcome[outcome] for outcome in Outcome},
        "slipped": _estimate(tally.slipped()),
    }


def _estimate(estimate: Estimate) -> EstimateAnswer:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "n": estimate.n,
        "method": estimate.method,
    }


def _told(told: Told) -> ToldAnswer:
    return {
        "item_id": told.item_id,
        "external_id": told.external_id,
        "received_at": told.received_at,
        "confidence": told.confidence,
        "verdict": told.verdict,
        "before": told.before,
        "rule_before": told.rule_before,
        "after": told.after,
        "rule_after": told.rule_after,
    }
