"""The bodies of requests about queues and the people who work them."""

from typing import Annotated

from pydantic import StringConstraints

from review.domain.outputs import Code, Strict
from review.domain.queues import Chosen, Username
from review.domain.times import Moment

Reason = Annotated[str, StringConstraints(max_length=2_000)]


class AssignBody(Strict):
    """To whom a task is given (a username); null frees it."""

    to: Username | None


class ReassignBody(Strict):
    """Which open tasks are meant, and to whom they would be given (a username); null frees them."""

    chosen: Chosen
    to: Username | None


class AbsenceBody(Strict):
    """From when until when one is away; with `person` (a username) somebody else."""

    person: Username | None = None
    from_at: Moment
    until_at: Moment


class PauseBody(Strict):
    """Who takes no tasks of which system for now, and why."""

    person: Username
    system: Code
    reason: Reason


class LiftBody(Strict):
    """Why somebody takes tasks again."""

    reason: Reason
