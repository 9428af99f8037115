"""What a policy would have made of outputs on record: tallies of its rulings, and what differs between two policies."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from review.domain.estimates import Estimate, wilson
from review.domain.policies import Route
from review.domain.rulings import RULE_FAILED, Ruling

MAX_LISTED = 50
_DAY = timedelta(days=1)


class Outcome(StrEnum):
    """What becomes of an output."""

    PASSED = "passed"
    REVIEWED = "reviewed"  # released at once, and looked at afterwards
    HELD = "held"
    BLOCKED = "blocked"


def outcome_of(ruling: Ruling) -> Outcome:
    """What a ruling makes of an output; one that passes and is drawn for review has passed."""
    if ruling.route is Route.REVIEW:
        return Outcome.HELD if ruling.held else Outcome.REVIEWED
    return Outcome.PASSED if ruling.route is Route.PASS else Outcome.BLOCKED


@dataclass(slots=True)
class Tally:
    """What one policy says of many outputs. Known errors are those that people corrected or rejected in the end."""

    n_by_outcome: Counter[Outcome] = field(default_factory=Counter)
    n_by_rule: Counter[tuple[str | None, Outcome]] = field(default_factory=Counter)
    n_tasks_by_queue: Counter[str] = field(default_factory=Counter)
    n_errors_by_outcome: Counter[Outcome] = field(default_factory=Counter)
    n_failed: int = 0  # outputs on which a condition failed, which holds them

    def add(self, ruling: Ruling, *, is_error: bool) -> Outcome:
        """Count one output."""
        outcome = outcome_of(ruling)
        self.n_by_outcome[outcome] += 1
        self.n_by_rule[ruling.rule, outcome] += 1
        self.n_failed += RULE_FAILED in ruling.reasons
        if ruling.reviewed:
            self.n_tasks_by_queue[ruling.queue] += ruling.n_people
        if is_error:
            self.n_errors_by_outcome[outcome] += 1
        return outcome

    @property
    def n_tasks(self) -> int:
        """How many tasks people would have been given at first."""
        return self.n_tasks_by_queue.total()

    def slipped(self) -> Estimate:
        """The share of the known errors that would have passed."""
        return wilson(self.n_errors_by_outcome[Outcome.PASSED], self.n_errors_by_outcome.total())


class Told(NamedTuple):
    """One output that a dry run names: what two policies make of it, by which rules, and what a person said of it."""

    item_id: UUID
    external_id: str
    received_at: datetime
    confidence: float | None
    verdict: str | None
    before: Outcome
    rule_before: str | None
    after: Outcome
    rule_after: str | None


@dataclass(slots=True)
class DryRun:
    """A draft beside the version in force, over the last outputs: as in normal mode, with room in every queue.

    `changed` and `slipped` name the newest outputs that the two policies treat differently, and the newest known errors
    that would pass.
    """

    system_id: UUID
    version: int
    digest: str
    active: Tally = field(default_factory=Tally)
    draft: Tally = field(default_factory=Tally)
    n_moved: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    changed: list[Told] = field(default_factory=list)
    slipped: list[Told] = field(default_factory=list)
    since: datetime | None = None
    until: datetime | None = None

    @property
    def n(self) -> int:
        """How many outputs were looked at."""
        return self.draft.n_by_outcome.total()

    @property
    def n_changed(self) -> int:
        """How many of them the draft treats differently."""
        return self.n_moved.total()

    @property
    def days(self) -> float:
        """Over how many days they came in; at least one."""
        if self.since is None or self.until is None:
            return 1.0
        return max((self.until - self.since) / _DAY, 1.0)

    def a_day(self, n: int) -> float:
        """So many over all these days, as so many a day."""
        return n / self.days

    def add(self, told: Told) -> None:
        """Note one output that was counted; newest first."""
        self.until = self.until or told.received_at
        self.since = told.received_at
        if told.before is not told.after:
            self.n_moved[told.before, told.after] += 1
            if len(self.changed) < MAX_LISTED:
                self.changed.append(told)
        if told.verdict in ("correct", "reject") and told.after is Outcome.PASSED and len(self.slipped) < MAX_LISTED:
            self.slipped.append(told)
