"""What is known of a system's confidence."""

from datetime import datetime

from typing_extensions import TypedDict

from review.api.answers.common import exactly
from review.api.answers.gold import EstimateAnswer, estimate
from review.queries.calibrations import Known


@exactly
class KnownAnswer(TypedDict):
    """How well a low confidence of one model version tells errors (AUC), and a warning where it misleads."""

    model_version: str
    fitted_at: datetime
    auc: EstimateAnswer
    warning: str | None


@exactly
class CalibrationsAnswer(TypedDict):
    """The latest of each model version."""

    calibrations: list[KnownAnswer]


def calibrations(known: list[Known]) -> CalibrationsAnswer:
    """The answer of GET /systems/{slug}/calibrations."""
    return {"calibrations": [_one(each) for each in known]}


def _one(known: Known) -> KnownAnswer:
    return {
        "model_version": known.model_version, "fitted_at": known.fitted_at, "auc": estimate(known.auc),
        "warning": known.warning,
    }  # fmt: skip
