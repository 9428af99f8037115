"""The states of an item and its release, and what may follow what."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from review.domain.actors import Role
from review.domain.decisions import Verdict

LEASE = timedelta(minutes=5)
SKIP = timedelta(hours=1)  # how long a skipped task stays away from who skipped it


class ItemStatus(StrEnum):
    """Where an item stands with people."""

    PASSED = "passed"  # nobody was asked
    WAITING = "waiting"  # a task is open
    DECIDED = "decided"
    LAPSED = "lapsed"  # Holdpoint answered: the time was over, the queue full, or the system stopped


class ReleaseState(StrEnum):
    """Whether the producer may use the content."""

    PENDING = "pending"
    RELEASED = "released"
    WITHHELD = "withheld"


class TaskKind(StrEnum):
    """What is asked of a person."""

    REVIEW = "review"
    SECOND_REVIEW = "second_review"
    ADJUDICATION = "adjudication"
    ESCALATION = "escalation"


class TaskState(StrEnum):
    """Open until closed; that a task is leased is not a state but lease_expires_at > now."""

    OPEN = "open"
    DECIDED = "decided"
    ESCALATED = "escalated"
    WITHDRAWN = "withdrawn"  # nobody is asked any more: the item was settled otherwise


@dataclass(frozen=True, slots=True)
class LeaseToken:
    """The hold on a task, and the version of the item that its holder saw."""

    token: str
    item_version: int


def release_after(verdict: Verdict, before: ReleaseState) -> ReleaseState:
    """A decision releases or withholds what waited; what was released at intake cannot be taken back by it."""
    if before is ReleaseState.RELEASED:
        return before
    return ReleaseState.WITHHELD if verdict is Verdict.REJECT else ReleaseState.RELEASED


def highest_level(role: Role | None) -> int:
    """The highest level of queue whose tasks a role may take: 0 for reviewers, 1 for what is handed up, -1 for none."""
    return {Role.REVIEWER: 0, Role.LEAD: 1}.get(role, -1) if role else -1


def lease_until(now: datetime) -> datetime:
    """When a hold taken or renewed now ends."""
    return now + LEASE
