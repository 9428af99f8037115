"""What Holdpoint answers by itself where no person did: withhold, release with a notice, or a text that stands in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from review.domain import content
from review.domain.decisions import Verdict
from review.domain.lifecycle import ReleaseState
from review.domain.policies import OnLapse, Policy, Rule


class Cause(StrEnum):
    """Why Holdpoint decided, and not a person."""

    LAPSED = "lapsed"  # nobody answered before it was due
    QUEUE_FULL = "queue_full"
    STOPPED = "stopped"  # the system was stopped


NOTICES = {
    Cause.LAPSED: "Nobody answered in time.",
    Cause.QUEUE_FULL: "The queue was full.",
    Cause.STOPPED: "The system was stopped.",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """What Holdpoint decided on an output: the text that stands in, if any, and what its producer may use."""

    cause: Cause
    verdict: Verdict
    correction: str | None
    release_state: ReleaseState
    digest: str | None


def of_rule(output: Any, policy: Policy, rule: Rule | None, cause: Cause) -> Settled:
    """The fail-safe that a rule names; one that names none withholds."""
    on_lapse = rule.on_lapse if rule else None
    if on_lapse is OnLapse.RELEASE:
        return Settled(cause, Verdict.APPROVE, None, ReleaseState.RELEASED, content.content_digest(output))
    text = (rule.fallback if rule else None) or policy.fallback
    return _stood_in(cause, text if on_lapse is OnLapse.FALLBACK else None)


def of_stopped(policy: Policy) -> Settled:
    """What a stopped system's producer is given: the policy's fallback, or nothing."""
    return _stood_in(Cause.STOPPED, policy.fallback)


def _stood_in(cause: Cause, text: str | None) -> Settled:
    if text is None:
        return Settled(cause, Verdict.REJECT, None, ReleaseState.WITHHELD, None)
    return Settled(cause, Verdict.CORRECT, text, ReleaseState.RELEASED, content.content_digest(text))
