"""Answers about queues and the people who work them."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from typing_extensions import TypedDict

from review.api.answers.common import exactly
from review.commands.reassignments import Preview
from review.domain.actors import Role
from review.domain.queues import Settings
from review.queries.people import Paused
from review.queries.queues import Away, Run, Worker


@exactly
class QueueAnswer(TypedDict):
    """One queue: how it is run, and what is in it now."""

    queue: str
    level: int
    escalates_to: str | None
    settings: Settings
    n_open: int
    n_overdue: int
    n_assigned: int
    n_held: int


@exactly
class QueuesAnswer(TypedDict):
    """All queues, those for reviewers first."""

    queues: list[QueueAnswer]


def queue(run: Run) -> QueueAnswer:
    """The answer of GET /queues/{slug}."""
    return {
        "queue": run.slug,
        "level": run.level,
        "escalates_to": run.escalates_to,
        "settings": cast("Settings", run.settings.model_dump(mode="json")),
        "n_open": run.n_open,
        "n_overdue": run.n_overdue,
        "n_assigned": run.n_assigned,
        "n_held": run.n_held,
    }


@exactly
class AssignedAnswer(TypedDict):
    """How many tasks were given."""

    n_assigned: int


@exactly
class TaskTold(TypedDict):
    """One of the tasks that are meant."""

    task_id: UUID
    external_id: str


@exactly
class PreviewAnswer(TypedDict):
    """What would be reassigned, under the id that carries it out; and what is left out, being worked on or not allowed
    to the person."""

    reassignment_id: UUID
    n: int
    n_held: int
    n_not_allowed: int
    sample: list[TaskTold]


def preview(found: Preview) -> PreviewAnswer:
    """The answer of POST /reassignments."""
    return {
        "reassignment_id": found.id,
        "n": found.n,
        "n_held": found.n_held,
        "n_not_allowed": found.n_not_allowed,
        "sample": [{"task_id": task_id, "external_id": external_id} for task_id, external_id in found.sample],
    }


@exactly
class ReassignedAnswer(TypedDict):
    """How many tasks were changed."""

    n: int


@exactly
class AbsenceAnswer(TypedDict):
    """From when until when somebody is away."""

    absence_id: UUID
    person: str
    from_at: datetime
    until_at: datetime


@exactly
class AbsencesAnswer(TypedDict):
    """Absences that are not over, the next first."""

    absences: list[AbsenceAnswer]


def absences(found: Sequence[Away]) -> AbsencesAnswer:
    """The answer of GET /absences."""
    return {"absences": [_absence(away) for away in found]}


def _absence(away: Away) -> AbsenceAnswer:
    return {"absence_id": away.id, "person": away.person, "from_at": away.from_at, "until_at": away.until_at}


@exactly
class AbsentAnswer(TypedDict):
    """The absence that was put on record."""

    absence_id: UUID


@exactly
class PauseAnswer(TypedDict):
    """Someone who takes no tasks of a system for now, and why."""

    pause_id: UUID
    person: str
    system: str
    reason: str
    since: datetime


@exactly
class PausesAnswer(TypedDict):
    """Pauses that are not lifted, the oldest first."""

    pauses: list[PauseAnswer]


def pauses(found: Sequence[Paused]) -> PausesAnswer:
    """The answer of GET /pauses."""
    return {"pauses": [pause(one) for one in found]}


def pause(one: Paused) -> PauseAnswer:
    """One pause."""
    return {
        "pause_id": one.id, "person": one.person, "system": one.system, "reason": one.reason, "since": one.since,
    }  # fmt: skip


@exactly
class WorkerAnswer(TypedDict):
    """Someone who can be given tasks: what they work, what they can judge, how much they have."""

    person: str
    name: str
    role: Role
    queues: list[str]
    skills: list[str]
    n_assigned: int


@exactly
class WorkersAnswer(TypedDict):
    """Everyone who can be given tasks, by name."""

    workers: list[WorkerAnswer]


def workers(found: Sequence[Worker]) -> WorkersAnswer:
    """The answer of GET /workers."""
    return {"workers": [_worker(one) for one in found]}


def _worker(one: Worker) -> WorkerAnswer:
    return {
        "person": one.username, "name": one.name, "role": one.role, "queues": one.queues, "skills": one.skills,
        "n_assigned": one.n_assigned,
    }  # fmt: skip
