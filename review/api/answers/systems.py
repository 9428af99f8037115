"""Answers about systems: the mode, what was done about a report, and the plans for it."""

from datetime import datetime

from typing_extensions import TypedDict

from review.api.answers.common import exactly
from review.commands.contingencies import Done
from review.domain.contingencies import Trigger
from review.domain.modes import Mode
from review.queries.contingencies import Plan
from review.queries.modes import ModeNow
from review.store.tables import Contingency, Drill


@exactly
class ModeAnswer(TypedDict):
    """How a system runs, why, since when (null: always), and until when where that was said."""

    system: str
    mode: Mode
    reason: str
    since: datetime | None
    until: datetime | None


def mode(found: ModeNow) -> ModeAnswer:
    """The answer of GET and PUT /systems/{slug}/mode."""
    return {
        "system": found.system,
        "mode": found.mode,
        "reason": found.reason,
        "since": found.since,
        "until": found.until,
    }


@exactly
class PlanAnswer(TypedDict):
    """What is written for one event: the mode that is set, what stands in, and what people do."""

    event: Trigger
    mode: Mode | None
    fallback: str
    instructions: str


def plan(found: Contingency) -> PlanAnswer:
    """What is written for one event."""
    return {
        "event": Trigger(found.trigger),
        "mode": Mode(found.mode) if found.mode else None,
        "fallback": found.fallback,
        "instructions": found.instructions,
    }


@exactly
class ReportedAnswer(TypedDict):
    """What was done about a report: the plan, if there is one, and the mode that the system is in now."""

    event: Trigger
    mode: Mode
    is_mode_changed: bool
    plan: PlanAnswer | None


def reported(done: Done) -> ReportedAnswer:
    """The answer of POST /systems/{slug}/events."""
    return {
        "event": done.trigger,
        "mode": done.mode,
        "is_mode_changed": done.is_changed,
        "plan": plan(done.contingency) if done.contingency else None,
    }


@exactly
class DrillAnswer(TypedDict):
    """One time that a plan was carried out, or exercised."""

    at: datetime
    is_exercise: bool
    detail: str
    result: str
    by: str


def drill(found: Drill) -> DrillAnswer:
    """One line of a plan's drills."""
    return {
        "at": found.at,
        "is_exercise": found.is_exercise,
        "detail": found.detail,
        "result": found.result,
        "by": found.by_name,
    }


@exactly
class ContingencyAnswer(PlanAnswer):
    """A plan, who wrote it, and its drills, newest first."""

    written_by: str
    written_at: datetime
    drills: list[DrillAnswer]


@exactly
class ContingenciesAnswer(TypedDict):
    """All plans of a system."""

    contingencies: list[ContingencyAnswer]


def contingencies(found: list[Plan]) -> ContingenciesAnswer:
    """The answer of GET /systems/{slug}/contingencies."""
    return {"contingencies": [_contingency(one) for one in found]}


def _contingency(found: Plan) -> ContingencyAnswer:
    return {
        **plan(found.contingency),
        "written_by": found.written_by,
        "written_at": found.contingency.written_at,
        "drills": [drill(one) for one in found.drills],
    }
