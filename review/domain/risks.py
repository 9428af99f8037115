"""How much an output is worth looking at: what an error would cost, times how likely it is."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from review.domain.estimates import Estimate
from review.domain.outputs import Output
from review.domain.rulings import Ruling

MOST_SEVERE = 5
AUC_METHOD = "AUC, DeLong 95%, weighted by 1/inclusion probability"


@dataclass(frozen=True, slots=True)
class Curve:
    """The probability of error by confidence: points in order of confidence, straight lines between them."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.points or any(one[0] >= other[0] for one, other in pairwise(self.points)):
            raise ValueError("a curve has points in rising order of confidence")

    def at(self, confidence: float) -> float:
        """The probability of error at a confidence; beyond the ends as at the ends."""
        place = bisect_left(self.points, (confidence,))
        if place == 0 or place == len(self.points):
            return self.points[min(place, len(self.points) - 1)][1]
        (left, before), (right, after) = self.points[place - 1], self.points[place]
        between = before + (after - before) * (confidence - left) / (right - left)
        return min(max(between, min(before, after)), max(before, after))  # rounding may lead out of them


def of(output: Output, ruling: Ruling, curve: Curve | None = None) -> float:
    """Severity times the probability of error, 0..1: severity is the worst flag's, or the rule's, of 5.

    Without a curve that was learned, the confidence is believed. An output without a confidence counts as wrong:
    nobody vouches for it.
    """
    severity = max((flag.severity for flag in output.flags), default=ruling.severity)
    return severity / MOST_SEVERE * _probability_of_error(output.confidence, curve)


def _probability_of_error(confidence: float | None, curve: Curve | None) -> float:
    if confidence is None:
        return 1.0
    return curve.at(confidence) if curve else 1 - confidence


def warning(system: str, model_version: str, auc: Estimate) -> str | None:
    """What to say where a confidence misleads or tells nothing; None where it tells errors, or too few to say.

    `auc` is the chance that of an error and a right output the error has the lower confidence.
    """
    if auc.value is None or auc.low > 0.5:
        return None
    figure = f"AUC {auc.value:.2f} ({auc.low:.2f} to {auc.high:.2f}, n = {auc.n:,})"
    of = f"The confidence of {system}, model version {model_version},"
    if auc.high < 0.5:
        return f"{of} misleads: its errors are rather among the confident ones ({figure}). Do not order or pass by it."
    return f"{of} does not tell errors from the rest ({figure}): ordering by it finds nothing sooner."
