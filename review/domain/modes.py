"""The mode of a system: whether outputs go their usual way, are all held, or nothing is released."""

from datetime import datetime
from enum import StrEnum

from review.domain.policies import Route
from review.domain.rulings import Ruling

REVIEW_ALL = "review_all"
STOPPED = "stopped"


class Mode(StrEnum):
    """How a system runs now; its owner or deputy sets it."""

    NORMAL = "normal"
    REVIEW_ALL = "review_all"  # every output is held for a person
    STOPPED = "stopped"  # nothing is released; every call is answered at once


STRICTNESS = {Mode.NORMAL: 0, Mode.REVIEW_ALL: 1, Mode.STOPPED: 2}


def mode_at(mode: str, until: datetime | None, now: datetime) -> Mode:
    """The mode in force: one that was set until a time is over at that time, whether or not anything ran then."""
    return Mode.NORMAL if until is not None and until <= now else Mode(mode)


def ruling_in(mode: Mode, ruling: Ruling) -> Ruling:
    """What the policy says of an output, as the mode has it."""
    if mode is Mode.NORMAL:
        return ruling
    reasons = (*ruling.reasons, mode.value)
    if mode is Mode.STOPPED:
        return ruling._replace(reasons=reasons, held=True)
    route = Route.REVIEW if ruling.route is Route.PASS else ruling.route
    return (ruling.if_held or ruling)._replace(
        route=route, reasons=reasons, held=True, reviewed=True, inclusion_probability=1.0
    )
