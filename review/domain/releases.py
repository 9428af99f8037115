"""What stands between what is on record of an item and what its producer may use."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from review.domain.fail_safes import Cause
from review.domain.lifecycle import ReleaseState
from review.domain.modes import Mode
from review.domain.policies import Route, Rule
from review.domain.rulings import RULE_FAILED

_HELD_ALL_THE_SAME = {RULE_FAILED, Mode.REVIEW_ALL.value, Mode.STOPPED.value}


class ReleaseReason(StrEnum):
    """Why a release is as it is, where that is not a person's doing."""

    LAPSED = "lapsed"  # nobody answered in time: the fail-safe did
    QUEUE_FULL = "queue_full"
    SYSTEM_STOPPED = "system_stopped"
    BUNDLE = "bundle"  # others of its bundle are still waited for


REASONS = {
    Cause.LAPSED: ReleaseReason.LAPSED,
    Cause.QUEUE_FULL: ReleaseReason.QUEUE_FULL,
    Cause.STOPPED: ReleaseReason.SYSTEM_STOPPED,
}
BUNDLE_NOTICE = "Other parts of its bundle are not here or not decided yet."


def was_held(route: Route, reasons: Sequence[str], rule: Rule | None) -> bool:
    """Whether an output's release waited for a decision when it came in, by the rule and the reasons on record.

    Behind the rule's own reasons stand those that Holdpoint added: a condition that failed, or the system's mode.
    """
    added = reasons[len(rule.reasons) if rule else 0 :]
    if not _HELD_ALL_THE_SAME.isdisjoint(added):
        return True
    return route is not Route.PASS and (route is Route.BLOCK or rule is None or rule.hold)


def is_overdue(release_state: str, lapses_at: datetime | None, now: datetime) -> bool:
    """Whether the fail-safe has the word, also where no worker ran since."""
    return release_state == ReleaseState.PENDING and lapses_at is not None and lapses_at <= now
