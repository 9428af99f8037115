"""What a confidence is worth: how likely an output is wrong at each, learned from what people decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from review.domain.estimates import Z95, Estimate
from review.domain.risks import AUC_METHOD, Curve

MIN_EACH = 5  # errors, and outputs that were right, before their ranking is worth a figure
_DIGITS = 6
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One output that a person decided finally: its confidence, whether it was wrong, and how many it stands for."""

    confidence: float
    is_wrong: bool
    inclusion_probability: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """A curve from confidence to the probability of error, and how well a low confidence tells an error (AUC)."""

    curve: Curve
    auc: Estimate


def fit(judged: Sequence[Judged]) -> Fitted:
    """Fit both, each output weighing 1 / its inclusion probability; `judged` must not be empty.

    The curve is the least-squares fit that never rises with the confidence (isotonic regression).
    """
    confidence = np.array([one.confidence for one in judged])
    is_wrong = np.array([one.is_wrong for one in judged])
    weight = 1 / np.array([one.inclusion_probability for one in judged])
    return Fitted(_curve(confidence, is_wrong, weight), _auc(confidence, is_wrong, weight))


def _curve(confidence: Floats, is_wrong: NDArray[np.bool_], weight: Floats) -> Curve:
    values, where = np.unique(confidence, return_inverse=True)
    total = np.bincount(where, weight)
    share = np.bincount(where, weight * is_wrong) / total
    fitted = isotonic_regression(share, weights=total, increasing=False)
    ends = np.unique([*fitted.blocks[:-1], *(fitted.blocks[1:] - 1)])  # between them the curve is level
    return Curve(tuple((float(values[at]), round(float(fitted.x[at]), _DIGITS)) for at in ends))


def _auc(confidence: Floats, is_wrong: NDArray[np.bool_], weight: Floats) -> Estimate:
    """The chance that of an error and a right output the error has the lower confidence, ties half.

    The interval is DeLong's (E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson 1988, Biometrics 44, 837-845), from the
    variance of each output's placement among the others, here with weights.
    """
    n = len(confidence)
    if min(is_wrong.sum(), (~is_wrong).sum()) < MIN_EACH:
        return Estimate(None, 0.0, 1.0, n, AUC_METHOD)
    wrong, right, of_wrong, of_right = (
        confidence[is_wrong], confidence[~is_wrong], weight[is_wrong], weight[~is_wrong],
    )  # fmt: skip
    share_above = _placements(right, of_right, wrong)  # for each error: the share of right ones more confident
    share_below = 1 - _placements(wrong, of_wrong, right)  # for each right one: the share of errors less confident
    value = float(np.average(share_above, weights=of_wrong))
    spread = sqrt(_variance(share_above, of_wrong, value) + _variance(share_below, of_right, value))
    return Estimate(value, max(0.0, value - Z95 * spread), min(1.0, value + Z95 * spread), n, AUC_METHOD)


def _placements(among: Floats, weight: Floats, points: Floats) -> Floats:
    """For each point, the weighted share of `among` that is above it, ties half."""
    order = np.argsort(among)
    ordered, total = among[order], weight.sum()
    below = np.concatenate([[0.0], np.cumsum(weight[order])])
    first, last = np.searchsorted(ordered, points, "left"), np.searchsorted(ordered, points, "right")
    return np.asarray(1 - (below[first] + below[last]) / 2 / total)


def _variance(placements: Floats, weight: Floats, mean: float) -> float:
    n = len(placements)
    share = weight / weight.sum()
    return float(np.sum(share**2 * (placements - mean) ** 2)) * n / (n - 1)
