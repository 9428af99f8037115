"""The bodies of requests about releases, modes and contingencies."""

from typing import Annotated

from pydantic import Field, StringConstraints

from review.commands.contingencies import MAX_DETAIL
from review.domain.contingencies import Trigger
from review.domain.modes import Mode
from review.domain.outputs import Strict
from review.domain.reasons import MAX_REASON
from review.domain.times import Moment

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON)]
Detail = Annotated[str, StringConstraints(max_length=MAX_DETAIL)]


class ConsumeBody(Strict):
    """The digest of the very content that is about to be used."""

    sha256: Sha256


class ReopenBody(Strict):
    """Why an item is looked at again."""

    reason: Reason


class ModeBody(Strict):
    """How a system runs from now on, why, and until when; without an end until it is changed again."""

    mode: Mode
    reason: Reason
    until: Moment | None = None


class ReportBody(Strict):
    """What happened to a system's model."""

    event: Trigger
    detail: Detail = ""


class ExerciseBody(Strict):
    """How a contingency was tried out, and what came of it."""

    detail: Detail = ""
    result: Annotated[Detail, Field(min_length=1)]
